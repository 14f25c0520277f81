-- How loaded each cluster was: one row a quarter of an hour, with what the evaluations of its scans found in it. Sums and counts, so that any
-- longer span is computed from them exactly. 100 days.
create table cluster_samples (
    cluster_id uuid not null,
    -- when the quarter begins
    at timestamptz not null,
    -- percent of the compute nodes
    cpu_sum double precision not null default 0,
    cpu_n integer not null default 0,
    mem_sum double precision not null default 0,
    mem_n integer not null default 0,
    -- running VMs per ready node
    density_sum double precision not null default 0,
    density_n integer not null default 0,
    -- scans after which it was known which instances there are, and what their pods do
    looks integer not null default 0,
    primary key (cluster_id, at)
) partition by range (at);
create table cluster_samples_default partition of cluster_samples default;

-- In which quarters somebody looked is known of the past, too.
insert into cluster_samples (cluster_id, at, looks)
select cluster_id, date_bin('15 min', observed_at, 'epoch'), count(*)
from scans where tier in ('workloads', 'everything') and state <> 'failed' group by 1, 2;
