//! Departments: where tickets go, and what agents work in. A draft one still shows where it is, and cannot be newly set.
//!
//! Which one is the default is a setting; a department only shows whether it is meant.

pub mod external;
pub mod internal;
pub mod model;
pub mod rules;
pub mod store;
