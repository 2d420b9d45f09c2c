//! `service apply`: makes services what a file says, and does nothing where they are.

use std::path::Path;

use api_types::placement::NewPreview;
use api_types::services::{
    NewRelease, NewRevision, NewRevisionPreview, RevisionDiff, Service, ServiceAccepted, ServicePatch,
};
use clients::portal::ServiceAt;
use serde::Serialize;

use super::file::{self, ServiceFile};
use crate::client::arguments::{Format, Scope, Waiting};
use crate::client::failure::{Failure, Outcome};
use crate::client::input::Input;
use crate::client::operations;
use crate::client::output::{answer, write, yaml};
use crate::client::session::Session;

/// What there is to do for one service.
enum Plan {
    Create,
    Change {
        service: Box<Service>,
        patch: Box<ServicePatch>,
        said: Vec<String>,
        diff: RevisionDiff,
    },
}

/// What is told of one service that is not being changed, or not yet.
#[derive(Serialize)]
struct Told {
    service: String,
    /// `create`, `change`, `nothing`.
    action: &'static str,
    /// Beside the spec.
    changes: Vec<String>,
    diff: Option<RevisionDiff>,
}

pub async fn apply(
    path: &Path,
    dry_run: bool,
    comment: Option<String>,
    waiting: &Waiting,
    scope: &Scope,
) -> Outcome {
    let mut files = read(path)?;
    let session = Session::open(&scope.common)?;
    let mut all = Vec::new();
    // Where each belongs is settled before anything is done.
    for file in &mut files {
        if let Some(comment) = &comment {
            file.comment.clone_from(comment);
        }
        all.push((place(&session, scope, file)?, file.clone()));
    }
    let mut failed = None;
    for (at, file) in all {
        let one = apply_one(&session, &at, &file, dry_run, waiting, scope.common.output).await;
        match one {
            Ok(()) => {}
            // One that can't be applied doesn't keep the others from it; the file's first failure is the outcome.
            Err(failure @ (Failure::Refused { .. } | Failure::Operation(_))) => {
                let failure = named(failure, &at);
                match &failed {
                    None => failed = Some(failure),
                    Some(_) => crate::client::output::note(failure.text().trim_end()),
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    failed.map_or(Ok(()), Err)
}

fn read(path: &Path) -> Outcome<Vec<ServiceFile>> {
    let Input { name, text } = Input::read(path)?;
    file::read(&text).map_err(|error| Failure::usage(format!("{name}: {error}")))
}

fn place(session: &Session, scope: &Scope, file: &ServiceFile) -> Outcome<ServiceAt> {
    for (what, given, own) in [
        ("project", &scope.project, &file.project),
        ("environment", &scope.environment, &file.environment),
    ] {
        if let (Some(given), Some(own)) = (given, own)
            && given != own
        {
            return Err(Failure::usage(format!(
                "the file says that {} belongs to the {what} {own}, and --{what} says {given}",
                file.name
            )));
        }
    }
    let mut scope = scope.clone();
    scope.project = scope.project.or_else(|| file.project.clone());
    scope.environment = scope.environment.or_else(|| file.environment.clone());
    session.at(&scope, &file.name)
}

/// Says which service of the file it is about.
fn named(failure: Failure, at: &ServiceAt) -> Failure {
    match failure {
        Failure::Refused { status, mut body } => {
            body.message = format!("{at}: {}", body.message);
            Failure::Refused { status, body }
        }
        other => other,
    }
}

async fn apply_one(
    session: &Session,
    at: &ServiceAt,
    file: &ServiceFile,
    dry_run: bool,
    waiting: &Waiting,
    format: Format,
) -> Outcome {
    match plan(session, at, file).await? {
        Plan::Create if dry_run => show_creation(session, at, file, format).await,
        Plan::Create => {
            let accepted = session.done(session.portal.create_service(at, &file.to_new()).await)?;
            operations::begun(session, &accepted, waiting, format).await
        }
        Plan::Change { said, diff, .. } if said.is_empty() && diff.changes.is_empty() => {
            let told = Told {
                service: at.to_string(),
                action: "nothing",
                changes: said,
                diff: None,
            };
            answer(format, &told, || format!("{at}: nothing to change\n"))
        }
        Plan::Change { said, diff, .. } if dry_run => {
            let text = change_text(at, &said, &diff);
            let told = Told {
                service: at.to_string(),
                action: "change",
                changes: said,
                diff: Some(diff),
            };
            answer(format, &told, || text)
        }
        Plan::Change {
            service, patch, diff, ..
        } => {
            let accepted = change(session, at, file, &service, &patch, &diff).await?;
            operations::begun(session, &accepted, waiting, format).await
        }
    }
}

async fn plan(session: &Session, at: &ServiceAt, file: &ServiceFile) -> Outcome<Plan> {
    let service = match session.done(session.portal.get_service(at).await) {
        Ok(service) => service,
        // A project that isn't there is told when the service is created in it.
        Err(failure) if failure.code() == Some("not_found") => return Ok(Plan::Create),
        Err(failure) => return Err(failure),
    };
    let (patch, said) = file.patch(&service);
    let preview = NewRevisionPreview {
        spec: file.spec.clone(),
    };
    let diff = session.done(session.portal.preview_revision(at, &preview).await)?;
    Ok(Plan::Change {
        service: Box::new(service),
        patch: Box::new(patch),
        said,
        diff,
    })
}

/// First what stands beside the spec, then the spec; the last operation takes the place of the first.
async fn change(
    session: &Session,
    at: &ServiceAt,
    file: &ServiceFile,
    service: &Service,
    patch: &ServicePatch,
    diff: &RevisionDiff,
) -> Outcome<ServiceAccepted> {
    let mut version = service.version;
    let mut accepted = None;
    if *patch != ServicePatch::default() {
        let patched = session.done(session.portal.update_service(at, version, patch).await)?;
        version = patched.service.version;
        accepted = Some(patched);
    }
    if !diff.changes.is_empty() {
        let released = if diff.to <= service.latest_revision {
            let release = NewRelease {
                revision: Some(diff.to),
                image: None,
                comment: String::new(),
            };
            session.portal.create_release(at, &release).await
        } else {
            let revision = NewRevision {
                spec: file.spec.clone(),
                comment: file.comment.clone(),
                release: true,
            };
            session.portal.create_revision(at, version, &revision).await
        };
        accepted = Some(session.done(released)?);
    }
    Ok(accepted.expect("something is changed"))
}

async fn show_creation(session: &Session, at: &ServiceAt, file: &ServiceFile, format: Format) -> Outcome {
    let new = file.to_new();
    let asked = NewPreview {
        service: None,
        replicas: new.replicas,
        placement: new.placement.clone(),
        resources: new.spec.resources.clone(),
    };
    let preview = session.done(session.portal.preview_placement(at, &asked).await)?;
    let mut shown = file.clone();
    for secret in &mut shown.spec.secrets {
        secret.value = None;
    }
    let lines: String = yaml(&shown)?.lines().map(|line| format!("+{line}\n")).collect();
    let told = Told {
        service: at.to_string(),
        action: "create",
        changes: preview
            .assignments
            .iter()
            .map(|planned| format!("{} on {}", planned.replicas, planned.cluster))
            .collect(),
        diff: None,
    };
    answer(format, &told, || {
        format!(
            "{at}: would be created; replicas: {}; {}\n{lines}",
            told.changes.join(", "),
            preview.message
        )
    })
}

fn change_text(at: &ServiceAt, said: &[String], diff: &RevisionDiff) -> String {
    let mut text = format!("{at}: would be changed\n");
    for line in said {
        text.push_str(&format!("  {line}\n"));
    }
    if !diff.changes.is_empty() {
        text.push_str(&format!("  revision: {} -> {}\n", diff.from, diff.to));
        text.push_str(&diff.unified);
    }
    text
}

/// `service export`: the service as a file that changes nothing when it is applied.
pub async fn export(session: &Session, at: &ServiceAt, format: Format) -> Outcome {
    let service = session.done(session.portal.get_service(at).await)?;
    let revision = session.done(session.portal.get_revision(at, service.revision).await)?;
    let file = ServiceFile::of(&service, revision.spec);
    match format {
        Format::Json => answer(format, &file, String::new),
        Format::Table | Format::Yaml => write(&yaml(&file)?),
    }
}
