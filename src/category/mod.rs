//! Categories: what tickets are about, in a tree. A draft one still shows where it is, and cannot be newly set.

pub mod internal;
pub mod model;
pub mod rules;
pub mod store;
