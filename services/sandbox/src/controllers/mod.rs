//! The controllers of a cluster: one task that turns changes into keys of work and works them off.
//!
//! Everything is level-triggered: a key says what to look at, never what to do.

pub mod bootstrap;
pub mod cron_job;
pub mod definitions;
pub mod deployment;
pub mod disruption;
pub mod endpoints;
pub mod events;
pub mod garbage;
pub mod job;
pub mod namespaces;
pub mod nodes;
mod queue;
pub mod replica_set;
pub mod rollout;
pub mod scheduler;
pub mod stateful_set;
pub mod volumes;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;

use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::KindRef;
use crate::kinds::apps::{DEPLOYMENT, REPLICA_SET, STATEFUL_SET};
use crate::kinds::core::{CONFIG_MAP, NAMESPACE, NODE, POD, SERVICE, SERVICE_ACCOUNT};
use crate::kinds::others::POD_DISRUPTION_BUDGET;
use crate::kinds::storage::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS};
use crate::registry::{Options, admission, update};
use crate::store::selector::LabelSelector;
use crate::store::{Change, Key, Object};
use queue::Queue;

/// A piece of work.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Work {
    /// The controller of an object's kind is to look at it.
    Object(usize, Key),
    /// An object that is being deleted and has dependents or finalizers to see to.
    Deletion(usize, Key),
    /// The dependents of an owner that is gone: it was seen to go, or it was not found.
    Orphans {
        owner: Arc<str>,
        seen: bool,
    },
    Schedule(Key),
    /// Pods that found no place before.
    Unschedulable,
}

/// Which kinds adopt objects that match their selector and have no controller.
static ADOPTERS: [(KindRef, KindRef); 3] = [
    (&POD, &REPLICA_SET),
    (&POD, &STATEFUL_SET),
    (&REPLICA_SET, &DEPLOYMENT),
];

/// How long endpoint changes gather before they are written.
const GATHER: Duration = Duration::from_millis(50);

/// What a controller wants after it has looked.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    pub look_again: Option<Duration>,
}

impl Outcome {
    pub const DONE: Outcome = Outcome { look_again: None };

    pub fn after(pause: Duration) -> Self {
        Self {
            look_again: Some(pause),
        }
    }
}

/// The controllers' own memory: what can be rebuilt from the store.
pub struct Controllers {
    pub cluster: Arc<Cluster>,
    pub scheduler: scheduler::Scheduler,
    pub services: endpoints::Services,
    /// Pods and ReplicaSets without a controller, which may be adopted.
    pub ownerless: HashSet<(usize, Key)>,
    queue: Queue,
}

pub fn start(cluster: &Arc<Cluster>) {
    let changes = cluster.store.listen_to_all();
    let mut controllers = Controllers {
        cluster: cluster.clone(),
        scheduler: scheduler::Scheduler::default(),
        services: endpoints::Services::default(),
        ownerless: HashSet::new(),
        queue: Queue::default(),
    };
    for kind in cluster.store.kinds() {
        for object in cluster.store.list(kind, None).0 {
            let change = Change {
                version: object.version,
                kind,
                old: None,
                new: Some(object),
                last: None,
            };
            controllers.take(&change);
        }
    }
    cluster.spawn(controllers.run(changes));
    cluster.spawn(nodes::heartbeats(cluster.clone()));
    cluster.spawn(events::expire(cluster.clone()));
}

impl Controllers {
    async fn run(mut self, mut changes: UnboundedReceiver<Change>) {
        let shutdown = self.cluster.shutdown.clone();
        loop {
            while let Ok(change) = changes.try_recv() {
                self.take(&change);
            }
            if let Some(work) = self.queue.pop() {
                self.work(work);
                tokio::task::yield_now().await;
                if shutdown.is_cancelled() {
                    return;
                }
                continue;
            }
            let wake = self.queue.next_wake();
            tokio::select! {
                () = shutdown.cancelled() => return,
                change = changes.recv() => match change {
                    Some(change) => self.take(&change),
                    None => return,
                },
                () = tokio::time::sleep_until(wake) => {}
            }
        }
    }

    fn work(&mut self, work: Work) {
        let started = std::time::Instant::now();
        let result = match &work {
            Work::Object(kind, key) => {
                let kind = self.cluster.store.kind_at(*kind);
                match kind.and_then(|kind| kind.reconcile) {
                    Some(reconcile) => reconcile(self, key),
                    None => Ok(Outcome::DONE),
                }
            }
            Work::Deletion(kind, key) => match self.cluster.store.kind_at(*kind) {
                Some(kind) => garbage::reconcile_deletion(&self.cluster, kind, key),
                None => Ok(Outcome::DONE),
            },
            Work::Orphans { owner, seen } => garbage::reconcile_orphans(&self.cluster, owner, *seen),
            Work::Schedule(key) => scheduler::reconcile(self, key),
            Work::Unschedulable => scheduler::retry(self),
        };
        self.queue.note_cost(&work, started.elapsed());
        match result {
            Ok(Outcome { look_again: None }) => self.queue.forget(&work),
            Ok(Outcome {
                look_again: Some(pause),
            }) => {
                self.queue.forget(&work);
                self.queue.add_after(work, pause);
            }
            Err(error) => {
                tracing::debug!(cluster.name = %self.cluster.config.name, ?work, %error, "will try again");
                self.queue.retry(work);
            }
        }
    }

    pub fn enqueue(&mut self, work: Work) {
        self.queue.add_gathering(work);
    }

    pub fn enqueue_after(&mut self, work: Work, pause: Duration) {
        self.queue.add_after(work, pause);
    }

    /// Turns a change into work.
    fn take(&mut self, change: &Change) {
        let object = change.object().clone();
        let kind = change.kind;
        self.scheduler.take(change);
        if change.new.is_none() {
            if !object.uid.is_empty() {
                self.enqueue(Work::Orphans {
                    owner: object.uid.clone(),
                    seen: true,
                });
            }
        } else if object.deleting && kind != &NAMESPACE {
            self.enqueue(Work::Deletion(kind.id, object.key.clone()));
        }
        if object.deleting || change.new.is_none() {
            self.enqueue_terminating_namespace(&object);
        }
        self.note_owner(kind, &object, change.new.is_some());
        if kind == &POD {
            self.take_pod(change, &object);
        } else if kind == &SERVICE {
            let cluster = self.cluster.clone();
            self.services.take(&cluster, change);
        } else if kind == &NODE {
            self.enqueue(Work::Unschedulable);
        } else if kind == &PERSISTENT_VOLUME || kind == &STORAGE_CLASS {
            for claim in volumes::waiting(&self.cluster) {
                self.enqueue(Work::Object(PERSISTENT_VOLUME_CLAIM.id, claim));
            }
        } else if kind == &PERSISTENT_VOLUME_CLAIM && self.scheduler.has_waiting() {
            self.enqueue_after(Work::Unschedulable, GATHER);
        } else if (kind == &SERVICE_ACCOUNT || kind == &CONFIG_MAP) && change.new.is_none() {
            self.enqueue_namespace(&object);
        }
        if kind.reconcile.is_some() {
            self.enqueue(Work::Object(kind.id, object.key.clone()));
        }
        // After the object's own work: a set that shrinks does so before its deployment looks again.
        for owner in &object.owners {
            let owner = self.enqueue_owner(&object, owner.uid.clone(), &owner.kind, &owner.name);
            // A deployment that recreates waits for the pods of its sets to be gone.
            if let (Some(owner), None) = (owner, &change.new) {
                for above in &owner.owners {
                    self.enqueue_owner(&owner, above.uid.clone(), &above.kind, &above.name);
                }
            }
        }
    }

    fn take_pod(&mut self, change: &Change, pod: &Arc<Object>) {
        let unassigned = pod.field("spec.nodeName") == Some("");
        if change.new.is_some() && unassigned && !pod.deleting && change.old.is_none() {
            self.enqueue(Work::Schedule(pod.key.clone()));
        }
        let freed = change.new.is_none() || matches!(pod.field("status.phase"), Some("Succeeded" | "Failed"));
        if freed && self.scheduler.has_waiting() {
            self.enqueue_after(Work::Unschedulable, GATHER);
        }
        for budget in self
            .cluster
            .store
            .list(&POD_DISRUPTION_BUDGET, Some(pod.namespace()))
            .0
        {
            self.enqueue_after(Work::Object(POD_DISRUPTION_BUDGET.id, budget.key.clone()), GATHER);
        }
        let mut services = self.services.selecting(pod);
        if let Some(old) = &change.old
            && old.labels != pod.labels
        {
            services.extend(self.services.selecting(old));
        }
        for service in services {
            self.enqueue_after(Work::Object(SERVICE.id, service), GATHER);
        }
    }

    fn enqueue_owner(
        &mut self,
        object: &Object,
        uid: Arc<str>,
        kind: &str,
        name: &str,
    ) -> Option<Arc<Object>> {
        let kind = self
            .cluster
            .store
            .kinds()
            .into_iter()
            .find(|known| known.name == kind)?;
        let namespace = if kind.namespaced {
            object.key.namespace.clone()
        } else {
            "".into()
        };
        let key = Key {
            namespace,
            name: name.into(),
        };
        match self.cluster.store.get(kind, &key.namespace, &key.name) {
            Some(owner) if owner.uid == uid => {
                if owner.deleting {
                    self.enqueue(Work::Deletion(kind.id, key.clone()));
                }
                if kind.reconcile.is_some() {
                    self.enqueue(Work::Object(kind.id, key));
                }
                Some(owner)
            }
            _ => {
                self.enqueue(Work::Orphans {
                    owner: uid,
                    seen: false,
                });
                None
            }
        }
    }

    fn enqueue_namespace(&mut self, object: &Object) {
        let key = Key {
            namespace: "".into(),
            name: object.key.namespace.clone(),
        };
        self.enqueue(Work::Object(NAMESPACE.id, key));
    }

    fn enqueue_terminating_namespace(&mut self, object: &Object) {
        if object.namespace().is_empty() {
            return;
        }
        let namespace = self.cluster.store.get(&NAMESPACE, "", object.namespace());
        if namespace.is_some_and(|namespace| namespace.deleting) {
            self.enqueue_namespace(object);
        }
    }

    fn note_owner(&mut self, kind: KindRef, object: &Object, exists: bool) {
        let mut adopters = ADOPTERS.iter().filter(|(child, _)| *child == kind).peekable();
        if adopters.peek().is_none() {
            return;
        }
        let entry = (kind.id, object.key.clone());
        if !exists || object.controller().is_some() {
            self.ownerless.remove(&entry);
            return;
        }
        self.ownerless.insert(entry);
        for (_, adopter) in adopters {
            for owner in self.cluster.store.list(adopter, Some(object.namespace())).0 {
                self.enqueue(Work::Object(adopter.id, owner.key.clone()));
            }
        }
    }

    /// Takes over objects of a kind that nobody controls and that match the owner's selector.
    pub fn adopt(&self, kind: KindRef, owner: &Arc<Object>, selector: &LabelSelector) -> ApiResult<()> {
        let cluster = &self.cluster;
        let of_namespace = self
            .ownerless
            .iter()
            .filter(|(child, key)| *child == kind.id && key.namespace == owner.key.namespace);
        for (_, key) in of_namespace {
            let Some(child) = cluster.store.get(kind, &key.namespace, &key.name) else {
                continue;
            };
            let ended = matches!(child.field("status.phase"), Some("Succeeded" | "Failed"));
            if child.deleting || ended || child.controller().is_some() || !selector.matches_object(&child) {
                continue;
            }
            let options = Options::by(MANAGER);
            settled(update::modify(
                cluster,
                kind,
                &key.namespace,
                &key.name,
                &options,
                |value| {
                    json::set(
                        value,
                        &["metadata", "ownerReferences"],
                        admission::owned_by(owner),
                    );
                    Ok(())
                },
            ))?;
        }
        Ok(())
    }
}

/// The field manager of the controllers.
pub const MANAGER: &str = "kube-controller-manager";

/// A write that failed because someone else came in between is no failure: the change that came
/// in between brings the key back.
pub fn settled(result: ApiResult<Arc<Object>>) -> ApiResult<Option<Arc<Object>>> {
    match result {
        Ok(object) => Ok(Some(object)),
        Err(error) if matches!(error.reason, "Conflict" | "NotFound" | "AlreadyExists") => Ok(None),
        Err(error) => Err(error),
    }
}
