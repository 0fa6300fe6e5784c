//! What an article is.

use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use crate::reference::Reference;
use crate::scalar::{Id, Name, PublicationStatus, Slug, Text};
use crate::time::Timestamp;

/// An article of the knowledge base.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Article {
    /// The article's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// Its title.
    pub title: String,
    /// Its name in the address bar, unique.
    pub slug: String,
    /// What it says, in short.
    pub excerpt: Option<String>,
    /// What it says.
    pub content: String,
    /// Its category.
    pub category: Option<Reference>,
    /// How often it was read.
    #[oai(validator(minimum(value = "0")))]
    pub views: i64,
    /// Whether it is published; always so in a search.
    pub status: PublicationStatus,
    /// When it was written.
    pub created_at: Timestamp,
}

/// An article as administrators see it.
#[derive(Clone, Debug, Object, Serialize)]
pub struct KnowledgeArticle {
    /// The article.
    #[serde(flatten)]
    #[oai(flatten)]
    pub article: Article,
    /// When it last changed. Does not move when its category is renamed or deleted.
    pub updated_at: Timestamp,
}

/// An article to be created.
#[derive(Debug, Object)]
pub struct NewKnowledgeArticle {
    /// Its title.
    pub title: Name,
    /// Its name in the address bar; no two have the same, to the letter. When absent it is made from the title:
    /// transliterated, lower case, runs of other characters as one `-`, with `-2`, `-3` and so on behind it when that is
    /// taken.
    pub slug: Option<Slug>,
    /// What it says; empty when absent.
    pub content: Option<Text<0, 100_000>>,
    /// What it says, in short.
    #[oai(nullable)]
    pub excerpt: Option<Text<0, 500>>,
    /// The id of its category.
    #[oai(nullable)]
    pub category_id: Option<Id>,
    /// Whether agents can find it; `published` when absent.
    pub status: Option<PublicationStatus>,
}

/// What is to change about an article. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct KnowledgeArticlePatch {
    /// A new title. The slug stays as it is.
    pub title: Option<Name>,
    /// A new name in the address bar.
    pub slug: Option<Slug>,
    /// What it says now.
    pub content: Option<Text<0, 100_000>>,
    /// What it says now, in short; null clears it.
    #[oai(nullable)]
    pub excerpt: MaybeUndefined<Text<0, 500>>,
    /// The id of its new category; null clears it.
    #[oai(nullable)]
    pub category_id: MaybeUndefined<Id>,
    /// Whether agents can find it.
    pub status: Option<PublicationStatus>,
}
