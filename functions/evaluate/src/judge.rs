//! Evidence to verdicts, some instances at a time: memory follows the verdicts, not the objects.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};
use sqlx::PgPool;
use stargate_common::db::clusters::Summary;
use stargate_common::db::constraint_violations;
use stargate_common::db::evidence::{self, AsOf};
use stargate_common::db::instances::Instance;
use stargate_common::db::links::{self, Offer};
use stargate_common::db::{DbError, evidence::EvidenceError};
use stargate_common::evaluate::pipeline::{self, Input};
use stargate_common::evaluate::rubric::RubricSet;
use stargate_common::evaluate::{InstanceVerdict, Verdict};
use stargate_common::evidence::{Declared, Phase, Value, cluster};
use stargate_common::objects::{ClusterInventory, Inventory, Kind, Node, meta};
use stargate_common::stage::Stage as Step;
use stargate_common::track::witness;
use uuid::Uuid;

use crate::constraints::{self, Found};

/// Instances whose evidence is in memory at once. Source: 20 pods and 30 other objects of about 1 KB each are 5 MB.
const AT_ONCE: usize = 100;

/// Everything an evaluation found.
#[derive(Debug)]
pub struct Judged {
    /// The cluster's own stage.
    pub cluster: Stage,
    /// The cluster at a glance.
    pub summary: Summary,
    /// Every instance that was there, by namespace.
    pub instances: Vec<JudgedInstance>,
    /// What each instance's definition demands, against what runs.
    pub demanded: BTreeMap<Uuid, Found>,
}

/// A verdict and its hash.
#[derive(Debug)]
pub struct Stage {
    /// The verdict.
    pub verdict: Verdict,
    /// Over everything people see of it.
    pub hash: [u8; 32],
}

impl Stage {
    fn of(verdict: Verdict) -> Result<Self, DbError> {
        let Verdict {
            stage: _,
            outcome,
            reason,
            failure_class,
            class_match: _,
            pattern_class,
            sub_class,
            recommended_action,
            message,
            criteria,
            until: _,
        } = &verdict;
        let reason = reason.map(|reason| reason.to_string());
        let classes = (failure_class, pattern_class, sub_class);
        let seen = (outcome, reason, classes, recommended_action, message, criteria);
        let bytes = serde_json::to_vec(&seen).map_err(|error| DbError {
            doing: "writing a verdict as JSON",
            source: sqlx::Error::Encode(Box::new(error)),
        })?;
        let hash = Sha256::digest(bytes).into();
        Ok(Self { verdict, hash })
    }
}

/// One instance, judged.
#[derive(Debug)]
pub struct JudgedInstance {
    /// Which.
    pub instance: Instance,
    /// Its names, kind and lifecycle; the stages are in `stages`.
    pub verdict: InstanceVerdict,
    /// The lab it is joined to.
    pub lab_code: Option<String>,
    /// Its stages.
    pub stages: Vec<Stage>,
    /// Which pods and controllers it consists of.
    pub identity: Vec<u8>,
    /// It is being provisioned, inside its budget.
    pub provisioning: bool,
}

/// Judges a cluster and its instances as of a moment.
///
/// # Errors
/// Evidence could not be loaded.
pub async fn judge(db: &PgPool, rubrics: &RubricSet, as_of: AsOf<'_>) -> Result<Judged, EvidenceError> {
    let acquired = db.acquire().await;
    let mut conn = acquired.map_err(|source| DbError {
        doing: "getting a connection",
        source,
    })?;
    let objects = evidence::cluster_inventory(&mut conn, as_of).await?;
    let cluster_verdict = pipeline::evaluate_cluster(rubrics, &objects, as_of.now);
    let population = evidence::population(&mut conn, as_of).await?;
    let demands = constraint_violations::demands(&mut conn, as_of.cluster.id).await?;
    let mut demanded = BTreeMap::new();
    let mut offers = links::offers(&mut conn, as_of.cluster.id).await?;
    let mut instances = Vec::with_capacity(population.len());
    let mut vms = as_of.coverage.until(Kind::VirtualMachineInstance, as_of.now).ok().map(|_| 0);
    for some in population.chunks(AT_ONCE) {
        let inventories = evidence::inventories(&mut conn, as_of, some).await?;
        for (instance, inventory) in some.iter().zip(&inventories) {
            let Offer { catalog_item, lab_code } = offers.remove(&instance.id).unwrap_or_default();
            let declared = Declared {
                catalog_item,
                ..Declared::default()
            };
            let input = Input {
                now: as_of.now,
                cluster: &objects,
                cluster_verdict: &cluster_verdict,
                inventory,
                declared: &declared,
            };
            let judged = judge_instance(rubrics, instance, &input, lab_code)?;
            demanded.insert(instance.id, constraints::compare(&demands, &judged, inventory, &objects));
            instances.push(judged);
            vms = vms.map(|vms| vms + running_vms(inventory));
        }
    }
    Ok(Judged {
        cluster: Stage::of(cluster_verdict)?,
        summary: summary(&objects, as_of, vms),
        instances,
        demanded,
    })
}

fn judge_instance(
    rubrics: &RubricSet,
    instance: &Instance,
    input: &Input<'_>,
    lab_code: Option<String>,
) -> Result<JudgedInstance, DbError> {
    let mut verdict = pipeline::evaluate_instance(rubrics, input);
    let stages = std::mem::take(&mut verdict.stages)
        .into_iter()
        .map(Stage::of)
        .collect::<Result<_, _>>()?;
    let namespace = input.inventory.namespace.items.first();
    let began = namespace
        .and_then(|namespace| namespace.metadata.creation_timestamp)
        .or(verdict.lifecycle.since);
    let on_its_way = matches!(verdict.lifecycle.phase, Phase::Requested | Phase::Provisioning);
    Ok(JudgedInstance {
        instance: instance.clone(),
        stages,
        identity: witness::identity(input.inventory),
        provisioning: on_its_way && began.is_none_or(|began| input.now - began < rubrics.settle.of(Step::ProvisionComplete)),
        verdict,
        lab_code,
    })
}

fn running_vms(inventory: &Inventory) -> i32 {
    let running = inventory.vmis.items.iter().filter(|vmi| vmi.status.phase == "Running");
    i32::try_from(running.count()).unwrap_or(i32::MAX)
}

fn summary(objects: &ClusterInventory, as_of: AsOf<'_>, vms: Option<i32>) -> Summary {
    let observed = cluster::observe(objects, as_of.now).observations;
    let percent = |name: &str| match observed.get(name).map(|observation| &observation.value) {
        // One decimal is what people read; more would be a change with every measurement.
        #[expect(clippy::cast_possible_truncation, reason = "a percentage with one decimal")]
        Some(Value::Number(percent)) => Some(((percent * 10.0).round() / 10.0) as f32),
        _ => None,
    };
    let count = |wanted: fn(&Node) -> bool| objects.nodes.items.iter().filter(|node| wanted(node)).count();
    let ready = |node: &Node| meta::condition(&node.status.conditions, "Ready").is_some_and(meta::Condition::is_true);
    let nodes = match objects.nodes.missing {
        Some(_) => serde_json::json!({}),
        None => serde_json::json!({
            "total": objects.nodes.items.len(), "ready": count(ready), "unschedulable": count(|node| node.spec.unschedulable),
        }),
    };
    let version = objects.versions.items.first().map(|version| version.status.desired.version.clone());
    Summary {
        openshift_version: version.filter(|version| !version.is_empty()),
        nodes,
        cpu_pct: percent("cpu_percent"),
        mem_pct: percent("memory_percent"),
        vms,
    }
}
