//! What a department is.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use crate::scalar::{Description, Email, Name, PublicationStatus, SortOrder};
use crate::time::Timestamp;

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

/// A department.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Department {
    /// The department's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The department's name.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its e-mail address.
    pub email: Option<String>,
    /// Whether new tickets go here when they do not say where. A view of the setting `default_department_id`, so true for
    /// one department at most.
    pub is_default: bool,
    /// Whether tickets can be put into it. Those in a draft stay there.
    pub status: PublicationStatus,
    /// Its place among the departments; equal places are sorted by name.
    pub sort_order: i64,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it last changed. Does not move when another department becomes the default one in its place.
    pub updated_at: Timestamp,
}

/// A department to be created.
#[derive(Debug, Object)]
pub struct NewDepartment {
    /// The department's name.
    pub name: Name,
    /// What it is for.
    #[oai(nullable)]
    pub description: Option<Description>,
    /// Its e-mail address.
    #[oai(nullable)]
    pub email: Option<Email>,
    /// Whether it becomes the default department, in place of the one that is; false when absent.
    pub is_default: Option<bool>,
    /// Whether tickets can be put into it; `published` when absent.
    pub status: Option<PublicationStatus>,
    /// Its place among the departments; 0 when absent.
    pub sort_order: Option<SortOrder>,
}

/// What is to change about a department. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct DepartmentPatch {
    /// A new name.
    pub name: Option<Name>,
    /// What it is for now; null clears it.
    #[oai(nullable)]
    pub description: MaybeUndefined<Description>,
    /// A new e-mail address; null clears it.
    #[oai(nullable)]
    pub email: MaybeUndefined<Email>,
    /// `true` makes it the default department, in place of the one that is. `false` on the default one leaves the desk
    /// without any; on another it changes nothing.
    pub is_default: Option<bool>,
    /// Whether tickets can be put into it.
    pub status: Option<PublicationStatus>,
    /// A new place among the departments.
    pub sort_order: Option<SortOrder>,
}
