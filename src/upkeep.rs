//! What happens by itself, without a request: the use of keys is written down, answers that no longer count are forgotten,
//! and tickets that wait for nobody but their customer are closed. Backups, if there are to be any, are made beside that.
//!
//! All of it goes by the database's clock, and [`Upkeep::tick`] does what is due. Nothing here ends the server: what fails is
//! logged and tried again a minute later.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::MissedTickBehavior;

use crate::api_key::uses::Uses;
use crate::backups::{Backups, Plan};
use crate::db::{Db, Tx};
use crate::error::Result;
use crate::time::{DAY, SECOND, Timestamp};
use crate::{api_key, idempotency, setting, ticket};

/// How often we look whether something is due, in real time.
const LOOK: Duration = Duration::from_secs(1);
/// How long the use of a key may be known in memory only; also how long after a failure we try again.
const MINUTE: i64 = 60 * SECOND;
/// How often records are purged and tickets closed.
const HOUR: i64 = 3600 * SECOND;
/// How many answers one write forgets.
const ANSWERS: usize = 500;
/// How many tickets one write closes.
const TICKETS: usize = 100;

/// What happens by itself on one database.
pub struct Upkeep {
    uses: Arc<Uses>,
    timers: Mutex<Timers>,
    backups: Option<Backups>,
}

struct Timers {
    uses: Timer,
    answers: Timer,
    tickets: Timer,
}

impl Default for Upkeep {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Upkeep {
    /// With backups, or without.
    pub fn new(backups: Option<Plan>) -> Self {
        let timers =
            Timers { uses: Timer::every(MINUTE), answers: Timer::every(HOUR), tickets: Timer::every(HOUR) };
        Self { uses: Arc::default(), timers: Mutex::new(timers), backups: backups.map(Backups::new) }
    }

    /// Where whoever lets callers in notes that a key was used.
    pub fn uses(&self) -> &Arc<Uses> {
        &self.uses
    }

    /// Looks every second for what is due, as long as `serving` goes on; then writes down what is known in memory only. On a
    /// database that is only read nothing is ever due.
    pub async fn beside<T>(&self, db: &Db, serving: impl Future<Output = T>) -> T {
        if db.is_read_only() {
            return serving.await;
        }
        let mut serving = std::pin::pin!(serving);
        let served = tokio::select! {
            served = &mut serving => served,
            // Never come to an end by themselves. What was being written when the serving ended was committed or not begun.
            () = self.go_on(db) => serving.await,
            () = self.back_up(db) => serving.await,
        };
        self.backups.iter().for_each(Backups::stop);
        told("the use of keys", self.write_uses(db).await);
        served
    }

    async fn go_on(&self, db: &Db) {
        let mut every = tokio::time::interval(LOOK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            self.tick(db).await;
        }
    }

    /// On its own, because a backup may take minutes and nothing else is to wait for it.
    async fn back_up(&self, db: &Db) {
        let mut every = tokio::time::interval(LOOK);
        every.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            every.tick().await;
            self.tick_backups(db).await;
        }
    }

    /// Makes a backup if one is due by the database's clock.
    pub async fn tick_backups(&self, db: &Db) {
        if let Some(backups) = &self.backups {
            backups.tick(db).await;
        }
    }

    /// Does what is due by the database's clock, backups apart.
    pub async fn tick(&self, db: &Db) {
        let now = || db.clock().now();
        let mut timers = self.timers.lock().await;
        if timers.uses.is_due(now()) {
            let done = told("the use of keys", self.write_uses(db).await);
            timers.uses.set(now(), done);
        }
        if timers.answers.is_due(now()) {
            let done = told("answers that no longer count", in_chunks(db, ANSWERS, forget_answers).await);
            timers.answers.set(now(), done);
        }
        if timers.tickets.is_due(now()) {
            let done = told("tickets that were closed", in_chunks(db, TICKETS, close_tickets).await);
            timers.tickets.set(now(), done);
        }
    }

    /// Writes down when keys were used, all in one write.
    async fn write_uses(&self, db: &Db) -> Result<usize> {
        let used = self.uses.take();
        if used.is_empty() {
            return Ok(0);
        }
        let written = {
            let used = used.clone();
            db.write(move |tx| api_key::store::set_used(tx, &used)).await
        };
        if written.is_err() {
            used.into_iter().for_each(|(key, at)| self.uses.note(key, at));
        }
        written
    }
}

/// Repeats a write of at most `limit` things until there are none left; how many there were.
async fn in_chunks(db: &Db, limit: usize, chunk: fn(&Tx<'_>, i64) -> Result<usize>) -> Result<usize> {
    let mut all = 0;
    loop {
        let done = db.write(move |tx| chunk(tx, limit as i64)).await?;
        all += done;
        if done < limit {
            return Ok(all);
        }
    }
}

fn forget_answers(tx: &Tx<'_>, limit: i64) -> Result<usize> {
    idempotency::store::purge(tx, limit)
}

/// Closes tickets that nobody has touched for as many days as the setting says. It is read anew for each chunk, so that an
/// administrator can stop it.
fn close_tickets(tx: &Tx<'_>, limit: i64) -> Result<usize> {
    match setting::store::find(tx)?.auto_close_days {
        0 => Ok(0),
        days => ticket::rules::close_idle(tx, tx.now.plus(days.saturating_mul(-DAY)), limit),
    }
}

/// Says in the log what was done, or why not; whether it was.
fn told(what: &str, done: Result<usize>) -> bool {
    match &done {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "upkeep: {what}"),
        Err(error) => tracing::error!(%error, "upkeep failed and is tried again: {what}"),
    }
    done.is_ok()
}

/// When something is due.
struct Timer {
    period: i64,
    next: Option<Timestamp>,
}

impl Timer {
    /// Due at once, and then every so many microseconds.
    fn every(period: i64) -> Self {
        Self { period, next: None }
    }

    /// Whether it is time. It is, too, when the clock was put back and the time would be too long in coming.
    fn is_due(&self, now: Timestamp) -> bool {
        self.next.is_none_or(|next| now >= next || now.plus(self.period) < next)
    }

    /// It was done, or could not be.
    fn set(&mut self, now: Timestamp, done: bool) {
        self.next = Some(now.plus(if done { self.period } else { MINUTE }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timer_is_due_at_once_and_then_every_period() {
        let mut timer = Timer::every(HOUR);
        assert!(timer.is_due(Timestamp(5)));
        timer.set(Timestamp(5), true);
        assert!(!timer.is_due(Timestamp(5)) && !timer.is_due(Timestamp(4 + HOUR)));
        assert!(timer.is_due(Timestamp(5 + HOUR)));
    }

    #[test]
    fn what_failed_is_due_after_a_minute() {
        let mut timer = Timer::every(HOUR);
        timer.set(Timestamp(5), false);
        assert!(!timer.is_due(Timestamp(4 + MINUTE)) && timer.is_due(Timestamp(5 + MINUTE)));
    }

    #[test]
    fn a_clock_put_back_does_not_stop_a_timer() {
        let mut timer = Timer::every(HOUR);
        timer.set(Timestamp(10 * DAY), true);
        assert!(timer.is_due(Timestamp(DAY)));
        timer.set(Timestamp(DAY), true);
        assert!(!timer.is_due(Timestamp(DAY)) && timer.is_due(Timestamp(DAY + HOUR)));
    }
}
