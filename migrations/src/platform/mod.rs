//! Tables that the platform kit keeps for every service.

use sea_orm_migration::prelude::*;

mod m20261120_kit;

pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(m20261120_kit::Migration)]
}
