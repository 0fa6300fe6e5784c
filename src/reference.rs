//! How one thing is shown inside another: by id and name.

use poem_openapi::Object;
use serde::Serialize;

/// Something that another thing refers to.
#[derive(Clone, Debug, PartialEq, Eq, Object, Serialize)]
pub struct Reference {
    /// Its id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// Its name, as it is now.
    pub name: String,
}
