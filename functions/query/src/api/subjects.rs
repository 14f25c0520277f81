//! AnarchySubjects: one deployed component of an order each, where it stands, and whether it moves.

mod store;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stargate_common::provisioning::state::SubjectClass;
use stargate_common::provisioning::stuck::Stuck;
use stargate_common::provisioning::subject::AnarchySubject;
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

pub(super) use self::store::{SubjectRecord, by_keys, find};
use super::{any_of, any_word};
use crate::QueryState;
use crate::answer::{Ask, List, One, Scope};
use crate::basis::Basis;
use crate::page::Wanted;
use crate::params::{Limit, Needle, NoParams, words};
use crate::problem::ApiError;

/// What subjects rest on.
const SOURCES: [SourceName; 1] = [SourceName::Babylon];

words! {
    /// What a subject's state means.
    SubjectClassName {
        /// Just created: nothing was begun.
        Initializing = "initializing",
        /// An action is scheduled or carried out.
        InProgress = "in_progress",
        /// It runs.
        Started = "started",
        /// It is off on purpose.
        Stopped = "stopped",
        /// An action ended badly, and nobody tries again.
        FailedTerminal = "failed_terminal",
        /// An action ended badly, and the governor tries again.
        FailedRetrying = "failed_retrying",
        /// Destroyed; only the object is left.
        Gone = "gone",
        /// A state that we do not know.
        Unknown = "unknown",
    }
}

/// Why a subject does not move by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct StuckRow {
    /// In a word: `teardown_not_scheduled`, `missed_callback`, …. May grow.
    #[schema(example = "missed_callback")]
    pub kind: String,
    /// In a sentence.
    pub detail: String,
    /// Since when it is in that condition.
    pub since: DateTime<Utc>,
    /// How long that is, in seconds.
    #[schema(minimum = 0)]
    pub age_s: i64,
}

/// The job of the subject's newest action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct JobRef {
    /// What it does: `provision`, `start`, `stop`, `destroy`.
    pub action: String,
    /// Host of its controller.
    pub controller: String,
    /// Its id there.
    pub id: Option<i64>,
    /// Its status, as the subject says it.
    pub status: Option<String>,
}

/// A subject.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubjectRow {
    /// Its uid.
    pub uid: String,
    /// Its Anarchy namespace.
    pub namespace: String,
    /// Its name.
    #[schema(example = "acme-labs.webshop.event-q7f2k-1")]
    pub name: String,
    /// The component it deploys.
    #[schema(example = "acme-labs.webshop.event")]
    pub governor: String,
    /// The guid of the order, with the component's index.
    #[schema(example = "q7f2k-1")]
    pub guid: Option<String>,
    /// The lab that its catalog item or its instance belongs to.
    #[schema(example = "LB0001")]
    pub lab_code: Option<String>,
    /// Where its namespace is, by the Sandbox API's name of the cluster.
    pub cluster: Option<String>,
    /// The namespace it deploys to.
    pub lab_namespace: Option<String>,
    /// The instance that namespace is.
    pub instance_id: Option<Uuid>,
    /// Its state, as the governor wrote it; null when that was read too long ago.
    #[schema(example = "provision-failed")]
    pub state: Option<String>,
    /// What its state was when it was last read, when that is too long ago to be shown as its state.
    pub last_known_state: Option<String>,
    /// What the state means; `unknown` when it was read too long ago.
    #[schema(value_type = SubjectClassName)]
    pub class: String,
    /// What it should be.
    pub desired_state: Option<String>,
    /// Since when it is in its state, as far as collections saw it.
    pub state_since: Option<DateTime<Utc>>,
    /// How long that is, in seconds.
    #[schema(minimum = 0)]
    pub age_in_state_s: Option<i64>,
    /// Since when it is being deleted.
    pub deleting_since: Option<DateTime<Utc>>,
    /// Why it does not move; null when it does, or when that is not known.
    pub stuck: Option<StuckRow>,
    /// Its handle, claim and pool, as `namespace/name`.
    pub handle: Option<String>,
    /// Null while it is unclaimed.
    pub claim: Option<String>,
    /// The pool it came from.
    pub pool: Option<String>,
    /// The job of its newest action.
    pub last_job: Option<JobRef>,
    /// What the last governor run said.
    pub message: Option<String>,
    /// When what is shown was first read.
    pub changed_at: DateTime<Utc>,
}

/// A change of a subject's state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubjectTransition {
    /// When a collection saw it: it happened at this time at the latest.
    pub at: DateTime<Utc>,
    /// When it can have happened at the earliest: the collection before.
    pub not_before: Option<DateTime<Utc>>,
    /// The state before; null at first.
    pub from_state: Option<String>,
    /// The state after.
    pub to_state: String,
}

/// A subject with its story.
#[derive(Debug, Serialize, ToSchema)]
pub struct SubjectDetail {
    /// As in the list.
    #[serde(flatten)]
    pub row: SubjectRow,
    /// Its newest changes of state, at most 50.
    pub transitions: Vec<SubjectTransition>,
    /// Its AAP jobs that are known, newest first, at most 20.
    pub jobs: Vec<super::jobs::JobRow>,
}

words! {
    /// What the list of subjects can be sorted by.
    SubjectSort {
        /// By name.
        Name = "name",
        /// By name, backwards.
        NameDescending = "-name",
        /// Longest unchanged first.
        Changed = "changed_at",
        /// Newest changed first.
        ChangedDescending = "-changed_at",
    }
}

/// Parameters of the list of subjects.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SubjectParams {
    /// Only subjects in these states, as the governor writes them.
    pub state: Vec<String>,
    /// Only subjects whose state means this.
    #[param(inline)]
    pub class: Vec<SubjectClassName>,
    /// Only subjects that should be in these states.
    pub desired: Vec<String>,
    /// Only subjects of these labs.
    pub lab: Vec<String>,
    /// Only subjects on these clusters, by our name or that of the Sandbox API.
    pub cluster: Vec<String>,
    /// Only subjects of these pools.
    pub pool: Vec<String>,
    /// Only subjects that do not move by themselves, or only the others.
    pub stuck: Option<bool>,
    /// Only subjects whose name, guid or lab namespace begins with this.
    #[param(inline)]
    pub q: Option<Needle>,
    /// The order.
    #[param(inline)]
    pub sort: SubjectSort,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for SubjectParams {
    fn default() -> Self {
        Self {
            state: Vec::new(),
            class: Vec::new(),
            desired: Vec::new(),
            lab: Vec::new(),
            cluster: Vec::new(),
            pool: Vec::new(),
            stuck: None,
            q: None,
            sort: SubjectSort::Name,
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// AnarchySubjects.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/subjects", operation_id = "listSubjects", tag = "provisioning", params(SubjectParams),
    responses((status = 200, description = "Subjects", body = List<SubjectRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<SubjectParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    for (parameter, words) in [
        ("state", &params.state),
        ("desired", &params.desired),
        ("lab", &params.lab),
        ("cluster", &params.cluster),
        ("pool", &params.pool),
    ] {
        super::no_nul(parameter, words)?;
    }
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    let scope = Scope::Systems(Some(&[]), &SOURCES);
    let filter = |stuck: Option<Vec<String>>| store::Filter {
        states: any_of(&params.state),
        classes: any_word(&params.class, SubjectClassName::as_str),
        desired: any_of(&params.desired),
        labs: any_of(&params.lab),
        clusters: any_of(&params.cluster),
        pools: any_of(&params.pool),
        stuck,
        is_stuck: params.stuck,
        pattern: params.q.as_ref().map(Needle::prefix_pattern),
    };
    let (limit, cursor) = (params.limit, params.cursor.as_deref());
    match params.sort {
        SubjectSort::Name | SubjectSort::NameDescending => {
            let wanted: Wanted<(String, String)> = ask.page(limit, cursor)?;
            ask.list(&basis, scope, async || {
                let supply = app.supply.get(&mut db, &basis).await?;
                let filter = filter(params.stuck.map(|_| supply.stuck.keys().cloned().collect()));
                let descending = params.sort == SubjectSort::NameDescending;
                let records = store::by_name(&mut db, &filter, &wanted, descending).await?;
                let (records, page) = wanted.cut(records, |record| (record.name.clone(), record.key.clone()));
                Ok((rows(records, &supply, &basis)?, page))
            })
            .await
        }
        SubjectSort::Changed | SubjectSort::ChangedDescending => {
            let wanted: Wanted<(DateTime<Utc>, String)> = ask.page(limit, cursor)?;
            ask.list(&basis, scope, async || {
                let supply = app.supply.get(&mut db, &basis).await?;
                let filter = filter(params.stuck.map(|_| supply.stuck.keys().cloned().collect()));
                let descending = params.sort == SubjectSort::ChangedDescending;
                let records = store::by_change(&mut db, &filter, &wanted, descending).await?;
                let (records, page) = wanted.cut(records, |record| (record.changed_at, record.key.clone()));
                Ok((rows(records, &supply, &basis)?, page))
            })
            .await
        }
    }
}

/// One subject: its changes of state, its jobs, and whether it moves.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/subjects/{uid}", operation_id = "getSubject", tag = "provisioning",
    params(("uid" = String, Path, description = "Uid of the subject")),
    responses((status = 200, description = "The subject", body = One<SubjectDetail>)))]
pub async fn get(State(app): State<QueryState>, Path(uid): Path<String>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    let record = find(&mut db, &uid).await?;
    ask.one(
        &basis,
        Scope::Systems(Some(&[]), &[SourceName::Babylon, SourceName::Aap]),
        async || {
            let supply = app.supply.get(&mut db, &basis).await?;
            let subject = record.subject()?;
            Ok(SubjectDetail {
                transitions: store::transitions(&mut db, &uid).await?,
                jobs: super::jobs::of_subject(&mut db, &subject.service_uuid, &basis).await?,
                row: row(&record, subject, &supply, &basis),
            })
        },
    )
    .await
}

fn rows(records: Vec<SubjectRecord>, supply: &crate::supply::Supply, basis: &Basis) -> Result<Vec<SubjectRow>, ApiError> {
    records
        .iter()
        .map(|record| Ok(row(record, record.subject()?, supply, basis)))
        .collect()
}

pub(super) fn row(record: &SubjectRecord, subject: AnarchySubject, supply: &crate::supply::Supply, basis: &Basis) -> SubjectRow {
    let known = basis.collectors.trouble(SourceName::Babylon, basis.now).is_none();
    let class = SubjectClass::of(&subject);
    let state = subject.current_state.clone();
    let age = |at: DateTime<Utc>| (basis.now - at).num_seconds().max(0);
    SubjectRow {
        uid: record.key.clone(),
        lab_code: record.lab_code.clone(),
        instance_id: record.instance_id.as_ref().and_then(|id| id.parse().ok()),
        class: if known { class.as_str() } else { SubjectClass::Unknown.as_str() }.to_owned(),
        last_known_state: (!known).then(|| state.clone()),
        state: known.then_some(state),
        state_since: record.state_since,
        age_in_state_s: record.state_since.map(age),
        stuck: supply
            .stuck
            .get(&record.key)
            .filter(|_| known)
            .map(|stuck| stuck_row(stuck, basis.now)),
        last_job: last_job(&subject),
        deleting_since: subject.deleting_since,
        handle: subject.handle.as_ref().map(ToString::to_string),
        claim: subject.claim.as_ref().map(ToString::to_string),
        pool: subject.pool.as_ref().map(ToString::to_string),
        desired_state: text(subject.desired_state),
        guid: text(subject.guid),
        cluster: text(subject.lab_cluster),
        lab_namespace: text(subject.lab_namespace),
        message: text(subject.run_message),
        namespace: subject.namespace,
        name: subject.name,
        governor: subject.governor,
        changed_at: record.changed_at,
    }
}

/// A text; none when it is empty.
pub(super) fn text(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

pub(super) fn stuck_row(stuck: &Stuck, now: DateTime<Utc>) -> StuckRow {
    StuckRow {
        kind: stuck.kind.as_str().to_owned(),
        detail: stuck.detail.clone(),
        since: stuck.since,
        age_s: (now - stuck.since).num_seconds().max(0),
    }
}

/// The job that began last; of those without a time any, so that there is one to look at.
fn last_job(subject: &AnarchySubject) -> Option<JobRef> {
    let (action, job) = subject.jobs.iter().max_by_key(|(_, job)| job.started_at)?;
    Some(JobRef {
        action: action.clone(),
        controller: job.host.clone(),
        id: job.id,
        status: text(job.status.clone()),
    })
}
