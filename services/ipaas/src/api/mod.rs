//! HTTP only: extract, call, shape the reply.

mod events;
mod internal;
mod log_socket;
mod logs;
mod nodes;
mod paths;
mod pods;
mod service_logs;

use auth::Verifier;
use auth::middleware::{require_service, require_token};
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

/// What people call, through the portal.
pub fn public() -> OpenApiRouter<AppState> {
    #[derive(OpenApi)]
    #[openapi(
        info(title = "Longshore: ipaas", description = "Pods, logs, events and nodes of every cluster."),
        components(schemas(api_types::logs::LogFrame, api_types::logs::ServiceLogFrame)),
        tags(
            (name = "pods", description = "Pods over all clusters, their logs and events"),
            (name = "clusters", description = "Clusters and their nodes")
        )
    )]
    struct Document;

    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(pods::list_pods))
        .routes(routes!(pods::list_service_pods))
        .routes(routes!(pods::get_pod, pods::delete_pod))
        .routes(routes!(logs::get_pod_log))
        .routes(routes!(logs::stream_pod_log))
        .routes(routes!(service_logs::get_service_log))
        .routes(routes!(service_logs::stream_service_log))
        .routes(routes!(events::list_pod_events))
        .routes(routes!(events::list_service_events))
        .routes(routes!(nodes::list_nodes))
}

/// The whole router: the public API for callers that the portal vouches for, the internal one for
/// services.
pub fn router(state: AppState, verifier: Verifier) -> Router {
    let (public, _) = public().split_for_parts();
    let internal = internal::router().layer(from_fn(require_service));
    public
        .merge(internal)
        .layer(from_fn_with_state(verifier, require_token))
        .with_state(state)
}
