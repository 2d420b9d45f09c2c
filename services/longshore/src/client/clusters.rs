//! Clusters: closed to new replicas, emptied, taken back.

use api_types::clusters::{Cluster, ClusterPatch};
use api_types::evacuations::{EvacuationPlan, Handover, NewEvacuation, PlanOptions, PlannedMove};
use platform::text::counted;

use super::arguments::{Common, Waiting};
use super::failure::{Failure, Outcome};
use super::operations;
use super::output::{answer, note};
use super::prompt;
use super::session::Session;
use super::table::Table;
use super::text::bytes;

pub async fn cordon(name: &str, cordoned: bool, common: &Common) -> Outcome {
    let session = Session::open(common)?;
    let before = session.done(session.portal.get_cluster(name).await)?;
    let what = if cordoned {
        "gets no new replicas"
    } else {
        "gets replicas"
    };
    if before.cordoned == cordoned {
        return answer(common.output, &before, || format!("{name}: {what} already\n"));
    }
    let patch = ClusterPatch {
        cordoned: Some(cordoned),
        ..ClusterPatch::default()
    };
    let cluster = session.done(session.portal.update_cluster(name, before.version, &patch).await)?;
    answer(common.output, &cluster, || {
        format!("{name}: {what} from now on\n")
    })
}

/// What an evacuation would do.
pub async fn plan(name: &str, options: PlanOptions, common: &Common) -> Outcome {
    let session = Session::open(common)?;
    let plan = session.done(session.portal.plan_evacuation(name, options).await)?;
    answer(common.output, &plan, || plan_text(name, &plan))
}

pub async fn evacuate(
    name: &str,
    new: &NewEvacuation,
    yes: bool,
    waiting: &Waiting,
    common: &Common,
) -> Outcome {
    let session = Session::open(common)?;
    if !yes {
        let options = PlanOptions {
            include_stored: new.include_stored,
        };
        confirm(&session, name, options).await?;
    }
    let accepted = session.done(session.portal.evacuate_cluster(name, new).await)?;
    let id = accepted.operation;
    if waiting.wait {
        return operations::followed(&session, id, waiting.timeout, common.output).await;
    }
    answer(common.output, &accepted, || {
        format!(
            "{name} is being evacuated\n  it goes on by itself; `longshore operation watch {id}` follows it\n"
        )
    })
}

async fn confirm(session: &Session, name: &str, options: PlanOptions) -> Outcome {
    if !prompt::is_possible() {
        return Err(Failure::usage(format!(
            "evacuating {name} moves everything that runs there; say --yes where nobody can be asked"
        )));
    }
    let plan = session.done(session.portal.plan_evacuation(name, options).await)?;
    note(plan_text(name, &plan).trim_end());
    let typed = prompt::line("The cluster's name, to confirm").await?;
    if typed == name {
        Ok(())
    } else {
        Err(Failure::usage(format!(
            "{typed} is not {name}; nothing was moved"
        )))
    }
}

pub async fn take_back(name: &str, common: &Common) -> Outcome {
    let session = Session::open(common)?;
    let before = session.done(session.portal.get_cluster(name).await)?;
    let cluster = session.done(session.portal.end_evacuation(name).await)?;
    answer(common.output, &cluster, || taken_back(&before))
}

fn taken_back(before: &Cluster) -> String {
    if before.evacuation.is_some() {
        format!(
            "{}: gets replicas again; what moved stays where it is\n",
            before.name
        )
    } else {
        format!("{}: was not evacuated\n", before.name)
    }
}

fn plan_text(name: &str, plan: &EvacuationPlan) -> String {
    let mut text = format!(
        "{name} gives up {} of {}\n",
        counted(plan.replicas, "replica"),
        counted(plan.services, "service")
    );
    if plan.replicas_unplaced > 0 {
        text.push_str(&format!(
            "there is no room elsewhere for {} of {}: begun only with --accept-unplaced, and then they stay until there is\n",
            counted(plan.replicas_unplaced, "replica"),
            counted(plan.services_unplaced, "service")
        ));
    }
    if plan.services_fenced > 0 {
        text.push_str(&format!(
            "running there perhaps: {}, to start elsewhere when it is seen gone, or by \
             `longshore service accept-risk`\n",
            counted(plan.services_fenced, "singleton")
        ));
    }
    if plan.services_stored > 0 {
        text.push_str(&format!(
            "staying, as the data can't follow: {}, to leave only with --include-stored\n",
            counted(plan.services_stored, "service")
        ));
    }
    let mut table = Table::new(&["to cluster", "services", "replicas"]);
    for destination in &plan.destinations {
        table.row([
            destination.cluster.clone(),
            destination.services.to_string(),
            destination.replicas.to_string(),
        ]);
    }
    text.push('\n');
    text.push_str(&table.text("nothing gets a place"));
    let mut table = Table::new(&[
        "service",
        "replicas",
        "unplaced",
        "order",
        "holds then",
        "data that stays",
        "message",
    ]);
    for one in &plan.moves {
        table.row([
            format!("{}/{}/{}", one.project, one.environment, one.service),
            one.replicas.to_string(),
            one.unplaced.to_string(),
            order(one.handover).to_owned(),
            destinations(one),
            stored(one),
            one.message.clone(),
        ]);
    }
    text.push('\n');
    text.push_str(&table.text("nothing of the platform's runs there"));
    let all = plan.services + plan.services_stored;
    let more = all.saturating_sub(plan.moves.len() as u64);
    if more > 0 {
        text.push_str(&format!("and {more} more services\n"));
    }
    text
}

fn order(handover: Handover) -> &'static str {
    match handover {
        Handover::MakeBeforeBreak => "make before break",
        Handover::BreakBeforeMake => "break before make",
        Handover::Stays => "stays",
        Handover::Fenced => "waits",
    }
}

fn stored(one: &PlannedMove) -> String {
    let each = one.volumes.iter();
    let each: Vec<String> = each
        .map(|volume| format!("{} {}", volume.claim, bytes(volume.bytes)))
        .collect();
    each.join(", ")
}

fn destinations(one: &PlannedMove) -> String {
    let each: Vec<String> = one
        .to
        .iter()
        .map(|place| format!("{} {}", place.cluster, place.replicas))
        .collect();
    each.join(", ")
}
