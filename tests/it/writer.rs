//! The one that writes, when things go wrong: errors of a job, of a commit, of the disk; too much at once; readers that stay.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use lodge::db::{Db, Options};
use lodge::error::Error;
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{TestApp, connect, desk_file};

struct File {
    db: Arc<Db>,
    path: PathBuf,
    _folder: TempDir,
}

/// The small desk, opened without a server.
fn desk() -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lodge.db");
    std::fs::copy(desk_file(), &path).unwrap();
    File { db: Arc::new(Db::open(&path, &Options::default()).unwrap()), path, _folder: folder }
}

impl File {
    fn count(&self, sql: &str) -> i64 {
        connect(&self.path).query_row(&format!("SELECT count(*) FROM {sql}"), [], |row| row.get(0)).unwrap()
    }

    fn log(&self) -> u64 {
        let mut name = self.path.clone().into_os_string();
        name.push("-wal");
        std::fs::metadata(name).map_or(0, |there| there.len())
    }

    /// A write that does nothing else.
    fn write(&self, sql: &'static str) -> Result<(), Error> {
        self.db.write_blocking(move |tx| Ok(tx.conn.execute_batch(sql)?))
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

const NOTE: &str =
    "INSERT INTO label (name, name_fold, color, created_at, updated_at) VALUES ('n', 'n', '#fff', 0, 0)";

#[test]
fn jobs_that_fail_fail_alone() {
    let file = desk();
    let before = file.count("label");
    // One after the other into one batch: the first holds the writer until all are there.
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let db = Arc::clone(&file.db);
    let results = runtime().block_on(async {
        let held = db.write(move |_| {
            let _ = wait.recv();
            Ok(())
        });
        let jobs = (0..30).map(|n| {
            db.write(move |tx| {
                tx.conn.execute(NOTE, [])?;
                match n % 5 {
                    1 => Err(Error::NotFound),
                    2 => panic!("a job that panics, on purpose"),
                    3 => Ok(tx.conn.execute_batch("INSERT INTO label VALUES (1, 2, 3)")?),
                    4 => Ok(tx.conn.execute_batch("INSERT INTO ticket_label VALUES (99999, 99999)")?),
                    _ => Ok(()),
                }
            })
        });
        let all = futures_util::future::join_all(jobs);
        let release = async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(go);
        };
        tokio::join!(held, all, release).1
    });
    for (n, result) in results.iter().enumerate() {
        assert_eq!(result.is_ok(), n % 5 == 0, "{n}: {result:?}");
    }
    assert_eq!(file.count("label"), before + 6);
}

/// `OR ROLLBACK` ends the transaction of everybody in the batch: they all hear of it, and the next batch is as good as ever.
#[test]
fn a_transaction_that_a_job_ends_fails_its_batch_and_nothing_else() {
    let file = desk();
    let before = file.count("label");
    assert!(file.write(NOTE).is_ok());
    let ended = file.write(
        "INSERT INTO label (name, name_fold, color, created_at, updated_at) VALUES ('n', 'n', '#fff', 0, 0);
         INSERT OR ROLLBACK INTO ticket_label SELECT * FROM ticket_label LIMIT 1;",
    );
    assert!(matches!(ended, Err(Error::Internal(_))), "{ended:?}");
    assert!(file.write(NOTE).is_ok());
    assert_eq!(file.count("label"), before + 2);
}

/// A foreign key that is looked at no sooner than in the commit makes the commit fail.
#[test]
fn a_commit_that_fails_fails_its_batch_and_nothing_else() {
    let file = desk();
    let before = file.count("label");
    let failed = file.write(
        "PRAGMA defer_foreign_keys = ON;
         INSERT INTO label (name, name_fold, color, created_at, updated_at) VALUES ('n', 'n', '#fff', 0, 0);
         INSERT INTO ticket_label VALUES (99999, 99999);",
    );
    assert!(matches!(failed, Err(Error::Internal(_))), "{failed:?}");
    assert_eq!(file.count("label"), before);
    assert!(file.write(NOTE).is_ok());
    assert_eq!(file.count("label"), before + 1);
}

#[test]
fn more_than_can_wait_is_refused_and_nothing_of_it_happens() {
    let file = desk();
    let before = file.count("label");
    let (go, wait) = std::sync::mpsc::channel::<()>();
    let db = Arc::clone(&file.db);
    let results = runtime().block_on(async {
        let held = db.write(move |_| {
            let _ = wait.recv();
            Ok(())
        });
        let jobs = (0..1400).map(|_| db.write(|tx| Ok(tx.conn.execute_batch(NOTE)?)));
        let all = futures_util::future::join_all(jobs);
        let release = async {
            tokio::time::sleep(Duration::from_millis(200)).await;
            drop(go);
        };
        tokio::join!(held, all, release).1
    });
    let done = results.iter().filter(|result| result.is_ok()).count();
    let refused = results.iter().filter(|result| matches!(result, Err(Error::Overloaded))).count();
    assert_eq!(done + refused, 1400);
    // A queue of 1024, and what the writer had taken off it for the batch that is held up.
    assert!((1023..=1024 + 128).contains(&done), "{done}");
    assert_eq!(file.count("label"), before + done as i64);
}

/// Another process keeps the file to itself: who waits hears 503 in the end, reads go on, and afterwards all is as before.
#[test]
fn a_database_kept_by_another_process_stops_writes_and_no_reads() {
    let app = TestApp::desk();
    let other = app.connection();
    other.execute_batch("BEGIN IMMEDIATE; UPDATE agent SET phone = '1'").unwrap();
    let waiting: Vec<_> = (0..6)
        .map(|_| {
            let ada = app.agent("ada");
            std::thread::spawn(move || {
                let began = Instant::now();
                let answer = ada.post("/tickets/1/messages", json!({ "content": "x" }));
                (answer.status, answer.header("Retry-After").is_some(), began.elapsed())
            })
        })
        .collect();
    let (ada, mut slowest) = (app.agent("ada"), Duration::ZERO);
    while !waiting.iter().all(std::thread::JoinHandle::is_finished) {
        let began = Instant::now();
        ada.get("/tickets/1").data();
        slowest = slowest.max(began.elapsed());
    }
    assert!(slowest < Duration::from_secs(2), "{slowest:?}");
    for answer in waiting {
        let (status, later, took) = answer.join().unwrap();
        assert!(status == 503 && later, "{status}");
        // Not one after the other, five seconds each.
        assert!(took < Duration::from_secs(14), "{took:?}");
    }
    other.execute_batch("ROLLBACK").unwrap();
    ada.post("/tickets/1/messages", json!({ "content": "x" })).data();
}

#[test]
fn a_full_disk_stops_writes_alone_and_not_for_longer_than_it_is_full() {
    let app = TestApp::desk();
    let ada = app.agent("ada");
    let text = "much ".repeat(15_000);
    // No page more than there are.
    app.change(|_| Ok(()));
    let db = app.db();
    db.write_blocking(|tx| {
        let pages: i64 = tx.conn.pragma_query_value(None, "page_count", |row| row.get(0))?;
        tx.conn.pragma_update_and_check(None, "max_page_count", pages + 4, |_| Ok(()))?;
        Ok(())
    })
    .unwrap();
    let messages: i64 = app.look_up("SELECT count(*) FROM message");
    let mut made = 0;
    for _ in 0..6 {
        let answer = ada.post("/tickets/1/messages", json!({ "content": text }));
        match answer.status {
            201 => made += 1,
            _ => answer.refused(507, "storage_full"),
        }
    }
    assert!(made < 6);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM message"), messages + made);
    ada.get("/tickets/1/messages").data();
    db.write_blocking(|tx| {
        Ok(tx.conn.pragma_update_and_check(None, "max_page_count", 1_000_000, |_| Ok(()))?)
    })
    .unwrap();
    drop(db);
    ada.post("/tickets/1/messages", json!({ "content": text })).data();
}

#[test]
fn readers_never_wait_for_writers() {
    let app = TestApp::desk();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = {
        let (db, stop) = (app.db(), Arc::clone(&stop));
        std::thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                // Holds the transaction of a batch open.
                let slow = db.write_blocking(|tx| {
                    tx.conn.execute(NOTE, [])?;
                    std::thread::sleep(Duration::from_millis(500));
                    Ok(())
                });
                slow.unwrap();
            }
        })
    };
    let ada = app.agent("ada");
    let (began, mut reads, mut slow) = (Instant::now(), 0, 0);
    while began.elapsed() < Duration::from_secs(3) {
        let one = Instant::now();
        ada.get("/tickets").data();
        reads += 1;
        slow += i32::from(one.elapsed() > Duration::from_millis(250));
    }
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    // A shared machine may be slow at times, but not at each of six transactions.
    assert!(reads > 50 && slow <= 2, "{slow} of {reads}");
}

/// Readers that follow each other without a gap: there is always one that looks at an older page, so that the log could never
/// be begun anew if nobody waited for them.
#[test]
fn the_log_stays_short_under_readers_without_a_gap() {
    let file = desk();
    let stop = Arc::new(AtomicBool::new(false));
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let (db, stop) = (Arc::clone(&file.db), Arc::clone(&stop));
            std::thread::spawn(move || {
                while !stop.load(Ordering::Relaxed) {
                    let read = db.read(|tx| {
                        let n: i64 = tx.conn.query_row("SELECT count(*) FROM label", [], |row| row.get(0))?;
                        std::thread::sleep(Duration::from_millis(30));
                        Ok(n)
                    });
                    read.unwrap();
                }
            })
        })
        .collect();
    // A hundred pages a write: 400 MB, were it all in the log.
    let mut longest = 0;
    for n in 0..1_000 {
        let written = file.db.write_blocking(move |tx| {
            tx.conn.execute(
                "INSERT INTO idempotency (api_key_id, path, key, fingerprint, status, body, created_at)
                 VALUES (1, '/', ?1, x'', 200, randomblob(400000), 0) ON CONFLICT DO UPDATE SET body = excluded.body",
                [n % 10],
            )?;
            Ok(())
        });
        written.unwrap();
        longest = longest.max(file.log());
    }
    stop.store(true, Ordering::Relaxed);
    readers.into_iter().for_each(|reader| reader.join().unwrap());
    assert!(longest < 300_000_000, "{longest}");
}

/// A reader of another program's that does not end: the log grows as long as it stays, and no longer.
#[test]
fn a_reader_that_does_not_end_is_survived() {
    let file = desk();
    let other = connect(&file.path);
    other.execute_batch("BEGIN; SELECT count(*) FROM ticket;").unwrap();
    let fill = || {
        for n in 0..150 {
            let written = file.db.write_blocking(move |tx| {
                tx.conn.execute(
                    "INSERT INTO idempotency (api_key_id, path, key, fingerprint, status, body, created_at)
                     VALUES (1, '/', ?1, x'', 200, randomblob(400000), 0) ON CONFLICT DO UPDATE SET body = excluded.body",
                    [n % 10],
                )?;
                Ok(())
            });
            written.unwrap();
        }
    };
    fill();
    let pinned = file.log();
    assert!(pinned > 55_000_000, "{pinned}");
    other.execute_batch("COMMIT").unwrap();
    fill();
    fill();
    assert!(file.log() < pinned + 45_000_000, "{} after {pinned}", file.log());
}
