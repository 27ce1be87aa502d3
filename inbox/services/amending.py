"""How a conversation stands: who has it, its status, team, priority, labels. Every change of it goes through `amend`.

One place, so that a click, a macro, a bulk action, its undoing and a job check the same rights, leave the same line in
the thread and are told alike.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from config.errors import Invalid, Said
from crm.access import check
from crm.actors import Actor, Automation, System
from crm.models import Member as Membership
from crm.models import Team, User
from crm.roles import Action, is_allowed
from inbox import activity_words as words
from inbox.errors import AnotherIsOpen, UnknownAssignee
from inbox.events import announce_conversation
from inbox.models import Conversation, ConversationLabel, Label, Message
from inbox.services import assigning, notices, triggers
from inbox.services.activity import add_line
from inbox.services.archiving import archive_conversation
from inbox.states import ConversationStatus, Direction, Priority, SenderKind


class Wanted(TypedDict, total=False):
    """What is not named stays."""

    status: str
    snoozed_until: datetime | None  # with the status snoozed; None is until the customer writes
    assignee_id: UUID | None
    team_id: UUID | None
    priority: str
    labels: frozenset[UUID]  # all of them, by id
    is_spam: bool


@dataclass
class Amended:
    """What was really changed, by name; empty when everything was so already."""

    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.after)


@dataclass
class _Amending:
    actor: Actor
    conversation: Conversation
    known: "Known"
    amended: Amended = field(default_factory=Amended)
    columns: set[str] = field(default_factory=set)
    lines: list[tuple[str, Said, dict[str, Any]]] = field(default_factory=list)

    def note(self, name: str, before: Any, after: Any) -> None:
        self.amended.before[name], self.amended.after[name] = before, after

    def line(self, kind: str, said: Said, **detail: Any) -> None:
        self.lines.append((kind, said, detail))


class Known:
    """Names that several changes of one request need, read once."""

    def __init__(self, workspace_id: UUID) -> None:
        self.workspace_id = workspace_id
        self._users: dict[UUID, User | None] = {}
        self._teams: dict[UUID, Team | None] = {}
        self._labels: dict[UUID, Label] | None = None

    def agent(self, user_id: UUID) -> User | None:
        """Somebody who can answer here."""
        if user_id not in self._users:
            member = (
                Membership.objects.select_related("user")
                .filter(workspace_id=self.workspace_id, user_id=user_id, user__deactivated_at=None)
                .first()
            )
            able = member is not None and is_allowed(member.role, Action.REPLY)
            self._users[user_id] = member.user if member is not None and able else None
        return self._users[user_id]

    @cached_property
    def triggers(self) -> frozenset[str]:
        return triggers.waited_for(self.workspace_id)

    def team(self, team_id: UUID) -> Team | None:
        if team_id not in self._teams:
            self._teams[team_id] = Team.objects.filter(workspace_id=self.workspace_id, pk=team_id).first()
        return self._teams[team_id]

    @property
    def labels(self) -> dict[UUID, Label]:
        if self._labels is None:
            self._labels = {row.pk: row for row in Label.objects.filter(workspace_id=self.workspace_id)}
        return self._labels


def amend(actor: Actor, conversation: Conversation, wanted: Wanted, known: Known | None = None) -> Amended:
    """Inside a unit of work. `conversation` is locked and comes with its contact, channel, workspace and assignee."""
    check_may(actor, wanted)
    amending = _Amending(actor, conversation, known or Known(conversation.workspace_id))
    for name, change in _CHANGES.items():
        if name in wanted:
            change(amending, wanted)
    if not amending.amended:
        return amending.amended
    _write(amending)
    lines = {kind: add_line(actor, conversation, kind, said, detail) for kind, said, detail in amending.lines}
    announce_conversation(conversation)
    _follow_up(amending, lines)
    if not isinstance(actor, System | Automation):
        triggers.changed(conversation, amending.amended.after, amending.known.triggers)
    return amending.amended


def check_may(actor: Actor, wanted: Wanted) -> None:
    for name in wanted:
        check(actor, Action.RESOLVE if name in {"status", "snoozed_until", "is_spam"} else Action.ASSIGN)


def _write(amending: _Amending) -> None:
    conversation = amending.conversation
    if not amending.columns:
        conversation.save(update_fields=["updated_at"])
        return
    try:
        with transaction.atomic():
            conversation.save(update_fields=[*sorted(amending.columns), "updated_at"])
    except IntegrityError:
        raise AnotherIsOpen(conversation=open_one_beside(conversation)) from None


def open_one_beside(conversation: Conversation) -> UUID | None:
    return (
        Conversation.objects.filter(
            channel_id=conversation.channel_id,
            contact_id=conversation.contact_id,
            scope=conversation.scope,
            deleted_at=None,
            merged_into=None,
        )
        .exclude(status=ConversationStatus.RESOLVED)
        .exclude(pk=conversation.pk)
        .values_list("pk", flat=True)
        .first()
    )


def _follow_up(amending: _Amending, lines: dict[str, Message]) -> None:
    actor, conversation, after = amending.actor, amending.conversation, amending.amended.after
    if after.get("status") == ConversationStatus.RESOLVED:
        archive_conversation(conversation)
    if after.get("assignee_id"):
        notices.tell_assigned(actor, conversation, lines.get("assigned"))
    elif after.get("team_id"):
        notices.tell_team(actor, conversation, lines.get("team"))
    if returned := lines.get("woken") or lines.get("reopened"):
        notices.tell_returned(actor, conversation, returned)
    if {"team_id", "status", "assignee_id"} & after.keys():
        assigning.offer(conversation)


# --- Who has it -------------------------------------------------------------------------------------------------


def _assign(amending: _Amending, wanted: Wanted) -> None:
    conversation, assignee_id = amending.conversation, wanted["assignee_id"]
    before = conversation.assignee
    if conversation.assignee_id == assignee_id:
        return
    user = None
    if assignee_id is not None:
        user = amending.known.agent(assignee_id)
        if user is None:
            raise UnknownAssignee(errors={"assignee": "Not a member who can answer here."})
    amending.note("assignee_id", _id(conversation.assignee_id), _id(assignee_id))
    conversation.assignee = user
    amending.columns.add("assignee")
    is_self = user is not None and user.pk == getattr(amending.actor, "user_id", None)
    why: dict[str, str] = {}
    if user is None:
        said, why = _left(amending.actor, before)
    else:
        said = Said(words.TAKEN) if is_self else Said(words.ASSIGNED, name=user.display_name)
    told = {"assignee": named(user), "before": named(before), "is_self": is_self, **why}
    amending.line("assigned", said, **told)


def _left(actor: Actor, before: User | None) -> tuple[Said, dict[str, str]]:
    """Where nobody said that nobody should have it, it is said who had it and why they do not."""
    why = actor.source if isinstance(actor, System) else ""
    if before is None or why not in words.LEFT:
        return Said(words.UNASSIGNED), {}
    return Said(words.LEFT[why], name=before.display_name), {"why": why}


def _join_team(amending: _Amending, wanted: Wanted) -> None:
    conversation, team_id = amending.conversation, wanted["team_id"]
    if conversation.team_id == team_id:
        return
    before = conversation.team
    team = amending.known.team(team_id) if team_id else None
    if team_id and team is None:
        raise Invalid(errors={"team": "There is no such team."})
    amending.note("team_id", _id(conversation.team_id), _id(team_id))
    conversation.team = team
    amending.columns.add("team")
    said = Said(words.TEAM, name=team.name) if team else Said(words.NO_TEAM)
    amending.line("team", said, team=team_line(team), before=team_line(before))


def _id(value: UUID | None) -> str | None:
    return str(value) if value else None


def named(user: User | None) -> dict[str, str] | None:
    return {"id": str(user.pk), "name": user.display_name} if user else None


def team_line(team: Team | None) -> dict[str, str] | None:
    return {"id": str(team.pk), "name": team.name} if team else None


# --- How it stands ------------------------------------------------------------------------------------------------


def _set_status(amending: _Amending, wanted: Wanted) -> None:
    conversation, status = amending.conversation, ConversationStatus(wanted["status"])
    until = wanted.get("snoozed_until") if status == ConversationStatus.SNOOZED else None
    if (conversation.status, conversation.snoozed_until) == (status, until):
        return
    before = conversation.status
    amending.note("status", before, status.value)
    if conversation.snoozed_until != until:
        amending.note("snoozed_until", _spelled(conversation.snoozed_until), _spelled(until))
    conversation.status, conversation.snoozed_until = status, until
    amending.columns |= {"status", "snoozed_until", "resolved_at"}
    conversation.resolved_at = None
    if status == ConversationStatus.RESOLVED:
        conversation.resolved_at = timezone.now()
    if ConversationStatus.RESOLVED in {status, before}:
        # Reopened by one of us: who wrote last says whether the customer still waits.
        is_over = status == ConversationStatus.RESOLVED
        conversation.waiting_since = None if is_over else waiting_since(conversation)
        amending.columns.add("waiting_since")
    kind, said = _status_line(before, status, until, woken=isinstance(amending.actor, System))
    amending.line(kind, said, status=status.value, before=before, until=_spelled(until))


def _status_line(before: str, status: str, until: datetime | None, *, woken: bool) -> tuple[str, Said]:
    if status == ConversationStatus.RESOLVED:
        return "resolved", Said(words.RESOLVED)
    if status == ConversationStatus.SNOOZED:
        at = until and f"{until:%Y-%m-%d %H:%M} UTC"
        return "snoozed", Said(words.SNOOZED_UNTIL, at=at) if at else Said(words.SNOOZED)
    if status == ConversationStatus.PENDING:
        return "pending", Said(words.PENDING)
    if before == ConversationStatus.SNOOZED:
        return "woken", Said(words.WOKEN if woken else words.SNOOZING_ENDED)
    return "reopened", Said(words.REOPENED)


def waiting_since(conversation: Conversation) -> datetime | None:
    """The first message of the customer's after the last answer of a person."""
    shown = Message.objects.filter(conversation=conversation, deleted_at=None).exclude(type="reaction")
    answers = shown.filter(direction=Direction.OUT).exclude(sender_kind=SenderKind.BOT)
    answered = answers.order_by("-pk").values_list("pk", flat=True).first()
    asked = shown.filter(direction=Direction.IN)
    rows = (asked.filter(pk__gt=answered) if answered else asked).order_by("pk")
    return rows.values_list("created_at", flat=True).first()


def _spelled(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _prioritise(amending: _Amending, wanted: Wanted) -> None:
    conversation, priority = amending.conversation, Priority(wanted["priority"])
    if conversation.priority == priority:
        return
    before = conversation.priority
    amending.note("priority", before, priority.value)
    conversation.priority = priority
    amending.columns.add("priority")
    amending.line("priority", Said(words.PRIORITIES[priority]), priority=priority.value, before=before)


def _mark_spam(amending: _Amending, wanted: Wanted) -> None:
    conversation, is_spam = amending.conversation, wanted["is_spam"]
    if (conversation.spam_at is not None) == is_spam:
        return
    amending.note("is_spam", not is_spam, is_spam)
    conversation.spam_at = timezone.now() if is_spam else None
    amending.columns.add("spam_at")
    amending.line("spam", Said(words.SPAM if is_spam else words.NO_SPAM), spam=is_spam)


def _label(amending: _Amending, wanted: Wanted) -> None:
    conversation, known = amending.conversation, amending.known.labels
    labels = wanted["labels"]
    if unknown := labels - known.keys():
        raise Invalid(errors={"labels": Said("There is no label “{name}”.", name=min(unknown))})
    now = {row.pk for row in conversation.labels.all()}
    added, removed = labels - now, now - labels
    if not added and not removed:
        return
    amending.note("labels", sorted(map(str, now)), sorted(map(str, labels)))
    if removed:
        ConversationLabel.objects.filter(conversation=conversation, label_id__in=removed).delete()
    ConversationLabel.objects.bulk_create(
        [
            ConversationLabel(workspace_id=conversation.workspace_id, conversation=conversation, label_id=label_id)
            for label_id in sorted(added)
        ],
        ignore_conflicts=True,
    )
    conversation.known_labels(sorted((known[pk] for pk in labels), key=lambda row: row.name))
    plus, minus = _names(known, added), _names(known, removed)
    sentence = words.RELABELLED if plus and minus else words.LABELLED if plus else words.UNLABELLED
    said = Said(sentence, added=", ".join(plus), removed=", ".join(minus))
    amending.line("labels", said, added=plus, removed=minus)


def _names(known: dict[UUID, Label], ids: Iterable[UUID]) -> list[str]:
    return sorted(known[pk].name for pk in ids if pk in known)


# Assigning first: who hears of a status hears it of the new assignee.
_CHANGES: dict[str, Callable[[_Amending, Wanted], None]] = {
    "team_id": _join_team,
    "assignee_id": _assign,
    "status": _set_status,
    "priority": _prioritise,
    "labels": _label,
    "is_spam": _mark_spam,
}
