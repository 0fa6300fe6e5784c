//! Keys in the database.

use rusqlite::{Row, params};

use super::model::{ApiKey, Found, FoundAgent, Listed};
use crate::auth::key::KeyType;
use crate::auth::scope::Scope;
use crate::db::{FromRow, Page, Paging, Tx, all, execute, first, inserted, one, word};
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
            tickets_per_page: row.get(12)?,
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
           a.name, a.avatar_url, a.is_active AND a.deleted_at IS NULL, s.department_visibility, s.tickets_per_page
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

/// Whole keys; what follows says which.
macro_rules! keys {
    ($rest:literal) => {
        concat!(
            "SELECT id, name, type, scopes, special, agent_id, expires_at, revoked_at, last_used_at, created_at, updated_at
             FROM api_key ",
            $rest
        )
    };
}

impl FromRow for ApiKey {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp));
        // A scope that has left the list opens nothing any more.
        let scopes = scopes(row.get_ref(3)?.as_str()?);
        Ok(Self {
            id: row.get(0)?,
            name: row.get(1)?,
            kind: word(row, 2, KeyType::from_word)?,
            scopes: scopes.iter().filter_map(|name| Scope::from_word(name)).collect(),
            special: row.get(4)?,
            agent_id: row.get(5)?,
            expires_at: time(6)?,
            revoked_at: time(7)?,
            last_used_at: time(8)?,
            created_at: Timestamp(row.get(9)?),
            updated_at: Timestamp(row.get(10)?),
        })
    }
}

/// A key.
///
/// # Errors
/// What SQLite says.
pub fn find(tx: &Tx<'_>, id: i64) -> Result<Option<ApiKey>> {
    first(tx, keys!("WHERE id = ?"), [id])
}

/// A page of the keys, newest first.
///
/// # Errors
/// What SQLite says.
pub fn list(tx: &Tx<'_>, paging: Paging) -> Result<Page<Vec<ApiKey>>> {
    Page::read(paging, count(tx)?, || {
        all(tx, keys!("ORDER BY id DESC LIMIT ? OFFSET ?"), [paging.per_page, paging.offset()])
    })
}

/// Every key, newest first, with the address of its agent.
///
/// # Errors
/// What SQLite says.
pub fn list_all(tx: &Tx<'_>) -> Result<Vec<Listed>> {
    all(
        tx,
        "SELECT k.id, k.name, k.type, a.email, k.scopes, k.special, k.expires_at, k.revoked_at
         FROM api_key k LEFT JOIN agent a ON a.id = k.agent_id ORDER BY k.id DESC",
        [],
    )
}

/// Keeps a new key by its hash, whatever its id says, and returns the id it got.
///
/// # Errors
/// What SQLite says.
pub fn insert(tx: &Tx<'_>, key: &ApiKey, hash: &[u8; 32]) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO api_key (name, type, hash, scopes, special, agent_id, expires_at, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        params![
            key.name,
            key.kind.as_str(),
            hash,
            json(&key.scopes)?,
            key.special,
            key.agent_id,
            key.expires_at.map(|at| at.0),
            tx.now.0
        ],
    )
}

/// Writes what can be changed about a key, and when it changed.
///
/// # Errors
/// What SQLite says.
pub fn update(tx: &Tx<'_>, key: &ApiKey) -> Result<()> {
    execute(
        tx,
        "UPDATE api_key SET name = ?, scopes = ?, special = ?, expires_at = ?, updated_at = ? WHERE id = ?",
        params![key.name, json(&key.scopes)?, key.special, key.expires_at.map(|at| at.0), tx.now.0, key.id],
    )?;
    Ok(())
}

fn json(scopes: &[Scope]) -> Result<String> {
    serde_json::to_string(scopes).map_err(|error| Error::Internal(Box::new(error)))
}

/// Ends a key.
///
/// # Errors
/// What SQLite says.
pub fn revoke(tx: &Tx<'_>, id: i64) -> Result<()> {
    execute(tx, "UPDATE api_key SET revoked_at = ?1, updated_at = ?1 WHERE id = ?2", [tx.now.0, id])?;
    Ok(())
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
