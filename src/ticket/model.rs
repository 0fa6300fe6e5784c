//! What a ticket is.

use std::borrow::Cow;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{MaybeUndefined, ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use poem_openapi::{Enum, Object};
use serde::Serialize;
use serde_json::Value;

use super::Version;
use crate::custom_field::model::FieldType;
use crate::label::model::LabelReference;
use crate::reference::Reference;
pub use crate::scalar::Priority;
use crate::scalar::{Content, Id, Text};
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

/// The customer of a ticket.
#[derive(Debug, Object)]
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
#[derive(Debug, Object)]
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

/// What a ticket is about, in a line.
pub type Title = Text<1, 500>;

/// A ticket to be opened for a customer.
#[derive(Debug, Object)]
pub struct NewTicket {
    /// Who asks: the customer's id.
    pub customer_id: Id,
    /// What it is about, 1 to 500 characters.
    pub title: Title,
    /// The customer's opening text, 1 to 100,000 characters.
    pub content: Content,
    /// The department it goes to, a published one. Absent: the default one of the settings, if that is published; null: none.
    #[oai(nullable)]
    pub department_id: MaybeUndefined<Id>,
    /// Its category, a published one.
    #[oai(nullable)]
    pub category_id: MaybeUndefined<Id>,
    /// The product it is about, a published one.
    #[oai(nullable)]
    pub product_id: MaybeUndefined<Id>,
    /// How urgent it is; the setting `default_priority` when absent.
    pub priority: Option<Priority>,
    /// The active agent who leads it. Without one the setting `auto_assign` may choose.
    #[oai(nullable)]
    pub assigned_to: MaybeUndefined<Id>,
    /// The ids of its labels, published ones; a repeated id counts once. At most 50.
    #[oai(validator(max_items = 50))]
    pub labels: Option<Vec<Id>>,
    /// Values for custom fields. Every required published field must have one.
    #[oai(validator(max_items = 200))]
    pub custom_fields: Option<Vec<NewFieldValue>>,
}

/// What an administrator changes about a ticket. Absent fields stay as they are.
#[derive(Debug, Default, Object)]
pub struct AdminTicketPatch {
    /// What it is about, 1 to 500 characters.
    pub title: Option<Title>,
    /// The opening text, 1 to 100,000 characters.
    pub content: Option<Content>,
    /// Who asks: the customer's id.
    pub customer_id: Option<Id>,
    /// Where it stands now. Entering `closed` sets `closed_at` and `is_resolved`; leaving it clears both.
    pub status: Option<Status>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// The department it is in; null for none. A draft cannot be newly set.
    #[oai(nullable)]
    pub department_id: MaybeUndefined<Id>,
    /// Its category; null for none. A draft cannot be newly set.
    #[oai(nullable)]
    pub category_id: MaybeUndefined<Id>,
    /// The product it is about; null for none. A draft cannot be newly set.
    #[oai(nullable)]
    pub product_id: MaybeUndefined<Id>,
    /// The ids of the agents on it, replacing those who are; a repeated id counts once. At most 100. A lead who is not among
    /// them leads no longer. Each must be active.
    #[oai(validator(max_items = 100))]
    pub agents: Option<Vec<Id>>,
    /// The agent who leads it, who joins those on it; the one before stays on. Null: nobody leads, everybody stays on.
    /// Applied after `agents`. Must be active.
    #[oai(nullable)]
    pub assigned_to: MaybeUndefined<Id>,
    /// The ids of its labels, replacing those it has; a repeated id counts once. At most 50. A draft label stays if it is
    /// on the ticket already and cannot be newly set.
    #[oai(validator(max_items = 50))]
    pub labels: Option<Vec<Id>>,
    /// Values for custom fields, merged by id: a null value removes, fields that are not named stay.
    #[oai(validator(max_items = 200))]
    pub custom_fields: Option<Vec<FieldChange>>,
    /// Whether the question is settled. Can be set without closing; wins over what a new status implies.
    pub is_resolved: Option<bool>,
    /// Whether it is locked: agents and customers cannot write messages.
    pub is_locked: Option<bool>,
}

impl From<TicketPatch> for AdminTicketPatch {
    fn from(patch: TicketPatch) -> Self {
        Self { status: patch.status, priority: patch.priority, labels: patch.labels, ..Self::default() }
    }
}

/// A value for a custom field of a new ticket.
#[derive(Debug, Object)]
pub struct NewFieldValue {
    /// The custom field's id.
    pub id: Id,
    /// The value, text that fits the field's type; a number field also takes a number.
    pub value: FieldInput<false>,
}

/// A value for a custom field of a ticket.
#[derive(Debug, Object)]
pub struct FieldChange {
    /// The custom field's id.
    pub id: Id,
    /// The value, text that fits the field's type; a number field also takes a number. Null removes it.
    pub value: FieldInput<true>,
}

/// A value as it was sent: text, a number as it was written (never through a float; an exponent as `e+3`), or with
/// `NULLABLE` null.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldInput<const NULLABLE: bool> {
    /// None: null was sent.
    Cleared,
    /// Text.
    Text(String),
    /// A bare number, as it was written.
    Number(String),
}

impl<const NULLABLE: bool> Type for FieldInput<NULLABLE> {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "FieldInput".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let number = MetaSchemaRef::Inline(Box::new(MetaSchema::new("number")));
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            any_of: vec![Content::schema_ref(), number],
            nullable: NULLABLE,
            ..MetaSchema::ANY
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl<const NULLABLE: bool> ParseFromJSON for FieldInput<NULLABLE> {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        match value.unwrap_or_default() {
            Value::Null if NULLABLE => Ok(Self::Cleared),
            Value::String(text) => Ok(Self::Text(text)),
            Value::Number(number) => Ok(Self::Number(number.to_string())),
            other => Err(ParseError::expected_type(other)),
        }
    }
}

impl<const NULLABLE: bool> ToJSON for FieldInput<NULLABLE> {
    fn to_json(&self) -> Option<Value> {
        match self {
            Self::Cleared => None,
            Self::Text(text) | Self::Number(text) => Some(text.clone().into()),
        }
    }
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
    /// Only of this customer.
    pub customer_id: Option<i64>,
    /// Only led by this agent.
    pub assigned_to: Option<i64>,
    /// Only those that nobody leads.
    pub is_unassigned: bool,
    /// Only with all of these words, folded.
    pub words: Option<Vec<String>>,
    /// In which order; newest first when absent.
    pub sort: Option<TicketSort>,
}

impl Filter {
    /// Whether it asks for one customer's tickets, one lead's, or those without a lead.
    pub fn is_narrow(&self) -> bool {
        self.customer_id.is_some() || self.assigned_to.is_some() || self.is_unassigned
    }

    /// Whether it asks for words and nothing else.
    pub fn is_words_only(&self) -> bool {
        self.words.is_some()
            && self.status.is_none()
            && self.priority.is_none()
            && self.department_id.is_none()
            && !self.is_narrow()
    }

    /// Whether it goes by creation, the order that every index of a filter is in.
    pub fn is_by_creation(&self) -> bool {
        matches!(self.sort, None | Some(TicketSort::Created | TicketSort::CreatedDown))
    }

    /// Whether an index and the counters answer it at once, however large the desk.
    pub fn is_quick(&self) -> bool {
        self.words.is_none() && !self.is_narrow() && self.is_by_creation()
    }
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
#[derive(Clone, Debug)]
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
    /// Its category.
    pub category_id: Option<i64>,
    /// The product it is about.
    pub product_id: Option<i64>,
    /// Who asks.
    pub customer_id: i64,
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

/// What a ticket says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Texts {
    /// What it is about.
    pub title: String,
    /// The opening text.
    pub content: String,
}

/// A custom field as the values of a ticket are checked against it.
#[derive(Debug)]
pub struct FieldRule {
    /// Its id.
    pub id: i64,
    /// What it holds.
    pub kind: FieldType,
    /// Whether it can be newly set.
    pub is_published: bool,
    /// Whether a new ticket must have it.
    pub is_required: bool,
}
