//! `lodge demo`.

use std::path::PathBuf;

use clap::Args;

use super::serve::{Way, refuse_published, start, take_port};
use super::{Failure, print, tell};
use crate::config::Server;
use crate::db::migrate;
use crate::db::open::{self, OpenError};
use crate::seed;
use crate::time::Clock;

/// Start with a sample desk: the one-command start.
///
/// Makes a sample database if there is none, then serves it: a small software company's desk with agents, customers, tickets
/// and articles. An older sample's times are moved forward by whole days. A file that is not a sample is refused.
///
/// Prints the address of the docs, a ready curl line and the agents' demo keys. The keys are published, so the demo stays on
/// loopback unless --allow-demo-keys is given.
#[derive(Args, Debug)]
pub struct Demo {
    /// The sample database; made if it does not exist.
    #[arg(long, env = "LODGE_DB", default_value = "lodge-demo.db", value_name = "FILE")]
    db: PathBuf,
    /// Make the sample afresh: whatever was changed in it is lost.
    #[arg(long, env = "LODGE_RESET")]
    reset: bool,
    #[command(flatten)]
    server: Server,
}

impl Demo {
    /// Serves the sample until told to stop.
    pub fn run(self) -> Result<(), Failure> {
        let listener = take_port(&self.server)?;
        let clock = Clock::default();
        match open::probe(&self.db) {
            Err(OpenError::Missing(_)) => self.make(&clock)?,
            Ok(_) => {
                if !seed::is_sample(&self.db)? {
                    return Err(Failure::refused(format!(
                        "{} is not a sample database; it was left as it is. Use another --db, or lodge serve",
                        self.db.display()
                    )));
                }
                // A server that has the file open must not see its times move.
                let lock = open::Lock::take(&self.db)?;
                migrate::upgrade(&self.db, &migrate::TODAY, &lock, clock.now())?;
                if self.reset {
                    self.make(&clock)?;
                } else {
                    seed::move_sample(&self.db, &clock)?;
                }
                drop(lock);
            }
            Err(error) => return Err(error.into()),
        }
        start(&self.db, listener, &self.server, &Way::Whole(None), |address, _| {
            let keys = seed::demo_keys();
            tell(&format!("Lodge serves the sample desk in {}.", self.db.display()));
            print(&format!("Docs:  http://{address}/docs"));
            if let Some((_, key)) = keys.first() {
                print(&format!(
                    "Try:   curl -H 'X-API-KEY: {key}' 'http://{address}/api/v1/external/tickets?per_page=1'"
                ));
            }
            print("Demo keys, one agent a line:");
            for (name, key) in &keys {
                print(&format!("{name}\t{key}"));
            }
        })
    }

    /// Makes the sample, in place of one that may be there. Its keys are published, so where it will listen is looked at
    /// first: a refusal leaves everything as it was.
    fn make(&self, clock: &Clock) -> Result<(), Failure> {
        refuse_published(&self.server, &self.db, seed::demo_keys().len())?;
        open::remove(&self.db);
        Ok(seed::create_sample(&self.db, clock)?)
    }
}
