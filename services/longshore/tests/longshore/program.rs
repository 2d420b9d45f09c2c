//! The program as a child process.

use std::net::TcpListener;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use test_support::wait_for;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::{Child, Command};

pub const PATIENCE: Duration = Duration::from_secs(60);
/// Ports that a demo needs, from its base.
pub const RANGE: u16 = 12;

/// A running program; killed when it is dropped.
pub struct Program {
    child: Child,
}

impl Program {
    pub fn start(arguments: &[&str], directory: &Path, port: u16) -> Self {
        let child = Command::new(env!("CARGO_BIN_EXE_longshore"))
            .args(arguments)
            .arg("--data-dir")
            .arg(directory)
            .arg("--port")
            .arg(port.to_string())
            .current_dir(directory)
            .env_remove("LONGSHORE_DATABASE_URL")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        Self { child }
    }

    /// As Ctrl-C or a service manager does.
    pub async fn signal(&self, name: &str) {
        let id = self.child.id().expect("it runs").to_string();
        let status = Command::new("kill")
            .args([&format!("-{name}"), &id])
            .status()
            .await
            .unwrap();
        assert!(status.success());
    }

    /// The processes that it started and that still run.
    pub fn children(&self) -> Vec<String> {
        let id = self.child.id().expect("it runs");
        let tasks = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
        tasks
            .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("children")).ok())
            .flat_map(|text| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
            .collect()
    }

    /// How it ended, and what it said.
    pub async fn ended(mut self) -> (ExitStatus, String, String) {
        let mut out = self.child.stdout.take().unwrap();
        let mut error = self.child.stderr.take().unwrap();
        let (mut said, mut complained) = (String::new(), String::new());
        let reading = async {
            tokio::try_join!(
                out.read_to_string(&mut said),
                error.read_to_string(&mut complained)
            )
            .unwrap();
            self.child.wait().await.unwrap()
        };
        let status = tokio::time::timeout(PATIENCE, reading)
            .await
            .expect("the program ends");
        (status, said, complained)
    }

    /// Waits until it logs this.
    pub async fn said(&mut self, words: &str) {
        let error = self.child.stderr.as_mut().unwrap();
        let mut lines = BufReader::new(error).lines();
        let reading = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if line.contains(words) {
                    return;
                }
            }
            panic!("it ended without saying \"{words}\"");
        };
        tokio::time::timeout(PATIENCE, reading)
            .await
            .unwrap_or_else(|_| panic!("it never said \"{words}\""));
    }

    /// Waits for a file that the program writes when it is ready.
    pub async fn wrote(&mut self, path: &Path) -> String {
        wait_for("the program to be ready", PATIENCE, async || {
            if let Some(status) = self.child.try_wait().unwrap() {
                let mut complained = String::new();
                let error = self.child.stderr.as_mut().unwrap();
                error.read_to_string(&mut complained).await.unwrap();
                panic!("it ended early: {status}: {complained}");
            }
            std::fs::read_to_string(path).map_err(|error| error.to_string())
        })
        .await
    }
}

/// The first of twelve free ports, below those that the system gives out by itself.
pub fn free_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let process = u16::try_from(std::process::id() % 1000).unwrap();
    for _ in 0..1000 {
        let turn = NEXT.fetch_add(1, Ordering::Relaxed);
        let base = 12_000 + (process * 13 + turn * 61) % 15_000;
        let taken: Vec<_> = (0..RANGE)
            .map(|offset| TcpListener::bind(("127.0.0.1", base + offset)))
            .collect();
        if taken.iter().all(Result::is_ok) {
            return base;
        }
    }
    panic!("no free ports");
}

pub fn http() -> reqwest::Client {
    platform::foundation::install_tls_provider();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .build()
        .unwrap()
}
