//! The program as a client of a portal's public API, as people and scripts use it.

pub mod arguments;
mod clusters;
pub mod contexts;
mod failback;
pub mod failure;
mod input;
mod login;
mod look;
mod operations;
mod output;
mod prompt;
pub mod services;
mod session;
pub mod table;
pub mod text;
mod volumes;

use std::process::ExitCode;

use arguments::Command;
use failure::{Failure, Outcome};

/// Carries a command out; Ctrl-C ends it wherever it is.
pub async fn run(command: Command) -> ExitCode {
    let outcome = tokio::select! {
        outcome = Box::pin(carry_out(command)) => outcome,
        Ok(()) = tokio::signal::ctrl_c() => Err(Failure::Interrupted),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            crate::complain(&failure.text());
            failure.exit_code()
        }
    }
}

async fn carry_out(command: Command) -> Outcome {
    match command {
        Command::Login(arguments) => login::login(arguments).await,
        Command::Logout { common } => login::logout(&common).await,
        Command::Whoami { common } => login::whoami(&common).await,
        Command::Context(command) => login::context(command),
        Command::Service(command) => services::run(*command).await,
        Command::Volume(command) => volumes::run(command).await,
        Command::Cluster(command) => look::clusters(command).await,
        Command::Project(command) => look::projects(command).await,
        Command::Operation(command) => operations::run(command).await,
    }
}
