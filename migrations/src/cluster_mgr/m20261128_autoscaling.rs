//! Policies of autoscaling, and what was decided by them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, integer, json, small_integer, string, timestamp_with_time_zone, uuid,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_autoscaling"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("autoscaling_policies")
                    .col(uuid("service_id").primary_key())
                    .col(json("policy"))
                    .col(integer("start_replicas"))
                    .col(big_integer("version"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(string("updated_by"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("autoscaling_decisions")
                    .col(uuid("service_id"))
                    .col(timestamp_with_time_zone("at"))
                    .col(string("outcome"))
                    .col(small_integer("unread"))
                    .col(json("decision"))
                    .primary_key(Index::create().col("service_id").col("at"))
                    .to_owned(),
            )
            .await?;
        // A restart reads the last minutes of all services; the sweep forgets what is old.
        manager
            .create_index(
                Index::create()
                    .name("autoscaling_decisions_at")
                    .table("autoscaling_decisions")
                    .col("at")
                    .to_owned(),
            )
            .await
    }
}
