//! Nodes of a cluster, from its own evidence.

use std::collections::BTreeMap;

use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::objects::{Kind, Node, NodeMetrics};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::QueryState;
use crate::answer::{Ask, List, Scope};
use crate::basis::Basis;
use crate::page::{Key, Sort, short};
use crate::params::Limit;
use crate::problem::ApiError;

/// A node of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct NodeRow {
    /// Its name.
    #[schema(example = "worker-07")]
    pub node: String,
    /// What its labels say it is for.
    #[schema(example = json!(["worker"]))]
    pub roles: Vec<String>,
    /// Whether it is ready; null when its conditions do not say.
    pub ready: Option<bool>,
    /// It takes no new pods.
    pub unschedulable: bool,
    /// CPU in use, percent of what can be allocated; null when it was not measured.
    pub cpu_pct: Option<f64>,
    /// Memory in use, percent of what can be allocated; null when it was not measured.
    pub mem_pct: Option<f64>,
    /// What it is short of: `DiskPressure`, `MemoryPressure`, `PIDPressure`, ….
    pub pressure: Vec<String>,
    /// Version of its kubelet.
    pub kubelet_version: String,
    /// When this state of the node was first read.
    pub observed_at: DateTime<Utc>,
    /// When its load was measured.
    pub measured_at: Option<DateTime<Utc>>,
}

/// What the list of nodes can be sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "each variant is the field of that name")]
pub enum NodeField {
    Node,
    CpuPct,
    MemPct,
}

/// Parameters of the list of nodes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct NodeParams {
    /// Fields, each with `-` for descending: node, cpu_pct, mem_pct.
    #[param(value_type = String, example = "-cpu_pct,node")]
    pub sort: Sort<NodeField>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

impl Default for NodeParams {
    fn default() -> Self {
        Self {
            sort: Sort::ascending(NodeField::Node),
            limit: Limit::default(),
            cursor: None,
        }
    }
}

/// Nodes of a cluster.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/clusters/{name}/nodes", operation_id = "listNodes", tag = "clusters",
    params(("name" = String, Path, description = "Name of the cluster"), NodeParams),
    responses((status = 200, description = "Nodes", body = List<NodeRow>)))]
pub async fn list(State(app): State<QueryState>, Path(name): Path<String>, ask: Ask<NodeParams>) -> Result<Response, ApiError> {
    let NodeParams { sort, limit, cursor } = &ask.params;
    let wanted = ask.page(*limit, cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let id = basis.cluster_named(&name)?.cluster_id;
    ask.list(&basis, Scope::Clusters(&[id]), async || {
        let rows = rows(&mut db, id, &name).await?;
        Ok(short(rows, sort, &wanted, key, |row| row.node.clone()))
    })
    .await
}

fn key(row: &NodeRow, field: NodeField) -> Key {
    match field {
        NodeField::Node => Key::text(Some(&row.node)),
        NodeField::CpuPct => Key::measure(row.cpu_pct),
        NodeField::MemPct => Key::measure(row.mem_pct),
    }
}

async fn rows(db: &mut PgConnection, cluster_id: Uuid, name: &str) -> Result<Vec<NodeRow>, ApiError> {
    let documents = sqlx::query!(
        r#"-- nodes::documents
        select kind, doc::text as "doc!", observed_at from cluster_evidence where cluster_id = $1 and kind = any($2)"#,
        cluster_id,
        &[Kind::Node.as_str().to_owned(), Kind::NodeMetrics.as_str().to_owned()]
    )
    .fetch_all(db)
    .await?;
    let (mut nodes, mut loads, mut observed_at) = (Vec::new(), BTreeMap::new(), DateTime::UNIX_EPOCH);
    for document in documents {
        if document.kind == Kind::Node.as_str() {
            nodes = parse::<Node>(&document.doc, Kind::Node, name)?;
            observed_at = document.observed_at;
        } else {
            let metrics = parse::<NodeMetrics>(&document.doc, Kind::NodeMetrics, name)?;
            loads.extend(metrics.into_iter().map(|load| (load.metadata.name.clone(), load)));
        }
    }
    Ok(nodes
        .iter()
        .map(|node| row(node, loads.get(&node.metadata.name), observed_at))
        .collect())
}

fn parse<T: DeserializeOwned>(text: &str, kind: Kind, cluster: &str) -> Result<Vec<T>, ApiError> {
    serde_json::from_str(text).map_err(|source| ApiError::Document {
        what: format!("the {kind} document of {cluster}"),
        source,
    })
}

fn row(node: &Node, load: Option<&NodeMetrics>, observed_at: DateTime<Utc>) -> NodeRow {
    let share = |resource: &str| {
        let used = quantity(load?.usage.get(resource)?)?;
        let all = quantity(node.status.allocatable.get(resource)?)?;
        (all > 0.0).then(|| used / all * 100.0)
    };
    let conditions = &node.status.conditions;
    let ready = conditions.iter().find(|condition| condition.kind == "Ready");
    let roles = node.metadata.labels.keys();
    NodeRow {
        node: node.metadata.name.clone(),
        roles: roles
            .filter_map(|label| label.strip_prefix("node-role.kubernetes.io/").map(str::to_owned))
            .collect(),
        ready: ready.and_then(|ready| match (ready.is_true(), ready.is_false()) {
            (true, _) => Some(true),
            (_, true) => Some(false),
            _ => None,
        }),
        unschedulable: node.spec.unschedulable,
        cpu_pct: share("cpu"),
        mem_pct: share("memory"),
        pressure: conditions
            .iter()
            .filter(|condition| condition.kind.ends_with("Pressure") && condition.is_true())
            .map(|condition| condition.kind.clone())
            .collect(),
        kubelet_version: node.status.node_info.kubelet_version.clone(),
        observed_at,
        measured_at: load.and_then(|load| load.timestamp),
    }
}

/// A Kubernetes quantity as a number of its base unit: cores, bytes.
fn quantity(text: &str) -> Option<f64> {
    const UNITS: [(&str, f64); 14] = [
        ("Ki", 1024.0),
        ("Mi", 1_048_576.0),
        ("Gi", 1_073_741_824.0),
        ("Ti", 1_099_511_627_776.0),
        ("Pi", 1_125_899_906_842_624.0),
        ("Ei", 1_152_921_504_606_846_976.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
    ];
    let (number, unit) = UNITS
        .iter()
        .find_map(|&(suffix, unit)| text.strip_suffix(suffix).map(|number| (number, unit)))
        .unwrap_or((text, 1.0));
    number.parse::<f64>().ok().map(|number| number * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_in_every_usual_unit() {
        assert_eq!(quantity("64"), Some(64.0));
        assert_eq!(quantity("1500m"), Some(1.5));
        assert_eq!(quantity("250000000n"), Some(0.25));
        assert_eq!(quantity("2Ki"), Some(2048.0));
        assert_eq!(quantity("1e3"), Some(1000.0));
        assert_eq!(quantity("3G"), Some(3e9));
        assert_eq!(quantity("lots"), None);
        assert_eq!(quantity(""), None);
    }
}
