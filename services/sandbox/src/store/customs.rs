//! The kinds that a cluster serves: those of the table, and those of its established definitions.

use std::sync::Arc;

use tokio::sync::watch;

use super::{Inner, Object, Store, Table};
use crate::kinds::{self, KindRef, custom};

impl Store {
    pub fn kinds(&self) -> Vec<KindRef> {
        let inner = self.inner.read();
        kinds::ALL.iter().chain(inner.customs.values()).copied().collect()
    }

    pub fn kind_at(&self, id: usize) -> Option<KindRef> {
        self.find(kinds::ALL.get(id).copied(), |kind| kind.id == id)
    }

    /// Finds a kind by the parts of a request path.
    pub fn kind_by_path(&self, group: &str, version: &str, plural: &str) -> Option<KindRef> {
        self.find(kinds::by_path(group, version, plural), |kind| {
            (kind.group, kind.version, kind.plural) == (group, version, plural)
        })
    }

    /// Finds a kind by `apiVersion` and `kind`.
    pub fn kind_by_name(&self, api_version: &str, name: &str) -> Option<KindRef> {
        self.find(kinds::by_name(api_version, name), |kind| {
            kind.name == name && kind.api_version() == api_version
        })
    }

    fn find(&self, known: Option<KindRef>, is: impl Fn(KindRef) -> bool) -> Option<KindRef> {
        known.or_else(|| {
            let inner = self.inner.read();
            inner.customs.values().copied().find(|kind| is(kind))
        })
    }

    /// Takes up what a definition says now, or that it is gone.
    pub(super) fn define(&self, inner: &mut Inner, definition: &Object, exists: bool) {
        let row = exists.then(|| custom::row(&definition.bare_value())).flatten();
        let Some(row) = row else {
            inner.customs.remove(&definition.key.name);
            return;
        };
        let mut signals = self.signals.write();
        while inner.tables.len() <= row.id {
            inner.tables.push(Table::default());
            signals.push(watch::channel(inner.version).0);
        }
        let before = inner.customs.insert(definition.key.name.clone(), row);
        if before.is_some_and(|before| !std::ptr::eq(before, row)) {
            inner.retype(row);
        }
    }
}

impl Inner {
    /// Gives the objects of a kind its new row: they are written in its version from now on.
    fn retype(&mut self, row: KindRef) {
        for object in self.tables[row.id].objects.values_mut() {
            let old = Arc::clone(object);
            *object = Object::new(row, old.bare_value(), old.version, Some(&old), &mut self.words);
        }
    }
}
