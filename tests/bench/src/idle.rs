//! The demo at rest: everything in one process, two simulated clusters, three services.

use std::time::{Duration, Instant};

use crate::process::Program;
use crate::report::Report;

const SETTLE: Duration = Duration::from_secs(20);
const MEASURE: Duration = Duration::from_secs(60);

pub async fn run() -> anyhow::Result<Report> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let port = crate::process::free_ports(20)?.to_string();
    let arguments = [
        "demo",
        "--data-dir",
        data.to_str().expect("a temporary directory's path is text"),
        "--port",
        &port,
    ];
    let mut demo = Program::start(&arguments, &directory.path().join("log"))?;
    let ready = demo
        .wait_for_file(&data.join("demo.json"), Duration::from_secs(60))
        .await?;
    // The seeded services come up, or fail as they should, and the crashing one's pauses grow.
    tokio::time::sleep(SETTLE).await;
    let start = Instant::now();
    let before = demo.processor_seconds()?;
    tokio::time::sleep(MEASURE).await;
    let used = demo.processor_seconds()? - before;
    let share = used / start.elapsed().as_secs_f64();

    let mut report = Report::new();
    report.parameter("seconds", MEASURE.as_secs());
    report.parameter("clusters", 2);
    report.figure("ready_ms", ready.as_secs_f64() * 1e3);
    report.at_most("resident_mb", demo.resident_bytes()? / 1e6, 150.0);
    report.at_most("core_percent", share * 100.0, 2.0);
    Ok(report)
}
