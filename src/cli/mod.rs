//! The command line: one subcommand a file. What a script needs goes to stdout, everything else to stderr.

mod agent;
mod backup;
mod check;
mod demo;
mod key;
mod openapi;
mod restore;
mod seed;
mod serve;

use std::path::Path;

use clap::{Parser, Subcommand};

use crate::db::open::{self, OpenError};
use crate::db::{Tx, write_beside};
use crate::error::{Error, Result as DomainResult};
use crate::time::Clock;

/// A help desk in one file.
///
/// Lodge keeps tickets, conversations, a knowledge base and notifications in one SQLite database and serves them to support
/// agents over a typed REST API, with Swagger UI at /docs.
///
/// To look around: `lodge demo`. For real: `lodge serve`, then `lodge agent create` and `lodge key create`.
#[derive(Debug, Parser)]
#[command(name = "lodge", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Demo),
    Serve(serve::Serve),
    Seed(seed::Seed),
    Agent(agent::Agent),
    Key(key::Key),
    Openapi(openapi::Openapi),
    Backup(backup::Backup),
    Restore(restore::Restore),
    Check(check::Check),
}

/// Why a command did not do what it was asked to: one sentence and an exit code.
#[derive(Debug)]
pub struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    /// A refusal: exit code 1.
    fn refused(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into() }
    }

    /// The call makes no sense: exit code 2.
    fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into() }
    }

    /// Something is in use and may be free later (EX_TEMPFAIL of sysexits.h): exit code 75.
    fn in_use(message: impl Into<String>) -> Self {
        Self { code: 75, message: message.into() }
    }

    /// The exit code.
    pub fn code(&self) -> u8 {
        self.code
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::InUse(_) => Self::in_use(error.to_string()),
            _ => Self::refused(error.to_string()),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            Error::Overloaded => Self::in_use(error.to_string()),
            _ => Self::refused(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self::refused(error.to_string())
    }
}

/// Runs a command.
///
/// # Errors
/// [`Failure`].
pub fn run(cli: Cli) -> Result<(), Failure> {
    match cli.command {
        Command::Demo(command) => command.run(),
        Command::Serve(command) => command.run(),
        Command::Seed(command) => command.run(),
        Command::Agent(command) => command.run(),
        Command::Key(command) => command.run(),
        Command::Openapi(command) => command.run(),
        Command::Backup(command) => command.run(),
        Command::Restore(command) => command.run(),
        Command::Check(command) => command.run(),
    }
}

/// Changes an existing database in one short transaction, beside a server that may be running. Never migrates.
fn change<T>(path: &Path, job: impl FnOnce(&Tx<'_>) -> DomainResult<T>) -> Result<T, Failure> {
    open::ready(path)?;
    let mut conn = open::writable(path)?;
    Ok(write_beside(&mut conn, &Clock::default(), job)?)
}

/// Reads an existing database. On a connection that may write, because only such a one tidies its log away afterwards.
fn look<T>(path: &Path, job: impl FnOnce(&Tx<'_>) -> DomainResult<T>) -> Result<T, Failure> {
    change(path, job)
}

/// A field of a tab-separated line: what would end the field or the line is shown as a space.
fn field(text: &str) -> String {
    text.replace(|c: char| c.is_control(), " ")
}

/// Prints a line to stdout. A reader that has left is no error.
fn print(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints a line for a person to stderr.
fn tell(line: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "{line}");
}
