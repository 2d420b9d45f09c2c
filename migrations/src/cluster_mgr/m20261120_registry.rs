//! Clusters, projects and environments.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, boolean, json, json_null, string, string_null, text, timestamp_with_time_zone,
    timestamp_with_time_zone_null, uuid, uuid_null,
};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261120_cluster_mgr_registry"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("clusters")
                    .col(uuid("id").primary_key())
                    .col(string("name").unique_key())
                    .col(string("region"))
                    .col(string("zone"))
                    .col(json("labels"))
                    .col(boolean("cordoned"))
                    .col(string_null("prometheus_url"))
                    .col(string("phase"))
                    .col(string("state"))
                    .col(text("state_reason"))
                    .col(timestamp_with_time_zone("state_since"))
                    .col(json_null("observed"))
                    .col(timestamp_with_time_zone_null("last_contact"))
                    .col(uuid_null("removal_id"))
                    .col(big_integer("version"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(string("updated_by"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("projects")
                    .col(uuid("id").primary_key())
                    .col(string("name").unique_key())
                    .col(string("display_name"))
                    .col(text("description"))
                    .col(big_integer("version"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(string("updated_by"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("environments")
                    .col(uuid("id").primary_key())
                    .col(string("project"))
                    .col(string("name"))
                    .col(string("namespace").unique_key())
                    .col(json("clusters"))
                    .col(big_integer("version"))
                    .col(timestamp_with_time_zone("created_at"))
                    .col(timestamp_with_time_zone("updated_at"))
                    .col(string("updated_by"))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("environments_project_name")
                    .table("environments")
                    .col("project")
                    .col("name")
                    .unique()
                    .to_owned(),
            )
            .await
    }
}
