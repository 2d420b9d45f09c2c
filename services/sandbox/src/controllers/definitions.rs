//! CustomResourceDefinitions: names are accepted unless another has them, and what is defined goes with its
//! definition. The store serves the kinds of those that are established.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::garbage::remove_finalizer;
use super::{Controllers, Outcome};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::custom::{self, DEFINITION};
use crate::registry::delete::{DeleteOptions, delete};
use crate::registry::{Options, update};
use crate::store::{Key, Object};

/// How soon names that were taken are tried again, and what was left is looked for.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let cluster = &controllers.cluster;
    let Some(definition) = cluster.store.get(&DEFINITION, "", &key.name) else {
        return Ok(Outcome::DONE);
    };
    if definition.deleting {
        return clear(cluster, &definition);
    }
    let value = definition.bare_value();
    let conflict = conflict(cluster, &definition, &value);
    let accepted = match &conflict {
        None => {
            json!({"type": "NamesAccepted", "status": "True", "reason": "NoConflicts", "message": "no conflicts found"})
        }
        Some((reason, message)) => {
            json!({"type": "NamesAccepted", "status": "False", "reason": reason, "message": message})
        }
    };
    // Once established it stays so.
    let was_established = custom::row(&value).is_some();
    let established = if conflict.is_none() || was_established {
        json!({"type": "Established", "status": "True", "reason": "InitialNamesAccepted", "message": "the initial names have been accepted"})
    } else {
        json!({"type": "Established", "status": "False", "reason": "NotAccepted", "message": "not all names are accepted"})
    };
    say(
        cluster,
        &definition,
        vec![accepted, established],
        conflict.is_none(),
    )?;
    Ok(match conflict {
        None => Outcome::DONE,
        Some(_) => Outcome::after(LOOK_AGAIN),
    })
}

/// A name that another definition of the group had first.
fn conflict(cluster: &Cluster, own: &Object, value: &Value) -> Option<(&'static str, String)> {
    let names = &value["spec"]["names"];
    let taken = |wanted: &Value| {
        cluster.store.list(&DEFINITION, None).0.iter().any(|other| {
            if other.uid == own.uid {
                return false;
            }
            let other = other.bare_value();
            let accepted = &other["status"]["acceptedNames"];
            other["spec"]["group"] == value["spec"]["group"]
                && !wanted.is_null()
                && (["plural", "singular", "kind", "listKind"]
                    .iter()
                    .any(|field| accepted[field] == *wanted)
                    || json::items(accepted, "/shortNames").contains(wanted))
        })
    };
    let short = json::items(names, "/shortNames").iter();
    std::iter::once((&names["singular"], "SingularConflict"))
        .chain(short.map(|name| (name, "ShortNamesConflict")))
        .chain([
            (&names["kind"], "KindConflict"),
            (&names["listKind"], "ListKindConflict"),
        ])
        // As the real server does: each says over what was said before.
        .rfind(|(name, _)| taken(name))
        .map(|(name, reason)| (reason, format!("{name} is already in use")))
}

fn say(cluster: &Cluster, definition: &Object, conditions: Vec<Value>, accepted: bool) -> ApiResult<()> {
    let options = Options::by("kube-apiserver").on("status");
    update::modify(cluster, &DEFINITION, "", definition.name(), &options, |value| {
        let before = json::items(value, "/status/conditions").to_vec();
        let now = json::now();
        let mut all = conditions.clone();
        for condition in &mut all {
            let old = before
                .iter()
                .find(|old| old["type"] == condition["type"] && old["status"] == condition["status"]);
            condition["lastTransitionTime"] =
                old.map_or_else(|| now.clone().into(), |old| old["lastTransitionTime"].clone());
        }
        let others = before.into_iter().filter(|old| {
            conditions
                .iter()
                .all(|condition| condition["type"] != old["type"])
        });
        all.extend(others);
        json::set(value, &["status", "conditions"], all);
        if accepted {
            let names = value["spec"]["names"].clone();
            json::set(value, &["status", "acceptedNames"], names);
        }
        let mut stored = json::items(value, "/status/storedVersions").to_vec();
        let version = custom::stored_version(value).map(|version| version["name"].clone());
        stored.extend(version.filter(|version| !stored.contains(version)));
        json::set(value, &["status", "storedVersions"], stored);
        Ok(())
    })?;
    Ok(())
}

/// Deletes all that is of the kind, then lets the definition go.
fn clear(cluster: &Arc<Cluster>, definition: &Arc<Object>) -> ApiResult<Outcome> {
    let value = definition.bare_value();
    let Some(kind) = custom::row(&value) else {
        return remove_finalizer(cluster, definition, custom::FINALIZER);
    };
    for object in cluster
        .store
        .list(kind, None)
        .0
        .iter()
        .filter(|object| !object.deleting)
    {
        match delete(
            cluster,
            kind,
            object.namespace(),
            object.name(),
            &DeleteOptions::default(),
        ) {
            Err(error) if error.code != 404 => return Err(error),
            _ => {}
        }
    }
    if cluster.store.count(kind) == 0 {
        return remove_finalizer(cluster, definition, custom::FINALIZER);
    }
    let terminating = json!({"type": "Terminating", "status": "True", "reason": "InstanceDeletionInProgress",
        "message": "CustomResource deletion is in progress"});
    say(cluster, definition, vec![terminating], true)?;
    Ok(Outcome::after(LOOK_AGAIN))
}
