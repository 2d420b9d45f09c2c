//! `failover`: a cluster that holds thousands of services is lost; they run on the others. How long it takes to notice
//! that it is lost is a setting, and left out.

use std::time::{Duration, Instant};

use api_types::clusters::{Cluster, ClusterState};
use api_types::evacuations::EvacuationPlan;
use api_types::operations::{Operation, OperationAccepted, OperationState};
use serde_json::{Value, json};

use crate::company::{Company, ENVIRONMENT, Simulated};
use crate::report::Report;

const CLUSTERS: usize = 100;
const SERVICES: usize = 5_000;
const LOST: &str = "c000";
const LONGEST: Duration = Duration::from_secs(600);

pub async fn run() -> anyhow::Result<Report> {
    let simulated = Simulated::start(CLUSTERS, SERVICES as u32).await?;
    let company = Company::start(&simulated.clusters).await?;
    company.environment(&[LOST]).await?;
    company
        .create(0..SERVICES, |number| {
            json!({
                "name": format!("service-{number:05}"), "replicas": 1,
                "spec": {
                    "image": "registry.example.com/bench/web:1",
                    "resources": {
                        "cpu_request": "100m", "cpu_limit": "1", "memory_request": "128Mi", "memory_limit": "256Mi",
                    },
                },
            })
        })
        .await?;
    let running = "SELECT count(*) FROM services WHERE state = 'running' AND ready = replicas";
    company
        .until(LONGEST, "all run on one cluster", async || {
            Ok(company.count(running).await? == SERVICES as i64)
        })
        .await?;
    let environment: Value = company.people.get(ENVIRONMENT).await?;
    let version = environment["version"].as_i64().unwrap_or_default();
    let _: Value = company
        .people
        .patch(ENVIRONMENT, version, &json!({ "clusters": [] }))
        .await?;

    simulated.down(LOST).await?;
    company
        .until(LONGEST, "it is unreachable", async || {
            let cluster: Cluster = company.people.get(&format!("/api/v1/clusters/{LOST}")).await?;
            Ok(cluster.state == ClusterState::Unreachable)
        })
        .await?;

    let path = format!("/api/v1/clusters/{LOST}/evacuation");
    let start = Instant::now();
    let plan: EvacuationPlan = company.people.get(&path).await?;
    let planned = start.elapsed();
    anyhow::ensure!(
        (plan.services, plan.replicas_unplaced) == (SERVICES as u64, 0),
        "the plan is {plan:?}"
    );
    let start = Instant::now();
    let accepted: OperationAccepted = company.people.post(&path, &json!({ "reason": "bench" })).await?;
    let applied = "SELECT count(*) FROM assignments WHERE replicas > 0 AND applied_hash IS NOT NULL \
                   AND cluster_id <> (SELECT id FROM clusters WHERE name = 'c000')";
    company
        .until(LONGEST, "all replacements are applied", async || {
            Ok(company.count(applied).await? == SERVICES as i64)
        })
        .await?;
    let replaced = start.elapsed();
    company
        .until(LONGEST, "the evacuation is over", async || {
            let path = format!("/api/v1/operations/{}", accepted.operation);
            let operation: Operation = company.people.get(&path).await?;
            Ok(operation.state == OperationState::Succeeded)
        })
        .await?;
    let over = start.elapsed();

    let mut report = Report::new();
    report.parameter("services", SERVICES);
    report.parameter("clusters", CLUSTERS);
    report.parameter("database", "PostgreSQL");
    report.figure("plan_alone_s", planned.as_secs_f64());
    report.at_most("planned_reserved_and_applied_s", replaced.as_secs_f64(), 60.0);
    report.figure("all_ready_and_over_s", over.as_secs_f64());
    Ok(report)
}
