//! Keeps the write-ahead log short: moves what is in it into the database file, between batches of the writer.
//!
//! SQLite would do it inside of a commit; here the answers are out by then, and an error is seen instead of swallowed. Usually
//! moving is enough, because the next commit then begins the log anew. Under many readers it is not: there is always one that
//! still looks at an older page. When the log has grown to [`LONG`], the writer waits for those of that moment, for at most
//! [`PATIENCE`] and once in [`BETWEEN`], or [`AGAIN`] if they did not end. Readers themselves never wait.
//!
//! A reader that does not end keeps the log from being begun anew, however long that takes. Ours end: a short read is over when
//! its page is made, a search after two seconds, a backup with its last page. Another program's (a forgotten `BEGIN` in a
//! shell) is told of in the log. Litestream is one on purpose, and lets go from time to time.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rusqlite::Connection;

/// From how many pages on the log is moved into the database: 32 MB.
const ENOUGH: i64 = 8_000;
/// How many pages more before it is tried again, as long as readers keep the log from being begun anew.
const MORE: i64 = 1_000;
/// From how many pages on the writer waits for readers: 128 MB.
const LONG: i64 = 32_000;
/// How long it waits.
const PATIENCE: Duration = Duration::from_millis(200);
/// How often at most, so that waiting takes a twentieth of the writer's time.
const BETWEEN: Duration = Duration::from_secs(4);
/// How soon again when they did not end in time.
const AGAIN: Duration = Duration::from_secs(1);
/// From how many pages on somebody ought to look: 512 MB.
const ALARMING: i64 = 131_072;
/// How long the writer usually waits for other processes.
const USUAL: Duration = Duration::from_secs(5);

thread_local! {
    /// How many pages are in the log of the connection that last committed on this thread, the writer's.
    static PAGES: Cell<i64> = const { Cell::new(0) };
}

/// When what was written is moved from the log into the database.
pub struct Checkpoints {
    seen: i64,
    next: i64,
    /// From when on it may wait for readers again.
    rested: Option<Instant>,
    alarm: i64,
}

impl Checkpoints {
    /// Takes over from SQLite on this connection, which stays on this thread.
    pub fn start(conn: &Connection) -> Self {
        conn.wal_hook(Some(|_, pages| {
            PAGES.set(i64::from(pages));
            Ok(())
        }));
        Self { seen: 0, next: ENOUGH, rested: None, alarm: ALARMING }
    }

    /// Does what is due after a commit.
    ///
    /// # Errors
    /// What the disk says. Room that is lacking is no error: the log keeps what was written.
    pub fn look(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        let pages = PAGES.get();
        if pages < self.seen {
            self.next = ENOUGH; // The log was begun anew.
        }
        self.seen = pages;
        if pages < self.next {
            return Ok(());
        }
        self.next = pages + MORE;
        match checkpoint(conn, "PASSIVE") {
            Err(error) if super::is_full(&error) => {
                tracing::warn!(
                    "no room to move what was written from the log into the database; it stays in the log"
                );
                return Ok(());
            }
            done => done.map(drop)?,
        }
        if pages >= LONG && self.rested.is_none_or(|rested| Instant::now() >= rested) {
            self.begin_anew(conn)?;
        }
        if pages >= self.alarm {
            let megabytes = pages * 4096 / 1_000_000;
            tracing::warn!(
                megabytes,
                "the write-ahead log grows: a reader does not end, of another program's most likely"
            );
            self.alarm = pages * 2;
        } else if pages < ALARMING {
            self.alarm = ALARMING;
        }
        Ok(())
    }

    /// Waits for readers of older pages, so that the next commit begins the log anew.
    fn begin_anew(&mut self, conn: &Connection) -> rusqlite::Result<()> {
        conn.busy_timeout(PATIENCE)?;
        let done = checkpoint(conn, "RESTART");
        conn.busy_timeout(USUAL)?;
        let pause = if matches!(done, Ok(true)) { BETWEEN } else { AGAIN };
        self.rested = Some(Instant::now() + pause);
        match done {
            Err(error) if super::is_full(&error) => Ok(()),
            done => done.map(drop),
        }
    }
}

/// Whether all that the mode asks for was done, which a reader can prevent.
fn checkpoint(conn: &Connection, mode: &str) -> rusqlite::Result<bool> {
    let busy: bool = conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |row| row.get(0))?;
    Ok(!busy)
}
