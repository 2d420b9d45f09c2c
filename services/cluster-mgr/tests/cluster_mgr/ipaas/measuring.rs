//! What the simulated ipaas tells of its services' use, as if Prometheus had been asked.

use std::collections::BTreeMap;

use api_types::common::ClusterId;
use api_types::internal::{
    MeasuredClaim, MeasuredPod, MeasuredService, MeasurementQuery, Measurements, Moment, QueryResult,
    RangeMeasurements, RangeQuery, RangeResult, ServicePlace,
};
use api_types::pods::PodPhase;
use axum::extract::{Path, State};
use platform::ApiResult;
use platform::extract::Json;
use platform::time::now;

use super::{Cluster, Ipaas, reach};

/// Every ready pod has the same part of its service's load, and has been there for long.
pub async fn measure(
    State(ipaas): State<Ipaas>,
    Path(id): Path<ClusterId>,
    Json(query): Json<MeasurementQuery>,
) -> ApiResult<Json<Measurements>> {
    reach(&ipaas, id).await?;
    let mut world = ipaas.world.lock();
    world.queries = world.queries.max(query.queries.len());
    let (load, mut ready) = (world.load, BTreeMap::new());
    for (place, workload) in world.clusters.values().flat_map(|cluster| &cluster.workloads) {
        *ready.entry(place.clone()).or_insert(0u32) += workload.ready;
    }
    let (_, cluster) = world.physical(id)?;
    let at = |metric: &str| query.queries.iter().position(|text| text.contains(metric));
    let (cpu, memory) = (at("cpu_usage"), at("memory_working_set"));
    let pod = |cores: f64, gpus: u32| MeasuredPod {
        phase: PodPhase::Running,
        stopping: false,
        ready: true,
        created_at: now().timestamp() - 3600,
        unready_since: None,
        cpu_millicores: 500,
        memory_bytes: 512 << 20,
        gpus,
        values: if cluster.measures {
            let memory = memory.map(|at| (at, f64::from(256u32 << 20)));
            cpu.map(|at| (at, cores)).into_iter().chain(memory).collect()
        } else {
            Vec::new()
        },
    };
    let error = (!cluster.measures).then(|| "Prometheus doesn't answer".to_owned());
    Ok(Json(Measurements {
        stale: false,
        queries: vec![QueryResult { error, value: None }; query.queries.len()],
        services: query
            .services
            .into_iter()
            .map(|place| {
                let place = (place.project, place.environment, place.service);
                let all = ready.get(&place).copied().unwrap_or(0).max(1);
                let (own, gpus) = cluster.workloads.get(&place).map_or((0, 0), |workload| {
                    (workload.ready, workload.desired.spec.resources.gpus)
                });
                MeasuredService {
                    pods: (0..own).map(|_| pod(load / f64::from(all), gpus)).collect(),
                    values: Vec::new(),
                }
            })
            .collect(),
        claims: cluster
            .claims
            .iter()
            .map(|((project, environment, service, name), claim)| MeasuredClaim {
                place: ServicePlace {
                    project: project.clone(),
                    environment: environment.clone(),
                    service: service.clone(),
                },
                name: name.clone(),
                bytes: claim.capacity_bytes.unwrap_or(claim.requested_bytes),
                created_at: claim.created_at.timestamp(),
            })
            .collect(),
    }))
}

/// As if the load had been what it is for all of the time.
pub async fn measure_range(
    State(ipaas): State<Ipaas>,
    Path(id): Path<ClusterId>,
    Json(query): Json<RangeQuery>,
) -> ApiResult<Json<RangeMeasurements>> {
    reach(&ipaas, id).await?;
    let mut world = ipaas.world.lock();
    let load = world.load;
    let place = &query.service;
    let place = (
        place.project.clone(),
        place.environment.clone(),
        place.service.clone(),
    );
    let ready = |cluster: &Cluster| cluster.workloads.get(&place).map_or(0, |workload| workload.ready);
    let all: u32 = world.clusters.values().map(ready).sum();
    let (_, cluster) = world.physical(id)?;
    let (own, measures) = (ready(&*cluster), cluster.measures);
    let result = |text: &String| {
        let namespace = format!("namespace=\"{}-{}\"", place.0, place.1);
        let each = if !measures || !text.contains(&namespace) {
            return RangeResult {
                error: Some("Prometheus doesn't answer".to_owned()),
                moments: Vec::new(),
            };
        } else if text.contains("cpu_usage") {
            load / f64::from(all.max(1))
        } else {
            f64::from(256u32 << 20)
        };
        let moments = (query.from..=query.to).step_by(query.step_seconds as usize);
        RangeResult {
            error: None,
            moments: moments
                .filter(|_| own > 0)
                .map(|at| Moment {
                    at,
                    pods: own,
                    of_pods: each * f64::from(own),
                    total: None,
                })
                .collect(),
        }
    };
    Ok(Json(RangeMeasurements {
        running: result(&query.running),
        queries: query.queries.iter().map(result).collect(),
    }))
}
