//! What the portal is told.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use platform::config::{Port, Setting, Settings};
use serde::{Deserialize, Serialize};

/// The settings of the section `portal`.
pub const SETTINGS: &[Setting] = &[
    Setting {
        name: "portal.public_url",
        default: "",
        meaning: "how browsers reach the portal, such as https://longshore.example.org; the Host header when empty",
    },
    Setting {
        name: "portal.trust_forwarded",
        default: "false",
        meaning: "believe X-Forwarded-For and X-Forwarded-Proto; only behind a proxy that sets them",
    },
    Setting {
        name: "portal.session_idle_minutes",
        default: "720",
        meaning: "a session ends after so long without use",
    },
    Setting {
        name: "portal.session_longest_minutes",
        default: "10080",
        meaning: "a session ends this long after the sign-in, used or not",
    },
    Setting {
        name: "portal.service_timeout_seconds",
        default: "60",
        meaning: "how long a service may take to begin its answer",
    },
    Setting {
        name: "portal.audit_days",
        default: "1095",
        meaning: "how long the audit is kept; 0 for ever",
    },
    Setting {
        name: "portal.simulation_url",
        default: "",
        meaning: "admin endpoint of the simulated clusters, where load is put on services; the demo sets it",
    },
];

/// The section as in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Section {
    public_url: Option<String>,
    trust_forwarded: bool,
    session_idle_minutes: u32,
    session_longest_minutes: u32,
    service_timeout_seconds: u32,
    audit_days: u32,
    simulation_url: Option<String>,
}

impl Default for Section {
    fn default() -> Self {
        Self {
            public_url: None,
            trust_forwarded: false,
            session_idle_minutes: 12 * 60,
            session_longest_minutes: 7 * 24 * 60,
            service_timeout_seconds: 60,
            audit_days: 3 * 365,
            simulation_url: None,
        }
    }
}

/// How long sessions last.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    pub idle: TimeDelta,
    pub longest: TimeDelta,
}

impl SessionLimits {
    /// The end of a session that began at `created_at` and is in use now.
    #[must_use]
    pub fn expiry(&self, created_at: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        (now + self.idle).min(created_at + self.longest)
    }
}

#[derive(Clone, Debug)]
pub struct Config {
    pub listen: SocketAddr,
    pub cluster_mgr_url: String,
    pub ipaas_url: String,
    pub public_url: Option<String>,
    pub trust_forwarded: bool,
    pub sessions: SessionLimits,
    pub service_timeout: Duration,
    /// For ever when absent.
    pub audit_kept: Option<TimeDelta>,
    /// Where the clusters are simulated.
    pub simulation_url: Option<String>,
    /// Between two pings of an event stream.
    pub ping_period: Duration,
}

impl Default for Config {
    /// On a free port of the loopback, as tests do.
    fn default() -> Self {
        Self::new(
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            "http://127.0.0.1:7801".to_owned(),
            "http://127.0.0.1:7802".to_owned(),
            Section::default(),
        )
    }
}

impl Config {
    pub fn from_settings(settings: &Settings) -> anyhow::Result<Self> {
        Ok(Self::new(
            settings.address(Port::Portal),
            settings.cluster_mgr_url(),
            settings.ipaas_url(),
            settings.section("portal")?,
        ))
    }

    fn new(listen: SocketAddr, cluster_mgr_url: String, ipaas_url: String, section: Section) -> Self {
        Self {
            listen,
            cluster_mgr_url,
            ipaas_url,
            public_url: given(section.public_url),
            simulation_url: given(section.simulation_url),
            trust_forwarded: section.trust_forwarded,
            sessions: SessionLimits {
                idle: TimeDelta::minutes(i64::from(section.session_idle_minutes)),
                longest: TimeDelta::minutes(i64::from(section.session_longest_minutes)),
            },
            service_timeout: Duration::from_secs(u64::from(section.service_timeout_seconds)),
            audit_kept: (section.audit_days > 0).then(|| TimeDelta::days(i64::from(section.audit_days))),
            ping_period: Duration::from_secs(15),
        }
    }
}

/// An address without a slash at its end; an empty one is none.
fn given(url: Option<String>) -> Option<String> {
    url.map(|url| url.trim_end_matches('/').to_owned())
        .filter(|url| !url.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_session_moves_on_with_use_up_to_its_limit() {
        let limits = Config::default().sessions;
        let begin = Utc::now();
        assert_eq!(limits.expiry(begin, begin), begin + TimeDelta::hours(12));
        let late = begin + TimeDelta::hours(7 * 24 - 1);
        assert_eq!(limits.expiry(begin, late), begin + TimeDelta::days(7));
    }

    #[test]
    fn every_setting_is_explained_and_read() {
        let section = serde_json::to_value(Section::default()).unwrap();
        let known: Vec<&str> = SETTINGS
            .iter()
            .map(|setting| setting.name.strip_prefix("portal.").unwrap())
            .collect();
        let read: Vec<&String> = section.as_object().unwrap().keys().collect();
        assert_eq!(known.len(), read.len());
        assert!(read.iter().all(|name| known.contains(&name.as_str())));

        let settings = Settings::load(
            None,
            &json!({ "portal": { "public_url": "https://x.example/", "session_idle_minutes": 5, "audit_days": 30 } }),
        )
        .unwrap();
        let config = Config::from_settings(&settings).unwrap();
        assert_eq!(config.public_url.as_deref(), Some("https://x.example"));
        assert_eq!(config.sessions.idle, TimeDelta::minutes(5));
        assert_eq!(config.audit_kept, Some(TimeDelta::days(30)));
        assert_eq!(config.listen.port(), 7800);
    }
}
