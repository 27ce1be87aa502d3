"""What the list of conversations shows, and the condition that it comes to."""

from dataclasses import dataclass
from uuid import UUID

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from config.errors import Invalid
from crm.actors import Actor, Member
from inbox.models import Conversation, ConversationLabel, ConversationReader
from inbox.naming import Names, names_of
from inbox.search import conversations_like
from inbox.states import Scope


@dataclass(frozen=True, slots=True)
class ListFilter:
    """What the list shows. Empty fields do not narrow."""

    status: str = ""
    assignee: str = ""  # me, none, or a user's id
    channel: str = ""
    contact: UUID | None = None
    unread: bool = False
    search: str = ""
    scope: str = Scope.SUPPORT  # exam rooms are for their tutors, who find them at the exam
    order: str = ""  # newest, oldest, priority, or waiting: who waits longest first, those who do not wait left out
    label: str = ""  # by name
    priority: str = ""
    team: str = ""  # an id, or none
    spam: bool = False  # that alone; it is nowhere else
    view: UUID | None = None  # a saved one, which the other fields narrow


def narrow(
    rows: QuerySet[Conversation], actor: Actor, wanted: ListFilter, names: Names | None = None
) -> QuerySet[Conversation]:
    """`names`, where they are known already."""
    rows = rows.filter(scope=wanted.scope, spam_at__isnull=not wanted.spam)
    if wanted.status:
        rows = rows.filter(status=wanted.status)
    if wanted.assignee == "none":
        rows = rows.filter(assignee=None)
    elif wanted.assignee:
        rows = rows.filter(assignee_id=_assignee(actor, wanted.assignee))
    names = names or (names_of(actor.workspace_id) if wanted.channel or wanted.label else Names(()))
    if wanted.channel:
        rows = rows.filter(channel_id__in=_channels(wanted.channel, names))
    if wanted.contact:
        rows = rows.filter(contact_id=wanted.contact)
    if wanted.priority:
        rows = rows.filter(priority=wanted.priority)
    if wanted.team:
        rows = rows.filter(team=None) if wanted.team == "none" else rows.filter(team_id=_id(wanted.team, "team"))
    if wanted.label:
        worn = ConversationLabel.objects.filter(conversation=OuterRef("pk"), label_id__in=names.labels(wanted.label))
        rows = rows.filter(Exists(worn))
    if wanted.search:
        rows = rows.filter(conversations_like(actor, wanted.search))
    if wanted.unread and isinstance(actor, Member):
        rows = _unread_only(rows, actor)
    return rows


def _channels(wanted: str, names: Names) -> list[UUID]:
    """By its name from outside, or its id. No name looks like an id: it has 32 hexadecimal digits."""
    try:
        return [UUID(wanted)]
    except ValueError:
        return names.channels(wanted)


def _assignee(actor: Actor, value: str) -> UUID:
    if value == "me" and isinstance(actor, Member):
        return actor.user_id
    try:
        return UUID(value)
    except ValueError:
        raise Invalid(errors={"assignee": "me, none or a member's id."}) from None


def _id(value: str, name: str) -> UUID:
    try:
        return UUID(value)
    except ValueError:
        raise Invalid(errors={name: "An id, or none."}) from None


def _unread_only(rows: QuerySet[Conversation], actor: Member) -> QuerySet[Conversation]:
    seen = ConversationReader.objects.filter(conversation=OuterRef("pk"), user_id=actor.user_id).values("seen_count")
    return rows.annotate(_seen=Subquery(seen)).filter(
        Q(_seen__lt=F("inbound_count")) | Q(_seen=None, last_inbound_at__gt=actor.joined_at)
    )
