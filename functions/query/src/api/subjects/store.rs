//! Statements about subjects: one list in every order, one by uid.

use chrono::{DateTime, Utc};
use sqlx::PgConnection;
use stargate_common::provisioning::subject::AnarchySubject;

use super::SubjectTransition;
use crate::page::Wanted;
use crate::problem::ApiError;

/// A subject as stored.
#[derive(Debug, Clone)]
pub(in crate::api) struct SubjectRecord {
    pub key: String,
    pub name: String,
    pub doc: String,
    pub changed_at: DateTime<Utc>,
    pub state_since: Option<DateTime<Utc>>,
    pub instance_id: Option<String>,
    pub lab_code: Option<String>,
}

impl SubjectRecord {
    pub(in crate::api) fn subject(&self) -> Result<AnarchySubject, ApiError> {
        super::super::document(&self.doc, || format!("subject {}", self.key))
    }
}

/// Which subjects are wanted; `None` is any.
#[derive(Debug)]
pub(super) struct Filter {
    pub states: Option<Vec<String>>,
    pub classes: Option<Vec<String>>,
    pub desired: Option<Vec<String>>,
    pub labs: Option<Vec<String>>,
    pub clusters: Option<Vec<String>>,
    pub pools: Option<Vec<String>>,
    /// Keys of those that do not move.
    pub stuck: Option<Vec<String>>,
    pub is_stuck: Option<bool>,
    pub pattern: Option<String>,
}

/// The list's statement in one order. `$after` compares with the sort key (`$11`) and key (`$12`) of the cursor. A lab's subjects are those of
/// its catalog items and of its instances.
macro_rules! select {
    ($name:literal, $after:literal, $order:literal, $db:expr, $filter:expr, $wanted:expr) => {
        sqlx::query_as!(
            SubjectRecord,
            "-- subjects::" + $name + "
            select s.key, coalesce(s.doc ->> 'name', '') as \"name!\", s.doc::text as \"doc!\", s.changed_at,
                   (select t.at from subject_transitions t where t.subject_key = s.key order by t.at desc limit 1) as state_since,
                   l.from_key as \"instance_id?\",
                   coalesce((select o.to_key from links o where o.from_kind = 'instance' and o.from_key = l.from_key and o.to_kind = 'lab' order by 1 limit 1),
                            (select o.to_key from links o where o.from_kind = 'catalog-item' and o.from_key = s.doc ->> 'governor' and o.to_kind = 'lab'
                             order by 1 limit 1)) as lab_code
            from subjects s
            left join lateral (select i.from_key from links i where i.to_kind = 'subject' and i.to_key = s.key and i.from_kind = 'instance'
                               order by 1 limit 1) l on true
            where s.kind = 'subject' and s.gone_at is null
              and ($1::text[] is null or s.doc ->> 'current_state' = any($1))
              and ($2::text[] is null or subject_class(s.doc) = any($2))
              and ($3::text[] is null or s.doc ->> 'desired_state' = any($3))
              and ($4::text[] is null
                   or s.doc ->> 'governor' = any(array(select o.from_key from links o where o.to_kind = 'lab' and o.to_key = any($4) and o.from_kind = 'catalog-item'))
                   or s.key = any(array(select o.to_key from links i join links o on o.from_kind = 'instance' and o.from_key = i.from_key and o.to_kind = 'subject'
                                        where i.to_kind = 'lab' and i.to_key = any($4) and i.from_kind = 'instance')))
              and ($5::text[] is null
                   or s.doc ->> 'lab_cluster' = any($5)
                   or s.doc ->> 'lab_cluster' = any(array(select o.from_key from links o where o.to_kind = 'cluster' and o.to_key = any($5) and o.from_kind = 'sandbox-cluster')))
              and ($6::text[] is null or s.doc #>> '{pool,name}' = any($6))
              and ($7::bool is null or (s.key = any($8::text[])) = $7)
              and ($9::text is null or s.doc ->> 'name' like $9 or s.doc ->> 'guid' like $9 or s.doc ->> 'lab_namespace' like $9)
              and ($12::text is null or " + $after + ")
            order by " + $order + "
            limit $10",
            $filter.states as _,
            $filter.classes as _,
            $filter.desired as _,
            $filter.labs as _,
            $filter.clusters as _,
            $filter.pools as _,
            $filter.is_stuck as _,
            $filter.stuck as _,
            $filter.pattern as _,
            $wanted.fetch(),
            $wanted.key().map(|(key, _)| key) as _,
            $wanted.key().map(|(_, id)| id) as _,
        )
        .fetch_all($db)
        .await
    };
}

pub(super) async fn by_name(
    db: &mut PgConnection,
    filter: &Filter,
    wanted: &Wanted<(String, String)>,
    descending: bool,
) -> Result<Vec<SubjectRecord>, sqlx::Error> {
    if wanted.is_ascending(descending) {
        select!(
            "by_name",
            "((s.doc ->> 'name') collate \"C\", s.key) > ($11::text collate \"C\", $12 collate \"C\")",
            "(s.doc ->> 'name') collate \"C\", s.key",
            db,
            filter,
            wanted
        )
    } else {
        select!(
            "by_name_descending",
            "((s.doc ->> 'name') collate \"C\", s.key) < ($11::text collate \"C\", $12 collate \"C\")",
            "(s.doc ->> 'name') collate \"C\" desc, s.key desc",
            db,
            filter,
            wanted
        )
    }
}

pub(super) async fn by_change(
    db: &mut PgConnection,
    filter: &Filter,
    wanted: &Wanted<(DateTime<Utc>, String)>,
    descending: bool,
) -> Result<Vec<SubjectRecord>, sqlx::Error> {
    if wanted.is_ascending(descending) {
        select!(
            "by_change",
            "(s.changed_at, s.key) > ($11::timestamptz, $12 collate \"C\")",
            "s.changed_at, s.key",
            db,
            filter,
            wanted
        )
    } else {
        select!(
            "by_change_descending",
            "(s.changed_at, s.key) < ($11::timestamptz, $12 collate \"C\")",
            "s.changed_at desc, s.key desc",
            db,
            filter,
            wanted
        )
    }
}

/// The subjects of these uids that are there, by name.
pub(in crate::api) async fn by_keys(db: &mut PgConnection, keys: &[String]) -> Result<Vec<SubjectRecord>, sqlx::Error> {
    sqlx::query_as!(
        SubjectRecord,
        r#"-- subjects::by_keys
        select s.key, coalesce(s.doc ->> 'name', '') as "name!", s.doc::text as "doc!", s.changed_at,
               (select t.at from subject_transitions t where t.subject_key = s.key order by t.at desc limit 1) as state_since,
               null::text as "instance_id?", null::text as "lab_code?"
        from subjects s where s.kind = 'subject' and s.gone_at is null and s.key = any($1) order by 2"#,
        keys
    )
    .fetch_all(db)
    .await
}

/// The subject of that uid, gone or not.
pub(in crate::api) async fn find(db: &mut PgConnection, uid: &str) -> Result<SubjectRecord, ApiError> {
    let missing = || ApiError::NotFound {
        what: "subject",
        name: uid.to_owned(),
    };
    if uid.contains('\0') {
        return Err(missing());
    }
    sqlx::query_as!(
        SubjectRecord,
        r#"-- subjects::find
        select s.key, coalesce(s.doc ->> 'name', '') as "name!", s.doc::text as "doc!", s.changed_at,
               (select t.at from subject_transitions t where t.subject_key = s.key order by t.at desc limit 1) as state_since,
               l.from_key as "instance_id?",
               coalesce((select o.to_key from links o where o.from_kind = 'instance' and o.from_key = l.from_key and o.to_kind = 'lab' order by 1 limit 1),
                        (select o.to_key from links o where o.from_kind = 'catalog-item' and o.from_key = s.doc ->> 'governor' and o.to_kind = 'lab'
                         order by 1 limit 1)) as lab_code
        from subjects s
        left join lateral (select i.from_key from links i where i.to_kind = 'subject' and i.to_key = s.key and i.from_kind = 'instance'
                           order by 1 limit 1) l on true
        where s.kind = 'subject' and s.key = $1"#,
        uid
    )
    .fetch_optional(db)
    .await?
    .ok_or_else(missing)
}

/// The newest changes of a subject's state.
pub(super) async fn transitions(db: &mut PgConnection, uid: &str) -> Result<Vec<SubjectTransition>, sqlx::Error> {
    sqlx::query_as!(
        SubjectTransition,
        "-- subjects::transitions
        select at, not_before, from_state, to_state from subject_transitions where subject_key = $1 order by at desc limit 50",
        uid
    )
    .fetch_all(db)
    .await
}
