//! `lodge backup` and `lodge restore`, on real files, beside real servers.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::cli::{Desk, serve};
use crate::harness::{TestApp, connect, desk_file, key_of};

fn count(path: &Path, table: &str) -> i64 {
    connect(path).query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// A copy of the small desk in a folder of its own.
fn desk() -> Desk {
    let desk = Desk::new();
    std::fs::copy(desk_file(), desk.path("lodge.db")).unwrap();
    desk
}

/// A call under a umask that would let everybody read.
fn openly(desk: &Desk, line: &[&str]) -> Command {
    let program = desk.command(line);
    let mut shell = Command::new("sh");
    shell.args(["-c", "umask 0; exec \"$0\" \"$@\""]).arg(program.get_program()).args(line);
    shell.env_clear().current_dir(program.get_current_dir().unwrap());
    shell
}

#[test]
fn a_backup_holds_everything_and_is_its_owners_only() {
    let desk = desk();
    let done = Desk::finish(openly(&desk, &["backup", "copy.db"]));
    assert_eq!(done.code, 0, "{}", done.stderr);
    assert!(done.stderr.contains("copy.db is whole"), "{}", done.stderr);
    let mode = std::fs::metadata(desk.path("copy.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(count(&desk.path("copy.db"), "ticket"), count(&desk.path("lodge.db"), "ticket"));
    desk.ok(&["check", "--db", "copy.db"]);
    assert_eq!(desk.files(), ["copy.db", "lodge.db"].map(String::from).into());
}

#[test]
fn a_backup_never_takes_the_place_of_anything() {
    let desk = desk();
    std::fs::write(desk.path("copy.db"), "mine").unwrap();
    std::os::unix::fs::symlink("nowhere", desk.path("link.db")).unwrap();
    for name in ["copy.db", "lodge.db", "link.db"] {
        assert!(desk.refused(1, &["backup", name]).contains("exists"));
    }
    assert_eq!(std::fs::read_to_string(desk.path("copy.db")).unwrap(), "mine");
    assert_eq!(desk.files(), ["copy.db", "link.db", "lodge.db"].map(String::from).into());
}

#[test]
fn a_refused_backup_leaves_nothing() {
    let desk = desk();
    assert!(desk.refused(1, &["backup", "nowhere/copy.db"]).contains("nowhere"));
    assert!(desk.refused(1, &["backup", "--db", "nothing.db", "copy.db"]).contains("nothing.db"));
    std::fs::write(desk.path("notes.txt"), "notes ".repeat(100)).unwrap();
    assert!(desk.refused(1, &["backup", "--db", "notes.txt", "copy.db"]).contains("not a Lodge database"));
    connect(&desk.path("lodge.db")).pragma_update(None, "user_version", 99).unwrap();
    assert!(desk.refused(1, &["backup", "copy.db"]).contains("newer"));
    assert_eq!(desk.files(), ["lodge.db", "notes.txt"].map(String::from).into());
}

#[test]
fn a_damaged_database_has_no_backup() {
    let desk = desk();
    // A key of an index that its table does not have.
    connect(&desk.path("lodge.db"))
        .execute_batch(
            "PRAGMA writable_schema = ON;
             UPDATE sqlite_schema SET sql = replace(sql, '(ticket_id, id)', '(id, ticket_id)') WHERE name = 'message_ticket';",
        )
        .unwrap();
    let said = desk.refused(1, &["backup", "copy.db"]);
    assert!(said.contains("message_ticket"), "{said}");
    assert_eq!(desk.files(), ["lodge.db"].map(String::from).into());
}

#[test]
fn what_a_killed_backup_left_is_in_nobodys_way() {
    let desk = desk();
    std::fs::write(desk.path("copy.db.partial"), "half").unwrap();
    desk.ok(&["backup", "copy.db"]);
    assert_eq!(desk.files(), ["copy.db", "lodge.db"].map(String::from).into());
    // The process was killed after the copy had got its name and before the other one was gone.
    std::fs::hard_link(desk.path("copy.db"), desk.path("second.db.partial")).unwrap();
    desk.ok(&["backup", "second.db"]);
    desk.ok(&["check", "--db", "copy.db"]);
    assert_eq!(desk.files(), ["copy.db", "lodge.db", "second.db"].map(String::from).into());
}

#[test]
fn a_backup_that_is_killed_leaves_no_backup() {
    let desk = Desk::new();
    desk.ok(&["seed", "--tickets", "3000"]);
    for after in [5, 30, 60, 90, 120, 200] {
        let mut backup = desk.command(&["backup", "copy.db"]).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(after));
        backup.kill().unwrap();
        backup.wait().unwrap();
        if desk.path("copy.db").exists() {
            desk.ok(&["check", "--db", "copy.db"]);
            std::fs::remove_file(desk.path("copy.db")).unwrap();
        }
    }
    desk.ok(&["backup", "copy.db"]);
    desk.ok(&["check", "--db", "copy.db"]);
}

/// Every copy holds the moment it began at: the messages it has are the first ones there were, without a gap, and no counter
/// disagrees.
#[test]
fn backups_of_a_busy_server_end_and_are_consistent() {
    let app = TestApp::desk();
    // Large enough that a copy takes many steps, with writes in between.
    app.sql(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
         INSERT INTO idempotency (api_key_id, path, key, fingerprint, status, body, created_at)
         SELECT 1, '/', i, x'', 200, randomblob(400000), 0 FROM n",
    );
    let stop = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let (ada, stop) = (app.agent("ada"), Arc::clone(&stop));
            std::thread::spawn(move || {
                let mut written = 0;
                while !stop.load(Ordering::Relaxed) {
                    ada.post("/tickets/1/messages", json!({ "content": "busy ".repeat(400) })).data();
                    ada.act("/tickets/1/messages/1/like").data();
                    written += 1;
                }
                written
            })
        })
        .collect();
    let desk = Desk::new();
    let db = app.path().to_str().unwrap().to_owned();
    let mut last = 0;
    for n in 0..5 {
        let name = format!("copy-{n}.db");
        let known: i64 = app.look_up("SELECT count(*) FROM message");
        desk.ok(&["backup", "--db", &db, &name]);
        desk.ok(&["check", "--db", &name]);
        let copied = count(&desk.path(&name), "message");
        assert!(copied >= known && copied >= last, "{copied} of {known}");
        last = copied;
    }
    stop.store(true, Ordering::Relaxed);
    let written: i32 = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    assert!(written > 10, "{written}");
    desk.ok(&["check", "--db", &db]);
}

#[test]
fn a_restored_database_is_served() {
    let desk = desk();
    desk.ok(&["backup", "copy.db"]);
    let done = Desk::finish(openly(&desk, &["restore", "--db", "new.db", "copy.db"]));
    assert_eq!((done.code, done.stdout.as_str()), (0, ""), "{}", done.stderr);
    let mode = std::fs::metadata(desk.path("new.db")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let server = desk.start(&[&serve()[..], &["--db", "new.db"]].concat());
    assert_eq!(server.get(&key_of("ada"), "/api/v1/external/tickets/1").0, 200);
    server.stop("TERM");
    assert_eq!(desk.files(), ["copy.db", "lodge.db", "new.db"].map(String::from).into());
}

#[test]
fn restore_keeps_what_was_there_and_says_where() {
    let desk = desk();
    desk.ok(&["backup", "copy.db"]);
    let before = std::fs::read(desk.path("lodge.db")).unwrap();
    let said = desk.refused(1, &["restore", "copy.db"]);
    assert!(said.contains("--force"), "{said}");
    assert_eq!(std::fs::read(desk.path("lodge.db")).unwrap(), before);

    desk.ok(&["agent", "create", "--name", "Late", "--email", "late@desk.example"]);
    // What only the log holds is kept too: a server that was killed.
    let conn = connect(&desk.path("lodge.db"));
    conn.execute_batch("UPDATE agent SET phone = '1' WHERE name = 'Late'").unwrap();
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    drop(conn);
    assert!(desk.path("lodge.db-wal").exists());
    let kept = desk.ok(&["restore", "--force", "copy.db"]);
    let kept = kept.trim_end();
    assert!(kept.starts_with("lodge.db.before-20"), "{kept}");
    assert_eq!(desk.files(), ["copy.db", "lodge.db", kept].map(String::from).into());
    let agents = |name: &str, what: &str| count(&desk.path(name), &format!("agent WHERE {what}"));
    assert_eq!(agents(kept, "name = 'Late' AND phone = '1'"), 1);
    assert_eq!(agents("lodge.db", "name = 'Late'"), 0);
    desk.ok(&["check"]);
    // And back again.
    let kept_again = desk.ok(&["restore", "--force", kept]);
    assert_ne!(kept_again.trim_end(), kept);
    assert_eq!(agents("lodge.db", "name = 'Late'"), 1);
}

#[test]
fn restore_refuses_what_is_served() {
    let desk = desk();
    desk.ok(&["backup", "copy.db"]);
    let server = desk.start(&serve());
    assert!(desk.refused(75, &["restore", "--force", "copy.db"]).contains("in use"));
    assert_eq!(server.get(&key_of("ada"), "/api/v1/external/tickets/1").0, 200);
    server.stop("TERM");
    desk.ok(&["restore", "--force", "copy.db"]);
}

#[test]
fn restore_looks_at_the_backup_first() {
    let desk = desk();
    desk.ok(&["backup", "copy.db"]);
    let whole = std::fs::read(desk.path("copy.db")).unwrap();
    let before = std::fs::read(desk.path("lodge.db")).unwrap();
    let mut cases: Vec<(&str, Vec<u8>)> =
        vec![("short", whole[..whole.len() / 2].to_vec()), ("text", b"hello".repeat(100)), ("empty", vec![])];
    let mut torn = whole.clone();
    torn[4096 * 20..4096 * 24].fill(0xa5);
    cases.push(("torn", torn));
    let mut newer = whole.clone();
    newer[60..64].copy_from_slice(&9_i32.to_be_bytes());
    cases.push(("newer", newer));
    for (name, bytes) in cases {
        std::fs::write(desk.path(name), &bytes).unwrap();
        desk.refused(1, &["restore", "--force", name]);
        desk.refused(1, &["restore", "--db", "new.db", name]);
        assert_eq!(std::fs::read(desk.path(name)).unwrap(), bytes, "{name}");
        std::fs::remove_file(desk.path(name)).unwrap();
    }
    let orphan = connect(&desk.path("copy.db"));
    orphan.execute_batch("PRAGMA foreign_keys = OFF; DELETE FROM customer WHERE id = 1;").unwrap();
    drop(orphan);
    assert!(desk.refused(1, &["restore", "--force", "copy.db"]).contains("refers to"));
    desk.refused(1, &["restore", "--force", "nothing.db"]);
    assert_eq!(std::fs::read(desk.path("lodge.db")).unwrap(), before);
    assert_eq!(desk.files(), ["copy.db", "lodge.db"].map(String::from).into());
}

#[test]
fn a_damaged_database_is_replaced_and_kept_as_it_is() {
    let desk = desk();
    desk.ok(&["backup", "copy.db"]);
    let mut torn = std::fs::read(desk.path("lodge.db")).unwrap();
    torn.truncate(4096 * 3);
    torn[200..].fill(0x5a);
    std::fs::write(desk.path("lodge.db"), &torn).unwrap();
    std::fs::write(desk.path("lodge.db-wal"), "torn, too").unwrap();
    let kept = desk.ok(&["restore", "--force", "copy.db"]);
    let kept = kept.trim_end();
    assert_eq!(std::fs::read(desk.path(kept)).unwrap(), torn);
    assert_eq!(std::fs::read(desk.path(&format!("{kept}-wal"))).unwrap(), b"torn, too");
    desk.ok(&["check"]);
}

#[test]
fn another_programs_file_is_not_replaced() {
    let desk = desk();
    desk.ok(&["backup", "copy.db"]);
    std::fs::write(desk.path("notes"), "notes ".repeat(50)).unwrap();
    desk.refused(1, &["restore", "--force", "--db", "notes", "copy.db"]);
    assert_eq!(std::fs::read_to_string(desk.path("notes")).unwrap(), "notes ".repeat(50));
    // The log of a file that is gone would be read into the new one.
    std::fs::write(desk.path("gone.db-wal"), "log").unwrap();
    assert!(desk.refused(1, &["restore", "--db", "gone.db", "copy.db"]).contains("gone.db-wal exists"));
}

#[test]
fn a_restore_that_is_killed_leaves_the_old_or_the_new() {
    let desk = Desk::new();
    desk.ok(&["seed", "--tickets", "1500"]);
    desk.ok(&["backup", "copy.db"]);
    desk.ok(&["agent", "create", "--name", "Late", "--email", "late@desk.example"]);
    for after in (0..16).map(|n| n * 15) {
        let mut restore = desk
            .command(&["restore", "--force", "copy.db"])
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(after));
        restore.kill().unwrap();
        restore.wait().unwrap();
        desk.ok(&["check"]);
    }
}
