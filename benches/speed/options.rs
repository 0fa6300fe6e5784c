//! What can be said on the command line.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand};

/// Measure a help desk, and write what was found into docs/performance.md.
#[derive(Debug, Parser)]
#[command(name = "speed")]
pub struct Options {
    /// What to measure.
    #[command(subcommand)]
    pub what: What,
    /// How large the desk of the operations table is, in tickets.
    #[arg(long, global = true, default_value_t = 100_000)]
    pub tickets: u32,
    /// How large the desks are between which growth is measured, the smallest first.
    #[arg(long, global = true, value_delimiter = ',', default_values_t = [10_000, 100_000, 1_000_000])]
    pub sizes: Vec<u32>,
    /// How many articles every desk has, but the one that searches are compared with, which has a hundredth.
    #[arg(long, global = true, default_value_t = 100_000)]
    pub articles: u32,
    /// How long each single measurement takes.
    #[arg(long, global = true, default_value_t = 1.0)]
    pub seconds: f64,
    /// How often what is compared is measured in turns; the median counts.
    #[arg(long, global = true, default_value_t = 5)]
    pub rounds: usize,
    /// How long each measurement that is compared waits, in seconds, for a machine that nobody else's work slows down. After that
    /// it is made all the same. How many were undisturbed is said above each table.
    #[arg(long, global = true, default_value_t = 0.0)]
    pub patience: f64,
    /// The server to measure; when absent, that of this build.
    #[arg(long, global = true, default_value = env!("CARGO_BIN_EXE_lodge"))]
    pub binary: PathBuf,
    /// Where the databases are made and measured, in a folder of the run that it removes again. On a real disk: syncs count.
    #[arg(long, global = true, default_value_os_t = std::env::temp_dir())]
    pub folder: PathBuf,
    /// Keep the desks that were made in this folder, and take those that are there: a desk of a million tickets takes minutes.
    #[arg(long, global = true)]
    pub desks: Option<PathBuf>,
    /// Where performance.md and its plot are.
    #[arg(long, global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/docs"))]
    pub output: PathBuf,
    /// What `cargo bench` says to every harness.
    #[arg(long, global = true, hide = true)]
    bench: bool,
}

/// What is measured.
#[derive(Debug, Subcommand)]
pub enum What {
    /// Every operation of the External API on one desk, the limits beside it, and the efficiency.
    Measure,
    /// What the main operations cost at each size.
    Growth,
    /// Everything: the two above and what else the goals ask for, and which goals are reached.
    Goals,
    /// Ask one server the same thing over and over: for comparisons with other programs.
    Load(Load),
    /// Answer every path with as many bytes as it says, by the server's own code: one of the limits.
    #[command(hide = true)]
    Constant,
}

/// What to ask, and how.
#[derive(Debug, clap::Args)]
pub struct Load {
    /// What to ask for: `http://ADDRESS:PORT/PATH`.
    #[arg(long)]
    pub url: String,
    /// A header field, `Name: value`; any number of them.
    #[arg(long)]
    pub header: Vec<String>,
    /// Over how many connections at once.
    #[arg(long, default_value_t = 16)]
    pub connections: usize,
    /// The server's process, whose time and memory are measured with those of its children.
    #[arg(long)]
    pub pid: Option<u32>,
}

impl Options {
    /// How long each single measurement takes.
    pub fn time(&self) -> Duration {
        Duration::from_secs_f64(self.seconds)
    }

    /// How long each measurement that is compared waits for an undisturbed machine.
    pub fn patience(&self) -> Duration {
        Duration::from_secs_f64(self.patience)
    }

    /// The smallest and the largest desk.
    pub fn ends(&self) -> (u32, u32) {
        let ends = (self.sizes.iter().min(), self.sizes.iter().max());
        (ends.0.copied().unwrap_or(self.tickets), ends.1.copied().unwrap_or(self.tickets))
    }
}

impl Load {
    /// The address and the path of the URL.
    pub fn target(&self) -> Result<(SocketAddr, String), crate::Failure> {
        let rest = self.url.strip_prefix("http://").ok_or("the URL does not begin with http://")?;
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        Ok((host.parse().map_err(|_| format!("{host} is no address with a port"))?, format!("/{path}")))
    }
}
