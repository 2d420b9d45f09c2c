#![doc = include_str!("../README.md")]

mod api;
mod app;
mod cluster;
pub mod config;
mod db;
mod index;
mod state;
mod tasks;

use api_types::common::FieldError;
use api_types::internal::DesiredWorkload;
use auth::Verifier;
use platform::Foundation;
use platform::server::Running;
use serde_json::Value;

pub use config::Config;

use crate::app::gpu::GpuResource;
use crate::state::AppState;

/// The service's name: in tokens, logs and leases.
pub const NAME: &str = "ipaas";

/// Starts the service and its loops; they stop with the foundation's shutdown.
pub async fn start(foundation: Foundation, config: Config) -> anyhow::Result<Running> {
    platform::foundation::install_tls_provider();
    let listen = config.listen;
    GpuResource::check(&config.gpu_resource).map_err(|why| anyhow::anyhow!("ipaas.gpu_resource: {why}"))?;
    let state = AppState::new(foundation.clone(), config);
    let router = api::router(state.clone(), Verifier::new(NAME, &foundation.master_key));
    foundation.tracker.spawn(tasks::members::run(state.clone()));
    foundation.tracker.spawn(tasks::flush::run(state.clone()));
    platform::server::start(NAME, listen, router, state, foundation.shutdown.clone()).await
}

/// The Kubernetes objects of a service, in the order they are applied; GPUs under their usual name.
///
/// # Errors
/// The fields that Kubernetes would not take.
pub fn objects(desired: &DesiredWorkload) -> Result<Vec<Value>, Vec<FieldError>> {
    let rendered = app::render::render(desired, &GpuResource::default())?;
    Ok(rendered.into_iter().map(|rendered| rendered.body).collect())
}

/// The public API's document, also committed as `openapi.json`.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    api::public().into_openapi()
}
