//! Making and opening the file: whose it is, which version, whether it is whole.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::{ErrorCode, OpenFlags};

use super::connect::connect;
pub(super) use super::connect::finished;
pub use super::connect::{looking, readable, set_up_reader, writable};
use super::file::{self, Partial, beside, folder};
pub use super::file::{is_open_to_others, open_to_others, remove};
pub use super::lock::Lock;
use super::shape::{self, Shape};

/// Marks a file as Lodge's in its header: "Ldge".
pub const APPLICATION_ID: i32 = 0x4c64_6765;
/// The number of the schema in `schema.sql`.
pub const SCHEMA_VERSION: i32 = 4;
/// The schema of a new file.
pub const SCHEMA: &str = include_str!("../../schema.sql");
/// A table that is there only while a large desk is being made, without some of the schema's triggers and indexes.
pub const UNFINISHED: &str = "unfinished";

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
    /// An older Lodge made it, and no server has upgraded it yet: its schema version.
    Older(PathBuf, i32),
    /// It is Lodge's, but not whole: what is wrong with it.
    Damaged(PathBuf, String),
    /// A large desk is being made in it, or that was cut short.
    Unfinished(PathBuf),
    /// Another server has it open.
    InUse(PathBuf),
    /// It is there already.
    Exists(PathBuf),
    /// The system or SQLite refuses.
    Unreadable(PathBuf, String),
    /// It cannot be made.
    Unmade(PathBuf, String),
}

impl OpenError {
    /// What SQLite found.
    pub fn from_sqlite(path: &Path, error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseCorrupt) => {
                Self::Damaged(path.to_owned(), "SQLite cannot make sense of it".into())
            }
            Some(ErrorCode::NotADatabase) => Self::Foreign(path.to_owned()),
            _ => Self::unreadable(path, error),
        }
    }

    /// What the system said while a file was being made.
    pub fn from_making(path: &Path, error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::AlreadyExists => Self::Exists(path.to_owned()),
            std::io::ErrorKind::WouldBlock => Self::InUse(path.to_owned()),
            std::io::ErrorKind::NotFound => missing(path),
            _ => Self::unmade(path, error),
        }
    }

    /// A file cannot be made, for this reason.
    pub fn unmade(path: &Path, source: impl std::fmt::Display) -> Self {
        Self::Unmade(path.to_owned(), source.to_string())
    }

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
            Self::Older(path, version) => write!(
                f,
                "{} was made by an older Lodge (schema {version}, this one needs {SCHEMA_VERSION}); lodge serve upgrades it, \
                 and keeps a copy",
                path.display()
            ),
            Self::Damaged(path, what) => {
                write!(f, "{} is damaged ({what}); it was left as it is", path.display())
            }
            Self::Unfinished(path) => write!(
                f,
                "{} is not finished: a desk is being seeded into it, or that was cut short; it was left as it is",
                path.display()
            ),
            Self::InUse(path) => write!(f, "{} is in use by another Lodge", path.display()),
            Self::Exists(path) => write!(f, "{} exists already", path.display()),
            Self::Unmade(path, why) => write!(f, "{} cannot be made: {why}", path.display()),
            Self::Unreadable(path, why) => write!(f, "{} cannot be opened: {why}", path.display()),
        }
    }
}

impl std::error::Error for OpenError {}

/// Whether the file is there, a Lodge database, of a version this program knows, and as long as it says it is: from its first
/// hundred bytes. Changes nothing. Returns the version in the header, which a log beside the file may have overtaken.
///
/// # Errors
/// What is wrong with it.
pub fn check(path: &Path) -> Result<i32, OpenError> {
    let mut header = [0_u8; 100];
    let read =
        File::open(path).and_then(|mut file| file.read_exact(&mut header).and_then(|()| file.metadata()));
    let length = match read {
        Ok(there) => there.len(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Err(missing(path)),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            return Err(OpenError::Foreign(path.to_owned()));
        }
        Err(error) => return Err(OpenError::unreadable(path, error)),
    };
    // https://sqlite.org/fileformat.html#the_database_header: magic, user version at 60, application id at 68.
    let number = |at: usize| i32::from_be_bytes([header[at], header[at + 1], header[at + 2], header[at + 3]]);
    if !header.starts_with(b"SQLite format 3\0") || number(68) != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    let version = known(path, number(60))?;
    // While there is a log, pages may be in it that the header counts already.
    if file::size(&beside(path, "-wal")) == 0 {
        whole(&header, length).map_err(|what| OpenError::Damaged(path.to_owned(), what))?;
    }
    Ok(version)
}

/// Whether a version is one that this program knows.
fn known(path: &Path, version: i32) -> Result<i32, OpenError> {
    match version {
        version if version > SCHEMA_VERSION => Err(OpenError::Newer(path.to_owned(), version)),
        1.. => Ok(version),
        _ => Err(OpenError::Foreign(path.to_owned())),
    }
}

/// Whether a file of this length can be what its header says.
fn whole(header: &[u8; 100], length: u64) -> Result<(), String> {
    let page = match u64::from(u16::from_be_bytes([header[16], header[17]])) {
        1 => 65_536,
        size if size.is_power_of_two() && size >= 512 => size,
        size => return Err(format!("its header says that pages have {size} bytes")),
    };
    let pages = u64::from(u32::from_be_bytes([header[28], header[29], header[30], header[31]]));
    if pages * page > length {
        return Err(format!("it has {length} of {} bytes", pages * page));
    }
    Ok(())
}

fn missing(path: &Path) -> OpenError {
    match folder(path) {
        folder if folder.is_dir() => OpenError::Missing(path.to_owned()),
        folder => OpenError::MissingFolder(folder.to_owned()),
    }
}

/// Looks closer than [`check`], with SQLite: at the version and the tables, in the log beside the file too. Returns the version.
///
/// # Errors
/// What is wrong with it; [`OpenError::Damaged`] also when a table, an index or a trigger of this version is missing, unless
/// [`UNFINISHED`] says why.
pub fn probe(path: &Path) -> Result<i32, OpenError> {
    check(path)?;
    let conn = looking(path)?;
    let look = || -> rusqlite::Result<(i32, i32, Shape)> {
        let number = |name| conn.pragma_query_value(None, name, |row| row.get(0));
        Ok((number("application_id")?, number("user_version")?, Shape::of(&conn)?))
    };
    let (id, version, found) = look().map_err(|error| OpenError::from_sqlite(path, error))?;
    if id != APPLICATION_ID {
        return Err(OpenError::Foreign(path.to_owned()));
    }
    if found.has_table(UNFINISHED) {
        return Err(OpenError::Unfinished(path.to_owned()));
    }
    if known(path, version)? == SCHEMA_VERSION {
        let expected = shape::of_today().map_err(|error| OpenError::unreadable(path, error))?;
        if let Some(wrong) = found.lacks(&expected).into_iter().next() {
            return Err(OpenError::Damaged(path.to_owned(), wrong));
        }
    }
    Ok(version)
}

/// Whether a file can be used as it is: there, Lodge's, whole as far as a short look can tell, and of today's version.
///
/// # Errors
/// What is wrong with it, [`OpenError::Older`] among them.
pub fn ready(path: &Path) -> Result<(), OpenError> {
    match probe(path)? {
        SCHEMA_VERSION => Ok(()),
        older => Err(OpenError::Older(path.to_owned(), older)),
    }
}

/// Makes a new, empty database, readable by its owner only, whatever the umask. It is there whole or not at all.
///
/// # Errors
/// [`OpenError::Exists`], [`OpenError::MissingFolder`], or what the system says.
pub fn create(path: &Path) -> Result<(), OpenError> {
    refuse_existing(path)?;
    let partial = Partial::begin(path).map_err(|error| OpenError::from_making(path, error))?;
    fill(partial.path()).map_err(|error| OpenError::unreadable(path, error))?;
    partial.publish(path).map_err(|error| OpenError::from_making(path, error))
}

/// Refuses a place that is taken, by a file or by the log of one that is gone: a log would be read into the new one.
pub(super) fn refuse_existing(path: &Path) -> Result<(), OpenError> {
    for path in [path.to_owned(), beside(path, "-wal"), beside(path, "-journal")] {
        if std::fs::symlink_metadata(&path).is_ok() {
            return Err(OpenError::Exists(path));
        }
    }
    Ok(())
}

fn fill(path: &Path) -> rusqlite::Result<()> {
    let mut conn = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let tx = conn.transaction()?;
    tx.execute_batch(SCHEMA)?;
    tx.pragma_update(None, "application_id", APPLICATION_ID)?;
    tx.pragma_update(None, "user_version", SCHEMA_VERSION)?;
    tx.commit()?;
    // Last, and in the header for good: nobody else has seen the file so far.
    conn.pragma_update(None, "journal_mode", "WAL")
}
