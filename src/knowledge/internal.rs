//! The administrator's articles.

use super::model::KnowledgeArticle;
use crate::auth::scope::Scope;
use crate::http::resource::{Resource, Words};
use crate::http::tag::Tag;

impl Resource for KnowledgeArticle {
    const PATH: &'static str = "/internal/knowledge-articles";
    const TAG: Tag = Tag::AdminKnowledgeArticles;
    const SCOPES: [Scope; 5] = [
        Scope::KnowledgeArticlesList,
        Scope::KnowledgeArticlesCreate,
        Scope::KnowledgeArticlesRead,
        Scope::KnowledgeArticlesUpdate,
        Scope::KnowledgeArticlesDelete,
    ];
    const WORDS: Words = Words {
        one: "knowledge article",
        many: "knowledge articles",
        order: "Newest first, drafts included.",
        create: "Agents find it at once if it is published.",
        update: "The search knows at once; a draft is never found. A new title leaves the slug alone.",
        delete: "It is found no more.",
    };
}
