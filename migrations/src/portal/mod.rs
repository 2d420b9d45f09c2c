//! Tables of portal.

use sea_orm_migration::prelude::*;

mod m20261120_access;
mod m20261120_audit;
mod m20261124_audit_objects;
mod m20261124_company;

pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m20261120_access::Migration),
        Box::new(m20261120_audit::Migration),
        Box::new(m20261124_company::Migration),
        Box::new(m20261124_audit_objects::Migration),
    ]
}
