//! Namespaces: what every one holds, and emptying those that go.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;

use super::bootstrap::ensure;
use super::{Controllers, Outcome};
use crate::api::errors::{ApiError, ApiResult};
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::core::{CONFIG_MAP, NAMESPACE, SERVICE_ACCOUNT};
use crate::registry::delete::{DeleteOptions, delete};
use crate::registry::{Options, update};
use crate::store::{Key, StoreError};

const ROOT_CA: &str = "kube-root-ca.crt";

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let (cluster, name) = (&controllers.cluster, &*key.name);
    let Some(namespace) = cluster.store.get(&NAMESPACE, "", name) else {
        return Ok(Outcome::DONE);
    };
    if namespace.deleting {
        return empty(cluster, name);
    }
    if cluster.store.get(&SERVICE_ACCOUNT, name, "default").is_none() {
        settle(ensure(
            cluster,
            &SERVICE_ACCOUNT,
            name,
            json!({"metadata": {"name": "default"}}),
        ))?;
    }
    if cluster.store.get(&CONFIG_MAP, name, ROOT_CA).is_none() {
        let text = "Contains a CA bundle that can be used to verify the kube-apiserver when using internal endpoints such as the internal service IP or kubernetes.default.svc. No other usage is guaranteed across distributions of Kubernetes clusters.";
        let map = json!({
            "metadata": {"name": ROOT_CA, "annotations": {"kubernetes.io/description": text}},
            "data": {"ca.crt": cluster.pki.authority.certificate},
        });
        settle(ensure(cluster, &CONFIG_MAP, name, map))?;
    }
    Ok(Outcome::DONE)
}

/// The namespace may begin to go in between; then nothing is to be made in it.
fn settle(result: ApiResult<()>) -> ApiResult<()> {
    match result {
        Err(error) if matches!(error.code, 403 | 404) => Ok(()),
        result => result,
    }
}

/// Deletes everything in the namespace, then lets it go.
fn empty(cluster: &Arc<Cluster>, name: &str) -> ApiResult<Outcome> {
    let mut left: Vec<(&str, usize)> = Vec::new();
    let mut held = 0;
    for kind in cluster.store.kinds().into_iter().filter(|kind| kind.namespaced) {
        for object in cluster.store.list(kind, Some(name)).0 {
            if !object.deleting {
                match delete(cluster, kind, name, object.name(), &DeleteOptions::default()) {
                    Err(error) if error.code != 404 => return Err(error),
                    _ => {}
                }
            }
        }
        let remaining = cluster.store.list(kind, Some(name)).0;
        if !remaining.is_empty() {
            held += remaining
                .iter()
                .filter(|object| has_finalizers(&object.bare_value()))
                .count();
            left.push((kind.plural, remaining.len()));
        }
    }
    if !left.is_empty() {
        say_what_is_left(cluster, name, &left, held)?;
        return Ok(Outcome::after(Duration::from_secs(5)));
    }
    let options = Options::by("kube-controller-manager");
    let finalized = update::modify(cluster, &NAMESPACE, "", name, &options, |namespace| {
        json::remove(namespace, &["spec", "finalizers"]);
        Ok(())
    });
    match finalized {
        Err(error) if error.code != 404 => Err(error),
        _ => Ok(Outcome::DONE),
    }
}

fn has_finalizers(value: &serde_json::Value) -> bool {
    !json::items(value, "/metadata/finalizers").is_empty()
}

fn say_what_is_left(
    cluster: &Arc<Cluster>,
    name: &str,
    left: &[(&str, usize)],
    held: usize,
) -> ApiResult<()> {
    let counts: Vec<String> = left
        .iter()
        .map(|(plural, count)| format!("{plural}. has {count} resource instances"))
        .collect();
    let message = format!("Some resources are remaining: {}", counts.join(", "));
    let conditions = [
        (
            "NamespaceContentRemaining",
            "True",
            "SomeResourcesRemain",
            message.as_str(),
        ),
        (
            "NamespaceFinalizersRemaining",
            if held > 0 { "True" } else { "False" },
            if held > 0 {
                "SomeFinalizersRemain"
            } else {
                "ContentHasNoFinalizers"
            },
            if held > 0 {
                "Some content in the namespace has finalizers remaining"
            } else {
                "All content-preserving finalizers finished"
            },
        ),
    ];
    let changed = cluster.store.modify(&NAMESPACE, "", name, |namespace| {
        let now = json::now();
        let before = json::items(namespace, "/status/conditions").to_vec();
        let wanted: Vec<_> = conditions
            .iter()
            .map(|(kind, status, reason, message)| {
                let old = before.iter().find(|old| old["type"] == *kind && old["status"] == *status);
                let since = old.map_or_else(|| now.clone().into(), |old| old["lastTransitionTime"].clone());
                json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": since})
            })
            .collect();
        json::set(namespace, &["status", "conditions"], wanted);
        Ok::<_, StoreError>(())
    });
    match changed {
        Ok(_) | Err(StoreError::Missing) => Ok(()),
        Err(error) => Err(ApiError::internal(error.to_string())),
    }
}
