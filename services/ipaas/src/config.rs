//! The section `[ipaas]`.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use platform::config::Setting;
use serde::{Deserialize, Serialize};

use crate::app::gpu::GpuResource;

/// What ipaas takes from the configuration. Periods and timeouts are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Where to listen; from the port range, not from the section.
    #[serde(skip, default = "any_port")]
    pub listen: SocketAddr,
    pub probe_period_ms: u64,
    pub probe_timeout_ms: u64,
    pub connect_timeout_ms: u64,
    pub request_timeout_ms: u64,
    pub concurrency: usize,
    pub requests_per_second: u32,
    pub reload_period_ms: u64,
    pub page_size: u32,
    pub changes_kept: usize,
    pub unused_config_age_ms: u64,
    pub gpu_resource: String,
}

fn any_port() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: any_port(),
            probe_period_ms: 5_000,
            probe_timeout_ms: 5_000,
            connect_timeout_ms: 5_000,
            request_timeout_ms: 15_000,
            concurrency: 20,
            requests_per_second: 1_000,
            reload_period_ms: 5_000,
            page_size: 500,
            changes_kept: 65_536,
            unused_config_age_ms: 60_000,
            gpu_resource: GpuResource::USUAL.to_owned(),
        }
    }
}

/// The settings of [`Config`], for `longshore config --explain`.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "ipaas.probe_period_ms",
        default: "5000",
        meaning: "how often each cluster is asked whether it is there",
    },
    Setting {
        name: "ipaas.probe_timeout_ms",
        default: "5000",
        meaning: "how long a cluster may take to answer a probe",
    },
    Setting {
        name: "ipaas.connect_timeout_ms",
        default: "5000",
        meaning: "how long connecting to a cluster may take",
    },
    Setting {
        name: "ipaas.request_timeout_ms",
        default: "15000",
        meaning: "how long a cluster may take to answer a request",
    },
    Setting {
        name: "ipaas.concurrency",
        default: "20",
        meaning: "requests under way to one cluster at a time; as many again for what people look at",
    },
    Setting {
        name: "ipaas.requests_per_second",
        default: "1000",
        meaning: "changes sent to one cluster in a second",
    },
    Setting {
        name: "ipaas.reload_period_ms",
        default: "5000",
        meaning: "how often connections that another replica took or dropped are looked for",
    },
    Setting {
        name: "ipaas.page_size",
        default: "500",
        meaning: "objects a page when a cluster is listed",
    },
    Setting {
        name: "ipaas.changes_kept",
        default: "65536",
        meaning: "changes that a follower of the change stream may be behind",
    },
    Setting {
        name: "ipaas.unused_config_age_ms",
        default: "60000",
        meaning: "how old a ConfigMap or Secret that no pod needs any more must be before it is removed",
    },
    Setting {
        name: "ipaas.gpu_resource",
        default: GpuResource::USUAL,
        meaning: "the extended resource of Kubernetes that GPUs are asked for and counted as",
    },
];

impl Config {
    #[must_use]
    pub fn probe_period(&self) -> Duration {
        Duration::from_millis(self.probe_period_ms)
    }

    #[must_use]
    pub fn probe_timeout(&self) -> Duration {
        Duration::from_millis(self.probe_timeout_ms)
    }

    #[must_use]
    pub fn connect_timeout(&self) -> Duration {
        Duration::from_millis(self.connect_timeout_ms)
    }

    #[must_use]
    pub fn request_timeout(&self) -> Duration {
        Duration::from_millis(self.request_timeout_ms)
    }

    #[must_use]
    pub fn reload_period(&self) -> Duration {
        Duration::from_millis(self.reload_period_ms)
    }

    #[must_use]
    pub fn unused_config_age(&self) -> Duration {
        Duration::from_millis(self.unused_config_age_ms)
    }
}
