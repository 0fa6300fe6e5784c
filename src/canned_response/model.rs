//! What a canned response is.

use poem_openapi::Object;
use serde::Serialize;

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
