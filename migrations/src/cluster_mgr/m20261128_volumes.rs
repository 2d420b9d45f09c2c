//! Claims of storage as they are seen on clusters, and deletions that take them along.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, json, string, timestamp_with_time_zone, uuid,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_volumes"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("claims")
                    .col(uuid("cluster_id"))
                    .col(string("project"))
                    .col(string("environment"))
                    .col(string("name"))
                    .col(string("service"))
                    .col(uuid("service_id"))
                    .col(json("claim"))
                    .col(timestamp_with_time_zone("changed_at"))
                    .primary_key(
                        Index::create()
                            .col("cluster_id")
                            .col("project")
                            .col("environment")
                            .col("name"),
                    )
                    .to_owned(),
            )
            .await?;
        for (table, column) in [
            ("services", boolean("delete_volumes").default(false).to_owned()),
            ("services", boolean("keeps_data").default(false).to_owned()),
            ("services", big_integer("storage_bytes").default(0).to_owned()),
            ("projects", big_integer_null("quota_storage_bytes")),
            (
                "usage_hours",
                big_integer("storage_requested").default(0).to_owned(),
            ),
            ("price_changes", big_integer_null("storage_gib_hour")),
        ] {
            manager
                .alter_table(Table::alter().table(table).add_column(column).to_owned())
                .await?;
        }
        Ok(())
    }
}
