//! Endpoints and EndpointSlices: which pods stand behind a service.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Controllers, MANAGER, Outcome, settled};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::core::{ENDPOINTS, POD, SERVICE};
use crate::kinds::others::ENDPOINT_SLICE;
use crate::registry::delete::{DeleteOptions, delete};
use crate::registry::{Options, admission, create, update};
use crate::store::selector::LabelSelector;
use crate::store::{Change, Key, Object};

/// Endpoints in a slice, as the real controller's default.
const SLICE: usize = 100;

/// The selectors of all services, so that a pod's change finds its services quickly.
#[derive(Default)]
pub struct Services(HashMap<Arc<str>, BTreeMap<Arc<str>, LabelSelector>>);

impl Services {
    pub fn take(&mut self, cluster: &Cluster, change: &Change) {
        let object = change.object();
        if change.new.is_none() {
            release(cluster, &object.bare_value());
        }
        let of_namespace = self.0.entry(object.key.namespace.clone()).or_default();
        of_namespace.remove(&object.key.name);
        if let Some(service) = &change.new {
            let selector = LabelSelector::from_map(&service.bare_value()["spec"]["selector"]);
            if !selector.is_empty() {
                of_namespace.insert(object.key.name.clone(), selector);
            }
        }
    }

    pub fn selecting(&self, pod: &Object) -> Vec<Key> {
        let of_namespace = self.0.get(&pod.key.namespace);
        of_namespace
            .into_iter()
            .flatten()
            .filter(|(_, selector)| selector.matches_object(pod))
            .map(|(name, _)| Key {
                namespace: pod.key.namespace.clone(),
                name: name.clone(),
            })
            .collect()
    }
}

/// Gives back what a removed service held.
fn release(cluster: &Cluster, service: &Value) {
    if let Ok(address) = json::text(service, "/spec/clusterIP").parse() {
        cluster.addresses.release_service(address);
    }
    for port in json::items(service, "/spec/ports") {
        if let Some(number) = port["nodePort"]
            .as_u64()
            .and_then(|number| u16::try_from(number).ok())
        {
            cluster.addresses.release_node_port(number);
        }
    }
}

/// One pod behind a service.
struct Endpoint {
    address: String,
    node: String,
    pod: String,
    uid: Arc<str>,
    ready: bool,
    terminating: bool,
    ports: Vec<Value>,
}

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let cluster = &controllers.cluster;
    let Some(service) = cluster.store.get(&SERVICE, &key.namespace, &key.name) else {
        // Slices are collected with their owner; Endpoints have none and share the name.
        let gone = delete(
            cluster,
            &ENDPOINTS,
            &key.namespace,
            &key.name,
            &DeleteOptions::now(),
        );
        return match gone {
            Err(error) if error.code != 404 => Err(error),
            _ => Ok(Outcome::DONE),
        };
    };
    let value = service.value();
    let selector = LabelSelector::from_map(&value["spec"]["selector"]);
    if selector.is_empty() || service.deleting {
        return Ok(Outcome::DONE);
    }
    let everyone = value["spec"]["publishNotReadyAddresses"] == true;
    let endpoints: Vec<Endpoint> = cluster
        .store
        .list(&POD, Some(&key.namespace))
        .0
        .iter()
        .filter(|pod| selector.matches_object(pod))
        .filter_map(|pod| endpoint(&value, pod, everyone))
        .collect();
    write_endpoints(controllers, &service, &value, &endpoints)?;
    write_slices(controllers, &service, &value, &endpoints)?;
    Ok(Outcome::DONE)
}

fn endpoint(service: &Value, pod: &Arc<Object>, everyone: bool) -> Option<Endpoint> {
    let address = pod.field("status.podIP").filter(|address| !address.is_empty())?;
    if matches!(pod.field("status.phase"), Some("Succeeded" | "Failed")) {
        return None;
    }
    Some(Endpoint {
        address: address.to_owned(),
        node: pod.field("spec.nodeName").unwrap_or("").to_owned(),
        pod: pod.name().to_owned(),
        uid: pod.uid.clone(),
        ready: everyone || !pod.fact("ready-since").is_empty(),
        terminating: pod.deleting,
        ports: ports(service, pod),
    })
}

/// The service's ports as this pod has them; named ones are looked up in its containers.
fn ports(service: &Value, pod: &Object) -> Vec<Value> {
    let mut decoded = None;
    let mut found = Vec::new();
    for port in json::items(service, "/spec/ports") {
        let number = match &port["targetPort"] {
            Value::String(name) => {
                let pod = decoded.get_or_insert_with(|| pod.bare_value());
                let named = json::items(pod, "/spec/containers")
                    .iter()
                    .flat_map(|container| json::items(container, "/ports"))
                    .find(|known| known["name"] == *name && known["protocol"] == port["protocol"]);
                match named {
                    Some(known) => known["containerPort"].clone(),
                    None => continue,
                }
            }
            number => number.clone(),
        };
        let mut entry = json!({"port": number, "protocol": port["protocol"]});
        for field in ["name", "appProtocol"] {
            if let Some(text) = port.get(field) {
                entry[field] = text.clone();
            }
        }
        found.push(entry);
    }
    found
}

fn reference(service: &Object, endpoint: &Endpoint) -> Value {
    json!({"kind": "Pod", "name": endpoint.pod, "namespace": service.namespace(), "uid": &*endpoint.uid})
}

fn write_endpoints(
    controllers: &Controllers,
    service: &Arc<Object>,
    value: &Value,
    endpoints: &[Endpoint],
) -> ApiResult<()> {
    let cluster = &controllers.cluster;
    let mut subsets: BTreeMap<String, (Value, Vec<Value>, Vec<Value>)> = BTreeMap::new();
    for endpoint in endpoints.iter().filter(|endpoint| !endpoint.terminating) {
        let ports = Value::from(endpoint.ports.clone());
        let entry = subsets
            .entry(ports.to_string())
            .or_insert_with(|| (ports, Vec::new(), Vec::new()));
        let address = json!({"ip": endpoint.address, "nodeName": endpoint.node, "targetRef": reference(service, endpoint)});
        if endpoint.ready {
            entry.1.push(address);
        } else {
            entry.2.push(address);
        }
    }
    let subsets: Vec<Value> = subsets
        .into_values()
        .map(|(ports, ready, not_ready)| {
            let mut subset = json!({});
            for (field, list) in [("addresses", ready), ("notReadyAddresses", not_ready)] {
                if !list.is_empty() {
                    subset[field] = list.into();
                }
            }
            if ports.as_array().is_some_and(|ports| !ports.is_empty()) {
                subset["ports"] = ports;
            }
            subset
        })
        .collect();
    let mut labels = value["metadata"]["labels"].clone();
    json::set(
        &mut labels,
        &["endpoints.kubernetes.io/managed-by"],
        "endpoint-controller",
    );
    if value["spec"]["clusterIP"] == "None" {
        json::set(&mut labels, &["service.kubernetes.io/headless"], "");
    }
    let options = Options::by(MANAGER);
    let (namespace, name) = (service.namespace(), service.name());
    if cluster.store.get(&ENDPOINTS, namespace, name).is_none() {
        let mut endpoints = json!({"metadata": {"name": name, "labels": labels}});
        if !subsets.is_empty() {
            endpoints["subsets"] = subsets.into();
        }
        return settled(
            create::create(cluster, &ENDPOINTS, namespace, endpoints, &options).map(|written| written.object),
        )
        .map(|_| ());
    }
    settled(update::modify(
        cluster,
        &ENDPOINTS,
        namespace,
        name,
        &options,
        |endpoints| {
            json::set(endpoints, &["metadata", "labels"], labels.clone());
            if subsets.is_empty() {
                json::remove(endpoints, &["subsets"]);
            } else {
                endpoints["subsets"] = subsets.clone().into();
            }
            Ok(())
        },
    ))
    .map(|_| ())
}

fn write_slices(
    controllers: &Controllers,
    service: &Arc<Object>,
    value: &Value,
    endpoints: &[Endpoint],
) -> ApiResult<()> {
    let cluster = &controllers.cluster;
    // Pods whose named ports differ need slices of their own.
    let mut groups: BTreeMap<String, (Vec<Value>, Vec<Value>)> = BTreeMap::new();
    for endpoint in endpoints {
        let group = Value::from(endpoint.ports.clone()).to_string();
        let entry = groups
            .entry(group)
            .or_insert_with(|| (endpoint.ports.clone(), Vec::new()));
        entry.1.push(json!({
            "addresses": [endpoint.address],
            "conditions": {
                "ready": endpoint.ready && !endpoint.terminating,
                "serving": endpoint.ready,
                "terminating": endpoint.terminating,
            },
            "nodeName": endpoint.node,
            "targetRef": reference(service, endpoint),
        }));
    }
    let mut wanted: Vec<(Vec<Value>, Vec<Value>)> = Vec::new();
    for (ports, list) in groups.into_values() {
        wanted.extend(list.chunks(SLICE).map(|chunk| (ports.clone(), chunk.to_vec())));
    }
    if wanted.is_empty() {
        wanted.push((Vec::new(), Vec::new()));
    }
    let mut labels = value["metadata"]["labels"].clone();
    json::set(&mut labels, &["kubernetes.io/service-name"], service.name());
    json::set(
        &mut labels,
        &["endpointslice.kubernetes.io/managed-by"],
        "endpointslice-controller.k8s.io",
    );
    let existing: Vec<Arc<Object>> = cluster
        .store
        .dependents(&service.uid)
        .into_iter()
        .filter(|object| object.kind == &ENDPOINT_SLICE && !object.deleting)
        .collect();
    let options = Options::by(MANAGER);
    for (position, (ports, list)) in wanted.iter().enumerate() {
        match existing.get(position) {
            Some(slice) => {
                settled(update::modify(
                    cluster,
                    &ENDPOINT_SLICE,
                    slice.namespace(),
                    slice.name(),
                    &options,
                    |slice| {
                        json::set(slice, &["metadata", "labels"], labels.clone());
                        slice["endpoints"] = list.clone().into();
                        slice["ports"] = ports.clone().into();
                        Ok(())
                    },
                ))?;
            }
            None => {
                let slice = json!({
                    "metadata": {
                        "generateName": format!("{}-", service.name()),
                        "labels": labels,
                        "ownerReferences": admission::owned_by(service),
                    },
                    "addressType": "IPv4",
                    "endpoints": list,
                    "ports": ports,
                });
                let made = create::create(cluster, &ENDPOINT_SLICE, service.namespace(), slice, &options);
                settled(made.map(|written| written.object))?;
            }
        }
    }
    for slice in existing.iter().skip(wanted.len()) {
        let gone = delete(
            cluster,
            &ENDPOINT_SLICE,
            slice.namespace(),
            slice.name(),
            &DeleteOptions::now(),
        );
        if let Err(error) = gone
            && error.code != 404
        {
            return Err(error);
        }
    }
    Ok(())
}
