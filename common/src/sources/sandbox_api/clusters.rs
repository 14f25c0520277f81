//! Metrics, configurations and health, put together by cluster. Pure.
//!
//! A series that is missing leaves its field unknown: it may be missing because the database behind it did not answer.

use std::collections::BTreeMap;

use super::metrics::Metrics;
use super::wire::RawConfiguration;
use crate::provisioning::placement::SandboxCluster;
use crate::sources::redact;

/// Name of the row for the whole.
const WHOLE: &str = "*";
/// Series that every cluster has, by what they say. Source: rhdp-contracts 4.5.
const LIMIT: &str = "sandbox_ratelimit_max";
const USED: &str = "sandbox_ratelimit_provision_count";
const FREE: &str = "sandbox_ratelimit_available_slots";
/// Gauges, despite their names.
const QUEUED_PLACEMENTS: &str = "sandbox_queued_placements_total";
const QUEUED_RESOURCES: &str = "sandbox_queued_resources_total";
/// Characters that are kept of an address and of a word.
const URL: usize = 300;
const WORD: usize = 100;

/// What was read.
#[derive(Debug)]
pub(super) struct Seen<'a> {
    pub(super) metrics: &'a Metrics,
    /// None: the role may not read them.
    pub(super) configurations: Option<&'a [RawConfiguration]>,
    pub(super) healthy: bool,
    pub(super) version: Option<String>,
}

impl Seen<'_> {
    /// Whether it says which clusters there are. Otherwise one that is not named is not gone.
    pub(super) fn names_clusters(&self) -> bool {
        self.configurations.is_some() || !self.metrics.by_label(LIMIT, "cluster").is_empty()
    }

    /// The row of the whole, and one a cluster.
    pub(super) fn clusters(&self) -> Vec<SandboxCluster> {
        let mut by_name: BTreeMap<String, SandboxCluster> = BTreeMap::new();
        for configuration in self.configurations.unwrap_or_default() {
            let cluster = of(&mut by_name, configuration.name.as_deref().unwrap_or_default());
            let data = configuration.data.clone().unwrap_or_default();
            cluster.api_url = redact::url(configuration.api_url.as_deref().unwrap_or_default(), URL);
            cluster.valid = configuration.valid;
            cluster.connection = redact::shorten(&data.connection_status.unwrap_or_default(), WORD);
            cluster.max_placements = configuration.max_placements;
            cluster.placements = data.current_placement_count;
            cluster.slots_free = data.available_slots;
        }
        for (name, value) in self.metrics.by_label(LIMIT, "cluster") {
            of(&mut by_name, &name).rate_limit = whole(value);
        }
        for (name, value) in self.metrics.by_label(USED, "cluster") {
            of(&mut by_name, &name).rate_used = whole(value);
        }
        for (name, value) in self.metrics.by_label(FREE, "cluster") {
            of(&mut by_name, &name).rate_free = whole(value);
        }
        let total = SandboxCluster {
            name: WHOLE.into(),
            queued_placements: self.metrics.value(QUEUED_PLACEMENTS).and_then(whole),
            queued_resources: self.metrics.value(QUEUED_RESOURCES).and_then(whole),
            healthy: Some(self.healthy),
            version: redact::shorten(self.version.as_deref().unwrap_or_default(), WORD),
            ..SandboxCluster::default()
        };
        [total].into_iter().chain(by_name.into_values()).collect()
    }
}

fn of<'a>(by_name: &'a mut BTreeMap<String, SandboxCluster>, name: &str) -> &'a mut SandboxCluster {
    by_name.entry(name.to_owned()).or_insert_with(|| SandboxCluster {
        name: name.to_owned(),
        ..SandboxCluster::default()
    })
}

/// A count; anything else is none.
fn whole(value: f64) -> Option<i64> {
    // Beyond 2^53 a float is no longer a count.
    let is_count = value.is_finite() && value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
    is_count.then_some(value as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const METRICS: &str = "sandbox_ratelimit_max{cluster=\"lab-cluster-03\"} 10
sandbox_ratelimit_max{cluster=\"lab-cluster-05\"} NaN
sandbox_ratelimit_provision_count{cluster=\"lab-cluster-03\"} 4
sandbox_ratelimit_available_slots{cluster=\"lab-cluster-03\"} 0
sandbox_ratelimit_available_slots{cluster=\"lab-cluster-05\"} 2.5
sandbox_queued_placements_total 0
";

    #[test]
    fn what_is_not_said_is_not_zero() {
        let metrics = Metrics::parse(METRICS);
        let seen = Seen {
            metrics: &metrics,
            configurations: None,
            healthy: true,
            version: None,
        };
        assert!(seen.names_clusters());
        let told: Vec<String> = seen
            .clusters()
            .iter()
            .map(|one| {
                let SandboxCluster {
                    name,
                    rate_limit,
                    rate_used,
                    rate_free,
                    queued_placements,
                    queued_resources,
                    healthy,
                    ..
                } = one;
                format!("{name}: {rate_limit:?} {rate_used:?} {rate_free:?} queued {queued_placements:?} {queued_resources:?} {healthy:?}")
            })
            .collect();
        assert_eq!(
            told,
            [
                "*: None None None queued Some(0) None Some(true)",
                "lab-cluster-03: Some(10) Some(4) Some(0) queued None None None",
                "lab-cluster-05: None None None queued None None None",
            ]
        );
    }

    #[test]
    fn without_configurations_and_limits_nobody_knows_which_clusters_there_are() {
        let metrics = Metrics::parse("sandbox_queued_placements_total 3\n");
        let seen = |configurations| Seen {
            metrics: &metrics,
            configurations,
            healthy: false,
            version: None,
        };
        assert!(!seen(None).names_clusters());
        assert!(seen(Some(&[])).names_clusters());
    }

    #[test]
    fn a_configuration_is_read_without_its_secrets() {
        let json = r#"{"name": "lab-cluster-03", "valid": false, "api_url": "https://admin:hunter2@api.lab.example.test:6443/?token=hunter2",
            "token": "hunter2", "kubeconfig": "hunter2", "deployer_admin_sa_token": "hunter2", "max_placements": null,
            "data": {"connection_status": "error", "current_placement_count": 7, "available_slots": 3}}"#;
        let configuration = RawConfiguration::read(json).unwrap();
        let metrics = Metrics::default();
        let seen = Seen {
            metrics: &metrics,
            configurations: Some(std::slice::from_ref(&configuration)),
            healthy: true,
            version: Some("1.2.3".into()),
        };
        let clusters = seen.clusters();
        assert_eq!(clusters[0].version, "1.2.3");
        let expected = SandboxCluster {
            name: "lab-cluster-03".into(),
            api_url: "https://api.lab.example.test:6443/".into(),
            valid: Some(false),
            connection: "error".into(),
            placements: Some(7),
            slots_free: Some(3),
            ..SandboxCluster::default()
        };
        assert_eq!(clusters[1], expected);
        assert!(RawConfiguration::read("{}").is_err() && RawConfiguration::read("[]").is_err());
    }
}
