//! Turns callers without a good token away, and hands the caller to the handlers.

use axum::extract::{FromRequestParts, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::header::AUTHORIZATION;
use http::request::Parts;
use platform::ApiError;

use crate::caller::Caller;
use crate::token::Verifier;

/// For `axum::middleware::from_fn_with_state(verifier, require_token)`.
pub async fn require_token(State(verifier): State<Verifier>, mut request: Request, next: Next) -> Response {
    let token = request
        .headers()
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = token else {
        return ApiError::not_signed_in("this service is reached through the portal only").into_response();
    };
    match verifier.verify(token) {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            next.run(request).await
        }
        Err(error) => {
            tracing::debug!(error = %platform::error::chain(&error), "a token was turned away");
            ApiError::not_signed_in("the token isn't good for this service").into_response()
        }
    }
}

/// Lets only the platform's own services in; for `/internal/v1`.
pub async fn require_service(caller: Caller, request: Request, next: Next) -> Response {
    if caller.is_service() {
        next.run(request).await
    } else {
        ApiError::not_found("this path").into_response()
    }
}

impl<S: Sync> FromRequestParts<S> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        parts
            .extensions
            .get::<Self>()
            .cloned()
            .ok_or_else(|| ApiError::not_signed_in("this needs a signed-in caller"))
    }
}
