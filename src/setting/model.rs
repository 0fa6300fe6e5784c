//! What can be set.

use jiff::tz::TimeZone;
use poem_openapi::Object;
use poem_openapi::types::MaybeUndefined;
use serde::Serialize;

use crate::scalar::{Id, Priority, TicketPrefix, TimeZoneName};

/// How the desk works.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Settings {
    /// What stands before the number in the reference of a new ticket. Tickets that are there keep theirs.
    pub ticket_prefix: String,
    /// The department of a new ticket that names none; null for none.
    #[oai(validator(minimum(value = "1")))]
    pub default_department_id: Option<i64>,
    /// The priority of a new ticket that names none.
    pub default_priority: Priority,
    /// After how many days without a change a ticket that needs no response is closed; 0 for never.
    #[oai(validator(minimum(value = "0")))]
    pub auto_close_days: i64,
    /// How many tickets a page has when the request does not say.
    #[oai(validator(minimum(value = "1")))]
    pub tickets_per_page: i64,
    /// How many tickets a customer may open on one calendar day in `time_zone`; 0 for no limit.
    #[oai(validator(minimum(value = "0")))]
    pub customer_max_tickets_per_day: i64,
    /// Whether a new ticket without a lead is given to the agent of its department who leads the fewest.
    pub auto_assign: bool,
    /// Whether agents see every ticket of their departments, and not only those they are on.
    pub department_visibility: bool,
    /// The time zone that days are days of, by its IANA name.
    pub time_zone: String,
}

impl Settings {
    /// The time zone; UTC should the name have left the database of time zones.
    pub fn zone(&self) -> TimeZone {
        crate::time::zone(&self.time_zone)
    }
}

/// What is to change about how the desk works. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct SettingsPatch {
    /// What stands before the number in the reference of a new ticket: 0 to 10 characters, no spaces or control
    /// characters. Tickets that are there keep their reference.
    pub ticket_prefix: Option<TicketPrefix>,
    /// The department of a new ticket that names none; null for none.
    #[oai(nullable)]
    pub default_department_id: MaybeUndefined<Id>,
    /// The priority of a new ticket that names none.
    pub default_priority: Option<Priority>,
    /// After how many days without a change a ticket that needs no response is closed, at most 36,500; 0 for never.
    #[oai(validator(minimum(value = "0"), maximum(value = "36500")))]
    pub auto_close_days: Option<i64>,
    /// How many tickets a page has when the request does not say, 1 to 200.
    #[oai(validator(minimum(value = "1"), maximum(value = "200")))]
    pub tickets_per_page: Option<i64>,
    /// How many tickets a customer may open on one calendar day in `time_zone`, at most 2,147,483,647; 0 for no limit.
    #[oai(validator(minimum(value = "0"), maximum(value = "2147483647")))]
    pub customer_max_tickets_per_day: Option<i64>,
    /// Whether a new ticket without a lead is given to the agent of its department who leads the fewest.
    pub auto_assign: Option<bool>,
    /// Whether agents see every ticket of their departments, and not only those they are on.
    pub department_visibility: Option<bool>,
    /// The time zone that days are days of: an IANA name such as `Europe/Berlin`, case ignored.
    pub time_zone: Option<TimeZoneName>,
}
