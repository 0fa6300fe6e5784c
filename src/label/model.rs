//! What a label is.

use poem_openapi::Object;
use serde::Serialize;

use crate::scalar::{Color, Name, PublicationStatus, SortOrder};
use crate::time::Timestamp;

/// A label as tickets and the look-up show it.
#[derive(Clone, Debug, PartialEq, Eq, Object, Serialize)]
pub struct LabelReference {
    /// The label's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The label's name.
    pub name: String,
    /// Its colour, `#rgb` or `#rrggbb`.
    pub color: String,
}

/// A label.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Label {
    /// The label's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The label's name.
    pub name: String,
    /// Its colour, `#rgb` or `#rrggbb`, as it was sent.
    pub color: String,
    /// Whether it can be put on tickets. A draft stays where it is already.
    pub status: PublicationStatus,
    /// Its place among the labels; equal places are sorted by name.
    pub sort_order: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

/// A label to be created.
#[derive(Debug, Object)]
pub struct NewLabel {
    /// The label's name.
    pub name: Name,
    /// Its colour, `#rgb` or `#rrggbb`.
    pub color: Color,
    /// Whether it can be put on tickets; `published` when absent.
    pub status: Option<PublicationStatus>,
    /// Its place among the labels; 0 when absent.
    pub sort_order: Option<SortOrder>,
}

/// What is to change about a label. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct LabelPatch {
    /// A new name.
    pub name: Option<Name>,
    /// A new colour, `#rgb` or `#rrggbb`.
    pub color: Option<Color>,
    /// Whether it can be put on tickets.
    pub status: Option<PublicationStatus>,
    /// A new place among the labels.
    pub sort_order: Option<SortOrder>,
}
