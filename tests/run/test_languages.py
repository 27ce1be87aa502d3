"""What others than members read is said in their language, all of it, and from the right where that is the way."""

import importlib
import re
from gettext import GNUTranslations
from io import BytesIO
from itertools import combinations
from typing import Any

import orjson
import pytest
from babel.messages.catalog import Message
from django.core import mail
from django.test import Client
from django.utils import translation

from config import hot
from config.errors import DomainError, Invalid, NotFound, Said
from config.languages import in_language, language_asked, language_of
from config.run import catalogues
from inbox.services.chats import mailing
from inbox.states import ChannelKind
from proctoring.models import Leaderboard
from proctoring.words import VIOLATIONS
from tests.api import token_for
from tests.cast import make_cast, make_channel, unique
from tests.inbox.test_chats import admit, make_widget, reply
from tests.proctoring.scene import make_scene

LANGUAGES = ("es", "id", "ar")
PLACES = re.compile(r"%\(\w+\)s|{\w+}|</?\w+>")
# Of the demo's own, and what is the same everywhere
KEPT = {"Switchboard"}


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""


def _known(language: str) -> dict[tuple[str | None, str], Message]:
    return {(one.context, _first(one)): one for one in catalogues.kept(language) if one.id}


def _first(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, tuple | list) else message.id)


def _all(message: Message) -> list[str]:
    return [*message.string] if isinstance(message.string, tuple | list) else [str(message.string)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_word_of_the_public_pages_is_translated(language: str):
    known = _known(language)
    wanted = {(one.context, _first(one)) for one in catalogues.said() if one.id}
    assert len(wanted) > 200
    assert wanted == set(known), "`make words` brings the catalogues in step"
    assert [_first(one) for one in catalogues.untranslated(catalogues.kept(language))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_places_of_the_original(language: str):
    for message in _known(language).values():
        strings = _all(message)
        most = set(PLACES.findall(_first(message)))
        assert all(set(PLACES.findall(one)) <= most for one in strings), _first(message)
        assert set(PLACES.findall(strings[-1])) == most, _first(message)


def test_no_language_says_it_in_the_words_of_another():
    said = {language: {key: _all(one)[0] for key, one in _known(language).items()} for language in LANGUAGES}
    for one, other in combinations(LANGUAGES, 2):
        same = {key[1] for key, words in said[one].items() if words == said[other][key] and " " in words}
        assert same == set(), f"{one} and {other}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_compiled_is_what_is_written(language: str):
    with catalogues.place_of(language).with_suffix(".mo").open("rb") as file:
        compiled = GNUTranslations(file)
    assert _read(compiled) == _read(GNUTranslations(BytesIO(catalogues.compiled(catalogues.kept(language)))))


def _read(compiled: GNUTranslations) -> dict[Any, str]:
    return {key: words for key, words in vars(compiled)["_catalog"].items() if key}


# --- The pages ----------------------------------------------------------------------------------------------------


def _widget() -> tuple[str, dict[str, str]]:
    return f"/widget/{make_channel(make_cast().workspace, ChannelKind.WIDGET).slug}", {}


def _board() -> tuple[str, dict[str, str]]:
    board = Leaderboard.objects.create(workspace=make_cast().workspace, quiz_code=unique("KIDS"))
    return f"/leaderboard/{board.quiz_code}", {}


def _no_board() -> tuple[str, dict[str, str]]:
    return "/leaderboard/nobody-has-this", {}


def _exam() -> tuple[str, dict[str, str]]:
    scene = make_scene()
    return f"/exam/{scene.exam.slug}", {"authorization": f"Bearer {token_for(scene.cast.sam)}"}


PAGES = {"widget": _widget, "board": _board, "no board": _no_board, "exam": _exam}
WORDS = {
    "widget": {"en": "Write a message", "es": "Escribe un mensaje", "id": "Tulis pesan", "ar": "اكتب رسالة"},
    "board": {"en": "No scores yet", "es": "Todavía no hay", "id": "Belum ada skor", "ar": "لا نتائج بعد"},
    "no board": {
        "en": "There is no such",
        "es": "No existe esa",
        "id": "Papan itu tidak ada",
        "ar": "لا توجد لوحة كهذه",
    },
    "exam": {"en": "Start the exam", "es": "Empezar el examen", "id": "Mulai ujian", "ar": "بدء الاختبار"},
}


@pytest.mark.parametrize("page", PAGES)
def test_a_public_page_speaks_its_readers_language(page: str):
    path, headers = PAGES[page]()
    for language, word in WORDS[page].items():
        side = "rtl" if language == "ar" else "ltr"
        for asked in (
            {"HTTP_ACCEPT_LANGUAGE": f"{language}-XX,{language};q=0.9"},
            {"QUERY_STRING": f"lang={language}"},
        ):
            answer = Client(headers=headers).get(path, **asked)  # type: ignore[arg-type]
            text = answer.content.decode()
            assert f'<html lang="{language}" dir="{side}"' in text
            assert word in text
            assert answer["Content-Language"] == language
            assert "Accept-Language" in answer["Vary"]
    assert translation.get_language() == "en"


@pytest.mark.parametrize("page", PAGES)
def test_nothing_english_is_left_on_an_arabic_page(page: str):
    path, headers = PAGES[page]()
    text = Client(headers=headers).get(path, QUERY_STRING="lang=ar").content.decode()
    said = {_first(one) for one in catalogues.said() if one.id} - KEPT
    long = {one for one in said if len(one) > 12 and not PLACES.search(one)}
    assert [one for one in sorted(long) if f">{one}<" in text or f'"{one}"' in text] == []


def test_a_language_that_we_do_not_speak_is_answered_in_english():
    path, _headers = _widget()
    assert '<html lang="en" dir="ltr"' in Client().get(path, HTTP_ACCEPT_LANGUAGE="tlh").content.decode()
    assert '<html lang="en"' in Client().get(path, QUERY_STRING="lang=../../x").content.decode()


def test_the_first_language_of_ours_is_taken_and_english_where_there_is_none():
    assert language_asked("tlh, id-ID;q=0.8, es;q=0.5") == "id"
    assert language_asked("tlh, *;q=0.1") == language_asked("") == "en"
    assert (language_of("ar-EG"), language_of("tlh"), language_of("")) == ("ar", "en", "en")
    assert language_of("x" * 3_000) == "en"


@pytest.mark.parametrize("path", ["/login", "/api/docs"])
def test_the_pages_of_those_who_work_here_stay_as_they_are(path: str):
    answer = Client().get(path, HTTP_ACCEPT_LANGUAGE="ar")
    assert 'dir="rtl"' not in answer.content.decode()


# --- What is refused ----------------------------------------------------------------------------------------------


def _below(kind: type[DomainError]) -> set[type[DomainError]]:
    return {kind}.union(*map(_below, kind.__subclasses__()))


def test_whatever_an_error_says_by_itself_has_words_in_every_language():
    importlib.import_module("config.urls")
    own = {kind for kind in _below(DomainError) if kind.__module__.split(".")[0] in catalogues.PRODUCT}
    said = {sentence for _, sentence in catalogues.sentences()}
    # What has a number in it is written as it is refused, and stays English.
    assert {kind.message for kind in own if not re.search(r"\d", kind.message)} <= said
    assert len(own) > 100
    for language in LANGUAGES:
        words = {sentence: in_language(sentence, language) for sentence in said}
        assert [sentence for sentence, word in words.items() if word == sentence] == []


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/nothing-of-the-kind"])
def test_a_refusal_is_told_in_the_language_that_was_asked_for(path: str):
    plain = Client().get(path)
    asked = {language: Client().get(path, HTTP_ACCEPT_LANGUAGE=f"{language}-XX,en;q=0.5") for language in LANGUAGES}
    in_spanish = {"not_signed_in": "Primero inicia sesión.", "not_found": "No encontrado."}
    assert plain.json()["detail"] in ("Sign in first.", "Not found.")
    assert asked["es"].json()["detail"] == in_spanish[plain.json()["code"]]
    assert len({answer.json()["detail"] for answer in (plain, *asked.values())}) == 4
    for language, answer in asked.items():
        assert {**answer.json(), "detail": ""} == {**plain.json(), "detail": ""}
        assert (answer.status_code, answer["Content-Language"]) == (plain.status_code, language)
    assert Client().get(path, HTTP_ACCEPT_LANGUAGE="tlh, *;q=0.1," + "x" * 3_000).json() == plain.json()
    assert translation.get_language() == "en"


def test_what_is_wrong_with_a_field_is_told_in_that_language_too():
    cast = make_cast()
    path = f"/api/v1/workspaces/{cast.workspace.slug}/contacts/"
    client = Client(headers={"authorization": f"Bearer {token_for(cast.ben)}"})
    ours = {
        "en": "Give at least a name, a number or an e-mail address.",
        "es": "Indica al menos un nombre, un número o una dirección de correo.",
    }
    theirs = {"en": ["Enter a valid email address."], "es": ["Introduzca una dirección de correo electrónico válida."]}
    for language in ours:
        for body, wrong in (({}, {"name": [ours[language]]}), ({"email": "x"}, {"email": theirs[language]})):
            answer = client.post(path, body, content_type="application/json", headers={"accept-language": language})
            assert answer.json()["errors"] == wrong


def test_numbers_and_names_are_put_into_the_words_of_the_language():
    said = Said("There is no label “{name}”.", name="{urgent}")
    assert said == "There is no label “{urgent}”."
    told = {
        language: orjson.loads(hot.problem(Invalid(said, errors={"a": [said]}), language).body)
        for language in ("en", "es")
    }
    assert told["en"]["detail"] == told["en"]["errors"]["a"][0] == said
    assert told["es"]["detail"] == told["es"]["errors"]["a"][0] == "No existe la etiqueta «{urgent}»."


def test_what_a_service_refuses_with_is_in_the_catalogue():
    said = {sentence for _, sentence in catalogues.sentences()}
    as_detail, by_field, of_a_form = (
        "The file is no longer kept. Upload it again.",
        "Not a member of this workspace.",
        "Too much at once.",
    )
    assert {as_detail, by_field, of_a_form} <= said
    assert "A beat is an object." not in said  # a program's mistake


def test_roads_beside_django_tell_it_in_that_language_too():
    answer = hot.problem(NotFound(), "ar,en;q=0.5")
    assert orjson.loads(answer.body)["detail"] == "غير موجود."
    assert ("Content-Language", "ar") in answer.headers
    wrong = hot.problem(Invalid(errors={"body": ["Write something first."]}), "es")
    assert orjson.loads(wrong.body)["errors"] == {"body": ["Escribe algo primero."]}
    assert orjson.loads(hot.problem(NotFound("No such book.")).body)["detail"] == "No such book."


def test_mail_to_a_customer_is_in_their_language(settings: Any):
    settings.EMAIL_URL = "smtp://mail.example"
    cast = make_cast()
    channel, address = make_widget(cast, continue_by_email=True), f"{unique('amal')}@shop.example"
    guest = admit(channel, email=address, language="ar-EG")
    chat = guest.start(channel, "مرحبا").json()["id"]
    answer = reply(cast, chat, "أهلًا")
    mailing.mail_unread(conversation_id=answer.conversation_id, first=answer.pk)
    letter = next(letter for letter in mail.outbox if letter.to == [address])
    assert letter.subject == f"لديك رد من {cast.workspace.name}"
    assert "تابع المحادثة هنا" in letter.body
    assert str(VIOLATIONS["copy"]) == "Copied"  # nobody else's language has changed
