//! The knowledge base for agents.

use std::sync::Arc;

use poem_openapi::OpenApi;
use poem_openapi::param::Query;

use super::model::Article;
use super::store;
use crate::db::Db;
use crate::http::answer::Whole;
use crate::http::caller::ByAgent;
use crate::http::failure::Failure;
use crate::http::tag::Tag;
use crate::scalar::SearchText;
use crate::text;

/// The knowledge base operations of the External API.
pub struct KnowledgeApi(pub Arc<Db>);

#[OpenApi(prefix_path = "/external", tag = "Tag::KnowledgeBase")]
impl KnowledgeApi {
    /// Search the knowledge base
    ///
    /// At most 20 published articles that have every word in title, excerpt or content. First those with all words in the
    /// title, then in title or excerpt, then the rest; newest first within. An article is found as soon as it is saved. Not
    /// paginated.
    #[oai(path = "/knowledge-base/search", method = "get", operation_id = "search_knowledge_base")]
    async fn search_knowledge_base(
        &self,
        _me: ByAgent,
        /// What to look for: 2 to 200 characters after trimming, at most ten words. Each may be part of a longer word; case
        /// and diacritics do not matter, in any script; no character is an operator.
        q: Query<SearchText>,
    ) -> Result<Whole<Article>, Failure> {
        let words = text::words(&q.0.0);
        Ok(self.0.search(move |tx| Whole::new(store::search(tx, words)?)).await?)
    }
}
