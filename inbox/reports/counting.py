"""The two statements that count. What leaves the database is sums and medians, however many messages there are."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db import connection

from inbox.reports.asked import Asked, Span
from inbox.services.inbound import BLOCKED
from inbox.states import Scope

GOAL = 600  # seconds within which a first reply is wanted
# Where the bars of the first replies end, in seconds; the last has no end.
STEPS = (60, 180, 600, 1800, 3600)
QUARTER = 15  # minutes: every zone of the world is a whole number of them away from UTC

# Which conversations count, wherever one is looked at. The filters are there when they are asked for.
_TALK = f"""c.workspace_id = %(workspace)s and c.scope = '{Scope.SUPPORT}' and c.deleted_at is null
    and c.merged_into_id is null and c.spam_at is null {{channel}}"""
_SAID = f"""m.workspace_id = %(workspace)s and m.id >= %(first_id)s and m.id < %(last_id)s and m.deleted_at is null
    and m.type <> 'reaction' and not (m.direction = 'in' and m.detail ? '{BLOCKED}')"""
_IN_EITHER = "({0} >= %(begins)s or {0} < %(before_ends)s) and {0} >= %(before)s and {0} < %(ends)s"

_MESSAGES = f"""
select m.created_at >= %(begins)s as is_now, m.direction,
    case when m.created_at >= %(begins)s
        then date_bin('{QUARTER} minutes', m.created_at, timestamptz 'epoch') end as at,
    case when m.direction = 'out' and m.status in ('failed', 'unknown') then m.channel_id end as channel,
    case when m.direction = 'out' and m.status in ('failed', 'unknown') then m.error_code end as code,
    count(*)
from inbox_message m join inbox_conversation c on c.id = m.conversation_id
where {_SAID} and m.direction in ('in', 'out') and {_IN_EITHER.format("m.created_at")} and {_TALK} {{whose}}
group by 1, 2, 3, 4, 5
"""  # noqa: S608 - constants only

_STEPS = ", ".join(
    f"count(*) filter (where seconds >= {low} {f'and seconds < {high}' if high else ''})"
    for low, high in zip((0, *STEPS), (*STEPS, None), strict=True)
)
# A first reply belongs to the conversation's beginning: to the period that it began in, however late the reply came.
# Looked up one by one are only answers to who was written to first, and what was opened again before these periods.
_TALKS = f"""
with begun as materialized (
    select c.id, c.assignee_id, c.created_at >= %(begins)s as is_now
    from inbox_conversation c
    where {_TALK} and c.last_activity_at >= %(before)s and {_IN_EITHER.format("c.created_at")}
), firsts as (
    select b.is_now, b.id, min(m.created_at) filter (where m.direction = 'in') as asked,
        min(m.created_at) filter (where m.direction = 'out') as answered,
        min((m.id::text || case when m.sender_kind = 'member' then m.sender_user_id::text else '' end) collate "C")
            filter (where m.direction = 'out') as answer
    from inbox_message m join begun b on b.id = m.conversation_id
    where {_SAID} and (m.direction = 'in' or m.direction = 'out' and m.sender_kind <> 'bot')
        and m.created_at < %(ends)s
    group by 1, 2
), replied as (
    select f.is_now, extract(epoch from f.answered - f.asked)::float as seconds,
        nullif(substr(f.answer, 37), '')::uuid as who
    from firsts f where f.answered >= f.asked
    union all
    select f.is_now, extract(epoch from later.at - f.asked)::float, later.who
    from firsts f cross join lateral (
        select m.created_at as at, case when m.sender_kind = 'member' then m.sender_user_id end as who
        from inbox_message m
        where m.conversation_id = f.id and {_SAID} and m.direction = 'out' and m.sender_kind <> 'bot'
            and m.created_at >= f.asked and m.created_at < %(ends)s
        order by m.id limit 1
    ) later
    where f.answered < f.asked
), lines as (
    select m.conversation_id, m.id, m.created_at, m.type = 'resolved' as is_resolved,
        case when m.sender_kind = 'member' then m.sender_user_id end as who,
        max(m.created_at) filter (where m.type <> 'resolved')
            over (partition by m.conversation_id order by m.id) as opened_at
    from inbox_message m
    where {_SAID} and m.direction = 'activity'
        and (m.type = 'resolved' or m.detail -> 'activity' ->> 'before' = 'resolved')
), resolved as materialized (
    select c.id, c.rating, coalesce(c.assignee_id, l.who) as rated, l.who, l.created_at >= %(begins)s as is_now,
        extract(epoch from l.created_at - coalesce(l.opened_at, again.at, c.created_at))::float as seconds
    from lines l join inbox_conversation c on c.id = l.conversation_id
    left join lateral (
        select m.created_at as at from inbox_message m
        where l.opened_at is null and c.created_at < %(before)s and m.conversation_id = l.conversation_id
            and m.id < l.id and m.direction = 'activity' and m.detail -> 'activity' ->> 'before' = 'resolved'
        order by m.id desc limit 1
    ) again on true
    where l.is_resolved and {_IN_EITHER.format("l.created_at")} and {_TALK}
), rated as (
    select distinct id, is_now, rating, rated as who from resolved where rating is not null
), counted as (
    select 'replied' as part, is_now, who, grouping(who) as is_all, count(*) as n,
        percentile_cont(0.5) within group (order by seconds) as seconds,
        array[count(*) filter (where seconds <= {GOAL}), {_STEPS}] as counts
    from replied where true {{by_agent}} group by grouping sets ((is_now), (is_now, who))
    union all
    select 'resolved', is_now, who, grouping(who), count(*), percentile_cont(0.5) within group (order by seconds), null
    from resolved where true {{by_agent}} group by grouping sets ((is_now), (is_now, who))
    union all
    select 'rated', is_now, who, 0, count(*), avg(rating), null from rated where true {{by_agent}} group by 2, 3
    union all
    select 'begun', is_now, null, 1, count(*), null, null from begun c where true {{assigned}} group by 2
    union all
    select 'waiting', true, null, 1, count(*), extract(epoch from min(c.waiting_since)), null
    from inbox_conversation c
    where {_TALK} and c.waiting_since is not null and c.status <> 'resolved' {{assigned}}
)
select counted.*, coalesce(nullif(u.name, ''), split_part(u.email, '@', 1)) as name, mm.id is null as has_left
from counted left join crm_user u on u.id = counted.who
left join crm_member mm on mm.user_id = counted.who and mm.workspace_id = %(workspace)s
"""  # noqa: S608


class Messages(NamedTuple):
    is_now: bool
    direction: str
    at: datetime | None  # of the period before only the sum is wanted
    channel: UUID | None  # of what was not delivered
    code: str | None
    n: int


class Talks(NamedTuple):
    part: str
    is_now: bool
    who: UUID | None
    is_all: int
    n: int
    seconds: float | None  # a median; the mean of ratings; when the longest wait began
    counts: list[int] | None  # within the goal, then the bars
    name: str | None
    has_left: bool


def count_messages(workspace_id: UUID, asked: Asked, span: Span) -> list[Messages]:
    whose = (
        """and (m.direction = 'in' and c.assignee_id = %(agent)s
        or m.direction = 'out' and m.sender_kind = 'member' and m.sender_user_id = %(agent)s)"""
        if asked.agent_id
        else ""
    )
    sql = _MESSAGES.format(channel=_channel(asked), whose=whose)
    return [Messages(*row) for row in _rows(sql, _given(workspace_id, asked, span))]


def count_talks(workspace_id: UUID, asked: Asked, span: Span) -> list[Talks]:
    sql = _TALKS.format(
        channel=_channel(asked),
        by_agent="and who = %(agent)s" if asked.agent_id else "",
        assigned="and c.assignee_id = %(agent)s" if asked.agent_id else "",
    )
    return [Talks(*row) for row in _rows(sql, _given(workspace_id, asked, span))]


def _channel(asked: Asked) -> str:
    return "and c.channel_id = %(channel)s" if asked.channel_id else ""


def _given(workspace_id: UUID, asked: Asked, span: Span) -> dict[str, Any]:
    return {
        "workspace": workspace_id,
        "channel": asked.channel_id,
        "agent": asked.agent_id,
        "before": span.before,
        "before_ends": span.before_ends,
        "begins": span.begins,
        "ends": span.ends,
        "first_id": span.first_id,
        "last_id": span.last_id,
    }


def _rows(sql: str, given: Mapping[str, Any]) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, given)
        rows: list[Any] = cursor.fetchall()
    return rows
