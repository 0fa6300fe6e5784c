//! Making and opening the file: whose it is, which version, who else has it open.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::Read;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

/// Marks a file as Lodge's in its header: "Ldge".
pub const APPLICATION_ID: i32 = 0x4c64_6765;
/// The number of the schema in `schema.sql`.
pub const SCHEMA_VERSION: i32 = 1;
/// The schema of a new file.
const SCHEMA: &str = include_str!("../../schema.sql");

/// Why a file cannot be used. Each prints as one sentence for a person at a terminal.
#[derive(Debug)]
pub enum OpenError {
    /// There is no such file.
    Missing(PathBuf),
    /// The folder it should be in does not exist.
    MissingFolder(PathBuf),
    /// It is not a SQLite database, or another program's.
    Foreign(PathBuf),
    /// A newer Lodge made it: its schema version.
    Newer(PathBuf, i32),
    /// Another server has it open.
    InUse(PathBuf),
    /// It is there already.
    Exists(PathBuf),
    /// The system or SQLite refuses.
    Unreadable(PathBuf, String),
}

impl OpenError {
    /// The system or SQLite refuses, for this reason.
    pub fn unreadable(path: &Path, source: impl std::fmt::Display) -> Self {
        Self::Unreadable(path.to_owned(), source.to_string())
    }
}

impl std::fmt::Display for OpenError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "{} does not exist", path.display()),
            Self::MissingFolder(path) => write!(f, "the folder {} does not exist", path.display()),
            Self::Foreign(path) => {
                write!(f, "{} is not a Lodge database; it was left as it is", path.display())
            }
            Self::Newer(path, version) => write!(
                f,
                "{} was made by a newer Lodge (schema {version}, this one knows {SCHEMA_VERSION}); it was left as it is",
                path.display()
            ),
            Self::InUse(path) => write!(f, "{} is in use by another Lodge server", path.display()),
            Self::Exists(path) => write!(f, "{} exists already", path.display()),
            Self::Unreadable(path, why) => write!(f, "{} cannot be opened: {why}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

/// Whether the file is there, a Lodge database, and of a version this program knows. Changes nothing.
///
/// # Errors
/// What is wrong with it.
pub fn check(path: &Path) -> Result<(), OpenError> {
    let mut header = [0_u8; 100];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut header));
    match read {
        Ok(()) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing(path)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        Err(error) => return Err(OpenError::unreadable(path, error)),
    }
    // https://sqlite.org/fileformat.html#the_database_header: magic, user version at 60, application id at 68.
    let number = |at: usize| i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if !header.starts_with(b"SQLite format 3\0") || number(68) != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    match number(60) {
        version if version > SCHEMA_VERSION => Err(OpenError::Newer(path.to_owned(), version)),
        _ => Ok(()),
    }
}

fn missing(path: &Path) -> OpenError {
    match folder(path) {
        folder if folder.is_dir() => OpenError::Missing(path.to_owned()),
        folder => OpenError::MissingFolder(folder.to_owned()),
    }
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Makes a new, empty database, readable by its owner only, whatever the umask.
///
/// # Errors
/// [`OpenError::Exists`], [`OpenError::MissingFolder`], or what the system says.
pub fn create(path: &Path) -> Result<(), OpenError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            return Err(OpenError::Exists(path.to_owned()));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing(path)),
        Err(error) => return Err(OpenError::unreadable(path, error)),
    }
    let filled = fill(path).map_err(|error| OpenError::unreadable(path, error));
    if filled.is_err() {
        remove(path);
    }
    filled
}

fn fill(path: &Path) -> rusqlite::Result<()> {
    let mut conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    conn.pragma_update(None, "journal_mode", "WAL")?;
    let tx = conn.transaction()?;
    tx.execute_batch(SCHEMA)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    tx.commit()
}

/// Removes a database and what SQLite keeps beside it. Missing files are no error: the aim is that they are gone.
pub fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(beside(path, suffix));
    }
}

fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
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
    // Readers see short, hot pages, which the system's cache holds as well: a small cache of their own is enough.
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -2000;")
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

/// Held by a server for as long as it serves a file, so that a second one refuses. The lock is on a file beside the
/// database: locking the database itself would, when closed, drop the locks SQLite holds on it.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock of this database.
    ///
    /// # Errors
    /// [`OpenError::InUse`] when another server holds it.
    pub fn take(database: &Path) -> Result<Self, OpenError> {
        let path = beside(database, ".lock");
        let failed = |error: std::io::Error| OpenError::unreadable(&path, error);
        loop {
            let file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(&path)
                .map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(OpenError::InUse(database.to_owned())),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // The server before us may have removed the file between our opening and our locking it.
            let same = |there: std::fs::Metadata| Ok(there.ino() == file.metadata()?.ino());
            if std::fs::metadata(&path).and_then(same).unwrap_or(false) {
                return Ok(Self { path, _file: file });
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}
