//! `service`: every command about services.

mod apply;
mod autoscaling;
mod autoscaling_preview;
mod change;
pub mod file;
mod logs;
mod look;

use api_types::fencing::NewAcceptedRisk;
use api_types::services::{NewRelease, ServiceDeletion, ServiceFilter};

use super::arguments::ServiceCommand;
use super::failure::Outcome;
use super::session::of_service;

pub async fn run(command: ServiceCommand) -> Outcome {
    match command {
        ServiceCommand::List {
            all,
            state,
            cluster,
            listing,
            scope,
        } => {
            let filter = ServiceFilter {
                state,
                cluster,
                ..ServiceFilter::default()
            };
            look::list(filter, all, &listing, &scope).await
        }
        ServiceCommand::Get(one) => look::get(&one).await,
        ServiceCommand::Export(one) => {
            let (session, at) = of_service(&one)?;
            apply::export(&session, &at, one.scope.common.output).await
        }
        ServiceCommand::Apply {
            file,
            dry_run,
            comment,
            waiting,
            scope,
        } => apply::apply(&file, dry_run, comment, &waiting, &scope).await,
        ServiceCommand::Scale {
            service,
            replicas,
            waiting,
            scope,
        } => change::scale(&service, replicas, &waiting, &scope).await,
        ServiceCommand::Release {
            service,
            image,
            revision,
            comment,
            waiting,
            scope,
        } => {
            let release = NewRelease {
                revision,
                image,
                comment,
            };
            change::release(&service, &release, &waiting, &scope).await
        }
        ServiceCommand::Rollback {
            service,
            to,
            waiting,
            scope,
        } => change::rollback(&service, to, &waiting, &scope).await,
        ServiceCommand::Restart { waiting, one } => change::restart(&waiting, &one).await,
        ServiceCommand::AcceptRisk {
            cluster,
            reason,
            waiting,
            one,
        } => {
            let new = NewAcceptedRisk {
                clusters: cluster,
                reason,
            };
            change::accept_risk(&new, &waiting, &one).await
        }
        ServiceCommand::Delete {
            yes,
            delete_volumes,
            waiting,
            one,
        } => {
            let deletion = ServiceDeletion { delete_volumes };
            change::delete(deletion, yes, &waiting, &one).await
        }
        ServiceCommand::Logs(logs) => logs::logs(&logs).await,
        ServiceCommand::Events { listing, one } => look::events(&listing, &one).await,
        ServiceCommand::Pods { listing, one } => look::pods(&listing, &one).await,
        ServiceCommand::Revisions { limit, one } => look::revisions(limit, &one).await,
        ServiceCommand::Autoscaling(command) => autoscaling::run(command).await,
        ServiceCommand::Diff {
            service,
            from,
            to,
            scope,
        } => look::diff(&service, from, to, &scope).await,
    }
}
