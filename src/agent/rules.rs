//! What may be changed about an agent.

use serde_json::Value;

use super::model::{Agent, AgentPatch, NewAgent, NotificationSettings, Profile, ProfilePatch};
use super::store;
use crate::activity::{self, Actor, Changes, Entry};
use crate::auth;
use crate::db::{Optional, Tx};
use crate::error::{Check, Error, Result};
use crate::noun::{set, set_or_clear};
use crate::scalar::Id;

/// Changes the caller's own profile.
///
/// # Errors
/// [`Error::Invalid`] for settings that are too large.
pub fn update_profile(tx: &Tx<'_>, me: &auth::Agent, patch: &ProfilePatch) -> Result<Profile> {
    let before = store::find_profile(tx, me.id())?.or_not_found()?;
    let settings = patch.notification_settings.as_ref();
    if settings.is_some_and(|settings| settings.as_str().len() > NotificationSettings::MOST) {
        return Err(Error::field("notification_settings", "must be at most 16 KiB"));
    }
    let mut after = before.clone();
    if let Some(name) = &patch.name {
        after.name.clone_from(&name.0);
    }
    if let Some(phone) = patch.phone.as_opt_ref() {
        after.phone = phone.map(|text| text.0.clone());
    }
    if let Some(locale) = patch.locale.as_opt_ref() {
        after.locale = locale.map(|tag| tag.0.clone());
    }
    if let Some(settings) = settings {
        after.notification_settings = settings.clone();
    }
    let mut changes = Changes::default();
    changes.note("name", before.name.as_str(), after.name.as_str());
    changes.note("phone", before.phone.as_deref(), after.phone.as_deref());
    changes.note("locale", before.locale.as_deref(), after.locale.as_deref());
    let parse = |settings: &NotificationSettings| {
        serde_json::from_str::<Value>(settings.as_str()).unwrap_or_default()
    };
    changes.note(
        "notification_settings",
        parse(&before.notification_settings),
        parse(&after.notification_settings),
    );
    if changes.is_empty() {
        return Ok(before);
    }
    store::update_profile(tx, &after)?;
    activity::record(
        tx,
        &me.actor(),
        Entry {
            action: "agent.updated",
            description: format!("{} changed the profile of {}: {}", me.name(), after.name, changes.fields()),
            subject: ("agent", Some(me.id())),
            ticket_id: None,
            changes,
        },
    )?;
    Ok(after)
}

/// A new agent as it was asked for, still without an id and times.
pub fn draft(new: NewAgent) -> Agent {
    let mut draft = Agent::named(new.name.0, new.email.0);
    set_or_clear(&mut draft.phone, new.phone);
    set_or_clear(&mut draft.locale, new.locale);
    set_or_clear(&mut draft.avatar_url, new.avatar_url);
    set(&mut draft.is_active, new.is_active);
    draft.departments = plain(new.departments).unwrap_or_default();
    draft
}

/// Creates an agent. The password comes hashed; without one the agent has keys only.
///
/// # Errors
/// [`Error::Invalid`] when the e-mail address is taken or a department is not there.
pub fn create(tx: &Tx<'_>, actor: &Actor, mut draft: Agent, password_hash: Option<&str>) -> Result<Agent> {
    check(tx, &mut draft)?;
    let id = store::insert(tx, &draft, password_hash)?;
    let created = find(tx, id)?;
    let description = format!("{} created the agent {}", actor.name, created.name);
    record(tx, actor, "agent.created", &created, description, Changes::created(&created)?)?;
    Ok(created)
}

/// An agent that must be there.
///
/// # Errors
/// [`Error::NotFound`], for a deleted one too.
pub fn find(tx: &Tx<'_>, id: i64) -> Result<Agent> {
    store::find(tx, id)?.or_not_found()
}

/// Changes an agent. A new password comes hashed and always counts as a change: whether it is the old one cannot be told.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Invalid`] when the e-mail address is taken or a department is not there.
pub fn update(
    tx: &Tx<'_>,
    actor: &Actor,
    id: i64,
    patch: AgentPatch,
    password_hash: Option<&str>,
) -> Result<Agent> {
    let before = find(tx, id)?;
    let is_active = patch.is_active.unwrap_or(before.is_active);
    let mut after = before.clone();
    apply(&mut after, patch);
    check(tx, &mut after)?;
    let mut changes = Changes::between(&before, &after)?;
    if password_hash.is_some() {
        changes.note("password", Value::Null, "changed");
    }
    if !changes.is_empty() {
        store::update(tx, &after, password_hash)?;
        let description = format!("{} changed {} of the agent {}", actor.name, changes.fields(), after.name);
        record(tx, actor, "agent.updated", &after, description, changes)?;
    }
    set_active(tx, actor, &after, is_active)?;
    find(tx, id)
}

/// Everything but whether it is active, which [`set_active`] changes and records by itself.
fn apply(agent: &mut Agent, patch: AgentPatch) {
    set(&mut agent.name, patch.name);
    set(&mut agent.email, patch.email);
    set_or_clear(&mut agent.phone, patch.phone);
    set_or_clear(&mut agent.locale, patch.locale);
    set_or_clear(&mut agent.avatar_url, patch.avatar_url);
    set(&mut agent.departments, plain(patch.departments));
}

fn plain(ids: Option<Vec<Id>>) -> Option<Vec<i64>> {
    ids.map(|ids| ids.into_iter().map(i64::from).collect())
}

/// Sorts the departments, each once, and refuses what is taken or not there.
fn check(tx: &Tx<'_>, agent: &mut Agent) -> Result<()> {
    let mut wrong = Check::default();
    if store::find_by_email(tx, &agent.email)?.is_some_and(|other| other.id != agent.id) {
        wrong.add("email", "is taken already");
    }
    agent.departments.sort_unstable();
    agent.departments.dedup();
    for id in store::unknown_departments(tx, &agent.departments)? {
        wrong.add("departments", format!("there is no department {id}"));
    }
    wrong.finish()
}

/// Activates or deactivates an agent. An inactive agent's keys open nothing from the next request on.
///
/// # Errors
/// What SQLite says.
pub fn set_active(tx: &Tx<'_>, actor: &Actor, agent: &Agent, is_active: bool) -> Result<()> {
    if agent.is_active == is_active {
        return Ok(());
    }
    store::set_active(tx, agent.id, is_active)?;
    let mut changes = Changes::default();
    changes.note("is_active", agent.is_active, is_active);
    let verb = if is_active { "activated" } else { "deactivated" };
    let description = format!("{} {verb} the agent {}", actor.name, agent.name);
    record(tx, actor, &format!("agent.{verb}"), agent, description, changes)
}

/// Deletes an agent: it leaves all tickets and departments, its keys open nothing and its e-mail address is free. What it
/// wrote still shows its name.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(tx: &Tx<'_>, actor: &Actor, id: i64) -> Result<()> {
    let agent = find(tx, id)?;
    store::delete(tx, id)?;
    let description = format!("{} deleted the agent {}", actor.name, agent.name);
    record(tx, actor, "agent.deleted", &agent, description, Changes::deleted(&agent)?)
}

fn record(
    tx: &Tx<'_>,
    actor: &Actor,
    action: &str,
    agent: &Agent,
    description: String,
    changes: Changes,
) -> Result<()> {
    let subject = ("agent", Some(agent.id));
    activity::record(tx, actor, Entry { action, description, subject, ticket_id: None, changes })
}
