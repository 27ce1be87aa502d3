"""Floods from outside are stopped, each with when to come back: visitors, starts, words, files, mails, all else."""

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from crm.models import Contact
from inbox.chats import pace
from inbox.models import Attachment, Channel, Conversation, Message, Notice, Visitor
from jobs.models import Job
from tests.cast import Cast, unique
from tests.inbox.test_chats import Guest, admit, make_widget

TWICE = (2, 300)


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""
    settings.EMAIL_URL = "smtp://mail.example"


@pytest.fixture
def widget(cast: Cast) -> Channel:
    return make_widget(cast)


def is_too_many(answer: Any) -> bool:
    refused: bool = answer.status_code == 429
    if refused:
        assert answer["Content-Type"].startswith("application/problem+json")
        assert int(answer["Retry-After"]) >= 1
    return refused


def test_visitors_of_one_address(widget: Channel, monkeypatch: Any):
    monkeypatch.setattr(pace, "VISITORS", (0, 300))
    answer = Client().post(f"/api/v1/widgets/{widget.slug}/visitors", "{}", content_type="application/json")
    assert is_too_many(answer)
    assert not Visitor.objects.filter(channel=widget).exists()


def test_starts_of_one_guest(cast: Cast, widget: Channel, monkeypatch: Any):
    monkeypatch.setattr(pace, "CHATS", TWICE)
    guest = admit(widget)
    for _ in range(2):
        chat = guest.start(widget, "Hola").json()["id"]
        guest.post(f"chats/{chat}/end")
    contacts = Contact.objects.filter(workspace=cast.workspace).count()
    assert is_too_many(guest.start(widget, "Hola"))
    assert Conversation.objects.filter(channel=widget).count() == 2
    assert Contact.objects.filter(workspace=cast.workspace).count() == contacts
    assert admit(widget).start(widget, "Hola").status_code == 201  # others are not held up


def test_starts_of_one_address(widget: Channel, monkeypatch: Any):
    guest = admit(widget)
    monkeypatch.setattr(pace, "CHATS_OF_ADDRESS", (0, 300))
    assert is_too_many(guest.start(widget, "Hola"))
    assert not Conversation.objects.filter(channel=widget).exists()


def test_words_at_once_and_over_time(cast: Cast, widget: Channel, monkeypatch: Any):
    guest = admit(widget)
    chat = guest.start(widget).json()["id"]
    monkeypatch.setattr(pace, "MESSAGES", TWICE)
    answers = [guest.write(chat, f"{number}") for number in range(4)]
    assert [is_too_many(answer) for answer in answers] == [False, False, True, True]
    assert Message.objects.filter(conversation_id=chat, direction="in").count() == 2
    assert Notice.objects.filter(conversation_id=chat).count() == 0  # nobody's: agents are left in peace
    assert Conversation.objects.get(pk=chat).inbound_count == 2


def test_files(widget: Channel, monkeypatch: Any):
    guest = admit(widget)
    chat = guest.start(widget).json()["id"]
    monkeypatch.setattr(pace, "FILES", TWICE)

    def send(count: int) -> Any:
        return guest.send_files(chat, "", *(SimpleUploadedFile(f"{n}.txt", b"plain words") for n in range(count)))

    assert send(1).status_code == 201
    assert send(1).status_code == 201
    assert is_too_many(send(1))
    assert guest.write(chat, "Words still go").status_code == 201
    assert Attachment.objects.filter(message__conversation_id=chat).count() == 2
    guest = admit(widget)
    chat = guest.start(widget).json()["id"]
    assert is_too_many(send(3))  # each of them counts
    assert not Attachment.objects.filter(message__conversation_id=chat).exists()
    assert not Message.objects.filter(conversation_id=chat, direction="in").exists()


def test_mails(widget: Channel, monkeypatch: Any):
    monkeypatch.setattr(pace, "MAILS", TWICE)
    guest = admit(widget, email=f"{unique('lucia')}@shop.example")
    chat = guest.start(widget, "Hola").json()["id"]
    answers = [guest.post(f"chats/{chat}/transcript", {"client_id": str(uuid4())}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert Job.objects.filter(type="inbox.mail_transcript", payload__conversation_id=chat).count() == 2


def test_what_agents_see_change(cast: Cast, widget: Channel, monkeypatch: Any):
    """Who they say they are, the end and how it was: none of it can be turned to and fro for ever."""
    monkeypatch.setattr(pace, "ACTS", TWICE)
    guest = admit(widget)
    chat = guest.start(widget, "Hola").json()["id"]
    assert guest.post(f"chats/{chat}/end").status_code == 200
    assert guest.post(f"chats/{chat}/rating", {"rating": 5}).status_code == 200
    assert is_too_many(guest.post(f"chats/{chat}/rating", {"rating": 1}))
    assert is_too_many(guest.patch(f"widgets/{widget.slug}/visitor", {"name": "Mallory"}))
    assert is_too_many(guest.post(f"chats/{chat}/end"))
    row = Conversation.objects.select_related("contact").get(pk=chat)
    assert (row.rating, row.contact.name == "Mallory") == (5, False)


def test_typing(widget: Channel, monkeypatch: Any):
    monkeypatch.setattr(pace, "TYPING", TWICE)
    guest = admit(widget)
    chat = guest.start(widget, "Hola").json()["id"]
    answers = [guest.post(f"chats/{chat}/typing") for _ in range(3)]
    assert [answer.status_code for answer in answers] == [204, 204, 429]
    assert guest.write(chat, "Words still go").status_code == 201


def test_a_token_is_no_way_round(widget: Channel, monkeypatch: Any):
    """Renewed, it is the same guest, who has had their share."""
    guest = admit(widget)
    chat = guest.start(widget).json()["id"]
    monkeypatch.setattr(pace, "MESSAGES", TWICE)
    for _ in range(2):
        assert guest.write(chat, "Hola").status_code == 201
    renewed = Guest(guest.post(f"widgets/{widget.slug}/visitors").json()["token"])
    assert is_too_many(renewed.write(chat, "Hola"))
