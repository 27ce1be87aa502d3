-- A busy workspace: %(contacts)s people with two conversations each on two channels, one a minute into the past, eleven
-- agents, labels, and how far the agent who looks has read. Some conversations are older than that agent's membership.
-- Foreign keys are not checked on the way in.
set session_replication_role = replica;
set synchronous_commit = off;

update crm_member set created_at = now() - interval '60 days' where user_id = %(user_id)s;

create temp table agent as
select number, case when number = 0 then %(user_id)s::uuid else uuidv7() end as id
from generate_series(0, 10) as number;

insert into crm_user (id, email, phone, name, is_anonymous, roles, created_at)
select id, 'agent' || number || '@bench.example', '', 'Agent ' || number, false, '{}', now()
from agent where number > 0;

insert into crm_member (id, workspace_id, user_id, role, created_at)
select uuidv7(), %(workspace_id)s, id, 'agent', now() - interval '90 days'
from agent where number > 0;

insert into inbox_channel
    (id, workspace_id, slug, kind, name, identifier, phone, credentials, settings, is_active, created_at)
values (uuidv7(), %(workspace_id)s, 'bench-second', 'twilio', 'Second', '', '', '', '{}', true, now());

create temp table channel as
select row_number() over (order by slug) - 1 as number, id
from inbox_channel where workspace_id = %(workspace_id)s and slug in ('bench-kapso', 'bench-second');

create temp table person as
select number, uuidv7(interval '-200 days') as id
from generate_series(0, %(contacts)s - 1) as number;

insert into crm_contact
    (id, workspace_id, phone, phone_normalized, name, email, lead_status, tags, metadata, created_at, updated_at)
select id, %(workspace_id)s, '', '+1555' || lpad(number::text, 8, '0'),
    (array['Budi Santoso', 'Lucía Fernández', '王小明', 'Priya Sharma', 'Omar Haddad', 'Anna Schmidt'])
        [1 + mod(number, 6)] || ' ' || number,
    '', '', '{}', '{}', now() - interval '200 days', now()
from person;

create temp table talk as
select number, uuidv7(number * interval '-1 minute' - interval '1 day') as id,
    uuidv7(number * interval '-1 minute') as last_message_id, now() - number * interval '1 minute' as at,
    (select id from channel where channel.number = mod(talk.number, 2)) as channel_id,
    case when mod(number / 2, 10) = 0 then 'open' when mod(number / 2, 20) = 1 then 'pending'
        when mod(number / 2, 50) = 3 then 'snoozed' else 'resolved' end as status
from generate_series(0, %(contacts)s * 2 - 1) as talk(number);

insert into inbox_conversation
    (id, workspace_id, contact_id, channel_id, scope, status, assignee_id, priority, peer_address, last_message_id,
    last_activity_at, last_inbound_at, waiting_since, inbound_count, created_at, updated_at)
select talk.id, %(workspace_id)s, person.id, talk.channel_id, 'support', talk.status,
    case when mod(talk.number / 10, 3) > 0 then agent.id end,
    (array['none', 'none', 'none', 'low', 'high', 'urgent'])[1 + mod(talk.number / 7, 6)],
    '', talk.last_message_id, talk.at, talk.at - interval '1 minute',
    case when mod(talk.number / 10, 2) = 0 and talk.status <> 'resolved' then talk.at - interval '5 minutes' end,
    1 + mod(talk.number, 5), talk.at - mod(talk.number, 9) * interval '15 days', talk.at
from talk
join person on person.number = talk.number / 2
join agent on agent.number = mod(talk.number / 30, 11);

insert into inbox_message
    (id, workspace_id, conversation_id, channel_id, direction, sender_kind, type, body, detail, provider_id, status,
    error_code, error_message, send_attempt, created_at, updated_at)
select case when step = 0 then talk.last_message_id else uuidv7(talk.at - now() - step * interval '1 hour') end,
    %(workspace_id)s, talk.id, talk.channel_id, 'in', 'contact', 'text',
    'Could you tell me where order ' || talk.number || ' is? I need it before Friday.', '{}',
    'wamid.seed.' || talk.number || '.' || step, 'received', '', '', 0,
    talk.at - step * interval '1 hour', talk.at
from talk, generate_series(0, %(messages)s - 1) as step;

insert into inbox_conversationreader (workspace_id, conversation_id, user_id, seen_count, updated_at)
select %(workspace_id)s, talk.id, %(user_id)s, case when mod(number / 3, 8) = 0 then 0 else 1 + mod(number, 5) end, now()
from talk where mod(number, 7) < 5;

create temp table label as select number, uuidv7() as id from generate_series(1, 8) as number;

insert into inbox_label (id, workspace_id, name, hue)
select id, %(workspace_id)s, 'label ' || number, number from label;

insert into inbox_conversationlabel (workspace_id, conversation_id, label_id)
select %(workspace_id)s, talk.id, label.id
from talk join label on label.number = 1 + mod(talk.number, 16);

insert into crm_savedview
    (id, workspace_id, scope, name, audience, owner_id, filters, sort, columns, position, created_at, updated_at)
values (%(saved_view)s, %(workspace_id)s, 'conversations', 'AND and OR', 'mine', %(user_id)s, '{"all": [
    {"field": "status", "is": "in", "value": ["open", "pending"]},
    {"any": [
        {"field": "labels", "is": "any", "value": ["label 3"]},
        {"all": [
            {"field": "priority", "is": "in", "value": ["urgent", "high"]},
            {"field": "waiting", "is": "longer_than_hours", "value": 24}]},
        {"field": "contact.name", "is": "contains", "value": "Priya"}]}]}', '', '[]', 0, now(), now());

insert into crm_savedview
    (id, workspace_id, scope, name, audience, owner_id, filters, sort, columns, position, created_at, updated_at)
select id, %(workspace_id)s, 'conversations', 'By window ' || id, 'mine', %(user_id)s, filters, '', '[]', 0, now(), now()
from jsonb_to_recordset(%(window_views)s::jsonb) as view(id uuid, filters jsonb);

reset session_replication_role;
