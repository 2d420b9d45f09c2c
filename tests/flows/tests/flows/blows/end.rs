//! How everything has to be in the end.

use std::collections::BTreeMap;

use api_types::Page;
use api_types::audit::{AuditOutcome, AuditRecord};
use api_types::operations::{Operation, OperationState};
use api_types::services::{Assignment, Service, ServiceState};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Namespace;
use kube::Api;
use kube::api::ListParams;
use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;
use test_support::wait_for;

use super::truth;
use super::users::{self, Ledger, NAMES};
use super::world::{LONG, NAMESPACE, SERVICES, THROUGH_PORTAL, World};

/// The kinds of operations, and the operation of the API that begins each.
const ACTIONS: &[(&str, &str)] = &[
    ("create_service", "create_service"),
    ("release_service", "create_release"),
    ("scale_service", "update_service"),
    ("restart_service", "restart_service"),
];

/// Waits until the first service made the namespace everywhere.
pub async fn has_namespaces(world: &World) {
    for cluster in &world.clusters {
        let namespaces: Api<Namespace> = Api::all(cluster.client.clone());
        wait_for("the namespace", LONG, async || {
            match namespaces.get_opt(NAMESPACE).await {
                Ok(Some(_)) => Ok(()),
                other => Err(format!("{other:?}")),
            }
        })
        .await;
    }
}

pub async fn everything_is_as_asked(world: &World, ledger: &Ledger) {
    // A release of an image that doesn't exist is never done; what comes after it is.
    for name in NAMES {
        users::release(world, ledger, "ada", name, "web").await;
    }
    for name in NAMES {
        wait_for(
            &format!("{name} to be as it was last asked for"),
            LONG,
            async || is_as_asked(world, name).await,
        )
        .await;
    }
    nothing_is_left_over(world).await;
    nothing_is_lost_or_done_twice(world, ledger).await;
    everything_is_recorded(world, ledger).await;
}

/// What was taken through the portal stands in its audit, as done or as not known.
async fn everything_is_recorded(world: &World, ledger: &Ledger) {
    let records = wait_for("the audit", LONG, async || {
        let path = format!("/audit?actor={THROUGH_PORTAL}&limit=500");
        let (status, body) = world
            .call(THROUGH_PORTAL, Method::GET, &path, &[], Value::Null)
            .await?;
        if !status.is_success() {
            return Err(format!("{status} {body}"));
        }
        serde_json::from_value::<Page<AuditRecord>>(body)
            .map(|page| page.items)
            .map_err(|error| error.to_string())
    })
    .await;
    let taken = ledger.taken.lock();
    for (kind, action) in ACTIONS {
        for name in NAMES {
            let target = format!("service/{name}");
            let recorded = records
                .iter()
                .filter(|record| record.action == *action && record.target == target)
                .filter(|record| matches!(record.outcome, AuditOutcome::Succeeded | AuditOutcome::Unknown))
                .count();
            let through =
                |one: &&users::Taken| one.by == THROUGH_PORTAL && one.kind == *kind && one.service == name;
            let done = taken.iter().filter(through).count();
            assert!(
                done <= recorded,
                "{done} x {action} of {name} were taken, {recorded} are recorded: {records:#?}"
            );
        }
    }
}

async fn get<T: DeserializeOwned>(world: &World, path: &str) -> Result<Option<T>, String> {
    let (status, body) = world.call("eve", Method::GET, path, &[], Value::Null).await?;
    match status {
        StatusCode::NOT_FOUND => Ok(None),
        status if status.is_success() => serde_json::from_value(body)
            .map(Some)
            .map_err(|error| error.to_string()),
        status => Err(format!("{status} {body}")),
    }
}

/// Whether the clusters run what is wanted of a service, no less and no more, and the API says so.
pub async fn is_as_asked(world: &World, name: &str) -> Result<(), String> {
    let path = format!("{SERVICES}/{name}");
    let service: Option<Service> = get(world, &path).await?;
    let mut wanted: BTreeMap<String, u32> = BTreeMap::new();
    let mut image = String::new();
    if let Some(service) = service {
        let done = [ServiceState::Running, ServiceState::Stopped];
        if service.deleting || !done.contains(&service.status.state) || service.operation.is_some() {
            return Err(format!("{service:?}"));
        }
        let assignments: Option<Page<Assignment>> = get(world, &format!("{path}/assignments")).await?;
        for assignment in assignments.map(|page| page.items).unwrap_or_default() {
            wanted.insert(assignment.cluster, assignment.replicas);
        }
        let placed: u32 = wanted.values().sum();
        if placed != service.replicas {
            return Err(format!("{placed} placed of {service:?}"));
        }
        image = service.image;
    }
    for cluster in &world.clusters {
        let wanted = wanted.get(cluster.name).copied().unwrap_or(0);
        let pods = truth::pods(cluster).await;
        let mine: Vec<_> = pods.iter().filter(|pod| pod.service == name).collect();
        let good = mine
            .iter()
            .filter(|pod| pod.ready && !pod.leaving && pod.image == image)
            .count();
        if mine.len() != wanted as usize || good != mine.len() {
            return Err(format!("{} should run {wanted}: {mine:?}", cluster.name));
        }
        let deployments: Api<Deployment> = Api::namespaced(cluster.client.clone(), NAMESPACE);
        let there = deployments
            .get_opt(name)
            .await
            .map_err(|error| error.to_string())?
            .is_some();
        if there != (wanted > 0) {
            return Err(format!(
                "{}: a Deployment: {there}, wanted {wanted}",
                cluster.name
            ));
        }
    }
    Ok(())
}

/// No object of ours is there for a service that isn't.
async fn nothing_is_left_over(world: &World) {
    for name in NAMES {
        let service: Option<Service> = wait_for("an answer", LONG, async || {
            get(world, &format!("{SERVICES}/{name}")).await
        })
        .await;
        if service.is_some_and(|service| service.replicas > 0) {
            continue;
        }
        for cluster in &world.clusters {
            let labels = format!("app.kubernetes.io/managed-by=longshore,longshore.dev/service={name}");
            let parameters = ListParams::default().labels(&labels);
            wait_for("nothing to be left over", LONG, async || {
                let mut left = Vec::new();
                for kind in ["ConfigMap", "Secret", "Service"] {
                    let resource =
                        kube::api::ApiResource::from_gvk(&kube::api::GroupVersionKind::gvk("", "v1", kind));
                    let api: Api<kube::api::DynamicObject> =
                        Api::namespaced_with(cluster.client.clone(), NAMESPACE, &resource);
                    let list = api
                        .list(&parameters)
                        .await
                        .map_err(|error| vec![error.to_string()])?;
                    left.extend(list.items.into_iter().filter_map(|object| object.metadata.name));
                }
                if left.is_empty() { Ok(()) } else { Err(left) }
            })
            .await;
        }
    }
}

/// Every change that was taken has its one operation, and each came to an end.
async fn nothing_is_lost_or_done_twice(world: &World, ledger: &Ledger) {
    let operations: Vec<Operation> = wait_for("every operation to end", LONG, async || {
        let page: Option<Page<Operation>> = get(world, "/operations?limit=500").await?;
        let items = page.map(|page| page.items).unwrap_or_default();
        let open: Vec<_> = items
            .iter()
            .filter(|one| matches!(one.state, OperationState::Running | OperationState::Waiting))
            .collect();
        if open.is_empty() {
            Ok(items)
        } else {
            Err(format!("{open:?}"))
        }
    })
    .await;
    let taken = ledger.taken.lock().clone();
    let perhaps = ledger.perhaps.lock().clone();
    for one in taken.iter().chain(&perhaps) {
        if let Some(id) = &one.operation {
            assert!(
                operations.iter().any(|operation| operation.id.to_string() == *id),
                "lost: {one:?}"
            );
        }
    }
    let number = |all: &[users::Taken], kind: &str, name: &str| {
        all.iter()
            .filter(|one| one.kind == kind && one.service == name)
            .count()
    };
    for name in NAMES {
        for kind in [
            "create_service",
            "release_service",
            "scale_service",
            "restart_service",
            "delete_service",
        ] {
            let there = operations
                .iter()
                .filter(|one| {
                    one.service.as_deref() == Some(name) && serde_json::to_value(one.kind).unwrap() == kind
                })
                .count();
            let (sure, unsure) = (number(&taken, kind, name), number(&perhaps, kind, name));
            assert!(
                (sure..=sure + unsure).contains(&there),
                "{kind} of {name}: {there} operations, {sure} changes were taken and perhaps {unsure} more: {operations:#?}"
            );
        }
    }
    let failed: Vec<_> = operations
        .iter()
        .filter(|operation| operation.state == OperationState::Failed)
        .collect();
    assert!(
        failed
            .iter()
            .all(|operation| operation.message.contains("missing") || operation.message.contains("Image")),
        "failed for no fault of its own: {failed:#?}"
    );
}
