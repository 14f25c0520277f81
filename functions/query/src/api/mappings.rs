//! How things of different systems belong together, and what joined nothing.

use axum::extract::State;
use axum::response::Response;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgConnection;
use stargate_common::sources::SourceName;
use utoipa::{IntoParams, ToSchema};

use super::{any_of, any_word};
use crate::QueryState;
use crate::answer::{Ask, List, Scope};
use crate::basis::Basis;
use crate::page::Wanted;
use crate::params::{Limit, Needle, words};
use crate::problem::ApiError;

/// What joins rest on, besides the clusters.
const SOURCES: [SourceName; 5] = [
    SourceName::Babylon,
    SourceName::SandboxApi,
    SourceName::Labagator,
    SourceName::Demolition,
    SourceName::Aap,
];

words! {
    /// How surely two things belong together.
    StrengthName {
        /// By a key that means exactly this.
        Exact = "exact",
        /// By a key that may repeat over time.
        Strong = "strong",
        /// Guessed from names, or kept by hand.
        Weak = "weak",
    }
}

/// Two things that belong together, or one that should have joined another and did not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct MappingRow {
    /// What is joined: `instance`, `subject`, `catalog-item`, ….
    #[schema(example = "instance")]
    pub from_kind: String,
    /// Its key.
    pub from_key: String,
    /// Its name, for people, where it has another than its key.
    pub from_name: Option<String>,
    /// What it is joined to, or should be.
    #[schema(example = "subject")]
    pub to_kind: String,
    /// The key of that; null when it joined nothing.
    pub to_key: Option<String>,
    /// The name of that, for people.
    pub to_name: Option<String>,
    /// Which keys joined them, in order; null when it joined nothing.
    #[schema(example = "service_uuid > claim")]
    pub method: Option<String>,
    /// How surely: `exact`, `strong`, `weak`; null when it joined nothing.
    #[schema(value_type = Option<StrengthName>)]
    pub strength: Option<String>,
    /// Why it joined nothing.
    pub reason: Option<String>,
    /// Since when.
    pub since: DateTime<Utc>,
}

/// Parameters of the list of mappings.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default, deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct MappingParams {
    /// Only from or to these kinds.
    pub kind: Vec<String>,
    /// Only by these methods.
    pub method: Vec<String>,
    /// Only as sure as this.
    #[param(inline)]
    pub strength: Vec<StrengthName>,
    /// What joined nothing, instead of what joined.
    pub unmatched: bool,
    /// Only where a key, or the name of an instance's namespace or of a record, begins with this.
    #[param(inline)]
    pub q: Option<Needle>,
    /// Rows a page.
    #[param(inline)]
    pub limit: Limit,
    /// A cursor from an earlier answer to the same question.
    pub cursor: Option<String>,
}

type MappingKey = (String, String, String, String);

/// What belongs together, by kind and key; or what joined nothing.
///
/// # Errors
/// See the document.
#[utoipa::path(get, path = "/mappings", operation_id = "listMappings", tag = "provisioning", params(MappingParams),
    responses((status = 200, description = "Mappings", body = List<MappingRow>)))]
pub async fn list(State(app): State<QueryState>, ask: Ask<MappingParams>) -> Result<Response, ApiError> {
    let params = &ask.params;
    for (parameter, words) in [("kind", &params.kind), ("method", &params.method)] {
        super::no_nul(parameter, words)?;
    }
    let wanted: Wanted<MappingKey> = ask.page(params.limit, params.cursor.as_deref())?;
    let mut db = app.read(&ask.identity).await?;
    let basis = Basis::read(&mut db, ask.now).await?;
    ask.list(&basis, Scope::Systems(None, &SOURCES), async || {
        let rows = if params.unmatched {
            unmatched(&mut db, params, &wanted).await?
        } else {
            links(&mut db, params, &wanted).await?
        };
        let key = |row: &MappingRow| {
            let to = row.to_key.clone().unwrap_or_default();
            (row.from_kind.clone(), row.from_key.clone(), row.to_kind.clone(), to)
        };
        Ok(wanted.cut(rows, key))
    })
    .await
}

/// The list's statement in one direction.
macro_rules! links {
    ($name:literal, $compare:literal, $order:literal, $db:expr, $params:expr, $wanted:expr) => {
        sqlx::query_as!(
            MappingRow,
            "-- mappings::" + $name + "
            select l.from_kind, l.from_key,
                   coalesce(i.namespace, (select r.doc ->> 'name' from records r where r.kind = l.from_kind and r.key = l.from_key)) as from_name,
                   l.to_kind, l.to_key as \"to_key?\",
                   (select coalesce(r.doc ->> 'name', r.doc ->> 'title') from records r where r.kind = l.to_kind and r.key = l.to_key) as to_name,
                   l.method as \"method?\", l.strength as \"strength?\", null::text as \"reason?\", l.since
            from links l left join instances i on l.from_kind = 'instance' and i.instance_id = case when l.from_kind = 'instance' then l.from_key::uuid end
            where ($1::text[] is null or l.from_kind = any($1) or l.to_kind = any($1))
              and ($2::text[] is null or l.method = any($2))
              and ($3::text[] is null or l.strength = any($3))
              and ($4::text is null or lower(l.from_key) like $4 or lower(l.to_key) like $4 or i.namespace like $4
                   or exists (select from records r where r.kind = l.from_kind and r.key = l.from_key and lower(r.doc ->> 'name') like $4)
                   or exists (select from records r where r.kind = l.to_kind and r.key = l.to_key and lower(r.doc ->> 'name') like $4))
              and ($6::text is null or (l.from_kind, l.from_key, l.to_kind, l.to_key) " + $compare + " ($6, $7 collate \"C\", $8::text, $9 collate \"C\"))
            order by " + $order + "
            limit $5",
            any_of(&$params.kind) as _,
            any_of(&$params.method) as _,
            any_word(&$params.strength, StrengthName::as_str) as _,
            $params.q.as_ref().map(Needle::prefix_pattern) as _,
            $wanted.fetch(),
            $wanted.key().map(|key| &key.0) as _,
            $wanted.key().map(|key| &key.1) as _,
            $wanted.key().map(|key| &key.2) as _,
            $wanted.key().map(|key| &key.3) as _,
        )
        .fetch_all($db)
        .await
    };
}

async fn links(db: &mut PgConnection, params: &MappingParams, wanted: &Wanted<MappingKey>) -> Result<Vec<MappingRow>, sqlx::Error> {
    if wanted.is_ascending(false) {
        links!("links", ">", "l.from_kind, l.from_key, l.to_kind, l.to_key", db, params, wanted)
    } else {
        links!(
            "links_back",
            "<",
            "l.from_kind desc, l.from_key desc, l.to_kind desc, l.to_key desc",
            db,
            params,
            wanted
        )
    }
}

macro_rules! unmatched {
    ($name:literal, $compare:literal, $order:literal, $db:expr, $params:expr, $wanted:expr) => {
        sqlx::query_as!(
            MappingRow,
            "-- mappings::" + $name + "
            select u.kind as from_kind, u.key as from_key,
                   coalesce(i.namespace, (select r.doc ->> 'name' from records r where r.kind = u.kind and r.key = u.key)) as from_name,
                   u.wanted as to_kind, null::text as \"to_key?\", null::text as \"to_name?\", null::text as \"method?\", null::text as \"strength?\",
                   u.reason as \"reason?\", u.since
            from unmatched u left join instances i on u.kind = 'instance' and i.instance_id = case when u.kind = 'instance' then u.key::uuid end
            where ($1::text[] is null or u.kind = any($1) or u.wanted = any($1))
              and ($2::text is null or lower(u.key) like $2 or i.namespace like $2
                   or exists (select from records r where r.kind = u.kind and r.key = u.key and lower(r.doc ->> 'name') like $2))
              and $3::text[] is null and $4::text[] is null
              and ($6::text is null or (u.kind, u.key, u.wanted) " + $compare + " ($6, $7 collate \"C\", $8::text))
            order by " + $order + "
            limit $5",
            any_of(&$params.kind) as _,
            $params.q.as_ref().map(Needle::prefix_pattern) as _,
            any_of(&$params.method) as _,
            any_word(&$params.strength, StrengthName::as_str) as _,
            $wanted.fetch(),
            $wanted.key().map(|key| &key.0) as _,
            $wanted.key().map(|key| &key.1) as _,
            $wanted.key().map(|key| &key.2) as _,
        )
        .fetch_all($db)
        .await
    };
}

/// What joined nothing has neither method nor strength, so a filter for these leaves nothing.
async fn unmatched(db: &mut PgConnection, params: &MappingParams, wanted: &Wanted<MappingKey>) -> Result<Vec<MappingRow>, sqlx::Error> {
    if wanted.is_ascending(false) {
        unmatched!("unmatched", ">", "u.kind, u.key, u.wanted", db, params, wanted)
    } else {
        unmatched!("unmatched_back", "<", "u.kind desc, u.key desc, u.wanted desc", db, params, wanted)
    }
}
