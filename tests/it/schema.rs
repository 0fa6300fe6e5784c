//! The database itself: what holds for every table, and that the counters count right.

use serde_json::json;

use crate::harness::TestApp;

fn tables(app: &TestApp) -> Vec<String> {
    app.column(
        "SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
    )
}

#[test]
fn every_table_is_strict() {
    let app = TestApp::empty();
    assert!(tables(&app).len() > 20);
    let loose: Vec<String> = app.column(
        "SELECT name FROM pragma_table_list
         WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'",
    );
    assert!(loose.is_empty(), "{loose:?}");
}

#[test]
fn every_foreign_key_heads_an_index() {
    let app = TestApp::empty();
    let mut bare = vec![];
    for table in tables(&app) {
        for column in
            app.column::<String>(&format!("SELECT \"from\" FROM pragma_foreign_key_list('{table}')"))
        {
            // A partial index serves only if it leaves out no row that refers to anything.
            let heads: i64 = app.look_up(&format!(
                "SELECT EXISTS (
                   SELECT 1 FROM pragma_index_list('{table}') i JOIN pragma_index_info(i.name) c ON c.seqno = 0 AND c.name = '{column}'
                     LEFT JOIN sqlite_schema s ON s.name = i.name
                   WHERE NOT i.partial OR s.sql LIKE '%WHERE {column} IS NOT NULL')
                 OR EXISTS (SELECT 1 FROM pragma_table_info('{table}') t
                            WHERE t.name = '{column}' AND t.pk = 1 AND t.type = 'INTEGER'
                              AND (SELECT count(*) FROM pragma_table_info('{table}') WHERE pk > 0) = 1)"
            ));
            if heads == 0 {
                bare.push(format!("{table}.{column}"));
            }
        }
    }
    assert!(bare.is_empty(), "{bare:?}");
}

#[test]
fn every_foreign_key_says_what_a_deletion_does() {
    let app = TestApp::empty();
    for table in tables(&app) {
        let silent: Vec<String> = app.column(&format!(
            "SELECT \"from\" FROM pragma_foreign_key_list('{table}') WHERE on_delete = 'NO ACTION'"
        ));
        assert!(silent.is_empty(), "{table} {silent:?}");
    }
}

#[test]
fn ids_that_have_left_the_house_never_come_back() {
    let app = TestApp::desk();
    for table in
        ["ticket", "message", "notification", "agent", "customer", "label", "api_key", "knowledge_article"]
    {
        let sql: String = app.look_up(&format!("SELECT sql FROM sqlite_schema WHERE name = '{table}'"));
        assert!(sql.contains("PRIMARY KEY AUTOINCREMENT"), "{table}");
    }
}

#[test]
fn the_file_is_marked_as_ours() {
    let app = TestApp::empty();
    assert_eq!(app.look_up::<i32>("PRAGMA application_id"), lodge::db::open::APPLICATION_ID);
    assert_eq!(app.look_up::<i32>("PRAGMA user_version"), lodge::db::open::SCHEMA_VERSION);
    assert_eq!(app.look_up::<String>("PRAGMA journal_mode"), "wal");
}

#[test]
fn a_file_is_its_owners_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new.db");
    lodge::db::open::create(&path).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn the_activity_log_is_append_only() {
    let app = TestApp::desk();
    app.agent("ada").act("/tickets/3/close").data();
    assert!(app.connection().execute("UPDATE activity SET description = 'x'", []).is_err());
}

/// Counters and copies that differ from what a count of the rows says.
fn miscounted(app: &TestApp) -> Vec<String> {
    app.column(
        "WITH recount AS (
           SELECT 0 AS agent_id, ifnull(department_id, 0) AS department_id, status, priority, awaits_reply, count(*) AS n
           FROM ticket GROUP BY 1, 2, 3, 4, 5
           UNION ALL
           SELECT ta.agent_id, ifnull(t.department_id, 0), t.status, t.priority, t.awaits_reply, count(*)
           FROM ticket_agent ta JOIN ticket t ON t.id = ta.ticket_id GROUP BY 1, 2, 3, 4, 5)
         SELECT 'ticket_count ' || json_array(agent_id, department_id, status, priority, awaits_reply, n) FROM
           (SELECT * FROM (SELECT * FROM ticket_count WHERE n > 0 EXCEPT SELECT * FROM recount)
            UNION ALL SELECT * FROM (SELECT * FROM recount EXCEPT SELECT * FROM ticket_count))
         UNION ALL
         SELECT 'ticket_sum ' || json_array(a.id, s.open, s.in_progress, s.awaiting)
         FROM agent a LEFT JOIN ticket_sum s ON s.agent_id = a.id
         WHERE (ifnull(s.open, 0), ifnull(s.in_progress, 0), ifnull(s.awaiting, 0)) IS NOT
           (SELECT count(*) FILTER (WHERE status = 'open'), count(*) FILTER (WHERE status = 'in_progress'),
              count(*) FILTER (WHERE awaits_reply AND status <> 'closed') FROM ticket_agent ta WHERE ta.agent_id = a.id)
         UNION ALL
         SELECT 'ticket_agent ' || json_array(ta.ticket_id, ta.agent_id) FROM ticket_agent ta JOIN ticket t ON t.id = ta.ticket_id
         WHERE (ta.status, ta.priority, ta.department_id, ta.awaits_reply, ta.created_at, ta.updated_at, ta.last_reply_at, ta.closed_at)
           IS NOT (t.status, t.priority, t.department_id, t.awaits_reply, t.created_at, t.updated_at, t.last_reply_at, t.closed_at)
         UNION ALL
         SELECT 'notification_count ' || json_array(a.id, c.total, c.unread)
         FROM agent a LEFT JOIN notification_count c ON c.agent_id = a.id
         WHERE (ifnull(c.total, 0), ifnull(c.unread, 0)) IS NOT
           (SELECT count(*), count(*) FILTER (WHERE NOT is_read) FROM notification n WHERE n.agent_id = a.id)
         UNION ALL
         SELECT 'customer ' || t.id FROM ticket t JOIN customer c ON c.id = t.customer_id
         WHERE (t.customer_name, t.customer_email) IS NOT (c.name, c.email)
         UNION ALL
         SELECT 'likes_count ' || m.id FROM message m
         WHERE m.likes_count <> (SELECT count(*) FROM message_like l WHERE l.message_id = m.id)
         UNION ALL
         SELECT 'lead ' || t.id FROM ticket t WHERE t.assigned_to IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM ticket_agent ta WHERE ta.ticket_id = t.id AND ta.agent_id = t.assigned_to)",
    )
}

#[test]
fn a_miscount_would_be_noticed() {
    let app = TestApp::desk();
    app.sql("UPDATE ticket_count SET n = n + 1 WHERE agent_id = 1 AND status = 'closed'; UPDATE message SET likes_count = 9 WHERE id = 1;
             UPDATE ticket_sum SET awaiting = awaiting + 1 WHERE agent_id = 1; UPDATE ticket SET customer_email = '' WHERE id = 1;");
    assert_eq!(miscounted(&app).len(), 5);
}

#[test]
fn the_counters_of_the_samples_are_right() {
    assert_eq!(miscounted(&TestApp::desk()), Vec::<String>::new());
    assert_eq!(miscounted(&TestApp::sample()), Vec::<String>::new());
}

#[test]
fn the_counters_stay_right_through_a_days_work() {
    let app = TestApp::desk();
    let (ada, ben) = (app.agent("ada"), app.agent("ben"));
    for status in ["in_progress", "on_hold", "closed", "open", "closed"] {
        ada.put("/tickets/1", json!({ "status": status, "priority": "low" })).data();
        ada.put("/tickets/3", json!({ "status": status, "priority": "critical", "labels": [1] })).data();
    }
    for n in 0..3 {
        ada.post("/tickets/1/messages", json!({ "content": "x", "is_internal": n == 1 })).data();
        ben.post("/tickets/1/messages", json!({ "content": "x", "is_internal": n != 1 })).data();
        ben.act("/tickets/1/messages/1/like").data();
        ada.act("/tickets/1/messages/2/like").data();
    }
    app.customer_replies(1, "Again");
    app.customer_replies(5, "Again");
    ada.put("/tickets/1", json!({ "labels": [99] })).invalid(&["labels"]);
    ben.act("/tickets/4/close").data();
    let first = ada.get("/notifications").ids()[0];
    ada.act(&format!("/notifications/{first}/read")).data();
    ada.act(&format!("/notifications/{first}/read")).data();
    ben.act("/notifications/read-all").data();
    app.sql("UPDATE ticket SET department_id = 2 WHERE id = 1; DELETE FROM ticket_agent WHERE ticket_id = 4 AND agent_id = 2;");
    app.sql("DELETE FROM department WHERE id = 2; DELETE FROM ticket WHERE id = 5; DELETE FROM notification WHERE agent_id = 1;");
    assert_eq!(miscounted(&app), Vec::<String>::new());
}

#[test]
fn the_file_is_sound_after_work() {
    let app = TestApp::desk();
    app.agent("ada").post("/tickets/1/messages", json!({ "content": "x" })).data();
    assert_eq!(app.look_up::<String>("PRAGMA integrity_check"), "ok");
    assert!(app.column::<String>("SELECT \"table\" FROM pragma_foreign_key_check").is_empty());
    app.sql("INSERT INTO ticket_search (ticket_search, rank) VALUES ('integrity-check', 1)");
    app.sql("INSERT INTO knowledge_search (knowledge_search, rank) VALUES ('integrity-check', 1)");
}

#[test]
fn a_database_is_served_once_at_a_time() {
    let app = TestApp::desk();
    let second = lodge::db::Db::open(app.path(), &lodge::db::Options::default());
    assert!(matches!(second, Err(lodge::db::open::OpenError::InUse(_))));
}
