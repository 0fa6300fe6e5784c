//! `lodge seed`.

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, tell};
use crate::config::Database;
use crate::db::open::{self, OpenError};
use crate::seed::{self, Size};
use crate::time::Clock;

/// Fill an empty database with sample data.
///
/// Without --tickets: the hand-written sample of `lodge demo`. With --tickets: a desk of any size, made of the same
/// vocabulary; the same --seed makes the same data, with times relative to now. A database that holds data is refused.
#[derive(Args, Debug)]
pub struct Seed {
    #[command(flatten)]
    database: Database,
    /// How many tickets to make, each with about five messages.
    #[arg(long, env = "LODGE_TICKETS", value_name = "N", value_parser = clap::value_parser!(u32).range(1..=50_000_000))]
    tickets: Option<u32>,
    /// How many agents to make; with --tickets.
    #[arg(long, env = "LODGE_AGENTS", value_name = "N", default_value_t = 50, requires = "tickets",
          value_parser = clap::value_parser!(u32).range(1..=10_000))]
    agents: u32,
    /// How many articles to make; with --tickets.
    #[arg(long, env = "LODGE_ARTICLES", value_name = "N", default_value_t = 1000, requires = "tickets",
          value_parser = clap::value_parser!(u32).range(0..=10_000_000))]
    articles: u32,
    /// What the choices are drawn from.
    #[arg(long, env = "LODGE_SEED", value_name = "N", default_value_t = 1, requires = "tickets")]
    seed: u64,
}

impl Seed {
    /// Fills the database.
    pub fn run(self) -> Result<(), Failure> {
        let path = &self.database.db;
        let fresh = match open::ready(path) {
            Err(OpenError::Missing(_)) => true,
            other => other.map(|()| false)?,
        };
        if !fresh && !seed::is_empty(path)? {
            return Err(Failure::refused(format!(
                "{} holds data already; it was left as it is",
                path.display()
            )));
        }
        let lock = open::Lock::take(path)?;
        if fresh {
            open::create(path)?;
        }
        let clock = Clock::default();
        let filled = match self.tickets {
            None => seed::fill_sample(path, &clock),
            Some(tickets) => {
                let bar = ProgressBar::new(u64::from(tickets));
                if let Ok(style) =
                    ProgressStyle::with_template("{bar:40} {pos}/{len} tickets, {per_sec}, {eta} left")
                {
                    bar.set_style(style);
                }
                let size = Size { tickets, agents: self.agents, articles: self.articles, seed: self.seed };
                let made = seed::fill_large(path, &clock, &size, &|done| bar.set_position(done));
                bar.finish();
                made
            }
        };
        if filled.is_err() && fresh {
            open::remove(path);
        }
        drop(lock);
        let made = filled?;
        tell(&format!(
            "{} has {} tickets, {} messages and {} articles.",
            path.display(),
            made.tickets,
            made.messages,
            made.articles
        ));
        for (name, key) in made.keys.iter().take(10) {
            super::print(&format!("{name}\t{key}"));
        }
        Ok(())
    }
}
