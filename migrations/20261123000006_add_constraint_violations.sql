-- What a lab's definition demands and what runs differ. One open row an instance, a kind and a demand; it never changes an outcome.
create table constraint_violations (
    violation_id uuid primary key,
    instance_id uuid not null references instances,
    type text not null
        constraint violation_type_is_known check (type in ('workload_not_deployed', 'operator_version_drift', 'showroom_wrong_content', 'showroom_wrong_ref', 'resource_below_spec')),
    -- what is demanded, and what is there instead
    expected text not null,
    actual text not null,
    severity text not null constraint violation_severity_is_known check (severity in ('critical', 'warning')),
    detail text not null,
    -- the stage that it says something about
    stage text not null,
    -- the catalog item that demands it
    catalog_item text not null,
    detected_at timestamptz not null,
    cleared_at timestamptz
);
create unique index violation_one_open_per_demand on constraint_violations (instance_id, type, expected) where cleared_at is null;
create index violations_by_detection on constraint_violations (detected_at desc) where cleared_at is null;
create index violations_cleared on constraint_violations (cleared_at) where cleared_at is not null;

-- Constraints are looked up by the name of the catalog item.
create index components_by_name on components ((doc ->> 'name')) where gone_at is null;

-- How often the event of a request was sent: `sweep` sends it again while nobody has taken it.
alter table collection_requests add column attempts integer not null default 1;
alter table collection_requests add column asked_at timestamptz;
create unique index collection_request_one_open_per_source on collection_requests (source) where done_at is null;

-- Deliveries of the repository's webhook, by the sender's id. A delivery that comes again is the same one. 30 days.
create table webhook_deliveries (
    delivery_id text primary key,
    request_id uuid references collection_requests,
    received_at timestamptz not null
);
create index webhook_deliveries_by_time on webhook_deliveries (received_at);
