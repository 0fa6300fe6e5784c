//! What a canned response is.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use crate::scalar::{Name, SortOrder, Text};
use crate::time::Timestamp;

/// An answer written once, used often.
#[derive(Debug, Object, Serialize)]
pub struct CannedResponseItem {
    /// The canned response's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// What it is called.
    pub title: String,
    /// The answer.
    pub content: String,
    /// What it belongs to.
    pub category: Option<String>,
    /// What to type for it, such as `/greet`.
    pub shortcut: Option<String>,
    /// Whether agents can use it; always true in this list.
    pub is_active: bool,
    /// Its place in the list; equal places are sorted by title.
    pub sort_order: i64,
}

/// A canned response as administrators see it.
#[derive(Clone, Debug, Object, Serialize)]
pub struct CannedResponse {
    /// The canned response's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// What it is called.
    pub title: String,
    /// The answer.
    pub content: String,
    /// What it belongs to.
    pub category: Option<String>,
    /// What to type for it, such as `/greet`; unique.
    pub shortcut: Option<String>,
    /// Whether agents can use it.
    pub is_active: bool,
    /// Its place in the list; equal places are sorted by title.
    pub sort_order: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A canned response to be created.
#[derive(Debug, Object)]
pub struct NewCannedResponse {
    /// What it is called.
    pub title: Name,
    /// The answer; empty when absent.
    pub content: Option<Text<0, 100_000>>,
    /// What it belongs to.
    #[oai(nullable)]
    pub category: Option<Text<0, 100>>,
    /// What to type for it; no two have the same, to the letter.
    #[oai(nullable)]
    pub shortcut: Option<Text<1, 100>>,
    /// Whether agents can use it; true when absent.
    pub is_active: Option<bool>,
    /// Its place in the list; 0 when absent.
    pub sort_order: Option<SortOrder>,
}

/// What is to change about a canned response. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct CannedResponsePatch {
    /// What it is called now.
    pub title: Option<Name>,
    /// A new answer.
    pub content: Option<Text<0, 100_000>>,
    /// What it belongs to now; null clears it.
    #[oai(nullable)]
    pub category: MaybeUndefined<Text<0, 100>>,
    /// What to type for it now; null clears it.
    #[oai(nullable)]
    pub shortcut: MaybeUndefined<Text<1, 100>>,
    /// Whether agents can use it.
    pub is_active: Option<bool>,
    /// A new place in the list.
    pub sort_order: Option<SortOrder>,
}
