//! HTTP only: extract, call, shape the reply.

mod accepted_risks;
mod autoscaling;
mod changes;
mod cluster_agents;
mod clusters;
mod environments;
mod evacuations;
mod operations;
mod overview;
mod placement;
mod projects;
mod releases;
mod revisions;
mod services;
mod tasks;
mod usage;
mod volumes;

use axum::Router;
use axum::routing::get;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::state::AppState;

/// What people call, through the portal.
pub fn public() -> OpenApiRouter<AppState> {
    #[derive(OpenApi)]
    #[openapi(
        info(title = "Longshore: cluster-mgr", description = "Clusters, projects, services and what becomes of them."),
        tags(
            (name = "clusters", description = "Clusters and their nodes"),
            (name = "projects", description = "Projects and their environments"),
            (name = "services", description = "What teams run, its revisions, releases and placement"),
            (name = "usage", description = "What services held and used, and what that costs"),
            (name = "operations", description = "Work under way and done"),
            (name = "overview", description = "Is anything wrong, where, and since when")
        )
    )]
    struct Document;

    OpenApiRouter::with_openapi(Document::openapi())
        .routes(routes!(clusters::list_clusters, clusters::create_cluster))
        .routes(routes!(clusters::check_cluster_kubeconfig))
        .routes(routes!(
            clusters::get_cluster,
            clusters::update_cluster,
            clusters::delete_cluster
        ))
        .routes(routes!(clusters::replace_cluster_kubeconfig))
        .routes(routes!(
            cluster_agents::install_cluster_agent,
            cluster_agents::remove_cluster_agent
        ))
        .routes(routes!(cluster_agents::report_heartbeat))
        .routes(routes!(cluster_agents::list_cluster_history))
        .routes(routes!(
            evacuations::plan_evacuation,
            evacuations::evacuate_cluster,
            evacuations::end_evacuation
        ))
        .routes(routes!(
            evacuations::plan_failback,
            evacuations::fail_back_cluster,
            evacuations::stop_failback
        ))
        .routes(routes!(projects::list_projects, projects::create_project))
        .routes(routes!(
            projects::get_project,
            projects::update_project,
            projects::delete_project
        ))
        .routes(routes!(projects::put_quota))
        .routes(routes!(
            environments::list_environments,
            environments::create_environment
        ))
        .routes(routes!(
            environments::get_environment,
            environments::update_environment,
            environments::delete_environment
        ))
        .routes(routes!(services::list_services))
        .routes(routes!(
            services::list_environment_services,
            services::create_service
        ))
        .routes(routes!(services::preview_placement))
        .routes(routes!(
            services::get_service,
            services::update_service,
            services::delete_service
        ))
        .routes(routes!(services::list_assignments))
        .routes(routes!(accepted_risks::accept_risk))
        .routes(routes!(placement::explain_placement))
        .routes(routes!(placement::plan_rebalance, placement::rebalance_service))
        .routes(routes!(revisions::list_revisions, revisions::create_revision))
        .routes(routes!(revisions::preview_revision))
        .routes(routes!(revisions::get_revision))
        .routes(routes!(revisions::diff_revisions))
        .routes(routes!(releases::create_release))
        .routes(routes!(releases::restart_service))
        .routes(routes!(
            autoscaling::get_autoscaling,
            autoscaling::put_autoscaling,
            autoscaling::delete_autoscaling
        ))
        .routes(routes!(autoscaling::preview_autoscaling))
        .routes(routes!(autoscaling::list_autoscaling_decisions))
        .routes(routes!(usage::list_usage))
        .routes(routes!(usage::export_usage))
        .routes(routes!(usage::get_prices, usage::put_prices))
        .routes(routes!(usage::list_prices))
        .routes(routes!(volumes::list_volumes))
        .routes(routes!(volumes::delete_volume))
        .routes(routes!(operations::list_operations))
        .routes(routes!(operations::get_operation))
        .routes(routes!(overview::get_overview))
}

/// What the platform's other services call.
pub fn internal() -> Router<AppState> {
    Router::new()
        .route("/internal/v1/changes", get(changes::follow))
        .route("/internal/v1/tasks", get(tasks::list_tasks))
}
