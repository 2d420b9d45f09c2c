//! `service logs`: the log of all replicas, merged in time.

use std::time::Duration;

use api_types::logs::{LogLine, LogSourceState, ServiceLogFrame, ServiceLogQuery};
use clients::portal::ServiceAt;
use futures::StreamExt as _;
use tokio::time::Instant;

use crate::client::arguments::{Format, Logs};
use crate::client::failure::{Failure, Outcome};
use crate::client::output::{answer, note, write};
use crate::client::session::{Session, of_service};

/// How long a log that broke off is tried again, and the pause between.
const PATIENCE: Duration = Duration::from_secs(30);
const PAUSE: Duration = Duration::from_secs(1);

pub async fn logs(logs: &Logs) -> Outcome {
    let (session, at) = of_service(&logs.one)?;
    let query = ServiceLogQuery {
        cluster: logs.cluster.clone(),
        pods: (!logs.pod.is_empty()).then(|| logs.pod.join(",")),
        container: logs.container.clone(),
        tail: Some(logs.tail),
        since_seconds: logs
            .since
            .map(|time| u32::try_from(time.as_secs()).unwrap_or(u32::MAX)),
        previous: logs.previous,
        ..ServiceLogQuery::default()
    };
    if logs.follow {
        follow(&session, &at, query, logs).await
    } else {
        piece(&session, &at, &query, logs).await
    }
}

async fn piece(session: &Session, at: &ServiceAt, query: &ServiceLogQuery, logs: &Logs) -> Outcome {
    is_there(session, at).await?;
    let log = session.done(session.portal.get_service_log(at, query).await)?;
    for gap in &log.gaps {
        note(&format!(
            "cluster {} doesn't answer: {}; its lines are missing",
            gap.cluster, gap.reason
        ));
    }
    if !log.left_out.is_empty() {
        note(&format!(
            "{} more pods are not read; --pod or --cluster chooses them",
            log.left_out.len()
        ));
    }
    if log.shortened {
        note("older lines were left out; --since, --pod or --tail asks for less at once");
    }
    answer(logs.one.scope.common.output, &log, || {
        text(&log.lines, logs.timestamps)
    })
}

/// A service that isn't there has no pods, and so no lines: that must not look like a silent one.
async fn is_there(session: &Session, at: &ServiceAt) -> Outcome {
    session.done(session.portal.get_service(at).await).map(drop)
}

/// Goes on where it was cut, until the log ends or Ctrl-C.
async fn follow(session: &Session, at: &ServiceAt, mut query: ServiceLogQuery, logs: &Logs) -> Outcome {
    let mut last_heard = Instant::now();
    loop {
        let opened = match is_there(session, at).await {
            Ok(()) => session.done(session.portal.follow_service_log(at, &query).await),
            Err(failure) => Err(failure),
        };
        let failure = match opened {
            Ok(frames) => {
                let mut frames = std::pin::pin!(frames);
                loop {
                    match frames.next().await {
                        Some(Ok(frame)) => {
                            last_heard = Instant::now();
                            if let ServiceLogFrame::Lines { cursor, .. } = &frame {
                                query.cursor = Some(cursor.clone());
                            }
                            show(&frame, logs)?;
                        }
                        Some(Err(error)) => break Failure::of_call(error, &session.url),
                        None => {
                            break Failure::NotReached {
                                portal: session.url.clone(),
                                reason: "the log broke off".to_owned(),
                            };
                        }
                    }
                }
            }
            Err(failure) => failure,
        };
        let may_pass = match &failure {
            Failure::NotReached { .. } => true,
            Failure::Refused { status, .. } => status.is_server_error(),
            _ => false,
        };
        if !may_pass || last_heard.elapsed() > PATIENCE {
            return Err(failure);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn show(frame: &ServiceLogFrame, logs: &Logs) -> Outcome {
    match frame {
        ServiceLogFrame::Lines { lines, .. } => write(&match logs.one.scope.common.output {
            Format::Table => text(lines, logs.timestamps),
            // A line of JSON for each line, as they come: a list would never end. JSON is YAML as well.
            Format::Json | Format::Yaml => lines
                .iter()
                .map(|line| serde_json::to_string(line).expect("a line is plain data") + "\n")
                .collect(),
        })?,
        ServiceLogFrame::Source {
            cluster,
            pod,
            container,
            state,
            reason,
        } => {
            let what = match state {
                LogSourceState::Followed => return Ok(()),
                LogSourceState::Waiting => "waits to start",
                LogSourceState::Away => "is out of reach",
                LogSourceState::Lost => "has lost lines here",
                LogSourceState::Ended => "has ended",
            };
            let reason = if reason.is_empty() {
                String::new()
            } else {
                format!(": {reason}")
            };
            note(&format!("{cluster}/{pod}/{container} {what}{reason}"));
        }
        ServiceLogFrame::LeftOut { pods } if !pods.is_empty() => {
            note(&format!("{} more pods are not followed", pods.len()));
        }
        ServiceLogFrame::LeftOut { .. } => {}
        // The service behind the portal stops, as while it is replaced: what follows opens it again.
        ServiceLogFrame::End { reason } => note(reason),
    }
    Ok(())
}

/// Each line behind its cluster and pod (and container, where pods have several).
fn text(lines: &[LogLine], timestamps: bool) -> String {
    let mut text = String::new();
    for line in lines {
        if timestamps {
            text.push_str(&line.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true));
            text.push(' ');
        }
        text.push_str(&format!("{}/{}/{}  ", line.cluster, line.pod, line.container));
        text.push_str(&without_controls(&line.text));
        text.push('\n');
    }
    text
}

/// A container must not steer the terminal of who reads its log, but may colour it.
fn without_controls(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\u{1b}' {
            let mut sequence = rest
                .clone()
                .skip(1)
                .take_while(|next| next.is_ascii_digit() || *next == ';');
            let length = sequence.by_ref().count();
            let colours = rest.peek() == Some(&'[') && rest.clone().nth(length + 1) == Some('m');
            if colours {
                safe.push(character);
                continue;
            }
            safe.push('\u{fffd}');
        } else if character.is_control() && character != '\t' {
            safe.push('\u{fffd}');
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stands_behind_its_source() {
        let line: LogLine = serde_json::from_value(serde_json::json!({
            "cluster": "east", "pod": "web-1", "container": "web", "at": "2026-01-02T03:04:05.123456789Z", "text": "hi",
        }))
        .unwrap();
        assert_eq!(text(std::slice::from_ref(&line), false), "east/web-1/web  hi\n");
        assert_eq!(
            text(&[line], true),
            "2026-01-02T03:04:05.123456Z east/web-1/web  hi\n"
        );
    }

    #[test]
    fn a_log_may_colour_and_no_more() {
        let coloured = "\u{1b}[1;31mred\u{1b}[0m";
        assert_eq!(without_controls(coloured), coloured);
        assert_eq!(without_controls("a\tb"), "a\tb");
        assert_eq!(
            without_controls("\u{1b}[2Jx\u{1b}]0;t\u{7}\r"),
            "\u{fffd}[2Jx\u{fffd}]0;t\u{fffd}\u{fffd}"
        );
        assert_eq!(without_controls("\u{1b}"), "\u{fffd}");
    }
}
