//! What services were given and used by the hour, what that costs, and what projects may ask for.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, integer, string, timestamp_with_time_zone, uuid,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_usage"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in ["quota_cpu_millicores", "quota_memory_bytes", "quota_pods"] {
            manager
                .alter_table(
                    Table::alter()
                        .table("projects")
                        .add_column(big_integer_null(column))
                        .to_owned(),
                )
                .await?;
        }
        // With names instead of references: what was used outlives the service and the cluster.
        manager
            .create_table(
                Table::create()
                    .table("usage_hours")
                    .col(big_integer("hour"))
                    .col(uuid("service_id"))
                    .col(uuid("cluster_id"))
                    .col(string("project"))
                    .col(string("environment"))
                    .col(string("service"))
                    .col(string("cluster"))
                    .col(big_integer("seconds"))
                    .col(big_integer("gap_seconds"))
                    .col(big_integer("pod_seconds"))
                    .col(big_integer("cpu_requested"))
                    .col(big_integer("memory_requested"))
                    .col(big_integer("measured_seconds"))
                    .col(big_integer("cpu_used"))
                    .col(big_integer("memory_used"))
                    .col(big_integer("counted_until"))
                    .primary_key(Index::create().col("hour").col("service_id").col("cluster_id"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("usage_hours_project")
                    .table("usage_hours")
                    .col("project")
                    .col("hour")
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("metering")
                    .col(uuid("cluster_id").primary_key())
                    .col(big_integer("counted_until"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("prices")
                    .col(integer("id").primary_key())
                    .col(string("currency"))
                    .col(big_integer_null("cpu_core_hour"))
                    .col(big_integer_null("memory_gib_hour"))
                    .col(big_integer("version"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(string("updated_by"))
                    .to_owned(),
            )
            .await
    }
}
