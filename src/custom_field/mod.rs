//! Custom fields: what else a ticket can say.

pub mod model;
pub mod value;
