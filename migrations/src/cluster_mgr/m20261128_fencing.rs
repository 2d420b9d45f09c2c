//! Who accepted that a singleton may run twice, and why.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::json_null;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_fencing"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("assignments")
                    .add_column(json_null("accepted_risk"))
                    .to_owned(),
            )
            .await
    }
}
