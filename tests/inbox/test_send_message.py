"""A member writes: once per client id, by role, inside the window, and not past what just arrived."""

from uuid import uuid4

import pytest

from config.errors import Forbidden, NotFound
from config.live.events import events_after, head
from crm.actors import ApiKey
from crm.roles import Action
from inbox import topics
from inbox.errors import BodyTooLong, ChannelCannotSend, ClientIdReused, ConversationChanged, WindowClosed
from inbox.models import Conversation, Message
from inbox.services.conversations import set_status
from inbox.services.messages import send_message
from inbox.states import ChannelKind, ConversationStatus
from jobs.models import Job
from tests.cast import long_ago, make_channel, receive, sender


def reply(cast, conversation, body="Sí, claro", *, who=None, **given):
    given = {"client_id": uuid4(), **given}
    return send_message(actor=cast.actor(who or cast.ben), conversation_id=conversation.pk, body=body, **given)


def test_a_reply_is_queued_in_the_outbox(cast):
    conversation = receive(cast)
    message, created = reply(cast, conversation)

    assert created
    assert (message.status, message.direction, message.sender_user) == ("queued", "out", cast.ben)
    job = Job.objects.get(key=f"send:{message.pk}:0")
    assert job.lane == conversation.lane
    conversation.refresh_from_db()
    assert conversation.last_message == message
    assert conversation.waiting_since is None


def test_the_same_client_id_is_the_same_message(cast):
    conversation, client_id = receive(cast), uuid4()
    first, created = reply(cast, conversation, client_id=client_id)
    second, created_again = reply(cast, conversation, client_id=client_id)
    assert (created, created_again) == (True, False)
    assert first.pk == second.pk
    assert Job.objects.filter(key__startswith=f"send:{first.pk}").count() == 1


def test_eight_clicks_at_once_send_one_message(cast, at_once):
    conversation, client_id = receive(cast), uuid4()
    results = at_once(lambda: reply(cast, conversation, client_id=client_id), 8)
    assert [result for result in results if isinstance(result, Exception)] == []
    assert sum(created for _, created in results) == 1
    assert Message.objects.filter(client_id=client_id).count() == 1


def test_one_client_id_in_two_conversations_at_once_is_refused_in_one(cast, at_once):
    one, two, client_id = receive(cast), receive(cast), uuid4()
    results = at_once(
        [
            lambda: reply(cast, one, client_id=client_id),
            lambda: reply(cast, two, client_id=client_id),
        ]
    )
    assert sum(isinstance(result, ClientIdReused) for result in results) == 1
    assert Message.objects.filter(client_id=client_id).count() == 1


def test_a_client_id_used_for_something_else_is_refused(cast):
    conversation, client_id = receive(cast), uuid4()
    reply(cast, conversation, client_id=client_id)
    with pytest.raises(ClientIdReused):
        reply(cast, conversation, "Otra cosa", client_id=client_id)
    with pytest.raises(ClientIdReused):
        reply(cast, conversation, client_id=client_id, who=cast.bea)
    with pytest.raises(ClientIdReused):
        reply(cast, receive(cast), client_id=client_id)


def test_a_viewer_reads_but_does_not_write(cast):
    conversation = receive(cast)
    with pytest.raises(Forbidden):
        reply(cast, conversation, who=cast.vic)
    with pytest.raises(Forbidden):
        reply(cast, conversation, who=cast.vic, note=True)


@pytest.mark.parametrize("name", ["tia", "cleo"])
def test_who_has_no_inbox_here_cannot_tell_whether_the_conversation_exists(cast, name):
    user = getattr(cast, name)
    workspace = cast.elsewhere if name == "cleo" else cast.workspace
    conversation = receive(cast)
    with pytest.raises(NotFound):
        send_message(
            actor=cast.actor(user, workspace), conversation_id=conversation.pk, client_id=uuid4(), body="Hallo"
        )


def test_a_closed_window_refuses_text_but_takes_notes(cast):
    conversation = receive(cast, at=long_ago(hours=25))
    with pytest.raises(WindowClosed):
        reply(cast, conversation)
    note, _ = reply(cast, conversation, "Call her instead", note=True)
    assert (note.direction, note.status) == ("note", "received")
    assert not Job.objects.filter(key__startswith=f"send:{note.pk}").exists()


def test_a_note_neither_leaves_nor_ends_the_waiting(cast):
    conversation = receive(cast)
    reply(cast, conversation, "Prefers mornings", note=True)
    conversation.refresh_from_db()
    assert conversation.waiting_since is not None
    assert conversation.last_message.body == "Hola"


def test_what_a_program_sends_leaves_the_customer_waiting_for_a_person(cast):
    conversation = receive(cast)
    since, ids = conversation.waiting_since, (uuid4(), cast.workspace.pk, cast.workspace.slug)
    program = ApiKey(*ids, "Helper", frozenset({Action.READ_INBOX, Action.REPLY}), cast.ben.pk)

    def stands():
        conversation.refresh_from_db()
        return conversation.waiting_since, conversation.last_message.body, conversation.first_reply_at is not None

    soon = "A person will answer soon"
    send_message(actor=program, conversation_id=conversation.pk, client_id=uuid4(), body=soon)
    assert stands() == (since, soon, False)
    for status in (ConversationStatus.RESOLVED, ConversationStatus.OPEN):  # by hand, and by mistake
        set_status(actor=cast.actor(cast.ben), conversation_id=conversation.pk, status=status)
    assert stands()[0] == since
    reply(cast, conversation, "Here I am")
    assert stands() == (None, "Here I am", True)


def test_text_longer_than_the_channel_takes_is_refused(cast):
    with pytest.raises(BodyTooLong):
        reply(cast, receive(cast), "x" * 4097)


def test_a_channel_that_cannot_send_says_so(cast):
    channel = make_channel(cast.workspace, ChannelKind.WIDGET)
    channel.is_active = False
    channel.save()
    with pytest.raises(ChannelCannotSend):
        reply(cast, receive(cast, channel=channel))


def test_what_arrived_since_stops_the_reply_once(cast):
    who = sender()
    conversation = receive(cast, who=who)
    seen = head(topics.conversation(conversation.pk))
    receive(cast, "Espera, no", who=who)

    with pytest.raises(ConversationChanged) as stopped:
        reply(cast, conversation, seen_seq=seen)
    assert [message["body"] for message in stopped.value.data["arrived"]] == ["Espera, no"]
    assert not Message.objects.filter(conversation=conversation, direction="out").exists()
    _, created = reply(cast, conversation, seen_seq=seen, force=True)
    assert created


def test_a_colleagues_reply_stops_mine_but_my_own_does_not(cast):
    conversation = receive(cast)
    seen = head(topics.conversation(conversation.pk))
    reply(cast, conversation, "Von mir", seen_seq=seen)
    reply(cast, conversation, "Noch eins", seen_seq=seen)
    with pytest.raises(ConversationChanged):
        reply(cast, conversation, "Und ich", seen_seq=seen, who=cast.bea)


def test_the_thread_hears_the_message_and_the_list_its_row(cast):
    conversation = receive(cast)
    thread, inbox = topics.conversation(conversation.pk), topics.inbox(cast.workspace.slug)
    thread_seq, inbox_seq = head(thread), head(inbox)
    message, _ = reply(cast, conversation)
    assert [event.type for event in events_after(thread, thread_seq)] == ["message.created", "conversation.updated"]
    (row,) = events_after(inbox, inbox_seq)
    assert row.data["last_message"]["id"] == str(message.pk)
    assert not {"unread_count", "seen_count", "allowed_actions"} & set(row.data)
    assert Conversation.objects.get(pk=conversation.pk).last_message_id == message.pk
