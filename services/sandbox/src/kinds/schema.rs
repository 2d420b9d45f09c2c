//! How the parts of an object merge: one table for server-side apply and strategic merge patch.
//!
//! Objects merge field by field and lists are replaced as a whole, unless the table says
//! otherwise. So only the exceptions stand here; they are those of the Kubernetes API types
//! (`listType`, `listMapKey`, `mapType`, `patchMergeKey`, `patchStrategy`).

use serde_json::Value;

/// The merge rule of one place in an object.
#[derive(Debug)]
pub enum Schema {
    /// Whatever stands here: objects merge, lists and scalars are replaced.
    Any,
    /// Replaced as a whole, also when it is an object.
    Atomic,
    /// An object with exceptions below it. `retain` marks a union whose other fields go when a
    /// strategic merge says `$retainKeys`.
    Object(&'static [(&'static str, Schema)]),
    /// A shared sub-schema.
    Ref(&'static Schema),
    /// Every value of the map has this schema.
    MapOf(&'static Schema),
    /// A list whose items are found by key fields.
    Map(ListMap),
    /// A list of distinct scalars.
    Set,
    /// Atomic for server-side apply, merged by key in a strategic merge.
    PatchMap(ListMap),
}

/// The keys of a list map, each with the value it has when it is left out.
#[derive(Debug, Clone, Copy)]
pub struct ListMap {
    pub keys: &'static [(&'static str, Option<&'static str>)],
    /// The single key by which a strategic merge finds items.
    pub merge_key: &'static str,
    pub item: &'static Schema,
}

const fn by(key: &'static [(&'static str, Option<&'static str>)], item: &'static Schema) -> Schema {
    Schema::Map(ListMap {
        keys: key,
        merge_key: key[0].0,
        item,
    })
}

const NAME: &[(&str, Option<&str>)] = &[("name", None)];
const TYPE: &[(&str, Option<&str>)] = &[("type", None)];

impl Schema {
    /// Follows references.
    pub fn resolve(&'static self) -> &'static Schema {
        match self {
            Schema::Ref(target) => target.resolve(),
            other => other,
        }
    }

    /// The schema of a field of the object this one describes.
    pub fn field(&'static self, name: &str) -> &'static Schema {
        match self.resolve() {
            Schema::Object(fields) => fields
                .iter()
                .find(|(field, _)| *field == name)
                .map_or(&Schema::Any, |(_, schema)| schema.resolve()),
            Schema::MapOf(value) => value.resolve(),
            _ => &Schema::Any,
        }
    }

    /// The keys by which server-side apply finds items, if the list is a map.
    pub fn list_map(&'static self) -> Option<&'static ListMap> {
        match self.resolve() {
            Schema::Map(list) => Some(list),
            _ => None,
        }
    }

    /// The keys by which a strategic merge finds items.
    pub fn patch_map(&'static self) -> Option<&'static ListMap> {
        match self.resolve() {
            Schema::Map(list) | Schema::PatchMap(list) => Some(list),
            _ => None,
        }
    }

    pub fn is_set(&'static self) -> bool {
        matches!(self.resolve(), Schema::Set)
    }

    /// Whether server-side apply treats this value as one leaf.
    pub fn is_leaf(&'static self, value: &Value) -> bool {
        match self.resolve() {
            Schema::Atomic | Schema::PatchMap(_) => true,
            Schema::Map(_) | Schema::Set => !value.is_array(),
            _ => !value.is_object(),
        }
    }
}

impl ListMap {
    /// The key of an item, with defaults for what it leaves out.
    pub fn key_of(&self, item: &Value) -> Vec<(&'static str, Value)> {
        self.keys
            .iter()
            .filter_map(|(key, default)| match item.get(*key) {
                Some(value) if !value.is_null() => Some((*key, value.clone())),
                _ => default.map(|default| (*key, Value::from(default))),
            })
            .collect()
    }
}

pub static META: Schema = Schema::Object(&[
    ("finalizers", Schema::Set),
    ("ownerReferences", by(&[("uid", None)], &Schema::Atomic)),
]);

pub static META_ONLY: Schema = Schema::Object(&[("metadata", Schema::Ref(&META))]);

static CONDITIONS: Schema = by(TYPE, &Schema::Any);

static KEY_SELECTOR: Schema = Schema::Atomic;

static ENV: Schema = Schema::Object(&[(
    "valueFrom",
    Schema::Object(&[
        ("configMapKeyRef", Schema::Ref(&KEY_SELECTOR)),
        ("secretKeyRef", Schema::Ref(&KEY_SELECTOR)),
        ("fieldRef", Schema::Ref(&KEY_SELECTOR)),
        ("resourceFieldRef", Schema::Ref(&KEY_SELECTOR)),
    ]),
)]);

static CONTAINER: Schema = Schema::Object(&[
    (
        "ports",
        by(
            &[("containerPort", None), ("protocol", Some("TCP"))],
            &Schema::Any,
        ),
    ),
    ("env", by(NAME, &ENV)),
    ("volumeMounts", by(&[("mountPath", None)], &Schema::Any)),
    ("volumeDevices", by(&[("devicePath", None)], &Schema::Any)),
    ("resources", Schema::Object(&[("claims", by(NAME, &Schema::Any))])),
]);

static LOCAL_REFERENCE: Schema = Schema::Atomic;

pub static POD_SPEC: Schema = Schema::Object(&[
    ("containers", by(NAME, &CONTAINER)),
    ("initContainers", by(NAME, &CONTAINER)),
    ("ephemeralContainers", by(NAME, &CONTAINER)),
    ("volumes", by(NAME, &Schema::Any)),
    ("imagePullSecrets", by(NAME, &LOCAL_REFERENCE)),
    ("hostAliases", by(&[("ip", None)], &Schema::Any)),
    (
        "topologySpreadConstraints",
        by(
            &[("topologyKey", None), ("whenUnsatisfiable", None)],
            &Schema::Any,
        ),
    ),
    ("schedulingGates", by(NAME, &Schema::Any)),
    ("resourceClaims", by(NAME, &Schema::Any)),
    ("nodeSelector", Schema::Atomic),
    (
        "affinity",
        Schema::Object(&[(
            "nodeAffinity",
            Schema::Object(&[("requiredDuringSchedulingIgnoredDuringExecution", Schema::Atomic)]),
        )]),
    ),
]);

pub static POD: Schema = Schema::Object(&[
    ("metadata", Schema::Ref(&META)),
    ("spec", Schema::Ref(&POD_SPEC)),
    (
        "status",
        Schema::Object(&[
            ("conditions", Schema::Ref(&CONDITIONS)),
            ("podIPs", by(&[("ip", None)], &Schema::Any)),
            ("hostIPs", Schema::Atomic),
        ]),
    ),
]);

pub static POD_TEMPLATE: Schema =
    Schema::Object(&[("metadata", Schema::Ref(&META)), ("spec", Schema::Ref(&POD_SPEC))]);

/// Deployments and ReplicaSets alike: a selector, a template, conditions.
pub static WORKLOAD: Schema = Schema::Object(&[
    ("metadata", Schema::Ref(&META)),
    (
        "spec",
        Schema::Object(&[
            ("selector", Schema::Atomic),
            ("template", Schema::Ref(&POD_TEMPLATE)),
        ]),
    ),
    (
        "status",
        Schema::Object(&[("conditions", Schema::Ref(&CONDITIONS))]),
    ),
]);

pub static SERVICE: Schema = Schema::Object(&[
    ("metadata", Schema::Ref(&META)),
    (
        "spec",
        Schema::Object(&[
            (
                "ports",
                by(&[("port", None), ("protocol", Some("TCP"))], &Schema::Any),
            ),
            ("selector", Schema::Atomic),
        ]),
    ),
    (
        "status",
        Schema::Object(&[("conditions", Schema::Ref(&CONDITIONS))]),
    ),
]);

pub static NODE: Schema = Schema::Object(&[
    ("metadata", Schema::Ref(&META)),
    (
        "spec",
        Schema::Object(&[
            (
                "taints",
                Schema::PatchMap(ListMap {
                    keys: &[("key", None)],
                    merge_key: "key",
                    item: &Schema::Any,
                }),
            ),
            ("podCIDRs", Schema::Set),
        ]),
    ),
    (
        "status",
        Schema::Object(&[
            ("conditions", Schema::Ref(&CONDITIONS)),
            ("addresses", by(TYPE, &Schema::Any)),
        ]),
    ),
]);

pub static WITH_CONDITIONS: Schema = Schema::Object(&[
    ("metadata", Schema::Ref(&META)),
    (
        "status",
        Schema::Object(&[("conditions", Schema::Ref(&CONDITIONS))]),
    ),
]);

pub static SERVICE_ACCOUNT: Schema = Schema::Object(&[
    ("metadata", Schema::Ref(&META)),
    ("secrets", by(NAME, &Schema::Any)),
]);

pub static CLUSTER_ROLE: Schema =
    Schema::Object(&[("metadata", Schema::Ref(&META)), ("aggregationRule", Schema::Any)]);

pub static BINDING: Schema = Schema::Object(&[("metadata", Schema::Ref(&META)), ("roleRef", Schema::Atomic)]);

pub static STATEFUL_SET: Schema = Schema::Object(&[
    ("metadata", Schema::Ref(&META)),
    (
        "spec",
        Schema::Object(&[
            ("selector", Schema::Atomic),
            ("template", Schema::Ref(&POD_TEMPLATE)),
        ]),
    ),
    (
        "status",
        Schema::Object(&[("conditions", Schema::Ref(&CONDITIONS))]),
    ),
]);

static JOB_TEMPLATE: Schema = Schema::Object(&[
    ("metadata", Schema::Ref(&META)),
    (
        "spec",
        Schema::Object(&[
            ("selector", Schema::Atomic),
            ("template", Schema::Ref(&POD_TEMPLATE)),
        ]),
    ),
]);

pub static CRON_JOB: Schema = Schema::Object(&[
    ("metadata", Schema::Ref(&META)),
    (
        "spec",
        Schema::Object(&[("jobTemplate", Schema::Ref(&JOB_TEMPLATE))]),
    ),
]);
