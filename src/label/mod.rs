//! Labels: coloured words on tickets. A draft label still shows where it is, and cannot be newly set.

pub mod external;
pub mod internal;
pub mod model;
pub mod rules;
pub mod store;
