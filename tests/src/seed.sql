-- A fleet of any size, for tests and benchmarks of readers; see seed.rs. Everything follows from row numbers, so the same size gives the
-- same fleet. `seed` holds one row: now, clusters, instances, labs, days, per_day.

-- One number from a row number and a salt, evenly from 0 to 999, the same everywhere.
create function pg_temp.roll(n bigint, salt text) returns integer
    language sql immutable
    return abs(hashtextextended(n || salt, 0) % 1000)::int;

insert into clusters (cluster_id, name, simulated, openshift_version, api_reachable, nodes, cpu_pct, mem_pct, vms, evaluated_as_of,
                      first_seen_at, updated_at)
select md5('cluster' || n)::uuid, 'cnv-' || lpad(n::text, 2, '0'), true, '4.19.' || n, true,
       jsonb_build_object('total', 24, 'ready', 24 - n % 3, 'unschedulable', n % 2), 40 + n * 3, 50 + n * 2, 300 + n * 11,
       now - interval '2 min', now - interval '90 days', now
from seed, generate_series(1, clusters) n;

insert into cluster_kinds (cluster_id, kind, missing, detail, items, interval_s, last_attempt_at, last_success_at)
select cluster_id, kind,
       case when absent then 'api_absent' end, '', case when absent then 0 else 1000 end, interval_s,
       now - interval '1 s' * (interval_s / 10), case when not absent then now - interval '1 s' * (interval_s / 10) end
from seed, clusters,
     (values ('node', 300, false), ('node-metrics', 300, false), ('cluster-version', 300, false), ('cluster-operator', 900, false),
             ('namespace', 900, false), ('pod', 900, false), ('virtual-machine-instance', 900, false), ('deployment', 3600, false),
             ('service', 3600, false), ('endpoint-slice', 3600, false), ('route', 3600, false), ('virtual-machine', 3600, false),
             ('data-volume', 3600, false), ('inference-service', 3600, true)) k (kind, interval_s, absent);

insert into cluster_evidence (cluster_id, kind, content_hash, doc, observed_at)
select cluster_id, 'node', sha256(name::bytea),
       (select json_agg(json_build_object(
            'metadata', json_build_object('name', 'worker-' || lpad(i::text, 2, '0'), 'labels', json_build_object('node-role.kubernetes.io/worker', '')),
            'spec', json_build_object('unschedulable', i = 3),
            'status', json_build_object(
                'conditions', json_build_array(json_build_object('type', 'Ready', 'status', case when i = 5 then 'False' else 'True' end)),
                'allocatable', json_build_object('cpu', '64', 'memory', '263567000Ki'),
                'nodeInfo', json_build_object('kubeletVersion', 'v1.32.6')))) from generate_series(1, 24) i),
       now - interval '30 s'
from seed, clusters
union all
select cluster_id, 'node-metrics', sha256((name || 'm')::bytea),
       (select json_agg(json_build_object('metadata', json_build_object('name', 'worker-' || lpad(i::text, 2, '0')), 'timestamp', now,
            'usage', json_build_object('cpu', (i * 1500) || 'm', 'memory', (i * 5) || 'Gi'))) from generate_series(1, 24) i),
       now - interval '30 s'
from seed, clusters;

insert into instances (instance_id, cluster_id, namespace, uid, guid, service_uuid, suffix, lab_code, kind, intent, phase, state, worst_stage,
                       failure_class, failing_since, created_at, first_seen_at, changed_at)
select md5('instance' || n)::uuid, md5('cluster' || (1 + n % clusters))::uuid, 'sandbox-' || guid || coalesce('-' || suffix, ''),
       md5('uid' || n), guid, md5('service' || n), suffix, case when lab % 5 < 3 and suffix is not null then 'LB' || lpad(lab::text, 4, '0') end,
       (array ['container', 'vm', 'container-vm', 'showroom-tenant', 'model'])[1 + lab % 5], 'started', 'started', state,
       case when state = 'failing' then (array ['deployment-ready', 'route-ready', 'vm-runtime-ready', 'showroom-healthy'])[1 + n % 4] end,
       case when state = 'failing' then (array ['pods_crashlooping', 'service_has_no_endpoints', 'vmi_not_running', 'showroom_pod_down'])[1 + n % 4] end,
       case when state = 'failing' then now - interval '1 min' * (1 + pg_temp.roll(n, 'since')) end,
       now - interval '1 min' * (30 + pg_temp.roll(n, 'age') * 9), now - interval '1 min' * (29 + pg_temp.roll(n, 'age') * 9),
       now - interval '1 min' * pg_temp.roll(n, 'changed')
from seed,
     generate_series(1, instances) n,
     lateral (select n % labs as lab, substr(md5('guid' || n), 1, 8) as guid, pg_temp.roll(n, 'state') as dice) r,
     lateral (select case when n % 40 <> 0 then 'topic-' || lpad(lab::text, 3, '0') end as suffix,
                     case when dice < 890 then 'ready' when dice < 920 then 'warning' when dice < 960 then 'failing'
                          when dice < 980 then 'provisioning' when dice < 990 then 'unknown' else 'stopped' end as state) s;

insert into incidents (incident_id, fingerprint, scope, subject_id, cluster_id, instance_id, namespace, lab, stage, failure_class, state, priority,
                       level, message, onset_at, opened_at, updated_at)
select md5('incident' || i.instance_id)::uuid, i.instance_id || '/' || worst_stage, 'instance', i.instance_id, cluster_id, i.instance_id,
       namespace, lab, worst_stage, failure_class, 'open', priority,
       case when priority >= 8 then 'critical' when priority >= 6 then 'high' when priority >= 4 then 'medium' else 'low' end,
       'one of its parts does not run', failing_since, failing_since + interval '5 min', failing_since + interval '5 min'
from seed, instances i, lateral (select (20 + abs(hashtext(namespace) % 70))::real / 10 as priority) p
where i.state = 'failing';

-- On each cluster one class is systemic: a parent covers its incidents.
insert into incidents (incident_id, fingerprint, scope, cluster_id, stage, failure_class, state, priority, level, message, onset_at, opened_at,
                       instances, updated_at)
select md5('parent' || cluster_id)::uuid, cluster_id || '/pods_crashlooping', 'cluster', cluster_id, 'deployment-ready', 'pods_crashlooping',
       'open', 8.5, 'critical', count(*) || ' instances crash', min(onset_at), min(opened_at), count(*), min(opened_at)
from incidents where failure_class = 'pods_crashlooping' group by cluster_id;
update incidents c set parent_id = p.incident_id
from incidents p where p.scope = 'cluster' and c.scope = 'instance' and c.cluster_id = p.cluster_id and c.failure_class = p.failure_class;

insert into incidents (incident_id, fingerprint, scope, subject_id, cluster_id, instance_id, namespace, lab, stage, failure_class, state, priority,
                       level, message, onset_at, opened_at, resolved_at, resolution, updated_at)
select md5('resolved' || n)::uuid, i.instance_id || '/old' || n, 'instance', i.instance_id, cluster_id, i.instance_id, namespace, lab, 'route-ready',
       'route_missing', 'resolved', 5, 'medium', 'it had no route', at, at + interval '5 min', at + interval '35 min', 'self_resolved',
       at + interval '35 min'
from seed,
     generate_series(1, days * per_day / 10) n,
     lateral (select now - interval '1 day' * days * (n / (days * per_day / 10.0)) as at) t,
     instances i
where i.instance_id = md5('instance' || (1 + n % seed.instances))::uuid;

insert into transitions (transition_id, at, subject_id, cluster_id, instance_id, namespace, lab, stage, direction, from_outcome, to_outcome,
                         from_class, to_class, incident_id)
select md5('transition' || n)::uuid, at, i.instance_id, cluster_id, i.instance_id, namespace, lab, 'route-ready',
       case n % 2 when 0 then 'degraded' else 'recovered' end, case n % 2 when 0 then 'pass' else 'fail' end,
       case n % 2 when 0 then 'fail' else 'pass' end, case n % 2 when 1 then 'route_missing' end, case n % 2 when 0 then 'route_missing' end, null
from seed,
     generate_series(0, days * per_day - 1) n,
     lateral (select now - interval '1 day' * (n / per_day::float8) - interval '1 s' as at) t,
     instances i
where i.instance_id = md5('instance' || (1 + n % seed.instances))::uuid;

insert into instance_rollup (cluster_id, lab, state, stage, failure_class, instances, oldest_failing_since)
select cluster_id, lab, state, coalesce(worst_stage, ''), coalesce(failure_class, ''), count(*), min(failing_since)
from instances where deleted_at is null group by 1, 2, 3, 4, 5;

insert into view_versions (view, version, changed_at)
select view, 1, now from seed, unnest(array ['clusters', 'incidents', 'instances', 'scans', 'transitions']) view;

insert into sources (source, enabled, interval_s, last_attempt_at, last_success_at, last_error, expected, reporting, missing)
select 'labagator', true, 900, now - interval '1 min', now - interval '2 h', '503 from the API', 40, 38, '["LB0001", "LB0002"]'::jsonb from seed
union all
select 'aap', false, 300, null, null, null, null, null, '[]'::jsonb from seed;

-- Five stages apply to each instance; the failing one fails, and what comes after it is blocked by it.
insert into stage_state (subject_id, stage, cluster_id, instance_id, observed, reason, confirmed, confirmed_class, failure_class, since,
                         incident_id, recommended_action, message, criteria, verdict_hash, identity, rubric_version, observed_at)
select i.instance_id, s.stage, i.cluster_id, i.instance_id, observed, case when observed = 'indeterminate' then 'not_collected' end,
       case when observed <> 'indeterminate' then observed end, class, class, coalesce(failing_since, first_seen_at),
       case when class is not null then md5('incident' || i.instance_id)::uuid end, case when class is not null then 'inspect_' || class end,
       case when class is not null then 'one of its parts does not run' else '' end,
       jsonb_build_array(
           jsonb_build_object('name', 'first_criterion', 'role', 'entry', 'required', true, 'value', true, 'unknown_reason', null),
           jsonb_build_object('name', 'second_criterion', 'role', 'exit', 'required', true, 'value', observed = 'pass', 'unknown_reason', null,
               'failing', case when class is null then '[]'::jsonb
                   else jsonb_build_array(jsonb_build_object('kind', 'Deployment', 'name', 'web', 'reason', '0 of 1 ready')) end)),
       sha256((i.instance_id || s.stage)::bytea), '', '1', now - interval '5 min'
from seed, instances i,
     unnest(array ['run-created', 'namespace-ready', 'deployment-ready', 'route-ready', 'vm-runtime-ready', 'showroom-healthy']) with ordinality s (stage, place),
     lateral (select case when s.stage = i.worst_stage then 'fail' when i.state in ('unknown', 'provisioning') and place > 2 then 'indeterminate'
                          when i.state = 'warning' and s.stage = 'route-ready' then 'warn' else 'pass' end as observed,
                     case when s.stage = i.worst_stage then i.failure_class end as class) v;

insert into stage_state (subject_id, stage, cluster_id, observed, confirmed, since, message, criteria, verdict_hash, identity, rubric_version, observed_at)
select cluster_id, 'cluster-health', cluster_id, 'pass', 'pass', now - interval '9 days', '',
       '[{"name": "cluster_reachable", "role": "exit", "required": true, "value": true, "unknown_reason": null}]', sha256(name::bytea), '', '1',
       now - interval '2 min'
from seed, clusters;

insert into stage_rollup (cluster_id, lab, stage, outcome, instances)
select s.cluster_id, i.lab, s.stage, s.observed, count(*) from stage_state s join instances i using (instance_id) group by 1, 2, 3, 4;

insert into scans (scan_id, cluster_id, tier, trigger, state, observed_at, started_at, finished_at, requests, bytes, items, namespaces, changed,
                   problems, coverage, evaluated_at)
select md5(name || tier || at)::uuid, cluster_id, tier, 'schedule', case when extract(minute from at)::int % 7 = 0 then 'partial' else 'complete' end,
       at, at, at + interval '9 s', 12, 48000000, 60000, 3000, 17, '[]', '{}', at + interval '10 s'
from seed, clusters,
     (values ('cluster', interval '5 min'), ('workloads', interval '15 min'), ('everything', interval '1 h')) t (tier, every),
     generate_series(now - interval '1 day' * days, now - interval '1 min', every) at;

insert into evidence (instance_id, kind, content_hash, doc, observed_at)
select instance_id, k.kind, sha256((namespace || k.kind)::bytea),
       json_build_array(json_build_object('metadata', json_build_object('name', namespace, 'uid', uid))), now - interval '20 min'
from seed, instances, unnest(array ['namespace', 'pod', 'route']) k (kind)
where state = 'failing';

insert into outbox (event_id, type, source, subject, time, partition_key, data, created_at, available_at)
select md5('event' || n)::uuid, 'io.stargate.scan.completed.v1', '/stargate/scan', 'cnv-01', now, 'cnv-01', '{}', now - interval '40 s', now
from seed, generate_series(1, 3) n;

insert into dead_letters (dead_letter_id, consumer, event_source, event_id, event_type, payload, error_code, error, received_at)
select md5('dead' || n)::uuid, 'evaluate', '/stargate/scan', n::text, 'io.stargate.scan.completed.v1', '{}', 400, 'unreadable', now
from seed, generate_series(1, 2) n;

insert into recommendations (recommendation_id, rule, scope, scope_key, state, urgency, confidence, title, decision, key_facts, sources, evidence,
                             context, escalated, content_hash, unknown_reason, unknown_since, revision, rules_version, issued_at, updated_at,
                             withdrawn_at, withdrawal)
select md5('advice' || n)::uuid, r.rule, r.scope, r.scope_key, case when n = 4 then 'withdrawn' else 'issued' end, r.urgency, r.confidence,
       'A heading', 'ready 0, minimum 10', '{"minimum": "10"}', '["babylon"]',
       '[{"group": "pools", "count": 1, "items": [{"kind": "resource-pool", "key": "p1", "detail": "usable 0"}]}]',
       '{"stages_judged": 6, "failing": [{"stage": "route-ready", "instances": 2, "outcome": "fail", "class": "route_missing"}]}',
       n = 2, sha256('advice'), case when n = 3 then 'stale' end, case when n = 3 then now - interval '9 min' end, n, 'v1', now - interval '1 h',
       now - interval '1 min' * n, case when n = 4 then now end, case when n = 4 then 'no_longer' end
from seed, (values (1, 'route_not_created', 'lab', 'LB0001', 'medium', 85), (2, 'provision_blocked_lab', 'lab', 'LB0002', 'critical', 95),
                   (3, 'pool_exhaustion', 'pool', 'poolboy/web', 'high', 80), (4, 'cleanup_stuck', 'lab', 'LB0001', 'high', 90),
                   (5, 'pool_exhaustion', 'pool', 'poolboy/db', 'high', 95)) r (n, rule, scope, scope_key, urgency, confidence);

insert into rule_unknowns (rule, scope, reason, subjects, examples, facts, sources, since)
select 'aap_provision_failing', 'lab', 'not_collected', 40, '["LB0001", "LB0002"]'::jsonb, '["provision_jobs"]'::jsonb, '["aap"]'::jsonb, now from seed;

insert into cluster_samples (cluster_id, at, cpu_sum, cpu_n, mem_sum, mem_n, density_sum, density_n, looks)
select cluster_id, date_bin('15 min', at, 'epoch'), 3 * (40 + pg_temp.roll(extract(epoch from at)::int / 900, name) % 30), 3,
       3 * (50 + pg_temp.roll(extract(epoch from at)::int / 900, name || 'm') % 20), 3, 3 * 2.5, 3, 1
from seed, clusters, generate_series(now - interval '1 day' * days, now - interval '1 min', interval '15 min') at;
