//! Clusters that are emptied, and whether that happens by itself.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{json_null, string};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_evacuations"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("clusters")
                    .add_column(json_null("evacuation"))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("environments")
                    .add_column(string("failover").default("confirm"))
                    .to_owned(),
            )
            .await
    }
}
