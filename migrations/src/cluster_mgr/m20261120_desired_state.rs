//! Services, their revisions, where their replicas go, and what was seen of them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, integer, json, small_integer, string, string_null, text, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261120_cluster_mgr_desired_state"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(services()).await?;
        for (name, column) in [
            ("services_updated_at", "updated_at"),
            ("services_state_rank", "state_rank"),
            ("services_name", "name"),
        ] {
            manager
                .create_index(
                    Index::create()
                        .name(name)
                        .table("services")
                        .col(column)
                        .col("id")
                        .to_owned(),
                )
                .await?;
        }
        manager
            .create_index(
                Index::create()
                    .name("services_place")
                    .table("services")
                    .col("project")
                    .col("environment")
                    .col("name")
                    .unique()
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("revisions")
                    .col(uuid("service_id"))
                    .col(big_integer("number"))
                    .col(json("spec"))
                    .col(text("image"))
                    .col(text("comment"))
                    .col(json("changed"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(string("created_by"))
                    .primary_key(Index::create().col("service_id").col("number"))
                    .to_owned(),
            )
            .await?;
        manager.create_table(assignments()).await?;
        manager
            .create_index(
                Index::create()
                    .name("assignments_cluster")
                    .table("assignments")
                    .col("cluster_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("observations")
                    .col(uuid("service_id"))
                    .col(uuid("cluster_id"))
                    .col(boolean("present"))
                    .col(integer("replicas"))
                    .col(json("observation"))
                    .col(timestamp_with_time_zone("changed_at"))
                    .primary_key(Index::create().col("service_id").col("cluster_id"))
                    .to_owned(),
            )
            .await
    }
}

fn services() -> TableCreateStatement {
    Table::create()
        .table("services")
        .col(uuid("id").primary_key())
        .col(string("project"))
        .col(string("environment"))
        .col(string("name"))
        .col(string("kind"))
        .col(text("description"))
        .col(integer("replicas"))
        .col(json("placement"))
        .col(big_integer("revision"))
        .col(big_integer("latest_revision"))
        .col(text("image"))
        .col(big_integer("cpu_millicores"))
        .col(big_integer("memory_bytes"))
        .col(timestamp_with_time_zone_null("restarted_at"))
        .col(boolean("deleting"))
        .col(boolean("place_afresh"))
        .col(integer("unplaced"))
        .col(uuid_null("operation_id"))
        .col(big_integer("version"))
        .col(timestamp_with_time_zone("created_at"))
        .col(timestamp_with_time_zone("updated_at"))
        .col(string("updated_by"))
        .col(string("state"))
        .col(small_integer("state_rank"))
        .col(text("message"))
        .col(integer("ready"))
        .col(integer("updated"))
        .col(integer("unknown"))
        .col(timestamp_with_time_zone("since"))
        .to_owned()
}

fn assignments() -> TableCreateStatement {
    Table::create()
        .table("assignments")
        .col(uuid("service_id"))
        .col(uuid("cluster_id"))
        .col(integer("replicas"))
        .col(json("reason"))
        .col(timestamp_with_time_zone("decided_at"))
        .col(big_integer("epoch"))
        .col(integer("hold"))
        .col(timestamp_with_time_zone_null("removed_at"))
        .col(string_null("applied_hash"))
        .col(timestamp_with_time_zone_null("applied_at"))
        .col(string_null("failed_hash"))
        .col(string_null("error_code"))
        .col(text_null("error"))
        .col(boolean("refused"))
        .col(integer("attempts"))
        .col(timestamp_with_time_zone_null("retry_at"))
        .col(timestamp_with_time_zone_null("drift_at"))
        .col(text_null("drift"))
        .primary_key(Index::create().col("service_id").col("cluster_id"))
        .to_owned()
}
