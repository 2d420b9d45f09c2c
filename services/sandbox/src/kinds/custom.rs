//! Custom kinds: rows that CustomResourceDefinitions make while the cluster runs.
//!
//! A row lives as long as the process, as the rows of the table do. There are few of them, and a definition that
//! comes back gets the row it had.

use std::collections::HashMap;
use std::sync::LazyLock;

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as api;
use parking_lot::Mutex;
use serde_json::{Value, json};

use super::{ALL, Kind, KindRef, Subresource, columns, names, schema, status, typed};
use crate::api::errors::{ApiResult, FieldErrors};
use crate::cluster::Cluster;
use crate::controllers::definitions;
use crate::json;

/// Keeps a definition until what it defines is gone.
pub const FINALIZER: &str = "customresourcecleanup.apiextensions.k8s.io";

pub static DEFINITION: Kind = Kind {
    id: 26,
    group: "apiextensions.k8s.io",
    name: "CustomResourceDefinition",
    plural: "customresourcedefinitions",
    singular: "customresourcedefinition",
    short_names: &["crd", "crds"],
    categories: &["api-extensions"],
    namespaced: false,
    subresources: &[status("CustomResourceDefinition")],
    generation: true,
    schema: &schema::WITH_CONDITIONS,
    zero: r#"{"metadata":{},"spec":{"group":"","names":{"kind":"","plural":""},"scope":"","versions":null},"status":{"acceptedNames":{"kind":"","plural":""},"conditions":null,"storedVersions":null}}"#,
    typed: decode,
    defaults,
    validate,
    admit,
    reconcile: Some(definitions::reconcile),
    columns: columns::CUSTOM_RESOURCE_DEFINITION,
    ..Kind::BASE
};

/// Empty objects stay, unlike elsewhere: `{}` is a schema.
fn decode(mut value: Value) -> Result<Value, String> {
    json::drop_nulls(&mut value);
    let decoded: api::CustomResourceDefinition =
        serde_json::from_value(value).map_err(|error| typed::go_words(&error.to_string()))?;
    serde_json::to_value(decoded).map_err(|error| error.to_string())
}

fn defaults(definition: &mut Value) {
    let kind = json::text(definition, "/spec/names/kind").to_owned();
    let spec = json::nested(definition, &["spec"]);
    json::default_field(spec, "conversion", json!({"strategy": "None"}));
    let names = json::nested(&mut definition["spec"], &["names"]);
    json::default_field(names, "singular", kind.to_lowercase());
    json::default_field(names, "listKind", format!("{kind}List"));
}

fn admit(_: &Cluster, definition: &mut Value, old: Option<&Value>) -> ApiResult<()> {
    if old.is_none() {
        let mut finalizers = json::items(definition, "/metadata/finalizers").to_vec();
        if !finalizers.iter().any(|one| one == FINALIZER) {
            finalizers.push(FINALIZER.into());
        }
        json::set(definition, &["metadata", "finalizers"], finalizers);
    }
    Ok(())
}

fn validate(definition: &Value, old: Option<&Value>, errors: &mut FieldErrors) {
    let text = |pointer| json::text(definition, pointer);
    let (group, plural) = (text("/spec/group"), text("/spec/names/plural"));
    let label = |field: &str, name: &str, rule: names::Rule, errors: &mut FieldErrors| {
        if name.is_empty() {
            errors.required(field, "");
            return;
        }
        for fault in rule.check(name) {
            errors.invalid(field, name, fault);
        }
    };
    label("spec.group", group, names::Rule::Subdomain, errors);
    if !group.is_empty() && !group.contains('.') {
        errors.invalid("spec.group", group, "should be a domain with at least one dot");
    }
    label("spec.names.plural", plural, names::Rule::Strict, errors);
    label(
        "spec.names.singular",
        text("/spec/names/singular"),
        names::Rule::Strict,
        errors,
    );
    label(
        "spec.names.kind",
        &text("/spec/names/kind").to_lowercase(),
        names::Rule::Strict,
        errors,
    );
    label(
        "spec.names.listKind",
        &text("/spec/names/listKind").to_lowercase(),
        names::Rule::Strict,
        errors,
    );
    for (position, name) in json::items(definition, "/spec/names/shortNames")
        .iter()
        .enumerate()
    {
        let field = format!("spec.names.shortNames[{position}]");
        label(&field, name.as_str().unwrap_or(""), names::Rule::Strict, errors);
    }
    let name = text("/metadata/name");
    if name != format!("{plural}.{group}") {
        errors.invalid(
            "metadata.name",
            name,
            "must be spec.names.plural+\".\"+spec.group",
        );
    }
    super::validate::one_of(
        &definition["spec"]["scope"],
        &["Cluster", "Namespaced"],
        "spec.scope".to_owned(),
        errors,
    );
    if text("/spec/scope").is_empty() {
        errors.required("spec.scope", "");
    }
    versions(definition, errors);
    let Some(old) = old else { return };
    for pointer in [
        "/spec/group",
        "/spec/scope",
        "/spec/names/plural",
        "/spec/names/kind",
    ] {
        if json::at(old, pointer) != json::at(definition, pointer) {
            let field = pointer[1..].replace('/', ".");
            errors.invalid(field, text(pointer), "field is immutable");
        }
    }
}

fn versions(definition: &Value, errors: &mut FieldErrors) {
    let versions = json::items(definition, "/spec/versions");
    if versions.is_empty() {
        errors.required("spec.versions", "must have at least one version");
        return;
    }
    for (position, version) in versions.iter().enumerate() {
        let field = format!("spec.versions[{position}]");
        let name = json::text(version, "/name");
        for fault in names::Rule::Strict.check(name) {
            errors.invalid(format!("{field}.name"), name, fault);
        }
        if versions[..position].iter().any(|other| other["name"] == name) {
            errors.duplicate(format!("{field}.name"), name);
        }
        if !version["schema"]["openAPIV3Schema"].is_object() {
            errors.required(format!("{field}.schema.openAPIV3Schema"), "schemas are required");
        }
    }
    let stored = versions
        .iter()
        .filter(|version| version["storage"] == true)
        .count();
    if stored != 1 {
        errors.invalid(
            "spec.versions",
            Value::Array(versions.to_vec()),
            "must have exactly one version marked as storage version",
        );
    }
}

#[derive(Default)]
struct Known {
    /// By group and plural: where the objects are, whatever else changes in the definition.
    ids: HashMap<(String, String), usize>,
    rows: HashMap<String, KindRef>,
}

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(|| Mutex::new(Known::default()));

/// The version that is stored, which is the one that is served.
pub fn stored_version(definition: &Value) -> Option<&Value> {
    json::items(definition, "/spec/versions")
        .iter()
        .find(|version| version["storage"] == true)
}

/// The row of a definition that is established.
pub fn row(definition: &Value) -> Option<KindRef> {
    let is_established = json::items(definition, "/status/conditions")
        .iter()
        .any(|condition| condition["type"] == "Established" && condition["status"] == "True");
    let version = stored_version(definition).filter(|version| version["served"] == true)?;
    if !is_established {
        return None;
    }
    let text = |pointer: &str| json::text(definition, pointer);
    let names = &definition["spec"]["names"];
    let has_status = version["subresources"]["status"].is_object();
    let description = json!([
        text("/spec/group"),
        text("/spec/scope"),
        version["name"],
        names,
        has_status
    ])
    .to_string();
    let mut known = KNOWN.lock();
    if let Some(row) = known.rows.get(&description) {
        return Some(row);
    }
    let next = ALL.len() + known.ids.len();
    let place = (
        text("/spec/group").to_owned(),
        text("/spec/names/plural").to_owned(),
    );
    let id = *known.ids.entry(place).or_insert(next);
    let keep = |text: &str| -> &'static str { Box::leak(text.to_owned().into_boxed_str()) };
    let list = |field: &str| -> &'static [&'static str] {
        let texts = names[field].as_array().into_iter().flatten();
        let texts: Vec<&'static str> = texts.filter_map(Value::as_str).map(keep).collect();
        texts.leak()
    };
    let name = keep(text("/spec/names/kind"));
    let subresources: Vec<Subresource> = has_status.then(|| status(name)).into_iter().collect();
    let row: KindRef = Box::leak(Box::new(Kind {
        id,
        group: keep(text("/spec/group")),
        version: keep(json::text(version, "/name")),
        name,
        plural: keep(text("/spec/names/plural")),
        singular: keep(text("/spec/names/singular")),
        short_names: list("shortNames"),
        categories: list("categories"),
        namespaced: text("/spec/scope") == "Namespaced",
        subresources: subresources.leak(),
        generation: true,
        ..Kind::BASE
    }));
    known.rows.insert(description, row);
    Some(row)
}
