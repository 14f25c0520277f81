//! The first view in one answer: an honest sentence, the numbers behind it, and what to look at first.

pub mod first;

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use self::first::{First, IncidentHour};
use super::clusters::{self, ClassCount, ClusterRow, ClusterStatus, StageOutcomes};
use super::incidents::IncidentRow;
use super::recommendations::AdviceSummary;
use super::sessions::{self, SessionCounts, SessionRow};
use super::sources::{self, SourceRow};
use crate::QueryState;
use crate::answer::{Ask, One, Scope};
use crate::basis::Basis;
use crate::counts::{Counts, Outcomes};
use crate::fleet::{Fleet, OpenIncidents};
use crate::params::words;
use crate::problem::ApiError;
use crate::sources::{Coverage, SourceState};
use crate::supply::Supply;
use crate::verdict::{Facts, Verdict, verdict};

/// The lab of instances that belong to none.
pub(super) const UNMAPPED: &str = "unmapped";

/// How the fleet stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Overview {
    /// In a word and in a sentence.
    pub verdict: Verdict,
    /// Whether the whole fleet is simulated: the demo fleet.
    pub simulated: bool,
    /// Lab instances by state.
    pub instances: Counts,
    /// Of these, instances that belong to no known lab.
    #[schema(minimum = 0)]
    pub unmapped: i64,
    /// Stages that pass or warn, of those that are known.
    pub health: Health,
    /// Sessions that run now or begin soon.
    pub sessions_next: SessionCounts,
    /// How provisioning goes.
    pub provisioning: ProvisioningCounts,
    /// Open incidents.
    pub incidents: IncidentCounts,
    /// What happened in the last hour.
    pub last_hour: LastHour,
    /// What failing instances fail with, most first, at most 10.
    pub top_classes: Vec<ClassCount>,
    /// Outcomes of every stage, in pipeline order.
    pub stages: Vec<StageOutcomes>,
    /// Every cluster.
    pub clusters: Vec<ClusterSummary>,
    /// Sessions that run now or begin in the next four hours, by start, at most 8.
    pub next_sessions: Vec<SessionRow>,
    /// Open incidents that no other covers, most urgent first, at most 10.
    pub attention: Vec<IncidentRow>,
    /// Every source, by name.
    pub sources: Vec<SourceSummary>,
    /// Advice that stands.
    pub recommendations: AdviceSummary,
    /// Incidents that began and ended in each of the last 24 hours, oldest first.
    pub incident_hours: Vec<IncidentHour>,
}

words! {
    /// What a source is.
    SourceKind {
        /// A cluster that is watched.
        Cluster = "cluster",
        /// A system that is asked.
        Collector = "collector",
    }
}

/// A source in a few words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SourceSummary {
    /// Its name: `cluster/<name>`, or that of a collector.
    #[schema(example = "cluster/cnv-west-2")]
    pub source: String,
    /// `cluster` or `collector`. May grow.
    #[schema(value_type = SourceKind)]
    pub kind: String,
    /// How far it can be relied on.
    pub state: SourceState,
    /// How long ago it was last read completely, in seconds.
    #[schema(minimum = 0)]
    pub age_s: Option<i64>,
    /// When that was.
    pub last_success_at: Option<DateTime<Utc>>,
    /// Why it is not fresh.
    pub last_error: Option<String>,
    /// How much of it was read.
    pub coverage: Coverage,
}

impl From<SourceRow> for SourceSummary {
    fn from(row: SourceRow) -> Self {
        let kind = if row.source.starts_with("cluster/") {
            SourceKind::Cluster
        } else {
            SourceKind::Collector
        };
        Self {
            kind: kind.as_str().to_owned(),
            source: row.source,
            state: row.state,
            age_s: row.age_s,
            last_success_at: row.last_success_at,
            last_error: row.last_error,
            coverage: row.coverage,
        }
    }
}

/// The health rate and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct Health {
    /// (pass + warn) / (pass + warn + fail) over the latest result of each instance and stage; null when none is known.
    #[schema(minimum = 0, maximum = 1, example = 0.97)]
    pub rate: Option<f64>,
    /// What it is made of.
    pub outcomes: Outcomes,
}

/// Open incidents that no other covers, by severity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct IncidentCounts {
    /// All of them.
    #[schema(minimum = 0)]
    pub open: i64,
    /// Somebody should look now.
    #[schema(minimum = 0)]
    pub critical: i64,
    /// Soon.
    #[schema(minimum = 0)]
    pub high: i64,
    /// Today.
    #[schema(minimum = 0)]
    pub medium: i64,
    /// Some time.
    #[schema(minimum = 0)]
    pub low: i64,
    /// Open incidents that one of these covers.
    #[schema(minimum = 0)]
    pub covered: i64,
}

/// What was ordered, in a few numbers; null when Babylon was not read.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct ProvisioningCounts {
    /// Live subjects.
    pub subjects: Option<i64>,
    /// Subjects that something is done to.
    pub in_progress: Option<i64>,
    /// Subjects that failed, for good or for now.
    pub failed: Option<i64>,
    /// Subjects that do not move by themselves.
    pub stuck: Option<i64>,
    /// Why the numbers are not known.
    pub unknown_reason: Option<String>,
}

/// What happened in the last hour; at most a minute old.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, ToSchema)]
pub struct LastHour {
    /// Incidents that were opened.
    #[schema(minimum = 0)]
    pub incidents_opened: i64,
    /// Stages that began to fail.
    #[schema(minimum = 0)]
    pub degraded: i64,
    /// Stages that recovered.
    #[schema(minimum = 0)]
    pub recovered: i64,
}

/// A cluster in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct ClusterSummary {
    /// Its name.
    #[schema(example = "cnv-west-2")]
    pub name: String,
    /// Whether it can carry labs.
    pub status: ClusterStatus,
    /// Why it is not healthy.
    pub status_reasons: Vec<String>,
    /// How far what is shown can be relied on.
    pub source: SourceState,
    /// When namespaces and pods were last read completely.
    pub observed_at: Option<DateTime<Utc>>,
    /// Virtual machines per ready node.
    pub vms_per_node: Option<f64>,
    /// CPU in use, percent of the compute nodes.
    pub cpu_pct: Option<f32>,
    /// Memory in use, percent of the compute nodes.
    pub mem_pct: Option<f32>,
    /// Lab instances on it.
    pub instances: Counts,
}

/// Parameters of the overview.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OverviewParams {
    /// Only these clusters.
    pub cluster: Vec<String>,
}

/// How the fleet stands.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/overview", operation_id = "getOverview", tag = "overview", params(OverviewParams),
    responses((status = 200, description = "The overview", body = One<Overview>)))]
pub async fn get(State(app): State<QueryState>, ask: Ask<OverviewParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    // It names sessions by the time that is left, and sources by their age.
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&ask.params.cluster)?;
    let scope: Scope<'_> = clusters.as_deref().into();
    ask.one(&basis, scope, async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let supply = app.supply.get(&mut db, &basis).await?;
        let first = app.first.get(&mut db, &basis).await?;
        let attention = first.attention(&mut db, &basis, clusters.as_deref()).await?;
        let mut sources = sources::every(&mut db, &basis).await?;
        sources.sort_by(|a, b| a.source.cmp(&b.source));
        let rest = overview(&fleet, &supply, &first, &basis, clusters.as_deref());
        Ok(Overview {
            attention,
            sources: sources.into_iter().map(SourceSummary::from).collect(),
            ..rest
        })
    })
    .await
}

/// The overview of the named clusters, or of all, but for what must be read each time.
fn overview(fleet: &Fleet, supply: &Supply, first: &First, basis: &Basis, only: Option<&[Uuid]>) -> Overview {
    let wanted = |id: Uuid| only.is_none_or(|only| only.contains(&id));
    // What is about the whole fleet has no cluster.
    let concerns = |id: Option<Uuid>| id.map_or(only.is_none(), wanted);

    let mut instances = Counts::default();
    let mut unmapped = 0;
    for count in fleet.instances.iter().filter(|count| wanted(count.cluster_id)) {
        instances.add(&count.state, count.instances.into(), basis.is_blind(count.cluster_id));
        if count.lab == UNMAPPED && count.state != "gone" {
            unmapped += i64::from(count.instances);
        }
    }
    let incidents = incident_counts(fleet.open.iter().filter(|open| concerns(open.cluster_id)));
    let mut last_hour = LastHour::default();
    for recent in fleet.recent.iter().filter(|recent| concerns(recent.cluster_id)) {
        last_hour.incidents_opened += recent.incidents_opened;
        last_hour.degraded += recent.degraded;
        last_hour.recovered += recent.recovered;
    }
    let mut clusters = clusters::rows(fleet, basis);
    clusters.retain(|row| wanted(row.id));
    let stages = clusters::stage_outcomes(fleet, basis, wanted);
    let mut outcomes = Outcomes::default();
    for stage in &stages {
        outcomes += stage.outcomes;
    }
    let sessions = sessions::judged(supply, fleet, basis);
    Overview {
        verdict: verdict(Facts {
            instances: &instances,
            troubles: &clusters::troubles(&clusters, basis),
            critical_incidents: incidents.critical,
            open_incidents: incidents.open,
        }),
        simulated: !clusters.is_empty() && clusters.iter().all(|row| row.simulated),
        instances,
        unmapped,
        sessions_next: sessions::counts(&sessions, basis),
        provisioning: provisioning(supply, basis),
        health: Health {
            rate: outcomes.health_rate(),
            outcomes,
        },
        incidents,
        last_hour,
        top_classes: clusters::top_classes(fleet, basis, |count| wanted(count.cluster_id)),
        stages,
        clusters: clusters.into_iter().map(summary).collect(),
        next_sessions: sessions::next(&sessions, supply, basis.now),
        attention: Vec::new(),
        sources: Vec::new(),
        recommendations: first.advice.clone(),
        incident_hours: first.hours(basis.now, only),
    }
}

fn provisioning(supply: &Supply, basis: &Basis) -> ProvisioningCounts {
    if let Err(why) = basis.known(&[SourceName::Babylon]) {
        return ProvisioningCounts {
            unknown_reason: Some(why),
            ..ProvisioningCounts::default()
        };
    }
    let count = |wanted: fn(&str) -> bool| {
        let alike = supply.states.iter().filter(|state| wanted(&state.class));
        Some(alike.map(|state| state.subjects).sum())
    };
    ProvisioningCounts {
        subjects: count(|_| true),
        in_progress: count(|class| matches!(class, "initializing" | "in_progress")),
        failed: count(|class| class.starts_with("failed")),
        stuck: i64::try_from(supply.stuck.len()).ok(),
        unknown_reason: None,
    }
}

fn incident_counts<'a>(open: impl Iterator<Item = &'a OpenIncidents>) -> IncidentCounts {
    let mut counts = IncidentCounts::default();
    for open in open {
        if open.child {
            counts.covered += open.incidents;
            continue;
        }
        counts.open += open.incidents;
        match open.level.as_str() {
            "critical" => counts.critical += open.incidents,
            "high" => counts.high += open.incidents,
            "medium" => counts.medium += open.incidents,
            _ => counts.low += open.incidents,
        }
    }
    counts
}

fn summary(row: ClusterRow) -> ClusterSummary {
    ClusterSummary {
        name: row.name,
        status: row.status,
        status_reasons: row.status_reasons,
        source: row.source,
        observed_at: row.observed_at,
        vms_per_node: row.vms_per_node,
        cpu_pct: row.cpu_pct,
        mem_pct: row.mem_pct,
        instances: row.instances,
    }
}
