-- What the policy engine advises, what it could not tell, and where it stands. docs/decisions/0012.

-- One row a rule and subject, for ever the same id. Nothing here acts.
create table recommendations (
    recommendation_id uuid primary key,
    rule text not null,
    scope text not null constraint recommendation_scope_is_known check (scope in ('lab', 'pool', 'cluster', 'platform')),
    scope_key text collate "C" not null,
    state text not null constraint recommendation_state_is_known check (state in ('issued', 'withdrawn')),
    urgency text not null constraint recommendation_urgency_is_known check (urgency in ('critical', 'high', 'medium', 'low')),
    -- the most urgent first
    urgency_rank smallint not null generated always as (
        case urgency when 'critical' then 0 when 'high' then 1 when 'medium' then 2 else 3 end) stored,
    -- in hundredths
    confidence smallint not null,
    title text not null,
    decision text not null,
    -- what makes it another decision when it changes
    key_facts jsonb not null,
    sources jsonb not null,
    evidence jsonb not null,
    context jsonb not null,
    escalated boolean not null,
    -- over everything that people see
    content_hash bytea not null,
    -- why it cannot be told whether it still holds; null when it can
    unknown_reason text,
    unknown_since timestamptz,
    revision integer not null,
    rules_version text not null,
    issued_at timestamptz not null,
    -- when the decision last changed
    updated_at timestamptz not null,
    withdrawn_at timestamptz,
    withdrawal text constraint recommendation_withdrawal_is_known check (withdrawal in ('no_longer', 'subject_gone', 'rule_gone'))
);
create index recommendations_by_urgency on recommendations (urgency_rank, confidence desc, recommendation_id) where state = 'issued';
create index recommendations_by_subject on recommendations (scope, scope_key);

-- Rules that could not be told of some subjects, by reason: replaced by every run, written when it differs.
create table rule_unknowns (
    rule text not null,
    scope text not null,
    reason text not null,
    subjects integer not null,
    -- the first of them, by name
    examples jsonb not null,
    -- facts that are not known, and who knows them
    facts jsonb not null,
    sources jsonb not null,
    since timestamptz not null,
    primary key (rule, reason)
);

-- Measurements that rules ask about over time: CPU use of a cluster, placements that wait. A day.
create table policy_samples (
    series text not null,
    key text collate "C" not null,
    at timestamptz not null,
    value double precision not null,
    primary key (series, key, at)
);

-- The newest run. One row.
create table policy_state (
    one boolean primary key default true constraint policy_state_is_one_row check (one),
    -- raised by every run: two runs at once cannot both be the next one
    run bigint not null,
    -- versions of what was read: an event about no newer ones is taken in already
    inputs jsonb not null,
    as_of timestamptz not null,
    rules_version text not null,
    asked integer not null,
    issued integer not null,
    unknown integer not null
);
