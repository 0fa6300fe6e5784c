//! The reliability suite: what happens to a desk when its process, its disk or its clock fails, and when its clients do what
//! they should not or more than it can bear.
//!
//! `cargo bench --bench torture -- NAME` runs one harness against the real binary, prints its seed and its figures, and one
//! row of the table in docs/reliability.md. It exits with 1 when the promise of that page was broken. `short` runs the
//! short form of every harness, `full` the full one. What a harness was seen to catch is in `planted/`, and `prove.sh`
//! shows it again.

#![allow(clippy::print_stdout, reason = "the figures are what this program is run for")]

mod client;
mod clock;
mod corruption;
mod desk;
mod disk_full;
mod fuzz;
mod image;
mod io;
mod journal;
mod kill;
mod model;
mod mutant;
mod oplog;
mod options;
mod overload;
mod power;
mod races;
mod report;
mod revocation;
mod server;
mod shim;
mod slow;
mod soak;
mod sound;
mod traffic;
mod vitals;
mod world;
mod writer;

use std::process::ExitCode;

use clap::Parser;

use options::{Harness, Options};
use report::Report;

/// What goes wrong with a harness itself.
type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let options = Options::parse();
    let harnesses: Vec<Harness> = match options.harness {
        Harness::Short | Harness::Full => Harness::all(),
        one => vec![one],
    };
    let mut reports = vec![];
    for harness in harnesses {
        match run(harness, &options) {
            Ok(mut report) => {
                report.end();
                reports.push(report);
            }
            Err(error) => {
                println!("{harness:?}: the harness itself failed: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("\n{}", report::HEAD);
    reports.iter().for_each(|report| println!("{}", report.row()));
    let passed = reports.iter().filter(|report| report.is_clean()).count();
    println!("\n{passed} passed, {} failed", reports.len() - passed);
    if passed == reports.len() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn run(harness: Harness, options: &Options) -> Result<Report, Failure> {
    match harness {
        Harness::Kill => kill::run(options),
        Harness::Power => power::run(options),
        Harness::Io => io::run(options),
        Harness::DiskFull => disk_full::run(options),
        Harness::Clock => clock::run(options),
        Harness::Corruption => corruption::run(options),
        Harness::Model => model::run(options),
        Harness::Races => races::run(options),
        Harness::Revocation => revocation::run(options),
        Harness::Fuzz => fuzz::run(options),
        Harness::Overload => overload::run(options),
        Harness::Slow => slow::run(options),
        Harness::Soak => soak::run(options),
        Harness::Short | Harness::Full => Err("a form is not a harness".into()),
    }
}
