//! Claims: each is bound as soon as there is a volume that fits, or one can be made for it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Controllers, MANAGER, Outcome, settled};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::quantity;
use crate::kinds::storage::{PERSISTENT_VOLUME, PERSISTENT_VOLUME_CLAIM, STORAGE_CLASS};
use crate::registry::{Options, create, update};
use crate::store::{Key, Object};

/// Marks the class that claims without one get.
const DEFAULT_CLASS: &str = "storageclass.kubernetes.io/is-default-class";
pub const PROVISIONER: &str = "sandbox.longshore.dev/disk";

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let cluster = &controllers.cluster;
    let Some(claim) = cluster
        .store
        .get(&PERSISTENT_VOLUME_CLAIM, &key.namespace, &key.name)
    else {
        return Ok(Outcome::DONE);
    };
    let value = claim.value();
    if claim.deleting {
        return Ok(Outcome::DONE);
    }
    if json::text(&value, "/status/phase") == "Bound" {
        grow(cluster, &claim, &value)?;
        return Ok(Outcome::DONE);
    }
    let class = match value["spec"].get("storageClassName").and_then(Value::as_str) {
        Some(class) => class.to_owned(),
        None => default_class(cluster).unwrap_or_default(),
    };
    let volume = match fitting(cluster, &value, &class) {
        Some(volume) => volume,
        None if is_ours(cluster, &class) => provide(cluster, &claim, &value, &class)?,
        None => return Ok(Outcome::DONE),
    };
    bind(cluster, &claim, &volume, &class)?;
    Ok(Outcome::DONE)
}

/// Claims that are not bound: something may fit them now.
pub fn waiting(cluster: &Cluster) -> Vec<Key> {
    let claims = cluster.store.list(&PERSISTENT_VOLUME_CLAIM, None).0;
    claims
        .iter()
        .filter(|claim| json::text(&claim.bare_value(), "/status/phase") != "Bound")
        .map(|claim| claim.key.clone())
        .collect()
}

/// A bound claim that asks for more gets it, where its volume was made for it.
fn grow(cluster: &Cluster, claim: &Object, value: &Value) -> ApiResult<()> {
    let size = |quantity: &Value| quantity::read(quantity).map_or(0, quantity::Quantity::units);
    let wanted = &value["spec"]["resources"]["requests"]["storage"];
    if size(wanted) <= size(&value["status"]["capacity"]["storage"])
        || !is_ours(cluster, json::text(value, "/spec/storageClassName"))
    {
        return Ok(());
    }
    let options = Options::by(MANAGER);
    let name = json::text(value, "/spec/volumeName");
    settled(update::modify(
        cluster,
        &PERSISTENT_VOLUME,
        "",
        name,
        &options,
        |volume| {
            json::set(volume, &["spec", "capacity", "storage"], wanted.clone());
            Ok(())
        },
    ))?;
    settled(update::modify(
        cluster,
        &PERSISTENT_VOLUME_CLAIM,
        claim.namespace(),
        claim.name(),
        &options.on("status"),
        |claim| {
            json::set(claim, &["status", "capacity", "storage"], wanted.clone());
            Ok(())
        },
    ))
    .map(|_| ())
}

fn default_class(cluster: &Cluster) -> Option<String> {
    let classes = cluster.store.list(&STORAGE_CLASS, None).0;
    let class = classes
        .iter()
        .find(|class| class.bare_value()["metadata"]["annotations"][DEFAULT_CLASS] == "true")?;
    Some(class.name().to_owned())
}

fn is_ours(cluster: &Cluster, class: &str) -> bool {
    let class = cluster.store.get(&STORAGE_CLASS, "", class);
    class.is_some_and(|class| class.bare_value()["provisioner"] == PROVISIONER)
}

/// A free volume of the class that is large enough.
fn fitting(cluster: &Cluster, claim: &Value, class: &str) -> Option<Arc<Object>> {
    let wanted = quantity::read(&claim["spec"]["resources"]["requests"]["storage"])?.units();
    let named = json::text(claim, "/spec/volumeName");
    cluster
        .store
        .list(&PERSISTENT_VOLUME, None)
        .0
        .into_iter()
        .find(|volume| {
            let value = volume.bare_value();
            let size =
                quantity::read(&value["spec"]["capacity"]["storage"]).map_or(0, quantity::Quantity::units);
            let reserved = &value["spec"]["claimRef"];
            let free = !reserved.is_object()
                || (reserved["name"] == claim["metadata"]["name"]
                    && reserved["namespace"] == claim["metadata"]["namespace"]);
            let right = if named.is_empty() {
                json::text(&value, "/spec/storageClassName") == class && size >= wanted
            } else {
                volume.name() == named
            };
            !volume.deleting && free && right
        })
}

fn provide(cluster: &Cluster, claim: &Object, value: &Value, class: &str) -> ApiResult<Arc<Object>> {
    let name = format!("pvc-{}", claim.uid);
    let volume = json!({
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "capacity": {"storage": value["spec"]["resources"]["requests"]["storage"]},
            "accessModes": value["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": "Delete",
            "storageClassName": class,
            "hostPath": {"path": format!("/sandbox/volumes/{name}"), "type": ""},
        },
    });
    match create::create(cluster, &PERSISTENT_VOLUME, "", volume, &Options::by(MANAGER)) {
        Ok(written) => Ok(written.object),
        Err(error) if error.reason == "AlreadyExists" => {
            cluster.store.get(&PERSISTENT_VOLUME, "", &name).ok_or(error)
        }
        Err(error) => Err(error),
    }
}

fn bind(cluster: &Cluster, claim: &Object, volume: &Object, class: &str) -> ApiResult<()> {
    let options = Options::by(MANAGER);
    let reference = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": claim.name(),
        "namespace": claim.namespace(), "uid": &*claim.uid,
    });
    let written = settled(update::modify(
        cluster,
        &PERSISTENT_VOLUME,
        "",
        volume.name(),
        &options,
        |volume| {
            json::set(volume, &["spec", "claimRef"], reference.clone());
            Ok(())
        },
    ))?;
    let status = options.clone().on("status");
    settled(update::modify(
        cluster,
        &PERSISTENT_VOLUME,
        "",
        volume.name(),
        &status,
        |volume| {
            json::set(volume, &["status", "phase"], "Bound");
            Ok(())
        },
    ))?;
    let spec = written.map_or_else(|| volume.bare_value(), |volume| volume.bare_value());
    let (namespace, name) = (claim.namespace(), claim.name());
    settled(update::modify(
        cluster,
        &PERSISTENT_VOLUME_CLAIM,
        namespace,
        name,
        &options,
        |claim| {
            json::set(claim, &["spec", "volumeName"], volume.name());
            if !class.is_empty() {
                json::set(claim, &["spec", "storageClassName"], class);
            }
            json::set(
                claim,
                &["metadata", "annotations", "pv.kubernetes.io/bind-completed"],
                "yes",
            );
            Ok(())
        },
    ))?;
    settled(update::modify(
        cluster,
        &PERSISTENT_VOLUME_CLAIM,
        namespace,
        name,
        &status,
        |claim| {
            json::set(claim, &["status", "phase"], "Bound");
            json::set(claim, &["status", "capacity"], spec["spec"]["capacity"].clone());
            json::set(
                claim,
                &["status", "accessModes"],
                spec["spec"]["accessModes"].clone(),
            );
            Ok(())
        },
    ))
    .map(|_| ())
}
