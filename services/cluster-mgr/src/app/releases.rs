//! Releases: moving a service to a revision; and restarts.

use std::ops::ControlFlow;

use api_types::operations::OperationKind;
use api_types::services::{NewRelease, ServiceAccepted};
use auth::Caller;
use platform::ApiResult;

use crate::app::services::{accept, check_comment, save_edit};
use crate::app::validation::Fields;
use crate::app::{image, once, operations, revisions};
use crate::db::{Record, services};
use crate::paths::ServicePath;
use crate::state::AppState;

pub async fn create(
    state: &AppState,
    caller: &Caller,
    path: &ServicePath,
    key: Option<&str>,
    new: NewRelease,
) -> ApiResult<ServiceAccepted> {
    let (once, mut unit, mut row) =
        match once::begin(state, caller, path, key, "create_release", &new).await? {
            ControlFlow::Break(reply) => return Ok(reply),
            ControlFlow::Continue(begun) => begun,
        };
    let mut fields = Fields::default();
    check_comment(&new.comment, &mut fields);
    match (&new.revision, &new.image) {
        (Some(_), Some(_)) => fields.refuse("image", "give a revision or an image, not both"),
        (None, None) => fields.refuse("revision", "give a revision or an image"),
        (None, Some(reference)) => {
            fields.check("image", image::check(reference));
        }
        (Some(_), None) => {}
    }
    fields.done()?;
    let now = state.now();
    let number = match (new.revision, new.image) {
        (Some(number), _) => number,
        (None, reference) => {
            let current = revisions::find(&*unit, &row, row.revision).await?;
            let mut spec = current.spec.0.clone();
            spec.image = reference.unwrap_or_default();
            let comment = if new.comment.is_empty() {
                format!("image {}", spec.image)
            } else {
                new.comment
            };
            // What is compared is the revision that runs: another image of an older one is a change.
            revisions::append(&unit, &mut row, &current, spec, comment, caller, now).await?;
            row.latest_revision
        }
    };
    revisions::release(&mut unit, &mut row, number, caller, now).await?;
    save_edit(&mut unit, &mut row, &["revision"], caller, now).await?;
    accept(unit, &row, Some(&once)).await
}

pub async fn restart(
    state: &AppState,
    caller: &Caller,
    path: &ServicePath,
    key: Option<&str>,
) -> ApiResult<ServiceAccepted> {
    let (once, mut unit, mut row) =
        match once::begin(state, caller, path, key, "restart_service", &()).await? {
            ControlFlow::Break(reply) => return Ok(reply),
            ControlFlow::Continue(begun) => begun,
        };
    let now = state.now();
    row.restarted_at = Some(now);
    let title = format!("restart {}", row.path());
    operations::begin(
        &mut unit,
        &mut row,
        OperationKind::RestartService,
        title,
        caller,
        now,
    )
    .await?;
    // No edit: nothing that an editor sees in a form changed.
    services::save(&*unit, &row).await?;
    unit.record(Record::service(&row).intended());
    accept(unit, &row, Some(&once)).await
}
