//! Who owns which field: `metadata.managedFields`, kept by every write, and server-side apply on
//! top of it (the algorithm of structured-merge-diff).

use serde_json::{Value, json};

use super::fields::{Comparison, FieldSet, Step, compare};
use super::merge;
use crate::api::errors::{ApiError, ApiResult};
use crate::json;
use crate::kinds::Kind;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    Apply,
    Update,
}

/// Who writes: the field manager and, below an object, which subresource.
#[derive(Debug, Clone, Copy)]
pub struct Writer<'a> {
    pub manager: &'a str,
    pub subresource: &'a str,
}

#[derive(Debug, Clone, PartialEq)]
struct Entry {
    manager: String,
    operation: Operation,
    api_version: String,
    subresource: String,
    time: String,
    set: FieldSet,
}

impl Entry {
    fn is(&self, writer: Writer<'_>, operation: Operation) -> bool {
        self.manager == writer.manager
            && self.operation == operation
            && self.subresource == writer.subresource
    }

    fn shown(&self) -> String {
        let mut text = format!("{:?}", self.manager);
        if !self.subresource.is_empty() {
            text.push_str(&format!(" with subresource {:?}", self.subresource));
        }
        if self.operation == Operation::Update {
            text.push_str(&format!(" using {}", self.api_version));
        }
        text
    }
}

fn read(object: &Value) -> Vec<Entry> {
    json::items(object, "/metadata/managedFields")
        .iter()
        .filter(|entry| entry["fieldsV1"].is_object())
        .map(|entry| Entry {
            manager: json::text(entry, "/manager").to_owned(),
            operation: if entry["operation"] == "Apply" {
                Operation::Apply
            } else {
                Operation::Update
            },
            api_version: json::text(entry, "/apiVersion").to_owned(),
            subresource: json::text(entry, "/subresource").to_owned(),
            time: json::text(entry, "/time").to_owned(),
            set: FieldSet::from_json(&entry["fieldsV1"]),
        })
        .collect()
}

fn write(object: &mut Value, mut entries: Vec<Entry>) {
    entries.retain(|entry| !entry.set.is_empty());
    entries.sort_by(|a, b| {
        (a.operation, &a.time, &a.manager, &a.api_version, &a.subresource).cmp(&(
            b.operation,
            &b.time,
            &b.manager,
            &b.api_version,
            &b.subresource,
        ))
    });
    let entries: Vec<Value> = entries
        .iter()
        .map(|entry| {
            let mut value = json!({
                "manager": entry.manager,
                "operation": if entry.operation == Operation::Apply { "Apply" } else { "Update" },
                "apiVersion": entry.api_version,
                "time": entry.time,
                "fieldsType": "FieldsV1",
                "fieldsV1": entry.set.to_json(),
            });
            if !entry.subresource.is_empty() {
                value["subresource"] = entry.subresource.clone().into();
            }
            value
        })
        .collect();
    if entries.is_empty() {
        json::remove(object, &["metadata", "managedFields"]);
    } else {
        json::set(object, &["metadata", "managedFields"], entries);
    }
}

/// Fields nobody owns.
const NOT_OWNED: [&str; 8] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "generation",
    "managedFields",
    "resourceVersion",
];

fn strip(set: &mut FieldSet) {
    set.remove(&["apiVersion"]);
    set.remove(&["kind"]);
    for field in NOT_OWNED {
        set.remove(&["metadata", field]);
    }
    if let Some(metadata) = set.children.get_mut(&Step::Field("metadata".into())) {
        metadata.member = false;
        if metadata.is_empty() {
            set.children.remove(&Step::Field("metadata".into()));
        }
    }
    set.member = false;
}

fn difference(old: &Value, new: &Value, kind: &'static Kind) -> Comparison {
    let mut comparison = compare(old, new, kind.schema);
    for set in [
        &mut comparison.added,
        &mut comparison.modified,
        &mut comparison.removed,
    ] {
        strip(set);
    }
    comparison
}

/// The state an object is compared with when it is created.
pub fn zero(kind: &'static Kind) -> Value {
    serde_json::from_str(kind.zero).expect("the table's zero values are JSON, a test says")
}

/// Records a plain write: what it added or changed is now the writer's, alone.
/// `old` is the state before, or the kind's zero value for a creation.
pub fn record_update(old: &Value, new: &mut Value, kind: &'static Kind, writer: Writer<'_>) {
    let given = new["metadata"]["managedFields"].clone();
    let reset = given.as_array().is_some_and(|entries| {
        entries.is_empty() || (entries.len() == 1 && !entries[0]["fieldsV1"].is_object())
    });
    // A caller that sends none keeps what there was; one that sends an empty entry starts anew.
    let source = if given.as_array().is_some() { &*new } else { old };
    let mut entries = if reset { Vec::new() } else { read(source) };
    if reset && old["metadata"]["managedFields"].is_array() {
        json::remove(new, &["metadata", "managedFields"]);
        return;
    }
    let comparison = difference(old, new, kind);
    let mut taken = comparison.added;
    taken.union(&comparison.modified);
    for entry in &mut entries {
        if !entry.is(writer, Operation::Update) {
            entry.set.subtract(&taken);
        }
        entry.set.subtract(&comparison.removed);
    }
    if !taken.is_empty() {
        own(&mut entries, kind, writer, taken);
    }
    write(new, entries);
}

fn own(entries: &mut Vec<Entry>, kind: &Kind, writer: Writer<'_>, taken: FieldSet) {
    match entries
        .iter_mut()
        .find(|entry| entry.is(writer, Operation::Update))
    {
        Some(entry) => {
            entry.set.union(&taken);
            entry.time = json::now();
        }
        None => entries.push(Entry {
            manager: writer.manager.to_owned(),
            operation: Operation::Update,
            api_version: kind.api_version(),
            subresource: writer.subresource.to_owned(),
            time: json::now(),
            set: taken,
        }),
    }
}

/// Server-side apply: the object after `config` was applied to `live`.
pub fn apply(
    live: &Value,
    config: &Value,
    kind: &'static Kind,
    writer: Writer<'_>,
    force: bool,
) -> ApiResult<Value> {
    let mut config = config.clone();
    json::remove(&mut config, &["metadata", "managedFields"]);
    let mut entries = read(live);
    let mut set = FieldSet::of(&config, kind.schema);
    strip(&mut set);
    let last = entries
        .iter()
        .position(|entry| entry.is(writer, Operation::Apply));
    let last = last.map(|position| entries.remove(position));
    let mut new = merge::typed(live, &config, kind.schema);

    if let Some(last) = &last {
        let mut owned = set.clone();
        for entry in &entries {
            owned.union(&entry.set);
        }
        merge::prune(&mut new, &last.set, &owned, kind.schema);
    }

    let comparison = difference(live, &new, kind);
    let mut taken = comparison.added.clone();
    taken.union(&comparison.modified);
    let mut conflicts: Vec<(String, String)> = Vec::new();
    for entry in &mut entries {
        let overlap = entry.set.intersection(&taken);
        if !overlap.is_empty() {
            let shown = entry.shown();
            conflicts.extend(overlap.paths().into_iter().map(|path| (shown.clone(), path)));
            entry.set.subtract(&overlap);
        }
        entry.set.subtract(&comparison.removed);
    }
    if !conflicts.is_empty() && !force {
        return Err(conflict(conflicts));
    }

    let unchanged = comparison.is_empty() && last.as_ref().is_some_and(|last| last.set == set);
    let time = match &last {
        Some(last) if unchanged => last.time.clone(),
        _ => json::now(),
    };
    entries.push(Entry {
        manager: writer.manager.to_owned(),
        operation: Operation::Apply,
        api_version: kind.api_version(),
        subresource: writer.subresource.to_owned(),
        time,
        set,
    });
    json::set(&mut new, &["apiVersion"], kind.api_version());
    json::set(&mut new, &["kind"], kind.name);
    write(&mut new, entries);
    Ok(new)
}

fn conflict(mut conflicts: Vec<(String, String)>) -> ApiError {
    conflicts.sort();
    let causes: Vec<Value> = conflicts
        .iter()
        .map(|(manager, path)| {
            json!({"reason": "FieldManagerConflict", "message": format!("conflict with {manager}"), "field": path})
        })
        .collect();
    let message = match conflicts.as_slice() {
        [(manager, path)] => format!("Apply failed with 1 conflict: conflict with {manager}: {path}"),
        many => {
            let mut lines = Vec::new();
            let mut previous = "";
            for (manager, path) in many {
                if manager != previous {
                    lines.push(format!("conflicts with {manager}:"));
                    previous = manager;
                }
                lines.push(format!("- {path}"));
            }
            format!("Apply failed with {} conflicts: {}", many.len(), lines.join("\n"))
        }
    };
    ApiError::new(409, "Conflict", message).with_details(json!({"causes": causes}))
}

/// Whether two states differ in nothing but the times of their managed fields.
pub fn same_but_times(a: &Value, b: &Value) -> bool {
    let (Value::Object(left), Value::Object(right)) = (a, b) else {
        return a == b;
    };
    let same_outside = left.len() == right.len()
        && left
            .iter()
            .all(|(field, value)| field == "metadata" || right.get(field) == Some(value));
    if !same_outside {
        return false;
    }
    let (Some(left), Some(right)) = (a["metadata"].as_object(), b["metadata"].as_object()) else {
        return false;
    };
    let same_metadata = left.len() == right.len()
        && left
            .iter()
            .all(|(field, value)| field == "managedFields" || right.get(field) == Some(value));
    let (left, right) = (
        json::items(a, "/metadata/managedFields"),
        json::items(b, "/metadata/managedFields"),
    );
    same_metadata
        && left.len() == right.len()
        && left.iter().zip(right).all(|(left, right)| {
            ["manager", "operation", "apiVersion", "subresource", "fieldsV1"]
                .iter()
                .all(|field| left.get(field) == right.get(field))
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::apps::DEPLOYMENT;

    const A: Writer<'_> = Writer {
        manager: "a",
        subresource: "",
    };
    const B: Writer<'_> = Writer {
        manager: "b",
        subresource: "",
    };

    fn config(replicas: Option<i64>, containers: Value) -> Value {
        let mut value = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
            "spec": {"template": {"spec": {"containers": containers}}},
        });
        if let Some(replicas) = replicas {
            value["spec"]["replicas"] = replicas.into();
        }
        value
    }

    fn applied(live: &Value, config: &Value, writer: Writer<'_>) -> Value {
        apply(live, config, &DEPLOYMENT, writer, false).unwrap()
    }

    #[test]
    fn a_field_the_last_owner_drops_goes_away() {
        let live = zero(&DEPLOYMENT);
        let first = json!([{"name": "app", "image": "x:1", "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}]);
        let one = applied(&live, &config(Some(3), first), A);
        let two = applied(
            &one,
            &config(
                None,
                json!([{"name": "app", "image": "x:1", "env": [{"name": "B", "value": "2"}]}]),
            ),
            A,
        );
        assert!(two["spec"].get("replicas").is_none());
        assert_eq!(
            two["spec"]["template"]["spec"]["containers"][0]["env"],
            json!([{"name": "B", "value": "2"}])
        );
    }

    #[test]
    fn a_field_another_owns_conflicts_and_force_takes_it() {
        let containers = json!([{"name": "app", "image": "x:1"}]);
        let one = applied(&zero(&DEPLOYMENT), &config(Some(3), containers.clone()), A);
        let error = apply(&one, &config(Some(4), containers.clone()), &DEPLOYMENT, B, false).unwrap_err();
        assert_eq!(error.code, 409);
        assert_eq!(
            error.message,
            "Apply failed with 1 conflict: conflict with \"a\": .spec.replicas"
        );
        let taken = apply(&one, &config(Some(4), containers.clone()), &DEPLOYMENT, B, true).unwrap();
        assert_eq!(taken["spec"]["replicas"], 4);
        // a lost the field, so dropping it no longer removes it.
        let after = applied(&taken, &config(None, containers), A);
        assert_eq!(after["spec"]["replicas"], 4);
    }

    #[test]
    fn the_same_value_is_shared_without_conflict() {
        let containers = json!([{"name": "app", "image": "x:1"}]);
        let one = applied(&zero(&DEPLOYMENT), &config(Some(3), containers.clone()), A);
        let two = applied(&one, &config(Some(3), containers.clone()), B);
        let three = applied(&two, &config(None, containers), A);
        assert_eq!(three["spec"]["replicas"], 3, "b still owns it");
    }

    #[test]
    fn an_update_takes_over_what_it_changes() {
        let containers = json!([{"name": "app", "image": "x:1"}]);
        let one = applied(&zero(&DEPLOYMENT), &config(Some(3), containers.clone()), A);
        let mut two = one.clone();
        two["spec"]["replicas"] = 5.into();
        record_update(
            &one,
            &mut two,
            &DEPLOYMENT,
            Writer {
                manager: "kubectl",
                subresource: "scale",
            },
        );
        let error = apply(&two, &config(Some(3), containers), &DEPLOYMENT, A, false).unwrap_err();
        assert_eq!(
            error.message,
            "Apply failed with 1 conflict: conflict with \"kubectl\" with subresource \"scale\" using apps/v1: .spec.replicas"
        );
    }

    #[test]
    fn applying_twice_changes_nothing() {
        let wanted = config(
            Some(3),
            json!([{"name": "app", "image": "x:1", "ports": [{"containerPort": 80}]}]),
        );
        let one = applied(&zero(&DEPLOYMENT), &wanted, A);
        assert_eq!(applied(&one, &wanted, A), one);
    }

    #[test]
    fn creation_owns_like_the_real_server() {
        let mut new = config(
            Some(1),
            json!([{"name": "app", "image": "x", "env": [{"name": "A", "value": "1"}]}]),
        );
        new["metadata"]["labels"] = json!({"app": "web"});
        record_update(
            &zero(&DEPLOYMENT),
            &mut new,
            &DEPLOYMENT,
            Writer {
                manager: "m",
                subresource: "",
            },
        );
        let entry = &new["metadata"]["managedFields"][0];
        assert_eq!(
            entry["fieldsV1"],
            json!({
                "f:metadata": {"f:labels": {".": {}, "f:app": {}}},
                "f:spec": {"f:replicas": {}, "f:template": {"f:spec": {"f:containers": {
                    "k:{\"name\":\"app\"}": {".": {}, "f:name": {}, "f:image": {},
                        "f:env": {".": {}, "k:{\"name\":\"A\"}": {".": {}, "f:name": {}, "f:value": {}}}}
                }}}},
            })
        );
    }
}
