//! What each version of the schema has changed, a file a version. See [`super::migrate`].

pub mod v2;
pub mod v3;
pub mod v4;
