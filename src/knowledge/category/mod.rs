//! Categories of the knowledge base: the shelves that articles stand on.

pub mod internal;
pub mod model;
pub mod rules;
pub mod store;
