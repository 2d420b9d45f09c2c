//! The agent between a simulated cluster and somebody who listens.

#![expect(clippy::unwrap_used, reason = "tests fail by panicking and say why")]

use std::sync::Arc;
use std::time::Duration;

use api_types::clusters::Heartbeat;
use api_types::common::ErrorBody;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use axum::{Json, Router};
use cluster_agent::{Agent, Lease, Report, ReportError, Token};
use http::{HeaderMap, StatusCode};
use k8s_openapi::api::coordination::v1::Lease as Object;
use kube::config::{Config, KubeConfigOptions, Kubeconfig};
use kube::{Api, Client};
use parking_lot::Mutex;
use sandbox::{ClusterConfig, Fault, Sandbox, SandboxConfig};
use test_support::wait_for;
use tokio_util::sync::CancellationToken;

const LONG: Duration = Duration::from_secs(30);
const TOKEN: &str = "lsa_good";

/// Who listens in the portal's place.
#[derive(Clone, Default)]
struct Ears(Arc<Mutex<Vec<Heartbeat>>>);

impl Ears {
    async fn listen(&self) -> String {
        async fn hear(
            State(ears): State<Ears>,
            headers: HeaderMap,
            Json(heartbeat): Json<Heartbeat>,
        ) -> Response {
            if headers["authorization"] != format!("Bearer {TOKEN}") {
                let error = ErrorBody {
                    code: "agent_token_invalid".to_owned(),
                    message: "the token is none".to_owned(),
                    request_id: String::new(),
                    details: serde_json::Value::Null,
                };
                return (StatusCode::UNAUTHORIZED, Json(error)).into_response();
            }
            ears.0.lock().push(heartbeat);
            StatusCode::NO_CONTENT.into_response()
        }
        let router = Router::new()
            .route("/api/v1/clusters/east/heartbeat", post(hear))
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        url
    }

    fn last(&self) -> Option<Heartbeat> {
        self.0.lock().last().cloned()
    }

    fn count(&self) -> usize {
        self.0.lock().len()
    }
}

async fn sandbox(directory: &tempfile::TempDir) -> Sandbox {
    platform::foundation::install_tls_provider();
    let config = SandboxConfig {
        clusters: vec![ClusterConfig {
            name: "east".into(),
            nodes: 1,
            ..ClusterConfig::default()
        }],
        data_dir: directory.path().to_owned(),
        ..SandboxConfig::default()
    };
    sandbox::start(config).await.unwrap()
}

async fn agent(sandbox: &Sandbox, url: &str, token: Token) -> Agent {
    let kubeconfig = sandbox.clusters()[0].kubeconfig();
    let lease = Lease::of_text(&kubeconfig, "kube-system", "longshore-agent", "pod-1")
        .await
        .unwrap();
    let report = Report::new(platform::foundation::http_client(), url, "east", token);
    Agent::new(lease, report, Duration::from_millis(100))
}

#[tokio::test]
async fn it_renews_its_lease_and_tells_when_it_cannot() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = sandbox(&directory).await;
    let ears = Ears::default();
    let url = ears.listen().await;
    let agent = agent(&sandbox, &url, Token::Text(TOKEN.to_owned())).await;
    let kubeconfig = Kubeconfig::from_yaml(&sandbox.clusters()[0].kubeconfig()).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .unwrap();
    let leases: Api<Object> = Api::namespaced(Client::try_from(config).unwrap(), "kube-system");

    agent.beat().await.unwrap();
    let first = leases.get("longshore-agent").await.unwrap().spec.unwrap();
    assert_eq!(first.holder_identity.as_deref(), Some("pod-1"));
    let heard = ears.last().unwrap();
    assert!(
        heard.error.is_none() && heard.lease_age_ms.unwrap() < 5_000,
        "{heard:?}"
    );
    agent.beat().await.unwrap();
    let second = leases.get("longshore-agent").await.unwrap().spec.unwrap();
    assert!(second.renew_time > first.renew_time);

    let shutdown = CancellationToken::new();
    let cluster = sandbox.clusters()[0].clone();
    let (faults, ending) = (cluster.clone(), shutdown.clone());
    let run = tokio::spawn(async move { agent.run(move || faults.faults().cuts_agent(), &ending).await });
    let down = cluster.faults().put_on(Fault::Down {});
    wait_for(
        "the agent to tell that the API server is away",
        LONG,
        async || match ears.last() {
            Some(heard) if heard.error.is_some() => Ok(()),
            other => Err(other),
        },
    )
    .await;
    assert!(
        ears.last().unwrap().lease_age_ms.is_some(),
        "how old the last renewal is"
    );
    cluster.faults().clear(down);
    wait_for("the agent to renew again", LONG, async || match ears.last() {
        Some(heard) if heard.error.is_none() => Ok(()),
        other => Err(other),
    })
    .await;
    cluster.faults().put_on(Fault::AgentCut {});
    let (mut before, mut quiet) = (ears.count(), 0);
    wait_for("nothing more to be heard", LONG, async || {
        let now = ears.count();
        quiet = if now == before { quiet + 1 } else { 0 };
        before = now;
        // Each further look is later than two heartbeats.
        if quiet >= 8 { Ok(()) } else { Err(now) }
    })
    .await;
    cluster.faults().clear_all();
    wait_for("it to be heard again", LONG, async || {
        if ears.count() > before {
            Ok(())
        } else {
            Err(before)
        }
    })
    .await;
    shutdown.cancel();
    run.await.unwrap();
    sandbox.stop().await;
}

#[tokio::test]
async fn a_token_in_a_file_is_read_anew_and_a_bad_one_is_told() {
    let directory = tempfile::tempdir().unwrap();
    let sandbox = sandbox(&directory).await;
    let ears = Ears::default();
    let url = ears.listen().await;
    let file = directory.path().join("token");
    let agent = agent(&sandbox, &url, Token::File(file.clone())).await;
    let missing = agent.beat().await.unwrap_err();
    assert!(matches!(missing, ReportError::Token { .. }), "{missing}");
    std::fs::write(&file, "lsa_old").unwrap();
    let refused = agent.beat().await.unwrap_err();
    assert!(refused.to_string().contains("agent_token_invalid"), "{refused}");
    std::fs::write(&file, format!("{TOKEN}\n")).unwrap();
    agent.beat().await.unwrap();
    assert_eq!(ears.count(), 1);
    sandbox.stop().await;
}
