//! The database: one local SQLite file, many readers, one writer.
//!
//! Readers are an r2d2 pool of read-only connections, used inline for short indexed reads ([`Db::read`]) and on a lane of
//! their own for search and reports ([`Db::search`]). Everything that changes the file goes to the one writer
//! ([`Db::write`]), which commits waiting jobs together. This folder and `*/store.rs` are the only places that know
//! rusqlite.

pub mod backup;
pub mod check;
mod checkpoint;
mod connect;
mod file;
mod kept;
mod lane;
mod lock;
pub mod migrate;
mod migrations;
pub mod open;
mod page;
mod reading;
pub mod restore;
mod retract;
mod row;
pub mod search;
mod shape;
mod vitals;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::{Connection, ErrorCode, OpenFlags};

pub use self::kept::Kept;
pub use self::page::{Items, Page, Paging};
pub use self::reading::{BEGIN, Reading};
pub use self::row::{
    FromRow, Ids, Named, Optional, WriteRow, all, all_named, all_written, bind, each, execute, exists, first,
    inserted, one, text, text_or_null, until, word,
};
use crate::error::{Error, Result};
use crate::time::{Clock, Timestamp};

/// How long opening the reading connections may take at the start, which on a crowded machine is more than a moment.
const OPENING: Duration = Duration::from_secs(30);
/// How long a read waits for a connection.
const TURN: Duration = Duration::from_secs(1);

/// A transaction: the connection it runs on, and the one moment that is *now* for all of it.
pub struct Tx<'a> {
    /// Where statements run. Only stores look at this.
    pub conn: &'a Connection,
    /// The time of this transaction.
    pub now: Timestamp,
    /// What was read before and still holds.
    pub kept: &'a Kept,
}

/// What every transaction begins with.
struct Start {
    clock: Clock,
    kept: Kept,
}

impl Start {
    /// By this clock, with nothing kept.
    fn by(clock: &Clock) -> Self {
        Self { clock: clock.clone(), kept: Kept::default() }
    }

    fn tx<'a>(&'a self, conn: &'a Connection) -> Tx<'a> {
        Tx { conn, now: self.clock.now(), kept: &self.kept }
    }
}

/// How a database is opened for serving.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many reading connections to keep: the number of worker threads and two.
    pub readers: u32,
    /// Where the time comes from.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        let workers = std::thread::available_parallelism().map_or(2, |n| n.get() as u32);
        Self { readers: workers + 2, clock: Clock::default() }
    }
}

/// An open database.
pub struct Db {
    // In this order: fields are dropped from the top, and SQLite tidies its write-ahead log away only when the
    // connection closed last is one that may write.
    search: lane::Lane,
    readers: r2d2::Pool<SqliteConnectionManager>,
    writer: Option<writer::Writer>,
    start: Arc<Start>,
    vitals: Arc<vitals::Vitals>,
    path: PathBuf,
    _lock: Option<open::Lock>,
}

impl Db {
    /// Opens an existing Lodge database for serving. Takes the lock that keeps a second server away, and upgrades the file of
    /// an older Lodge, after a copy was made beside it.
    ///
    /// # Errors
    /// [`open::OpenError`]: no such file, another program's, a newer Lodge's, damaged, in use, or unreadable.
    pub fn open(path: &Path, options: &Options) -> Result<Self, open::OpenError> {
        open::check(path)?;
        let lock = open::Lock::take(path)?;
        migrate::upgrade(path, &migrate::TODAY, &lock, options.clock.now())?;
        let (start, vitals) = (Arc::new(Start::by(&options.clock)), Arc::new(vitals::Vitals::default()));
        let writer = writer::Writer::start(open::writable(path)?, Arc::clone(&start), Arc::clone(&vitals));
        Self::with(path, options, (start, vitals), Some((writer, lock)))
    }

    /// Opens a database that is only read: a replica that another program keeps up to date, or the file of a running server.
    /// It takes no lock and changes no row, so there may be any number of such, and a writer besides.
    ///
    /// # Errors
    /// As [`Db::open`], and [`open::OpenError::Older`]: only one that writes can upgrade.
    pub fn open_read_only(path: &Path, options: &Options) -> Result<Self, open::OpenError> {
        open::ready(path)?;
        connect::settle_replica(path)?;
        Self::with(path, options, (Arc::new(Start::by(&options.clock)), Arc::default()), None)
    }

    fn with(
        path: &Path,
        options: &Options,
        (start, vitals): (Arc<Start>, Arc<vitals::Vitals>),
        writing: Option<(writer::Writer, open::Lock)>,
    ) -> Result<Self, open::OpenError> {
        let manager = SqliteConnectionManager::file(path)
            .with_flags(OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .with_init(open::set_up_reader);
        let readers = r2d2::Pool::builder()
            .max_size(options.readers)
            .test_on_check_out(false)
            .max_lifetime(None)
            .idle_timeout(None)
            .connection_timeout(OPENING)
            .build(manager)
            .map_err(|source| open::OpenError::unreadable(path, source))?;
        let slow = open::readable(path)?;
        let (writer, lock) = writing.unzip();
        Ok(Self {
            search: lane::Lane::start(slow, Arc::clone(&start)),
            readers,
            writer,
            start,
            vitals,
            path: path.to_owned(),
            _lock: lock,
        })
    }

    /// Whether nothing can be written, because the database was opened so.
    pub fn is_read_only(&self) -> bool {
        self.writer.is_none()
    }

    /// Begins a snapshot for short, indexed reads on the calling thread.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when no connection is free for a second.
    pub fn begin(&self) -> Result<Box<Reading>> {
        Reading::begin(self.reader()?, Arc::clone(&self.start))
    }

    /// Runs short, indexed reads in one consistent snapshot, on the calling thread: in the one that was begun for this
    /// request, or in one of its own.
    ///
    /// # Errors
    /// Whatever `job` returns; [`Error::Overloaded`] when no connection is free for a second.
    pub fn read<T>(&self, job: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        let begun = Reading::begun().filter(|reading| reading.is_of(&self.start));
        begun.map_or_else(|| self.begin(), Ok)?.run(job)
    }

    fn reader(&self) -> Result<r2d2::PooledConnection<SqliteConnectionManager>> {
        // There almost always is one, and then nobody needs to know the time.
        let free = self.readers.try_get().map(Ok);
        free.unwrap_or_else(|| self.readers.get_timeout(TURN)).map_err(|_| Error::Overloaded)
    }

    /// Runs reads that may take a while (search, reports) in one consistent snapshot on the search lane, so that they
    /// never delay short ones.
    ///
    /// # Errors
    /// Whatever `job` returns; [`Error::Overloaded`] when the lane's queue is full or the work takes over two seconds.
    pub async fn search<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        // What waits holds no snapshot.
        drop(Reading::begun());
        self.search.run(job).await
    }

    /// Runs a change: all of it or nothing. The answer comes after the commit has reached the disk.
    ///
    /// # Errors
    /// Whatever `job` returns, in which case nothing is written; [`Error::Overloaded`] when the writer's queue is full;
    /// [`Error::ReadOnly`] when the database was opened so, or its disk has failed.
    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        drop(Reading::begun());
        let answer = self.writer.as_ref().ok_or(Error::ReadOnly)?.submit(job)?;
        answer.await.unwrap_or_else(|_| Err(Error::internal("a write job panicked")))
    }

    /// The same as [`Db::write`], for callers that are not async.
    ///
    /// # Errors
    /// As [`Db::write`].
    pub fn write_blocking<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Tx<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let answer = self.writer.as_ref().ok_or(Error::ReadOnly)?.submit(job)?;
        answer.blocking_recv().unwrap_or_else(|_| Err(Error::internal("a write job panicked")))
    }

    /// Where the time comes from.
    pub fn clock(&self) -> &Clock {
        &self.start.clock
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Runs a change on a connection of its own, beside a server that may be running: for the command line's short writes.
///
/// # Errors
/// Whatever `job` returns, in which case nothing is written.
pub fn write_beside<T>(
    conn: &mut Connection,
    clock: &Clock,
    job: impl FnOnce(&Tx<'_>) -> Result<T>,
) -> Result<T> {
    let transaction = conn.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let answer = job(&Start::by(clock).tx(&transaction))?;
    if let Err(error) = transaction.commit() {
        if retract::is_needed(&error) {
            retract::retract(conn);
        }
        return Err(error.into());
    }
    Ok(answer)
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            _ if is_full(&error) => Self::StorageFull,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OperationInterrupted) => {
                Self::Overloaded
            }
            Some(ErrorCode::ReadOnly) => Self::ReadOnly,
            _ => Self::Internal(Box::new(error)),
        }
    }
}

/// Whether there was no room: for the file and its log, or for the index of the log, which SQLite tells in another way.
fn is_full(error: &rusqlite::Error) -> bool {
    const INDEX_OF_THE_LOG: i32 = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
    error.sqlite_error_code() == Some(ErrorCode::DiskFull)
        || error.sqlite_error().is_some_and(|error| error.extended_code == INDEX_OF_THE_LOG)
}
