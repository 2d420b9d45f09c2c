//! The contract tests of the Kubernetes API: what Longshore relies on, as one list of cases, run against every
//! real cluster in `LONGSHORE_TEST_KUBECONFIGS` and against the sandbox. A real cluster is right by definition;
//! where the sandbox answers otherwise, the sandbox is wrong.
//!
//! The cases are listed when the program runs, since the targets are known only then. What a target is too old for
//! is listed as ignored, by name.

mod case;
mod cases;
mod objects;
mod target;

use libtest_mimic::{Arguments, Failed, Trial};

use crate::target::Target;

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
            trials.push(
                Trial::test(name, move || {
                    target.run(&described);
                    Ok(())
                })
                .with_ignored_flag(ignored),
            );
        }
    }
    let mut arguments = Arguments::from_args();
    // The cases wait for servers most of the time.
    arguments.test_threads.get_or_insert(12);
    let conclusion = libtest_mimic::run(&arguments, trials);
    target::stop_sandbox();
    conclusion.exit_code()
}
