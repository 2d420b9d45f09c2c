//! The second witness of a cluster, its flaps, and what became of it over time.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    boolean, integer, string, text, text_null, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_cluster_health"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in [
            integer("flaps").default(0).take(),
            boolean("probe_silent").default(false).take(),
        ] {
            // SQLite adds one column at a time.
            manager
                .alter_table(Table::alter().table("clusters").add_column(column).to_owned())
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("cluster_agents")
                    .col(uuid("cluster_id").primary_key())
                    .col(string("token_digest"))
                    .col(string("issued_by"))
                    .col(timestamp_with_time_zone("issued_at"))
                    .col(timestamp_with_time_zone_null("heard_at"))
                    .col(timestamp_with_time_zone_null("renewed_at"))
                    .col(text_null("error"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("cluster_states")
                    .col(uuid("id").primary_key())
                    .col(uuid("cluster_id"))
                    .col(string("state"))
                    .col(text("reason"))
                    .col(timestamp_with_time_zone("at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("cluster_states_cluster")
                    .table("cluster_states")
                    .col("cluster_id")
                    .col("id")
                    .to_owned(),
            )
            .await
    }
}
