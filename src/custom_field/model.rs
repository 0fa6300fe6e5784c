//! What a custom field is.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use crate::scalar::{Description, Name, PublicationStatus, SortOrder};
use crate::time::Timestamp;
use crate::words;

words! {
    /// What a custom field holds.
    FieldType {
        /// A date, `2026-03-15`.
        Date = "date",
        /// A date and a time of day, `2026-03-15T14:30`.
        DatetimeLocal = "datetime_local",
        /// An e-mail address.
        Email = "email",
        /// A number.
        Number = "number",
        /// A telephone number.
        Tel = "tel",
        /// A line of text.
        Text = "text",
        /// Several lines of text.
        Textarea = "textarea",
        /// A time of day, `14:30`.
        Time = "time",
        /// An address on the web.
        Url = "url",
    }
}

/// A custom field of tickets.
#[derive(Clone, Debug, Object, Serialize)]
pub struct CustomField {
    /// The custom field's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// What it is called on a ticket.
    pub label: String,
    /// What to fill in.
    pub description: Option<String>,
    /// What it holds.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub kind: FieldType,
    /// Whether a new ticket must have a value for it, as long as it is published.
    pub is_required: bool,
    /// Its place among the custom fields; equal places are sorted by id.
    pub sort_order: i64,
    /// Whether tickets can be given a value for it. A value of a draft stays where it is already.
    pub status: PublicationStatus,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A custom field to be created.
#[derive(Debug, Object)]
pub struct NewCustomField {
    /// What it is called on a ticket.
    pub label: Name,
    /// What to fill in.
    #[oai(nullable)]
    pub description: Option<Description>,
    /// What it holds.
    #[oai(rename = "type")]
    pub kind: FieldType,
    /// Whether a new ticket must have a value for it; false when absent.
    pub is_required: Option<bool>,
    /// Its place among the custom fields; 0 when absent.
    pub sort_order: Option<SortOrder>,
    /// Whether tickets can be given a value for it; `published` when absent.
    pub status: Option<PublicationStatus>,
}

/// What is to change about a custom field. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct CustomFieldPatch {
    /// What it is called on a ticket now.
    pub label: Option<Name>,
    /// What to fill in now; null clears it.
    #[oai(nullable)]
    pub description: MaybeUndefined<Description>,
    /// What it holds from now on. Values that tickets have already stay as they are.
    #[oai(rename = "type")]
    pub kind: Option<FieldType>,
    /// Whether a new ticket must have a value for it.
    pub is_required: Option<bool>,
    /// A new place among the custom fields.
    pub sort_order: Option<SortOrder>,
    /// Whether tickets can be given a value for it.
    pub status: Option<PublicationStatus>,
}
