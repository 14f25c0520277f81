//! What verdicts say of each lab. Instances are grouped as lists group them: by lab, else by what was ordered.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use sqlx::types::Json;
use stargate_common::db::DbError;
use stargate_common::evaluate::CriterionResult;
use stargate_common::policy::augment::{FailingStage, Violation};
use stargate_common::stage::Stage;
use uuid::Uuid;

use super::{World, doing};

/// From which priority on, and for how long, something on a cluster escalates the advice on its labs. Source: readiness-domain 7.4.
const ESCALATING: f32 = 7.0;
const ESCALATED_FOR: TimeDelta = TimeDelta::minutes(60);
/// Instances that are named, of each lab and stage.
const NAMED: i64 = 20;

/// What verdicts say of a lab.
#[derive(Debug, Clone, Default)]
pub struct LabReadiness {
    /// Instances by cluster.
    pub instances: BTreeMap<Uuid, i64>,
    /// Instances whose stage showroom-healthy is confirmed as failed.
    pub showroom_failing: i64,
    /// Instances without an admitted Route though the namespace is ready.
    pub route_missing: i64,
    /// Why that cannot be told of some instance.
    pub route_doubt: Vec<String>,
    /// Instances whose guest agent is not connected.
    pub agent_missing: i64,
    /// Why that cannot be told of some instance.
    pub agent_doubt: Vec<String>,
    /// Some of the instances.
    pub failing: Vec<FailingInstance>,
}

/// An instance with a failing stage.
#[derive(Debug, Clone)]
pub struct FailingInstance {
    /// Its id.
    pub id: Uuid,
    /// Its namespace.
    pub namespace: String,
    /// The stage.
    pub stage: Stage,
    /// Its class.
    pub class: Option<String>,
}

pub(super) async fn read(conn: &mut PgConnection, world: &mut World, now: DateTime<Utc>) -> Result<(), DbError> {
    let rows = sqlx::query!(
        r#"-- load::lab_instances
        select lab as "lab!", cluster_id, count(*) as "instances!" from instances where deleted_at is null group by lab, cluster_id"#
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(doing("counting instances of labs"))?;
    for row in rows {
        let of_lab = world.readiness.entry(row.lab).or_default();
        of_lab.instances.insert(row.cluster_id, row.instances);
    }
    counts(conn, world).await?;
    failing_instances(conn, world).await?;
    contexts(conn, world).await?;
    violations(conn, world).await?;
    let escalated = sqlx::query_scalar!(
        r#"-- load::escalated
        select distinct i.lab as "lab!" from instances i
        where i.deleted_at is null and exists (
            select from incidents n where n.cluster_id = i.cluster_id and n.priority >= $1 and n.opened_at > $2)"#,
        ESCALATING,
        now - ESCALATED_FOR
    )
    .fetch_all(conn)
    .await
    .map_err(doing("reading what is escalated"))?;
    for lab in escalated {
        world.contexts.entry(lab).or_default().escalated = true;
    }
    Ok(())
}

async fn counts(conn: &mut PgConnection, world: &mut World) -> Result<(), DbError> {
    let rows = sqlx::query!(
        r#"-- load::lab_stages
        select i.lab as "lab!",
               count(*) filter (where s.stage = 'showroom-healthy' and s.confirmed = 'fail') as "showroom!",
               count(*) filter (where s.stage = 'route-ready' and s.observed = 'fail'
                                and s.failure_class in ('route_missing', 'route_not_admitted') and n.observed = 'pass') as "route!",
               array_agg(distinct s.reason) filter (where s.stage = 'route-ready' and s.observed = 'indeterminate' and s.reason is not null)
                   as "route_doubt: Vec<String>",
               count(*) filter (where s.stage = 'vm-runtime-ready' and s.observed in ('fail', 'warn')
                                and s.failure_class = 'guest_agent_not_connected') as "agent!",
               array_agg(distinct s.reason) filter (where s.stage = 'vm-runtime-ready' and s.observed = 'indeterminate' and s.reason is not null)
                   as "agent_doubt: Vec<String>"
        from stage_state s
        join instances i on i.instance_id = s.instance_id and i.deleted_at is null
        left join stage_state n on n.subject_id = s.subject_id and n.stage = 'namespace-ready'
        where s.stage in ('showroom-healthy', 'route-ready', 'vm-runtime-ready')
        group by i.lab"#
    )
    .fetch_all(conn)
    .await
    .map_err(doing("counting failing stages of labs"))?;
    for row in rows {
        let of_lab = world.readiness.entry(row.lab).or_default();
        of_lab.showroom_failing = row.showroom;
        of_lab.route_missing = row.route;
        of_lab.route_doubt = row.route_doubt.unwrap_or_default();
        of_lab.agent_missing = row.agent;
        of_lab.agent_doubt = row.agent_doubt.unwrap_or_default();
    }
    Ok(())
}

async fn failing_instances(conn: &mut PgConnection, world: &mut World) -> Result<(), DbError> {
    let rows = sqlx::query!(
        r#"-- load::failing_instances
        select lab as "lab!", instance_id, namespace, stage, failure_class from (
            select i.lab, i.instance_id, i.namespace, s.stage, s.failure_class,
                   row_number() over (partition by i.lab, s.stage order by i.namespace, i.instance_id) as place
            from stage_state s
            join instances i on i.instance_id = s.instance_id and i.deleted_at is null
            left join stage_state n on n.subject_id = s.subject_id and n.stage = 'namespace-ready'
            where (s.stage = 'showroom-healthy' and s.confirmed = 'fail')
               or (s.stage = 'route-ready' and s.observed = 'fail' and s.failure_class in ('route_missing', 'route_not_admitted')
                   and n.observed = 'pass')
               or (s.stage = 'vm-runtime-ready' and s.observed in ('fail', 'warn') and s.failure_class = 'guest_agent_not_connected')
        ) failing where place <= $1 order by lab, stage, place"#,
        NAMED
    )
    .fetch_all(conn)
    .await
    .map_err(doing("naming failing instances of labs"))?;
    for row in rows {
        let Some(stage) = Stage::parse(&row.stage) else { continue };
        world.readiness.entry(row.lab).or_default().failing.push(FailingInstance {
            id: row.instance_id,
            namespace: row.namespace,
            stage,
            class: row.failure_class,
        });
    }
    Ok(())
}

async fn contexts(conn: &mut PgConnection, world: &mut World) -> Result<(), DbError> {
    let rows = sqlx::query!(
        r#"-- load::lab_rollup
        select lab, count(*) as "judged!", count(*) filter (where passing) as "passing!" from (
            select lab, stage, bool_and(outcome in ('pass', 'skipped')) as passing from stage_rollup group by lab, stage
        ) stages group by lab"#
    )
    .fetch_all(&mut *conn)
    .await
    .map_err(doing("counting stages of labs"))?;
    for row in rows {
        let context = world.contexts.entry(row.lab).or_default();
        context.stages_judged = usize::try_from(row.judged).unwrap_or_default();
        context.stages_passing = usize::try_from(row.passing).unwrap_or_default();
    }
    let rows = sqlx::query!(
        r#"-- load::failing_stages
        select lab as "lab!", stage, observed, failure_class, since, criteria as "criteria: Json<Vec<CriterionResult>>", instances as "instances!"
        from (
            select i.lab, s.stage, s.observed, s.failure_class, s.since, s.criteria,
                   count(*) over (partition by i.lab, s.stage) as instances,
                   row_number() over (partition by i.lab, s.stage order by s.since desc nulls last, s.subject_id) as place
            from stage_state s join instances i on i.instance_id = s.instance_id and i.deleted_at is null
            where s.observed in ('fail', 'warn')
        ) failing where place = 1 order by lab, stage"#
    )
    .fetch_all(conn)
    .await
    .map_err(doing("reading failing stages of labs"))?;
    for row in rows {
        let Some(stage) = Stage::parse(&row.stage) else { continue };
        let fails = |criterion: &&CriterionResult| criterion.value == serde_json::Value::Bool(false);
        let holds = |criterion: &&CriterionResult| criterion.value == serde_json::Value::Bool(true);
        let criteria = row.criteria.0;
        world.contexts.entry(row.lab).or_default().failing.push(FailingStage {
            stage,
            instances: row.instances,
            outcome: row.observed,
            class: row.failure_class,
            failed: criteria.iter().filter(fails).map(|criterion| criterion.name.to_string()).collect(),
            passed: criteria.iter().filter(holds).count(),
            since: row.since,
        });
    }
    for context in world.contexts.values_mut() {
        context.failing.sort_by_key(|failing| failing.stage);
    }
    Ok(())
}

/// What the definitions of labs demand and what runs otherwise: critical ones first, then those that most instances have. A violation of instances of several
/// actual values is one each: they are different things to repair.
async fn violations(conn: &mut PgConnection, world: &mut World) -> Result<(), DbError> {
    let rows = sqlx::query!(
        r#"-- load::violations
        select lab as "lab!", type, expected, actual, severity, stage, instances as "instances!"
        from (
            select i.lab, v.type, v.expected, v.actual, v.severity, v.stage, count(*) as instances,
                   row_number() over (partition by i.lab order by v.severity, count(*) desc, v.type, v.expected, v.actual) as place
            from constraint_violations v join instances i on i.instance_id = v.instance_id and i.deleted_at is null
            where v.cleared_at is null
            group by i.lab, v.type, v.expected, v.actual, v.severity, v.stage
        ) open where place <= $1 order by lab, place"#,
        NAMED
    )
    .fetch_all(conn)
    .await
    .map_err(doing("reading what definitions demand otherwise"))?;
    for row in rows {
        let Some(stage) = Stage::parse(&row.stage) else { continue };
        world.contexts.entry(row.lab).or_default().violations.push(Violation {
            violation: row.r#type,
            expected: row.expected,
            actual: row.actual,
            severity: row.severity,
            stage,
            class: None,
            instances: row.instances,
        });
    }
    Ok(())
}
