//! The files of `rubrics/` and `remediations/`, built into the program: it works without a checkout.

use super::rubric::File;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(File { path: $path, text: include_str!(concat!("../../../rubrics/", $path)) }),*]
    };
}

macro_rules! actions {
    ($($id:literal),* $(,)?) => {
        [$(File {
            path: concat!("remediations/", $id, "/action.yaml"),
            text: include_str!(concat!("../../../remediations/", $id, "/action.yaml")),
        }),*]
    };
}

/// Every rubric file of a set.
pub(super) const FILES: [File<'static>; 21] = files![
    "cluster-health/rubric.yaml",
    "deployment-ready/rubric.yaml",
    "kinds.yaml",
    "labs/webshop-database/rubric.yaml",
    "model-endpoint-ready/rubric.yaml",
    "namespace-ready/rubric.yaml",
    "patterns/aap.yaml",
    "patterns/alertmanager.yaml",
    "patterns/infrastructure.yaml",
    "patterns/k8s_events.yaml",
    "patterns/prometheus.yaml",
    "patterns/summit.yaml",
    "patterns/topology_hosts.yaml",
    "provision-complete/rubric.yaml",
    "route-ready/rubric.yaml",
    "run-created/rubric.yaml",
    "showroom-healthy/rubric.yaml",
    "smoke-test-ready/rubric.yaml",
    "storage-clone-ready/rubric.yaml",
    "sub-classes.yaml",
    "vm-runtime-ready/rubric.yaml",
];

/// Every action of the catalog.
pub(super) const ACTIONS: [File<'static>; 40] = actions![
    "check_anarchysubject",
    "check_cluster_alerts",
    "check_cluster_connectivity",
    "check_cluster_resource_usage",
    "check_datavolume_manifest",
    "check_deployment_manifest",
    "check_inferenceservice_manifest",
    "check_route_manifest",
    "check_showroom_content",
    "check_vm_manifest",
    "create_namespace",
    "delete_namespace",
    "delete_source_snapshot",
    "inspect_anarchy_state",
    "inspect_application_health",
    "inspect_application_logs",
    "inspect_application_output",
    "inspect_backoff_limit_exceeded",
    "inspect_certificate",
    "inspect_datavolume_status",
    "inspect_failed_jobs",
    "inspect_guest_agent",
    "inspect_image_pull_backoff",
    "inspect_inferenceservice_status",
    "inspect_invalid_configuration",
    "inspect_model_serving_logs",
    "inspect_oom_killed",
    "inspect_pod_logs",
    "inspect_pod_status",
    "inspect_provision_job",
    "inspect_pvc_status",
    "inspect_quota",
    "inspect_scheduling_failed",
    "inspect_service_selector_and_pod_labels",
    "inspect_showroom_health",
    "inspect_showroom_pod",
    "inspect_vmi_status",
    "investigate_stuck_teardown",
    "reclaim_sandbox_placement",
    "verify_run_creation",
];
