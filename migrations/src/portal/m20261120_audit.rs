//! The record of every change.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer_null, integer_null, json_null, string, string_null, text_null, timestamp_with_time_zone, uuid,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261120_portal_audit"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("audit")
                    .col(uuid("id").primary_key())
                    .col(timestamp_with_time_zone("at"))
                    .col(string("actor"))
                    .col(string("via"))
                    .col(string("action"))
                    .col(string("method"))
                    .col(string("path"))
                    .col(string_null("project"))
                    .col(string_null("environment"))
                    .col(string("target"))
                    .col(json_null("request"))
                    .col(string("outcome"))
                    .col(integer_null("status"))
                    .col(text_null("error"))
                    .col(string("request_id"))
                    .col(string("remote_address"))
                    .col(big_integer_null("duration_ms"))
                    .to_owned(),
            )
            .await?;
        for column in ["at", "actor", "project"] {
            manager
                .create_index(
                    Index::create()
                        .name(format!("audit_{column}"))
                        .table("audit")
                        .col(column)
                        .col("id")
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }
}
