//! Custom fields: what else a ticket can say. A draft one still shows where it has a value, and cannot be newly set.

pub mod internal;
pub mod model;
pub mod rules;
pub mod store;
pub mod value;
