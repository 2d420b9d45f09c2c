//! Tables of ipaas.

use sea_orm_migration::prelude::*;

mod m20261120_connections;

pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(m20261120_connections::Migration)]
}
