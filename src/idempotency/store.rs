//! Remembered answers in the database.

use rusqlite::{Row, params};

use super::{KEPT, Record};
use crate::db::{FromRow, Tx, execute, first};
use crate::error::Result;

impl FromRow for Record {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { fingerprint: row.get(0)?, status: row.get(1)?, location: row.get(2)?, body: row.get(3)? })
    }
}

/// The answer remembered for this key and path, if it is not older than 24 hours.
///
/// # Errors
/// What SQLite says.
pub fn find(tx: &Tx<'_>, api_key_id: i64, path: &str, key: &str) -> Result<Option<Record>> {
    first(
        tx,
        "SELECT fingerprint, status, location, body FROM idempotency
         WHERE api_key_id = ? AND path = ? AND key = ? AND created_at > ?",
        params![api_key_id, path, key, tx.now.0 - KEPT],
    )
}

/// Remembers an answer; one too old to count makes room.
///
/// # Errors
/// What SQLite says.
pub fn insert(tx: &Tx<'_>, api_key_id: i64, path: &str, key: &str, record: &Record) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO idempotency (api_key_id, path, key, fingerprint, status, location, body, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET fingerprint = excluded.fingerprint, status = excluded.status,
               location = excluded.location, body = excluded.body, created_at = excluded.created_at",
        )?
        .execute(params![
            api_key_id,
            path,
            key,
            record.fingerprint,
            record.status,
            record.location,
            record.body,
            tx.now.0
        ])?;
    Ok(())
}

/// Forgets the answers to requests below a path, and the one that made what is there.
///
/// # Errors
/// What SQLite says.
pub fn forget(tx: &Tx<'_>, path: &str) -> Result<()> {
    // Everything that begins with the path and a slash: a zero comes right after a slash.
    let sql = "DELETE FROM idempotency WHERE (path > ?1 || '/' AND path < ?1 || '0') OR location = ?1";
    execute(tx, sql, [path])?;
    Ok(())
}

/// Forgets the answers to requests about an agent's notifications of a ticket; `path` is that of notifications.
///
/// # Errors
/// What SQLite says.
pub fn forget_told(tx: &Tx<'_>, path: &str, ticket_id: i64) -> Result<()> {
    execute(
        tx,
        "DELETE FROM idempotency
         WHERE path IN (SELECT ?1 || '/' || id || '/read' FROM notification WHERE ticket_id = ?2)",
        params![path, ticket_id],
    )?;
    Ok(())
}

/// Forgets answers that no longer count, at most `limit` of them, and says how many.
///
/// # Errors
/// What SQLite says.
pub fn purge(tx: &Tx<'_>, limit: i64) -> Result<usize> {
    Ok(tx
        .conn
        .prepare_cached(
            "DELETE FROM idempotency WHERE (api_key_id, path, key) IN
               (SELECT api_key_id, path, key FROM idempotency WHERE created_at <= ? ORDER BY created_at LIMIT ?)",
        )?
        .execute(params![tx.now.0 - KEPT, limit])?)
}
