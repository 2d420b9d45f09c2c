//! Services: looked at.

use api_types::common::Page;
use api_types::pods::{Event, Pod};
use api_types::services::{Assignment, RevisionSummary, Service, ServiceFilter, ServiceStatus};
use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::client::arguments::{Listing, One, Scope};
use crate::client::failure::Outcome;
use crate::client::output::answer;
use crate::client::session::{Session, of_service};
use crate::client::table::{Table, pairs};
use crate::client::text::{age, short, word};

pub async fn list(filter: ServiceFilter, all: bool, listing: &Listing, scope: &Scope) -> Outcome {
    let session = Session::open(&scope.common)?;
    let (project, environment) = if all { (None, None) } else { session.scope(scope) };
    let filter = ServiceFilter {
        project,
        environment,
        ..filter
    };
    let page = session
        .pages(listing, async |list| {
            session.portal.list_services(&filter, &list).await
        })
        .await?;
    answer(scope.common.output, &page, || table(&page, Utc::now()))
}

fn table(page: &Page<Service>, now: DateTime<Utc>) -> String {
    let mut table = Table::new(&[
        "project",
        "environment",
        "name",
        "state",
        "ready",
        "revision",
        "image",
        "changed",
        "message",
    ]);
    for service in &page.items {
        table.row([
            service.project.clone(),
            service.environment.clone(),
            service.name.clone(),
            state(&service.status, now),
            ready(&service.status),
            service.revision.to_string(),
            service.image.clone(),
            format!("{} ago", age(service.updated_at, now)),
            short(&service.status.message),
        ]);
    }
    table.text("no services")
}

/// The state's word; what is unknown says how old it is.
fn state(status: &ServiceStatus, now: DateTime<Utc>) -> String {
    match status.observed_at {
        Some(at) if status.unknown > 0 => format!("{}, {} old", word(status.state), age(at, now)),
        _ => word(status.state),
    }
}

fn ready(status: &ServiceStatus) -> String {
    let unknown = if status.unknown > 0 {
        format!(", {} unknown", status.unknown)
    } else {
        String::new()
    };
    format!("{} of {}{unknown}", status.ready, status.wanted)
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    service: Service,
    assignments: Vec<Assignment>,
}

pub async fn get(one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    let service = session.done(session.portal.get_service(&at).await)?;
    let assignments = session.done(session.portal.list_assignments(&at).await)?.items;
    let shown = Shown { service, assignments };
    answer(one.scope.common.output, &shown, || text(&shown, Utc::now()))
}

fn text(shown: &Shown, now: DateTime<Utc>) -> String {
    let Shown { service, assignments } = shown;
    let mut text = pairs(&[
        (
            "service",
            format!("{}/{}/{}", service.project, service.environment, service.name),
        ),
        ("description", service.description.clone()),
        (
            "state",
            format!(
                "{} for {}",
                state(&service.status, now),
                age(service.status.since, now)
            ),
        ),
        ("message", service.status.message.clone()),
        ("ready", ready(&service.status)),
        (
            "revision",
            match service.latest_revision {
                latest if latest == service.revision => latest.to_string(),
                latest => format!("{}; the newest is {latest}", service.revision),
            },
        ),
        ("image", service.image.clone()),
        (
            "changed",
            format!("{} ago by {}", age(service.updated_at, now), service.updated_by),
        ),
        (
            "operation",
            service.operation.map_or_else(String::new, |id| id.to_string()),
        ),
    ]);
    let mut table = Table::new(&[
        "cluster", "region", "replicas", "ready", "sync", "seen", "why", "message",
    ]);
    for assignment in assignments {
        let (ready, seen) = match &assignment.observed {
            Some(seen) if seen.stale => (
                "unknown".to_owned(),
                format!("{} ago, old", age(seen.observed_at, now)),
            ),
            Some(seen) => (
                seen.ready.to_string(),
                format!("{} ago", age(seen.observed_at, now)),
            ),
            None => ("-".to_owned(), "never".to_owned()),
        };
        table.row([
            assignment.cluster.clone(),
            assignment.region.clone(),
            assignment.replicas.to_string(),
            ready,
            word(assignment.sync),
            seen,
            assignment.reason.message.clone(),
            short(&assignment.message),
        ]);
    }
    text.push('\n');
    text.push_str(&table.text("it is on no cluster"));
    let problems = assignments
        .iter()
        .filter_map(|assignment| {
            assignment
                .observed
                .as_ref()
                .map(|seen| (&assignment.cluster, seen))
        })
        .flat_map(|(cluster, seen)| seen.problems.iter().map(move |problem| (cluster, problem)));
    for (cluster, problem) in problems {
        text.push_str(&format!(
            "\n{} of {} pods on {cluster}, such as {}: {}\n  {}\n",
            problem.reason, problem.pods, problem.example_pod, problem.message, problem.advice
        ));
    }
    text
}

pub async fn pods(listing: &Listing, one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    let page = session
        .pages(listing, async |list| session.portal.list_pods(&at, &list).await)
        .await?;
    answer(one.scope.common.output, &page, || pod_table(&page, Utc::now()))
}

fn pod_table(page: &Page<Pod>, now: DateTime<Utc>) -> String {
    let mut table = Table::new(&[
        "cluster", "name", "status", "ready", "restarts", "revision", "node", "address", "age",
    ]);
    for pod in &page.items {
        let status = if pod.stale {
            format!("unknown, {} old", age(pod.observed_at, now))
        } else {
            pod.status.clone()
        };
        table.row([
            pod.cluster.clone(),
            pod.name.clone(),
            status,
            format!("{} of {}", pod.containers_ready, pod.containers),
            pod.restarts.to_string(),
            pod.revision.map_or_else(String::new, |number| number.to_string()),
            pod.node.clone().unwrap_or_default(),
            pod.ip.clone().unwrap_or_default(),
            age(pod.created_at, now),
        ]);
    }
    table.text("no pods")
}

pub async fn events(listing: &Listing, one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    let page = session
        .pages(listing, async |list| session.portal.list_events(&at, &list).await)
        .await?;
    answer(one.scope.common.output, &page, || event_table(&page, Utc::now()))
}

fn event_table(page: &Page<Event>, now: DateTime<Utc>) -> String {
    let mut table = Table::new(&["seen", "cluster", "kind", "reason", "object", "times", "message"]);
    for event in &page.items {
        table.row([
            event
                .last_seen
                .map_or_else(|| "-".to_owned(), |at| format!("{} ago", age(at, now))),
            event.cluster.clone(),
            event.kind.clone(),
            event.reason.clone(),
            event.object.clone(),
            event.count.to_string(),
            event.message.clone(),
        ]);
    }
    table.text("no events; clusters keep them for about an hour")
}

pub async fn revisions(limit: u32, one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    let listing = Listing {
        limit,
        query: None,
        sort: None,
    };
    let page = session
        .pages(&listing, async |list| {
            session.portal.list_revisions(&at, &list).await
        })
        .await?;
    answer(one.scope.common.output, &page, || {
        revision_table(&page, Utc::now())
    })
}

fn revision_table(page: &Page<RevisionSummary>, now: DateTime<Utc>) -> String {
    let mut table = Table::new(&["current", "number", "image", "changed", "age", "by", "comment"]);
    for revision in &page.items {
        table.row([
            if revision.current { "*" } else { "" }.to_owned(),
            revision.number.to_string(),
            revision.image.clone(),
            revision.changed.join(", "),
            age(revision.created_at, now),
            revision.created_by.clone(),
            revision.comment.clone(),
        ]);
    }
    table.text("no revisions")
}

pub async fn diff(service: &str, from: Option<i64>, to: Option<i64>, scope: &Scope) -> Outcome {
    let session = Session::open(&scope.common)?;
    let at = session.at(scope, service)?;
    let to = match to {
        Some(number) => number,
        None => session.done(session.portal.get_service(&at).await)?.revision,
    };
    let diff = session.done(session.portal.diff_revisions(&at, to, from).await)?;
    answer(scope.common.output, &diff, || {
        if diff.changes.is_empty() {
            format!("revisions {} and {} say the same\n", diff.from, diff.to)
        } else {
            diff.unified.clone()
        }
    })
}
