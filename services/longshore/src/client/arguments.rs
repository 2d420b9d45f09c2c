//! The commands that drive a running platform.

use std::path::PathBuf;
use std::time::Duration;

use api_types::common::OperationId;
use clap::{Args, Subcommand, ValueEnum};

use super::text::parse_duration;

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sign in to a portal and keep an API token for it
    Login(Login),
    /// Revoke the API token of a context and forget it
    Logout {
        #[command(flatten)]
        common: Common,
    },
    /// Show who is signed in, where, and what they may do
    Whoami {
        #[command(flatten)]
        common: Common,
    },
    /// Choose among the portals that are signed in to, and their defaults
    #[command(subcommand)]
    Context(ContextCommand),
    /// Look at services, change them, release them
    #[command(subcommand)]
    Service(Box<ServiceCommand>),
    /// Look at what services have stored on clusters, and delete what nothing uses any more
    #[command(subcommand)]
    Volume(VolumeCommand),
    /// Look at clusters, close them to new replicas, empty them, and install their agents
    #[command(subcommand)]
    Cluster(ClusterCommand),
    /// Look at projects
    #[command(subcommand)]
    Project(ProjectCommand),
    /// Look at what is under way and what came of it
    #[command(subcommand)]
    Operation(OperationCommand),
}

/// Where to, and how the answer looks.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Portal and output")]
pub struct Common {
    /// Context to use instead of the current one
    #[arg(long, env = "LONGSHORE_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,
    /// Portal to use instead of a context's, together with LONGSHORE_TOKEN
    #[arg(long, env = "LONGSHORE_URL", value_name = "URL")]
    pub url: Option<String>,
    /// API token for `--url`; give it in the environment, where it is not seen in the list of processes
    #[arg(
        long,
        env = "LONGSHORE_TOKEN",
        value_name = "TOKEN",
        hide = true,
        hide_env_values = true
    )]
    pub token: Option<String>,
    /// How the answer is written
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub output: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Table,
    /// What the API answers, as JSON
    Json,
    /// What the API answers, as YAML
    Yaml,
}

#[derive(Debug, Args)]
pub struct Login {
    /// The portal's address; the one of the context when absent
    pub url: Option<String>,
    /// Name of the context [default: the current one, or the address's host]
    #[arg(long, env = "LONGSHORE_CONTEXT", value_name = "NAME")]
    pub context: Option<String>,
    /// User to sign in as
    #[arg(long, short, value_name = "NAME", conflicts_with = "token")]
    pub user: Option<String>,
    /// Take an API token that was made in the portal instead of signing in with a password
    #[arg(long)]
    pub token: bool,
    /// Days after which the API token that is made ends
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub expires_in_days: u32,
    /// Default project of the context
    #[arg(short, long)]
    pub project: Option<String>,
    /// Default environment of the context
    #[arg(short, long)]
    pub environment: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ContextCommand {
    /// List the contexts
    List {
        /// How the answer is written
        #[arg(short, long, value_enum, default_value_t = Format::Table)]
        output: Format,
    },
    /// Make a context the current one
    Use { name: String },
    /// Set the defaults of a context
    Set {
        /// Context to change [default: the current one]
        #[arg(long, env = "LONGSHORE_CONTEXT", value_name = "NAME")]
        context: Option<String>,
        /// Default project; empty for none
        #[arg(short, long)]
        project: Option<String>,
        /// Default environment; empty for none
        #[arg(short, long)]
        environment: Option<String>,
    },
}

/// A project and an environment.
#[derive(Clone, Debug, Args)]
#[command(next_help_heading = "Portal and output")]
pub struct Scope {
    /// Project [default: the context's]
    #[arg(short, long, env = "LONGSHORE_PROJECT")]
    pub project: Option<String>,
    /// Environment [default: the context's]
    #[arg(short, long, env = "LONGSHORE_ENVIRONMENT")]
    pub environment: Option<String>,
    #[command(flatten)]
    pub common: Common,
}

/// One service.
#[derive(Clone, Debug, Args)]
pub struct One {
    /// The service's name
    pub service: String,
    #[command(flatten)]
    pub scope: Scope,
}

/// Whether and how long to wait for what was begun.
#[derive(Clone, Debug, Args)]
pub struct Waiting {
    /// Wait until the operation has ended, and say how
    #[arg(long, short)]
    pub wait: bool,
    /// Longest time to wait
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_duration)]
    pub timeout: Duration,
}

/// How much of a list.
#[derive(Clone, Debug, Args)]
pub struct Listing {
    /// At most so many items
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub limit: u32,
    /// Text to look for
    #[arg(short, long, value_name = "TEXT")]
    pub query: Option<String>,
    /// Field to sort by, `-` before it for descending
    #[arg(long, value_name = "FIELD", allow_hyphen_values = true)]
    pub sort: Option<String>,
}

#[derive(Debug, Subcommand)]
pub enum ServiceCommand {
    /// List services
    List {
        /// Of every project and environment, whatever the context says
        #[arg(short, long, conflicts_with_all = ["project", "environment"])]
        all: bool,
        /// Only in these states, comma-separated
        #[arg(long)]
        state: Option<String>,
        /// Only with replicas on this cluster
        #[arg(long)]
        cluster: Option<String>,
        #[command(flatten)]
        listing: Listing,
        #[command(flatten)]
        scope: Scope,
    },
    /// Show a service, and where its replicas are and why
    Get(One),
    /// Write a service as the file that `apply` takes; secrets stay out of it
    Export(One),
    /// Create a service from a file, or bring it to what the file says
    ///
    /// The file is YAML (or JSON) with what the API takes for a new service; several documents are several
    /// services. `project` and `environment` may stand in it. What it doesn't say of description, replicas and
    /// placement stays as it is. A secret without a value keeps the one it has.
    Apply {
        /// The file, or `-` for standard input
        #[arg(short, long, value_name = "FILE")]
        file: PathBuf,
        /// Only show what would change
        #[arg(long)]
        dry_run: bool,
        /// Kept with the revision; wins over the file's
        #[arg(short, long, value_name = "TEXT")]
        comment: Option<String>,
        #[command(flatten)]
        waiting: Waiting,
        #[command(flatten)]
        scope: Scope,
    },
    /// Change the number of replicas
    Scale {
        /// The service's name
        service: String,
        /// Replicas over all clusters
        replicas: u32,
        #[command(flatten)]
        waiting: Waiting,
        #[command(flatten)]
        scope: Scope,
    },
    /// Release another image, or an existing revision
    #[command(group = clap::ArgGroup::new("what").required(true))]
    Release {
        /// The service's name
        service: String,
        /// A new revision with this image
        #[arg(long, group = "what")]
        image: Option<String>,
        /// This revision
        #[arg(long, value_name = "NUMBER", group = "what")]
        revision: Option<i64>,
        /// Kept with the new revision
        #[arg(
            short,
            long,
            value_name = "TEXT",
            default_value = "",
            hide_default_value = true
        )]
        comment: String,
        #[command(flatten)]
        waiting: Waiting,
        #[command(flatten)]
        scope: Scope,
    },
    /// Go back to an earlier revision
    Rollback {
        /// The service's name
        service: String,
        /// The revision [default: the one before the current one]
        #[arg(long, value_name = "NUMBER")]
        to: Option<i64>,
        #[command(flatten)]
        waiting: Waiting,
        #[command(flatten)]
        scope: Scope,
    },
    /// Replace every replica by a new one, step by step
    Restart {
        #[command(flatten)]
        waiting: Waiting,
        #[command(flatten)]
        one: One,
    },
    /// Start a singleton elsewhere though it may still run on a cluster that doesn't answer
    ///
    /// Until then it waits, since it might run twice. The reason is kept for those who read it later. What the cluster
    /// still runs is ended when it answers again.
    AcceptRisk {
        /// A cluster where it may still run; may be repeated
        #[arg(long, value_name = "NAME", required = true)]
        cluster: Vec<String>,
        /// Why that is no danger, in 20 to 500 characters
        #[arg(long, value_name = "TEXT")]
        reason: String,
        #[command(flatten)]
        waiting: Waiting,
        #[command(flatten)]
        one: One,
    },
    /// Delete a service with everything of it on every cluster, but for its data
    Delete {
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
        /// Delete what is in its volumes too
        #[arg(long)]
        delete_volumes: bool,
        #[command(flatten)]
        waiting: Waiting,
        #[command(flatten)]
        one: One,
    },
    /// Show the log of all replicas, merged in time
    Logs(Box<Logs>),
    /// List events of a service on every cluster, newest first
    Events {
        #[command(flatten)]
        listing: Listing,
        #[command(flatten)]
        one: One,
    },
    /// List the pods of a service on every cluster
    Pods {
        #[command(flatten)]
        listing: Listing,
        #[command(flatten)]
        one: One,
    },
    /// List the revisions of a service, newest first
    Revisions {
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        #[command(flatten)]
        one: One,
    },
    /// Let Prometheus' metrics set the replicas
    #[command(subcommand)]
    Autoscaling(AutoscalingCommand),
    /// Show what differs between two revisions
    Diff {
        /// The service's name
        service: String,
        /// From this revision [default: the one before TO]
        #[arg(long, value_name = "NUMBER")]
        from: Option<i64>,
        /// To this revision [default: the current one]
        #[arg(long, value_name = "NUMBER")]
        to: Option<i64>,
        #[command(flatten)]
        scope: Scope,
    },
}

#[derive(Debug, Subcommand)]
pub enum VolumeCommand {
    /// List the claims that clusters have for the volumes of services, also those of services that are gone
    List {
        /// Only of this service
        #[arg(long, value_name = "NAME")]
        service: Option<String>,
        #[command(flatten)]
        listing: Listing,
        #[command(flatten)]
        scope: Scope,
    },
    /// Delete a claim that nothing uses, and what is stored in it
    Delete {
        /// The claim's name, as `list` shows it
        claim: String,
        /// The cluster that it is on
        #[arg(long, value_name = "NAME")]
        cluster: String,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
        #[command(flatten)]
        scope: Scope,
    },
}

#[derive(Debug, Subcommand)]
pub enum AutoscalingCommand {
    /// Show the policy, and what was decided last
    Get(One),
    /// Write the policy as the file that `set` takes
    Export(One),
    /// Set the policy from a file with what the API takes, as YAML or JSON
    Set {
        /// The file, or `-` for standard input
        #[arg(short, long, value_name = "FILE")]
        file: PathBuf,
        #[command(flatten)]
        one: One,
    },
    /// Tell what a policy would have done with the load of the last hour; nothing is changed
    Preview {
        /// The file with the policy, or `-` for standard input [default: the policy that it has]
        #[arg(short, long, value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        one: One,
    },
    /// Decide nothing until it is resumed; people may scale by hand
    Pause(One),
    /// Decide again
    Resume(One),
    /// Take the policy away; the replicas stay as they are
    Delete(One),
    /// List what was decided and why, newest first
    Decisions {
        /// Only with these outcomes, comma-separated
        #[arg(long)]
        outcome: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        #[command(flatten)]
        one: One,
    },
}

#[derive(Debug, Args)]
pub struct Logs {
    /// Go on with lines as they are written
    #[arg(short, long, conflicts_with = "previous")]
    pub follow: bool,
    /// Of the containers' runs before their last restart
    #[arg(long)]
    pub previous: bool,
    /// Only lines of the last so long, such as 90s, 15m, 2h
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    pub since: Option<Duration>,
    /// The last so many lines
    #[arg(long, value_name = "LINES", default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub tail: u32,
    /// Only of this pod; may be repeated
    #[arg(long, value_name = "NAME")]
    pub pod: Vec<String>,
    /// Only of this container
    #[arg(long, value_name = "NAME")]
    pub container: Option<String>,
    /// Only of pods on this cluster
    #[arg(long, value_name = "NAME")]
    pub cluster: Option<String>,
    /// The time before each line
    #[arg(short, long)]
    pub timestamps: bool,
    #[command(flatten)]
    pub one: One,
}

#[derive(Debug, Subcommand)]
pub enum ClusterCommand {
    /// List the clusters
    List {
        #[command(flatten)]
        listing: Listing,
        #[command(flatten)]
        common: Common,
    },
    /// Show a cluster
    Get {
        /// The cluster's name
        cluster: String,
        #[command(flatten)]
        common: Common,
    },
    /// Give a cluster no new replicas; those it has stay
    Cordon {
        /// The cluster's name
        cluster: String,
        #[command(flatten)]
        common: Common,
    },
    /// Give a cluster replicas again
    Uncordon {
        /// The cluster's name
        cluster: String,
        #[command(flatten)]
        common: Common,
    },
    /// Move everything to the other clusters, and keep the cluster empty until it is taken back
    ///
    /// What it holds stays there until it is ready elsewhere. A cluster that doesn't answer is given up: what it
    /// still runs is removed when it returns.
    Evacuate {
        /// The cluster's name
        cluster: String,
        /// Only show which replicas would go where
        #[arg(long)]
        dry_run: bool,
        /// Don't ask
        #[arg(short, long)]
        yes: bool,
        /// Why, for those who read it later
        #[arg(
            short,
            long,
            value_name = "TEXT",
            default_value = "",
            hide_default_value = true
        )]
        reason: String,
        /// Begin though some replicas fit nowhere else; those stay until there is room
        #[arg(long)]
        accept_unplaced: bool,
        /// Move services whose data can't follow too; they start with empty volumes
        #[arg(long)]
        include_stored: bool,
        #[command(flatten)]
        waiting: Waiting,
        #[command(flatten)]
        common: Common,
    },
    /// Use a cluster that was evacuated again; what moved stays where it is
    TakeBack {
        /// The cluster's name
        cluster: String,
        #[command(flatten)]
        common: Common,
    },
    /// Move back what left a cluster, some at a time, once it is in use again
    ///
    /// The next share moves when all of the last is ready. Each replica stays where it is until it is ready there.
    FailBack {
        /// The cluster's name
        cluster: String,
        /// Only show what would move back
        #[arg(long, conflicts_with = "stop")]
        dry_run: bool,
        /// Stop what is under way; what has moved stays
        #[arg(long, conflicts_with = "percent")]
        stop: bool,
        /// At most so many percent of each environment's replicas at a time [default: as it says]
        #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u32).range(1..=100))]
        percent: Option<u32>,
        #[command(flatten)]
        waiting: Waiting,
        #[command(flatten)]
        common: Common,
    },
    /// List what became of a cluster, newest first
    History {
        /// The cluster's name
        cluster: String,
        #[command(flatten)]
        listing: Listing,
        #[command(flatten)]
        common: Common,
    },
    /// Issue a token for the agent of a cluster, and write what to apply there
    ///
    /// For kubectl: `longshore cluster install-agent east-1 --image … | kubectl apply -f -`. Tokens issued before are no longer good.
    InstallAgent {
        /// The cluster's name
        cluster: String,
        /// Image to run; it must have this program on its path
        #[arg(long, value_name = "IMAGE")]
        image: String,
        /// The portal's address as it is reached from inside the cluster [default: the one of the context]
        #[arg(long, value_name = "URL")]
        portal: Option<String>,
        #[command(flatten)]
        common: Common,
    },
    /// List the nodes of a cluster
    Nodes {
        /// The cluster's name
        cluster: String,
        #[command(flatten)]
        listing: Listing,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Subcommand)]
pub enum ProjectCommand {
    /// List the projects
    List {
        #[command(flatten)]
        listing: Listing,
        #[command(flatten)]
        common: Common,
    },
}

#[derive(Debug, Subcommand)]
pub enum OperationCommand {
    /// List operations, newest first
    List {
        /// Of every project and environment, whatever the context says
        #[arg(short, long, conflicts_with_all = ["project", "environment"])]
        all: bool,
        /// Only of this service
        #[arg(long)]
        service: Option<String>,
        /// Only in these states, comma-separated
        #[arg(long)]
        state: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
        limit: u32,
        #[command(flatten)]
        scope: Scope,
    },
    /// Show an operation with its steps
    Get {
        /// The operation's id
        operation: OperationId,
        #[command(flatten)]
        common: Common,
    },
    /// Follow an operation until it has ended
    Watch {
        /// The operation's id
        operation: OperationId,
        /// Longest time to wait
        #[arg(long, value_name = "TIME", default_value = "10m", value_parser = parse_duration)]
        timeout: Duration,
        #[command(flatten)]
        common: Common,
    },
}
