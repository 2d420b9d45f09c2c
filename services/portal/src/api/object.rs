//! Reading what a change is made on, before and after it, the way its caller would.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::response::{IntoResponse as _, Response};
use http::header::{ACCEPT, CONTENT_TYPE};
use http::{Method, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use platform::ApiError;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::app::identity::Identity;
use crate::app::object::{self, Object, wanted};
use crate::app::routes::Matched;
use crate::state::AppState;

/// The header that says that nobody asked for this but the audit.
pub const PURPOSE: &str = "x-longshore-purpose";
/// A change waits no longer than this to be told what it is made on.
const READ_AT_MOST: Duration = Duration::from_secs(3);
const LARGEST: usize = 1024 * 1024;

/// Reads the object of one change.
pub struct Reader {
    state: AppState,
    change: Matched,
    identity: Arc<Identity>,
    object: Object,
    behind: Router,
}

impl Reader {
    /// Nothing when the change has no object that can be read.
    pub fn of(
        state: &AppState,
        change: &Matched,
        identity: &Arc<Identity>,
        path: &str,
        body: &Value,
        behind: Router,
    ) -> Option<Self> {
        let object = object::of(&state.routes, change, path, body);
        (object != Object::None).then(|| Self {
            state: state.clone(),
            change: change.clone(),
            identity: Arc::clone(identity),
            object,
            behind,
        })
    }

    pub async fn before(&self) -> Option<Value> {
        match &self.object {
            Object::Present(path) => self.read(path).await,
            Object::Made(_) | Object::None => None,
        }
    }

    /// With the answer to the change, which tells what was made where nothing else does.
    pub async fn after(self, response: Response) -> (Response, Option<Value>) {
        match &self.object {
            Object::Present(path) => {
                let after = self.read(path).await;
                (response, after)
            }
            Object::Made(place) => {
                let read = match place {
                    Some(path) => self.read(path).await,
                    None => None,
                };
                match read {
                    Some(made) => (response, Some(made)),
                    None => self.answered(response).await,
                }
            }
            Object::None => (response, None),
        }
    }

    async fn read(&self, path: &str) -> Option<Value> {
        let matched = self.state.routes.find(&Method::GET, path).ok()?;
        let secrets = matched.operation.answer_secrets.clone();
        let mut request = Request::get(path)
            .header(ACCEPT, "application/json")
            .header(PURPOSE, "audit")
            .body(Body::empty())
            .ok()?;
        request.extensions_mut().insert(Arc::clone(&self.identity));
        request.extensions_mut().insert(matched);
        let behind = self.behind.clone();
        let read = async {
            let response = behind.oneshot(request).await.ok()?;
            if response.status() != StatusCode::OK {
                return None;
            }
            let body = Limited::new(response.into_body(), LARGEST).collect().await.ok()?;
            serde_json::from_slice(&body.to_bytes()).ok()
        };
        let object = tokio::time::timeout(READ_AT_MOST, read).await.ok()??;
        Some(secrets.take_out(&wanted(object)))
    }

    async fn answered(&self, response: Response) -> (Response, Option<Value>) {
        let json = response
            .headers()
            .get(CONTENT_TYPE)
            .is_some_and(|value| value.to_str().is_ok_and(|text| text.contains("json")));
        if !json {
            return (response, None);
        }
        let (parts, body) = response.into_parts();
        let bytes = match body.collect().await {
            Ok(collected) => collected.to_bytes(),
            Err(error) => {
                let error = ApiError::unavailable(
                    "service_unavailable",
                    "the service's answer broke off; look whether it was done before you try again",
                )
                .with_source(error);
                return (error.into_response(), None);
            }
        };
        let made = serde_json::from_slice(&bytes)
            .ok()
            .map(|made| self.change.operation.answer_secrets.take_out(&wanted(made)));
        (Response::from_parts(parts, Body::from(bytes)), made)
    }
}
