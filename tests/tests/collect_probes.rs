//! Routes and showrooms of a simulated fleet, as a learner's browser would meet them.

use std::time::Duration;

use chrono::{DateTime, Utc};
use stargate_common::clock::Clock;
use stargate_common::cluster::ClusterSettings;
use stargate_common::collect::probe::{Override, ProbeSettings, Prober, targets};
use stargate_common::collect::{self, Tier};
use stargate_common::objects::network::Content;
use stargate_common::objects::{Inventory, NamespaceSelection, ProbeKind};
use stargate_sim::web::Manner;
use stargate_sim::{Cluster, Fleet, SimClock};

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_772_352_000, 0).unwrap_or_default() // 2026-03-01T08:00:00Z
}

/// What the showroom's probes of a namespace say: status of the route, what the page is, status of its readiness.
fn showroom(inventory: &Inventory) -> Option<(Option<u16>, Option<Content>, Option<u16>)> {
    let content = inventory
        .probes
        .items
        .iter()
        .find(|probe| probe.kind == ProbeKind::ShowroomContent)?;
    let of = |kind| {
        let mut probes = inventory.probes.items.iter();
        probes.find(|probe| probe.kind == kind && probe.target == content.target)
    };
    Some((
        of(ProbeKind::Route)?.status,
        content.content,
        of(ProbeKind::ShowroomReadiness)?.status,
    ))
}

#[tokio::test]
async fn showrooms_of_a_fleet_are_told_apart_by_what_a_learner_would_see() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let fleet = Fleet::demo(42, SimClock::starting_at(now()));
    let running = fleet.serve().await.unwrap();
    let directory = std::env::temp_dir().join(format!("stargate-collect-probes-{}", std::process::id()));
    running.write_kubeconfigs(&directory).unwrap();
    let settings = ClusterSettings {
        kubeconfig_dir: Some(directory.clone()),
        ssl_verify: true,
        ..ClusterSettings::default()
    };
    let connections = settings.connect().await.unwrap();
    // The cluster with the most showrooms.
    let showrooms = |cluster: &&Cluster| {
        let routes = cluster.list(stargate_sim::Kind::Route, "");
        routes.iter().filter(|route| route["metadata"]["name"] == "showroom").count()
    };
    let cluster = fleet.clusters.iter().max_by_key(showrooms).unwrap();
    let client = &connections[cluster.name()];
    let selection = NamespaceSelection::default();
    let clock = Clock::manual(now());
    let budget = Duration::from_mins(5);
    let mut snapshot = collect::cluster(client.as_ref().unwrap(), Tier::Everything, selection, &clock, budget)
        .await
        .snapshot;
    let prober = Prober::new(&ProbeSettings {
        overrides: vec![Override {
            domain: cluster.domain(),
            address: running.probe_address(&format!("any.{}", cluster.domain())).unwrap(),
        }],
        ..ProbeSettings::default()
    })
    .unwrap();
    let fine = (Some(200), Some(Content::Page), Some(200));
    prober.run(targets(&snapshot), &clock, budget).await.attach(&mut snapshot);
    let healthy = snapshot
        .namespaces
        .iter()
        .filter(|(_, inventory)| showroom(inventory) == Some(fine))
        .map(|(name, _)| name.clone())
        .collect::<Vec<_>>();
    assert!(healthy.len() > 10, "{} healthy showrooms", healthy.len());

    // Break three of them, each in its own way.
    let broken = [
        (Manner::ContentMissing, (Some(200), Some(Content::Missing), Some(200))),
        (Manner::NotReady, (Some(200), Some(Content::Page), Some(503))),
        (Manner::Status(500), (Some(500), None, Some(500))),
    ];
    for ((manner, _), namespace) in broken.iter().zip(&healthy) {
        for host in cluster.hosts(namespace) {
            cluster.set_manner(&host, Some(*manner));
        }
    }
    let mut again = targets(&snapshot);
    again.retain(|target| healthy.iter().take(broken.len()).any(|namespace| *namespace == target.namespace));
    prober.run(again, &clock, budget).await.attach(&mut snapshot);
    for ((manner, expected), namespace) in broken.iter().zip(&healthy) {
        assert_eq!(showroom(&snapshot.namespaces[namespace]), Some(*expected), "{manner:?}");
    }
    running.stop().await;
    std::fs::remove_dir_all(&directory).unwrap();
}
