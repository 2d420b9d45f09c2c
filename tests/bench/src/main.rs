//! `bench [NAME…]` runs the named measurements, or all of them, and prints one line of JSON for each:
//! `{"bench", "parameters", "figures", "targets", "met"}`. What goes on meanwhile goes to stderr.
//!
//! They are measurements, not tests: a target that is not met is said, and the exit code stays 0. What is compared with
//! something else is measured beside it in the same run and given as a ratio, so that a busy machine says little.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a program whose output is its result"
)]

mod apply;
mod autoscale;
mod autoscale_replay;
mod company;
mod failover;
mod gateway;
mod hpa;
mod idle;
mod ipaas;
mod made_up;
mod placement;
mod pods;
mod process;
mod real;
mod replay;
mod report;
mod restart;
mod seat;
mod virtual_nodes;

use std::future::Future;
use std::pin::Pin;

use report::Report;

type Run = fn() -> Pin<Box<dyn Future<Output = anyhow::Result<Report>>>>;

/// In the order in which they run.
const BENCHES: &[(&str, Run)] = &[
    ("idle", || Box::pin(idle::run())),
    ("gateway", || Box::pin(gateway::run())),
    ("pod-index", || Box::pin(pods::small())),
    ("pods-2m", || Box::pin(pods::large())),
    ("list-vs-apiserver", || Box::pin(real::list_against_api_server())),
    ("placement", || Box::pin(placement::run())),
    ("restart", || Box::pin(restart::run())),
    ("failover", || Box::pin(failover::run())),
    ("autoscale", || Box::pin(autoscale::run())),
    ("autoscale-replay", || Box::pin(autoscale_replay::run())),
    ("apply", || Box::pin(apply::run())),
];

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let names: Vec<&str> = BENCHES.iter().map(|(name, _)| *name).collect();
    if let Some(unknown) = wanted.iter().find(|name| !names.contains(&name.as_str())) {
        anyhow::bail!("no bench is called {unknown}; there are {}", names.join(", "));
    }
    let mut failed = Vec::new();
    for (name, run) in BENCHES {
        if !wanted.is_empty() && !wanted.iter().any(|one| one == name) {
            continue;
        }
        eprintln!("== {name}");
        match run().await {
            Ok(report) => println!("{}", report.line(name)),
            Err(error) => {
                eprintln!("{name} could not be measured: {error:#}");
                failed.push(*name);
            }
        }
    }
    anyhow::ensure!(failed.is_empty(), "not measured: {}", failed.join(", "));
    Ok(())
}
