//! What may be set.

use jiff::tz::TimeZone;

use super::model::{Settings, SettingsPatch};
use super::store;
use crate::activity::{self, Actor, Changes, Entry};
use crate::db::Tx;
use crate::error::{Check, Result};
use crate::noun::{set, set_or_clear};

/// Changes how the desk works. A change that leaves everything as it is writes nothing.
///
/// # Errors
/// [`crate::error::Error::Invalid`] for a department that is not there.
pub fn update(tx: &Tx<'_>, actor: &Actor, patch: SettingsPatch) -> Result<Settings> {
    let before = store::find(tx)?;
    let mut after = before.clone();
    apply(&mut after, patch);
    let mut wrong = Check::default();
    if let Some(id) = after.default_department_id
        && !store::has_department(tx, id)?
    {
        wrong.add("default_department_id", format!("there is no department {id}"));
    }
    wrong.finish()?;
    let changes = Changes::between(&before, &after)?;
    if changes.is_empty() {
        return Ok(before);
    }
    store::update(tx, &after)?;
    let description = format!("{} changed {} of the settings", actor.name, changes.fields());
    let subject = ("setting", None);
    activity::record(
        tx,
        actor,
        Entry { action: "settings.updated", description, subject, ticket_id: None, changes },
    )?;
    Ok(after)
}

fn apply(settings: &mut Settings, patch: SettingsPatch) {
    set(&mut settings.ticket_prefix, patch.ticket_prefix);
    set_or_clear(&mut settings.default_department_id, patch.default_department_id);
    set(&mut settings.default_priority, patch.default_priority);
    set(&mut settings.auto_close_days, patch.auto_close_days);
    set(&mut settings.tickets_per_page, patch.tickets_per_page);
    set(&mut settings.customer_max_tickets_per_day, patch.customer_max_tickets_per_day);
    set(&mut settings.auto_assign, patch.auto_assign);
    set(&mut settings.department_visibility, patch.department_visibility);
    // Kept as the database of time zones writes it, so that one zone has one name here.
    let zone = patch.time_zone.and_then(|name| TimeZone::get(&name.0).ok());
    set(&mut settings.time_zone, zone.as_ref().and_then(TimeZone::iana_name));
}
