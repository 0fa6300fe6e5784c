//! Times and the clock. A time is a number of microseconds since 1970 in UTC, and RFC 3339 with whole seconds outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a day of 24 hours.
pub const DAY: i64 = 86_400 * SECOND;

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// This moment moved by so many microseconds.
    pub fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// The first moment of the calendar day that this moment falls on in `zone`.
    pub fn midnight(self, zone: &TimeZone) -> Self {
        let there = self.to_jiff().to_zoned_datetime(zone.clone());
        there.start_of_day().map_or(self, |start| Self(start.timestamp().as_microsecond()))
    }

    /// The same moment as the time library's type. Moments it cannot hold become the nearest it can.
    pub fn to_jiff(self) -> jiff::Timestamp {
        jiff::Timestamp::from_microsecond(self.0).unwrap_or(if self.0 < 0 {
            jiff::Timestamp::MIN
        } else {
            jiff::Timestamp::MAX
        })
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC with whole seconds: `2026-03-15T14:30:00Z`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let whole = Self(self.0.div_euclid(SECOND) * SECOND);
        write!(f, "{}", whole.to_jiff())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// Where the time comes from. Tests move it; nothing else in Lodge asks the system for the time of day.
#[derive(Clone, Debug, Default)]
pub struct Clock {
    /// Microseconds added to the system's time.
    shift: Arc<AtomicI64>,
}

impl Clock {
    /// The time it is.
    pub fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let micros = i64::try_from(since.as_micros()).unwrap_or(i64::MAX);
        Timestamp(micros).plus(self.shift.load(Ordering::Relaxed))
    }

    /// Moves the clock by so many microseconds, back if negative. For tests.
    pub fn advance(&self, micros: i64) {
        self.shift.fetch_add(micros, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_have_whole_seconds() {
        assert_eq!(Timestamp(1_773_585_000_999_999).to_string(), "2026-03-15T14:30:00Z");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn midnight_is_that_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let summer = Timestamp("2026-07-01T22:30:00Z".parse::<jiff::Timestamp>().unwrap().as_microsecond());
        assert_eq!(summer.midnight(&zone).to_string(), "2026-07-01T22:00:00Z");
        assert_eq!(summer.midnight(&TimeZone::UTC).to_string(), "2026-07-01T00:00:00Z");
    }
}
