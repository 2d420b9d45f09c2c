//! Bounded fuzzing: proptest with as many cases as a debug build takes in a few seconds, text that breaks
//! things, and things that were good until something was changed in them.

mod change;
mod lists;
mod query;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

pub use change::{changed, edited, value};
pub use lists::ask_lists;
pub use query::{escaped, queries};

use crate::database::environment;

/// So many cases, or as many as `PROPTEST_CASES` says. `PROPTEST_RNG_SEED` replays a run.
#[must_use]
pub fn cases(number: u32) -> Config {
    let given = Config::default();
    Config {
        cases: environment("PROPTEST_CASES").map_or(number, |_| given.cases),
        max_shrink_iters: 2_000,
        ..given
    }
}

/// The same for what is asked of a server: the test runs in a multi-threaded runtime.
pub fn ask<S: Strategy>(
    source: &'static str,
    number: u32,
    strategy: &S,
    test: impl AsyncFn(S::Value) -> Result<(), TestCaseError>,
) {
    let config = Config {
        source_file: Some(source),
        max_shrink_iters: 200,
        ..cases(number)
    };
    let outcome = block_in_place(|| {
        TestRunner::new(config).run(strategy, |case| Handle::current().block_on(test(case)))
    });
    if let Err(error) = outcome {
        panic!("{error}");
    }
}

/// What has broken parsers, patterns, paths and databases before.
const NASTY: &[&str] = &[
    "",
    " ",
    "\0",
    "a\0b",
    "%",
    "_",
    "\\",
    "%_\\",
    "'",
    "\"",
    "'; --",
    "--",
    "/",
    "..",
    "../..",
    "//",
    ":",
    ",",
    ",,,",
    "null",
    "true",
    "~",
    "0",
    "-",
    "-1",
    "+1",
    "1e-2147483648",
    "1e400",
    "NaN",
    "70000",
    "4294967295",
    "4294967296",
    "9223372036854775808",
    "0x10",
    "１",
    ".0147573952589676412927Ei",
    "101%",
    "%%",
    "50%",
    "1Gi",
    "é",
    "e\u{301}",
    "İ",
    "ß",
    "\u{202e}abc",
    "\u{feff}",
    "\u{ffff}",
    "😀",
    "\u{1f}",
    "\n",
    "\r\n",
    "\t",
    "*",
    "&a",
    "!x",
    "!!binary x",
    "<<",
    "{",
    "[",
    "{}",
    "[]",
    "- -",
    "? ?",
    "|",
    ">",
    "#",
    "@",
    "`",
    "name",
    "-name",
    "2026-01-01T00:00:00Z",
    "+262142-12-31T23:59:59Z",
    "-262143-01-01T00:00:00Z",
    "00000000-0000-0000-0000-000000000000",
];

/// Any text: short, long, odd.
pub fn text() -> BoxedStrategy<String> {
    let repeated = (select(NASTY), 1..400_usize).prop_map(|(part, times)| part.repeat(times));
    prop_oneof![
        6 => select(NASTY).prop_map(str::to_owned),
        3 => "\\PC{0,40}",
        2 => any::<String>(),
        2 => (select(NASTY), "[a-z]{0,6}").prop_map(|(odd, plain)| format!("{plain}{odd}{plain}")),
        1 => repeated,
    ]
    .boxed()
}
