//! Two edits at once: the second is told what changed and by whom.

use chrono::{DateTime, Utc};
use platform::{ApiError, ApiResult};
use serde_json::json;
use uuid::Uuid;

use crate::db::columns::Names;
use crate::db::{DbErr, Unit, edits};

/// An object with a version that editors send back.
pub struct Versioned<'a> {
    pub what: String,
    pub id: Uuid,
    pub version: i64,
    pub updated_by: &'a str,
    pub updated_at: DateTime<Utc>,
}

/// 409 `version_conflict` unless `given` is the present version.
pub async fn check(unit: &Unit, object: Versioned<'_>, given: i64) -> ApiResult<()> {
    if object.version == given {
        return Ok(());
    }
    let later = edits::after(&**unit, object.id, given).await?;
    let mut fields: Vec<&str> = Vec::new();
    for field in later.iter().flat_map(|edit| &edit.fields.0) {
        if !fields.contains(&field.as_str()) {
            fields.push(field);
        }
    }
    let (by, at) = later
        .last()
        .map_or((object.updated_by, object.updated_at), |edit| {
            (edit.edited_by.as_str(), edit.edited_at)
        });
    let changed = if fields.is_empty() {
        "it".to_owned()
    } else {
        fields.join(", ")
    };
    Err(ApiError::conflict(
        "version_conflict",
        format!(
            "{} was changed since you read it: {by} changed {changed}; read it again and repeat your change",
            object.what
        ),
    )
    .with_details(json!({
        "current_version": object.version,
        "changed_by": by,
        "changed_at": at,
        "changed_fields": fields,
    })))
}

/// The same of an object whose single edits are not kept.
pub fn check_alone(object: Versioned<'_>, given: i64) -> ApiResult<()> {
    if object.version == given {
        return Ok(());
    }
    Err(ApiError::conflict(
        "version_conflict",
        format!(
            "{} was changed since you read it, by {}; read it again and repeat your change",
            object.what, object.updated_by
        ),
    )
    .with_details(json!({
        "current_version": object.version,
        "changed_by": object.updated_by,
        "changed_at": object.updated_at,
        "changed_fields": [],
    })))
}

/// Keeps what an edit changed.
pub async fn note(
    unit: &Unit,
    object_id: Uuid,
    version: i64,
    fields: &[&str],
    by: &str,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    edits::insert(
        &**unit,
        edits::Model {
            object_id,
            version,
            fields: Names(fields.iter().map(|field| (*field).to_owned()).collect()),
            edited_by: by.to_owned(),
            edited_at: at,
        },
    )
    .await
}
