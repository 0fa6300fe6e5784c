//! Times and the clock. A time is a number of microseconds since 1970 in UTC, and RFC 3339 with whole seconds outside.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::civil::{Date, DateTime};
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Serialize, Serializer};

/// Microseconds in a second.
pub const SECOND: i64 = 1_000_000;
/// Microseconds in a day of 24 hours.
pub const DAY: i64 = 86_400 * SECOND;

/// A moment: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The last second of the year 9999: later than anything that happens here.
    pub const LAST: Self = Self(253_402_300_799 * SECOND);

    /// The first moment of a calendar day in `zone`.
    pub fn start_of(day: jiff::civil::Date, zone: &TimeZone) -> Self {
        day.to_zoned_datetime(zone.clone())
            .map_or(Self::LAST, |start| Self(start.timestamp().as_microsecond()))
    }

    /// This moment moved by so many microseconds.
    pub fn plus(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// The moment that an RFC 3339 text stands for.
    pub fn parse(text: &str) -> Option<Self> {
        if !text.contains(['T', 't']) {
            return None;
        }
        if let Ok(moment) = text.parse::<jiff::Timestamp>() {
            return Some(Self(moment.as_microsecond()));
        }
        // The library's time ends a day before the year 9999 does, which is what people write for never.
        let last = text.strip_suffix(['Z', 'z']).filter(|_| text.starts_with("9999-12-3"))?;
        let since =
            last.parse::<DateTime>().ok()?.duration_since(jiff::civil::date(1970, 1, 1).at(0, 0, 0, 0));
        i64::try_from(since.as_micros()).ok().map(Self)
    }

    /// RFC 3339 with whole seconds, as ASCII. By hand, because a page of tickets holds sixty times: days to a date as in
    /// Howard Hinnant's `civil_from_days`. Years beyond four digits end at 9999.
    pub fn digits(self) -> [u8; 20] {
        let seconds = self.0.div_euclid(SECOND).clamp(-62_167_219_200, 253_402_300_799);
        let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400) as u32);
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097) as u32);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = (i64::from(year_of_era) + era * 400 + i64::from(month <= 2)) as u32;
        let mut text = *b"0000-00-00T00:00:00Z";
        let mut put = |at: usize, number: u32| {
            text[at] = b'0' + (number / 10) as u8;
            text[at + 1] = b'0' + (number % 10) as u8;
        };
        put(0, year / 100);
        put(2, year % 100);
        put(5, month);
        put(8, day);
        put(11, second / 3600);
        put(14, second / 60 % 60);
        put(17, second % 60);
        text
    }

    /// The first moment of the calendar day that this moment falls on in `zone`.
    pub fn midnight(self, zone: &TimeZone) -> Self {
        start_of_day(self.date(zone), zone)
    }

    /// The calendar day that this moment falls on in `zone`.
    pub fn date(self, zone: &TimeZone) -> Date {
        zone.to_datetime(self.to_jiff()).date()
    }

    /// The first moment of the next calendar day in `zone`.
    pub fn next_midnight(self, zone: &TimeZone) -> Self {
        self.date(zone).tomorrow().map_or(self.plus(DAY), |next| start_of_day(next, zone))
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
        f.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

/// The time zone with this IANA name; UTC should the name have left the database of time zones.
pub fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// The first moment of a calendar day in `zone`: midnight, or where the clocks skip it, when they are put forward. A day that
/// a zone skips whole begins with the next one. Days past the end of the time library's time never begin.
pub fn start_of_day(day: Date, zone: &TimeZone) -> Timestamp {
    let midnight = zone.to_ambiguous_timestamp(day.at(0, 0, 0, 0));
    let skipped = matches!(midnight.offset(), AmbiguousOffset::Gap { .. });
    let Ok(start) = midnight.compatible() else { return Timestamp(i64::MAX) };
    // In a gap this is as long after the change as midnight is after the gap's beginning, and the day begins with the change.
    let change =
        if skipped { zone.preceding(start + jiff::SignedDuration::from_nanos(1)).next() } else { None };
    Timestamp(change.map_or(start, |change| change.timestamp()).as_microsecond())
}

/// A number and a unit, such as `90d`, as microseconds: for the command line.
///
/// # Errors
/// What is wanted instead, in a sentence.
pub fn parse_duration(text: &str) -> Result<i64, String> {
    let unit = match text.chars().last() {
        Some('d') => DAY,
        Some('h') => 3600 * SECOND,
        Some('m') => 60 * SECOND,
        _ => return Err("a number of days, hours or minutes is wanted, such as 90d, 12h or 30m".into()),
    };
    let number = text.get(..text.len() - 1).and_then(|digits| digits.parse::<u32>().ok());
    match number.filter(|number| *number > 0).and_then(|number| i64::from(number).checked_mul(unit)) {
        Some(micros) if micros <= 36_500 * DAY => Ok(micros),
        _ => Err("a whole number above 0 is wanted, at most a hundred years".into()),
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
    fn durations_have_a_unit() {
        assert_eq!(parse_duration("90d"), Ok(90 * DAY));
        assert_eq!(parse_duration("1h"), Ok(3600 * SECOND));
        for bad in ["", "90", "d", "-1d", "0d", "1w", "99999999d", "1.5h"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn answers_have_whole_seconds() {
        assert_eq!(Timestamp(1_773_585_000_999_999).to_string(), "2026-03-15T14:30:00Z");
        assert_eq!(Timestamp(-1).to_string(), "1969-12-31T23:59:59Z");
    }

    #[test]
    fn dates_by_hand_are_those_of_the_time_library() {
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..20_000 {
            let seconds = rng.i64(-62_167_219_200..253_402_207_200);
            let library = jiff::Timestamp::from_second(seconds).unwrap().to_string();
            assert_eq!(Timestamp(seconds * SECOND).to_string(), library);
        }
    }

    #[test]
    fn midnight_is_that_of_the_zone() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let summer = Timestamp("2026-07-01T22:30:00Z".parse::<jiff::Timestamp>().unwrap().as_microsecond());
        assert_eq!(summer.midnight(&zone).to_string(), "2026-07-01T22:00:00Z");
        assert_eq!(summer.midnight(&TimeZone::UTC).to_string(), "2026-07-01T00:00:00Z");
    }
    #[test]
    fn days_begin_at_midnight_or_when_the_clocks_skip_it() {
        let start = |day: &str, zone: &str| {
            start_of_day(day.parse().unwrap(), &TimeZone::get(zone).unwrap()).to_string()
        };
        assert_eq!(start("2026-03-29", "Europe/Berlin"), "2026-03-28T23:00:00Z");
        assert_eq!(start("2026-03-30", "Europe/Berlin"), "2026-03-29T22:00:00Z");
        assert_eq!(start("2026-04-24", "Africa/Cairo"), "2026-04-23T22:00:00Z", "begins at one o'clock");
        assert_eq!(start("2018-11-04", "America/Sao_Paulo"), "2018-11-04T03:00:00Z", "begins at one o'clock");
        assert_eq!(
            start("1919-03-31", "America/Toronto"),
            "1919-03-31T04:30:00Z",
            "begins at half past twelve"
        );
        assert_eq!(start("2026-11-01", "America/Havana"), "2026-11-01T04:00:00Z", "midnight comes twice");
        assert_eq!(start("2011-12-30", "Pacific/Apia"), start("2011-12-31", "Pacific/Apia"), "left out");
    }

    #[test]
    fn the_last_second_can_be_written() {
        for text in ["9999-12-31T23:59:59Z", "9999-12-30T22:00:00Z", "2026-03-15T14:30:00Z"] {
            assert_eq!(Timestamp::parse(text).unwrap().to_string(), text);
        }
        for text in ["9999-12-32T00:00:00Z", "9999-12-31", "9999-12-31T24:00:00Z", "10000-01-01T00:00:00Z"] {
            assert_eq!(Timestamp::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_ends_of_time_have_days_too() {
        for zone in
            ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"].map(|zone| TimeZone::get(zone).unwrap())
        {
            let days = ["0000-01-01", "0001-01-01", "1970-01-01", "9999-12-30", "9999-12-31"];
            let starts = days.map(|day| start_of_day(day.parse().unwrap(), &zone));
            assert!(starts.is_sorted(), "{starts:?}");
            assert!(Timestamp(i64::MIN).date(&zone) < Timestamp(i64::MAX).date(&zone));
        }
    }
}
