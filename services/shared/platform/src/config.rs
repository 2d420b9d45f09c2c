//! Configuration: `longshore.toml`, then environment variables `LONGSHORE_…`, then flags.
//!
//! What all services share stands at the top level; what one service takes stands in its section
//! (`[ipaas]`, or `LONGSHORE_IPAAS__NAME`). Every setting is listed in a table of [`Setting`]s beside
//! the struct that reads it, which is what `longshore config --explain` prints.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};

use figment::Figment;
use figment::providers::{Env, Format as _, Serialized, Toml};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::crypto::{CryptoError, MasterKey};
use crate::telemetry::LogFormat;

/// One documented setting.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    /// `section.name` as in the file; the environment variable is `LONGSHORE_SECTION__NAME`.
    pub name: &'static str,
    pub default: &'static str,
    pub meaning: &'static str,
}

/// The services, in the order of their ports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    Portal = 0,
    ClusterMgr = 1,
    Ipaas = 2,
    SandboxAdmin = 9,
    SandboxClusters = 10,
}

/// What every service shares.
#[derive(Clone, Debug)]
pub struct Settings {
    figment: Figment,
    pub common: Common,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Common {
    pub listen: IpAddr,
    pub base_port: u16,
    pub data_dir: PathBuf,
    pub database_url: Option<String>,
    pub master_key: Option<SecretString>,
    pub master_key_file: Option<PathBuf>,
    pub log: String,
    pub log_format: LogFormat,
    pub cluster_mgr_url: Option<String>,
    pub ipaas_url: Option<String>,
}

#[derive(Serialize)]
struct Defaults {
    listen: IpAddr,
    base_port: u16,
    data_dir: PathBuf,
    log: &'static str,
    log_format: LogFormat,
}

/// The settings of [`Common`].
pub const COMMON: &[Setting] = &[
    Setting {
        name: "listen",
        default: "127.0.0.1",
        meaning: "address to listen on",
    },
    Setting {
        name: "base_port",
        default: "7800",
        meaning: "first port of the range; the portal's own",
    },
    Setting {
        name: "data_dir",
        default: "data",
        meaning: "where the embedded database and the generated key live",
    },
    Setting {
        name: "database_url",
        default: "sqlite in data_dir",
        meaning: "postgres://user:password@host/database, or sqlite://file?mode=rwc",
    },
    Setting {
        name: "master_key",
        default: "",
        meaning: "32 bytes in base64; opens the secrets at rest",
    },
    Setting {
        name: "master_key_file",
        default: "data_dir/master.key",
        meaning: "file with the master key; made when absent and SQLite is used",
    },
    Setting {
        name: "log",
        default: "info",
        meaning: "log filter, such as info,ipaas=debug",
    },
    Setting {
        name: "log_format",
        default: "plain",
        meaning: "plain or json",
    },
    Setting {
        name: "cluster_mgr_url",
        default: "http://127.0.0.1:{base_port+1}",
        meaning: "where cluster-mgr answers",
    },
    Setting {
        name: "ipaas_url",
        default: "http://127.0.0.1:{base_port+2}",
        meaning: "where ipaas answers",
    },
];

impl Settings {
    /// Reads the file (when there is one) and the environment; `flags` come last and win.
    pub fn load(file: Option<&Path>, flags: &serde_json::Value) -> anyhow::Result<Self> {
        let defaults = Defaults {
            listen: IpAddr::V4(Ipv4Addr::LOCALHOST),
            base_port: 7800,
            data_dir: PathBuf::from("data"),
            log: "info",
            log_format: LogFormat::Plain,
        };
        let mut figment = Figment::from(Serialized::defaults(defaults));
        figment = match file {
            Some(path) => figment.merge(Toml::file_exact(path)),
            None => figment.merge(Toml::file("longshore.toml")),
        };
        figment = figment
            .merge(Env::prefixed("LONGSHORE_").ignore(&["test"]).split("__"))
            .merge(Serialized::defaults(flags));
        let common = figment.extract()?;
        Ok(Self { figment, common })
    }

    /// With one more setting, `section.name`, which wins over every other source.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Serialize) -> Self {
        self.figment = self.figment.merge(Serialized::default(name, value));
        self
    }

    /// A service's own section; its defaults where nothing is said.
    pub fn section<T: DeserializeOwned + Serialize + Default>(&self, name: &str) -> anyhow::Result<T> {
        let figment = Figment::from(Serialized::default(name, T::default())).merge(&self.figment);
        Ok(figment.extract_inner(name)?)
    }

    #[must_use]
    pub fn database_url(&self) -> String {
        self.common.database_url.clone().unwrap_or_else(|| {
            format!(
                "sqlite://{}?mode=rwc",
                self.common.data_dir.join("longshore.sqlite").display()
            )
        })
    }

    /// The master key: given, in a file, or (for the embedded database only) made on the first start.
    pub fn master_key(&self) -> Result<MasterKey, CryptoError> {
        if let Some(key) = &self.common.master_key {
            return MasterKey::parse(key.expose_secret());
        }
        let default = self.common.data_dir.join("master.key");
        let path = self.common.master_key_file.as_ref().unwrap_or(&default);
        if self.database_url().starts_with("sqlite:") {
            MasterKey::read_or_generate(path)
        } else {
            MasterKey::read(path)
        }
    }

    #[must_use]
    pub fn address(&self, port: Port) -> SocketAddr {
        SocketAddr::new(self.common.listen, self.common.base_port + port as u16)
    }

    #[must_use]
    pub fn cluster_mgr_url(&self) -> String {
        self.url(self.common.cluster_mgr_url.as_ref(), Port::ClusterMgr)
    }

    #[must_use]
    pub fn ipaas_url(&self) -> String {
        self.url(self.common.ipaas_url.as_ref(), Port::Ipaas)
    }

    fn url(&self, given: Option<&String>, port: Port) -> String {
        given.map_or_else(
            || format!("http://127.0.0.1:{}", self.common.base_port + port as u16),
            |url| url.trim_end_matches('/').to_owned(),
        )
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn flags_win_over_defaults_and_sections_fall_back() {
        #[derive(Debug, PartialEq, Serialize, Deserialize)]
        struct Section {
            period_seconds: u64,
        }
        impl Default for Section {
            fn default() -> Self {
                Self { period_seconds: 30 }
            }
        }
        let settings = Settings::load(
            None,
            &json!({ "base_port": 9000, "ipaas": { "period_seconds": 5 } }),
        )
        .unwrap();
        assert_eq!(settings.address(Port::ClusterMgr).port(), 9001);
        assert_eq!(settings.section::<Section>("ipaas").unwrap().period_seconds, 5);
        assert_eq!(settings.section::<Section>("other").unwrap().period_seconds, 30);
        assert!(
            settings
                .database_url()
                .starts_with("sqlite://data/longshore.sqlite")
        );
    }

    #[test]
    fn a_server_database_needs_a_given_key() {
        let directory = tempfile::tempdir().unwrap();
        let settings = Settings::load(
            None,
            &json!({ "database_url": "postgres://x/y", "data_dir": directory.path() }),
        )
        .unwrap();
        assert!(matches!(settings.master_key(), Err(CryptoError::Read { .. })));
    }
}
