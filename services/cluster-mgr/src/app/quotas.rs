//! Quotas of projects: what their services ask for together is checked at the door, under the project's lock, so that
//! of two who ask at once one is refused. Asking for less is always taken, also above the quota.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use api_types::autoscaling::AutoscalingPolicy;
use api_types::projects::{Project, Quota, Requested};
use auth::Caller;
use http::StatusCode;
use platform::text::counted;
use platform::{ApiError, ApiResult};
use serde::Serialize;
use serde_json::json;

use crate::app::projects as project_logic;
use crate::app::quantity::{show_cpu, show_gpus, show_memory};
use crate::app::storage;
use crate::app::validation::Fields;
use crate::app::validation::volumes::show as show_storage;
use crate::db::{Connection, DbErr, Unit, projects, services};
use crate::state::AppState;

/// What a browser can still count.
const MOST: u64 = 1 << 53;

/// A limit that a change would pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Excess {
    /// `cpu` in millicores, `memory` in bytes, `pods`, `gpus`, `storage` in bytes.
    pub resource: &'static str,
    /// How much more is asked for.
    pub asked: u64,
    pub left: u64,
    pub limit: u64,
}

impl Excess {
    fn words(&self) -> String {
        let show = |amount: u64| match self.resource {
            "cpu" => show_cpu(amount),
            "memory" => show_memory(amount),
            "storage" => format!("{} of storage", show_storage(amount)),
            "gpus" => show_gpus(amount),
            _ => counted(amount, "pod"),
        };
        format!(
            "{} more are asked for, {} of {} are left",
            show(self.asked),
            show(self.left),
            show(self.limit)
        )
    }
}

/// By resource: its name, the limit, and the same part of amounts.
type Part = fn(&Requested) -> u64;

fn limits(quota: &Quota) -> impl Iterator<Item = (&'static str, u64, Part)> {
    let parts: [(&'static str, Option<u64>, Part); 5] = [
        ("cpu", quota.cpu_millicores, |amount| amount.cpu_millicores),
        ("memory", quota.memory_bytes, |amount| amount.memory_bytes),
        ("pods", quota.pods, |amount| amount.pods),
        ("gpus", quota.gpus, |amount| amount.gpus),
        ("storage", quota.storage_bytes, |amount| amount.storage_bytes),
    ];
    parts
        .into_iter()
        .filter_map(|(name, limit, part)| Some((name, limit?, part)))
}

/// The limits that a service passes when what it asks for changes; `taken` is what the project asks for before.
fn excesses(quota: &Quota, taken: &Requested, before: &Requested, after: &Requested) -> Vec<Excess> {
    limits(quota)
        .filter(|(_, limit, part)| {
            let others = part(taken).saturating_sub(part(before));
            part(after) > part(before) && others.saturating_add(part(after)) > *limit
        })
        .map(|(resource, limit, part)| Excess {
            resource,
            asked: part(after) - part(before),
            left: limit.saturating_sub(part(taken)),
            limit,
        })
        .collect()
}

/// The most replicas that a quota leaves to a service; None where nothing limits them.
fn most_replicas(quota: &Quota, taken: &Requested, service: &services::Model) -> Option<u32> {
    let own = service.requested();
    let one = services::Model {
        replicas: 1,
        ..service.clone()
    }
    .requested();
    limits(quota)
        .filter(|(_, _, part)| part(&one) > 0)
        .map(|(_, limit, part)| {
            let others = part(taken).saturating_sub(part(&own));
            u32::try_from(limit.saturating_sub(others) / part(&one)).unwrap_or(u32::MAX)
        })
        .min()
}

async fn taken(connection: &impl Connection, project: &str) -> Result<Requested, DbErr> {
    let mut all = services::requested(connection, Some(project)).await?;
    Ok(all.remove(project).unwrap_or_default())
}

/// A project's quota, if it has any; nobody else passes a check of it until the transaction ends. To be locked after
/// services and before environments.
pub async fn lock(unit: &Unit, project: &str) -> Result<Option<Quota>, DbErr> {
    let limited = |row: projects::Model| Some(row.quota()).filter(|quota| *quota != Quota::default());
    match projects::find(&**unit, project).await?.and_then(limited) {
        None => Ok(None),
        Some(_) => Ok(projects::find_locked(&**unit, project).await?.and_then(limited)),
    }
}

/// 422 `quota_exceeded` unless the quota has room for what a service will ask for. The service is not written yet.
pub async fn check(
    unit: &Unit,
    quota: Option<Quota>,
    before: Option<&services::Model>,
    after: &services::Model,
) -> ApiResult<()> {
    let Some(quota) = quota else { return Ok(()) };
    let project = &after.project;
    let mut taken = taken(&**unit, project).await?;
    let before = before.map(services::Model::requested).unwrap_or_default();
    let mut wanted = after.requested();
    if quota.storage_bytes.is_some() {
        let sum = |sums: BTreeMap<String, u64>| sums.get(project).copied().unwrap_or(0);
        taken.storage_bytes = sum(storage::taken(&**unit, Some(project), None).await?);
        let then = sum(storage::taken(&**unit, Some(project), Some(after)).await?);
        wanted.storage_bytes = then.saturating_sub(taken.storage_bytes);
    }
    let excesses = excesses(&quota, &taken, &before, &wanted);
    if excesses.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = excesses.iter().map(Excess::words).collect();
    Err(ApiError::new(
        StatusCode::UNPROCESSABLE_ENTITY,
        "quota_exceeded",
        format!(
            "service {} does not fit into the quota of project {project}: {}. Ask for less, make room in another service, or have the quota raised",
            after.path(),
            words.join("; ")
        ),
    )
    .with_details(json!({ "project": project, "limits": excesses })))
}

/// The same for a service that is there.
pub async fn check_change(unit: &Unit, before: &services::Model, after: &services::Model) -> ApiResult<()> {
    let (old, new) = (before.requested(), after.requested());
    let grows = new.cpu_millicores > old.cpu_millicores
        || new.memory_bytes > old.memory_bytes
        || new.pods > old.pods
        || new.gpus > old.gpus
        || after.storage_bytes > before.storage_bytes
        || after.storage_bytes > 0 && before.is_singleton() && !after.is_singleton();
    if !grows {
        return Ok(());
    }
    let quota = lock(unit, &after.project).await?;
    check(unit, quota, Some(before), after).await
}

/// What quotas leave to services that are scaled together in one transaction.
pub struct Rooms(HashMap<String, (Quota, Requested)>);

impl Rooms {
    /// Locks the projects that have a quota. The services are locked already.
    pub async fn lock(unit: &Unit, projects: BTreeSet<String>) -> Result<Self, DbErr> {
        let mut rooms = HashMap::new();
        for project in projects {
            if let Some(quota) = lock(unit, &project).await? {
                let taken = taken(&**unit, &project).await?;
                rooms.insert(project, (quota, taken));
            }
        }
        Ok(Self(rooms))
    }

    /// The most replicas that are left to a service; never fewer than it has.
    #[must_use]
    pub fn most(&self, service: &services::Model) -> u32 {
        self.0
            .get(&service.project)
            .and_then(|(quota, taken)| most_replicas(quota, taken, service))
            .map_or(u32::MAX, |most| most.max(service.replicas.unsigned_abs()))
    }

    /// Notes that a service asks for other replicas now.
    pub fn note(&mut self, before: &services::Model, after: &services::Model) {
        if let Some((_, taken)) = self.0.get_mut(&after.project) {
            let (old, new) = (before.requested(), after.requested());
            let moved = |all: u64, old: u64, new: u64| all.saturating_sub(old).saturating_add(new);
            taken.cpu_millicores = moved(taken.cpu_millicores, old.cpu_millicores, new.cpu_millicores);
            taken.memory_bytes = moved(taken.memory_bytes, old.memory_bytes, new.memory_bytes);
            taken.pods = moved(taken.pods, old.pods, new.pods);
            taken.gpus = moved(taken.gpus, old.gpus, new.gpus);
        }
    }
}

/// The most replicas that the quota leaves to a service as things are; None where nothing limits them.
pub async fn most(connection: &impl Connection, service: &services::Model) -> Result<Option<u32>, DbErr> {
    let Some(project) = projects::find(connection, &service.project).await? else {
        return Ok(None);
    };
    let taken = taken(connection, &service.project).await?;
    Ok(most_replicas(&project.quota(), &taken, service))
}

/// Says where a policy's maximum is beyond what the quota leaves now.
pub async fn warn(
    connection: &impl Connection,
    service: &services::Model,
    policy: &AutoscalingPolicy,
) -> Result<Vec<String>, DbErr> {
    let schedules = policy.schedules.iter().map(|schedule| schedule.max_replicas);
    let maximum = schedules.fold(policy.max_replicas, Ord::max);
    Ok(most(connection, service)
        .await?
        .filter(|most| *most < maximum)
        .map(|most| {
            format!(
                "the quota of project {} leaves room for {} now, fewer than the maximum of {maximum}",
                service.project,
                counted(most, "replica")
            )
        })
        .into_iter()
        .collect())
}

/// Sets a project's quota. What is asked for already stays, also above it.
pub async fn put(
    state: &AppState,
    caller: &Caller,
    name: &str,
    version: i64,
    quota: Quota,
) -> ApiResult<Project> {
    let mut fields = Fields::default();
    for (field, limit) in [
        ("cpu_millicores", quota.cpu_millicores),
        ("memory_bytes", quota.memory_bytes),
        ("pods", quota.pods),
        ("gpus", quota.gpus),
        ("storage_bytes", quota.storage_bytes),
    ] {
        if limit.is_some_and(|limit| limit > MOST) {
            fields.refuse(field, format!("at most {MOST}; leave it out for no limit"));
        }
    }
    fields.done()?;
    let mut unit = state.unit().await?;
    let mut row = projects::find_locked(&*unit, name)
        .await?
        .ok_or_else(|| project_logic::missing(name))?;
    project_logic::check_version(&unit, &row, version).await?;
    if row.quota() != quota {
        row.set_quota(quota);
        project_logic::save_edit(&mut unit, &mut row, &["quota"], caller, state.now()).await?;
    }
    let project = project_logic::present(&*unit, caller, &row).await?;
    unit.commit().await?;
    Ok(project)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn amounts(cpu_millicores: u64, memory_bytes: u64, pods: u64) -> Requested {
        Requested {
            cpu_millicores,
            memory_bytes,
            pods,
            gpus: 0,
            storage_bytes: 0,
        }
    }

    #[test]
    fn what_passes_a_limit_is_named_with_what_is_left() {
        let quota = Quota {
            cpu_millicores: Some(10_000),
            memory_bytes: None,
            pods: Some(5),
            gpus: Some(2),
            storage_bytes: Some(1 << 30),
        };
        let taken = amounts(8_000, 1 << 40, 4);
        let found = excesses(&quota, &taken, &amounts(2_000, 1, 1), &amounts(8_000, 1 << 41, 2));
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].words(),
            "6 CPU more are asked for, 2 CPU of 10 CPU are left"
        );
        let with = |gpus: u64, amount: Requested| Requested { gpus, ..amount };
        let one = amounts(2_000, 1, 1);
        let found = excesses(&quota, &with(2, taken), &with(1, one), &with(2, one));
        assert_eq!(
            found[0].words(),
            "1 GPU more are asked for, no GPUs of 2 GPUs are left"
        );
        let more = Requested {
            storage_bytes: 2 << 30,
            ..one
        };
        assert_eq!(
            excesses(&quota, &taken, &one, &more)[0].words(),
            "2 GiB of storage more are asked for, 1 GiB of storage of 1 GiB of storage are left"
        );
    }

    proptest! {
        #[test]
        fn what_is_taken_stays_within_the_limit_and_less_is_always_taken(
            limit in 0u64..100,
            steps in proptest::collection::vec((0usize..4, 0u64..50), 0..40),
        ) {
            let quota = Quota { pods: Some(limit), ..Quota::default() };
            let mut services = [0u64; 4];
            for (which, wanted) in steps {
                let all = amounts(0, 0, services.iter().sum());
                let (before, after) = (amounts(0, 0, services[which]), amounts(0, 0, wanted));
                let refused = !excesses(&quota, &all, &before, &after).is_empty();
                if wanted <= services[which] {
                    prop_assert!(!refused);
                }
                if !refused {
                    services[which] = wanted;
                }
                prop_assert!(services.iter().sum::<u64>() <= limit);
            }
        }
    }
}
