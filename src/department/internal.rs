//! The administrator's departments.

use super::model::Department;
use crate::auth::scope::Scope;
use crate::http::resource::{Resource, Words};
use crate::http::tag::Tag;

impl Resource for Department {
    const PATH: &'static str = "/internal/departments";
    const TAG: Tag = Tag::AdminDepartments;
    const SCOPES: [Scope; 5] = [
        Scope::DepartmentsList,
        Scope::DepartmentsCreate,
        Scope::DepartmentsRead,
        Scope::DepartmentsUpdate,
        Scope::DepartmentsDelete,
    ];
    const WORDS: Words = Words {
        one: "department",
        many: "departments",
        order: "By `sort_order`, then name, drafts included.",
        create: "With `is_default` it becomes the default department, in place of the one that is; a draft can be it too.",
        update: "A draft stays on the tickets that are in it and cannot be newly set.",
        delete: "Its tickets are in no department from then on, and stay whole; its agents leave it. If it was the default \
                 one, the desk has none.",
    };
}
