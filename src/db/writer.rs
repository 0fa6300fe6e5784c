//! The writer: one thread, one connection, and every change there is.
//!
//! Jobs that wait are taken together: each in a savepoint of its own, one commit for all, and the answers only after the
//! commit has returned. A job that fails or panics is rolled back alone; a commit that fails, fails every job in it. That
//! is how `synchronous=FULL`, without which a power cut takes acknowledged writes along, costs little under load.
//!
//! After an error of the disk itself nobody can say what is on it, not even SQLite: what the commit left in the log is
//! overwritten, so that no restart takes it for done (`retract`), the answer to the batch is a failure, and until a restart
//! nothing more is written. A full disk is no such error: what does not fit is refused, and the next job is tried anew.
//!
//! Between batches, when the answers are out, the writer keeps the write-ahead log short (`checkpoint`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use super::checkpoint::Checkpoints;
use super::vitals::Vitals;
use super::{Start, Tx, is_full, retract};
use crate::error::{Error, Result};

/// How many jobs may wait; beyond it a caller hears that we are overloaded.
const QUEUE: usize = 1024;
/// How many jobs one commit may hold.
const BATCH: usize = 128;
/// How long a batch may go on taking jobs.
const BATCH_TIME: Duration = Duration::from_millis(5);

/// How long jobs are gathered before a batch begins, at most.
const GATHERING: Duration = Duration::from_millis(20);
/// When others, let run, keep the processor for so long, it is busy.
const BUSY: Duration = Duration::from_millis(1);

/// A job on its way: runs, and is answered once the fate of its commit is known.
trait Job: Send {
    /// Runs it; whether its changes are to be kept.
    fn run(&mut self, tx: &Tx<'_>) -> bool;
    /// Whether it failed because there was no room.
    fn ran_out_of_room(&self) -> bool;
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

    fn ran_out_of_room(&self) -> bool {
        matches!(self.result, Err(Error::StorageFull))
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
    pub(super) fn start(conn: Connection, start: Arc<Start>, vitals: Arc<Vitals>) -> Self {
        let (queue, jobs) = sync_channel(QUEUE);
        let counts = Arc::clone(&vitals);
        let thread = std::thread::Builder::new()
            .name("writer".into())
            .spawn(move || work(&conn, &start, &jobs, &counts))
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

fn work(conn: &Connection, start: &Start, jobs: &Receiver<Box<dyn Job>>, vitals: &Vitals) {
    let mut checkpoints = Checkpoints::start(conn);
    let mut broken = false;
    while let Ok(first) = jobs.recv() {
        if broken {
            vitals.queued.change(-1);
            first.answer(Err(Error::ReadOnly));
            continue;
        }
        let mut batch = gather(first, jobs);
        let committed = commit(conn, start, jobs, &mut batch, vitals);
        vitals.queued.change(-i64::try_from(batch.len()).unwrap_or(0));
        vitals.batches.observe(batch.len() as u64);
        if let Err(fate) = &committed {
            vitals.failed.add();
            broken = fate.broken;
            roll_back(conn);
            if fate.is_in_log {
                broken |= !retract::retract(conn);
            }
        }
        for job in batch {
            job.answer(committed.as_ref().map_or_else(|fate| Err(fate.as_error()), |()| Ok(())));
        }
        if !broken && let Err(error) = checkpoints.look(conn) {
            tracing::error!(%error, "what was written could not be moved from the log into the database");
            broken = is_disk_error(&error);
        }
        if broken {
            tracing::error!(
                "the disk has failed: nothing is written any more; look after the disk, then restart"
            );
        }
    }
    if !broken && let Err(error) = conn.execute_batch("PRAGMA optimize = 0x10012") {
        tracing::warn!(%error, "the statistics were not refreshed");
    }
}

/// The jobs that begin a batch. As long as others hand over more when they are let run, or have the processor for long, they
/// are: on a busy processor that makes few large commits out of many small ones. A lone write on an idle one finds nobody to
/// let run, and is not delayed.
fn gather(first: Box<dyn Job>, jobs: &Receiver<Box<dyn Job>>) -> Vec<Box<dyn Job>> {
    let (started, mut batch) = (Instant::now(), vec![first]);
    loop {
        let (before, let_run) = (batch.len(), Instant::now());
        std::thread::yield_now();
        batch.extend(jobs.try_iter().take(BATCH - before));
        let is_busy = batch.len() > before || let_run.elapsed() > BUSY;
        if !is_busy || batch.len() == BATCH || started.elapsed() > GATHERING {
            return batch;
        }
    }
}

/// What became of a batch that was not committed.
struct Fate {
    error: Failed,
    broken: bool,
    /// Whether all of it may be in the log, as if it had been committed.
    is_in_log: bool,
}

/// What its callers hear.
enum Failed {
    Full,
    Busy,
    Internal,
}

impl Fate {
    fn of(error: &rusqlite::Error) -> Self {
        let failed = match error.sqlite_error_code() {
            _ if is_full(error) => Failed::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Failed::Busy,
            _ => Failed::Internal,
        };
        Self { error: failed, broken: is_disk_error(error), is_in_log: false }
    }

    fn as_error(&self) -> Error {
        match self.error {
            Failed::Full => Error::StorageFull,
            Failed::Busy => Error::Overloaded,
            Failed::Internal => Error::internal("the commit failed"),
        }
    }
}

/// Runs waiting jobs and commits them.
fn commit(
    conn: &Connection,
    start: &Start,
    jobs: &Receiver<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
    vitals: &Vitals,
) -> Result<(), Fate> {
    let failed = |what: &str, jobs: usize, error: &rusqlite::Error| {
        tracing::error!(%error, jobs, "a batch of writes failed: {what}");
        Fate::of(error)
    };
    if let Err(error) = run(conn, "BEGIN IMMEDIATE") {
        // Another process has kept the database for as long as we wait. Who waits behind this job has waited as well.
        batch.extend(jobs.try_iter().take(BATCH));
        return Err(failed("it did not begin", batch.len(), &error));
    }
    fill(conn, start, jobs, batch).map_err(|error| failed("a job", batch.len(), &error))?;
    if conn.is_autocommit() {
        // SQLite takes the whole transaction back when a statement finds no room, or no disk.
        let full = batch.iter().any(|job| job.ran_out_of_room());
        tracing::error!(jobs = batch.len(), full, "a batch of writes failed: a job ended it");
        let error = if full { Failed::Full } else { Failed::Internal };
        return Err(Fate { error, broken: false, is_in_log: false });
    }
    let started = Instant::now();
    let committed = run(conn, "COMMIT");
    vitals.commits.observe_duration(started.elapsed());
    committed.map_err(|error| Fate {
        is_in_log: retract::is_needed(&error),
        ..failed("the commit", batch.len(), &error)
    })
}

/// Runs waiting jobs, each in its savepoint, up to a commit, or to one that has ended the transaction.
fn fill(
    conn: &Connection,
    start: &Start,
    jobs: &Receiver<Box<dyn Job>>,
    batch: &mut Vec<Box<dyn Job>>,
) -> rusqlite::Result<()> {
    let started = Instant::now();
    let mut at = 0;
    while let Some(job) = batch.get_mut(at) {
        run(conn, "SAVEPOINT job")?;
        let tx = start.tx(conn);
        let keep = catch_unwind(AssertUnwindSafe(|| job.run(&tx)));
        if keep.is_err() {
            tracing::error!("a write job panicked");
        }
        if conn.is_autocommit() {
            return Ok(());
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

fn roll_back(conn: &Connection) {
    if !conn.is_autocommit()
        && let Err(error) = run(conn, "ROLLBACK")
    {
        tracing::error!(%error, "a rollback failed");
    }
}

/// Whether the disk itself failed, so that nothing can be said of what is on it.
fn is_disk_error(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    !is_full(error)
        && matches!(
            code,
            Some(ErrorCode::SystemIoFailure | ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        )
}

fn run(conn: &Connection, sql: &str) -> rusqlite::Result<()> {
    conn.prepare_cached(sql)?.execute([]).map(drop)
}
