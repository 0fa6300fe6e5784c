//! How a report comes about.

use super::model::{
    AgentReport, Counts, DepartmentReport, Durations, OverviewReport, PriorityCounts, ReportDay, Speed,
    StatusCounts,
};
use super::period::Period;
use super::store::{self, Grouping};
use crate::db::Tx;
use crate::error::Result;
use crate::reference::Reference;
use crate::scalar::Date;
use crate::setting;
use crate::time::Timestamp;

/// The group that everything belongs to when nothing is told apart.
const DESK: i64 = 0;

/// How the whole desk did from one day to another.
///
/// # Errors
/// [`crate::error::Error::Invalid`] for days in reverse or too many.
pub fn overview(tx: &Tx<'_>, start: Option<Date>, end: Option<Date>) -> Result<OverviewReport> {
    let period = find_period(tx, start, end)?;
    let empty = |day| ReportDay { date: Date(day), created: 0, closed: 0, reopened: 0 };
    let mut days: Vec<ReportDay> = period.days.iter().copied().map(empty).collect();
    let mut tallies = collect(tx, Grouping::Desk, &period, [DESK], |what, at| {
        let Some(day) = days.get_mut(period.place(at)) else { return };
        *match what {
            Counted::Created => &mut day.created,
            Counted::Closed => &mut day.closed,
            Counted::Reopened => &mut day.reopened,
        } += 1;
    })?;
    let (counts, speed) = tallies.take(DESK).finish(&period);
    Ok(OverviewReport { counts, days, speed })
}

/// How each agent did, by name.
///
/// # Errors
/// As [`overview`].
pub fn by_agent(tx: &Tx<'_>, start: Option<Date>, end: Option<Date>) -> Result<Vec<AgentReport>> {
    let made = by(tx, Grouping::Agents, store::list_agents(tx)?, &find_period(tx, start, end)?)?;
    Ok(made.into_iter().map(|(agent, counts, speed)| AgentReport { agent, counts, speed }).collect())
}

/// How each department did, in their order.
///
/// # Errors
/// As [`overview`].
pub fn by_department(tx: &Tx<'_>, start: Option<Date>, end: Option<Date>) -> Result<Vec<DepartmentReport>> {
    let made = by(tx, Grouping::Departments, store::list_departments(tx)?, &find_period(tx, start, end)?)?;
    let item = |(department, counts, speed)| DepartmentReport { department, counts, speed };
    Ok(made.into_iter().map(item).collect())
}

fn find_period(tx: &Tx<'_>, start: Option<Date>, end: Option<Date>) -> Result<Period> {
    Period::new(tx.now, &setting::store::find(tx)?.time_zone, start, end)
}

fn by(
    tx: &Tx<'_>,
    by: Grouping,
    subjects: Vec<Reference>,
    period: &Period,
) -> Result<Vec<(Reference, Counts, Speed)>> {
    let ids = subjects.iter().map(|subject| subject.id);
    let mut tallies = collect(tx, by, period, ids, |_, _| {})?;
    let item = |subject: Reference| {
        let (counts, speed) = tallies.take(subject.id).finish(period);
        (subject, counts, speed)
    };
    Ok(subjects.into_iter().map(item).collect())
}

/// An event that a report counts by day.
enum Counted {
    Created,
    Closed,
    Reopened,
}

/// What is noted for one agent, one department or the whole desk.
#[derive(Default)]
struct Tally {
    created: i64,
    closed: i64,
    reopened: i64,
    open_now: i64,
    by_status: StatusCounts,
    by_priority: PriorityCounts,
    first_responses: Vec<i64>,
    resolutions: Vec<i64>,
}

impl Tally {
    fn finish(self, period: &Period) -> (Counts, Speed) {
        let (start_date, end_date) = period.ends();
        let counts = Counts {
            start_date,
            end_date,
            time_zone: period.time_zone.clone(),
            created: self.created,
            closed: self.closed,
            reopened: self.reopened,
            open_now: self.open_now,
            by_status: self.by_status,
            by_priority: self.by_priority,
        };
        let speed = Speed {
            first_response: Durations::of(self.first_responses),
            resolution: Durations::of(self.resolutions),
        };
        (counts, speed)
    }
}

/// A tally for each group. Millions of events are looked up in it, and there are few groups: a sorted list is the quickest.
struct Tallies(Vec<(i64, Tally)>);

impl Tallies {
    fn new(groups: impl IntoIterator<Item = i64>) -> Self {
        let mut tallies: Vec<_> = groups.into_iter().map(|group| (group, Tally::default())).collect();
        tallies.sort_unstable_by_key(|(group, _)| *group);
        Self(tallies)
    }

    /// The tally of a group; none for what belongs to nobody the report is about.
    fn of(&mut self, group: Option<i64>) -> Option<&mut Tally> {
        let group = group?;
        let place = self.0.binary_search_by_key(&group, |(group, _)| *group).ok()?;
        self.0.get_mut(place).map(|(_, tally)| tally)
    }

    fn take(&mut self, group: i64) -> Tally {
        self.of(Some(group)).map(std::mem::take).unwrap_or_default()
    }
}

/// Notes everything that happened in the period for these groups, and tells `dated` of what is counted by day.
fn collect(
    tx: &Tx<'_>,
    by: Grouping,
    period: &Period,
    groups: impl IntoIterator<Item = i64>,
    mut dated: impl FnMut(Counted, Timestamp),
) -> Result<Tallies> {
    let mut tallies = Tallies::new(groups);
    let limits = period.limits();
    store::each_creation(tx, by, limits, |event| {
        dated(Counted::Created, event.at);
        if let Some(tally) = tallies.of(event.group) {
            tally.created += 1;
            tally.by_status.add(event.status);
            tally.by_priority.add(event.priority);
        }
    })?;
    store::each_event(tx, "first_response", by, limits, |event| {
        if let Some(tally) = tallies.of(event.group) {
            tally.first_responses.push(event.seconds);
        }
    })?;
    let earlier = store::find_earlier_closes(tx, limits.0)?;
    store::each_event(tx, "closed", by, limits, |event| {
        dated(Counted::Closed, event.at);
        if let Some(tally) = tallies.of(event.group) {
            tally.closed += 1;
            if !earlier.contains(&event.id) {
                tally.resolutions.push(event.seconds);
            }
        }
    })?;
    store::each_event(tx, "reopened", by, limits, |event| {
        dated(Counted::Reopened, event.at);
        if let Some(tally) = tallies.of(event.group) {
            tally.reopened += 1;
        }
    })?;
    for (group, open) in store::count_open(tx, by)? {
        if let Some(tally) = tallies.of(Some(group)) {
            tally.open_now = open;
        }
    }
    Ok(tallies)
}
