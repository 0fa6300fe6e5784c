//! Making and revoking keys.

use super::model::NewKey;
use super::store;
use crate::activity::{self, Actor, Changes, Entry};
use crate::auth::key::{self, KeyType};
use crate::auth::scope;
use crate::db::{Optional, Tx};
use crate::error::{Check, Result};

/// Makes a key. Returns its id and the raw key, which is not kept anywhere.
///
/// # Errors
/// [`crate::error::Error::Invalid`] for unknown scopes, an unknown agent, an expiry that has passed.
pub fn create(tx: &Tx<'_>, actor: &Actor, new: &NewKey) -> Result<(i64, String)> {
    let mut random = [0; 32];
    crate::random::fill(&mut random)?;
    let raw = key::format(new.kind, random);
    let id = insert(tx, actor, new, &raw)?;
    Ok((id, raw))
}

/// Keeps a key whose text is given: a new random one, or the published one of a sample agent.
///
/// # Errors
/// As [`create`].
pub fn insert(tx: &Tx<'_>, actor: &Actor, new: &NewKey, raw: &str) -> Result<i64> {
    let mut wrong = Check::default();
    for name in new.scopes.iter().filter(|name| !scope::is_known(name)) {
        wrong.add("scopes", format!("there is no scope {name}"));
    }
    if new.expires_at.is_some_and(|at| at <= tx.now) {
        wrong.add("expires_at", "must be in the future");
    }
    if let (KeyType::External, Some(agent_id)) = (new.kind, new.agent_id)
        && crate::agent::store::find(tx, agent_id)?.is_none()
    {
        wrong.add("agent_id", "there is no such agent");
    }
    wrong.finish()?;
    let id = store::insert(tx, new, &key::hash(raw))?;
    activity::record(
        tx,
        actor,
        Entry {
            action: "api_key.created",
            description: format!("{} created the {} API key “{}”", actor.name, new.kind, new.name),
            subject: ("api_key", Some(id)),
            ticket_id: None,
            changes: Changes::default(),
        },
    )?;
    Ok(id)
}

/// Revokes a key: it opens nothing from the next request on. Again: nothing changes.
///
/// # Errors
/// [`crate::error::Error::NotFound`].
pub fn revoke(tx: &Tx<'_>, actor: &Actor, id: i64) -> Result<()> {
    let name = store::find_name(tx, id)?.or_not_found()?;
    if store::revoke(tx, id)? {
        activity::record(
            tx,
            actor,
            Entry {
                action: "api_key.revoked",
                description: format!("{} revoked the API key “{name}”", actor.name),
                subject: ("api_key", Some(id)),
                ticket_id: None,
                changes: Changes::default(),
            },
        )?;
    }
    Ok(())
}
