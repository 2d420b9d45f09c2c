//! What was left on each cluster at the last apply of each service.

use std::collections::BTreeMap;

use api_types::common::ClusterId;
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::{ConnectionTrait, DatabaseConnection, QuerySelect as _};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::fields::{Fields, FieldsDigest};
use crate::app::names::ServiceKey;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "applied_workloads")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub cluster_id: Uuid,
    #[sea_orm(primary_key, auto_increment = false)]
    pub project: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub environment: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub service: String,
    pub spec_hash: String,
    /// Our fields of each object: `{"Deployment/web": {"spec.replicas": "digest"}}`.
    pub objects: Json,
    /// The digest of each object's fields, apart from them since every start reads all of them; absent in rows of before
    /// there were any.
    pub digests: Option<Json>,
    pub applied_at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What an apply left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    pub key: ServiceKey,
    pub spec_hash: String,
    /// By `Deployment/web`.
    pub objects: BTreeMap<String, Fields>,
}

/// By `Deployment/web`.
pub type Digests = BTreeMap<String, FieldsDigest>;

impl Applied {
    #[must_use]
    pub fn digests(&self) -> Digests {
        let digest = |(name, fields): (&String, &Fields)| (name.clone(), FieldsDigest::of(fields));
        self.objects.iter().map(digest).collect()
    }
}

/// What is kept in memory of what an apply left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    pub key: ServiceKey,
    pub spec_hash: String,
    pub digests: Digests,
}

impl TryFrom<Model> for Applied {
    type Error = DbErr;

    fn try_from(row: Model) -> Result<Self, DbErr> {
        Ok(Self {
            key: ServiceKey {
                project: row.project,
                environment: row.environment,
                service: row.service,
            },
            spec_hash: row.spec_hash,
            objects: read(row.objects)?,
        })
    }
}

/// Everything that was left on a cluster.
pub async fn list(database: &DatabaseConnection, cluster: ClusterId) -> Result<Vec<Left>, DbErr> {
    let there = Entity::find().filter(Column::ClusterId.eq(cluster.0));
    let digested: Vec<(String, String, String, String, Json)> = there
        .clone()
        .filter(Column::Digests.is_not_null())
        .select_only()
        .columns([
            Column::Project,
            Column::Environment,
            Column::Service,
            Column::SpecHash,
            Column::Digests,
        ])
        .into_tuple()
        .all(database)
        .await?;
    let mut all = Vec::with_capacity(digested.len());
    for (project, environment, service, spec_hash, digests) in digested {
        all.push(Left {
            key: ServiceKey {
                project,
                environment,
                service,
            },
            spec_hash,
            digests: read(digests)?,
        });
    }
    for row in there.filter(Column::Digests.is_null()).all(database).await? {
        let applied = Applied::try_from(row)?;
        all.push(Left {
            digests: applied.digests(),
            key: applied.key,
            spec_hash: applied.spec_hash,
        });
    }
    Ok(all)
}

pub async fn find(
    database: &DatabaseConnection,
    cluster: ClusterId,
    key: &ServiceKey,
) -> Result<Option<Applied>, DbErr> {
    Entity::find_by_id(identity(cluster, key))
        .one(database)
        .await?
        .map(Applied::try_from)
        .transpose()
}

pub async fn put(
    database: &DatabaseConnection,
    cluster: ClusterId,
    applied: &Applied,
    at: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = Model {
        cluster_id: cluster.0,
        project: applied.key.project.clone(),
        environment: applied.key.environment.clone(),
        service: applied.key.service.clone(),
        spec_hash: applied.spec_hash.clone(),
        objects: written(&applied.objects)?,
        digests: Some(written(&applied.digests())?),
        applied_at: at,
    };
    platform::database::put::<Entity>(database, &[row]).await
}

pub async fn delete(
    database: &DatabaseConnection,
    cluster: ClusterId,
    key: &ServiceKey,
) -> Result<(), DbErr> {
    Entity::delete_by_id(identity(cluster, key))
        .exec(database)
        .await
        .map(drop)
}

/// Forgets everything about a cluster.
pub async fn delete_all(database: &impl ConnectionTrait, cluster: ClusterId) -> Result<(), DbErr> {
    Entity::delete_many()
        .filter(Column::ClusterId.eq(cluster.0))
        .exec(database)
        .await
        .map(drop)
}

fn read<T: DeserializeOwned>(json: Json) -> Result<T, DbErr> {
    serde_json::from_value(json).map_err(|error| DbErr::Json(error.to_string()))
}

fn written(value: &impl Serialize) -> Result<Json, DbErr> {
    serde_json::to_value(value).map_err(|error| DbErr::Json(error.to_string()))
}

fn identity(cluster: ClusterId, key: &ServiceKey) -> (Uuid, String, String, String) {
    (
        cluster.0,
        key.project.clone(),
        key.environment.clone(),
        key.service.clone(),
    )
}

#[cfg(test)]
mod tests {
    use sea_orm::sea_query::Expr;
    use test_support::{Backend, TestDatabase};

    use super::*;

    #[tokio::test]
    async fn rows_of_before_the_digests_are_read_by_their_fields() {
        for backend in Backend::all() {
            let test = TestDatabase::new(backend).await;
            let database = test.connection.clone();
            let cluster = ClusterId::new();
            let mut put_in = Vec::new();
            for service in ["old", "web"] {
                let fields = Fields::from([(".spec.replicas".to_owned(), service.to_owned())]);
                let applied = Applied {
                    key: ServiceKey::new("shop", "test", service),
                    spec_hash: "abc".to_owned(),
                    objects: BTreeMap::from([(format!("Deployment/{service}"), fields)]),
                };
                put(&database, cluster, &applied, platform::time::now())
                    .await
                    .unwrap();
                put_in.push(Left {
                    digests: applied.digests(),
                    key: applied.key,
                    spec_hash: applied.spec_hash,
                });
            }
            Entity::update_many()
                .col_expr(Column::Digests, Expr::value(Option::<Json>::None))
                .filter(Column::Service.eq("old"))
                .exec(&database)
                .await
                .unwrap();
            let mut all = list(&database, cluster).await.unwrap();
            all.sort_by(|one, other| one.key.cmp(&other.key));
            assert_eq!(all, put_in);
        }
    }
}
