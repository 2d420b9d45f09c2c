//! The record of every change.

use api_types::audit::{AuditDetail, AuditFilter, AuditFormat, AuditRecord};
use api_types::common::{AuditId, ErrorBody, ListQuery, Page};
use auth::Permission;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use platform::extract::{Json, Path, Query};
use platform::{ApiError, ApiResult, page};
use serde::Deserialize;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Shared, Who};
use crate::app::export::{self, Selection};
use crate::db::{audit, audit_objects};

/// Who changed what, newest first.
///
/// Shows what happened in the projects and environments where the caller may read the audit, and what
/// concerns no project to those who may read all of it. `q` finds actors, actions, paths, targets,
/// errors, and a request's id.
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "audit",
    params(AuditFilter, ListQuery),
    responses(
        (status = 200, description = "A page of records", body = Page<AuditRecord>),
        (status = 400, description = "`invalid_cursor`, `invalid_query`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("audit:read")))
)]
pub async fn list_audit(
    State(state): Shared,
    Who(identity): Who,
    Query(filter): Query<AuditFilter>,
    Query(query): Query<ListQuery>,
) -> ApiResult<Json<Page<AuditRecord>>> {
    let limit = page::limit(query.limit);
    let after = page::decode_cursor::<Uuid>(query.cursor.as_deref())?;
    let (database, text) = (&state.foundation.database, query.q.as_deref());
    let visible = identity.caller.visible(Permission::AuditRead);
    let items = audit::read(database, &filter, text, &visible, after, limit as u64 + 1).await?;
    let total = audit::count(database, &filter, text, &visible, audit::COUNTED_AT_MOST).await?;
    Ok(Json(page::of(items, limit, total, |record| {
        page::encode_cursor(&record.id)
    })))
}

/// One record, with what the change was made on as it was and as it became.
#[utoipa::path(
    get, path = "/api/v1/audit/{record}", tag = "audit",
    params(("record" = AuditId, Path, description = "Id of the record")),
    responses(
        (status = 200, description = "The record", body = AuditDetail),
        (status = 404, description = "`not_found`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("audit:read")))
)]
pub async fn get_audit_record(
    State(state): Shared,
    Who(identity): Who,
    Path(id): Path<AuditId>,
) -> ApiResult<Json<AuditDetail>> {
    let database = &state.foundation.database;
    let visible = identity.caller.visible(Permission::AuditRead);
    let record = audit::find(database, id, &visible)
        .await?
        .ok_or_else(|| ApiError::not_found(format_args!("the record {id}")))?;
    let (before, after) = audit_objects::find(database, id)
        .await?
        .map_or((None, None), |object| (object.before, object.after));
    Ok(Json(AuditDetail {
        record,
        before,
        after,
    }))
}

/// How to write it out.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ExportQuery {
    /// JSON lines when absent.
    pub format: AuditFormat,
    /// Text to look for.
    pub q: Option<String>,
}

/// What the list shows under these filters as a file, all of it, newest first.
#[utoipa::path(
    get, path = "/api/v1/audit/export", tag = "audit",
    params(AuditFilter, ExportQuery),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/x-ndjson"),
        (status = 400, description = "`invalid_query`", body = ErrorBody),
        (status = 422, description = "`export_too_large`", body = ErrorBody),
    ),
    extensions(("x-permission" = json!("audit:read")))
)]
pub async fn export_audit(
    State(state): Shared,
    Who(identity): Who,
    Query(filter): Query<AuditFilter>,
    Query(query): Query<ExportQuery>,
) -> ApiResult<Response> {
    let selection = Selection {
        filter,
        text: query.q,
        visible: identity.caller.visible(Permission::AuditRead),
    };
    export::check(&state, &selection).await?;
    let (kind, disposition) = match query.format {
        AuditFormat::Csv => ("text/csv; charset=utf-8", "attachment; filename=\"audit.csv\""),
        AuditFormat::Jsonl => ("application/x-ndjson", "attachment; filename=\"audit.jsonl\""),
    };
    let headers = [
        (CONTENT_TYPE, kind),
        (CONTENT_DISPOSITION, disposition),
        (CACHE_CONTROL, "no-store"),
    ];
    let body = Body::from_stream(export::parts(&state, selection, query.format));
    Ok((headers, body).into_response())
}
