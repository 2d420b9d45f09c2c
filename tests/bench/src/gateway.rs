//! What the portal adds to a read: the same read through it and of the service itself, in turn, in one run.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use auth::Issuer;
use platform::crypto::MasterKey;
use reqwest::RequestBuilder;
use serde_json::Value;

use crate::process::Program;
use crate::report::{Report, percentile};

const ROUNDS: usize = 2000;
/// Rounds that open connections and fill caches, and are not counted.
const WARM: usize = 200;
/// Each with its service's place in the range of ports: from memory, and from the database.
const READS: [(&str, &str, u16); 2] = [
    ("ipaas", "/api/v1/pods?limit=50", 2),
    ("cluster-mgr", "/api/v1/services?limit=50", 1),
];

pub async fn run() -> anyhow::Result<Report> {
    let directory = tempfile::tempdir()?;
    let data = directory.path().join("data");
    let port = crate::process::free_ports(20)?;
    let text = port.to_string();
    let folder = data.to_str().expect("a temporary directory's path is text");
    let arguments = ["demo", "--data-dir", folder, "--port", &text];
    let mut demo = Program::start(&arguments, &directory.path().join("log"))?;
    let file = data.join("demo.json");
    demo.wait_for_file(&file, Duration::from_secs(60)).await?;
    let described: Value = serde_json::from_slice(&std::fs::read(&file)?)?;
    let token = described["admin_token"]
        .as_str()
        .context("demo.json has no token")?;
    let issuer = Issuer::new("portal", &MasterKey::read(&data.join("master.key"))?);
    let http = platform::foundation::http_client();

    let mut report = Report::new();
    report.parameter("rounds", ROUNDS);
    for (service, path, offset) in READS {
        let through = || {
            http.get(format!("http://127.0.0.1:{port}{path}"))
                .bearer_auth(token)
        };
        let direct = || {
            let url = format!("http://127.0.0.1:{}{path}", port + offset);
            http.get(url).bearer_auth(issuer.issue_own(service))
        };
        let (mut portal, mut own) = (Vec::new(), Vec::new());
        for round in 0..WARM + ROUNDS {
            // Who comes first changes, so that neither always finds the other's warm caches.
            let (first, second) = if round % 2 == 0 {
                (timed(direct()).await?, timed(through()).await?)
            } else {
                let first = timed(through()).await?;
                (timed(direct()).await?, first)
            };
            if round >= WARM {
                own.push(first);
                portal.push(second);
            }
        }
        let name = service.replace('-', "_");
        let medians = [percentile(&mut own, 0.5), percentile(&mut portal, 0.5)];
        report.figure(&format!("{name}_direct_median_ms"), medians[0]);
        report.figure(&format!("{name}_portal_median_ms"), medians[1]);
        report.figure(&format!("{name}_direct_p99_ms"), percentile(&mut own, 0.99));
        report.figure(&format!("{name}_portal_p99_ms"), percentile(&mut portal, 0.99));
        report.at_most(
            &format!("{name}_overhead_median_ms"),
            medians[1] - medians[0],
            1.0,
        );
    }
    Ok(report)
}

/// Milliseconds until the whole answer is read.
async fn timed(request: RequestBuilder) -> anyhow::Result<f64> {
    let begun = Instant::now();
    let response = request.timeout(Duration::from_secs(10)).send().await?;
    response.error_for_status()?.bytes().await?;
    Ok(begun.elapsed().as_secs_f64() * 1e3)
}
