//! The yardstick: the same bytes, parsed by projection and nothing else. Bodies are fetched to disk first; only parsing is counted.

use std::fs;
use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde_json::json;
use stargate_common::cluster::{ClusterSettings, ReadClient};
use stargate_common::objects::api::RESOURCES;
use stargate_common::objects::{
    ClusterOperator, ClusterVersion, DaemonSet, DataVolume, Deployment, DeploymentConfig, EndpointSlice, Endpoints, InferenceService,
    Ingress, Job, Kind, Namespace, Node, NodeMetrics, PersistentVolumeClaim, Pod, ResourceQuota, Route, Service, StatefulSet, Subscription,
    VirtualMachine, VirtualMachineInstance, WarningEvent,
};
use tokio::time::{Duration, Instant};

use crate::measure::Stopwatch;
use crate::setting;

/// The process: prints its figures as one line of JSON.
pub fn run(runtime: &tokio::runtime::Runtime) {
    let settings = ClusterSettings {
        kubeconfig_dir: Some(setting("STARGATE_BENCH_KUBECONFIGS", PathBuf::new())),
        ssl_verify: true,
        ..ClusterSettings::default()
    };
    let folder: PathBuf = setting("STARGATE_BENCH_FOLDER", PathBuf::new());
    let pages = runtime.block_on(async {
        let client = settings
            .connect()
            .await
            .expect("a kubeconfig")
            .into_values()
            .next()
            .expect("a cluster")
            .expect("a connection");
        fetch(&client, &folder).await
    });
    let (mut items, mut bytes, mut spent) = (0, 0, Duration::ZERO);
    for (kind, path) in &pages {
        let body = fs::read(path).expect("a page");
        let watch = Stopwatch::start();
        items += parse(*kind, &body);
        spent += watch.stop().wall;
        bytes += body.len();
    }
    println!("{}", json!({"items": items, "bytes": bytes, "seconds": spent.as_secs_f64()}));
}

/// Every page of every kind, as files.
async fn fetch(client: &ReadClient, folder: &std::path::Path) -> Vec<(Kind, PathBuf)> {
    #[derive(Deserialize)]
    struct Head {
        metadata: Meta,
    }
    #[derive(Deserialize)]
    struct Meta {
        #[serde(rename = "continue", default)]
        more: String,
    }
    fs::create_dir_all(folder).expect("a folder");
    let mut pages = Vec::new();
    for resource in RESOURCES {
        let mut more = String::new();
        loop {
            let query = if more.is_empty() {
                String::new()
            } else {
                format!("&continue={more}")
            };
            let path = format!("{}?limit=500{query}", resource.path());
            let answer = client
                .get(&path, "application/json", Instant::now() + Duration::from_secs(120))
                .await
                .expect("a page");
            if !answer.status.is_success() {
                break;
            }
            let file = folder.join(format!("{}-{}.json", resource.kind, pages.len()));
            fs::write(&file, &answer.body).expect("space for a page");
            pages.push((resource.kind, file));
            more = serde_json::from_slice::<Head>(&answer.body).expect("a list").metadata.more;
            if more.is_empty() {
                break;
            }
        }
    }
    pages
}

/// Parses a page item by item, keeping none. Returns how many there were.
fn parse(kind: Kind, body: &[u8]) -> usize {
    match kind {
        Kind::Node => each::<Node>(body),
        Kind::NodeMetrics => each::<NodeMetrics>(body),
        Kind::ClusterOperator => each::<ClusterOperator>(body),
        Kind::ClusterVersion => each::<ClusterVersion>(body),
        Kind::Namespace => each::<Namespace>(body),
        Kind::Pod => each::<Pod>(body),
        Kind::Deployment => each::<Deployment>(body),
        Kind::StatefulSet => each::<StatefulSet>(body),
        Kind::DaemonSet => each::<DaemonSet>(body),
        Kind::DeploymentConfig => each::<DeploymentConfig>(body),
        Kind::Job => each::<Job>(body),
        Kind::Service => each::<Service>(body),
        Kind::EndpointSlice => each::<EndpointSlice>(body),
        Kind::Endpoints => each::<Endpoints>(body),
        Kind::Route => each::<Route>(body),
        Kind::Ingress => each::<Ingress>(body),
        Kind::VirtualMachine => each::<VirtualMachine>(body),
        Kind::VirtualMachineInstance => each::<VirtualMachineInstance>(body),
        Kind::DataVolume => each::<DataVolume>(body),
        Kind::PersistentVolumeClaim => each::<PersistentVolumeClaim>(body),
        Kind::ResourceQuota => each::<ResourceQuota>(body),
        Kind::InferenceService => each::<InferenceService>(body),
        Kind::Event => each::<WarningEvent>(body),
        Kind::Subscription => each::<Subscription>(body),
        Kind::Probe | Kind::Subject | Kind::SmokeRun | Kind::JobBacklog => each::<IgnoredAny>(body),
    }
}

fn each<T: DeserializeOwned>(body: &[u8]) -> usize {
    #[derive(Deserialize)]
    #[serde(bound = "T: DeserializeOwned")]
    struct List<T> {
        items: Counted<T>,
    }
    serde_json::from_slice::<List<T>>(body).expect("a list").items.count
}

/// A sequence whose items are read and dropped.
struct Counted<T> {
    count: usize,
    of: std::marker::PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Counted<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counting<T>(std::marker::PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for Counting<T> {
            type Value = Counted<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Counted<T>, A::Error> {
                let mut count = 0;
                while let Some(item) = items.next_element::<T>()? {
                    std::hint::black_box(&item);
                    count += 1;
                }
                Ok(Counted {
                    count,
                    of: std::marker::PhantomData,
                })
            }
        }
        deserializer.deserialize_seq(Counting(std::marker::PhantomData))
    }
}
