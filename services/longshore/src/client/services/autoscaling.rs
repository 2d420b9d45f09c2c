//! `service autoscaling`: a policy, looked at, tried and set, and what was decided by it.

use std::path::Path;

use api_types::autoscaling::{
    Autoscaling, AutoscalingDecision, AutoscalingPolicy, DecisionFilter, MetricReading,
};
use api_types::common::Page;
use chrono::{DateTime, Utc};
use platform::text::counted;

use crate::client::arguments::{AutoscalingCommand, Format, Listing, One};
use crate::client::failure::{Failure, Outcome};
use crate::client::input::Input;
use crate::client::output::{answer, write, yaml};
use crate::client::session::of_service;
use crate::client::table::{Table, pairs};
use crate::client::text::{age, word};

pub async fn run(command: AutoscalingCommand) -> Outcome {
    match command {
        AutoscalingCommand::Get(one) => get(&one).await,
        AutoscalingCommand::Export(one) => export(&one).await,
        AutoscalingCommand::Set { file, one } => set(&file, &one).await,
        AutoscalingCommand::Preview { file, one } => preview(file.as_deref(), &one).await,
        AutoscalingCommand::Pause(one) => pause(true, &one).await,
        AutoscalingCommand::Resume(one) => pause(false, &one).await,
        AutoscalingCommand::Delete(one) => delete(&one).await,
        AutoscalingCommand::Decisions { outcome, limit, one } => decisions(outcome, limit, &one).await,
    }
}

async fn get(one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    let autoscaling = session.done(session.portal.get_autoscaling(&at).await)?;
    answer(one.scope.common.output, &autoscaling, || {
        text(&at.to_string(), &autoscaling, Utc::now())
    })
}

async fn export(one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    let autoscaling = session.done(session.portal.get_autoscaling(&at).await)?;
    let policy = autoscaling.policy.ok_or_else(|| none(&at.to_string()))?;
    match one.scope.common.output {
        Format::Json => answer(Format::Json, &policy, String::new),
        Format::Table | Format::Yaml => write(&yaml(&policy)?),
    }
}

async fn set(file: &Path, one: &One) -> Outcome {
    let policy = read(file)?;
    put(one, |_| Ok(policy)).await
}

fn read(file: &Path) -> Result<AutoscalingPolicy, Failure> {
    let Input { name, text } = Input::read(file)?;
    serde_saphyr::from_str(&text).map_err(|error| Failure::usage(format!("{name}: {error}")))
}

async fn preview(file: Option<&Path>, one: &One) -> Outcome {
    let draft = file.map(read).transpose()?;
    let (session, at) = of_service(one)?;
    let policy = match draft {
        Some(policy) => policy,
        None => {
            let autoscaling = session.done(session.portal.get_autoscaling(&at).await)?;
            autoscaling.policy.ok_or_else(|| none(&at.to_string()))?
        }
    };
    let preview = session.done(session.portal.preview_autoscaling(&at, &policy).await)?;
    answer(one.scope.common.output, &preview, || {
        super::autoscaling_preview::text(&at.to_string(), &preview)
    })
}

async fn pause(paused: bool, one: &One) -> Outcome {
    put(one, |before| {
        before
            .map(|policy| AutoscalingPolicy { paused, ..policy })
            .ok_or(())
    })
    .await
}

/// Replaces the policy by what `change` makes of the one there is; nothing is written where it stays the same.
async fn put(
    one: &One,
    change: impl FnOnce(Option<AutoscalingPolicy>) -> Result<AutoscalingPolicy, ()>,
) -> Outcome {
    let (session, at) = of_service(one)?;
    let before = session.done(session.portal.get_autoscaling(&at).await)?;
    let policy = change(before.policy.clone()).map_err(|()| none(&at.to_string()))?;
    let after = if before.policy.as_ref() == Some(&policy) {
        before
    } else {
        session.done(session.portal.put_autoscaling(&at, before.version, &policy).await)?
    };
    answer(one.scope.common.output, &after, || {
        format!("{at}: {}\n", policy_line(&policy))
    })
}

fn none(at: &str) -> Failure {
    Failure::usage(format!(
        "{at} has no policy; `longshore service autoscaling set` gives it one"
    ))
}

async fn delete(one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    session.done(session.portal.delete_autoscaling(&at).await)?;
    let after = session.done(session.portal.get_autoscaling(&at).await)?;
    answer(one.scope.common.output, &after, || {
        format!("{at}: its replicas are set by hand from now on\n")
    })
}

fn policy_line(policy: &AutoscalingPolicy) -> String {
    let mode = if policy.paused {
        ", paused"
    } else if policy.dry_run {
        ", a dry run"
    } else {
        ""
    };
    format!(
        "between {} and {} replicas{mode}",
        policy.min_replicas, policy.max_replicas
    )
}

fn text(at: &str, autoscaling: &Autoscaling, now: DateTime<Utc>) -> String {
    let Some(policy) = &autoscaling.policy else {
        return format!("{at}: its replicas are set by hand\n");
    };
    let changed = autoscaling.updated_at.map_or_else(String::new, |updated_at| {
        format!(
            "{} ago by {}",
            age(updated_at, now),
            autoscaling.updated_by.as_deref().unwrap_or_default()
        )
    });
    let schedules: Vec<String> = policy
        .schedules
        .iter()
        .map(|schedule| {
            format!(
                "{} (`{}` {} for {} min): {} to {}",
                schedule.name,
                schedule.cron,
                schedule.time_zone,
                schedule.minutes,
                schedule.min_replicas,
                schedule.max_replicas
            )
        })
        .collect();
    let unread = match autoscaling.unread {
        0 => String::new(),
        unread => format!("{} a metric could not be read", counted(unread, "time")),
    };
    let mut text = pairs(&[
        ("policy", policy_line(policy)),
        ("schedules", schedules.join("; ")),
        ("changed", changed),
        ("unread", unread),
    ]);
    match &autoscaling.last {
        Some(last) => {
            text.push_str(&format!("\n{} ago: {}\n\n", age(last.at, now), last.message));
            text.push_str(&readings(&last.metrics));
        }
        None => text.push_str("\nnothing was decided yet\n"),
    }
    text
}

fn readings(metrics: &[MetricReading]) -> String {
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.1}"));
    let mut table = Table::new(&[
        "metric", "target", "value", "measured", "missing", "asks for", "how",
    ]);
    for reading in metrics {
        table.row([
            reading.name.clone(),
            number(Some(reading.target)),
            number(reading.value),
            reading.measured.to_string(),
            reading.missing.to_string(),
            reading
                .proposed
                .map_or_else(|| "-".to_owned(), |replicas| replicas.to_string()),
            reading.error.clone().unwrap_or_else(|| reading.formula.clone()),
        ]);
    }
    table.text("no metrics")
}

async fn decisions(outcome: Option<String>, limit: u32, one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    let filter = DecisionFilter {
        outcome,
        ..DecisionFilter::default()
    };
    let listing = Listing {
        limit,
        query: None,
        sort: None,
    };
    let page = session
        .pages(&listing, async |list| {
            session
                .portal
                .list_autoscaling_decisions(&at, &filter, &list)
                .await
        })
        .await?;
    answer(one.scope.common.output, &page, || {
        decision_table(&page, Utc::now())
    })
}

fn decision_table(page: &Page<AutoscalingDecision>, now: DateTime<Utc>) -> String {
    let mut table = Table::new(&[
        "age",
        "outcome",
        "had",
        "ready",
        "recommended",
        "wanted",
        "bounds",
        "message",
    ]);
    for decision in &page.items {
        table.row([
            age(decision.at, now),
            word(decision.outcome),
            decision.current.to_string(),
            decision.ready.to_string(),
            decision.recommended.to_string(),
            decision.wanted.to_string(),
            decision.bounds.join(", "),
            decision.message.clone(),
        ]);
    }
    table.text("no decisions")
}
