//! What makes pods.

use chrono::Utc;
use serde_json::Value;

use super::{AGE, Column, NAME, age, at, containers, count, duration, number, selector, size, text, wide};
use crate::json;

pub const DEPLOYMENT: &[Column] = &[
    NAME,
    text("Ready", |deployment| {
        let ready = json::integer(deployment, "/status/readyReplicas").unwrap_or(0);
        format!(
            "{ready}/{}",
            json::integer(deployment, "/spec/replicas").unwrap_or(0)
        )
        .into()
    }),
    number("Up-to-date", |deployment| {
        count(deployment, "/status/updatedReplicas")
    }),
    number("Available", |deployment| {
        count(deployment, "/status/availableReplicas")
    }),
    AGE,
    wide("Containers", |deployment| containers(deployment, "name")),
    wide("Images", |deployment| containers(deployment, "image")),
    wide("Selector", |deployment| {
        selector(deployment, "/spec/selector/matchLabels")
    }),
];

pub const REPLICA_SET: &[Column] = &[
    NAME,
    number("Desired", |set| count(set, "/spec/replicas")),
    number("Current", |set| count(set, "/status/replicas")),
    number("Ready", |set| count(set, "/status/readyReplicas")),
    AGE,
    wide("Containers", |set| containers(set, "name")),
    wide("Images", |set| containers(set, "image")),
    wide("Selector", |set| selector(set, "/spec/selector/matchLabels")),
];

pub const STATEFUL_SET: &[Column] = &[
    NAME,
    text("Ready", |set| {
        let ready = json::integer(set, "/status/readyReplicas").unwrap_or(0);
        format!("{ready}/{}", json::integer(set, "/spec/replicas").unwrap_or(0)).into()
    }),
    AGE,
    wide("Containers", |set| containers(set, "name")),
    wide("Images", |set| containers(set, "image")),
];

pub const CONTROLLER_REVISION: &[Column] = &[
    NAME,
    text("Controller", |revision| {
        let owner = &revision["metadata"]["ownerReferences"][0];
        let kind = json::text(owner, "/kind").to_lowercase();
        format!("{kind}.apps/{}", json::text(owner, "/name")).into()
    }),
    number("Revision", |revision| count(revision, "/revision")),
    AGE,
];

pub const JOB: &[Column] = &[
    NAME,
    text("Status", |job| {
        let holds = |kind: &str| {
            json::items(job, "/status/conditions")
                .iter()
                .any(|one| one["type"] == kind && one["status"] == "True")
        };
        let states = [
            ("Complete", "Complete"),
            ("Failed", "Failed"),
            ("Suspended", "Suspended"),
        ];
        states
            .iter()
            .find(|(kind, _)| holds(kind))
            .map_or("Running", |(_, state)| state)
            .into()
    }),
    text("Completions", |job| {
        let done = json::integer(job, "/status/succeeded").unwrap_or(0);
        let wanted = json::integer(job, "/spec/completions").unwrap_or(1);
        format!("{done}/{wanted}").into()
    }),
    text("Duration", |job| {
        let started = json::parse_time(json::text(job, "/status/startTime"));
        let ended = json::parse_time(json::text(job, "/status/completionTime")).unwrap_or_else(Utc::now);
        started
            .map_or_else(String::new, |started| duration((ended - started).num_seconds()))
            .into()
    }),
    AGE,
    wide("Containers", |job| containers(job, "name")),
    wide("Images", |job| containers(job, "image")),
    wide("Selector", |job| selector(job, "/spec/selector/matchLabels")),
];

pub const CRON_JOB: &[Column] = &[
    NAME,
    text("Schedule", |job| at(job, "/spec/schedule")),
    text("Timezone", |job| at(job, "/spec/timeZone")),
    text("Suspend", |job| {
        if job["spec"]["suspend"] == true {
            "True"
        } else {
            "False"
        }
        .into()
    }),
    number("Active", |job| size(job, "/status/active")),
    text("Last Schedule", |job| {
        match json::text(job, "/status/lastScheduleTime") {
            "" => "<none>".into(),
            time => age(time).into(),
        }
    }),
    AGE,
];

pub const POD_DISRUPTION_BUDGET: &[Column] = &[
    NAME,
    text("Min Available", |budget| {
        or_not_applicable(budget, "minAvailable")
    }),
    text("Max Unavailable", |budget| {
        or_not_applicable(budget, "maxUnavailable")
    }),
    number("Allowed Disruptions", |budget| {
        count(budget, "/status/disruptionsAllowed")
    }),
    AGE,
];

fn or_not_applicable(budget: &Value, field: &str) -> Value {
    match &budget["spec"][field] {
        Value::Null => "N/A".into(),
        Value::String(text) => text.as_str().into(),
        other => other.to_string().into(),
    }
}

pub const HORIZONTAL_POD_AUTOSCALER: &[Column] = &[
    NAME,
    text("Reference", |scaler| {
        let target = &scaler["spec"]["scaleTargetRef"];
        format!("{}/{}", json::text(target, "/kind"), json::text(target, "/name")).into()
    }),
    text("Targets", |_| "<unknown>".into()),
    number("MinPods", |scaler| count(scaler, "/spec/minReplicas")),
    number("MaxPods", |scaler| count(scaler, "/spec/maxReplicas")),
    number("Replicas", |scaler| count(scaler, "/status/currentReplicas")),
    AGE,
];
