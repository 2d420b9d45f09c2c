//! What the sandbox is told.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::fill::Fill;

/// The sandbox: its clusters and where it keeps them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct SandboxConfig {
    pub clusters: Vec<ClusterConfig>,
    /// Address of the API servers; loopback.
    pub listen: IpAddr,
    /// The first cluster's port, the others follow. None: the system picks each one, and the
    /// picked one is kept across restarts.
    pub base_port: Option<u16>,
    pub data_dir: PathBuf,
    /// Port of the admin endpoint; none: no admin endpoint; 0: the system picks.
    pub admin_port: Option<u16>,
    /// Decides how long pods take to start and the like.
    pub seed: u64,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            clusters: vec![ClusterConfig::default()],
            listen: Ipv4Addr::LOCALHOST.into(),
            base_port: None,
            data_dir: PathBuf::from("sandbox-data"),
            admin_port: None,
            seed: 0,
        }
    }
}

/// One simulated cluster.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default)]
pub struct ClusterConfig {
    pub name: String,
    pub region: String,
    pub nodes: u32,
    /// Capacity of a node, as quantities.
    pub node_cpu: String,
    pub node_memory: String,
    /// Pods a node takes.
    pub node_pods: u32,
    /// So many of its nodes, the first ones, have `node_gpus` GPUs each.
    pub gpu_nodes: u32,
    pub node_gpus: u32,
    /// The extended resource that GPUs are.
    pub gpu_resource: String,
    /// Written to disk, and there again after a restart.
    pub keep: bool,
    /// Pods don't listen, and cost next to nothing while they are at rest.
    pub light_pods: bool,
    /// What it is filled with when it is new.
    pub fill: Option<Fill>,
    /// How long nothing may be heard of a node until it counts as unreachable.
    pub node_grace_seconds: f64,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self {
            name: "east".into(),
            region: "east".into(),
            nodes: 3,
            node_cpu: "8".into(),
            node_memory: "32Gi".into(),
            node_pods: 110,
            gpu_nodes: 0,
            node_gpus: 4,
            gpu_resource: "nvidia.com/gpu".into(),
            keep: true,
            light_pods: false,
            fill: None,
            node_grace_seconds: 40.0,
        }
    }
}
