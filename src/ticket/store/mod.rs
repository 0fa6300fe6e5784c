//! Tickets in the database: reading one, listing many, changing.

mod change;
mod find;
mod list;
mod names;

pub use change::*;
pub use find::{Shown, find, find_all, find_customer, find_seen, find_state, find_version};
pub use list::{dashboard, list};
