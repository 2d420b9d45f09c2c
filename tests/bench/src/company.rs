//! A company: cluster-mgr and ipaas as processes of their own on PostgreSQL, clusters, services.

use std::time::{Duration, Instant};

use api_types::clusters::{Cluster, ClusterState};
use api_types::common::Page;
use clients::Endpoint;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use platform::config::Port;
use sandbox::{ClusterConfig, Sandbox, SandboxConfig};
use sea_orm::{ConnectionTrait as _, DatabaseConnection, Statement};
use serde_json::{Value, json};
use test_support::{Backend, TestDatabase};

use crate::ipaas::Ipaas;
use crate::process::Program;
use crate::seat::{People, Seat};

const AT_A_TIME: usize = 16;
const LONGEST: Duration = Duration::from_secs(180);
pub const ENVIRONMENT: &str = "/api/v1/projects/bench/environments/test";

pub struct Company {
    pub ipaas: Ipaas,
    pub cluster_mgr: Program,
    /// Who speaks with cluster-mgr.
    pub people: People,
    /// How another service speaks with it.
    pub colleague: Endpoint,
    database: TestDatabase,
    seat: Seat,
}

impl Company {
    /// With these clusters, by name and kubeconfig, all Ready.
    pub async fn start(clusters: &[(String, String)]) -> anyhow::Result<Self> {
        anyhow::ensure!(
            Backend::all().contains(&Backend::Postgres),
            "there is no PostgreSQL: run it in tests/setup/postgres with"
        );
        let database = TestDatabase::new(Backend::Postgres).await;
        let seat = Seat::new(Some(database.url.clone()))?;
        let ipaas = Ipaas::start_on(&seat).await?;
        let company = Self {
            ipaas,
            cluster_mgr: seat.start("cluster-mgr")?,
            people: seat.people(Port::ClusterMgr, "cluster-mgr")?,
            colleague: seat.endpoint(Port::ClusterMgr, "cluster-mgr", "portal")?,
            database,
            seat,
        };
        company.until_answers(LONGEST).await?;
        stream::iter(clusters)
            .map(Ok::<_, anyhow::Error>)
            .try_for_each_concurrent(AT_A_TIME, async |(name, kubeconfig)| {
                let body = json!({ "name": name, "region": "bench", "kubeconfig": kubeconfig });
                let _: Value = company.people.post("/api/v1/clusters", &body).await?;
                Ok(())
            })
            .await?;
        company.until_ready(clusters.len(), LONGEST).await?;
        let _: Value = company
            .people
            .post("/api/v1/projects", &json!({ "name": "bench" }))
            .await?;
        Ok(company)
    }

    pub async fn until_answers(&self, longest: Duration) -> anyhow::Result<Duration> {
        self.until(longest, "cluster-mgr answers", async || {
            let page: anyhow::Result<Page<Cluster>> = self.people.get("/api/v1/clusters?limit=1").await;
            Ok(page.is_ok())
        })
        .await
    }

    async fn until_ready(&self, clusters: usize, longest: Duration) -> anyhow::Result<Duration> {
        self.until(longest, "all clusters are Ready", async || {
            let page: Page<Cluster> = self.people.get("/api/v1/clusters?limit=200").await?;
            let ready = page.items.iter().filter(|one| one.state == ClusterState::Ready);
            Ok(ready.count() == clusters)
        })
        .await
    }

    /// Makes the environment; every cluster when none is named.
    pub async fn environment(&self, clusters: &[&str]) -> anyhow::Result<()> {
        let body = json!({ "name": "test", "clusters": clusters });
        let _: Value = self
            .people
            .post("/api/v1/projects/bench/environments", &body)
            .await?;
        Ok(())
    }

    /// Creates so many services, each as `body` gives it.
    pub async fn create(
        &self,
        numbers: std::ops::Range<usize>,
        body: impl Fn(usize) -> Value,
    ) -> anyhow::Result<()> {
        let path = format!("{ENVIRONMENT}/services");
        let path = path.as_str();
        stream::iter(numbers)
            .map(|number| (body(number), &self.people))
            .map(|(body, people)| async move {
                let _: Value = people.post(path, &body).await?;
                Ok::<_, anyhow::Error>(())
            })
            .buffer_unordered(AT_A_TIME)
            .try_collect::<()>()
            .await
    }

    /// A number that a statement counts.
    pub async fn count(&self, statement: &str) -> anyhow::Result<i64> {
        let database: &DatabaseConnection = &self.database.connection;
        let statement = Statement::from_string(database.get_database_backend(), statement);
        let row = database.query_one_raw(statement).await?;
        Ok(match row {
            Some(row) => row.try_get_by_index(0)?,
            None => 0,
        })
    }

    /// Waits, and tells how long it took.
    pub async fn until(
        &self,
        longest: Duration,
        what: &str,
        is: impl AsyncFn() -> anyhow::Result<bool>,
    ) -> anyhow::Result<Duration> {
        let start = Instant::now();
        while !is().await? {
            anyhow::ensure!(start.elapsed() < longest, "not after {longest:?}: {what}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(start.elapsed())
    }

    /// Starts cluster-mgr and ipaas again after both ended.
    pub async fn start_again(&mut self) -> anyhow::Result<()> {
        self.cluster_mgr = self.seat.start("cluster-mgr")?;
        self.ipaas = Ipaas::start_on(&self.seat).await?;
        Ok(())
    }
}

/// Simulated clusters of light pods, `c000` and on, in this process.
pub struct Simulated {
    pub clusters: Vec<(String, String)>,
    sandbox: Sandbox,
    _directory: tempfile::TempDir,
}

impl Simulated {
    pub async fn start(count: usize, pods_a_cluster: u32) -> anyhow::Result<Self> {
        const NODES: u32 = 20;
        let directory = tempfile::tempdir()?;
        let clusters = (0..count)
            .map(|number| ClusterConfig {
                name: format!("c{number:03}"),
                nodes: NODES,
                node_cpu: "256".into(),
                node_memory: "1Ti".into(),
                node_pods: pods_a_cluster * 2 / NODES,
                keep: false,
                light_pods: true,
                ..ClusterConfig::default()
            })
            .collect();
        let sandbox = sandbox::start(SandboxConfig {
            clusters,
            data_dir: directory.path().to_owned(),
            ..SandboxConfig::default()
        })
        .await?;
        let clusters = sandbox
            .clusters()
            .iter()
            .map(|cluster| (cluster.name().to_owned(), cluster.kubeconfig()))
            .collect();
        Ok(Self {
            clusters,
            sandbox,
            _directory: directory,
        })
    }

    /// Makes the API server of one of them go away.
    pub async fn down(&self, name: &str) -> anyhow::Result<()> {
        let cluster = self.sandbox.cluster(name);
        cluster
            .ok_or_else(|| anyhow::anyhow!("there is no cluster {name}"))?
            .down()
            .await;
        Ok(())
    }
}
