//! Subscriptions of the Operator Lifecycle Manager: which operator a cluster has, and from which channel.

use serde::{Deserialize, Serialize};

use super::meta::{Meta, null_is_default};

/// A Subscription. It lives in a namespace and speaks for the cluster: most operators watch all of it, so it is kept with the cluster.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Subscription {
    /// Identity and namespace.
    pub metadata: Meta,
    /// What was asked for.
    #[serde(deserialize_with = "null_is_default")]
    pub spec: SubscriptionSpec,
    /// What came of it.
    #[serde(deserialize_with = "null_is_default")]
    pub status: SubscriptionStatus,
}

/// Spec of a Subscription: never its `config`, which holds environment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubscriptionSpec {
    /// The operator's package.
    #[serde(rename = "name")]
    pub package: String,
    /// The channel; empty means the package's default one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub channel: String,
}

/// Status of a Subscription.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SubscriptionStatus {
    /// The version that is installed.
    #[serde(rename = "installedCSV", skip_serializing_if = "String::is_empty")]
    pub installed_csv: String,
    /// `AtLatestKnown`, `UpgradePending`, `UpgradeAvailable` …
    #[serde(skip_serializing_if = "String::is_empty")]
    pub state: String,
}
