//! Who may do what: users, roles, sessions, API tokens.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::common::{BindingId, LockId, SessionId, TokenId, UserId};

/// Roles, from all to little.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    PlatformAdmin,
    Operator,
    ProjectOwner,
    Developer,
    Viewer,
}

/// A role and where it holds: everywhere, in a project, or in one environment of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    pub role: Role,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct User {
    pub id: UserId,
    /// What they sign in with.
    pub name: String,
    pub display_name: String,
    pub email: String,
    pub disabled: bool,
    /// True: somebody else knows the password, so nothing can be done before it is changed.
    pub must_change_password: bool,
    pub created_at: DateTime<Utc>,
    pub last_sign_in_at: Option<DateTime<Utc>>,
}

/// Filters of the list of users.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct UserFilter {
    /// Only those who are, or are not, disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// Only those who hold this role somewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
}

/// What a role may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RoleDescription {
    pub role: Role,
    /// False: it holds everywhere or not at all.
    pub within_project: bool,
    pub permissions: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    pub name: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub email: String,
    /// At least 10 characters.
    #[schema(format = Password)]
    pub password: String,
    /// Whether the password must be changed at the first sign-in.
    #[serde(default)]
    pub must_change_password: bool,
}

/// A change; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UserPatch {
    pub display_name: Option<String>,
    pub email: Option<String>,
    pub disabled: Option<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// One's own, when changing one's own.
    #[serde(default)]
    #[schema(format = Password)]
    pub current_password: Option<String>,
    #[schema(format = Password)]
    pub password: String,
    /// Of another's password: whether they must change it at their next sign-in.
    #[serde(default)]
    pub must_change_password: bool,
}

/// A role given to a user.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Binding {
    pub id: BindingId,
    /// The user's name.
    pub user: String,
    pub grant: Grant,
    pub created_at: DateTime<Utc>,
    pub created_by: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBinding {
    pub user: String,
    pub grant: Grant,
}

/// A role in the project of the path, or in one environment of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// The user's name.
    pub user: String,
    pub role: Role,
    #[serde(default)]
    pub environment: Option<String>,
}

/// A role in the environment of the path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewEnvironmentMember {
    /// The user's name.
    pub user: String,
    pub role: Role,
}

/// Somebody who can be given a role: no more than it takes to tell people apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct MemberCandidate {
    pub name: String,
    pub display_name: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    pub username: String,
    #[schema(format = Password)]
    pub password: String,
}

/// Who is signed in, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    pub user: User,
    pub grants: Vec<Grant>,
    /// Every permission held in at least one place.
    pub permissions: Vec<String>,
    /// Goes into the header `x-csrf-token` of every change made with the session's cookie. Absent for
    /// API tokens, which need none.
    pub csrf_token: Option<String>,
    pub expires_at: DateTime<Utc>,
    /// Whether the clusters are simulated, so that load can be put on services.
    #[serde(default)]
    pub simulated: bool,
    /// Place in the stream of changes at the time of this answer: who follows from it misses no change of what is read
    /// later.
    #[serde(default)]
    #[schema(required)]
    pub changes_cursor: String,
}

/// A session of a browser that is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionSummary {
    pub id: SessionId,
    /// The user's name.
    pub user: String,
    /// Whether this call was made with it.
    pub current: bool,
    pub created_at: DateTime<Utc>,
    /// When it was last known to be in use, to a few minutes.
    pub seen_at: DateTime<Utc>,
    pub expires_at: DateTime<Utc>,
    /// Where the sign-in came from.
    pub remote_address: String,
    /// What the browser said of itself.
    pub user_agent: String,
}

/// Failed sign-ins that closed the door for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SignInLock {
    pub id: LockId,
    /// The name that was tried; absent where it is the address that is closed, for any name.
    pub name: Option<String>,
    /// An address, or the first half of an IPv6 one.
    pub address: String,
    pub failures: u32,
    pub last_at: DateTime<Utc>,
    pub closed_until: DateTime<Utc>,
}

/// An API token, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiToken {
    pub id: TokenId,
    pub name: String,
    pub user: String,
    /// What it may do at most; all that its user may when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    pub created_at: DateTime<Utc>,
    pub expires_at: Option<DateTime<Utc>>,
    pub last_used_at: Option<DateTime<Utc>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApiToken {
    pub name: String,
    /// A role and where it holds, at most what one may oneself; all of that when absent.
    #[serde(default)]
    pub grant: Option<Grant>,
    /// Days until it expires; never when absent.
    #[serde(default)]
    pub expires_in_days: Option<u32>,
}

/// A new API token; its secret is shown this once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiTokenCreated {
    pub token: ApiToken,
    #[schema(format = Password)]
    pub secret: String,
}
