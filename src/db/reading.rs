//! Snapshots for reading.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;

use r2d2::PooledConnection;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;

use super::{Start, Tx};
use crate::error::Result;
use crate::time::Timestamp;

/// A consistent snapshot on a connection of the pool, in which one may read on after another: who calls is looked up in the
/// snapshot in which the answer is read. To begin one takes as long as many a read.
///
/// It belongs to one thing that is being done at once. What waits must not hold one: there are few connections, and the log
/// cannot be shortened past it.
pub struct Reading {
    snapshot: Snapshot<PooledConnection<SqliteConnectionManager>>,
    start: Arc<Start>,
    now: Timestamp,
}

tokio::task_local! {
    /// The snapshot that was begun for what this task does.
    static BEGUN: RefCell<Option<Box<Reading>>>;
}

impl Reading {
    /// Begins one. In a box, because a connection is large and is handed on a few times.
    pub(super) fn begin(
        conn: PooledConnection<SqliteConnectionManager>,
        start: Arc<Start>,
    ) -> Result<Box<Self>> {
        let now = start.clock.now();
        Ok(Box::new(Self { snapshot: Snapshot::begin(conn)?, start, now }))
    }

    /// Whether it is of the database that begins with this.
    pub(super) fn is_of(&self, start: &Arc<Start>) -> bool {
        Arc::ptr_eq(&self.start, start)
    }

    /// The one moment that is *now* for all of it.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// Reads in it.
    ///
    /// # Errors
    /// Whatever `job` returns.
    pub fn run<T>(&self, job: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        job(&Tx { now: self.now, ..self.start.tx(&self.snapshot.0) })
    }

    /// While `then` runs, what reads first goes on in this snapshot; what does anything else, or ends, ends it.
    pub fn then<F: Future>(self: Box<Self>, then: F) -> impl Future<Output = F::Output> {
        BEGUN.scope(RefCell::new(Some(self)), then)
    }

    /// The snapshot that was begun for what this task does, if nobody has taken it yet.
    pub(super) fn begun() -> Option<Box<Self>> {
        BEGUN.try_with(|begun| begun.take()).ok().flatten()
    }
}

/// A reading transaction on a connection. Ends when it is dropped, also when the reader panics: a pooled connection must come
/// back clean.
pub(super) struct Snapshot<C: Deref<Target = Connection>>(C);

impl<C: Deref<Target = Connection>> Snapshot<C> {
    /// Begins one.
    pub fn begin(conn: C) -> Result<Self> {
        conn.prepare_cached("BEGIN")?.execute([])?;
        Ok(Self(conn))
    }
}

impl<C: Deref<Target = Connection>> Drop for Snapshot<C> {
    fn drop(&mut self) {
        let ended = self.0.prepare_cached("COMMIT").and_then(|mut end| end.execute([]));
        if let Err(error) = ended {
            tracing::error!(%error, "a reading transaction did not end");
        }
    }
}
