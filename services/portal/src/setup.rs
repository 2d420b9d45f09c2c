//! What the program itself does to users, without going through the API.

use api_types::access::{Grant, NewUser, Role, User};
use api_types::common::{BindingId, UserId};
use platform::{ApiError, ApiResult, Foundation};

use crate::app::sign_in::normal;
use crate::app::{passwords, tokens, users as app};
use crate::config::Config;
use crate::db::{api_tokens, bindings, sessions, users};
use crate::state::AppState;

fn state(foundation: &Foundation) -> ApiResult<AppState> {
    AppState::new(foundation.clone(), Config::default())
        .map_err(|error| ApiError::internal(error.into_boxed_dyn_error()))
}

/// Whether there is any user.
pub async fn has_users(foundation: &Foundation) -> ApiResult<bool> {
    Ok(users::any(&foundation.database).await?)
}

/// Whether a password is a user's, without signing in.
pub async fn is_password_of(foundation: &Foundation, name: &str, password: &str) -> ApiResult<bool> {
    let user = users::find_by_name(&foundation.database, &normal(name)).await?;
    let hash = user.as_ref().map(|user| user.password_hash.as_str());
    state(foundation)?.passwords.fits(password, hash).await
}

/// A password for a person to copy.
#[must_use]
pub fn random_password() -> String {
    crate::app::secret::random_password()
}

/// Makes the user `admin`, who may do everything, when there is no user at all. Returns the password of
/// the user that was made.
pub async fn bootstrap_admin(foundation: &Foundation, password: Option<String>) -> ApiResult<Option<String>> {
    app::bootstrap_admin(&state(foundation)?, password).await
}

/// Makes an API token for a user.
pub async fn issue_token(foundation: &Foundation, user: &str, name: &str) -> ApiResult<String> {
    tokens::issue(&state(foundation)?, user, name).await
}

/// Makes a user with a role that holds everywhere. Returns the password when it was made up here.
pub async fn create_user(
    foundation: &Foundation,
    name: &str,
    role: Role,
    password: Option<String>,
) -> ApiResult<(User, Option<String>)> {
    let state = state(foundation)?;
    let generated = password.is_none().then(crate::app::secret::random_password);
    let new = NewUser {
        name: name.to_owned(),
        display_name: String::new(),
        email: String::new(),
        password: password
            .or_else(|| generated.clone())
            .expect("one of the two is there"),
        must_change_password: false,
    };
    let user = app::create(&state, "longshore", None, &new).await?;
    let grant = Grant {
        role,
        project: None,
        environment: None,
    };
    let now = foundation.clock.now();
    bindings::insert(
        &foundation.database,
        BindingId::new(),
        user.id,
        &grant,
        now,
        "longshore",
    )
    .await?;
    Ok((user, generated))
}

/// Sets a user's password, enables the user and ends all their sessions and API tokens. Returns the
/// password when it was made up here.
pub async fn reset_password(
    foundation: &Foundation,
    name: &str,
    password: Option<String>,
) -> ApiResult<Option<String>> {
    let state = state(foundation)?;
    let name = normal(name);
    let generated = password.is_none().then(crate::app::secret::random_password);
    let password = password
        .or_else(|| generated.clone())
        .expect("one of the two is there");
    if let Some(field) = passwords::check_new(&password, &name) {
        return Err(ApiError::fields(vec![field]));
    }
    let hash = state.passwords.hash(&password).await?;
    let transaction = platform::database::begin(&foundation.database).await?;
    let mut row = users::find_by_name(&transaction, &name)
        .await?
        .ok_or_else(|| ApiError::not_found(format_args!("the user {name}")))?;
    let id = UserId::from(row.id);
    row.disabled = false;
    users::update(&transaction, &row).await?;
    users::set_password(&transaction, id, &hash, false).await?;
    sessions::delete_of(&transaction, id, None).await?;
    api_tokens::delete_of(&transaction, id).await?;
    transaction.commit().await?;
    Ok(generated)
}
