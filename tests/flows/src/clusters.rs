//! The clusters that a flow runs on: two simulated ones, or real ones that are given.

use std::ffi::OsStr;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use kube::config::{KubeConfigOptions, Kubeconfig};
use parking_lot::Mutex;
use sandbox::{ClusterConfig, Sandbox, SandboxConfig};
use test_support::real_clusters;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sandbox,
    Real,
}

/// The clusters of one test.
pub struct TestClusters {
    pub kind: Kind,
    pub all: Vec<TestCluster>,
    sandbox: Option<Sandbox>,
    broken: Mutex<Option<real_clusters::Use>>,
    _directory: Option<tempfile::TempDir>,
}

#[derive(Clone, Debug)]
pub struct TestCluster {
    /// As registered with the platform.
    pub name: String,
    pub region: String,
    pub kubeconfig: String,
    /// As the test bed calls it, for real clusters.
    bed_name: String,
}

impl TestClusters {
    /// Two clusters; `None` when real ones are wanted and none are given, which the test run reports.
    pub async fn start(kind: Kind) -> Option<Self> {
        platform::foundation::install_tls_provider();
        match kind {
            Kind::Sandbox => Some(Self::simulated().await),
            Kind::Real => Self::real(),
        }
    }

    async fn simulated() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let cluster = |name: &str, region: &str| ClusterConfig {
            name: name.into(),
            region: region.into(),
            nodes: 2,
            ..ClusterConfig::default()
        };
        let sandbox = sandbox::start(SandboxConfig {
            clusters: vec![cluster("alpha", "east"), cluster("beta", "west")],
            listen: [127, 0, 0, 1].into(),
            base_port: None,
            data_dir: directory.path().to_owned(),
            admin_port: None,
            seed: 1,
        })
        .await
        .unwrap();
        let all = sandbox
            .clusters()
            .iter()
            .zip(["east", "west"])
            .map(|(cluster, region)| TestCluster {
                name: cluster.name().to_owned(),
                region: region.to_owned(),
                kubeconfig: cluster.kubeconfig(),
                bed_name: cluster.name().to_owned(),
            })
            .collect();
        Self {
            kind: Kind::Sandbox,
            all,
            sandbox: Some(sandbox),
            broken: Mutex::default(),
            _directory: Some(directory),
        }
    }

    fn real() -> Option<Self> {
        let Some(list) = std::env::var_os("LONGSHORE_TEST_KUBECONFIGS").filter(|list| !list.is_empty())
        else {
            assert!(
                std::env::var_os("CI").is_none(),
                "under CI the tests need LONGSHORE_TEST_KUBECONFIGS"
            );
            eprintln!("left out: real clusters (LONGSHORE_TEST_KUBECONFIGS is not set)");
            return None;
        };
        let paths: Vec<PathBuf> = std::env::split_paths(&list).collect();
        let all: Vec<_> = paths
            .iter()
            .zip(["east", "west", "north", "south"])
            .map(|(path, region)| {
                let bed_name = path
                    .parent()
                    .and_then(|parent| parent.file_name())
                    .unwrap()
                    .to_string_lossy();
                TestCluster {
                    name: format!("{region}-1"),
                    region: region.to_owned(),
                    kubeconfig: std::fs::read_to_string(path).unwrap(),
                    bed_name: bed_name.into_owned(),
                }
            })
            .collect();
        assert!(
            all.len() >= 2,
            "LONGSHORE_TEST_KUBECONFIGS must name two clusters"
        );
        Some(Self {
            kind: Kind::Real,
            all,
            sandbox: None,
            broken: Mutex::default(),
            _directory: None,
        })
    }

    /// Makes a cluster's API server go away. Real clusters are this test's alone from then on.
    pub async fn take_down(&self, cluster: &TestCluster) {
        match &self.sandbox {
            Some(sandbox) => sandbox.cluster(&cluster.bed_name).unwrap().down().await,
            None => {
                self.broken.lock().get_or_insert_with(real_clusters::have_alone);
                bed("kill-apiserver", &cluster.bed_name);
            }
        }
    }

    /// Brings it back.
    pub async fn bring_back(&self, cluster: &TestCluster) {
        match &self.sandbox {
            Some(sandbox) => sandbox.cluster(&cluster.bed_name).unwrap().up().await.unwrap(),
            None => bed("start-apiserver", &cluster.bed_name),
        }
    }

    /// Cuts a real cluster's node off, from its API server and from everybody who calls its pods.
    pub fn lose_node(&self, cluster: &TestCluster) {
        if self.kind == Kind::Real {
            bed("cut-node", &cluster.bed_name);
        }
    }

    /// Brings it back.
    pub fn find_node(&self, cluster: &TestCluster) {
        if self.kind == Kind::Real {
            bed("join-node", &cluster.bed_name);
        }
    }

    /// Gives a real cluster's node an image, as an OCI archive.
    pub fn load_image(&self, cluster: &TestCluster, archive: &Path) {
        assert_eq!(self.kind, Kind::Real);
        bed_with("load", &cluster.bed_name, &[archive.as_os_str()]);
    }

    /// Stops what was started for this test.
    pub async fn stop(self) {
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
    }
}

impl TestCluster {
    /// The address of this machine that a real cluster's node and pods reach: its API server has the same.
    #[must_use]
    pub fn host(&self) -> IpAddr {
        let kubeconfig = Kubeconfig::from_yaml(&self.kubeconfig).unwrap();
        let server = kubeconfig.clusters[0]
            .cluster
            .as_ref()
            .unwrap()
            .server
            .clone()
            .unwrap();
        let host = server.parse::<reqwest::Url>().unwrap();
        host.host_str().unwrap().parse().unwrap()
    }

    /// A client that goes to the cluster itself, past the platform.
    pub async fn client(&self) -> kube::Client {
        let kubeconfig = Kubeconfig::from_yaml(&self.kubeconfig).unwrap();
        let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
            .await
            .unwrap();
        kube::Client::try_from(config).unwrap()
    }
}

/// Calls the test bed of the real clusters.
fn bed(command: &str, cluster: &str) {
    bed_with(command, cluster, &[]);
}

fn bed_with(command: &str, cluster: &str, arguments: &[&OsStr]) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../kubernetes/clusters");
    let output = Command::new(script)
        .args([command, cluster])
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{command} {cluster}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
