//! `lodge backup`.

use std::path::{Path, PathBuf};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};

use super::{Failure, tell};
use crate::config::Database;
use crate::db::backup::{self, Counts, Stage, Watch};
use crate::db::open;

/// Copy a database, also while it is served.
///
/// The copy holds one moment's data. It is written beside FILE, opened again, looked through, its rows are counted, and only
/// then it gets its name: FILE is whole or it is not there. An existing FILE is refused.
#[derive(Args, Debug)]
pub struct Backup {
    #[command(flatten)]
    database: Database,
    /// Where the copy is to be.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

impl Backup {
    /// Makes the copy.
    pub fn run(self) -> Result<(), Failure> {
        open::probe(&self.database.db)?;
        let source = open::looking(&self.database.db)?;
        let counts = with_bar(|watch| backup::write(&source, &self.file, watch))?;
        tell(&told(&self.file, &counts));
        Ok(())
    }
}

/// Makes a copy with a bar that says how far it is.
pub fn with_bar<T>(copy: impl FnOnce(&Watch<'_>) -> T) -> T {
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} pages {msg}") {
        bar.set_style(style);
    }
    let report = |stage| match stage {
        Stage::Copying(done, all) => {
            bar.set_length(all);
            bar.set_position(done);
        }
        Stage::Verifying => bar.set_message("looking the copy through"),
    };
    let done = copy(&Watch { report: &report, ..Watch::default() });
    bar.finish_and_clear();
    done
}

/// What a file holds, for people.
pub fn told(path: &Path, counts: &Counts) -> String {
    let rows = |table: &str| counts.get(table).copied().unwrap_or(0);
    format!(
        "{} is whole: {} tickets, {} messages, {} articles, {} customers and {} agents.",
        path.display(),
        rows("ticket"),
        rows("message"),
        rows("knowledge_article"),
        rows("customer"),
        rows("agent"),
    )
}
