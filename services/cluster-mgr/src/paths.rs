//! The parameters in the paths.

use api_types::common::OperationId;
use serde::Deserialize;
use utoipa::IntoParams;

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ClusterPath {
    /// A cluster's name.
    pub cluster: String,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ProjectPath {
    /// A project's name.
    pub project: String,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct EnvironmentPath {
    /// A project's name.
    pub project: String,
    /// The name of one of its environments.
    pub environment: String,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ServicePath {
    /// A project's name.
    pub project: String,
    /// The name of one of its environments.
    pub environment: String,
    /// The name of a service in it.
    pub service: String,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RevisionPath {
    /// A project's name.
    pub project: String,
    /// The name of one of its environments.
    pub environment: String,
    /// The name of a service in it.
    pub service: String,
    /// A revision's number.
    pub revision: i64,
}

#[derive(Clone, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ClaimPath {
    /// A project's name.
    pub project: String,
    /// The name of one of its environments.
    pub environment: String,
    /// A cluster's name.
    pub cluster: String,
    /// The claim's name.
    pub claim: String,
}

#[derive(Clone, Copy, Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OperationPath {
    /// An operation's id.
    #[param(value_type = String, format = Uuid)]
    pub operation: OperationId,
}

impl RevisionPath {
    pub fn service(&self) -> ServicePath {
        ServicePath {
            project: self.project.clone(),
            environment: self.environment.clone(),
            service: self.service.clone(),
        }
    }
}
