//! Products: what customers have bought. A draft one still shows where it is, and cannot be newly set.

pub mod internal;
pub mod model;
pub mod price;
pub mod rules;
pub mod store;
