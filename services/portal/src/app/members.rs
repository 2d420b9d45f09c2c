//! Roles within one project or environment, given and taken by its owners: never more than they hold, never elsewhere.

use api_types::access::{Binding, Grant, MemberCandidate, NewBinding, Role};
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

/// Where members are seen to: a project with all of its environments, or one environment alone.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    pub project: &'a str,
    pub environment: Option<&'a str>,
}

impl Place<'_> {
    fn holds(self, grant: &Grant) -> bool {
        grant.project.as_deref() == Some(self.project)
            && (self.environment.is_none() || grant.environment.as_deref() == self.environment)
    }
}

/// 404 for what is no role in this place.
pub async fn get(state: &AppState, place: Place<'_>, id: BindingId) -> ApiResult<Binding> {
    bindings::find_shown(&state.foundation.database, id)
        .await?
        .filter(|binding| place.holds(&binding.grant))
        .ok_or_else(|| not_found(place, id))
}

/// Gives a user a role in a project or an environment; `operation` is the one that was called.
///
/// # Errors
/// 422 names the fields that can't be taken, an environment that doesn't exist among them; 403 for a role of which
/// the caller lacks a part; 409 `binding_exists`.
pub async fn create(
    state: &AppState,
    identity: &Identity,
    key: Option<&str>,
    operation: &str,
    new: &NewBinding,
) -> ApiResult<Binding> {
    let fields = check(state, &new.grant).await?;
    if !fields.is_empty() {
        return Err(ApiError::fields(fields));
    }
    within_own(identity, &new.grant, "given")?;
    roles::give(state, identity, key, operation, new).await
}

/// Takes a role in the place away.
///
/// # Errors
/// 403 for a role of which the caller lacks a part; 409 `last_project_owner`.
pub async fn delete(state: &AppState, identity: &Identity, place: Place<'_>, id: BindingId) -> ApiResult<()> {
    let transaction = begin(&state.foundation.database).await?;
    let grant = bindings::find(&transaction, id)
        .await?
        .and_then(|row| row.grant())
        .filter(|grant| place.holds(grant))
        .ok_or_else(|| not_found(place, id))?;
    within_own(identity, &grant, "taken")?;
    keep_an_owner(&transaction, place.project, id).await?;
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

/// Why a role can't be one in a project, by the fields of [`NewMember`](api_types::access::NewMember).
async fn check(state: &AppState, grant: &Grant) -> ApiResult<Vec<FieldError>> {
    if !within_project(grant.role) {
        return Ok(vec![FieldError {
            field: "role".to_owned(),
            message:
                "holds for the whole platform; in a project there are project_owner, developer and viewer"
                    .to_owned(),
        }]);
    }
    let refused = roles::refused(state, grant).await?;
    Ok(refused
        .into_iter()
        .map(|error| FieldError {
            field: error.field.trim_start_matches("grant.").to_owned(),
            message: error.message,
        })
        .collect())
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

fn not_found(Place { project, environment }: Place<'_>, id: BindingId) -> ApiError {
    let place = [Some(project), environment].into_iter().flatten();
    ApiError::not_found(format_args!(
        "the member {id} of {}",
        place.collect::<Vec<_>>().join("/")
    ))
}
