//! Clusters and projects: looked at.

use api_types::clusters::{Cluster, ClusterStateChange, NewClusterAgent, Node, Witness, WitnessKind};
use api_types::common::Page;
use api_types::evacuations::{NewEvacuation, PlanOptions};
use api_types::failbacks::NewFailback;
use api_types::projects::Project;
use chrono::{DateTime, Utc};
use platform::text::counted;

use super::arguments::{ClusterCommand, ProjectCommand};
use super::failure::Outcome;
use super::output::answer;
use super::session::Session;
use super::table::{Table, pairs};
use super::text::{age, parts, word};
use super::{clusters, failback};

pub async fn clusters(command: ClusterCommand) -> Outcome {
    match command {
        ClusterCommand::List { listing, common } => {
            let session = Session::open(&common)?;
            let page = session
                .pages(&listing, async |list| session.portal.list_clusters(&list).await)
                .await?;
            answer(common.output, &page, || cluster_table(&page))
        }
        ClusterCommand::Get { cluster, common } => {
            let session = Session::open(&common)?;
            let cluster = session.done(session.portal.get_cluster(&cluster).await)?;
            answer(common.output, &cluster, || cluster_text(&cluster))
        }
        ClusterCommand::Cordon { cluster, common } => clusters::cordon(&cluster, true, &common).await,
        ClusterCommand::Uncordon { cluster, common } => clusters::cordon(&cluster, false, &common).await,
        ClusterCommand::Evacuate {
            cluster,
            dry_run,
            yes,
            reason,
            accept_unplaced,
            include_stored,
            waiting,
            common,
        } => {
            let new = NewEvacuation {
                reason,
                accept_unplaced,
                include_stored,
            };
            if dry_run {
                clusters::plan(&cluster, PlanOptions { include_stored }, &common).await
            } else {
                clusters::evacuate(&cluster, &new, yes, &waiting, &common).await
            }
        }
        ClusterCommand::TakeBack { cluster, common } => clusters::take_back(&cluster, &common).await,
        ClusterCommand::FailBack {
            cluster,
            dry_run,
            stop,
            percent,
            waiting,
            common,
        } => {
            if dry_run {
                failback::plan(&cluster, &common).await
            } else if stop {
                failback::stop(&cluster, &common).await
            } else {
                failback::begin(&cluster, &NewFailback { percent }, &waiting, &common).await
            }
        }
        ClusterCommand::History {
            cluster,
            listing,
            common,
        } => {
            let session = Session::open(&common)?;
            let page = session
                .pages(&listing, async |list| {
                    session.portal.list_cluster_history(&cluster, &list).await
                })
                .await?;
            answer(common.output, &page, || history_table(&page))
        }
        ClusterCommand::InstallAgent {
            cluster,
            image,
            portal,
            common,
        } => {
            let session = Session::open(&common)?;
            let new = NewClusterAgent {
                portal_url: portal.unwrap_or_else(|| session.url.clone()),
                image,
            };
            let installation = session.done(session.portal.install_cluster_agent(&cluster, &new).await)?;
            answer(common.output, &installation, || installation.manifest.clone())
        }
        ClusterCommand::Nodes {
            cluster,
            listing,
            common,
        } => {
            let session = Session::open(&common)?;
            let page = session
                .pages(&listing, async |list| {
                    session.portal.list_nodes(&cluster, &list).await
                })
                .await?;
            answer(common.output, &page, || node_table(&page))
        }
    }
}

fn state(cluster: &Cluster) -> String {
    let cordoned = if cluster.cordoned { ", cordoned" } else { "" };
    format!("{}{cordoned}", word(cluster.status.state))
}

fn history_table(page: &Page<ClusterStateChange>) -> String {
    let mut table = Table::new(&["at", "state", "reason"]);
    for change in &page.items {
        table.row([
            change.at.format("%F %T UTC").to_string(),
            word(change.state),
            change.reason.clone(),
        ]);
    }
    table.text("nothing yet")
}

/// `probe 3s ago, agent silent for 5m`.
fn witnesses(all: &[Witness], now: DateTime<Utc>) -> String {
    let mut told: Vec<String> = all
        .iter()
        .map(|witness| {
            let name = match witness.kind {
                WitnessKind::Probe => "probe",
                WitnessKind::Agent => "agent",
            };
            match witness.heard_at {
                Some(at) if witness.fresh => format!("{name} {} ago", age(at, now)),
                Some(at) => format!("{name} silent for {}", age(at, now)),
                None => format!("{name} not heard yet"),
            }
        })
        .collect();
    if !all.iter().any(|witness| witness.kind == WitnessKind::Agent) {
        told.push("one witness; `longshore cluster install-agent` adds the second".to_owned());
    }
    told.join(", ")
}

fn cluster_table(page: &Page<Cluster>) -> String {
    let now = Utc::now();
    let mut table = Table::new(&[
        "name",
        "state",
        "region",
        "zone",
        "version",
        "nodes",
        "cpu asked",
        "memory asked",
        "gpus asked",
        "services",
        "seen",
    ]);
    for cluster in &page.items {
        let [version, nodes, cpu, memory, gpus, seen] = match &cluster.observed {
            Some(observed) => {
                let [cpu, memory, gpus] = parts(&observed.requested, &observed.allocatable);
                let stale = if observed.stale { ", old" } else { "" };
                [
                    observed.kubernetes_version.clone(),
                    format!("{} of {}", observed.nodes_ready, observed.nodes),
                    cpu,
                    memory,
                    gpus,
                    format!("{} ago{stale}", age(observed.observed_at, now)),
                ]
            }
            None => ["-", "-", "-", "-", "-", "never"].map(str::to_owned),
        };
        table.row([
            cluster.name.clone(),
            state(cluster),
            cluster.region.clone(),
            cluster.zone.clone(),
            version,
            nodes,
            cpu,
            memory,
            gpus,
            cluster.services.to_string(),
            seen,
        ]);
    }
    table.text("no clusters")
}

fn cluster_text(cluster: &Cluster) -> String {
    let now = Utc::now();
    let labels: Vec<String> = cluster
        .labels
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let mut all = vec![
        ("cluster", cluster.name.clone()),
        (
            "state",
            format!("{} for {}", state(cluster), age(cluster.status.since, now)),
        ),
        ("reason", cluster.status.reason.clone()),
        ("witnesses", witnesses(&cluster.witnesses, now)),
        ("evacuated", evacuation(cluster, now)),
        ("region", cluster.region.clone()),
        ("zone", cluster.zone.clone()),
        ("labels", labels.join(", ")),
        ("services", cluster.services.to_string()),
        ("replicas", cluster.assigned_replicas.to_string()),
    ];
    if let Some(observed) = &cluster.observed {
        let [cpu, memory, gpus] = parts(&observed.requested, &observed.allocatable);
        let stale = if observed.stale {
            "; old, since the cluster doesn't answer"
        } else {
            ""
        };
        all.extend([
            ("kubernetes", observed.kubernetes_version.clone()),
            (
                "nodes",
                format!("{} ready of {}", observed.nodes_ready, observed.nodes),
            ),
            ("pods", observed.pods.to_string()),
            ("cpu asked for", cpu),
            ("memory asked for", memory),
            ("gpus asked for", gpus),
            ("seen", format!("{} ago{stale}", age(observed.observed_at, now))),
        ]);
        if let Some(used) = &observed.used {
            let [cpu, memory, _] = parts(used, &observed.allocatable);
            all.extend([("cpu used", cpu), ("memory used", memory)]);
        }
    }
    pairs(&all)
}

fn evacuation(cluster: &Cluster, now: DateTime<Utc>) -> String {
    let Some(order) = &cluster.evacuation else {
        return String::new();
    };
    let whose = match order.environments.as_slice() {
        [] => String::new(),
        some => format!("of {} ", some.join(", ")),
    };
    let left = match order.services_left {
        0 => "nothing is left".to_owned(),
        left => format!("left: {}", counted(left, "service")),
    };
    format!(
        "{whose}by {} {} ago; {left} (operation {})",
        order.requested_by,
        age(order.requested_at, now),
        order.operation
    )
}

fn node_table(page: &Page<Node>) -> String {
    let now = Utc::now();
    let mut table = Table::new(&[
        "name",
        "state",
        "roles",
        "address",
        "version",
        "cpu asked",
        "memory asked",
        "gpus asked",
        "pods",
        "age",
        "message",
    ]);
    for node in &page.items {
        let ready = match (node.stale, node.ready) {
            (true, _) => "unknown",
            (false, true) => "ready",
            (false, false) => "not ready",
        };
        let closed = if node.unschedulable { ", cordoned" } else { "" };
        let [cpu, memory, gpus] = parts(&node.requested, &node.allocatable);
        table.row([
            node.name.clone(),
            format!("{ready}{closed}"),
            node.roles.join(","),
            node.internal_ip.clone(),
            node.kubelet_version.clone(),
            cpu,
            memory,
            gpus,
            format!("{} of {}", node.requested.pods, node.allocatable.pods),
            age(node.created_at, now),
            node.message.clone(),
        ]);
    }
    table.text("no nodes")
}

pub async fn projects(command: ProjectCommand) -> Outcome {
    let ProjectCommand::List { listing, common } = command;
    let session = Session::open(&common)?;
    let page = session
        .pages(&listing, async |list| session.portal.list_projects(&list).await)
        .await?;
    answer(common.output, &page, || project_table(&page))
}

fn project_table(page: &Page<Project>) -> String {
    let mut table = Table::new(&["name", "display name", "environments", "services", "description"]);
    for project in &page.items {
        table.row([
            project.name.clone(),
            project.display_name.clone(),
            project.environments.join(", "),
            project.services.to_string(),
            project.description.clone(),
        ]);
    }
    table.text("no projects")
}
