//! Connections to clusters, and what was left on them at the last apply of each service.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{json, string, timestamp_with_time_zone, uuid, var_binary};

/// A kubeconfig with its certificates is some kilobytes.
const LONGEST_KUBECONFIG: u32 = 1024 * 1024;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261120_ipaas_connections"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("connections")
                    .col(uuid("id").primary_key())
                    .col(string("name"))
                    .col(string("server"))
                    .col(string("cluster_uid").unique_key())
                    .col(var_binary("kubeconfig", LONGEST_KUBECONFIG))
                    .col(json("check"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("applied_workloads")
                    .col(uuid("cluster_id"))
                    .col(string("project"))
                    .col(string("environment"))
                    .col(string("service"))
                    .col(string("spec_hash"))
                    .col(json("objects"))
                    .col(timestamp_with_time_zone("applied_at"))
                    .primary_key(
                        Index::create()
                            .col("cluster_id")
                            .col("project")
                            .col("environment")
                            .col("service"),
                    )
                    .to_owned(),
            )
            .await
    }
}
