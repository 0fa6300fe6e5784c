//! Keys in the database.

use rusqlite::{Row, params};

use super::model::{Found, FoundAgent, Listed, NewKey};
use crate::db::{FromRow, Tx, all, execute, first, one};
use crate::error::{Error, Result};
use crate::time::Timestamp;

impl FromRow for Found {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let agent_id: Option<i64> = row.get(7)?;
        let agent = match agent_id {
            Some(id) => Some(FoundAgent {
                id,
                name: row.get(8)?,
                avatar_url: row.get(9)?,
                is_active: row.get(10)?,
                sees_departments: row.get(11)?,
            }),
            None => None,
        };
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            hash: row.get(2)?,
            scopes: scopes(row.get_ref(3)?.as_str()?),
            special: row.get(4)?,
            expires_at: row.get::<_, Option<i64>>(5)?.map(Timestamp),
            is_revoked: row.get(6)?,
            agent,
        })
    }
}

fn scopes(json: &str) -> Vec<String> {
    serde_json::from_str(json).unwrap_or_default()
}

/// The key with this hash, and its agent.
///
/// # Errors
/// What SQLite says.
pub fn find_by_hash(tx: &Tx<'_>, hash: &[u8; 32]) -> Result<Option<Found>> {
    first(
        tx,
        "SELECT k.id, k.name, k.hash, k.scopes, k.special, k.expires_at, k.revoked_at IS NOT NULL, k.agent_id,
           a.name, a.avatar_url, a.is_active AND a.deleted_at IS NULL, s.department_visibility
         FROM api_key k LEFT JOIN agent a ON a.id = k.agent_id CROSS JOIN setting s WHERE k.hash = ?",
        [hash],
    )
}

impl FromRow for Listed {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            kind: row.get(2)?,
            agent_email: row.get(3)?,
            scopes: scopes(row.get_ref(4)?.as_str()?),
            special: row.get(5)?,
            expires_at: row.get::<_, Option<i64>>(6)?.map(Timestamp),
            revoked_at: row.get::<_, Option<i64>>(7)?.map(Timestamp),
        })
    }
}

/// Every key, newest first.
///
/// # Errors
/// What SQLite says.
pub fn list(tx: &Tx<'_>) -> Result<Vec<Listed>> {
    all(
        tx,
        "SELECT k.id, k.name, k.type, a.email, k.scopes, k.special, k.expires_at, k.revoked_at
         FROM api_key k LEFT JOIN agent a ON a.id = k.agent_id ORDER BY k.id DESC",
        [],
    )
}

/// Keeps a key by its hash and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert(tx: &Tx<'_>, new: &NewKey, hash: &[u8; 32]) -> Result<i64> {
    let scopes = serde_json::to_string(&new.scopes).map_err(|error| Error::Internal(Box::new(error)))?;
    one(
        tx,
        "INSERT INTO api_key (name, type, hash, scopes, special, agent_id, expires_at, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8) RETURNING id",
        params![
            new.name,
            new.kind.as_str(),
            hash,
            scopes,
            new.special,
            new.agent_id,
            new.expires_at.map(|at| at.0),
            tx.now.0
        ],
    )
}

/// The name of a key.
///
/// # Errors
/// What SQLite says.
pub fn find_name(tx: &Tx<'_>, id: i64) -> Result<Option<String>> {
    first(tx, "SELECT name FROM api_key WHERE id = ?", [id])
}

/// Ends a key; whether it had not ended before.
///
/// # Errors
/// What SQLite says.
pub fn revoke(tx: &Tx<'_>, id: i64) -> Result<bool> {
    let changed = tx
        .conn
        .prepare_cached(
            "UPDATE api_key SET revoked_at = ?1, updated_at = ?1 WHERE id = ?2 AND revoked_at IS NULL",
        )?
        .execute(params![tx.now.0, id])?;
    Ok(changed > 0)
}

/// Writes down when keys were last used, unless a later use is known; how many were new. No change of the key itself, so
/// `updated_at` stays.
///
/// # Errors
/// What SQLite says.
pub fn set_used(tx: &Tx<'_>, used: &[(i64, Timestamp)]) -> Result<usize> {
    let sql =
        "UPDATE api_key SET last_used_at = ?2 WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at < ?2)";
    used.iter().try_fold(0, |written, (id, at)| Ok(written + execute(tx, sql, [*id, at.0])?))
}

/// How many of these hashes belong to a key that opens the door today.
///
/// # Errors
/// What SQLite says.
pub fn count_active(tx: &Tx<'_>, hashes: &[[u8; 32]]) -> Result<i64> {
    let mut active = 0;
    for hash in hashes {
        let found = find_by_hash(tx, hash)?;
        let works = |key: &Found| {
            !key.is_revoked
                && key.expires_at.is_none_or(|at| at > tx.now)
                && key.agent.as_ref().is_none_or(|agent| agent.is_active)
        };
        active += i64::from(found.as_ref().is_some_and(works));
    }
    Ok(active)
}

/// How many keys there are.
///
/// # Errors
/// What SQLite says.
pub fn count(tx: &Tx<'_>) -> Result<i64> {
    one(tx, "SELECT count(*) FROM api_key", [])
}
