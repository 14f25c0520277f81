//! Stages as they were judged: outcome, reason, every criterion with the objects that decide it.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::PgConnection;
use stargate_common::stage::Stage;
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Schema, SchemaType, Type};
use uuid::Uuid;

use crate::params::StageName;
use crate::problem::ApiError;
use crate::words::{CriterionRole, OutcomeName};

/// A resource that a criterion names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberRow {
    /// Kubernetes kind.
    #[schema(example = "Deployment")]
    pub kind: String,
    /// Name of the object.
    #[schema(example = "web")]
    pub name: String,
    /// What is wrong with it, or why it is left out.
    #[schema(example = "0 of 1 replicas ready")]
    pub reason: String,
}

fn value_schema() -> Schema {
    let types = SchemaType::from_iter([Type::Boolean, Type::Number, Type::String, Type::Null]);
    ObjectBuilder::new()
        .schema_type(types)
        .description(Some("The value; null when it is not known."))
        .into()
}

/// A criterion as it was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CriterionRow {
    /// Its name, as in the rubric.
    #[schema(example = "endpoints_ready")]
    pub name: String,
    /// `entry` or `exit`.
    #[schema(value_type = CriterionRole)]
    pub role: String,
    /// Whether the outcome depends on it.
    pub required: bool,
    /// The value: boolean, number or text; null when it is not known.
    #[schema(schema_with = value_schema)]
    pub value: Value,
    /// Why it is not known.
    #[schema(example = "forbidden")]
    pub unknown_reason: Option<String>,
    /// The objects that make it false or unknown, at most 20.
    #[serde(default)]
    pub failing: Vec<MemberRow>,
    /// How many there are, when more than are named.
    #[serde(default)]
    pub failing_count: Option<i64>,
    /// Objects that were left out on purpose, at most 20.
    #[serde(default)]
    pub excluded: Vec<MemberRow>,
}

/// Where a stage of an instance or cluster stands.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct StageRow {
    /// The stage.
    #[schema(value_type = StageName)]
    pub stage: String,
    /// Its place in the pipeline, from 1.
    #[schema(minimum = 1, maximum = 11)]
    pub order: Option<usize>,
    /// What the newest evaluation said: `pass`, `warn`, `fail`, `indeterminate`, `skipped`. May grow.
    #[schema(value_type = OutcomeName)]
    pub outcome: String,
    /// Why, when it is indeterminate or skipped.
    #[schema(example = "not_probed")]
    pub reason: Option<String>,
    /// What is confirmed: a first bad result is not yet.
    #[schema(value_type = Option<OutcomeName>)]
    pub confirmed: Option<String>,
    /// Since when the confirmed outcome holds.
    pub since: Option<DateTime<Utc>>,
    /// Since when nobody knows.
    pub unknown_since: Option<DateTime<Utc>>,
    /// The failure class it fails or warns with.
    pub class: Option<String>,
    /// What the failing members say themselves: a class by the wording of their states and events.
    #[schema(example = "volume_mount_failed")]
    pub pattern_class: Option<String>,
    /// Finer label under the class.
    pub sub_class: Option<String>,
    /// What the rubric recommends looking at.
    pub recommended_action: Option<String>,
    /// One line for people.
    pub message: String,
    /// Every criterion, in the rubric's order.
    pub criteria: Vec<CriterionRow>,
    /// The incident it belongs to.
    pub incident_id: Option<Uuid>,
    /// It changes so often that its changes are not announced until then.
    pub flapping_until: Option<DateTime<Utc>>,
    /// Which rubric judged it.
    pub rubric_version: String,
    /// The age of the evidence it rests on.
    pub observed_at: DateTime<Utc>,
}

/// Every stage of a subject, in pipeline order. What a `blind` cluster's stages say is no longer known.
pub(in crate::api) async fn of_subject(db: &mut PgConnection, subject_id: Uuid, blind: bool) -> Result<Vec<StageRow>, ApiError> {
    let records = sqlx::query!(
        "-- stages::of_subject
        select stage, observed, reason, confirmed, failure_class, pattern_class, sub_class, since, unknown_since, flapping_until,
               incident_id, recommended_action, message, criteria, rubric_version, observed_at
        from stage_state where subject_id = $1",
        subject_id
    )
    .fetch_all(db)
    .await?;
    let mut rows = Vec::with_capacity(records.len());
    for record in records {
        let criteria = serde_json::from_value(record.criteria).map_err(|source| ApiError::Document {
            what: format!("the criteria of {} of {subject_id}", record.stage),
            source,
        })?;
        let withheld = blind && record.observed != "skipped";
        rows.push(StageRow {
            order: Stage::parse(&record.stage)
                .and_then(|stage| Stage::ALL.iter().position(|&one| one == stage))
                .map(|i| i + 1),
            stage: record.stage,
            outcome: if withheld { "indeterminate".to_owned() } else { record.observed },
            reason: if withheld { Some("stale".to_owned()) } else { record.reason },
            confirmed: record.confirmed,
            since: record.since,
            unknown_since: record.unknown_since,
            class: record.failure_class,
            pattern_class: record.pattern_class,
            sub_class: record.sub_class,
            recommended_action: record.recommended_action,
            message: record.message,
            criteria,
            incident_id: record.incident_id,
            flapping_until: record.flapping_until,
            rubric_version: record.rubric_version,
            observed_at: record.observed_at,
        });
    }
    rows.sort_by_key(|row| row.order.unwrap_or(usize::MAX));
    Ok(rows)
}
