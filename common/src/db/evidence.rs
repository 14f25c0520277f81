//! Evidence: what was read of each instance and cluster, as documents that are written only when they differ.
//!
//! ```text
//! Reading ──persist──> clusters, cluster_kinds, instances, evidence (+ history of what it replaces), scans, outbox      one transaction
//! coverage of a scan ──load──> the inventories as that scan left them, some instances at a time
//! ```
//!
//! A kind that was not read to its end never touches what is stored: it only says so in `cluster_kinds`. A document's
//! `observed_at` is when its content was first seen; how fresh it is says the kind's row. Because replaced documents go to the history with the
//! time of their replacement, a scan can be judged later exactly as if at once.

pub mod documents;
mod joined;
mod load;

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use self::documents::{Document, DocumentError, Hash};
pub use self::load::{AsOf, cluster_inventory, inventories, load, population};
use super::clusters::{self, Cluster};
use super::instances::{self, Instance, NewInstance};
use super::kinds::{self, Coverage, KindRead, KindState};
use super::scans::{self, NewScan, ScanState, Tier, Trigger};
use super::views::{self, View};
use super::{DbError, Doing, outbox};
use crate::events::{self, OutgoingError, ScanCompleted};
use crate::objects::{ClusterInventory, Kind, Snapshot};
use crate::unknown::UnknownReason;

/// Documents are written in batches of about this many bytes: large enough for the round trip, small enough for memory.
const BATCH_BYTES: usize = 4 << 20;

/// Why evidence could not be stored or loaded.
#[derive(Debug, thiserror::Error)]
pub enum EvidenceError {
    /// A statement failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A document is not what it should be.
    #[error(transparent)]
    Document(#[from] DocumentError),
    /// The event about it cannot be sent.
    #[error(transparent)]
    Event(#[from] OutgoingError),
}

/// What one run of a tier read.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// Chosen by the caller.
    pub scan_id: Uuid,
    /// Which tier.
    pub tier: Tier,
    /// Who asked.
    pub trigger: Trigger,
    /// When the run began.
    pub started_at: DateTime<Utc>,
    /// What was read. Its cluster's name says which cluster, its `observed_at` when the reading began.
    pub snapshot: &'a Snapshot,
    /// Every kind that was tried, and how that went.
    pub kinds: &'a [KindRead],
    /// Requests made.
    pub requests: u32,
    /// Bytes received.
    pub bytes: u64,
    /// The cluster is made up.
    pub simulated: bool,
}

/// What storing a reading changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Persisted {
    /// The cluster.
    pub cluster: Uuid,
    /// Instances seen for the first time.
    pub new: usize,
    /// Instances that are gone.
    pub gone: usize,
    /// Documents written or removed.
    pub changed: usize,
    /// How the scan came out.
    pub state: ScanState,
    /// Nothing was said that is not stored, and nothing is missing that was not: no scan was stored, and nobody is told.
    pub quiet: bool,
}

/// Stores a reading and says so in the outbox. The caller's transaction makes it one step; it holds the cluster until it ends.
///
/// What the provisioning systems say is read for all clusters every few minutes and seldom changes. Where it changes nothing, only the
/// freshness of its kinds is stored: the next scan of the cluster carries it, and nothing is judged for nothing.
///
/// # Errors
/// A statement failed, or an object does not become JSON.
pub async fn persist(conn: &mut PgConnection, reading: &Reading<'_>, now: DateTime<Utc>) -> Result<Persisted, EvidenceError> {
    let snapshot = reading.snapshot;
    let observed_at = snapshot.observed_at;
    let cluster = clusters::hold(conn, &snapshot.cluster.name, reading.simulated, now).await?;
    let before = kinds::of_cluster(conn, cluster.id).await?;
    let newest = scans::newest(&mut *conn, cluster.id).await?;
    // Two tiers may overlap: of two readings of a kind the one that began later counts.
    let newer = |read: &&KindRead| before.get(&read.kind).is_none_or(|state| state.attempt_at < observed_at);
    let accepted: Vec<&KindRead> = reading.kinds.iter().filter(newer).collect();
    kinds::record(conn, cluster.id, &accepted, observed_at).await?;
    let complete: BTreeSet<Kind> = accepted
        .iter()
        .filter(|read| read.missing.is_none())
        .map(|read| read.kind)
        .collect();

    let mut changed_cluster = false;
    if let Some(seen) = &snapshot.cluster.reachable {
        changed_cluster = clusters::set_reachability(conn, cluster.id, seen, now).await?;
    }
    let Population { ids, new, gone } = populate(conn, &cluster, snapshot, complete.contains(&Kind::Namespace)).await?;
    let mut changed = forget(conn, &gone, observed_at).await?;
    changed += write_cluster(conn, cluster.id, &snapshot.cluster, &complete, observed_at).await?;
    changed += write_instances(conn, cluster.id, snapshot, &ids, &complete).await?;
    let joined = joined::write(conn, snapshot, &ids, &complete).await?;
    let state = state_of(snapshot, reading.kinds);
    if reading.tier == Tier::Provisioning && changed == 0 && joined == 0 && accepted.iter().all(|read| stands(&before, read, observed_at)) {
        return Ok(Persisted {
            cluster: cluster.id,
            new,
            gone: gone.len(),
            changed,
            state,
            quiet: true,
        });
    }

    let coverage = Coverage {
        reachable: snapshot
            .cluster
            .reachable
            .clone()
            .or_else(|| newest.and_then(|scan| scan.coverage.reachable)),
        kinds: merged(before, &accepted, observed_at),
    };
    let scan = NewScan {
        id: reading.scan_id,
        tier: reading.tier,
        trigger: reading.trigger,
        state,
        observed_at,
        started_at: reading.started_at,
        requests: reading.requests,
        bytes: reading.bytes,
        items: reading.kinds.iter().map(|read| read.items).sum(),
        namespaces: snapshot.namespaces.len(),
        changed,
        problems: &snapshot.problems,
        coverage: &coverage,
    };
    scans::insert(conn, cluster.id, &scan, now).await?;
    let completed = ScanCompleted {
        scan_id: reading.scan_id,
        cluster: cluster.name,
        tier: reading.tier.as_str().to_owned(),
    };
    outbox::append(conn, &[events::outgoing("scan", &completed, observed_at)?], now).await?;
    let mut seen = vec![View::Scans];
    seen.extend(changed_cluster.then_some(View::Clusters));
    seen.extend((new + gone.len() > 0).then_some(View::Instances));
    views::raise(conn, seen, now).await?;
    Ok(Persisted {
        cluster: cluster.id,
        new,
        gone: gone.len(),
        changed,
        state,
        quiet: false,
    })
}

/// Whether a reading found a kind as the one before left it: as complete, and not too late.
fn stands(before: &BTreeMap<Kind, KindState>, read: &KindRead, observed_at: DateTime<Utc>) -> bool {
    let before = before.get(&read.kind);
    before.is_some_and(|state| {
        let late = |success_at| observed_at - success_at > TimeDelta::seconds(i64::from(state.interval_s)) * kinds::STALE_AFTER;
        state.missing == read.missing && (read.missing.is_some() || state.success_at.is_some_and(|success_at| !late(success_at)))
    })
}

/// What is known of every kind after these attempts.
fn merged(mut before: BTreeMap<Kind, KindState>, accepted: &[&KindRead], observed_at: DateTime<Utc>) -> BTreeMap<Kind, KindState> {
    for read in accepted {
        let earlier = before.get(&read.kind).and_then(|state| state.success_at);
        let state = KindState {
            missing: read.missing,
            interval_s: read.interval_s,
            attempt_at: observed_at,
            success_at: if read.missing.is_none() { Some(observed_at) } else { earlier },
        };
        before.insert(read.kind, state);
    }
    before
}

/// A kind that the cluster does not serve, or that nobody asks of it, is no gap in the scan.
fn state_of(snapshot: &Snapshot, kinds: &[KindRead]) -> ScanState {
    let answered = snapshot
        .cluster
        .reachable
        .as_ref()
        .is_none_or(|seen| seen.answered && seen.authorized);
    let gap = |read: &KindRead| {
        read.missing
            .is_some_and(|reason| !matches!(reason, UnknownReason::ApiAbsent | UnknownReason::NotCollected))
    };
    match (answered, kinds.iter().any(gap)) {
        (false, _) => ScanState::Failed,
        (true, true) => ScanState::Partial,
        (true, false) => ScanState::Complete,
    }
}

/// Who is there after a reading.
struct Population {
    /// Instance by namespace, of those that were read.
    ids: BTreeMap<String, Uuid>,
    new: usize,
    gone: Vec<Uuid>,
}

/// Makes new instances known and notes which are gone: those whose uid is missing from a complete list, and those whose name carries
/// another uid now.
async fn populate(conn: &mut PgConnection, cluster: &Cluster, snapshot: &Snapshot, complete: bool) -> Result<Population, DbError> {
    let live = instances::live(conn, cluster.id).await?;
    let by_name: BTreeMap<&str, &Instance> = live.iter().map(|instance| (instance.namespace.as_str(), instance)).collect();
    let known: BTreeSet<Uuid> = live.iter().map(|instance| instance.id).collect();
    let (mut ids, mut new) = (BTreeMap::new(), Vec::new());
    for (name, inventory) in &snapshot.namespaces {
        let metadata = inventory.namespace.items.first().map(|namespace| &namespace.metadata);
        let id = match metadata {
            Some(metadata) if !metadata.uid.is_empty() => {
                let id = instances::id_of(cluster.id, &metadata.uid);
                if !known.contains(&id) {
                    new.push(NewInstance {
                        id,
                        namespace: name,
                        uid: &metadata.uid,
                        created_at: metadata.creation_timestamp,
                    });
                }
                id
            }
            // The namespaces were not read this time: what was read of it belongs to the one we know by that name.
            _ => match by_name.get(name.as_str()) {
                Some(instance) => instance.id,
                None => continue,
            },
        };
        ids.insert(name.clone(), id);
    }
    let there: BTreeSet<Uuid> = ids.values().copied().collect();
    let gone = live.iter().filter(|instance| {
        let replaced = ids.get(&instance.namespace).is_some_and(|id| *id != instance.id);
        replaced || complete && !there.contains(&instance.id)
    });
    let gone: Vec<Uuid> = gone.map(|instance| instance.id).collect();
    if !gone.is_empty() {
        instances::mark_gone(conn, &gone, snapshot.observed_at).await?;
    }
    instances::insert(conn, cluster.id, &new, snapshot.observed_at).await?;
    let new = new.len();
    Ok(Population { ids, new, gone })
}

/// Moves everything that is stored of these instances to the history. Returns how many documents that were.
async fn forget(conn: &mut PgConnection, gone: &[Uuid], at: DateTime<Utc>) -> Result<usize, DbError> {
    if gone.is_empty() {
        return Ok(0);
    }
    joined::forget(conn, gone).await?;
    let done = sqlx::query!(
        "-- evidence::forget
        with old as (delete from evidence where instance_id = any($1) returning *)
        insert into evidence_history (subject_id, kind, content_hash, doc, observed_at, replaced_at)
        select instance_id, kind, content_hash, doc, observed_at, $2 from old",
        gone,
        at
    )
    .execute(conn)
    .await
    .doing("moving the evidence of instances that are gone to the history")?;
    Ok(count(done.rows_affected()))
}

/// Documents that differ from what is stored, on their way to the database.
#[derive(Default)]
struct Batch {
    subjects: Vec<Uuid>,
    kinds: Vec<&'static str>,
    hashes: Vec<Vec<u8>>,
    documents: Vec<String>,
    bytes: usize,
    removed_subjects: Vec<Uuid>,
    removed_kinds: Vec<&'static str>,
}

impl Batch {
    /// Takes a document in, if it differs.
    fn offer(&mut self, subject: Uuid, kind: Kind, stored: Option<&Hash>, document: Option<Document>) {
        match (stored, document) {
            (Some(stored), Some(document)) if *stored == document.hash => {}
            (_, Some(Document { json, hash })) => {
                self.bytes += json.len();
                self.subjects.push(subject);
                self.kinds.push(kind.as_str());
                self.hashes.push(hash.to_vec());
                self.documents.push(json);
            }
            (Some(_), None) => {
                self.removed_subjects.push(subject);
                self.removed_kinds.push(kind.as_str());
            }
            (None, None) => {}
        }
    }

    fn len(&self) -> usize {
        self.subjects.len() + self.removed_subjects.len()
    }
}

async fn write_instances(
    conn: &mut PgConnection,
    cluster: Uuid,
    snapshot: &Snapshot,
    ids: &BTreeMap<String, Uuid>,
    complete: &BTreeSet<Kind>,
) -> Result<usize, EvidenceError> {
    let kinds: Vec<Kind> = documents::NAMESPACED
        .iter()
        .copied()
        .filter(|kind| complete.contains(kind))
        .collect();
    let stored = stored_hashes(conn, cluster, &kinds).await?;
    let (mut batch, mut changed) = (Batch::default(), 0);
    for (name, inventory) in &snapshot.namespaces {
        let Some(&id) = ids.get(name) else { continue };
        for &kind in &kinds {
            if documents::missing_in_instance(inventory, kind).is_none() {
                batch.offer(id, kind, stored.get(&(id, kind)), documents::of_instance(inventory, kind)?);
            }
        }
        if batch.bytes > BATCH_BYTES {
            changed += flush(conn, std::mem::take(&mut batch), snapshot.observed_at).await?;
        }
    }
    Ok(changed + flush(conn, batch, snapshot.observed_at).await?)
}

async fn stored_hashes(conn: &mut PgConnection, cluster: Uuid, kinds: &[Kind]) -> Result<BTreeMap<(Uuid, Kind), Hash>, DbError> {
    let names: Vec<&str> = kinds.iter().map(|kind| kind.as_str()).collect();
    let rows = sqlx::query!(
        "-- evidence::stored_hashes
        select e.instance_id, e.kind, e.content_hash from evidence e join instances i using (instance_id)
        where i.cluster_id = $1 and e.kind = any($2)",
        cluster,
        &names as &[&str]
    )
    .fetch_all(conn)
    .await
    .doing("reading the hashes of stored evidence")?;
    let known = rows
        .into_iter()
        .filter_map(|row| Some(((row.instance_id, Kind::parse(&row.kind)?), Hash::try_from(row.content_hash).ok()?)));
    Ok(known.collect())
}

async fn flush(conn: &mut PgConnection, batch: Batch, observed_at: DateTime<Utc>) -> Result<usize, DbError> {
    let changed = batch.len();
    if !batch.subjects.is_empty() {
        sqlx::query!(
            "-- evidence::flush
            with new as (
                select * from unnest($1::uuid[], $2::text[], $3::bytea[], $4::text[]) as n (instance_id, kind, content_hash, doc)
            ), replaced as (
                insert into evidence_history (subject_id, kind, content_hash, doc, observed_at, replaced_at)
                select e.instance_id, e.kind, e.content_hash, e.doc, e.observed_at, $5
                from evidence e join new n on n.instance_id = e.instance_id and n.kind = e.kind
            )
            insert into evidence (instance_id, kind, content_hash, doc, observed_at)
            select instance_id, kind, content_hash, doc::json, $5 from new
            on conflict (instance_id, kind) do update
            set content_hash = excluded.content_hash, doc = excluded.doc, observed_at = excluded.observed_at",
            &batch.subjects,
            &batch.kinds as &[&str],
            &batch.hashes,
            &batch.documents,
            observed_at
        )
        .execute(&mut *conn)
        .await
        .doing("writing changed evidence")?;
    }
    if !batch.removed_subjects.is_empty() {
        sqlx::query!(
            "-- evidence::flush
            with old as (
                delete from evidence e using unnest($1::uuid[], $2::text[]) as n (instance_id, kind)
                where e.instance_id = n.instance_id and e.kind = n.kind
                returning e.instance_id, e.kind, e.content_hash, e.doc, e.observed_at
            )
            insert into evidence_history (subject_id, kind, content_hash, doc, observed_at, replaced_at)
            select instance_id, kind, content_hash, doc, observed_at, $3 from old",
            &batch.removed_subjects,
            &batch.removed_kinds as &[&str],
            observed_at
        )
        .execute(&mut *conn)
        .await
        .doing("removing evidence of what is not there any more")?;
    }
    Ok(changed)
}

async fn write_cluster(
    conn: &mut PgConnection,
    cluster: Uuid,
    inventory: &ClusterInventory,
    complete: &BTreeSet<Kind>,
    observed_at: DateTime<Utc>,
) -> Result<usize, EvidenceError> {
    let mut changed = 0;
    for &kind in documents::CLUSTER_LEVEL.iter().filter(|kind| complete.contains(kind)) {
        // A cluster always has its nodes and its version; no document at all is written as an empty list.
        let empty = || Document {
            json: "[]".to_owned(),
            hash: Hash::default(),
        };
        let Document { json, hash } = documents::of_cluster(inventory, kind)?.unwrap_or_else(empty);
        let done = sqlx::query!(
            "-- evidence::write_cluster
            with replaced as (
                insert into evidence_history (subject_id, kind, content_hash, doc, observed_at, replaced_at)
                select cluster_id, kind, content_hash, doc, observed_at, $5 from cluster_evidence
                where cluster_id = $1 and kind = $2 and content_hash <> $3
            )
            insert into cluster_evidence as e (cluster_id, kind, content_hash, doc, observed_at) values ($1, $2, $3, $4::text::json, $5)
            on conflict (cluster_id, kind) do update
            set content_hash = excluded.content_hash, doc = excluded.doc, observed_at = excluded.observed_at
            where e.content_hash <> excluded.content_hash",
            cluster,
            kind.as_str(),
            &hash[..],
            json,
            observed_at
        )
        .execute(&mut *conn)
        .await
        .doing("writing changed evidence of a cluster")?;
        changed += count(done.rows_affected());
    }
    Ok(changed)
}

fn count(rows: u64) -> usize {
    usize::try_from(rows).unwrap_or(usize::MAX)
}
