//! What a service runs: the spec that a revision freezes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The whole of what a service runs, image **and** config together. A revision holds one of these and
/// never changes; replicas and placement stand beside it, so that a rollback doesn't scale.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceSpec {
    /// Image reference: `registry/repository:tag` or `…@sha256:…`.
    pub image: String,
    /// Replaces the image's entrypoint.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// Replaces the image's arguments.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub args: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<EnvironmentVariable>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub config_files: Vec<ConfigFile>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<SecretEntry>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ports: Vec<ContainerPort>,
    /// Storage that outlives the replicas.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 16)]
    pub volumes: Vec<Volume>,
    #[serde(default)]
    pub resources: Resources,
    #[serde(default)]
    pub probes: Probes,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_aliases: Vec<HostAlias>,
    #[serde(default)]
    pub stop: Stop,
    #[serde(default)]
    pub rollout: Rollout,
    /// User id the containers run as; the image's own when absent. 0 is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_as_user: Option<i64>,
    /// Extra annotations on the pods.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EnvironmentVariable {
    pub name: String,
    #[serde(default)]
    pub value: String,
}

/// A text file mounted into every container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfigFile {
    /// Absolute path in the container.
    pub path: String,
    /// UTF-8 text, at most 512 KiB over all files of a service.
    pub content: String,
}

/// A secret, given as an environment variable or as a file.
///
/// Its value goes in and never comes out: replies carry `value: null` and a `fingerprint`. A change
/// that sends `value: null` keeps what the revision before it had under this name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretEntry {
    /// The environment variable's name, or the key of the file.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(format = Password)]
    pub value: Option<String>,
    /// Absolute path of a file to mount it as; an environment variable when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Tells whether two values are the same without telling either. Ignored on input.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerPort {
    /// Lower-case name, at most 15 characters: `http`.
    pub name: String,
    #[schema(minimum = 1, maximum = 65535)]
    pub port: u16,
    #[serde(default)]
    pub protocol: Protocol,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum Protocol {
    #[default]
    Tcp,
    Udp,
}

/// Storage that outlives the replicas: one claim on each cluster where the service runs, which all its replicas there
/// mount. What is in it on one cluster is not on another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// 1 to 20 lower-case letters and digits. The claim is `{service}-{name}`.
    #[schema(pattern = "^[a-z0-9]{1,20}$")]
    pub name: String,
    /// Absolute path of a folder in the container.
    pub mount_path: String,
    /// Of one claim, a Kubernetes quantity: `"10Gi"`. It can grow, not shrink.
    pub size: String,
    /// Each cluster's default class when absent. Never changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub storage_class: Option<String>,
    /// Never changes.
    #[serde(default)]
    pub access: VolumeAccess,
    /// The service can run with an empty one, as with a cache: it then moves to other clusters by itself though what is
    /// in the volume stays behind.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub may_start_empty: bool,
}

/// How many nodes of a cluster can mount a volume at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VolumeAccess {
    /// `ReadWriteOnce`; only for singletons, whose old replica ends before the new one starts.
    #[default]
    OneNode,
    /// `ReadWriteMany`, as of NFS and CephFS.
    ManyNodes,
}

/// What one replica asks for and may use. Kubernetes quantities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Resources {
    /// `"1"`, `"500m"`.
    pub cpu_request: String,
    pub cpu_limit: String,
    /// `"1Gi"`, `"256Mi"`.
    pub memory_request: String,
    pub memory_limit: String,
    /// Whole GPUs that one replica has for itself. The platform's configuration says as which resource of
    /// Kubernetes: `nvidia.com/gpu`.
    #[serde(skip_serializing_if = "is_none")]
    #[schema(maximum = 64)]
    pub gpus: u32,
}

/// What was never asked for is not written: specs from before there were GPUs stay the same to the letter.
fn is_none(gpus: &u32) -> bool {
    *gpus == 0
}

impl Default for Resources {
    /// 1 CPU and 1 GiB, no GPU.
    fn default() -> Self {
        Self {
            cpu_request: "1".into(),
            cpu_limit: "1".into(),
            memory_request: "1Gi".into(),
            memory_limit: "1Gi".into(),
            gpus: 0,
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Probes {
    /// Until it passes, the other two are not asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub startup: Option<Probe>,
    /// While it fails, the replica gets no traffic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub readiness: Option<Probe>,
    /// When it fails, the container is restarted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub liveness: Option<Probe>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    pub check: ProbeCheck,
    #[serde(default)]
    pub initial_delay_seconds: u32,
    #[serde(default = "default_period")]
    pub period_seconds: u32,
    #[serde(default = "default_timeout")]
    pub timeout_seconds: u32,
    #[serde(default = "default_failures")]
    pub failure_threshold: u32,
}

fn default_period() -> u32 {
    10
}
fn default_timeout() -> u32 {
    1
}
fn default_failures() -> u32 {
    3
}

/// How a probe asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum ProbeCheck {
    Http { path: String, port: u16 },
    Tcp { port: u16 },
    Exec { command: Vec<String> },
}

/// Lines of the containers' `/etc/hosts`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HostAlias {
    pub ip: String,
    pub hostnames: Vec<String>,
}

/// How a replica is stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Stop {
    /// Seconds between the stop signal and the kill.
    pub grace_period_seconds: u32,
    /// Runs in the container before the stop signal.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pre_stop_command: Vec<String>,
}

impl Default for Stop {
    fn default() -> Self {
        Self {
            grace_period_seconds: 30,
            pre_stop_command: Vec::new(),
        }
    }
}

/// How replicas are replaced on each cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rollout {
    /// Replicas more than wanted while rolling: a count or `"25%"`.
    pub max_surge: String,
    /// Replicas fewer than wanted while rolling: a count or `"25%"`.
    pub max_unavailable: String,
    /// Seconds without progress after which a rollout has failed.
    pub progress_deadline_seconds: u32,
    /// Seconds a replica must be ready before it counts.
    pub min_ready_seconds: u32,
}

impl Default for Rollout {
    fn default() -> Self {
        Self {
            max_surge: "25%".into(),
            max_unavailable: "0".into(),
            progress_deadline_seconds: 600,
            min_ready_seconds: 0,
        }
    }
}
