//! Backups that a server makes by itself: every so often, in a folder, of which the newest are kept.
//!
//! When one is due goes by the database's clock and by the names of those that are there, so a restart makes none too many and
//! none too few. What fails is logged and tried again a minute later. Only files whose names these backups have are ever
//! deleted.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Mutex;

use crate::db::backup::{self, Watch};
use crate::db::{Db, open};
use crate::time::{SECOND, Timestamp};

/// How long after a failure we try again.
const AGAIN: i64 = 60 * SECOND;

/// What backups are made by themselves.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How long from one to the next, in microseconds.
    pub every: i64,
    /// How many are kept.
    pub keep: usize,
    /// The folder they are in; made, its owner's only, if it does not exist.
    pub folder: PathBuf,
}

impl Plan {
    /// Those backups of a database that others than their owner may read or write.
    pub fn open_to_others(&self, database: &Path) -> Vec<PathBuf> {
        let made = made_before(&self.folder, database).into_iter().map(|(_, path)| path);
        made.filter(|path| open::is_open_to_others(path)).collect()
    }
}

/// The backups of one database.
pub struct Backups {
    plan: Plan,
    /// When the next one is due; found out from the folder at first.
    next: Mutex<Option<Timestamp>>,
    stop: Arc<AtomicBool>,
}

impl Backups {
    /// Makes nothing yet.
    pub fn new(plan: Plan) -> Self {
        Self { plan, next: Mutex::default(), stop: Arc::default() }
    }

    /// Makes a backup if one is due, and then deletes those that are too many.
    pub async fn tick(&self, db: &Db) {
        let now = db.clock().now();
        let mut next = self.next.lock().await;
        let due = *next.get_or_insert_with(|| self.due(db.path()));
        // When the clock was put back, the time would be too long in coming.
        if now < due && due <= now.plus(self.plan.every.max(AGAIN)) {
            return;
        }
        let (plan, path, stop) = (self.plan.clone(), db.path().to_owned(), Arc::clone(&self.stop));
        let made = tokio::task::spawn_blocking(move || make(&plan, &path, now, stop)).await;
        let made = made.unwrap_or_else(|error| Err(error.to_string()));
        match &made {
            Ok(file) => tracing::info!(file = %file.display(), "backup made"),
            Err(error) => tracing::error!(%error, "the backup failed and is tried again"),
        }
        *next = Some(now.plus(if made.is_ok() { self.plan.every } else { AGAIN }));
    }

    /// Gives up what is being made, so that the server can end.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    /// When the next one is due, going by the newest there is.
    fn due(&self, database: &Path) -> Timestamp {
        let newest = made_before(&self.plan.folder, database).into_iter().map(|(at, _)| at).max();
        newest.map_or(Timestamp(i64::MIN), |at| at.plus(self.plan.every))
    }
}

fn make(plan: &Plan, database: &Path, now: Timestamp, stop: Arc<AtomicBool>) -> Result<PathBuf, String> {
    let told = |error: std::io::Error| format!("{}: {error}", plan.folder.display());
    DirBuilder::new().recursive(true).mode(0o700).create(&plan.folder).map_err(told)?;
    let place = plan.folder.join(name(database, now));
    // Not `open::looking`: this process has the file open, and must not open and close it past SQLite.
    let source = open::readable(database).map_err(|error| error.to_string())?;
    let watch = Watch { stop, ..Watch::default() };
    backup::write(&source, &place, &watch).map_err(|error| error.to_string())?;
    thin_out(plan, database).map_err(told)?;
    Ok(place)
}

/// Deletes all but the newest.
fn thin_out(plan: &Plan, database: &Path) -> std::io::Result<()> {
    let mut made = made_before(&plan.folder, database);
    made.sort_by(|a, b| b.cmp(a));
    made.iter().skip(plan.keep).try_for_each(|(_, path)| std::fs::remove_file(path))
}

/// `lodge.db` at noon: `lodge-backup-2026-03-16T120000Z.db`. Names sort by time, and none has a colon.
fn name(database: &Path, at: Timestamp) -> String {
    format!("{}-backup-{}.db", stem(database), at.to_string().replace(':', ""))
}

fn stem(database: &Path) -> String {
    database.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// This database's backups in a folder, with their times. None if it cannot be read: then the next one fails, and says why.
fn made_before(folder: &Path, database: &Path) -> Vec<(Timestamp, PathBuf)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let known = |entry: std::fs::DirEntry| {
        let found = entry.file_name().into_string().ok()?;
        let stamp = found.strip_prefix(&stem(database))?.strip_prefix("-backup-")?.strip_suffix(".db")?;
        let at = jiff::fmt::temporal::DateTimeParser::new().parse_timestamp(stamp).ok()?;
        let at = Timestamp(at.as_microsecond());
        // Read and written again it must be the same: whatever is named in another way is not ours.
        (name(database, at) == found).then(|| (at, entry.path()))
    };
    entries.filter_map(known).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_our_own_are_known() {
        let folder = std::env::temp_dir().join(format!("lodge-names-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let database = Path::new("/somewhere/lodge.db");
        let ours = name(database, Timestamp(1_773_662_400 * SECOND));
        assert_eq!(ours, "lodge-backup-2026-03-16T120000Z.db");
        for other in [
            "lodge.db",
            "lodge-backup-mine.db",
            "lodge-backup-2026-03-16.db",
            "other-backup-2026-03-16T120000Z.db",
            "lodge-backup-2026-03-16T120000Z.db.partial",
            "lodge-backup-2026-03-16T12:00:00Z.db",
            &ours,
        ] {
            std::fs::write(folder.join(other), "").unwrap();
        }
        let known = made_before(&folder, database);
        assert_eq!(known, [(Timestamp(1_773_662_400 * SECOND), folder.join(&ours))]);
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
