"""Reads: the list of conversations, a thread, what depends on the reader. Queries never grow with the rows."""

from collections.abc import Iterable
from typing import Any, TypedDict
from uuid import UUID

from django.db.models import (
    Case,
    Prefetch,
    QuerySet,
    SmallIntegerField,
    Value,
    When,
    prefetch_related_objects,
)

from config.errors import NotFound
from config.live.events import head
from config.live.prepared import fetch
from crm.actors import Actor, Caller, Member
from crm.models import ContactIdentity, ViewScope, Workspace
from crm.models import Member as Membership
from crm.paging import DEFAULT_LIMIT, Page, first_page, page
from crm.payloads import ContactPayload, contact_payload
from crm.queries.time_limit import LIMIT, time_limit
from crm.queries.views import visible_views
from crm.roles import Action, Role, is_allowed
from crm.services.teams import visible_teams
from inbox import topics
from inbox.access import (
    actions_on,
    allowed_actions,
    conversations_of,
    messages_of,
    visible_conversations,
    visible_messages,
)
from inbox.counts import NOTHING, Counts, get_counts, get_counts_and_number
from inbox.filters import compile_view
from inbox.lines import Line, lines
from inbox.models import Attachment, Conversation, Message, PlannedMessage
from inbox.naming import beside, names_beside
from inbox.narrowing import ListFilter, narrow
from inbox.payloads import (
    ConversationPayload,
    MessagePayload,
    PlannedPayload,
    conversation_payload,
    message_payload,
    planned_payload,
    with_address,
)
from inbox.states import PLANNED_SHOWN, PRIORITY_RANKS, PlannedState
from jobs.compiled import Compiled

NEWEST = ("-last_activity_at", "-id")
OLDEST = ("last_activity_at", "id")
LONGEST_WAITING = ("waiting_since", "id")
MOST_URGENT = ("-rank", "-last_activity_at", "-id")
RANK_OF_PRIORITY = Case(
    *[When(priority=value, then=Value(rank)) for value, rank in PRIORITY_RANKS.items()],
    output_field=SmallIntegerField(),
)


class ReaderConversationPayload(ConversationPayload):
    unread_count: int
    seen_count: int
    allowed_actions: list[str]


class LivePayload(TypedDict):
    topic: str
    seq: int


class TabCounts(Counts):
    mine: int


class ConversationDetailPayload(ReaderConversationPayload):
    contact_detail: ContactPayload
    planned: list[PlannedPayload]
    live: LivePayload


def with_lines(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    """All that a row of the list shows, of conversations that are announced or shown alone, in their own query; labels
    are the second. No secrets are read for it."""
    return (
        rows.select_related("contact", "channel", "assignee", "team", "last_message", "last_message__sender_user")
        .prefetch_related("labels")
        .defer(
            *("channel__credentials", "contact__metadata", "contact__attributes", "contact__search"),
            *("last_message__detail", "last_message__search"),
        )
    )


def with_parts(rows: QuerySet[Message]) -> QuerySet[Message]:
    return with_sender(rows).prefetch_related(files())


def with_sender(rows: QuerySet[Message]) -> QuerySet[Message]:
    return rows.select_related("sender_user").defer("search")


def files() -> "Prefetch[Any]":
    return Prefetch("attachments", with_address(Attachment.objects.all()))


# Asked with every thread that is opened.
_NEWEST = Compiled(
    lambda conversation: with_sender(messages_of(conversation)).order_by("-id")[: DEFAULT_LIMIT + 1], UUID
)
_DETAIL = Compiled(
    lambda workspace, pk: (
        with_lines(conversations_of(workspace).filter(pk=pk))
        .prefetch_related(None)
        .select_related("contact__owner")
        .defer(None)
        .defer("channel__credentials", "contact__search", "last_message__search")
    ),
    UUID,
    UUID,
)
_IDENTITIES = Compiled(lambda contact: ContactIdentity.objects.filter(contact=contact), UUID)
_PLANNED = Compiled(
    lambda conversation: (
        PlannedMessage.objects.filter(conversation=conversation, state__in=sorted(PLANNED_SHOWN))
        .select_related("user")
        .order_by("send_at", "pk")
    ),
    UUID,
)
_HAS_FILES = Compiled(
    lambda conversation, oldest: Attachment.objects.filter(
        message__conversation=conversation, message__gte=oldest
    ).values_list("pk")[:1],
    UUID,
    UUID,
)


# Asked with every message that somebody sends.
_OF_CLIENT = Compiled(
    lambda workspace, client: Message.objects.filter(workspace_id=workspace, client_id=client).defer("search"),
    UUID,
    UUID,
)


def message_of_client(workspace_id: UUID, client_id: UUID) -> Message | None:
    """The one that its sender's client has given this id, whoever that was."""
    return _OF_CLIENT.first(workspace_id, client_id)


# --- The list -------------------------------------------------------------------------------------------


def list_conversations(
    actor: Actor, wanted: ListFilter, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[Line]:
    rows = visible_conversations(actor)
    if wanted.view is None:
        return _ordered(narrow(rows, actor, wanted), wanted.order, cursor, limit)
    with time_limit(sets_itself=True):
        views = beside(visible_views(actor).annotate(limit=LIMIT), actor.workspace_id)
        view = views.filter(pk=wanted.view).first()
        if view is None or view.scope != ViewScope.CONVERSATIONS:
            raise NotFound
        names = names_beside(view)
        rows = narrow(rows, actor, wanted, names).filter(compile_view(actor, view.filters, names))
        return _ordered(rows, wanted.order or view.sort, cursor, limit)


def _ordered(rows: QuerySet[Conversation], order: str, cursor: str | None, limit: int) -> Page[Line]:
    by: tuple[str, ...] = OLDEST if order == "oldest" else NEWEST
    if order == "waiting":
        rows, by = rows.exclude(waiting_since=None), LONGEST_WAITING
    elif order == "priority":
        rows, by = rows.annotate(rank=RANK_OF_PRIORITY), MOST_URGENT
    return page(rows, by, cursor=cursor, limit=limit, read=lines)


# --- What depends on the reader ---------------------------------------------------------------------------


# What was read, and for those never read that are older than the membership, how much came since: in one query.
_SEEN = """
    select conversation_id, seen_count, null::bigint from inbox_conversationreader
    where user_id = %(user)s and conversation_id = any(%(rows)s)
    union all
    select conversation_id, null, count(*) from inbox_message m
    where conversation_id = any(%(older)s) and direction = 'in' and created_at > %(joined)s
        and deleted_at is null and type <> 'reaction' and detail -> 'blocked' is null and not exists (
        select from inbox_conversationreader r where r.conversation_id = m.conversation_id and r.user_id = %(user)s
    )
    group by conversation_id
"""


def get_seen_counts(actor: Actor, conversations: Iterable[Conversation | Line]) -> dict[UUID, int]:
    """How many incoming messages of each the actor has seen. What came before a member joined counts as seen."""
    rows = list(conversations)
    if not isinstance(actor, Member):
        return {row.pk: 0 for row in rows}
    older = [row.pk for row in rows if row.created_at < actor.joined_at < (row.last_inbound_at or row.created_at)]
    found = fetch(
        _SEEN, {"rows": [row.pk for row in rows], "user": actor.user_id, "older": older, "joined": actor.joined_at}
    )
    seen = {row.pk: 0 if row.created_at >= actor.joined_at else row.inbound_count for row in rows}
    for conversation_id, seen_count, since_joining in found:
        seen[conversation_id] = seen_count if since_joining is None else seen[conversation_id] - since_joining
    return {row.pk: min(max(seen[row.pk], 0), row.inbound_count) for row in rows}


def for_reader(actor: Actor, conversations: Iterable[Conversation]) -> list[ReaderConversationPayload]:
    rows = list(conversations)
    seen = get_seen_counts(actor, rows)
    return [_for_reader(conversation_payload(row), seen[row.pk], allowed_actions(actor, row)) for row in rows]


def lines_for_reader(actor: Actor, rows: list[Line]) -> list[ReaderConversationPayload]:
    seen = get_seen_counts(actor, rows)
    return [
        _for_reader(
            row.payload,
            seen[row.pk],
            actions_on(actor.may, row.channel_kind, row.status, window_open=row.is_window_open),
        )
        for row in rows
    ]


def _for_reader(payload: ConversationPayload, seen: int, allowed: list[str]) -> ReaderConversationPayload:
    return {
        **payload,
        "unread_count": payload["inbound_count"] - seen,
        "seen_count": seen,
        "allowed_actions": allowed,
    }


def get_tabs_and_live(actor: Caller) -> tuple[TabCounts, LivePayload]:
    """Read this before the list: what happens in between is then applied again, which is harmless."""
    topic = topics.inbox(actor.workspace_slug)
    counts, number = get_counts_and_number(actor.workspace_id, topic)
    return _for_tabs(actor, counts), {"topic": topic, "seq": number}


def get_tab_counts(actor: Caller) -> TabCounts:
    return _for_tabs(actor, get_counts(actor.workspace_id))


def _for_tabs(actor: Caller, counts: Counts) -> TabCounts:
    """How much a team has to do is told to nobody who sees none of it."""
    if not actor.may(Action.READ_INBOX):
        return {**NOTHING, "mine": 0}
    mine = counts["by_assignee"].get(str(actor.user_id), 0) if isinstance(actor, Member) else 0
    return {**counts, "mine": mine}


# --- One conversation --------------------------------------------------------------------------------------


def get_thread_live(conversation_id: UUID) -> LivePayload:
    topic = topics.conversation(conversation_id)
    return {"topic": topic, "seq": head(topic)}


def get_conversation(actor: Actor, conversation_id: UUID) -> ConversationDetailPayload:
    """Raises NotFound. The live number is read first."""
    live = get_thread_live(conversation_id)
    row = _DETAIL.first(actor.workspace_id, conversation_id) if actor.may(Action.READ_INBOX) else None
    if row is None:
        raise NotFound
    identities = ContactIdentity.objects.all()
    identities._result_cache = _IDENTITIES.all(row.contact_id)
    row.contact._prefetched_objects_cache = {"identities": identities}  # type: ignore[attr-defined]  # as a prefetch does
    return {
        **for_reader(actor, [row])[0],
        "contact_detail": contact_payload(row.contact),
        "planned": list_planned(conversation_id),
        "live": live,
    }


def list_planned(conversation_id: UUID) -> list[PlannedPayload]:
    """Replies that are to go out later, the next one first; whoever sees the conversation sees them."""
    return [planned_payload(row) for row in _PLANNED.all(conversation_id)]


def planned_state(conversation_id: UUID) -> str:
    """What the conversation's row says of them: that one is held, that they wait, or nothing."""
    rows = PlannedMessage.objects.filter(conversation_id=conversation_id, state__in=PLANNED_SHOWN)
    found = set(rows.values_list("state", flat=True))
    return next((state.value for state in (PlannedState.HELD, PlannedState.WAITING) if state in found), "")


def list_messages(
    actor: Actor, conversation: Conversation, *, cursor: str | None = None, limit: int = DEFAULT_LIMIT
) -> Page[Message]:
    """Newest first; `next` goes to older ones."""
    if cursor is None and limit == DEFAULT_LIMIT:
        return first_page(_newest(conversation.pk), ("-id",), limit=limit)
    return page(with_parts(visible_messages(actor, conversation)), ("-id",), cursor=cursor, limit=limit)


def _newest(conversation_id: UUID) -> list[Message]:
    """The messages that a thread opens with. Most threads have no files: whether there are any is asked before them."""
    found = _NEWEST.all(conversation_id)
    if found and _HAS_FILES.tuples(conversation_id, found[-1].pk):
        prefetch_related_objects(found, files())
    else:
        none = Attachment.objects.none()
        for message in found:
            message._prefetched_objects_cache = {"attachments": none}  # as a prefetch does
    return found


def message_payloads(conversation: Conversation, messages: Iterable[Message]) -> list[MessagePayload]:
    contact = conversation.contact
    return [message_payload(message, contact.display_name, contact.pk) for message in messages]


def list_agents(workspace_id: UUID) -> list[dict[str, Any]]:
    """Who can be assigned conversations."""
    able = [role for role in Role if is_allowed(role, Action.REPLY)]
    members = Membership.objects.filter(workspace_id=workspace_id, role__in=able, user__deactivated_at=None)
    return [
        {"id": member.user.pk, "name": member.user.display_name}
        for member in members.select_related("user").order_by("user__name", "user_id")
    ]


def list_teams(actor: Actor) -> list[dict[str, Any]]:
    """To whom a conversation can be given besides one person."""
    rows = visible_teams(actor).prefetch_related(None).values_list("id", "name")
    return [{"id": team_id, "name": name} for team_id, name in rows]


def get_workspace(actor: Actor) -> Workspace:
    return Workspace.objects.get(pk=actor.workspace_id)
