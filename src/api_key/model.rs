//! What is known about a key.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use crate::auth::key::KeyType;
use crate::auth::scope::Scope;
use crate::scalar::{Id, Name};
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
    /// How many tickets a page has unless somebody asks for another number: a setting, and as often asked for as keys are.
    pub tickets_per_page: i64,
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

/// A key, as far as anybody can still see it.
#[derive(Clone, Debug, Object, Serialize)]
pub struct ApiKey {
    /// The key's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// What it is for.
    pub name: String,
    /// Whom it speaks for: `external` for an agent, `internal` for an administrator's program.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub kind: KeyType,
    /// What an internal key may do.
    pub scopes: Vec<Scope>,
    /// Whether an internal key may do everything, whatever its scopes.
    pub special: bool,
    /// The agent an external key speaks for; null for an internal one.
    #[oai(validator(minimum(value = "1")))]
    pub agent_id: Option<i64>,
    /// When it ends by itself; null for never.
    pub expires_at: Option<Timestamp>,
    /// When it was revoked; null unless it was.
    pub revoked_at: Option<Timestamp>,
    /// When it was last used, to within a minute; null for never.
    pub last_used_at: Option<Timestamp>,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl ApiKey {
    /// A new key that may do nothing yet, still without an id and times.
    pub fn named(name: String, kind: KeyType) -> Self {
        Self {
            id: 0,
            name,
            kind,
            scopes: vec![],
            special: false,
            agent_id: None,
            expires_at: None,
            revoked_at: None,
            last_used_at: None,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }
}

/// A key that was just made: the only time it is shown itself.
#[derive(Clone, Debug, Object, Serialize)]
pub struct IssuedApiKey {
    /// The key as it is seen from now on.
    #[oai(flatten)]
    #[serde(flatten)]
    pub api_key: ApiKey,
    /// What goes into `X-API-KEY`. Shown this once and not kept; null when a creation is replayed.
    pub key: Option<String>,
}

/// A key to be made.
#[derive(Debug, Object)]
pub struct NewApiKey {
    /// What it is for, 1 to 250 characters.
    pub name: Name,
    /// Whom it speaks for: `external` for an agent, `internal` for an administrator's program.
    #[oai(rename = "type")]
    pub kind: KeyType,
    /// What an internal key may do; a repeated scope counts once. None when absent. An external key has none.
    pub scopes: Option<Vec<Scope>>,
    /// Whether an internal key may do everything, whatever its scopes; false when absent.
    pub special: Option<bool>,
    /// The agent an external key speaks for, required for one and refused for an internal key. The agent may be inactive.
    #[oai(nullable)]
    pub agent_id: MaybeUndefined<Id>,
    /// When it ends by itself, in the future; never when absent.
    #[oai(nullable)]
    pub expires_at: MaybeUndefined<Timestamp>,
}

/// What is to change about a key. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct ApiKeyPatch {
    /// What it is for now, 1 to 250 characters.
    pub name: Option<Name>,
    /// What an internal key may do from the next request on, replacing its scopes; a repeated scope counts once.
    pub scopes: Option<Vec<Scope>>,
    /// Whether an internal key may do everything, whatever its scopes.
    pub special: Option<bool>,
    /// When it ends by itself, in the future; null for never.
    #[oai(nullable)]
    pub expires_at: MaybeUndefined<Timestamp>,
}

/// A key as the command line lists it: everything but the key.
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
