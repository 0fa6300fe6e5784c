//! What a report says.

use poem_openapi::Object;
use serde::Serialize;

use crate::reference::Reference;
use crate::scalar::Date;
use crate::ticket::model::{Priority, Status};

/// How many tickets have each status now.
#[derive(Clone, Debug, Default, Object, Serialize)]
pub struct StatusCounts {
    /// How many are open.
    #[oai(validator(minimum(value = "0")))]
    pub open: i64,
    /// How many are in progress.
    #[oai(validator(minimum(value = "0")))]
    pub in_progress: i64,
    /// How many are on hold.
    #[oai(validator(minimum(value = "0")))]
    pub on_hold: i64,
    /// How many are closed.
    #[oai(validator(minimum(value = "0")))]
    pub closed: i64,
}

impl StatusCounts {
    /// One more.
    pub fn add(&mut self, status: Status) {
        *match status {
            Status::Open => &mut self.open,
            Status::InProgress => &mut self.in_progress,
            Status::OnHold => &mut self.on_hold,
            Status::Closed => &mut self.closed,
        } += 1;
    }
}

/// How many tickets have each priority now.
#[derive(Clone, Debug, Default, Object, Serialize)]
pub struct PriorityCounts {
    /// How many are of low priority.
    #[oai(validator(minimum(value = "0")))]
    pub low: i64,
    /// How many are of medium priority.
    #[oai(validator(minimum(value = "0")))]
    pub medium: i64,
    /// How many are of high priority.
    #[oai(validator(minimum(value = "0")))]
    pub high: i64,
    /// How many are critical.
    #[oai(validator(minimum(value = "0")))]
    pub critical: i64,
}

impl PriorityCounts {
    /// One more.
    pub fn add(&mut self, priority: Priority) {
        *match priority {
            Priority::Low => &mut self.low,
            Priority::Medium => &mut self.medium,
            Priority::High => &mut self.high,
            Priority::Critical => &mut self.critical,
        } += 1;
    }
}

/// How long something took, counted from the creation of the ticket. The percentiles are exact, by nearest rank: times that
/// really occurred, in whole seconds.
#[derive(Clone, Debug, PartialEq, Eq, Object, Serialize)]
pub struct Durations {
    /// How many times it happened in the period.
    #[oai(validator(minimum(value = "0")))]
    pub count: i64,
    /// Half of them took at most so many seconds; null when there is none.
    #[oai(validator(minimum(value = "0")))]
    pub median_seconds: Option<i64>,
    /// Nine in ten of them took at most so many seconds; null when there is none.
    #[oai(validator(minimum(value = "0")))]
    pub p90_seconds: Option<i64>,
}

impl Durations {
    /// What these numbers of seconds come to.
    pub fn of(mut seconds: Vec<i64>) -> Self {
        Self {
            count: i64::try_from(seconds.len()).unwrap_or(i64::MAX),
            median_seconds: nearest_rank(&mut seconds, 50),
            p90_seconds: nearest_rank(&mut seconds, 90),
        }
    }
}

/// The smallest of these values that at least `percent` percent of them do not exceed.
fn nearest_rank(values: &mut [i64], percent: usize) -> Option<i64> {
    let place = (values.len() * percent).div_ceil(100).checked_sub(1)?;
    Some(*values.select_nth_unstable(place).1)
}

/// What happened on one day.
#[derive(Clone, Debug, Object, Serialize)]
pub struct ReportDay {
    /// The day.
    pub date: Date,
    /// How many tickets were created.
    #[oai(validator(minimum(value = "0")))]
    pub created: i64,
    /// How many times a ticket was closed.
    #[oai(validator(minimum(value = "0")))]
    pub closed: i64,
    /// How many times a closed ticket was reopened.
    #[oai(validator(minimum(value = "0")))]
    pub reopened: i64,
}

/// The first part of every report: the period, and what is counted.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Counts {
    /// The first day of the period.
    pub start_date: Date,
    /// The last day of the period; it is part of it.
    pub end_date: Date,
    /// The time zone whose days these are, the setting `time_zone`.
    pub time_zone: String,
    /// How many tickets were created in the period.
    #[oai(validator(minimum(value = "0")))]
    pub created: i64,
    /// How many times a ticket was closed in the period; one that was reopened and closed again counts again.
    #[oai(validator(minimum(value = "0")))]
    pub closed: i64,
    /// How many times a closed ticket was reopened in the period.
    #[oai(validator(minimum(value = "0")))]
    pub reopened: i64,
    /// How many tickets are not closed now, whenever they were created.
    #[oai(validator(minimum(value = "0")))]
    pub open_now: i64,
    /// The tickets created in the period, by the status they have now.
    pub by_status: StatusCounts,
    /// The tickets created in the period, by the priority they have now.
    pub by_priority: PriorityCounts,
}

/// The last part of every report: how long things took.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Speed {
    /// How long customers waited for the first public message of the staff, for tickets first answered in the period.
    pub first_response: Durations,
    /// How long it took to close tickets for the last time, for those whose last close was in the period.
    pub resolution: Durations,
}

/// How the whole desk did.
#[derive(Clone, Debug, Object, Serialize)]
pub struct OverviewReport {
    #[oai(flatten)]
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields are told of where they are")]
    pub counts: Counts,
    /// Every day of the period, in order, also those on which nothing happened.
    pub days: Vec<ReportDay>,
    #[oai(flatten)]
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields are told of where they are")]
    pub speed: Speed,
}

/// How an agent did. An event is the agent's who led the ticket when it happened; `by_status` and `by_priority` are about the
/// tickets that the agent led when they were created, `open_now` about those the agent leads now.
#[derive(Clone, Debug, Object, Serialize)]
pub struct AgentReport {
    /// The agent.
    pub agent: Reference,
    #[oai(flatten)]
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields are told of where they are")]
    pub counts: Counts,
    #[oai(flatten)]
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields are told of where they are")]
    pub speed: Speed,
}

/// How a department did. An event is the department's in which the ticket was when it happened; `by_status` and `by_priority`
/// are about the tickets created in the department, `open_now` about those in it now.
#[derive(Clone, Debug, Object, Serialize)]
pub struct DepartmentReport {
    /// The department.
    pub department: Reference,
    #[oai(flatten)]
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields are told of where they are")]
    pub counts: Counts,
    #[oai(flatten)]
    #[serde(flatten)]
    #[allow(missing_docs, reason = "its fields are told of where they are")]
    pub speed: Speed,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durations(seconds: impl IntoIterator<Item = i64>) -> (i64, Option<i64>, Option<i64>) {
        let made = Durations::of(seconds.into_iter().collect());
        (made.count, made.median_seconds, made.p90_seconds)
    }

    #[test]
    fn percentiles_are_values_that_occurred() {
        assert_eq!(durations([]), (0, None, None));
        assert_eq!(durations([7]), (1, Some(7), Some(7)));
        assert_eq!(durations([9, 1]), (2, Some(1), Some(9)));
        assert_eq!(durations([30, 10, 20]), (3, Some(20), Some(30)));
        assert_eq!(durations((1..=10).rev()), (10, Some(5), Some(9)));
        assert_eq!(durations(1..=11), (11, Some(6), Some(10)));
        assert_eq!(durations([5; 100]), (100, Some(5), Some(5)));
    }

    #[test]
    fn percentiles_are_those_of_a_sorted_list() {
        let mut rng = fastrand::Rng::with_seed(1);
        for size in 1..300 {
            let values: Vec<i64> = (0..size).map(|_| rng.i64(0..50)).collect();
            let mut sorted = values.clone();
            sorted.sort_unstable();
            let at = |percent: f64| sorted[(percent / 100.0 * size as f64).ceil() as usize - 1];
            assert_eq!(durations(values), (size, Some(at(50.0)), Some(at(90.0))), "{size}");
        }
    }
}
