-- What of the provisioning systems is known of which instance, and how old the results of smoke runs can be.

-- A kind that is joined to instances instead of being read in their namespace says something of those it was joined to, and only since then:
-- no row and no document means that nobody knows, a row without a document means that there is none.
create table joined_kinds (
    instance_id uuid not null references instances,
    kind text not null,
    -- the first reading that was joined
    since timestamptz not null,
    primary key (instance_id, kind)
);

-- Demolition gives no times. What a run came to is as old as the reading before the one that saw it appear.
create table smoke_results (
    run_key text collate "C" primary key,
    total bigint,
    completed bigint,
    failed bigint,
    -- earliest time it can have come; null: it was there when Demolition was first read
    not_before timestamptz,
    seen_at timestamptz not null
);
