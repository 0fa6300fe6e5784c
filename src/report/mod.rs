//! Reports: how the desk is doing, over a period of days.
//!
//! Made of facts that were written as they happened (`ticket_event`): who led a ticket and where it was at the time, and how
//! long after its creation. They are never recomputed, so a report of a past period says the same tomorrow, except for what
//! it says about now: `open_now`, and the status and priority that the tickets of the period have by now.

pub mod internal;
pub mod model;
mod period;
pub mod rules;
pub mod store;
