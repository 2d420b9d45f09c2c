//! The objects of one cluster, with one counter of resource versions and, per kind, a ring of the
//! latest changes from which watches are served.
//!
//! Objects are kept as the bytes that go out on the wire: a list or a watch copies them, and two
//! thousand idle pods cost two thousand short strings rather than two thousand trees.

mod body;
mod customs;
pub mod object;
pub mod selector;
pub mod snapshot;

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::ops::Bound;
use std::sync::Arc;

use parking_lot::RwLock;
use serde_json::Value;
use tokio::sync::{mpsc, watch};

use crate::json;
use crate::kinds::custom::DEFINITION;
use crate::kinds::{self, KindRef};
pub use object::Object;
use object::Words;

/// Changes kept per kind for watches that resume; older ones answer 410.
const RING: usize = 4096;

/// Namespace and name. The order is the one in which the real server lists.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    pub namespace: Arc<str>,
    pub name: Arc<str>,
}

impl Key {
    pub fn new(namespace: &str, name: &str) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }
}

/// One change of one object. `old` is missing for a creation, `new` for a removal.
#[derive(Clone, Debug)]
pub struct Change {
    pub version: u64,
    pub kind: KindRef,
    pub old: Option<Arc<Object>>,
    pub new: Option<Arc<Object>>,
    /// For a removal: the last state, carrying the version of the removal.
    pub last: Option<Arc<Object>>,
}

impl Change {
    /// The state this change is about: the new one, or the last one.
    pub fn object(&self) -> &Arc<Object> {
        self.new
            .as_ref()
            .or(self.last.as_ref())
            .expect("a change has a new or a last state")
    }
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum StoreError {
    #[error("exists already")]
    Exists,
    #[error("not found")]
    Missing,
    #[error("changed since it was read")]
    Stale,
    #[error("namespace not found")]
    NamespaceMissing,
    #[error("namespace is being terminated")]
    NamespaceTerminating,
}

#[derive(Default)]
struct Table {
    objects: BTreeMap<Key, Arc<Object>>,
    ring: VecDeque<Change>,
    /// Changes up to this version are no longer in the ring.
    forgotten: u64,
}

struct Inner {
    version: u64,
    words: Words,
    tables: Vec<Table>,
    /// Owner's uid to the objects that name it.
    dependents: HashMap<Arc<str>, BTreeSet<(usize, Key)>>,
    /// Who wants to hear of changes, and of which kinds; of all if none are named.
    listeners: Vec<(Option<&'static [KindRef]>, mpsc::UnboundedSender<Change>)>,
    /// The kinds of the established definitions, by the definitions' names.
    customs: BTreeMap<Arc<str>, KindRef>,
}

pub struct Store {
    inner: RwLock<Inner>,
    signals: RwLock<Vec<watch::Sender<u64>>>,
    /// Counts the times that running watches were told that their history is gone.
    pub expired: watch::Sender<u64>,
    /// Counts writes other than heartbeats; the snapshot task waits on it.
    pub dirty: watch::Sender<u64>,
}

impl Default for Store {
    fn default() -> Self {
        let tables = kinds::ALL.iter().map(|_| Table::default()).collect();
        let inner = Inner {
            version: 1,
            words: Words::default(),
            tables,
            dependents: HashMap::new(),
            listeners: Vec::new(),
            customs: BTreeMap::new(),
        };
        Self {
            inner: RwLock::new(inner),
            signals: RwLock::new(kinds::ALL.iter().map(|_| watch::channel(1).0).collect()),
            expired: watch::channel(0).0,
            dirty: watch::channel(0).0,
        }
    }
}

impl Store {
    pub fn version(&self) -> u64 {
        self.inner.read().version
    }

    /// Every change of some kinds from now on, in order.
    pub fn listen(&self, kinds: &'static [KindRef]) -> mpsc::UnboundedReceiver<Change> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.inner.write().listeners.push((Some(kinds), sender));
        receiver
    }

    /// Every change from now on, in order.
    pub fn listen_to_all(&self) -> mpsc::UnboundedReceiver<Change> {
        let (sender, receiver) = mpsc::unbounded_channel();
        self.inner.write().listeners.push((None, sender));
        receiver
    }

    /// Wakes whenever an object of the kind changes.
    pub fn signal(&self, kind: KindRef) -> watch::Receiver<u64> {
        self.signals.read()[kind.id].subscribe()
    }

    pub fn get(&self, kind: KindRef, namespace: &str, name: &str) -> Option<Arc<Object>> {
        self.inner.read().tables[kind.id]
            .objects
            .get(&Key::new(namespace, name))
            .cloned()
    }

    /// The objects of a kind (in one namespace, or all), and the version this is the state of.
    pub fn list(&self, kind: KindRef, namespace: Option<&str>) -> (Vec<Arc<Object>>, u64) {
        let inner = self.inner.read();
        (inner.tables[kind.id].range(namespace), inner.version)
    }

    pub fn count(&self, kind: KindRef) -> usize {
        self.inner.read().tables[kind.id].objects.len()
    }

    /// The state a kind had at a version, or none when the ring no longer reaches back to it.
    pub fn list_at(&self, kind: KindRef, namespace: Option<&str>, version: u64) -> Option<Vec<Arc<Object>>> {
        let inner = self.inner.read();
        let table = &inner.tables[kind.id];
        if version < table.forgotten {
            return None;
        }
        let mut state: BTreeMap<Key, Arc<Object>> = table
            .range(namespace)
            .into_iter()
            .map(|object| (object.key.clone(), object))
            .collect();
        for change in table
            .ring
            .iter()
            .rev()
            .take_while(|change| change.version > version)
        {
            let key = &change.object().key;
            if namespace.is_some_and(|namespace| &*key.namespace != namespace) {
                continue;
            }
            match &change.old {
                Some(old) => state.insert(key.clone(), old.clone()),
                None => state.remove(key),
            };
        }
        Some(state.into_values().collect())
    }

    /// Changes of a kind after a version, or none when some of them are forgotten.
    pub fn changes_after(&self, kind: KindRef, version: u64) -> Option<Vec<Change>> {
        let inner = self.inner.read();
        let table = &inner.tables[kind.id];
        if version < table.forgotten {
            return None;
        }
        let start = table.ring.partition_point(|change| change.version <= version);
        Some(table.ring.range(start..).cloned().collect())
    }

    /// The oldest version from which changes of a kind are still known.
    pub fn oldest(&self, kind: KindRef) -> u64 {
        self.inner.read().tables[kind.id].forgotten
    }

    /// Forgets the changes so far, so that watches which resume get 410.
    pub fn compact(&self) {
        let mut inner = self.inner.write();
        let version = inner.version;
        for table in &mut inner.tables {
            table.ring.clear();
            table.forgotten = version;
        }
    }

    /// Tells the watches that run that their history is gone.
    pub fn end_watches(&self) {
        self.expired.send_modify(|count| *count += 1);
    }

    /// Objects that name this uid as an owner.
    pub fn dependents(&self, uid: &str) -> Vec<Arc<Object>> {
        let inner = self.inner.read();
        let Some(keys) = inner.dependents.get(uid) else {
            return Vec::new();
        };
        keys.iter()
            .filter_map(|(kind, key)| inner.tables[*kind].objects.get(key).cloned())
            .collect()
    }

    /// Whether something may be created in a namespace now.
    pub fn check_namespace(&self, kind: KindRef, namespace: &str) -> Result<(), StoreError> {
        self.inner.read().check_namespace(kind, namespace)
    }

    pub fn create(&self, kind: KindRef, value: Value) -> Result<Arc<Object>, StoreError> {
        let mut inner = self.inner.write();
        let key = Key::new(
            json::text(&value, "/metadata/namespace"),
            json::text(&value, "/metadata/name"),
        );
        inner.check_namespace(kind, &key.namespace)?;
        if inner.tables[kind.id].objects.contains_key(&key) {
            return Err(StoreError::Exists);
        }
        Ok(self.commit(&mut inner, kind, None, value))
    }

    /// Puts a new state in the place of the one the caller read.
    pub fn replace(&self, read: &Object, value: Value) -> Result<Arc<Object>, StoreError> {
        let mut inner = self.inner.write();
        let current = inner.tables[read.kind.id]
            .objects
            .get(&read.key)
            .ok_or(StoreError::Missing)?;
        if current.version != read.version {
            return Err(StoreError::Stale);
        }
        let old = current.clone();
        Ok(self.commit(&mut inner, read.kind, Some(old), value))
    }

    /// Removes the state the caller read; `last` is what watchers see.
    pub fn remove(&self, read: &Object, last: Option<Value>) -> Result<Arc<Object>, StoreError> {
        let mut inner = self.inner.write();
        let current = inner.tables[read.kind.id]
            .objects
            .get(&read.key)
            .ok_or(StoreError::Missing)?;
        if current.version != read.version {
            return Err(StoreError::Stale);
        }
        let old = current.clone();
        inner.version += 1;
        let version = inner.version;
        let last = Object::new(
            read.kind,
            last.unwrap_or_else(|| old.value()),
            version,
            Some(&old),
            &mut inner.words,
        );
        inner.tables[read.kind.id].objects.remove(&read.key);
        inner.unlink(&old);
        let change = Change {
            version,
            kind: read.kind,
            old: Some(old),
            new: None,
            last: Some(last.clone()),
        };
        self.publish(&mut inner, change);
        Ok(last)
    }

    /// Reads, changes and writes until nobody came in between. A change that changes nothing
    /// writes nothing. An error from the closure ends it.
    pub fn modify<E: From<StoreError>>(
        &self,
        kind: KindRef,
        namespace: &str,
        name: &str,
        mut change: impl FnMut(&mut Value) -> Result<(), E>,
    ) -> Result<Arc<Object>, E> {
        loop {
            let read = self.get(kind, namespace, name).ok_or(StoreError::Missing)?;
            let before = read.value();
            let mut after = before.clone();
            change(&mut after)?;
            if after == before {
                return Ok(read);
            }
            match self.replace(&read, after) {
                Err(StoreError::Stale) => continue,
                Err(error) => return Err(error.into()),
                Ok(object) => return Ok(object),
            }
        }
    }

    fn commit(
        &self,
        inner: &mut Inner,
        kind: KindRef,
        old: Option<Arc<Object>>,
        value: Value,
    ) -> Arc<Object> {
        inner.version += 1;
        let version = inner.version;
        let object = Object::new(kind, value, version, old.as_deref(), &mut inner.words);
        if let Some(old) = &old {
            inner.unlink(old);
        }
        inner.link(&object);
        inner.tables[kind.id]
            .objects
            .insert(object.key.clone(), object.clone());
        let change = Change {
            version,
            kind,
            old,
            new: Some(object.clone()),
            last: None,
        };
        self.publish(inner, change);
        object
    }

    fn publish(&self, inner: &mut Inner, change: Change) {
        let (version, kind) = (change.version, change.kind);
        if kind == &DEFINITION {
            self.define(inner, change.object(), change.new.is_some());
        }
        inner.listeners.retain(|(kinds, listener)| {
            kinds.is_some_and(|kinds| !kinds.contains(&change.kind)) || listener.send(change.clone()).is_ok()
        });
        let table = &mut inner.tables[kind.id];
        table.ring.push_back(change);
        if table.ring.len() > RING
            && let Some(forgotten) = table.ring.pop_front()
        {
            table.forgotten = forgotten.version;
        }
        self.signals.read()[kind.id].send_replace(version);
        if !kind.volatile {
            self.dirty.send_modify(|count| *count += 1);
        }
    }
}

impl Inner {
    fn check_namespace(&self, kind: KindRef, namespace: &str) -> Result<(), StoreError> {
        if !kind.namespaced {
            return Ok(());
        }
        match self.tables[kinds::core::NAMESPACE.id]
            .objects
            .get(&Key::new("", namespace))
        {
            None => Err(StoreError::NamespaceMissing),
            Some(namespace) if namespace.deleting => Err(StoreError::NamespaceTerminating),
            Some(_) => Ok(()),
        }
    }

    fn link(&mut self, object: &Object) {
        for owner in &object.owners {
            self.dependents
                .entry(owner.uid.clone())
                .or_default()
                .insert((object.kind.id, object.key.clone()));
        }
    }

    fn unlink(&mut self, object: &Object) {
        for owner in &object.owners {
            if let Some(keys) = self.dependents.get_mut(&owner.uid) {
                keys.remove(&(object.kind.id, object.key.clone()));
                if keys.is_empty() {
                    self.dependents.remove(&owner.uid);
                }
            }
        }
    }
}

impl Table {
    fn range(&self, namespace: Option<&str>) -> Vec<Arc<Object>> {
        match namespace {
            None => self.objects.values().cloned().collect(),
            Some(namespace) => self
                .objects
                .range((Bound::Included(Key::new(namespace, "")), Bound::Unbounded))
                .take_while(|(key, _)| &*key.namespace == namespace)
                .map(|(_, object)| object.clone())
                .collect(),
        }
    }
}
