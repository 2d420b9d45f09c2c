//! GPUs: what services ask for, what projects may ask for, and what was held.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, integer};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_gpu"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in [
            ("services", integer("gpus").default(0).to_owned()),
            ("projects", big_integer_null("quota_gpus")),
            ("usage_hours", big_integer("gpu_requested").default(0).to_owned()),
        ] {
            manager
                .alter_table(Table::alter().table(table).add_column(column).to_owned())
                .await?;
        }
        Ok(())
    }
}
