//! The command line: what runs the platform, and what drives a running one.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use api_types::access::Role;
use clap::{Args, Parser, Subcommand, ValueEnum};
use platform::config::Settings;
use serde_json::{Map, Value, json};

use crate::client::arguments::Command;
use crate::client::text::parse_duration;

/// A multi-cluster container platform: its services, and a client of a running one.
#[derive(Debug, Parser)]
#[command(name = "longshore", version)]
pub struct Arguments {
    #[command(subcommand)]
    pub target: Target,
}

#[derive(Debug, Subcommand)]
pub enum Target {
    #[command(flatten)]
    Run(Run),
    #[command(flatten)]
    Client(Command),
    /// Run the agent inside a cluster: the second witness of whether it is alive
    ///
    /// It renews a Lease there and tells the platform whether it could. `longshore cluster install-agent` gives what to apply.
    ClusterAgent(AgentFlags),
    /// Write the completion script of a shell
    ///
    /// For bash: `longshore completion bash > ~/.local/share/bash-completion/completions/longshore`
    Completion {
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
}

/// What runs the platform, or parts of it.
#[derive(Debug, Subcommand)]
pub enum Run {
    /// Run the service portal: sign-in, permissions, audit, the API and the web pages
    Portal(Flags),
    /// Run the service cluster-mgr: desired state, placement, operations
    ClusterMgr(Flags),
    /// Run the service ipaas: connections to the clusters
    Ipaas(Flags),
    /// Run every service in one process
    All(Flags),
    /// Run every service, two simulated clusters, and something to look at
    Demo(Flags),
    /// Run simulated clusters alone
    Sandbox {
        #[command(flatten)]
        flags: Flags,
        #[command(flatten)]
        simulated: Simulated,
    },
    /// Bring the database up to date
    Migrate(Flags),
    /// Show the settings
    Config {
        #[command(flatten)]
        flags: Flags,
        /// Every setting with its default and meaning
        #[arg(long)]
        explain: bool,
    },
    /// Make and reset users, without anybody signed in
    Admin {
        #[command(subcommand)]
        action: Action,
    },
}

/// The agent of one cluster.
#[derive(Clone, Debug, Args)]
pub struct AgentFlags {
    /// The portal's address
    #[arg(long, value_name = "URL")]
    pub portal: String,
    /// The cluster's name on the platform
    #[arg(long, value_name = "NAME")]
    pub cluster: String,
    /// File with the cluster's token; read anew for every heartbeat
    #[arg(long, value_name = "FILE")]
    pub token_file: PathBuf,
    /// Kubeconfig of the cluster [default: the rights of the pod that this runs in]
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Namespace of the Lease
    #[arg(long, value_name = "NAME", default_value = "longshore-system")]
    pub lease_namespace: String,
    /// Name of the Lease
    #[arg(long, value_name = "NAME", default_value = "longshore-agent")]
    pub lease_name: String,
    /// Who holds the Lease; the pod's name inside a cluster
    #[arg(
        long,
        value_name = "NAME",
        env = "HOSTNAME",
        default_value = "longshore-agent",
        hide_env_values = true
    )]
    pub holder: String,
    /// Time between two heartbeats
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = parse_duration)]
    pub interval: Duration,
    /// Log filter, such as debug
    #[arg(long, value_name = "FILTER", default_value = "info")]
    pub log: String,
}

/// Settings as flags; they win over the environment and the file.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Settings")]
pub struct Flags {
    /// Settings file [default: longshore.toml, if there is one]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the embedded database and generated keys live
    #[arg(long, value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,
    /// First port of the range; the portal's own
    #[arg(long)]
    pub port: Option<u16>,
    /// Address to listen on
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<IpAddr>,
    /// Database: postgres://… or sqlite://…
    #[arg(long, value_name = "URL")]
    pub database_url: Option<String>,
    /// Log filter, such as info,ipaas=debug
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
}

/// Simulated clusters.
#[derive(Clone, Debug, Args)]
pub struct Simulated {
    /// Names of the clusters
    #[arg(long = "cluster", value_name = "NAME", default_values_t = ["east-1".to_owned(), "west-1".to_owned()])]
    pub clusters: Vec<String>,
    /// Nodes of each
    #[arg(long, default_value_t = 3)]
    pub nodes: u32,
    /// Nodes of the first cluster that have 4 GPUs each
    #[arg(long, default_value_t = 0, value_name = "COUNT")]
    pub gpu_nodes: u32,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Make a user whose role holds everywhere; prints a generated password
    CreateUser {
        #[command(flatten)]
        flags: Flags,
        name: String,
        #[arg(long, value_enum, default_value_t = RoleName::Viewer)]
        role: RoleName,
    },
    /// Set a generated password, and end the user's sessions and API tokens
    ResetPassword {
        #[command(flatten)]
        flags: Flags,
        name: String,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RoleName {
    PlatformAdmin,
    Operator,
    ProjectOwner,
    Developer,
    Viewer,
}

impl From<RoleName> for Role {
    fn from(name: RoleName) -> Self {
        match name {
            RoleName::PlatformAdmin => Self::PlatformAdmin,
            RoleName::Operator => Self::Operator,
            RoleName::ProjectOwner => Self::ProjectOwner,
            RoleName::Developer => Self::Developer,
            RoleName::Viewer => Self::Viewer,
        }
    }
}

impl Run {
    #[must_use]
    pub fn flags(&self) -> &Flags {
        match self {
            Self::Portal(flags)
            | Self::ClusterMgr(flags)
            | Self::Ipaas(flags)
            | Self::All(flags)
            | Self::Demo(flags)
            | Self::Migrate(flags)
            | Self::Sandbox { flags, .. }
            | Self::Config { flags, .. }
            | Self::Admin {
                action: Action::CreateUser { flags, .. } | Action::ResetPassword { flags, .. },
            } => flags,
        }
    }

    /// The demo is for people: unless they ask, it tells only what goes wrong.
    #[must_use]
    pub fn log_filter(&self, settings: &Settings) -> String {
        let quiet = matches!(
            self,
            Self::Demo(_) | Self::Admin { .. } | Self::Config { .. } | Self::Migrate(_)
        );
        if quiet && settings.common.log == "info" && self.flags().log.is_none() {
            "warn".to_owned()
        } else {
            settings.common.log.clone()
        }
    }
}

impl Flags {
    /// The flags that were given, as settings.
    #[must_use]
    pub fn settings(&self) -> Value {
        let mut given = Map::new();
        let mut put = |name: &str, value: Option<Value>| {
            if let Some(value) = value {
                given.insert(name.to_owned(), value);
            }
        };
        put("data_dir", self.data_dir.as_ref().map(|path| json!(path)));
        put("base_port", self.port.map(Into::into));
        put("listen", self.listen.map(|address| json!(address)));
        put("database_url", self.database_url.as_ref().map(|url| json!(url)));
        put("log", self.log.as_ref().map(|filter| json!(filter)));
        Value::Object(given)
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn run(arguments: &[&str]) -> Run {
        match Arguments::parse_from(arguments).target {
            Target::Run(run) => run,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn flags_become_settings() {
        let run = run(&["longshore", "demo", "--data-dir", "x", "--port", "9000"]);
        let given = run.flags().settings();
        assert_eq!(given, json!({ "data_dir": "x", "base_port": 9000 }));
        assert!(matches!(run, Run::Demo(_)));
        let settings = Settings::load(None, &given).unwrap();
        assert_eq!(run.log_filter(&settings), "warn");
    }

    #[test]
    fn a_log_filter_that_was_asked_for_is_taken() {
        let run = run(&["longshore", "demo", "--log", "info"]);
        let settings = Settings::load(None, &run.flags().settings()).unwrap();
        assert_eq!(run.log_filter(&settings), "info");
    }
}
