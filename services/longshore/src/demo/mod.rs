//! `demo`: the whole platform in one process, with something to look at.
//!
//! What runs is what `all` runs; beside it are two simulated clusters, registered through the public
//! API as a person would. A second start goes on with the same data.

mod agents;
mod api;
mod seed;

use std::fs::{File, TryLockError};
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::path::Path;

use anyhow::{Context as _, bail};
use platform::Foundation;
use platform::config::{Port, Settings};
use sandbox::Sandbox;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use self::agents::Agents;
use self::api::Api;
use crate::arguments::Simulated;
use crate::services::{self, Kind};
use crate::{first_user, migrate, private_file, say, simulate, stop};

const CLUSTERS: [&str; 2] = ["east-1", "west-1"];
const NODES: u32 = 3;
const GPU_NODES: u32 = 1;

/// What `demo.json` tells programs that drive the demo. It is there while everything is.
#[derive(Debug, Serialize)]
struct Description<'a> {
    portal_url: &'a str,
    admin_user: &'a str,
    /// Absent when somebody changed it.
    admin_password: Option<&'a str>,
    admin_token: &'a str,
    clusters: Vec<DescribedCluster<'a>>,
    /// Where load and faults are put on the clusters; see services/sandbox/README.md.
    simulation_url: Option<String>,
}

#[derive(Debug, Serialize)]
struct DescribedCluster<'a> {
    name: &'a str,
    region: &'a str,
    kubeconfig: String,
}

/// Runs until a signal.
pub async fn run(settings: Settings) -> anyhow::Result<()> {
    let directory = &settings.common.data_dir.clone();
    let lock = private_file::make_folder(directory)
        .and_then(|()| lock(directory))
        .with_context(|| format!("the demo can't keep its data in {}", directory.display()))?;
    check_ports(&settings)?;
    let shutdown = CancellationToken::new();
    stop::on_signal(shutdown.clone())?;
    remove_description(directory)?;
    migrate::ensure(&settings).await?;
    let simulated = Simulated {
        clusters: CLUSTERS.map(str::to_owned).to_vec(),
        nodes: NODES,
        gpu_nodes: GPU_NODES,
    };
    let sandbox = simulate::start(&settings, &simulated).await?;
    let settings = match sandbox.admin_address() {
        Some(admin) => settings.with("portal.simulation_url", format!("http://{admin}")),
        None => settings,
    };
    let outcome = with_clusters(&settings, &sandbox, &shutdown).await;
    shutdown.cancel();
    sandbox.stop().await;
    remove_description(directory)?;
    drop(lock);
    outcome
}

async fn with_clusters(
    settings: &Settings,
    sandbox: &Sandbox,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    let started = services::start(settings, Kind::ALL, shutdown).await?;
    let outcome = match shutdown.run_until_cancelled(furnish(settings, sandbox)).await {
        Some(Ok(agents)) => {
            agents.run(shutdown).await;
            Ok(())
        }
        Some(Err(error)) => Err(error),
        None => Ok(()),
    };
    shutdown.cancel();
    started.stopped().await;
    outcome
}

/// Fills the platform and tells how to get in.
async fn furnish(settings: &Settings, sandbox: &Sandbox) -> anyhow::Result<Agents> {
    let directory = &settings.common.data_dir;
    let portal_url = portal_url(settings);
    let foundation = Foundation::open(settings, CancellationToken::new()).await?;
    let api = Api::new(foundation.http.clone(), &portal_url);
    let token = token(directory, &foundation, &api).await?;
    let api = api.with_token(&token);
    let kept = private_file::read(&first_user::password_file(settings))?.unwrap_or_default();
    let password = kept.trim();
    let still_good = portal::setup::is_password_of(&foundation, "admin", password).await?;
    let password = still_good.then_some(password);
    foundation.database.close().await?;
    seed::clusters(&api, sandbox, directory).await?;
    let agents = Agents::install(&api, &foundation.http, sandbox, &portal_url).await?;
    seed::project(&api, directory).await?;

    let clusters = sandbox
        .clusters()
        .iter()
        .map(|cluster| DescribedCluster {
            name: cluster.name(),
            region: cluster.region(),
            kubeconfig: cluster.kubeconfig(),
        })
        .collect();
    let description = Description {
        portal_url: &portal_url,
        admin_user: "admin",
        admin_password: password,
        admin_token: &token,
        clusters,
        simulation_url: sandbox.admin_address().map(|admin| format!("http://{admin}")),
    };
    let path = directory.join("demo.json");
    private_file::write(&path, &serde_json::to_vec_pretty(&description)?)?;
    say(&greeting(&portal_url, password, &path))?;
    Ok(agents)
}

fn greeting(portal_url: &str, password: Option<&str>, path: &Path) -> String {
    let password =
        password.unwrap_or("as you changed it (`longshore admin reset-password admin` makes a new one)");
    format!(
        "\n  Longshore runs.\n\n\
         \x20 portal    {portal_url}\n\
         \x20 user      admin\n\
         \x20 password  {password}\n\n\
         \x20 clusters  {}, simulated\n\
         \x20 machines  {} has an API token and the clusters' kubeconfigs\n\n\
         \x20 Ctrl-C stops it; the next start goes on with the same data.\n",
        CLUSTERS.join(" and "),
        path.display(),
    )
}

/// One demo for one directory: two would write over each other's clusters.
fn lock(directory: &Path) -> anyhow::Result<File> {
    let path = directory.join("demo.lock");
    let file = File::create(&path).with_context(|| format!("opening {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(
            "a demo runs on {} already; stop it, or give this one another --data-dir and --port",
            directory.display()
        ),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("locking {}", path.display())),
    }
}

/// Says at once which port is taken, before anything was started.
fn check_ports(settings: &Settings) -> anyhow::Result<()> {
    let base = settings.common.base_port;
    let simulated = u16::try_from(CLUSTERS.len()).expect("there are two");
    let last = Port::SandboxClusters as u16 + simulated - 1;
    anyhow::ensure!(
        base.checked_add(last).is_some(),
        "the ports from {base} on run out; choose a lower --port"
    );
    let own = [Port::Portal, Port::ClusterMgr, Port::Ipaas].map(|port| settings.address(port));
    let simulated = (Port::SandboxAdmin as u16..=last)
        .map(|offset| (IpAddr::V4(Ipv4Addr::LOCALHOST), base + offset).into());
    for address in own.into_iter().chain(simulated) {
        match TcpListener::bind(address) {
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => bail!(
                "port {} is taken; the demo needs {base} to {}, so choose another --port",
                address.port(),
                base + last
            ),
            Err(error) => return Err(error).with_context(|| format!("listening on {address}")),
        }
    }
    Ok(())
}

fn remove_description(directory: &Path) -> anyhow::Result<()> {
    let path = directory.join("demo.json");
    match std::fs::remove_file(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

/// Where a browser on this machine finds the portal.
fn portal_url(settings: &Settings) -> String {
    let mut address = settings.address(Port::Portal);
    if address.ip().is_unspecified() {
        address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    format!("http://{address}")
}

/// The administrator's API token: the one of the last start, or a new one where it is no longer good.
async fn token(directory: &Path, foundation: &Foundation, api: &Api) -> anyhow::Result<String> {
    let path = directory.join("admin-token");
    if let Some(text) = private_file::read(&path)?
        && api.clone().with_token(text.trim()).is_signed_in().await?
    {
        return Ok(text.trim().to_owned());
    }
    let token = portal::setup::issue_token(foundation, "admin", "demo").await?;
    private_file::write(&path, token.as_bytes())?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(port: u16, directory: &Path) -> Settings {
        let flags = json!({ "base_port": port, "data_dir": directory });
        Settings::load(None, &flags).unwrap()
    }

    #[test]
    fn a_second_demo_on_the_same_data_is_told_so() {
        let directory = tempfile::tempdir().unwrap();
        let first = lock(directory.path()).unwrap();
        let error = lock(directory.path()).unwrap_err().to_string();
        assert!(
            error.contains("runs on") && error.contains("--data-dir"),
            "{error}"
        );
        drop(first);
        assert!(lock(directory.path()).is_ok());
    }

    #[test]
    fn a_taken_port_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let error = check_ports(&settings(port - 1, directory.path()))
            .unwrap_err()
            .to_string();
        // The port before it may be somebody else's.
        let named = [port - 1, port].map(|port| format!("port {port} is taken"));
        assert!(
            named.iter().any(|named| error.contains(named)) && error.contains("--port"),
            "{error}"
        );
        let error = check_ports(&settings(65_530, directory.path()))
            .unwrap_err()
            .to_string();
        assert!(error.contains("run out"), "{error}");
    }

    #[test]
    fn the_portal_is_found_from_this_machine() {
        let directory = tempfile::tempdir().unwrap();
        let mut settings = settings(7800, directory.path());
        settings.common.listen = Ipv4Addr::UNSPECIFIED.into();
        assert_eq!(portal_url(&settings), "http://127.0.0.1:7800");
    }
}
