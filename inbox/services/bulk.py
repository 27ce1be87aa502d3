"""One action on up to 500 conversations, and its taking back for half a minute."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID

from django.core import signing
from django.db import transaction
from django.utils import timezone

from config.errors import DomainError, Invalid, Said
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Caller, Member
from crm.roles import Action
from inbox import queries
from inbox.access import visible_conversations
from inbox.models import Conversation
from inbox.narrowing import ListFilter
from inbox.queries import with_lines
from inbox.services.amending import Amended, Known, Wanted, amend, check_may
from inbox.services.conversations import mark_read, mark_unread
from inbox.states import ConversationStatus

MOST = 500
# Of one transaction: nobody who writes in one of them waits for all the others.
AT_ONCE = 50
UNDO_SECONDS = 30
SALT = "inbox.bulk"


class Gone(DomainError):
    code = "undo_over"
    status = 410
    message = "It can no longer be undone."


class ItemPayload(TypedDict):
    id: UUID
    result: str  # changed, unchanged or refused
    code: str | None
    message: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """What is to be done with each: one of the fields of a conversation, or labels more or fewer, or reading."""

    wanted: Wanted
    add: frozenset[UUID] = frozenset()
    remove: frozenset[UUID] = frozenset()
    read: bool | None = None


@dataclass
class Done:
    items: list[ItemPayload]
    undo: str | None


def chosen(actor: Caller, wanted: ListFilter) -> list[UUID]:
    """The first 500 of a list, in its order."""
    found: list[UUID] = []
    cursor = None
    while len(found) < MOST:
        page = queries.list_conversations(actor, wanted, cursor=cursor, limit=min(200, MOST - len(found)))
        found += [row.pk for row in page.rows]
        cursor = page.next
        if cursor is None:
            break
    return found


def apply(*, actor: Caller, ids: Sequence[UUID], step: Step) -> Done:
    """Each for itself: what one is refused for stops no other. Locked in the order of ids, whoever else is at it."""
    check(actor, Action.READ_INBOX)
    check_may(actor, step.wanted)
    if step.add or step.remove:
        check(actor, Action.ASSIGN)
    wanted = sorted(set(ids))
    if len(wanted) > MOST:
        raise Invalid(errors={"ids": Said("At most {most} at once.", most=MOST)})
    items: dict[UUID, ItemPayload] = {}
    undo: list[list[Any]] = []
    for part in _parts(wanted):
        _apply_part(actor, part, step, items, undo)
    for pk in wanted:
        items.setdefault(pk, _item(pk, "refused", "not_found", "Not found."))
    return Done([items[pk] for pk in dict.fromkeys(ids)], _sealed(actor, undo))


def _parts(ids: list[UUID]) -> Iterator[list[UUID]]:
    for start in range(0, len(ids), AT_ONCE):
        yield ids[start : start + AT_ONCE]


@unit_of_work
def _apply_part(
    actor: Caller, ids: list[UUID], step: Step, items: dict[UUID, ItemPayload], undo: list[list[Any]]
) -> None:
    known = Known(actor.workspace_id)
    for conversation in _locked(actor, ids):
        try:
            with transaction.atomic():
                changed = _do(actor, conversation, step, known)
        except DomainError as refused:
            items[conversation.pk] = _item(conversation.pk, "refused", refused.code, str(refused))
            continue
        items[conversation.pk] = _item(conversation.pk, "changed" if changed else "unchanged")
        if changed and changed.after:
            undo.append([str(conversation.pk), changed.before, changed.after])


def _locked(actor: Caller, ids: list[UUID]) -> list[Conversation]:
    """Locked first and read then: what is joined to a row that was waited for would be of before."""
    rows = visible_conversations(actor).filter(pk__in=ids)
    held = list(rows.select_for_update(of=("self",), no_key=True).order_by("pk").values_list("pk", flat=True))
    shown = with_lines(visible_conversations(actor).select_related("channel__workspace")).filter(pk__in=held)
    return list(shown.order_by("pk"))


def _do(actor: Caller, conversation: Conversation, step: Step, known: Known) -> Amended | None:
    if step.read is not None and isinstance(actor, Member):
        (mark_read if step.read else mark_unread)(actor=actor, conversation_id=conversation.pk)
        return None
    wanted = step.wanted
    if step.add or step.remove:
        now = frozenset(row.pk for row in conversation.labels.all())
        wanted = {**wanted, "labels": (now | step.add) - step.remove}
    return amend(actor, conversation, wanted, known)


def _item(pk: UUID, result: str, code: str | None = None, message: str | None = None) -> ItemPayload:
    return {"id": pk, "result": result, "code": code, "message": message}


# --- Taking it back -------------------------------------------------------------------------------------------


def _sealed(actor: Caller, undo: list[list[Any]]) -> str | None:
    """What was before goes out with the answer, signed and packed: half a minute is not worth a row."""
    if not undo:
        return None
    return signing.dumps([str(_who(actor)), str(actor.workspace_id), undo], salt=SALT, compress=True)


def _who(actor: Caller) -> UUID:
    return actor.user_id if isinstance(actor, Member) else actor.key_id


def undo(*, actor: Caller, token: str) -> Done:
    """Only what still is as the action left it goes back; what somebody changed since stays as they have it."""
    try:
        who, workspace, rows = signing.loads(token, salt=SALT, max_age=UNDO_SECONDS)
    except signing.SignatureExpired:
        raise Gone from None
    except signing.BadSignature:
        raise Invalid(errors={"undo": "As the answer of the action gave it."}) from None
    if (who, workspace) != (str(_who(actor)), str(actor.workspace_id)):
        raise Gone
    before = {UUID(pk): (was, now) for pk, was, now in rows}
    items: dict[UUID, ItemPayload] = {}
    for part in _parts(sorted(before)):
        _undo_part(actor, part, before, items)
    return Done([items.get(pk, _item(pk, "refused", "not_found", "Not found.")) for pk in before], None)


@unit_of_work
def _undo_part(
    actor: Caller,
    ids: list[UUID],
    before: dict[UUID, tuple[dict[str, Any], dict[str, Any]]],
    items: dict[UUID, ItemPayload],
) -> None:
    known = Known(actor.workspace_id)
    for conversation in _locked(actor, ids):
        was, now = before[conversation.pk]
        wanted = _back(conversation, was, now)
        try:
            with transaction.atomic():
                changed = amend(actor, conversation, wanted, known)
        except DomainError as refused:
            items[conversation.pk] = _item(conversation.pk, "refused", refused.code, str(refused))
            continue
        items[conversation.pk] = _item(conversation.pk, "changed" if changed else "unchanged")


def _back(conversation: Conversation, was: dict[str, Any], now: dict[str, Any]) -> Wanted:
    wanted: Wanted = {}
    if "assignee_id" in now and str(conversation.assignee_id or "") == (now["assignee_id"] or ""):
        wanted["assignee_id"] = _uuid(was["assignee_id"])
    if "team_id" in now and str(conversation.team_id or "") == (now["team_id"] or ""):
        wanted["team_id"] = _uuid(was["team_id"])
    if "priority" in now and conversation.priority == now["priority"]:
        wanted["priority"] = was["priority"]
    if "is_spam" in now and (conversation.spam_at is not None) == now["is_spam"]:
        wanted["is_spam"] = was["is_spam"]
    if "labels" in now and {str(row.pk) for row in conversation.labels.all()} == set(now["labels"]):
        wanted["labels"] = frozenset(UUID(one) for one in was["labels"])
    if "status" in now and conversation.status == now["status"]:
        wanted["status"] = was["status"]
        until = datetime.fromisoformat(was["snoozed_until"]) if was.get("snoozed_until") else None
        if until is not None and until <= timezone.now():
            wanted["status"], until = ConversationStatus.OPEN, None
        wanted["snoozed_until"] = until
    return wanted


def _uuid(value: str | None) -> UUID | None:
    return UUID(value) if value else None
