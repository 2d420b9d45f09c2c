#![doc = include_str!("../README.md")]

pub mod admin;
pub mod agent;
pub mod arguments;
pub mod client;
pub mod commands_page;
pub mod demo;
pub mod explain;
pub mod first_user;
pub mod migrate;
pub mod private_file;
pub mod services;
pub mod simulate;
pub mod stop;

use std::io::Write as _;
use std::process::ExitCode;

use arguments::{Arguments, Run, Target};
use clap::CommandFactory as _;
use platform::config::Settings;
use platform::error::chain;
use services::Kind;

/// Runs what was asked for; says why not.
pub async fn run(arguments: Arguments) -> ExitCode {
    let outcome = match arguments.target {
        Target::Client(command) => return Box::pin(client::run(command)).await,
        Target::Completion { shell } => complete(shell),
        Target::ClusterAgent(flags) => Box::pin(agent::run(flags)).await,
        Target::Run(target) => Box::pin(carry_out(target)).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("longshore: {}\n", chain(error.as_ref())));
            ExitCode::FAILURE
        }
    }
}

async fn carry_out(target: Run) -> anyhow::Result<()> {
    let settings = Settings::load(target.flags().config.as_deref(), &target.flags().settings())?;
    platform::telemetry::init(settings.common.log_format, &target.log_filter(&settings));
    platform::foundation::install_tls_provider();
    match target {
        Run::Portal(_) => services::run(&settings, &[Kind::Portal]).await,
        Run::ClusterMgr(_) => services::run(&settings, &[Kind::ClusterMgr]).await,
        Run::Ipaas(_) => services::run(&settings, &[Kind::Ipaas]).await,
        Run::All(_) => services::run(&settings, Kind::ALL).await,
        Run::Demo(_) => Box::pin(demo::run(settings)).await,
        Run::Sandbox { simulated, .. } => simulate::run(&settings, &simulated).await,
        Run::Migrate(_) => migrate::run(&settings).await,
        Run::Config { explain, .. } => explain::run(&settings, explain),
        Run::Admin { action } => admin::run(&settings, action).await,
    }
}

fn complete(shell: clap_complete::Shell) -> anyhow::Result<()> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "longshore", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script)?;
    out.flush()?;
    Ok(())
}

/// Writes a line for whoever started the program.
pub(crate) fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

/// To standard error, not to the log: it may not be set up, or be filtered. That nobody may hear it changes nothing.
pub(crate) fn complain(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
}
