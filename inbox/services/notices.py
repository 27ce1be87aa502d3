"""Who hears of what: assignments, mentions, answers in what is theirs. Written with what caused them, and once.

Of what a customer or colleagues write, a conversation has one unread notice a person: the newest takes its place.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from config.live.prepared import fetch
from config.live.unit import unit_of_work
from crm.access import check
from crm.actors import Actor
from crm.actors import Member as MemberActor
from crm.models import ContactNote, Member, TeamMember
from crm.roles import Action, Role, is_allowed
from inbox.models import Conversation, Message, Notice, Participant, ParticipantRole
from inbox.notices import events
from inbox.notices.kinds import PREFERENCE, Kind, Way, changed_by, ways_of
from inbox.notices.mailing import mail_later
from inbox.notices.payloads import notice_payload
from inbox.notices.pushing import push_later
from inbox.notices.queries import preferences_of
from inbox.states import Scope
from jobs import rows, statements
from jobs.compiled import Compiled
from jobs.payloads import JSON

KEPT = timedelta(days=30)
KEPT_UNREAD = timedelta(days=90)
_ONE_A_CONVERSATION = frozenset({Kind.MESSAGE, Kind.NOTE})
_READERS = [role for role in Role if is_allowed(role, Action.READ_INBOX)]
_TAKE_PLACE = """
    delete from inbox_notice where conversation_id = %(conversation)s and kind = %(kind)s and read_at is null
        and user_id = any(%(users)s)
    returning user_id, id, mailed_at
"""
_READ = """
    update inbox_notice set read_at = now()
    where user_id = %(user)s and workspace_id = %(workspace)s and read_at is null and {those}
    returning id
"""


@dataclass(frozen=True, slots=True)
class _Earlier:
    id: UUID
    mailed_at: datetime | None


# --- What happened --------------------------------------------------------------------------------------------------


def tell_assigned(actor: Actor, conversation: Conversation, line: Message | None = None) -> None:
    """To the new assignee, unless they took it themselves."""
    if conversation.assignee_id is not None:
        _tell(actor, conversation, Kind.ASSIGNED, Q(user_id=conversation.assignee_id), line)


def tell_team(actor: Actor, conversation: Conversation, line: Message | None = None) -> None:
    """To the team's members, when nobody has it."""
    if conversation.team_id is not None and conversation.assignee_id is None:
        members = TeamMember.objects.filter(team_id=conversation.team_id).values("user_id")
        _tell(actor, conversation, Kind.TEAM, Q(user_id__in=members), line)


def tell_returned(actor: Actor, conversation: Conversation, line: Message | None = None) -> None:
    """To whom it is assigned, and to who takes part: it is open again, and no customer's message says so."""
    _tell(actor, conversation, Kind.RETURNED, None, line)


def tell_held(actor: Actor, conversation: Conversation, author_id: UUID | None) -> None:
    """To its author, and to those whose conversation it is: a person has to decide."""
    concerned = _concerned(conversation.pk, conversation.assignee_id)
    _tell(actor, conversation, Kind.HELD, concerned | Q(user_id=author_id) if author_id else concerned, None)


def tell_message(actor: Actor, conversation: Conversation, message: Message, *, opened: bool) -> None:
    """A customer's. What begins a conversation is for whoever wants to hear of all that are new."""
    if opened and conversation.assignee_id is None:
        wanted = {f"preferences__{PREFERENCE}__has_key": Kind.OPENED.value}
        _tell(actor, conversation, Kind.OPENED, Q(**wanted), message)
    else:
        _tell(actor, conversation, Kind.MESSAGE, None, message)


def tell_note(actor: Actor, conversation: Conversation, note: Message, mentioned: Iterable[UUID]) -> None:
    """To those it mentions; the others who take part hear that there is a note."""
    named = set(mentioned)
    if named:
        _tell(actor, conversation, Kind.MENTIONED, Q(user_id__in=named), note)
    concerned = _concerned(conversation.pk, conversation.assignee_id)
    _tell(actor, conversation, Kind.NOTE, concerned & ~Q(user_id__in=named), note)


def tell_contact_note(actor: Actor, note: ContactNote, mentioned: frozenset[UUID]) -> None:
    """To those whom a note about a contact mentions: each of them once, however often it is changed."""
    ways = _ways(Kind.MENTIONED, _preferences(note.workspace_id, Q(user_id__in=mentioned)), actor) if mentioned else {}
    if ways:
        made = [_of_note(note, user_id) for user_id in ways]
        _announce([one for one in made if rows.insert(one)], ways, note.workspace.slug, {})


def _concerned(conversation_id: UUID, assignee_id: UUID | None) -> Q:
    watching = Participant.objects.filter(conversation_id=conversation_id, role=ParticipantRole.WATCHER)
    who = Q(user_id__in=watching.values("user_id"))
    return who | Q(user_id=assignee_id) if assignee_id else who


def _preferences(workspace_id: UUID, who: Q) -> QuerySet[Member, tuple[UUID, dict[str, Any]]]:
    members = Member.objects.filter(who, workspace_id=workspace_id, role__in=_READERS, user__deactivated_at=None)
    return members.values_list("user_id", "preferences")


# Asked with every message that comes in: by whether the conversation is somebody's.
_CONCERNED: Mapping[bool, Compiled[Member]] = {
    False: Compiled(lambda workspace, pk: _preferences(workspace, _concerned(pk, None)), UUID, UUID),
    True: Compiled(lambda workspace, pk, user: _preferences(workspace, _concerned(pk, user)), UUID, UUID, UUID),
}


# --- Writing it down ----------------------------------------------------------------------------------------------


def _tell(actor: Actor, conversation: Conversation, kind: Kind, who: Q | None, message: Message | None) -> None:
    """To those it concerns, unless `who` names others. Inside the unit of work of what happened, with the
    conversation's row locked: so that two never take one place.

    Nobody hears of what they did themselves, of spam, or of exam rooms, which have alerts of their own.
    """
    if conversation.scope != Scope.SUPPORT or conversation.spam_at is not None:
        return
    ways = _ways(kind, _wishes(conversation, who), actor)
    if not ways:
        return
    earlier = _take_place(conversation, kind, list(ways)) if kind in _ONE_A_CONVERSATION else {}
    made = _written([_notice(conversation, kind, user_id, message, earlier.get(user_id)) for user_id in ways])
    _announce(made, ways, conversation.channel.workspace.slug, earlier)


def _ways(kind: Kind, wishes: Iterable[tuple[Any, ...]], actor: Actor) -> dict[UUID, frozenset[Way]]:
    """Of those who want it in any."""
    own_id = actor.user_id if isinstance(actor, MemberActor) else None
    ways = {user_id: ways_of(wanted, kind) for user_id, wanted in wishes if user_id != own_id}
    return {user_id: wanted for user_id, wanted in sorted(ways.items()) if wanted}


def _announce(
    made: Sequence[Notice], ways: Mapping[UUID, frozenset[Way]], slug: str, earlier: Mapping[UUID, _Earlier]
) -> None:
    for notice in made:
        before, wanted = earlier.get(notice.user_id), ways[notice.user_id]
        events.announce_notice(
            notice.user_id,
            notice_payload(notice, slug),
            replaces=before.id if before else None,
            ways=[way.value for way in Way if way in wanted],
        )
    mail_later([one for one in made if one.mailed_at is None and Way.EMAIL in ways[one.user_id]])
    push_later([one for one in made if Way.PUSH in ways[one.user_id]])


def _written(notices: list[Notice]) -> list[Notice]:
    """Most conversations are one member's: for that one the statement stands already."""
    return [one for one in notices if rows.insert(one)] if len(notices) == 1 else Notice.objects.bulk_create(notices)


def _wishes(conversation: Conversation, who: Q | None) -> Iterable[tuple[Any, ...]]:
    """Members with their preferences."""
    if who is not None:
        return _preferences(conversation.workspace_id, who)
    of_whom = [] if conversation.assignee_id is None else [conversation.assignee_id]
    return _CONCERNED[bool(of_whom)].tuples(conversation.workspace_id, conversation.pk, *of_whom)


def _notice(
    conversation: Conversation, kind: Kind, user_id: UUID, message: Message | None, before: _Earlier | None
) -> Notice:
    """Mailed of once until it is read, however much follows."""
    now = timezone.now()
    key = f"{kind.value}:{message.pk}" if message else f"{kind.value}:{conversation.pk}:{now.isoformat()}"
    return Notice(
        workspace_id=conversation.workspace_id,
        user_id=user_id,
        kind=kind.value,
        conversation=conversation,
        message=message,
        key=key,
        created_at=now,
        mailed_at=before.mailed_at if before else None,
    )


def _of_note(note: ContactNote, user_id: UUID) -> Notice:
    return Notice(
        workspace_id=note.workspace_id,
        user_id=user_id,
        kind=Kind.MENTIONED.value,
        note=note,
        key=f"{Kind.MENTIONED.value}:{note.pk}",
        created_at=timezone.now(),
    )


def _take_place(conversation: Conversation, kind: Kind, users: list[UUID]) -> dict[UUID, _Earlier]:
    place = {"conversation": conversation.pk, "kind": kind.value, "users": users}
    gone = statements.execute(_TAKE_PLACE, place).fetchall()
    return {user_id: _Earlier(pk, mailed_at) for user_id, pk, mailed_at in gone}


# --- Reading it ----------------------------------------------------------------------------------------------------


@unit_of_work
def read_notices(*, actor: MemberActor, ids: Iterable[UUID]) -> int:
    """How many of them were unread; those of others, and unknown ones, are none."""
    check(actor, Action.READ_INBOX)
    return _read(actor, "id = any(%(ids)s)", ids=list(ids))


@unit_of_work
def read_all_notices(*, actor: MemberActor) -> int:
    check(actor, Action.READ_INBOX)
    return _read(actor, "true")


@unit_of_work
def read_notices_of(*, actor: MemberActor, conversation_id: UUID) -> int:
    """The conversation is open before one's eyes: what led there has done its work."""
    return take_notices_of(actor, conversation_id)


def take_notices_of(actor: MemberActor, conversation_id: UUID) -> int:
    """The same inside a unit of work that is open."""
    return _read(actor, "conversation_id = %(conversation)s", conversation=conversation_id)


def _read(actor: MemberActor, those: str, **values: Any) -> int:
    wanted = {"user": actor.user_id, "workspace": actor.workspace_id, **values}
    ids = sorted(row[0] for row in fetch(_READ.format(those=those), wanted))
    if ids:
        events.announce_read(actor.user_id, actor.workspace_slug, None if those == "true" else ids)
    return len(ids)


@unit_of_work
def clear_old() -> dict[str, JSON]:
    """What nobody will look for any more."""
    now = timezone.now()
    old = Q(read_at__lt=now - KEPT) | Q(created_at__lt=now - KEPT_UNREAD)
    return {"cleared": Notice.objects.filter(old).delete()[0]}


@unit_of_work
def set_preferences(*, actor: MemberActor, given: dict[str, dict[str, bool]]) -> dict[str, object]:
    """Of the kinds and ways that are named; the others stay."""
    check(actor, Action.READ_INBOX)
    member = Member.objects.select_for_update(no_key=True).get(workspace_id=actor.workspace_id, user_id=actor.user_id)
    member.preferences = {**member.preferences, PREFERENCE: changed_by(given, member.preferences)}
    member.save(update_fields=["preferences"])
    return preferences_of(actor)
