//! What is known about a key.

use crate::auth::key::KeyType;
use crate::time::Timestamp;

/// A key as authentication looks at it.
#[derive(Debug)]
pub struct Found {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// SHA-256 of the raw key.
    pub hash: [u8; 32],
    /// What an internal key may do.
    pub scopes: Vec<String>,
    /// Whether it passes every check.
    pub special: bool,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// Whether it was ended.
    pub is_revoked: bool,
    /// Whom an external key speaks for.
    pub agent: Option<FoundAgent>,
}

/// The agent of a key as authentication looks at it.
#[derive(Debug)]
pub struct FoundAgent {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its picture.
    pub avatar_url: Option<String>,
    /// Neither deactivated nor deleted.
    pub is_active: bool,
    /// Whether it sees the tickets of its departments.
    pub sees_departments: bool,
}

/// A key to be made.
#[derive(Debug)]
pub struct NewKey {
    /// What it is for.
    pub name: String,
    /// Whom it speaks for.
    pub kind: KeyType,
    /// The agent, for an external key.
    pub agent_id: Option<i64>,
    /// What an internal key may do.
    pub scopes: Vec<String>,
    /// Whether it may do everything.
    pub special: bool,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
}

/// A key as a list shows it: everything but the key.
#[derive(Debug)]
pub struct Listed {
    /// Its id.
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// `external` or `internal`.
    pub kind: String,
    /// The agent's e-mail, for an external key.
    pub agent_email: Option<String>,
    /// Its scopes.
    pub scopes: Vec<String>,
    /// Whether it may do everything.
    pub special: bool,
    /// When it ends by itself.
    pub expires_at: Option<Timestamp>,
    /// When it was ended.
    pub revoked_at: Option<Timestamp>,
}
