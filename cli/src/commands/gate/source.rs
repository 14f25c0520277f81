//! Where a gate's verdict comes from: a recording, a live namespace, or the query API.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use serde_json::Value;
use stargate_common::clock::Clock;
use stargate_common::collect::probe::ProbeSettings;
use stargate_common::evaluate::report::{NamespaceReport, Report, StageReport};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::evaluate::{LabKind, Outcome};
use stargate_common::evidence::Phase;
use stargate_common::stage::Stage;
use tokio::runtime::Runtime;

use super::{Args, given, needed};
use crate::api::Server;
use crate::commands::evaluate::{Judged, live_report, recorded_report, rubrics};
use crate::commands::live::{self, Live};
use crate::output::at;

/// What one look found.
#[derive(Debug)]
pub(super) struct Found {
    /// The namespace's report, and its cluster's if there is one.
    pub(super) report: Report,
    /// The stages to decide by: the namespace's, and its cluster's.
    pub(super) stages: Vec<StageReport>,
    /// What was judged and as of when.
    pub(super) evaluation: String,
}

/// Where to look.
pub(super) enum Source<'a> {
    Recording {
        from: PathBuf,
        namespace: Option<String>,
        rubrics: Box<RubricSet>,
    },
    Live {
        kubeconfig: PathBuf,
        context: Option<&'a str>,
        namespace: String,
        rubrics: Box<RubricSet>,
        probes: &'a ProbeSettings,
    },
    Api {
        server: Server,
        namespace: String,
        cluster: Option<&'a str>,
        /// Verdicts of before do not count.
        since: DateTime<Utc>,
    },
}

/// A mistake of whoever called, which no waiting cures.
#[derive(Debug)]
struct Misuse(String);

impl std::fmt::Display for Misuse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Misuse {}

impl<'a> Source<'a> {
    /// The source that the arguments name.
    pub(super) fn of(args: &'a Args) -> anyhow::Result<Self> {
        let namespace = given(args.namespace.as_ref());
        let rubric_set = || rubrics(given(args.rubrics.as_ref()).map(Path::new)).map(Box::new);
        match (given(args.from.as_ref()), given(args.kubeconfig.as_ref()), given(args.api.as_ref())) {
            (Some(from), None, None) => Ok(Self::Recording {
                from: from.into(),
                namespace: namespace.map(str::to_owned),
                rubrics: rubric_set()?,
            }),
            (None, Some(kubeconfig), None) => Ok(Self::Live {
                kubeconfig: kubeconfig.into(),
                context: given(args.context.as_ref()),
                namespace: needed(namespace, "a live cluster")?.to_owned(),
                rubrics: rubric_set()?,
                probes: &args.probes,
            }),
            (None, None, Some(address)) => {
                let key = match given(args.api_key_file.as_ref()) {
                    Some(file) => Some(std::fs::read_to_string(file).with_context(|| format!("reading the API key in {file}"))?),
                    None => None,
                };
                Ok(Self::Api {
                    server: Server::at(address, key.as_deref())?,
                    namespace: needed(namespace, "the API")?.to_owned(),
                    cluster: given(args.cluster.as_ref()),
                    since: Clock::System.now(),
                })
            }
            (None, None, None) => bail!("what to judge? Set --from DIR, --kubeconfig FILE or --api URL"),
            _ => bail!("only one of --from, --kubeconfig and --api can be judged"),
        }
    }

    /// Whether another look may see something else.
    pub(super) const fn changes(&self) -> bool {
        !matches!(self, Self::Recording { .. })
    }

    /// Whether the error is a mistake in how the gate was called.
    pub(super) fn is_misused(&self, error: &anyhow::Error) -> bool {
        error.is::<Misuse>() || error.chain().any(|cause| cause.is::<stargate_common::cluster::ConnectError>())
    }

    /// Looks once, for at most `left`, but always long enough for one answer.
    pub(super) fn look(&self, runtime: &Runtime, left: Duration) -> anyhow::Result<Found> {
        match self {
            Self::Recording { from, namespace, rubrics } => {
                let wanted: Vec<String> = namespace.iter().cloned().collect();
                let Judged { report, at, .. } = recorded_report(rubrics, from, None, &wanted)?;
                if report.namespaces.len() > 1 {
                    let names: Vec<&str> = report.namespaces.iter().map(|found| found.namespace.as_str()).take(10).collect();
                    bail!("which namespace? The recording holds {}; set --namespace NAME", names.join(", "));
                }
                found(report, at, "the recording")
            }
            Self::Live {
                kubeconfig,
                context,
                namespace,
                rubrics,
                probes,
            } => {
                let namespaces = [namespace.clone()];
                let live = Live {
                    kubeconfig,
                    context: *context,
                    namespaces: &namespaces,
                    probes: Some(probes),
                };
                let looked = runtime.block_on(live::look(live, left.max(Duration::from_secs(10))))?;
                let Judged { report, at, .. } = live_report(rubrics, looked);
                found(report, at, "the cluster")
            }
            Self::Api {
                server,
                namespace,
                cluster,
                since,
            } => ask(server, namespace, *cluster, *since),
        }
    }
}

/// A report of one namespace as it is decided by.
fn found(report: Report, as_of: DateTime<Utc>, place: &str) -> anyhow::Result<Found> {
    let Some(namespace) = report.namespaces.first() else {
        bail!("{place} holds no namespace to judge");
    };
    let of_cluster = report.clusters.iter().filter(|cluster| cluster.name == namespace.cluster);
    let stages = of_cluster
        .flat_map(|cluster| &cluster.stages)
        // The namespace's own view of its cluster's stage, if it has one, is the same verdict.
        .filter(|stage| !namespace.stages.iter().any(|own| own.stage == stage.stage))
        .chain(&namespace.stages)
        .cloned()
        .collect();
    let id = if namespace.uid.is_empty() {
        &namespace.namespace
    } else {
        &namespace.uid
    };
    Ok(Found {
        evaluation: format!("{id}@{}", as_of.format("%Y-%m-%dT%H:%M:%SZ")),
        stages,
        report,
    })
}

/// Asks the API for the newest verdict on a namespace, which must have been made after `since`.
fn ask(server: &Server, namespace: &str, cluster: Option<&str>, since: DateTime<Utc>) -> anyhow::Result<Found> {
    let mut query = vec![("q", namespace.to_owned())];
    query.extend(cluster.map(|cluster| ("cluster", cluster.to_owned())));
    let mut rows = server.list("instances", &query, None)?;
    rows.retain(|row| at(row, "/namespace") == namespace);
    let row = match rows.as_slice() {
        [row] => row,
        [] => bail!("StarGate does not know a namespace {namespace} yet"),
        several => {
            let clusters: Vec<String> = several.iter().map(|row| at(row, "/cluster")).collect();
            return Err(Misuse(format!("{namespace} is on {}; set --cluster NAME", clusters.join(", "))).into());
        }
    };
    let detail = server.get(&format!("instances/{}", at(row, "/id")), &[])?;
    let data = detail.get("data").cloned().unwrap_or_default();
    let evaluated = at(&data, "/last_evaluated_at");
    let evaluated_at = evaluated.parse::<DateTime<Utc>>().ok();
    if evaluated_at.is_none_or(|evaluated_at| evaluated_at < since) {
        let newest = if evaluated.is_empty() { "none" } else { &evaluated };
        bail!(
            "no verdict since {} yet; the newest is of {newest}",
            since.format("%Y-%m-%dT%H:%M:%SZ")
        );
    }
    let stages: Vec<StageReport> = data
        .get("stages")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(stage_of)
        .collect::<anyhow::Result<_>>()?;
    let report = Report {
        clusters: Vec::new(),
        namespaces: vec![NamespaceReport {
            cluster: at(&data, "/cluster"),
            namespace: namespace.to_owned(),
            uid: at(&data, "/uid"),
            kind: word(&data, "/kind").unwrap_or(LabKind::Unknown),
            phase: word(&data, "/phase").unwrap_or(Phase::Unknown),
            stages: stages.clone(),
        }],
        problems: Vec::new(),
    };
    Ok(Found {
        evaluation: format!("{}@{evaluated}", at(&data, "/uid")),
        report,
        stages,
    })
}

fn stage_of(row: &Value) -> anyhow::Result<StageReport> {
    let text = |pointer: &str| Some(at(row, pointer)).filter(|text| !text.is_empty());
    let name = at(row, "/stage");
    let outcome = at(row, "/outcome");
    Ok(StageReport {
        stage: Stage::parse(&name).with_context(|| format!("the API tells of a stage {name}, which this version does not know"))?,
        outcome: word::<Outcome>(row, "/outcome").with_context(|| format!("the API tells of an outcome {outcome} for {name}"))?,
        reason: text("/reason"),
        failure_class: text("/class"),
        // The API does not tell these apart.
        class_match: None,
        pattern_class: None,
        sub_class: text("/sub_class"),
        recommended_action: text("/recommended_action"),
        message: at(row, "/message"),
        criteria: Vec::new(),
    })
}

/// The word at a pointer as the enum that it is written from.
fn word<T: serde::de::DeserializeOwned>(row: &Value, pointer: &str) -> Option<T> {
    serde_json::from_value(row.pointer(pointer)?.clone()).ok()
}
