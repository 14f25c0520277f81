//! The objects of one cluster with the semantics of etcd: one version counter, ordered keys, snapshots for paging and a
//! history for watches, both of which are forgotten after a while.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::Bound,
    sync::Arc,
};

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use crate::{
    kinds::Kind,
    object::{Object, key_of, namespace_of, strip_kind},
    template::{Stamp, Template},
};

/// How long a page token stays good: the API server compacts etcd every five minutes.
const SNAPSHOT_LIFE: TimeDelta = TimeDelta::minutes(5);
/// Snapshots kept for each kind; a fleet that changes between pages would otherwise keep one for each list.
const SNAPSHOTS_KEPT: usize = 16;
/// Changes that a watch may go back; older ones answer 410.
const HISTORY_KEPT: usize = 20_000;

/// All objects of one kind at one version.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) version: u64,
    taken_at: DateTime<Utc>,
    pub(crate) objects: Vec<Arc<Object>>,
}

impl Snapshot {
    /// The objects of a namespace (all when it is empty), from `start` on.
    pub(crate) fn range(&self, namespace: &str, start: &str) -> &[Arc<Object>] {
        let prefix = if namespace.is_empty() {
            String::new()
        } else {
            format!("{namespace}/")
        };
        let from = self.objects.partition_point(|object| *object.key < *prefix || *object.key < *start);
        let rest = self.objects.get(from..).unwrap_or_default();
        let length = rest.partition_point(|object| object.key.starts_with(&prefix));
        rest.get(..length).unwrap_or_default()
    }
}

/// One write: what was there before and what is there now.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    pub(crate) version: u64,
    pub(crate) kind: Kind,
    pub(crate) before: Option<Arc<Object>>,
    pub(crate) after: Option<Arc<Object>>,
}

#[derive(Debug, Default)]
struct Shelf {
    objects: BTreeMap<Box<str>, Arc<Object>>,
    /// Newest first; the first is the present one while nothing has been written since.
    snapshots: VecDeque<Arc<Snapshot>>,
    changed_at: u64,
}

#[derive(Debug)]
pub(crate) struct Store {
    version: u64,
    shelves: Vec<Shelf>,
    history: VecDeque<Change>,
    /// Changes up to this version are forgotten.
    compacted: u64,
    /// Namespaces written to since the controllers last looked.
    touched: BTreeSet<String>,
    /// Uids of removed objects by namespace, whose dependents are garbage.
    removed: BTreeMap<String, Vec<String>>,
}

impl Store {
    pub(crate) fn new(version: u64) -> Self {
        let shelves = Kind::ALL.iter().map(|_| Shelf::default()).collect();
        Self {
            version,
            shelves,
            history: VecDeque::new(),
            compacted: version,
            touched: BTreeSet::new(),
            removed: BTreeMap::new(),
        }
    }

    /// Version of the last write.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    fn shelf(&self, kind: Kind) -> Option<&Shelf> {
        self.shelves.get(kind.index())
    }

    pub(crate) fn object(&self, kind: Kind, namespace: &str, name: &str) -> Option<Arc<Object>> {
        self.shelf(kind)?.objects.get(key_of(namespace, name).as_str()).cloned()
    }

    pub(crate) fn value(&self, kind: Kind, namespace: &str, name: &str, now: DateTime<Utc>) -> Option<Value> {
        self.object(kind, namespace, name).map(|object| object.value(now))
    }

    /// The objects of a kind in a namespace, or in all when it is empty.
    pub(crate) fn objects<'a>(&'a self, kind: Kind, namespace: &str) -> impl Iterator<Item = &'a Arc<Object>> + use<'a> {
        let prefix = if namespace.is_empty() {
            String::new()
        } else {
            format!("{namespace}/")
        };
        let objects = self
            .shelf(kind)
            .map(|shelf| shelf.objects.range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded)));
        objects
            .into_iter()
            .flatten()
            .map(|(_, object)| object)
            .take_while(move |object| object.key.starts_with(&prefix))
    }

    pub(crate) fn count(&self, kind: Kind) -> usize {
        self.shelf(kind).map_or(0, |shelf| shelf.objects.len())
    }

    /// Writes an object under the next version. Nothing happens when it is the same as before.
    pub(crate) fn put(&mut self, kind: Kind, value: Value, now: DateTime<Utc>) -> Arc<Object> {
        let version = self.version;
        let stored = self.put_quietly(kind, value, now);
        if self.version > version {
            self.touch_owner(kind, &stored.key);
        }
        stored
    }

    /// Writes an object that no controller needs to look at.
    pub(crate) fn put_quietly(&mut self, kind: Kind, mut value: Value, now: DateTime<Utc>) -> Arc<Object> {
        let text = |pointer| value.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let key = key_of(
            if kind.info().namespaced { text("/metadata/namespace") } else { "" },
            text("/metadata/name"),
        );
        let before = self.shelf(kind).and_then(|shelf| shelf.objects.get(key.as_str()).cloned());
        strip_kind(&mut value);
        if let Some(before) = &before {
            set_version(&mut value, before.version);
            if before.says(&value, now) {
                return Arc::clone(before);
            }
        }
        self.version += 1;
        set_version(&mut value, self.version);
        let after = Arc::new(Object::from_value(kind, &key, self.version, value));
        self.keep(before, Arc::clone(&after));
        after
    }

    /// Writes an object made from a template.
    pub(crate) fn put_stamped(&mut self, template: &Arc<Template>, stamp: &Arc<Stamp>) {
        self.version += 1;
        let key = template.key.to_string_with(Some(stamp), 0);
        let after = Arc::new(Object::from_template(
            template.kind,
            &key,
            self.version,
            Arc::clone(template),
            Arc::clone(stamp),
        ));
        let before = self.shelf(template.kind).and_then(|shelf| shelf.objects.get(key.as_str()).cloned());
        self.keep(before, after);
    }

    /// Removes an object; the history keeps its last state under the version of the removal.
    pub(crate) fn remove(&mut self, kind: Kind, namespace: &str, name: &str, now: DateTime<Utc>) -> Option<Value> {
        let key = key_of(namespace, name);
        let before = self.shelves.get_mut(kind.index())?.objects.remove(key.as_str())?;
        self.version += 1;
        let mut last = before.value(now);
        set_version(&mut last, self.version);
        let removed = Arc::new(Object::from_value(kind, &key, self.version, last.clone()));
        self.remember(Change {
            version: self.version,
            kind,
            before: Some(removed),
            after: None,
        });
        if kind.info().namespaced {
            let uid = last.pointer("/metadata/uid").and_then(Value::as_str).unwrap_or_default();
            self.removed.entry(namespace.to_owned()).or_default().push(uid.to_owned());
        }
        self.touch_owner(kind, &key);
        Some(last)
    }

    /// Marks the namespace of an object, or a namespace itself, for the controllers.
    fn touch_owner(&mut self, kind: Kind, key: &str) {
        if kind == Kind::Namespace {
            self.touch(key);
        } else if kind.info().namespaced && kind != Kind::Event {
            self.touch(namespace_of(key));
        }
    }

    /// Marks a namespace for the controllers.
    pub(crate) fn touch(&mut self, namespace: &str) {
        if !self.touched.contains(namespace) {
            self.touched.insert(namespace.to_owned());
        }
    }

    /// The namespaces that the controllers have to look at; they are unmarked.
    pub(crate) fn take_touched(&mut self) -> BTreeSet<String> {
        std::mem::take(&mut self.touched)
    }

    /// Uids of the objects removed from a namespace since the last call.
    pub(crate) fn take_removed_uids(&mut self, namespace: &str) -> Vec<String> {
        self.removed.remove(namespace).unwrap_or_default()
    }

    fn keep(&mut self, before: Option<Arc<Object>>, after: Arc<Object>) {
        if let Some(shelf) = self.shelves.get_mut(after.kind.index()) {
            shelf.objects.insert(after.key.clone(), Arc::clone(&after));
        }
        self.remember(Change {
            version: self.version,
            kind: after.kind,
            before,
            after: Some(after),
        });
    }

    fn remember(&mut self, change: Change) {
        if let Some(shelf) = self.shelves.get_mut(change.kind.index()) {
            shelf.changed_at = change.version;
        }
        self.history.push_back(change);
        if self.history.len() > HISTORY_KEPT
            && let Some(oldest) = self.history.pop_front()
        {
            self.compacted = oldest.version;
        }
    }

    /// All objects of a kind as they are now; shared by lists as long as nothing changes.
    pub(crate) fn snapshot(&mut self, kind: Kind, now: DateTime<Utc>) -> Arc<Snapshot> {
        let version = self.version;
        let Some(shelf) = self.shelves.get_mut(kind.index()) else {
            return Arc::new(Snapshot {
                version,
                taken_at: now,
                objects: Vec::new(),
            });
        };
        if let Some(newest) = shelf.snapshots.front()
            && newest.version >= shelf.changed_at
            && now - newest.taken_at < SNAPSHOT_LIFE / 2
        {
            return Arc::clone(newest);
        }
        let snapshot = Arc::new(Snapshot {
            version,
            taken_at: now,
            objects: shelf.objects.values().cloned().collect(),
        });
        shelf.snapshots.push_front(Arc::clone(&snapshot));
        shelf.snapshots.truncate(SNAPSHOTS_KEPT);
        snapshot
    }

    /// The snapshot of a version, unless it is compacted away.
    pub(crate) fn snapshot_at(&mut self, kind: Kind, version: u64, now: DateTime<Utc>) -> Option<Arc<Snapshot>> {
        let shelf = self.shelves.get_mut(kind.index())?;
        shelf.snapshots.retain(|snapshot| now - snapshot.taken_at < SNAPSHOT_LIFE);
        shelf.snapshots.iter().find(|snapshot| snapshot.version == version).cloned()
    }

    /// The changes of a kind after a version, or nothing when some of them are forgotten.
    pub(crate) fn changes_after(&self, kind: Kind, version: u64) -> Option<Vec<Change>> {
        if version < self.compacted {
            return None;
        }
        let from = self.history.partition_point(|change| change.version <= version);
        Some(self.history.range(from..).filter(|change| change.kind == kind).cloned().collect())
    }

    /// Ends the building of a fleet: nobody has seen it yet, so there is nothing to remember.
    pub(crate) fn forget(&mut self) {
        self.compact();
        self.touched.clear();
        self.removed.clear();
    }

    /// Forgets the history and all snapshots: page tokens and old watches answer 410 from here on.
    pub(crate) fn compact(&mut self) {
        self.compacted = self.version;
        self.history.clear();
        for shelf in &mut self.shelves {
            shelf.snapshots.clear();
        }
    }
}

/// Sets `metadata.resourceVersion`.
fn set_version(value: &mut Value, version: u64) {
    if let Some(metadata) = value.pointer_mut("/metadata").and_then(Value::as_object_mut) {
        metadata.insert("resourceVersion".to_owned(), json!(version.to_string()));
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use serde_json::json;

    use super::Store;
    use crate::kinds::Kind;

    fn store_with(names: &[(&str, &str)]) -> Store {
        let mut store = Store::new(100);
        for (namespace, name) in names {
            store.put(
                Kind::ConfigMap,
                json!({"metadata": {"namespace": namespace, "name": name}}),
                DateTime::UNIX_EPOCH,
            );
        }
        store
    }

    #[test]
    fn objects_are_ordered_as_etcd_orders_them() {
        let mut store = store_with(&[("a", "x"), ("a-b", "x"), ("a", "b"), ("b", "a")]);
        let snapshot = store.snapshot(Kind::ConfigMap, DateTime::UNIX_EPOCH);
        let keys: Vec<&str> = snapshot.objects.iter().map(|object| &*object.key).collect();
        assert_eq!(keys, ["a-b/x", "a/b", "a/x", "b/a"]);
        let in_a: Vec<&str> = snapshot.range("a", "").iter().map(|object| object.name()).collect();
        assert_eq!(in_a, ["b", "x"]);
        assert_eq!(snapshot.range("", "a/x").len(), 2);
        assert_eq!(store.objects(Kind::ConfigMap, "a").count(), 2);
    }

    #[test]
    fn writing_the_same_changes_nothing() {
        let mut store = store_with(&[("a", "x")]);
        let version = store.version();
        store.put(
            Kind::ConfigMap,
            json!({"metadata": {"namespace": "a", "name": "x"}}),
            DateTime::UNIX_EPOCH,
        );
        assert_eq!(store.version(), version);
        store.put(
            Kind::ConfigMap,
            json!({"metadata": {"namespace": "a", "name": "x"}, "data": {"k": "v"}}),
            DateTime::UNIX_EPOCH,
        );
        assert_eq!(store.version(), version + 1);
    }

    #[test]
    fn snapshots_stay_as_they_were_until_they_expire() {
        let mut store = store_with(&[("a", "x"), ("a", "y")]);
        let now = DateTime::UNIX_EPOCH;
        let version = store.snapshot(Kind::ConfigMap, now).version;
        store.remove(Kind::ConfigMap, "a", "y", now);
        assert_eq!(store.snapshot_at(Kind::ConfigMap, version, now).unwrap().objects.len(), 2);
        assert_eq!(store.snapshot(Kind::ConfigMap, now).objects.len(), 1);
        assert!(store.snapshot_at(Kind::ConfigMap, version, now + TimeDelta::minutes(6)).is_none());
    }

    #[test]
    fn changes_are_remembered_until_compacted() {
        let mut store = store_with(&[("a", "x")]);
        let version = store.version();
        store.remove(Kind::ConfigMap, "a", "x", DateTime::UNIX_EPOCH);
        let changes = store.changes_after(Kind::ConfigMap, version).unwrap();
        assert!(changes.len() == 1 && changes[0].after.is_none());
        assert!(store.changes_after(Kind::Pod, version).unwrap().is_empty());
        store.compact();
        assert!(store.changes_after(Kind::ConfigMap, version).is_none());
    }
}
