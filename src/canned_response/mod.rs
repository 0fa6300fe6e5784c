//! Canned responses: answers written once, used often.

pub mod external;
pub mod model;
pub mod store;
