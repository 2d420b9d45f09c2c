//! How a container behaves: by words in its image's name, overridden by the pod's annotations.
//! The table of the rules is in the crate's README.

use std::time::Duration;

use serde_json::Value;

use crate::json;

/// Annotations that override the image's rules.
const START: &str = "sandbox.longshore.dev/start-seconds";
const READY: &str = "sandbox.longshore.dev/ready";
const EXIT_CODE: &str = "sandbox.longshore.dev/exit-code";
const EXIT_AFTER: &str = "sandbox.longshore.dev/exit-after-seconds";

/// What a container will do.
#[derive(Debug, Clone, PartialEq)]
pub struct Behaviour {
    pub pulls: bool,
    /// From the pull to the running container.
    pub start: Duration,
    pub exit: Option<Exit>,
    pub ready: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exit {
    pub after: Duration,
    pub code: i64,
    pub out_of_memory: bool,
}

/// `spread` in 0..1 makes pods differ; it comes from the seed and the pod.
pub fn behaviour(image: &str, annotations: &Value, spread: f64) -> Behaviour {
    let annotation = |name: &str| annotations[name].as_str();
    let seconds = |name: &str| {
        let number: f64 = annotation(name)?.parse().ok()?;
        Duration::try_from_secs_f64(number).ok()
    };
    let image = image.to_lowercase();
    let has = |word: &str| image.contains(word);
    let start = if has("slow") {
        Duration::from_secs(10)
    } else {
        Duration::from_secs_f64(0.3 + spread * 1.2)
    };
    let after = Duration::from_secs(1);
    let mut exit = if has("oom") {
        Some(Exit {
            after,
            code: 137,
            out_of_memory: true,
        })
    } else if has("crash") {
        Some(Exit {
            after,
            code: 1,
            out_of_memory: false,
        })
    } else {
        None
    };
    if let Some(code) = annotation(EXIT_CODE).and_then(|code| code.parse().ok()) {
        let after = exit.map_or(after, |exit| exit.after);
        exit = Some(Exit {
            after,
            code,
            out_of_memory: false,
        });
    }
    if let Some(after) = seconds(EXIT_AFTER) {
        let base = exit.unwrap_or(Exit {
            after,
            code: 0,
            out_of_memory: false,
        });
        exit = Some(Exit { after, ..base });
    }
    Behaviour {
        pulls: !has("missing"),
        start: seconds(START).unwrap_or(start),
        exit,
        ready: annotation(READY).map_or_else(|| !has("unready"), |ready| ready != "false"),
    }
}

/// What a probe of a running container finds: a path or command with `fail` in it fails.
pub fn probe_fails(probe: &Value) -> bool {
    let path = json::text(probe, "/httpGet/path");
    let command = json::items(probe, "/exec/command");
    path.contains("fail")
        || command
            .iter()
            .filter_map(Value::as_str)
            .any(|word| word.contains("fail") || word == "false")
}

/// The pause before the n-th restart: the real shape (none, then doubling), ten times as fast.
pub fn restart_pause(restarts: u32) -> Duration {
    match restarts {
        0 => Duration::ZERO,
        n => Duration::from_secs(1 << (n - 1).min(5)).min(Duration::from_secs(30)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn images_decide() {
        let of = |image: &str| behaviour(image, &Value::Null, 0.5);
        assert_eq!(
            of("registry/shop/web:1"),
            Behaviour {
                pulls: true,
                start: Duration::from_millis(900),
                exit: None,
                ready: true
            }
        );
        assert_eq!(of("web-crash:1").exit.map(|exit| exit.code), Some(1));
        assert!(of("oom:1").exit.is_some_and(|exit| exit.out_of_memory));
        assert!(!of("missing.example/web:1").pulls);
        assert!(!of("unready:2").ready);
        assert_eq!(of("slow").start, Duration::from_secs(10));
    }

    #[test]
    fn annotations_override() {
        let annotations = json!({START: "0.1", READY: "false", EXIT_CODE: "3", EXIT_AFTER: "2.5"});
        assert_eq!(
            behaviour("web-crash", &annotations, 0.0),
            Behaviour {
                pulls: true,
                start: Duration::from_millis(100),
                exit: Some(Exit {
                    after: Duration::from_millis(2500),
                    code: 3,
                    out_of_memory: false
                }),
                ready: false,
            }
        );
    }

    #[test]
    fn restarts_slow_down_to_a_limit() {
        let pauses: Vec<u64> = (0..8).map(|n| restart_pause(n).as_secs()).collect();
        assert_eq!(pauses, [0, 1, 2, 4, 8, 16, 30, 30]);
    }
}
