//! Prices apply from an hour on: a row for each time that somebody set them, instead of one row for all time.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, big_integer_null, string, timestamp_with_time_zone};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_prices"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("price_changes")
                    .col(big_integer("version").primary_key())
                    .col(big_integer("from_hour"))
                    .col(string("currency"))
                    .col(big_integer_null("cpu_core_hour"))
                    .col(big_integer_null("memory_gib_hour"))
                    .col(big_integer_null("gpu_hour"))
                    .col(timestamp_with_time_zone("set_at"))
                    .col(string("set_by"))
                    .to_owned(),
            )
            .await?;
        // The one price that there was held for all of the past.
        manager
            .get_connection()
            .execute_unprepared(
                "INSERT INTO price_changes \
                 (version, from_hour, currency, cpu_core_hour, memory_gib_hour, gpu_hour, set_at, set_by) \
                 SELECT version, 0, currency, cpu_core_hour, memory_gib_hour, NULL, updated_at, updated_by FROM prices",
            )
            .await?;
        manager.drop_table(Table::drop().table("prices").to_owned()).await
    }
}
