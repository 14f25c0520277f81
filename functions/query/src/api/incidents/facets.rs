//! What the filters of the list of incidents can be set to.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use utoipa::ToSchema;

use super::store::facet_counts;
use super::{IncidentParams, filter};
use crate::QueryState;
use crate::answer::{Ask, One};
use crate::api::facets::{FacetValue, Tally};
use crate::basis::Basis;
use crate::problem::ApiError;

/// Values of the filters, each with the incidents of the list that have it themselves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct IncidentFacets {
    /// Open or resolved.
    pub state: Vec<FacetValue>,
    /// How soon somebody should look.
    pub severity: Vec<FacetValue>,
    /// What they are about.
    pub scope: Vec<FacetValue>,
    /// Failure classes.
    pub class: Vec<FacetValue>,
    /// Clusters.
    pub cluster: Vec<FacetValue>,
    /// Labs.
    pub lab: Vec<FacetValue>,
    /// Stages.
    pub stage: Vec<FacetValue>,
}

/// What the filters of the list of incidents can be set to. Order and page are taken and mean nothing here.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/incidents/facets", operation_id = "getIncidentFacets", tag = "incidents", params(IncidentParams),
    responses((status = 200, description = "Values by filter, most frequent first", body = One<IncidentFacets>)))]
pub async fn facets(State(app): State<QueryState>, ask: Ask<IncidentParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&ask.params.cluster)?;
    let filter = filter(&ask.params, clusters);
    ask.one(&basis, filter.clusters.as_deref().into(), async || {
        let [mut state, mut severity, mut scope, mut class, mut cluster, mut lab, mut stage] = <[Tally; 7]>::default();
        for row in facet_counts(&mut db, &filter).await? {
            // One of them is set: each row counts one value of one filter.
            for (tally, value) in [
                (&mut state, row.state),
                (&mut severity, row.level),
                (&mut scope, row.scope),
                (&mut class, row.failure_class),
                (&mut cluster, row.cluster_id.map(|id| basis.cluster_name(id))),
                (&mut lab, row.lab),
                (&mut stage, row.stage),
            ] {
                tally.add(value.as_deref().unwrap_or_default(), row.incidents);
            }
        }
        Ok(IncidentFacets {
            state: state.values(),
            severity: severity.values(),
            scope: scope.values(),
            class: class.values(),
            cluster: cluster.values(),
            lab: lab.values(),
            stage: stage.values(),
        })
    })
    .await
}
