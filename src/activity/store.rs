//! The activity log in the database.

use rusqlite::params;

use super::{Actor, Entry};
use crate::db::Tx;
use crate::error::Result;

/// Appends an entry.
///
/// # Errors
/// What SQLite says.
pub fn insert(tx: &Tx<'_>, actor: &Actor, entry: &Entry<'_>, changes: &str) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO activity (action, description, actor_type, actor_id, actor_name, subject_type, subject_id,
               ticket_id, changes, ip_address, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            entry.action,
            entry.description,
            actor.kind.as_str(),
            actor.id,
            actor.name,
            entry.subject.0,
            entry.subject.1,
            entry.ticket_id,
            changes,
            actor.ip,
            tx.now.0
        ])?;
    Ok(())
}
