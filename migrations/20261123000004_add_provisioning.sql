-- What the provisioning systems said: the newest allow-listed projection of each of their objects, and how it joins to instances.

-- One row an object. Columns are what statements select by; the document is the rest. docs/decisions/0010.
create table records (
    kind text not null,
    -- what identifies the object in its source, for ever
    key text collate "C" not null,
    -- sources.source: a complete reading of one source says nothing about the objects of another
    source text not null,
    content_hash bytea not null,
    doc jsonb not null,
    first_seen_at timestamptz not null,
    -- when this content was first read
    changed_at timestamptz not null,
    -- when a complete reading no longer had it
    gone_at timestamptz,
    primary key (kind, key)
) partition by list (kind);
create table subjects partition of records for values in ('subject');
create table anarchy_runs partition of records for values in ('anarchy-run');
create table resource_claims partition of records for values in ('resource-claim');
create table resource_handles partition of records for values in ('resource-handle');
create table resource_pools partition of records for values in ('resource-pool');
create table resource_providers partition of records for values in ('resource-provider');
create table catalog_items partition of records for values in ('catalog-item');
create table workshops partition of records for values in ('workshop');
create table workshop_provisions partition of records for values in ('workshop-provision');
create table components partition of records for values in ('component');
create table labs partition of records for values in ('lab');
create table sessions partition of records for values in ('session');
create table smoke_runs partition of records for values in ('smoke-run');
create table aap_jobs partition of records for values in ('aap-job');
create table placements partition of records for values in ('placement');
create table sandbox_clusters partition of records for values in ('sandbox-cluster');
create table records_default partition of records default;
create index records_by_source on records (source, kind) where gone_at is null;
create index subjects_by_state on subjects ((doc ->> 'current_state')) where gone_at is null;
create index subjects_by_uuid on subjects ((doc ->> 'service_uuid')) where gone_at is null;
create index aap_jobs_by_finish on aap_jobs ((doc ->> 'finished_at'));

-- Every change of a subject's state, as far as collections saw it. 400 days.
create table subject_transitions (
    at timestamptz not null,
    subject_key text collate "C" not null,
    name text not null,
    from_state text,
    to_state text not null,
    -- earliest time it can have happened: the collection before
    not_before timestamptz,
    primary key (subject_key, at)
) partition by range (at);
create table subject_transitions_default partition of subject_transitions default;

-- How full a pool was, written when it differs and once an hour. 14 days.
create table pool_samples (
    at timestamptz not null,
    pool_key text collate "C" not null,
    -- unclaimed, ready and not unhealthy
    usable integer not null,
    -- unclaimed, in any condition
    available integer not null,
    unready integer not null,
    claimed integer not null,
    min_available integer not null,
    primary key (pool_key, at)
) partition by range (at);
create table pool_samples_default partition of pool_samples default;

-- One row a run of a collector. 90 days.
create table collections (
    collection_id uuid not null,
    source text not null,
    trigger text not null constraint collection_trigger_is_known check (trigger in ('schedule', 'request', 'command')),
    state text not null constraint collection_state_is_known check (state in ('complete', 'partial', 'failed')),
    started_at timestamptz not null,
    finished_at timestamptz not null,
    requests integer not null,
    bytes bigint not null,
    items integer not null,
    -- rows of records written or marked gone
    changed integer not null,
    problems jsonb not null default '[]',
    primary key (collection_id, started_at)
) partition by range (started_at);
create table collections_default partition of collections default;
create index collections_by_source on collections (source, started_at desc);

-- How things of different systems belong together. One row an edge; written when it differs.
create table links (
    from_kind text not null,
    from_key text collate "C" not null,
    to_kind text not null,
    to_key text collate "C" not null,
    -- which key joined them, for example `service_uuid`
    method text not null,
    strength text not null constraint link_strength_is_known check (strength in ('exact', 'strong', 'weak')),
    since timestamptz not null,
    primary key (from_kind, from_key, to_kind, to_key)
);
create index links_backwards on links (to_kind, to_key, from_kind);

-- What should have joined something and did not.
create table unmatched (
    kind text not null,
    key text collate "C" not null,
    -- the kind of thing it should have been joined to
    wanted text not null,
    reason text not null,
    since timestamptz not null,
    primary key (kind, key, wanted)
);

-- Somebody wants a source read now; done when a collection of it began later. `sweep` sees to those that nobody took.
create table collection_requests (
    request_id uuid primary key,
    source text not null,
    reason text not null,
    requested_at timestamptz not null,
    collection_id uuid,
    done_at timestamptz
);
create index collection_requests_open on collection_requests (requested_at) where done_at is null;

-- Until when a source asked to be left alone, and how often in a row it could not be read.
alter table sources add column retry_at timestamptz;
alter table sources add column failures integer not null default 0;

-- A collection that brought evidence of instances is judged like any other reading of their cluster.
alter table scans drop constraint scan_tier_is_known;
alter table scans add constraint scan_tier_is_known check (tier in ('cluster', 'workloads', 'everything', 'provisioning'));
