//! Which resource types a cluster serves, in one request: what it lacks is absent, not empty.

use std::collections::BTreeMap;

use http::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;

use crate::cluster::ReadClient;
use crate::objects::api::Resource;

/// Aggregated discovery, its beta, and the plain list of groups of servers that know neither.
const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
    application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// What a cluster serves, as far as it said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Served {
    /// Groups with their versions; `None` if the cluster could not be asked.
    groups: Option<BTreeMap<String, BTreeMap<String, Resources>>>,
}

/// The resource types of one version of a group.
#[derive(Debug, PartialEq, Eq)]
enum Resources {
    /// Exactly these.
    Known(Vec<String>),
    /// The server behind the group did not say, now or ever.
    Unsaid,
}

/// Whether a resource type is there.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is, or it may be: asking for it will tell.
    Likely,
    /// The cluster does not serve it.
    Absent,
    /// The cluster serves the group, but not in a version that we understand.
    OtherVersion(String),
}

impl Served {
    /// Asks the cluster. The text says why it could not be asked, which is no reason to stop.
    pub(super) async fn ask(client: &ReadClient, deadline: Instant) -> (Self, Option<String>) {
        let answer = match client.get("/apis", ACCEPT, deadline).await {
            Ok(answer) if answer.status == StatusCode::OK => answer,
            Ok(answer) => {
                let text = format!("API discovery was refused ({}): {}", answer.status, answer.refusal().message);
                return (Self::default(), Some(text));
            }
            Err(error) => return (Self::default(), Some(format!("API discovery failed: {error}"))),
        };
        match parse(&answer.body) {
            Ok(groups) => (Self { groups: Some(groups) }, None),
            Err(error) => (
                Self::default(),
                Some(format!("API discovery was not understood ({}): {error}", answer.content_type())),
            ),
        }
    }

    /// Whether the resource type is there. Core types always are.
    pub(super) fn presence(&self, resource: &Resource) -> Presence {
        let Some(groups) = self.groups.as_ref().filter(|_| !resource.group.is_empty()) else {
            return Presence::Likely;
        };
        let Some(versions) = groups.get(resource.group) else {
            return Presence::Absent;
        };
        match versions.get(resource.version) {
            Some(Resources::Known(names)) if !names.iter().any(|name| name == resource.plural) => Presence::Absent,
            Some(_) => Presence::Likely,
            None => {
                let served = versions.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
                Presence::OtherVersion(served)
            }
        }
    }
}

/// Both forms of the answer: `items` of aggregated discovery, `groups` of the plain list.
#[derive(Deserialize)]
struct Discovery {
    kind: String,
    #[serde(default)]
    items: Vec<AggregatedGroup>,
    #[serde(default)]
    groups: Vec<PlainGroup>,
}

#[derive(Deserialize)]
struct AggregatedGroup {
    metadata: Name,
    #[serde(default)]
    versions: Vec<AggregatedVersion>,
}

#[derive(Deserialize)]
struct Name {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct AggregatedVersion {
    version: String,
    #[serde(default)]
    freshness: String,
    #[serde(default)]
    resources: Vec<AggregatedResource>,
}

#[derive(Deserialize)]
struct AggregatedResource {
    resource: String,
}

#[derive(Deserialize)]
struct PlainGroup {
    name: String,
    #[serde(default)]
    versions: Vec<PlainVersion>,
}

#[derive(Deserialize)]
struct PlainVersion {
    version: String,
}

fn parse(body: &[u8]) -> Result<BTreeMap<String, BTreeMap<String, Resources>>, serde_json::Error> {
    let Discovery { kind, items, groups } = serde_json::from_slice(body)?;
    if kind != "APIGroupDiscoveryList" && kind != "APIGroupList" {
        return Err(serde::de::Error::custom(format!("it is a {kind}")));
    }
    let aggregated = items.into_iter().map(|group| {
        let versions = group.versions.into_iter().map(|version| {
            // A stale entry is what the aggregator remembers of a server that does not answer.
            let resources = if version.freshness == "Stale" {
                Resources::Unsaid
            } else {
                Resources::Known(version.resources.into_iter().map(|resource| resource.resource).collect())
            };
            (version.version, resources)
        });
        (group.metadata.name, versions.collect())
    });
    let plain = groups.into_iter().map(|group| {
        let versions = group.versions.into_iter().map(|version| (version.version, Resources::Unsaid));
        (group.name, versions.collect())
    });
    Ok(aggregated.chain(plain).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::objects::Kind;

    fn presence(discovery: &str, kind: Kind) -> Presence {
        let served = Served {
            groups: Some(parse(discovery.as_bytes()).unwrap()),
        };
        served.presence(kind.resource().unwrap())
    }

    #[test]
    fn what_aggregated_discovery_lacks_is_absent() {
        let discovery = r#"{"kind":"APIGroupDiscoveryList","items":[
            {"metadata":{"name":"kubevirt.io"},"versions":[{"version":"v1","freshness":"Current",
                "resources":[{"resource":"virtualmachines"}]}]},
            {"metadata":{"name":"metrics.k8s.io"},"versions":[{"version":"v1beta1","freshness":"Stale"}]},
            {"metadata":{"name":"serving.kserve.io"},"versions":[{"version":"v2","freshness":"Current","resources":[]}]}]}"#;
        assert_eq!(presence(discovery, Kind::VirtualMachine), Presence::Likely);
        assert_eq!(presence(discovery, Kind::VirtualMachineInstance), Presence::Absent);
        assert_eq!(presence(discovery, Kind::NodeMetrics), Presence::Likely);
        assert_eq!(presence(discovery, Kind::Route), Presence::Absent);
        assert_eq!(presence(discovery, Kind::Pod), Presence::Likely);
        assert_eq!(presence(discovery, Kind::InferenceService), Presence::OtherVersion("v2".to_owned()));
    }

    #[test]
    fn the_plain_list_tells_groups_only() {
        let discovery = r#"{"kind":"APIGroupList","groups":[{"name":"apps","versions":[{"version":"v1"}]}]}"#;
        assert_eq!(presence(discovery, Kind::Deployment), Presence::Likely);
        assert_eq!(presence(discovery, Kind::DataVolume), Presence::Absent);
        assert!(parse(br#"{"kind":"Status"}"#).is_err());
        assert!(parse(b"<html>").is_err());
    }
}
