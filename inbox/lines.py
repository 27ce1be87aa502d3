"""Rows of the list of conversations: in one statement, which joins nothing to those that a page has no room for, and
without models, which cost more than all the rest of the request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.db.models import QuerySet

from inbox.payloads import PREVIEW, ConversationPayload, LabelPayload, LastMessagePayload, SenderPayload
from inbox.states import PRIORITY_RANKS, SenderKind
from inbox.windows import window_for

# Names as `Contact.display_name` and `User.display_name` have them. Labels in the order in which they were put on.
_USER = "coalesce(nullif({0}.name, ''), nullif(split_part({0}.email, '@', 1), ''), 'Someone')"
_LINES = f"""
with asked as materialized (select page.id, row_number() over () as place from ({{page}}) as page)
select t.id, c.id, coalesce(nullif(c.name, ''), nullif(c.phone_normalized, ''), nullif(c.phone, ''),
        nullif(c.email, ''), 'Someone'),
    c.phone_normalized, h.id, h.name, h.slug, h.kind, t.scope, t.status, a.id, {_USER.format("a")}, g.id, g.name,
    t.snoozed_until, t.spam_at is not null, t.priority,
    (
        select jsonb_agg(jsonb_build_object('name', l.name, 'hue', l.hue) order by w.id)
        from inbox_conversationlabel w join inbox_label l on l.id = w.label_id where w.conversation_id = t.id
    ),
    t.inbound_count, t.last_activity_at, t.last_inbound_at, t.waiting_since, t.peer_address,
    t.planned_state, t.created_at, t.updated_at, n.id, n.direction, n.type, left(n.body, {PREVIEW}), n.status,
    n.sender_kind, v.id, {_USER.format("v")}, n.error_code, n.error_message, n.created_at
from asked
join inbox_conversation t on t.id = asked.id
join crm_contact c on c.id = t.contact_id
join inbox_channel h on h.id = t.channel_id
left join crm_user a on a.id = t.assignee_id
left join crm_team g on g.id = t.team_id
left join inbox_message n on n.id = t.last_message_id
left join crm_user v on v.id = n.sender_user_id
order by asked.place
"""  # noqa: S608  # constants of the code


@dataclass(frozen=True, slots=True)
class Line:
    """One of them, with what does not depend on its reader as the outside sees it."""

    pk: UUID
    channel_kind: str
    status: str
    inbound_count: int
    last_activity_at: datetime
    last_inbound_at: datetime | None
    waiting_since: datetime | None
    created_at: datetime
    rank: int  # of its priority
    is_window_open: bool
    payload: ConversationPayload

    @property
    def id(self) -> UUID:
        return self.pk


def lines(conversations: "QuerySet[Any, Any]") -> list[Line]:
    """`conversations`: those that the caller may be shown, ordered, as `values` with an `id`."""
    try:
        page, given = conversations.query.sql_with_params()
    except EmptyResultSet:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_LINES.format(page=page), given)
        return [_line(*row) for row in cursor.fetchall()]


def _line(
    id_: UUID,
    contact_id: UUID,
    contact_name: str,
    phone: str,
    channel_id: UUID,
    channel_name: str,
    slug: str,
    kind: str,
    scope: str,
    status: str,
    assignee_id: UUID | None,
    assignee_name: str,
    team_id: UUID | None,
    team_name: str | None,
    snoozed_until: datetime | None,
    is_spam: bool,
    priority: str,
    labels: str | None,
    inbound_count: int,
    last_activity_at: datetime,
    last_inbound_at: datetime | None,
    waiting_since: datetime | None,
    peer_address: str,
    planned_state: str,
    created_at: datetime,
    updated_at: datetime,
    *last: Any,
) -> Line:
    window = window_for(kind, peer_address, last_inbound_at)
    payload: ConversationPayload = {
        "id": id_,
        "contact": {"id": contact_id, "name": contact_name, "phone": phone},
        "channel": {"id": channel_id, "name": channel_name, "slug": slug, "kind": kind},
        "scope": scope,
        "status": status,
        "assignee": {"id": assignee_id, "name": assignee_name} if assignee_id else None,
        "team": {"id": team_id, "name": team_name or ""} if team_id else None,
        "snoozed_until": snoozed_until,
        "is_spam": is_spam,
        "priority": priority,
        "labels": _labels(labels),
        "inbound_count": inbound_count,
        "last_message": _last_message(last, contact_id, contact_name) if last[0] else None,
        "last_activity_at": last_activity_at,
        "waiting_since": waiting_since,
        "window": {"open": window.open, "closes_at": window.closes_at},
        "planned_state": planned_state or None,
        "created_at": created_at,
        "updated_at": updated_at,
    }
    return Line(
        pk=id_,
        channel_kind=kind,
        status=status,
        inbound_count=inbound_count,
        last_activity_at=last_activity_at,
        last_inbound_at=last_inbound_at,
        waiting_since=waiting_since,
        created_at=created_at,
        rank=PRIORITY_RANKS[priority],
        is_window_open=window.open,
        payload=payload,
    )


def _labels(text: str | None) -> list[LabelPayload]:
    """As Postgres writes them: Django has its connections leave JSON as text."""
    found: list[LabelPayload] = orjson.loads(text) if text else []
    return [{"name": label["name"], "hue": label["hue"]} for label in found]


def _last_message(columns: Sequence[Any], contact_id: UUID, contact_name: str) -> LastMessagePayload:
    """Whose assistant it was that wrote stands in the message alone."""
    id_, direction, type_, body, status, kind, user_id, user_name, code, message, created_at = columns
    if kind == SenderKind.CONTACT:
        sender: SenderPayload = {"kind": kind, "id": contact_id, "name": contact_name}
    elif kind == SenderKind.BOT or user_id is None:
        sender = {"kind": kind, "id": None, "name": ""}
    else:
        sender = {"kind": kind, "id": user_id, "name": user_name}
    return {
        "id": id_,
        "direction": direction,
        "type": type_,
        "body": body,
        "status": status,
        "sender": sender,
        "error": {"code": code, "message": message} if message else None,
        "created_at": created_at,
    }
