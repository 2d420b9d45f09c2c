//! Writing down who changed what, before it is done and after.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use api_types::audit::{AuditOutcome, AuditRecord};
use api_types::changes::{Change, Topic};
use api_types::common::{AuditId, ErrorBody};
use http::StatusCode;
use parking_lot::Mutex;
use platform::{ApiResult, database};
use sea_orm::DbErr;
use serde_json::Value;

use super::routes::Matched;
use crate::db::audit::{self, Ending};
use crate::db::audit_objects;
use crate::state::AppState;

/// How long the end of a change is tried to be written down while the database is away.
const TRIED_FOR: Duration = Duration::from_secs(600);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Writes a record and the object as it is; nothing is done that could not be written down first.
pub async fn begin(state: &AppState, record: AuditRecord, before: Option<&Value>) -> ApiResult<()> {
    let id = record.id;
    let Some(before) = before else {
        return Ok(audit::insert(&state.foundation.database, record).await?);
    };
    let transaction = database::begin(&state.foundation.database).await?;
    audit::insert(&transaction, record).await?;
    audit_objects::put(&transaction, id, Some(before.clone()), None).await?;
    transaction.commit().await?;
    Ok(())
}

/// Writes a record that is complete already and tells the browsers that follow.
pub async fn whole(state: &AppState, mut record: AuditRecord, ending: &Ending) {
    record.outcome = ending.outcome;
    record.status = Some(ending.status);
    record.error.clone_from(&ending.error);
    record.duration_ms = Some(ending.duration_ms);
    if let Err(error) = audit::insert(&state.foundation.database, record.clone()).await {
        tracing::error!(%error, "a change could not be written down");
    }
    announce(state, &record);
}

/// What became of the object of a change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Objects {
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// Completes a record and tells the browsers that follow. With the database away this is tried again
/// behind the answer: the change was made, and its end must not be lost.
pub async fn end(state: &AppState, record: &AuditRecord, ending: Ending, objects: Objects) {
    let Err(error) = complete(state, record, &ending, &objects).await else {
        return announce(state, record);
    };
    tracing::warn!(audit.id = %record.id, %error, "how a change ended can't be written down; tried again");
    let (state, record) = (state.clone(), record.clone());
    state.foundation.tracker.clone().spawn(async move {
        let begun = Instant::now();
        let mut pause = Duration::from_millis(250);
        while begun.elapsed() < TRIED_FOR {
            tokio::select! {
                () = state.foundation.shutdown.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            if complete(&state, &record, &ending, &objects).await.is_ok() {
                return announce(&state, &record);
            }
        }
        tracing::error!(audit.id = %record.id, "how a change ended was never written down");
    });
}

async fn complete(
    state: &AppState,
    record: &AuditRecord,
    ending: &Ending,
    objects: &Objects,
) -> Result<(), DbErr> {
    let transaction = database::begin(&state.foundation.database).await?;
    audit::complete(&transaction, record.id, ending).await?;
    // What was not changed needs no picture of itself.
    let changed = ending.outcome == AuditOutcome::Succeeded && objects.before != objects.after;
    if changed {
        let Objects { before, after } = objects.clone();
        audit_objects::put(&transaction, record.id, before, after).await?;
    } else if objects.before.is_some() {
        audit_objects::delete(&transaction, record.id).await?;
    }
    transaction.commit().await
}

/// Tells the browsers that follow of a record.
pub fn announce(state: &AppState, record: &AuditRecord) {
    state.told.note(record.id, true);
    publish(state, record);
}

/// The same for a record that another replica may have written.
pub fn publish(state: &AppState, record: &AuditRecord) {
    state.hub.publish(Change {
        cursor: String::new(),
        topic: Topic::Audit,
        project: record.project.clone(),
        environment: record.environment.clone(),
        service: None,
        cluster: None,
        id: Some(record.id.to_string()),
        at: record.at,
    });
}

/// Which records the browsers were told of, and whether of their end.
#[derive(Debug, Default)]
pub struct Told(Mutex<HashMap<AuditId, bool>>);

impl Told {
    /// Whether this is news.
    pub fn note(&self, id: AuditId, ended: bool) -> bool {
        self.0
            .lock()
            .insert(id, ended)
            .is_none_or(|before| !before && ended)
    }

    /// Forgets records that are no longer looked at.
    pub fn keep(&self, looked_at: &HashSet<AuditId>) {
        self.0.lock().retain(|id, _| looked_at.contains(id));
    }
}

/// How an answer is judged.
#[must_use]
pub fn ending(status: StatusCode, body: Option<&ErrorBody>, duration_ms: i64) -> Ending {
    let outcome = if status.is_server_error() {
        AuditOutcome::Failed
    } else if status.is_client_error() {
        AuditOutcome::Refused
    } else {
        AuditOutcome::Succeeded
    };
    Ending {
        outcome,
        status: status.as_u16(),
        error: body.map(|body| format!("{}: {}", body.code, body.message)),
        duration_ms,
    }
}

/// What a change is done on: `service/web`.
///
/// The path's last named object; for one that is being made, the collection and the name in the body.
#[must_use]
pub fn target(matched: &Matched, body: &Value) -> String {
    let segments: Vec<&str> = matched
        .operation
        .template
        .trim_start_matches("/api/v1")
        .split('/')
        .filter(|segment| !segment.is_empty())
        .collect();
    let last = segments.last().copied().unwrap_or_default();
    let named = ["name", "user", "username"]
        .iter()
        .find_map(|field| body[*field].as_str())
        .map(|name| name.chars().take(80).collect::<String>());
    if !last.starts_with('{') && makes(matched, last) {
        return match named {
            Some(name) => format!("{}/{name}", singular(last)),
            None => containing(matched, &segments).unwrap_or_else(|| singular(last).to_owned()),
        };
    }
    containing(matched, &segments).unwrap_or_else(|| singular(last).to_owned())
}

fn makes(matched: &Matched, last: &str) -> bool {
    matched.operation.method == http::Method::POST
        && (last.ends_with('s') || !matched.operation.template.contains('{'))
}

/// The innermost object of the path.
fn containing(matched: &Matched, segments: &[&str]) -> Option<String> {
    let place = segments.iter().rposition(|segment| segment.starts_with('{'))?;
    let name = segments[place].trim_matches(['{', '}']);
    let value = matched.parameter(name)?;
    let kind = place
        .checked_sub(1)
        .map_or(name, |before| singular(segments[before]));
    Some(format!("{kind}/{value}"))
}

fn singular(plural: &str) -> &str {
    plural.strip_suffix('s').unwrap_or(plural)
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;
    use crate::app::routes::{RouteTable, Target};

    fn named(method: &Method, path: &str, body: &Value) -> String {
        let operation = |id: &str| json!({ "operationId": id, "x-permission": "signed-in" });
        let service = "/api/v1/projects/{project}/environments/{environment}/services";
        let document = json!({ "paths": {
            "/api/v1/clusters": { "post": operation("a") },
            "/api/v1/session": { "post": operation("b"), "delete": operation("c") },
            "/api/v1/users/{user}/password": { "post": operation("d") },
            service: { "post": operation("e") },
            format!("{service}/{{service}}"): { "delete": operation("f") },
            format!("{service}/{{service}}/restart"): { "post": operation("g") },
            format!("{service}/{{service}}/releases"): { "post": operation("h") },
            "/api/v1/bindings": { "post": operation("i") },
            "/api/v1/bindings/{binding}": { "delete": operation("j") },
        } });
        let table = RouteTable::build(&[(Target::Portal, &document)]).unwrap();
        target(&table.find(method, path).unwrap(), body)
    }

    #[test]
    fn a_change_says_what_it_is_on() {
        let services = "/api/v1/projects/shop/environments/test/services";
        for (method, path, body, expected) in [
            (
                Method::POST,
                "/api/v1/clusters",
                json!({ "name": "east" }),
                "cluster/east",
            ),
            (
                Method::POST,
                "/api/v1/session",
                json!({ "username": "ann" }),
                "session/ann",
            ),
            (Method::DELETE, "/api/v1/session", Value::Null, "session"),
            (
                Method::POST,
                "/api/v1/users/ann/password",
                Value::Null,
                "user/ann",
            ),
            (Method::POST, services, json!({ "name": "web" }), "service/web"),
            (Method::POST, services, Value::Null, "environment/test"),
            (
                Method::DELETE,
                &format!("{services}/web"),
                Value::Null,
                "service/web",
            ),
            (
                Method::POST,
                &format!("{services}/web/restart"),
                Value::Null,
                "service/web",
            ),
            (
                Method::POST,
                &format!("{services}/web/releases"),
                json!({ "revision": 1 }),
                "service/web",
            ),
            (
                Method::POST,
                "/api/v1/bindings",
                json!({ "user": "ann" }),
                "binding/ann",
            ),
            (Method::DELETE, "/api/v1/bindings/7", Value::Null, "binding/7"),
        ] {
            assert_eq!(named(&method, path, &body), expected, "{method} {path}");
        }
    }

    #[test]
    fn a_record_is_news_twice_at_most() {
        let told = Told::default();
        let (one, other) = (AuditId::new(), AuditId::new());
        assert!(told.note(one, false) && !told.note(one, false) && told.note(one, true));
        assert!(!told.note(one, true) && !told.note(one, false));
        told.keep(&HashSet::from([other]));
        assert!(told.note(one, true));
    }

    #[test]
    fn answers_are_judged_by_their_status() {
        let body = ErrorBody {
            code: "conflict".into(),
            message: "no".into(),
            request_id: String::new(),
            details: Value::Null,
        };
        let refused = ending(StatusCode::CONFLICT, Some(&body), 3);
        assert_eq!(refused.outcome, AuditOutcome::Refused);
        assert_eq!(refused.error.as_deref(), Some("conflict: no"));
        assert_eq!(
            ending(StatusCode::ACCEPTED, None, 3).outcome,
            AuditOutcome::Succeeded
        );
        assert_eq!(
            ending(StatusCode::BAD_GATEWAY, None, 3).outcome,
            AuditOutcome::Failed
        );
    }
}
