//! From every released version to today's, and how an upgrade goes wrong: with steps of the tests' own making after today's.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use lodge::db::migrate::{Plan, Step, TODAY, upgrade};
use lodge::db::open::{Lock, OpenError, SCHEMA_VERSION};
use rusqlite::Connection;

use crate::cli::{Desk, serve};
use crate::harness::{NOON, clock_at, connect, key_of, sample_file, time};

fn golden(version: i32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/v{version}.db.gz"))
}

/// Puts the golden file of a released version somewhere.
fn unpack(version: i32, to: &Path) {
    let mut bytes = vec![];
    let packed = std::fs::File::open(golden(version)).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    std::fs::write(to, bytes).unwrap();
}

/// Makes the golden file of today's version, when it is released: `cargo test -- --ignored make_the_golden_file`. Files of
/// versions that have been released are never made again.
#[test]
#[ignore = "makes a file of the repository"]
fn make_the_golden_file() {
    let file = std::fs::File::create(golden(SCHEMA_VERSION)).unwrap();
    let mut packer = flate2::write::GzEncoder::new(file, flate2::Compression::best());
    packer.write_all(&std::fs::read(sample_file()).unwrap()).unwrap();
    packer.finish().unwrap();
}

/// Everything that is in the schema, as SQLite tells it rather than as it was written.
fn schema(path: &Path) -> Vec<String> {
    let conn = connect(path);
    let mut lines = conn
        .prepare(
            "SELECT 'column ' || t.name || ' ' || json_array(c.name, c.type, c.\"notnull\", c.dflt_value, c.pk, c.hidden)
             FROM pragma_table_list t JOIN pragma_table_xinfo(t.name) c WHERE t.schema = 'main' AND t.name NOT LIKE 'sqlite%'
             UNION ALL
             SELECT 'key ' || t.name || ' ' || json_array(k.\"table\", k.\"from\", k.\"to\", k.on_delete)
             FROM pragma_table_list t JOIN pragma_foreign_key_list(t.name) k WHERE t.schema = 'main'
             UNION ALL
             SELECT 'index ' || i.name || ' ' || json_array(c.seqno, c.name, c.\"desc\", c.coll, i.\"unique\", i.partial)
             FROM pragma_table_list t JOIN pragma_index_list(t.name) i JOIN pragma_index_xinfo(i.name) c WHERE t.schema = 'main'
             UNION ALL
             SELECT 'trigger ' || tbl_name || ' ' || name FROM sqlite_schema WHERE type = 'trigger'
             ORDER BY 1",
        )
        .unwrap();
    lines.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn files_of_every_released_version_are_upgraded_and_served() {
    for version in 1..=SCHEMA_VERSION {
        let desk = Desk::new();
        unpack(version, &desk.path("lodge.db"));
        let rows: i64 = connect(&desk.path("lodge.db"))
            .query_row("SELECT count(*) FROM ticket", [], |row| row.get(0))
            .unwrap();
        assert!(rows > 100);
        let server = desk.start(&serve());
        let (status, answer) = server.get(&key_of("mira"), "/api/v1/external/tickets");
        assert!(status == 200 && answer["meta"]["total"].as_i64().unwrap() > 10, "{answer}");
        assert!(server.stop("TERM").success());
        // Version, schema, search indexes and counters.
        let said = desk.ok(&["check"]);
        assert!(said.contains("schema\tok"), "{said}");
        lodge::db::open::create(&desk.path("fresh.db")).unwrap();
        assert_eq!(schema(&desk.path("lodge.db")), schema(&desk.path("fresh.db")));
        let copies = desk.files().into_iter().filter(|name| name.ends_with(".bak")).count();
        assert_eq!(copies, usize::from(version < SCHEMA_VERSION));
    }
}

#[test]
fn every_released_version_has_its_golden_file() {
    for version in 1..=SCHEMA_VERSION {
        assert!(golden(version).is_file(), "{}", golden(version).display());
    }
    assert_eq!(TODAY.version(), SCHEMA_VERSION);
}

// ---------------------------------------------------------------- steps of our own

/// What our steps lead to, after today's.
const OURS: i32 = SCHEMA_VERSION + 2;
const OUR_SCHEMA: &str = "
    CREATE TABLE pet (id INTEGER PRIMARY KEY, name TEXT NOT NULL, legs INTEGER NOT NULL DEFAULT 4) STRICT;
    CREATE TABLE toy (id INTEGER PRIMARY KEY, pet_id INTEGER NOT NULL REFERENCES pet (id) ON DELETE CASCADE) STRICT;
    CREATE INDEX toy_pet ON toy (pet_id);";

/// Ends this process here, if the test said so.
fn may_die(here: &str) {
    if std::env::var("DIE_AT").is_ok_and(|place| place == here) {
        std::process::abort();
    }
}

/// Makes the tables, with rows that refer to each other.
fn second(conn: &Connection) -> rusqlite::Result<()> {
    may_die("before the second");
    conn.execute_batch(
        "CREATE TABLE pet (id INTEGER PRIMARY KEY, name TEXT) STRICT;
         CREATE TABLE toy (id INTEGER PRIMARY KEY, pet_id INTEGER NOT NULL REFERENCES pet (id) ON DELETE CASCADE) STRICT;
         WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
         INSERT INTO pet SELECT i, 'pet ' || i FROM n;
         INSERT INTO toy SELECT id, id FROM pet;",
    )?;
    may_die("after the second");
    Ok(())
}

/// Makes a table anew: with foreign keys enforced that would take the toys along.
fn third(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "CREATE TABLE new_pet (id INTEGER PRIMARY KEY, name TEXT NOT NULL, legs INTEGER NOT NULL DEFAULT 4) STRICT;
         INSERT INTO new_pet (id, name) SELECT id, name FROM pet;
         DROP TABLE pet;",
    )?;
    may_die("in the third");
    conn.execute_batch("ALTER TABLE new_pet RENAME TO pet; CREATE INDEX toy_pet ON toy (pet_id);")?;
    may_die("after the third");
    Ok(())
}

const STEPS: [Step; 2] = [Step { what: "pets", run: second }, Step { what: "legs", run: third }];

fn run_steps(path: &Path, steps: &[Step], schema: &str) -> Result<Option<PathBuf>, OpenError> {
    let lock = Lock::take(path).unwrap();
    let schema = format!("{}{schema}", lodge::db::open::SCHEMA);
    let steps = TODAY.steps.iter().chain(steps).map(|step| Step { ..*step }).collect::<Vec<_>>();
    upgrade(path, &Plan { steps: &steps, schema: &schema }, &lock, time(NOON))
}

fn version(path: &Path) -> i32 {
    connect(path).query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

fn count(path: &Path, sql: &str) -> i64 {
    connect(path).query_row(&format!("SELECT count(*) FROM {sql}"), [], |row| row.get(0)).unwrap()
}

#[test]
fn an_upgrade_takes_every_step_and_keeps_a_copy() {
    let desk = Desk::new();
    let path = desk.path("lodge.db");
    unpack(1, &path);
    let copy = run_steps(&path, &STEPS, OUR_SCHEMA).unwrap().unwrap();
    assert_eq!(version(&path), OURS);
    assert_eq!((count(&path, "pet WHERE legs = 4"), count(&path, "toy")), (20_000, 20_000));
    assert_eq!(copy, desk.path("lodge.db.v1-2026-03-16T120000Z.bak"));
    assert_eq!((version(&copy), count(&copy, "ticket")), (1, count(&path, "ticket")));
    // The header says so as well, without a log beside it.
    assert_eq!(std::fs::read(&path).unwrap()[60..64], OURS.to_be_bytes());
    // This program does not know such a version, and the copy is how one goes back.
    assert!(desk.refused(1, &serve()).contains("newer"));
    std::fs::rename(&path, desk.path("new.db")).unwrap();
    desk.ok(&["restore", copy.to_str().unwrap()]);
    desk.ok(&["check"]);
}

#[test]
fn nothing_is_done_when_nothing_is_to_be_done() {
    let desk = Desk::new();
    unpack(SCHEMA_VERSION, &desk.path("lodge.db"));
    assert_eq!(run_steps(&desk.path("lodge.db"), &[], "").unwrap(), None);
    assert_eq!(desk.files(), ["lodge.db"].map(String::from).into());
}

#[test]
fn a_step_that_fails_leaves_everything_as_it_was() {
    let fails: fn(&Connection) -> rusqlite::Result<()> = |conn| conn.execute_batch("DROP TABLE nowhere");
    let orphans: fn(&Connection) -> rusqlite::Result<()> =
        |conn| conn.execute_batch("DELETE FROM pet WHERE id < 10");
    let forgets: fn(&Connection) -> rusqlite::Result<()> = |_| Ok(());
    for (run, schema, word) in [
        (fails, OUR_SCHEMA, "no such table"),
        (orphans, OUR_SCHEMA, "refers to a pet"),
        (forgets, "CREATE TABLE forgotten (x)", "table forgotten is missing"),
    ] {
        let desk = Desk::new();
        let path = desk.path("lodge.db");
        unpack(1, &path);
        let [second, third] = STEPS;
        let error = run_steps(&path, &[second, third, Step { what: "goes wrong", run }], schema).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
        assert_eq!((version(&path), count(&path, "sqlite_schema WHERE name = 'pet'")), (1, 0));
        assert_eq!(desk.files(), ["lodge.db"].map(String::from).into());
        desk.ok(&["check"]);
    }
}

/// What [`a_killed_upgrade_leaves_the_old_or_the_new`] runs in a process of its own.
#[test]
#[ignore = "run by another test, which kills it"]
fn upgrade_in_a_process_of_its_own() {
    let path = PathBuf::from(std::env::var_os("UPGRADE").unwrap());
    run_steps(&path, &STEPS, OUR_SCHEMA).unwrap();
    may_die("after all");
}

fn upgrading(path: &Path, die_at: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--exact", "migrate::upgrade_in_a_process_of_its_own"]);
    command.env("UPGRADE", path).env("DIE_AT", die_at).stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// Old or new, whole, and an upgrade begun again comes to its end.
#[track_caller]
fn old_or_new(desk: &Desk, what: &str) -> bool {
    let path = desk.path("lodge.db");
    let new = version(&path) == OURS;
    if new {
        assert_eq!((count(&path, "pet"), count(&path, "toy")), (20_000, 20_000), "{what}");
    } else {
        assert_eq!(version(&path), 1, "{what}");
        assert_eq!(count(&path, "sqlite_schema WHERE name IN ('pet', 'toy', 'new_pet')"), 0, "{what}");
        desk.ok(&["check"]);
        run_steps(&path, &STEPS, OUR_SCHEMA).unwrap();
    }
    assert_eq!(version(&path), OURS, "{what}");
    let sound: String = connect(&path).query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    new
}

#[test]
fn a_killed_upgrade_leaves_the_old_or_the_new() {
    for place in ["before the second", "after the second", "in the third", "after the third", "after all"] {
        let desk = Desk::new();
        unpack(1, &desk.path("lodge.db"));
        assert!(!upgrading(&desk.path("lodge.db"), place).status().unwrap().success());
        assert_eq!(old_or_new(&desk, place), place == "after all", "{place}");
    }
    // And at moments that nobody chose: while the copy is made, in the commit, while the log is folded in.
    for after in (1..=16).map(|n| n * 12) {
        let desk = Desk::new();
        unpack(1, &desk.path("lodge.db"));
        let mut child = upgrading(&desk.path("lodge.db"), "").spawn().unwrap();
        std::thread::sleep(Duration::from_millis(after));
        let _ = child.kill();
        child.wait().unwrap();
        old_or_new(&desk, "killed");
    }
}

#[test]
fn samples_of_another_time_move_when_they_are_upgraded() {
    let desk = Desk::new();
    unpack(1, &desk.path("lodge.db"));
    let moved = lodge::seed::move_sample(&desk.path("lodge.db"), &clock_at("2026-04-16T12:00:00Z"));
    moved.unwrap();
    desk.ok(&["check"]);
}
