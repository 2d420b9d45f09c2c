//! The page of the program's commands, from what the program itself knows of them.

use clap::{Arg, Command};

use crate::client::failure::EXIT_CODES;

/// The page, as Markdown.
#[must_use]
pub fn page(mut program: Command) -> String {
    program.build();
    let mut text = String::from(
        "# Commands\n\n\
         This page is written by `make commands`; a test fails while it is not what the program says of itself.\n\n\
         ## Exit codes of the client's commands\n\n\
         | code | meaning |\n|---|---|\n",
    );
    for (code, meaning) in EXIT_CODES {
        text.push_str(&format!("| {code} | {meaning} |\n"));
    }
    for command in visible(&program) {
        section(command, "longshore", &mut text);
    }
    text
}

fn visible(command: &Command) -> impl Iterator<Item = &Command> {
    command
        .get_subcommands()
        .filter(|inner| !inner.is_hide_set() && inner.get_name() != "help")
}

fn section(command: &Command, parent: &str, text: &mut String) {
    let name = format!("{parent} {}", command.get_name());
    let inner: Vec<&Command> = visible(command).collect();
    if inner.is_empty() {
        text.push_str(&format!("\n## {name}\n\n"));
        let about = command.get_long_about().or(command.get_about());
        if let Some(about) = about {
            text.push_str(&format!("{about}\n\n"));
        }
        let usage = command.clone().render_usage().to_string();
        text.push_str(&format!("```\n{}\n```\n\n", usage.trim_start_matches("Usage: ")));
        arguments(command, text);
    }
    for command in inner {
        section(command, &name, text);
    }
}

fn arguments(command: &Command, text: &mut String) {
    let shown: Vec<&Arg> = command
        .get_arguments()
        .filter(|argument| {
            !argument.is_hide_set() && !matches!(argument.get_id().as_str(), "help" | "version")
        })
        .collect();
    if shown.is_empty() {
        return;
    }
    text.push_str("| argument | meaning |\n|---|---|\n");
    for argument in shown {
        text.push_str(&format!("| {} | {} |\n", name(argument), meaning(argument)));
    }
}

fn name(argument: &Arg) -> String {
    let value = argument
        .get_value_names()
        .and_then(|names| names.first())
        .map(ToString::to_string)
        .unwrap_or_default();
    if argument.is_positional() {
        return format!("`{value}`");
    }
    let short = argument.get_short().map(|short| format!("-{short}"));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let names: Vec<String> = short.into_iter().chain(long).collect();
    if argument.get_action().takes_values() {
        format!("`{} {value}`", names.join(", "))
    } else {
        format!("`{}`", names.join(", "))
    }
}

fn meaning(argument: &Arg) -> String {
    let mut text = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| format!("`{}`", value.get_name()))
        .collect();
    if argument.get_action().takes_values() && !values.is_empty() {
        text.push_str(&format!(": {}", values.join(", ")));
    }
    let defaults: Vec<String> = argument
        .get_default_values()
        .iter()
        .map(|value| format!("`{}`", value.to_string_lossy()))
        .collect();
    if argument.get_action().takes_values() && !defaults.is_empty() && !argument.is_hide_default_value_set() {
        text.push_str(&format!(" (default {})", defaults.join(", ")));
    }
    if let Some(variable) = argument.get_env() {
        text.push_str(&format!(" (or `{}`)", variable.to_string_lossy()));
    }
    text.replace('|', "\\|")
}
