//! The state of a cluster on disk: one JSON file, replaced as a whole.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::Value;

use super::{Key, Object, Store, Table};
use crate::kinds;
use crate::kinds::custom::DEFINITION;

/// Writes a file that only its owner may read, so that it is there as a whole or not at all.
pub fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    write_private_with(path, |out| out.write_all(bytes))
}

/// The same for what is too large to be held as a whole.
pub fn write_private_with(
    path: &Path,
    fill: impl FnOnce(&mut dyn std::io::Write) -> std::io::Result<()>,
) -> anyhow::Result<()> {
    let temporary = path.with_extension("tmp");
    let file = std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&temporary)
        .with_context(|| format!("cannot write {}", temporary.display()))?;
    let mut out = std::io::BufWriter::with_capacity(256 * 1024, &file);
    fill(&mut out).with_context(|| format!("cannot write {}", temporary.display()))?;
    out.flush()?;
    drop(out);
    file.sync_all()?;
    std::fs::rename(&temporary, path).with_context(|| format!("cannot replace {}", path.display()))
}

impl Store {
    /// Writes the whole state as JSON. Objects are immutable, so the lock is held only to collect
    /// them.
    pub fn save(&self, extra: &Value, out: &mut dyn std::io::Write) -> std::io::Result<()> {
        let (objects, version) = {
            let inner = self.inner.read();
            let objects: Vec<Arc<Object>> = inner
                .tables
                .iter()
                .flat_map(|table| table.objects.values().cloned())
                .collect();
            (objects, inner.version)
        };
        writeln!(out, "{{\"version\":{version},\"cluster\":{extra},\"objects\":[")?;
        let mut line = Vec::new();
        for (position, object) in objects.iter().enumerate() {
            line.clear();
            if position > 0 {
                line.extend_from_slice(b",\n");
            }
            object.write(true, &mut line);
            out.write_all(&line)?;
        }
        out.write_all(b"\n]}\n")
    }

    /// Fills an empty store from what `save` wrote; returns the extra part. Objects of kinds that
    /// are not known any more are left out.
    pub fn load(&self, bytes: &[u8]) -> anyhow::Result<Value> {
        let mut snapshot: Value = serde_json::from_slice(bytes).context("the snapshot is damaged")?;
        let version = snapshot["version"]
            .as_u64()
            .context("the snapshot has no version")?;
        let mut inner = self.inner.write();
        // Watches must not resume across the restart: the ring is gone.
        inner.version = version + 1;
        let objects = snapshot["objects"].take();
        for value in objects.as_array().into_iter().flatten() {
            let api_version = value["apiVersion"].as_str().unwrap_or("");
            let name = value["kind"].as_str().unwrap_or("");
            // Definitions stand before what they define.
            let custom = || {
                let mut customs = inner.customs.values().copied();
                customs.find(|kind| kind.name == name && kind.api_version() == api_version)
            };
            let Some(kind) = kinds::by_name(api_version, name).or_else(custom) else {
                continue;
            };
            let version = crate::json::text(value, "/metadata/resourceVersion")
                .parse()
                .unwrap_or(1);
            let object = Object::new(kind, value.clone(), version, None, &mut inner.words);
            inner.link(&object);
            inner.tables[kind.id]
                .objects
                .insert(object.key.clone(), object.clone());
            if kind == &DEFINITION {
                self.define(&mut inner, &object, true);
            }
        }
        for table in &mut inner.tables {
            *table = Table {
                objects: std::mem::take(&mut table.objects),
                forgotten: version + 1,
                ..Table::default()
            };
        }
        Ok(snapshot["cluster"].take())
    }

    /// Whether an object with this uid exists.
    pub fn has_uid(&self, kind: kinds::KindRef, key: &Key, uid: &str) -> bool {
        self.inner.read().tables[kind.id]
            .objects
            .get(key)
            .is_some_and(|object| &*object.uid == uid)
    }
}
