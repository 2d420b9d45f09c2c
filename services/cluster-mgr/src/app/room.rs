//! Whether one replica fits on any node there is.

use api_types::clusters::{ClusterObservation, ResourceAmounts};
use api_types::placement::Placement;
use api_types::spec::Resources;
use http::StatusCode;
use platform::{ApiError, ApiResult};
use serde_json::json;

use crate::app::quantity::{parse_cpu, parse_memory, show_cpu, show_gpus, show_memory};
use crate::db::{clusters, environments};

/// 422 `does_not_fit` when no cluster that the service may go to has a node that large. A cluster that
/// was not observed yet may have one.
pub fn check_fit(
    resources: &Resources,
    placement: &Placement,
    environment: &environments::Model,
    all: &[clusters::Model],
) -> ApiResult<()> {
    let (Ok(cpu), Ok(memory)) = (
        parse_cpu(&resources.cpu_request),
        parse_memory(&resources.memory_request),
    ) else {
        return Ok(());
    };
    let gpus = u64::from(resources.gpus);
    let mut largest: Option<(&str, ResourceAmounts)> = None;
    for cluster in all.iter().filter(|cluster| {
        !cluster.is_removing()
            && environment.spans(&cluster.name)
            && (placement.clusters.is_empty() || placement.clusters.contains(&cluster.name))
    }) {
        let node = cluster
            .observed
            .as_ref()
            .map(|stored| largest_node(&stored.0, gpus > 0))
            .filter(|node| node.cpu_millicores > 0);
        match node {
            Some(node) if node.cpu_millicores < cpu || node.memory_bytes < memory || node.gpus < gpus => {
                let size =
                    |node: &ResourceAmounts| (node.gpus.min(gpus), node.cpu_millicores, node.memory_bytes);
                if largest.is_none_or(|(_, known)| size(&known) < size(&node)) {
                    largest = Some((&cluster.name, node));
                }
            }
            _ => return Ok(()),
        }
    }
    let Some((cluster, node)) = largest else {
        return Ok(());
    };
    Err(ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "does_not_fit",
        format!(
            "one replica asks for {}; the largest node there is, on cluster {cluster}, has {}. Ask for less, or add a larger node",
            show(cpu, memory, gpus, gpus),
            show(node.cpu_millicores, node.memory_bytes, node.gpus, gpus),
        ),
    )
    .with_details(json!({ "cluster": cluster, "largest_node": node })))
}

/// The most that a node that takes such a replica can give.
fn largest_node(observed: &ClusterObservation, with_gpus: bool) -> ResourceAmounts {
    let any = observed.largest_node.unwrap_or_else(|| {
        let apart = observed.gpu_nodes.unwrap_or_default();
        observed.allocatable.minus(apart.allocatable)
    });
    match observed.gpu_nodes {
        Some(apart) if with_gpus => any.max(apart.largest_node),
        _ => any,
    }
}

/// GPUs are told where `asked` for.
fn show(cpu: u64, memory: u64, gpus: u64, asked: u64) -> String {
    if asked == 0 {
        format!("{} and {}", show_cpu(cpu), show_memory(memory))
    } else {
        format!(
            "{}, {} and {}",
            show_cpu(cpu),
            show_memory(memory),
            show_gpus(gpus)
        )
    }
}
