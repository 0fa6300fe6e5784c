//! From the schema of an older Lodge to today's.
//!
//! `schema.sql` is today's schema, and what a new file is made from. Version 1 is the first that was released. Every change
//! since is a step in [`STEPS`], in the order of release, one a file in `migrations/`; a step that has been released is never
//! changed. A test upgrades a file of every released version (`tests/golden/`) and compares the result with `schema.sql`.
//!
//! All steps of an upgrade happen in one transaction: a process killed at any moment leaves the old version or the new one.
//! Before it, the file is copied beside itself, so that going back is `lodge restore`.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, TransactionBehavior};

use super::backup::{self, Watch};
use super::file::{self, beside};
use super::migrations;
use super::open::{self, Lock, OpenError, SCHEMA, SCHEMA_VERSION};
use super::shape::Shape;
use crate::time::Timestamp;

/// What one version has changed.
pub struct Step {
    /// In a few words, for the log.
    pub what: &'static str,
    /// Changes the schema and the rows. Foreign keys are not enforced meanwhile, so that a table can be made anew; afterwards
    /// they are checked.
    pub run: fn(&Connection) -> rusqlite::Result<()>,
}

/// The steps: the first leads from version 1 to version 2.
pub const STEPS: &[Step] = &[
    Step {
        what: "tickets are read from one place, and a search reads the caller's only",
        run: migrations::v2::run,
    },
    Step { what: "what a dashboard shows is summed up", run: migrations::v3::run },
    Step { what: "a ticket's customer is read with it", run: migrations::v4::run },
];

const _: () = assert!(STEPS.len() + 1 == SCHEMA_VERSION as usize, "every version but the first has its step");

/// The way to a schema.
pub struct Plan<'a> {
    /// From version 1 on.
    pub steps: &'a [Step],
    /// What a new file of the last version is made from.
    pub schema: &'a str,
}

/// The way to today's schema.
pub const TODAY: Plan<'static> = Plan { steps: STEPS, schema: SCHEMA };

impl Plan<'_> {
    /// The version it leads to.
    pub fn version(&self) -> i32 {
        self.steps.len() as i32 + 1
    }
}

/// Brings a database up to the version of a plan, if it is not, and says where the copy is that was made before. Nobody may
/// be serving the file: `_lock` says so.
///
/// # Errors
/// What is wrong with the file; what SQLite says, and then everything is as it was.
pub fn upgrade(
    path: &Path,
    plan: &Plan<'_>,
    _lock: &Lock,
    now: Timestamp,
) -> Result<Option<PathBuf>, OpenError> {
    let version = open::probe(path)?;
    if version >= plan.version() {
        return Ok(None);
    }
    let failed = |error: rusqlite::Error| OpenError::from_sqlite(path, error);
    let mut conn = open::writable(path)?;
    let copy = free_name(path, version, now);
    tracing::info!(from = version, to = plan.version(), copy = %copy.display(), "upgrading the database");
    backup::write(&conn, &copy, &Watch::default())?;
    conn.pragma_update(None, "foreign_keys", "OFF").map_err(failed)?;
    if let Err(error) = change(&mut conn, plan, version) {
        // The file is as it was, and its copy of no use.
        file::remove(&copy);
        return Err(match error {
            Refusal::Sqlite(error) => failed(error),
            Refusal::Wrong(what) => OpenError::unreadable(path, format!("it cannot be upgraded: {what}")),
        });
    }
    // So that the header, too, says which version it is.
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).map_err(failed)?;
    Ok(Some(copy))
}

enum Refusal {
    Sqlite(rusqlite::Error),
    Wrong(String),
}

impl From<rusqlite::Error> for Refusal {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

fn change(conn: &mut Connection, plan: &Plan<'_>, from: i32) -> Result<(), Refusal> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Exclusive)?;
    for (step, version) in plan.steps.iter().zip(2..).filter(|(_, version)| *version > from) {
        tracing::info!(version, "upgrading: {}", step.what);
        (step.run)(&tx)?;
        tx.pragma_update(None, "user_version", version)?;
    }
    let mut faults = backup::foreign_keys(&tx)?;
    faults.extend(Shape::of(&tx)?.lacks(&Shape::of_schema(plan.schema)?));
    match faults.into_iter().next() {
        Some(fault) => Err(Refusal::Wrong(fault)),
        None => Ok(tx.commit()?),
    }
}

/// A name for the copy, which says which version it is and when it was made.
fn free_name(path: &Path, version: i32, now: Timestamp) -> PathBuf {
    let stamp = now.to_string().replace(':', "");
    let name = |n: u32| match n {
        1 => beside(path, &format!(".v{version}-{stamp}.bak")),
        n => beside(path, &format!(".v{version}-{stamp}.{n}.bak")),
    };
    (1..).map(name).find(|name| std::fs::symlink_metadata(name).is_err()).unwrap_or_default()
}
