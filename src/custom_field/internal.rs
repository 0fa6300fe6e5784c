//! The administrator's custom fields.

use super::model::CustomField;
use crate::auth::scope::Scope;
use crate::http::resource::{Resource, Words};
use crate::http::tag::Tag;

impl Resource for CustomField {
    const PATH: &'static str = "/internal/custom-fields";
    const TAG: Tag = Tag::AdminCustomFields;
    const SCOPES: [Scope; 5] = [
        Scope::CustomFieldsList,
        Scope::CustomFieldsCreate,
        Scope::CustomFieldsRead,
        Scope::CustomFieldsUpdate,
        Scope::CustomFieldsDelete,
    ];
    const WORDS: Words = Words {
        one: "custom field",
        many: "custom fields",
        order: "By `sort_order`, then id, drafts included.",
        create: "Tickets that are there already have no value for it, even when it is required.",
        update: "Values that tickets have already stay as they are, whatever the new type.",
        delete: "The values that tickets have for it go with it; the tickets stay whole otherwise.",
    };
}
