//! Ids, pages and the error envelope: the shapes every service shares.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Declares a UUIDv7 newtype.
macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A new id; later ids sort after earlier ones.
            #[must_use]
            #[expect(clippy::new_without_default, reason = "an id is made on purpose, never by default")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(formatter)
            }
        }

        impl std::str::FromStr for $name {
            type Err = uuid::Error;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }

        impl From<Uuid> for $name {
            fn from(id: Uuid) -> Self {
                Self(id)
            }
        }
    };
}

id!(
    /// A cluster.
    ClusterId
);
id!(
    /// A project.
    ProjectId
);
id!(
    /// An environment of a project.
    EnvironmentId
);
id!(
    /// A service.
    ServiceId
);
id!(
    /// An operation.
    OperationId
);
id!(
    /// A user.
    UserId
);
id!(
    /// A role given to a user.
    BindingId
);
id!(
    /// An API token.
    TokenId
);
id!(
    /// A session of a browser; not the secret that is in its cookie.
    SessionId
);
id!(
    /// A count of failed sign-ins.
    LockId
);
id!(
    /// An audit record.
    AuditId
);

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    pub items: Vec<T>,
    /// Give it back as `cursor` for the next page; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
    /// About how many items the whole list has; exact where that costs nothing.
    pub total_estimate: u64,
    /// The clusters whose part is missing or old.
    #[serde(default)]
    pub gaps: Vec<Gap>,
}

impl<T> Page<T> {
    /// The same page of other items.
    pub fn map<U>(self, change: impl FnMut(T) -> U) -> Page<U> {
        Page {
            items: self.items.into_iter().map(change).collect(),
            next_cursor: self.next_cursor,
            total_estimate: self.total_estimate,
            gaps: self.gaps,
        }
    }

    /// A whole list in one page.
    pub fn whole(items: Vec<T>) -> Self {
        let total_estimate = items.len() as u64;
        Self {
            items,
            next_cursor: None,
            total_estimate,
            gaps: Vec::new(),
        }
    }
}

/// A cluster that did not answer: its part of a list is as old as `observed_at`, or missing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Gap {
    pub cluster: String,
    /// Why, in words for a person.
    pub reason: String,
    /// When its part was last known to be true; absent when it never was.
    pub observed_at: Option<DateTime<Utc>>,
}

/// What every list takes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(default)]
pub struct ListQuery {
    /// Items a page, 1 to 500; 50 when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[param(minimum = 1, maximum = 500)]
    pub limit: Option<u32>,
    /// Where to go on: `next_cursor` of the page before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// A field to sort by, `-` before it for descending.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// Text to look for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub q: Option<String>,
}

/// What every refusal looks like.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ErrorBody {
    /// Stable, for programs: `cluster_unreachable`.
    pub code: String,
    /// What was tried, on what, why it failed and what to do.
    pub message: String,
    /// Finds the log lines of this request.
    pub request_id: String,
    /// More, by code: `{"fields": [{"field", "message"}]}` for `invalid_spec`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub details: serde_json::Value,
}

/// One field of a body that can't be taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldError {
    /// Where, as in `env[2].name`.
    pub field: String,
    /// Why not, in words for a person.
    pub message: String,
}
