//! The sets of a deployment: finding the one of the current template, making it, numbering it,
//! and removing those beyond the history limit.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{DESIRED, MOST, View, annotation, conditions, counted, say_scaled, set_condition, size};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::controllers::rollout::Bounds;
use crate::controllers::{MANAGER, settled};
use crate::json;
use crate::kinds::apps::{DEPLOYMENT, REPLICA_SET};
use crate::registry::delete::{DeleteOptions, delete};
use crate::registry::{Options, admission, create, update};
use crate::store::Object;

const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const HASH: &str = "pod-template-hash";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// Annotations that do not go from a deployment to its sets.
const NOT_COPIED: [&str; 5] = [LAST_APPLIED, REVISION, HISTORY, DESIRED, MOST];

pub fn view(cluster: &Cluster, object: Arc<Object>) -> View {
    let value = object.value();
    let template = bare_template(&value["spec"]["template"]);
    let mut sets: Vec<Value> = cluster
        .store
        .dependents(&object.uid)
        .into_iter()
        .filter(|set| set.kind == &REPLICA_SET && !set.deleting)
        .filter(|set| set.controller().is_some_and(|owner| owner.uid == object.uid))
        .map(|set| set.value())
        .collect();
    sets.sort_by_key(created);
    let new = sets
        .iter()
        .position(|set| bare_template(&set["spec"]["template"]) == template);
    let new = new.map(|position| sets.remove(position));
    let bounds = Bounds::of(&value["spec"]);
    View {
        object,
        value,
        new,
        old: sets,
        bounds,
    }
}

fn created(set: &Value) -> (String, i64) {
    (
        json::text(set, "/metadata/creationTimestamp").to_owned(),
        revision(set),
    )
}

fn revision(set: &Value) -> i64 {
    annotation(set, REVISION).parse().unwrap_or(0)
}

/// A template without the label that tells the sets apart.
fn bare_template(template: &Value) -> Value {
    let mut template = template.clone();
    json::remove(&mut template, &["metadata", "labels", HASH]);
    template
}

/// Letters that stand for a template; another number gives other letters.
pub fn template_hash(template: &Value, collisions: i64) -> String {
    const ALPHABET: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let digest = Sha256::new()
        .chain_update(template.to_string())
        .chain_update(collisions.to_be_bytes())
        .finalize();
    digest
        .iter()
        .take(10)
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

/// Finds the set of the current template and brings its annotations up to date; makes it if asked.
pub fn find_new(cluster: &Arc<Cluster>, view: &mut View, make: bool) -> ApiResult<()> {
    let latest = view.old.iter().map(revision).max().unwrap_or(0);
    let wanted = (latest + 1).to_string();
    if let Some(new) = view.new.clone() {
        let number = if revision(&new) > latest {
            annotation(&new, REVISION).to_owned()
        } else {
            wanted
        };
        update_set(cluster, view, &new, &number)?;
        number_deployment(cluster, view, &number)?;
        let none = !json::items(&view.value, "/status/conditions")
            .iter()
            .any(|known| known["type"] == "Progressing");
        if none && conditions::has_deadline(&view.value) {
            let name = json::text(&new, "/metadata/name");
            let message = format!("Found new replica set {name:?}");
            add_progress(cluster, view, "FoundNewReplicaSet", &message)?;
        }
        return Ok(());
    }
    if !make {
        return Ok(());
    }
    create_new(cluster, view, &wanted)
}

/// What a set takes over from its deployment.
fn copied(view: &View, revision: &str, before: Option<&Value>) -> Value {
    let mut annotations = before.map_or_else(|| json!({}), |set| set["metadata"]["annotations"].clone());
    for (name, text) in view.value["metadata"]["annotations"]
        .as_object()
        .into_iter()
        .flatten()
    {
        if !NOT_COPIED.contains(&name.as_str()) {
            json::set(&mut annotations, &[name], text.clone());
        }
    }
    if let Some(set) = before
        && !annotation(set, REVISION).is_empty()
        && annotation(set, REVISION) != revision
    {
        let mut history = annotation(set, HISTORY).to_owned();
        if !history.is_empty() {
            history.push(',');
        }
        history.push_str(annotation(set, REVISION));
        json::set(&mut annotations, &[HISTORY], history);
    }
    json::set(&mut annotations, &[REVISION], revision);
    annotations
}

fn update_set(cluster: &Arc<Cluster>, view: &mut View, set: &Value, revision: &str) -> ApiResult<()> {
    let annotations = copied(view, revision, Some(set));
    let minimum = view.value["spec"]["minReadySeconds"].clone();
    let name = json::text(set, "/metadata/name");
    let options = Options::by(MANAGER);
    let written = settled(update::modify(
        cluster,
        &REPLICA_SET,
        view.object.namespace(),
        name,
        &options,
        |set| {
            json::set(set, &["metadata", "annotations"], annotations.clone());
            if minimum.is_null() {
                json::remove(set, &["spec", "minReadySeconds"]);
            } else {
                json::set(set, &["spec", "minReadySeconds"], minimum.clone());
            }
            Ok(())
        },
    ))?;
    if let Some(written) = written {
        view.new = Some(written.value());
    }
    Ok(())
}

fn number_deployment(cluster: &Arc<Cluster>, view: &mut View, revision: &str) -> ApiResult<()> {
    if annotation(&view.value, REVISION) == revision {
        return Ok(());
    }
    let options = Options::by(MANAGER);
    let (namespace, name) = (view.object.namespace(), view.object.name());
    let written = settled(update::modify(
        cluster,
        &DEPLOYMENT,
        namespace,
        name,
        &options,
        |deployment| {
            json::set(deployment, &["metadata", "annotations", REVISION], revision);
            Ok(())
        },
    ))?;
    if let Some(written) = written {
        view.value["metadata"] = written.value()["metadata"].take();
    }
    Ok(())
}

fn create_new(cluster: &Arc<Cluster>, view: &mut View, revision: &str) -> ApiResult<()> {
    let template = bare_template(&view.value["spec"]["template"]);
    let collisions = json::integer(&view.value, "/status/collisionCount").unwrap_or(0);
    let hash = template_hash(&template, collisions);
    let name = format!("{}-{hash}", view.object.name());
    let mut labels = template["metadata"]["labels"].clone();
    json::set(&mut labels, &[HASH], hash.clone());
    let mut template = template;
    json::set(&mut template, &["metadata", "labels"], labels.clone());
    let mut selector = view.value["spec"]["selector"].clone();
    json::set(&mut selector, &["matchLabels", HASH], hash);
    let total = view.old.iter().map(size).sum();
    let replicas = if view.value["spec"]["strategy"]["type"] == "Recreate" {
        view.bounds.replicas
    } else {
        view.bounds.new_set_size(0, total)
    };
    let mut annotations = copied(view, revision, None);
    json::set(&mut annotations, &[DESIRED], view.bounds.replicas.to_string());
    json::set(&mut annotations, &[MOST], view.bounds.most().to_string());
    let mut set = json!({
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": admission::owned_by(&view.object),
        },
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    });
    if let Some(minimum) = view.value["spec"].get("minReadySeconds") {
        set["spec"]["minReadySeconds"] = minimum.clone();
    }
    match create::create(
        cluster,
        &REPLICA_SET,
        view.object.namespace(),
        set,
        &Options::by(MANAGER),
    ) {
        Ok(written) => {
            view.new = Some(written.object.value());
            if replicas > 0 {
                say_scaled(cluster, &view.object, &name, 0, replicas);
            }
            number_deployment(cluster, view, revision)?;
            if conditions::has_deadline(&view.value) {
                let message = format!("Created new replica set {name:?}");
                add_progress(cluster, view, "NewReplicaSetCreated", &message)?;
            }
            Ok(())
        }
        // Another set has that name: count the collision, and the hash will be another.
        Err(error) if error.reason == "AlreadyExists" => {
            let options = Options::by(MANAGER).on("status");
            let (namespace, name) = (view.object.namespace(), view.object.name());
            settled(update::modify(
                cluster,
                &DEPLOYMENT,
                namespace,
                name,
                &options,
                |deployment| {
                    json::set(deployment, &["status", "collisionCount"], collisions + 1);
                    Ok(())
                },
            ))?;
            Err(error)
        }
        Err(error) => {
            if conditions::has_deadline(&view.value) {
                let message = format!("Failed to create new replica set {name:?}: {error}");
                set_progress(cluster, view, "False", "ReplicaSetCreateError", &message)?;
            }
            Err(error)
        }
    }
}

fn add_progress(cluster: &Arc<Cluster>, view: &mut View, reason: &str, message: &str) -> ApiResult<()> {
    set_progress(cluster, view, "True", reason, message)
}

fn set_progress(
    cluster: &Arc<Cluster>,
    view: &mut View,
    status: &str,
    reason: &str,
    message: &str,
) -> ApiResult<()> {
    let options = Options::by(MANAGER).on("status");
    let (namespace, name) = (view.object.namespace(), view.object.name());
    let written = settled(update::modify(
        cluster,
        &DEPLOYMENT,
        namespace,
        name,
        &options,
        |deployment| {
            let mut list = json::items(deployment, "/status/conditions").to_vec();
            set_condition(&mut list, "Progressing", status, reason, message);
            json::set(deployment, &["status", "conditions"], list);
            Ok(())
        },
    ))?;
    if let Some(written) = written {
        view.value["status"] = written.value()["status"].take();
    }
    Ok(())
}

/// Removes old, empty sets beyond the history limit, the oldest revisions first.
pub fn clean_up(cluster: &Arc<Cluster>, view: &View) -> ApiResult<()> {
    let limit = json::integer(&view.value, "/spec/revisionHistoryLimit").unwrap_or(10);
    let mut removable: Vec<&Value> = view
        .old
        .iter()
        .filter(|set| size(set) == 0 && counted(set, "replicas") == 0)
        .filter(|set| {
            json::integer(set, "/status/observedGeneration") >= json::integer(set, "/metadata/generation")
        })
        .collect();
    let surplus = i64::try_from(view.old.len()).unwrap_or(0) - limit;
    if surplus <= 0 {
        return Ok(());
    }
    removable.sort_by_key(|set| revision(set));
    for set in removable.into_iter().take(usize::try_from(surplus).unwrap_or(0)) {
        let name = json::text(set, "/metadata/name");
        match delete(
            cluster,
            &REPLICA_SET,
            view.object.namespace(),
            name,
            &DeleteOptions::default(),
        ) {
            Err(error) if error.code != 404 => return Err(error),
            _ => {}
        }
    }
    Ok(())
}
