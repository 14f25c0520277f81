//! The entry criterion that most namespace stages share: is the namespace there?

use super::{Grade, Observation, Value, View, thresholds};
use crate::objects::{Inventory, Listing};
use crate::unknown::UnknownReason;

/// Whether the namespace exists and is not going away.
///
/// A namespace object that nobody read is bridged by what lives in it: a pod proves its namespace. That conclusion is
/// graded `inferred`. A read that failed is never bridged.
#[must_use]
pub fn namespace_exists(view: &View) -> Observation {
    let listing = &view.inventory.namespace;
    if let Some(namespace) = listing.items.first() {
        let meta = &namespace.metadata;
        return match meta.deletion_timestamp {
            Some(since) if view.now - since >= thresholds::STUCK_TEARDOWN => Observation::known(false),
            Some(since) => Observation {
                until: Some(since + thresholds::STUCK_TEARDOWN),
                ..Observation::unknown(UnknownReason::Terminating)
            },
            None if namespace.status.phase == "Terminating" => Observation::unknown(UnknownReason::Terminating),
            None => Observation::known(namespace.status.phase == "Active"),
        };
    }
    match listing.missing {
        None => Observation::known(false),
        Some(UnknownReason::NotCollected) if holds_something(view.inventory) => Observation {
            grade: Grade::Inferred,
            ..Observation::of(Value::Bool(true))
        },
        Some(reason) => Observation::unknown(reason),
    }
}

/// Whether any object of the namespace was read.
fn holds_something(inventory: &Inventory) -> bool {
    const fn some<T>(listing: &Listing<T>) -> bool {
        !listing.items.is_empty()
    }
    some(&inventory.pods)
        || some(&inventory.deployments)
        || some(&inventory.stateful_sets)
        || some(&inventory.daemon_sets)
        || some(&inventory.deployment_configs)
        || some(&inventory.jobs)
        || some(&inventory.services)
        || some(&inventory.routes)
        || some(&inventory.vms)
        || some(&inventory.vmis)
        || some(&inventory.data_volumes)
        || some(&inventory.claims)
        || some(&inventory.inference_services)
}
