//! Bringing a service on a cluster to its desired state, and taking it off again.
//!
//! First everything is looked at, then it is written: an object that isn't ours stops an apply before
//! anything is changed. Writing is server-side apply under our own field manager; fields of our objects
//! that somebody else holds are taken back and named. Every step can be repeated.

use std::collections::BTreeMap;

use api_types::internal::{Applied, DesiredWorkload};
use futures::future::try_join_all;
use http::StatusCode;
use platform::lease::Fence;
use platform::{ApiError, ApiResult};
use serde::Deserialize as _;
use serde_json::{Value, json};

use crate::app::claims;
use crate::app::fields::{Fields, applied_by_us};
use crate::app::names::{
    ENVIRONMENT, MANAGED_BY, MANAGER, PROJECT, SERVICE, ServiceKey, is_object_name, namespace_labels,
};
use crate::app::render::{self, Rendered};
use crate::cluster::error::KubeError;
use crate::cluster::member::Member;
use crate::cluster::paths;
use crate::db;
use crate::index::wire::{Bare, List};
use crate::index::workloads::{Kind, ObjectName, Remembered};
use crate::state::AppState;
use crate::tasks::members::remembered;

/// Brings a service on a cluster to its desired state.
///
/// # Errors
/// 422 `invalid_spec`; 409 `overtaken`, `namespace_not_owned`, `object_not_owned`; 422 `cluster_refused`; 503
/// `cluster_unreachable` and its like.
pub async fn apply(
    state: &AppState,
    member: &Member,
    desired: &DesiredWorkload,
    fence: Option<&Fence>,
) -> ApiResult<Applied> {
    let key = ServiceKey::new(&desired.project, &desired.environment, &desired.service);
    require_names(&key)?;
    let objects = render::render(desired, &state.gpu).map_err(ApiError::fields)?;
    member.require_reachable()?;
    let _turn = member.lock(&key).await;
    require_current(state, fence).await?;
    let known = known_as_ours(state, member, &key);
    let mut make_namespace = false;
    let mut fresh_objects = Vec::new();
    if known.is_empty() && !member.found_ours(&key) {
        make_namespace = !namespace_is_ours(member, &key).await?;
    }
    if !make_namespace {
        fresh_objects = look(member, &key, &objects, &known).await?;
    }

    let mut outcome = Applied::default();
    if make_namespace {
        let body = render::namespace(&key.project, &key.environment);
        let path = paths::namespace(&key.namespace());
        member
            .writes
            .apply(&path, &body, false)
            .await
            .map_err(|error| error.on(&member.name))?;
        outcome.applied.push(format!("Namespace/{}", key.namespace()));
    }
    member.keep_ours(&key, true);
    let mut left = BTreeMap::new();
    let (deployment, others): (Vec<_>, Vec<_>) = objects
        .iter()
        .partition(|rendered| rendered.object.kind == Kind::Deployment);
    // The pods need the rest, and the rest needs nobody.
    for group in [others, deployment] {
        let written = try_join_all(group.into_iter().map(|rendered| {
            let fresh = make_namespace || fresh_objects.contains(&rendered.object);
            write(state, member, &key, rendered, fresh)
        }))
        .await?;
        for written in written {
            outcome.applied.push(written.object.to_string());
            outcome.taken_over.extend(written.taken_over);
            left.insert(written.object.to_string(), written.fields);
        }
    }
    let applied = db::applied::Applied {
        key: key.clone(),
        spec_hash: desired.hash.clone(),
        objects: left,
    };
    db::applied::put(&state.foundation.database, member.id, &applied, state.now()).await?;
    let digests = applied.digests();
    let remembered = remembered(applied.spec_hash, digests);
    outcome.pruned = prune(state, member, &key, &remembered).await?;
    member.tables.workloads.write().change(&key, |workload| {
        workload.remembered = Some(remembered);
        workload.drift.clear();
    });
    state.changes.workload_changed(&member.name, &key);
    member.dirty.add(key);
    Ok(outcome)
}

/// Removes everything of a service from a cluster, and nothing else; its claims only when that is said. Nothing there is
/// fine.
///
/// # Errors
/// 503 `cluster_unreachable` and its like; 422 `cluster_refused`.
pub async fn remove(
    state: &AppState,
    member: &Member,
    key: &ServiceKey,
    volumes: bool,
    fence: Option<&Fence>,
) -> ApiResult<()> {
    require_names(key)?;
    member.require_reachable()?;
    let _turn = member.lock(key).await;
    require_current(state, fence).await?;
    // What is being removed isn't missed.
    db::applied::delete(&state.foundation.database, member.id, key).await?;
    member.tables.workloads.write().change(key, |workload| {
        workload.remembered = None;
        workload.drift.clear();
    });
    let namespace = key.namespace();
    let failed = |error: KubeError| error.on(&member.name);
    // The Deployment first, so that it doesn't make anew what goes after it.
    let goes = |kind: &Kind| volumes || *kind != Kind::PersistentVolumeClaim;
    for kind in Kind::ALL.into_iter().rev().filter(goes) {
        delete_listed(member, key, &paths::objects(kind, &namespace), |_| true)
            .await
            .map_err(failed)?;
    }
    // Whose owner is gone already; the others go with their owner.
    let orphaned = |bare: &Bare| bare.metadata.owner_references.is_empty();
    delete_listed(member, key, &paths::replica_sets(&namespace), orphaned)
        .await
        .map_err(failed)?;
    delete_listed(member, key, &paths::pods(&namespace), orphaned)
        .await
        .map_err(failed)?;
    state.changes.workload_changed(&member.name, key);
    Ok(())
}

/// Asked when a call's turn has come, so that no newer one goes before it.
///
/// # Errors
/// 409 `overtaken`.
pub async fn require_current(state: &AppState, fence: Option<&Fence>) -> ApiResult<()> {
    match fence {
        Some(fence) => fence.check(&state.foundation.database).await,
        None => Ok(()),
    }
}

/// Names go into paths; what Kubernetes could not have is turned away here.
pub fn require_names(key: &ServiceKey) -> ApiResult<()> {
    let good = |name: &str| is_object_name(name) && !name.contains('.');
    if [&key.project, &key.environment, &key.service]
        .into_iter()
        .all(|name| good(name))
        && key.namespace().len() <= 63
    {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "invalid_spec",
        format!(
            "{key} can't be names of Kubernetes: lower-case letters, digits and dashes, and a namespace of at most 63"
        ),
    ))
}

/// Objects that the watch shows as ours; none when it can't be trusted now.
fn known_as_ours(state: &AppState, member: &Member, key: &ServiceKey) -> Vec<ObjectName> {
    if member.freshness(state.now()).stale {
        return Vec::new();
    }
    member
        .tables
        .workloads
        .read()
        .get(key)
        .map(|workload| workload.objects.keys().cloned().collect())
        .unwrap_or_default()
}

/// Whether the namespace is there and ours; an error when it is somebody else's.
async fn namespace_is_ours(member: &Member, key: &ServiceKey) -> ApiResult<bool> {
    let name = key.namespace();
    let found: Bare = match member.writes.get(&paths::namespace(&name)).await {
        Ok(found) => found,
        Err(error) if error.is_not_found() => return Ok(false),
        Err(error) => return Err(error.on(&member.name)),
    };
    if found.metadata.deletion_timestamp.is_some() {
        return Err(terminating(member, &name));
    }
    let wanted = namespace_labels(&key.project, &key.environment);
    if wanted
        .iter()
        .all(|(label, value)| found.metadata.labels.get(label) == Some(value))
    {
        return Ok(true);
    }
    let labels: Vec<String> = wanted
        .iter()
        .map(|(label, value)| format!("{label}={value}"))
        .collect();
    Err(ApiError::conflict(
        "namespace_not_owned",
        format!(
            "namespace {name} on cluster {} was there before and isn't the platform's; to hand it over, label it: kubectl label namespace {name} {}",
            member.name,
            labels.join(" ")
        ),
    )
    .with_details(json!({ "cluster": &*member.name, "namespace": name })))
}

/// Looks whether the objects that aren't known are free or ours. Returns those that aren't there.
async fn look(
    member: &Member,
    key: &ServiceKey,
    objects: &[Rendered],
    known: &[ObjectName],
) -> ApiResult<Vec<ObjectName>> {
    let unknown = objects
        .iter()
        .filter(|rendered| !known.contains(&rendered.object));
    let found = try_join_all(unknown.map(|rendered| async {
        let path = paths::object(rendered.object.kind, &key.namespace(), &rendered.object.name);
        // From the API server's cache, which costs it half as much; what came a moment ago conflicts when we write.
        let cached = paths::with_query(&path, &[("resourceVersion", "0")]);
        match member.writes.get::<Value>(&cached).await {
            Ok(live) if is_ours(&live, key) => Ok(None),
            Ok(_) => Err(not_owned(member, key, &rendered.object)),
            Err(error) if error.is_not_found() => Ok(Some(rendered.object.clone())),
            Err(error) => Err(error.on(&member.name)),
        }
    }))
    .await?;
    Ok(found.into_iter().flatten().collect())
}

/// By its labels; or we applied it once and somebody took the labels off.
pub fn is_ours(live: &Value, key: &ServiceKey) -> bool {
    let Ok(Bare { metadata }) = Bare::deserialize(live) else {
        return false;
    };
    let has = |label: &str, value: &str| metadata.label(label) == value;
    let fits = |label: &str, value: &str| matches!(metadata.label(label), "" | MANAGER) || has(label, value);
    let labelled = has(MANAGED_BY, MANAGER)
        && has(PROJECT, &key.project)
        && has(ENVIRONMENT, &key.environment)
        && has(SERVICE, &key.service);
    labelled
        || (applied_by_us(live)
            && fits(MANAGED_BY, MANAGER)
            && fits(PROJECT, &key.project)
            && fits(ENVIRONMENT, &key.environment)
            && fits(SERVICE, &key.service))
}

fn not_owned(member: &Member, key: &ServiceKey, object: &ObjectName) -> ApiError {
    ApiError::conflict(
        "object_not_owned",
        format!(
            "{object} in namespace {} on cluster {} was there before and isn't the platform's; nothing was changed. Remove or rename it, or give the service another name",
            key.namespace(),
            member.name
        ),
    )
    .with_details(json!({
        "cluster": &*member.name,
        "namespace": key.namespace(),
        "object": object.to_string(),
    }))
}

struct Written {
    object: ObjectName,
    fields: Fields,
    taken_over: Vec<String>,
}

async fn write(
    state: &AppState,
    member: &Member,
    key: &ServiceKey,
    rendered: &Rendered,
    fresh: bool,
) -> ApiResult<Written> {
    let object = &rendered.object;
    let path = paths::object(object.kind, &key.namespace(), &object.name);
    let mut taken_over = Vec::new();
    let body = match object.kind {
        Kind::PersistentVolumeClaim if !fresh => &claims::never_smaller(member, &path, &rendered.body)
            .await
            .map_err(|error| not_written(member, key, error))?,
        _ => &rendered.body,
    };
    let live = match member.writes.apply(&path, body, false).await {
        Ok(live) => live,
        // It came between our look and our write.
        Err(error) if error.is_conflict() && fresh => return Err(not_owned(member, key, object)),
        Err(error) if error.is_conflict() => {
            taken_over = conflicts(object, &error);
            member
                .writes
                .apply(&path, body, true)
                .await
                .map_err(|error| not_written(member, key, error))?
        }
        Err(error) => return Err(not_written(member, key, error)),
    };
    // The reply is newer than the watch: what is asked next must see it.
    member.target.take_object(object.kind, &live);
    Ok(Written {
        object: object.clone(),
        fields: state.fields.read(&live),
        taken_over,
    })
}

/// A namespace that goes while we write is made anew by the next try; anything else is as it is.
fn not_written(member: &Member, key: &ServiceKey, error: KubeError) -> ApiError {
    let text = error.explain();
    if error.is_not_found() || text.contains("because it is being terminated") {
        member.keep_ours(key, false);
        return terminating(member, &key.namespace());
    }
    error.on(&member.name)
}

fn terminating(member: &Member, namespace: &str) -> ApiError {
    ApiError::unavailable(
        "namespace_terminating",
        format!(
            "namespace {namespace} on cluster {} is being deleted; it is made anew once it is gone",
            member.name
        ),
    )
}

/// Who held which field: `Deployment/web: .spec.replicas (conflict with "kubectl")`.
fn conflicts(object: &ObjectName, error: &KubeError) -> Vec<String> {
    match error {
        KubeError::Refused { causes, message, .. } if causes.is_empty() => {
            vec![format!("{object}: {message}")]
        }
        KubeError::Refused { causes, .. } => causes
            .iter()
            .map(|cause| format!("{object}: {} ({})", cause.field, cause.message))
            .collect(),
        _ => Vec::new(),
    }
}

/// Removes what the desired state no longer has. Config of other revisions stays while pods may need
/// it; it goes later, by itself. Claims never go: they are somebody's data.
async fn prune(
    state: &AppState,
    member: &Member,
    key: &ServiceKey,
    desired: &Remembered,
) -> ApiResult<Vec<String>> {
    let mut there = known_as_ours(state, member, key);
    if there.is_empty() {
        there = services_of(member, key)
            .await
            .map_err(|error| error.on(&member.name))?;
    }
    there.retain(|object| {
        matches!(object.kind, Kind::Service | Kind::Deployment) && !desired.objects.contains_key(object)
    });
    let mut pruned = Vec::new();
    for object in there {
        let path = paths::object(object.kind, &key.namespace(), &object.name);
        let options = json!({ "propagationPolicy": "Background" });
        if member
            .writes
            .delete(&path, &options)
            .await
            .map_err(|error| error.on(&member.name))?
        {
            pruned.push(object.to_string());
        }
    }
    Ok(pruned)
}

/// The Services of a service, asked of the cluster now.
async fn services_of(member: &Member, key: &ServiceKey) -> Result<Vec<ObjectName>, KubeError> {
    let select = key.select();
    let path = paths::objects(Kind::Service, &key.namespace());
    let listed = paths::with_query(&path, &[("labelSelector", &select)]);
    let list: List<Bare> = member.writes.get(&listed).await?;
    Ok(list
        .items
        .into_iter()
        .map(|bare| ObjectName::new(Kind::Service, bare.metadata.name))
        .collect())
}

async fn delete_listed(
    member: &Member,
    key: &ServiceKey,
    path: &str,
    chosen: impl Fn(&Bare) -> bool,
) -> Result<(), KubeError> {
    let select = key.select();
    let listed = paths::with_query(path, &[("labelSelector", &select)]);
    let list: List<Bare> = member.writes.get(&listed).await?;
    for bare in list.items.iter().filter(|bare| chosen(bare)) {
        let options = json!({
            "propagationPolicy": "Background",
            "preconditions": { "uid": bare.metadata.uid },
        });
        match member
            .writes
            .delete(&format!("{path}/{}", bare.metadata.name), &options)
            .await
        {
            Ok(_) => {}
            // Another object has its name by now; it is looked at in the next turn.
            Err(error) if error.is_conflict() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
