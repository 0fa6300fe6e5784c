//! What an article is made of, and the slug of one that was given none.

use super::category;
use super::model::{Article, KnowledgeArticle, KnowledgeArticlePatch, NewKnowledgeArticle};
use super::{slug, store};
use crate::db::Tx;
use crate::error::{Check, Result};
use crate::noun::{Noun, set, set_or_clear};
use crate::reference::Reference;
use crate::scalar::{Id, PublicationStatus};
use crate::time::Timestamp;

impl Noun for KnowledgeArticle {
    const NAME: &'static str = "knowledge_article";
    type New = NewKnowledgeArticle;
    type Patch = KnowledgeArticlePatch;

    fn id(&self) -> i64 {
        self.article.id
    }

    fn title(&self) -> &str {
        &self.article.title
    }

    fn draft(new: NewKnowledgeArticle) -> Self {
        let article = Article {
            id: 0,
            title: new.title.0,
            slug: new.slug.map(String::from).unwrap_or_default(),
            excerpt: new.excerpt.map(String::from),
            content: new.content.map(String::from).unwrap_or_default(),
            category: new.category_id.map(unnamed),
            views: 0,
            status: new.status.unwrap_or(PublicationStatus::Published),
            created_at: Timestamp(0),
        };
        Self { article, updated_at: Timestamp(0) }
    }

    fn apply(&mut self, patch: KnowledgeArticlePatch) {
        let article = &mut self.article;
        set(&mut article.title, patch.title);
        set(&mut article.slug, patch.slug);
        set(&mut article.content, patch.content);
        set_or_clear(&mut article.excerpt, patch.excerpt);
        set_or_clear(&mut article.category, patch.category_id.map_value(unnamed));
        set(&mut article.status, patch.status);
    }

    fn check(&mut self, tx: &Tx<'_>, wrong: &mut Check) -> Result<()> {
        let article = &mut self.article;
        if article.slug.is_empty() {
            article.slug = free_slug(tx, &article.title)?;
        } else if store::is_slug_taken(tx, &article.slug, article.id)? {
            wrong.add("slug", "is taken already");
        }
        if let Some(category) = &mut article.category {
            match category::store::find_name(tx, category.id)? {
                Some(name) => category.name = name,
                None => wrong.add("category_id", format!("there is no knowledge category {}", category.id)),
            }
        }
        Ok(())
    }
}

/// A category of which only the id is known yet; the check looks its name up.
fn unnamed(id: Id) -> Reference {
    Reference { id: id.0, name: String::new() }
}

/// The slug of a title, with the first number that makes it unique if it is taken.
fn free_slug(tx: &Tx<'_>, title: &str) -> Result<String> {
    let plain = slug::from_title(title);
    let (mut free, mut number) = (plain.clone(), 1);
    while store::is_slug_taken(tx, &free, 0)? {
        number += 1;
        free = slug::numbered(&plain, number);
    }
    Ok(free)
}
