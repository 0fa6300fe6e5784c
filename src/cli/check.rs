//! `lodge check`.

use clap::Args;

use super::{Failure, print, tell};
use crate::config::Database;
use crate::db::{check, open};
use crate::error::Error;

/// Look a whole database through, also while it is served.
///
/// Pages and indexes, references between rows, the schema, what the search indexes hold against what they should, and every
/// counter against a recount: a line each on stdout, with `ok` or with what is wrong. Exits with 1 if anything is. Files
/// that others than their owner may read or write are named on stderr. Changes nothing.
#[derive(Args, Debug)]
pub struct Check {
    #[command(flatten)]
    database: Database,
}

impl Check {
    /// Looks and tells.
    pub fn run(self) -> Result<(), Failure> {
        let path = &self.database.db;
        open::check(path)?;
        for file in open::open_to_others(path) {
            tell(&format!("{} may be read or written by others than its owner", file.display()));
        }
        let conn = open::looking(path)?;
        let bad = check::run(&conn, &mut |finding| print(&format!("{}\t{}", finding.name, finding.faults)))
            .map_err(Error::from)?;
        match bad {
            0 => Ok(()),
            bad => Err(Failure::refused(format!("{bad} of the checks of {} failed", path.display()))),
        }
    }
}
