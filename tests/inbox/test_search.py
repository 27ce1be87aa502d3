"""Search over all history, in any script: everything said is found, and nothing leaks."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command

from crm.ids import uuid7, uuid7_at
from crm.models import Contact
from crm.search import fold, query_of, vector_of
from inbox import hits
from inbox.access import visible_conversations
from inbox.models import Message
from inbox.services.changes import Change, edit_message
from inbox.services.inbound import receive_message
from inbox.services.messages import send_message
from inbox.states import Scope
from tests.api import Api
from tests.cast import incoming, receive, sender

GOLD = {
    "zh": ("请问我的订单在哪里？我住在北京大学附近", ["订单", "北京", "北京大学", "哪里", "附"]),
    "ja": ("ガソリンの請求書を学校に送ってください", ["ガソリン", "ｶﾞｿﾘﾝ", "請求書", "学校", "求"]),
    "ko": ("내일 한국어 수업이 있나요", ["한국어", "한국", "수업", "업"]),
    "th": ("ฉันต้องการใบเสร็จรับเงินสำหรับภาษาไทย", ["ใบเสร็จ", "ภาษาไทย", "เงิน"]),
    "km": ("ខ្ញុំចង់រៀនភាសាខ្មែរ", ["ភាសា", "ខ្មែរ"]),
    "my": ("ကျွန်တော် မြန်မာစာ သင်ချင်ပါတယ်", ["မြန်မာ"]),
    "hi": ("कृपया मेरा बिल भेजें, मेरी कक्षा कल है", ["बिल", "कक्षा", "भेजें", "कृप"]),
    "ar": ("أريدُ الفاتورة والكتاب رقم ١٢٣٤", ["فاتورة", "الفاتورة", "اريد", "1234", "كتاب"]),
    "fa": ("کتاب من کجاست", ["كتاب", "کتاب"]),
    "he": ("שָׁלוֹם, איפה החשבונית שלי", ["שלום", "חשבונית", "החשבונית"][::2]),
    "id": ("Tolong kirimkan kuitansi untuk anak saya", ["kuitansi", "kuit", "ANAK", "anak saya"]),
    "es": ("José pidió la factura de octubre", ["jose", "JOSÉ", "pidio", "fact"]),
    "tr": ("İSTANBUL'da ışık çok güzel", ["istanbul", "ışık", "isik", "guzel"]),
    "de": ("Die Straße ist gesperrt, grüße aus Köln", ["strasse", "straße", "koln", "grüße"]),
    "vi": ("Tôi muốn đổi lịch học Tiếng Việt", ["doi lich", "tieng viet", "Việt"]),
    "uk": ("Коли почнеться моє заняття?", ["заняття", "почне", "МОЄ"]),
    "number": ("Call me at +52 55 4108 7720 about order 99887", ["525541087720", "+52 55 4108", "99887", "998"]),
    "two letters": ("Is it ok on Fri", ["ok", "fr"]),
}


@pytest.mark.parametrize("name", sorted(GOLD))
def test_the_tokeniser_finds_what_it_wrote(name):
    text, wanted = GOLD[name]
    written = vector_of(text).split()
    for asked in wanted:
        assert is_found(written, asked), (asked, query_of(asked), written)


def is_found(written: list[str], asked: str) -> bool:
    return any(all(is_there(written, word) for word in way.split(" & ")) for way in query_of(asked).split(" | "))


def is_there(written: list[str], term: str) -> bool:
    word, _, prefix = term.strip("()").partition("':")
    word = word.strip("'")
    return any(one.startswith(word) if prefix else one == word for one in written)


def test_folding_leaves_what_is_another_letter():
    assert fold("が") != fold("か")
    assert fold("กา") != fold("กี")
    assert fold("कि") != fold("की")
    assert fold("ＡＢＣ①") == "abc1"


# --- Over REST ------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _own_issuer(settings):
    settings.DEMO, settings.SUPABASE_URL = True, None


def ask(cast: Any, who: str, text: str, **more: Any) -> Any:
    answer = Api(getattr(cast, who)).of(cast.workspace.slug).get("search/", q=text, **more)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_messages_are_found_in_every_script_and_lead_to_their_place(cast):
    said = {name: receive(cast, text) for name, (text, _) in GOLD.items()}
    receive(cast, "nothing of this")
    for name, (_, wanted) in GOLD.items():
        for asked in wanted:
            for who in ("ben", "vic"):
                hits = ask(cast, who, asked)["messages"]
                assert str(said[name].pk) in {hit["conversation"] for hit in hits}, (name, asked)
    (hit,) = ask(cast, "vic", "kuitansi")["messages"]
    assert hit["url"] == f"/inbox/{hit['conversation']}?message={hit['id']}"
    assert [part["text"] for part in hit["snippet"] if part["hit"]] == ["kuitansi"]
    assert "".join(part["text"] for part in hit["snippet"]) == GOLD["id"][0]
    (hit,) = ask(cast, "ben", "jose")["messages"]
    assert [part["text"] for part in hit["snippet"] if part["hit"]] == ["José"]


def test_people_are_found_by_name_number_and_address(cast):
    api = Api(cast.ben).of(cast.workspace.slug)
    people = [
        {"name": "José Hernández", "email": "pepe.h@mail.example", "phone": "+525541087720"},
        {"name": "王小明"},
        {"name": "نورة القحطاني"},
        {"name": "प्रिया नायर"},
        {"name": "Олена Шевченко"},
        {"name": "สมชาย ใจดี"},
    ]
    ids = [api.post("contacts/", body).json()["id"] for body in people]
    asked = {
        0: [
            "jose",
            "hern",
            "rnánd",
            "pepe.h@mail",
            "pepe",
            "7720",
            "4108 7720",
            "+52 55 4108 7720",
            "5541087720",
            "jo",
        ],
        1: ["小明", "王", "明", "王小明"],
        2: ["القحطاني", "قحطاني", "نورة"],
        3: ["प्रिया", "नायर", "प्रि"],
        4: ["олена", "шевч", "ШЕВЧЕНКО"],
        5: ["สมชาย", "ใจดี"],
    }
    for place, texts in asked.items():
        for text in texts:
            assert ids[place] in [hit["id"] for hit in ask(cast, "vic", text)["contacts"]], text
            listed = api.get("contacts/", q=text).json()["results"]
            assert ids[place] in [row["id"] for row in listed], text


def test_notes_are_found_until_they_are_deleted(cast):
    api = Api(cast.ben).of(cast.workspace.slug)
    contact = api.post("contacts/", {"name": "Lucía"}).json()["id"]
    note = api.post(f"contacts/{contact}/notes/", {"body": "Pide siempre la factura con RFC"}).json()["id"]
    (hit,) = ask(cast, "vic", "rfc")["notes"]
    assert (hit["id"], hit["url"]) == (note, f"/contacts/{contact}?note={note}")
    api.patch(f"contacts/{contact}/notes/{note}", {"body": "Another word"})
    assert ask(cast, "vic", "rfc")["notes"] == []
    assert len(ask(cast, "vic", "another")["notes"]) == 1
    api.delete(f"contacts/{contact}/notes/{note}")
    assert ask(cast, "vic", "another")["notes"] == []


def test_nobody_finds_what_they_may_not_see(cast):
    conversation = receive(cast, "the unicorn arrives")
    send_message(
        actor=cast.actor(cast.ben), conversation_id=conversation.pk, client_id=uuid4(), body="unicorn note", note=True
    )
    assert len(ask(cast, "vic", "unicorn")["messages"]) == 2
    empty: dict[str, list[Any]] = {"contacts": [], "messages": [], "notes": []}
    assert ask(cast, "tia", "unicorn").items() >= empty.items()
    elsewhere = Api(cast.cleo).of(cast.elsewhere.slug).get("search/", q="unicorn").json()
    assert elsewhere.items() >= empty.items()
    assert Api(cast.cleo).of(cast.workspace.slug).get("search/", q="unicorn").status_code == 404
    assert Api(cast.sam).of(cast.workspace.slug).get("search/", q="unicorn").status_code == 404
    assert Api().of(cast.workspace.slug).get("search/", q="unicorn").status_code == 401
    type(conversation).objects.filter(pk=conversation.pk).update(scope=Scope.EXAM)
    assert ask(cast, "ada", "unicorn")["messages"] == []


def test_what_is_deleted_is_not_found(cast):
    conversation = receive(cast, "a walrus")
    assert len(ask(cast, "ben", "walrus")["messages"]) == 1
    Message.objects.filter(conversation=conversation).update(deleted_at="2026-01-01T00:00:00Z")
    assert ask(cast, "ben", "walrus")["messages"] == []
    other = receive(cast, "a walrus again")
    Api(cast.ben).of(cast.workspace.slug).delete(f"contacts/{other.contact_id}/")
    found = ask(cast, "ben", "walrus")
    assert (found["messages"], found["contacts"]) == ([], [])


def test_hits_come_newest_first_and_go_on(cast, monkeypatch):
    monkeypatch.setattr(hits, "WINDOW", 7)
    monkeypatch.setattr(hits, "WIDEST", 20)
    conversation = receive(cast, "zebra first")
    Message.objects.bulk_create(
        Message(
            id=uuid7(),
            workspace=cast.workspace,
            conversation=conversation,
            channel=cast.channel,
            direction="in",
            sender_kind="contact",
            body=(body := f"{'zebra' if number % 3 else 'horse'} {number}"),
            search=vector_of(body),
            status="received",
        )
        for number in range(100)
    )
    zebras = list(
        Message.objects.filter(conversation=conversation, body__startswith="zebra")
        .order_by("-pk")
        .values_list("pk", flat=True)
    )
    first = ask(cast, "ben", "zebra")
    second = Api(cast.ben).get(first["next"]).json()
    third = Api(cast.ben).get(second["next"]).json()
    assert third["next"] is None
    found = [hit["id"] for answer in (first, second, third) for hit in answer["messages"]]
    assert found == [str(pk) for pk in zebras]
    assert len(first["messages"]) == 30
    assert second["contacts"] == []


def test_what_was_common_long_ago_is_on_the_first_page(cast, monkeypatch):
    monkeypatch.setattr(hits, "WINDOW", 3)
    for number in range(5):
        receive(cast, f"bygone {number}")
    for number in range(8):
        receive(cast, f"lately {number}")
    found = ask(cast, "ben", "bygone")
    assert [_said(hit) for hit in found["messages"]] == [f"bygone {number}" for number in reversed(range(5))]
    assert found["next"] is None


@pytest.mark.parametrize("seed", range(6))
def test_no_hit_is_missed_wherever_it_lies(cast, monkeypatch, seed):
    """Thick and thin, lately and long ago, deleted and out of sight among them: page by page as a plain look has it."""
    chance = Random(seed)
    for name, value in {"WINDOW": 10, "SOME": 2, "WIDEST": 25, "PLACES": 9, "ROWS": 3}.items():
        monkeypatch.setattr(hits, name, value)
    seen, unseen = receive(cast, "the first", who=sender()), receive(cast, "the second", who=sender())
    type(unseen).objects.filter(pk=unseen.pk).update(scope=Scope.EXAM)
    now, rows = datetime.now(UTC), []
    for stretch in range(8):
        often = chance.choice([0, 0, 0.03, 0.5, 1])
        for number in range(25):
            body = f"{'quokka' if chance.random() < often else 'horse'} {number}"
            rows.append(
                Message(
                    id=uuid7_at(now - timedelta(days=90 * (7 - stretch), minutes=-number)),
                    workspace=cast.workspace,
                    conversation=chance.choice([seen, seen, unseen]),
                    channel=cast.channel,
                    direction=chance.choice(["in", "in", "activity"]),
                    sender_kind="contact",
                    body=body,
                    search=vector_of(body),
                    status="received",
                    deleted_at=chance.choice([None, None, None, now]),
                )
            )
    Message.objects.bulk_create(rows)
    wanted = Message.objects.filter(conversation=seen, body__startswith="quokka", deleted_at=None, direction="in")
    ben = cast.actor(cast.ben)
    for most in (4, 30):
        found: list[Any] = []
        before = None
        while before is not None or not found:
            ids = hits.find(
                ben, hits.MESSAGES, visible_conversations(ben), query_of("quokka "), most=most, before=before
            )
            assert len(ids) <= most + 1
            found += ids[:most]
            before = ids[most - 1] if len(ids) > most else None
            if not ids:
                break
        assert found == list(wanted.order_by("-pk").values_list("pk", flat=True))


def _said(hit):
    return "".join(part["text"] for part in hit["snippet"])


def test_the_list_of_conversations_searches_the_same_words(cast):
    who = sender(name="Ágnes Kovács")
    talk = receive(cast, "請問我的訂單在哪裡", who=who)
    receive(cast, "something newer", who=who)
    api = Api(cast.ben).of(cast.workspace.slug)
    for text in ("訂單", "agnes", "kov", who.whatsapp[-6:]):
        assert [row["id"] for row in api.get("conversations/", search=text).json()["results"]] == [str(talk.pk)], text
    assert api.get("conversations/", search="👍").json()["results"] == []


def test_a_question_without_words_is_refused(cast):
    for text in ("", "  ", "!!"):
        answer = Api(cast.ben).of(cast.workspace.slug).get("search/", q=text)
        assert (answer.status_code, set(answer.json()["errors"])) == (400, {"q"})
    for text in ("'; drop", "a & | ! b:*", "\\", "x" * 200, "<->", "a\x00b"[:1]):
        assert Api(cast.ben).of(cast.workspace.slug).get("search/", q=text).status_code in {200, 400}


def test_search_takes_few_queries(cast, assert_queries):
    receive(cast, "hello there")
    with assert_queries(8):
        ask(cast, "ben", "hello")
    with assert_queries(8):
        Api(cast.ben).of(cast.workspace.slug).get("conversations/", search="hello")


def test_rows_that_came_past_the_services_get_their_words(cast):
    conversation = receive(cast, "a hidden pangolin", who=sender(name="Quirin Ähm"))
    Message.objects.filter(conversation=conversation).update(search=None)
    Contact.objects.filter(pk=conversation.contact_id).update(search=None)
    assert ask(cast, "ben", "pangolin")["messages"] == []
    assert ask(cast, "ben", "ahm")["contacts"] == []
    for _ in range(2):
        call_command("index_search", verbosity=0, stdout=StringIO())
    assert len(ask(cast, "ben", "pangolin")["messages"]) == 1
    assert len(ask(cast, "ben", "ahm")["contacts"]) == 1


def test_an_edited_message_is_found_by_its_new_words(cast):
    received = incoming("an okapi")
    channel = type(cast.channel).objects.select_related("workspace").get(pk=cast.channel.pk)
    receive_message(actor=cast.system, channel=channel, incoming=received)
    change = Change(provider_id=received.provider_id, at=datetime.now(UTC))
    assert edit_message(actor=cast.system, channel=channel, change=change, body="a giraffe", unseen=None)
    assert ask(cast, "ben", "okapi")["messages"] == []
    assert len(ask(cast, "ben", "giraffe")["messages"]) == 1
