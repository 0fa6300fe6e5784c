//! Canned responses: answers written once, used often. Agents see the active ones.

pub mod external;
pub mod internal;
pub mod model;
pub mod rules;
pub mod store;
