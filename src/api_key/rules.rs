//! Making, changing and revoking keys. Nobody gives a right away that it does not have.

use super::model::{ApiKey, ApiKeyPatch, NewApiKey};
use super::store;
use crate::activity::{self, Actor, Changes, Entry};
use crate::auth::Admin;
use crate::auth::key::{self, KeyType};
use crate::auth::scope::Scope;
use crate::db::{Optional, Tx};
use crate::error::{Check, Error, Result};
use crate::noun::{set, set_or_clear};
use crate::time::Timestamp;

/// Who gives rights to keys.
#[derive(Clone, Copy, Debug)]
pub enum Giver<'a> {
    /// An administrator's program: it gives what it has.
    Admin(&'a Admin),
    /// Somebody at the command line, who has the file itself.
    Cli,
}

impl Giver<'_> {
    fn actor(self) -> Actor {
        match self {
            Self::Admin(admin) => admin.actor(),
            Self::Cli => Actor::cli(),
        }
    }

    fn is_special(self) -> bool {
        match self {
            Self::Admin(admin) => admin.is_special(),
            Self::Cli => true,
        }
    }

    fn has(self, scope: Scope) -> bool {
        match self {
            Self::Admin(admin) => admin.has(scope.as_str()),
            Self::Cli => true,
        }
    }

    /// Refuses to give what the giver lacks.
    fn may_give(self, special: bool, scopes: &[Scope]) -> Result<()> {
        let has_all = self.is_special() || (!special && scopes.iter().all(|scope| self.has(*scope)));
        if has_all { Ok(()) } else { Err(Error::ForbiddenScope) }
    }
}

/// A new key as it was asked for, still without an id and times.
pub fn draft(new: NewApiKey) -> ApiKey {
    let mut draft = ApiKey::named(new.name.0, new.kind);
    set(&mut draft.scopes, new.scopes);
    set(&mut draft.special, new.special);
    set_or_clear(&mut draft.agent_id, new.agent_id);
    set_or_clear(&mut draft.expires_at, new.expires_at);
    draft
}

/// Makes a key. Returns it and its text, which is not kept anywhere.
///
/// # Errors
/// [`Error::ForbiddenScope`] for rights the giver lacks; [`Error::Invalid`] for an unknown agent, an expiry that has
/// passed, or what does not go with the type of key.
pub fn create(tx: &Tx<'_>, giver: &Giver<'_>, draft: ApiKey) -> Result<(ApiKey, String)> {
    let mut random = [0; 32];
    crate::random::fill(&mut random)?;
    let raw = key::format(draft.kind, random);
    Ok((insert(tx, giver, draft, &raw)?, raw))
}

/// Keeps a key whose text is given: a new random one, or the published one of a sample agent.
///
/// # Errors
/// As [`create`].
pub fn insert(tx: &Tx<'_>, giver: &Giver<'_>, mut draft: ApiKey, raw: &str) -> Result<ApiKey> {
    giver.may_give(draft.special, &draft.scopes)?;
    let mut wrong = Check::default();
    check_type(&draft, &mut wrong);
    check_expiry(tx, draft.expires_at, &mut wrong);
    match (draft.kind, draft.agent_id) {
        (KeyType::External, None) => wrong.add("agent_id", "is required for an external key"),
        (KeyType::External, Some(id)) if crate::agent::store::find(tx, id)?.is_none() => {
            wrong.add("agent_id", format!("there is no agent {id}"));
        }
        (KeyType::Internal, Some(_)) => wrong.add("agent_id", "goes with an external key only"),
        _ => {}
    }
    wrong.finish()?;
    sort(&mut draft.scopes);
    let id = store::insert(tx, &draft, &key::hash(raw))?;
    let created = find(tx, id)?;
    let actor = giver.actor();
    let description = format!("{} created the {} API key “{}”", actor.name, created.kind, created.name);
    record(tx, &actor, "api_key.created", id, description, Changes::created(&created)?)?;
    Ok(created)
}

/// A key that must be there, revoked or not.
///
/// # Errors
/// [`Error::NotFound`].
pub fn find(tx: &Tx<'_>, id: i64) -> Result<ApiKey> {
    store::find(tx, id)?.or_not_found()
}

/// Changes a key. A change that leaves everything as it is writes nothing.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::ForbiddenScope`] for rights the giver lacks; [`Error::Invalid`] for a key that is revoked,
/// an expiry that has passed, or what does not go with the type of key.
pub fn update(tx: &Tx<'_>, giver: &Giver<'_>, id: i64, patch: ApiKeyPatch) -> Result<ApiKey> {
    let before = find(tx, id)?;
    let new_expiry = patch.expires_at.value().copied();
    let mut after = before.clone();
    set(&mut after.name, patch.name);
    set(&mut after.scopes, patch.scopes);
    set(&mut after.special, patch.special);
    set_or_clear(&mut after.expires_at, patch.expires_at);
    sort(&mut after.scopes);
    may_change(*giver, &before, &after)?;
    let mut wrong = Check::default();
    if before.revoked_at.is_some() {
        wrong.add("revoked_at", "the key is revoked and can no longer be changed");
    }
    check_type(&after, &mut wrong);
    check_expiry(tx, new_expiry, &mut wrong);
    wrong.finish()?;
    let changes = Changes::between(&before, &after)?;
    if changes.is_empty() {
        return Ok(before);
    }
    store::update(tx, &after)?;
    let actor = giver.actor();
    let description = format!("{} changed {} of the API key “{}”", actor.name, changes.fields(), after.name);
    record(tx, &actor, "api_key.updated", id, description, changes)?;
    find(tx, id)
}

/// Refuses to give a key more than the giver has: rights that are new to it, or a longer life for those it keeps.
fn may_change(giver: Giver<'_>, before: &ApiKey, after: &ApiKey) -> Result<()> {
    let new: Vec<Scope> =
        after.scopes.iter().copied().filter(|scope| !before.scopes.contains(scope)).collect();
    giver.may_give(after.special && !before.special, &new)?;
    let lives_longer = match (before.expires_at, after.expires_at) {
        (Some(before), Some(after)) => after > before,
        (Some(_), None) => true,
        (None, _) => false,
    };
    if lives_longer { giver.may_give(after.special, &after.scopes) } else { Ok(()) }
}

/// What goes with an internal key only.
fn check_type(key: &ApiKey, wrong: &mut Check) {
    if key.kind == KeyType::External && !key.scopes.is_empty() {
        wrong.add("scopes", "go with an internal key only");
    }
    if key.kind == KeyType::External && key.special {
        wrong.add("special", "goes with an internal key only");
    }
}

fn check_expiry(tx: &Tx<'_>, expires_at: Option<Timestamp>, wrong: &mut Check) {
    if expires_at.is_some_and(|at| at <= tx.now) {
        wrong.add("expires_at", "must be in the future");
    }
}

/// Each scope once, in the order of the list of scopes.
fn sort(scopes: &mut Vec<Scope>) {
    scopes.sort_unstable();
    scopes.dedup();
}

/// Revokes a key: it opens nothing from the next request on. Again: nothing changes.
///
/// # Errors
/// [`Error::NotFound`].
pub fn revoke(tx: &Tx<'_>, actor: &Actor, id: i64) -> Result<()> {
    let before = find(tx, id)?;
    if before.revoked_at.is_some() {
        return Ok(());
    }
    store::revoke(tx, id)?;
    let description = format!("{} revoked the API key “{}”", actor.name, before.name);
    let changes = Changes::between(&before, &find(tx, id)?)?;
    record(tx, actor, "api_key.revoked", id, description, changes)
}

fn record(
    tx: &Tx<'_>,
    actor: &Actor,
    action: &str,
    id: i64,
    description: String,
    changes: Changes,
) -> Result<()> {
    let subject = ("api_key", Some(id));
    activity::record(tx, actor, Entry { action, description, subject, ticket_id: None, changes })
}
