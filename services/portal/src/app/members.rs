//! Roles within one project, given and taken by its owners: never more than they hold, never elsewhere.

use api_types::access::{Binding, Grant, MemberCandidate, NewBinding, NewMember, Role};
use api_types::common::{BindingId, FieldError};
use auth::permission::within_project;
use platform::database::begin;
use platform::{ApiError, ApiResult};
use sea_orm::ConnectionTrait;

use super::identity::Identity;
use super::{bindings as roles, grants};
use crate::db::{bindings, users};
use crate::state::AppState;

/// Enough to choose from, too few to read the company's list of people.
const CANDIDATES_AT_MOST: u64 = 10;
const SHORTEST_BEGINNING: usize = 2;

/// 404 for what is no role in this project.
pub async fn get(state: &AppState, project: &str, id: BindingId) -> ApiResult<Binding> {
    bindings::find_shown(&state.foundation.database, id)
        .await?
        .filter(|binding| binding.grant.project.as_deref() == Some(project))
        .ok_or_else(|| not_found(project, id))
}

/// Gives a user a role in the project.
///
/// # Errors
/// 422 names the fields that can't be taken; 403 for a role of which the caller lacks a part; 409 `binding_exists`.
pub async fn create(
    state: &AppState,
    identity: &Identity,
    project: &str,
    key: Option<&str>,
    new: NewMember,
) -> ApiResult<Binding> {
    let grant = Grant {
        role: new.role,
        project: Some(project.to_owned()),
        environment: new.environment,
    };
    let fields = check(&grant);
    if !fields.is_empty() {
        return Err(ApiError::fields(fields));
    }
    within_own(identity, &grant, "given")?;
    let new = NewBinding {
        user: new.user,
        grant,
    };
    roles::give(state, identity, key, "create_member", &new).await
}

/// Takes a role in the project away.
///
/// # Errors
/// 403 for a role of which the caller lacks a part; 409 `last_project_owner`.
pub async fn delete(state: &AppState, identity: &Identity, project: &str, id: BindingId) -> ApiResult<()> {
    let transaction = begin(&state.foundation.database).await?;
    let grant = bindings::find(&transaction, id)
        .await?
        .and_then(|row| row.grant())
        .filter(|grant| grant.project.as_deref() == Some(project))
        .ok_or_else(|| not_found(project, id))?;
    within_own(identity, &grant, "taken")?;
    keep_an_owner(&transaction, project, id).await?;
    bindings::delete(&transaction, id).await?;
    transaction.commit().await?;
    state.identities.forget();
    Ok(())
}

/// Enabled users whose name begins so.
///
/// # Errors
/// 400 `invalid_query` for a beginning that is too short to mean anybody.
pub async fn candidates(state: &AppState, beginning: &str) -> ApiResult<Vec<MemberCandidate>> {
    let beginning = beginning.trim();
    if beginning.chars().count() < SHORTEST_BEGINNING {
        return Err(ApiError::invalid(
            "invalid_query",
            format!("q must be how a name begins, at least {SHORTEST_BEGINNING} characters of it"),
        ));
    }
    let found = users::beginning(&state.foundation.database, beginning, CANDIDATES_AT_MOST).await?;
    Ok(found
        .into_iter()
        .map(|user| MemberCandidate {
            name: user.name,
            display_name: user.display_name,
        })
        .collect())
}

/// Why a role can't be one in a project, by the fields of [`NewMember`].
fn check(grant: &Grant) -> Vec<FieldError> {
    if !within_project(grant.role) {
        return vec![FieldError {
            field: "role".to_owned(),
            message:
                "holds for the whole platform; in a project there are project_owner, developer and viewer"
                    .to_owned(),
        }];
    }
    grants::check(grant)
        .into_iter()
        .map(|error| FieldError {
            field: error.field.trim_start_matches("grant.").to_owned(),
            message: error.message,
        })
        .collect()
}

/// Refuses a role that holds more than its giver does: an API token may hold less than its user.
fn within_own(identity: &Identity, grant: &Grant, done: &str) -> ApiResult<()> {
    if grants::holds_all(&identity.caller, grant) {
        return Ok(());
    }
    Err(ApiError::forbidden(format!(
        "a role that holds more than one holds oneself can't be {done}"
    )))
}

/// Refuses what would leave nobody who owns the project and can sign in.
async fn keep_an_owner(transaction: &impl ConnectionTrait, project: &str, gone: BindingId) -> ApiResult<()> {
    let owners = bindings::lock_holders(transaction, Role::ProjectOwner, Some(project)).await?;
    let goes = owners.iter().any(|(binding, _)| *binding == gone);
    if !goes || owners.len() > 1 {
        return Ok(());
    }
    Err(ApiError::conflict(
        "last_project_owner",
        format!("the last owner of {project} can't be taken the role; make another one first"),
    ))
}

fn not_found(project: &str, id: BindingId) -> ApiError {
    ApiError::not_found(format_args!("the member {id} of {project}"))
}
