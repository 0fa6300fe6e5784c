//! The program: parse, run, map an error to an exit code.

use std::process::ExitCode;

use clap::Parser;
use lodge::cli::{Cli, run};
use mimalloc::MiMalloc;

/// Answers and what they are made of are a few kilobytes each, which the system's allocator looks long for.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("lodge: {failure}");
            ExitCode::from(failure.code())
        }
    }
}
