//! The activity log: who changed what, when, from where, in a sentence for people and in fields for programs.
//!
//! A sink at the bottom of the house: whoever changes something records it in the same transaction. Append-only, and it
//! outlives its subject. Never holds the text of a message or a ticket; nothing is recorded for likes, reads, or requests
//! that change nothing.

pub mod internal;
pub mod model;
mod rules;
mod store;

use serde::Serialize;
use serde_json::{Map, Value, json};

pub use model::{Actor, ActorType};

use crate::db::Tx;
use crate::error::{Error, Result};

/// What happened.
#[derive(Debug)]
pub struct Entry<'a> {
    /// `noun.verb`, such as `ticket.closed`.
    pub action: &'a str,
    /// A sentence a person can read.
    pub description: String,
    /// What it happened to: a noun and an id.
    pub subject: (&'a str, Option<i64>),
    /// The ticket it belongs to.
    pub ticket_id: Option<i64>,
    /// Which fields changed, from what to what.
    pub changes: Changes,
}

/// The fields that changed, from what to what.
#[derive(Clone, Debug, Default)]
pub struct Changes(Map<String, Value>);

impl Changes {
    /// Notes a field if its value changed.
    pub fn note(&mut self, field: &str, from: impl Into<Value>, to: impl Into<Value>) {
        let (from, to) = (from.into(), to.into());
        if from != to {
            self.0.insert(field.to_owned(), json!({ "from": from, "to": to }));
        }
    }

    /// Every field that differs between two states of the same thing.
    ///
    /// # Errors
    /// When a state cannot be serialised, which is a bug.
    pub fn between(before: &impl Serialize, after: &impl Serialize) -> Result<Self> {
        let (before, after) = (fields_of(before)?, fields_of(after)?);
        let mut changes = Self::default();
        for (name, to) in after {
            changes.compare(&name, &before.get(&name).cloned().unwrap_or_default(), &to);
        }
        Ok(changes)
    }

    /// Notes a field if its value changed, and of a long text only how long it was and is.
    pub fn compare<T: Into<Value> + Clone + PartialEq>(&mut self, field: &str, from: &T, to: &T) {
        if from != to {
            let (from, to) = (told(field, from.clone().into()), told(field, to.clone().into()));
            self.0.insert(field.to_owned(), json!({ "from": from, "to": to }));
        }
    }

    /// The fields that something new was given.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn created(new: &impl Serialize) -> Result<Self> {
        let mut changes = Self::default();
        fields_of(new)?.into_iter().for_each(|(name, to)| changes.note(&name, Value::Null, told(&name, to)));
        Ok(changes)
    }

    /// The fields that something had until it was deleted.
    ///
    /// # Errors
    /// When it cannot be serialised, which is a bug.
    pub fn deleted(old: &impl Serialize) -> Result<Self> {
        let mut changes = Self::default();
        fields_of(old)?
            .into_iter()
            .for_each(|(name, from)| changes.note(&name, told(&name, from), Value::Null));
        Ok(changes)
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the fields that changed, for a sentence.
    pub fn fields(&self) -> String {
        self.0.keys().map(|name| name.replace('_', " ")).collect::<Vec<_>>().join(", ")
    }
}

/// The fields of a thing that an entry tells of: not those that the entry itself stands for.
fn fields_of(thing: &impl Serialize) -> Result<Map<String, Value>> {
    let tree = serde_json::to_value(thing).map_err(|error| Error::Internal(Box::new(error)))?;
    let Value::Object(mut fields) = tree else { return Ok(Map::new()) };
    fields.retain(|name, _| !["id", "created_at", "updated_at"].contains(&name.as_str()));
    Ok(fields)
}

/// Texts longer than this are told by their length: longer than any name, title or description.
const LONG: usize = 1000;

/// A value as the log tells it: of a long text, wherever in it, only how long it is.
fn told(field: &str, value: Value) -> Value {
    match value {
        Value::String(text) if field == "content" || text.chars().count() > LONG => {
            let length = text.chars().count();
            format!("{length} character{}", if length == 1 { "" } else { "s" }).into()
        }
        Value::Array(items) => items.into_iter().map(|item| told("", item)).collect(),
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, told("", value))).collect::<Map<_, _>>().into()
        }
        value => value,
    }
}

/// Records what happened.
///
/// # Errors
/// What SQLite says.
pub fn record(tx: &Tx<'_>, actor: &Actor, entry: Entry<'_>) -> Result<()> {
    let changes = Value::Object(entry.changes.0.clone()).to_string();
    store::insert(tx, actor, &entry, &changes)
}
