//! Departments: where tickets go, and what agents work in.

pub mod external;
pub mod model;
pub mod store;
