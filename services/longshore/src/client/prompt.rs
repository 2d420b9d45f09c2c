//! Asking: on the terminal when there is one, otherwise a line of standard input.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use tokio::sync::oneshot;

use super::failure::{Failure, Outcome};

/// Asks for a line.
pub async fn line(question: &str) -> Outcome<String> {
    if std::io::stdin().is_terminal() {
        let mut out = std::io::stderr().lock();
        write!(out, "{question}: ")?;
        out.flush()?;
    }
    // A thread of its own: a task that waits for the keyboard would keep the program from ending at Ctrl-C.
    let (sender, receiver) = oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = std::io::stdin().lock().read_line(&mut line).map(|_| line);
        drop(sender.send(read));
    });
    let line = receiver
        .await
        .context("reading standard input")?
        .context("reading standard input")?;
    let line = line.trim_end_matches(['\r', '\n']);
    if line.is_empty() {
        return Err(Failure::usage(format!(
            "nothing was given as {}",
            question.to_lowercase()
        )));
    }
    Ok(line.to_owned())
}

/// Asks for a line that is not shown while it is typed.
pub async fn secret(question: &str) -> Outcome<String> {
    let hidden = Hidden::begin();
    let line = line(question).await;
    if hidden.is_some() {
        drop(hidden);
        // The line end that was typed wasn't shown either.
        writeln!(std::io::stderr())?;
    }
    line
}

/// Whether somebody is there to be asked.
#[must_use]
pub fn is_possible() -> bool {
    std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
}

/// A terminal that doesn't show what is typed; it does again when this is dropped, at Ctrl-C too.
struct Hidden(Termios);

impl Hidden {
    fn begin() -> Option<Self> {
        let before = tcgetattr(std::io::stdin()).ok()?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet).ok()?;
        Some(Self(before))
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.0);
    }
}
