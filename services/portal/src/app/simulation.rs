//! Load on services of simulated clusters, put there through the simulation's admin endpoint.

use std::time::Duration;

use api_types::common::FieldError;
use api_types::projects::namespace;
use api_types::simulation::{NewSimulatedLoad, SimulatedLoad};
use http::Method;
use platform::{ApiError, ApiResult};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::state::AppState;

const TIMEOUT: Duration = Duration::from_secs(5);
const MOST_REQUESTS: f64 = 1e6;
const MOST_CPU_MILLISECONDS: f64 = 60_000.0;
const LONGEST_RAMP_SECONDS: u32 = 86_400;

/// A service.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub project: &'a str,
    pub environment: &'a str,
    pub service: &'a str,
}

pub async fn get(state: &AppState, place: Place<'_>) -> ApiResult<SimulatedLoad> {
    call(state, place, Method::GET, &Value::Null).await
}

/// A new load begins where the one before it is.
pub async fn put(state: &AppState, place: Place<'_>, new: NewSimulatedLoad) -> ApiResult<SimulatedLoad> {
    check(&new)?;
    let to = new.requests_per_second;
    let shape = if new.ramp_seconds == 0 {
        json!({ "type": "constant", "rps": to })
    } else {
        let from = get(state, place).await?.now;
        json!({ "type": "ramp", "from": from, "to": to, "seconds": new.ramp_seconds })
    };
    let plan = json!({ "shape": shape, "cpu_milliseconds": new.cpu_milliseconds });
    call(state, place, Method::PUT, &plan).await
}

pub async fn delete(state: &AppState, place: Place<'_>) -> ApiResult<SimulatedLoad> {
    call(state, place, Method::DELETE, &Value::Null).await
}

fn check(new: &NewSimulatedLoad) -> ApiResult<()> {
    let mut fields = Vec::new();
    let mut within = |field: &str, value: f64, most: f64| {
        if !(0.0..=most).contains(&value) {
            fields.push(FieldError {
                field: field.to_owned(),
                message: format!("must be 0 to {most}"),
            });
        }
    };
    within("requests_per_second", new.requests_per_second, MOST_REQUESTS);
    within("cpu_milliseconds", new.cpu_milliseconds, MOST_CPU_MILLISECONDS);
    within(
        "ramp_seconds",
        f64::from(new.ramp_seconds),
        f64::from(LONGEST_RAMP_SECONDS),
    );
    if fields.is_empty() {
        Ok(())
    } else {
        Err(ApiError::fields(fields))
    }
}

/// What the admin endpoint tells.
#[derive(Deserialize)]
struct Told {
    load: Option<On>,
}

#[derive(Deserialize)]
struct On {
    shape: Value,
    cpu_milliseconds: f64,
    rps: f64,
}

impl On {
    fn to_load(&self) -> NewSimulatedLoad {
        let number = |name: &str| self.shape[name].as_f64();
        NewSimulatedLoad {
            requests_per_second: number("to").or(number("rps")).unwrap_or(self.rps),
            ramp_seconds: number("seconds").unwrap_or(0.0) as u32,
            cpu_milliseconds: self.cpu_milliseconds,
        }
    }
}

async fn call(state: &AppState, place: Place<'_>, method: Method, body: &Value) -> ApiResult<SimulatedLoad> {
    let base = state.config.simulation_url.as_deref().ok_or_else(|| {
        ApiError::conflict(
            "not_simulated",
            "the clusters are real, so no load can be put on their services from here",
        )
    })?;
    let url = format!(
        "{base}/load/{}/{}",
        namespace(place.project, place.environment),
        place.service
    );
    let request = state.upstream.request(method, url).timeout(TIMEOUT).json(body);
    let read = async {
        let response = request.send().await?.error_for_status()?;
        response.json::<Told>().await
    };
    let told = read.await.map_err(|error| {
        ApiError::unavailable(
            "simulation_unavailable",
            "the simulated clusters don't answer; try again in a moment",
        )
        .with_source(error)
    })?;
    Ok(SimulatedLoad {
        load: told.load.as_ref().map(On::to_load),
        now: told.load.as_ref().map_or(0.0, |on| on.rps),
    })
}
