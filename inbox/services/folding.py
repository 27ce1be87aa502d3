"""Two conversations of one person on one channel become one thread, and come apart again."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol
from uuid import UUID

from django.db.models import Model, QuerySet

from config.errors import NotFound
from config.live.events import Event, publish
from crm import feed
from crm.access import member_of
from crm.services.merging.moves import Merging, Undoing
from inbox import counts, topics
from inbox.events import (
    MessageDeleted,
    announce_conversation,
    announce_message,
    announce_planned,
    announce_read,
)
from inbox.models import (
    Conversation,
    ConversationLabel,
    ConversationReader,
    Draft,
    Message,
    Notice,
    Participant,
    PlannedMessage,
)
from inbox.queries import get_seen_counts, planned_state, with_lines, with_parts
from inbox.states import ConversationStatus, Direction, Priority, Scope

REACTION = "reaction"
# Screens that have the thread open are told of so many of the messages that came or went; older ones show when it is
# opened again.
TOLD = 100
_RANK = {priority: rank for rank, priority in enumerate(Priority.values)}


class Moves(Protocol):
    """What a fold does to rows; whether it is written down to be taken back is for who gives it."""

    def set(self, row: Model, **values: Any) -> None: ...

    def move_rows(
        self, model: type[Model], column: str, *, before: UUID, after: UUID, only: Iterable[Any] | None = None
    ) -> int: ...

    def made(self, row: Model) -> None: ...


def lock(contact_ids: list[UUID]) -> list[Conversation]:
    """All conversations of these contacts, in the order of their ids."""
    rows = Conversation.objects.select_for_update().filter(contact_id__in=contact_ids)
    return list(rows.order_by("pk"))


def fold_open(merging: Merging, conversations: list[Conversation]) -> list[tuple[Conversation, Conversation]]:
    """Where both have an open conversation on one channel, the loser's goes into the winner's."""
    is_open = [
        row
        for row in conversations
        if row.scope == Scope.SUPPORT
        and row.deleted_at is None
        and row.merged_into_id is None
        and row.status != ConversationStatus.RESOLVED
    ]
    firsts = {row.channel_id: row for row in is_open if row.contact_id == merging.winner.pk}
    pairs = [
        (firsts[row.channel_id], row)
        for row in is_open
        if row.contact_id == merging.loser.pk and row.channel_id in firsts
    ]
    for first, second in pairs:
        fold(merging, first, second)
    return pairs


def fold(merging: Moves, first: Conversation, second: Conversation) -> None:
    merging.set(second, merged_into_id=first.pk)
    merging.move_rows(Message, "conversation_id", before=second.pk, after=first.pk)
    merging.move_rows(Notice, "conversation_id", before=second.pk, after=first.pk)
    merging.move_rows(PlannedMessage, "conversation_id", before=second.pk, after=first.pk)
    _move_unless_there(merging, Draft, "user_id", first, second)
    _move_unless_there(merging, Participant, "user_id", first, second)
    _move_unless_there(merging, Participant, "visitor_id", first, second)
    _share_labels(merging, first, second)
    _share_readers(merging, first, second)
    newer = _later(second.last_inbound_at, first.last_inbound_at)
    merging.set(
        first,
        inbound_count=first.inbound_count + second.inbound_count,
        assignee_id=first.assignee_id or second.assignee_id,
        team_id=first.team_id or second.team_id,
        priority=max(first.priority, second.priority, key=lambda priority: _RANK.get(priority, 0)),
        status=ConversationStatus.OPEN.value
        if ConversationStatus.OPEN in (first.status, second.status)
        else first.status,
        # Replies go to where the person wrote from last.
        peer_address=second.peer_address if newer and second.peer_address else first.peer_address,
        last_inbound_at=second.last_inbound_at if newer else first.last_inbound_at,
        last_activity_at=max(first.last_activity_at, second.last_activity_at),
        waiting_since=_earlier(first.waiting_since, second.waiting_since),
        last_message_id=_last_line(first),
        planned_state=planned_state(first.pk),
    )


def _move_unless_there(merging: Moves, model: type, who: str, first: Conversation, second: Conversation) -> None:
    """Each of them has one in a conversation at most; where there is one already, the other stays where it was."""
    rows = model.objects.exclude(**{who: None})  # type: ignore[attr-defined]
    there = rows.filter(conversation=first).values(who)
    free = rows.filter(conversation=second).exclude(**{f"{who}__in": there}).values_list("pk", flat=True)
    merging.move_rows(model, "conversation_id", before=second.pk, after=first.pk, only=list(free))


def _share_labels(merging: Moves, first: Conversation, second: Conversation) -> None:
    known = set(ConversationLabel.objects.filter(conversation=first).values_list("label_id", flat=True))
    for label_id in ConversationLabel.objects.filter(conversation=second).values_list("label_id", flat=True):
        if label_id not in known:
            row = ConversationLabel.objects.create(
                workspace_id=first.workspace_id, conversation=first, label_id=label_id
            )
            merging.made(row)


def _share_readers(merging: Moves, first: Conversation, second: Conversation) -> None:
    """Who has read so many of each has read as many of both."""
    theirs = dict(ConversationReader.objects.filter(conversation=second).values_list("user_id", "seen_count"))
    ours = {row.user_id: row for row in ConversationReader.objects.select_for_update().filter(conversation=first)}
    for user_id, seen in sorted(theirs.items()):
        row = ours.get(user_id)
        if row is None:
            row = ConversationReader.objects.create(
                workspace_id=first.workspace_id, conversation=first, user_id=user_id, seen_count=0
            )
            merging.made(row)
        merging.set(row, seen_count=row.seen_count + seen)


# --- Apart again ------------------------------------------------------------------------------------------------


def unfold(undoing: Undoing) -> list[tuple[Conversation, Conversation]]:
    """After the rows went back: what only both together could tell is worked out anew."""
    folded = undoing.moves("inbox_conversation", "merged_into_id")
    pairs = []
    for move in folded:
        rows = Conversation.objects.select_for_update().filter(pk__in=[move.row, move.after]).order_by("pk")
        found = {str(row.pk): row for row in rows}
        if move.row in found and move.after in found:
            first, second = found[move.after], found[move.row]
            _part(undoing, first, second)
            pairs.append((first, second))
    return pairs


def _part(undoing: Undoing, first: Conversation, second: Conversation) -> None:
    gone = _taken_back_since(undoing, second)
    _unshare_readers(undoing, first, second, gone)
    counted = undoing.moves("inbox_conversation", "inbound_count")
    # Still what the merge made of it: then it went back by itself.
    is_back = any(move.row == str(first.pk) and move.before == first.inbound_count for move in counted)
    if not is_back:
        first.inbound_count = max(0, first.inbound_count - second.inbound_count + gone)
    second.inbound_count = max(0, second.inbound_count - gone)
    if _answered_since(undoing, first):
        second.waiting_since = None
    for row in (first, second):
        row.last_message_id, row.planned_state = _last_line(row), planned_state(row.pk)
        row.save(update_fields=["inbound_count", "last_message", "waiting_since", "planned_state", "updated_at"])


def _answered_since(undoing: Undoing, first: Conversation) -> bool:
    rows = _shown(first).filter(direction=Direction.OUT, created_at__gt=undoing.merge.merged_at)
    return rows.exclude(type=REACTION).exists()


def _taken_back_since(undoing: Undoing, second: Conversation) -> int:
    """Messages of the second that were counted when they moved and deleted while they were with the first."""
    rows = Message.objects.filter(
        conversation=second, direction=Direction.IN, deleted_at__gt=undoing.merge.merged_at
    ).exclude(type=REACTION)
    return rows.count()


def _unshare_readers(undoing: Undoing, first: Conversation, second: Conversation, gone: int) -> None:
    """What went up by the second's goes down by it; those who went on reading keep what they read here."""
    theirs = dict(ConversationReader.objects.filter(conversation=second).values_list("user_id", "seen_count"))
    went_back = {move.row: move.before for move in undoing.moves("inbox_conversationreader", "seen_count")}
    for row in ConversationReader.objects.select_for_update().filter(conversation=first).order_by("pk"):
        if str(row.pk) in went_back and row.seen_count != went_back[str(row.pk)]:
            row.seen_count = max(0, row.seen_count - theirs.get(row.user_id, 0))
            row.save(update_fields=["seen_count", "updated_at"])


# --- What a conversation shows ----------------------------------------------------------------------------------


def _shown(conversation: Conversation) -> QuerySet[Message]:
    return Message.objects.filter(conversation=conversation, deleted_at=None)


def _last_line(conversation: Conversation) -> UUID | None:
    lines = _shown(conversation).filter(direction__in=[Direction.IN, Direction.OUT])
    rows = lines.exclude(direction=Direction.OUT, type=REACTION).order_by("-pk")
    return rows.values_list("pk", flat=True).first()


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one > other)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    known = [moment for moment in (one, other) if moment is not None]
    return min(known) if known else None


# --- Telling ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ConversationGone(Event):
    """It leaves lists and screens: its thread is part of another now, or nowhere."""

    type: ClassVar[str] = "conversation.updated"
    id: UUID
    merged_into: UUID | None = None
    deleted: bool = True


def announce_folded(pairs: list[tuple[Conversation, Conversation]], contact_id: UUID) -> None:
    gone = {second.pk: first.pk for first, second in pairs}
    for second, first in gone.items():
        _announce_gone(second, into=first)
    _announce_all(contact_id)
    for first in gone.values():
        conversation = _with_lines(first)
        _announce_reading(conversation, first)
        rows = with_parts(_shown(conversation)).order_by("-pk")[:TOLD]
        for message in reversed(list(rows)):
            announce_message(message, conversation, created=True)
        for planned in PlannedMessage.objects.filter(conversation=conversation).select_related("user"):
            announce_planned(planned)


def announce_unfolded(pairs: list[tuple[Conversation, Conversation]], contact_ids: list[UUID]) -> None:
    for first, second in pairs:
        for message_id in _shown(second).order_by("-pk").values_list("pk", flat=True)[:TOLD]:
            publish(topics.conversation(first.pk), MessageDeleted(message_id))
        for conversation in (first, second):
            _announce_reading(conversation, first.pk, second.pk)
    for contact_id in contact_ids:
        _announce_all(contact_id)


def _announce_reading(conversation: Conversation, *read: UUID) -> None:
    """To everybody who has read any of those: how far they have read this one is another number now."""
    readers = ConversationReader.objects.filter(conversation_id__in=read).values_list("user_id", flat=True)
    for user_id in sorted(set(readers)):
        try:
            member = member_of(user_id, conversation.workspace_id)
        except NotFound:  # has left
            continue
        announce_read(user_id, conversation.pk, get_seen_counts(member, [conversation])[conversation.pk])


def _with_lines(conversation_id: UUID) -> Conversation:
    return with_lines(Conversation.objects.select_related("channel__workspace")).get(pk=conversation_id)


def _announce_all(contact_id: UUID) -> None:
    """The list shows the contact's name: every row of it hears."""
    rows = with_lines(Conversation.objects.select_related("channel__workspace")).filter(
        contact_id=contact_id, scope=Scope.SUPPORT, deleted_at=None, merged_into=None
    )
    for conversation in rows.order_by("-last_activity_at")[:TOLD]:
        announce_conversation(conversation)


def _announce_gone(conversation_id: UUID, *, into: UUID | None) -> None:
    conversation = Conversation.objects.select_related("channel__workspace").get(pk=conversation_id)
    announce_gone(conversation, into=into)


def announce_gone(conversation: Conversation, *, into: UUID | None = None) -> None:
    event = ConversationGone(conversation.pk, into)
    workspace = conversation.channel.workspace
    publish(topics.inbox(workspace.slug), event)
    publish(topics.conversation(conversation.pk), event)
    feed.announce(workspace, event)
    counts.changed(workspace.pk, workspace.slug)
