//! One server a file.

use std::fs::{File, OpenOptions, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::file;
use super::open::OpenError;

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
        let path = file::beside(database, ".lock");
        let failed = |error: std::io::Error| match error.kind() {
            ErrorKind::WouldBlock => OpenError::InUse(database.to_owned()),
            ErrorKind::NotFound => OpenError::MissingFolder(file::folder(database).to_owned()),
            _ => OpenError::unreadable(&path, error),
        };
        loop {
            let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(&path);
            let file = open.map_err(failed)?;
            file::lock(&file).map_err(failed)?;
            // The server before us may have removed the file between our opening and our locking it.
            if file::is_at(&file, &path) {
                file.set_permissions(Permissions::from_mode(0o600)).map_err(failed)?;
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
