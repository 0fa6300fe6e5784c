//! `lodge restore`.

use std::path::PathBuf;

use clap::Args;

use super::backup::{told, with_bar};
use super::{Failure, print, tell};
use crate::config::Database;
use crate::db::open::{self, Lock, OpenError};
use crate::db::restore::restore;
use crate::time::Clock;

/// Put a backup in the place of a database that is not being served.
///
/// FILE is copied and looked through first; only a whole one takes the place. A database that is there is refused without
/// --force, and with it kept: its new name is printed. The backup of an older Lodge is upgraded when it is served.
#[derive(Args, Debug)]
pub struct Restore {
    #[command(flatten)]
    database: Database,
    /// The backup.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Replace the database that is there, and keep it under another name.
    #[arg(long, env = "LODGE_FORCE")]
    force: bool,
}

impl Restore {
    /// Puts the backup in place.
    pub fn run(self) -> Result<(), Failure> {
        let place = &self.database.db;
        open::probe(&self.file)?;
        let lock = Lock::take(place)?;
        let clock = Clock::default();
        let restored = with_bar(|watch| restore(&self.file, place, self.force, &lock, clock.now(), watch))
            .map_err(|error| match error {
                OpenError::Exists(path) if !self.force && path == *place => Failure::refused(format!(
                    "{} exists; --force replaces it and keeps it under another name",
                    path.display()
                )),
                error => error.into(),
            })?;
        drop(lock);
        tell(&told(place, &restored.counts));
        if let Some(kept) = restored.kept {
            tell("What was there before is kept:");
            print(&kept.display().to_string());
        }
        Ok(())
    }
}
