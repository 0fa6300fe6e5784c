//! What a department is made of.

use super::model::{Department, DepartmentPatch, NewDepartment};
use crate::noun::{Noun, set, set_or_clear};
use crate::scalar::PublicationStatus;
use crate::time::Timestamp;

impl Noun for Department {
    const NAME: &'static str = "department";
    type New = NewDepartment;
    type Patch = DepartmentPatch;

    fn id(&self) -> i64 {
        self.id
    }

    fn title(&self) -> &str {
        &self.name
    }

    fn draft(new: NewDepartment) -> Self {
        Self {
            id: 0,
            name: new.name.0,
            description: new.description.map(String::from),
            email: new.email.map(String::from),
            is_default: new.is_default.unwrap_or(false),
            status: new.status.unwrap_or(PublicationStatus::Published),
            sort_order: new.sort_order.map_or(0, i64::from),
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }

    fn apply(&mut self, patch: DepartmentPatch) {
        set(&mut self.name, patch.name);
        set_or_clear(&mut self.description, patch.description);
        set_or_clear(&mut self.email, patch.email);
        set(&mut self.is_default, patch.is_default);
        set(&mut self.status, patch.status);
        set(&mut self.sort_order, patch.sort_order);
    }
}
