//! What an administrator can set for the whole desk. One row, whose defaults are in `schema.sql`.

pub mod store;

use jiff::tz::TimeZone;

/// The settings that the External API goes by.
#[derive(Clone, Debug)]
pub struct Settings {
    /// How many tickets a page has when the request does not say.
    pub tickets_per_page: i64,
    /// The IANA name of the time zone that days are days of.
    pub time_zone: String,
}

impl Settings {
    /// The time zone; UTC should the name have left the database of time zones.
    pub fn zone(&self) -> TimeZone {
        TimeZone::get(&self.time_zone).unwrap_or(TimeZone::UTC)
    }
}
