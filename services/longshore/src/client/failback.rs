//! Moving back what left a cluster.

use api_types::failbacks::{FailbackPlan, NewFailback};
use platform::text::counted;

use super::arguments::{Common, Waiting};
use super::failure::Outcome;
use super::operations;
use super::output::answer;
use super::session::Session;
use super::table::Table;

pub async fn plan(name: &str, common: &Common) -> Outcome {
    let session = Session::open(common)?;
    let plan = session.done(session.portal.plan_failback(name).await)?;
    answer(common.output, &plan, || plan_text(name, &plan))
}

pub async fn begin(name: &str, new: &NewFailback, waiting: &Waiting, common: &Common) -> Outcome {
    let session = Session::open(common)?;
    let accepted = session.done(session.portal.fail_back_cluster(name, new).await)?;
    let id = accepted.operation;
    if waiting.wait {
        return operations::followed(&session, id, waiting.timeout, common.output).await;
    }
    answer(common.output, &accepted, || {
        format!(
            "what left {name} moves back\n  it goes on by itself; `longshore operation watch {id}` follows it\n"
        )
    })
}

pub async fn stop(name: &str, common: &Common) -> Outcome {
    let session = Session::open(common)?;
    let cluster = session.done(session.portal.stop_failback(name).await)?;
    answer(common.output, &cluster, || {
        format!("{name}: nothing moves back any more; what has moved stays\n")
    })
}

fn plan_text(name: &str, plan: &FailbackPlan) -> String {
    let mut text = format!(
        "to move back to {name}: {} of {}\n\n",
        counted(plan.replicas, "replica"),
        counted(plan.services, "service"),
    );
    let mut table = Table::new(&["service", "replicas", "at a time"]);
    for one in &plan.moves {
        table.row([
            format!("{}/{}/{}", one.project, one.environment, one.service),
            one.replicas.to_string(),
            format!("{} %", one.percent),
        ]);
    }
    text.push_str(&table.text("nothing is away"));
    let more = plan.services.saturating_sub(plan.moves.len() as u64);
    if more > 0 {
        text.push_str(&format!("and {more} more services\n"));
    }
    text
}
