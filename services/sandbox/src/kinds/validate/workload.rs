//! Deployments and ReplicaSets.

use serde_json::Value;

use super::{non_negative, one_of, pod_spec};
use crate::api::errors::{Fault, FieldErrors};
use crate::json::{integer, text};
use crate::store::selector::LabelSelector;

pub fn replica_set(set: &Value, old: Option<&Value>, errors: &mut FieldErrors) {
    common(set, old, errors);
}

pub fn deployment(deployment: &Value, old: Option<&Value>, errors: &mut FieldErrors) {
    common(deployment, old, errors);
    let spec = &deployment["spec"];
    non_negative(spec, "/revisionHistoryLimit", "spec.revisionHistoryLimit", errors);
    let minimum = integer(spec, "/minReadySeconds").unwrap_or(0);
    if let Some(deadline) = integer(spec, "/progressDeadlineSeconds") {
        if deadline < 0 {
            errors.invalid(
                "spec.progressDeadlineSeconds",
                deadline,
                "must be greater than or equal to 0",
            );
        } else if deadline <= minimum {
            errors.invalid(
                "spec.progressDeadlineSeconds",
                deadline,
                "must be greater than minReadySeconds",
            );
        }
    }
    let strategy = &spec["strategy"];
    one_of(
        &strategy["type"],
        &["Recreate", "RollingUpdate"],
        "spec.strategy.type",
        errors,
    );
    if text(strategy, "/type") == "Recreate" && strategy["rollingUpdate"].is_object() {
        errors.forbidden(
            "spec.strategy.rollingUpdate",
            "may not be specified when strategy `type` is 'Recreate'",
        );
    }
    if text(strategy, "/type") == "RollingUpdate" {
        let rolling = &strategy["rollingUpdate"];
        for field in ["maxUnavailable", "maxSurge"] {
            amount_or_percent(
                &rolling[field],
                &format!("spec.strategy.rollingUpdate.{field}"),
                errors,
            );
        }
        let zero = |value: &Value| value == 0 || value == "0%" || value == "0";
        if zero(&rolling["maxUnavailable"]) && zero(&rolling["maxSurge"]) {
            errors.invalid(
                "spec.strategy.rollingUpdate.maxUnavailable",
                rolling["maxUnavailable"].clone(),
                "may not be 0 when `maxSurge` is 0",
            );
        }
    }
}

pub(super) fn amount_or_percent(value: &Value, field: &str, errors: &mut FieldErrors) {
    match value {
        Value::Number(number) if number.as_i64().is_some_and(|number| number < 0) => {
            errors.invalid(field, value.clone(), "must be greater than or equal to 0");
        }
        Value::String(text) => {
            let percent = text
                .strip_suffix('%')
                .and_then(|number| number.parse::<u32>().ok());
            match percent {
                None => errors.invalid(
                    field,
                    text.as_str(),
                    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
                ),
                Some(percent) if percent > 100 && field.ends_with("maxUnavailable") => {
                    errors.invalid(field, text.as_str(), "must not be greater than 100%");
                }
                Some(_) => {}
            }
        }
        _ => {}
    }
}

fn common(object: &Value, old: Option<&Value>, errors: &mut FieldErrors) {
    let spec = &object["spec"];
    non_negative(spec, "/replicas", "spec.replicas", errors);
    non_negative(spec, "/minReadySeconds", "spec.minReadySeconds", errors);
    let selector = LabelSelector::from_object(&spec["selector"]);
    let labels = &spec["template"]["metadata"]["labels"];
    if !spec["selector"].is_object() {
        errors.required("spec.selector", "");
    } else if selector.is_empty() {
        errors.invalid(
            "spec.selector",
            spec["selector"].clone(),
            "empty selector is invalid for deployment",
        );
    } else if !selector.matches_labels(labels) {
        let shown = if labels.is_object() {
            labels.clone()
        } else {
            serde_json::json!({})
        };
        errors.invalid(
            "spec.template.metadata.labels",
            shown,
            "`selector` does not match template `labels`",
        );
    }
    super::labels(
        &spec["selector"]["matchLabels"],
        "spec.selector.matchLabels",
        errors,
    );
    super::labels(labels, "spec.template.metadata.labels", errors);
    pod_spec::check(&spec["template"]["spec"], "spec.template.spec", errors);
    let policy = text(spec, "/template/spec/restartPolicy");
    if policy == "OnFailure" || policy == "Never" {
        errors.not_supported("spec.template.spec.restartPolicy", policy, &["Always"]);
    }
    if let Some(old) = old
        && old["spec"]["selector"] != spec["selector"]
    {
        errors.invalid("spec.selector", spec["selector"].clone(), "field is immutable");
    }
}

/// Fields of a StatefulSet that may change.
const MUTABLE: [&str; 8] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
    "selector",
];

pub fn stateful_set(set: &Value, old: Option<&Value>, errors: &mut FieldErrors) {
    common(set, old, errors);
    let spec = &set["spec"];
    one_of(
        &spec["podManagementPolicy"],
        &["OrderedReady", "Parallel"],
        "spec.podManagementPolicy",
        errors,
    );
    one_of(
        &spec["updateStrategy"]["type"],
        &["OnDelete", "RollingUpdate"],
        "spec.updateStrategy.type",
        errors,
    );
    let Some(old) = old else { return };
    let rest = |spec: &Value| {
        let mut spec = spec.clone();
        for field in MUTABLE {
            crate::json::remove(&mut spec, &[field]);
        }
        spec
    };
    if rest(spec) != rest(&old["spec"]) {
        errors.forbidden(
            "spec",
            "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
        );
    }
}

fn job_spec(spec: &Value, field: &str, errors: &mut FieldErrors) {
    for name in [
        "parallelism",
        "completions",
        "backoffLimit",
        "activeDeadlineSeconds",
        "ttlSecondsAfterFinished",
    ] {
        non_negative(spec, &format!("/{name}"), &format!("{field}.{name}"), errors);
    }
    pod_spec::check(
        &spec["template"]["spec"],
        &format!("{field}.template.spec"),
        errors,
    );
    let policy = text(spec, "/template/spec/restartPolicy");
    if policy == "Always" {
        let field = format!("{field}.template.spec.restartPolicy");
        errors.push(
            field,
            Fault::Required("valid values: \"OnFailure\", \"Never\"".into()),
        );
    }
}

pub fn job(job: &Value, old: Option<&Value>, errors: &mut FieldErrors) {
    job_spec(&job["spec"], "spec", errors);
    let Some(old) = old else { return };
    for field in ["selector", "template", "completionMode"] {
        if job["spec"][field] != old["spec"][field] && job["spec"]["suspend"] != true {
            errors.invalid(
                format!("spec.{field}"),
                job["spec"][field].clone(),
                "field is immutable",
            );
        }
    }
}

pub fn cron_job(job: &Value, _: Option<&Value>, errors: &mut FieldErrors) {
    let schedule = text(job, "/spec/schedule");
    if schedule.is_empty() {
        errors.required("spec.schedule", "");
    } else if let Err(why) = crate::controllers::cron_job::parse(schedule) {
        errors.invalid("spec.schedule", schedule, why);
    }
    one_of(
        &job["spec"]["concurrencyPolicy"],
        &["Allow", "Forbid", "Replace"],
        "spec.concurrencyPolicy",
        errors,
    );
    if text(job, "/metadata/name").len() > 52 {
        let name = text(job, "/metadata/name");
        errors.invalid("metadata.name", name, "must be no more than 52 characters");
    }
    job_spec(
        &job["spec"]["jobTemplate"]["spec"],
        "spec.jobTemplate.spec",
        errors,
    );
}
