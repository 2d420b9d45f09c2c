//! Commands in containers: real processes in a scratch directory of the pod, never as root.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::environment;
use crate::cluster::Cluster;
use crate::json;
use crate::kinds::core::{CONFIG_MAP, SECRET};
use crate::kinds::storage::PERSISTENT_VOLUME_CLAIM;

/// The user "nobody": who commands run as when the sandbox is root.
const NOBODY: u32 = 65_534;
/// How long output may still come after the process has ended; a child of it may hold the pipe.
const DRAIN: Duration = Duration::from_secs(2);

pub enum Output {
    Out(Bytes),
    Error(Bytes),
}

/// What a command is to be, and what it is connected to.
pub struct Command {
    pub words: Vec<String>,
    pub environment: Vec<(String, String)>,
    pub directory: PathBuf,
    pub terminal: bool,
    /// None: no input at all.
    pub input: Option<mpsc::Receiver<Bytes>>,
    pub output: mpsc::Sender<Output>,
    /// Columns and rows.
    pub sizes: mpsc::Receiver<(u16, u16)>,
    /// The client went away, or the container ended.
    pub stop: CancellationToken,
}

/// Where the scratch directories of a cluster's pods are. Commands run as "nobody" and must be
/// able to get there, which a private data directory does not allow.
pub fn scratch_root(directory: &Path, range: u8) -> PathBuf {
    let open = |path: &Path| {
        path.ancestors().all(|part| {
            part.as_os_str().is_empty()
                || std::fs::metadata(part).is_ok_and(|metadata| metadata.permissions().mode() & 0o001 != 0)
        })
    };
    let absolute = std::fs::canonicalize(directory).unwrap_or_else(|_| directory.to_owned());
    if !rustix::process::geteuid().is_root() || open(&absolute) {
        absolute.join("pods")
    } else {
        std::env::temp_dir().join(format!("longshore-sandbox-{range}"))
    }
}

/// Makes the pod's directory, with its config maps and secrets as files under their mount paths.
pub fn prepare(cluster: &Cluster, pod: &Value, container: &Value) -> std::io::Result<PathBuf> {
    let directory = cluster.scratch.join(json::text(pod, "/metadata/uid"));
    make_directory(&directory)?;
    let namespace = json::text(pod, "/metadata/namespace");
    for mount in json::items(container, "/volumeMounts") {
        let name = json::text(mount, "/name");
        let Some(volume) = json::items(pod, "/spec/volumes")
            .iter()
            .find(|volume| volume["name"] == name)
        else {
            continue;
        };
        let at = below(&directory, json::text(mount, "/mountPath"));
        if volume["emptyDir"].is_object() {
            make_parents(&directory, &at)?;
        }
        let claim = json::text(&volume["persistentVolumeClaim"], "/claimName");
        if let Some(claim) = cluster.store.get(&PERSISTENT_VOLUME_CLAIM, namespace, claim) {
            mount_claim(&cluster.scratch, &claim.uid, &directory, &at)?;
        }
        for (source, field, kind) in [
            (&volume["configMap"], "/name", &CONFIG_MAP),
            (&volume["secret"], "/secretName", &SECRET),
        ] {
            let Some(data) = environment::data_of(cluster, kind, namespace, json::text(source, field)) else {
                continue;
            };
            let items = json::items(source, "/items");
            for (key, bytes) in data {
                let item = items.iter().find(|item| item["key"] == key.as_str());
                let path = match item {
                    Some(item) => json::text(item, "/path"),
                    None if items.is_empty() => key.as_str(),
                    None => continue,
                };
                let sub_path = json::text(mount, "/subPath");
                let file = match sub_path {
                    "" => below(&at, path),
                    wanted if wanted == path => at.clone(),
                    _ => continue,
                };
                if let Some(parent) = file.parent() {
                    make_parents(&directory, parent)?;
                }
                std::fs::write(&file, bytes)?;
                own(&file)?;
            }
        }
    }
    Ok(directory)
}

/// What is written in a claim is there for the next pod too.
fn mount_claim(scratch: &Path, uid: &str, directory: &Path, at: &Path) -> std::io::Result<()> {
    let stored = scratch.join("claims").join(uid);
    make_directory(&stored)?;
    if let Some(parent) = at.parent() {
        make_parents(directory, parent)?;
    }
    match std::os::unix::fs::symlink(stored, at) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// A path below a directory, whatever the path says.
fn below(directory: &Path, path: &str) -> PathBuf {
    let parts = Path::new(path)
        .components()
        .filter(|part| matches!(part, Component::Normal(_)));
    directory.join(parts.collect::<PathBuf>())
}

fn make_parents(root: &Path, directory: &Path) -> std::io::Result<()> {
    let mut missing: Vec<&Path> = directory.ancestors().take_while(|part| *part != root).collect();
    missing.reverse();
    missing.into_iter().try_for_each(make_directory)
}

fn make_directory(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    own(directory)
}

/// Gives a file to the user that commands run as.
fn own(path: &Path) -> std::io::Result<()> {
    if rustix::process::geteuid().is_root() {
        std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY))?;
    }
    Ok(())
}

/// Runs a command to its end and returns the `Status` that tells how it ended.
pub async fn run(command: Command) -> Value {
    if command.words.is_empty() {
        return failure("you must specify at least one command for the container");
    }
    if command.terminal {
        in_terminal(command).await
    } else {
        with_pipes(command).await
    }
}

fn failure(message: &str) -> Value {
    json!({"metadata": {}, "status": "Failure", "message": message, "reason": "InternalError", "code": 500,
        "details": {"causes": [{"message": message}]}})
}

fn not_started(words: &[String], error: &std::io::Error) -> Value {
    let why = match error.kind() {
        std::io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        std::io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        _ => error.to_string(),
    };
    let word = &words[0];
    failure(&format!(
        "error executing command in container: failed to exec in container: unable to start container process: exec: {word:?}: stat {word}: {why}"
    ))
}

fn ended(status: std::io::Result<std::process::ExitStatus>) -> Value {
    use std::os::unix::process::ExitStatusExt as _;
    let Ok(status) = status else {
        return failure("the process was lost");
    };
    // A process that a signal ended counts as 128 plus the signal, as shells have it.
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal))
        .unwrap_or(255);
    if code == 0 {
        return json!({"metadata": {}, "status": "Success"});
    }
    json!({
        "metadata": {},
        "status": "Failure",
        "message": format!("command terminated with non-zero exit code: exit status {code}"),
        "reason": "NonZeroExitCode",
        "details": {"causes": [{"reason": "ExitCode", "message": code.to_string()}]},
    })
}

async fn with_pipes(mut command: Command) -> Value {
    let mut builder = tokio::process::Command::new(&command.words[0]);
    builder
        .args(&command.words[1..])
        .env_clear()
        .envs(command.environment.iter().cloned())
        .current_dir(&command.directory)
        .process_group(0)
        .stdin(if command.input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    if rustix::process::geteuid().is_root() {
        builder.uid(NOBODY).gid(NOBODY);
    }
    let mut child = match builder.spawn() {
        Ok(child) => child,
        Err(error) => return not_started(&command.words, &error),
    };
    let group = child.id();
    let mut feeding = None;
    if let (Some(mut stdin), Some(mut input)) = (child.stdin.take(), command.input.take()) {
        feeding = Some(tokio::spawn(async move { feed(&mut stdin, &mut input).await }));
    }
    let out = child
        .stdout
        .take()
        .map(|pipe| tokio::spawn(pump(pipe, command.output.clone(), Output::Out)));
    let errors = child
        .stderr
        .take()
        .map(|pipe| tokio::spawn(pump(pipe, command.output.clone(), Output::Error)));
    let status = wait(&mut child, group, &command.stop).await;
    for pipe in [out, errors].into_iter().flatten() {
        let aborting = pipe.abort_handle();
        if tokio::time::timeout(DRAIN, pipe).await.is_err() {
            aborting.abort();
        }
    }
    if let Some(feeding) = feeding {
        feeding.abort();
    }
    kill(group);
    ended(status)
}

async fn in_terminal(mut command: Command) -> Value {
    let opened = pty_process::open();
    let (pty, pts) = match opened {
        Ok(opened) => opened,
        Err(error) => return failure(&format!("cannot open a terminal: {error}")),
    };
    let mut builder = pty_process::Command::new(&command.words[0])
        .args(&command.words[1..])
        .env_clear()
        .envs(command.environment.iter().cloned())
        .env("TERM", "xterm")
        .current_dir(&command.directory)
        .kill_on_drop(true);
    if rustix::process::geteuid().is_root() {
        builder = builder.uid(NOBODY).gid(NOBODY);
    }
    let mut child = match builder.spawn(pts) {
        Ok(child) => child,
        Err(pty_process::Error::Io(error)) => return not_started(&command.words, &error),
        Err(error) => return failure(&format!("cannot start in a terminal: {error}")),
    };
    let group = child.id();
    let (reader, mut writer) = pty.into_split();
    let out = tokio::spawn(pump(reader, command.output.clone(), Output::Out));
    let mut sizes = command.sizes;
    let mut input = command.input.take();
    let feeding = tokio::spawn(async move {
        loop {
            let typed = async {
                match &mut input {
                    Some(input) => input.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                size = sizes.recv() => match size {
                    Some((columns, rows)) => drop(writer.resize(pty_process::Size::new(rows, columns))),
                    None => std::future::pending().await,
                },
                typed = typed => match typed {
                    Some(bytes) => if writer.write_all(&bytes).await.is_err() { return },
                    None => input = None,
                },
            }
        }
    });
    let status = wait(&mut child, group, &command.stop).await;
    let aborting = out.abort_handle();
    if tokio::time::timeout(DRAIN, out).await.is_err() {
        aborting.abort();
    }
    feeding.abort();
    kill(group);
    ended(status)
}

/// Waits for the end; when told to stop, brings it about.
async fn wait(
    child: &mut tokio::process::Child,
    group: Option<u32>,
    stop: &CancellationToken,
) -> std::io::Result<std::process::ExitStatus> {
    tokio::select! {
        status = child.wait() => return status,
        () = stop.cancelled() => {}
    }
    kill(group);
    let _ = child.start_kill();
    child.wait().await
}

/// Kills what the command left behind in its process group.
fn kill(group: Option<u32>) {
    let group = group
        .and_then(|id| i32::try_from(id).ok())
        .and_then(rustix::process::Pid::from_raw);
    if let Some(group) = group {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
}

async fn feed(into: &mut (impl AsyncWrite + Unpin), input: &mut mpsc::Receiver<Bytes>) {
    while let Some(bytes) = input.recv().await {
        if into.write_all(&bytes).await.is_err() || into.flush().await.is_err() {
            return;
        }
    }
}

async fn pump(mut from: impl AsyncRead + Unpin, into: mpsc::Sender<Output>, kind: fn(Bytes) -> Output) {
    let mut buffer = vec![0; 16 * 1024];
    // A terminal whose last process ended answers with an error: that is its end.
    while let Ok(count) = from.read(&mut buffer).await
        && count > 0
    {
        if into
            .send(kind(Bytes::copy_from_slice(&buffer[..count])))
            .await
            .is_err()
        {
            return;
        }
    }
}
