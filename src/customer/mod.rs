//! Customers: who asks. Their e-mail addresses are unique, case ignored, and they are never deleted, because their
//! tickets are theirs.

pub mod internal;
pub mod model;
pub mod rules;
pub mod store;
