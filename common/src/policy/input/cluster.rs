//! What is known of a cluster.

super::facts! {
    /// The facts of one cluster.
    ClusterFacts;
    reachable: bool, [Scan], "Whether its API answered when it was last asked.";
    cpu_percent: f64, [Scan], "Mean CPU use of its nodes at the newest sample, in percent.";
    sustained_cpu_percent: f64, [Scan], "The lowest of the newest 3 samples of it; unknown with fewer, or when they are not of the last hour.";
    vms: i64, [Scan], "Virtual machines of labs that run there.";
    ready_nodes: i64, [Scan], "Nodes that are ready.";
    vms_per_node: f64, [Scan], "Virtual machines of labs per ready node, at the newest sample.";
    sustained_vms_per_node: f64, [Scan], "The lowest of the newest 3 samples of it; unknown with fewer, or when they are not of the last hour.";
    memory_percent: f64, [Scan], "Mean memory use of its nodes, in percent.";
    blind_kinds: i64, [Scan], "Kinds of objects that could not be read there for longer than 30 minutes.";
    longest_blind_seconds: i64, [Scan], "For how long the first of them could not be read; 0 when there is none.";
    provisioning: bool, [Scan], "Whether instances of labs are there.";
    accelerator_nodes: i64, [Scan], "Nodes with accelerators.";
    cpu_family_nodes: i64, [Scan], "Worker nodes without accelerators.";
    accelerator_percent: f64, [Scan], "Utilisation of its accelerators, from their own metrics; never guessed from CPU use.";
    cpu_family_percent: f64, [Scan], "Mean CPU use of the worker nodes without accelerators, in percent.";
    accelerator_failed_nodes: i64, [Scan], "Nodes with accelerators that are not ready.";
    crash_loops: i64, [Scan], "Instances there with pods that crash again and again, by the newest verdict.";
    failing_labs: i64, [Scan], "Labs with failing instances there.";
}
