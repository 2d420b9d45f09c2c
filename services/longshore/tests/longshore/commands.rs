//! What the program says of itself.

use std::process::Stdio;

use clap::CommandFactory as _;
use longshore::arguments::Arguments;
use longshore::commands_page::page;
use tokio::io::AsyncWriteExt as _;
use tokio::process::Command;

#[test]
fn the_page_of_commands_is_fresh() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/COMMANDS.md");
    let now = page(Arguments::command());
    if std::env::var_os("LONGSHORE_UPDATE_COMMANDS").is_some() {
        std::fs::write(path, &now).unwrap();
    }
    let kept = std::fs::read_to_string(path).unwrap_or_default();
    assert!(kept == now, "{path} is stale: `make commands` writes it anew");
    for command in [
        "login",
        "service apply",
        "service logs",
        "operation watch",
        "demo",
        "admin create-user",
    ] {
        assert!(now.contains(&format!("\n## longshore {command}\n")), "{command}");
    }
}

#[tokio::test]
async fn a_shell_is_given_its_completions() {
    for shell in ["bash", "zsh", "fish"] {
        let output = Command::new(env!("CARGO_BIN_EXE_longshore"))
            .args(["completion", shell])
            .output()
            .await
            .unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains("rollback"), "{shell}");
    }
    let script = Command::new(env!("CARGO_BIN_EXE_longshore"))
        .args(["completion", "bash"])
        .output()
        .await
        .unwrap();
    let mut bash = Command::new("bash")
        .arg("-s")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = bash.stdin.take().unwrap();
    input.write_all(&script.stdout).await.unwrap();
    input
        .write_all(b"\nCOMP_WORDS=(longshore service ro) COMP_CWORD=2; _longshore longshore ro service; echo \"${COMPREPLY[@]}\"\n")
        .await
        .unwrap();
    drop(input);
    let said = bash.wait_with_output().await.unwrap();
    assert_eq!(String::from_utf8_lossy(&said.stdout).trim(), "rollback");
}
