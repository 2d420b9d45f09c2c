//! From what a service should be to the Kubernetes objects that make it so: a pure function.
//!
//! Config files and secrets go into a ConfigMap and a Secret **of the revision**, which the pod template
//! names: a rollback of the revision is then a rollback of its config too, and old pods keep theirs
//! until the last of them is gone.

mod claims;
mod files;
mod pod;

use api_types::common::FieldError;
use api_types::internal::DesiredWorkload;
use api_types::spec::Protocol;
use k8s_openapi::api::apps::v1::{Deployment, DeploymentSpec, DeploymentStrategy, RollingUpdateDeployment};
use k8s_openapi::api::core::v1::{Namespace, Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, ObjectMeta};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use serde::Serialize;
use serde_json::Value;

use crate::app::gpu::GpuResource;
use crate::app::names::{REVISION, SPEC_HASH, ServiceKey, namespace_labels};
use crate::index::workloads::{Kind, ObjectName};

/// Old ReplicaSets that a Deployment keeps; rolling back is ours, so few are enough.
const HISTORY: i32 = 3;

/// An object to be applied.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    pub object: ObjectName,
    pub body: Value,
}

/// The objects of a service in the order they are applied: what others need comes first.
///
/// # Errors
/// The fields that Kubernetes would not take.
pub fn render(desired: &DesiredWorkload, gpu: &GpuResource) -> Result<Vec<Rendered>, Vec<FieldError>> {
    let key = ServiceKey::new(&desired.project, &desired.environment, &desired.service);
    let files = files::gather(desired);
    let (template, errors) = pod::template(desired, &key, &files, gpu);
    let mut errors = errors;
    let rollout = rolling_update(desired, &mut errors);
    let claims = claims::claims(&key, desired, &mut errors);
    if !desired.spec.ports.is_empty()
        && !desired
            .service
            .starts_with(|first: char| first.is_ascii_lowercase())
    {
        errors.push(FieldError {
            field: "name".into(),
            message: "a service with ports needs a name that begins with a letter".into(),
        });
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut objects = Vec::new();
    for claim in claims {
        let name = claim.metadata.name.clone().unwrap_or_default();
        objects.push(rendered(Kind::PersistentVolumeClaim, name, &claim));
    }
    if let Some(config) = files::config_map(&key, desired, &files) {
        let name = config.metadata.name.clone().unwrap_or_default();
        objects.push(rendered(Kind::ConfigMap, name, &config));
    }
    if let Some(secret) = files::secret(&key, desired) {
        let name = secret.metadata.name.clone().unwrap_or_default();
        objects.push(rendered(Kind::Secret, name, &secret));
    }
    if let Some(service) = service(&key, desired) {
        objects.push(rendered(Kind::Service, &key.service, &service));
    }
    let deployment = Deployment {
        metadata: ObjectMeta {
            annotations: Some(
                [
                    (REVISION.to_owned(), desired.revision.to_string()),
                    (SPEC_HASH.to_owned(), desired.hash.clone()),
                ]
                .into(),
            ),
            ..metadata(&key, &key.service)
        },
        spec: Some(DeploymentSpec {
            replicas: Some(whole(desired.replicas)),
            revision_history_limit: Some(HISTORY),
            min_ready_seconds: Some(whole(desired.spec.rollout.min_ready_seconds)),
            progress_deadline_seconds: Some(whole(desired.spec.rollout.progress_deadline_seconds)),
            selector: LabelSelector {
                match_labels: Some(key.selector()),
                ..LabelSelector::default()
            },
            strategy: Some(strategy(desired, rollout)),
            template,
            ..DeploymentSpec::default()
        }),
        status: None,
    };
    objects.push(rendered(Kind::Deployment, &key.service, &deployment));
    Ok(objects)
}

/// The namespace of an environment.
#[must_use]
pub fn namespace(project: &str, environment: &str) -> Value {
    to_value(&Namespace {
        metadata: ObjectMeta {
            name: Some(crate::app::names::namespace(project, environment)),
            labels: Some(namespace_labels(project, environment)),
            ..ObjectMeta::default()
        },
        ..Namespace::default()
    })
}

fn service(key: &ServiceKey, desired: &DesiredWorkload) -> Option<Service> {
    let ports: Vec<ServicePort> = desired
        .spec
        .ports
        .iter()
        .map(|port| ServicePort {
            name: Some(port.name.clone()),
            port: i32::from(port.port),
            protocol: Some(protocol(port.protocol).to_owned()),
            target_port: Some(IntOrString::Int(i32::from(port.port))),
            ..ServicePort::default()
        })
        .collect();
    (!ports.is_empty()).then(|| Service {
        metadata: metadata(key, &key.service),
        spec: Some(ServiceSpec {
            type_: Some("ClusterIP".to_owned()),
            selector: Some(key.selector()),
            ports: Some(ports),
            ..ServiceSpec::default()
        }),
        ..Service::default()
    })
}

/// A singleton's old pod is gone before the new one is made; no surge, however small, does that.
fn strategy(desired: &DesiredWorkload, rollout: RollingUpdateDeployment) -> DeploymentStrategy {
    let (type_, rolling_update) = if desired.singleton {
        ("Recreate", None)
    } else {
        ("RollingUpdate", Some(rollout))
    };
    DeploymentStrategy {
        type_: Some(type_.to_owned()),
        rolling_update,
    }
}

fn rolling_update(desired: &DesiredWorkload, errors: &mut Vec<FieldError>) -> RollingUpdateDeployment {
    let rollout = &desired.spec.rollout;
    let mut read = |field: &str, text: &str| {
        let value = count_or_percent(text);
        if value.is_none() {
            errors.push(FieldError {
                field: format!("rollout.{field}"),
                message: format!("`{text}` is neither a count nor a percentage such as 25%"),
            });
        }
        value
    };
    RollingUpdateDeployment {
        max_surge: read("max_surge", &rollout.max_surge),
        max_unavailable: read("max_unavailable", &rollout.max_unavailable),
    }
}

fn count_or_percent(text: &str) -> Option<IntOrString> {
    let number = |text: &str| text.parse::<u16>().ok();
    match text.strip_suffix('%') {
        Some(percent) => number(percent).map(|percent| IntOrString::String(format!("{percent}%"))),
        None => number(text).map(|count| IntOrString::Int(i32::from(count))),
    }
}

fn metadata(key: &ServiceKey, name: &str) -> ObjectMeta {
    ObjectMeta {
        name: Some(name.to_owned()),
        namespace: Some(key.namespace()),
        labels: Some(key.labels()),
        ..ObjectMeta::default()
    }
}

fn protocol(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::Tcp => "TCP",
        Protocol::Udp => "UDP",
    }
}

/// Kubernetes' numbers are signed; ours never come near their end.
fn whole(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

fn rendered(kind: Kind, name: impl Into<String>, object: &impl Serialize) -> Rendered {
    Rendered {
        object: ObjectName::new(kind, name),
        body: to_value(object),
    }
}

fn to_value(object: &impl Serialize) -> Value {
    serde_json::to_value(object).expect("Kubernetes' objects are plain data")
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
