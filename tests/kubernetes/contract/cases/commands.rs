//! Commands in containers: exec and attach, over WebSockets.

use std::time::Duration;

use futures::SinkExt as _;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Status;
use kube::api::{AttachParams, AttachedProcess, TerminalSize};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::cases;
use crate::case::Case;
use crate::objects::{WEB, pod, talking_pod};

cases![
    gives_output_and_exit_code,
    tells_success,
    passes_input_on,
    has_the_environment_of_the_container,
    has_a_terminal,
    says_that_there_is_no_such_command,
    refuses_what_is_not_there,
    attaches_to_what_runs,
];

const IN_TIME: Duration = Duration::from_secs(30);

struct Outcome {
    output: String,
    errors: String,
    status: Status,
}

async fn text(stream: Option<impl tokio::io::AsyncRead + Unpin>) -> String {
    let mut text = String::new();
    if let Some(mut stream) = stream {
        stream.read_to_string(&mut text).await.expect("text");
    }
    text
}

async fn finish(mut process: AttachedProcess) -> Outcome {
    let status = process.take_status().expect("a status to come");
    let (output, errors) = (process.stdout(), process.stderr());
    let all = async { tokio::join!(text(output), text(errors), status) };
    let (output, errors, status) = tokio::time::timeout(IN_TIME, all)
        .await
        .expect("the command ends in time");
    Outcome {
        output,
        errors,
        status: status.expect("a status at the end"),
    }
}

fn both() -> AttachParams {
    AttachParams::default().stdout(true).stderr(true)
}

/// What a command says that succeeds.
pub async fn output(case: &Case, pod: &str, command: &[&str]) -> String {
    let process = case
        .api::<Pod>()
        .exec(pod, command.iter().copied(), &both())
        .await
        .expect("a command");
    let outcome = finish(process).await;
    assert_eq!(
        outcome.status.status.as_deref(),
        Some("Success"),
        "{:?}: {}",
        outcome.status,
        outcome.errors
    );
    outcome.output
}

async fn web(case: &Case) {
    super::pods::create(case, pod("web", WEB)).await;
    super::pods::until_ready(case, "web").await;
}

async fn gives_output_and_exit_code(case: &Case) {
    web(case).await;
    let command = ["/bin/sh", "-c", "echo out; echo errors >&2; exit 7"];
    let outcome = finish(
        case.api::<Pod>()
            .exec("web", command, &both())
            .await
            .expect("a command"),
    )
    .await;
    assert_eq!(outcome.output, "out\n");
    assert_eq!(outcome.errors, "errors\n");
    assert_eq!(outcome.status.status.as_deref(), Some("Failure"));
    assert_eq!(outcome.status.reason.as_deref(), Some("NonZeroExitCode"));
    let causes = outcome
        .status
        .details
        .and_then(|details| details.causes)
        .expect("causes");
    assert_eq!(causes[0].reason.as_deref(), Some("ExitCode"));
    assert_eq!(causes[0].message.as_deref(), Some("7"));
}

async fn tells_success(case: &Case) {
    web(case).await;
    let many = output(
        case,
        "web",
        &[
            "/bin/sh",
            "-c",
            "i=0; while [ $i -lt 2000 ]; do echo line $i; i=$((i+1)); done",
        ],
    )
    .await;
    assert_eq!(many.lines().count(), 2000, "all of it arrives before the status");
    assert_eq!(many.lines().last(), Some("line 1999"));
}

async fn passes_input_on(case: &Case) {
    web(case).await;
    let command = ["/bin/sh", "-c", "read one; read two; echo \"$two $one\""];
    let mut process = case
        .api::<Pod>()
        .exec("web", command, &both().stdin(true))
        .await
        .expect("a command");
    let mut input = process.stdin().expect("an input");
    input.write_all(b"world\n").await.expect("a line is taken");
    input.write_all(b"hello\n").await.expect("a line is taken");
    assert_eq!(finish(process).await.output, "hello world\n");
}

async fn has_the_environment_of_the_container(case: &Case) {
    web(case).await;
    assert_eq!(
        output(case, "web", &["/bin/sh", "-c", "echo $GREETING from $HOSTNAME"]).await,
        "hello from web\n"
    );
    let named = both().container("web");
    let process = case
        .api::<Pod>()
        .exec("web", ["/bin/sh", "-c", "echo here"], &named)
        .await
        .expect("a command");
    assert_eq!(finish(process).await.output, "here\n");
}

async fn has_a_terminal(case: &Case) {
    web(case).await;
    let parameters = AttachParams::interactive_tty();
    let mut process = case
        .api::<Pod>()
        .exec("web", ["/bin/sh"], &parameters)
        .await
        .expect("a shell");
    let mut size = process.terminal_size().expect("a terminal has a size");
    size.send(TerminalSize {
        width: 101,
        height: 43,
    })
    .await
    .expect("the size is sent");
    let mut input = process.stdin().expect("an input");
    let mut output = process.stdout().expect("an output");
    let mut screen = String::new();
    let mut shows = async |text: &str, within: Duration| {
        let work = async {
            let mut bytes = [0; 1024];
            while !screen.contains(text) {
                let count = output.read(&mut bytes).await.expect("output");
                assert!(count > 0, "the shell ended: {screen:?}");
                screen.push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        };
        let in_time = tokio::time::timeout(within, work).await.is_ok();
        if in_time {
            Ok(())
        } else {
            Err(format!("no {text:?} on the screen: {screen:?}"))
        }
    };
    // The answer differs from what the terminal echoes of the question. The size takes a moment to arrive.
    input
        .write_all(b"until [ \"$(stty size)\" = '43 101' ]; do :; done; echo it is $((40 + 3)) high\n")
        .await
        .expect("typed");
    shows("it is 43 high", IN_TIME).await.expect("the size arrives");
    input
        .write_all(b"test -t 0 && echo a ter''minal\n")
        .await
        .expect("typed");
    shows("a terminal", IN_TIME).await.expect("it is a terminal");
    // Control-C stops the command and not the shell. The command itself says that it runs: a key that comes while the
    // shell is just starting it reaches neither.
    input
        .write_all(b"sh -c 'echo go\"\"ing; exec sleep 1000'\n")
        .await
        .expect("typed");
    shows("going", IN_TIME).await.expect("it goes");
    // A shell may throw away what is typed before it asks for more.
    let mut stopped = Err(String::new());
    for _ in 0..20 {
        input.write_all(&[3]).await.expect("typed");
        input.write_all(b"echo st''ill here\n").await.expect("typed");
        stopped = shows("still here", Duration::from_secs(1)).await;
        if stopped.is_ok() {
            break;
        }
    }
    stopped.expect("the command stops");
    let status = process.take_status().expect("a status to come");
    input.write_all(b"exit 5\n").await.expect("typed");
    let status = tokio::time::timeout(IN_TIME, status)
        .await
        .expect("the shell ends in time")
        .expect("a status");
    let causes = status.details.and_then(|details| details.causes).expect("causes");
    assert_eq!(causes[0].message.as_deref(), Some("5"));
}

async fn says_that_there_is_no_such_command(case: &Case) {
    web(case).await;
    let outcome = finish(
        case.api::<Pod>()
            .exec("web", ["/no/such/command"], &both())
            .await
            .expect("an answer"),
    )
    .await;
    assert_eq!(
        outcome.status.status.as_deref(),
        Some("Failure"),
        "{:?}",
        outcome.status
    );
    let message = outcome.status.message.unwrap_or_default();
    assert!(message.contains("no such file or directory"), "{message}");
}

async fn refuses_what_is_not_there(case: &Case) {
    let command = ["/bin/sh", "-c", "true"];
    assert!(case.api::<Pod>().exec("none", command, &both()).await.is_err());
    web(case).await;
    let elsewhere = both().container("none");
    assert!(case.api::<Pod>().exec("web", command, &elsewhere).await.is_err());
}

async fn attaches_to_what_runs(case: &Case) {
    super::pods::create(case, talking_pod("web")).await;
    super::pods::until_ready(case, "web").await;
    let mut process = case.api::<Pod>().attach("web", &both()).await.expect("attached");
    let mut output = process.stdout().expect("an output");
    let mut said = Vec::new();
    let work = async {
        while said.iter().filter(|byte| **byte == b'\n').count() < 2 {
            assert!(output.read_buf(&mut said).await.expect("output") > 0, "it ended");
        }
    };
    let in_time = async {
        tokio::time::timeout(IN_TIME, work)
            .await
            .expect("two lines in time");
    };
    tokio::select! {
        () = in_time => {}
        () = super::logs::talk(case) => {}
    }
}
