-- The spine: clusters, instances, their evidence, state, transitions and incidents, and the plumbing of events.
-- Rules: text with named checks instead of enums; timestamptz only; ids and times come from the caller.
-- Writes follow change: freshness lives once per cluster and kind (cluster_kinds), never per instance.

create table clusters (
    cluster_id uuid primary key,
    name text collate "C" not null constraint cluster_names_are_unique unique,
    enabled boolean not null default true,
    simulated boolean not null default false,
    openshift_version text,
    -- null: nobody asked yet
    api_reachable boolean,
    api_detail text not null default '',
    -- Derived from the cluster's own evidence when it changes; see db/clusters.rs.
    nodes jsonb not null default '{}',
    cpu_pct real,
    mem_pct real,
    vms integer,
    -- The observation time of the newest evaluated evidence.
    evaluated_as_of timestamptz,
    first_seen_at timestamptz not null,
    updated_at timestamptz not null,
    version integer not null default 1
);

-- What the last attempt to read a kind on a cluster came to. One row per cluster and kind: this is the freshness of
-- every instance of the cluster, because every LIST covers the whole cluster.
create table cluster_kinds (
    cluster_id uuid not null references clusters,
    kind text not null,
    -- why the last attempt is not the whole truth; null when it is
    missing text,
    detail text not null default '',
    items integer,
    interval_s integer not null,
    last_attempt_at timestamptz not null,
    last_success_at timestamptz,
    primary key (cluster_id, kind)
);

-- Documents are json, not jsonb: they are written and read whole, and may hold what jsonb refuses (an escaped NUL in a pod's message).
create table cluster_evidence (
    cluster_id uuid not null references clusters,
    kind text not null,
    content_hash bytea not null,
    doc json not null,
    observed_at timestamptz not null,
    primary key (cluster_id, kind)
);

create table instances (
    instance_id uuid primary key,
    cluster_id uuid not null references clusters,
    -- Names are ASCII; the C collation makes their order the same everywhere and lets one index serve order and prefix search.
    namespace text collate "C" not null,
    -- Kubernetes uid: a re-created namespace starts clean
    uid text not null,
    guid text collate "C",
    service_uuid text,
    suffix text,
    catalog_item text,
    lab_code text,
    -- What lists and rollups group by: the lab, else what was ordered, else what the namespace is named for.
    lab text collate "C" not null generated always as (coalesce(lab_code, catalog_item, suffix, 'unmapped')) stored,
    kind text not null default 'unknown',
    intent text not null default 'unknown',
    phase text not null default 'unknown',
    state text not null default 'unknown'
        constraint instance_state_is_known check (state in ('provisioning', 'ready', 'warning', 'failing', 'stopped', 'terminating', 'gone', 'unknown')),
    worst_stage text,
    failure_class text,
    sub_class text,
    failing_since timestamptz,
    created_at timestamptz,
    first_seen_at timestamptz not null,
    -- When the state above last changed.
    changed_at timestamptz not null,
    deleted_at timestamptz,
    version integer not null default 1,
    constraint instance_uid_is_unique_per_cluster unique (cluster_id, uid)
) with (fillfactor = 80);
create unique index instance_name_is_unique_while_live on instances (cluster_id, namespace) where deleted_at is null;
create index instances_by_state on instances (state, cluster_id) where deleted_at is null;
create index instances_by_lab on instances (lab, namespace) where deleted_at is null;
create index instances_by_class on instances (failure_class) where deleted_at is null and failure_class is not null;
create index instances_by_namespace on instances (namespace, instance_id) where deleted_at is null;
create index instances_by_guid on instances (guid) where deleted_at is null;

-- The projected objects of one kind in one instance, as last read completely. No row: the kind was read and there are none.
create table evidence (
    instance_id uuid not null references instances,
    kind text not null,
    content_hash bytea not null,
    doc json not null,
    -- when this content was first observed
    observed_at timestamptz not null,
    primary key (instance_id, kind)
) with (fillfactor = 70);

-- Content that was replaced: for the story of an incident, and so that a scan that waits for its evaluation is still judged by
-- what it had read. The subject is an instance or a cluster. 14 days.
create table evidence_history (
    subject_id uuid not null,
    kind text not null,
    content_hash bytea not null,
    doc json not null,
    observed_at timestamptz not null,
    replaced_at timestamptz not null,
    primary key (subject_id, kind, replaced_at)
) partition by range (replaced_at);

-- Where each stage of each subject stands. The subject is an instance, or a cluster for cluster-health. No row: the stage does not
-- apply (it is skipped), or was never evaluated. Rows are written when something differs, not when they are evaluated.
create table stage_state (
    subject_id uuid not null,
    stage text not null,
    cluster_id uuid not null references clusters,
    instance_id uuid references instances,
    -- what the newest evaluation said
    observed text not null constraint observed_outcome_is_known check (observed in ('pass', 'warn', 'fail', 'indeterminate', 'skipped')),
    -- why, when indeterminate or skipped
    reason text,
    -- what the state machine has confirmed; null until it has
    confirmed text constraint confirmed_outcome_is_known check (confirmed in ('pass', 'warn', 'fail')),
    confirmed_class text,
    -- class of the newest definite verdict
    failure_class text,
    sub_class text,
    -- since when the confirmed outcome holds
    since timestamptz,
    pending text,
    pending_since timestamptz,
    pending_count integer not null default 0,
    unknown_since timestamptz,
    changes timestamptz[] not null default '{}',
    flapping_until timestamptz,
    incident_id uuid,
    recommended_action text,
    message text not null default '',
    criteria jsonb not null default '[]',
    verdict_hash bytea not null,
    -- uids and generations of the workload: other ones let a recovery be believed at once
    identity bytea not null,
    rubric_version text not null,
    -- when the evidence behind this row was read: compare-and-set, older evidence is ignored
    observed_at timestamptz not null,
    primary key (subject_id, stage)
) with (fillfactor = 70);
create index stage_state_by_outcome on stage_state (stage, observed);
create index stage_state_by_cluster on stage_state (cluster_id);
create index stage_state_by_class on stage_state (failure_class) where failure_class is not null;

-- Confirmed changes. 400 days.
create table transitions (
    transition_id uuid not null,
    at timestamptz not null,
    subject_id uuid not null,
    cluster_id uuid not null,
    instance_id uuid,
    namespace text,
    -- instances.lab; null when the subject is a cluster
    lab text collate "C",
    stage text not null,
    direction text not null constraint transition_direction_is_known check (direction in ('initial_fail', 'degraded', 'recovered', 'softened', 'cleared')),
    from_outcome text,
    to_outcome text not null,
    from_class text,
    to_class text,
    incident_id uuid,
    primary key (transition_id, at)
) partition by range (at);
create index transitions_by_time on transitions (at desc, transition_id);
create index transitions_by_cluster on transitions (cluster_id, at desc);
create index transitions_by_instance on transitions (instance_id, at desc);
create index transitions_by_lab on transitions (lab, at desc);

create table incidents (
    incident_id uuid primary key,
    -- what it is about while open: subject and stage, or the correlation key of a parent
    fingerprint text not null,
    scope text not null constraint incident_scope_is_known check (scope in ('instance', 'cluster', 'catalog_item', 'fleet')),
    parent_id uuid references incidents,
    subject_id uuid,
    cluster_id uuid references clusters,
    instance_id uuid references instances,
    namespace text,
    -- instances.lab; null when the subject is a cluster
    lab text collate "C",
    stage text not null,
    failure_class text,
    sub_class text,
    class_history jsonb not null default '[]',
    state text not null constraint incident_state_is_known check (state in ('open', 'resolved')),
    muted boolean not null default false,
    flapping boolean not null default false,
    -- 0.0 to 10.0, one decimal
    priority real not null,
    level text not null constraint incident_level_is_known check (level in ('critical', 'high', 'medium', 'low')),
    message text not null default '',
    -- when it began, as far as evidence tells; when it was confirmed
    onset_at timestamptz not null,
    opened_at timestamptz not null,
    resolved_at timestamptz,
    resolution text constraint incident_resolution_is_known check (resolution in ('self_resolved', 'namespace_recycled', 'children_resolved')),
    -- open instances it covers: 1, or the children of a parent
    instances integer not null default 1,
    clusters integer not null default 1,
    revision integer not null default 1,
    updated_at timestamptz not null
);
create unique index incident_one_open_per_fingerprint on incidents (fingerprint) where state = 'open';
create index incidents_open_by_priority on incidents (priority desc, incident_id) where state = 'open';
create index incidents_by_time on incidents (opened_at desc, incident_id);
create index incidents_by_parent on incidents (parent_id) where parent_id is not null;
create index incidents_open_by_class on incidents (failure_class, cluster_id) where state = 'open';
create index incidents_by_instance on incidents (instance_id, opened_at desc);

-- One row per run of a tier on a cluster. 90 days.
create table scans (
    scan_id uuid not null,
    cluster_id uuid not null,
    tier text not null constraint scan_tier_is_known check (tier in ('cluster', 'workloads', 'everything')),
    trigger text not null constraint scan_trigger_is_known check (trigger in ('schedule', 'request', 'command')),
    state text not null constraint scan_state_is_known check (state in ('complete', 'partial', 'failed')),
    observed_at timestamptz not null,
    started_at timestamptz not null,
    -- when it was stored; strictly rising per cluster: the order of evaluation
    finished_at timestamptz not null,
    requests integer not null,
    bytes bigint not null,
    items integer not null,
    namespaces integer not null,
    -- evidence documents that changed
    changed integer not null,
    problems jsonb not null default '[]',
    -- what was known of every kind once this scan was stored, so that it can be judged later as if at once
    coverage jsonb not null,
    -- when evaluate had taken it in; null: sweep re-drives
    evaluated_at timestamptz,
    primary key (scan_id, started_at)
) partition by range (started_at);
create index scans_by_cluster on scans (cluster_id, tier, started_at desc);
create index scans_by_time on scans (started_at desc, scan_id);
create index scans_not_evaluated on scans (cluster_id, finished_at) where evaluated_at is null;

-- Where data comes from and how old it is: one row per source, a cluster's tiers among them.
create table sources (
    source text primary key,
    enabled boolean not null default true,
    interval_s integer not null,
    last_attempt_at timestamptz,
    last_success_at timestamptz,
    last_error text,
    expected integer,
    reporting integer,
    missing jsonb not null default '[]'
);

-- Live instances counted by what lists group by; replaced per cluster in the transaction that changes instances.
create table instance_rollup (
    cluster_id uuid not null references clusters,
    -- instances.lab, never empty
    lab text collate "C" not null,
    state text not null,
    stage text not null,
    failure_class text not null,
    instances integer not null,
    oldest_failing_since timestamptz,
    primary key (cluster_id, lab, state, stage, failure_class)
);

-- Stage outcomes counted per cluster and lab, for pipelines.
create table stage_rollup (
    cluster_id uuid not null references clusters,
    lab text collate "C" not null,
    stage text not null,
    outcome text not null,
    instances integer not null,
    primary key (cluster_id, lab, stage, outcome)
);

-- One number per read model, raised in the transaction that changes it: the ETag of every answer.
create table view_versions (
    view text primary key,
    version bigint not null,
    changed_at timestamptz not null
);

create table outbox (
    seq bigint generated always as identity,
    event_id uuid not null,
    type text not null,
    source text not null,
    subject text not null,
    time timestamptz not null,
    partition_key text not null,
    extensions jsonb not null default '{}',
    data jsonb not null,
    created_at timestamptz not null,
    available_at timestamptz not null,
    attempts integer not null default 0,
    last_error text,
    claim_token uuid,
    claimed_until timestamptz,
    sent_at timestamptz,
    primary key (seq, created_at)
) partition by range (created_at);
create index outbox_unsent on outbox (available_at, seq) where sent_at is null;
create index outbox_by_event on outbox (event_id);

-- Which events a consumer has taken in, in the transaction of their effect. The day is that of the event's own time, so that
-- a redelivery meets the same partition. 7 days.
create table inbox (
    consumer text not null,
    event_day date not null,
    source text not null,
    event_id text not null,
    received_at timestamptz not null,
    primary key (consumer, event_day, source, event_id)
) partition by range (event_day);

create table dead_letters (
    dead_letter_id uuid primary key,
    consumer text not null,
    event_source text not null,
    event_id text not null,
    event_type text not null,
    payload jsonb not null,
    error_code integer,
    error text,
    received_at timestamptz not null,
    replayed_at timestamptz,
    constraint dead_letter_once_per_consumer unique (consumer, event_source, event_id)
);

-- Every partitioned table has a default partition, so that a late or early row is never refused; `retain` keeps it empty.
create table evidence_history_default partition of evidence_history default;
create table transitions_default partition of transitions default;
create table scans_default partition of scans default;
create table outbox_default partition of outbox default;
create table inbox_default partition of inbox default;

-- `query` connects with a role that can only read.
do $$
begin
    if not exists (select from pg_roles where rolname = 'stargate_query') then
        create role stargate_query login;
    end if;
exception
    -- another database of this server is being migrated at the same moment
    when duplicate_object or unique_violation then null;
end
$$;
grant usage on schema public to stargate_query;
grant select on all tables in schema public to stargate_query;
alter default privileges in schema public grant select on tables to stargate_query;
