//! Load on services of simulated clusters, as a newcomer puts it on to see what the platform does.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The load to put on a service, over all of its clusters together, shared among its ready replicas.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSimulatedLoad {
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub requests_per_second: f64,
    /// It grows, or shrinks, to that evenly in so many seconds; 0 is at once.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 86_400)]
    pub ramp_seconds: u32,
    /// CPU time that a request takes, in milliseconds.
    #[serde(default = "five")]
    #[schema(minimum = 0, maximum = 60_000)]
    pub cpu_milliseconds: f64,
}

fn five() -> f64 {
    5.0
}

/// The load that is on a service.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SimulatedLoad {
    /// What was put on; absent when nothing is.
    pub load: Option<NewSimulatedLoad>,
    /// Requests a second now.
    pub now: f64,
}
