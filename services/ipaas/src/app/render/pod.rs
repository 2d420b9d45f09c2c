//! The pod template.

use std::collections::BTreeMap;

use api_types::common::FieldError;
use api_types::internal::DesiredWorkload;
use api_types::spec::{Probe, ProbeCheck, Resources};
use k8s_openapi::api::core::v1::{
    Container, ContainerPort, EnvVar, EnvVarSource, ExecAction, HTTPGetAction, HostAlias, Lifecycle,
    LifecycleHandler, PodSecurityContext, PodSpec, PodTemplateSpec, ResourceRequirements, SecretKeySelector,
    SecurityContext, TCPSocketAction, Toleration,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::files::{self, File};
use super::{claims, protocol, whole};
use crate::app::gpu::GpuResource;
use crate::app::names::{RESTARTED_AT, REVISION, ServiceKey, revision_object};
use crate::app::quantity;

/// The template, and the fields that Kubernetes would not take.
pub fn template(
    desired: &DesiredWorkload,
    key: &ServiceKey,
    files: &[File],
    gpu: &GpuResource,
) -> (PodTemplateSpec, Vec<FieldError>) {
    let spec = &desired.spec;
    let mut errors = Vec::new();
    let (mut volumes, mut volume_mounts) = files::mounts(key, desired, files);
    let (stored, stored_mounts) = claims::mounts(key, desired);
    volumes.extend(stored);
    volume_mounts.extend(stored_mounts);
    let container = Container {
        name: key.service.clone(),
        image: Some(spec.image.clone()),
        command: given(spec.command.clone()),
        args: given(spec.args.clone()),
        env: given(environment(desired, key)),
        ports: given(
            spec.ports
                .iter()
                .map(|port| ContainerPort {
                    name: Some(port.name.clone()),
                    container_port: i32::from(port.port),
                    protocol: Some(protocol(port.protocol).to_owned()),
                    ..ContainerPort::default()
                })
                .collect(),
        ),
        resources: Some(resources(&spec.resources, gpu, &mut errors)),
        startup_probe: spec.probes.startup.as_ref().map(probe),
        readiness_probe: spec.probes.readiness.as_ref().map(probe),
        liveness_probe: spec.probes.liveness.as_ref().map(probe),
        lifecycle: given(spec.stop.pre_stop_command.clone()).map(|command| Lifecycle {
            pre_stop: Some(LifecycleHandler {
                exec: Some(ExecAction {
                    command: Some(command),
                }),
                ..LifecycleHandler::default()
            }),
            ..Lifecycle::default()
        }),
        security_context: spec.run_as_user.map(|_| SecurityContext {
            allow_privilege_escalation: Some(false),
            ..SecurityContext::default()
        }),
        volume_mounts: given(volume_mounts),
        ..Container::default()
    };
    let pod = PodSpec {
        containers: vec![container],
        volumes: given(volumes),
        host_aliases: given(
            spec.host_aliases
                .iter()
                .map(|alias| HostAlias {
                    ip: alias.ip.clone(),
                    hostnames: Some(alias.hostnames.clone()),
                })
                .collect(),
        ),
        tolerations: (spec.resources.gpus > 0).then(|| vec![toleration(gpu)]),
        termination_grace_period_seconds: Some(i64::from(spec.stop.grace_period_seconds)),
        security_context: spec.run_as_user.map(|user| PodSecurityContext {
            run_as_user: Some(user),
            run_as_non_root: Some(true),
            ..PodSecurityContext::default()
        }),
        // A team's program has no business with the cluster's API, and every service's address in its
        // environment slows the start where there are thousands.
        automount_service_account_token: Some(false),
        enable_service_links: Some(false),
        ..PodSpec::default()
    };
    let mut labels = key.labels();
    labels.insert(REVISION.to_owned(), desired.revision.to_string());
    let mut annotations = spec.annotations.clone();
    if let Some(at) = desired.restarted_at {
        annotations.insert(RESTARTED_AT.to_owned(), at.to_rfc3339());
    }
    let template = PodTemplateSpec {
        metadata: Some(ObjectMeta {
            labels: Some(labels),
            annotations: (!annotations.is_empty()).then_some(annotations),
            ..ObjectMeta::default()
        }),
        spec: Some(pod),
    };
    (template, errors)
}

fn environment(desired: &DesiredWorkload, key: &ServiceKey) -> Vec<EnvVar> {
    let plain = desired.spec.env.iter().map(|variable| EnvVar {
        name: variable.name.clone(),
        value: Some(variable.value.clone()),
        value_from: None,
    });
    let secret = desired
        .spec
        .secrets
        .iter()
        .filter(|secret| secret.path.is_none())
        .map(|secret| EnvVar {
            name: secret.name.clone(),
            value: None,
            value_from: Some(EnvVarSource {
                secret_key_ref: Some(SecretKeySelector {
                    name: revision_object(&key.service, desired.revision),
                    key: secret.name.clone(),
                    optional: None,
                }),
                ..EnvVarSource::default()
            }),
        });
    plain.chain(secret).collect()
}

fn resources(resources: &Resources, gpu: &GpuResource, errors: &mut Vec<FieldError>) -> ResourceRequirements {
    let mut read = |field: &str, text: &str| match quantity::canonical(text) {
        Some(written) => Quantity(written),
        None => {
            errors.push(FieldError {
                field: format!("resources.{field}"),
                message: format!("`{text}` is no quantity such as 500m or 1Gi"),
            });
            Quantity(String::new())
        }
    };
    let requests = [
        ("cpu".to_owned(), read("cpu_request", &resources.cpu_request)),
        (
            "memory".to_owned(),
            read("memory_request", &resources.memory_request),
        ),
    ];
    let mut limits = BTreeMap::from([
        ("cpu".to_owned(), read("cpu_limit", &resources.cpu_limit)),
        ("memory".to_owned(), read("memory_limit", &resources.memory_limit)),
    ]);
    // Devices are asked for by their limit alone; the cluster makes it the request of each pod.
    if resources.gpus > 0 {
        limits.insert(gpu.name().to_owned(), Quantity(resources.gpus.to_string()));
    }
    ResourceRequirements {
        requests: Some(BTreeMap::from(requests)),
        limits: Some(limits),
        ..ResourceRequirements::default()
    }
}

/// Nodes with GPUs commonly carry a taint of the GPUs' name. Whoever asks for some tolerates it, as Kubernetes' admission
/// plugin `ExtendedResourceToleration` has it where that is on.
fn toleration(gpu: &GpuResource) -> Toleration {
    Toleration {
        key: Some(gpu.name().to_owned()),
        operator: Some("Exists".to_owned()),
        effect: Some("NoSchedule".to_owned()),
        ..Toleration::default()
    }
}

fn probe(probe: &Probe) -> k8s_openapi::api::core::v1::Probe {
    use k8s_openapi::api::core::v1::Probe as Rendered;
    let timing = Rendered {
        initial_delay_seconds: Some(whole(probe.initial_delay_seconds)),
        period_seconds: Some(whole(probe.period_seconds)),
        timeout_seconds: Some(whole(probe.timeout_seconds)),
        failure_threshold: Some(whole(probe.failure_threshold)),
        ..Rendered::default()
    };
    match &probe.check {
        ProbeCheck::Http { path, port } => Rendered {
            http_get: Some(HTTPGetAction {
                path: Some(path.clone()),
                port: IntOrString::Int(i32::from(*port)),
                scheme: Some("HTTP".to_owned()),
                ..HTTPGetAction::default()
            }),
            ..timing
        },
        ProbeCheck::Tcp { port } => Rendered {
            tcp_socket: Some(TCPSocketAction {
                port: IntOrString::Int(i32::from(*port)),
                ..TCPSocketAction::default()
            }),
            ..timing
        },
        ProbeCheck::Exec { command } => Rendered {
            exec: Some(ExecAction {
                command: Some(command.clone()),
            }),
            ..timing
        },
    }
}

/// Kubernetes drops empty lists; leaving them out keeps what we apply and what it keeps the same.
fn given<T>(items: Vec<T>) -> Option<Vec<T>> {
    (!items.is_empty()).then_some(items)
}
