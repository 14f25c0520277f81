//! Workloads and operators that should be there.

use super::{Compared, Place, ViolationKind, joined, stands_in, unread, words};
use crate::objects::{ClusterInventory, Inventory, Meta, Subscription};
use crate::provisioning::catalog::Constraints;
use crate::unknown::UnknownReason;

/// What the name of a role begins with, after its collection.
const ROLE_PREFIXES: [&str; 4] = ["ocp4_workload_", "ocp_workload_", "ocp4-workload-", "ocp-workload-"];
/// Last words of roles that set something up and leave no object that is named for them.
const SETS_UP: [&str; 12] = [
    "auth",
    "authentication",
    "certs",
    "cleanup",
    "config",
    "info",
    "quota",
    "rbac",
    "scale",
    "setup",
    "user",
    "users",
];

/// Whether each declared workload left something named for it.
///
/// A role need not name anything after itself, so silence proves nothing alone: only where another workload of the item is found in this
/// instance is one that is not found told. Names are compared by whole words.
pub(super) fn compare(wanted: &Constraints, at: Place, inventory: &Inventory, cluster: &ClusterInventory, compared: &mut Compared) {
    let kind = ViolationKind::WorkloadNotDeployed;
    if wanted.workloads.is_empty() {
        return;
    }
    let mut unknown = |reason: &str| {
        for role in &wanted.workloads {
            compared.unknown(kind, role, reason);
        }
    };
    if at != Place::Here {
        return unknown(at.why_not());
    }
    if let Some(reason) = why_incomplete(inventory, cluster) {
        return unknown(&reason);
    }
    let names = names(inventory, cluster);
    let is_there = |role: &String| {
        let role = role_words(role);
        names.iter().any(|name| stands_in(&role, name))
    };
    let (there, gone): (Vec<&String>, Vec<&String>) = wanted.workloads.iter().partition(|role| is_there(role));
    for role in gone {
        let sets_up = role_words(role).last().is_some_and(|word| SETS_UP.contains(&word.as_str()));
        if sets_up {
            compared.unknown(
                kind,
                role,
                "a role of this name sets something up and leaves nothing that is named for it",
            );
        } else if there.is_empty() {
            compared.unknown(
                kind,
                role,
                "no workload of the item is found here by name: they may run in another namespace",
            );
        } else {
            let found = joined(there.iter().map(|role| role.as_str()));
            let detail = format!("nothing in {} is named for it; found: {found}", inventory.name);
            compared.broken(kind, role, "not found", detail);
        }
    }
}

/// The short name of a role in words: without its collection and prefix.
fn role_words(role: &str) -> Vec<String> {
    let role = role.rsplit('.').next().unwrap_or(role);
    let short = ROLE_PREFIXES.iter().find_map(|prefix| role.strip_prefix(prefix)).unwrap_or(role);
    words(short)
}

fn why_incomplete(inventory: &Inventory, cluster: &ClusterInventory) -> Option<String> {
    let Inventory {
        pods,
        deployments,
        stateful_sets,
        daemon_sets,
        ..
    } = inventory;
    unread("pods", pods)
        .or_else(|| unread("Deployments", deployments))
        .or_else(|| unread("StatefulSets", stateful_sets))
        .or_else(|| unread("DaemonSets", daemon_sets))
        .or_else(|| unread_subscriptions(cluster))
}

/// Why operators are not known. A cluster that does not serve Subscriptions has none.
fn unread_subscriptions(cluster: &ClusterInventory) -> Option<String> {
    match cluster.subscriptions.missing {
        None | Some(UnknownReason::ApiAbsent) => None,
        Some(reason) => Some(format!("operator Subscriptions were not read: {reason}")),
    }
}

/// Names of everything that a workload may have left, in words.
fn names(inventory: &Inventory, cluster: &ClusterInventory) -> Vec<Vec<String>> {
    let name = |meta: &Meta| words(&meta.name);
    let mut names = vec![words(&inventory.name)];
    names.extend(inventory.pods.items.iter().map(|pod| name(&pod.metadata)));
    names.extend(inventory.deployments.items.iter().map(|it| name(&it.metadata)));
    names.extend(inventory.deployment_configs.items.iter().map(|it| name(&it.metadata)));
    names.extend(inventory.stateful_sets.items.iter().map(|it| name(&it.metadata)));
    names.extend(inventory.daemon_sets.items.iter().map(|it| name(&it.metadata)));
    names.extend(inventory.vms.items.iter().map(|it| name(&it.metadata)));
    for subscription in of_instance(cluster, &inventory.name, Place::Here) {
        names.push(name(&subscription.metadata));
        names.push(words(&subscription.spec.package));
    }
    names
}

/// Subscriptions that can be this instance's: its own, and where it runs on this cluster also those for the whole of it.
fn of_instance<'a>(cluster: &'a ClusterInventory, namespace: &'a str, at: Place) -> impl Iterator<Item = &'a Subscription> {
    cluster.subscriptions.items.iter().filter(move |subscription| {
        let home = subscription.metadata.namespace.as_deref().unwrap_or_default();
        // Operators for all namespaces live in those of the platform, never in another lab's.
        home == namespace || (at == Place::Here && home.starts_with("openshift-"))
    })
}

/// Whether each operator follows the declared channel. `ocp4_workload_pipelines_channel` is about the package that is called `pipelines`,
/// with or without `openshift` before and `operator` after it.
pub(super) fn channels(wanted: &Constraints, at: Place, inventory: &Inventory, cluster: &ClusterInventory, compared: &mut Compared) {
    let kind = ViolationKind::OperatorVersionDrift;
    for (key, channel) in &wanted.channels {
        let expected = format!("{key}: {channel}");
        let operator = package_words(&words(role(key)));
        let same = |subscription: &&Subscription| package_words(&words(&subscription.spec.package)) == operator;
        let mut found: Vec<&Subscription> = of_instance(cluster, &inventory.name, at).filter(same).collect();
        // The instance's own operator is nearer than one for the whole cluster.
        let own = |subscription: &Subscription| subscription.metadata.namespace.as_deref() == Some(inventory.name.as_str());
        if found.iter().any(|subscription| own(subscription)) {
            found.retain(|subscription| own(subscription));
        }
        let known = || found.iter().filter(|subscription| !subscription.spec.channel.is_empty());
        if let Some(other) = known().find(|subscription| subscription.spec.channel != *channel) {
            let home = other.metadata.namespace.as_deref().unwrap_or_default();
            let detail = format!("Subscription {home}/{} of package {}", other.metadata.name, other.spec.package);
            compared.broken(kind, expected, &other.spec.channel, detail);
        } else if known().next().is_none() {
            let reason = match unread_subscriptions(cluster) {
                Some(unread) => unread,
                None if at != Place::Here => at.why_not().to_owned(),
                None => "no Subscription of an operator with this name and a channel".to_owned(),
            };
            compared.unknown(kind, expected, reason);
        }
    }
}

/// The role that a channel belongs to: its key without `_channel` and the role's prefix.
fn role(key: &str) -> &str {
    let key = key.strip_suffix("_channel").unwrap_or(key);
    ROLE_PREFIXES.iter().find_map(|prefix| key.strip_prefix(prefix)).unwrap_or(key)
}

fn package_words(words: &[String]) -> Vec<String> {
    let outer = |word: &&String| matches!(word.as_str(), "openshift" | "operator" | "rh" | "product");
    words.iter().filter(|word| !outer(word)).cloned().collect()
}
