//! Logs of containers.

use futures::{AsyncBufReadExt as _, StreamExt as _};
use k8s_openapi::api::core::v1::Pod;
use kube::api::LogParams;
use serde_json::json;

use super::cases;
use crate::case::{Case, eventually};
use crate::objects::{CRASH, MISSING, WEB, pod, talking_pod};

cases![
    gives_the_whole_log,
    gives_the_tail,
    gives_what_is_new,
    stamps_lines,
    stops_at_a_number_of_bytes,
    follows_to_the_end,
    gives_the_log_of_the_last_run,
    refuses_what_has_no_log,
];

/// Makes a `talking_pod` talk, wherever it is: a real one does so by itself and has nothing that listens.
pub async fn talk(case: &Case) {
    let pod = case.read("pods/web").await;
    let address = format!("{}:8080", pod["status"]["podIP"].as_str().expect("an address"));
    loop {
        // Only what it writes counts, not what it answers.
        let _ = super::pods::http_get(&address, "/line").await;
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

/// Does the work while a pod talks that has said a few lines already.
async fn while_talking(case: &Case, work: impl Future<Output = ()>) {
    super::pods::create(case, talking_pod("web")).await;
    super::pods::until_ready(case, "web").await;
    let work = async {
        eventually("a few lines", async || {
            let lines = log(case, LogParams::default()).await.lines().count();
            if lines >= 5 { Ok(()) } else { Err(lines) }
        })
        .await;
        work.await;
    };
    tokio::select! {
        () = work => {}
        () = talk(case) => {}
    }
}

async fn log(case: &Case, parameters: LogParams) -> String {
    case.api::<Pod>().logs("web", &parameters).await.expect("a log")
}

async fn gives_the_whole_log(case: &Case) {
    while_talking(case, async {
        let one = log(case, LogParams::default()).await;
        assert!(one.ends_with('\n'), "whole lines: {one:?}");
        let longer = eventually("more lines", async || {
            let next = log(case, LogParams::default()).await;
            if next.len() > one.len() {
                Ok(next)
            } else {
                Err(next.len())
            }
        })
        .await;
        assert!(longer.starts_with(&one), "nothing is lost of what was there");
        let named = LogParams {
            container: Some("web".to_owned()),
            ..LogParams::default()
        };
        assert!(log(case, named).await.starts_with(&one));
    })
    .await;
}

async fn gives_the_tail(case: &Case) {
    while_talking(case, async {
        for count in [0, 1, 3] {
            let tail = log(
                case,
                LogParams {
                    tail_lines: Some(count),
                    ..LogParams::default()
                },
            )
            .await;
            assert_eq!(
                tail.lines().count(),
                usize::try_from(count).expect("a small number"),
                "{tail}"
            );
        }
        let tail = log(
            case,
            LogParams {
                tail_lines: Some(1),
                ..LogParams::default()
            },
        )
        .await;
        let whole = log(case, LogParams::default()).await;
        assert!(whole.contains(tail.trim_end()), "{tail}");
        assert!(!whole.starts_with(&tail), "the last line, not the first");
    })
    .await;
}

async fn gives_what_is_new(case: &Case) {
    while_talking(case, async {
        // The log is older than a second by the time it holds five lines and one more.
        eventually("a log older than its last second", async || {
            let whole = log(case, LogParams::default()).await.lines().count();
            let new = log(
                case,
                LogParams {
                    since_seconds: Some(1),
                    ..LogParams::default()
                },
            )
            .await
            .lines()
            .count();
            if new > 0 && new < whole {
                Ok(())
            } else {
                Err((new, whole))
            }
        })
        .await;
    })
    .await;
}

async fn stamps_lines(case: &Case) {
    while_talking(case, async {
        let stamped = log(
            case,
            LogParams {
                timestamps: true,
                tail_lines: Some(3),
                ..LogParams::default()
            },
        )
        .await;
        let times: Vec<_> = stamped
            .lines()
            .map(|line| line.split_once(' ').expect("a time and a line").0)
            .collect();
        for time in &times {
            // 2030-01-01T00:00:00.000000000Z
            let digits: Vec<_> = time.split(['-', 'T', ':', '.', 'Z', '+']).collect();
            assert!(
                digits.len() >= 7 && digits[0].len() == 4 && time.contains('T'),
                "{time}"
            );
        }
        assert!(times.is_sorted(), "{times:?}");
    })
    .await;
}

async fn stops_at_a_number_of_bytes(case: &Case) {
    while_talking(case, async {
        let some = log(
            case,
            LogParams {
                limit_bytes: Some(10),
                ..LogParams::default()
            },
        )
        .await;
        assert_eq!(some.len(), 10, "{some:?}");
        assert!(log(case, LogParams::default()).await.starts_with(&some));
    })
    .await;
}

async fn follows_to_the_end(case: &Case) {
    while_talking(case, async {
        let parameters = LogParams {
            follow: true,
            tail_lines: Some(1),
            ..LogParams::default()
        };
        let stream = case
            .api::<Pod>()
            .log_stream("web", &parameters)
            .await
            .expect("a stream");
        let mut lines = std::pin::pin!(stream.lines());
        let mut followed = Vec::new();
        while followed.len() < 4 {
            let line = tokio::time::timeout(std::time::Duration::from_secs(20), lines.next()).await;
            followed.push(
                line.expect("a line in time")
                    .expect("not the end")
                    .expect("a line"),
            );
        }
        let whole = log(case, LogParams::default()).await;
        assert!(
            whole.contains(&followed.join("\n")),
            "the lines one after the other: {followed:?}"
        );
        case.delete_with(&case.path("pods/web"), json!({"gracePeriodSeconds": 1}))
            .await
            .ok(200);
        let end = async { while lines.next().await.is_some_and(|line| line.is_ok()) {} };
        tokio::time::timeout(std::time::Duration::from_secs(30), end)
            .await
            .expect("it ends with the container");
    })
    .await;
}

async fn gives_the_log_of_the_last_run(case: &Case) {
    super::pods::create(case, pod("web", CRASH)).await;
    let parameters = LogParams {
        previous: true,
        ..LogParams::default()
    };
    // A server may know of the last run a moment before it has its log.
    eventually("what the last run said of its crash", async || {
        match case.api::<Pod>().logs("web", &parameters).await {
            Ok(previous) if previous.contains("crash") => Ok(()),
            other => Err(other),
        }
    })
    .await;
}

async fn refuses_what_has_no_log(case: &Case) {
    case.get(&case.path("pods/none/log"))
        .await
        .refused(404, "NotFound");
    super::pods::create(case, pod("web", WEB)).await;
    super::pods::until_ready(case, "web").await;
    let status = case
        .get(&case.path("pods/web/log?container=none"))
        .await
        .refused(400, "BadRequest");
    assert!(
        status["message"]
            .as_str()
            .is_some_and(|message| message.contains("none")),
        "{status:#}"
    );
    let status = case
        .get(&case.path("pods/web/log?previous=true"))
        .await
        .refused(400, "BadRequest");
    assert!(
        status["message"]
            .as_str()
            .is_some_and(|message| message.contains("previous terminated container")),
        "{status:#}"
    );
    super::pods::create(case, pod("waits", MISSING)).await;
    case.until("pods/waits", |pod| {
        let reason = &pod["status"]["containerStatuses"][0]["state"]["waiting"]["reason"];
        if reason == "ErrImagePull" || reason == "ImagePullBackOff" {
            Ok(())
        } else {
            Err(reason.clone())
        }
    })
    .await;
    let status = case
        .get(&case.path("pods/waits/log"))
        .await
        .refused(400, "BadRequest");
    assert!(
        status["message"]
            .as_str()
            .is_some_and(|message| message.contains("is waiting to start")),
        "{status:#}"
    );
}
