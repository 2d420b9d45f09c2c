//! One cluster: its objects, its users, its addresses, and the tasks that keep it alive.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use parking_lot::RwLock;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::addresses::Addresses;
use crate::api::auth::User;
use crate::clock::Clock;
use crate::config::ClusterConfig;
use crate::controllers::events::Recorder;
use crate::faults::Faults;
use crate::kubelet::Kubelet;
use crate::load::Load;
use crate::pki::Pki;
use crate::server::Server;
use crate::store::{Store, snapshot};

/// The version the clusters show.
pub const VERSION: &str = "v1.33.4";

/// Shortest pause between two snapshots; grows with what one costs.
const SNAPSHOT_PAUSE: Duration = Duration::from_millis(500);

pub struct Cluster {
    pub config: ClusterConfig,
    pub seed: u64,
    pub directory: PathBuf,
    /// Where the pods' scratch directories are.
    pub scratch: PathBuf,
    pub store: Store,
    pub pki: Pki,
    pub addresses: Addresses,
    pub recorder: Recorder,
    pub kubelet: Kubelet,
    pub server: Server,
    pub clock: Clock,
    pub faults: Faults,
    pub load: Load,
    /// Pods that are deleted in a second.
    pub churn: tokio::sync::watch::Sender<f64>,
    /// Bearer tokens other than those of service accounts.
    pub tokens: RwLock<HashMap<String, User>>,
    pub shutdown: CancellationToken,
    pub tasks: TaskTracker,
    stopped: AtomicBool,
}

impl Cluster {
    /// Loads or founds the cluster, and starts its controllers and its API server.
    pub(crate) async fn start(
        config: ClusterConfig,
        sandbox: &crate::config::SandboxConfig,
        port: Option<u16>,
    ) -> anyhow::Result<Arc<Self>> {
        let directory = sandbox.data_dir.join("clusters").join(&config.name);
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("cannot create {}", directory.display()))?;
        let pki = Pki::load(&directory, &config.name, sandbox.listen)?;
        let store = Store::default();
        let snapshot = std::fs::read(directory.join("state.json")).ok();
        let remembered = match &snapshot {
            Some(bytes) => store
                .load(bytes)
                .with_context(|| format!("cluster {}", config.name))?,
            None => Value::Null,
        };
        let preferred = remembered["range"]
            .as_u64()
            .and_then(|range| u8::try_from(range).ok());
        let addresses =
            Addresses::claim(preferred.unwrap_or_else(|| first_range(&config.name, sandbox.seed)))?;
        let scratch = crate::kubelet::process::scratch_root(&directory, addresses.range());
        let remembered_port = remembered["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok());
        let server = Server::bind(sandbox.listen, port, remembered_port, &pki).await?;
        let tokens = HashMap::from([(pki.admin_token.clone(), User::admin())]);
        let cluster = Arc::new(Self {
            seed: sandbox.seed,
            store,
            pki,
            addresses,
            recorder: Recorder::default(),
            kubelet: Kubelet::default(),
            server,
            clock: Clock::default(),
            faults: Faults::new(sandbox.seed),
            load: Load::default(),
            churn: tokio::sync::watch::channel(0.0).0,
            tokens: RwLock::new(tokens),
            shutdown: CancellationToken::new(),
            tasks: TaskTracker::new(),
            stopped: AtomicBool::new(false),
            scratch,
            directory,
            config,
        });
        if let (Value::Null, Some(fill)) = (&remembered, &cluster.config.fill) {
            cluster.found()?;
            crate::fill::run(&cluster, fill)
                .map_err(|error| anyhow::anyhow!("cannot fill the cluster: {error}"))?;
        }
        crate::controllers::start(&cluster);
        crate::kubelet::start(&cluster);
        cluster.found()?;
        if cluster.config.keep {
            cluster.save()?;
            cluster.spawn(keep_saved(cluster.clone()));
        }
        cluster.server.serve(cluster.clone()).await?;
        cluster.spawn(crate::faults::conduct(cluster.clone()));
        cluster.spawn(crate::load::run(cluster.clone()));
        cluster.spawn(crate::fill::churn(cluster.clone()));
        Ok(cluster)
    }

    /// Starts work that ends with the cluster and sees its clock.
    pub fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.clock.scope(work));
    }

    /// Creates what every cluster has from the start.
    fn found(self: &Arc<Self>) -> anyhow::Result<()> {
        crate::controllers::bootstrap::run(self).map_err(|error| anyhow::anyhow!("bootstrap: {error}"))
    }

    /// Writes the snapshot now.
    pub(crate) fn save(&self) -> anyhow::Result<()> {
        let extra = json!({"port": self.server.port(), "range": self.addresses.range()});
        let path = self.directory.join("state.json");
        snapshot::write_private_with(&path, |out| self.store.save(&extra, out))
    }

    /// Stops everything and writes the last snapshot.
    pub(crate) async fn stop(&self) {
        if self.stopped.swap(true, Ordering::SeqCst) {
            return;
        }
        self.shutdown.cancel();
        self.server.down().await;
        self.tasks.close();
        if tokio::time::timeout(Duration::from_secs(5), self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!(cluster.name = %self.config.name, "some tasks of the cluster did not end in time");
        }
        if self.config.keep
            && let Err(error) = self.save()
        {
            tracing::error!(cluster.name = %self.config.name, %error, "cannot write the cluster's snapshot");
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Elsewhere than in the cluster's own directory, nobody would ever clean up.
        if !self.scratch.starts_with(&self.directory) {
            let _ = std::fs::remove_dir_all(&self.scratch);
        }
    }
}

/// Where to look for a free address range first, so that two clusters seldom try the same.
fn first_range(name: &str, seed: u64) -> u8 {
    let sum = name
        .bytes()
        .fold(seed, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
    let spread = sum ^ u64::from(std::process::id());
    u8::try_from(spread % 253 + 1).unwrap_or(1)
}

async fn keep_saved(cluster: Arc<Cluster>) {
    let mut dirty = cluster.store.dirty.subscribe();
    let mut pause = SNAPSHOT_PAUSE;
    loop {
        tokio::select! {
            () = cluster.shutdown.cancelled() => return,
            changed = dirty.changed() => if changed.is_err() { return },
        }
        tokio::select! {
            () = cluster.shutdown.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        dirty.mark_unchanged();
        let started = std::time::Instant::now();
        let saving = cluster.clone();
        match tokio::task::spawn_blocking(move || saving.save()).await {
            Ok(Ok(())) => pause = SNAPSHOT_PAUSE.max(started.elapsed() * 20),
            Ok(Err(error)) => {
                tracing::error!(cluster.name = %cluster.config.name, %error, "cannot write the cluster's snapshot");
            }
            Err(_) => return,
        }
    }
}
