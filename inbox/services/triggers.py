"""What sets rules off. Rules themselves run in a job of their own, so that neither a customer's message nor an agent's
click waits for them; where no rule waits for it, nothing is queued."""

from collections.abc import Iterable
from uuid import UUID

from crm.ids import uuid7
from inbox.models import Conversation, Message, Rule
from inbox.states import RuleEvent
from jobs.compiled import Compiled
from jobs.queue import enqueue

APPLY = "inbox.apply_rules"
_OF_CHANGES = {
    "assignee_id": RuleEvent.ASSIGNEE,
    "team_id": RuleEvent.TEAM,
    "status": RuleEvent.STATUS,
    "priority": RuleEvent.PRIORITY,
    "labels": RuleEvent.LABELS,
}
# Asked with every message.
_WAITED_FOR = Compiled(
    lambda workspace: Rule.objects.filter(workspace_id=workspace, is_on=True).values_list("event", flat=True), UUID
)


def waited_for(workspace_id: UUID) -> frozenset[str]:
    return frozenset(event for (event,) in _WAITED_FOR.tuples(workspace_id))


def customer_wrote(conversation: Conversation, message: Message, *, opened: bool, came_back: bool) -> None:
    """Inside the unit of work that keeps the message. A blocked contact and spam set nothing off."""
    if conversation.spam_at is not None or message.type == "reaction":
        return
    events = {RuleEvent.WROTE}
    if opened:
        events.add(RuleEvent.BEGUN)
    if came_back:
        events.add(RuleEvent.CAME_BACK)
    heard = events & waited_for(conversation.workspace_id)
    _enqueue(conversation, heard, key=f"rules:{message.pk}", message_id=message.pk)


def changed(conversation: Conversation, names: Iterable[str], waited: frozenset[str]) -> None:
    """Inside the unit of work that changes it; `names` are those of `Wanted`."""
    if conversation.spam_at is None:
        heard = {_OF_CHANGES[name] for name in names if name in _OF_CHANGES} & waited
        _enqueue(conversation, heard, key=f"rules:{conversation.pk}:{uuid7()}")


def _enqueue(conversation: Conversation, events: Iterable[str], *, key: str, message_id: UUID | None = None) -> None:
    if not events:
        return
    enqueue(
        APPLY,
        key=key,
        lane=f"rules:{conversation.pk}",
        workspace_id=conversation.workspace_id,
        payload={
            "conversation_id": str(conversation.pk),
            "message_id": str(message_id) if message_id else None,
            "events": sorted(str(event) for event in events),
        },
    )
