//! How long a decision of autoscaling is worth keeping.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::small_integer;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_autoscaling_thinning"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Those that are there already: kept as before.
        manager
            .alter_table(
                Table::alter()
                    .table("autoscaling_decisions")
                    .add_column(small_integer("class").default(1).take())
                    .to_owned(),
            )
            .await?;
        manager
            .get_connection()
            .execute_unprepared(
                "UPDATE autoscaling_decisions SET class = 2 WHERE outcome IN ('scaled', 'recorded')",
            )
            .await?;
        // The sweep forgets the oldest of each class.
        manager
            .create_index(
                Index::create()
                    .name("autoscaling_decisions_class")
                    .table("autoscaling_decisions")
                    .col("class")
                    .col("at")
                    .to_owned(),
            )
            .await
    }
}
