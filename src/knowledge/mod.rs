//! The knowledge base: articles that answer what customers ask, and the search over them.
//!
//! The search index holds published articles only; a draft is not in it, so no query can find one.

pub mod external;
pub mod model;
pub mod store;
