//! Takes a failed commit out of the write-ahead log.
//!
//! A commit writes its pages to the log, the last one with the mark of a commit, and syncs. When only the sync fails, or what
//! comes after it, SQLite rolls back and the caller hears of a failure, but all of it stands in the log, and the next start
//! after a killed process would take it for committed. SQLite writes its next transaction over it, so we make one at once that
//! changes nothing. Each page in the log has a checksum over all before it: with the first one overwritten, nobody reads on.
//!
//! What that cannot do: if the disk refuses to overwrite as well, or the power goes before it has overwritten, the failed
//! commit may be found again.

use std::fs::File;
use std::path::Path;

use rusqlite::{Connection, ErrorCode};

use super::file::beside;

/// Whether a commit that failed so may stand whole in the log. Not when there was no room for its pages, or its turn never came.
pub fn is_needed(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Overwrites what a failed commit left in the log. The connection must have rolled back. Whether it may be written on again.
pub fn retract(conn: &Connection) -> bool {
    // Without a sync: where syncs go on failing, SQLite would stop at the first of them, which for a log that is begun anew
    // comes before any page is written.
    let overwritten = conn.pragma_update(None, "synchronous", "OFF").and_then(|()| overwrite(conn));
    let is_safe = conn.pragma_update(None, "synchronous", "FULL").is_ok();
    if let Err(error) = overwritten {
        tracing::error!(%error, "the failed commit was not overwritten in the log");
    } else if let Err(error) = sync(conn) {
        tracing::warn!(%error, "the failed commit was overwritten in the log, which is not on the disk yet");
    } else {
        tracing::warn!("the failed commit was overwritten in the log");
    }
    is_safe
}

/// A transaction that changes nothing and is written all the same: setting a number in the first page always writes that page.
fn overwrite(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let version: rusqlite::Result<i32> = conn.pragma_query_value(None, "user_version", |row| row.get(0));
    let done = version
        .and_then(|version| conn.pragma_update(None, "user_version", version))
        .and_then(|()| conn.execute_batch("COMMIT"));
    if !conn.is_autocommit() {
        conn.execute_batch("ROLLBACK")?;
    }
    done
}

/// Waits until the log is on the disk. By itself, since another transaction would write more than has to be there.
fn sync(conn: &Connection) -> std::io::Result<()> {
    let database = Path::new(conn.path().unwrap_or_default());
    File::open(beside(database, "-wal"))?.sync_data()
}
