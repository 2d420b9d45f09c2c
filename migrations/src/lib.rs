//! Database migrations, a module per service; every table has one owner.
//!
//! One list in one order for SQLite and PostgreSQL alike. A released migration never changes; a new
//! one is added at the end of its module's list and named by its date.

use sea_orm_migration::prelude::*;

mod cluster_mgr;
mod ipaas;
mod platform;
mod portal;

/// All migrations of all services.
pub struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut all = Vec::new();
        all.extend(platform::migrations());
        all.extend(ipaas::migrations());
        all.extend(cluster_mgr::migrations());
        all.extend(portal::migrations());
        all
    }
}

/// Brings a database up to date. Safe to call from several processes in turn; each migration runs once.
pub async fn run(database: &sea_orm_migration::sea_orm::DatabaseConnection) -> Result<(), DbErr> {
    Migrator::up(database, None).await
}

/// Brings a database to what it was just before a migration, so that a test can see what becomes of old rows.
///
/// # Errors
/// The database's; that there is no migration of this name, or that it was applied already.
pub async fn run_before(
    database: &sea_orm_migration::sea_orm::DatabaseConnection,
    name: &str,
) -> Result<(), DbErr> {
    let all = Migrator::migrations();
    let before = all.iter().position(|migration| migration.name() == name);
    let applied = Migrator::get_applied_migrations(database).await?.len();
    let steps = before
        .and_then(|before| before.checked_sub(applied))
        .and_then(|steps| steps.try_into().ok())
        .ok_or_else(|| DbErr::Custom(format!("there is no migration `{name}` ahead")))?;
    Migrator::up(database, Some(steps)).await
}
