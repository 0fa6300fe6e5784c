//! The administrator's canned responses.

use super::model::CannedResponse;
use crate::auth::scope::Scope;
use crate::http::resource::{Resource, Words};
use crate::http::tag::Tag;

impl Resource for CannedResponse {
    const PATH: &'static str = "/internal/canned-responses";
    const TAG: Tag = Tag::AdminCannedResponses;
    const SCOPES: [Scope; 5] = [
        Scope::CannedResponsesList,
        Scope::CannedResponsesCreate,
        Scope::CannedResponsesRead,
        Scope::CannedResponsesUpdate,
        Scope::CannedResponsesDelete,
    ];
    const WORDS: Words = Words {
        one: "canned response",
        many: "canned responses",
        order: "By `sort_order`, then title, inactive ones included.",
        create: "",
        update: "One that is not active is not shown to agents.",
        delete: "What was written with its help stays.",
    };
}
