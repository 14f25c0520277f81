//! What is known of a lab: who is coming, what was ordered, what runs.

super::facts! {
    /// The facts of one lab. Orders count, not components: what one attendee gets is one.
    LabFacts;
    sessions: i64, [Labagator], "Sessions that are not over and not cancelled.";
    next_session_in_seconds: i64, [Labagator],
        "Seconds until the next session begins; negative while it runs. Unknown when there is none, or its time is open.";
    attendees: i64, [Labagator], "Attendees of the next session.";
    needed: i64, [Labagator, Babylon],
        "Instances that the next session needs: its attendees, or that divided by the users of an instance where several share one.";
    orders: i64, [Babylon], "Claimed orders that are not on their way out.";
    started: i64, [Babylon], "Claimed orders of which every component is in the state `started`.";
    ready_handles: i64, [Babylon], "Unclaimed handles of the lab's pools that can be handed out now: ready and not unhealthy.";
    provision_failed: i64, [Babylon], "Claimed orders of which a component ended in provision-failed, provision-error or provision-canceled.";
    oldest_unstarted_seconds: i64, [Babylon], "Age of the oldest claimed order that should run and of which a component has not started, failed or not; unknown when there is none.";
    unstarted: i64, [Babylon], "Claimed orders that should run and of which a component has not started, failed or not.";
    has_provision_estimate: bool, [Babylon], "Whether the lab's catalog item says how long provisioning takes.";
    provision_estimate_seconds: i64, [Babylon], "How long the catalog item says that provisioning takes; the longest of several.";
    teardown_failed: i64, [Babylon], "Components in destroy-failed, destroy-error or destroy-canceled.";
    tearing_down: i64, [Babylon], "Components in destroying or destroy-pending.";
    oldest_teardown_seconds: i64, [Babylon], "For how long the oldest component is being torn down, or has failed to be; unknown when none is.";
    destroying_oldest_seconds: i64, [Babylon], "For how long the oldest component in destroying or destroy-pending is; unknown when none is.";
    smoke_runs: i64, [Demolition], "Smoke runs of the lab that have a result.";
    smoke_total: i64, [Demolition], "Simulated attendees of the newest smoke run.";
    smoke_failed: i64, [Demolition], "Simulated attendees that failed in the newest smoke run.";
    smoke_age_seconds: i64, [Demolition], "Seconds since the result of the newest smoke run was first seen.";
    provision_jobs: i64, [Aap], "Provision jobs of the lab that finished within 24 h, without cancelled ones.";
    provision_jobs_failed: i64, [Aap], "Those of them that failed.";
    provision_jobs_failed_in_a_row: i64, [Aap], "How many of the newest of them failed, up to the first that did not.";
    provision_top_task: String, [Aap], "The task that failed most of them; `unknown task` when no evidence could be read.";
    destroy_jobs: i64, [Aap], "Destroy jobs of the lab that finished within 24 h, without cancelled ones.";
    destroy_jobs_failed: i64, [Aap], "Those of them that failed.";
    destroy_jobs_failed_in_a_row: i64, [Aap], "How many of the newest of them failed, up to the first that did not.";
    destroy_top_task: String, [Aap], "The task that failed most of them; `unknown task` when no evidence could be read.";
    instances: i64, [Scan], "Instances of the lab on clusters.";
    showroom_failing: i64, [Scan], "Instances whose stage showroom-healthy has failed and is confirmed.";
    route_missing: i64, [Scan],
        "Instances whose namespace-ready passes and whose route-ready fails with route_missing or route_not_admitted, by the newest verdict.";
    agent_missing: i64, [Scan], "Instances whose vm-runtime-ready says guest_agent_not_connected, by the newest verdict.";
    complexity: f64, [Agnosticv], "How heavy the lab's item is to provision, 0 to 1: workloads, collections, workers, timeout, components.";
    busiest_cluster: String, [Scan], "Of the clusters that the lab runs on, the one with the highest CPU use.";
    busiest_cluster_cpu_percent: f64, [Scan], "CPU use of that cluster, in percent.";
}
