//! The one place where a refusal becomes a status and `{code, message, request_id, details}`.
//!
//! 4xx say what the caller can do about it; 503 is worth trying again; 500 is a bug. What went wrong
//! inside is logged once, here, and never told to the caller.

use std::borrow::Cow;
use std::error::Error as StdError;

use api_types::common::{ErrorBody, FieldError};
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use sea_orm::DbErr;
use serde_json::{Value, json};

use crate::server::request_id;

/// What an API operation answers with.
pub type ApiResult<T> = Result<T, ApiError>;

/// A refusal on its way out.
#[derive(Debug, thiserror::Error)]
#[error("{code}: {message}")]
pub struct ApiError {
    pub status: StatusCode,
    /// Stable, for programs.
    pub code: Cow<'static, str>,
    /// For people: what was tried, on what, why it failed, what to do.
    pub message: String,
    pub details: Value,
    #[source]
    pub source: Option<Box<dyn StdError + Send + Sync>>,
}

impl ApiError {
    pub fn new(status: StatusCode, code: impl Into<Cow<'static, str>>, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            message: message.into(),
            details: Value::Null,
            source: None,
        }
    }

    #[must_use]
    pub fn with_details(mut self, details: Value) -> Self {
        self.details = details;
        self
    }

    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// 400: the request cannot be read.
    pub fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// 422 `invalid_spec`: the request reads well, but these fields can't be taken.
    #[must_use]
    pub fn fields(fields: Vec<FieldError>) -> Self {
        let message = match fields.as_slice() {
            [only] => format!("{}: {}", only.field, only.message),
            [first, ..] => {
                format!(
                    "{}: {} (and {} more)",
                    first.field,
                    first.message,
                    fields.len() - 1
                )
            }
            [] => "the request can't be taken".to_owned(),
        };
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_spec", message)
            .with_details(json!({ "fields": fields }))
    }

    /// 404: it is not there, or the caller may not know that it is.
    pub fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            format!("{what} doesn't exist"),
        )
    }

    /// 409.
    pub fn conflict(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, code, message)
    }

    /// 403.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// 401.
    pub fn not_signed_in(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "not_signed_in", message)
    }

    /// 503: worth trying again.
    pub fn unavailable(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, code, message)
    }

    /// 503: nothing was done, as the database is away.
    #[must_use]
    pub fn database_unavailable() -> Self {
        Self::unavailable(
            "database_unavailable",
            "the database doesn't answer; try again in a moment",
        )
    }

    /// 500: a bug. The source is logged, never told.
    pub fn internal(source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal",
            "something broke on our side; the request id finds it in the logs",
        )
        .with_source(source)
    }

    fn log(&self) {
        if self.status.is_server_error() {
            let source = self
                .source
                .as_deref()
                .map(|source| chain(source))
                .unwrap_or_default();
            tracing::error!(
                error.code = %self.code,
                error.message = %self.message,
                error.source = %source,
                status = self.status.as_u16(),
                "request failed"
            );
        }
    }
}

/// An error and everything under it, in one line.
#[must_use]
pub fn chain(error: &(dyn StdError + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let body = ErrorBody {
            code: self.code.into_owned(),
            message: self.message,
            request_id: request_id(),
            details: self.details,
        };
        let mut response = (self.status, Json(body)).into_response();
        if self.status == StatusCode::SERVICE_UNAVAILABLE || self.status == StatusCode::TOO_MANY_REQUESTS {
            response
                .headers_mut()
                .insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("2"));
        }
        response
    }
}

impl From<DbErr> for ApiError {
    /// A database that is away is 503; anything else it says is a bug of ours.
    fn from(error: DbErr) -> Self {
        if crate::database::is_unavailable(&error) {
            Self::database_unavailable().with_source(error)
        } else {
            Self::internal(error)
        }
    }
}

impl From<crate::crypto::CryptoError> for ApiError {
    fn from(error: crate::crypto::CryptoError) -> Self {
        Self::internal(error)
    }
}
