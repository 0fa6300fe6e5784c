//! What a ticket is.

use poem_openapi::{Enum, Object};
use serde::Serialize;

use super::Version;
use crate::custom_field::model::FieldType;
use crate::label::model::LabelReference;
use crate::reference::Reference;
use crate::scalar::Id;
use crate::time::Timestamp;
use crate::words;

words! {
    /// Where a ticket stands.
    Status {
        /// Nobody works on it yet.
        Open = "open",
        /// Somebody does.
        InProgress = "in_progress",
        /// It waits for something.
        OnHold = "on_hold",
        /// It is done.
        Closed = "closed",
    }
}

words! {
    /// How urgent a ticket is, from least to most.
    Priority {
        /// When there is time.
        Low = "low",
        /// As usual.
        Medium = "medium",
        /// Soon.
        High = "high",
        /// Now.
        Critical = "critical",
    }
}

/// The customer of a ticket.
#[derive(Debug, Object, Serialize)]
pub struct CustomerReference {
    /// The customer's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The customer's name.
    pub name: String,
    /// The customer's e-mail address.
    pub email: String,
}

/// The value a ticket has for a custom field.
#[derive(Debug, Object, Serialize)]
pub struct FieldValue {
    /// The custom field's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The custom field's label.
    pub label: String,
    /// What the field holds.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub kind: FieldType,
    /// The value, as text whatever the type.
    pub value: String,
}

/// A ticket.
#[derive(Debug, Object, Serialize)]
pub struct Ticket {
    /// The ticket's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// What people call it: a prefix and a number, unique, never reused.
    pub reference_id: String,
    /// What it is about.
    pub title: String,
    /// The customer's opening text.
    pub content: String,
    /// Where it stands.
    pub status: Status,
    /// How urgent it is.
    pub priority: Priority,
    /// The department it is in.
    pub department: Option<Reference>,
    /// Its category.
    pub category: Option<Reference>,
    /// The product it is about.
    pub product: Option<Reference>,
    /// Who asks.
    pub customer: Option<CustomerReference>,
    /// Its labels.
    pub labels: Vec<LabelReference>,
    /// The agent who leads it.
    pub assigned_to: Option<Reference>,
    /// Everyone on it: the lead first, then by id.
    pub agents: Vec<Reference>,
    /// The custom fields that have a value.
    pub custom_fields: Vec<FieldValue>,
    /// Whether the question is settled.
    pub is_resolved: bool,
    /// Whether it is locked: agents and customers cannot write messages.
    pub is_locked: bool,
    /// When the last public message was written, whoever by; null for a ticket without one.
    pub last_reply_at: Option<Timestamp>,
    /// When it was closed; null unless it is.
    pub closed_at: Option<Timestamp>,
    /// When it was opened.
    pub created_at: Timestamp,
    /// When it last changed: with every message and every change of a field, label, agent or custom value.
    pub updated_at: Timestamp,
}

/// What an agent changes about a ticket. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct TicketPatch {
    /// Where it stands now. Entering `closed` sets `closed_at` and `is_resolved`; leaving it clears both.
    pub status: Option<Status>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// The ids of its labels, replacing those it has; a repeated id counts once. At most 50. A draft label stays if it is
    /// on the ticket already and cannot be newly set.
    #[oai(validator(max_items = 50))]
    pub labels: Option<Vec<Id>>,
}

/// What a list is sorted by; a leading `-` turns the order round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum TicketSort {
    /// Oldest first.
    #[oai(rename = "created_at")]
    Created,
    /// Newest first.
    #[oai(rename = "-created_at")]
    CreatedDown,
    /// Longest untouched first.
    #[oai(rename = "updated_at")]
    Updated,
    /// Last touched first.
    #[oai(rename = "-updated_at")]
    UpdatedDown,
    /// Longest without a public message first, those without any before all.
    #[oai(rename = "last_reply_at")]
    LastReply,
    /// Latest public message first, those without any last.
    #[oai(rename = "-last_reply_at")]
    LastReplyDown,
    /// Least urgent first.
    #[oai(rename = "priority")]
    Priority,
    /// Most urgent first.
    #[oai(rename = "-priority")]
    PriorityDown,
}

/// Which tickets a list shows.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only with this status.
    pub status: Option<Status>,
    /// Only with this priority.
    pub priority: Option<Priority>,
    /// Only in this department.
    pub department_id: Option<i64>,
    /// Only with all of these words, folded.
    pub words: Option<Vec<String>>,
    /// In which order; newest first when absent.
    pub sort: Option<TicketSort>,
}

/// How an agent's desk looks.
#[derive(Debug, Object, Serialize)]
pub struct Dashboard {
    /// Tickets with status `open`.
    #[oai(validator(minimum(value = "0")))]
    pub open_tickets: i64,
    /// Tickets with status `in_progress`.
    #[oai(validator(minimum(value = "0")))]
    pub in_progress_tickets: i64,
    /// Tickets that are not closed and where the customer had the last public word, the opening text included.
    #[oai(validator(minimum(value = "0")))]
    pub needs_response: i64,
    /// Tickets closed since midnight in the desk's time zone.
    #[oai(validator(minimum(value = "0")))]
    pub closed_today: i64,
}

/// What rules need to know of a ticket before they change it.
#[derive(Debug)]
pub struct State {
    /// The ticket's id.
    pub id: i64,
    /// What people call it.
    pub reference_id: String,
    /// Where it stands.
    pub status: Status,
    /// How urgent it is.
    pub priority: Priority,
    /// The department it is in.
    pub department_id: Option<i64>,
    /// The agent who leads it.
    pub lead_id: Option<i64>,
    /// Whether the question is settled.
    pub is_resolved: bool,
    /// Whether it is locked.
    pub is_locked: bool,
    /// Whether a public message from the staff has been written.
    pub was_answered: bool,
    /// When it was opened.
    pub created_at: Timestamp,
    /// Which version it is.
    pub version: Version,
}
