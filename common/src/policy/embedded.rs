//! The files of `policies/`, built into the program: it works without a checkout.

use crate::evaluate::files::File;

macro_rules! files {
    ($($rule:literal),* $(,)?) => {
        [$(File {
            path: concat!("policies/", $rule, "/rule.yaml"),
            text: include_str!(concat!("../../../policies/", $rule, "/rule.yaml")),
        }),*]
    };
}

/// Every rule.
pub(super) const FILES: [File<'static>; 18] = files![
    "aap_destroy_failing",
    "aap_provision_failing",
    "aap_sli_breach",
    "cleanup_stuck",
    "cluster_capacity",
    "cluster_unreachable",
    "guest_agent_disconnected",
    "pool_depletion_predicted",
    "pool_exhaustion",
    "provision_blocked_lab",
    "provision_timeout",
    "route_not_created",
    "sandbox_api_degraded",
    "scanner_blind",
    "showroom_unreachable",
    "smoke_test_failing",
    "substrate_routing",
    "workload_exceeds_capacity",
];
