//! The search lane: one thread with a reading connection of its own, a short queue and a deadline, for reads that may
//! take tens of milliseconds. Short reads never stand behind them.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::reading::Snapshot;
use super::{Start, Tx};
use crate::error::{Error, Result};

/// How many reads may wait.
const QUEUE: usize = 64;
/// How long one read may wait and run in all.
const DEADLINE: Duration = Duration::from_secs(2);

type Job = Box<dyn FnOnce(&Tx<'_>) + Send>;

/// A thread that reads.
pub struct Lane {
    queue: Option<SyncSender<(Instant, Job)>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Lane {
    /// Starts the thread.
    pub fn start(conn: Connection, start: Arc<Start>) -> Self {
        let (queue, jobs) = sync_channel(QUEUE);
        let thread = std::thread::Builder::new()
            .name("search".into())
            .spawn(move || work(&conn, &start, &jobs))
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
            // Nobody waits any more when the client has left: not an error.
            let _ = answer.send(job(tx));
        });
        match self.queue.as_ref().map(|queue| queue.try_send((Instant::now() + DEADLINE, job))) {
            Some(Ok(())) => waiting.await.unwrap_or(Err(Error::Overloaded)),
            Some(Err(TrySendError::Full(_))) => Err(Error::Overloaded),
            Some(Err(TrySendError::Disconnected(_))) | None => {
                Err(Error::internal("the search thread is gone"))
            }
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

fn work(conn: &Connection, start: &Start, jobs: &Receiver<(Instant, Job)>) {
    while let Ok((deadline, job)) = jobs.recv() {
        if Instant::now() >= deadline {
            continue; // Dropping the job drops its answer: the caller hears that we are overloaded.
        }
        let in_time = conn.progress_handler(10_000, Some(move || Instant::now() >= deadline));
        if let Err(error) = in_time {
            tracing::error!(%error, "no deadline for this search");
        }
        let done = catch_unwind(AssertUnwindSafe(|| {
            let snapshot = Snapshot::begin(conn)?;
            job(&start.tx(conn));
            drop(snapshot);
            Ok::<_, Error>(())
        }));
        match done {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(%error, "a search failed"),
            Err(_) => tracing::error!("a search panicked"),
        }
        // Ends the deadline before the snapshot of the next job begins.
        let _ = conn.progress_handler(0, None::<fn() -> bool>);
    }
}
