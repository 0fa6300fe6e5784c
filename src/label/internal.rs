//! The administrator's labels.

use super::model::Label;
use crate::auth::scope::Scope;
use crate::http::resource::{Resource, Words};
use crate::http::tag::Tag;

impl Resource for Label {
    const PATH: &'static str = "/internal/labels";
    const TAG: Tag = Tag::AdminLabels;
    const SCOPES: [Scope; 5] =
        [Scope::LabelsList, Scope::LabelsCreate, Scope::LabelsRead, Scope::LabelsUpdate, Scope::LabelsDelete];
    const WORDS: Words = Words {
        one: "label",
        many: "labels",
        order: "By `sort_order`, then name, drafts included.",
        create: "",
        update: "A draft stays on the tickets that have it and cannot be newly set.",
        delete: "The tickets that have it lose it, and stay whole.",
    };
}
