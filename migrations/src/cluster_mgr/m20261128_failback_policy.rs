//! Whether, when and how fast what left a cluster moves back: by environment.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, integer, string};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m20261128_cluster_mgr_failback_policy"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Those that are there go on as by the settings' defaults until now: a person decides, a quarter at a time.
        for (table, column) in [
            ("environments", string("failback").default("confirm").take()),
            (
                "environments",
                integer("failback_after_minutes").default(30).take(),
            ),
            ("environments", integer("failback_percent").default(25).take()),
            ("departures", boolean("stopped").default(false).take()),
        ] {
            // SQLite adds one column at a time.
            manager
                .alter_table(Table::alter().table(table).add_column(column).to_owned())
                .await?;
        }
        Ok(())
    }
}
