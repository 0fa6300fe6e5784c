//! The steps between released versions, one a file. A step that has been released is never changed.

pub mod v2;
