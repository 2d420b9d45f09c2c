//! The kinds a cluster serves. A kind is a row of a table: everything the API, the store and the
//! controllers need to know about it stands in its row, so a new kind is a new row.

pub mod apps;
pub mod batch;
pub mod columns;
pub mod core;
pub mod custom;
pub mod defaults;
pub mod names;
pub mod others;
pub mod quantity;
pub mod schema;
pub mod storage;
pub mod typed;
pub mod validate;

use std::collections::HashMap;
use std::sync::LazyLock;

use serde_json::Value;

use crate::api::errors::{ApiError, ApiResult, FieldErrors};
use crate::cluster::Cluster;
use crate::controllers::{Controllers, Outcome};
use crate::store::Key;
use columns::Column;
use schema::Schema;

pub type KindRef = &'static Kind;

/// A name and how to find it in an object.
pub type Fact = (&'static str, fn(&Value) -> String);

/// What a controller does about one object.
pub type Reconcile = fn(&mut Controllers, &Key) -> ApiResult<Outcome>;

pub const STANDARD_VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

/// One kind, as the real API server describes it.
pub struct Kind {
    /// Position in the table; the store's tables and rings are indexed by it.
    pub id: usize,
    pub group: &'static str,
    pub version: &'static str,
    pub name: &'static str,
    pub plural: &'static str,
    pub singular: &'static str,
    pub short_names: &'static [&'static str],
    pub categories: &'static [&'static str],
    pub namespaced: bool,
    pub subresources: &'static [Subresource],
    /// Field selectors besides `metadata.name` and `metadata.namespace`.
    pub selectable: &'static [&'static str],
    /// Texts derived from every version, so that loops over many objects need not decode them.
    pub facts: &'static [Fact],
    /// There are very many, and they differ in a few words only.
    pub alike: bool,
    /// Changes all the time and is worth no snapshot of its own (heartbeats).
    pub volatile: bool,
    /// Whether a change outside metadata and status counts up `metadata.generation`.
    pub generation: bool,
    /// How lists and maps merge (server-side apply and strategic merge).
    pub schema: &'static Schema,
    /// What an empty object of the Go type holds; decides which fields count as added on create.
    pub zero: &'static str,
    /// Decodes into the real type and back: type errors are found and unknown fields fall away.
    pub typed: fn(Value) -> Result<Value, String>,
    pub defaults: fn(&mut Value),
    pub validate: fn(&Value, Option<&Value>, &mut FieldErrors),
    pub validate_name: names::Rule,
    /// Defaults and refusals that need the rest of the cluster (the admission stage).
    pub admit: fn(&Cluster, &mut Value, Option<&Value>) -> Result<(), ApiError>,
    pub deletion: Deletion,
    /// The controller that looks at an object of this kind whenever it or what it owns changes.
    pub reconcile: Option<Reconcile>,
    pub columns: &'static [Column],
}

/// How an object goes away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deletion {
    /// At once, unless finalizers or dependents hold it.
    Plain,
    /// With a grace period that the kubelet observes.
    Graceful,
    /// Held by `spec.finalizers` until its content is gone.
    Namespace,
}

/// A path below an object: `status`, `scale`, `log`.
#[derive(Clone, Copy)]
pub struct Subresource {
    pub name: &'static str,
    /// Kind it speaks, with the group and version when they are not the parent's.
    pub kind: &'static str,
    pub group_version: Option<(&'static str, &'static str)>,
    pub verbs: &'static [&'static str],
}

pub const STATUS_VERBS: &[&str] = &["get", "patch", "update"];

pub const fn status(kind: &'static str) -> Subresource {
    Subresource {
        name: "status",
        kind,
        group_version: None,
        verbs: STATUS_VERBS,
    }
}

pub const SCALE: Subresource = Subresource {
    name: "scale",
    kind: "Scale",
    group_version: Some(("autoscaling", "v1")),
    verbs: STATUS_VERBS,
};

fn no_defaults(_: &mut Value) {}
fn no_validation(_: &Value, _: Option<&Value>, _: &mut FieldErrors) {}
fn admit_all(_: &Cluster, _: &mut Value, _: Option<&Value>) -> Result<(), ApiError> {
    Ok(())
}

impl Kind {
    /// What most kinds of the core group share; rows say only what differs.
    pub const BASE: Kind = Kind {
        id: usize::MAX,
        group: "",
        version: "v1",
        name: "",
        plural: "",
        singular: "",
        short_names: &[],
        categories: &[],
        namespaced: true,
        subresources: &[],
        selectable: &[],
        facts: &[],
        alike: false,
        volatile: false,
        generation: false,
        schema: &schema::META_ONLY,
        zero: r#"{"metadata":{}}"#,
        typed: typed::untyped,
        defaults: no_defaults,
        validate: no_validation,
        validate_name: names::Rule::Subdomain,
        admit: admit_all,
        deletion: Deletion::Plain,
        reconcile: None,
        columns: columns::NAME_AND_AGE,
    };

    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.to_owned()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// `pods`, `deployments.apps`: how the real server names a resource in its messages.
    pub fn resource(&self) -> String {
        if self.group.is_empty() {
            self.plural.to_owned()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// `Pod`, `Deployment.apps`: how validation errors name it.
    pub fn qualified_name(&self) -> String {
        if self.group.is_empty() {
            self.name.to_owned()
        } else {
            format!("{}.{}", self.name, self.group)
        }
    }

    /// Whether a definition made it.
    pub fn is_custom(&self) -> bool {
        self.id >= ALL.len()
    }

    pub fn has_status(&self) -> bool {
        self.subresource("status").is_some()
    }

    pub fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources
            .iter()
            .find(|subresource| subresource.name == name)
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for Kind {}

impl std::fmt::Debug for Kind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.qualified_name())
    }
}

/// Every kind of the table, in the order of their ids. A cluster may have custom ones beside them.
pub static ALL: &[KindRef] = &[
    &core::NAMESPACE,
    &core::NODE,
    &core::POD,
    &core::SERVICE,
    &core::ENDPOINTS,
    &core::CONFIG_MAP,
    &core::SECRET,
    &core::EVENT,
    &core::SERVICE_ACCOUNT,
    &apps::DEPLOYMENT,
    &apps::REPLICA_SET,
    &others::ENDPOINT_SLICE,
    &others::LEASE,
    &others::ROLE,
    &others::ROLE_BINDING,
    &others::CLUSTER_ROLE,
    &others::CLUSTER_ROLE_BINDING,
    &apps::STATEFUL_SET,
    &apps::CONTROLLER_REVISION,
    &batch::JOB,
    &batch::CRON_JOB,
    &others::POD_DISRUPTION_BUDGET,
    &others::HORIZONTAL_POD_AUTOSCALER,
    &storage::PERSISTENT_VOLUME,
    &storage::PERSISTENT_VOLUME_CLAIM,
    &storage::STORAGE_CLASS,
    &custom::DEFINITION,
];

static BY_PATH: LazyLock<HashMap<(&str, &str, &str), KindRef>> = LazyLock::new(|| {
    ALL.iter()
        .map(|kind| ((kind.group, kind.version, kind.plural), *kind))
        .collect()
});

static BY_NAME: LazyLock<HashMap<(String, &str), KindRef>> = LazyLock::new(|| {
    ALL.iter()
        .map(|kind| ((kind.api_version(), kind.name), *kind))
        .collect()
});

/// Finds a kind by the parts of a request path.
pub fn by_path(group: &str, version: &str, plural: &str) -> Option<KindRef> {
    BY_PATH.get(&(group, version, plural)).copied()
}

/// Finds a kind by `apiVersion` and `kind`.
pub fn by_name(api_version: &str, name: &str) -> Option<KindRef> {
    BY_NAME.get(&(api_version.to_owned(), name)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_positions() {
        for (position, kind) in ALL.iter().enumerate() {
            assert_eq!(kind.id, position, "{kind:?}");
            assert!(
                serde_json::from_str::<Value>(kind.zero).is_ok(),
                "{kind:?} has a bad zero value"
            );
        }
    }
}
