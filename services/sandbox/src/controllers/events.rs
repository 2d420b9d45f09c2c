//! Events: what the parts of a cluster say about objects. Repeated ones are counted, old ones go.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use rand::RngExt as _;
use serde_json::{Value, json};

use crate::cluster::Cluster;
use crate::json;
use crate::kinds::core::EVENT;
use crate::registry::delete::{DeleteOptions, delete};
use crate::registry::{Options, create, update};
use crate::store::{Key, Object};

/// As long as on a real cluster.
const LIFE: chrono::Duration = chrono::Duration::hours(1);
/// More than these are not kept, the oldest go first.
const MOST: usize = 20_000;

/// What is said once.
#[derive(Debug, Clone, Copy)]
pub struct Said<'a> {
    pub warning: bool,
    pub reason: &'a str,
    pub message: &'a str,
    pub component: &'a str,
    /// The node that says it, or "".
    pub host: &'a str,
    /// The part of the object it is about, or "".
    pub field: &'a str,
}

type Sameness = (Arc<str>, String, String, String);

#[derive(Default)]
pub struct Recorder(Mutex<Recorded>);

#[derive(Default)]
struct Recorded {
    known: HashMap<Sameness, Key>,
    order: VecDeque<(Key, Sameness)>,
}

impl Recorder {
    /// Records an event about an object; one said before is counted up.
    pub fn say(&self, cluster: &Cluster, about: &Object, said: Said<'_>) {
        let same: Sameness = (
            about.uid.clone(),
            said.reason.to_owned(),
            said.message.to_owned(),
            said.field.to_owned(),
        );
        let known = self.0.lock().known.get(&same).cloned();
        if let Some(key) = known {
            let options = Options::by(said.component);
            let counted = update::modify(cluster, &EVENT, &key.namespace, &key.name, &options, |event| {
                let count = json::integer(event, "/count").unwrap_or(1) + 1;
                event["count"] = count.into();
                event["lastTimestamp"] = json::now().into();
                Ok(())
            });
            if counted.is_ok() {
                return;
            }
        }
        self.record(cluster, about, said, same);
    }

    fn record(&self, cluster: &Cluster, about: &Object, said: Said<'_>, same: Sameness) {
        let namespace = if about.namespace().is_empty() {
            "default"
        } else {
            about.namespace()
        };
        let number: u64 = rand::rng().random();
        let name = format!("{}.{number:016x}", about.name());
        let now = json::now();
        let mut involved = json!({
            "apiVersion": about.kind.api_version(),
            "kind": about.kind.name,
            "name": about.name(),
            "uid": &*about.uid,
            "resourceVersion": about.version.to_string(),
        });
        if !about.namespace().is_empty() {
            involved["namespace"] = about.namespace().into();
        }
        if !said.field.is_empty() {
            involved["fieldPath"] = said.field.into();
        }
        let mut source = json!({"component": said.component});
        if !said.host.is_empty() {
            source["host"] = said.host.into();
        }
        let event: Value = json!({
            "metadata": {"name": name},
            "involvedObject": involved,
            "type": if said.warning { "Warning" } else { "Normal" },
            "reason": said.reason,
            "message": said.message,
            "source": source,
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "eventTime": null,
            "reportingComponent": said.component,
            "reportingInstance": said.host,
        });
        let Ok(written) = create::create(cluster, &EVENT, namespace, event, &Options::by(said.component))
        else {
            return;
        };
        let key = written.object.key.clone();
        let oldest = {
            let mut recorded = self.0.lock();
            recorded.known.insert(same.clone(), key.clone());
            recorded.order.push_back((key, same));
            if recorded.order.len() > MOST {
                recorded.forget_oldest()
            } else {
                None
            }
        };
        if let Some(oldest) = oldest {
            let _ = delete(
                cluster,
                &EVENT,
                &oldest.namespace,
                &oldest.name,
                &DeleteOptions::now(),
            );
        }
    }
}

impl Recorded {
    fn forget_oldest(&mut self) -> Option<Key> {
        let (key, same) = self.order.pop_front()?;
        if self.known.get(&same) == Some(&key) {
            self.known.remove(&same);
        }
        Some(key)
    }
}

/// Removes events that nobody repeated for an hour.
pub async fn expire(cluster: Arc<Cluster>) {
    loop {
        tokio::select! {
            () = cluster.shutdown.cancelled() => return,
            () = tokio::time::sleep(Duration::from_secs(60)) => {}
        }
        let limit = crate::clock::now() - LIFE;
        for event in cluster.store.list(&EVENT, None).0 {
            let value = event.bare_value();
            let last = match json::text(&value, "/lastTimestamp") {
                "" => json::text(&value, "/metadata/creationTimestamp"),
                last => last,
            };
            if json::parse_time(last).is_some_and(|last| last < limit) {
                let _ = delete(
                    &cluster,
                    &EVENT,
                    event.namespace(),
                    event.name(),
                    &DeleteOptions::now(),
                );
            }
        }
        let mut recorded = cluster.recorder.0.lock();
        let store = &cluster.store;
        recorded
            .known
            .retain(|_, key| store.get(&EVENT, &key.namespace, &key.name).is_some());
        recorded
            .order
            .retain(|(key, _)| store.get(&EVENT, &key.namespace, &key.name).is_some());
    }
}
