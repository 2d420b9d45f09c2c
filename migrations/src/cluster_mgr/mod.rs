//! Tables of cluster-mgr.

use sea_orm_migration::prelude::*;

mod m20261120_desired_state;
mod m20261120_history;
mod m20261120_registry;
mod m20261124_service_orders;
mod m20261128_autoscaling;
mod m20261128_autoscaling_thinning;
mod m20261128_cluster_health;
mod m20261128_evacuations;
mod m20261128_failback;
mod m20261128_failback_policy;
mod m20261128_fencing;
mod m20261128_gpu;
mod m20261128_placement;
mod m20261128_prices;
mod m20261128_usage;
mod m20261128_volumes;

pub fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![
        Box::new(m20261120_registry::Migration),
        Box::new(m20261120_desired_state::Migration),
        Box::new(m20261120_history::Migration),
        Box::new(m20261124_service_orders::Migration),
        Box::new(m20261128_evacuations::Migration),
        Box::new(m20261128_autoscaling::Migration),
        Box::new(m20261128_placement::Migration),
        Box::new(m20261128_usage::Migration),
        Box::new(m20261128_cluster_health::Migration),
        Box::new(m20261128_autoscaling_thinning::Migration),
        Box::new(m20261128_gpu::Migration),
        Box::new(m20261128_prices::Migration),
        Box::new(m20261128_fencing::Migration),
        Box::new(m20261128_failback::Migration),
        Box::new(m20261128_failback_policy::Migration),
        Box::new(m20261128_volumes::Migration),
    ]
}
