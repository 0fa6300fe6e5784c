//! The backups that a server makes by itself.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lodge::backups::{Backups, Plan};
use lodge::db::{Db, Options};
use lodge::time::{Clock, SECOND};
use tempfile::TempDir;

use crate::cli::{Desk, serve};
use crate::harness::{NOON, clock_at, connect, desk_file};

const HOUR: i64 = 3600 * SECOND;

struct File {
    db: Db,
    clock: Clock,
    plan: Plan,
    folder: TempDir,
}

fn desk() -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lodge.db");
    std::fs::copy(desk_file(), &path).unwrap();
    let clock = clock_at(NOON);
    let db = Db::open(&path, &Options { clock: clock.clone(), ..Options::default() }).unwrap();
    let plan = Plan { every: HOUR, keep: 3, folder: folder.path().join("deep/backups") };
    File { db, clock, plan, folder }
}

impl File {
    fn tick(&self, backups: &Backups) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(backups.tick(&self.db));
    }

    /// Looks once a minute for so long.
    fn pass(&self, backups: &Backups, minutes: i64) {
        for _ in 0..minutes {
            self.clock.advance(60 * SECOND);
            self.tick(backups);
        }
    }

    fn there(&self) -> BTreeSet<String> {
        names(&self.plan.folder)
    }
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    entries.map(|entry| entry.file_name().into_string().unwrap()).collect()
}

#[test]
fn one_is_made_at_once_and_then_every_so_often_and_the_newest_are_kept() {
    let file = desk();
    let backups = Backups::new(file.plan.clone());
    file.tick(&backups);
    file.tick(&backups);
    let first = file.there();
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(first.first().unwrap().starts_with("lodge-backup-2026-03-16T1200"), "{first:?}");
    for name in ["lodge-backup-mine.db", "mine.db", "other-backup-2020-01-01T000000Z.db"] {
        std::fs::write(file.plan.folder.join(name), "mine").unwrap();
    }
    file.pass(&backups, 59);
    assert_eq!(file.there().len(), 4);
    file.pass(&backups, 4 * 60 + 3);
    let there = file.there();
    let ours: Vec<&String> = there.iter().filter(|name| name.starts_with("lodge-backup-20")).collect();
    assert_eq!((ours.len(), there.len()), (3, 6), "{there:?}");
    assert!(ours.iter().all(|name| !first.contains(*name)));
    let copy = connect(&file.plan.folder.join(ours[2]));
    assert_eq!(copy.query_row("PRAGMA integrity_check", [], |row| row.get::<_, String>(0)).unwrap(), "ok");
}

#[test]
fn a_restart_makes_none_too_many_and_none_too_few() {
    let file = desk();
    file.tick(&Backups::new(file.plan.clone()));
    file.pass(&Backups::new(file.plan.clone()), 30);
    assert_eq!(file.there().len(), 1);
    file.clock.advance(HOUR);
    file.tick(&Backups::new(file.plan.clone()));
    assert_eq!(file.there().len(), 2);
}

#[test]
fn what_fails_is_tried_again_after_a_minute() {
    let file = desk();
    std::fs::write(file.folder.path().join("deep"), "in the way").unwrap();
    let backups = Backups::new(file.plan.clone());
    file.tick(&backups);
    std::fs::remove_file(file.folder.path().join("deep")).unwrap();
    file.clock.advance(30 * SECOND);
    file.tick(&backups);
    assert!(file.there().is_empty());
    file.clock.advance(31 * SECOND);
    file.tick(&backups);
    assert_eq!(file.there().len(), 1);
}

#[test]
fn a_clock_put_back_does_not_end_the_backups() {
    let file = desk();
    let backups = Backups::new(file.plan.clone());
    file.tick(&backups);
    file.clock.advance(-10 * 24 * HOUR);
    file.tick(&backups);
    assert_eq!(file.there().len(), 2);
    file.pass(&backups, 30);
    assert_eq!(file.there().len(), 2);
}

/// A server's own backup must not cost it its locks on the file: SQLite loses them when its process opens and closes the file
/// in any other way.
#[test]
fn a_backup_leaves_the_servers_locks_alone() {
    let file = desk();
    let backups = Backups::new(file.plan.clone());
    file.tick(&backups);
    let desk = Desk::new();
    let path: PathBuf = file.folder.path().join("lodge.db");
    // Another process that closes last would take the log away. It must see that it is not the last.
    desk.ok(&["agent", "create", "--name", "A", "--email", "a@example.com", "--db", path.to_str().unwrap()]);
    assert!(file.folder.path().join("lodge.db-wal").exists());
}

#[test]
fn a_server_makes_them_and_ends_in_the_middle_of_one() {
    let desk = Desk::new();
    desk.ok(&["seed", "--tickets", "2000"]);
    let line = [&serve()[..], &["--backup-every", "1h", "--backup-keep", "2"]].concat();
    let mut server = desk.start(&line);
    let said = server.wait_for("backup made");
    assert!(said.contains("backups/lodge-backup-20"), "{said}");
    assert!(server.stop("TERM").success());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let made = names(&desk.path("backups"));
    let copy = made.first().unwrap();
    assert_eq!((mode(&desk.path("backups")), mode(&desk.path("backups").join(copy))), (0o700, 0o600));
    assert_eq!(desk.files(), ["backups", "lodge.db"].map(String::from).into());

    std::fs::remove_dir_all(desk.path("backups")).unwrap();
    let server = desk.start(&line);
    let began = Instant::now();
    assert!(server.stop("TERM").success());
    assert!(began.elapsed() < Duration::from_secs(8));
    assert!(names(&desk.path("backups")).iter().all(|name| name.ends_with("Z.db")));
    desk.ok(&["check"]);
}
