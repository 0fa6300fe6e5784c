//! The days that a report is about.

use jiff::ToSpan;
use jiff::civil::{Date as Day, date};

use crate::error::{Error, Result};
use crate::scalar::Date;
use crate::time::{self, Timestamp, start_of_day};

/// How many days a report may be about: ten years.
const MOST: usize = 3660;
/// How many days it is about when a request does not say, the last one included.
const USUAL: i32 = 30;
/// The first day that is written with four digits.
const FIRST: Day = date(0, 1, 1);

/// Days one after the other, and when each begins in the desk's time zone.
#[derive(Debug)]
pub struct Period {
    /// The days, the first and the last included.
    pub days: Vec<Day>,
    /// The name of the time zone.
    pub time_zone: String,
    /// When each day begins, and then when the day after the last does.
    starts: Vec<Timestamp>,
}

impl Period {
    /// The days of this time zone from `start` to `end`; `end` is today when absent, and `start` 29 days before today.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming `start_date`, when the days are in reverse or too many.
    pub fn new(now: Timestamp, time_zone: &str, start: Option<Date>, end: Option<Date>) -> Result<Self> {
        let zone = time::zone(time_zone);
        let today = now.date(&zone);
        let end = end.map_or(today, |end| end.0);
        let start =
            start.map_or_else(|| today.saturating_sub((USUAL - 1).days()).max(FIRST), |start| start.0);
        if start > end {
            return Err(Error::field("start_date", format!("must not be after end_date, which is {end}")));
        }
        let all = std::iter::successors(Some(start), |day| day.tomorrow().ok()).take_while(|day| *day <= end);
        let days: Vec<Day> = all.take(MOST + 1).collect();
        if days.len() > MOST {
            return Err(Error::field("start_date", format!("the period must be at most {MOST} days")));
        }
        let mut starts: Vec<Timestamp> = days.iter().map(|day| start_of_day(*day, &zone)).collect();
        starts.push(end.tomorrow().map_or(Timestamp(i64::MAX), |after| start_of_day(after, &zone)));
        Ok(Self { days, time_zone: time_zone.to_owned(), starts })
    }

    /// The first and the last day.
    pub fn ends(&self) -> (Date, Date) {
        let end = |day: Option<&Day>| Date(day.copied().unwrap_or(FIRST));
        (end(self.days.first()), end(self.days.last()))
    }

    /// The moment it begins, and the first that is past it.
    pub fn limits(&self) -> (Timestamp, Timestamp) {
        let limit = |at: Option<&Timestamp>| at.copied().unwrap_or(Timestamp(i64::MAX));
        (limit(self.starts.first()), limit(self.starts.last()))
    }

    /// The place among the days of the one that a moment falls on; 0 for a moment before them all.
    pub fn place(&self, at: Timestamp) -> usize {
        self.starts.partition_point(|start| *start <= at).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
    }

    fn period(zone: &str, start: Option<&str>, end: Option<&str>) -> Result<Period> {
        let day = |text: Option<&str>| text.map(|text| Date(text.parse().unwrap()));
        Period::new(moment("2026-03-16T23:30:00Z"), zone, day(start), day(end))
    }

    fn told(period: &Period) -> (String, String, usize) {
        let (start, end) = period.ends();
        (start.0.to_string(), end.0.to_string(), period.days.len())
    }

    #[test]
    fn the_usual_period_ends_today_where_the_desk_is() {
        let usual = |zone| told(&period(zone, None, None).unwrap());
        assert_eq!(usual("UTC"), ("2026-02-15".into(), "2026-03-16".into(), 30));
        assert_eq!(usual("Europe/Berlin"), ("2026-02-16".into(), "2026-03-17".into(), 30));
    }

    #[test]
    fn the_other_end_is_as_usual() {
        let from = period("UTC", Some("2026-03-16"), None).unwrap();
        assert_eq!(told(&from), ("2026-03-16".into(), "2026-03-16".into(), 1));
        let to = period("UTC", None, Some("2026-03-01")).unwrap();
        assert_eq!(told(&to), ("2026-02-15".into(), "2026-03-01".into(), 15));
    }

    #[test]
    fn days_in_reverse_and_too_many_are_refused() {
        let refused = |start: Option<&str>, end: Option<&str>| {
            let Err(Error::Invalid(fields)) = period("UTC", start, end) else { panic!("{start:?} {end:?}") };
            assert_eq!(fields.into_keys().collect::<Vec<_>>(), ["start_date"]);
        };
        refused(Some("2026-03-17"), None);
        refused(None, Some("2026-02-14"));
        refused(Some("2026-03-02"), Some("2026-03-01"));
        refused(Some("2016-03-10"), Some("2026-03-18"));
        refused(Some("0001-01-01"), Some("9999-12-31"));
        let longest = period("UTC", Some("2016-03-10"), Some("2026-03-17")).unwrap();
        assert_eq!(longest.days.len(), 3660);
    }

    #[test]
    fn a_day_is_as_long_as_its_zone_says() {
        let hours = |zone: &str, start: &str, end: &str| {
            let period = period(zone, Some(start), Some(end)).unwrap();
            let lengths = period.starts.windows(2).map(|pair| (pair[1].0 - pair[0].0) / 3_600_000_000);
            lengths.collect::<Vec<_>>()
        };
        assert_eq!(hours("Europe/Berlin", "2026-03-28", "2026-03-30"), [24, 23, 24]);
        assert_eq!(hours("Europe/Berlin", "2026-10-24", "2026-10-26"), [24, 25, 24]);
        assert_eq!(hours("Africa/Cairo", "2026-04-23", "2026-04-25"), [24, 23, 24]);
        assert_eq!(hours("Pacific/Apia", "2011-12-29", "2011-12-31"), [24, 0, 24]);
    }

    #[test]
    fn a_moment_falls_on_the_day_its_zone_says() {
        let berlin = period("Europe/Berlin", Some("2026-03-28"), Some("2026-03-30")).unwrap();
        let place = |text| berlin.place(moment(text));
        assert_eq!(place("2026-03-27T23:00:00Z"), 0);
        assert_eq!(place("2026-03-28T22:59:59.999999Z"), 0);
        assert_eq!(place("2026-03-28T23:00:00Z"), 1);
        assert_eq!(place("2026-03-29T21:59:59Z"), 1);
        assert_eq!(place("2026-03-29T22:00:00Z"), 2);
        let apia = period("Pacific/Apia", Some("2011-12-29"), Some("2011-12-31")).unwrap();
        assert_eq!(apia.place(moment("2011-12-30T10:00:00Z")), 2, "nothing falls on a day that never was");
    }

    #[test]
    fn the_ends_of_time_are_periods_too() {
        for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
            for day in ["0000-01-01", "0000-01-15", "0001-01-01", "9999-12-30", "9999-12-31"] {
                let period = period(zone, Some(day), Some(day)).unwrap();
                assert!(period.starts.is_sorted() && period.days.len() == 1, "{zone} {day}");
                assert_eq!(told(&period).1, day);
            }
        }
    }
}
