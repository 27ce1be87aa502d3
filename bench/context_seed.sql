-- %(contacts)s people with two conversations each, %(messages)s messages a conversation, and what is kept about them: what an assistant
-- is told when one of them calls. Foreign keys are not checked on the way in.
set session_replication_role = replica;
set synchronous_commit = off;

insert into crm_apikey
    (id, workspace_id, name, prefix, digest, scopes, created_by_id, rate_per_minute, created_at)
values (uuidv7(), %(workspace_id)s, 'Bench', 'sb_bench', %(digest)s, '{read_inbox,reply,note}', %(user_id)s,
    100000000, now());

create temp table person as
select number, uuidv7(interval '-200 days') as id, '1202' || lpad((5000000 + number)::text, 7, '0') as digits
from generate_series(0, %(contacts)s - 1) as number;

insert into crm_contact
    (id, workspace_id, phone, phone_normalized, name, email, lead_status, lead_score, tags, metadata, attributes,
    created_at, updated_at)
select id, %(workspace_id)s, '+' || digits, '+' || digits,
    (array['Budi Santoso', 'Lucía Fernández', '王小明', 'Priya Sharma', 'Omar Haddad', 'Anna Schmidt'])
        [1 + mod(number, 6)] || ' ' || number,
    'person' || number || '@bench.example', 'qualified', mod(number, 100), '{vip,spring}',
    '{"Language": "English", "Town": "Springfield"}', '{}', now() - interval '200 days', now()
from person;

insert into crm_contactidentity (id, workspace_id, contact_id, kind, value, created_at)
select uuidv7(), %(workspace_id)s, person.id, form.kind, form.value, now()
from person, lateral (values ('match', digits), ('phone', '+' || digits), ('whatsapp', digits)) as form (kind, value);

insert into crm_contactprofile
    (contact_id, workspace_id, first_name, relationship, zip_code, journey_phase, burnout_score, burnout_band,
    pressure_zones, last_contact_at, assessment, updated_at)
select id, %(workspace_id)s, 'Budi', 'daughter', '10115', 'settling', mod(number, 100), 'moderate', '{sleep,money}',
    now(), '{"step": 3, "of": 9}', now()
from person;

insert into crm_contactmemory
    (contact_id, workspace_id, recent_messages, historical_summary, conversation_started_at, total_interactions,
    last_message_at, updated_at)
select id, %(workspace_id)s, '[]', 'Asked twice about the delivery of a bed; prefers to be called in the morning.',
    now() - interval '90 days', 10, now(), now()
from person;

insert into crm_billingaccount
    (id, workspace_id, contact_id, is_workspace, stripe_customer_id, stripe_subscription_id, status, price_id, quantity,
    period_end, subscription_event_rank, created_at, updated_at)
select uuidv7(), %(workspace_id)s, id, false, 'cus_bench' || number, 'sub_bench' || number, 'active', 'price_bench', 1,
    now() + interval '20 days', 0, now(), now()
from person where mod(number, 4) = 0;

insert into crm_contactnote (id, workspace_id, contact_id, author_id, body, mentions, created_at, updated_at)
select uuidv7(), %(workspace_id)s, id, %(user_id)s, 'Call back on Monday before ten.', '{}', now(), now()
from person where mod(number, 2) = 0;

create temp table talk as
select number, uuidv7(number * interval '-1 minute' - interval '1 day') as id,
    uuidv7(number * interval '-1 minute') as last_message_id, now() - number * interval '1 minute' as at
from generate_series(0, %(contacts)s * 2 - 1) as talk(number);

insert into inbox_conversation
    (id, workspace_id, contact_id, channel_id, scope, status, assignee_id, priority, peer_address, last_message_id,
    last_activity_at, last_inbound_at, waiting_since, inbound_count, created_at, updated_at)
select talk.id, %(workspace_id)s, person.id, %(channel_id)s, 'support',
    case when mod(talk.number, 2) = 0 then 'open' else 'resolved' end, %(user_id)s, 'none', person.digits,
    talk.last_message_id, talk.at, talk.at, null, %(messages)s, talk.at - interval '1 day', talk.at
from talk join person on person.number = talk.number / 2;

insert into inbox_message
    (id, workspace_id, conversation_id, channel_id, direction, sender_kind, sender_user_id, type, body, detail,
    provider_id, status, error_code, error_message, send_attempt, sent_at, delivered_at, created_at, updated_at)
select case when step = 0 then talk.last_message_id else uuidv7(talk.at - now() - step * interval '1 hour') end,
    %(workspace_id)s, talk.id, %(channel_id)s, way.direction, way.kind, way.author, 'text',
    'Could you tell me where order ' || talk.number || ' is? I need it before Friday.', '{}',
    'wamid.seed.' || talk.number || '.' || step, way.status, '', '', 0, way.at, way.at,
    talk.at - step * interval '1 hour', talk.at
from talk, generate_series(0, %(messages)s - 1) as step, lateral (
    select case when mod(step, 2) = 0 then 'in' else 'out' end as direction,
        case when mod(step, 2) = 0 then 'contact' else 'member' end as kind,
        case when mod(step, 2) = 1 then %(user_id)s::uuid end as author,
        case when mod(step, 2) = 0 then 'received' else 'delivered' end as status,
        case when mod(step, 2) = 1 then talk.at - step * interval '1 hour' end as at
) as way;

reset session_replication_role;
