//! Connections: what every one has, and what sets those apart that read, write or only look.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::file::{self, beside};
use super::open::OpenError;

/// Opens a file, and sets up what every connection has.
pub(super) fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let conn = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    set_up(&conn)?;
    Ok(conn)
}

/// What every connection has.
fn set_up(conn: &Connection) -> rusqlite::Result<()> {
    // First of all: even switching to WAL may have to wait for another process.
    conn.busy_timeout(std::time::Duration::from_secs(5))?;
    conn.set_prepared_statement_cache_capacity(256);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // A plan never depends on the values that are bound; otherwise SQLite plans some statements anew for each.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    rusqlite::vtab::array::load_module(conn)?;
    conn.execute_batch(
        "PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA cell_size_check = ON;
         PRAGMA cache_size = -16000; PRAGMA temp_store = MEMORY; PRAGMA mmap_size = 0;",
    )
}

/// Sets a pooled reading connection up.
///
/// # Errors
/// What SQLite says.
pub fn set_up_reader(conn: &mut Connection) -> rusqlite::Result<()> {
    set_up(conn)?;
    // Readers see short, hot pages, which the system's cache holds as well: a small cache of their own is enough. What they read
    // wrongly from a damaged page they cannot spread, so only the writer goes through every page that it takes up.
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA cell_size_check = OFF; PRAGMA cache_size = -2000;")
}

/// A reading connection beside the pool.
///
/// # Errors
/// What SQLite says.
pub fn readable(path: &Path) -> Result<Connection, OpenError> {
    let open = || -> rusqlite::Result<Connection> {
        let mut conn = connect(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        set_up_reader(&mut conn)?;
        Ok(conn)
    };
    open().map_err(|error| OpenError::unreadable(path, error))
}

/// A connection that may write: the writer's, or the command line's beside a running server.
///
/// # Errors
/// What SQLite says.
pub fn writable(path: &Path) -> Result<Connection, OpenError> {
    let open = || -> rusqlite::Result<Connection> {
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let mode: String = conn.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
        if mode != "wal" {
            return Err(rusqlite::Error::InvalidQuery);
        }
        conn.execute_batch(
            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 8000; PRAGMA journal_size_limit = 134217728;
             PRAGMA secure_delete = FAST;",
        )?;
        Ok(conn)
    };
    open().map_err(|error| OpenError::unreadable(path, error))
}

/// A connection that looks at a file and leaves it as it found it: it changes nothing, and tidies away what only it needed. A
/// log that a crash left stays what it is.
///
/// # Errors
/// What SQLite says.
pub fn looking(path: &Path) -> Result<Connection, OpenError> {
    let is_logged = file::size(&beside(path, "-wal")) > 0;
    let open = || -> rusqlite::Result<Connection> {
        // Only a connection that may write takes the empty log away that it had to make. A copy that another program keeps up
        // to date (Litestream's) has no log, and must never be opened for writing.
        let flags = if keeps_a_log(path) {
            OpenFlags::SQLITE_OPEN_READ_WRITE
        } else {
            OpenFlags::SQLITE_OPEN_READ_ONLY
        };
        let mut conn = connect(path, flags)?;
        set_up_reader(&mut conn)?;
        conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, is_logged)?;
        Ok(conn)
    };
    open().map_err(|error| OpenError::from_sqlite(path, error))
}

/// Makes a replica that Litestream keeps up to date (`litestream restore -f`) one that can be read meanwhile. Its header says
/// at first, as that of the original does, that it has a write-ahead log; whoever reads such a file locks it for as long as it
/// is open, and Litestream would wait for ever. Litestream takes the mark away with the next change of the first page, which on
/// a quiet desk may be long in coming. Other files are left alone.
///
/// # Errors
/// [`OpenError::InUse`]: somebody has it open. What SQLite says.
pub(super) fn settle_replica(path: &Path) -> Result<(), OpenError> {
    if !beside(path, "-txid").exists() || !keeps_a_log(path) {
        return Ok(());
    }
    let settle = || -> rusqlite::Result<String> {
        let conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.pragma_update_and_check(None, "journal_mode", "DELETE", |row| row.get(0))
    };
    match settle() {
        Ok(mode) if mode == "delete" => Ok(()),
        Ok(_) => Err(OpenError::InUse(path.to_owned())),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
            Err(OpenError::InUse(path.to_owned()))
        }
        Err(error) => Err(OpenError::from_sqlite(path, error)),
    }
}

/// Whether the header says that changes go to a write-ahead log.
fn keeps_a_log(path: &Path) -> bool {
    let mut header = [0_u8; 20];
    File::open(path).and_then(|mut file| file.read_exact(&mut header)).is_ok() && header[18] == 2
}

/// A connection to a file that nobody changes, such as a finished copy: without locks, and without a file beside it.
///
/// # Errors
/// What SQLite says.
pub(super) fn finished(path: &Path) -> Result<Connection, OpenError> {
    let uri = file::uri(path, "immutable=1").map_err(|error| OpenError::unreadable(path, error))?;
    connect(&uri, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI)
        .map_err(|error| OpenError::from_sqlite(path, error))
}
