//! What a change was made on, as it was and as it became. A table of its own: lists of the audit never
//! read it.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{json_null, uuid};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261124_portal_audit_objects"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit_objects")
                    .col(uuid("id").primary_key())
                    .col(json_null("before"))
                    .col(json_null("after"))
                    .to_owned(),
            )
            .await
    }
}
