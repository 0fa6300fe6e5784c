//! What a department is.

use poem_openapi::Object;
use serde::Serialize;

/// A department as the look-up shows it.
#[derive(Debug, Object, Serialize)]
pub struct DepartmentReference {
    /// The department's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The department's name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
}
