-- %(contacts)s people with two conversations each, %(messages)s messages a conversation in many languages, notes, what the contacts'
-- list filters by, and what an assistant is told when one of them calls. Words stand as the tokeniser would have left
-- them: `phrase` has each text with its vector. Foreign keys are not checked on the way in.
set session_replication_role = replica;
set synchronous_commit = off;

insert into crm_apikey
    (id, workspace_id, name, prefix, digest, scopes, created_by_id, rate_per_minute, created_at)
values (uuidv7(), %(workspace_id)s, 'Bench', 'sb_bench', %(digest)s, '{read_inbox,reply,note}', %(user_id)s,
    100000000, now());

create temp table agent as
select number, case when number = 0 then %(user_id)s::uuid else uuidv7() end as id from generate_series(0, 10) as number;

insert into crm_user (id, email, phone, name, is_anonymous, roles, created_at)
select id, 'agent' || number || '@bench.example', '', 'Agent ' || number, false, '{}', now()
from agent where number > 0;

insert into crm_member (id, workspace_id, user_id, role, created_at)
select uuidv7(), %(workspace_id)s, id, 'agent', now() - interval '90 days' from agent where number > 0;

create temp table person as
select series.number, uuidv7(series.number * interval '-1 minute') as id,
    '1202' || lpad((5000000 + series.number)::text, 7, '0') as digits,
    now() - series.number * interval '1 minute' as at, name.text as name, name.vector
from generate_series(0, %(contacts)s - 1) as series(number)
join name on name.number = mod(series.number * 7919, (select count(*) from name));

insert into crm_contact
    (id, workspace_id, phone, phone_normalized, name, email, lead_status, lead_score, tags, metadata, attributes,
    owner_id, search, created_at, updated_at)
select person.id, %(workspace_id)s, '+' || digits, '+' || digits, person.name || ' ' || person.number,
    'person' || person.number || '@bench.example',
    (array['new', 'contacted', 'qualified', 'customer', 'lost'])[1 + mod(person.number / 3, 5)],
    case when mod(person.number, 9) > 0 then mod(person.number * 31, 101) end,
    case when mod(person.number, 4) = 0 then array['vip', 'tag' || mod(person.number, 50)] else '{}' end,
    '{"Language": "English"}', jsonb_build_object('group', 'g' || mod(person.number, 200)),
    case when mod(person.number / 5, 3) > 0 then agent.id end,
    (person.vector || ' ' || person.number || ' person' || person.number || ' bench example ' || digits || ' '
        || right(digits, 7) || ' ' || right(digits, 4))::tsvector,
    person.at, now()
from person join agent on agent.number = mod(person.number, 11);

insert into crm_attributedefinition (id, workspace_id, key, label, type, choices, position, created_at)
values (uuidv7(), %(workspace_id)s, 'group', 'Group', 'text', '{}', 0, now());

insert into crm_contactidentity (id, workspace_id, contact_id, kind, value, created_at)
select uuidv7(), %(workspace_id)s, person.id, form.kind, form.value, now()
from person, lateral (values ('match', digits), ('phone', '+' || digits), ('whatsapp', digits)) as form (kind, value);

insert into crm_contactprofile
    (contact_id, workspace_id, first_name, relationship, zip_code, journey_phase, burnout_score, burnout_band,
    pressure_zones, last_contact_at, assessment, updated_at)
select id, %(workspace_id)s, 'Budi', 'daughter', '10115', 'phase' || mod(number, 8), mod(number, 100),
    (array['low', 'moderate', 'high', 'severe'])[1 + mod(number, 4)], '{sleep,money}', at, '{"step": 3, "of": 9}', now()
from person where mod(number, 3) = 0;

insert into crm_contactmemory
    (contact_id, workspace_id, recent_messages, historical_summary, conversation_started_at, total_interactions,
    last_message_at, updated_at)
select id, %(workspace_id)s, '[]', 'Asked twice about the delivery of a bed; prefers to be called in the morning.',
    at, 10, now() - mod(number * 7919, 500000) * interval '1 minute', now()
from person where mod(number, 10) > 0;

insert into crm_billingaccount
    (id, workspace_id, contact_id, is_workspace, stripe_customer_id, stripe_subscription_id, status, price_id, quantity,
    period_end, subscription_event_rank, created_at, updated_at)
select uuidv7(), %(workspace_id)s, id, false, 'cus_bench' || number, 'sub_bench' || number,
    case when mod(number, 40) = 0 then 'past_due' else 'active' end, 'price_bench', 1,
    now() + interval '20 days', 0, now(), now()
from person where mod(number, 4) = 0;

insert into crm_contactnote (id, workspace_id, contact_id, author_id, body, mentions, search, created_at, updated_at)
select uuidv7(number * interval '-1 minute'), %(workspace_id)s, id, %(user_id)s, phrase.text, '{}',
    phrase.vector::tsvector, at, now()
from person join phrase on phrase.place = mod(person.number * 31, (select count(*) from phrase));

create temp table talk as
select number, uuidv7(number * interval '-1 minute' - interval '1 day') as id,
    uuidv7(number * interval '-1 minute') as last_message_id, now() - number * interval '1 minute' as at
from generate_series(0, %(contacts)s * 2 - 1) as talk(number);

insert into inbox_conversation
    (id, workspace_id, contact_id, channel_id, scope, status, assignee_id, priority, peer_address, last_message_id,
    last_activity_at, last_inbound_at, waiting_since, inbound_count, created_at, updated_at)
select talk.id, %(workspace_id)s, person.id, %(channel_id)s, 'support',
    case when mod(talk.number, 8) = 0 then 'open' else 'resolved' end, %(user_id)s, 'none', person.digits,
    talk.last_message_id, talk.at, talk.at, null, %(messages)s, talk.at - interval '1 day', talk.at
from talk join person on person.number = talk.number / 2;

insert into inbox_message
    (id, workspace_id, conversation_id, channel_id, direction, sender_kind, sender_user_id, type, body, detail,
    provider_id, status, error_code, error_message, send_attempt, sent_at, delivered_at, search, created_at, updated_at)
select case when step = 0 then talk.last_message_id else uuidv7(talk.at - now() - step * interval '1 hour') end,
    %(workspace_id)s, talk.id, %(channel_id)s, way.direction, way.kind, way.author, 'text',
    phrase.text || ' ' || talk.number || late.word, '{}', 'wamid.seed.' || talk.number || '.' || step, way.status, '', '', 0,
    way.at, way.at, (phrase.vector || ' ' || talk.number || late.word)::tsvector, talk.at - step * interval '1 hour', talk.at
from talk cross join generate_series(0, %(messages)s - 1) as step
join phrase on phrase.place = mod(talk.number * 31 + step * 17, (select count(*) from phrase))
cross join lateral (
    select case when step = 0 and talk.number > %(contacts)s then ' bygone' else '' end as word
) as late
cross join lateral (
    select case when mod(step, 2) = 0 then 'in' else 'out' end as direction,
        case when mod(step, 2) = 0 then 'contact' else 'member' end as kind,
        case when mod(step, 2) = 1 then %(user_id)s::uuid end as author,
        case when mod(step, 2) = 0 then 'received' else 'delivered' end as status,
        case when mod(step, 2) = 1 then talk.at - step * interval '1 hour' end as at
) as way;

reset session_replication_role;
