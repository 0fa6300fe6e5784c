//! Messages: the conversation under a ticket, internal notes included.
//!
//! A message belongs to one ticket and is only ever looked up together with it. Who may see the ticket may see and write
//! messages; on a locked ticket agents and customers write none.

pub mod external;
pub mod internal;
pub mod model;
pub mod rules;
pub mod store;
