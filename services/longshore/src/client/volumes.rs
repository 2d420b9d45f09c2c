//! What services have stored on clusters.

use api_types::common::Page;
use api_types::storage::{VolumeClaim, VolumeFilter};
use chrono::{DateTime, Utc};

use super::arguments::{Listing, Scope, VolumeCommand};
use super::failure::{Failure, Outcome};
use super::output::{answer, note, write};
use super::prompt;
use super::session::Session;
use super::table::Table;
use super::text::{age, bytes, word};

pub async fn run(command: VolumeCommand) -> Outcome {
    match command {
        VolumeCommand::List {
            service,
            listing,
            scope,
        } => list(&VolumeFilter { service }, &listing, &scope).await,
        VolumeCommand::Delete {
            claim,
            cluster,
            yes,
            scope,
        } => delete(&cluster, &claim, yes, &scope).await,
    }
}

async fn list(filter: &VolumeFilter, listing: &Listing, scope: &Scope) -> Outcome {
    let session = Session::open(&scope.common)?;
    let (project, environment) = session.environment(scope)?;
    let page = session
        .pages(listing, async |list| {
            session
                .portal
                .list_volumes((&project, &environment), filter, &list)
                .await
        })
        .await?;
    answer(scope.common.output, &page, || table(&page, Utc::now()))
}

async fn delete(cluster: &str, claim: &str, yes: bool, scope: &Scope) -> Outcome {
    let session = Session::open(&scope.common)?;
    let (project, environment) = session.environment(scope)?;
    if !yes {
        if !prompt::is_possible() {
            return Err(Failure::usage(format!(
                "deleting what is stored in {claim} can't be undone; say --yes where nobody can be asked"
            )));
        }
        note(&format!(
            "What is stored in {claim} of {project}/{environment} on cluster {cluster} is gone for good then."
        ));
        let typed = prompt::line("The claim's name, to confirm").await?;
        if typed != claim {
            return Err(Failure::usage(format!(
                "{typed} is not {claim}; nothing was deleted"
            )));
        }
    }
    session.done(
        session
            .portal
            .delete_volume((&project, &environment), cluster, claim)
            .await,
    )?;
    write(&format!(
        "{claim} on {cluster}: deleted, with what was stored in it\n"
    ))
}

fn table(page: &Page<VolumeClaim>, now: DateTime<Utc>) -> String {
    let mut table = Table::new(&[
        "service", "volume", "claim", "cluster", "phase", "size", "class", "access", "use", "seen",
    ]);
    for item in &page.items {
        let claim = &item.claim;
        let stale = if item.stale { ", old" } else { "" };
        table.row([
            item.service.clone(),
            claim.volume.clone(),
            claim.name.clone(),
            item.cluster.clone(),
            if claim.deleting {
                "being deleted".to_owned()
            } else {
                word(claim.phase)
            },
            bytes(claim.capacity_bytes.unwrap_or(claim.requested_bytes)),
            claim.storage_class.clone().unwrap_or_else(|| "-".to_owned()),
            word(claim.access),
            match (claim.in_use, item.wanted) {
                (true, _) => "in use",
                (false, true) => "not in use",
                (false, false) => "kept",
            }
            .to_owned(),
            item.observed_at
                .map_or_else(|| "never".to_owned(), |at| format!("{} ago{stale}", age(at, now))),
        ]);
    }
    table.text("no volumes")
}
