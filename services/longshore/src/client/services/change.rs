//! Changing a service by one word: scale, release, roll back, restart, accept a risk, delete.

use api_types::common::ListQuery;
use api_types::fencing::NewAcceptedRisk;
use api_types::services::{NewRelease, Service, ServiceDeletion, ServicePatch};
use clients::portal::ServiceAt;
use platform::text::counted;

use crate::client::arguments::{Format, One, Scope, Waiting};
use crate::client::failure::{Failure, Outcome};
use crate::client::output::answer;
use crate::client::prompt;
use crate::client::session::{Session, of_service};
use crate::client::{operations, output};

pub async fn scale(service: &str, replicas: u32, waiting: &Waiting, scope: &Scope) -> Outcome {
    let session = Session::open(&scope.common)?;
    let at = session.at(scope, service)?;
    let before = session.done(session.portal.get_service(&at).await)?;
    if before.replicas == replicas {
        return unchanged(
            &before,
            scope.common.output,
            &format!("has {} already", counted(replicas, "replica")),
        );
    }
    let patch = ServicePatch {
        replicas: Some(replicas),
        ..ServicePatch::default()
    };
    let accepted = session.done(session.portal.update_service(&at, before.version, &patch).await)?;
    operations::begun(&session, &accepted, waiting, scope.common.output).await
}

pub async fn release(service: &str, release: &NewRelease, waiting: &Waiting, scope: &Scope) -> Outcome {
    let session = Session::open(&scope.common)?;
    let at = session.at(scope, service)?;
    match session.done(session.portal.create_release(&at, release).await) {
        Ok(accepted) => operations::begun(&session, &accepted, waiting, scope.common.output).await,
        Err(failure) if failure.code() == Some("nothing_changed") => {
            let now = session.done(session.portal.get_service(&at).await)?;
            unchanged(&now, scope.common.output, "has that image already")
        }
        Err(failure) => Err(failure),
    }
}

pub async fn rollback(service: &str, to: Option<i64>, waiting: &Waiting, scope: &Scope) -> Outcome {
    let session = Session::open(&scope.common)?;
    let at = session.at(scope, service)?;
    let number = match to {
        Some(number) => number,
        None => before(&session, &at).await?,
    };
    let release = NewRelease {
        revision: Some(number),
        image: None,
        comment: String::new(),
    };
    let accepted = session.done(session.portal.create_release(&at, &release).await)?;
    operations::begun(&session, &accepted, waiting, scope.common.output).await
}

/// The revision before the one that runs.
async fn before(session: &Session, at: &ServiceAt) -> Outcome<i64> {
    let service = session.done(session.portal.get_service(at).await)?;
    if service.revision <= 1 {
        return Err(Failure::usage(format!(
            "{at} runs revision {}, and there is none before it",
            service.revision
        )));
    }
    Ok(service.revision - 1)
}

pub async fn restart(waiting: &Waiting, one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    let accepted = session.done(session.portal.restart_service(&at).await)?;
    operations::begun(&session, &accepted, waiting, one.scope.common.output).await
}

pub async fn accept_risk(new: &NewAcceptedRisk, waiting: &Waiting, one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    let accepted = session.done(session.portal.accept_risk(&at, new).await)?;
    operations::begun(&session, &accepted, waiting, one.scope.common.output).await
}

pub async fn delete(deletion: ServiceDeletion, yes: bool, waiting: &Waiting, one: &One) -> Outcome {
    let (session, at) = of_service(one)?;
    if !yes {
        if !prompt::is_possible() {
            return Err(Failure::usage(format!(
                "deleting {at} can't be undone; say --yes where nobody can be asked"
            )));
        }
        let service = session.done(session.portal.get_service(&at).await)?;
        let pods = session.done(session.portal.list_pods(&at, &ListQuery::default()).await)?;
        output::note(&format!(
            "{at} is deleted with {} on every cluster, {} and their secrets. {}. It can't be undone.",
            counted(pods.total_estimate, "pod"),
            counted(service.latest_revision, "revision"),
            if deletion.delete_volumes {
                "What is in its volumes is deleted too"
            } else {
                "What is in its volumes stays"
            }
        ));
        let typed = prompt::line("The service's name, to confirm").await?;
        if typed != at.service {
            return Err(Failure::usage(format!(
                "{typed} is not {}; nothing was deleted",
                at.service
            )));
        }
    }
    let accepted = session.done(session.portal.delete_service(&at, deletion).await)?;
    operations::begun(&session, &accepted, waiting, one.scope.common.output).await
}

fn unchanged(service: &Service, format: Format, why: &str) -> Outcome {
    answer(format, service, || format!("{}: {why}\n", service.name))
}
