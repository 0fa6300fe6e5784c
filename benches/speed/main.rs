//! How fast a desk is, and how near that is to what could be: every operation against the release binary, beside the two
//! limits; the same at a hundred times the size; and what the goals of docs/performance.md ask for.
//!
//! `cargo bench --bench speed -- goals` measures everything and fills the tables of that page; `measure` and `growth` a part
//! of it. `load` is the load client by itself, for comparisons with other programs (`peers/`). Linux only: times of
//! processes are read from `/proc`.

#![allow(clippy::print_stdout, reason = "the figures are what this program is run for")]

mod case;
mod constant;
mod desk;
mod direct;
mod goal;
mod goals;
mod growth;
mod inside;
mod load;
mod measure;
mod options;
mod page;
mod plot;
mod quiet;
mod server;
mod sync;
mod words;

use mimalloc::MiMalloc;
use std::process::ExitCode;

use clap::Parser;
use counting::Counting;

use load::Run;
use options::{Options, What};
use page::Page;

/// What goes wrong with a measurement itself.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The allocator beneath must be that of src/main.rs, because the constant body is served by this program.
#[global_allocator]
static ALLOCATOR: Counting<MiMalloc> = Counting::new(MiMalloc);

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            println!("\nnot every goal is reached");
            ExitCode::FAILURE
        }
        Err(error) => {
            println!("the measurement itself failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is as it should be.
fn run(options: &Options) -> Result<bool, Failure> {
    let folder = || tempfile::Builder::new().prefix("speed-").tempdir_in(&options.folder);
    match &options.what {
        What::Constant => constant::run().map(|()| true),
        What::Load(load) => ask(options, load).map(|()| true),
        What::Measure => measure::measure(options, folder()?.path(), &mut Page::open(options)?).map(|_| true),
        What::Growth => growth::growth(options, folder()?.path(), &mut Page::open(options)?).map(|()| true),
        What::Goals => goals::goals(options, folder()?.path(), &mut Page::open(options)?),
    }
}

/// Asks any server, and prints one line of JSON.
fn ask(options: &Options, what: &options::Load) -> Result<(), Failure> {
    let (address, path) = what.target()?;
    let fields = what.header.iter().filter_map(|field| field.split_once(": "));
    let headers = fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let ask = load::Ask { method: "GET", path, headers, body: None };
    let processes = || what.pid.map(server::family).unwrap_or_default();
    let gauge = || processes().into_iter().map(server::cpu).sum();
    let run = Run::new(what.connections, options.time());
    let outcome = load::block_on(load::drive(address, run, 200, &mut || Some(ask.clone()), &gauge))??;
    let memory: u64 = processes().into_iter().map(|pid| server::memory(pid, "VmRSS")).sum();
    println!(
        "{}",
        serde_json::json!({
            "requests_per_second": outcome.rate().round(),
            "p50_us": outcome.micros(0.5).round(),
            "p99_us": outcome.micros(0.99).round(),
            "cpu_us": outcome.cost().round(),
            "resident_kib": memory,
            "bytes": outcome.length,
        })
    );
    Ok(())
}
