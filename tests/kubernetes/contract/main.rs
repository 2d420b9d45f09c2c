//! The contract tests of the Kubernetes API: what Longshore relies on, as one list of cases, run against every
//! real cluster in `LONGSHORE_TEST_KUBECONFIGS` and against the sandbox. A real cluster is right by definition;
//! where the sandbox answers otherwise, the sandbox is wrong.
//!
//! The cases are listed when the program runs, since the targets are known only then. What a target is too old for
//! is listed as ignored, by name.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test program speaks to the terminal"
)]

mod case;
mod cases;
mod objects;
mod target;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use libtest_mimic::{Arguments, Failed, Trial};

use crate::case::Described;
use crate::target::Target;

/// What failed at first and passed the second time.
static FLAKY: Mutex<Vec<String>> = Mutex::new(Vec::new());

fn main() -> std::process::ExitCode {
    rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .expect("no provider was installed before");
    let mut trials = Vec::new();
    if let Some(complaint) = target::missing_under_ci() {
        trials.push(Trial::test("real_clusters", move || Err(Failed::from(complaint))));
    }
    for target in Target::all() {
        for described in cases::all() {
            let name = format!("{}::{}::{}", target.name(), described.group, described.name);
            let ignored = target.lacks(&described);
            let target = target.clone();
            let trial = Trial::test(name.clone(), move || {
                twice(&name, &target, &described);
                Ok(())
            });
            trials.push(trial.with_ignored_flag(ignored));
        }
    }
    let mut arguments = Arguments::from_args();
    // The cases wait for servers most of the time.
    arguments.test_threads.get_or_insert(12);
    let conclusion = libtest_mimic::run(&arguments, trials);
    target::stop_sandbox();
    for name in FLAKY.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        println!("FLAKY: {name} failed and passed the second time");
    }
    conclusion.exit_code()
}

/// A case that fails is tried once more, in a namespace of its own again: kubelets on a busy machine have their moods.
fn twice(name: &str, target: &Target, described: &Described) {
    if catch_unwind(AssertUnwindSafe(|| target.run(described))).is_err() {
        eprintln!("{name} failed, a second attempt");
        target.run(described);
        FLAKY
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(name.to_owned());
    }
}
