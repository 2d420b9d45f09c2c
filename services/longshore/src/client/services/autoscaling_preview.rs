//! What a policy would have done, in words and as tables.

use api_types::autoscaling::{AutoscalingPreview, PreviewOutcome};

use crate::client::table::Table;

pub fn text(at: &str, preview: &AutoscalingPreview) -> String {
    let mut text = format!("{at}: {}\n", sentence(preview));
    if let Some(would) = &preview.would {
        let mut table = Table::new(&[
            "replicas",
            "least",
            "most",
            "mean",
            "replica-hours",
            "minutes above target",
        ]);
        table.row(row("with the policy", would));
        if let Some(ran) = &preview.ran {
            table.row(row("really ran", ran));
        }
        text.push('\n');
        text.push_str(&table.text(""));
    }
    if !preview.changes.is_empty() {
        let mut table = Table::new(&["at (UTC)", "change"]);
        for decision in &preview.changes {
            table.row([
                decision.at.format("%H:%M:%S").to_string(),
                decision.message.clone(),
            ]);
        }
        text.push('\n');
        text.push_str(&table.text(""));
    }
    let mut unknown = Vec::new();
    for gap in &preview.gaps {
        let what = gap.metric.as_deref().unwrap_or("everything");
        unknown.push(format!(
            "not known for {} min: {what} of {}: {}",
            figure(gap.minutes),
            gap.cluster,
            gap.reason
        ));
    }
    if preview.saturated_minutes > 0.0 {
        unknown.push(format!(
            "for {} min the replicas used nearly all of the CPU that they may: there may have been more load than is seen",
            figure(preview.saturated_minutes)
        ));
    }
    if !unknown.is_empty() {
        text.push('\n');
        text.push_str(&unknown.join("\n"));
        text.push('\n');
    }
    text
}

fn sentence(preview: &AutoscalingPreview) -> String {
    let Some(would) = &preview.would else {
        return "what this policy would have done can't be told: nothing is known of the last hour"
            .to_owned();
    };
    let changes = match preview.changes.len() {
        0 => "left the replicas as they were".to_owned(),
        1 => "changed the replicas once".to_owned(),
        count => format!("changed the replicas {count} times"),
    };
    let beside = preview.ran.as_ref().map_or_else(String::new, |ran| {
        format!(" ({} really ran)", figure(ran.replica_hours))
    });
    format!(
        "with the last hour's load this policy would have {changes}, between {} and {} of them, {} replica-hours{beside} in {} min",
        would.min_replicas,
        would.max_replicas,
        figure(would.replica_hours),
        figure(would.minutes)
    )
}

fn row(name: &str, outcome: &PreviewOutcome) -> [String; 6] {
    [
        name.to_owned(),
        outcome.min_replicas.to_string(),
        outcome.max_replicas.to_string(),
        figure(outcome.mean_replicas),
        figure(outcome.replica_hours),
        figure(outcome.minutes_above_target),
    ]
}

fn figure(value: f64) -> String {
    let text = format!("{value:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_preview_reads_as_a_sentence_and_names_what_is_not_known() {
        let outcome = |replicas: u32, hours: f64, above: f64| {
            json!({
                "minutes": 60.0, "min_replicas": replicas, "max_replicas": replicas, "mean_replicas": hours,
                "replica_hours": hours, "minutes_above_target": above,
            })
        };
        let mut preview: AutoscalingPreview = serde_json::from_value(json!({
            "from": "2026-11-28T07:00:00Z", "to": "2026-11-28T08:00:00Z", "step_seconds": 15,
            "metrics": [{ "name": "cpu", "target": 50.0 }], "points": [],
            "would": outcome(6, 6.0, 0.25), "ran": outcome(4, 4.0, 60.0), "changes": [],
            "gaps": [{ "cluster": "west", "metric": "cpu", "minutes": 12.5, "reason": "Prometheus doesn't answer" }],
            "saturated_minutes": 0.0,
        }))
        .unwrap();
        let shown = text("shop/test/web", &preview);
        assert!(shown.starts_with(
            "shop/test/web: with the last hour's load this policy would have left the replicas as they were, between 6 and 6 of \
             them, 6 replica-hours (4 really ran) in 60 min\n"
        ));
        assert!(shown.contains("not known for 12.5 min: cpu of west: Prometheus doesn't answer\n"));
        (preview.would, preview.ran) = (None, None);
        assert!(text("shop/test/web", &preview).contains("can't be told"));
    }
}
