//! Giving roles to users, and taking them away.

use api_types::access::{Binding, Grant, NewBinding};
use api_types::common::{BindingId, FieldError, Page};
use clients::ClusterMgrClient;
use platform::database::{begin, is_unique_violation};
use platform::idempotency::Once;
use platform::{ApiError, ApiResult, page};
use uuid::Uuid;

use super::routes::Target;
use super::sign_in::normal;
use super::users::keep_an_admin;
use super::{grants, identity::Identity};
use crate::db::bindings::Filter;
use crate::db::{bindings, users};
use crate::state::AppState;

pub async fn list(
    state: &AppState,
    filter: Filter,
    limit: Option<u32>,
    cursor: Option<&str>,
) -> ApiResult<Page<Binding>> {
    let limit = page::limit(limit);
    let after = page::decode_cursor::<Uuid>(cursor)?;
    let filter = Filter {
        user: filter.user.as_deref().map(normal),
        ..filter
    };
    let (items, total) = bindings::list(&state.foundation.database, &filter, after, limit as u64 + 1).await?;
    Ok(page::of(items, limit, total, |binding| {
        page::encode_cursor(&binding.id)
    }))
}

pub async fn get(state: &AppState, id: BindingId) -> ApiResult<Binding> {
    bindings::find_shown(&state.foundation.database, id)
        .await?
        .ok_or_else(|| ApiError::not_found(format_args!("the binding {id}")))
}

/// Gives a user a role.
///
/// # Errors
/// 422 for a user or a place that doesn't exist, or a scope that means nothing; 409 `binding_exists`; 503
/// `service_unavailable` while cluster-mgr can't say whether the place exists.
pub async fn create(
    state: &AppState,
    identity: &Identity,
    key: Option<&str>,
    new: &NewBinding,
) -> ApiResult<Binding> {
    let fields = refused(state, &new.grant).await?;
    if !fields.is_empty() {
        return Err(ApiError::fields(fields));
    }
    give(state, identity, key, "create_binding", new).await
}

/// Why a grant can't be given. A place that doesn't exist is refused: what is made there later is somebody else's.
pub async fn refused(state: &AppState, grant: &Grant) -> ApiResult<Vec<FieldError>> {
    let fields = grants::check(grant);
    let Some(project) = grant.project.as_deref().filter(|_| fields.is_empty()) else {
        return Ok(fields);
    };
    let cluster_mgr = ClusterMgrClient::new(state.endpoint(Target::ClusterMgr));
    let (field, message) = if !cluster_mgr.exists(project, None).await? {
        ("grant.project", format!("there is no project {project}"))
    } else if let Some(environment) = grant.environment.as_deref()
        && !cluster_mgr.exists(project, Some(environment)).await?
    {
        let message = format!("there is no environment {environment} in project {project}");
        ("grant.environment", message)
    } else {
        return Ok(fields);
    };
    Ok(vec![FieldError {
        field: field.to_owned(),
        message,
    }])
}

/// Gives a role that may be given; `operation` is the one that was called.
pub async fn give(
    state: &AppState,
    identity: &Identity,
    key: Option<&str>,
    operation: &str,
    new: &NewBinding,
) -> ApiResult<Binding> {
    let once = Once::new(
        &state.foundation.master_key,
        "portal",
        &identity.caller.subject,
        key,
        operation,
        new,
    );
    let transaction = begin(&state.foundation.database).await?;
    if let Some(binding) = once.replay::<Binding>(&transaction).await? {
        return Ok(binding);
    }
    let Some(user) = users::find_by_name(&transaction, &normal(&new.user)).await? else {
        return Err(ApiError::fields(vec![FieldError {
            field: "user".to_owned(),
            message: format!("there is no user {}", new.user),
        }]));
    };
    let binding = Binding {
        id: BindingId::new(),
        user: user.name,
        grant: new.grant.clone(),
        created_at: state.foundation.clock.now(),
        created_by: identity.user.name.clone(),
    };
    bindings::insert(
        &transaction,
        binding.id,
        user.id.into(),
        &binding.grant,
        binding.created_at,
        &binding.created_by,
    )
    .await
    .map_err(|error| {
        if is_unique_violation(&error) {
            ApiError::conflict(
                "binding_exists",
                format!("{} has this role there already", binding.user),
            )
        } else {
            error.into()
        }
    })?;
    once.store(&transaction, &binding).await?;
    transaction.commit().await?;
    state.identities.forget();
    Ok(binding)
}

/// Takes a role away.
pub async fn delete(state: &AppState, id: BindingId) -> ApiResult<()> {
    let transaction = begin(&state.foundation.database).await?;
    if bindings::find(&transaction, id).await?.is_none() {
        return Err(ApiError::not_found(format_args!("the binding {id}")));
    }
    keep_an_admin(&transaction, "taken the role", |binding, _| binding != id).await?;
    bindings::delete(&transaction, id).await?;
    transaction.commit().await?;
    state.identities.forget();
    Ok(())
}
