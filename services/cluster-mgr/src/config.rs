//! The section `[cluster_mgr]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use platform::config::Setting;
use serde::{Deserialize, Serialize};

use crate::app::health::Patience;
use crate::app::reconcile::sync::Pace;

/// What cluster-mgr takes from the configuration. Periods are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen; from the port range, not from the section.
    #[serde(skip, default = "any_port")]
    pub listen: SocketAddr,
    /// Where ipaas answers; a setting that all services share, not of the section.
    #[serde(skip)]
    pub ipaas_url: String,
    pub probe_period_ms: u64,
    pub unreachable_after_ms: u64,
    pub ready_after_ms: u64,
    pub hold_down_longest_ms: u64,
    pub reconcile_period_ms: u64,
    pub full_pass_period_ms: u64,
    pub echo_ms: u64,
    pub drift_period_ms: u64,
    pub removal_repeat_ms: u64,
    pub look_period_ms: u64,
    pub settle_ms: u64,
    pub give_back_after_ms: u64,
    pub give_back_pause_ms: u64,
    pub evacuate_after_ms: u64,
    pub take_back_after_ms: u64,
    pub retry_first_ms: u64,
    pub retry_longest_ms: u64,
    pub dispatches: usize,
    pub dispatches_per_cluster: usize,
    pub registration_timeout_ms: u64,
    pub changes_kept: i64,
    pub changes_kept_minutes: i64,
    pub operations_kept_days: i64,
    pub autoscaling_period_ms: u64,
    pub decisions_kept_hours: i64,
    pub scalings_kept_days: i64,
    pub metering_period_ms: u64,
    pub usage_kept_days: i64,
    pub cluster_states_kept_days: i64,
}

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: any_port(),
            ipaas_url: String::new(),
            probe_period_ms: 5_000,
            unreachable_after_ms: 30_000,
            ready_after_ms: 30_000,
            hold_down_longest_ms: 3_600_000,
            reconcile_period_ms: 1_000,
            full_pass_period_ms: 120_000,
            echo_ms: 15_000,
            drift_period_ms: 5_000,
            removal_repeat_ms: 60_000,
            look_period_ms: 1_000,
            settle_ms: 10_000,
            give_back_after_ms: 300_000,
            give_back_pause_ms: 1_800_000,
            evacuate_after_ms: 300_000,
            take_back_after_ms: 0,
            retry_first_ms: 1_000,
            retry_longest_ms: 60_000,
            dispatches: 64,
            dispatches_per_cluster: 10,
            registration_timeout_ms: 120_000,
            changes_kept: 10_000,
            changes_kept_minutes: 60,
            operations_kept_days: 90,
            autoscaling_period_ms: 15_000,
            decisions_kept_hours: 24,
            scalings_kept_days: 90,
            metering_period_ms: 60_000,
            usage_kept_days: 400,
            cluster_states_kept_days: 90,
        }
    }
}

/// The settings of [`Config`], for `longshore config --explain`.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "cluster_mgr.probe_period_ms",
        default: "5000",
        meaning: "how often ipaas's probes of the clusters are read",
    },
    Setting {
        name: "cluster_mgr.unreachable_after_ms",
        default: "30000",
        meaning: "silence of all its witnesses after which a cluster is Unreachable, and of one of two Suspect",
    },
    Setting {
        name: "cluster_mgr.ready_after_ms",
        default: "30000",
        meaning: "how long a cluster that was lost has to be well until it is Ready again; it doubles with each further time",
    },
    Setting {
        name: "cluster_mgr.hold_down_longest_ms",
        default: "3600000",
        meaning: "the longest that it has to be well, and how long it has to be Ready until its flaps are forgiven",
    },
    Setting {
        name: "cluster_mgr.reconcile_period_ms",
        default: "1000",
        meaning: "how often work that other replicas accepted, and retries that are due, are looked for",
    },
    Setting {
        name: "cluster_mgr.full_pass_period_ms",
        default: "120000",
        meaning: "how often every service is compared with what is seen, whatever changed",
    },
    Setting {
        name: "cluster_mgr.echo_ms",
        default: "15000",
        meaning: "how long an applied state may take to be seen before it is applied again",
    },
    Setting {
        name: "cluster_mgr.drift_period_ms",
        default: "5000",
        meaning: "drift of one service on one cluster is put right at most this often",
    },
    Setting {
        name: "cluster_mgr.removal_repeat_ms",
        default: "60000",
        meaning: "a removal whose pods stay is asked for again after this",
    },
    Setting {
        name: "cluster_mgr.look_period_ms",
        default: "1000",
        meaning: "how often ipaas is asked what is left while something is being removed",
    },
    Setting {
        name: "cluster_mgr.settle_ms",
        default: "10000",
        meaning: "a service that was in trouble counts as running only after it was well for so long",
    },
    Setting {
        name: "cluster_mgr.give_back_after_ms",
        default: "300000",
        meaning: "replicas that no node of their cluster takes for so long are placed elsewhere, where there is room",
    },
    Setting {
        name: "cluster_mgr.give_back_pause_ms",
        default: "1800000",
        meaning: "how long such a cluster then gets no new replicas of that service",
    },
    Setting {
        name: "cluster_mgr.evacuate_after_ms",
        default: "300000",
        meaning: "how long a cluster is Unreachable before environments that fail over by themselves leave it",
    },
    Setting {
        name: "cluster_mgr.take_back_after_ms",
        default: "0",
        meaning: "how long a cluster that was evacuated by itself is Ready again before it gets replicas; 0: a person decides",
    },
    Setting {
        name: "cluster_mgr.retry_first_ms",
        default: "1000",
        meaning: "pause after the first failed apply; it doubles with each",
    },
    Setting {
        name: "cluster_mgr.retry_longest_ms",
        default: "60000",
        meaning: "longest pause between two tries to apply",
    },
    Setting {
        name: "cluster_mgr.dispatches",
        default: "64",
        meaning: "applies under way at a time",
    },
    Setting {
        name: "cluster_mgr.dispatches_per_cluster",
        default: "10",
        meaning: "applies under way to one cluster at a time, so that a slow one doesn't starve the others",
    },
    Setting {
        name: "cluster_mgr.registration_timeout_ms",
        default: "120000",
        meaning: "a registration that never ended is swept away after this",
    },
    Setting {
        name: "cluster_mgr.changes_kept",
        default: "10000",
        meaning: "changes that a follower of the change stream may always be behind",
    },
    Setting {
        name: "cluster_mgr.changes_kept_minutes",
        default: "60",
        meaning: "changes younger than this are kept however many they are",
    },
    Setting {
        name: "cluster_mgr.operations_kept_days",
        default: "90",
        meaning: "how long finished operations are kept",
    },
    Setting {
        name: "cluster_mgr.autoscaling_period_ms",
        default: "15000",
        meaning: "how often the metrics of services under a policy are read and their replicas decided",
    },
    Setting {
        name: "cluster_mgr.decisions_kept_hours",
        default: "24",
        meaning: "how long autoscaling's decisions that changed nothing are kept: all for an hour, then of each run of the same the first, the last and one in ten minutes",
    },
    Setting {
        name: "cluster_mgr.scalings_kept_days",
        default: "90",
        meaning: "how long those that changed something, or would have in a dry run, are kept",
    },
    Setting {
        name: "cluster_mgr.metering_period_ms",
        default: "60000",
        meaning: "how often what services hold and use is added to the hours of usage",
    },
    Setting {
        name: "cluster_mgr.usage_kept_days",
        default: "400",
        meaning: "how long the hours of usage are kept; 1,000 services on 3 clusters are about 15 MB a day",
    },
    Setting {
        name: "cluster_mgr.cluster_states_kept_days",
        default: "90",
        meaning: "how long the history of the clusters' states is kept",
    },
];

impl Config {
    #[must_use]
    pub fn patience(&self) -> Patience {
        Patience {
            unreachable_after: Duration::from_millis(self.unreachable_after_ms),
            ready_after: Duration::from_millis(self.ready_after_ms),
            hold_down_longest: Duration::from_millis(self.hold_down_longest_ms),
        }
    }

    #[must_use]
    pub fn pace(&self) -> Pace {
        Pace {
            echo: Duration::from_millis(self.echo_ms),
            drift: Duration::from_millis(self.drift_period_ms),
            removal: Duration::from_millis(self.removal_repeat_ms),
            look: Duration::from_millis(self.look_period_ms),
            settle: Duration::from_millis(self.settle_ms),
            give_back: Duration::from_millis(self.give_back_after_ms),
            give_back_pause: Duration::from_millis(self.give_back_pause_ms),
        }
    }

    #[must_use]
    pub fn evacuate_after(&self) -> Duration {
        Duration::from_millis(self.evacuate_after_ms)
    }

    /// None: a person decides.
    #[must_use]
    pub fn take_back_after(&self) -> Option<Duration> {
        (self.take_back_after_ms > 0).then(|| Duration::from_millis(self.take_back_after_ms))
    }

    #[must_use]
    pub fn probe_period(&self) -> Duration {
        Duration::from_millis(self.probe_period_ms)
    }

    #[must_use]
    pub fn reconcile_period(&self) -> Duration {
        Duration::from_millis(self.reconcile_period_ms)
    }

    #[must_use]
    pub fn autoscaling_period(&self) -> Duration {
        Duration::from_millis(self.autoscaling_period_ms)
    }

    #[must_use]
    pub fn metering_period(&self) -> Duration {
        Duration::from_millis(self.metering_period_ms)
    }

    #[must_use]
    pub fn full_pass_period(&self) -> Duration {
        Duration::from_millis(self.full_pass_period_ms)
    }

    #[must_use]
    pub fn registration_timeout(&self) -> Duration {
        Duration::from_millis(self.registration_timeout_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_is_explained_with_its_default() {
        let defaults = serde_json::to_value(Config::default()).unwrap();
        let defaults = defaults.as_object().unwrap();
        assert_eq!(defaults.len(), SETTINGS.len());
        for setting in SETTINGS {
            let field = setting.name.strip_prefix("cluster_mgr.").unwrap();
            assert_eq!(defaults[field].to_string(), setting.default, "{}", setting.name);
        }
    }
}
