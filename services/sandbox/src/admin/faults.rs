//! Faults over the admin endpoint.

use http::{Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use super::{Refusal, invalid, not_found};
use crate::api::body::{self, Body};
use crate::faults::{Order, schedule};
use crate::handle::ClusterHandle;

/// What a schedule is made of.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    seed: u64,
    seconds: f64,
    /// None: every fault that can be scheduled.
    #[serde(default)]
    types: Vec<String>,
}

/// `faults`, `faults/{id}`, `faults/schedule`.
pub fn answer(
    cluster: &ClusterHandle,
    method: &Method,
    rest: &[&str],
    given: Value,
) -> Result<Response<Body>, Refusal> {
    let faults = cluster.faults();
    match (method.as_str(), rest) {
        ("GET", []) => {}
        ("DELETE", []) => faults.clear_all(),
        ("POST", []) => {
            let order = Order::read(given).map_err(invalid)?;
            let number = faults.put_on(order);
            let shown = faults.describe();
            let on = shown["items"].as_array().into_iter().flatten();
            let on = on.into_iter().find(|one| one["id"] == number).cloned();
            return Ok(body::json(StatusCode::CREATED, &on.unwrap_or_default()));
        }
        ("POST", ["schedule"]) => {
            let wanted: Wanted = serde_json::from_value(given).map_err(|error| invalid(error.to_string()))?;
            let types: Vec<&str> = wanted.types.iter().map(String::as_str).collect();
            let planned = schedule(wanted.seed, wanted.seconds, &types, &cluster.nodes()).map_err(invalid)?;
            faults.play(planned);
        }
        ("DELETE", [number]) => {
            let known = number.parse().is_ok_and(|number| faults.clear(number));
            if !known {
                return Err(not_found(format!("there is no fault {number:?}")));
            }
        }
        _ => {
            return Err(not_found(
                "faults have GET, POST and DELETE, DELETE {id}, and POST schedule".into(),
            ));
        }
    }
    Ok(body::json(StatusCode::OK, &faults.describe()))
}
