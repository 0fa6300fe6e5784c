//! Whether the server is there, and whether a key opens it.

pub mod external;
pub mod internal;
