//! What an administrator can set for the whole desk. One row, whose defaults are in `schema.sql`.

pub mod internal;
pub mod model;
pub mod rules;
pub mod store;

pub use model::Settings;
