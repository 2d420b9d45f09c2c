//! HTTP only: extract, call, shape the reply.

mod api_tokens;
mod audit;
mod bindings;
mod documents;
pub mod door;
mod environment_members;
pub mod forward;
mod headers;
mod locks;
mod members;
mod object;
mod origin;
mod record;
mod session;
mod sessions;
mod simulation;
mod socket;
mod stream;
mod users;
pub mod web;

use axum::Router;
use axum::extract::{FromRequestParts, State};
use axum::middleware::from_fn_with_state;
use axum::routing::{any, get};
use http::request::Parts;
use platform::ApiError;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{NotForContentType, Predicate as _, SizeAbove};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::identity::Identity;
use crate::state::AppState;

/// Below this a compressed answer is no faster.
const COMPRESSED_ABOVE_BYTES: u64 = 1024;

/// The whole portal.
pub fn router(state: AppState) -> Router {
    let own: Router<AppState> = own().into();
    let operations = own.route("/api/v1/{*rest}", any(forward::forward));
    let door = door::Door {
        state: state.clone(),
        behind: operations.clone().with_state(state.clone()),
    };
    let api = operations
        .layer(from_fn_with_state(door, door::door))
        .route("/api/openapi.json", get(documents::openapi))
        .route("/api/docs", get(documents::page))
        .route("/api/docs/{file}", get(documents::file))
        .route("/api", any(documents::nothing))
        .route("/api/{*rest}", any(documents::nothing))
        .route("/internal/{*rest}", any(documents::nothing));
    // Events and lines must leave as they come.
    let worth = SizeAbove::new(COMPRESSED_ABOVE_BYTES)
        .and(NotForContentType::SSE)
        .and(NotForContentType::const_new("application/x-ndjson"))
        .and(NotForContentType::IMAGES)
        .and(NotForContentType::const_new("font/"));
    api.fallback(web::serve)
        .layer(CompressionLayer::new().gzip(true).compress_when(worth))
        .layer(from_fn_with_state(state.clone(), headers::secure))
        .with_state(state)
}

/// The document of the portal's own operations.
#[must_use]
pub fn own_document() -> utoipa::openapi::OpenApi {
    own().into_openapi()
}

fn own() -> OpenApiRouter<AppState> {
    #[derive(OpenApi)]
    #[openapi(
        info(title = "Longshore: portal", description = "Sign-in, users, roles, audit and live updates."),
        components(schemas(api_types::audit::AuditFormat, api_types::changes::Change)),
        tags(
            (name = "session", description = "Signing in and out"),
            (name = "access", description = "Users, their roles, API tokens"),
            (name = "audit", description = "Who changed what"),
            (name = "live", description = "What changes, as it changes"),
            (name = "simulation", description = "Load on services of simulated clusters")
        )
    )]
    struct Document;

    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(
            session::create_session,
            session::get_session,
            session::delete_session
        ))
        .routes(routes!(api_tokens::list_api_tokens, api_tokens::create_api_token))
        .routes(routes!(api_tokens::delete_api_token))
        .routes(routes!(api_tokens::list_api_tokens_of_user))
        .routes(routes!(sessions::list_sessions, sessions::delete_other_sessions))
        .routes(routes!(sessions::end_session))
        .routes(routes!(
            sessions::list_sessions_of_user,
            sessions::end_sessions_of_user
        ))
        .routes(routes!(locks::list_sign_in_locks))
        .routes(routes!(locks::lift_sign_in_lock))
        .routes(routes!(bindings::list_roles))
        .routes(routes!(members::list_members, members::create_member))
        .routes(routes!(members::get_member, members::delete_member))
        .routes(routes!(members::list_member_candidates))
        .routes(routes!(
            environment_members::list_environment_members,
            environment_members::create_environment_member
        ))
        .routes(routes!(
            environment_members::get_environment_member,
            environment_members::delete_environment_member
        ))
        .routes(routes!(environment_members::list_environment_member_candidates))
        .routes(routes!(users::list_users, users::create_user))
        .routes(routes!(users::get_user, users::update_user, users::delete_user))
        .routes(routes!(users::set_user_password))
        .routes(routes!(bindings::list_bindings, bindings::create_binding))
        .routes(routes!(bindings::get_binding, bindings::delete_binding))
        .routes(routes!(audit::list_audit))
        .routes(routes!(audit::export_audit))
        .routes(routes!(audit::get_audit_record))
        .routes(routes!(stream::stream_changes))
        .routes(routes!(
            simulation::get_simulated_load,
            simulation::put_simulated_load,
            simulation::delete_simulated_load
        ))
}

/// The caller, as the door let them in.
pub struct Who(pub std::sync::Arc<Identity>);

impl FromRequestParts<AppState> for Who {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<std::sync::Arc<Identity>>()
            .cloned()
            .map(Self)
            .ok_or_else(not_signed_in)
    }
}

fn not_signed_in() -> ApiError {
    ApiError::not_signed_in("sign in first, or send an API token")
}

/// For handlers that need nothing but the state.
type Shared = State<AppState>;
