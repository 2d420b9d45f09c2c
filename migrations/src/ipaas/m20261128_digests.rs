//! The digests of what an apply left, apart from its fields: a start reads only those.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::json_null;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_ipaas_digests"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("applied_workloads")
                    .add_column(json_null("digests"))
                    .to_owned(),
            )
            .await
    }
}
