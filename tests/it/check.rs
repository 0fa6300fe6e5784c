//! `lodge check`: all is well with every sample, and each kind of fault is found.

use crate::cli::Desk;
use crate::harness::{TestApp, connect, desk_file, sample_file};
use serde_json::json;

#[test]
fn all_is_well_with_the_samples() {
    for file in [desk_file(), sample_file()] {
        let desk = Desk::new();
        std::fs::copy(file, desk.path("lodge.db")).unwrap();
        let said = desk.ok(&["check"]);
        assert_eq!(said.lines().count(), 12);
        assert!(said.lines().all(|line| line.ends_with("\tok")), "{said}");
        assert_eq!(desk.files(), ["lodge.db"].map(String::from).into());
    }
}

#[test]
fn a_running_server_is_checked_and_all_is_well_after_work() {
    let app = TestApp::desk();
    let (ada, admin) = (app.agent("ada"), app.admin());
    ada.post("/tickets/1/messages", json!({ "content": "x" })).data();
    admin.put("/customers/1", json!({ "name": "Ångström & Søn", "email": "new@example.com" })).data();
    admin.put("/tickets/2", json!({ "title": "日本語のタイトル", "agents": [1, 2, 3] })).data();
    let article = admin
        .post("/knowledge-articles", json!({ "title": "Ein Weg", "content": "Straße 1" }))
        .data()
        .clone();
    admin.put(&format!("/knowledge-articles/{}", article["id"]), json!({ "status": "draft" })).data();
    admin.delete("/tickets/3");
    // SQLite's indexes have these as the sign for what cannot be read.
    admin
        .put("/tickets/4", json!({ "content": "abc\u{FFFE}def", "title": "\u{FFFF}\u{FFFF}\u{FFFD}" }))
        .data();
    admin
        .put(
            &format!("/knowledge-articles/{}", article["id"]),
            json!({ "title": "W\u{FFFF}g", "status": "published" }),
        )
        .data();
    let desk = Desk::new();
    let said = desk.ok(&["check", "--db", app.path().to_str().unwrap()]);
    assert!(said.lines().all(|line| line.ends_with("\tok")), "{said}");
    ada.post("/tickets/1/messages", json!({ "content": "still there" })).data();
}

#[test]
fn each_fault_is_found() {
    // What is done to the small desk, and which line says so.
    let cases = [
        ("DROP INDEX ticket_idle", "schema"),
        ("CREATE TABLE mine (x)", "schema"),
        ("DROP TRIGGER message_like_insert", "schema"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM department WHERE id = 1", "references"),
        ("UPDATE ticket_count SET n = n + 1 WHERE agent_id = 1", "ticket counts"),
        ("DELETE FROM ticket_count WHERE agent_id = 0", "ticket counts"),
        ("UPDATE ticket_sum SET awaiting = awaiting + 1 WHERE agent_id = 1", "ticket sums"),
        ("DELETE FROM ticket_sum WHERE agent_id = 1", "ticket sums"),
        (
            "UPDATE ticket_agent SET priority = 'low', status = 'closed' WHERE ticket_id = 1",
            "tickets as agents see them",
        ),
        ("DELETE FROM ticket_agent WHERE ticket_id = 1", "leads"),
        ("UPDATE message SET likes_count = 9 WHERE id = 1", "likes"),
        (
            "INSERT INTO notification_count VALUES (1, 7, 7) ON CONFLICT DO UPDATE SET total = 99",
            "notification counts",
        ),
        ("UPDATE ticket SET title = 'Quite another' WHERE id = 1", "ticket search"),
        ("UPDATE customer SET name = 'Somebody Else' WHERE id = 1", "ticket search"),
        ("UPDATE ticket SET agent_ids = ',1,2,3,' WHERE id = 1", "what tickets show"),
        ("UPDATE ticket SET label_ids = '' WHERE label_ids <> ''", "what tickets show"),
        ("UPDATE ticket SET customer_name = 'Somebody Else' WHERE id = 1", "what tickets show"),
        ("UPDATE ticket SET customer_email = 'a@b.example' WHERE id = 1", "what tickets show"),
        ("UPDATE ticket SET field_values = '[[1,\"x\"]]' WHERE id = 1", "what tickets show"),
        ("UPDATE ticket_text SET body = 'quite another' WHERE ticket_id = 1", "ticket search"),
        ("DELETE FROM ticket_text WHERE ticket_id = 1", "ticket search"),
        // A row of the indexes is an agent's id and, in forty bits, a ticket's: Ada's first ticket.
        ("DELETE FROM ticket_search WHERE rowid = 1 << 40 | 1", "ticket search"),
        ("DELETE FROM ticket_bigram WHERE rowid = 1 << 40 | 1", "ticket search"),
        ("INSERT INTO ticket_search (rowid, body) VALUES (999, 'nobody')", "ticket search"),
        ("INSERT INTO ticket_bigram (rowid, body) VALUES (999, '61x61')", "ticket search"),
        // Somebody who is not on it; somebody who is not in the index of it.
        ("INSERT INTO ticket_search (rowid, body) SELECT 3 << 40 | 1, body FROM ticket_text WHERE ticket_id = 1", "ticket search"),
        ("DELETE FROM ticket_agent WHERE ticket_id = 4 AND agent_id = 2", "ticket search"),
        ("DELETE FROM ticket_search_docsize WHERE id = 1 << 40 | 1", "ticket search"),
        (
            "DELETE FROM ticket_search WHERE rowid = 1 << 40 | 1;
             INSERT INTO ticket_search (rowid, body) SELECT 1 << 40 | 1, body || 'x' FROM ticket_text WHERE ticket_id = 1",
            "ticket search",
        ),
        (
            "DELETE FROM ticket_bigram WHERE rowid = 1 << 40 | 1; INSERT INTO ticket_bigram (rowid, body) VALUES (1 << 40 | 1, '61x61')",
            "ticket search",
        ),
        ("UPDATE knowledge_article SET status = 'draft'", "knowledge search"),
        ("DELETE FROM knowledge_bigram WHERE rowid = 1", "knowledge search"),
        ("DELETE FROM knowledge_head WHERE rowid = 1", "knowledge search"),
        ("INSERT INTO knowledge_head (rowid, title) VALUES (999, 'nothing')", "knowledge search"),
        ("UPDATE knowledge_article SET content = 'Something new'", "knowledge search"),
        (
            "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = replace(sql, '(ticket_id, id)', '(id)') WHERE name = 'message_ticket'",
            "pages and indexes",
        ),
        ("DELETE FROM ticket_search_data WHERE id > 10", "pages and indexes"),
    ];
    let desk = Desk::new();
    for (sql, line) in cases {
        let _ = std::fs::remove_file(desk.path("lodge.db"));
        let file = if line.starts_with("knowledge") { sample_file() } else { desk_file() };
        std::fs::copy(file, desk.path("lodge.db")).unwrap();
        connect(&desk.path("lodge.db")).execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
        let done = desk.run(&["check"]);
        assert_eq!(done.code, 1, "{sql}: {}", done.stdout);
        let bad: Vec<&str> = done.stdout.lines().filter(|line| !line.ends_with("\tok")).collect();
        assert!(bad.iter().any(|said| said.starts_with(&format!("{line}\t"))), "{sql}: {}", done.stdout);
        assert!(done.stderr.contains("failed"), "{}", done.stderr);
    }
}

#[test]
fn a_check_changes_nothing() {
    let desk = Desk::new();
    std::fs::copy(desk_file(), desk.path("lodge.db")).unwrap();
    let state = || {
        let there = std::fs::metadata(desk.path("lodge.db")).unwrap();
        (there.modified().unwrap(), std::fs::read(desk.path("lodge.db")).unwrap())
    };
    let before = state();
    desk.ok(&["check"]);
    assert!(state() == before);
    // Nor does it fold in the log that a crash left.
    let conn = connect(&desk.path("lodge.db"));
    conn.execute_batch("UPDATE agent SET phone = '1'").unwrap();
    conn.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    drop(conn);
    let log = std::fs::read(desk.path("lodge.db-wal")).unwrap();
    desk.ok(&["check"]);
    assert!(state() == before && std::fs::read(desk.path("lodge.db-wal")).unwrap() == log);
}
