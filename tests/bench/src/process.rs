//! The program as a child process, and what it uses.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context as _;

/// Linux counts a process's time in hundredths of a second.
const TICKS_PER_SECOND: f64 = 100.0;

/// Ends with this value.
pub struct Program {
    child: Child,
}

impl Program {
    /// `longshore ARGUMENTS…` of the same build as this program; its output goes to `log`.
    pub fn start(arguments: &[&str], log: &Path) -> anyhow::Result<Self> {
        let log = std::fs::File::options().create(true).append(true).open(log)?;
        let child = Command::new(longshore()?)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Self { child })
    }

    /// Bytes that are resident.
    pub fn resident_bytes(&self) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS:"))
            .context("the process has ended")?;
        let kibibytes: f64 = line.split_whitespace().nth(1).context("VmRSS")?.parse()?;
        Ok(kibibytes * 1024.0)
    }

    /// Seconds of processor time since the start.
    pub fn processor_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let (_, rest) = stat.rsplit_once(") ").context("the process's name")?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>()? + fields[12].parse::<f64>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }

    /// Sends it a signal, such as `-STOP`.
    pub fn signal(&self, signal: &str) -> anyhow::Result<()> {
        let sent = Command::new("kill")
            .args([signal, &self.child.id().to_string()])
            .status()?;
        anyhow::ensure!(sent.success(), "kill {signal}");
        Ok(())
    }

    /// Asks it to end, and waits until it did.
    pub async fn end(&mut self, longest: Duration) -> anyhow::Result<()> {
        self.signal("-TERM")?;
        let start = Instant::now();
        while self.child.try_wait()?.is_none() {
            anyhow::ensure!(start.elapsed() < longest, "it has not ended after {longest:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// `kill -9`.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Waits for a file that the process writes when it is ready.
    pub async fn wait_for_file(&mut self, path: &Path, longest: Duration) -> anyhow::Result<Duration> {
        let start = Instant::now();
        while !path.exists() {
            if let Some(status) = self.child.try_wait()? {
                anyhow::bail!("longshore ended with {status}");
            }
            anyhow::ensure!(
                start.elapsed() < longest,
                "{} is not there after {longest:?}",
                path.display()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(start.elapsed())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program beside this one.
fn longshore() -> anyhow::Result<PathBuf> {
    let path = std::env::current_exe()?.with_file_name("longshore");
    anyhow::ensure!(
        path.exists(),
        "{} is not built; `make bench` builds it",
        path.display()
    );
    Ok(path)
}

/// The first of so many free ports in a row.
pub fn free_ports(count: u16) -> anyhow::Result<u16> {
    for base in (20_000..32_000).step_by(usize::from(count)) {
        let all = (base..base + count).all(|port| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
        if all {
            return Ok(base);
        }
    }
    anyhow::bail!("no {count} free ports in a row between 20000 and 32000")
}
