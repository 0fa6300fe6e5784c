//! The program: parse, run, map an error to an exit code.

use std::process::ExitCode;

use clap::Parser;
use lodge::cli::{Cli, run};

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("lodge: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
