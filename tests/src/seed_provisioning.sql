-- What the provisioning systems say about the fleet of seed.sql: a subject, a handle and a job for five of six instances, a pool and a catalog
-- item a lab, sessions of those with a code. Everything follows from row numbers.


create temporary table made on commit drop as
select row_number() over (order by namespace, instance_id) as n, instance_id, cluster_id, namespace, guid, service_uuid, suffix, lab_code, state, created_at
from instances where suffix is not null;
delete from made where n % 6 = 0;

create temporary table topics on commit drop as
select suffix, min(lab_code) as lab_code, 'acme-labs.' || suffix || '.event' as item, row_number() over (order by suffix) as n
from instances where suffix is not null group by suffix;

insert into records (kind, key, source, content_hash, doc, first_seen_at, changed_at)
select 'catalog-item', md5('item' || suffix), 'babylon', sha256(item::bytea),
       jsonb_build_object('uid', md5('item' || suffix), 'namespace', 'catalog-event', 'name', item, 'display_name', 'About ' || suffix,
                          'stage', 'event', 'provision_estimate_s', 1800, 'multiuser', false), now - interval '9 days', now - interval '9 days'
from seed, topics
union all
select 'lab', lab_code, 'labagator', sha256(lab_code::bytea),
       jsonb_build_object('code', lab_code, 'title', 'Learn ' || suffix, 'status', 'planning', 'ci_name', 'acme-labs.' || suffix, 'event_id', 7),
       now - interval '9 days', now - interval '9 days'
from seed, topics where lab_code is not null
union all
select 'session', 'session-' || t.n || '-' || s, 'labagator', sha256((lab_code || s)::bytea),
       jsonb_build_object('id', 'session-' || t.n || '-' || s, 'lab_code', lab_code, 'date', (now + offset_)::date,
                          'start_time', ((now + offset_) at time zone 'UTC')::time, 'end_time', null, 'time_zone', 'UTC',
                          'starts_at', to_char((now + offset_) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                          'ends_at', to_char((now + offset_ + interval '90 min') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                          'time_note', '', 'room', 'Room ' || s, 'attendees', case when (t.n + s) % 5 <> 0 then 10 + (t.n * 7 + s) % 30 end,
                          'status', 'planned', 'event_id', 7), now - interval '9 days', now - interval '9 days'
from seed, topics t, generate_series(0, 2) s, lateral (select interval '1 h' * (t.n % 4 - 1 + s * 24) + interval '25 min' as offset_) o
where lab_code is not null
union all
select 'resource-pool', md5('pool' || suffix), 'babylon', sha256(('pool' || suffix)::bytea),
       jsonb_build_object('uid', md5('pool' || suffix), 'namespace', 'poolboy', 'name', item, 'created_at', '2026-10-01T00:00:00Z', 'min_available', 3,
                          'max_unready', 2, 'providers', jsonb_build_array(item), 'available', 3, 'ready', 3 - n % 4,
                          'unclaimed', (select jsonb_agg(jsonb_build_object('name', 'guid-p' || n || i, 'ready', i > n % 4, 'healthy', i > n % 4))
                                        from generate_series(1, 3) i)), now - interval '9 days', now - interval '3 min'
from seed, topics
union all
select 'resource-provider', md5('provider' || suffix), 'babylon', sha256(('provider' || suffix)::bytea),
       jsonb_build_object('uid', md5('provider' || suffix), 'namespace', 'poolboy', 'name', item, 'disabled', n % 29 = 7), now - interval '9 days',
       now - interval '9 days'
from seed, topics
union all
select 'sandbox-cluster', name, 'sandbox-api', sha256(('slots' || name)::bytea),
       jsonb_build_object('name', name, 'valid', true, 'rate_limit', 10, 'rate_used', 3, 'rate_free', 7), now - interval '9 days', now - interval '3 min'
from seed, clusters
union all
select 'sandbox-cluster', '*', 'sandbox-api', sha256('*'), '{"name": "*", "queued_placements": 4, "healthy": true}', now, now from seed
union all
select 'subject', md5('subject' || m.n), 'babylon', sha256(('subject' || m.n)::bytea),
       jsonb_build_object('uid', md5('subject' || m.n), 'namespace', 'anarchy-1', 'name', item || '-' || guid || '-1', 'governor', item,
           'created_at', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), 'anarchy_finalizer', true,
           'current_state', life, 'desired_state', 'started', 'guid', guid || '-1', 'service_uuid', service_uuid, 'lab_cluster', c.name,
           'lab_namespace', namespace,
           'handle', jsonb_build_object('namespace', 'poolboy', 'name', 'guid-' || guid), 'pool', jsonb_build_object('namespace', 'poolboy', 'name', item),
           'claim', jsonb_build_object('namespace', 'user-' || m.n % 100, 'name', item || '-' || guid),
           'actions', case life
               when 'provisioning' then jsonb_build_object('provision', jsonb_build_object('started_at', begun))
               else jsonb_build_object('provision', jsonb_build_object('started_at', begun, 'completed_at', ended,
                                           'state', case life when 'started' then 'successful' else 'failed' end)) end,
           'jobs', jsonb_build_object('provision', jsonb_build_object('host', 'aap-1.example.test', 'id', m.n,
                       'status', case life when 'started' then 'successful' when 'provisioning' then '' else 'failed' end, 'started_at', begun))),
       created_at, created_at + interval '20 min'
from made m join topics using (suffix) join clusters c using (cluster_id),
     lateral (select case when state = 'provisioning' then 'provisioning' when state = 'failing' and m.n % 4 = 0 then 'provision-failed'
                          else 'started' end as life,
                     to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as begun,
                     to_char((created_at + interval '20 min') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as ended) l
union all
select 'resource-handle', md5('handle' || m.n), 'babylon', sha256(('handle' || m.n)::bytea),
       jsonb_build_object('uid', md5('handle' || m.n), 'namespace', 'poolboy', 'name', 'guid-' || guid,
           'created_at', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'claim', jsonb_build_object('namespace', 'user-' || m.n % 100, 'name', item || '-' || guid),
           'pool', jsonb_build_object('namespace', 'poolboy', 'name', item), 'healthy', true, 'ready', true), created_at, created_at
from made m join topics using (suffix)
union all
select 'aap-job', 'aap-1.example.test/' || m.n, 'aap/aap-1.example.test', sha256(('job' || m.n)::bytea),
       jsonb_build_object('controller', 'aap-1.example.test', 'id', m.n, 'name', 'acme-org ' || item || '-provision ' || service_uuid,
           'phase', 'provision', 'service_uuid', service_uuid, 'status', case when m.n % 4 = 0 and state = 'failing' then 'failed'
               when state = 'provisioning' then 'running' else 'successful' end,
           'created_at', to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'started_at', to_char((created_at + interval '1 min') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
           'finished_at', case when state <> 'provisioning' then to_char((created_at + interval '20 min') at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') end,
           'elapsed_s', case when state <> 'provisioning' then 1140 end,
           'failure', case when m.n % 4 = 0 and state = 'failing' then jsonb_build_object('task', 'Wait for the operator', 'role', 'operators',
               'module', 'k8s_info', 'message', 'timed out', 'class', 'operator_not_ready') end), created_at, created_at
from made m join topics using (suffix);

insert into subject_transitions (at, subject_key, name, from_state, to_state, not_before)
select created_at + interval '20 min', md5('subject' || m.n), guid, 'provisioning',
       case when state = 'failing' and m.n % 4 = 0 then 'provision-failed' else 'started' end, created_at + interval '15 min'
from made m where state <> 'provisioning';

insert into pool_samples (at, pool_key, usable, available, unready, claimed, min_available)
select now - interval '1 h' * h, md5('pool' || suffix), 3 - (n + h) % 4, 3, (n + h) % 4, 20 + h, 3 from seed, topics, generate_series(0, 30) h;

insert into links (from_kind, from_key, to_kind, to_key, method, strength, since)
select 'instance', instance_id::text, 'subject', md5('subject' || n), 'service_uuid', 'exact', created_at from made
union all
select 'instance', instance_id::text, 'resource-handle', md5('handle' || n), 'service_uuid > handle', 'exact', created_at from made
union all
select 'instance', instance_id::text, 'catalog-item', item, 'service_uuid > claim > label', 'exact', created_at from made join topics using (suffix)
union all
select 'instance', instance_id::text, 'lab', m.lab_code, 'service_uuid > claim > label > ci_name', 'strong', created_at from made m where m.lab_code is not null
union all
select 'aap-job', 'aap-1.example.test/' || n, 'subject', md5('subject' || n), 'tower_jobs', 'exact', created_at from made
union all
select 'catalog-item', item, 'lab', lab_code, 'ci_name', 'strong', now - interval '9 days' from seed, topics where lab_code is not null
union all
select 'resource-pool', md5('pool' || suffix), 'catalog-item', item, 'provider', 'strong', now - interval '9 days' from seed, topics;

insert into unmatched (kind, key, wanted, reason, since)
select 'instance', instance_id::text, 'subject', 'leaked: neither a subject nor a placement knows it', first_seen_at from instances where suffix is null;

insert into sources (source, enabled, interval_s, last_attempt_at, last_success_at, expected, reporting)
select source, true, interval_s, now - interval '2 min', now - interval '2 min', 1, 1
from seed, (values ('babylon', 300), ('sandbox-api', 300), ('agnosticv', 3600), ('demolition', 900), ('aap/aap-1.example.test', 900)) s (source, interval_s);
insert into view_versions (view, version, changed_at) select 'provisioning', 1, now from seed;
