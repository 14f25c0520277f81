-- What readers of the provisioning records page, filter and count by.

-- What a subject's state means; provisioning/state.rs decides, and a test compares the two for every state.
create function subject_class(doc jsonb) returns text
    language sql immutable parallel safe
    return case
        when doc ->> 'deleting_since' is not null and not coalesce((doc ->> 'anarchy_finalizer')::boolean, false) then 'gone'
        when doc ->> 'current_state' = 'destroy-complete' then 'gone'
        when doc ->> 'current_state' in ('destroy-failed', 'destroy-error', 'destroy-canceled') then 'failed_retrying'
        when doc ->> 'deleting_since' is not null then 'in_progress'
        when doc ->> 'current_state' in ('start-failed', 'start-error', 'start-canceled', 'stop-failed', 'stop-error', 'stop-canceled')
            then 'failed_retrying'
        when coalesce(doc ->> 'current_state', '') in ('', 'new') then 'initializing'
        when doc ->> 'current_state' in ('provision-queued', 'provision-pending', 'start-pending', 'stop-pending', 'update-pending',
            'destroy-pending', 'provisioning', 'starting', 'stopping', 'updating', 'destroying') then 'in_progress'
        when doc ->> 'current_state' in ('provision-failed', 'provision-error', 'provision-canceled', 'update-failed', 'update-error',
            'update-canceled') then 'failed_terminal'
        when doc ->> 'current_state' in ('started', 'stopped') then doc ->> 'current_state'
        else 'unknown'
    end;

create index subjects_by_name on subjects (((doc ->> 'name') collate "C"), key) where gone_at is null;
create index subjects_by_change on subjects (changed_at, key) where gone_at is null;
create index subjects_by_class on subjects (subject_class(doc), ((doc ->> 'name') collate "C"), key) where gone_at is null;
create index subjects_by_governor on subjects ((doc ->> 'governor')) where gone_at is null;
create index subjects_by_pool on subjects ((doc #>> '{pool,name}')) where gone_at is null;
create index subjects_by_guid on subjects ((doc ->> 'guid')) where gone_at is null;
-- What may be stuck: nothing that just runs, or is just off.
create index subjects_that_move on subjects (key)
    where gone_at is null and (subject_class(doc) not in ('started', 'stopped', 'gone') or (doc ->> 'ignored')::boolean);
-- Every provision ends once, well or badly; those of subjects that are gone count too.
create index subjects_by_provision_end on subjects
    ((coalesce(doc #>> '{actions,provision,completed_at}', doc #>> '{jobs,provision,completed_at}', '') collate "C"));
create index subjects_by_end on subjects (gone_at) where gone_at is not null;
create index subject_transitions_by_time on subject_transitions (at desc);
create index aap_jobs_by_begin on aap_jobs
    ((coalesce(doc ->> 'started_at', doc ->> 'created_at', '') collate "C") desc, key) where gone_at is null;
create index aap_jobs_by_subject on aap_jobs ((doc ->> 'service_uuid'));
create index resource_handles_unclaimed on resource_handles (key) where gone_at is null and doc ->> 'claim' is null;
create index resource_handles_by_end on resource_handles (gone_at) where gone_at is not null;
create index sessions_by_lab on sessions ((doc ->> 'lab_code')) where gone_at is null;
