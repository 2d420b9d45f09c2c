//! The other kinds.

use serde_json::Value;

use super::{AGE, Column, NAME, age, at, joined, number, selector, size, text, wide};
use crate::json;

fn node_state(node: &Value) -> Value {
    let ready = json::items(node, "/status/conditions")
        .iter()
        .find(|condition| condition["type"] == "Ready");
    let state = match ready {
        None => "Unknown",
        Some(ready) if ready["status"] == "True" => "Ready",
        Some(_) => "NotReady",
    };
    if node["spec"]["unschedulable"] == true {
        format!("{state},SchedulingDisabled").into()
    } else {
        state.into()
    }
}

fn node_address(node: &Value, kind: &str) -> Value {
    json::items(node, "/status/addresses")
        .iter()
        .find(|address| address["type"] == kind)
        .map_or_else(|| "<none>".into(), |address| address["address"].clone())
}

fn roles(node: &Value) -> Value {
    let labels = json::at(node, "/metadata/labels").as_object();
    let roles: Vec<&str> = labels
        .into_iter()
        .flatten()
        .filter_map(|(label, _)| label.strip_prefix("node-role.kubernetes.io/"))
        .collect();
    if roles.is_empty() {
        "<none>".into()
    } else {
        roles.join(",").into()
    }
}

fn service_ports(service: &Value) -> Value {
    joined(service, "/spec/ports", |port| {
        let node_port = match json::integer(port, "/nodePort") {
            Some(node_port) if node_port != 0 => format!(":{node_port}"),
            _ => String::new(),
        };
        format!(
            "{}{node_port}/{}",
            port["port"],
            port["protocol"].as_str().unwrap_or("TCP")
        )
    })
    .into()
}

fn endpoint_addresses(endpoints: &Value) -> Value {
    let mut all = Vec::new();
    for subset in json::items(endpoints, "/subsets") {
        for address in json::items(subset, "/addresses") {
            for port in json::items(subset, "/ports") {
                all.push(format!(
                    "{}:{}",
                    address["ip"].as_str().unwrap_or(""),
                    port["port"]
                ));
            }
        }
    }
    let more = all.len().saturating_sub(3);
    match (all.len(), more) {
        (0, _) => "<none>".into(),
        (_, 0) => all.join(",").into(),
        _ => format!("{} + {more} more...", all[..3].join(",")).into(),
    }
}

pub const NAMESPACE: &[Column] = &[NAME, text("Status", |object| at(object, "/status/phase")), AGE];

pub const NODE: &[Column] = &[
    NAME,
    text("Status", node_state),
    text("Roles", roles),
    AGE,
    text("Version", |node| at(node, "/status/nodeInfo/kubeletVersion")),
    wide("Internal-IP", |node| node_address(node, "InternalIP")),
    wide("External-IP", |node| node_address(node, "ExternalIP")),
    wide("OS-Image", |node| at(node, "/status/nodeInfo/osImage")),
    wide("Kernel-Version", |node| {
        at(node, "/status/nodeInfo/kernelVersion")
    }),
    wide("Container-Runtime", |node| {
        at(node, "/status/nodeInfo/containerRuntimeVersion")
    }),
];

pub const SERVICE: &[Column] = &[
    NAME,
    text("Type", |service| at(service, "/spec/type")),
    text("Cluster-IP", |service| at(service, "/spec/clusterIP")),
    text("External-IP", |service| at(service, "/spec/externalIPs/0")),
    text("Port(s)", service_ports),
    AGE,
    wide("Selector", |service| selector(service, "/spec/selector")),
];

pub const ENDPOINTS: &[Column] = &[NAME, text("Endpoints", endpoint_addresses), AGE];

pub const ENDPOINT_SLICE: &[Column] = &[
    NAME,
    text("AddressType", |slice| at(slice, "/addressType")),
    text("Ports", |slice| {
        joined(slice, "/ports", |port| port["port"].to_string()).into()
    }),
    text("Endpoints", |slice| {
        joined(slice, "/endpoints", |endpoint| {
            json::text(endpoint, "/addresses/0").to_owned()
        })
        .into()
    }),
    AGE,
];

pub const CONFIG_MAP: &[Column] = &[NAME, number("Data", |map| size(map, "/data")), AGE];

pub const SECRET: &[Column] = &[
    NAME,
    text("Type", |secret| at(secret, "/type")),
    number("Data", |secret| size(secret, "/data")),
    AGE,
];

pub const SERVICE_ACCOUNT: &[Column] = &[NAME, number("Secrets", |account| size(account, "/secrets")), AGE];

pub const EVENT: &[Column] = &[
    text("Last Seen", |event| {
        let time = match json::text(event, "/lastTimestamp") {
            "" => json::text(event, "/eventTime"),
            time => time,
        };
        age(time).into()
    }),
    text("Type", |event| at(event, "/type")),
    text("Reason", |event| at(event, "/reason")),
    text("Object", |event| {
        let kind = json::text(event, "/involvedObject/kind").to_lowercase();
        format!("{kind}/{}", json::text(event, "/involvedObject/name")).into()
    }),
    wide("Subobject", |event| {
        json::at(event, "/involvedObject/fieldPath")
            .as_str()
            .unwrap_or("")
            .into()
    }),
    wide("Source", |event| at(event, "/source/component")),
    text("Message", |event| json::text(event, "/message").trim().into()),
    wide("First Seen", |event| {
        age(json::text(event, "/firstTimestamp")).into()
    }),
    wide("Count", |event| {
        json::integer(event, "/count").unwrap_or(1).to_string().into()
    }),
    Column { priority: 1, ..NAME },
];

pub const LEASE: &[Column] = &[
    NAME,
    text("Holder", |lease| at(lease, "/spec/holderIdentity")),
    AGE,
];

pub const ROLE: &[Column] = &[
    NAME,
    text("Created At", |role| at(role, "/metadata/creationTimestamp")),
];

pub const ROLE_BINDING: &[Column] = &[
    NAME,
    text("Role", |binding| {
        format!(
            "{}/{}",
            json::text(binding, "/roleRef/kind"),
            json::text(binding, "/roleRef/name")
        )
        .into()
    }),
    AGE,
];

pub const PERSISTENT_VOLUME: &[Column] = &[
    NAME,
    text("Capacity", |volume| at(volume, "/spec/capacity/storage")),
    text("Access Modes", |volume| access_modes(volume, "/spec/accessModes")),
    text("Reclaim Policy", |volume| {
        at(volume, "/spec/persistentVolumeReclaimPolicy")
    }),
    text("Status", |volume| at(volume, "/status/phase")),
    text("Claim", |volume| {
        let claim = &volume["spec"]["claimRef"];
        if claim.is_object() {
            format!(
                "{}/{}",
                json::text(claim, "/namespace"),
                json::text(claim, "/name")
            )
            .into()
        } else {
            "".into()
        }
    }),
    text("StorageClass", |volume| at(volume, "/spec/storageClassName")),
    AGE,
];

pub const PERSISTENT_VOLUME_CLAIM: &[Column] = &[
    NAME,
    text("Status", |claim| at(claim, "/status/phase")),
    text("Volume", |claim| json::text(claim, "/spec/volumeName").into()),
    text("Capacity", |claim| {
        json::text(claim, "/status/capacity/storage").into()
    }),
    text("Access Modes", |claim| access_modes(claim, "/status/accessModes")),
    text("StorageClass", |claim| at(claim, "/spec/storageClassName")),
    AGE,
];

/// `RWO,ROX` for `ReadWriteOnce, ReadOnlyMany`.
fn access_modes(object: &Value, pointer: &str) -> Value {
    let short = |mode: &Value| match mode.as_str().unwrap_or("") {
        "ReadWriteOnce" => "RWO",
        "ReadOnlyMany" => "ROX",
        "ReadWriteMany" => "RWX",
        "ReadWriteOncePod" => "RWOP",
        _ => "",
    };
    let modes: Vec<&str> = json::items(object, pointer).iter().map(short).collect();
    modes.join(",").into()
}

pub const STORAGE_CLASS: &[Column] = &[
    NAME,
    text("Provisioner", |class| at(class, "/provisioner")),
    text("ReclaimPolicy", |class| at(class, "/reclaimPolicy")),
    text("VolumeBindingMode", |class| at(class, "/volumeBindingMode")),
    text("AllowVolumeExpansion", |class| {
        (class["allowVolumeExpansion"] == true).to_string().into()
    }),
    AGE,
];

pub const CUSTOM_RESOURCE_DEFINITION: &[Column] = &[
    NAME,
    text("Created At", |definition| {
        at(definition, "/metadata/creationTimestamp")
    }),
];
