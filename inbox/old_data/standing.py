"""What the list shows of a conversation, worked out anew from its messages in the same transaction as they came in."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from inbox.old_data.staging import execute, fetch

_LOCK = "select 1 from inbox_conversation where id = any(%(ids)s) order by id for no key update"
# One way through a conversation's messages; whoever waits is looked for only where anybody may.
_SUM_UP = """
    with said as (
        select m.conversation_id as id,
            max(m.created_at) filter (where not (m.direction = 'in' and m.type = 'reaction')) as at,
            count(*) filter (where m.direction = 'in' and m.type <> 'reaction') as inbound,
            max(coalesce(m.provider_time, m.created_at)) filter (where m.direction = 'in') as last_in,
            (max(m.id::text collate "C") filter (
                where m.direction in ('in', 'out') and not (m.direction = 'out' and m.type = 'reaction')
            ))::uuid as newest,
            (max(m.id::text collate "C") filter (
                where m.direction = 'out' and m.type <> 'reaction' and m.sender_kind <> 'bot'
            ))::uuid as answer
        from inbox_message m where m.conversation_id = any(%(ids)s) and m.deleted_at is null
        group by m.conversation_id
    )
    update inbox_conversation c set last_message_id = f.newest, last_activity_at = coalesce(f.at, c.last_activity_at),
        inbound_count = coalesce(f.inbound, 0), last_inbound_at = f.last_in,
        waiting_since = case when c.status <> 'resolved' then (
            select m.created_at from inbox_message m
            where m.conversation_id = c.id and m.deleted_at is null and m.direction = 'in' and m.type <> 'reaction'
                and (f.answer is null or m.id > f.answer)
            order by m.id limit 1
        ) end
    from unnest(%(ids)s::uuid[]) as asked(id) left join said f on f.id = asked.id where c.id = asked.id
"""
_SEEN_MORE = """
    update inbox_conversationreader r set seen_count = r.seen_count + n.more
    from unnest(%(ids)s::uuid[], %(counts)s::int[]) as n(id, more) where r.conversation_id = n.id
"""
# Whoever joined later has read it by that alone. What came here by itself stays unread.
_SEEN_ALL = """
    insert into inbox_conversationreader (workspace_id, conversation_id, user_id, seen_count, updated_at)
    select c.workspace_id, c.id, m.user_id, greatest(c.inbound_count - live.unread, 0), now()
    from unnest(%(ids)s::uuid[], %(newest)s::timestamptz[]) as n(id, newest)
    join inbox_conversation c on c.id = n.id
    join crm_member m on m.workspace_id = c.workspace_id and (m.created_at <= n.newest or m.created_at <= c.created_at)
    cross join lateral (
        select count(*) as unread from inbox_message x
        where x.conversation_id = c.id and x.direction = 'in' and x.type <> 'reaction' and x.deleted_at is null
            and x.supabase_id is null and x.created_at >= m.created_at
    ) live
    on conflict (conversation_id, user_id) do nothing
"""
_GONE = """
    select conversation_id, count(*) from inbox_message
    where supabase_id = any(%(ids)s::uuid[]) and deleted_at is null and direction = 'in' and type <> 'reaction'
    group by conversation_id
"""
_SEEN_FEWER = """
    update inbox_conversationreader r set seen_count = greatest(r.seen_count - n.fewer, 0)
    from unnest(%(ids)s::uuid[], %(counts)s::int[]) as n(id, fewer) where r.conversation_id = n.id
"""
# A number that no event has: whoever follows the topic cannot resume across it and loads the snapshot.
_SKIP_A_NUMBER = """
    with topic as (select name from live_topic where name = any(%(names)s) order by name for update)
    update live_topic t set seq = t.seq + 1 from topic where topic.name = t.name
"""


def lock(conversations: Collection[UUID]) -> None:
    """Conversations before messages, and in one order, as every service does."""
    fetch(_LOCK, {"ids": list(conversations)})


def sum_up(conversations: Collection[UUID]) -> None:
    execute(_SUM_UP, {"ids": list(conversations)})


def about_to_go(messages: Sequence[str]) -> dict[UUID, int]:
    """How many of these, by conversation, count as incoming until now."""
    return dict(fetch(_GONE, {"ids": list(messages)})) if messages else {}


def count_as_read(new: Mapping[UUID, tuple[int, datetime]], gone: Mapping[UUID, int]) -> None:
    """For every member: history is no news."""
    if gone:
        execute(_SEEN_FEWER, {"ids": list(gone), "counts": list(gone.values())})
    if new:
        ids = list(new)
        execute(_SEEN_MORE, {"ids": ids, "counts": [count for count, _ in new.values()]})
        execute(_SEEN_ALL, {"ids": ids, "newest": [newest for _, newest in new.values()]})


def send_back_to_snapshot(conversations: Collection[UUID]) -> None:
    """Screens that show one of these load it anew."""
    skip_a_number([f"{kind}.{id_}" for id_ in conversations for kind in ("conversation", "chat")])


def skip_a_number(topics: Sequence[str]) -> None:
    execute(_SKIP_A_NUMBER, {"names": list(topics)})
