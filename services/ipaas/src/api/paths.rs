//! The parts of the paths.

use serde::Deserialize;
use utoipa::IntoParams;

use crate::app::pods::PodPlace;

/// A pod of an environment on a cluster.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct PodPath {
    /// Name of the project.
    pub project: String,
    /// Name of the environment.
    pub environment: String,
    /// Name of the cluster.
    pub cluster: String,
    /// Name of the pod.
    pub pod: String,
}

impl From<PodPath> for PodPlace {
    fn from(path: PodPath) -> Self {
        Self {
            project: path.project,
            environment: path.environment,
            cluster: path.cluster,
            pod: path.pod,
        }
    }
}

/// A service of an environment.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ServicePath {
    /// Name of the project.
    pub project: String,
    /// Name of the environment.
    pub environment: String,
    /// Name of the service.
    pub service: String,
}

/// A cluster.
#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ClusterPath {
    /// Name of the cluster.
    pub cluster: String,
}
