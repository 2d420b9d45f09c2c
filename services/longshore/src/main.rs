//! See the library: everything is there, so that tests can start it too.

use std::process::ExitCode;

use clap::Parser as _;
use longshore::arguments::Arguments;

#[tokio::main]
async fn main() -> ExitCode {
    longshore::run(Arguments::parse()).await
}
