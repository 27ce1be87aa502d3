"""Reads of chats from outside. No writes."""

from uuid import UUID

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from config.live.events import head
from config.live.presence import people_on
from crm.actors import Guest
from crm.models import Member
from crm.paging import Page, page
from crm.presence import topic_of
from crm.roles import Action, Role, is_allowed
from inbox import topics
from inbox.chats.access import visible_chats, visible_messages
from inbox.chats.payloads import ACTIVE, ENDED, WAITING, ChatPayload, chat_payload
from inbox.models import Conversation, Message
from inbox.queries import LivePayload, with_lines, with_parts
from inbox.states import ConversationStatus, Direction, MessageStatus

UNREAD = (MessageStatus.SENT, MessageStatus.DELIVERED)
ONLINE, AWAY = "online", "away"


class OwnChatPayload(ChatPayload):
    unread_count: int
    live: LivePayload


def get_live(chat_id: UUID) -> LivePayload:
    """Read this before the state."""
    topic = topics.chat(chat_id)
    return {"topic": topic, "seq": head(topic)}


def list_chats(guest: Guest, *, state: str, channel: str, cursor: str | None, limit: int) -> Page[Conversation]:
    """Newest first, by when they began: the order too says nothing of what we do with them."""
    rows = _with_unread(with_lines(visible_chats(guest)))
    if channel:
        rows = rows.filter(channel__slug=channel.lower())
    if state in {ENDED, ConversationStatus.RESOLVED.value}:
        rows = rows.filter(status=ConversationStatus.RESOLVED)
    elif state:
        rows = rows.exclude(status=ConversationStatus.RESOLVED)
    if state in {WAITING, ACTIVE}:
        rows = rows.filter(assignee__isnull=state == WAITING)
    return page(rows, ("-id",), cursor=cursor, limit=limit)


def own_payload(conversation: Conversation) -> OwnChatPayload:
    """Reads `unread`. The live number is of before, so what came in between is applied again, which is harmless."""
    live = get_live(conversation.pk)
    return {**chat_payload(conversation), "unread_count": conversation.unread, "live": live}  # type: ignore[attr-defined]


def get_chat(guest: Guest, chat_id: UUID) -> OwnChatPayload:
    live = get_live(chat_id)
    row = _with_unread(with_lines(visible_chats(guest))).get(pk=chat_id)
    return {**chat_payload(row), "unread_count": row.unread, "live": live}  # type: ignore[attr-defined]


def _with_unread(rows: QuerySet[Conversation]) -> QuerySet[Conversation]:
    unread = (
        Message.objects.filter(conversation=OuterRef("pk"), direction=Direction.OUT, status__in=UNREAD, deleted_at=None)
        .order_by()
        .values("conversation")
        .annotate(number=Count("pk"))
        .values("number")
    )
    return rows.annotate(unread=Coalesce(Subquery(unread, output_field=IntegerField()), 0))


def list_messages(conversation: Conversation, *, cursor: str | None, limit: int) -> Page[Message]:
    """Newest first."""
    return page(with_parts(visible_messages(conversation)), ("-id",), cursor=cursor, limit=limit)


def team_state(workspace_id: UUID, slug: str) -> str:
    """Whether anybody who may answer is here: from the presence of the workspace, without names."""
    here = [person["id"] for person in people_on(topic_of("workspace", slug)) if person["state"] == "active"]
    able = [role for role in Role if is_allowed(role, Action.REPLY)]
    if not here:
        return AWAY
    members = Member.objects.filter(workspace_id=workspace_id, user_id__in=here, role__in=able)
    return ONLINE if members.exists() else AWAY
