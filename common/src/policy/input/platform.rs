//! What is known of the platform as a whole.

super::facts! {
    /// The facts of everything at once.
    PlatformFacts;
    provisions_finished: i64, [Babylon], "Provisions of subjects that ended within 24 h, well or badly; cancelled ones apart.";
    provisions_failed: i64, [Babylon], "Those of them that failed.";
    provisions_canceled: i64, [Babylon], "Provisions that were cancelled within 24 h.";
    provision_success_percent: f64, [Babylon], "Share of the finished ones that succeeded; unknown when none has finished.";
    sandbox_healthy: bool, [SandboxApi], "Whether the health check of the Sandbox API answers.";
    sandbox_replicas_ready: i64, [SandboxApi], "Replicas of its Deployment that are ready.";
    sandbox_replicas_wanted: i64, [SandboxApi], "Replicas there should be.";
    queued_placements: i64, [SandboxApi], "Placements that wait.";
    queue_rising: bool, [SandboxApi],
        "Whether more wait now than 15 minutes ago, and never fewer in between; unknown while samples do not reach back that far.";
    clusters_without_slots: i64, [SandboxApi], "Clusters that take no more placements in this window.";
}
