//! StatefulSets: pods with names that stay, one after the other.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::events::Said;
use super::{Controllers, MANAGER, Outcome, settled};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::apps::{CONTROLLER_REVISION, STATEFUL_SET};
use crate::kinds::core::POD;
use crate::kinds::storage::PERSISTENT_VOLUME_CLAIM;
use crate::registry::delete::{DeleteOptions, delete};
use crate::registry::{Options, admission, create, update};
use crate::store::selector::LabelSelector;
use crate::store::{Key, Object};

const COMPONENT: &str = "statefulset-controller";
const REVISION_LABEL: &str = "controller-revision-hash";

/// A set at the time of one look.
struct View {
    set: Arc<Object>,
    value: Value,
    replicas: i64,
    first: i64,
    ordered: bool,
    partition: i64,
    rolling: bool,
    /// Name and template of the revision the set comes from and goes to.
    current: (String, Value),
    updated: (String, Value),
    /// By ordinal.
    pods: BTreeMap<i64, Arc<Object>>,
}

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let cluster = controllers.cluster.clone();
    let Some(set) = cluster.store.get(&STATEFUL_SET, &key.namespace, &key.name) else {
        return Ok(Outcome::DONE);
    };
    if set.deleting {
        return Ok(Outcome::DONE);
    }
    let selector = LabelSelector::from_object(&set.bare_value()["spec"]["selector"]);
    controllers.adopt(&POD, &set, &selector)?;
    let view = view(&cluster, set)?;
    let result = step(&cluster, &view);
    // The status tells what is there even if the step failed.
    write_status(&cluster, &view)?;
    result.map(|()| Outcome::DONE)
}

fn ordinal(set: &str, pod: &str) -> Option<i64> {
    pod.strip_prefix(set)?.strip_prefix('-')?.parse().ok()
}

fn view(cluster: &Cluster, set: Arc<Object>) -> ApiResult<View> {
    let value = set.value();
    let spec = &value["spec"];
    let (updated, revisions) = revise(cluster, &set, &value)?;
    let wanted = json::text(&value, "/status/currentRevision").to_owned();
    let current = revisions
        .into_iter()
        .find(|(name, _)| *name == wanted)
        .unwrap_or_else(|| updated.clone());
    let pods = cluster
        .store
        .dependents(&set.uid)
        .into_iter()
        .filter(|pod| pod.kind == &POD)
        .filter_map(|pod| Some((ordinal(set.name(), pod.name())?, pod)))
        .collect();
    let strategy = &spec["updateStrategy"];
    Ok(View {
        replicas: json::integer(spec, "/replicas").unwrap_or(1),
        first: json::integer(spec, "/ordinals/start").unwrap_or(0),
        ordered: spec["podManagementPolicy"] != "Parallel",
        partition: json::integer(strategy, "/rollingUpdate/partition").unwrap_or(0),
        rolling: strategy["type"] != "OnDelete",
        current,
        updated,
        pods,
        value,
        set,
    })
}

type Revision = (String, Value);

/// Finds or makes the revision of the current template.
fn revise(cluster: &Cluster, set: &Arc<Object>, value: &Value) -> ApiResult<(Revision, Vec<Revision>)> {
    let mut known: Vec<(i64, Revision)> = cluster
        .store
        .dependents(&set.uid)
        .into_iter()
        .filter(|object| object.kind == &CONTROLLER_REVISION && !object.deleting)
        .map(|object| {
            let mut value = object.bare_value();
            let number = json::integer(&value, "/revision").unwrap_or(0);
            (
                number,
                (object.name().to_owned(), value["data"]["spec"]["template"].take()),
            )
        })
        .collect();
    known.sort_by_key(|(number, _)| *number);
    let mut template = value["spec"]["template"].clone();
    json::set(&mut template, &["$patch"], "replace");
    let last = known.last().map_or(0, |(number, _)| *number);
    let all = |known: Vec<(i64, Revision)>| known.into_iter().map(|(_, revision)| revision).collect();
    if let Some((number, found)) = known.iter().find(|(_, (_, known))| *known == template).cloned() {
        if number < last {
            let options = Options::by(MANAGER);
            let (namespace, name) = (set.namespace(), found.0.as_str());
            settled(update::modify(
                cluster,
                &CONTROLLER_REVISION,
                namespace,
                name,
                &options,
                |revision| {
                    revision["revision"] = (last + 1).into();
                    Ok(())
                },
            ))?;
        }
        return Ok((found, all(known)));
    }
    let hash = super::deployment::template_hash(&template, last);
    let name = format!("{}-{hash}", set.name());
    let mut labels = value["spec"]["selector"]["matchLabels"].clone();
    json::set(&mut labels, &[REVISION_LABEL], hash);
    let revision = json!({
        "metadata": {"name": name, "labels": labels, "ownerReferences": admission::owned_by(set)},
        "data": {"spec": {"template": template}},
        "revision": last + 1,
    });
    create::create(
        cluster,
        &CONTROLLER_REVISION,
        set.namespace(),
        revision,
        &Options::by(MANAGER),
    )?;
    known.push((last + 1, (name.clone(), template.clone())));
    forget_old(cluster, set, value, &known)?;
    Ok(((name, template), all(known)))
}

/// Revisions beyond the history limit go, unless a pod still has them.
fn forget_old(cluster: &Cluster, set: &Object, value: &Value, known: &[(i64, Revision)]) -> ApiResult<()> {
    let limit = json::integer(value, "/spec/revisionHistoryLimit").unwrap_or(10);
    let current = json::text(value, "/status/currentRevision");
    let pods = cluster.store.dependents(&set.uid);
    let used = |name: &str| {
        name == current
            || pods
                .iter()
                .any(|pod| pod.kind == &POD && pod.label(REVISION_LABEL) == Some(name))
    };
    let unused: Vec<&str> = known
        .iter()
        .rev()
        .skip(1)
        .map(|(_, (name, _))| name.as_str())
        .filter(|name| !used(name))
        .skip(usize::try_from(limit).unwrap_or(0))
        .collect();
    for name in unused {
        match delete(
            cluster,
            &CONTROLLER_REVISION,
            set.namespace(),
            name,
            &DeleteOptions::default(),
        ) {
            Err(error) if error.code != 404 => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn is_ready(pod: &Object) -> bool {
    !pod.fact("ready-since").is_empty()
}

fn has_ended(pod: &Object) -> bool {
    matches!(pod.field("status.phase"), Some("Succeeded" | "Failed"))
}

/// Does what may be done now: in order, one pod at a time; or all at once.
fn step(cluster: &Arc<Cluster>, view: &View) -> ApiResult<()> {
    for ordinal in view.first..view.first + view.replicas {
        match view.pods.get(&ordinal) {
            None => create_pod(cluster, view, ordinal)?,
            Some(pod) if has_ended(pod) && !pod.deleting => remove_pod(cluster, view, pod)?,
            Some(pod) if is_ready(pod) && !pod.deleting => continue,
            Some(_) => {}
        }
        if view.ordered {
            return Ok(());
        }
    }
    let condemned = view
        .pods
        .iter()
        .rev()
        .filter(|(ordinal, _)| **ordinal >= view.first + view.replicas);
    for (_, pod) in condemned {
        if !pod.deleting {
            remove_pod(cluster, view, pod)?;
        }
        if view.ordered {
            return Ok(());
        }
    }
    if !view.rolling {
        return Ok(());
    }
    let updatable = view
        .pods
        .iter()
        .rev()
        .filter(|(ordinal, _)| **ordinal >= view.first + view.partition);
    for (_, pod) in updatable {
        if pod.deleting {
            return Ok(());
        }
        if pod.label(REVISION_LABEL) != Some(view.updated.0.as_str()) {
            return remove_pod(cluster, view, pod);
        }
        if !is_ready(pod) {
            return Ok(());
        }
    }
    Ok(())
}

fn create_pod(cluster: &Arc<Cluster>, view: &View, ordinal: i64) -> ApiResult<()> {
    let set = &view.set;
    let name = format!("{}-{ordinal}", set.name());
    let stays = view
        .pods
        .values()
        .filter(|pod| pod.label(REVISION_LABEL) == Some(view.current.0.as_str()))
        .count();
    let keeps_current = view.rolling
        && if view.partition > 0 {
            ordinal < view.first + view.partition
        } else {
            ordinal < view.first + i64::try_from(stays).unwrap_or(0)
        };
    let (revision, template) = if keeps_current {
        &view.current
    } else {
        &view.updated
    };
    let mut metadata = template["metadata"].clone();
    json::set(&mut metadata, &["name"], name.clone());
    json::set(&mut metadata, &["generateName"], format!("{}-", set.name()));
    json::set(&mut metadata, &["labels", REVISION_LABEL], revision.clone());
    json::set(
        &mut metadata,
        &["labels", "statefulset.kubernetes.io/pod-name"],
        name.clone(),
    );
    json::set(
        &mut metadata,
        &["labels", "apps.kubernetes.io/pod-index"],
        ordinal.to_string(),
    );
    json::set(&mut metadata, &["ownerReferences"], admission::owned_by(set));
    let mut spec = template["spec"].clone();
    json::set(&mut spec, &["hostname"], name.clone());
    let subdomain = json::text(&view.value, "/spec/serviceName");
    if !subdomain.is_empty() {
        json::set(&mut spec, &["subdomain"], subdomain);
    }
    claim_volumes(cluster, view, &name, &mut spec)?;
    let pod = json!({"metadata": metadata, "spec": spec});
    let made = create::create(cluster, &POD, set.namespace(), pod, &Options::by(MANAGER));
    match &made {
        Ok(_) => {
            let message = format!("create Pod {name} in StatefulSet {} successful", set.name());
            say(cluster, view, false, "SuccessfulCreate", &message);
        }
        Err(error) if error.reason == "AlreadyExists" => return Ok(()),
        Err(error) => {
            let message = format!(
                "create Pod {name} in StatefulSet {} failed error: {error}",
                set.name()
            );
            say(cluster, view, true, "FailedCreate", &message);
        }
    }
    made.map(|_| ())
}

/// A claim per template, named after the pod; it outlives the pod.
fn claim_volumes(cluster: &Arc<Cluster>, view: &View, pod: &str, spec: &mut Value) -> ApiResult<()> {
    for template in json::items(&view.value, "/spec/volumeClaimTemplates") {
        let volume = json::text(template, "/metadata/name");
        let name = format!("{volume}-{pod}");
        let mut claim = json!({"metadata": template["metadata"], "spec": template["spec"]});
        json::set(&mut claim, &["metadata", "name"], name.clone());
        for (label, value) in view.value["spec"]["selector"]["matchLabels"]
            .as_object()
            .into_iter()
            .flatten()
        {
            json::set(&mut claim, &["metadata", "labels", label], value.clone());
        }
        let made = create::create(
            cluster,
            &PERSISTENT_VOLUME_CLAIM,
            view.set.namespace(),
            claim,
            &Options::by(MANAGER),
        );
        settled(made.map(|written| written.object))?;
        let volumes = json::object_mut(spec)
            .entry("volumes")
            .or_insert_with(|| json!([]));
        if let Some(volumes) = volumes.as_array_mut() {
            volumes.retain(|known| known["name"] != volume);
            volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": name}}));
        }
    }
    Ok(())
}

fn remove_pod(cluster: &Arc<Cluster>, view: &View, pod: &Object) -> ApiResult<()> {
    let options = DeleteOptions {
        uid: Some(pod.uid.to_string()),
        ..DeleteOptions::default()
    };
    match delete(cluster, &POD, pod.namespace(), pod.name(), &options) {
        Err(error) if matches!(error.code, 404 | 409) => return Ok(()),
        result => result?,
    };
    let message = format!(
        "delete Pod {} in StatefulSet {} successful",
        pod.name(),
        view.set.name()
    );
    say(cluster, view, false, "SuccessfulDelete", &message);
    Ok(())
}

fn say(cluster: &Cluster, view: &View, warning: bool, reason: &str, message: &str) {
    let said = Said {
        warning,
        reason,
        message,
        component: COMPONENT,
        host: "",
        field: "",
    };
    cluster.recorder.say(cluster, &view.set, said);
}

fn write_status(cluster: &Arc<Cluster>, view: &View) -> ApiResult<()> {
    let pods: Vec<Arc<Object>> = cluster
        .store
        .dependents(&view.set.uid)
        .into_iter()
        .filter(|pod| pod.kind == &POD && !has_ended(pod))
        .collect();
    let ready = pods.iter().filter(|pod| is_ready(pod)).count();
    let of = |revision: &str| {
        pods.iter()
            .filter(|pod| !pod.deleting && pod.label(REVISION_LABEL) == Some(revision))
            .count()
    };
    let updated = of(&view.updated.0);
    let wanted = usize::try_from(view.replicas).unwrap_or(0);
    let complete = view.rolling && updated == wanted && ready == wanted && pods.len() == wanted;
    let current = if complete {
        &view.updated.0
    } else {
        &view.current.0
    };
    let options = Options::by(MANAGER).on("status");
    let (namespace, name) = (view.set.namespace(), view.set.name());
    settled(update::modify(
        cluster,
        &STATEFUL_SET,
        namespace,
        name,
        &options,
        |set| {
            let generation = view.value["metadata"]["generation"].clone();
            let status = json::nested(set, &["status"]);
            status.insert("observedGeneration".into(), generation);
            status.insert("replicas".into(), pods.len().into());
            status.insert("availableReplicas".into(), ready.into());
            status.insert("currentRevision".into(), current.as_str().into());
            status.insert("updateRevision".into(), view.updated.0.as_str().into());
            status.insert("collisionCount".into(), 0.into());
            for (field, count) in [
                ("readyReplicas", ready),
                ("currentReplicas", of(current)),
                ("updatedReplicas", updated),
            ] {
                if count == 0 {
                    status.remove(field);
                } else {
                    status.insert(field.into(), count.into());
                }
            }
            Ok(())
        },
    ))
    .map(|_| ())
}
