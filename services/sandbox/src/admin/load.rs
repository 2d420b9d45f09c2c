//! Loads and queries over the admin endpoint.

use std::sync::Arc;

use http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};

use super::{LARGEST, Refusal, invalid, not_found};
use crate::api::body::{self, Body};
use crate::api::query::Query;
use crate::handle::ClusterHandle;
use crate::load::{Plan, Takers};

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

/// `load/{namespace}/{service}` over all clusters: shared among the ready pods of all of them, as a balancer before the
/// clusters would.
pub fn over_all(
    clusters: &[ClusterHandle],
    method: &Method,
    rest: &[&str],
    given: Value,
) -> Result<Response<Body>, Refusal> {
    let [namespace, service] = rest else {
        return Err(not_found(
            "load over all clusters has GET, PUT and DELETE {namespace}/{service}".into(),
        ));
    };
    match *method {
        Method::GET => {}
        Method::PUT => {
            let plan = Plan::read(given).map_err(invalid)?;
            let takers = Arc::new(Takers::default());
            for cluster in clusters {
                cluster.share_load(namespace, service, plan.clone(), takers.clone());
            }
        }
        Method::DELETE => {
            for cluster in clusters {
                cluster.remove_load(namespace, service);
            }
        }
        _ => return Err(not_found(format!("load has no {method}"))),
    }
    let on = clusters.iter().find_map(|cluster| {
        let described = cluster.cluster().load.describe();
        let mut items = described["items"].as_array().into_iter().flatten();
        items
            .find(|on| on["namespace"] == *namespace && on["service"] == *service)
            .cloned()
    });
    Ok(body::json(StatusCode::OK, &json!({ "load": on })))
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
