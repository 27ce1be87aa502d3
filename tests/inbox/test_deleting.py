"""Taking a message or a note out of the thread, and putting it back."""

from uuid import uuid4

from config.live.events import events_after, head
from inbox import topics
from inbox.models import Conversation, Message
from tests.cast import receive


def note(desk, conversation, body="hm") -> str:
    body = {"client_id": str(uuid4()), "type": "text", "body": body, "direction": "note"}
    return desk.post(f"conversations/{conversation.pk}/messages/", body).json()["id"]


def at(conversation, message, what="") -> str:
    return f"conversations/{conversation.pk}/messages/{message}/{what}"


def test_a_note_goes_and_comes_back(cast, desk):
    conversation = receive(cast)
    message = note(desk.ben, conversation)
    seq = head(topics.conversation(conversation.pk))
    assert desk.ben.delete(at(conversation, message)).status_code == 204
    (told, _) = events_after(topics.conversation(conversation.pk), seq)
    assert told.data == {"id": message, "deleted": True}
    assert desk.bea.post(at(conversation, message, "restore")).status_code == 403
    assert desk.ben.post(at(conversation, message, "restore")).json()["body"] == "hm"
    assert Message.objects.get(pk=message).deleted_at is None


def test_a_customers_message_leaves_the_counts_as_they_were_after_its_return(cast, desk):
    conversation = receive(cast)
    before = Conversation.objects.filter(pk=conversation.pk).values("inbound_count", "waiting_since", "last_message")
    was, message = before.get(), conversation.last_message_id
    assert desk.ben.delete(at(conversation, message)).status_code == 403
    assert desk.ada.delete(at(conversation, message)).status_code == 204
    assert dict(before.get()) == {"inbound_count": 0, "waiting_since": None, "last_message": None}
    assert desk.ada.post(at(conversation, message, "restore")).status_code == 200
    assert before.get() == was


def test_who_had_read_to_the_end_hears_that_what_came_back_is_read_too(cast, desk):
    conversation = receive(cast)
    message = conversation.last_message_id
    for reader in (desk.ben, desk.ada):
        assert reader.post(f"conversations/{conversation.pk}/read", {}).status_code == 200
    assert desk.ada.delete(at(conversation, message)).status_code == 204
    topic = topics.user(cast.ben.pk)
    seq = head(topic)
    assert desk.ada.post(at(conversation, message, "restore")).status_code == 200
    (told,) = events_after(topic, seq)
    assert (told.type, told.data) == ("conversation.read", {"id": str(conversation.pk), "seen_count": 1})
    assert desk.ben.get(f"conversations/{conversation.pk}/").json()["unread_count"] == 0


def test_who_may_not_is_refused(cast, desk):
    conversation = receive(cast)
    message = note(desk.ben, conversation)
    assert desk.vic.delete(at(conversation, message)).status_code == 403
    assert desk.cleo.delete(at(conversation, message)).status_code == 404
    assert desk.bea.delete(at(conversation, message)).status_code == 403
