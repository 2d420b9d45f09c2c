//! Claims, which hold data: they grow, and go only when somebody says so by name.

use http::StatusCode;
use platform::{ApiError, ApiResult};
use serde_json::{Value, json};

use crate::app::apply::{is_ours, require_names};
use crate::app::names::{ServiceKey, is_object_name};
use crate::app::quantity;
use crate::cluster::error::KubeError;
use crate::cluster::member::Member;
use crate::cluster::paths;
use crate::index::wire::{List, MountingPod};
use crate::index::workloads::Kind;
use crate::state::AppState;

const SIZE: &str = "/spec/resources/requests/storage";

/// What is applied of a claim that is there: an older revision, or somebody who made it larger, must not make it smaller,
/// which the cluster would refuse.
pub async fn never_smaller(member: &Member, path: &str, body: &Value) -> Result<Value, KubeError> {
    let live: Value = match member.writes.get(path).await {
        Ok(live) => live,
        Err(error) if error.is_not_found() => return Ok(body.clone()),
        Err(error) => return Err(error),
    };
    Ok(larger(body, &live))
}

fn larger(body: &Value, live: &Value) -> Value {
    let size = |claim: &Value| {
        claim
            .pointer(SIZE)
            .and_then(Value::as_str)
            .and_then(quantity::thousandths)
    };
    let mut body = body.clone();
    if size(live) > size(&body)
        && let (Some(wanted), Some(there)) = (body.pointer_mut(SIZE), live.pointer(SIZE))
    {
        *wanted = there.clone();
    }
    body
}

/// Deletes a claim that no pod mounts, and so its data.
///
/// # Errors
/// 404 when there is none; 409 `volume_in_use`, `object_not_owned`; 503 `cluster_unreachable` and its like.
pub async fn delete(state: &AppState, member: &Member, key: &ServiceKey, claim: &str) -> ApiResult<()> {
    require_names(key)?;
    let missing = || ApiError::not_found(format!("claim {claim} of {key} on cluster {}", member.name));
    if !is_object_name(claim) {
        return Err(missing());
    }
    member.require_reachable()?;
    let _turn = member.lock(key).await;
    let namespace = key.namespace();
    let path = paths::object(Kind::PersistentVolumeClaim, &namespace, claim);
    let live: Value = match member.writes.get(&path).await {
        Ok(live) => live,
        Err(error) if error.is_not_found() => return Err(missing()),
        Err(error) => return Err(error.on(&member.name)),
    };
    if !is_ours(&live, key) {
        return Err(ApiError::conflict(
            "object_not_owned",
            format!(
                "claim {claim} in namespace {namespace} on cluster {} isn't of {key}",
                member.name
            ),
        ));
    }
    let pods: List<MountingPod> = member
        .writes
        .get(&paths::pods(&namespace))
        .await
        .map_err(|error| error.on(&member.name))?;
    if let Some(pod) = pods.items.iter().find(|pod| {
        !matches!(pod.status.phase.as_str(), "Succeeded" | "Failed")
            && pod.spec.claims().any(|name| name == claim)
    }) {
        return Err(in_use(member, claim, &pod.metadata.name));
    }
    let options = json!({
        "propagationPolicy": "Background",
        "preconditions": { "uid": live.pointer("/metadata/uid") },
    });
    member
        .writes
        .delete(&path, &options)
        .await
        .map_err(|error| error.on(&member.name))?;
    state.changes.workload_changed(&member.name, key);
    Ok(())
}

fn in_use(member: &Member, claim: &str, pod: &str) -> ApiError {
    ApiError::new(
        StatusCode::CONFLICT,
        "volume_in_use",
        format!(
            "pod {pod} on cluster {} mounts claim {claim}; stop the service there first",
            member.name
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(size: &str) -> Value {
        json!({ "spec": { "resources": { "requests": { "storage": size } } } })
    }

    #[test]
    fn what_is_larger_stays_so() {
        for (wanted, there, left) in [
            ("1Gi", "2Gi", "2Gi"),
            ("2Gi", "1Gi", "2Gi"),
            ("1Gi", "1024Mi", "1Gi"),
        ] {
            assert_eq!(
                larger(&claim(wanted), &claim(there)),
                claim(left),
                "{wanted} {there}"
            );
        }
        assert_eq!(larger(&claim("1Gi"), &json!({})), claim("1Gi"));
    }
}
