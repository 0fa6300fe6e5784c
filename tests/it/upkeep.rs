//! What happens by itself: driven by the server's clock, done at once by `app.upkeep()` and within a second without it.

use std::time::{Duration, Instant};

use lodge::seed::store;
use lodge::time::SECOND;
use serde_json::json;

use crate::harness::{NOON, TestApp, clock_at, connect, desk_file, time, unlimited};

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;

/// Waits for what the server does in its own time.
#[track_caller]
fn soon(what: &str, happened: impl Fn() -> bool) {
    let started = Instant::now();
    while !happened() {
        assert!(started.elapsed() < Duration::from_secs(20), "{what} did not happen");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// How many seconds after noon, by the server's clock, a key was last used as far as is written down. The clock runs on, so
/// it may be a few more than a test has moved it.
fn last_used(app: &TestApp, key: i64) -> Option<i64> {
    let at: Option<i64> = app.look_up(&format!("SELECT last_used_at FROM api_key WHERE id = {key}"));
    at.map(|at| (at - time(NOON).0) / SECOND)
}

#[track_caller]
fn assert_used(app: &TestApp, key: i64, about: i64) {
    let last = last_used(app, key);
    assert!(last.is_some_and(|last| (about..about + 25).contains(&last)), "{last:?} is not about {about}");
}

fn answers(app: &TestApp) -> i64 {
    app.look_up("SELECT count(*) FROM idempotency")
}

fn remember(app: &TestApp, name: &str) {
    app.agent("ada").call("POST", "/tickets/5/close").header("Idempotency-Key", name).send().data();
}

/// A desk that closes tickets nobody has touched for so many days. Ticket 1 was answered, and is 47 hours old.
fn closing_after(days: i64) -> TestApp {
    let app = TestApp::desk();
    app.upkeep();
    app.sql(&format!("UPDATE setting SET auto_close_days = {days}"));
    app
}

fn statuses(app: &TestApp) -> Vec<String> {
    app.column("SELECT status FROM ticket ORDER BY id")
}

#[test]
fn the_use_of_a_key_is_written_down_within_a_minute_and_not_before() {
    let app = TestApp::desk();
    app.upkeep();
    app.agent("ada").get("/profile").data();
    app.advance(30);
    app.agent("ada").get("/profile").data();
    app.upkeep();
    assert_eq!(last_used(&app, 1), None, "no write per request");
    app.advance(30);
    app.upkeep();
    assert_used(&app, 1, 30);
    assert_eq!(last_used(&app, 2), None);
    // A refused use is a use, an unknown key is nobody's.
    app.agent("ben").at_root().get("/api/v1/internal/connection-check").refused(403, "wrong_key_type");
    app.admin().get("/connection-check").data();
    app.advance(60);
    app.upkeep();
    assert_used(&app, 2, 60);
    assert_used(&app, 4, 60);
}

#[test]
fn writing_down_a_use_changes_nothing_else() {
    let app = TestApp::desk();
    app.upkeep();
    let facts = || -> (i64, i64, i64) {
        (
            app.look_up("SELECT sum(updated_at) FROM api_key"),
            app.look_up("SELECT access + names FROM epoch"),
            app.look_up("SELECT count(*) FROM activity"),
        )
    };
    let before = facts();
    app.agent("ada").get("/profile").data();
    app.advance(60);
    app.upkeep();
    assert!(last_used(&app, 1).is_some());
    assert_eq!(facts(), before);
}

#[test]
fn an_earlier_use_never_replaces_a_later_one() {
    let app = TestApp::desk();
    app.upkeep();
    app.sql(&format!("UPDATE api_key SET last_used_at = {}", time("2026-03-20T12:00:00Z").0));
    app.agent("ada").get("/profile").data();
    app.advance(60);
    app.upkeep();
    assert_eq!(last_used(&app, 1), Some(4 * DAY));
}

#[test]
fn a_server_that_stops_writes_down_the_last_uses() {
    let app = TestApp::desk();
    app.upkeep();
    app.agent("ada").get("/profile").data();
    assert_eq!(last_used(&app, 1), None);
    app.stop();
    soon("the write at the end", || last_used(&app, 1).is_some());
    assert_used(&app, 1, 0);
}

#[test]
fn answers_older_than_a_day_are_forgotten_within_the_hour() {
    let app = TestApp::desk();
    app.upkeep();
    remember(&app, "old");
    app.advance(2 * HOUR);
    remember(&app, "new");
    app.advance(22 * HOUR - 600);
    app.upkeep();
    assert_eq!(answers(&app), 2, "not a day old");
    app.advance(HOUR);
    app.upkeep();
    assert_eq!(app.column::<String>("SELECT key FROM idempotency"), ["new"]);
}

#[test]
fn any_number_of_answers_is_forgotten() {
    let app = TestApp::desk();
    app.upkeep();
    app.sql(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
         INSERT INTO idempotency (api_key_id, path, key, fingerprint, status, body, created_at)
         SELECT 1, '/', i, x'00', 200, x'00', {} FROM n",
        time("2026-03-15T12:00:00Z").0
    ));
    app.advance(HOUR);
    app.upkeep();
    assert_eq!(answers(&app), 0);
}

#[test]
fn tickets_that_wait_for_their_customer_are_closed_by_the_desk() {
    let app = closing_after(2);
    app.sql("UPDATE ticket SET updated_at = updated_at + 600000000 WHERE id = 1");
    app.advance(HOUR);
    app.upkeep();
    assert_eq!(statuses(&app)[0], "open", "two days old but for ten minutes");
    app.advance(HOUR);
    app.upkeep();
    assert_eq!(statuses(&app), ["closed", "open", "open", "open", "closed"]);
    let ticket = app.agent("ada").get("/tickets/1").data().clone();
    assert!(ticket["closed_at"].as_str().is_some_and(|at| at.starts_with("2026-03-16T14:00:")), "{ticket}");
    assert_eq!((&ticket["updated_at"], &ticket["is_resolved"]), (&ticket["closed_at"], &json!(true)));
    assert_eq!(
        app.look_up::<String>(
            "SELECT action || ' ' || actor_type || ' ' || ifnull(actor_id, '-') || ' ' || description FROM activity
             ORDER BY id DESC LIMIT 1"
        ),
        "ticket.closed system - System closed #1001"
    );
    assert_eq!(
        app.look_up::<i64>("SELECT count(*) FROM ticket_event WHERE ticket_id = 1 AND kind = 'closed'"),
        1
    );
    for handle in ["ada", "ben"] {
        let told = app.agent(handle).get("/notifications");
        assert_eq!(told.each("type"), ["ticket_status"], "{handle}");
        assert_eq!(
            (&told.items()[0]["ticket_id"], &told.items()[0]["sender_name"]),
            (&json!(1), &json!("System"))
        );
    }
    assert!(app.agent("cleo").get("/notifications").items().is_empty());
}

#[test]
fn tickets_that_need_a_response_or_are_closed_stay_as_they_are() {
    let app = closing_after(1);
    let rows = "SELECT json_group_array(json_array(id, status, closed_at, updated_at, version)) FROM ticket WHERE id > 1";
    let before: String = app.look_up(rows);
    app.advance(400 * DAY);
    app.upkeep();
    assert_eq!(app.look_up::<String>(rows), before);
    assert_eq!(statuses(&app), ["closed", "open", "open", "open", "closed"]);
}

#[test]
fn zero_days_are_never() {
    let app = closing_after(0);
    app.advance(4000 * DAY);
    app.upkeep();
    assert_eq!(statuses(&app)[0], "open");
}

#[test]
fn more_days_than_there_have_been_close_nothing() {
    let app = closing_after(i64::MAX);
    app.advance(HOUR);
    app.upkeep();
    assert_eq!(statuses(&app)[0], "open");
}

#[test]
fn a_touch_starts_the_days_anew_and_statuses_but_closed_do_not_matter() {
    let app = closing_after(2);
    app.agent("ben").put("/tickets/1", json!({ "status": "on_hold" })).data();
    app.advance(2 * DAY - 600);
    app.upkeep();
    assert_eq!(statuses(&app)[0], "on_hold");
    app.advance(HOUR);
    app.upkeep();
    assert_eq!(statuses(&app)[0], "closed");
}

#[test]
fn any_number_of_tickets_is_closed_a_hundred_at_a_time() {
    let app = closing_after(1);
    app.change(|tx| {
        for _ in 0..250 {
            let said = [store::SampleMessage {
                agent: Some(1),
                is_note: false,
                text: "Did it help?",
                at: tx.now,
                likes: &[],
            }];
            let ticket = store::SampleTicket {
                agents: &[1],
                lead: Some(1),
                opened: tx.now,
                messages: &said,
                ..crate::harness::bare()
            };
            store::insert_ticket(tx, &ticket)?;
        }
        Ok(())
    });
    app.advance(DAY + HOUR);
    app.upkeep();
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM ticket WHERE status <> 'closed'"), 3);
    // Each write has a time of its own, to the microsecond: the 250, and ticket 1 before them all.
    assert_eq!(
        app.column::<i64>("SELECT count(*) FROM ticket_event WHERE kind = 'closed' AND ticket_id <> 5 GROUP BY at ORDER BY at"),
        [100, 100, 51]
    );
}

#[test]
fn the_server_does_it_in_its_own_time() {
    let app = closing_after(1);
    remember(&app, "old");
    app.advance(DAY + HOUR);
    soon("closing", || statuses(&app)[0] == "closed");
    soon("forgetting", || answers(&app) == 0);
    soon("writing down the use of keys", || last_used(&app, 1).is_some());
}

#[test]
fn a_server_does_what_is_due_when_it_starts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lodge.db");
    std::fs::copy(desk_file(), &path).unwrap();
    connect(&path).execute_batch("UPDATE setting SET auto_close_days = 1").unwrap();
    let app = TestApp::serve(folder, path, clock_at(NOON), &unlimited());
    soon("closing", || statuses(&app)[0] == "closed");
}

#[test]
fn what_fails_is_tried_again_and_stops_nothing_else() {
    let app = closing_after(1);
    app.sql("ALTER TABLE idempotency RENAME TO elsewhere; ALTER TABLE ticket_event RENAME TO gone;");
    app.agent("ada").get("/profile").data();
    app.advance(HOUR);
    app.upkeep();
    assert!(last_used(&app, 1).is_some());
    assert_eq!(statuses(&app)[0], "open", "all of it or nothing");
    app.sql("ALTER TABLE elsewhere RENAME TO idempotency; ALTER TABLE gone RENAME TO ticket_event;");
    app.upkeep();
    assert_eq!(statuses(&app)[0], "open", "not at once");
    app.advance(60);
    app.upkeep();
    assert_eq!(statuses(&app)[0], "closed");
}

#[test]
fn a_use_that_could_not_be_written_down_is_not_lost() {
    let app = TestApp::desk();
    app.upkeep();
    app.agent("ada").get("/profile").data();
    app.sql(
        "CREATE TRIGGER full BEFORE UPDATE OF last_used_at ON api_key BEGIN SELECT raise(ABORT, 'full'); END",
    );
    app.advance(60);
    app.upkeep();
    app.sql("DROP TRIGGER full");
    assert_eq!(last_used(&app, 1), None);
    app.advance(60);
    app.upkeep();
    assert_used(&app, 1, 0);
}

#[test]
fn a_clock_that_was_put_back_stops_nothing() {
    let app = closing_after(1);
    app.advance(-12 * HOUR);
    app.upkeep();
    assert_eq!(statuses(&app)[0], "closed", "35 hours old, and due at once");
    app.agent("ada").get("/profile").data();
    app.advance(60);
    app.upkeep();
    assert!(last_used(&app, 1).is_some());
}
