//! Which values the custom fields of a ticket may have.

use std::collections::BTreeMap;

use super::model::{FieldChange, FieldInput, FieldRule, NewFieldValue};
use super::store;
use crate::custom_field::model::FieldType;
use crate::custom_field::value;
use crate::db::Tx;
use crate::error::{Check, Result};

/// The values a ticket has, by custom field id.
pub type Fields = BTreeMap<i64, String>;

/// The field of a request that all of this is about.
const FIELD: &str = "custom_fields";

/// The values of a new ticket; notes what does not fit, and required fields that are missing.
///
/// # Errors
/// What SQLite says.
pub fn check_new(tx: &Tx<'_>, sent: &[NewFieldValue], wrong: &mut Check) -> Result<Fields> {
    let rules = store::field_rules(tx)?;
    let mut fields = Fields::new();
    for new in sent {
        let value = check_value(&rules, &Fields::new(), new.id.0, &new.value, wrong);
        if let Some(value) = value.flatten()
            && fields.insert(new.id.0, value).is_some()
        {
            wrong.add(FIELD, format!("custom field {} is given twice", new.id.0));
        }
    }
    let named = |id: i64| sent.iter().any(|new| new.id.0 == id);
    for rule in rules.iter().filter(|rule| rule.is_published && rule.is_required && !named(rule.id)) {
        wrong.add(FIELD, format!("custom field {} is required", rule.id));
    }
    Ok(fields)
}

/// The changes to the values a ticket has; notes what does not fit.
///
/// # Errors
/// What SQLite says.
pub fn check_changes(
    tx: &Tx<'_>,
    had: &Fields,
    sent: &[FieldChange],
    wrong: &mut Check,
) -> Result<Vec<(i64, Option<String>)>> {
    let rules = store::field_rules(tx)?;
    let mut changes: Vec<(i64, Option<String>)> = vec![];
    for change in sent {
        let id = change.id.0;
        if changes.iter().any(|(known, _)| *known == id) {
            wrong.add(FIELD, format!("custom field {id} is given twice"));
        }
        let Some(value) = check_value(&rules, had, id, &change.value, wrong) else { continue };
        let needed = |rule: &&FieldRule| rule.id == id && rule.is_published && rule.is_required;
        if value.is_none() && had.contains_key(&id) && rules.iter().any(|rule| needed(&rule)) {
            wrong.add(FIELD, format!("custom field {id} is required"));
        }
        changes.push((id, value));
    }
    Ok(changes)
}

/// One value as text, none if it is to be removed; nothing at all if something is wrong with it.
#[allow(
    clippy::option_option,
    reason = "what is wrong has been noted, which is neither a value nor a removal"
)]
fn check_value<const NULLABLE: bool>(
    rules: &[FieldRule],
    had: &Fields,
    id: i64,
    sent: &FieldInput<NULLABLE>,
    wrong: &mut Check,
) -> Option<Option<String>> {
    let known = rules.iter().find(|rule| rule.id == id);
    let Some(rule) = known.filter(|rule| rule.is_published || had.contains_key(&id)) else {
        wrong.add(FIELD, format!("there is no published custom field {id}"));
        return None;
    };
    let text = match sent {
        FieldInput::Cleared => return Some(None),
        FieldInput::Number(_) if rule.kind != FieldType::Number => {
            wrong.add(FIELD, format!("custom field {id} must be a string"));
            return None;
        }
        FieldInput::Text(text) | FieldInput::Number(text) => text,
    };
    if let Some(message) = value::wrong(rule.kind, text) {
        wrong.add(FIELD, format!("custom field {id} {message}"));
        return None;
    }
    Some(Some(text.clone()))
}
