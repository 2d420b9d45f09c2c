//! The kinds of the core group.

use k8s_openapi::api::core::v1 as api;

use super::names::Rule;
use super::typed::typed;
use super::{Deletion, Kind, STATUS_VERBS, Subresource, columns, defaults, schema, status, validate};
use crate::controllers::{endpoints, namespaces, nodes};
use crate::registry::admission;

pub static NAMESPACE: Kind = Kind {
    id: 0,
    name: "Namespace",
    plural: "namespaces",
    singular: "namespace",
    short_names: &["ns"],
    namespaced: false,
    subresources: &[
        status("Namespace"),
        Subresource {
            name: "finalize",
            kind: "Namespace",
            group_version: None,
            verbs: &["update"],
        },
    ],
    selectable: &["status.phase"],
    schema: &schema::WITH_CONDITIONS,
    zero: r#"{"metadata":{},"spec":{},"status":{}}"#,
    typed: typed::<api::Namespace>,
    defaults: defaults::namespace,
    validate_name: Rule::Label,
    deletion: Deletion::Namespace,
    reconcile: Some(namespaces::reconcile),
    columns: columns::NAMESPACE,
    ..Kind::BASE
};

pub static NODE: Kind = Kind {
    id: 1,
    name: "Node",
    plural: "nodes",
    singular: "node",
    short_names: &["no"],
    namespaced: false,
    subresources: &[status("Node")],
    selectable: &["spec.unschedulable"],
    schema: &schema::NODE,
    zero: r#"{"metadata":{},"spec":{},"status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":0}},"nodeInfo":{"architecture":"","bootID":"","containerRuntimeVersion":"","kernelVersion":"","kubeProxyVersion":"","kubeletVersion":"","machineID":"","operatingSystem":"","osImage":"","systemUUID":""}}}"#,
    typed: typed::<api::Node>,
    reconcile: Some(nodes::reconcile),
    columns: columns::NODE,
    ..Kind::BASE
};

pub static POD: Kind = Kind {
    id: 2,
    name: "Pod",
    plural: "pods",
    singular: "pod",
    short_names: &["po"],
    categories: &["all"],
    subresources: &[
        status("Pod"),
        Subresource {
            name: "log",
            kind: "Pod",
            group_version: None,
            verbs: &["get"],
        },
        Subresource {
            name: "exec",
            kind: "PodExecOptions",
            group_version: None,
            verbs: &["create", "get"],
        },
        Subresource {
            name: "attach",
            kind: "PodAttachOptions",
            group_version: None,
            verbs: &["create", "get"],
        },
        Subresource {
            name: "portforward",
            kind: "PodPortForwardOptions",
            group_version: None,
            verbs: &["create", "get"],
        },
        Subresource {
            name: "ephemeralcontainers",
            kind: "Pod",
            group_version: None,
            verbs: STATUS_VERBS,
        },
        Subresource {
            name: "binding",
            kind: "Binding",
            group_version: None,
            verbs: &["create"],
        },
        Subresource {
            name: "eviction",
            kind: "Eviction",
            group_version: Some(("policy", "v1")),
            verbs: &["create"],
        },
    ],
    selectable: &[
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    ],
    facts: &[
        ("ready-since", ready_since),
        ("restarts", restarts),
        ("ephemeral", ephemeral),
    ],
    alike: true,
    generation: true,
    schema: &schema::POD,
    zero: r#"{"metadata":{},"spec":{"containers":null},"status":{}}"#,
    typed: typed::<api::Pod>,
    defaults: defaults::pod,
    validate: validate::pod,
    admit: admission::pod,
    deletion: Deletion::Graceful,
    columns: columns::POD,
    ..Kind::BASE
};

pub static SERVICE: Kind = Kind {
    id: 3,
    name: "Service",
    plural: "services",
    singular: "service",
    short_names: &["svc"],
    categories: &["all"],
    subresources: &[status("Service")],
    selectable: &["spec.clusterIP", "spec.type"],
    schema: &schema::SERVICE,
    zero: r#"{"metadata":{},"spec":{},"status":{"loadBalancer":{}}}"#,
    typed: typed::<api::Service>,
    defaults: defaults::service,
    validate: validate::service,
    validate_name: Rule::Strict,
    admit: admission::service,
    reconcile: Some(endpoints::reconcile),
    columns: columns::SERVICE,
    ..Kind::BASE
};

pub static ENDPOINTS: Kind = Kind {
    id: 4,
    name: "Endpoints",
    plural: "endpoints",
    singular: "endpoints",
    short_names: &["ep"],
    typed: typed::<api::Endpoints>,
    defaults: defaults::endpoints,
    columns: columns::ENDPOINTS,
    ..Kind::BASE
};

pub static CONFIG_MAP: Kind = Kind {
    id: 5,
    name: "ConfigMap",
    plural: "configmaps",
    singular: "configmap",
    short_names: &["cm"],
    typed: typed::<api::ConfigMap>,
    validate: validate::config_map,
    columns: columns::CONFIG_MAP,
    ..Kind::BASE
};

pub static SECRET: Kind = Kind {
    id: 6,
    name: "Secret",
    plural: "secrets",
    singular: "secret",
    selectable: &["type"],
    typed: typed::<api::Secret>,
    defaults: defaults::secret,
    validate: validate::secret,
    columns: columns::SECRET,
    ..Kind::BASE
};

pub static EVENT: Kind = Kind {
    id: 7,
    name: "Event",
    plural: "events",
    singular: "event",
    short_names: &["ev"],
    selectable: &[
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ],
    volatile: true,
    zero: r#"{"metadata":{},"involvedObject":{},"source":{}}"#,
    typed: typed::<api::Event>,
    columns: columns::EVENT,
    ..Kind::BASE
};

pub static SERVICE_ACCOUNT: Kind = Kind {
    id: 8,
    name: "ServiceAccount",
    plural: "serviceaccounts",
    singular: "serviceaccount",
    short_names: &["sa"],
    subresources: &[Subresource {
        name: "token",
        kind: "TokenRequest",
        group_version: Some(("authentication.k8s.io", "v1")),
        verbs: &["create"],
    }],
    schema: &schema::SERVICE_ACCOUNT,
    typed: typed::<api::ServiceAccount>,
    columns: columns::SERVICE_ACCOUNT,
    ..Kind::BASE
};

/// When the pod became ready; empty while it is not.
fn ready_since(pod: &serde_json::Value) -> String {
    let conditions = crate::json::items(pod, "/status/conditions");
    let ready = conditions
        .iter()
        .find(|condition| condition["type"] == "Ready" && condition["status"] == "True");
    ready.map_or_else(String::new, |ready| {
        crate::json::text(ready, "/lastTransitionTime").to_owned()
    })
}

fn restarts(pod: &serde_json::Value) -> String {
    let statuses = crate::json::items(pod, "/status/containerStatuses");
    let total: i64 = statuses
        .iter()
        .filter_map(|status| status["restartCount"].as_i64())
        .sum();
    total.to_string()
}

/// Says something when there are ephemeral containers.
fn ephemeral(pod: &serde_json::Value) -> String {
    match crate::json::items(pod, "/spec/ephemeralContainers") {
        [] => String::new(),
        some => some.len().to_string(),
    }
}
