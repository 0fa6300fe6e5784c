//! Copies of a database that is in use.
//!
//! A copy is made page by page with SQLite's backup API, from inside one read transaction: so it is one moment's data,
//! writers go on meanwhile, and it never has to begin anew, as it otherwise would at every commit. (`VACUUM INTO` would do as
//! well and leave free pages out; it took about twice as long, cannot say how far it is, and rewrites what is to be kept.)
//! Then it is opened again and looked through before anyone may rely on it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::file::Partial;
use super::open::{self, OpenError};

/// How many pages are copied at a time: 8 MiB.
const STEP: i32 = 2048;

/// How far a copy is.
#[derive(Clone, Copy, Debug)]
pub enum Stage {
    /// So many pages are copied, of so many.
    Copying(u64, u64),
    /// It is being looked through.
    Verifying,
}

/// Whoever waits for a copy.
pub struct Watch<'a> {
    /// Hears how far it is.
    pub report: &'a dyn Fn(Stage),
    /// Whether to give up.
    pub stop: Arc<AtomicBool>,
}

impl Default for Watch<'_> {
    fn default() -> Self {
        Self { report: &|_| {}, stop: Arc::default() }
    }
}

/// How many rows each table has.
pub type Counts = BTreeMap<String, i64>;

/// Copies a database, which may be in use, to a place where nothing is: whole, verified and on the disk, or not at all.
///
/// # Errors
/// [`OpenError::Exists`]: there is something. What is wrong with the database or with its copy; what the system says.
pub fn write(source: &Connection, place: &Path, watch: &Watch<'_>) -> Result<Counts, OpenError> {
    if std::fs::symlink_metadata(place).is_ok() {
        return Err(OpenError::Exists(place.to_owned()));
    }
    let (partial, counts) = begin(source, place, watch)?;
    partial.publish(place).map_err(|error| OpenError::from_making(place, error))?;
    Ok(counts)
}

/// Copies a database to beside a place, whole and verified. It still has to be published.
///
/// # Errors
/// As [`write`].
pub(super) fn begin(
    source: &Connection,
    place: &Path,
    watch: &Watch<'_>,
) -> Result<(Partial, Counts), OpenError> {
    let partial = Partial::begin(place).map_err(|error| OpenError::from_making(place, error))?;
    let counts =
        copy(source, partial.path(), watch).map_err(|error| OpenError::unmade(place, told(&error)))?;
    (watch.report)(Stage::Verifying);
    let found = verify(partial.path(), &watch.stop).map_err(|error| match error {
        OpenError::Damaged(_, what) => OpenError::unmade(place, format!("the copy is damaged: {what}")),
        error => OpenError::unmade(place, error),
    })?;
    if found != counts {
        return Err(OpenError::unmade(place, "the copy does not have as many rows as the database"));
    }
    Ok((partial, counts))
}

/// What went wrong, for people.
fn told(error: &rusqlite::Error) -> String {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => "there is no room left".into(),
        Some(rusqlite::ErrorCode::OperationInterrupted) => "it was interrupted".into(),
        _ => error.to_string(),
    }
}

fn copy(source: &Connection, to: &Path, watch: &Watch<'_>) -> rusqlite::Result<Counts> {
    let mut target =
        Connection::open_with_flags(to, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // The file counts only once it is whole, and is brought to the disk as a whole.
    target.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
    source.execute_batch("BEGIN")?;
    let copied = interruptible(source, &watch.stop, || {
        let counts = count(source)?;
        step(source, &mut target, watch)?;
        Ok(counts)
    });
    source.execute_batch("COMMIT")?;
    copied
}

fn step(source: &Connection, target: &mut Connection, watch: &Watch<'_>) -> rusqlite::Result<()> {
    let copy = Backup::new(source, target)?;
    loop {
        if watch.stop.load(Ordering::Relaxed) {
            return Err(interrupted());
        }
        let result = copy.step(STEP)?;
        let progress = copy.progress();
        let number = |pages: i32| u64::try_from(pages).unwrap_or(0);
        let pages = number(progress.pagecount);
        (watch.report)(Stage::Copying(pages - number(progress.remaining).min(pages), pages));
        match result {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            // Nobody else knows the copy, and readers wait for nobody: the file system's doing, if anybody's.
            _ => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

fn interrupted() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_INTERRUPT), None)
}

/// Does something on a connection that ends when it is to stop.
fn interruptible<T>(
    conn: &Connection,
    stop: &Arc<AtomicBool>,
    job: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    let stop = Arc::clone(stop);
    conn.progress_handler(10_000, Some(move || stop.load(Ordering::Relaxed)))?;
    let done = job();
    conn.progress_handler(0, None::<fn() -> bool>)?;
    done
}

/// How many rows each table has, the tables of the search indexes included.
fn count(conn: &Connection) -> rusqlite::Result<Counts> {
    let mut tables = conn.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name",
    )?;
    let names = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let rows = |name: &String| {
        let quoted = name.replace('"', "\"\"");
        conn.query_row(&format!("SELECT count(*) FROM \"{quoted}\""), [], |row| row.get(0))
    };
    names.into_iter().map(|name| rows(&name).map(|rows| (name, rows))).collect()
}

/// Looks a file through that nobody changes: Lodge's, of a version that is known, and nothing in it damaged.
///
/// # Errors
/// What is wrong with it.
pub(super) fn verify(path: &Path, stop: &Arc<AtomicBool>) -> Result<Counts, OpenError> {
    open::check(path)?;
    let conn = open::finished(path)?;
    let look = || -> rusqlite::Result<(Vec<String>, Counts)> {
        let mut faults = integrity(&conn)?;
        faults.extend(foreign_keys(&conn)?);
        Ok((faults, count(&conn)?))
    };
    let (faults, counts) =
        interruptible(&conn, stop, look).map_err(|error| OpenError::from_sqlite(path, error))?;
    match faults.into_iter().next() {
        Some(fault) => Err(OpenError::Damaged(path.to_owned(), fault)),
        None => Ok(counts),
    }
}

/// What SQLite finds wrong with the file's pages, tables and indexes, those of the search included.
pub(super) fn integrity(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = conn.prepare("PRAGMA integrity_check")?;
    let lines = check.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    Ok(if lines == ["ok"] { vec![] } else { lines })
}

/// Rows that refer to rows which are not there.
pub(super) fn foreign_keys(conn: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut check = conn.prepare("SELECT \"table\", rowid, parent FROM pragma_foreign_key_check")?;
    let lines = check.query_map([], |row| {
        let (table, id, parent): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let row = id.map_or_else(|| "a row".to_owned(), |id| format!("row {id}"));
        Ok(format!("{row} of {table} refers to a {parent} that is not there"))
    })?;
    lines.collect()
}
