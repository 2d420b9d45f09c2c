//! What can go wrong, as callers write it.

use std::time::Duration;

use rand::RngExt as _;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

/// Something that is wrong with a cluster while it is on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", deny_unknown_fields)]
pub enum Fault {
    /// The API server is gone: connections break, new ones are refused. What runs goes on.
    Down {},
    /// The API server comes and goes.
    Flapping { up_seconds: f64, down_seconds: f64 },
    /// Answers take longer.
    Slow { latency: Latency },
    /// Some callers don't get through; the others don't notice.
    ClientsCut {
        #[serde(default)]
        manner: Manner,
    },
    /// Requests are refused with 429.
    TooManyRequests {
        #[serde(default = "all")]
        share: f64,
        #[serde(default = "one")]
        retry_after_seconds: u64,
    },
    /// The history of changes is forgotten at once, and again every so often: watches get 410.
    ExpiredWatches {
        #[serde(default)]
        every_seconds: Option<f64>,
    },
    /// Connections break in the middle of an answer.
    DroppedBodies {
        #[serde(default = "all")]
        share: f64,
        /// How much of an answer still goes out.
        #[serde(default)]
        after_bytes: usize,
    },
    /// The API answers and its kubelets don't reach it: nothing new is heard of their pods, which run on.
    KubeletsCut {
        /// None: every node.
        #[serde(default)]
        nodes: Vec<String>,
    },
    /// The machine is off, with all that ran on it; when the fault ends it starts anew.
    NodeLost { node: String },
    /// What the agent inside says outside doesn't get through; who runs the agent asks for it.
    AgentCut {},
    /// The cluster's clock is wrong, by so much ahead (or behind, below zero).
    ClockSkew { seconds: f64 },
}

fn all() -> f64 {
    1.0
}

fn one() -> u64 {
    1
}

/// What happens to callers that don't get through.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Manner {
    /// Nothing comes back, as when packets are dropped.
    #[default]
    Hang,
    /// The connection is closed.
    Close,
}

/// How long something takes, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Latency {
    Fixed(f64),
    /// Evenly between two.
    Between(f64, f64),
    /// Mostly short with a long tail, as networks and loaded servers are.
    LogNormal {
        median: f64,
        p99: f64,
    },
}

/// Longer than this nothing is made to take.
const LONGEST: f64 = 600_000.0;

impl Latency {
    pub(super) fn draw(&self, random: &mut StdRng) -> Duration {
        let milliseconds = match *self {
            Self::Fixed(milliseconds) => milliseconds,
            Self::Between(least, most) => least + (most - least) * random.random::<f64>(),
            Self::LogNormal { median, p99 } => {
                // The 99th percentile of the normal distribution lies 2.3263 deviations above the middle.
                let deviation = (p99 / median).ln() / 2.3263;
                let (one, two): (f64, f64) = (random.random(), random.random());
                let normal = (-2.0 * (1.0 - one).ln()).sqrt() * (std::f64::consts::TAU * two).cos();
                median * (deviation * normal).exp()
            }
        };
        Duration::from_secs_f64(milliseconds.clamp(0.0, LONGEST) / 1000.0)
    }

    fn complaint(&self) -> Option<&'static str> {
        let fine = |number: f64| (0.0..=LONGEST).contains(&number);
        match *self {
            Self::Fixed(milliseconds) if !fine(milliseconds) => Some("latency.fixed must be 0 to 600000"),
            Self::Between(least, most) if !(fine(least) && fine(most) && least <= most) => {
                Some("latency.between must be two numbers of 0 to 600000, the smaller one first")
            }
            Self::LogNormal { median, p99 } if !(median > 0.0 && fine(p99) && p99 >= median) => {
                Some("latency.log_normal needs a median above 0 and a p99 that is not below it")
            }
            _ => None,
        }
    }
}

/// Whose requests a fault is about; what is left out does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Only {
    /// Names of users, as the cluster knows them.
    pub users: Vec<String>,
    /// Beginnings of user agents.
    pub agents: Vec<String>,
    /// Beginnings of paths.
    pub paths: Vec<String>,
    /// HTTP methods.
    pub methods: Vec<String>,
}

/// A fault to put on: for how long, and whom it is about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Order {
    #[serde(flatten)]
    pub fault: Fault,
    /// None: until it is cleared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_seconds: Option<f64>,
    pub only: Only,
}

impl From<Fault> for Order {
    fn from(fault: Fault) -> Self {
        Self {
            fault,
            for_seconds: None,
            only: Only::default(),
        }
    }
}

impl Order {
    pub fn for_seconds(mut self, seconds: f64) -> Self {
        self.for_seconds = Some(seconds);
        self
    }

    pub fn only(mut self, only: Only) -> Self {
        self.only = only;
        self
    }

    /// Reads an order; the fault's own fields stand beside the general ones.
    pub fn read(mut value: serde_json::Value) -> Result<Self, String> {
        let fields = value.as_object_mut().ok_or("a fault is a JSON object")?;
        let for_seconds = match fields.remove("for_seconds") {
            None | Some(serde_json::Value::Null) => None,
            Some(seconds) => Some(
                seconds
                    .as_f64()
                    .filter(|seconds| *seconds > 0.0 && *seconds <= 86_400.0)
                    .ok_or("for_seconds must be a number above 0, at most 86400")?,
            ),
        };
        let only = match fields.remove("only") {
            None => Only::default(),
            Some(only) => serde_json::from_value(only).map_err(|error| format!("only: {error}"))?,
        };
        let fault: Fault = serde_json::from_value(value).map_err(|error| error.to_string())?;
        if let Some(complaint) = fault.complaint(&only) {
            return Err(complaint.to_owned());
        }
        Ok(Self {
            fault,
            for_seconds,
            only,
        })
    }
}

impl Fault {
    fn complaint(&self, only: &Only) -> Option<&'static str> {
        match self {
            Self::Slow { latency } => latency.complaint(),
            Self::Flapping {
                up_seconds,
                down_seconds,
            } if [*up_seconds, *down_seconds]
                .iter()
                .any(|seconds| !(0.1..=3600.0).contains(seconds)) =>
            {
                Some("up_seconds and down_seconds must be 0.1 to 3600")
            }
            Self::TooManyRequests { share, .. } | Self::DroppedBodies { share, .. }
                if !(0.0..=1.0).contains(share) =>
            {
                Some("share must be 0 to 1")
            }
            Self::ExpiredWatches {
                every_seconds: Some(seconds),
            } if !(0.1..=3600.0).contains(seconds) => Some("every_seconds must be 0.1 to 3600"),
            Self::ClockSkew { seconds } if !(-31_536_000.0..=31_536_000.0).contains(seconds) => {
                Some("seconds must be within a year")
            }
            Self::ClientsCut { .. } if *only == Only::default() => {
                Some("clients_cut needs `only`: whom it cuts off; to cut off everybody is `down`")
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn orders_are_read_and_refused() {
        let order = Order::read(
            json!({"type": "slow", "latency": {"log_normal": {"median": 50, "p99": 900}},
            "for_seconds": 30, "only": {"users": ["ipaas"]}}),
        )
        .unwrap();
        assert_eq!(order.for_seconds, Some(30.0));
        assert_eq!(order.only.users, ["ipaas"]);
        for (body, why) in [
            (json!({"type": "slow"}), "latency"),
            (json!({"type": "gone"}), "unknown variant"),
            (json!({"type": "down", "seconds": 3}), "unknown field"),
            (json!({"type": "down", "for_seconds": -1}), "for_seconds"),
            (json!({"type": "down", "only": {"user": "a"}}), "unknown field"),
            (json!({"type": "too_many_requests", "share": 2}), "share"),
            (json!({"type": "clients_cut"}), "only"),
            (json!([]), "object"),
        ] {
            let refused = Order::read(body).unwrap_err();
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn a_long_tail_has_the_middle_and_the_tail_it_was_given() {
        let mut random = StdRng::seed_from_u64(7);
        let latency = Latency::LogNormal {
            median: 100.0,
            p99: 1000.0,
        };
        let mut drawn: Vec<Duration> = (0..20_000).map(|_| latency.draw(&mut random)).collect();
        drawn.sort();
        assert!(
            (90..110).contains(&drawn[10_000].as_millis()),
            "{:?}",
            drawn[10_000]
        );
        assert!(
            (850..1150).contains(&drawn[19_800].as_millis()),
            "{:?}",
            drawn[19_800]
        );
    }
}
