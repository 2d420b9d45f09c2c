//! Loads and queries over the admin endpoint.

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use super::{LARGEST, Refusal, invalid, not_found};
use crate::api::body::{self, Body};
use crate::api::query::Query;
use crate::handle::ClusterHandle;
use crate::load::Plan;

/// `load`, `load/{namespace}/{service}`.
pub fn answer(
    cluster: &ClusterHandle,
    method: &Method,
    rest: &[&str],
    given: Value,
) -> Result<Response<Body>, Refusal> {
    match (method.as_str(), rest) {
        ("GET", []) => {}
        ("PUT", [namespace, service]) => {
            cluster.put_load(namespace, service, Plan::read(given).map_err(invalid)?);
        }
        ("DELETE", [namespace, service]) => {
            if !cluster.remove_load(namespace, service) {
                return Err(not_found(format!("there is no load on {namespace}/{service}")));
            }
        }
        _ => {
            return Err(not_found(
                "load has GET, and PUT and DELETE {namespace}/{service}".into(),
            ));
        }
    }
    Ok(body::json(StatusCode::OK, &cluster.cluster().load.describe()))
}

/// The query API of Prometheus, without TLS and tokens.
pub async fn query(
    cluster: &ClusterHandle,
    range: bool,
    request: Request<Incoming>,
) -> Result<Response<Body>, Refusal> {
    let mut text = request.uri().query().unwrap_or("").to_owned();
    let limited = http_body_util::Limited::new(request.into_body(), LARGEST);
    let form = limited
        .collect()
        .await
        .map_err(|error| invalid(error.to_string()))?
        .to_bytes();
    text.push('&');
    text.push_str(&String::from_utf8_lossy(&form));
    let (answer, fine) = crate::load::query::answer(cluster.cluster(), range, &Query::parse(&text));
    let status = if fine {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    Ok(body::json(status, &answer))
}
