//! The activity log: who changed what, when, from where, in a sentence for people and in fields for programs.
//!
//! A sink at the bottom of the house: whoever changes something records it in the same transaction. Append-only, and it
//! outlives its subject. Never holds the text of a message or a ticket; nothing is recorded for likes, reads, or requests
//! that change nothing.

mod model;
mod store;

use serde_json::{Map, Value, json};

pub use model::{Actor, ActorType};

use crate::db::Tx;
use crate::error::Result;

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

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of the fields that changed, for a sentence.
    pub fn fields(&self) -> String {
        self.0.keys().map(|name| name.replace('_', " ")).collect::<Vec<_>>().join(", ")
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
