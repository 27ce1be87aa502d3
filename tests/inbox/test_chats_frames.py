"""What goes over the line to a customer, byte for byte: nothing that is only ours, and nothing at all when only we did
something."""

from typing import Any
from uuid import uuid4

import pytest

from config.live.events import events_after, head
from config.live.identity import authenticator
from config.live.topics import kind_of, may_listen
from crm.identity import socket as sockets
from inbox import topics
from inbox.chats import tokens
from inbox.models import Channel, Conversation, Label, Message
from inbox.services.conversations import assign_conversation, mark_read, set_status
from inbox.services.messages import send_message
from inbox.states import ConversationStatus
from tests.cast import Cast
from tests.inbox.test_chats import Guest, admit, make_widget, reply


@pytest.fixture(autouse=True)
def _own_issuer(settings: Any) -> None:
    settings.SUPABASE_URL = ""


@pytest.fixture
def widget(cast: Cast) -> Channel:
    return make_widget(cast)


@pytest.fixture
def guest(widget: Channel) -> Guest:
    return admit(widget, name="Lucía Pérez")


def frames(chat: str, after: int = 0) -> list[tuple[str, dict[str, Any]]]:
    return [(event.type, event.data) for event in events_after(f"chat.{chat}", after)]


def test_the_frames_of_a_whole_chat_are_these_and_no_others(cast: Cast, widget: Channel, guest: Guest):
    cast.ben.name = "Benjamin Secretname"
    cast.ben.save()
    agent = cast.actor(cast.ben)
    chat = guest.start(widget, "Hola").json()["id"]
    secrets = ["PRIVATE-NOTE", "SECOND-NOTE", "Secretname", "Internal label", str(cast.ben.pk), str(cast.ada.pk)]
    secrets += [cast.ben.email, str(cast.workspace.pk), cast.workspace.slug]
    send_message(actor=agent, conversation_id=chat, client_id=uuid4(), body="PRIVATE-NOTE", note=True)
    assign_conversation(actor=agent, conversation_id=chat, assignee_id=cast.ben.pk)
    answer = reply(cast, chat, "Sí, claro")
    send_message(actor=agent, conversation_id=chat, client_id=uuid4(), body="SECOND-NOTE", note=True)
    mark_read(actor=agent, conversation_id=chat)
    guest.post(f"chats/{chat}/read")
    set_status(actor=agent, conversation_id=chat, status=ConversationStatus.RESOLVED)
    own = Message.objects.get(conversation_id=chat, body="Hola")
    told = frames(chat)
    channel = {"slug": widget.slug, "name": "Reception"}
    lucia = {"kind": "contact", "id": None, "name": "Lucía Pérez"}
    ben = {"kind": "member", "id": None, "name": "Benjamin"}
    created_at = told[0][1]["created_at"]

    def line(message: Message, sender: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": str(message.pk),
            "direction": message.direction,
            "type": "text",
            "body": message.body,
            "sender": sender,
            "created_at": stamp(message),
        }

    def whole(**changed: Any) -> dict[str, Any]:
        plain = {
            "id": chat,
            "channel": channel,
            "scope": "support",
            "status": "open",
            "state": "waiting",
            "agent": None,
            "seen_up_to": None,
            "last_message": line(own, lucia),
            "rating": None,
            "created_at": created_at,
        }
        return plain | changed

    def full(message: Message, sender: dict[str, Any], status: str) -> dict[str, Any]:
        return {
            "id": str(message.pk),
            "conversation": chat,
            "client_id": str(message.client_id) if message.direction == "in" else None,
            "provider_id": "",
            "direction": message.direction,
            "sender": sender,
            "type": "text",
            "body": message.body,
            "attachments": [],
            "reply_to": None,
            "status": status,
            "error": None,
            "created_at": stamp(message),
        }

    active = {"state": "active", "agent": {"name": "Benjamin"}}
    after = {**active, "last_message": line(answer, ben), "seen_up_to": str(own.pk)}
    assert told == [
        ("conversation.updated", whole()),
        ("message.created", full(own, lucia, "received")),
        ("conversation.updated", whole(**active)),
        ("message.created", full(answer, ben, "sent")),
        ("conversation.updated", whole(**after)),
        ("message.updated", full(answer, ben, "read")),
        ("conversation.updated", whole(**after | {"state": "ended", "status": "resolved"})),
    ]
    raw = " ".join(str(one) for one in told)
    assert [secret for secret in secrets if secret in raw] == []


def stamp(message: Message) -> str:
    return message.created_at.isoformat().replace("+00:00", "Z")


@pytest.mark.parametrize("doing", ["note", "label", "priority", "pending", "reassign", "mine"])
def test_what_only_we_do_is_not_even_to_be_noticed(cast: Cast, widget: Channel, guest: Guest, doing: str):
    """No frame, and no byte of what REST answers, changes."""
    from inbox.events import announce_conversation
    from inbox.queries import with_lines

    agent = cast.actor(cast.ben)
    chat = guest.start(widget, "Hola").json()["id"]
    if doing == "reassign":  # both of them are called Ben
        cast.bea.name = "Ben Other"
        cast.bea.save()
    if doing in {"reassign", "mine"}:
        assign_conversation(actor=agent, conversation_id=chat, assignee_id=cast.ben.pk)
    before = head(topics.chat(chat))
    seen = [guest.get(f"chats/{chat}/{part}").content for part in ("", "messages")]
    listed = guest.get("chats/").content
    if doing == "note":
        send_message(actor=agent, conversation_id=chat, client_id=uuid4(), body="PRIVATE", note=True)
    elif doing == "pending":
        set_status(actor=agent, conversation_id=chat, status=ConversationStatus.PENDING)
    elif doing == "reassign":
        assign_conversation(actor=agent, conversation_id=chat, assignee_id=cast.bea.pk)
    else:
        from config.live.unit import unit_of_work

        with unit_of_work():
            row = with_lines(Conversation.objects.select_related("channel__workspace")).get(pk=chat)
            if doing == "label":
                row.labels.add(
                    Label.objects.create(workspace=cast.workspace, name="Internal label"),
                    through_defaults={"workspace_id": cast.workspace.pk},
                )
            else:
                row.priority = "urgent"
                row.save()
            announce_conversation(row)
    assert head(topics.chat(chat)) == before
    assert [guest.get(f"chats/{chat}/{part}").content for part in ("", "messages")] == seen
    assert guest.get("chats/").content == listed


def test_only_those_who_take_part_may_listen(cast: Cast, widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    visitor = authenticator.from_bearer(guest.token)
    assert may_listen(visitor, f"chat.{chat}")
    assert not may_listen(visitor, f"chat.{chat}".upper())
    for topic in (
        f"conversation.{chat}",
        f"inbox.{cast.workspace.slug}",
        f"workspace.{cast.workspace.slug}",
        f"presence.conversation.{chat}",
        f"presence.workspace.{cast.workspace.slug}",
        f"user.{visitor.actor.visitor_id}",
        f"contact.{Conversation.objects.get(pk=chat).contact_id}",
    ):
        assert not may_listen(visitor, topic), topic
    assert not may_listen(authenticator.from_bearer(admit(widget).token), f"chat.{chat}")
    assert not may_listen(sockets._person(cast.ben, None, None), f"chat.{chat}")
    assert not may_listen(None, f"chat.{chat}")


def test_a_socket_ends_with_its_token(widget: Channel, guest: Guest):
    identity = authenticator.from_bearer(guest.token)
    assert authenticator.reload(identity) == identity
    guest.delete(f"widgets/{widget.slug}/visitor")
    assert authenticator.reload(identity) is None
    assert identity.subject == tokens.subject_of(identity.actor.visitor_id)


def test_a_socket_ends_when_its_token_is_replaced(widget: Channel, guest: Guest):
    identity = authenticator.from_bearer(guest.token)
    guest.post(f"widgets/{widget.slug}/visitors")
    assert authenticator.reload(identity) is None


def test_typing_gets_across_without_saying_who_we_are(cast: Cast, widget: Channel, guest: Guest):
    chat = guest.start(widget, "Hola").json()["id"]
    cast.ben.name = "Benjamin Secretname"
    ours, theirs = kind_of(f"conversation.{chat}"), kind_of(f"chat.{chat}")
    assert ours
    assert ours.relay
    assert theirs
    assert theirs.relay
    agent = sockets._person(cast.ben, None, None)
    said = {"typing": True, "note": "secret", "user": {"id": str(cast.ben.pk), "name": "Benjamin Secretname"}}
    assert ours.relay(agent, chat, "typing", said) == (
        f"chat.{chat}",
        {"typing": True, "user": {"id": None, "name": "Benjamin"}},
    )
    visitor = authenticator.from_bearer(guest.token)
    data = {"typing": True, **authenticator.describe(visitor)}
    topic, shown = theirs.relay(visitor, chat, "typing", data)  # type: ignore[misc]
    assert topic == f"conversation.{chat}"
    assert shown["user"]["name"] == "Lucía Pérez"
