#![doc = include_str!("../README.md")]

mod api;
mod app;
pub mod config;
mod db;
mod paths;
mod state;
mod tasks;

use api_types::common::FieldError;
use api_types::spec::ServiceSpec;
use auth::{Issuer, Verifier};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use clients::{Endpoint, IpaasClient};
use platform::Foundation;
use platform::server::{Ready, Running};

/// Pure, and of use without the service: what it decides, and how fast, can be seen from outside.
pub use app::autoscale;
pub use app::placement;
pub use config::Config;
use state::{AppState, Inner};
use tasks::work::Work;

const NAME: &str = "cluster-mgr";

/// Serves the API and runs the loops until the foundation's shutdown.
pub async fn start(foundation: Foundation, config: Config) -> anyhow::Result<Running> {
    let listen = config.listen;
    let verifier = Verifier::new(NAME, &foundation.master_key);
    let issuer = Issuer::new(NAME, &foundation.master_key);
    let ipaas = Endpoint::new(foundation.http.clone(), &config.ipaas_url, "ipaas", issuer);
    let driver = foundation.driver(tasks::LEASE);
    let state = AppState::new(Inner {
        ipaas: IpaasClient::new(ipaas),
        outbox: db::Outbox::default(),
        work: Work::new(config.dispatches, config.dispatches_per_cluster),
        statuses: driver.statuses.clone(),
        foundation: foundation.clone(),
        config,
    });
    tasks::start(&state, &driver);
    platform::server::start(
        NAME,
        listen,
        router(state.clone(), verifier),
        state,
        foundation.shutdown,
    )
    .await
}

fn router(state: AppState, verifier: Verifier) -> Router {
    let (public, _) = api::public().split_for_parts();
    public
        .merge(api::internal().layer(from_fn(auth::middleware::require_service)))
        .layer(from_fn_with_state(verifier, auth::middleware::require_token))
        .with_state(state)
}

impl Ready for AppState {
    async fn waits_for(&self) -> Vec<String> {
        match db::changes::newest(&self.foundation.database).await {
            Ok(_) => Vec::new(),
            Err(_) => vec!["the database".to_owned()],
        }
    }
}

/// What of a spec can't be taken, by itself.
#[must_use]
pub fn refusals(spec: &ServiceSpec) -> Vec<FieldError> {
    let mut fields = app::validation::Fields::default();
    app::validation::spec::check(spec, &mut fields);
    fields.into()
}

/// The public API's document, also committed as `openapi.json`.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    api::public().into_openapi()
}
