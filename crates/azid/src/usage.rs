//! Reads the command line, and says what is wrong with it.

use std::{ffi::OsString, process::ExitCode};

use clap::{
    CommandFactory, Parser,
    error::{ContextKind, ContextValue, ErrorKind},
};

use crate::{
    cli::Cli,
    failure::{Failure, Style},
};

/// What the user typed; or the exit code, when everything has been said.
pub(crate) fn parse(args: &[OsString]) -> Result<Cli, ExitCode> {
    let error = match Cli::try_parse_from(args) {
        Ok(cli) => return Ok(cli),
        Err(error) => without_values(error),
    };
    if !error.use_stderr() {
        let _ = error.print();
        return Err(ExitCode::SUCCESS);
    }
    let failure = Failure::Configuration(message(&error));
    if wants_json(args) {
        failure.report(Style::Json);
    } else {
        let _ = error.print();
    }
    Err(failure.exit_code())
}

/// A value in the wrong place may be a secret or a token, so it is not repeated.
fn without_values(error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    if error.kind() != ErrorKind::UnknownArgument || is_option(argument) {
        return error;
    }
    Cli::command().error(
        ErrorKind::UnknownArgument,
        "there is one value too many: values belong to options (it is not repeated here, since it may be a secret)",
    )
}

/// Whether it was meant as an option. A key in PEM form begins with dashes, too.
fn is_option(argument: &str) -> bool {
    const LONGEST: usize = 40;
    let name = argument.trim_start_matches('-');
    (1..=2).contains(&(argument.len() - name.len()))
        && argument.len() <= LONGEST
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The first paragraph of what would be printed, without its heading.
fn message(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let end = text.find("\n\nUsage:").unwrap_or(text.len());
    let end = text
        .find("\n\nFor more information")
        .unwrap_or(end)
        .min(end);
    text[..end].trim().to_owned()
}

/// Whether JSON was asked for, in a command line that could not be read as a whole.
fn wants_json(args: &[OsString]) -> bool {
    let mut value_follows = false;
    for arg in args.iter().filter_map(|arg| arg.to_str()) {
        if value_follows && arg == "json" {
            return true;
        }
        value_follows = false;
        if arg == "--" {
            return false;
        }
        let value = match arg.strip_prefix("--") {
            Some("output") => Some(""),
            Some(long) => long.strip_prefix("output="),
            None => arg
                .strip_prefix('-')
                .and_then(|short| short.trim_start_matches('v').strip_prefix('o')),
        };
        match value {
            Some("") => value_follows = true,
            Some("json" | "=json") => return true,
            _ => {}
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn json_is_recognised_in_every_form() {
        for line in [
            "azid token -o json",
            "azid token -ojson",
            "azid token -o=json --what",
            "azid token --output json",
            "azid token --output=json",
            "azid token -vvo json",
            "azid token -vojson",
        ] {
            assert!(wants_json(&args(line)), "{line}");
        }
        for line in [
            "azid token",
            "azid token -o header json",
            "azid token -s json",
            "azid token -- -o json",
            "azid token --output-file json",
        ] {
            assert!(!wants_json(&args(line)), "{line}");
        }
    }
}
