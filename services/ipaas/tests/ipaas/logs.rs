//! Logs of whole services: merged, followed, resumed, bounded.

use std::collections::{BTreeMap, BTreeSet};

use api_types::logs::{LogFrame, LogLine, LogSourceState, ServiceLog, ServiceLogFrame};
use api_types::pods::Pod;
use futures::StreamExt as _;
use serde::de::DeserializeOwned;
use serde_json::json;
use test_support::wait_for;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::bed::{Bed, CRASH, Ground, PATIENCE, WEB, breakable, grounds};
use crate::proxy::Proxy;

struct Live(WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Live {
    async fn open(bed: &Bed, path: &str) -> Self {
        let url = bed.running.url().replace("http://", "ws://");
        let mut request = format!("{url}{path}").into_client_request().unwrap();
        let bearer = format!("Bearer {}", bed.operator()).parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        Self(tokio_tungstenite::connect_async(request).await.unwrap().0)
    }

    async fn next<F: DeserializeOwned>(&mut self) -> F {
        let next = async {
            loop {
                let message = self.0.next().await.unwrap().unwrap();
                if message.is_text() {
                    return serde_json::from_str(message.to_text().unwrap()).unwrap();
                }
            }
        };
        tokio::time::timeout(PATIENCE, next)
            .await
            .expect("a frame in time")
    }
}

fn log_path(bed: &Bed, service: &str) -> String {
    format!(
        "/api/v1/projects/{}/environments/test/services/{service}/log",
        bed.project
    )
}

/// Makes a pod write a line with this text.
async fn say(pod: &Pod, text: &str) {
    let url = format!("http://{}:8080/{text}", pod.ip.as_deref().unwrap());
    reqwest::get(url).await.unwrap();
}

async fn run_web(bed: &Bed, replicas: u32) {
    for cluster in &bed.clusters {
        let spec = json!({ "image": WEB, "ports": [{ "name": "http", "port": 8080 }] });
        let mut desired = bed.desired_with("web", 1, spec);
        desired.replicas = replicas;
        bed.client.apply_workload(cluster.id, &desired).await.unwrap();
    }
    let all = replicas as usize * bed.clusters.len();
    wait_for("all pods", PATIENCE, async || {
        let pods = bed.pods_of("web").await;
        if pods.len() == all && pods.iter().all(|pod| pod.ready && pod.ip.is_some()) {
            Ok(())
        } else {
            Err(pods)
        }
    })
    .await;
}

fn said(lines: &[LogLine], word: &str) -> usize {
    lines
        .iter()
        .filter(|line| line.text.contains(&format!("/{word} ")) || line.text.ends_with(&format!("/{word}")))
        .count()
}

fn in_order(lines: &[LogLine]) -> bool {
    lines.windows(2).all(|pair| pair[0].at <= pair[1].at)
}

#[tokio::test]
async fn the_log_of_a_service_is_merged_in_time() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        run_web(&bed, 2).await;
        let pods = bed.pods_of("web").await;
        for round in 0..3 {
            for pod in &pods {
                say(pod, &format!("{}-{round}", pod.name)).await;
            }
        }
        let path = log_path(&bed, "web");
        let whole = wait_for("all lines", PATIENCE, async || {
            let log: ServiceLog = bed.get(&path).await;
            let said = pods
                .iter()
                .all(|pod| said(&log.lines, &format!("{}-2", pod.name)) == 1);
            if said { Ok(log) } else { Err(log.lines) }
        })
        .await;
        assert!(in_order(&whole.lines) && whole.gaps.is_empty() && whole.left_out.is_empty());
        let sources: BTreeSet<_> = whole
            .lines
            .iter()
            .map(|line| (line.cluster.clone(), line.pod.clone(), line.container.clone()))
            .collect();
        let expected: BTreeSet<_> = pods
            .iter()
            .map(|pod| (pod.cluster.clone(), pod.name.clone(), "web".to_owned()))
            .collect();
        assert_eq!(sources, expected);

        let last: ServiceLog = bed.get(&format!("{path}?tail=3")).await;
        assert_eq!(last.lines, whole.lines[whole.lines.len() - 3..]);
        let beta: ServiceLog = bed.get(&format!("{path}?cluster=beta")).await;
        assert!(!beta.lines.is_empty() && beta.lines.iter().all(|line| line.cluster == "beta"));
        let one: ServiceLog = bed
            .get(&format!("{path}?pods={}&container=web", pods[0].name))
            .await;
        assert!(!one.lines.is_empty() && one.lines.iter().all(|line| line.pod == pods[0].name));
        let none: ServiceLog = bed.get(&format!("{path}?container=nobody")).await;
        assert!(none.lines.is_empty());
        let other: ServiceLog = bed.get(&path.replace("/web/", "/another/")).await;
        assert!(other.lines.is_empty());

        // From the cursor on there is what came since, and nothing twice.
        for cursor in [&whole.cursor, &last.cursor] {
            let more: ServiceLog = bed.get(&format!("{path}?cursor={cursor}")).await;
            assert_eq!(more.lines, [], "nothing was said since");
        }
        say(&pods[1], "after").await;
        let more = wait_for("what was said since", PATIENCE, async || {
            let more: ServiceLog = bed.get(&format!("{path}?cursor={}", whole.cursor)).await;
            if more.lines.is_empty() {
                Err(more)
            } else {
                Ok(more)
            }
        })
        .await;
        assert_eq!((more.lines.len(), said(&more.lines, "after")), (1, 1));

        for (query, code) in [
            ("tail=0", "invalid_query"),
            ("tail=10001", "invalid_query"),
            ("cursor=rubbish", "invalid_cursor"),
        ] {
            for path in [
                format!("{path}?{query}"),
                format!("{}/log?{query}", bed.pod_path(&pods[0])),
            ] {
                let (status, body) = bed.send("GET", &path, Some(&bed.operator())).await;
                assert_eq!((status, body["code"].as_str()), (400, Some(code)), "{path}");
            }
        }

        let response = bed
            .foundation
            .http
            .get(format!("{}{path}?download=true", bed.running.url()))
            .bearer_auth(bed.operator())
            .send()
            .await
            .unwrap();
        assert_eq!(
            response.headers()["content-disposition"],
            "attachment; filename=\"web.log\""
        );
        let text = response.text().await.unwrap();
        assert_eq!(text.lines().count(), whole.lines.len() + 1, "{text}");
        let first = &whole.lines[0];
        let expected = format!("{}/{}/web {}", first.cluster, first.pod, first.text);
        assert!(text.lines().next().unwrap().ends_with(&expected), "{text}");
        bed.finish().await;
    }
}

/// What somebody who watches a service's log has seen.
#[derive(Default)]
struct Watched {
    lines: Vec<LogLine>,
    cursor: String,
    states: BTreeMap<String, Vec<LogSourceState>>,
    left_out: usize,
}

impl Watched {
    async fn until(&mut self, live: &mut Live, what: &str, done: impl Fn(&Self) -> bool) {
        let reading = async {
            while !done(self) {
                match live.next::<ServiceLogFrame>().await {
                    ServiceLogFrame::Lines { lines, cursor } => {
                        self.lines.extend(lines);
                        self.cursor = cursor;
                    }
                    ServiceLogFrame::Source { pod, state, .. } => {
                        self.states.entry(pod).or_default().push(state);
                    }
                    ServiceLogFrame::LeftOut { pods } => self.left_out = pods.len(),
                    ServiceLogFrame::End { reason } => panic!("it ended: {reason}"),
                }
            }
        };
        if tokio::time::timeout(PATIENCE, reading).await.is_err() {
            let texts: Vec<_> = self.lines.iter().map(|line| (&line.pod, &line.text)).collect();
            panic!(
                "{what} did not come: {texts:?} {:?} {}",
                self.states, self.left_out
            );
        }
    }

    fn is(&self, pod: &str, state: LogSourceState) -> bool {
        self.states
            .get(pod)
            .is_some_and(|states| states.last() == Some(&state))
    }
}

#[tokio::test]
async fn a_followed_service_is_resumed_without_loss_or_repeat() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        run_web(&bed, 1).await;
        let pods = bed.pods_of("web").await;
        let path = format!("{}/stream", log_path(&bed, "web"));
        say(&pods[0], "before").await;
        let mut watched = Watched::default();
        let mut live = Live::open(&bed, &path).await;
        watched
            .until(&mut live, "what was there", |seen| {
                said(&seen.lines, "before") == 1
            })
            .await;
        // Lines are said all the time, the caller is cut off again and again, and goes on where it was.
        for round in 0..5 {
            for number in 0..4 {
                for pod in &pods {
                    say(pod, &format!("r{round}-{number}")).await;
                }
                if number == 1 {
                    watched
                        .until(&mut live, "a line of the round", |seen| {
                            said(&seen.lines, &format!("r{round}-0")) > 0
                        })
                        .await;
                    drop(live);
                    live = Live::open(&bed, &format!("{path}?cursor={}", watched.cursor)).await;
                }
            }
        }
        watched
            .until(&mut live, "the last lines", |seen| {
                said(&seen.lines, "r4-3") >= pods.len()
            })
            .await;
        for round in 0..5 {
            for number in 0..4 {
                let word = format!("r{round}-{number}");
                assert_eq!(said(&watched.lines, &word), pods.len(), "{word}");
            }
        }
        assert_eq!(said(&watched.lines, "before"), 1);

        // One that comes joins from its first line on, one that goes says so.
        run_web(&bed, 2).await;
        let new = bed.pods_of("web").await;
        let new: Vec<&Pod> = new
            .iter()
            .filter(|pod| pods.iter().all(|old| old.name != pod.name))
            .collect();
        watched
            .until(&mut live, "the new pods' lines", |seen| {
                new.iter()
                    .all(|pod| seen.lines.iter().any(|line| line.pod == pod.name))
            })
            .await;
        bed.send("DELETE", &bed.pod_path(&pods[0]), Some(&bed.operator()))
            .await;
        let gone = pods[0].name.clone();
        watched
            .until(&mut live, "the end of a pod", |seen| {
                seen.is(&gone, LogSourceState::Ended)
            })
            .await;
        // A cursor from before doesn't bring back what was seen.
        let count = watched.lines.len();
        drop(live);
        let mut live = Live::open(&bed, &format!("{path}?cursor={}", watched.cursor)).await;
        say(new[0], "at-last").await;
        watched
            .until(&mut live, "the last line", |seen| {
                said(&seen.lines, "at-last") == 1
            })
            .await;
        let since = &watched.lines[count..];
        assert!(since.iter().all(|line| !line.text.contains("/r")), "{since:?}");
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_container_is_resumed_without_loss_or_repeat() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        run_web(&bed, 1).await;
        let pod = bed.a_pod("web").await;
        let path = format!("{}/log/stream?timestamps=true", bed.pod_path(&pod));
        let mut live = Live::open(&bed, &path).await;
        let (mut lines, mut last) = (Vec::new(), String::new());
        for round in 0..10 {
            say(&pod, &format!("r{round}")).await;
            while !lines
                .iter()
                .any(|line: &String| line.contains(&format!("/r{round}")))
            {
                let LogFrame::Lines { lines: more, cursor } = live.next().await else {
                    panic!("it ended");
                };
                lines.extend(more);
                last = cursor;
            }
            say(&pod, &format!("x{round}")).await;
            drop(live);
            live = Live::open(&bed, &format!("{path}&cursor={last}")).await;
        }
        while !lines.iter().any(|line| line.contains("/x9")) {
            let LogFrame::Lines { lines: more, .. } = live.next().await else {
                panic!("it ended");
            };
            lines.extend(more);
        }
        let distinct: BTreeSet<&String> = lines.iter().collect();
        assert_eq!(distinct.len(), lines.len(), "{lines:?}");
        for word in (0..10).flat_map(|round| [format!("/r{round}"), format!("/x{round}")]) {
            let count = lines.iter().filter(|line| line.contains(&word)).count();
            assert_eq!(count, 1, "{word}: {lines:?}");
        }
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_cluster_that_is_cut_off_goes_on_where_it_was() {
    for ground in breakable() {
        let mut bed = Bed::bare(ground).await;
        let proxy = Proxy::start(&bed.handle("alpha").url()).await;
        bed.clusters[0].kubeconfig = bed.clusters[0]
            .kubeconfig
            .replace(&bed.handle("alpha").url(), &proxy.url());
        for cluster in &bed.clusters {
            bed.connect(cluster).await;
        }
        bed.wait_connected().await;
        run_web(&bed, 1).await;
        let pods = bed.pods_of("web").await;
        let mut watched = Watched::default();
        let mut live = Live::open(&bed, &format!("{}/stream", log_path(&bed, "web"))).await;
        for round in 0..3 {
            for pod in &pods {
                say(pod, &format!("before-{round}")).await;
            }
            watched
                .until(&mut live, "lines of both", |seen| {
                    said(&seen.lines, &format!("before-{round}")) == 2
                })
                .await;
            proxy.freeze();
            let alpha = pods.iter().find(|pod| pod.cluster == "alpha").unwrap();
            watched
                .until(&mut live, "word of the cut", |seen| {
                    seen.is(&alpha.name, LogSourceState::Away)
                })
                .await;
            for pod in &pods {
                say(pod, &format!("meanwhile-{round}")).await;
            }
            let path = log_path(&bed, "web");
            let log: ServiceLog = bed.get(&path).await;
            assert_eq!(
                log.gaps.iter().map(|gap| &*gap.cluster).collect::<Vec<_>>(),
                ["alpha"]
            );
            watched
                .until(&mut live, "the other's line", |seen| {
                    said(&seen.lines, &format!("meanwhile-{round}")) == 1
                })
                .await;
            proxy.thaw();
            watched
                .until(&mut live, "what was said meanwhile", |seen| {
                    said(&seen.lines, &format!("meanwhile-{round}")) == 2
                })
                .await;
        }
        for word in (0..3).flat_map(|round| [format!("before-{round}"), format!("meanwhile-{round}")]) {
            assert_eq!(said(&watched.lines, &word), 2, "{word}");
        }
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_container_that_restarts_is_followed_over_its_runs() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let mut desired = bed.desired("crash", 1, CRASH);
        desired.replicas = 1;
        bed.client
            .apply_workload(bed.cluster().id, &desired)
            .await
            .unwrap();
        let path = format!("{}/stream", log_path(&bed, "crash"));
        let mut watched = Watched::default();
        let mut live = Live::open(&bed, &path).await;
        watched
            .until(&mut live, "the first run's end", |seen| {
                !seen.lines.is_empty()
                    && seen
                        .states
                        .values()
                        .any(|states| states.contains(&LogSourceState::Waiting))
            })
            .await;
        let pod = watched.lines[0].pod.clone();
        // The caller is away over a restart.
        let (_, before) = bed
            .send("GET", &log_path(&bed, "crash"), Some(&bed.operator()))
            .await;
        assert!(!before["lines"].as_array().unwrap().is_empty());
        drop(live);
        let restarts = bed.pods_of("crash").await[0].restarts;
        wait_for("another restart", PATIENCE, async || {
            let pods = bed.pods_of("crash").await;
            if pods[0].restarts > restarts {
                Ok(())
            } else {
                Err(pods)
            }
        })
        .await;
        let count = watched.lines.len();
        let mut live = Live::open(&bed, &format!("{path}?cursor={}", watched.cursor)).await;
        watched
            .until(&mut live, "the next run", |seen| seen.lines.len() > count)
            .await;
        let mut times: Vec<_> = watched.lines.iter().map(|line| (line.at, &line.text)).collect();
        times.sort();
        times.dedup();
        assert_eq!(times.len(), watched.lines.len(), "nothing came twice");
        assert!(watched.lines.iter().all(|line| line.pod == pod));
        bed.finish().await;
    }
}

#[tokio::test]
async fn a_very_long_line_comes_whole_in_pieces() {
    for ground in grounds() {
        let bed = Bed::new(ground).await;
        let real = matches!(ground, Ground::Real);
        // The sandbox runs no commands; its servers write what they are asked for, as long as HTTP permits.
        let (length, spec) = if real {
            let talk = "head -c 200000 /dev/zero | tr '\\0' x; echo; echo after; sleep 1000";
            (
                200_000,
                json!({ "image": WEB, "command": ["/bin/sh", "-c", talk] }),
            )
        } else {
            let ports = json!([{ "name": "http", "port": 8080 }]);
            (60_000, json!({ "image": WEB, "ports": ports }))
        };
        let mut desired = bed.desired_with("web", 1, spec);
        desired.replicas = 1;
        bed.client
            .apply_workload(bed.cluster().id, &desired)
            .await
            .unwrap();
        let pod = bed.a_pod("web").await;
        if !real {
            say(&pod, &"x".repeat(length)).await;
            say(&pod, "after").await;
        }
        let count_x = |text: &str| text.bytes().filter(|byte| *byte == b'x').count();
        let path = log_path(&bed, "web");
        let mut watched = Watched::default();
        let mut live = Live::open(&bed, &format!("{path}/stream")).await;
        watched
            .until(&mut live, "the line after", |seen| {
                seen.lines.iter().any(|line| line.text.contains("after"))
            })
            .await;
        let mut whole = String::new();
        for line in &watched.lines {
            assert!(line.text.len() <= 64 * 1024);
            if count_x(&line.text) > 1_000 {
                whole.push_str(&line.text);
            } else {
                assert!(!line.cut);
            }
        }
        assert!(count_x(&whole) >= length, "{} of {length}", count_x(&whole));
        assert!(
            !real || whole.len() == length,
            "a time was left within the line: {}",
            whole.len()
        );
        let (_, text) = bed
            .send(
                "GET",
                &format!("{}/log?download=true", bed.pod_path(&pod)),
                Some(&bed.operator()),
            )
            .await;
        let longest = text.as_str().unwrap().lines().map(count_x).max();
        assert!(longest >= Some(length), "{longest:?}");
        bed.finish().await;
    }
}

#[tokio::test]
async fn pods_beyond_the_bound_are_named_and_get_their_turn() {
    let ground = breakable().remove(0);
    let bed = Bed::new(ground).await;
    run_web(&bed, 27).await;
    let log: ServiceLog = bed.get(&log_path(&bed, "web")).await;
    assert_eq!(log.left_out.len(), 4);
    let read: BTreeSet<&String> = log.lines.iter().map(|line| &line.pod).collect();
    assert_eq!(read.len(), 50);
    assert!(log.left_out.iter().all(|out| !read.contains(&out.pod)));
    let one: ServiceLog = bed
        .get(&format!("{}?pods={}", log_path(&bed, "web"), log.left_out[0].pod))
        .await;
    assert!(one.left_out.is_empty() && !one.lines.is_empty());

    let mut watched = Watched::default();
    let mut live = Live::open(&bed, &format!("{}/stream", log_path(&bed, "web"))).await;
    watched
        .until(&mut live, "those left out", |seen| seen.left_out == 4)
        .await;
    for cluster in &bed.clusters {
        let mut desired = bed.desired_with("web", 1, json!({ "ports": [{ "name": "http", "port": 8080 }] }));
        desired.replicas = 20;
        bed.client.apply_workload(cluster.id, &desired).await.unwrap();
    }
    watched
        .until(&mut live, "room for all", |seen| seen.left_out == 0)
        .await;
    let rest = bed.pods_of("web").await;
    say(&rest[0], "still-there").await;
    watched
        .until(&mut live, "a line", |seen| said(&seen.lines, "still-there") == 1)
        .await;
    bed.finish().await;
}
