"""Who a visitor is: by the site's signature, never by what a browser says of itself."""

import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from crm.models import Contact, ContactIdentity
from inbox.models import Attachment, Channel, Conversation, Message, Visitor
from inbox.services.archiving import transcript
from inbox.services.chats import mailing
from inbox.services.chats.visitors import prune_visitors
from jobs.models import Job
from tests.cast import Cast, unique
from tests.inbox.test_chats import Guest, admit, make_widget, reply
from tests.inbox.vouching import SECRET, post, signed
from tests.jobs_at_hand import run_job


@pytest.fixture
def widget(vouching_widget: Channel) -> Channel:
    return vouching_widget


def test_what_somebody_wrote_as_nobody_comes_along(cast: Cast, widget: Channel):
    known = Contact.objects.create(workspace=cast.workspace, name="Lucía", email=f"{unique('lucia')}@shop.example")
    ContactIdentity.objects.create(workspace=cast.workspace, contact=known, kind="email", value=known.email)
    nobody = admit(widget)
    chat = nobody.start(widget, "Hola").json()["id"]
    answer = post(widget, {"identity": signed(email=known.email)}, nobody.token)
    assert (answer.status_code, answer.json()["identified"]) == (201, True)
    lucia = Guest(answer.json()["token"])
    assert Conversation.objects.get(pk=chat).contact_id == known.pk
    assert lucia.get(f"chats/{chat}/messages").json()["results"][0]["body"] == "Hola"
    assert lucia.get("chats/").json()["results"][0]["last_message"]["sender"]["name"] == "Lucía"


def test_history_is_there_on_another_browser_and_one_open_chat_for_both(widget: Channel):
    first = Guest(post(widget, {"identity": signed()}).json()["token"])
    chat = first.start(widget, "Hola").json()["id"]
    second = Guest(post(widget, {"identity": signed()}).json()["token"])
    assert [row["id"] for row in second.get("chats/").json()["results"]] == [chat]
    assert second.start(widget, "Otra vez").json()["id"] == chat
    assert Visitor.objects.filter(channel=widget).count() == 2


def test_two_open_chats_become_one_when_somebody_turns_out_to_be_known(widget: Channel):
    known = Guest(post(widget, {"identity": signed()}).json()["token"])
    first = known.start(widget, "Hola").json()["id"]
    other = admit(widget)
    other.start(widget, "Soy yo")
    joined = Guest(post(widget, {"identity": signed()}, other.token).json()["token"])
    assert [row["id"] for row in joined.get("chats/").json()["results"]] == [first]
    bodies = [row["body"] for row in joined.get(f"chats/{first}/messages").json()["results"]]
    assert bodies == ["Soy yo", "Hola"]


def test_somebody_else_at_the_same_browser_reads_nothing(widget: Channel):
    first = post(widget, {"identity": signed("42")}).json()["token"]
    chat = Guest(first).start(widget, "Hola").json()["id"]
    for body in ({"identity": signed("43")}, {}):
        other = Guest(post(widget, body, first).json()["token"])
        assert other.get(f"chats/{chat}/").status_code == 404


def test_what_a_browser_says_of_itself_leads_to_nobody_else(cast: Cast, widget: Channel):
    address = f"{unique('lucia')}@shop.example"
    known = Contact.objects.create(workspace=cast.workspace, name="Lucía", email=address)
    ContactIdentity.objects.create(workspace=cast.workspace, contact=known, kind="email", value=address)
    chat = admit(widget, name="Lucía", email=address).start(widget, "Hola").json()["id"]
    assert Conversation.objects.get(pk=chat).contact_id != known.pk


@pytest.mark.parametrize(
    "token",
    [
        signed(secret="another-secret-that-is-long-enough-0123456789"),
        signed(exp=int(time.time()) - 120),
        signed(exp=int(time.time()) + 10 * 86_400),
        jwt.encode({"sub": "42", "exp": 2_000_000_000}, "", algorithm="none"),
        jwt.encode({"sub": "42"}, SECRET, algorithm="HS256"),
        jwt.encode({"exp": 2_000_000_000}, SECRET, algorithm="HS256"),
        "nonsense",
    ],
    ids=["forged", "over", "for-years", "unsigned", "endless", "nobody", "nonsense"],
)
def test_a_word_that_cannot_be_trusted_is_refused_and_leaves_nothing(widget: Channel, token: str):
    answer = post(widget, {"identity": token})
    assert (answer.status_code, answer.json()["code"]) == (401, "identity_refused")
    assert not Visitor.objects.filter(channel=widget).exists()


@pytest.mark.parametrize(
    "about",
    [
        {"answers": {"\x00": "A"}},
        {"answers": {"A": "\x00"}},
        {"answers": {str(number): "A" for number in range(11)}},
        {"answers": {"A" * 41: "A"}},
        {"answers": {"A": {"B": "C"}}},
        {"answers": ["A"]},
        {"name": "\x00"},
        {"name": "A" * 201},
        {"email": "nobody"},
        {"language": "<script>"},
    ],
    ids=lambda about: next(iter(about)),
)
def test_what_a_browser_says_of_itself_has_a_form(widget: Channel, about: dict[str, Any]):
    assert post(widget, about).status_code == 400
    assert not Visitor.objects.filter(channel=widget).exists()
    guest = admit(widget)
    assert guest.patch(f"widgets/{widget.slug}/visitor", about).status_code == 400


def test_without_a_secret_no_identity_is_taken(cast: Cast):
    channel = make_widget(cast)
    assert post(channel, {"identity": signed()}).json()["code"] == "identity_refused"


def test_bots_pay_with_a_sum_once(cast: Cast):
    import hashlib

    channel = make_widget(cast, proof_bits=8)
    refused = post(channel, {})
    assert refused.json()["code"] == "proof_needed"
    challenge = refused.json()["proof"]
    answer = next(
        str(number) for number in range(100_000) if hashlib.sha256(f"{challenge}:{number}".encode()).digest()[0] == 0
    )
    solved = {"proof": challenge, "proof_answer": answer}
    assert post(channel, {**solved, "proof_answer": "x"}).json()["code"] == "proof_needed"
    assert post(channel, solved).status_code == 201
    assert post(channel, solved).status_code == 429
    assert post(make_widget(cast, proof_bits=8), solved).json()["code"] == "proof_needed"


# --- Files and mail ---------------------------------------------------------------------------------------------------


def test_a_file_is_kept_with_its_message_and_shown_to_nobody_else(cast: Cast, widget: Channel):
    guest = admit(widget)
    chat, client_id = guest.start(widget).json()["id"], str(uuid4())
    sent = guest.send_files(chat, "Mira", SimpleUploadedFile("a.txt", b"plain words"), client_id=client_id)
    assert sent.status_code == 201
    file = sent.json()["attachments"][0]
    assert (file["name"], file["size"], file["state"]) == ("a.txt", 11, "stored")
    again = guest.send_files(chat, "Mira", SimpleUploadedFile("a.txt", b"plain words"), client_id=client_id)
    assert (again.status_code, again.json()["id"]) == (200, sent.json()["id"])
    path = file["url"].removeprefix("/api/v1/")
    assert guest.get(path).status_code == 302
    assert admit(widget).get(path).status_code == 404
    assert Attachment.objects.filter(message__conversation_id=chat).count() == 1


@pytest.mark.parametrize("content", [b"MZ\x90\x00", b"<html><script>", b""], ids=["program", "page", "empty"])
def test_a_file_that_could_harm_is_refused_and_nothing_is_kept(widget: Channel, content: bytes):
    guest = admit(widget)
    chat = guest.start(widget).json()["id"]
    assert guest.send_files(chat, "x", SimpleUploadedFile("a.txt", content)).status_code == 400
    assert not Message.objects.filter(conversation_id=chat).exists()


def test_a_transcript_goes_to_ones_own_address_without_notes(cast: Cast, widget: Channel, settings: Any):
    settings.EMAIL_URL = "smtp://mail.example"
    guest = admit(widget, name="Lucía")
    chat = guest.start(widget, "Hola").json()["id"]
    assert guest.post(f"chats/{chat}/transcript").status_code == 400
    address = f"{unique('lucia')}@shop.example"
    assert guest.patch(f"widgets/{widget.slug}/visitor", {"email": address}).status_code == 204
    reply(cast, chat, "PRIVATE", note=True)
    reply(cast, chat, "Sí, claro")
    assert guest.send_files(chat, "", SimpleUploadedFile("curso.txt", b"plain words")).status_code == 201
    assert guest.post(f"chats/{chat}/transcript", {"client_id": str(uuid4())}).status_code == 202
    run_job(Job.objects.get(type="inbox.mail_transcript", payload__conversation_id=chat).pk)
    letter = next(letter for letter in mail.outbox if letter.to == [address])
    assert "Hola" in letter.body
    assert "Sí, claro" in letter.body
    assert "[file: curso.txt]" in letter.body
    assert "PRIVATE" not in letter.body


def test_what_was_not_read_follows_by_mail_where_the_channel_wants_it(cast: Cast, settings: Any):
    settings.EMAIL_URL = "smtp://mail.example"
    channel, address = make_widget(cast, continue_by_email=True), f"{unique('lucia')}@shop.example"
    guest = admit(channel, email=address)
    chat = guest.start(channel, "Hola").json()["id"]
    answer = reply(cast, chat, "Sí, claro")
    job = Job.objects.get(type="inbox.mail_unread", payload__conversation_id=chat)
    assert mailing.mail_unread(conversation_id=answer.conversation_id, first=answer.pk) == {"mailed": "yes"}
    assert any(letter.to == [address] and "Sí, claro" in letter.body for letter in mail.outbox)
    guest.post(f"chats/{chat}/read")
    assert mailing.mail_unread(conversation_id=answer.conversation_id, first=answer.pk) == {"mailed": "no"}
    assert job.status == "pending"


def test_who_left_long_ago_is_forgotten_and_what_they_wrote_stays(cast: Cast, widget: Channel):
    old, gone, silent, fresh, current = (admit(widget, name=f"Lucía {place}") for place in range(5))
    chats = [guest.start(widget, "Hola").json()["id"] for guest in (old, gone, current)]
    now, rows = timezone.now(), list(Visitor.objects.filter(channel=widget).order_by("pk"))
    Visitor.objects.filter(pk=rows[0].pk).update(expires_at=now - timedelta(seconds=1))
    Visitor.objects.filter(pk=rows[1].pk).update(revoked_at=now - timedelta(seconds=1))
    Visitor.objects.filter(pk=rows[2].pk).update(last_seen_at=now - timedelta(days=31))
    while prune_visitors():
        pass
    assert set(Visitor.objects.filter(channel=widget)) == {rows[3], rows[4]}
    assert silent.get("chats/").status_code == 401
    assert (fresh.get("chats/").status_code, current.get("chats/").status_code) == (200, 200)
    assert Conversation.objects.filter(pk__in=chats, inbound_count=1).count() == 3


def test_a_chat_that_its_customer_ends_goes_back_to_the_old_system(cast: Cast, widget: Channel, settings: Any):
    settings.SUPABASE_URL, settings.SUPABASE_SECRET_KEY = "https://old.supabase.example", "secret"
    cast.workspace.settings = {"archive": {"transcripts": "archived_transcripts"}}
    cast.workspace.save()
    guest = admit(widget)
    chat = guest.start(widget, "Hola").json()["id"]
    guest.send_files(chat, "", SimpleUploadedFile("curso.txt", b"plain words"))
    guest.post(f"chats/{chat}/end")
    job = Job.objects.get(type="inbox.archive_conversation", payload__conversation_id=chat)
    assert job.status == "pending"
    sent = transcript(Conversation.objects.get(pk=chat))["messages"]
    assert [(line["body"], [file["name"] for file in line["attachments"]]) for line in sent] == [
        ("Hola", []),
        ("", ["curso.txt"]),
    ]
