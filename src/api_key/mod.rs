//! Keys to the API: made once, shown once, kept as a hash, revoked for good.

pub mod internal;
pub mod model;
pub mod rules;
pub mod store;
pub mod uses;
