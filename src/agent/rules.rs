//! What may be changed about an agent.

use super::model::{Listed, NewAgent, NotificationSettings, Profile, ProfilePatch};
use super::store;
use crate::activity::{self, Actor, Changes, Entry};
use crate::auth::Agent;
use crate::db::{Optional, Tx};
use crate::error::{Check, Error, Result};

/// Changes the caller's own profile.
///
/// # Errors
/// [`Error::Invalid`] for settings that are too large.
pub fn update_profile(tx: &Tx<'_>, me: &Agent, patch: &ProfilePatch) -> Result<Profile> {
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
        serde_json::from_str::<serde_json::Value>(settings.as_str()).unwrap_or_default()
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

/// Creates an agent and returns its id.
///
/// # Errors
/// [`Error::Invalid`] when the e-mail address is taken.
pub fn create(tx: &Tx<'_>, actor: &Actor, new: &NewAgent) -> Result<i64> {
    let mut wrong = Check::default();
    if store::find_by_email(tx, &new.email)?.is_some() {
        wrong.add("email", "is taken already");
    }
    wrong.finish()?;
    let id = store::insert(tx, new)?;
    activity::record(
        tx,
        actor,
        Entry {
            action: "agent.created",
            description: format!("{} created the agent {}", actor.name, new.name),
            subject: ("agent", Some(id)),
            ticket_id: None,
            changes: Changes::default(),
        },
    )?;
    Ok(id)
}

/// Activates or deactivates an agent. An inactive agent's keys open nothing from the next request on.
///
/// # Errors
/// What SQLite says.
pub fn set_active(tx: &Tx<'_>, actor: &Actor, agent: &Listed, is_active: bool) -> Result<()> {
    if agent.is_active == is_active {
        return Ok(());
    }
    store::set_active(tx, agent.id, is_active)?;
    let mut changes = Changes::default();
    changes.note("is_active", agent.is_active, is_active);
    let verb = if is_active { "activated" } else { "deactivated" };
    activity::record(
        tx,
        actor,
        Entry {
            action: if is_active { "agent.activated" } else { "agent.deactivated" },
            description: format!("{} {verb} the agent {}", actor.name, agent.name),
            subject: ("agent", Some(agent.id)),
            ticket_id: None,
            changes,
        },
    )
}
