//! CronJobs: a job whenever the clock says so.

use std::str::FromStr as _;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use croner::Cron;
use serde_json::{Value, json};

use super::events::Said;
use super::{Controllers, MANAGER, Outcome, settled};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::batch::{CRON_JOB, JOB};
use crate::registry::delete::{DeleteOptions, Propagation, delete};
use crate::registry::{Options, admission, create, update};
use crate::store::{Key, Object};

const COMPONENT: &str = "cronjob-controller";
/// More missed times than this are not looked through.
const MOST_MISSED: usize = 100;

/// Reads a schedule of five fields, or `@hourly` and the like. Times are UTC.
pub fn parse(schedule: &str) -> Result<Cron, String> {
    Cron::from_str(schedule).map_err(|error| error.to_string())
}

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let cluster = controllers.cluster.clone();
    let Some(owner) = cluster.store.get(&CRON_JOB, &key.namespace, &key.name) else {
        return Ok(Outcome::DONE);
    };
    if owner.deleting {
        return Ok(Outcome::DONE);
    }
    let value = owner.value();
    let jobs: Vec<(Arc<Object>, Value)> = cluster
        .store
        .dependents(&owner.uid)
        .into_iter()
        .filter(|object| object.kind == &JOB && !object.deleting)
        .map(|job| (job.clone(), job.bare_value()))
        .collect();
    forget_ended(&cluster, &value, &jobs)?;
    let Ok(schedule) = parse(json::text(&value, "/spec/schedule")) else {
        return Ok(Outcome::DONE);
    };
    let now = crate::clock::now();
    let mut last = None;
    if value["spec"]["suspend"] != true
        && let Some(due) = due(&schedule, &value, now)
        && start(&cluster, &owner, &value, &jobs, due)?
    {
        last = Some(due);
    }
    write_status(&cluster, &owner, last)?;
    let next = schedule.find_next_occurrence(&now, false).ok();
    let pause = next.and_then(|next| (next - crate::clock::now()).to_std().ok());
    Ok(Outcome {
        look_again: pause.map(|pause| pause + Duration::from_millis(20)),
    })
}

/// The latest time that has come and was not used.
fn due(schedule: &Cron, value: &Value, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let last = match json::text(value, "/status/lastScheduleTime") {
        "" => json::text(value, "/metadata/creationTimestamp"),
        last => last,
    };
    let mut from = json::parse_time(last)?;
    if let Some(seconds) = json::integer(value, "/spec/startingDeadlineSeconds") {
        from = from.max(now - chrono::Duration::seconds(seconds));
    }
    let mut found = None;
    for _ in 0..MOST_MISSED {
        let next = schedule.find_next_occurrence(&from, false).ok()?;
        if next > now {
            break;
        }
        found = Some(next);
        from = next;
    }
    found
}

fn has_ended(job: &Value) -> Option<&str> {
    json::items(job, "/status/conditions")
        .iter()
        .find_map(|condition| {
            let kind = json::text(condition, "/type");
            (matches!(kind, "Complete" | "Failed") && condition["status"] == "True").then_some(kind)
        })
}

fn start(
    cluster: &Arc<Cluster>,
    owner: &Arc<Object>,
    value: &Value,
    jobs: &[(Arc<Object>, Value)],
    due: DateTime<Utc>,
) -> ApiResult<bool> {
    let active: Vec<&Arc<Object>> = jobs
        .iter()
        .filter(|(_, job)| has_ended(job).is_none())
        .map(|(object, _)| object)
        .collect();
    match json::text(value, "/spec/concurrencyPolicy") {
        "Forbid" if !active.is_empty() => {
            say(
                cluster,
                owner,
                "JobAlreadyActive",
                "Not starting job because prior execution is running and concurrency policy is Forbid",
            );
            return Ok(false);
        }
        "Replace" => {
            for job in active {
                remove(cluster, job)?;
            }
        }
        _ => {}
    }
    let template = &value["spec"]["jobTemplate"];
    let mut metadata = json!({
        "name": format!("{}-{}", owner.name(), due.timestamp() / 60),
        "ownerReferences": admission::owned_by(owner),
    });
    for map in ["labels", "annotations"] {
        if template["metadata"][map].is_object() {
            metadata[map] = template["metadata"][map].clone();
        }
    }
    json::set(
        &mut metadata,
        &["annotations", "batch.kubernetes.io/cronjob-scheduled-timestamp"],
        json::seconds(due),
    );
    let job = json!({"metadata": metadata, "spec": template["spec"]});
    match create::create(cluster, &JOB, owner.namespace(), job, &Options::by(MANAGER)) {
        Ok(written) => {
            say(
                cluster,
                owner,
                "SuccessfulCreate",
                &format!("Created job {}", written.object.name()),
            );
            Ok(true)
        }
        Err(error) if error.reason == "AlreadyExists" => Ok(true),
        Err(error) => Err(error),
    }
}

fn remove(cluster: &Cluster, job: &Object) -> ApiResult<()> {
    let options = DeleteOptions {
        propagation: Some(Propagation::Background),
        ..DeleteOptions::default()
    };
    match delete(cluster, &JOB, job.namespace(), job.name(), &options) {
        Err(error) if error.code != 404 => Err(error),
        _ => Ok(()),
    }
}

/// Ended jobs beyond the history limits go, the oldest first.
fn forget_ended(cluster: &Arc<Cluster>, value: &Value, jobs: &[(Arc<Object>, Value)]) -> ApiResult<()> {
    for (kind, field) in [
        ("Complete", "successfulJobsHistoryLimit"),
        ("Failed", "failedJobsHistoryLimit"),
    ] {
        let Some(limit) = value["spec"][field].as_u64() else {
            continue;
        };
        let mut ended: Vec<&(Arc<Object>, Value)> = jobs
            .iter()
            .filter(|(_, job)| has_ended(job) == Some(kind))
            .collect();
        ended.sort_by_key(|(_, job)| std::cmp::Reverse(json::text(job, "/status/startTime").to_owned()));
        for (job, _) in ended
            .into_iter()
            .skip(usize::try_from(limit).unwrap_or(usize::MAX))
        {
            remove(cluster, job)?;
        }
    }
    Ok(())
}

fn say(cluster: &Cluster, owner: &Object, reason: &str, message: &str) {
    let said = Said {
        warning: false,
        reason,
        message,
        component: COMPONENT,
        host: "",
        field: "",
    };
    cluster.recorder.say(cluster, owner, said);
}

fn write_status(cluster: &Arc<Cluster>, owner: &Arc<Object>, last: Option<DateTime<Utc>>) -> ApiResult<()> {
    let jobs: Vec<Arc<Object>> = cluster
        .store
        .dependents(&owner.uid)
        .into_iter()
        .filter(|object| object.kind == &JOB)
        .collect();
    let mut active = Vec::new();
    let mut succeeded = None;
    for job in jobs {
        let value = job.bare_value();
        match has_ended(&value) {
            None => active.push(json!({
                "apiVersion": "batch/v1", "kind": "Job", "name": job.name(), "namespace": job.namespace(),
                "uid": &*job.uid, "resourceVersion": job.version.to_string(),
            })),
            Some("Complete") => {
                succeeded = succeeded.max(Some(json::text(&value, "/status/completionTime").to_owned()));
            }
            Some(_) => {}
        }
    }
    let options = Options::by(MANAGER).on("status");
    settled(update::modify(
        cluster,
        &CRON_JOB,
        owner.namespace(),
        owner.name(),
        &options,
        |value| {
            let status = json::nested(value, &["status"]);
            if active.is_empty() {
                status.remove("active");
            } else {
                status.insert("active".into(), active.clone().into());
            }
            if let Some(last) = last {
                status.insert("lastScheduleTime".into(), json::seconds(last).into());
            }
            if let Some(time) = succeeded.as_ref().filter(|time| !time.is_empty()) {
                let before = status
                    .get("lastSuccessfulTime")
                    .and_then(Value::as_str)
                    .unwrap_or("");
                if before < time.as_str() {
                    status.insert("lastSuccessfulTime".into(), time.as_str().into());
                }
            }
            Ok(())
        },
    ))
    .map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_missed_time_is_due() {
        let schedule = parse("*/10 * * * *").unwrap();
        let now = json::parse_time("2026-01-01T00:35:10Z").unwrap();
        let value = |extra: Value| {
            let mut value = json!({"metadata": {"creationTimestamp": "2026-01-01T00:00:30Z"}, "spec": {}});
            crate::apply::merge::json_merge(&mut value, &extra);
            value
        };
        assert_eq!(
            due(&schedule, &value(json!({})), now),
            json::parse_time("2026-01-01T00:30:00Z")
        );
        let used = json!({"status": {"lastScheduleTime": "2026-01-01T00:30:00Z"}});
        assert_eq!(due(&schedule, &value(used), now), None);
        let late = json!({"spec": {"startingDeadlineSeconds": 60}});
        assert_eq!(due(&schedule, &value(late), now), None);
    }

    #[test]
    fn schedules_are_checked() {
        assert!(parse("0 3 * * 1-5").is_ok());
        assert!(parse("every day").is_err());
        assert!(parse("61 * * * *").is_err());
    }
}
