//! Measures the sandbox at size: `cargo run --release -p sandbox --example fill -- CLUSTERS PODS [SECONDS]`.
//! Prints start time and memory, and memory again after so many seconds of churn.

use std::time::{Duration, Instant};

use sandbox::{ClusterConfig, Fill, SandboxConfig};

/// Resident memory in mebibytes.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kibibytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok());
    kibibytes.unwrap_or(0) / 1024
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "a program that measures prints what it finds")]
async fn main() -> anyhow::Result<()> {
    let numbers: Vec<u32> = std::env::args()
        .skip(1)
        .filter_map(|word| word.parse().ok())
        .collect();
    let [count, pods, rest @ ..] = numbers.as_slice() else {
        anyhow::bail!("usage: fill CLUSTERS PODS [SECONDS]");
    };
    let clusters = (1..=*count)
        .map(|number| ClusterConfig {
            name: format!("c{number}"),
            nodes: 20,
            node_cpu: "64".into(),
            node_memory: "256Gi".into(),
            node_pods: pods / 10 + 100,
            keep: false,
            light_pods: true,
            fill: Some(Fill::pods(*pods)),
            ..ClusterConfig::default()
        })
        .collect();
    let folder = std::env::temp_dir().join(format!("sandbox-fill-{}", std::process::id()));
    let started = Instant::now();
    let config = SandboxConfig {
        clusters,
        data_dir: folder.clone(),
        ..SandboxConfig::default()
    };
    let sandbox = sandbox::start(config).await?;
    println!(
        "{count} clusters of {pods} pods: {:.1} s, {} MiB",
        started.elapsed().as_secs_f64(),
        memory()
    );
    if let Some(seconds) = rest.first() {
        for cluster in sandbox.clusters() {
            cluster.churn(1.0);
        }
        tokio::time::sleep(Duration::from_secs((*seconds).into())).await;
        println!(
            "after {seconds} s with one pod a second replaced in each: {} MiB",
            memory()
        );
    }
    sandbox.stop().await;
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
