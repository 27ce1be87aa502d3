# ruff: noqa: S608  # only constants of ours are put into these texts
"""The SQL of by-phone and context: who asks, whom the number belongs to, and what is known, as finished JSON.

One statement, whoever runs it: the hot road on its own pool, Django's view on Django's connection. Its access rules are
those of `access.visible_*` written out, its shapes those of `payloads`; tests hold it to both.

What it costs is as much the number of its functions as the rows they see, since Postgres sets each of them up anew for
every run. So rows become JSON whole, by their columns' names, and what most callers do not need is in a text apart.
"""

import re

from crm.models import PAST_DUE
from crm.roles import PERMISSIONS, Action
from inbox.payloads import DETAILS, PREVIEW
from inbox.states import ChannelKind, Direction, Scope, SenderKind
from inbox.windows import WHATSAPP, WINDOW

MOST_NOTES = 20
MOST_MERGES = 20  # that somebody went through, one after the other


def _words(*words: str) -> str:
    return "array[" + ", ".join(f"'{word}'" for word in words) + "]"


def _name(user: str) -> str:
    return f"coalesce(nullif({user}.name, ''), nullif(split_part({user}.email, '@', 1), ''), 'Someone')"


def _person(user_id: str) -> str:
    return f"(select row_to_json(u) from (select u.id, {_name('u')} as name from crm_user u where u.id = {user_id}) u)"


def _sender(message: str) -> str:
    """A user is looked up only where one wrote. The name of a user who is gone is nobody's."""
    kind, user_id = f"{message}.sender_kind", f"{message}.sender_user_id"
    named = f"(select row_to_json(u) from (select {kind} as kind, u.id, {_name('u')} as name"
    return f"""case when {user_id} is not null then {named} from crm_user u where u.id = {user_id}) u)
        else json_build_object('kind', {kind},
            'id', case when {kind} = '{SenderKind.CONTACT.value}' then whom.id end,
            'name', case when {kind} = '{SenderKind.CONTACT.value}' then person.shown else '' end) end"""


def _error(row: str) -> str:
    said = f"json_build_object('code', {row}.error_code, 'message', {row}.error_message)"
    return f"case when {row}.error_message <> '' then {said} end"


_MAY_READ = _words(*(role.value for role, may in PERMISSIONS.items() if Action.READ_INBOX in may))
_WINDOW = f"{int(WINDOW.total_seconds())} seconds"
_NO_OBJECT = "'{}'::jsonb"

# --- Who asks ---------------------------------------------------------------------------------------------------

# By an API key: which, how fast it may ask, what it may do. It reads in its own workspace alone, and only while its
# creator could.
_BY_KEY = f"""
    select k.id as key_id, k.rate_per_minute, coalesce(k.expires_at <= now(), false) as expired, k.scopes, m.role,
        w.id as workspace_id, w.slug, w.default_region,
        w.slug = %(slug)s and coalesce(k.expires_at > now(), true) and '{Action.READ_INBOX.value}' = any(k.scopes)
            and m.role = any({_MAY_READ}) as may_read
    from crm_apikey k
    join crm_workspace w on w.id = k.workspace_id
    join crm_user u on u.id = k.created_by_id
    join crm_member m on m.workspace_id = k.workspace_id and m.user_id = k.created_by_id
    where k.digest = %(digest)s and k.revoked_at is null and u.deactivated_at is null
"""
# Somebody who was recognised before, and found to be allowed to read.
_BY_SLUG = """
    select null::uuid as key_id, 0 as rate_per_minute, false as expired, null::text[] as scopes, null::text as role,
        w.id as workspace_id, w.slug, w.default_region, true as may_read
    from crm_workspace w where w.slug = %(slug)s
"""

# --- Whose number it is -------------------------------------------------------------------------------------------

# A number that can be read in one way only: by the digits that its variants share, or by the column alone. Where the
# two do not agree, or lead to somebody who was merged, nobody is found here, and the other text sorts it out.
_PLAINLY = """
left join crm_contactidentity as listed on caller.may_read and listed.workspace_id = caller.workspace_id
    and listed.kind = 'match' and listed.value = %(match)s
left join crm_contact as noted on caller.may_read and noted.workspace_id = caller.workspace_id
    and noted.phone_normalized = %(number)s and noted.deleted_at is null and noted.phone_normalized <> ''
cross join lateral (select array_remove(array[listed.contact_id, noted.id], null) as ids) as found
left join crm_contact as whom on whom.id = coalesce(listed.contact_id, noted.id)
    and whom.id = coalesce(noted.id, listed.contact_id)
    and whom.workspace_id = caller.workspace_id and whom.deleted_at is null and whom.merged_into_id is null"""
# Every reading, each with its rank. Who was merged is found in whom they were merged into, be it several times over.
_THOROUGHLY = f"""
left join lateral (
    with reading as (
        select said.rank, said.match, said.number
        from unnest(
            %(regions)s::text[], %(ranks)s::int[], %(matches)s::text[], %(numbers)s::text[]
        ) as said(region, rank, match, number)
        where caller.may_read and (said.region = '' or said.region = caller.default_region)
    ),
    hit as materialized (
        select reading.rank, c.id, c.merged_into_id, c.deleted_at
        from reading
        join crm_contactidentity i
            on i.workspace_id = caller.workspace_id and i.kind in ('match', 'whatsapp') and i.value = reading.match
        join crm_contact c on c.id = i.contact_id
        union all
        select reading.rank, c.id, c.merged_into_id, c.deleted_at
        from reading
        join crm_contact c on c.workspace_id = caller.workspace_id and c.phone_normalized = reading.number
            and c.deleted_at is null and c.phone_normalized <> ''
    ),
    winner as (
        select rank, id from hit where merged_into_id is null and deleted_at is null
        union all
        select hit.rank, up.id
        from hit cross join lateral (
            with recursive up(id, merged_into_id, deleted_at, depth) as (
                select c.id, c.merged_into_id, c.deleted_at, 1 from crm_contact c
                where c.id = hit.merged_into_id and c.workspace_id = caller.workspace_id
                union all
                select c.id, c.merged_into_id, c.deleted_at, up.depth + 1
                from up join crm_contact c on c.id = up.merged_into_id and c.workspace_id = caller.workspace_id
                where up.depth < {MOST_MERGES}
            )
            select id from up where merged_into_id is null and deleted_at is null
        ) as up
        where hit.merged_into_id is not null
    )
    select array_agg(distinct id order by id) as ids from winner group by rank order by rank limit 1
) as found on true
left join crm_contact as whom on whom.id = found.ids[1] and cardinality(found.ids) = 1"""
_PERSON = f"""
cross join lateral (
    select coalesce(nullif(whom.name, ''), nullif(whom.phone_normalized, ''), nullif(whom.phone, ''),
        nullif(whom.email, ''), 'Someone') as shown
    offset 0  -- or it would be written out, and set up, wherever it is used
) as person
cross join lateral (
    select whom.id, whom.phone, whom.phone_normalized, whom.name, whom.email, whom.lead_status, whom.lead_score,
        whom.tags, whom.metadata, whom.attributes, {_person("whom.owner_id")} as owner,
        coalesce((select json_agg(i) from (
            select i.kind, i.value from crm_contactidentity i
            where i.contact_id = whom.id and i.kind <> 'match' order by i.kind, i.value
        ) as i), '[]') as identities,
        whom.created_at, whom.updated_at, whom.deleted_at
) as the_contact"""

# --- What is known ------------------------------------------------------------------------------------------------

_MESSAGES = f"""coalesce((select json_agg(message) from (
    select m.id, m.conversation_id as conversation, m.client_id, m.provider_id, m.direction, {_sender("m")} as sender,
        m.type, m.body,
        coalesce((select json_agg(file) from (
            select file.id, file.kind, file.name, file.content_type, file.size, file.state,
                case when file.state = 'stored'
                    then '/api/v1/workspaces/' || caller.slug || '/attachments/' || file.id || '/' end as url,
                case when file.state = 'failed'
                    then json_build_object('code', file.error_code, 'message', file.error_message) end as error
            from inbox_attachment file where file.message_id = m.id order by file.position
        ) as file), '[]') as attachments,
        m.reply_to_id as reply_to, m.status, {_error("m")} as error,
        case when m.direction = '{Direction.IN.value}' then '{{}}'::json else json_strip_nulls(json_build_object(
            'queued', m.created_at, 'sent', m.sent_at, 'delivered', m.delivered_at, 'read', m.read_at,
            'failed', m.failed_at
        )) end as status_times,
        m.provider_time, m.edited_at,
        case when m.detail = {_NO_OBJECT} then m.detail else coalesce((
            select jsonb_object_agg(part.key, part.value) from jsonb_each(m.detail) as part
            where part.key = any({_words(*DETAILS)})
        ), {_NO_OBJECT}) end as detail,
        m.created_at
    from inbox_message m
    where m.conversation_id = talk.id and m.deleted_at is null
        and m.direction in ('{Direction.IN.value}', '{Direction.OUT.value}')
    order by m.id desc limit %(limit)s
) as message), '[]')"""
# The latest conversation. Exam rooms are nobody's here: they are their tutors', at the exam.
_TALK = f"""
left join lateral (
    select * from inbox_conversation talk
    where talk.contact_id = whom.id and talk.workspace_id = caller.workspace_id
        and talk.scope = '{Scope.SUPPORT.value}' and talk.deleted_at is null and talk.merged_into_id is null
    order by talk.last_activity_at desc
    limit 1
) as talk on true
left join inbox_channel as line on line.id = talk.channel_id
left join inbox_message as last on last.id = talk.last_message_id
cross join lateral (
    select line.kind = '{ChannelKind.KAPSO.value}' or (
        line.kind = '{ChannelKind.TWILIO.value}' and starts_with(talk.peer_address, '{WHATSAPP}')
    ) as here
    offset 0
) as limited
cross join lateral (
    select case when limited.here then coalesce(talk.last_inbound_at > now() - interval '{_WINDOW}', false)
        else talk.id is not null end as open,
    case when limited.here then talk.last_inbound_at + interval '{_WINDOW}' end as closes_at
    offset 0
) as the_window"""
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
    return f"""
cross join lateral (select {seen} as count) as seen
cross join lateral (
    select talk.id,
        json_build_object('id', whom.id, 'name', person.shown, 'phone', whom.phone_normalized) as contact,
        json_build_object('id', line.id, 'name', line.name, 'slug', line.slug, 'kind', line.kind) as channel,
        talk.scope, talk.status, {_person("talk.assignee_id")} as assignee,
        (select json_build_object('id', crew.id, 'name', crew.name) from crm_team crew where crew.id = talk.team_id)
            as team,
        talk.snoozed_until, talk.spam_at is not null as is_spam, talk.priority,
        coalesce((select json_agg(label) from (
            select label.name, label.hue
            from inbox_conversationlabel worn join inbox_label label on label.id = worn.label_id
            where worn.conversation_id = talk.id order by label.name
        ) as label), '[]') as labels,
        talk.inbound_count,
        case when last.id is not null then json_build_object(
            'id', last.id, 'direction', last.direction, 'type', last.type, 'body', left(last.body, {PREVIEW}),
            'status', last.status, 'sender', {_sender("last")}, 'error', {_error("last")},
            'created_at', last.created_at
        ) end as last_message,
        talk.last_activity_at, talk.waiting_since, the_window as "window",
        nullif(talk.planned_state, '') as planned_state, talk.created_at, talk.updated_at,
        talk.inbound_count - seen.count as unread_count, seen.count as seen_count
) as conversation"""


_PROFILE = """(select row_to_json(p) from (
    select p.first_name, p.relationship, p.zip_code, p.journey_phase, p.burnout_score, p.burnout_band, p.pressure_zones,
        p.last_contact_at, p.assessment, p.updated_at
    from crm_contactprofile p where p.contact_id = whom.id
) as p)"""
_STATE = """(select row_to_json(s) from (
    select s.recent_messages, s.historical_summary, s.conversation_started_at, s.total_interactions, s.last_message_at,
        s.updated_at
    from crm_contactmemory s where s.contact_id = whom.id
) as s)"""
# Of several customers that one person is at Stripe, the one with the newest subscription.
_BILLING = f"""(select row_to_json(b) from (
    select b.id, b.status, b.status = any({_words(*(status.value for status in PAST_DUE))}) as past_due, b.price_id,
        b.quantity, b.trial_ends_at, b.period_end, b.cancels_at, b.canceled_at, b.ended_at, b.collection_paused,
        b.collection_resumes_at, b.payment_failed_at, b.updated_at
    from crm_billingaccount b where b.contact_id = whom.id and b.workspace_id = caller.workspace_id
    order by b.subscription_created_at desc nulls last, b.id desc limit 1
) as b)"""
# The contact's notes, and the private ones of the latest conversation.
_NOTES = f"""coalesce((select json_agg(note) from (
    select note.id, whom.id as contact, note.conversation, {_person("note.author_id")} as author, note.body,
        note.mentions, note.created_at, note.updated_at
    from (
        (select n.id, null::uuid as conversation, n.author_id, n.body, n.mentions, n.created_at, n.updated_at
        from crm_contactnote n where n.contact_id = whom.id and n.deleted_at is null
        order by n.id desc limit {MOST_NOTES})
        union all
        (select m.id, m.conversation_id, m.sender_user_id, m.body, array[]::uuid[], m.created_at, m.updated_at
        from inbox_message m where m.conversation_id = talk.id and m.deleted_at is null
            and m.direction = '{Direction.NOTE.value}'
        order by m.id desc limit {MOST_NOTES})
    ) as note order by note.id desc limit {MOST_NOTES}
) as note), '[]')"""

_CALLER = """caller.key_id, caller.rate_per_minute, caller.expired, caller.scopes, caller.role, caller.slug,
    caller.default_region, found.ids"""


def _by_phone(caller: str, found: str) -> str:
    return f"""select {_CALLER}, null, null, null, case when whom.id is not null then row_to_json(the_contact)::text end
from ({caller}) as caller {found} {_PERSON}"""


def _context(caller: str, found: str, seen: str) -> str:
    return f"""select {_CALLER}, line.kind, talk.status, the_window.open,
    case when whom.id is not null then row_to_json(known)::text end
from ({caller}) as caller {found} {_PERSON} {_TALK} {_conversation(seen)}
cross join lateral (
    select the_contact as contact, {_PROFILE} as profile, {_STATE} as state, {_BILLING} as billing,
        case when talk.id is not null then conversation end as conversation,
        {_MESSAGES} as messages, {_NOTES} as notes, the_window as "window"
) as known"""


_MEMBERS = f"case when %(user)s::uuid is null then 0 else {_SEEN} end"
# By what is asked, whether a key asks, and whether the number can be read in one way only.
TEXTS = {
    (False, True, True): _by_phone(_BY_KEY, _PLAINLY),
    (False, True, False): _by_phone(_BY_KEY, _THOROUGHLY),
    (False, False, True): _by_phone(_BY_SLUG, _PLAINLY),
    (False, False, False): _by_phone(_BY_SLUG, _THOROUGHLY),
    (True, True, True): _context(_BY_KEY, _PLAINLY, "0"),
    (True, True, False): _context(_BY_KEY, _THOROUGHLY, "0"),
    (True, False, True): _context(_BY_SLUG, _PLAINLY, _MEMBERS),
    (True, False, False): _context(_BY_SLUG, _THOROUGHLY, _MEMBERS),
}


def _numbered(text: str) -> tuple[bytes, tuple[str, ...]]:
    """With $1, $2 for the names, and the names in that order: psycopg reads a text of this length anew for every run,
    which costs more than the run does; one with numbers it passes on as it is."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        if found[1] not in names:
            names.append(found[1])
        return f"${names.index(found[1]) + 1}"

    return re.sub(r"%\((\w+)\)s", number, text).encode(), tuple(names)


NUMBERED = {which: _numbered(text) for which, text in TEXTS.items()}
