//! Indexes that have the fields of the orders of the list of services, so that a page reads a page.

use sea_orm_migration::prelude::*;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261124_cluster_mgr_service_orders"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let orders: [(&str, &str, &[&str]); 3] = [
            (
                "services_name",
                "services_name_place",
                &["name", "project", "environment"],
            ),
            (
                "services_state_rank",
                "services_state_name",
                &["state_rank", "name", "id"],
            ),
            (
                "services_updated_at",
                "services_updated_at_id",
                &["updated_at", "id"],
            ),
        ];
        for (old, new, columns) in orders {
            manager
                .drop_index(Index::drop().name(old).table("services").to_owned())
                .await?;
            let mut index = Index::create().name(new).table("services").to_owned();
            for column in columns {
                index.col(*column);
            }
            manager.create_index(index).await?;
        }
        // What was seen on a cluster goes with the cluster.
        manager
            .create_index(
                Index::create()
                    .name("observations_cluster")
                    .table("observations")
                    .col("cluster_id")
                    .to_owned(),
            )
            .await
    }
}
