//! What the filters of the list of labs can be set to.

use std::collections::BTreeSet;

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::{LabHealth, LabParams, Plans, known_to_fail, selected};
use crate::QueryState;
use crate::answer::{Ask, One};
use crate::api::facets::{FacetValue, Tally};
use crate::basis::Basis;
use crate::counts::effective;
use crate::problem::ApiError;

/// Values of the filters, each with the labs of the list that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LabFacets {
    /// Clusters that carry them.
    pub cluster: Vec<FacetValue>,
    /// States of their instances.
    pub state: Vec<FacetValue>,
    /// Stages at which an instance of theirs fails first.
    pub stage: Vec<FacetValue>,
    /// Failure classes of their instances.
    pub class: Vec<FacetValue>,
    /// With issues, and all.
    pub health: Vec<FacetValue>,
}

/// What the filters of the list of labs can be set to. Order and page are taken and mean nothing here.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/labs/facets", operation_id = "getLabFacets", tag = "labs", params(LabParams),
    responses((status = 200, description = "Values by filter, most frequent first", body = One<LabFacets>)))]
pub async fn facets(State(app): State<QueryState>, ask: Ask<LabParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::of_the_minute(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&ask.params.cluster)?;
    ask.one(&basis, clusters.as_deref().into(), async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let supply = app.supply.get(&mut db, &basis).await?;
        let plans = Plans::of(&supply, &fleet, &basis);
        let [mut cluster, mut state, mut stage, mut class, mut health] = <[Tally; 5]>::default();
        for (row, counts) in selected(&ask.params, &fleet, &basis, clusters.as_deref(), &plans) {
            for name in &row.clusters {
                cluster.add(name, 1);
            }
            let of = |value: &dyn Fn(&crate::fleet::InstanceCount) -> Option<String>| -> BTreeSet<String> {
                counts.iter().filter_map(|count| value(count)).collect()
            };
            for value in of(&|count| Some(effective(&count.state, basis.is_blind(count.cluster_id)).to_owned())) {
                state.add(&value, 1);
            }
            for value in of(&|count| known_to_fail(count, &basis).then(|| count.stage.clone())) {
                stage.add(&value, 1);
            }
            for value in of(&|count| known_to_fail(count, &basis).then(|| count.failure_class.clone())) {
                class.add(&value, 1);
            }
            health.add(LabHealth::All.as_str(), 1);
            health.add(LabHealth::Issues.as_str(), row.has_issues().into());
        }
        Ok(LabFacets {
            cluster: cluster.values(),
            state: state.values(),
            stage: stage.values(),
            class: class.values(),
            health: health.values(),
        })
    })
    .await
}
