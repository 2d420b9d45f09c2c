//! `pod-index` and `pods-2m`: the index of pods at size, in an ipaas of its own, over HTTP.

use std::time::{Duration, Instant};

use api_types::common::{ClusterId, Page};
use api_types::internal::PutConnection;
use api_types::pods::Pod;
use serde_json::Value;

use crate::ipaas::Ipaas;
use crate::made_up::Clusters;
use crate::report::{Report, percentile};

const PAGES: usize = 200;
const LONGEST_START: Duration = Duration::from_secs(900);

/// Pages as people ask for them: sorts and filters over everything.
const QUERIES: &[&str] = &[
    "sort=name",
    "sort=-created_at",
    "sort=-restarts&status=CrashLoopBackOff",
    "sort=name&project=project-07",
    "sort=-created_at&ready=true",
    "sort=node&q=service-00042",
    "q=10.3.1.",
];

pub async fn small() -> anyhow::Result<Report> {
    let mut report = Report::new();
    let figures = measure(10, 10_000, &mut report).await?;
    report.at_most("bytes_a_pod", figures.bytes_a_pod, 500.0);
    report.at_most("page_p99_ms", figures.page_p99, 20.0);
    report.figure("page_p50_ms", figures.page_p50);
    report.at_most(
        "page_p99_ms_with_one_dead",
        figures.dead_p99,
        (figures.page_p99 * 1.2).max(20.0),
    );
    report.figure("ready_s", figures.ready);
    Ok(report)
}

pub async fn large() -> anyhow::Result<Report> {
    let mut report = Report::new();
    let figures = measure(100, 20_000, &mut report).await?;
    report.at_most("resident_mb", figures.resident / 1e6, 1_500.0);
    report.figure("bytes_a_pod", figures.bytes_a_pod);
    report.figure("ready_s", figures.ready);
    report.at_most("page_p99_ms", figures.page_p99, 100.0);
    report.figure("page_p50_ms", figures.page_p50);
    report.figure("page_p99_ms_with_one_dead", figures.dead_p99);
    Ok(report)
}

struct Figures {
    ready: f64,
    resident: f64,
    bytes_a_pod: f64,
    page_p50: f64,
    page_p99: f64,
    dead_p99: f64,
}

async fn measure(clusters: usize, pods: usize, report: &mut Report) -> anyhow::Result<Figures> {
    report.parameter("clusters", clusters);
    report.parameter("pods", clusters * pods);
    report.parameter("pods_from", "API servers that make them up while they are listed");
    report.parameter("pages", PAGES);
    report.parameter("queries", QUERIES.to_vec());
    let made_up = Clusters::start(clusters, pods).await?;
    let ipaas = Ipaas::start().await?;
    let before = ipaas.program.resident_bytes()?;
    let start = Instant::now();
    for cluster in 0..clusters {
        let body = PutConnection {
            name: format!("cluster-{cluster:03}"),
            kubeconfig: made_up.kubeconfig(cluster),
        };
        ipaas.client.put_connection(ClusterId::new(), &body).await?;
    }
    ipaas
        .wait_for(LONGEST_START, |connections| {
            connections
                .iter()
                .filter(|one| one.reachable && one.synced)
                .count()
                == clusters
        })
        .await?;
    let ready = start.elapsed().as_secs_f64();
    let page: Page<Pod> = ipaas.get("/api/v1/pods?limit=1").await?;
    anyhow::ensure!(page.total_estimate == (clusters * pods) as u64, "{page:?}");
    let mut times = pages(&ipaas).await?;
    let resident = ipaas.program.resident_bytes()?;
    made_up.kill(clusters / 2);
    ipaas
        .wait_for(LONGEST_START, |connections| {
            connections.iter().filter(|one| one.reachable).count() == clusters - 1
        })
        .await?;
    let mut dead = pages(&ipaas).await?;
    Ok(Figures {
        ready,
        resident,
        bytes_a_pod: (resident - before) / (clusters * pods) as f64,
        page_p50: percentile(&mut times, 0.5),
        page_p99: percentile(&mut times, 0.99),
        dead_p99: percentile(&mut dead, 0.99),
    })
}

/// Milliseconds of each page.
async fn pages(ipaas: &Ipaas) -> anyhow::Result<Vec<f64>> {
    let mut times = Vec::new();
    let mut worst = vec![0.0_f64; QUERIES.len()];
    for number in 0..PAGES {
        let query = QUERIES[number % QUERIES.len()];
        let start = Instant::now();
        let page: Value = ipaas.get(&format!("/api/v1/pods?limit=100&{query}")).await?;
        let took = start.elapsed().as_secs_f64() * 1e3;
        anyhow::ensure!(
            page["items"].as_array().is_some_and(|items| !items.is_empty()),
            "{query}: nothing"
        );
        times.push(took);
        worst[number % QUERIES.len()] = worst[number % QUERIES.len()].max(took);
    }
    for (query, worst) in QUERIES.iter().zip(worst) {
        eprintln!("{query}: {worst:.1} ms at worst");
    }
    Ok(times)
}
