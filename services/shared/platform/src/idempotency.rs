//! `Idempotency-Key`: a change that is sent twice is done once.
//!
//! The reply is stored in the transaction that makes the change, so that the two can't part: after a
//! crash at any line either both are there, or neither.

use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ActiveValue::Set, DatabaseTransaction};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::crypto::MasterKey;
use crate::error::{ApiError, ApiResult};
use crate::time::now;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    /// `{service}/{actor}/{key}`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: String,
    /// Keyed digest of operation and body, so that a key can't be used for two things, and who reads the
    /// table can't try guesses of a secret in the body.
    pub digest: String,
    pub reply: Json,
    pub created_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// One call's key; without a key nothing is looked up or stored.
#[derive(Clone, Debug)]
pub struct Once {
    key: Option<String>,
    digest: String,
}

impl Once {
    /// `operation` is the API operation and what it is on; `body` what was sent.
    pub fn new(
        master_key: &MasterKey,
        service: &str,
        actor: &str,
        key: Option<&str>,
        operation: &str,
        body: &impl Serialize,
    ) -> Self {
        let body = serde_json::to_vec(body).expect("a body is plain data");
        let digest = master_key.digest(
            "longshore/idempotency",
            &[operation.as_bytes(), b"\0", &body].concat(),
        );
        Self {
            key: key.map(|key| format!("{service}/{actor}/{key}")),
            digest,
        }
    }

    /// The reply of the first call, if this is not it.
    ///
    /// # Errors
    /// 422 `idempotency_key_reused` when the key was used for another call.
    pub async fn replay<T: DeserializeOwned>(
        &self,
        transaction: &DatabaseTransaction,
    ) -> ApiResult<Option<T>> {
        let Some(key) = &self.key else { return Ok(None) };
        let Some(row) = Entity::find_by_id(key.clone()).one(transaction).await? else {
            return Ok(None);
        };
        if row.digest != self.digest {
            return Err(ApiError::new(
                http::StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key was used for another request; use a new one",
            ));
        }
        serde_json::from_value(row.reply)
            .map(Some)
            .map_err(ApiError::internal)
    }

    /// Keeps the reply for a second call.
    ///
    /// # Errors
    /// 409 `request_in_flight` when the same call is being carried out elsewhere at this moment.
    pub async fn store(&self, transaction: &DatabaseTransaction, reply: &impl Serialize) -> ApiResult<()> {
        let Some(key) = &self.key else { return Ok(()) };
        let row = ActiveModel {
            key: Set(key.clone()),
            digest: Set(self.digest.clone()),
            reply: Set(serde_json::to_value(reply).map_err(ApiError::internal)?),
            created_at: Set(now()),
        };
        match Entity::insert(row).exec_without_returning(transaction).await {
            Ok(_) => Ok(()),
            Err(error) if crate::database::is_unique_violation(&error) => Err(ApiError::conflict(
                "request_in_flight",
                "the same request is being carried out; ask again in a moment",
            )),
            Err(error) => Err(error.into()),
        }
    }
}

/// Forgets keys older than a day; nobody repeats a call after that.
pub async fn forget_old(database: &DatabaseConnection) -> Result<u64, DbErr> {
    let outcome = Entity::delete_many()
        .filter(Column::CreatedAt.lt(now() - chrono::Duration::days(1)))
        .exec(database)
        .await?;
    Ok(outcome.rows_affected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_the_digest_but_not_the_key_can_try_no_guess() {
        let digest =
            |key: &MasterKey, operation, body| Once::new(key, "s", "a", Some("k"), operation, &body).digest;
        let key = MasterKey::generate();
        let own = digest(&key, "create_user", "a password");
        assert_eq!(own, digest(&key, "create_user", "a password"));
        assert_ne!(own, digest(&key, "create_user", "another"));
        assert_ne!(own, digest(&key, "create_users", "a password"));
        assert_ne!(own, digest(&MasterKey::generate(), "create_user", "a password"));
    }
}
