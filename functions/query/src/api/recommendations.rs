//! Advice of the policy engine, and what its rules could not tell. Nothing here acts, and nothing here makes anything act.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::policy::augment::Context;
use stargate_common::policy::evaluate::Evidence;
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{any_of, any_word};
use crate::QueryState;
use crate::answer::{Ask, List, One, Scope};
use crate::basis::Basis;
use crate::page::{Key, Sort, Wanted, short};
use crate::params::{Limit, NoParams, words};
use crate::problem::ApiError;
use crate::words::Withdrawal;

/// What advice rests on: which facts a rule asks for is up to the rules, so every system is named.
const BASIS: Scope<'static> = Scope::Systems(None, &SourceName::ALL);

words! {
    /// What advice is about.
    RecommendationScope {
        /// A lab.
        Lab = "lab",
        /// A resource pool.
        Pool = "pool",
        /// A cluster.
        Cluster = "cluster",
        /// Everything.
        Platform = "platform",
    }
}

words! {
    /// How soon somebody should look.
    RecommendationUrgency {
        /// Now.
        Critical = "critical",
        /// Today.
        High = "high",
        /// This week.
        Medium = "medium",
        /// When there is time.
        Low = "low",
    }
}

words! {
    /// Whether advice stands.
    RecommendationState {
        /// It does.
        Issued = "issued",
        /// It was taken back.
        Withdrawn = "withdrawn",
    }
}

/// A piece of advice in a list.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RecommendationRow {
    /// Its id: for ever the same for the same rule and subject.
    pub id: Uuid,
    /// The rule.
    #[schema(example = "pool_exhaustion")]
    pub rule: String,
    /// What it is about: `lab`, `pool`, `cluster`, `platform`. May grow.
    #[schema(value_type = RecommendationScope)]
    pub scope: String,
    /// Which one.
    #[schema(example = "poolboy/webshop")]
    pub scope_key: String,
    /// `issued` or `withdrawn`. May grow.
    #[schema(value_type = RecommendationState)]
    pub state: String,
    /// `critical`, `high`, `medium` or `low`.
    #[schema(value_type = RecommendationUrgency)]
    pub urgency: String,
    /// How sure it is, 0 to 1.
    #[schema(example = 0.95, minimum = 0, maximum = 1)]
    pub confidence: f64,
    /// The rule in a few words.
    pub title: String,
    /// The decision in words.
    pub decision: String,
    /// Something of priority 7 or more happened within an hour on a cluster that the lab runs on.
    pub escalated: bool,
    /// Why it cannot be told whether it still holds; null when it can.
    #[schema(example = "stale")]
    pub unknown_reason: Option<String>,
    /// Since when that cannot be told.
    pub unknown_since: Option<DateTime<Utc>>,
    /// Raised with every change of the decision.
    pub revision: i32,
    /// When it was issued.
    pub issued_at: DateTime<Utc>,
    /// When the decision last changed.
    pub updated_at: DateTime<Utc>,
    /// When it was taken back.
    pub withdrawn_at: Option<DateTime<Utc>>,
    /// Why it was taken back: `no_longer`, `subject_gone`, `rule_gone`. May grow.
    #[schema(value_type = Option<Withdrawal>)]
    pub withdrawal: Option<String>,
}

/// Something that advice rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RecommendationEvidence {
    /// The group that it is of.
    #[schema(example = "pools")]
    pub group: String,
    /// How many there are of the group; at most twenty are named.
    #[schema(minimum = 0)]
    pub count: usize,
    /// What it is: the kind of a record, `instance`, `cluster`, `kind`.
    #[schema(example = "resource-pool")]
    pub kind: String,
    /// Which one.
    pub key: String,
    /// What matters of it.
    pub detail: String,
}

/// One piece of advice with what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RecommendationDetail {
    #[serde(flatten)]
    #[schema(inline)]
    row: RecommendationRow,
    /// What makes it another decision when it changes.
    pub key_facts: BTreeMap<String, String>,
    /// The sources that it rests on.
    pub sources: Vec<String>,
    /// What to look at.
    pub evidence: Vec<RecommendationEvidence>,
    /// How the lab's stages stand, what was demanded of it and does not run, what could have made it more urgent and is not known.
    #[schema(value_type = Object)]
    pub context: Context,
    /// Version of the rules that it was made by.
    pub rules_version: String,
}

words! {
    /// What advice can be sorted by.
    RecommendationField {
        /// The most urgent first.
        Urgency = "urgency",
        /// How sure it is.
        Confidence = "confidence",
        /// When it last changed.
        UpdatedAt = "updated_at",
        /// The rule.
        Rule = "rule",
    }
}

/// Parameters of the list of advice.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RecommendationParams {
    /// Only of these rules.
    pub rule: Vec<String>,
    /// Only about these.
    #[param(inline)]
    pub scope: Vec<RecommendationScope>,
    /// Only so urgent.
    #[param(inline)]
    pub urgency: Vec<RecommendationUrgency>,
    /// Only about these labs.
    pub lab: Vec<String>,
    /// Only in these states; what was not taken back when nothing is named.
    #[param(inline)]
    pub state: Vec<RecommendationState>,
    /// Fields, each with `-` for descending: urgency, confidence, updated_at, rule.
    #[param(value_type = String, example = "urgency")]
    pub sort: Option<Sort<RecommendationField>>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

/// Advice, the most urgent and surest first. Nobody acts on it but people.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/recommendations", operation_id = "listRecommendations", tag = "recommendations", params(RecommendationParams),
    responses((status = 200, description = "Advice", body = List<RecommendationRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<RecommendationParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    let wanted = ask.page(params.limit, params.cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    ask.list(&basis, BASIS, async || {
        let rows = read(&mut db, params).await?;
        let usual = Sort::ascending(RecommendationField::Urgency);
        Ok(short(rows, params.sort.as_ref().unwrap_or(&usual), &wanted, key, id))
    })
    .await
}

/// Advice that stands, in a few numbers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct AdviceSummary {
    /// Advice that stands.
    #[schema(minimum = 0)]
    pub open: usize,
    /// Of this, what somebody should look at today: critical or high.
    #[schema(minimum = 0)]
    pub urgent: usize,
    /// The most urgent and surest, at most 3.
    pub top: Vec<RecommendationRow>,
}

/// Sums up the advice that stands.
pub(super) async fn summary(db: &mut PgConnection) -> Result<AdviceSummary, ApiError> {
    let rows = read(db, &RecommendationParams::default()).await?;
    let (open, urgent) = (
        rows.len(),
        rows.iter()
            .filter(|row| matches!(row.urgency.as_str(), "critical" | "high"))
            .count(),
    );
    let first = Wanted::new(Limit::TOP, None, "")?;
    let (top, _) = short(rows, &Sort::ascending(RecommendationField::Urgency), &first, key, id);
    Ok(AdviceSummary { open, urgent, top })
}

fn key(row: &RecommendationRow, field: RecommendationField) -> Key {
    let rank = ["critical", "high", "medium", "low"]
        .into_iter()
        .position(|urgency| urgency == row.urgency);
    match field {
        RecommendationField::Urgency => Key::number(rank.and_then(|rank| i64::try_from(rank).ok())),
        RecommendationField::Confidence => Key::measure(Some(row.confidence)),
        RecommendationField::UpdatedAt => Key::time(Some(row.updated_at)),
        RecommendationField::Rule => Key::text(Some(&row.rule)),
    }
}

/// Ties: the surest first, then by rule and subject.
fn id(row: &RecommendationRow) -> String {
    format!("{:.2} {} {}/{}", 1.0 - row.confidence, row.rule, row.scope, row.scope_key)
}

async fn read(db: &mut PgConnection, params: &RecommendationParams) -> Result<Vec<RecommendationRow>, sqlx::Error> {
    let states = any_word(&params.state, RecommendationState::as_str).unwrap_or_else(|| vec!["issued".to_owned()]);
    sqlx::query_as!(
        RecommendationRow,
        r#"-- recommendations::list
        select recommendation_id as id, rule, scope, scope_key, state, urgency, (confidence / 100.0)::float8 as "confidence!", title, decision,
               escalated, unknown_reason, unknown_since, revision, issued_at, updated_at, withdrawn_at, withdrawal
        from recommendations
        where ($1::text[] is null or rule = any($1)) and ($2::text[] is null or scope = any($2)) and ($3::text[] is null or urgency = any($3))
          and ($4::text[] is null or (scope = 'lab' and scope_key = any($4))) and state = any($5)"#,
        any_of(&params.rule) as _,
        any_word(&params.scope, RecommendationScope::as_str) as _,
        any_word(&params.urgency, RecommendationUrgency::as_str) as _,
        any_of(&params.lab) as _,
        &states
    )
    .fetch_all(db)
    .await
}

/// One piece of advice: what it rests on, and what else is known.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/recommendations/{id}", operation_id = "getRecommendation", tag = "recommendations",
    params(("id" = String, Path, description = "Its id")),
    responses((status = 200, description = "The advice", body = One<RecommendationDetail>)))]
pub async fn get(State(app): State<QueryState>, Path(id): Path<String>, ask: Ask<NoParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let missing = || ApiError::NotFound {
        what: "recommendation",
        name: id.clone(),
    };
    let wanted: Uuid = id.parse().map_err(|_| missing())?;
    ask.one(&basis, BASIS, async || detail(&mut db, wanted).await?.ok_or_else(missing))
        .await
}

async fn detail(db: &mut PgConnection, id: Uuid) -> Result<Option<RecommendationDetail>, ApiError> {
    let found = sqlx::query!(
        r#"-- recommendations::get
        select recommendation_id, rule, scope, scope_key, state, urgency, (confidence / 100.0)::float8 as "confidence!", title, decision,
               escalated, unknown_reason, unknown_since, revision, issued_at, updated_at, withdrawn_at, withdrawal, key_facts, sources,
               evidence, context, rules_version
        from recommendations where recommendation_id = $1"#,
        id
    )
    .fetch_optional(db)
    .await?;
    let Some(row) = found else { return Ok(None) };
    let unread = |source| ApiError::Document {
        what: format!("what advice {id} rests on"),
        source,
    };
    let evidence: Vec<Evidence> = serde_json::from_value(row.evidence).map_err(unread)?;
    let named = evidence.into_iter().flat_map(|Evidence { group, count, items }| {
        items.into_iter().map(move |item| RecommendationEvidence {
            group: group.as_str().to_owned(),
            count,
            kind: item.kind,
            key: item.key,
            detail: item.detail,
        })
    });
    Ok(Some(RecommendationDetail {
        key_facts: serde_json::from_value(row.key_facts).map_err(unread)?,
        sources: serde_json::from_value(row.sources).map_err(unread)?,
        evidence: named.collect(),
        context: serde_json::from_value(row.context).map_err(unread)?,
        rules_version: row.rules_version,
        row: RecommendationRow {
            id: row.recommendation_id,
            rule: row.rule,
            scope: row.scope,
            scope_key: row.scope_key,
            state: row.state,
            urgency: row.urgency,
            confidence: row.confidence,
            title: row.title,
            decision: row.decision,
            escalated: row.escalated,
            unknown_reason: row.unknown_reason,
            unknown_since: row.unknown_since,
            revision: row.revision,
            issued_at: row.issued_at,
            updated_at: row.updated_at,
            withdrawn_at: row.withdrawn_at,
            withdrawal: row.withdrawal,
        },
    }))
}

/// A rule that could not be told of some subjects, for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct RuleUnknownRow {
    /// The rule.
    #[schema(example = "aap_provision_failing")]
    pub rule: String,
    /// What it is about.
    #[schema(value_type = RecommendationScope)]
    pub scope: String,
    /// Why.
    #[schema(example = "not_collected")]
    pub reason: String,
    /// Of how many.
    #[schema(minimum = 1)]
    pub subjects: i32,
    /// The first of them.
    pub examples: Vec<String>,
    /// Facts that are not known.
    pub facts: Vec<String>,
    /// Who knows them.
    pub sources: Vec<String>,
    /// Since when.
    pub since: DateTime<Utc>,
}

words! {
    /// What unknowns can be sorted by.
    RuleUnknownField {
        /// The rule.
        Rule = "rule",
        /// Of how many it cannot be told.
        Subjects = "subjects",
    }
}

/// Parameters of the list of what rules cannot tell.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct RuleUnknownParams {
    /// Fields, each with `-` for descending: rule, subjects.
    #[param(value_type = String, example = "-subjects")]
    pub sort: Sort<RuleUnknownField>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for RuleUnknownParams {
    fn default() -> Self {
        Self {
            sort: Sort::ascending(RuleUnknownField::Rule),
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// What rules cannot tell, and why: no advice on these does not mean that all is well.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/policy/unknowns", operation_id = "listRuleUnknowns", tag = "recommendations", params(RuleUnknownParams),
    responses((status = 200, description = "What rules cannot tell", body = List<RuleUnknownRow>)))]
pub async fn unknowns(State(app): State<QueryState>, ask: Ask<RuleUnknownParams>) -> Result<Response, ApiError> {
    let RuleUnknownParams { sort, limit, cursor } = &ask.params;
    let wanted = ask.page(*limit, cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    ask.list(&basis, BASIS, async || {
        let rows = sqlx::query!(
            "-- recommendations::unknowns
            select rule, scope, reason, subjects, examples, facts, sources, since from rule_unknowns"
        )
        .fetch_all(&mut *db)
        .await?;
        let words = |json: serde_json::Value| {
            serde_json::from_value::<Vec<String>>(json).map_err(|source| ApiError::Document {
                what: "what a rule cannot tell".to_owned(),
                source,
            })
        };
        let rows: Result<Vec<RuleUnknownRow>, ApiError> = rows
            .into_iter()
            .map(|row| {
                Ok(RuleUnknownRow {
                    rule: row.rule,
                    scope: row.scope,
                    reason: row.reason,
                    subjects: row.subjects,
                    examples: words(row.examples)?,
                    facts: words(row.facts)?,
                    sources: words(row.sources)?,
                    since: row.since,
                })
            })
            .collect();
        let key = |row: &RuleUnknownRow, field| match field {
            RuleUnknownField::Rule => Key::text(Some(&row.rule)),
            RuleUnknownField::Subjects => Key::number(Some(row.subjects.into())),
        };
        Ok(short(rows?, sort, &wanted, key, |row| format!("{} {}", row.rule, row.reason)))
    })
    .await
}
