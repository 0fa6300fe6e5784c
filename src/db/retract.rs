//! Takes a failed commit out of the write-ahead log.
//!
//! A commit writes its pages to the log, the last one with the mark of a commit, and syncs. When only the sync fails, or what
//! comes after it, SQLite rolls back and the caller hears of a failure, but all of it stands in the log, and the next start
//! after a killed process would take it for committed. SQLite writes its next transaction over it, so we make one at once that
//! changes nothing. Each page in the log has a checksum over all before it: with the first one overwritten, nobody reads on.
//!
//! What that cannot do: if the disk refuses to overwrite as well, or the power goes before it has overwritten, the failed
//! commit may be found again.

use rusqlite::{Connection, ErrorCode};

/// Whether a commit that failed so may stand whole in the log. Not when there was no room for its pages, or its turn never came.
pub fn is_needed(error: &rusqlite::Error) -> bool {
    !matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DiskFull | ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)
    )
}

/// Overwrites what a failed commit left in the log. The connection must have rolled back. That this fails is to be expected
/// where the sync has failed before: the pages are overwritten all the same.
pub fn retract(conn: &Connection) {
    match overwrite(conn) {
        Ok(()) => tracing::warn!("the failed commit was overwritten in the log"),
        Err(error) => {
            tracing::warn!(%error, "the failed commit was overwritten in the log, and that failed too")
        }
    }
    if !conn.is_autocommit()
        && let Err(error) = conn.execute_batch("ROLLBACK")
    {
        tracing::error!(%error, "a rollback failed");
    }
}

/// A transaction that changes nothing and is written all the same: setting a number in the first page always writes that page.
fn overwrite(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch("BEGIN IMMEDIATE")?;
    let version: i32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    conn.pragma_update(None, "user_version", version)?;
    conn.execute_batch("COMMIT")
}
