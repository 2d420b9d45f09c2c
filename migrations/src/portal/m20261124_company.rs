//! What the pages of the company need: sessions that can be named, passwords that must be changed,
//! tokens with a narrower role, failed sign-ins that all replicas count together.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    boolean, integer, json_null, string, string_null, timestamp_with_time_zone, uuid, uuid_uniq,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261124_portal_company"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .add_column(boolean("must_change_password").default(false))
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("api_tokens")
                    .add_column(json_null("scope"))
                    .to_owned(),
            )
            .await?;
        sessions(manager).await?;
        manager
            .create_table(
                Table::create()
                    .table("sign_in_failures")
                    .col(uuid("id").primary_key())
                    .col(string("key").unique_key())
                    .col(string_null("name"))
                    .col(string("address"))
                    .col(integer("failures"))
                    .col(timestamp_with_time_zone("last_at"))
                    .col(timestamp_with_time_zone("closed_until"))
                    .to_owned(),
            )
            .await?;
        for column in ["closed_until", "last_at"] {
            index(manager, "sign_in_failures", column).await?;
        }
        Ok(())
    }
}

/// Made anew, as those of before have no id: their people sign in once more.
async fn sessions(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    manager
        .drop_table(Table::drop().table("sessions").to_owned())
        .await?;
    manager
        .create_table(
            Table::create()
                .table("sessions")
                .col(string("digest").primary_key())
                .col(uuid_uniq("public_id"))
                .col(uuid("user_id"))
                .col(timestamp_with_time_zone("created_at"))
                .col(timestamp_with_time_zone("seen_at"))
                .col(timestamp_with_time_zone("expires_at"))
                .col(string("remote_address"))
                .col(string("user_agent"))
                .foreign_key(
                    ForeignKey::create()
                        .name("sessions_user")
                        .from("sessions", "user_id")
                        .to("users", "id")
                        .on_delete(ForeignKeyAction::Cascade),
                )
                .to_owned(),
        )
        .await?;
    index(manager, "sessions", "user_id").await?;
    index(manager, "sessions", "expires_at").await
}

async fn index(manager: &SchemaManager<'_>, table: &'static str, column: &'static str) -> Result<(), DbErr> {
    manager
        .create_index(
            Index::create()
                .name(format!("{table}_{column}"))
                .table(table)
                .col(column)
                .to_owned(),
        )
        .await
}
