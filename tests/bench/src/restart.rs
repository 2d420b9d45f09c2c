//! `restart`: cluster-mgr and ipaas come back to a company that is there.

use std::time::{Duration, Instant};

use api_types::common::Page;
use api_types::pods::Pod;
use api_types::services::Service;
use serde_json::{Value, json};

use crate::company::{Company, ENVIRONMENT, Simulated};
use crate::report::{Report, percentile};

const CLUSTERS: usize = 10;
const SERVICES: usize = 10_000;
const REPLICAS: usize = 10;
const PAGES: usize = 100;
const LONGEST: Duration = Duration::from_secs(900);

pub async fn run() -> anyhow::Result<Report> {
    let simulated = Simulated::start(CLUSTERS, (SERVICES * REPLICAS / CLUSTERS) as u32).await?;
    let mut company = Company::start(&simulated.clusters).await?;
    company.environment(&[]).await?;
    let start = Instant::now();
    company.create(0..SERVICES, service).await?;
    let accepted = start.elapsed();
    eprintln!("accepted after {accepted:.1?}");
    company
        .until(LONGEST, "all run", async || {
            let running = "SELECT count(*) FROM services WHERE state = 'running' AND ready = replicas";
            Ok(company.count(running).await? == SERVICES as i64)
        })
        .await?;
    let filled = start.elapsed();
    eprintln!("all run after {filled:.1?}");
    let mut pages = pages(&company).await?;

    let ended = restart(&mut company, Ending::Asked).await?;
    let killed = restart(&mut company, Ending::Killed).await?;

    let mut report = Report::new();
    report.parameter("services", SERVICES);
    report.parameter("pods", SERVICES * REPLICAS);
    report.parameter("clusters", CLUSTERS);
    report.parameter("database", "PostgreSQL");
    report.figure("accepted_per_s", SERVICES as f64 / accepted.as_secs_f64());
    report.figure("all_running_after_s", filled.as_secs_f64());
    report.figure("services_page_p50_ms", percentile(&mut pages, 0.5));
    report.figure("services_page_p99_ms", percentile(&mut pages, 0.99));
    report.figure("ipaas_resident_mb", company.ipaas.program.resident_bytes()? / 1e6);
    report.figure(
        "cluster_mgr_resident_mb",
        company.cluster_mgr.resident_bytes()? / 1e6,
    );
    report.figure("pods_listed_after_s", ended.listed.as_secs_f64());
    report.at_most("working_after_s", ended.working.as_secs_f64(), 10.0);
    report.figure("pods_listed_after_kill_s", killed.listed.as_secs_f64());
    report.figure("working_after_kill_s", killed.working.as_secs_f64());
    Ok(report)
}

/// On two clusters each.
fn service(number: usize) -> Value {
    let clusters = [number % CLUSTERS, (number + 1) % CLUSTERS].map(|cluster| format!("c{cluster:03}"));
    json!({
        "name": format!("service-{number:05}"), "replicas": REPLICAS,
        "placement": { "clusters": clusters },
        "spec": {
            "image": "registry.example.com/bench/web:1",
            "resources": {
                "cpu_request": "100m", "cpu_limit": "1", "memory_request": "128Mi", "memory_limit": "256Mi",
            },
        },
    })
}

enum Ending {
    Asked,
    Killed,
}

struct Restart {
    /// All pods are listed again.
    listed: Duration,
    /// And a change that was accepted after the start runs on the clusters.
    working: Duration,
}

async fn restart(company: &mut Company, ending: Ending) -> anyhow::Result<Restart> {
    match ending {
        Ending::Asked => {
            company.cluster_mgr.end(LONGEST).await?;
            company.ipaas.program.end(LONGEST).await?;
        }
        Ending::Killed => {
            company.cluster_mgr.kill()?;
            company.ipaas.program.kill()?;
        }
    }
    let start = Instant::now();
    company.start_again().await?;
    company.until_answers(LONGEST).await?;
    let path = format!("{ENVIRONMENT}/services/service-00000");
    let before: Service = company.people.get(&path).await?;
    let replicas = before.replicas + 2;
    let _: Value = company
        .people
        .patch(&path, before.version, &json!({ "replicas": replicas }))
        .await?;
    let listed = async || {
        let page: Page<Pod> = company.ipaas.get("/api/v1/pods?limit=1").await?;
        Ok(page.total_estimate >= (SERVICES * REPLICAS) as u64 && page.gaps.is_empty())
    };
    company.until(LONGEST, "all pods are listed", listed).await?;
    let listed = start.elapsed();
    company
        .until(LONGEST, "the change runs", async || {
            let now: Service = company.people.get(&path).await?;
            Ok(now.status.ready == replicas)
        })
        .await?;
    Ok(Restart {
        listed,
        working: start.elapsed(),
    })
}

/// Milliseconds of pages of services as people ask for them.
async fn pages(company: &Company) -> anyhow::Result<Vec<f64>> {
    const QUERIES: [&str; 5] = [
        "",
        "&sort=-updated_at",
        "&sort=state",
        "&state=running,degraded",
        "&q=service-0042",
    ];
    let mut times = Vec::new();
    for number in 0..PAGES {
        let query = QUERIES[number % QUERIES.len()];
        let start = Instant::now();
        let page: Page<Service> = company
            .people
            .get(&format!("/api/v1/services?limit=50{query}"))
            .await?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
        anyhow::ensure!(!page.items.is_empty(), "{query}: nothing");
    }
    Ok(times)
}
