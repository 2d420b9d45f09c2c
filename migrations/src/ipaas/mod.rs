//! Tables of ipaas.

use sea_orm_migration::prelude::*;

mod m20261120_connections;
mod m20261128_digests;

pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m20261120_connections::Migration),
        Box::new(m20261128_digests::Migration),
    ]
}
