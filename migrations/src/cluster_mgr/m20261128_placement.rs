//! Clusters that gave replicas of a service back, how many a rebalance moves, and what keeps services off clusters.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{integer_null, json_null};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_placement"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // SQLite adds one column a statement.
        for column in [json_null("given_back"), integer_null("most_moves")] {
            manager
                .alter_table(Table::alter().table("services").add_column(column).to_owned())
                .await?;
        }
        manager
            .alter_table(
                Table::alter()
                    .table("clusters")
                    .add_column(json_null("taints"))
                    .to_owned(),
            )
            .await
    }
}
