//! Files that are not as they should be are refused clearly and left alone; files that we make are their owner's only.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use lodge::db::open::SCHEMA_VERSION;

use crate::cli::{ANYWHERE, Desk, Server, serve};
use crate::harness::{connect, desk_file};

fn number(bytes: &mut [u8], at: usize, value: u32) {
    bytes[at..at + 4].copy_from_slice(&value.to_be_bytes());
}

/// What a file is made of, and a word of the refusal.
fn bad_files() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let good = std::fs::read(desk_file()).unwrap();
    let page = 4096;
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = good.clone();
        change(&mut bytes);
        bytes
    };
    vec![
        ("an empty file", vec![], "not a Lodge database"),
        ("ninety-nine bytes", good[..99].to_vec(), "not a Lodge database"),
        ("text", b"These are my notes. ".repeat(300), "not a Lodge database"),
        ("zeros", vec![0; 8192], "not a Lodge database"),
        ("another magic", with(&|b| b[0] = b's'), "not a Lodge database"),
        ("another program's", with(&|b| number(b, 68, 0x4c64_6764)), "not a Lodge database"),
        ("a version of nought", with(&|b| number(b, 60, 0)), "not a Lodge database"),
        ("a negative version", with(&|b| number(b, 60, u32::MAX)), "not a Lodge database"),
        ("a newer Lodge's", with(&|b| number(b, 60, SCHEMA_VERSION as u32 + 1)), "newer Lodge"),
        ("a header alone", good[..100].to_vec(), "damaged"),
        ("a page alone", good[..page].to_vec(), "damaged"),
        ("half", good[..good.len() / 2].to_vec(), "damaged"),
        ("a page too few", good[..good.len() - page].to_vec(), "damaged"),
        ("a byte too few", good[..good.len() - 1].to_vec(), "damaged"),
        ("a header that says there is more", with(&|b| number(b, 28, 1 << 30)), "damaged"),
        ("pages of 300 bytes", with(&|b| b[16..18].copy_from_slice(&300_u16.to_be_bytes())), "damaged"),
        ("pages of 8192 bytes", with(&|b| b[16..18].copy_from_slice(&8192_u16.to_be_bytes())), "damaged"),
        ("a first page of noise", with(&|b| b[100..page].fill(0xa5)), "damaged"),
        (
            "no tables",
            with(&|b| {
                b[100] = 13;
                b[101..108].fill(0);
            }),
            "damaged",
        ),
        ("a format that is not known yet", with(&|b| b[19] = 9), ""),
    ]
}

#[test]
fn bad_files_are_refused_and_left_alone() {
    let desk = Desk::new();
    let path = desk.path("lodge.db");
    let calls: [&[&str]; 10] = [
        &["serve", ANYWHERE[0], ANYWHERE[1]],
        &["serve", "--read-only", ANYWHERE[0], ANYWHERE[1]],
        &["demo", ANYWHERE[0], ANYWHERE[1], "--db", "lodge.db"],
        &["seed"],
        &["agent", "list"],
        &["agent", "create", "--name", "A", "--email", "a@example.com"],
        &["key", "create", "--type", "internal", "--special"],
        &["backup", "copy.db"],
        &["restore", "--db", "new.db", "lodge.db"],
        &["check"],
    ];
    for (what, bytes, word) in bad_files() {
        std::fs::write(&path, &bytes).unwrap();
        let at = std::fs::metadata(&path).unwrap().modified().unwrap();
        for call in calls {
            let done = desk.run(call);
            assert_eq!(done.code, 1, "{what}, {call:?}: {}{}", done.stdout, done.stderr);
            let is_check = call == ["check"];
            assert!(is_check || done.stderr.contains(word), "{what}, {call:?}: {}", done.stderr);
            assert!(is_check || done.stderr.trim().lines().count() == 1, "{what}, {call:?}: {}", done.stderr);
            assert!(std::fs::read(&path).unwrap() == bytes, "{what} after {call:?}");
            assert_eq!(std::fs::metadata(&path).unwrap().modified().unwrap(), at, "{what} after {call:?}");
            assert_eq!(desk.files(), ["lodge.db"].map(String::from).into(), "{what} after {call:?}");
        }
    }
}

/// The header may be behind the log: what the log says counts.
#[test]
fn a_newer_version_in_the_log_is_seen() {
    let desk = Desk::new();
    std::fs::copy(desk_file(), desk.path("lodge.db")).unwrap();
    let conn = connect(&desk.path("lodge.db"));
    conn.pragma_update(None, "user_version", SCHEMA_VERSION + 1).unwrap();
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    drop(conn);
    let bytes = |name: &str| std::fs::read(desk.path(name)).unwrap();
    let before = (bytes("lodge.db"), bytes("lodge.db-wal"));
    for call in [&serve()[..], &["agent", "list"], &["backup", "copy.db"]] {
        assert!(desk.refused(1, call).contains("newer"));
        assert!((bytes("lodge.db"), bytes("lodge.db-wal")) == before);
    }
}

fn modes(folder: &Path) -> Vec<(String, u32)> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let mode = |entry: &std::fs::DirEntry| entry.metadata().unwrap().permissions().mode() & 0o777;
    entries.map(|entry| (entry.file_name().into_string().unwrap(), mode(&entry))).collect()
}

#[test]
fn every_file_is_its_owners_only_whatever_the_umask() {
    for umask in ["0", "022", "0777"] {
        let desk = Desk::new();
        let command = |line: &[&str]| {
            let program = desk.command(line);
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]);
            shell.arg(program.get_program()).args(line).env_clear().current_dir(desk.path(""));
            shell
        };
        let server = Server::start(command(&serve()));
        for line in [
            &["agent", "create", "--name", "Ada", "--email", "ada@desk.example"][..],
            &["backup", "copy.db"],
            &["restore", "--db", "second.db", "copy.db"],
            &["seed", "--db", "third.db"],
        ] {
            let done = Desk::finish(command(line));
            assert_eq!(done.code, 0, "{line:?}: {}", done.stderr);
        }
        let made = modes(&desk.path(""));
        for name in
            ["lodge.db", "lodge.db-wal", "lodge.db-shm", "lodge.db.lock", "copy.db", "second.db", "third.db"]
        {
            assert!(made.iter().any(|(there, _)| there == name), "{name} is not in {made:?}");
        }
        assert!(made.iter().all(|(_, mode)| *mode == 0o600), "umask {umask}: {made:?}");
        server.stop("TERM");
    }
}

#[test]
fn a_database_is_made_whole_or_not_at_all() {
    let desk = Desk::new();
    // What a killed creation leaves is in nobody's way.
    std::fs::write(desk.path("lodge.db.partial"), "half").unwrap();
    let server = desk.start(&serve());
    server.stop("TERM");
    assert_eq!(desk.files(), ["lodge.db"].map(String::from).into());
    desk.ok(&["check"]);
}

/// Whether a server says where it is and then cannot read what it needs. Each page of keys is broken once.
#[test]
fn a_damaged_file_is_refused_before_the_greeting() {
    let desk = Desk::new();
    let pages = {
        let conn = connect(desk_file());
        let mut roots =
            conn.prepare("SELECT rootpage FROM sqlite_schema WHERE tbl_name = 'api_key'").unwrap();
        let pages = roots.query_map([], |row| row.get::<_, u32>(0)).unwrap();
        pages.map(|page| page.unwrap() as usize).filter(|page| *page > 0).collect::<Vec<_>>()
    };
    let mut refused = 0;
    for page in pages {
        let mut bytes = std::fs::read(desk_file()).unwrap();
        bytes[(page - 1) * 4096..page * 4096].fill(0xa5);
        std::fs::write(desk.path("lodge.db"), bytes).unwrap();
        let server = desk.command(&serve());
        let mut command = Command::new("timeout");
        command.arg("3").arg(server.get_program()).args(server.get_args()).current_dir(desk.path(""));
        let done = Desk::finish(command);
        if done.code != 124 {
            refused += 1;
            assert!(!done.stderr.contains("Lodge serves"), "page {page}: {}", done.stderr);
        }
        for name in desk.files() {
            std::fs::remove_file(desk.path(&name)).unwrap();
        }
    }
    assert!(refused > 1, "{refused}");
}

#[test]
fn files_that_others_may_read_are_named() {
    let desk = Desk::new();
    desk.empty();
    let widen = |name: &str| {
        std::fs::set_permissions(desk.path(name), std::fs::Permissions::from_mode(0o640)).unwrap();
    };
    let warned = |server: &mut Server| {
        server.get("", "/api/v1/health-check");
        server.said().into_iter().filter(|line| line.contains("others than")).collect::<Vec<_>>()
    };
    let every = [&serve()[..], &["--backup-every", "1d"]].concat();
    let mut server = desk.start(&every);
    assert_eq!(warned(&mut server), [""; 0]);
    server.wait_for("backup made");
    server.stop("TERM");
    assert_eq!(Desk::finish(desk.command(&["check"])).stderr, "");
    widen("lodge.db");
    std::fs::write(desk.path("lodge.db2"), "somebody else's").unwrap();
    let backup = modes(&desk.path("backups")).remove(0).0;
    widen(&format!("backups/{backup}"));
    let mut server = desk.start(&every);
    let lines = warned(&mut server);
    assert_eq!(lines.len(), 1, "{lines:#?}");
    for name in ["lodge.db\"", "lodge.db-wal\"", &backup] {
        assert!(lines[0].contains(name), "{name} is not in {lines:#?}");
    }
    assert!(!lines[0].contains("lodge.db2"), "{lines:#?}");
    server.stop("TERM");
    let done = Desk::finish(desk.command(&["check"]));
    assert_eq!((done.code, done.stderr.lines().count()), (0, 1), "{}", done.stderr);
    assert!(done.stderr.contains("lodge.db may be read"), "{}", done.stderr);
}
