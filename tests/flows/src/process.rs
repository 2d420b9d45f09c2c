//! One service as a process of its own, with its output in a file.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::{Child, Command};

/// The program under test: `LONGSHORE_BIN`, or the one that was built beside this test.
#[must_use]
pub fn program() -> PathBuf {
    if let Some(path) = std::env::var_os("LONGSHORE_BIN") {
        return path.into();
    }
    let test = std::env::current_exe().unwrap();
    let profile = test
        .ancestors()
        .nth(2)
        .expect("test programs lie in target/<profile>/deps");
    let program = profile.join("longshore");
    assert!(
        program.exists(),
        "{} is missing: run `cargo build -p longshore` first",
        program.display()
    );
    program
}

/// A running service. Dropped, it is killed.
#[derive(Debug)]
pub struct Process {
    target: &'static str,
    environment: Vec<(String, String)>,
    output: PathBuf,
    child: Option<Child>,
}

impl Process {
    #[must_use]
    pub fn new(target: &'static str, environment: Vec<(String, String)>, directory: &Path) -> Self {
        Self {
            target,
            environment,
            output: directory.join(format!("{target}.log")),
            child: None,
        }
    }

    pub fn start(&mut self) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(&self.output)
            .unwrap();
        let child = Command::new(program())
            .arg(self.target)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .envs(self.environment.iter().cloned())
            .current_dir(self.output.parent().unwrap())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        self.child = Some(child);
    }

    /// `kill -9`, without a word of warning.
    pub async fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().await.unwrap();
        }
    }

    /// Whether it was started and ended by itself.
    pub fn has_ended(&mut self) -> bool {
        let Some(child) = &mut self.child else {
            return false;
        };
        child.try_wait().unwrap().is_some()
    }

    /// Stops it in the middle of whatever it does, as a machine that swaps or a live migration would.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets a paused one go on.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().and_then(Child::id).expect("it runs");
        let sent = std::process::Command::new("kill")
            .args([signal, &id.to_string()])
            .status()
            .unwrap();
        assert!(sent.success(), "kill {signal} {id}");
    }

    /// The last lines of its output, for a failing test's report.
    #[must_use]
    pub fn tail(&self) -> String {
        let text = std::fs::read_to_string(&self.output).unwrap_or_default();
        let lines: Vec<_> = text.lines().collect();
        let from = lines.len().saturating_sub(40);
        format!("--- {} ---\n{}", self.target, lines[from..].join("\n"))
    }
}
