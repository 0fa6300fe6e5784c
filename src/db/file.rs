//! Files around the database: their names, their permissions, and how one takes its place without ever being half there.

use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::{Error, ErrorKind, Result};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// A path with something put behind its name.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The folder a path is in.
pub fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// How many bytes there are of a file; none if it is not there.
pub fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |there| there.len())
}

/// What lies beside a database, itself first, that others than its owner may read or write: its log, and the copies that were
/// kept when it was upgraded or replaced. What cannot be looked at is left out.
pub fn open_to_others(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap_or_default().as_bytes();
    let belongs = |other: &Path| {
        let rest = other.file_name().and_then(|other| other.as_bytes().strip_prefix(name));
        rest.is_some_and(|rest| matches!(rest.first(), None | Some(b'-' | b'.')))
    };
    let entries = std::fs::read_dir(folder(path)).into_iter().flatten().flatten();
    let mut found: Vec<_> = entries.map(|entry| path.with_file_name(entry.file_name())).collect();
    found.retain(|path| belongs(path) && is_open_to_others(path));
    found.sort();
    found
}

/// Whether others than its owner may read or write a file.
pub fn is_open_to_others(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|there| there.is_file() && there.mode() & 0o066 != 0)
}

/// Removes a database and what SQLite keeps beside it. Missing files are no error: the aim is that they are gone.
pub fn remove(path: &Path) {
    for suffix in ["", "-wal", "-shm", "-journal"] {
        let _ = std::fs::remove_file(beside(path, suffix));
    }
}

/// Waits until what a folder says of its files is on the disk.
pub fn sync_folder(path: &Path) -> Result<()> {
    File::open(folder(path))?.sync_all()
}

/// Moves a file, for good: over whatever has the name.
pub fn replace(from: &Path, to: &Path) -> Result<()> {
    std::fs::rename(from, to)?;
    sync_folder(to)
}

/// Gives a file another name as well.
///
/// # Errors
/// [`ErrorKind::AlreadyExists`]: a name in use is never taken away. What the system says.
pub fn link(from: &Path, to: &Path) -> Result<()> {
    std::fs::hard_link(from, to)
}

/// The same place as a URI for SQLite, with this query.
pub fn uri(path: &Path, query: &str) -> Result<PathBuf> {
    const PLAIN: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');
    let path = std::path::absolute(path)?;
    let encoded = percent_encoding::percent_encode(path.as_os_str().as_bytes(), PLAIN);
    Ok(PathBuf::from(format!("file:{encoded}?{query}")))
}

/// A file in the making, beside the place it is for: readable by its owner only, whatever the umask, and gone unless it is
/// published. One that a killed process left is taken away by the next attempt.
#[derive(Debug)]
pub struct Partial {
    path: PathBuf,
    file: File,
}

impl Partial {
    /// Begins a file that is to be at `place`.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`]: somebody else is making the same file. What the system says.
    pub fn begin(place: &Path) -> Result<Self> {
        let path = beside(place, ".partial");
        loop {
            let made = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
            let (file, is_new) = match made {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    (OpenOptions::new().read(true).open(&path), false)
                }
                made => (made, true),
            };
            let file = match file {
                Err(error) if !is_new && error.kind() == ErrorKind::NotFound => continue,
                file => file?,
            };
            lock(&file)?;
            // It may have been published or taken away between our opening and our locking it.
            if !is_at(&file, &path) {
                continue;
            }
            if is_new {
                file.set_permissions(Permissions::from_mode(0o600))?;
                return Ok(Self { path, file });
            }
            // Taken away and not emptied: it may have another name by now, and be somebody's backup.
            std::fs::remove_file(&path)?;
        }
    }

    /// Where it is for now.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Waits until its bytes are on the disk.
    pub fn sync(&self) -> Result<()> {
        self.file.sync_all()
    }

    /// Puts it, whole and on the disk, in a place where nothing is.
    ///
    /// # Errors
    /// [`ErrorKind::AlreadyExists`]: there is something by now. What the system says.
    pub fn publish(self, place: &Path) -> Result<()> {
        self.sync()?;
        match link(&self.path, place) {
            // Some file systems (FAT) have no second names. There the name is taken first, and then filled.
            Err(error) if matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::Unsupported) => {
                OpenOptions::new().write(true).create_new(true).mode(0o600).open(place)?;
                std::fs::rename(&self.path, place)?;
            }
            linked => linked?,
        }
        sync_folder(place)
    }

    /// Puts it, whole and on the disk, in the place of whatever is there.
    ///
    /// # Errors
    /// What the system says.
    pub fn publish_over(self, place: &Path) -> Result<()> {
        self.sync()?;
        replace(&self.path, place)
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Locks a file for this process, at once or not at all.
pub fn lock(file: &File) -> Result<()> {
    file.try_lock().map_err(|error| match error {
        TryLockError::WouldBlock => Error::from(ErrorKind::WouldBlock),
        TryLockError::Error(error) => error,
    })
}

/// Whether a path still leads to this open file.
pub fn is_at(file: &File, path: &Path) -> bool {
    let inode = |there: std::fs::Metadata| (there.dev(), there.ino());
    let same = |there| Ok(inode(there) == inode(file.metadata()?));
    std::fs::symlink_metadata(path).and_then(same).unwrap_or(false)
}
