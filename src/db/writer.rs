//! The writer: one thread, one connection, and every change there is.
//!
//! Jobs that wait are taken together: each in a savepoint of its own, one commit for all, and the answers only after the
//! commit has returned. A job that fails or panics is rolled back alone; a commit that fails, fails every job in it. That
//! is how `synchronous=FULL`, without which a power cut takes acknowledged writes along, costs little under load.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::Tx;
use super::vitals::Vitals;
use crate::error::{Error, Result};
use crate::time::Clock;

/// How many jobs may wait; beyond it a caller hears that we are overloaded.
const QUEUE: usize = 1024;
/// How many jobs one commit may hold.
const BATCH: usize = 128;
/// How long a batch may go on taking jobs.
const BATCH_TIME: Duration = Duration::from_millis(5);

/// A job on its way: runs, and is answered once the fate of its commit is known.
trait Job: Send {
    /// Runs it; whether its changes are to be kept.
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    /// Answers it: with its own result if it was committed.
    fn answer(self: Box<Self>, committed: Result<()>);
}

struct Task<T, F> {
    job: Option<F>,
    result: Result<T>,
    answer: oneshot::Sender<Result<T>>,
}

impl<T: Send, F: FnOnce(&Tx<'_>) -> Result<T> + Send> Job for Task<T, F> {
    fn run(&mut self, tx: &Tx<'_>) -> bool {
        if let Some(job) = self.job.take() {
            self.result = job(tx);
        }
        self.result.is_ok()
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        // Nobody waits any more when the client has left: not an error.
        let _ = self.answer.send(committed.and(self.result));
    }
}

/// The one that writes.
pub struct Writer {
    queue: Option<SyncSender<Box<dyn Job>>>,
    vitals: Arc<Vitals>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread on a connection that may write.
    pub fn start(conn: Connection, clock: Clock, vitals: Arc<Vitals>) -> Self {
        let (queue, jobs) = sync_channel(QUEUE);
        let counts = Arc::clone(&vitals);
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || work(&conn, &clock, &jobs, &counts))
            .map_err(|error| tracing::error!(%error, "the writer thread did not start"))
            .ok();
        Self { queue: Some(queue), vitals, thread: Mutex::new(thread) }
    }

    /// Hands a job over. The receiver answers after the commit.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when too many jobs wait already.
    pub fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T>>> {
        let (answer, waiting) = oneshot::channel();
        let job = Box::new(Task {
            job: Some(job),
            result: Err(Error::internal("a write job did not finish")),
            answer,
        });
        // Before it is sent, or the writer could take it off first.
        self.vitals.queued.change(1);
        match self.queue.as_ref().map(|queue| queue.try_send(job)) {
            Some(Ok(())) => Ok(waiting),
            Some(Err(TrySendError::Full(_))) => {
                self.vitals.queued.change(-1);
                self.vitals.refused.add();
                Err(Error::Overloaded)
            }
            Some(Err(TrySendError::Disconnected(_))) | None => {
                Err(Error::internal("the writer thread is gone"))
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.get_mut().ok().and_then(Option::take) {
            let _ = thread.join();
        }
    }
}

fn work(conn: &Connection, clock: &Clock, jobs: &Receiver<Box<dyn Job>>, vitals: &Vitals) {
    // After an error of the disk itself nobody can say what is on it: nothing more is acknowledged.
    let mut broken = false;
    while let Ok(first) = jobs.recv() {
        if broken {
            vitals.queued.change(-1);
            first.answer(Err(Error::internal("the disk failed earlier")));
            continue;
        }
        let mut batch = vec![first];
        let filled = fill(conn, clock, jobs, &mut batch);
        vitals.queued.change(-i64::try_from(batch.len()).unwrap_or(0));
        vitals.batches.observe(batch.len() as u64);
        let started = Instant::now();
        let committed = filled.and_then(|()| run(conn, "COMMIT"));
        vitals.commits.observe_duration(started.elapsed());
        if let Err(error) = &committed {
            vitals.failed.add();
            broken = is_disk_error(error);
            tracing::error!(%error, jobs = batch.len(), "a batch of writes failed");
            if !conn.is_autocommit()
                && let Err(error) = run(conn, "ROLLBACK")
            {
                tracing::error!(%error, "a rollback failed");
            }
        }
        for job in batch {
            job.answer(committed.as_ref().map_or_else(|error| Err(classify(error)), |()| Ok(())));
        }
    }
    if let Err(error) = conn.execute_batch("PRAGMA optimize = 0x10012") {
        tracing::warn!(%error, "the statistics were not refreshed");
    }
}

/// Runs waiting jobs, each in its savepoint, up to a commit.
fn fill(
    conn: &Connection,
    clock: &Clock,
    jobs: &Receiver<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
) -> rusqlite::Result<()> {
    run(conn, "BEGIN IMMEDIATE")?;
    let started = Instant::now();
    let mut at = 0;
    while let Some(job) = batch.get_mut(at) {
        run(conn, "SAVEPOINT job")?;
        let tx = Tx { conn, now: clock.now() };
        let keep = catch_unwind(AssertUnwindSafe(|| job.run(&tx)));
        if keep.is_err() {
            tracing::error!("a write job panicked");
        }
        if !keep.unwrap_or(false) {
            run(conn, "ROLLBACK TO job")?;
        }
        run(conn, "RELEASE job")?;
        at += 1;
        if batch.len() < BATCH && started.elapsed() < BATCH_TIME {
            batch.extend(jobs.try_recv()); // Never waits for more: a lone write is not delayed.
        }
    }
    Ok(())
}

/// What a caller hears of a failed commit.
fn classify(error: &rusqlite::Error) -> Error {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => Error::StorageFull,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Error::Overloaded,
        _ => Error::internal("the commit failed"),
    }
}

fn is_disk_error(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}

fn run(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
}
