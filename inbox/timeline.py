"""What a contact's timeline tells of conversations: when each began, and how it stands. No private notes."""

from crm import timeline
from inbox.states import Scope

LINE = 200  # characters of a message
# A conversation stands where it last moved.
_CONVERSATIONS = f"""
    select talk.last_activity_at as at, 'conversation:' || talk.id as ref, 'conversation' as kind, jsonb_build_object(
        'id', talk.id, 'status', talk.status, 'started_at', talk.created_at, 'waiting_since', talk.waiting_since,
        'channel', jsonb_build_object('kind', channel.kind, 'name', channel.name, 'slug', channel.slug),
        'assignee', case when person.id is not null then jsonb_build_object('id', person.id, 'name', person.name) end,
        'inbound_count', talk.inbound_count,
        'last_message', case when line.id is not null and line.deleted_at is null then jsonb_build_object(
            'id', line.id, 'direction', line.direction, 'type', line.type, 'body', left(line.body, {LINE}),
            'created_at', line.created_at) end
    ) as data
    from inbox_conversation talk
    join inbox_channel channel on channel.id = talk.channel_id
    left join crm_user person on person.id = talk.assignee_id
    left join inbox_message line on line.id = talk.last_message_id
    where talk.contact_id = %(contact)s and talk.scope = '{Scope.SUPPORT.value}' and talk.deleted_at is null
        and talk.merged_into_id is null
"""  # noqa: S608  # only constants are put in
_BEGINNINGS = f"""
    select talk.created_at as at, 'start:' || talk.id as ref, 'conversation_started' as kind, jsonb_build_object(
        'id', talk.id, 'channel', jsonb_build_object('kind', channel.kind, 'name', channel.name, 'slug', channel.slug),
        'first_message', (
            select jsonb_build_object('id', line.id, 'direction', line.direction, 'body', left(line.body, {LINE}))
            from inbox_message line
            where line.conversation_id = talk.id and line.deleted_at is null and line.direction in ('in', 'out')
            order by line.id limit 1
        )
    ) as data
    from inbox_conversation talk
    join inbox_channel channel on channel.id = talk.channel_id
    where talk.contact_id = %(contact)s and talk.scope = '{Scope.SUPPORT.value}' and talk.deleted_at is null
        and talk.merged_into_id is null
"""  # noqa: S608  # only constants are put in


def register_sources() -> None:
    timeline.tells("conversation", _CONVERSATIONS)
    timeline.tells("conversation_started", _BEGINNINGS)
