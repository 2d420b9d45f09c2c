//! Connections: sealed kubeconfigs by cluster.

use api_types::clusters::ConnectionCheck;
use api_types::common::ClusterId;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ConnectionTrait, DatabaseConnection, QuerySelect as _};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "connections")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub name: String,
    pub server: String,
    /// UID of `kube-system`, so that no cluster is here twice.
    #[sea_orm(unique)]
    pub cluster_uid: String,
    /// Sealed under `connection/{id}`.
    pub kubeconfig: Vec<u8>,
    pub check: Json,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// A stored connection.
#[derive(Clone, Debug)]
pub struct Stored {
    pub id: ClusterId,
    pub name: String,
    /// Still sealed.
    pub kubeconfig: Vec<u8>,
    pub check: ConnectionCheck,
    pub updated_at: DateTime<Utc>,
}

impl TryFrom<Model> for Stored {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        Ok(Self {
            id: row.id.into(),
            name: row.name,
            kubeconfig: row.kubeconfig,
            check: serde_json::from_value(row.check).map_err(|error| DbErr::Json(error.to_string()))?,
            updated_at: row.updated_at,
        })
    }
}

/// The context that a kubeconfig is sealed under.
#[must_use]
pub fn seal_context(id: ClusterId) -> String {
    format!("connection/{id}")
}

/// Every connection's id and when it last changed.
pub async fn versions(database: &DatabaseConnection) -> Result<Vec<(ClusterId, DateTime<Utc>)>, DbErr> {
    let rows: Vec<(Uuid, DateTime<Utc>)> = Entity::find()
        .select_only()
        .columns([Column::Id, Column::UpdatedAt])
        .into_tuple()
        .all(database)
        .await?;
    Ok(rows.into_iter().map(|(id, at)| (id.into(), at)).collect())
}

pub async fn find(database: &DatabaseConnection, id: ClusterId) -> Result<Option<Stored>, DbErr> {
    Entity::find_by_id(id.0)
        .one(database)
        .await?
        .map(Stored::try_from)
        .transpose()
}

/// The connection that reaches the cluster with this UID.
pub async fn find_by_uid(database: &DatabaseConnection, uid: &str) -> Result<Option<Stored>, DbErr> {
    Entity::find()
        .filter(Column::ClusterUid.eq(uid))
        .one(database)
        .await?
        .map(Stored::try_from)
        .transpose()
}

/// Stores a connection, new or in the place of the one before.
pub async fn put(database: &impl ConnectionTrait, stored: &Stored) -> Result<(), DbErr> {
    let row = ActiveModel {
        id: Set(stored.id.0),
        name: Set(stored.name.clone()),
        server: Set(stored.check.server.clone()),
        cluster_uid: Set(stored.check.cluster_uid.clone()),
        kubeconfig: Set(stored.kubeconfig.clone()),
        check: Set(serde_json::to_value(&stored.check).map_err(|error| DbErr::Json(error.to_string()))?),
        created_at: Set(stored.updated_at),
        updated_at: Set(stored.updated_at),
    };
    let replace = OnConflict::column(Column::Id)
        .update_columns([
            Column::Name,
            Column::Server,
            Column::ClusterUid,
            Column::Kubeconfig,
            Column::Check,
            Column::UpdatedAt,
        ])
        .to_owned();
    Entity::insert(row)
        .on_conflict(replace)
        .exec_without_returning(database)
        .await
        .map(drop)
}

pub async fn delete(database: &impl ConnectionTrait, id: ClusterId) -> Result<(), DbErr> {
    Entity::delete_by_id(id.0).exec(database).await.map(drop)
}
