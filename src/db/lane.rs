//! The search lane: one thread with a reading connection of its own, a short queue and a deadline, for reads that may
//! take tens of milliseconds. Short reads never stand behind them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::sync::oneshot;

use super::reading::Snapshot;
use super::{Start, Tx};
use crate::error::{Error, Result};

/// How many reads may wait.
const QUEUE: usize = 64;
/// How long one read may wait and run in all.
const DEADLINE: Duration = Duration::from_secs(2);
/// How long what was found may be held back, so that several answers wake those who serve once.
const HOLD: Duration = Duration::from_millis(2);

type Job = Box<dyn FnOnce(&Tx<'_>) -> Answer + Send>;
/// Hands over what was found.
type Answer = Box<dyn FnOnce() + Send>;

/// A thread that reads.
pub struct Lane {
    queue: Option<mpsc::Sender<(Instant, Job)>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Lane {
    /// Starts the thread.
    pub fn start(conn: Connection, start: Arc<Start>) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("search".into())
            .spawn(move || work(&conn, &start, jobs))
            .map_err(|error| tracing::error!(%error, "the search thread did not start"))
            .ok();
        Self { queue: Some(queue), thread: Mutex::new(thread) }
    }

    /// Runs a read on the lane.
    ///
    /// # Errors
    /// Whatever `job` returns; [`Error::Overloaded`] when the queue is full or the deadline passes.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (answer, waiting) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            let found = job(tx);
            Box::new(move || {
                // Nobody waits any more when the client has left: not an error.
                let _ = answer.send(found);
            })
        });
        match self.queue.as_ref().map(|queue| queue.try_send((Instant::now() + DEADLINE, job))) {
            Some(Ok(())) => waiting.await.unwrap_or(Err(Error::Overloaded)),
            Some(Err(TrySendError::Full(_))) => Err(Error::Overloaded),
            Some(Err(TrySendError::Closed(_))) | None => Err(Error::internal("the search thread is gone")),
        }
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.get_mut().ok().and_then(Option::take) {
            let _ = thread.join();
        }
    }
}

/// What was found and is held back. To wake a thread that serves, and the one that it wakes in turn, takes a third of what a short
/// search does; so the answers of some go out together, while there is more to do than is ready.
#[derive(Clone, Default)]
struct Ready(Arc<Mutex<Held>>);

#[derive(Default)]
struct Held {
    answers: Vec<Answer>,
    since: Option<Instant>,
}

impl Ready {
    fn hold(&self, answer: Answer) {
        let mut held = self.held();
        held.since.get_or_insert_with(Instant::now);
        held.answers.push(answer);
    }

    /// Hands everything over, if no more searches wait than answers, or the first answer has been held back long enough.
    fn hand_over(&self, waiting: usize) {
        let mut held = self.held();
        let is_late = |since: Instant| since.elapsed() >= HOLD;
        if held.answers.len() >= waiting || held.since.is_some_and(is_late) {
            held.since = None;
            held.answers.drain(..).for_each(|answer| answer());
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn work(conn: &Connection, start: &Start, mut jobs: mpsc::Receiver<(Instant, Job)>) {
    let ready = Ready::default();
    while let Some((deadline, job)) = jobs.blocking_recv() {
        // Dropping a job that is too late drops its answer: the caller hears that we are overloaded.
        if Instant::now() < deadline {
            run(conn, start, deadline, job, &ready);
        }
        ready.hand_over(jobs.len());
    }
}

fn run(conn: &Connection, start: &Start, deadline: Instant, job: Job, ready: &Ready) {
    let found_before = ready.clone();
    let go_on = move || {
        // Who asked for a short search does not wait for a long one behind it.
        found_before.hand_over(usize::MAX);
        Instant::now() >= deadline
    };
    if let Err(error) = conn.progress_handler(10_000, Some(go_on)) {
        tracing::error!(%error, "no deadline for this search");
    }
    let done = catch_unwind(AssertUnwindSafe(|| {
        let snapshot = Snapshot::begin(conn)?;
        let answer = job(&start.tx(conn));
        drop(snapshot);
        Ok::<_, Error>(answer)
    }));
    match done {
        Ok(Ok(answer)) => ready.hold(answer),
        Ok(Err(error)) => tracing::error!(%error, "a search failed"),
        Err(_) => tracing::error!("a search panicked"),
    }
    // Ends the deadline before the snapshot of the next job begins.
    let _ = conn.progress_handler(0, None::<fn() -> bool>);
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures_util::future::join_all;

    use super::super::open;
    use super::*;
    use crate::time::Clock;

    /// A lane, and what it waits for before it does anything.
    fn lane() -> (tempfile::TempDir, Lane) {
        let folder = tempfile::tempdir().unwrap();
        let desk = folder.path().join("desk.db");
        open::create(&desk).unwrap();
        let start = Arc::new(Start::by(&Clock::default()));
        let lane = Lane::start(open::readable(&desk).unwrap(), start);
        (folder, lane)
    }

    /// A search that goes on until it is told to end, so that others wait behind it.
    fn busy() -> (mpsc::Sender<()>, impl FnOnce(&Tx<'_>) -> Result<i64> + Send) {
        let (end, told) = mpsc::channel::<()>();
        (end, move |_: &Tx<'_>| {
            let _ = told.recv();
            Ok(0)
        })
    }

    fn steps(tx: &Tx<'_>, count: i64) -> Result<i64> {
        let sql =
            "WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT ?) SELECT count(*) FROM n";
        Ok(tx.conn.query_row(sql, [count], |row| row.get(0))?)
    }

    #[tokio::test]
    async fn what_is_held_back_comes_when_nothing_waits_any_more_whatever_became_of_it() {
        let (_folder, lane) = lane();
        let (end, first) = busy();
        let panics = || lane.run(|_| -> Result<i64> { panic!("as a search might") });
        let release = async {
            tokio::task::yield_now().await;
            end.send(()).unwrap();
        };
        let all = async {
            tokio::join!(lane.run(first), lane.run(|tx| steps(tx, 7)), panics(), panics(), panics(), release)
        };
        let answers = tokio::time::timeout(DEADLINE, all).await.expect("nothing is held back for ever");
        assert_eq!((answers.0.unwrap(), answers.1.unwrap()), (0, 7));
        assert!(answers.2.is_err() && answers.3.is_err() && answers.4.is_err());
    }

    #[tokio::test]
    async fn a_short_search_does_not_wait_for_a_long_one_behind_it() {
        let (_folder, lane) = lane();
        let (end, first) = busy();
        let release = async {
            tokio::task::yield_now().await;
            end.send(()).unwrap();
        };
        let short = async {
            lane.run(|tx| steps(tx, 1)).await.unwrap();
            Instant::now()
        };
        let long = lane.run(|tx| {
            steps(tx, 2_000_000)?;
            Ok(Instant::now())
        });
        let behind = join_all((0..2).map(|_| lane.run(|tx| steps(tx, 1))));
        let (_, answered, done, behind, ()) = tokio::join!(lane.run(first), short, long, behind, release);
        assert!(answered < done.unwrap(), "it was held back until the long one was done");
        assert!(behind.iter().all(Result::is_ok));
    }
}
