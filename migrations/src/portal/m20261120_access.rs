//! Users, their roles, and what they sign in with.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    boolean, string, timestamp_with_time_zone, timestamp_with_time_zone_null, uuid,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261120_portal_access"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("users")
                    .col(uuid("id").primary_key())
                    .col(string("name").unique_key())
                    .col(string("display_name"))
                    .col(string("email"))
                    .col(string("password_hash"))
                    .col(boolean("disabled"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("last_sign_in_at"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("sessions")
                    .col(string("digest").primary_key())
                    .col(uuid("user_id"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("seen_at"))
                    .col(timestamp_with_time_zone("expires_at"))
                    .col(string("remote_address"))
                    .col(string("user_agent"))
                    .foreign_key(&mut of_user("sessions"))
                    .to_owned(),
            )
            .await?;
        index(manager, "sessions", "user_id").await?;
        index(manager, "sessions", "expires_at").await?;
        manager
            .create_table(
                Table::create()
                    .table("api_tokens")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(string("name"))
                    .col(string("digest").unique_key())
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone_null("expires_at"))
                    .col(timestamp_with_time_zone_null("last_used_at"))
                    .foreign_key(&mut of_user("api_tokens"))
                    .to_owned(),
            )
            .await?;
        index(manager, "api_tokens", "user_id").await?;
        // An absent project or environment is the empty string: a unique index takes every NULL for another.
        manager
            .create_table(
                Table::create()
                    .table("bindings")
                    .col(uuid("id").primary_key())
                    .col(uuid("user_id"))
                    .col(string("role"))
                    .col(string("project"))
                    .col(string("environment"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(string("created_by"))
                    .foreign_key(&mut of_user("bindings"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("bindings_once")
                    .table("bindings")
                    .col("user_id")
                    .col("role")
                    .col("project")
                    .col("environment")
                    .unique()
                    .to_owned(),
            )
            .await
    }
}

/// What belongs to a user goes with the user.
fn of_user(table: &'static str) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("{table}_user"))
        .from(table, "user_id")
        .to("users", "id")
        .on_delete(ForeignKeyAction::Cascade)
        .to_owned()
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
