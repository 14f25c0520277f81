//! Search: one box for everything that has a name.

use axum::extract::State;
use axum::response::Response;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{clusters, instances, knowledge, labs};
use crate::QueryState;
use crate::answer::{Ask, One, Scope};
use crate::basis::Basis;
use crate::params::{Needle, words};
use crate::problem::ApiError;

/// At most so many hits: who sees more types one more letter.
const HITS: usize = 20;

words! {
    /// What can be found.
    HitKind {
        /// A cluster, by a part of its name.
        Cluster = "cluster",
        /// A lab, by a part of its code.
        Lab = "lab",
        /// A failure class, by a part of its name or title.
        FailureClass = "failure-class",
        /// An instance, by the beginning of its namespace or guid.
        Instance = "instance",
    }
}

/// Something that was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Hit {
    /// What it is: `cluster`, `lab`, `failure-class`, `instance`. May grow.
    #[schema(value_type = HitKind)]
    pub kind: String,
    /// Its id or name.
    pub key: String,
    /// What to show.
    #[schema(example = "sandbox-q7f2k-netbasics")]
    pub title: String,
    /// How it stands.
    #[schema(example = "failing")]
    pub status: String,
    /// Where it is.
    #[schema(example = "/api/v1/instances/9f0f4a3e-6f4e-4c57-9a34-2f1d0f0a9d10")]
    pub href: String,
}

/// Parameters of the search.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// What to search for, in any case.
    #[param(inline)]
    pub q: Needle,
    /// Only these kinds.
    #[serde(default)]
    #[param(inline)]
    pub kind: Vec<HitKind>,
}

/// Everything whose name matches, at most 20.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/search", operation_id = "search", tag = "overview", params(SearchParams),
    responses((status = 200, description = "What was found", body = One<Vec<Hit>>)))]
pub async fn search(State(app): State<QueryState>, ask: Ask<SearchParams>) -> Result<Response, ApiError> {
    let SearchParams { q, kind } = &ask.params;
    let wanted = |one: HitKind| kind.is_empty() || kind.contains(&one);
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    ask.one(&basis, Scope::Fleet, async || {
        let fleet = app.fleet.get(&mut db, &basis).await?;
        let mut hits = Vec::new();
        if wanted(HitKind::Cluster) {
            let rows = clusters::rows(&fleet, &basis);
            let rows = rows.into_iter().filter(|row| row.name.contains(q.as_str()));
            hits.extend(rows.map(|row| hit(HitKind::Cluster, "clusters", row.name.clone(), row.name, row.status.as_str())));
        }
        if wanted(HitKind::Lab) {
            let found = labs::matching(&fleet, q.as_str(), &basis).into_iter();
            hits.extend(found.map(|(code, counts)| {
                let status = if counts.failing > 0 {
                    "failing"
                } else if counts.unknown == counts.total {
                    "unknown"
                } else {
                    "ready"
                };
                hit(HitKind::Lab, "labs", code.to_owned(), code.to_owned(), status)
            }));
        }
        if wanted(HitKind::FailureClass) {
            let rows = knowledge::class_rows(&app.knowledge, &fleet, &basis).into_iter();
            hits.extend(rows.filter(|row| knowledge::mentions(row, q.as_str())).map(|row| {
                let status = if row.instances > 0 { "active" } else { "inactive" };
                hit(HitKind::FailureClass, "failure-classes", row.id, row.title, status)
            }));
        }
        hits.truncate(HITS);
        if wanted(HitKind::Instance) && hits.len() < HITS {
            let rest = i64::try_from(HITS - hits.len()).unwrap_or_default();
            let rows = instances::matching(&mut db, &q.prefix_pattern(), rest, &basis).await?;
            hits.extend(
                rows.into_iter()
                    .map(|row| hit(HitKind::Instance, "instances", row.id.to_string(), row.namespace, &row.state)),
            );
        }
        Ok(hits)
    })
    .await
}

fn hit(kind: HitKind, collection: &str, key: String, title: String, status: &str) -> Hit {
    Hit {
        kind: kind.as_str().to_owned(),
        href: format!("/api/v1/{collection}/{}", escaped(&key)),
        key,
        title,
        status: status.to_owned(),
    }
}

/// A name as one segment of a path. Labs may be named for catalog items, which may hold anything.
fn escaped(name: &str) -> PercentEncode<'_> {
    const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    utf8_percent_encode(name, RESERVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_stays_one_segment() {
        assert_eq!(escaped("LB0001").to_string(), "LB0001");
        assert_eq!(escaped("a/b c?é").to_string(), "a%2Fb%20c%3F%C3%A9");
    }
}
