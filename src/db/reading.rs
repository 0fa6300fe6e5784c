//! Snapshots for reading.

use std::cell::RefCell;
use std::ops::Deref;
use std::sync::Arc;

use r2d2::PooledConnection;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::Connection;

use super::{Start, Tx};
use crate::error::{Error, Result};
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
        job(&Tx { now: self.now, ..self.start.tx(&self.snapshot.conn) })
    }

    /// The number that moves with every key, agent and setting, as it is in this snapshot.
    pub fn access(&self) -> i64 {
        self.snapshot.access
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

/// What a snapshot begins with: a number that nearly every request asks for. SQLite keeps what a statement sees for as long as it
/// has not been read to its end, for all others on its connection too (<https://sqlite.org/isolation.html>), so this one is left
/// at its row until the snapshot ends. `BEGIN` and `COMMIT` would be two statements more for each request. Nobody else may run it,
/// and within one snapshot fewer different statements are run than the cache of prepared ones has room for.
pub const BEGIN: &str = "SELECT access FROM epoch WHERE id = 1";

/// A reading transaction on a connection. Ends when it is dropped, also when the reader panics: a pooled connection must come
/// back clean.
pub(super) struct Snapshot<C: Deref<Target = Connection>> {
    conn: C,
    access: i64,
}

impl<C: Deref<Target = Connection>> Snapshot<C> {
    /// Begins one.
    pub fn begin(conn: C) -> Result<Self> {
        let mut statement = conn.prepare_cached(BEGIN)?;
        let mut rows = statement.raw_query();
        let row = rows.next()?.ok_or_else(|| Error::internal("there is no epoch"))?;
        let access = row.get(0)?;
        // It goes back among the cached ones as it is, and is what `drop` finds there.
        std::mem::forget(rows);
        drop(statement);
        Ok(Self { conn, access })
    }
}

impl<C: Deref<Target = Connection>> Drop for Snapshot<C> {
    fn drop(&mut self) {
        match self.conn.prepare_cached(BEGIN) {
            // Whoever stops reading a statement resets it.
            Ok(mut statement) => drop(statement.raw_query()),
            Err(error) => tracing::error!(%error, "a reading transaction did not end"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::open;
    use super::*;

    /// A reading and a writing connection to a new desk.
    fn desk() -> (tempfile::TempDir, Connection, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let desk = folder.path().join("desk.db");
        open::create(&desk).unwrap();
        let (reader, writer) = (open::readable(&desk).unwrap(), open::writable(&desk).unwrap());
        (folder, reader, writer)
    }

    fn move_on(writer: &Connection) {
        writer.execute("UPDATE epoch SET access = access + 1, names = names + 1", []).unwrap();
    }

    fn seen(conn: &Connection) -> (i64, i64) {
        conn.query_row("SELECT access, names FROM epoch", [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    }

    #[test]
    fn a_snapshot_sees_what_there_was_when_it_began_until_it_ends() {
        let (_folder, reader, writer) = desk();
        for _ in 0..3 {
            let before = seen(&writer);
            let snapshot = Snapshot::begin(&reader).unwrap();
            move_on(&writer);
            assert_eq!(snapshot.access, before.0);
            assert_eq!(seen(&reader), before, "the first statement in it");
            assert!(reader.query_row("SELECT json('{')", [], |_| Ok(())).is_err(), "one that fails");
            assert_eq!(seen(&reader), before, "what comes after");
            drop(snapshot);
            assert_eq!(seen(&reader), seen(&writer));
        }
        // Nothing is left that the log could not be shortened past.
        let busy: i64 = writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
        assert_eq!(busy, 0);
    }

    #[test]
    fn a_snapshot_ends_with_who_panics_in_it() {
        let (_folder, reader, writer) = desk();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _snapshot = Snapshot::begin(&reader).unwrap();
            panic!("as a reader might");
        }));
        assert!(panicked.is_err());
        move_on(&writer);
        assert_eq!(seen(&reader), seen(&writer));
    }
}
