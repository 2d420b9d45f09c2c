//! `placement`: how fast services are placed over many clusters: decided alone, and decided and stored by a running
//! cluster-mgr.

use std::time::{Duration, Instant};

use api_types::clusters::{ClusterObservation, FreeNodes, FreeRoom, ResourceAmounts};
use api_types::placement::Placement;
use cluster_mgr::placement::capacity::{Ask, Fits, Reserved, further};
use cluster_mgr::placement::{Candidate, Request, decide};
use serde_json::{Value, json};

use crate::company::{Company, ENVIRONMENT, Simulated};
use crate::report::Report;

const CLUSTERS: usize = 100;
const SERVICES: usize = 10_000;
const REPLICAS: u32 = 3;
/// Services in one batch of the loop.
const BATCH: usize = 100;
const LONGEST: Duration = Duration::from_secs(120);

pub async fn run() -> anyhow::Result<Report> {
    let mut report = Report::new();
    report.parameter("clusters", CLUSTERS);
    report.parameter("services", SERVICES);
    report.parameter("replicas_a_service", REPLICAS);
    report.parameter("database", "PostgreSQL");
    report.parameter(
        "while_storing",
        "ipaas is stopped, so that nothing is applied meanwhile",
    );
    report.at_least("decided_per_s", decided()?, 20_000.0);
    report.at_least("decided_and_stored_per_s", stored().await?, 2_000.0);
    Ok(report)
}

/// One service after the other, each beside what the earlier ones were promised.
fn decided() -> anyhow::Result<f64> {
    let names: Vec<String> = (0..CLUSTERS).map(|number| format!("c{number:03}")).collect();
    let observed = observed();
    let mut reserved = vec![Reserved::default(); CLUSTERS];
    let placement = Placement::default();
    let mut fits = Fits::default();
    let start = Instant::now();
    let mut placed = 0;
    for service in 0..SERVICES {
        // Carried from service to service within a batch, as the loop does.
        if service % BATCH == 0 {
            fits = Fits::default();
        }
        let ask = Ask {
            cpu_millicores: 100 + (service as u64 % 10) * 50,
            memory_bytes: (128 + (service as u64 % 7) * 64) << 20,
            gpus: 0,
        };
        let seed = format!("bench/test/service-{service:05}");
        let of_ask = fits.of(ask, names.iter().map(|_| Some(&observed)));
        let candidates: Vec<Candidate<'_>> = names
            .iter()
            .zip(&reserved)
            .zip(of_ask.iter())
            .map(|((name, reserved), fit)| Candidate {
                name,
                region: "",
                zone: "",
                ready: true,
                closed: None,
                excluded: None,
                capacity: Some(further(ask, &observed, *fit, *reserved)),
                held: 0,
                stuck: 0,
                exhausted: false,
            })
            .collect();
        let request = Request {
            placement: &placement,
            replicas: REPLICAS,
            seed: &seed,
            afresh: false,
        };
        let decision = decide(request, &candidates);
        for (index, replicas) in decision
            .replicas()
            .enumerate()
            .filter(|(_, replicas)| *replicas > 0)
        {
            // As the loop does for what it keeps.
            std::hint::black_box(decision.reason(index));
            reserved[index].add(ask, replicas);
            placed += replicas as usize;
        }
    }
    let seconds = start.elapsed().as_secs_f64();
    anyhow::ensure!(placed == SERVICES * REPLICAS as usize, "{placed} replicas placed");
    Ok(SERVICES as f64 / seconds)
}

/// A thousand nodes of 32 kinds.
fn observed() -> ClusterObservation {
    let kind = |number: u64| FreeNodes {
        nodes: 32,
        free: ResourceAmounts {
            cpu_millicores: 1_000 + number * 250,
            memory_bytes: (4 + number) << 30,
            pods: 20 + number,
            gpus: number % 4 * 2,
        },
        gpus_only: false,
    };
    ClusterObservation {
        observed_at: chrono::DateTime::UNIX_EPOCH,
        stale: false,
        kubernetes_version: String::new(),
        nodes: 1_024,
        nodes_ready: 1_024,
        pods: 0,
        allocatable: ResourceAmounts {
            cpu_millicores: 16_384_000,
            memory_bytes: 64 << 40,
            pods: 112_640,
            gpus: 3_072,
        },
        requested: ResourceAmounts::default(),
        used: None,
        largest_node: None,
        gpu_nodes: None,
        free: Some(FreeRoom {
            nodes: (0..32).map(kind).collect(),
            waiting: ResourceAmounts::default(),
        }),
    }
}

/// All of them wait in an environment of one cordoned cluster; then it spans them all.
async fn stored() -> anyhow::Result<f64> {
    let simulated = Simulated::start(CLUSTERS, 1_000).await?;
    let company = Company::start(&simulated.clusters).await?;
    let cluster: Value = company.people.get("/api/v1/clusters/c000").await?;
    let version = cluster["version"].as_i64().unwrap_or_default();
    let _: Value = company
        .people
        .patch("/api/v1/clusters/c000", version, &json!({ "cordoned": true }))
        .await?;
    company.environment(&["c000"]).await?;
    company
        .create(0..SERVICES, |number| {
            json!({
                "name": format!("service-{number:05}"), "replicas": REPLICAS,
                "spec": {
                    "image": "registry.example.com/bench/web:1",
                    "resources": {
                        "cpu_request": "100m", "cpu_limit": "1", "memory_request": "128Mi", "memory_limit": "256Mi",
                    },
                },
            })
        })
        .await?;
    let waiting = async || {
        company
            .count("SELECT count(*) FROM services WHERE unplaced > 0")
            .await
    };
    company
        .until(LONGEST, "all were looked at", async || {
            Ok(waiting().await? == SERVICES as i64)
        })
        .await?;
    company.ipaas.program.signal("-STOP")?;
    let environment: Value = company.people.get(ENVIRONMENT).await?;
    let version = environment["version"].as_i64().unwrap_or_default();
    let start = Instant::now();
    let _: Value = company
        .people
        .patch(ENVIRONMENT, version, &json!({ "clusters": [] }))
        .await?;
    company
        .until(LONGEST, "all are placed", async || Ok(waiting().await? == 0))
        .await?;
    let seconds = start.elapsed().as_secs_f64();
    company.ipaas.program.signal("-CONT")?;
    let replicas = company
        .count("SELECT CAST(sum(replicas) AS BIGINT) FROM assignments")
        .await?;
    anyhow::ensure!(
        replicas == SERVICES as i64 * i64::from(REPLICAS),
        "{replicas} replicas placed"
    );
    Ok(SERVICES as f64 / seconds)
}
