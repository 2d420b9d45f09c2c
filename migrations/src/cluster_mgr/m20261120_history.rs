//! Operations, edits and the change stream.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, boolean, integer, json, small_integer, string, string_null, text,
    timestamp_with_time_zone, timestamp_with_time_zone_null, uuid, uuid_null,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261120_cluster_mgr_history"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("operations")
                    .col(uuid("id").primary_key())
                    .col(string("kind"))
                    .col(string("state"))
                    .col(text("title"))
                    .col(text("message"))
                    .col(string_null("project"))
                    .col(string_null("environment"))
                    .col(string_null("service"))
                    .col(uuid_null("service_id"))
                    .col(string_null("cluster"))
                    .col(uuid_null("cluster_id"))
                    .col(big_integer_null("revision"))
                    .col(small_integer("progress"))
                    .col(json("steps"))
                    .col(string("requested_by"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .to_owned(),
            )
            .await?;
        for (name, column) in [
            ("operations_service", "service_id"),
            ("operations_state", "state"),
            ("operations_project", "project"),
        ] {
            manager
                .create_index(
                    Index::create()
                        .name(name)
                        .table("operations")
                        .col(column)
                        .col("id")
                        .to_owned(),
                )
                .await?;
        }
        // Who changed what, so that the second of two editors can be told.
        manager
            .create_table(
                Table::create()
                    .table("edits")
                    .col(uuid("object_id"))
                    .col(big_integer("version"))
                    .col(json("fields"))
                    .col(string("edited_by"))
                    .col(timestamp_with_time_zone("edited_at"))
                    .primary_key(Index::create().col("object_id").col("version"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("changes")
                    .col(big_integer("sequence").primary_key())
                    .col(string("topic"))
                    .col(string_null("project"))
                    .col(string_null("environment"))
                    .col(string_null("service"))
                    .col(uuid_null("service_id"))
                    .col(string_null("cluster"))
                    .col(string_null("object"))
                    .col(boolean("intent"))
                    .col(timestamp_with_time_zone("at"))
                    .to_owned(),
            )
            .await?;
        // Sequences are taken from this row under its lock, so that they commit in their order and a
        // follower never passes one that is still on its way.
        manager
            .create_table(
                Table::create()
                    .table("change_counter")
                    .col(integer("id").primary_key())
                    .col(big_integer("value"))
                    .to_owned(),
            )
            .await?;
        manager
            .execute(
                Query::insert()
                    .into_table("change_counter")
                    .columns(["id", "value"])
                    .values_panic([1.into(), 0i64.into()])
                    .to_owned(),
            )
            .await
    }
}
