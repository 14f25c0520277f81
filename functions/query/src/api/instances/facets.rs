//! What the filters of the list of instances can be set to.

use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use sqlx::PgConnection;
use utoipa::ToSchema;

use super::{InstanceParams, filter};
use crate::QueryState;
use crate::answer::{Ask, One};
use crate::api::facets::{FacetValue, Tally};
use crate::api::instances::store::Filter;
use crate::basis::Basis;
use crate::counts::effective;
use crate::fleet::InstanceCount;
use crate::problem::ApiError;

/// Values of the filters, each with the instances of the list that have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct InstanceFacets {
    /// Labs.
    pub lab: Vec<FacetValue>,
    /// Clusters.
    pub cluster: Vec<FacetValue>,
    /// States, as they are shown.
    pub state: Vec<FacetValue>,
    /// First failing stages.
    pub stage: Vec<FacetValue>,
    /// Failure classes.
    pub class: Vec<FacetValue>,
}

/// What the filters of the list of instances can be set to. Order and page are taken and mean nothing here.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/instances/facets", operation_id = "getInstanceFacets", tag = "instances", params(InstanceParams),
    responses((status = 200, description = "Values by filter, most frequent first", body = One<InstanceFacets>)))]
pub async fn facets(State(app): State<QueryState>, ask: Ask<InstanceParams>) -> Result<Response, ApiError> {
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    let clusters = basis.cluster_ids(&ask.params.cluster)?;
    let filter = filter(&ask.params, &basis, clusters);
    ask.one(&basis, filter.clusters.as_deref().into(), async || {
        // What the rollups do not hold is counted.
        if filter.kinds.is_none() && filter.pattern.is_none() && !filter.gone {
            let fleet = app.fleet.get(&mut db, &basis).await?;
            Ok(tally(fleet.instances.iter(), &filter, &basis))
        } else {
            Ok(tally(counts(&mut db, &filter).await?.iter(), &filter, &basis))
        }
    })
    .await
}

fn tally<'a>(counts: impl Iterator<Item = &'a InstanceCount>, filter: &Filter, basis: &Basis) -> InstanceFacets {
    let [mut lab, mut cluster, mut state, mut stage, mut class] = <[Tally; 5]>::default();
    let fits = |wanted: &Option<Vec<String>>, value: &str| wanted.as_ref().is_none_or(|wanted| wanted.iter().any(|one| one == value));
    for count in counts {
        let shown = effective(&count.state, basis.is_blind(count.cluster_id));
        let wanted = fits(&filter.labs, &count.lab)
            && filter.clusters.as_ref().is_none_or(|wanted| wanted.contains(&count.cluster_id))
            && fits(&filter.states, shown)
            && fits(&filter.stages, &count.stage)
            && fits(&filter.classes, &count.failure_class);
        if wanted {
            let n = count.instances.into();
            lab.add(&count.lab, n);
            cluster.add(&basis.cluster_name(count.cluster_id), n);
            state.add(shown, n);
            stage.add(&count.stage, n);
            class.add(&count.failure_class, n);
        }
    }
    InstanceFacets {
        lab: lab.values(),
        cluster: cluster.values(),
        state: state.values(),
        stage: stage.values(),
        class: class.values(),
    }
}

/// As the rollup, of what only the instances themselves tell.
async fn counts(db: &mut PgConnection, filter: &Filter) -> Result<Vec<InstanceCount>, sqlx::Error> {
    sqlx::query_as!(
        InstanceCount,
        r#"-- instances::counts
        select cluster_id, lab as "lab!", state, coalesce(worst_stage, '') as "stage!", coalesce(failure_class, '') as "failure_class!",
               count(*)::integer as "instances!", min(failing_since) as oldest_failing_since
        from instances
        where (deleted_at is null or $5::bool)
          and ($1::text[] is null or lab = any($1))
          and ($2::uuid[] is null or cluster_id = any($2))
          and ($3::text[] is null or kind = any($3))
          and ($4::text is null or namespace like $4 or guid like $4)
        group by 1, 2, 3, 4, 5"#,
        filter.labs as _,
        filter.clusters as _,
        filter.kinds as _,
        filter.pattern as _,
        filter.gone
    )
    .fetch_all(db)
    .await
}
