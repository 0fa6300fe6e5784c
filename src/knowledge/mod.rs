//! The knowledge base: articles that answer what customers ask, the categories they are in, and the search over them.
//!
//! The search index holds published articles only; a draft is not in it, so no query can find one. It is written with the
//! article, so a search is fresh as soon as an article is saved.

pub mod category;
pub mod external;
pub mod internal;
pub mod model;
pub mod rules;
pub mod slug;
pub mod store;
