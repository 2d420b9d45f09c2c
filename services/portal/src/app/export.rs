//! The audit as a file: CSV for a spreadsheet, JSON lines for a program.

use std::collections::HashMap;

use api_types::audit::{AuditDetail, AuditFilter, AuditFormat, AuditRecord};
use auth::Visible;
use bytes::Bytes;
use futures::{Stream, stream};
use platform::{ApiError, ApiResult};
use sea_orm::{DatabaseConnection, DbErr};
use uuid::Uuid;

use crate::db::{audit, audit_objects};
use crate::state::AppState;

/// Longer ones are refused rather than cut: half an audit looks like a whole one.
pub const RECORDS_AT_MOST: u64 = 100_000;
const READ_AT_ONCE: u64 = 500;
const COLUMNS: &str = "at,actor,via,action,target,project,environment,outcome,status,error,method,path,\
                       remote_address,request_id,duration_ms,id\r\n";

/// What is written out.
#[derive(Clone, Debug)]
pub struct Selection {
    pub filter: AuditFilter,
    pub text: Option<String>,
    pub visible: Visible,
}

/// Refuses what is too long.
///
/// # Errors
/// 422 `export_too_large`.
pub async fn check(state: &AppState, selection: &Selection) -> ApiResult<()> {
    let count = audit::count(
        &state.foundation.database,
        &selection.filter,
        selection.text.as_deref(),
        &selection.visible,
        RECORDS_AT_MOST + 1,
    )
    .await?;
    if count <= RECORDS_AT_MOST {
        return Ok(());
    }
    Err(ApiError::new(
        http::StatusCode::UNPROCESSABLE_ENTITY,
        "export_too_large",
        format!("more than {RECORDS_AT_MOST} records match; narrow the time range"),
    ))
}

/// The file in parts, newest records first; each part is read when the one before has left.
pub fn parts(
    state: &AppState,
    selection: Selection,
    format: AuditFormat,
) -> impl Stream<Item = Result<Bytes, DbErr>> + Send + 'static {
    let database = state.foundation.database.clone();
    let head = match format {
        AuditFormat::Csv => Some(Bytes::from_static(COLUMNS.as_bytes())),
        AuditFormat::Jsonl => None,
    };
    let rows = stream::try_unfold(Some(None), move |place: Option<Option<Uuid>>| {
        let (database, selection) = (database.clone(), selection.clone());
        async move {
            let Some(after) = place else { return Ok(None) };
            let (text, next) = part(&database, &selection, format, after).await?;
            Ok(Some((Bytes::from(text), next.map(Some))))
        }
    });
    futures::StreamExt::chain(stream::iter(head.map(Ok)), rows)
}

async fn part(
    database: &DatabaseConnection,
    selection: &Selection,
    format: AuditFormat,
    after: Option<Uuid>,
) -> Result<(String, Option<Uuid>), DbErr> {
    let text = selection.text.as_deref();
    let records = audit::read(
        database,
        &selection.filter,
        text,
        &selection.visible,
        after,
        READ_AT_ONCE,
    )
    .await?;
    let next = (records.len() as u64 == READ_AT_ONCE)
        .then(|| records.last().map(|record| record.id.0))
        .flatten();
    let lines = match format {
        AuditFormat::Csv => records.iter().map(csv).collect(),
        AuditFormat::Jsonl => json_lines(database, records).await?,
    };
    Ok((lines, next))
}

async fn json_lines(database: &DatabaseConnection, records: Vec<AuditRecord>) -> Result<String, DbErr> {
    let ids = records.iter().map(|record| record.id.0).collect();
    let mut objects: HashMap<Uuid, audit_objects::Model> = audit_objects::find_all(database, ids)
        .await?
        .into_iter()
        .map(|object| (object.id, object))
        .collect();
    let lines = records.into_iter().map(|record| {
        let object = objects.remove(&record.id.0);
        let (before, after) = object.map_or((None, None), |object| (object.before, object.after));
        let detail = AuditDetail {
            record,
            before,
            after,
        };
        serde_json::to_string(&detail).expect("a record is plain data") + "\n"
    });
    Ok(lines.collect())
}

fn csv(record: &AuditRecord) -> String {
    let number = |value: Option<i64>| value.map(|value| value.to_string()).unwrap_or_default();
    let fields = [
        record.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true),
        record.actor.clone(),
        record.via.clone(),
        record.action.clone(),
        record.target.clone(),
        record.project.clone().unwrap_or_default(),
        record.environment.clone().unwrap_or_default(),
        audit::outcome_name(record.outcome).to_owned(),
        number(record.status.map(i64::from)),
        record.error.clone().unwrap_or_default(),
        record.method.clone(),
        record.path.clone(),
        record.remote_address.clone(),
        record.request_id.clone(),
        number(record.duration_ms),
        record.id.to_string(),
    ];
    fields.map(|field| quoted(&field)).join(",") + "\r\n"
}

/// Quoted where it has to be. A spreadsheet takes what begins like a formula for one, and who is not
/// even signed in writes some of these fields: such a field gets an apostrophe.
fn quoted(field: &str) -> String {
    let formula = field.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let field = if formula {
        format!("'{field}")
    } else {
        field.to_owned()
    };
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_one_field_and_no_formula() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"x\"\n"), "\"say \"\"x\"\"\n\"");
        assert_eq!(quoted("=1+1"), "'=1+1");
        assert_eq!(quoted("@x,y"), "\"'@x,y\"");
    }
}
