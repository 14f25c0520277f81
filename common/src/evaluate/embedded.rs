//! The files of `rubrics/`, built into the program: it works without a checkout.

use super::rubric::File;

macro_rules! files {
    ($($path:literal),* $(,)?) => {
        [$(File { path: $path, text: include_str!(concat!("../../../rubrics/", $path)) }),*]
    };
}

/// Every file of a rubric set.
pub(super) const FILES: [File<'static>; 13] = files![
    "cluster-health/rubric.yaml",
    "deployment-ready/rubric.yaml",
    "kinds.yaml",
    "model-endpoint-ready/rubric.yaml",
    "namespace-ready/rubric.yaml",
    "provision-complete/rubric.yaml",
    "route-ready/rubric.yaml",
    "run-created/rubric.yaml",
    "showroom-healthy/rubric.yaml",
    "smoke-test-ready/rubric.yaml",
    "storage-clone-ready/rubric.yaml",
    "sub-classes.yaml",
    "vm-runtime-ready/rubric.yaml",
];
