//! The change stream as a table.

use api_types::changes::{Change, Topic};
use chrono::{DateTime, Utc};
use sea_orm::entity::prelude::*;
use sea_orm::sea_query::ExprTrait as _;
use sea_orm::{ActiveValue::Set, QueryOrder as _, QuerySelect as _};

use crate::db::columns::{read_word, word};
use crate::db::unit::Record;
use crate::db::{CHUNK, Connection};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "changes")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub sequence: i64,
    pub topic: String,
    pub project: Option<String>,
    pub environment: Option<String>,
    pub service: Option<String>,
    pub service_id: Option<Uuid>,
    pub cluster: Option<String>,
    pub object: Option<String>,
    pub intent: bool,
    pub at: DateTime<Utc>,
}

impl ActiveModelBehavior for ActiveModel {}

mod counter {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "change_counter")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i32,
        pub value: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

impl Model {
    /// The change as followers see it.
    pub fn to_change(&self) -> Result<Change, DbErr> {
        Ok(Change {
            cursor: self.sequence.to_string(),
            topic: read_word::<Topic>(&self.topic)?,
            project: self.project.clone(),
            environment: self.environment.clone(),
            service: self.service.clone(),
            cluster: self.cluster.clone(),
            id: self.object.clone(),
            at: self.at,
        })
    }
}

/// Appends records as the last thing of a transaction, and returns the newest sequence.
///
/// The counter's row stays locked until the commit, so sequences become visible in their order.
pub async fn append(
    connection: &impl Connection,
    records: &[Record],
    at: DateTime<Utc>,
) -> Result<i64, DbErr> {
    counter::Entity::update_many()
        .col_expr(
            counter::Column::Value,
            Expr::col(counter::Column::Value).add(records.len() as i64),
        )
        .exec(connection)
        .await?;
    let newest = newest(connection).await?;
    let first = newest - records.len() as i64 + 1;
    let rows: Vec<ActiveModel> = records
        .iter()
        .zip(first..)
        .map(|(record, sequence)| ActiveModel {
            sequence: Set(sequence),
            topic: Set(word(record.topic)),
            project: Set(record.project.clone()),
            environment: Set(record.environment.clone()),
            service: Set(record.service.clone()),
            service_id: Set(record.service_id),
            cluster: Set(record.cluster.clone()),
            object: Set(record.object.clone()),
            intent: Set(record.intent),
            at: Set(at),
        })
        .collect();
    for chunk in rows.chunks(CHUNK) {
        Entity::insert_many(chunk.to_vec())
            .exec_without_returning(connection)
            .await?;
    }
    Ok(newest)
}

/// The newest sequence given out; 0 before the first.
pub async fn newest(connection: &impl Connection) -> Result<i64, DbErr> {
    Ok(counter::Entity::find()
        .one(connection)
        .await?
        .map_or(0, |row| row.value))
}

/// The oldest sequence still kept; none when the table is empty.
pub async fn oldest(connection: &impl Connection) -> Result<Option<i64>, DbErr> {
    Ok(Entity::find()
        .order_by_asc(Column::Sequence)
        .one(connection)
        .await?
        .map(|row| row.sequence))
}

/// What came after a sequence, oldest first.
pub async fn after(connection: &impl Connection, sequence: i64, limit: u64) -> Result<Vec<Model>, DbErr> {
    Entity::find()
        .filter(Column::Sequence.gt(sequence))
        .order_by_asc(Column::Sequence)
        .limit(limit)
        .all(connection)
        .await
}

/// Forgets what is older than `before` and not among the newest `keep`.
pub async fn trim(connection: &impl Connection, before: DateTime<Utc>, keep: i64) -> Result<u64, DbErr> {
    let last = newest(connection).await? - keep;
    let outcome = Entity::delete_many()
        .filter(Column::Sequence.lte(last))
        .filter(Column::At.lt(before))
        .exec(connection)
        .await?;
    Ok(outcome.rows_affected)
}
