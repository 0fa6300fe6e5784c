//! What a label is.

use poem_openapi::Object;
use serde::Serialize;

/// A label as tickets and the look-up show it.
#[derive(Clone, Debug, PartialEq, Eq, Object, Serialize)]
#[oai(rename = "LabelReference")]
pub struct Label {
    /// The label's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The label's name.
    pub name: String,
    /// Its colour, `#rgb` or `#rrggbb`.
    pub color: String,
}
