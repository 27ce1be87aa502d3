# ruff: noqa: S608  # only constants of ours are put into these texts
"""The SQL of by-phone and context: who asks, whom the number belongs to, and what is known, as finished JSON.

One statement, whoever runs it: the hot road on its own pool, Django's view on Django's connection. Its access rules are
those of `access.visible_*` written out, its shapes those of `payloads`; tests hold it to both.
"""

from crm.roles import PERMISSIONS, Action
from crm.services.billing import PAST_DUE
from inbox.payloads import DETAILS, PREVIEW
from inbox.states import ChannelKind, Direction, Scope, SenderKind
from inbox.windows import WHATSAPP, WINDOW

MOST_NOTES = 20
MOST_MERGES = 20  # that somebody went through, one after the other


def _words(*words: str) -> str:
    return "array[" + ", ".join(f"'{word}'" for word in words) + "]"


def _time(column: str) -> str:
    """As REST writes times."""
    return f"""to_char({column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


def _name(user: str) -> str:
    return f"coalesce(nullif({user}.name, ''), nullif(split_part({user}.email, '@', 1), ''), 'Someone')"


def _person(user: str) -> str:
    return f"case when {user}.id is not null then json_build_object('id', {user}.id, 'name', {_name(user)}) end"


def _sender(message: str, user: str) -> str:
    by_contact = f"{message}.sender_kind = '{SenderKind.CONTACT.value}'"
    return f"""json_build_object(
        'kind', {message}.sender_kind, 'id', case when not {by_contact} then {user}.id end,
        'name', case when {by_contact} then person.shown when {user}.id is null then '' else {_name(user)} end
    )"""


def _error(row: str) -> str:
    said = f"json_build_object('code', {row}.error_code, 'message', {row}.error_message)"
    return f"case when {row}.error_message <> '' then {said} end"


_MAY_READ = _words(*(role.value for role, may in PERMISSIONS.items() if Action.READ_INBOX in may))
_NO_OBJECT = "jsonb_build_object()"

# --- Who asks ---------------------------------------------------------------------------------------------------

# By an API key: which, how fast it may ask, what it may do. It reads in its own workspace alone, and only while its
# creator could.
_BY_KEY = f"""
caller as materialized (
    select k.id as key_id, k.rate_per_minute, coalesce(k.expires_at <= now(), false) as expired, k.scopes, m.role,
        w.id as workspace_id, w.slug, w.default_region
    from crm_apikey k
    join crm_workspace w on w.id = k.workspace_id
    join crm_user u on u.id = k.created_by_id
    join crm_member m on m.workspace_id = k.workspace_id and m.user_id = k.created_by_id
    where k.digest = %(digest)s and k.revoked_at is null and u.deactivated_at is null
),
reader as (
    select workspace_id, default_region from caller
    where slug = %(slug)s and not expired and '{Action.READ_INBOX.value}' = any(scopes) and role = any({_MAY_READ})
)"""
# Somebody who was recognised before, and found to be allowed to read.
_BY_SLUG = """
caller as materialized (
    select null::uuid as key_id, 0 as rate_per_minute, false as expired, null::text[] as scopes, null::text as role,
        w.id as workspace_id, w.slug, w.default_region
    from crm_workspace w where w.slug = %(slug)s
),
reader as (select workspace_id, default_region from caller)"""

# --- Whose number it is -------------------------------------------------------------------------------------------

# Who was merged is found in whom they were merged into, be it several times over.
_FOUND = f"""
reading as (
    select reader.workspace_id, said.rank, said.match, said.number
    from reader, unnest(
        %(regions)s::text[], %(ranks)s::int[], %(matches)s::text[], %(numbers)s::text[]
    ) as said(region, rank, match, number)
    where said.region = '' or said.region = reader.default_region
),
hit as materialized (
    select reading.rank, c.id, c.merged_into_id, c.deleted_at, c.workspace_id
    from reading
    join crm_contactidentity i
        on i.workspace_id = reading.workspace_id and i.kind in ('match', 'whatsapp') and i.value = reading.match
    join crm_contact c on c.id = i.contact_id
    union all
    select reading.rank, c.id, c.merged_into_id, c.deleted_at, c.workspace_id
    from reading
    join crm_contact c on c.workspace_id = reading.workspace_id and c.phone_normalized = reading.number
        and c.deleted_at is null and c.phone_normalized <> ''
),
winner as (
    select rank, id from hit where merged_into_id is null and deleted_at is null
    union all
    select hit.rank, up.id
    from hit cross join lateral (
        with recursive up(id, merged_into_id, deleted_at, depth) as (
            select c.id, c.merged_into_id, c.deleted_at, 1 from crm_contact c
            where c.id = hit.merged_into_id and c.workspace_id = hit.workspace_id
            union all
            select c.id, c.merged_into_id, c.deleted_at, up.depth + 1
            from up join crm_contact c on c.id = up.merged_into_id and c.workspace_id = hit.workspace_id
            where up.depth < {MOST_MERGES}
        )
        select id from up where merged_into_id is null and deleted_at is null
    ) as up
    where hit.merged_into_id is not null
),
found as (
    select array_agg(distinct id order by id) as ids from winner group by rank order by rank limit 1
)"""
_PERSON = """
left join lateral (
    select c.*, coalesce(nullif(c.name, ''), nullif(c.phone_normalized, ''), nullif(c.phone, ''), nullif(c.email, ''),
        'Someone') as shown
    from crm_contact c where c.id = found.ids[1] and cardinality(found.ids) = 1
) as person on true
left join crm_user as holder on holder.id = person.owner_id"""
_CONTACT = f"""json_build_object(
    'id', person.id, 'phone', person.phone, 'phone_normalized', person.phone_normalized, 'name', person.name,
    'email', person.email, 'lead_status', person.lead_status, 'lead_score', person.lead_score, 'tags', person.tags,
    'metadata', person.metadata, 'attributes', person.attributes, 'owner', {_person("holder")},
    'identities', coalesce((
        select json_agg(json_build_object('kind', i.kind, 'value', i.value) order by i.kind, i.value)
        from crm_contactidentity i where i.contact_id = person.id and i.kind <> 'match'
    ), '[]'),
    'created_at', {_time("person.created_at")}, 'updated_at', {_time("person.updated_at")},
    'deleted_at', {_time("person.deleted_at")}
)"""

# --- What is known ------------------------------------------------------------------------------------------------

_MESSAGE = f"""json_build_object(
    'id', m.id, 'conversation', m.conversation_id, 'client_id', m.client_id, 'provider_id', m.provider_id,
    'direction', m.direction, 'sender', {_sender("m", "writer")}, 'type', m.type, 'body', m.body,
    'attachments', coalesce((
        select json_agg(json_build_object(
            'id', file.id, 'kind', file.kind, 'name', file.name, 'content_type', file.content_type, 'size', file.size,
            'state', file.state, 'url', case when file.state = 'stored'
                then '/api/v1/workspaces/' || caller.slug || '/attachments/' || file.id || '/' end,
            'error', case when file.state = 'failed'
                then json_build_object('code', file.error_code, 'message', file.error_message) end
        ) order by file.position)
        from inbox_attachment file where file.message_id = m.id
    ), '[]'),
    'reply_to', m.reply_to_id, 'status', m.status, 'error', {_error("m")},
    'status_times', case when m.direction = '{Direction.IN.value}' then {_NO_OBJECT}::json
        else json_strip_nulls(json_build_object(
            'queued', {_time("m.created_at")}, 'sent', {_time("m.sent_at")}, 'delivered', {_time("m.delivered_at")},
            'read', {_time("m.read_at")}, 'failed', {_time("m.failed_at")}
        )) end,
    'provider_time', {_time("m.provider_time")}, 'edited_at', {_time("m.edited_at")},
    'detail', case when m.detail = {_NO_OBJECT} then m.detail else coalesce((
        select jsonb_object_agg(part.key, part.value) from jsonb_each(m.detail) as part
        where part.key = any({_words(*DETAILS)})
    ), {_NO_OBJECT}) end,
    'created_at', {_time("m.created_at")}
)"""
# The latest conversation. Exam rooms are nobody's here: they are their tutors', at the exam.
_TALK = f"""
left join lateral (
    select talk.*, channel.kind as channel_kind, channel.name as channel_name, channel.slug as channel_slug,
        case when spoken.on_whatsapp then talk.last_inbound_at + {int(WINDOW.total_seconds())} * interval '1 second' end
            as closes_at,
        not spoken.on_whatsapp or coalesce(
            talk.last_inbound_at + {int(WINDOW.total_seconds())} * interval '1 second' > now(), false
        ) as can_write
    from inbox_conversation talk
    join inbox_channel channel on channel.id = talk.channel_id
    cross join lateral (
        select channel.kind = '{ChannelKind.KAPSO.value}' or (
            channel.kind = '{ChannelKind.TWILIO.value}' and starts_with(talk.peer_address, '{WHATSAPP}')
        ) as on_whatsapp
    ) as spoken
    where talk.contact_id = person.id and talk.workspace_id = caller.workspace_id
        and talk.scope = '{Scope.SUPPORT.value}' and talk.deleted_at is null and talk.merged_into_id is null
    order by talk.last_activity_at desc, talk.id desc
    limit 1
) as talk on true
left join crm_user as assignee on assignee.id = talk.assignee_id
left join inbox_message as last on last.id = talk.last_message_id
left join crm_user as last_writer on last_writer.id = last.sender_user_id
left join lateral (
    select json_agg({_MESSAGE} order by m.id desc) as listed, min(m.id::text)::uuid as oldest
    from (
        select * from inbox_message m
        where m.conversation_id = talk.id and m.deleted_at is null
            and m.direction in ('{Direction.IN.value}', '{Direction.OUT.value}')
        order by m.id desc limit %(limit)s
    ) as m
    left join crm_user as writer on writer.id = m.sender_user_id
) as thread on true"""
_WINDOW = f"json_build_object('open', talk.can_write, 'closes_at', {_time('talk.closes_at')})"
# How many of the incoming messages a member has seen: what came before the joining counts, as everywhere.
_SEEN = f"""least(talk.inbound_count, greatest(0, coalesce(
    (select r.seen_count from inbox_conversationreader r
        where r.conversation_id = talk.id and r.user_id = %(user)s),
    case when talk.created_at >= %(joined_at)s then 0
        when coalesce(talk.last_inbound_at, talk.created_at) <= %(joined_at)s then talk.inbound_count
        else talk.inbound_count - (
            select count(*) from inbox_message m
            where m.conversation_id = talk.id and m.direction = '{Direction.IN.value}'
                and m.created_at > %(joined_at)s and m.deleted_at is null and m.type <> 'reaction'
        ) end
)))"""


def _conversation(seen: str) -> str:
    return f"""case when talk.id is not null then json_build_object(
    'id', talk.id,
    'contact', json_build_object('id', person.id, 'name', person.shown, 'phone', person.phone_normalized),
    'channel', json_build_object(
        'id', talk.channel_id, 'name', talk.channel_name, 'slug', talk.channel_slug, 'kind', talk.channel_kind
    ),
    'scope', talk.scope, 'status', talk.status, 'assignee', {_person("assignee")}, 'priority', talk.priority,
    'labels', coalesce((
        select json_agg(json_build_object('name', label.name, 'hue', label.hue) order by label.name)
        from inbox_conversationlabel worn join inbox_label label on label.id = worn.label_id
        where worn.conversation_id = talk.id
    ), '[]'),
    'inbound_count', talk.inbound_count,
    'last_message', case when last.id is not null then json_build_object(
        'id', last.id, 'direction', last.direction, 'type', last.type, 'body', left(last.body, {PREVIEW}),
        'status', last.status, 'sender', {_sender("last", "last_writer")}, 'error', {_error("last")},
        'created_at', {_time("last.created_at")}
    ) end,
    'last_activity_at', {_time("talk.last_activity_at")}, 'waiting_since', {_time("talk.waiting_since")},
    'window', {_WINDOW}, 'created_at', {_time("talk.created_at")}, 'updated_at', {_time("talk.updated_at")},
    'unread_count', talk.inbound_count - {seen}, 'seen_count', {seen}
) end"""


_PROFILE = f"""(
    select json_build_object(
        'first_name', p.first_name, 'relationship', p.relationship, 'zip_code', p.zip_code,
        'journey_phase', p.journey_phase, 'burnout_score', p.burnout_score, 'burnout_band', p.burnout_band,
        'pressure_zones', p.pressure_zones, 'last_contact_at', {_time("p.last_contact_at")},
        'assessment', p.assessment, 'updated_at', {_time("p.updated_at")}
    ) from crm_contactprofile p where p.contact_id = person.id
)"""
_STATE = f"""(
    select json_build_object(
        'recent_messages', s.recent_messages, 'historical_summary', s.historical_summary,
        'conversation_started_at', {_time("s.conversation_started_at")},
        'total_interactions', s.total_interactions, 'last_message_at', {_time("s.last_message_at")},
        'updated_at', {_time("s.updated_at")}
    ) from crm_contactmemory s where s.contact_id = person.id
)"""
# Of several customers that one person is at Stripe, the one with the newest subscription.
_BILLING = f"""(
    select json_build_object(
        'id', b.id, 'status', b.status, 'past_due', b.status = any({_words(*(status.value for status in PAST_DUE))}),
        'price_id', b.price_id, 'quantity', b.quantity, 'trial_ends_at', {_time("b.trial_ends_at")},
        'period_end', {_time("b.period_end")}, 'cancels_at', {_time("b.cancels_at")},
        'canceled_at', {_time("b.canceled_at")}, 'ended_at', {_time("b.ended_at")},
        'payment_failed_at', {_time("b.payment_failed_at")}, 'updated_at', {_time("b.updated_at")}
    ) from crm_billingaccount b where b.contact_id = person.id and b.workspace_id = caller.workspace_id
    order by b.subscription_created_at desc nulls last, b.id desc limit 1
)"""
# The contact's notes, and the private ones that stand between the messages shown.
_NOTES = f"""coalesce((
    select json_agg(json_build_object(
        'id', note.id, 'contact', person.id, 'conversation', note.conversation_id, 'author', {_person("author")},
        'body', note.body, 'mentions', note.mentions, 'created_at', {_time("note.created_at")},
        'updated_at', {_time("note.updated_at")}
    ) order by note.id desc)
    from (
        (select n.id, null::uuid as conversation_id, n.author_id, n.body, n.mentions, n.created_at, n.updated_at
        from crm_contactnote n where n.contact_id = person.id and n.deleted_at is null
        order by n.id desc limit {MOST_NOTES})
        union all
        (select m.id, m.conversation_id, m.sender_user_id, m.body, array[]::uuid[], m.created_at, m.updated_at
        from inbox_message m
        where m.conversation_id = talk.id and m.id >= thread.oldest and m.direction = '{Direction.NOTE.value}'
            and m.deleted_at is null
        order by m.id desc limit {MOST_NOTES})
        order by id desc limit {MOST_NOTES}
    ) as note left join crm_user as author on author.id = note.author_id
), '[]')"""

_CALLER = """caller.key_id, caller.rate_per_minute, caller.expired, caller.scopes, caller.role, caller.slug,
    caller.default_region, found.ids"""


def _by_phone(caller: str) -> str:
    return f"""with {caller}, {_FOUND}
select {_CALLER}, null, null, null, case when person.id is not null then {_CONTACT} end::text
from caller left join found on true {_PERSON}"""


def _context(caller: str, seen: str) -> str:
    known = f"""json_build_object(
    'contact', {_CONTACT}, 'profile', {_PROFILE}, 'state', {_STATE}, 'billing', {_BILLING},
    'conversation', {_conversation(seen)}, 'messages', coalesce(thread.listed, '[]'), 'notes', {_NOTES},
    'window', case when talk.id is null then json_build_object('open', false, 'closes_at', null) else {_WINDOW} end
)"""
    return f"""with {caller}, {_FOUND}
select {_CALLER}, talk.channel_kind, talk.status, talk.can_write, case when person.id is not null then {known} end::text
from caller left join found on true {_PERSON} {_TALK}"""


BY_PHONE_WITH_KEY = _by_phone(_BY_KEY)
BY_PHONE = _by_phone(_BY_SLUG)
CONTEXT_WITH_KEY = _context(_BY_KEY, "0")
CONTEXT = _context(_BY_SLUG, f"(case when %(user)s::uuid is null then 0 else {_SEEN} end)")
