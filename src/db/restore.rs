//! Putting a copy in the place of a database.

use std::path::{Path, PathBuf};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

use super::backup::{self, Counts, Watch};
use super::file::{self, beside};
use super::open::{self, Lock, OpenError};
use crate::time::Timestamp;

/// What was done.
#[derive(Debug)]
pub struct Restored {
    /// What is there now: how many rows of each table.
    pub counts: Counts,
    /// Where the database is that was there before.
    pub kept: Option<PathBuf>,
}

/// Makes a verified copy of `from` and puts it at `to`, whole and on the disk. A database that is there stays if anything at
/// all is wrong, and is kept under another name otherwise. Nobody may be serving it: `_lock` says so.
///
/// # Errors
/// [`OpenError::Exists`]: there is a database, and it is not to be replaced. What is wrong with `from`, or with a file
/// that is in the place and not Lodge's; what the system says.
pub fn restore(
    from: &Path,
    to: &Path,
    replace: bool,
    _lock: &Lock,
    now: Timestamp,
    watch: &Watch<'_>,
) -> Result<Restored, OpenError> {
    let there = match open::check(to) {
        Err(OpenError::Missing(_)) => {
            open::refuse_existing(to)?;
            false
        }
        Err(OpenError::Foreign(path)) => return Err(OpenError::Foreign(path)),
        // Damaged, or of a newer Lodge: what a restore is for.
        _ if replace => true,
        _ => return Err(OpenError::Exists(to.to_owned())),
    };
    let source = open::looking(from)?;
    let (partial, counts) = backup::begin(&source, to, watch)?;
    drop(source);
    let failed = |error| OpenError::from_making(to, error);
    if !there {
        partial.publish(to).map_err(failed)?;
        return Ok(Restored { counts, kept: None });
    }
    let kept = free_name(to, now);
    // Until the swap is done nobody writes to the old file.
    let alone = fold(to);
    if alone.is_none() && file::size(&beside(to, "-wal")) > 0 {
        // SQLite cannot fold the log in: file and log stay together, and the log must not be there for the new file.
        std::fs::rename(beside(to, "-wal"), beside(&kept, "-wal")).map_err(failed)?;
    }
    file::link(to, &kept).map_err(failed)?;
    for suffix in ["-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(to, suffix));
    }
    partial.publish_over(to).map_err(failed)?;
    drop(alone);
    Ok(Restored { counts, kept: Some(kept) })
}

/// Brings what is in a database's log into the database, and keeps everybody else out until the connection is closed. Nothing
/// if it cannot be done, which with a damaged file is to be expected.
fn fold(path: &Path) -> Option<Connection> {
    let conn = Connection::open(path).ok()?;
    // What cannot be folded in must not be thrown away when we close, either.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).ok()?;
    conn.busy_timeout(std::time::Duration::from_secs(5)).ok()?;
    // Leaving the log behind succeeds only when nobody else has the file open.
    let mode: String = conn.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0)).ok()?;
    conn.execute_batch("BEGIN EXCLUSIVE").ok().filter(|()| mode == "delete").map(|()| conn)
}

/// A name for the database that was there, which says when it was put aside.
fn free_name(path: &Path, now: Timestamp) -> PathBuf {
    let stamp = now.to_string().replace(':', "");
    let name = |n: u32| match n {
        1 => beside(path, &format!(".before-{stamp}")),
        n => beside(path, &format!(".before-{stamp}.{n}")),
    };
    (1..).map(name).find(|name| std::fs::symlink_metadata(name).is_err()).unwrap_or_default()
}
