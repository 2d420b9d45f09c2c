//! What the cases run against.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use sandbox::{ClusterConfig, Sandbox, SandboxConfig};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;

use crate::case::{self, Described};

/// One runtime for the whole program: clients and the sandbox outlive the case that made them.
static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().expect("a runtime starts"));

/// Started by the first case that needs it: most runs of this program are for one case.
static SANDBOX: Mutex<Option<Running>> = Mutex::const_new(None);

struct Running {
    sandbox: Sandbox,
    cluster: Reached,
    _folder: tempfile::TempDir,
}

/// How a cluster is reached, and the file that says so.
#[derive(Clone)]
struct Reached {
    config: Config,
    kubeconfig: PathBuf,
}

/// What the sandbox does not claim to have; its README says the same.
const NOT_IN_THE_SANDBOX: [&str; 1] = [
    // A command runs on this machine, not in a file system of its own.
    "pods::mounts_configuration",
];

#[derive(Clone)]
pub struct Target {
    name: String,
    minor: u32,
    /// None: the sandbox.
    cluster: Option<Reached>,
}

impl Target {
    pub fn all() -> Vec<Self> {
        let mut targets = vec![Self {
            name: "sandbox".to_owned(),
            minor: minor(sandbox::VERSION),
            cluster: None,
        }];
        RUNTIME.block_on(async {
            for path in kubeconfigs() {
                targets.push(Self::real(&path).await);
            }
        });
        targets
    }

    async fn real(path: &Path) -> Self {
        let kubeconfig =
            Kubeconfig::read_from(path).expect("a kubeconfig of LONGSHORE_TEST_KUBECONFIGS is readable");
        let name = kubeconfig
            .current_context
            .clone()
            .expect("a kubeconfig names its context");
        let config = config(kubeconfig).await;
        let client = Client::try_from(config.clone()).expect("a client");
        let version = client.apiserver_version().await;
        let version = version.unwrap_or_else(|error| panic!("{name} does not tell its version: {error}"));
        Self {
            name,
            minor: minor(&version.git_version),
            cluster: Some(Reached {
                config,
                kubeconfig: path.to_owned(),
            }),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the target cannot have what the case is about.
    pub fn lacks(&self, described: &Described) -> bool {
        let name = format!("{}::{}", described.group, described.name);
        self.minor < described.since
            || (self.cluster.is_none() && NOT_IN_THE_SANDBOX.contains(&name.as_str()))
    }

    pub fn run(&self, described: &Described) {
        RUNTIME.block_on(async {
            let Reached { config, kubeconfig } = match &self.cluster {
                Some(cluster) => cluster.clone(),
                None => sandbox_cluster().await,
            };
            case::run(&config, &kubeconfig, self.minor, described).await;
        });
    }
}

/// The `33` of `v1.33.2`.
fn minor(version: &str) -> u32 {
    let minor = version.split('.').nth(1).and_then(|minor| minor.parse().ok());
    minor.unwrap_or_else(|| panic!("not a version of Kubernetes: {version}"))
}

async fn config(kubeconfig: Kubeconfig) -> Config {
    let options = KubeConfigOptions::default();
    let mut config = Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .expect("a kubeconfig is complete");
    config.default_retry = false;
    config
}

async fn sandbox_cluster() -> Reached {
    let mut running = SANDBOX.lock().await;
    if running.is_none() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let settings = SandboxConfig {
            clusters: vec![ClusterConfig::default()],
            data_dir: folder.path().to_owned(),
            ..SandboxConfig::default()
        };
        let sandbox = sandbox::start(settings).await.expect("the sandbox starts");
        let text = sandbox.clusters()[0].kubeconfig();
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, &text).expect("a kubeconfig is written");
        let read = Kubeconfig::from_yaml(&text).expect("the sandbox gives a kubeconfig");
        let config = config(read).await;
        *running = Some(Running {
            sandbox,
            cluster: Reached { config, kubeconfig },
            _folder: folder,
        });
    }
    running.as_ref().expect("it runs now").cluster.clone()
}

/// Statics are never dropped, and the sandbox has files and processes.
pub fn stop_sandbox() {
    RUNTIME.block_on(async {
        if let Some(running) = SANDBOX.lock().await.take() {
            running.sandbox.stop().await;
        }
    });
}

fn kubeconfigs() -> Vec<PathBuf> {
    match std::env::var_os("LONGSHORE_TEST_KUBECONFIGS") {
        Some(list) if !list.is_empty() => std::env::split_paths(&list).collect(),
        _ => Vec::new(),
    }
}

pub fn missing_under_ci() -> Option<&'static str> {
    let under_ci = std::env::var_os("CI").is_some_and(|value| value == "true");
    (under_ci && kubeconfigs().is_empty())
        .then_some("under CI the contract runs on real clusters: LONGSHORE_TEST_KUBECONFIGS is not set")
}
