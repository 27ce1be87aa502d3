"""A customer comes back into their chat by the link in an e-mail: into that one, and for a while."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from django.core import mail
from django.core.signing import TimestampSigner
from django.test import Client
from django.utils import timezone

from inbox.chats.returning import GOOD_FOR, link_to
from inbox.models import Channel, Conversation, Visitor
from inbox.services.chats import mailing
from jobs.models import Job
from tests.api import Api
from tests.cast import Cast, unique
from tests.inbox.test_chats import Guest, admit, make_widget, reply
from tests.jobs_at_hand import run_job


@pytest.fixture(autouse=True)
def _here(settings: Any) -> None:
    settings.SUPABASE_URL = ""
    settings.EMAIL_URL = "smtp://mail.example"


@pytest.fixture
def widget(cast: Cast) -> Channel:
    return make_widget(cast, continue_by_email=True)


def word_for(chat: str) -> str:
    conversation = Conversation.objects.select_related("channel").get(pk=chat)
    return link_to(conversation).partition("#back=")[2]


def come_back(channel: Channel, word: str, guest: Guest | None = None) -> Any:
    headers = {"authorization": f"Bearer {guest.token}"} if guest else {}
    return Client(headers=headers).post(
        f"/api/v1/widgets/{channel.slug}/visitors", json.dumps({"back": word}), content_type="application/json"
    )


def test_the_mail_leads_back_into_the_chat_on_any_browser(cast: Cast, widget: Channel):
    address = f"{unique('lucia')}@shop.example"
    guest = admit(widget, email=address, name="Lucía")
    chat = guest.start(widget, "Hola").json()["id"]
    answer = reply(cast, chat, "Sí, claro")
    mailing.mail_unread(conversation_id=answer.conversation_id, first=answer.pk)
    (letter,) = [letter for letter in mail.outbox if letter.to == [address]]
    link = next(word for word in letter.body.split() if "#back=" in word)
    assert f"/widget/{widget.slug}#back=" in link
    answered = come_back(widget, link.partition("#back=")[2])
    assert answered.status_code == 201
    assert answered.json()["email"] == address
    elsewhere = Guest(answered.json()["token"])
    assert [row["id"] for row in elsewhere.get("chats/").json()["results"]] == [chat]
    assert elsewhere.write(chat, "De vuelta").status_code == 201
    assert guest.get(f"chats/{chat}/messages").json()["results"][0]["body"] == "De vuelta"


def test_the_browser_it_was_begun_on_goes_on_as_the_same_visitor(widget: Channel):
    guest = admit(widget)
    chat = guest.start(widget, "Hola").json()["id"]
    before = Visitor.objects.filter(channel=widget).count()
    answered = come_back(widget, word_for(chat), guest)
    assert answered.status_code == 201
    assert Visitor.objects.filter(channel=widget).count() == before
    assert Guest(answered.json()["token"]).get(f"chats/{chat}/").status_code == 200


def test_it_leads_to_one_chat_and_not_to_what_else_there_is(cast: Cast, widget: Channel):
    guest = admit(widget, name="Lucía")
    first = guest.start(widget, "Hola").json()["id"]
    guest.post(f"chats/{first}/end")
    second = guest.start(widget, "Otra cosa").json()["id"]
    assert second != first
    back = Guest(come_back(widget, word_for(first)).json()["token"])
    assert back.get(f"chats/{first}/").status_code == 200
    assert back.get(f"chats/{second}/").status_code == 404


@pytest.mark.parametrize("how", ["forged", "old", "of another channel", "deleted"])
def test_a_link_that_is_not_good_is_refused_and_leaves_nothing(cast: Cast, widget: Channel, how: str, monkeypatch: Any):
    chat = admit(widget).start(widget, "Hola").json()["id"]
    word, channel = word_for(chat), widget
    if how == "forged":
        word = word[:-3] + ("abc" if not word.endswith("abc") else "xyz")
    elif how == "old":
        late = timezone.now().timestamp() - GOOD_FOR.total_seconds() - 60
        with monkeypatch.context() as patch:
            patch.setattr("django.core.signing.time.time", lambda: late)
            word = word_for(chat)
    elif how == "deleted":
        Conversation.objects.filter(pk=chat).update(deleted_at=timezone.now())
    else:
        channel = make_widget(cast)
    before = Visitor.objects.count()
    answer = come_back(channel, word)
    assert (answer.status_code, answer.json()["code"]) == (401, "link_refused")
    assert Visitor.objects.count() == before


def test_the_link_is_no_token_for_anything_else(widget: Channel):
    chat = admit(widget).start(widget, "Hola").json()["id"]
    word = word_for(chat)
    assert Guest(word).get(f"chats/{chat}/").status_code == 401
    assert UUID(TimestampSigner(salt="inbox.chat.back", sep=".").unsign(word, max_age=timedelta(hours=1))) == UUID(chat)


def test_an_answer_that_nobody_reads_goes_out_once_and_what_comes_back_is_in_the_same_conversation(
    cast: Cast, widget: Channel
):
    address = f"{unique('lucia')}@shop.example"
    guest = admit(widget, language="es")
    chat = guest.start(widget, "Hola").json()["id"]
    reply(cast, chat, "Before there was an address")
    assert not Job.objects.filter(type="inbox.mail_unread", payload__conversation_id=chat).exists()
    assert guest.patch(f"widgets/{widget.slug}/visitor", {"email": address}).status_code == 204
    for words in ("Sí, claro", "Y otra cosa", "PRIVATE"):
        reply(cast, chat, words, note=words == "PRIVATE")
    jobs = Job.objects.filter(type="inbox.mail_unread", payload__conversation_id=chat)
    assert all(job.next_attempt > timezone.now() for job in jobs)  # somebody who is there reads it first
    for job in jobs:
        run_job(job.pk)
    letters = [letter for letter in mail.outbox if letter.to == [address]]
    said = "".join(str(letter.body) for letter in letters)
    assert [said.count(words) for words in ("Sí, claro", "Y otra cosa", "PRIVATE")] == [1, 1, 0]
    assert "te ha respondido" in letters[0].subject
    link = next(word for word in str(letters[0].body).split() if "#back=" in word)
    back = Guest(come_back(widget, link.partition("#back=")[2]).json()["token"])
    assert back.get(f"chats/{chat}/").json()["unread_count"] == 3
    assert back.post(f"chats/{chat}/read").status_code == 204
    assert back.write(chat, "Gracias").status_code == 201
    rows = Api(cast.ben).of(cast.workspace.slug).get("conversations/", channel=widget.slug).json()["results"]
    assert [(row["id"], row["inbound_count"], row["last_message"]["body"]) for row in rows] == [(chat, 2, "Gracias")]
    answer = reply(cast, chat, "De nada")
    later = Job.objects.filter(type="inbox.mail_unread", payload__first=str(answer.pk)).first()
    back.post(f"chats/{chat}/read")
    before = len(mail.outbox)
    if later is not None:  # else it is the job of before, which has run
        run_job(later.pk)
    assert len(mail.outbox) == before


def test_two_mails_close_together_tell_nothing_twice(cast: Cast, widget: Channel):
    """One from the end of a slot, one from the beginning of the next."""
    address = f"{unique('lucia')}@shop.example"
    chat = admit(widget, email=address).start(widget, "Hola").json()["id"]
    first, second = reply(cast, chat, "First"), reply(cast, chat, "Second")
    seconds = mailing.PATIENCE.total_seconds()
    slot = int(second.created_at.timestamp() // seconds)
    edge = datetime.fromtimestamp(slot * seconds, UTC)
    type(first).objects.filter(pk=first.pk).update(created_at=edge - timedelta(milliseconds=1))
    for message, its in ((first, slot - 1), (second, slot)):
        assert mailing.mail_unread(conversation_id=UUID(chat), first=message.pk, slot=its) == {"mailed": "yes"}
    bodies = [str(letter.body) for letter in mail.outbox if letter.to == [address]]
    assert [("First" in body, "Second" in body) for body in bodies] == [(True, False), (False, True)]
