"""Old snapshot plus its events is the fresh snapshot, for the list and for a thread."""

from typing import Any
from uuid import uuid4

import orjson

from config.live.events import events_after
from config.renderers import JSONRenderer
from inbox import queries
from inbox.answers import list_answer, thread_answer
from inbox.narrowing import ListFilter
from inbox.services import outbox
from inbox.services.conversations import assign_conversation, set_status
from inbox.services.messages import send_message
from inbox.states import ConversationStatus, MessageStatus
from tests.cast import long_ago, receive, sender

READER = ("unread_count", "seen_count", "allowed_actions")


def plain(value: Any) -> Any:
    return orjson.loads(JSONRenderer().render(value))


def test_the_list_and_the_thread_can_be_replayed(cast):
    ben, who = cast.actor(cast.ben), sender()
    conversation = receive(cast, who=who)
    receive(cast, "somebody else")
    old_list = plain(list_answer(ben, ListFilter(), given={}))
    old_thread = plain(thread_answer(ben, conversation.pk))

    message, _ = send_message(actor=ben, conversation_id=conversation.pk, client_id=uuid4(), body="Ja")
    send_message(actor=ben, conversation_id=conversation.pk, client_id=uuid4(), body="leise", note=True)
    outbox.begin(message_id=message.pk, attempt=0)
    outbox.mark_accepted(message_id=message.pk, attempt=0, provider_id="wamid.replay")
    outbox.record_receipt(
        workspace_id=cast.workspace.pk,
        channel_id=cast.channel.pk,
        receipt=outbox.Receipt("wamid.replay", MessageStatus.READ, long_ago(seconds=1)),
    )
    assign_conversation(actor=ben, conversation_id=conversation.pk, assignee_id=cast.bea.pk)
    receive(cast, "gracias", who=who)
    receive(cast, "new here")
    set_status(actor=ben, conversation_id=conversation.pk, status=ConversationStatus.PENDING)

    fresh_list = plain(list_answer(ben, ListFilter(), given={}))
    fresh_thread = plain(thread_answer(ben, conversation.pk))
    assert replayed(old_list) == rows(fresh_list)
    assert replayed(old_thread) == rows(fresh_thread)
    assert fresh_list["live"]["seq"] > old_list["live"]["seq"]


def rows(answer: dict[str, Any]) -> dict[str, Any]:
    return {row["id"]: {key: value for key, value in row.items() if key not in READER} for row in answer["results"]}


def replayed(answer: dict[str, Any]) -> dict[str, Any]:
    state = rows(answer)
    kinds = "conversation." if answer["live"]["topic"].startswith("inbox.") else "message."
    for event in events_after(answer["live"]["topic"], answer["live"]["seq"]):
        if event.type.startswith(kinds):
            state[event.data["id"]] = event.data
            state[event.data["id"]] = event.data  # twice is harmless
    return state


def test_the_number_is_read_before_the_state(cast):
    """What happens between the two is in both, never in neither."""
    conversation = receive(cast)
    answer = queries.get_conversation(cast.actor(cast.ben), conversation.pk)
    assert answer["live"] == {"topic": f"conversation.{conversation.pk}", "seq": 1}
