//! What evacuations moved off clusters, and moving it back.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer, integer_null, json_null, timestamp_with_time_zone, uuid};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_failback"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [("clusters", "failback"), ("services", "returning")] {
            manager
                .alter_table(
                    Table::alter()
                        .table(table)
                        .add_column(json_null(column))
                        .to_owned(),
                )
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("departures")
                    .col(uuid("cluster_id"))
                    .col(uuid("service_id"))
                    .col(integer("replicas"))
                    .col(integer_null("returns_to"))
                    .col(timestamp_with_time_zone("at"))
                    .primary_key(Index::create().col("cluster_id").col("service_id"))
                    .to_owned(),
            )
            .await
    }
}
