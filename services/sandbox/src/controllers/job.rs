//! Jobs: pods until enough of them have succeeded, or too many have failed.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};

use super::events::Said;
use super::{Controllers, MANAGER, Outcome, settled};
use crate::api::errors::ApiResult;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::batch::JOB;
use crate::kinds::core::POD;
use crate::registry::delete::{DeleteOptions, Propagation, delete};
use crate::registry::{Options, admission, create, random_suffix, update};
use crate::store::{Key, Object};

const COMPONENT: &str = "job-controller";
const INDEX: &str = "batch.kubernetes.io/job-completion-index";

struct View {
    job: Arc<Object>,
    value: Value,
    active: Vec<Arc<Object>>,
    succeeded: Vec<Arc<Object>>,
    failed: Vec<Arc<Object>>,
}

impl View {
    fn spec(&self, field: &str) -> Option<i64> {
        self.value["spec"][field].as_i64()
    }

    fn is_indexed(&self) -> bool {
        self.value["spec"]["completionMode"] == "Indexed"
    }

    /// How many have done their part; of an indexed job, how many different indexes.
    fn done(&self) -> i64 {
        let count = if self.is_indexed() {
            indexes(&self.succeeded).len()
        } else {
            self.succeeded.len()
        };
        i64::try_from(count).unwrap_or(i64::MAX)
    }
}

fn indexes(pods: &[Arc<Object>]) -> BTreeSet<i64> {
    pods.iter()
        .filter_map(|pod| pod.label(INDEX)?.parse().ok())
        .collect()
}

pub fn reconcile(controllers: &mut Controllers, key: &Key) -> ApiResult<Outcome> {
    let cluster = controllers.cluster.clone();
    let Some(job) = cluster.store.get(&JOB, &key.namespace, &key.name) else {
        return Ok(Outcome::DONE);
    };
    if job.deleting {
        return Ok(Outcome::DONE);
    }
    let view = view(&cluster, job);
    if let Some(ended) = ended_at(&view.value) {
        return expire(&cluster, &view, ended);
    }
    if view.value["spec"]["suspend"] == true {
        remove_active(&cluster, &view)?;
        write_status(
            &cluster,
            &view,
            Some(("Suspended", "JobSuspended", "Job suspended")),
            false,
        )?;
        return Ok(Outcome::DONE);
    }
    let failures = i64::try_from(view.failed.len()).unwrap_or(0) + restarts(&view);
    if failures > view.spec("backoffLimit").unwrap_or(6) {
        let message = "Job has reached the specified backoff limit";
        return give_up(&cluster, &view, "BackoffLimitExceeded", message);
    }
    let started = json::parse_time(json::text(&view.value, "/status/startTime"));
    let left = view
        .spec("activeDeadlineSeconds")
        .zip(started)
        .map(|(deadline, started)| deadline - (crate::clock::now() - started).num_seconds());
    if left.is_some_and(|left| left <= 0) {
        return give_up(
            &cluster,
            &view,
            "DeadlineExceeded",
            "Job was active longer than specified deadline",
        );
    }
    // Without a number of completions, one success means that the work is done.
    let complete = match view.spec("completions") {
        Some(completions) => view.done() >= completions,
        None => !view.succeeded.is_empty() && view.active.is_empty(),
    };
    if complete {
        remove_active(&cluster, &view)?;
        say(&cluster, &view, false, "Completed", "Job completed");
        write_status(
            &cluster,
            &view,
            Some((
                "Complete",
                "CompletionsReached",
                "Reached expected number of succeeded pods",
            )),
            false,
        )?;
        return Ok(Outcome::DONE);
    }
    let wait = manage(&cluster, &view)?;
    write_status(&cluster, &view, None, true)?;
    let left = left.map(|left| Duration::from_secs(left.unsigned_abs()));
    Ok(Outcome {
        look_again: [wait, left].into_iter().flatten().min(),
    })
}

fn view(cluster: &Cluster, job: Arc<Object>) -> View {
    let (mut active, mut succeeded, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for pod in cluster
        .store
        .dependents(&job.uid)
        .into_iter()
        .filter(|object| object.kind == &POD)
    {
        match pod.field("status.phase") {
            Some("Succeeded") => succeeded.push(pod),
            Some("Failed") => failed.push(pod),
            _ if pod.deleting => {}
            _ => active.push(pod),
        }
    }
    View {
        value: job.value(),
        job,
        active,
        succeeded,
        failed,
    }
}

/// Containers that were restarted in place count as failures too.
fn restarts(view: &View) -> i64 {
    if view.value["spec"]["template"]["spec"]["restartPolicy"] != "OnFailure" {
        return 0;
    }
    view.active
        .iter()
        .filter_map(|pod| pod.fact("restarts").parse::<i64>().ok())
        .sum()
}

fn ended_at(job: &Value) -> Option<chrono::DateTime<Utc>> {
    let ended = json::items(job, "/status/conditions").iter().find(|condition| {
        matches!(json::text(condition, "/type"), "Complete" | "Failed") && condition["status"] == "True"
    })?;
    json::parse_time(json::text(ended, "/lastTransitionTime"))
}

/// A job that ended goes when its time to live is over.
fn expire(cluster: &Arc<Cluster>, view: &View, ended: chrono::DateTime<Utc>) -> ApiResult<Outcome> {
    let Some(seconds) = view.spec("ttlSecondsAfterFinished") else {
        return Ok(Outcome::DONE);
    };
    let left = seconds - (crate::clock::now() - ended).num_seconds();
    if left > 0 {
        return Ok(Outcome::after(Duration::from_secs(left.unsigned_abs())));
    }
    let options = DeleteOptions {
        propagation: Some(Propagation::Foreground),
        ..DeleteOptions::default()
    };
    match delete(cluster, &JOB, view.job.namespace(), view.job.name(), &options) {
        Err(error) if error.code != 404 => Err(error),
        _ => Ok(Outcome::DONE),
    }
}

/// Makes or removes pods so that as many run as may; says when to try again after a failure.
fn manage(cluster: &Arc<Cluster>, view: &View) -> ApiResult<Option<Duration>> {
    let parallel = view.spec("parallelism").unwrap_or(1);
    let wanted = match view.spec("completions") {
        Some(completions) => parallel.min(completions - view.done()),
        None if view.succeeded.is_empty() => parallel,
        None => 0,
    };
    let active = i64::try_from(view.active.len()).unwrap_or(0);
    if active > wanted {
        for pod in view
            .active
            .iter()
            .take(usize::try_from(active - wanted).unwrap_or(0))
        {
            remove(cluster, pod)?;
        }
        return Ok(None);
    }
    if active == wanted {
        return Ok(None);
    }
    if let Some(wait) = backoff(view) {
        return Ok(Some(wait));
    }
    let mut taken = indexes(&view.succeeded);
    taken.extend(indexes(&view.active));
    let free = (0..).filter(|index| !taken.contains(index));
    for (_, index) in (active..wanted).zip(free) {
        create_pod(cluster, view, index)?;
    }
    Ok(None)
}

/// A pause after failures: it doubles, ten times as fast as on a real cluster.
fn backoff(view: &View) -> Option<Duration> {
    let failures = u32::try_from(view.failed.len()).unwrap_or(0);
    let last = view
        .failed
        .iter()
        .flat_map(|pod| {
            let value = pod.bare_value();
            let statuses = json::items(&value, "/status/containerStatuses").to_vec();
            statuses
                .into_iter()
                .filter_map(|status| json::parse_time(json::text(&status, "/state/terminated/finishedAt")))
        })
        .max()?;
    let pause = Duration::from_secs(1 << failures.saturating_sub(1).min(6)).min(Duration::from_secs(36));
    let since = (crate::clock::now() - last).to_std().unwrap_or_default();
    pause.checked_sub(since).filter(|left| !left.is_zero())
}

fn create_pod(cluster: &Arc<Cluster>, view: &View, index: i64) -> ApiResult<()> {
    let template = &view.value["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    let mut spec = template["spec"].clone();
    let prefix = if view.is_indexed() {
        format!("{}-{index}-", view.job.name())
    } else {
        format!("{}-", view.job.name())
    };
    json::set(&mut metadata, &["generateName"], prefix.clone());
    json::set(&mut metadata, &["name"], format!("{prefix}{}", random_suffix(5)));
    json::set(
        &mut metadata,
        &["ownerReferences"],
        admission::owned_by(&view.job),
    );
    if view.is_indexed() {
        for map in ["labels", "annotations"] {
            json::set(&mut metadata, &[map, INDEX], index.to_string());
        }
        json::set(&mut spec, &["hostname"], format!("{}-{index}", view.job.name()));
        for container in spec["containers"].as_array_mut().into_iter().flatten() {
            let variables = json::object_mut(container)
                .entry("env")
                .or_insert_with(|| json!([]));
            if let Some(variables) = variables.as_array_mut() {
                variables.push(json!({"name": "JOB_COMPLETION_INDEX", "value": index.to_string()}));
            }
        }
    }
    let pod = json!({"metadata": metadata, "spec": spec});
    let made = create::create(cluster, &POD, view.job.namespace(), pod, &Options::by(MANAGER));
    match &made {
        Ok(written) => {
            say(
                cluster,
                view,
                false,
                "SuccessfulCreate",
                &format!("Created pod: {}", written.object.name()),
            );
        }
        Err(error) => say(
            cluster,
            view,
            true,
            "FailedCreate",
            &format!("Error creating: {error}"),
        ),
    }
    made.map(|_| ())
}

fn remove(cluster: &Cluster, pod: &Object) -> ApiResult<()> {
    match delete(
        cluster,
        &POD,
        pod.namespace(),
        pod.name(),
        &DeleteOptions::default(),
    ) {
        Err(error) if error.code != 404 => Err(error),
        _ => Ok(()),
    }
}

fn remove_active(cluster: &Arc<Cluster>, view: &View) -> ApiResult<()> {
    view.active.iter().try_for_each(|pod| remove(cluster, pod))
}

fn give_up(cluster: &Arc<Cluster>, view: &View, reason: &str, message: &str) -> ApiResult<Outcome> {
    remove_active(cluster, view)?;
    say(cluster, view, true, reason, message);
    write_status(cluster, view, Some(("Failed", reason, message)), false)?;
    Ok(Outcome::DONE)
}

fn say(cluster: &Cluster, view: &View, warning: bool, reason: &str, message: &str) {
    let said = Said {
        warning,
        reason,
        message,
        component: COMPONENT,
        host: "",
        field: "",
    };
    cluster.recorder.say(cluster, &view.job, said);
}

/// The condition that comes before the final one.
fn forerunner(kind: &str) -> Option<&'static str> {
    match kind {
        "Complete" => Some("SuccessCriteriaMet"),
        "Failed" => Some("FailureTarget"),
        _ => None,
    }
}

fn write_status(
    cluster: &Arc<Cluster>,
    view: &View,
    condition: Option<(&str, &str, &str)>,
    running: bool,
) -> ApiResult<()> {
    let current = self::view(cluster, view.job.clone());
    let ready = current
        .active
        .iter()
        .filter(|pod| !pod.fact("ready-since").is_empty())
        .count();
    let options = Options::by(MANAGER).on("status");
    let (namespace, name) = (view.job.namespace(), view.job.name());
    settled(update::modify(cluster, &JOB, namespace, name, &options, |job| {
        let status = json::nested(job, &["status"]);
        if running {
            json::default_field(status, "startTime", json::now());
        }
        for (field, count) in [
            ("active", current.active.len()),
            ("succeeded", view.succeeded.len()),
            ("failed", view.failed.len()),
        ] {
            if count == 0 {
                status.remove(field);
            } else {
                status.insert(field.into(), count.into());
            }
        }
        status.insert("ready".into(), ready.into());
        status.insert("terminating".into(), 0.into());
        status.insert("uncountedTerminatedPods".into(), json!({}));
        let mut list = status
            .get("conditions")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        match condition {
            Some((kind, reason, message)) => {
                for kind in forerunner(kind).into_iter().chain([kind]) {
                    set_condition(&mut list, kind, "True", reason, message);
                }
                if kind == "Complete" {
                    status.insert("completionTime".into(), json::now().into());
                }
                if kind == "Suspended" {
                    status.remove("startTime");
                }
            }
            None if list
                .iter()
                .any(|known| known["type"] == "Suspended" && known["status"] == "True") =>
            {
                set_condition(&mut list, "Suspended", "False", "JobResumed", "Job resumed");
            }
            None => {}
        }
        if !list.is_empty() {
            status.insert("conditions".into(), list.into());
        }
        Ok(())
    }))
    .map(|_| ())
}

fn set_condition(list: &mut Vec<Value>, kind: &str, status: &str, reason: &str, message: &str) {
    if list
        .iter()
        .any(|known| known["type"] == kind && known["status"] == status)
    {
        return;
    }
    list.retain(|known| known["type"] != kind);
    let now = json::now();
    list.push(json!({
        "type": kind, "status": status, "reason": reason, "message": message,
        "lastProbeTime": now, "lastTransitionTime": now,
    }));
}
