//! Operations: listed, shown, and waited for.

use std::time::{Duration, Instant};

use api_types::common::OperationId;
use api_types::operations::{Operation, OperationFilter, OperationState};
use api_types::services::ServiceAccepted;
use chrono::Utc;

use super::arguments::{Common, Format, Listing, OperationCommand, Scope, Waiting};
use super::failure::{Failure, Outcome};
use super::output::{answer, note};
use super::session::Session;
use super::table::{Table, pairs};
use super::text::{age, short, word};

/// How often an operation is looked at.
const PERIOD: Duration = Duration::from_millis(500);
/// How long the portal may be away, as while it is replaced, before waiting is given up.
const PATIENCE: Duration = Duration::from_secs(30);

pub async fn run(command: OperationCommand) -> Outcome {
    match command {
        OperationCommand::List {
            all,
            service,
            state,
            limit,
            scope,
        } => list(all, service, state, limit, &scope).await,
        OperationCommand::Get { operation, common } => {
            let session = Session::open(&common)?;
            let operation = session.done(session.portal.get_operation(operation).await)?;
            show(&operation, common.output)
        }
        OperationCommand::Watch {
            operation,
            timeout,
            common,
        } => watch(operation, timeout, &common).await,
    }
}

async fn list(
    all: bool,
    service: Option<String>,
    state: Option<String>,
    limit: u32,
    scope: &Scope,
) -> Outcome {
    let session = Session::open(&scope.common)?;
    let (project, environment) = if all { (None, None) } else { session.scope(scope) };
    let filter = OperationFilter {
        project,
        environment,
        service,
        state,
    };
    let listing = Listing {
        limit,
        query: None,
        sort: None,
    };
    let page = session
        .pages(&listing, async |list| {
            session.portal.list_operations(&filter, &list).await
        })
        .await?;
    answer(scope.common.output, &page, || {
        let now = Utc::now();
        let mut table = Table::new(&["id", "state", "done", "age", "by", "what", "message"]);
        for operation in &page.items {
            table.row([
                operation.id.to_string(),
                word(operation.state),
                format!("{}%", operation.progress),
                age(operation.created_at, now),
                operation.requested_by.clone(),
                operation.title.clone(),
                short(&operation.message),
            ]);
        }
        table.text("no operations")
    })
}

fn show(operation: &Operation, format: Format) -> Outcome {
    answer(format, operation, || {
        let now = Utc::now();
        let mut text = pairs(&[
            ("operation", operation.id.to_string()),
            ("what", operation.title.clone()),
            (
                "state",
                format!("{}, {}% done", word(operation.state), operation.progress),
            ),
            ("message", operation.message.clone()),
            (
                "asked for",
                format!(
                    "by {}, {} ago",
                    operation.requested_by,
                    age(operation.created_at, now)
                ),
            ),
            (
                "ended",
                operation
                    .finished_at
                    .map_or_else(String::new, |at| format!("{} ago", age(at, now))),
            ),
        ]);
        let mut table = Table::new(&["step", "state", "done", "message"]);
        for step in &operation.steps {
            table.row([
                step.name.clone(),
                word(step.state),
                format!("{} of {}", step.done, step.total),
                step.message.clone(),
            ]);
        }
        text.push('\n');
        text.push_str(&table.text("no steps yet"));
        text
    })
}

async fn watch(id: OperationId, timeout: Duration, common: &Common) -> Outcome {
    let session = Session::open(common)?;
    followed(&session, id, timeout, common.output).await
}

/// Waits until an operation has ended, and says how.
pub async fn followed(session: &Session, id: OperationId, timeout: Duration, format: Format) -> Outcome {
    let operation = ended(session, id, timeout).await?;
    if format != Format::Table {
        answer(format, &operation, String::new)?;
    }
    verdict(operation, format)
}

/// Tells what was begun and, when that was asked for, waits for its end.
pub async fn begun(
    session: &Session,
    accepted: &ServiceAccepted,
    waiting: &Waiting,
    format: Format,
) -> Outcome {
    let Some(id) = accepted.operation else {
        return answer(format, accepted, || format!("{}: done\n", accepted.service.name));
    };
    if waiting.wait {
        return followed(session, id, waiting.timeout, format).await;
    }
    let operation = session.done(session.portal.get_operation(id).await)?;
    answer(format, accepted, || {
        format!(
            "{}\n  it goes on by itself; `longshore operation watch {id}` follows it\n",
            operation.title
        )
    })
}

/// Waits until an operation has ended, and tells on standard error how far it is.
async fn ended(session: &Session, id: OperationId, timeout: Duration) -> Outcome<Operation> {
    let begun = Instant::now();
    let mut last_answer = Instant::now();
    let mut told = String::new();
    let mut message = String::new();
    loop {
        match session.done(session.portal.get_operation(id).await) {
            Ok(operation) => {
                last_answer = Instant::now();
                if told.is_empty() {
                    note(&format!("{} (operation {id})", operation.title));
                }
                let now = progress(&operation);
                if now != told {
                    note(&now);
                    told = now;
                }
                if is_over(operation.state) {
                    return Ok(operation);
                }
                message = operation.message;
            }
            Err(failure) if !may_pass(&failure) || last_answer.elapsed() > PATIENCE => return Err(failure),
            Err(_) => {}
        }
        if begun.elapsed() >= timeout {
            return Err(Failure::NotYet(format!(
                "operation {id} had not ended after {} s: {message}\n  it goes on; `longshore operation watch {id}` \
                 follows it",
                timeout.as_secs()
            )));
        }
        tokio::time::sleep(PERIOD.min(timeout.saturating_sub(begun.elapsed()))).await;
    }
}

fn is_over(state: OperationState) -> bool {
    !matches!(state, OperationState::Running | OperationState::Waiting)
}

/// Whether it is worth asking again.
fn may_pass(failure: &Failure) -> bool {
    match failure {
        Failure::NotReached { .. } => true,
        Failure::Refused { status, .. } => status.is_server_error(),
        _ => false,
    }
}

/// One line; the whole message is told at the end.
fn progress(operation: &Operation) -> String {
    format!("  {:>3}%  {}", operation.progress, short(&operation.message))
}

fn verdict(operation: Operation, format: Format) -> Outcome {
    if operation.state == OperationState::Succeeded {
        if format == Format::Table {
            super::output::write(&format!("{}: done\n", operation.title))?;
        }
        return Ok(());
    }
    Err(Failure::Operation(Box::new(operation)))
}
