//! Deployments: revisions as ReplicaSets, rolled out within surge and unavailability, with the
//! conditions and reasons of the real controller.

mod conditions;
pub mod revisions;

pub use revisions::template_hash;

use std::sync::Arc;

use serde_json::{Value, json};

use super::events::Said;
use super::rollout::{Bounds, Set};
use super::{Controllers, MANAGER, Outcome, settled};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::apps::{DEPLOYMENT, REPLICA_SET};
use crate::registry::{Options, update};
use crate::store::selector::LabelSelector;
use crate::store::{Key, Object};

const COMPONENT: &str = "deployment-controller";
pub(super) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(super) const MOST: &str = "deployment.kubernetes.io/max-replicas";

/// A deployment with its sets, decoded.
pub struct View {
    pub object: Arc<Object>,
    pub value: Value,
    pub new: Option<Value>,
    /// Oldest first.
    pub old: Vec<Value>,
    pub bounds: Bounds,
}

pub(super) fn size(set: &Value) -> i64 {
    json::integer(set, "/spec/replicas").unwrap_or(0)
}

pub(super) fn counted(set: &Value, field: &str) -> i64 {
    set["status"][field].as_i64().unwrap_or(0)
}

fn as_set(set: &Value) -> Set {
    Set {
        name: json::text(set, "/metadata/name").to_owned(),
        replicas: size(set),
        available: counted(set, "availableReplicas"),
        annotated_most: annotation(set, MOST).parse().unwrap_or(0),
    }
}

pub(super) fn annotation<'a>(object: &'a Value, name: &str) -> &'a str {
    object["metadata"]["annotations"][name].as_str().unwrap_or("")
}

impl View {
    fn sets(&self) -> impl Iterator<Item = &Value> {
        self.new.iter().chain(&self.old)
    }

    fn total(&self) -> i64 {
        self.sets().map(size).sum()
    }
}

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let cluster = controllers.cluster.clone();
    let Some(object) = cluster.store.get(&DEPLOYMENT, &key.namespace, &key.name) else {
        return Ok(Outcome::DONE);
    };
    if !object.deleting {
        let selector = LabelSelector::from_object(&object.bare_value()["spec"]["selector"]);
        controllers.adopt(&REPLICA_SET, &object, &selector)?;
    }
    let mut view = revisions::view(&cluster, object);
    if view.object.deleting {
        return conditions::write_status(&cluster, &view, false);
    }
    let paused = view.value["spec"]["paused"] == true;
    conditions::note_pause(&cluster, &mut view, paused)?;
    if paused || is_scaling(&view) {
        revisions::find_new(&cluster, &mut view, false)?;
        scale_in_proportion(&cluster, &mut view)?;
        if paused {
            revisions::clean_up(&cluster, &view)?;
        }
        return conditions::write_status(&cluster, &view, false);
    }
    if view.value["spec"]["strategy"]["type"] == "Recreate" {
        recreate(&cluster, &mut view)?;
    } else {
        roll(&cluster, &mut view)?;
    }
    if conditions::is_complete(&view) {
        revisions::clean_up(&cluster, &view)?;
    }
    conditions::write_status(&cluster, &view, true)
}

/// Whether the deployment's own size changed since its sets were sized.
fn is_scaling(view: &View) -> bool {
    view.sets().filter(|set| size(set) > 0).any(|set| {
        annotation(set, DESIRED)
            .parse::<i64>()
            .is_ok_and(|desired| desired != view.bounds.replicas)
    })
}

fn roll(cluster: &Arc<Cluster>, view: &mut View) -> ApiResult<()> {
    revisions::find_new(cluster, view, true)?;
    let Some(new) = view.new.clone() else {
        return Ok(());
    };
    let wanted = view.bounds.new_set_size(size(&new), view.total());
    if scale(cluster, view, &new, wanted)? {
        return Ok(());
    }
    let old: Vec<Set> = view.old.iter().map(as_set).collect();
    let sizes = view.bounds.old_set_sizes(&old, &as_set(&new));
    for (set, wanted) in view.old.clone().iter().zip(sizes) {
        scale(cluster, view, set, wanted)?;
    }
    Ok(())
}

fn recreate(cluster: &Arc<Cluster>, view: &mut View) -> ApiResult<()> {
    revisions::find_new(cluster, view, false)?;
    for set in view.old.clone() {
        scale(cluster, view, &set, 0)?;
    }
    let pods_left = view
        .old
        .iter()
        .flat_map(|set| cluster.store.dependents(json::text(set, "/metadata/uid")))
        .any(|pod| !matches!(pod.field("status.phase"), Some("Succeeded" | "Failed")));
    if pods_left {
        return Ok(());
    }
    revisions::find_new(cluster, view, true)?;
    if let Some(new) = view.new.clone() {
        scale(cluster, view, &new, view.bounds.replicas)?;
    }
    Ok(())
}

fn scale_in_proportion(cluster: &Arc<Cluster>, view: &mut View) -> ApiResult<()> {
    let active: Vec<Value> = view.sets().filter(|set| size(set) > 0).cloned().collect();
    let newest_old = view.old.last().cloned();
    match active.as_slice() {
        [] => {
            if let Some(set) = view.new.clone().or(newest_old) {
                scale(cluster, view, &set, view.bounds.replicas)?;
            }
            return Ok(());
        }
        [only] => {
            scale(cluster, view, only, view.bounds.replicas)?;
            return Ok(());
        }
        _ => {}
    }
    let saturated = view.new.as_ref().is_some_and(|new| {
        size(new) == view.bounds.replicas && counted(new, "availableReplicas") == view.bounds.replicas
    });
    if saturated {
        for set in view.old.clone() {
            scale(cluster, view, &set, 0)?;
        }
        return Ok(());
    }
    if view.value["spec"]["strategy"]["type"] != "RollingUpdate" {
        return Ok(());
    }
    // Newest first: the new set, then the old ones from the youngest.
    let sets: Vec<Value> = view.new.iter().chain(view.old.iter().rev()).cloned().collect();
    let sizes = view
        .bounds
        .proportional(&sets.iter().map(as_set).collect::<Vec<_>>());
    for (set, wanted) in sets.iter().zip(sizes) {
        scale(cluster, view, set, wanted)?;
    }
    Ok(())
}

/// Gives a set a size, and says so. False when it had that size already.
fn scale(cluster: &Arc<Cluster>, view: &mut View, set: &Value, wanted: i64) -> ApiResult<bool> {
    let before = size(set);
    let (desired, most) = (view.bounds.replicas.to_string(), view.bounds.most().to_string());
    let annotated = annotation(set, DESIRED) == desired && annotation(set, MOST) == most;
    if before == wanted && annotated {
        return Ok(false);
    }
    let name = json::text(set, "/metadata/name").to_owned();
    let options = Options::by(MANAGER);
    let written = settled(update::modify(
        cluster,
        &REPLICA_SET,
        view.object.namespace(),
        &name,
        &options,
        |set| {
            json::set(set, &["spec", "replicas"], wanted);
            json::set(set, &["metadata", "annotations", DESIRED], desired.clone());
            json::set(set, &["metadata", "annotations", MOST], most.clone());
            Ok(())
        },
    ))?;
    if let Some(written) = written {
        let value = written.value();
        for known in view.new.iter_mut().chain(&mut view.old) {
            if json::text(known, "/metadata/name") == name {
                *known = value.clone();
            }
        }
    }
    if before != wanted {
        say_scaled(cluster, &view.object, &name, before, wanted);
    }
    Ok(before != wanted)
}

pub(super) fn say_scaled(cluster: &Cluster, deployment: &Object, set: &str, before: i64, wanted: i64) {
    let direction = if wanted > before { "up" } else { "down" };
    let message = format!("Scaled {direction} replica set {set} from {before} to {wanted}");
    let said = Said {
        warning: false,
        reason: "ScalingReplicaSet",
        message: &message,
        component: COMPONENT,
        host: "",
        field: "",
    };
    cluster.recorder.say(cluster, deployment, said);
}

/// Sets a condition: its times move only when it says something new.
pub(super) fn set_condition(
    conditions: &mut Vec<Value>,
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
) {
    let now = json::now();
    let before = conditions.iter().position(|condition| condition["type"] == kind);
    let mut since = Value::from(now.clone());
    if let Some(position) = before {
        let old = &conditions[position];
        if old["status"] == status && old["reason"] == reason {
            return;
        }
        if old["status"] == status {
            since = old["lastTransitionTime"].clone();
        }
        conditions.remove(position);
    }
    conditions.push(json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastUpdateTime": now, "lastTransitionTime": since,
    }));
}
