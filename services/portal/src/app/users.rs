//! Local users: making, changing, removing them.

use std::net::IpAddr;

use api_types::access::{Grant, NewPassword, NewUser, Role, User, UserFilter, UserPatch};
use api_types::common::{BindingId, FieldError, ListQuery, Page, UserId};
use auth::Permission;
use platform::database::{begin, is_unique_violation};
use platform::idempotency::Once;
use platform::{ApiError, ApiResult, page};
use sea_orm::ConnectionTrait;
use uuid::Uuid;

use super::identity::Identity;
use super::limiter;
use super::passwords::check_new;
use super::sign_in::normal;
use crate::db::users::{Model, Order};
use crate::db::{api_tokens, bindings, sessions, users};
use crate::state::AppState;

const LONGEST_NAME: usize = 64;
const LONGEST_TEXT: usize = 200;

pub async fn list(state: &AppState, filter: &UserFilter, query: &ListQuery) -> ApiResult<Page<User>> {
    let limit = page::limit(query.limit);
    let (field, descending) = page::sort(query.sort.as_deref(), &["name", "created_at"], "name")?;
    let order = if field == "created_at" {
        Order::Created
    } else {
        Order::Name
    };
    let after = page::decode_cursor::<(String, Uuid)>(query.cursor.as_deref())?;
    let (rows, total) = users::list(
        &state.foundation.database,
        filter,
        query.q.as_deref(),
        (order, descending),
        after,
        limit as u64 + 1,
    )
    .await?;
    Ok(page::of(rows, limit, total, |row| {
        page::encode_cursor(&(&row.name, row.id))
    })
    .map(Into::into))
}

pub async fn get(state: &AppState, name: &str) -> ApiResult<User> {
    Ok(find(&state.foundation.database, name).await?.into())
}

/// 404 for a user that doesn't exist.
pub async fn find(database: &impl ConnectionTrait, name: &str) -> ApiResult<Model> {
    users::find_by_name(database, &normal(name))
        .await?
        .ok_or_else(|| ApiError::not_found(format_args!("the user {name}")))
}

/// Makes a user without any role.
///
/// # Errors
/// 422 names the fields that can't be taken; 409 `user_exists`.
pub async fn create(state: &AppState, actor: &str, key: Option<&str>, new: &NewUser) -> ApiResult<User> {
    let name = normal(&new.name);
    let mut fields = check_texts(&new.display_name, &new.email);
    fields.extend(check_name(&name));
    fields.extend(check_new(&new.password, &name));
    if !fields.is_empty() {
        return Err(ApiError::fields(fields));
    }
    let once = Once::new(
        &state.foundation.master_key,
        "portal",
        actor,
        key,
        "create_user",
        new,
    );
    let password_hash = state.passwords.hash(&new.password).await?;
    let transaction = begin(&state.foundation.database).await?;
    if let Some(user) = once.replay::<User>(&transaction).await? {
        return Ok(user);
    }
    let row = Model {
        id: UserId::new().0,
        name,
        display_name: new.display_name.trim().to_owned(),
        email: new.email.trim().to_owned(),
        password_hash,
        disabled: false,
        must_change_password: new.must_change_password,
        created_at: state.foundation.clock.now(),
        last_sign_in_at: None,
    };
    users::insert(&transaction, row.clone()).await.map_err(|error| {
        if is_unique_violation(&error) {
            ApiError::conflict("user_exists", format!("there is a user {} already", row.name))
        } else {
            error.into()
        }
    })?;
    let user = User::from(row);
    once.store(&transaction, &user).await?;
    transaction.commit().await?;
    Ok(user)
}

/// Changes a user; disabling ends their sessions.
pub async fn update(state: &AppState, name: &str, patch: &UserPatch) -> ApiResult<User> {
    let fields = check_texts(
        patch.display_name.as_deref().unwrap_or_default(),
        patch.email.as_deref().unwrap_or_default(),
    );
    if !fields.is_empty() {
        return Err(ApiError::fields(fields));
    }
    let transaction = begin(&state.foundation.database).await?;
    let mut row = find(&transaction, name).await?;
    if patch.disabled == Some(true) && !row.disabled {
        keep_an_admin(&transaction, "disabled", |_, user| user.0 != row.id).await?;
        sessions::delete_of(&transaction, row.id.into(), None).await?;
    }
    if let Some(text) = &patch.display_name {
        text.trim().clone_into(&mut row.display_name);
    }
    if let Some(text) = &patch.email {
        text.trim().clone_into(&mut row.email);
    }
    row.disabled = patch.disabled.unwrap_or(row.disabled);
    users::update(&transaction, &row).await?;
    transaction.commit().await?;
    state.identities.forget();
    Ok(row.into())
}

/// Removes a user with their roles, sessions and tokens.
pub async fn delete(state: &AppState, name: &str) -> ApiResult<()> {
    let transaction = begin(&state.foundation.database).await?;
    let row = find(&transaction, name).await?;
    keep_an_admin(&transaction, "removed", |_, user| user.0 != row.id).await?;
    users::delete(&transaction, row.id.into()).await?;
    transaction.commit().await?;
    state.identities.forget();
    Ok(())
}

/// Sets a password: one's own with the current one, another's with `user:write`. Ends the user's other
/// sessions; another's password also ends their API tokens, since whoever knew it may have made some.
///
/// # Errors
/// 403 `wrong_password` when the current one doesn't fit.
pub async fn set_password(
    state: &AppState,
    identity: &Identity,
    address: IpAddr,
    name: &str,
    new: &NewPassword,
) -> ApiResult<()> {
    let own = normal(name) == identity.user.name;
    let may_change = identity.caller.may(Permission::UserWrite, None, None);
    if !own && !may_change {
        // Whether the user exists is not for everybody to know.
        return Err(ApiError::forbidden(
            "changing another's password needs the permission user:write",
        ));
    }
    let database = &state.foundation.database;
    let row = find(database, name).await?;
    if own {
        let current = new.current_password.as_deref();
        check_current(state, identity, address, current, &row.password_hash).await?;
    }
    if let Some(field) = check_new(&new.password, &row.name) {
        return Err(ApiError::fields(vec![field]));
    }
    if own && new.current_password.as_deref() == Some(new.password.as_str()) {
        return Err(ApiError::fields(vec![FieldError {
            field: "password".to_owned(),
            message: "must be another one than before".to_owned(),
        }]));
    }
    let hash = state.passwords.hash(&new.password).await?;
    let transaction = begin(database).await?;
    let must_change = !own && new.must_change_password;
    users::set_password(&transaction, row.id.into(), &hash, must_change).await?;
    let spared = own.then_some(identity.digest.as_str());
    sessions::delete_of(&transaction, row.id.into(), spared).await?;
    if !own {
        api_tokens::delete_of(&transaction, row.id.into()).await?;
    }
    transaction.commit().await?;
    state.identities.forget();
    Ok(())
}

/// Guesses count like failed sign-ins: a stolen session must not find the password out.
async fn check_current(
    state: &AppState,
    identity: &Identity,
    address: IpAddr,
    current: Option<&str>,
    hash: &str,
) -> ApiResult<()> {
    let Some(current) = current else {
        return Err(ApiError::fields(vec![FieldError {
            field: "current_password".to_owned(),
            message: "is needed to change one's own password".to_owned(),
        }]));
    };
    let name = &identity.user.name;
    limiter::attempt(state, name, address).await?;
    if !state.passwords.fits(current, Some(hash)).await? {
        return Err(ApiError::new(
            http::StatusCode::FORBIDDEN,
            "wrong_password",
            "the current password is wrong",
        ));
    }
    limiter::succeeded(state, name, address).await
}

/// Refuses what would leave nobody who may do everything. `stays` tells which of the present
/// administrators' bindings would remain.
pub async fn keep_an_admin(
    transaction: &impl ConnectionTrait,
    done: &str,
    stays: impl Fn(BindingId, UserId) -> bool,
) -> ApiResult<()> {
    let admins = bindings::lock_holders(transaction, Role::PlatformAdmin, None).await?;
    if admins.is_empty() || admins.iter().any(|(binding, user)| stays(*binding, *user)) {
        return Ok(());
    }
    Err(ApiError::conflict(
        "last_platform_admin",
        format!("the last platform admin can't be {done}; make another one first"),
    ))
}

/// Makes the first user, who may do everything, when there is none; a password is made up when none is
/// given. Returns the password of the user that was made: nothing when there was one, or another
/// replica was faster.
pub async fn bootstrap_admin(state: &AppState, password: Option<String>) -> ApiResult<Option<String>> {
    if users::any(&state.foundation.database).await? {
        return Ok(None);
    }
    let password = password.unwrap_or_else(super::secret::random_password);
    if let Some(field) = check_new(&password, "admin") {
        return Err(ApiError::fields(vec![field]));
    }
    let password_hash = state.passwords.hash(&password).await?;
    let now = state.foundation.clock.now();
    let id = UserId::new();
    let transaction = begin(&state.foundation.database).await?;
    let row = Model {
        id: id.0,
        name: "admin".to_owned(),
        display_name: "Administrator".to_owned(),
        email: String::new(),
        password_hash,
        disabled: false,
        must_change_password: false,
        created_at: now,
        last_sign_in_at: None,
    };
    match users::insert(&transaction, row).await {
        Err(error) if is_unique_violation(&error) => return Ok(None),
        outcome => outcome?,
    }
    let grant = Grant {
        role: Role::PlatformAdmin,
        project: None,
        environment: None,
    };
    bindings::insert(&transaction, BindingId::new(), id, &grant, now, "longshore").await?;
    transaction.commit().await?;
    Ok(Some(password))
}

fn check_name(name: &str) -> Option<FieldError> {
    let taken = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-@".contains(&byte);
    let good = (2..=LONGEST_NAME).contains(&name.len())
        && name.bytes().all(taken)
        && name.starts_with(|first: char| first.is_ascii_alphanumeric());
    (!good).then(|| FieldError {
        field: "name".to_owned(),
        message: format!("must be 2 to {LONGEST_NAME} letters, digits or `.`, `_`, `-`, `@`, beginning with a letter or digit"),
    })
}

fn check_texts(display_name: &str, email: &str) -> Vec<FieldError> {
    let mut fields = Vec::new();
    if display_name.chars().count() > LONGEST_TEXT {
        fields.push(FieldError {
            field: "display_name".to_owned(),
            message: format!("must have at most {LONGEST_TEXT} characters"),
        });
    }
    let email = email.trim();
    let plain = email.split_once('@').is_some_and(|(before, after)| {
        !before.is_empty()
            && !after.is_empty()
            && !after.contains('@')
            && !email.contains(char::is_whitespace)
    });
    if !email.is_empty() && (!plain || email.len() > LONGEST_TEXT) {
        fields.push(FieldError {
            field: "email".to_owned(),
            message: "must look like name@example.org".to_owned(),
        });
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_plain() {
        for good in ["ann", "a.b-c_d", "ann@example.org", "0x"] {
            assert_eq!(check_name(good), None, "{good}");
        }
        for bad in ["", "a", "Ann", "a b", "-ann", "an/n", "änn", &"a".repeat(65)] {
            assert!(check_name(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn addresses_look_like_addresses() {
        for good in ["", "a@b", " ann@example.org "] {
            assert!(check_texts("", good).is_empty(), "{good}");
        }
        for bad in ["ann", "@b", "a@", "a@b@c", "a b@c"] {
            assert_eq!(check_texts("", bad).len(), 1, "{bad}");
        }
        assert_eq!(check_texts(&"x".repeat(201), "").len(), 1);
    }
}
