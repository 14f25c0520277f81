//! What the Sandbox API calls a cluster, and what we call it.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::NodeKind;
use super::edges::{Edges, Path};
use super::index::Index;
use crate::provisioning::{RecordKind, Strength};

/// Names of the Sandbox API, or hosts of API servers, each with the name that StarGate scans the cluster by:
/// `sandbox-name=stargate-name,api.host.example=stargate-name`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClusterAliases(BTreeMap<String, String>);

impl FromStr for ClusterAliases {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut aliases = BTreeMap::new();
        for pair in text.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let sides = pair.split_once('=').map(|(theirs, ours)| (theirs.trim(), ours.trim()));
            let Some((theirs, ours)) = sides.filter(|(theirs, ours)| !theirs.is_empty() && !ours.is_empty()) else {
                return Err(format!("{pair:?} is not `sandbox-name=stargate-name`"));
            };
            let before = aliases.insert(theirs.to_ascii_lowercase(), ours.to_owned());
            if before.is_some_and(|before| before != ours) {
                return Err(format!("{theirs:?} stands for two clusters"));
            }
        }
        Ok(Self(aliases))
    }
}

impl ClusterAliases {
    /// Which of `clusters` that is, by the name that the Sandbox API has for it and the address of its API server, and how surely. An alias
    /// that people have set decides, even for a cluster that is not scanned.
    pub(super) fn cluster<'a, T>(&self, name: &str, api_url: &str, clusters: &'a BTreeMap<String, T>) -> Option<(&'a str, Path)> {
        let known = |name: &str| clusters.get_key_value(name).map(|(name, _)| name.as_str());
        let host = host_of(api_url);
        let by_host = host.as_ref().and_then(|host| Some((self.0.get(host)?, "api_url alias")));
        let by_name = self.0.get(&name.to_ascii_lowercase()).map(|ours| (ours, "cluster alias"));
        if let Some((ours, key)) = by_name.or(by_host) {
            return Some((known(ours)?, Path::of(Strength::Exact, key)));
        }
        if let Some(ours) = known(name) {
            return Some((ours, Path::of(Strength::Exact, "cluster name")));
        }
        let host = host?;
        // `api.<cluster>.<domain>`, as the installer of OpenShift makes it.
        let label = host.strip_prefix("api.").and_then(|rest| rest.split('.').next());
        let ours = known(&host).or_else(|| label.and_then(known))?;
        Some((ours, Path::of(Strength::Strong, "api_url")))
    }
}

/// The host of an address, in lower case, without port.
fn host_of(url: &str) -> Option<String> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit('@')
        .next()
        .unwrap_or_default()
        .split(':')
        .next()
        .unwrap_or_default();
    (!host.is_empty()).then(|| host.to_ascii_lowercase())
}

/// Joins the clusters that the Sandbox API knows.
pub(super) fn join<'a>(index: &Index<'a>, edges: &mut Edges<'a>) {
    for cluster in index.world.sandbox_clusters.iter().filter(|cluster| cluster.name != "*") {
        if let Some((ours, path)) = index.cluster(&cluster.name, &cluster.api_url) {
            edges.add((RecordKind::SandboxCluster, &cluster.name), (NodeKind::Cluster, ours), path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(aliases: &str, name: &str, url: &str) -> Option<(String, Strength)> {
        let clusters = ["east", "lab-cluster-03"].map(|name| (name.to_owned(), ())).into();
        let found = aliases.parse::<ClusterAliases>().unwrap().cluster(name, url, &clusters);
        found.map(|(name, path)| (name.to_owned(), path.strength))
    }

    #[test]
    fn an_alias_decides_then_the_name_then_the_address() {
        let east = |strength| Some(("east".to_owned(), strength));
        let url = "https://api.east.example.test:6443";
        assert_eq!(found("", "east", ""), east(Strength::Exact));
        assert_eq!(found("Sandbox-1=east", "sandbox-1", ""), east(Strength::Exact));
        assert_eq!(
            found("api.far.example.test=east", "sandbox-1", "https://API.far.example.test:6443/"),
            east(Strength::Exact)
        );
        assert_eq!(found("", "sandbox-1", url), east(Strength::Strong));
        assert_eq!(
            found("sandbox-1=nowhere", "sandbox-1", url),
            None,
            "what people set is not guessed over"
        );
        assert_eq!(found("", "sandbox-1", "https://api.west.example.test:6443"), None);
        assert_eq!(found("", "", ""), None);
    }

    #[test]
    fn a_list_that_says_nothing_or_two_things_is_refused() {
        let error = |text: &str| text.parse::<ClusterAliases>().unwrap_err();
        assert_eq!(error("east"), "\"east\" is not `sandbox-name=stargate-name`");
        assert_eq!(error("a=b, a=c"), "\"a\" stands for two clusters");
        assert_eq!(" a=b ,".parse::<ClusterAliases>().unwrap(), "A=b".parse().unwrap());
    }
}
