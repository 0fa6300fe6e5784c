//! Who changed what, as administrators read it.

use serde_json::{Value, json};

use crate::harness::{TestApp, fields};

/// A desk on which Ada closed ticket 3 at noon, Robot renamed a customer a minute later, and Ben replied under ticket 1
/// a minute after that.
fn busy_desk() -> TestApp {
    let app = TestApp::desk();
    app.agent("ada").act("/tickets/3/close").data();
    app.advance(60);
    app.admin().put("/customers/1", json!({ "phone": "1" })).data();
    app.advance(60);
    app.agent("ben").post("/tickets/1/messages", json!({ "content": "Secret words" })).data();
    app
}

fn ids(app: &TestApp, query: &str) -> Vec<i64> {
    app.admin().get(&format!("/activity-logs{query}")).ids()
}

#[test]
fn an_entry_says_who_changed_what_when_and_where() {
    let app = busy_desk();
    let answer = app.admin().get("/activity-logs");
    assert_eq!(answer.ids(), [3, 2, 1]);
    let entry = &answer.items()[2];
    assert_eq!(
        entry,
        &json!({
            "id": 1,
            "action": "ticket.closed",
            "description": "Ada Lind closed #1003",
            "actor": { "type": "agent", "id": 1, "name": "Ada Lind" },
            "subject": { "type": "ticket", "id": 3 },
            "ticket_id": 3,
            "changes": { "status": { "from": "open", "to": "closed" }, "is_resolved": { "from": false, "to": true } },
            "ip_address": "127.0.0.1",
            "created_at": "2026-03-16T12:00:00Z",
        })
    );
    let names = [
        "id",
        "action",
        "description",
        "actor",
        "subject",
        "ticket_id",
        "changes",
        "ip_address",
        "created_at",
    ];
    assert_eq!(fields(entry), names);
    assert_eq!(answer.items()[1]["actor"], json!({ "type": "user", "id": 4, "name": "Robot" }));
    assert_eq!(answer.items()[1]["ticket_id"], Value::Null);
    assert!(!String::from_utf8(answer.body).unwrap().contains("Secret words"));
}

#[test]
fn the_command_line_and_the_desk_itself_have_no_id() {
    let app = TestApp::desk();
    app.change(|tx| lodge::api_key::rules::revoke(tx, &lodge::activity::Actor::cli(), 1));
    app.change(|tx| lodge::api_key::rules::revoke(tx, &lodge::activity::Actor::system(), 2));
    let answer = app.admin().get("/activity-logs");
    assert_eq!(
        answer.each("actor"),
        [
            json!({ "type": "system", "id": null, "name": "System" }),
            json!({ "type": "cli", "id": null, "name": "Command line" })
        ]
    );
    assert_eq!(answer.items()[0]["ip_address"], Value::Null);
}

#[test]
fn filters_narrow_the_list() {
    let app = busy_desk();
    // An internal key with the id of an agent is no agent.
    app.sql(
        "INSERT INTO activity (action, description, actor_type, actor_id, actor_name, subject_type, created_at)
         SELECT 'x.y', 'z', 'user', 1, 'Bot', 'x', max(created_at) FROM activity",
    );
    for (query, expected) in [
        ("", vec![4, 3, 2, 1]),
        ("?ticket_id=1", vec![3]),
        ("?ticket_id=99", vec![]),
        ("?agent_id=1", vec![1]),
        ("?agent_id=2&ticket_id=1", vec![3]),
        ("?agent_id=2&ticket_id=3", vec![]),
        ("?agent_id=1&from=2026-03-16&to=2026-03-16", vec![1]),
        ("?agent_id=1&from=2026-03-17", vec![]),
    ] {
        assert_eq!(ids(&app, query), expected, "{query}");
        let total = app.admin().get(&format!("/activity-logs{query}")).json["meta"]["total"].clone();
        assert_eq!(total, expected.len(), "{query}");
    }
}

#[test]
fn times_are_whole_seconds_and_include_both_ends() {
    let app = busy_desk();
    for (query, expected) in [
        ("from=2026-03-16T12:01:00Z", vec![3, 2]),
        ("from=2026-03-16T12:01:01Z", vec![3]),
        ("to=2026-03-16T12:01:00Z", vec![2, 1]),
        ("to=2026-03-16T12:00:59Z", vec![1]),
        ("from=2026-03-16T12:01:00Z&to=2026-03-16T12:01:00Z", vec![2]),
        ("from=2026-03-16T13:01:00%2B01:00&to=2026-03-16T13:01:00%2B01:00", vec![2]),
        ("from=2026-03-16", vec![3, 2, 1]),
        ("to=2026-03-15", vec![]),
        ("from=0001-01-01&to=9999-12-31", vec![3, 2, 1]),
    ] {
        assert_eq!(ids(&app, &format!("?{query}")), expected, "{query}");
    }
}

#[test]
fn a_date_is_a_day_of_the_desk() {
    let app = TestApp::desk();
    app.sql("UPDATE setting SET time_zone = 'Pacific/Kiritimati'");
    // Noon of the 16th in UTC is two in the morning of the 17th there, and it was the 16th until ten.
    app.agent("ada").act("/tickets/3/close").data();
    assert_eq!((ids(&app, "?from=2026-03-17&to=2026-03-17"), ids(&app, "?to=2026-03-16")), (vec![1], vec![]));
    let early = app.admin().get("/activity-logs?from=2026-03-17&to=2026-03-16T09:59:59Z");
    early.invalid(&["from"]);
    app.admin().get("/activity-logs?from=2026-03-17&to=2026-03-16T10:00:00Z").items();
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let app = TestApp::desk();
    for (query, field) in [
        ("from=2026-03-17&to=2026-03-16", "from"),
        ("from=2026-03-16T12:00:01Z&to=2026-03-16T12:00:00Z", "from"),
        ("from=", "from"),
        ("from=yesterday", "from"),
        ("from=2026-02-30", "from"),
        ("from=2026-3-1", "from"),
        ("to=2026-03-16T12:00:00", "to"),
        ("to=2026-03-16 12:00:00Z", "to"),
        ("to=1773662400", "to"),
        ("ticket_id=0", "ticket_id"),
        ("agent_id=x", "agent_id"),
        ("page=0", "page"),
        ("per_page=201", "per_page"),
        ("from=2026-03-16&from=2026-03-16", "from"),
    ] {
        app.admin().get(&format!("/activity-logs?{}", query.replace(' ', "%20"))).invalid(&[field]);
    }
    for method in ["POST", "PUT", "DELETE"] {
        app.admin().call(method, "/activity-logs").send().refused(405, "method_not_allowed");
    }
    app.admin_with(&["activity-logs:list"]).get("/activity-logs").data();
    app.admin_with(&["reports:overview"]).get("/activity-logs").refused(403, "forbidden_scope");
}

#[test]
fn pages_count_from_the_newest_and_totals_are_exact() {
    let app = TestApp::desk();
    for n in 0..7 {
        app.admin().put("/customers/1", json!({ "phone": n.to_string() })).data();
        app.admin().put("/customers/1", json!({ "email": "zoe@canary.example" })).invalid(&["email"]);
    }
    for filter in ["", "&from=2026-01-01"] {
        let page = app.admin().get(&format!("/activity-logs?per_page=3&page=2{filter}"));
        assert_eq!((page.ids(), &page.json["meta"]["total"]), (vec![4, 3, 2], &json!(7)), "{filter}");
        let past = app.admin().get(&format!("/activity-logs?per_page=200&page={}{filter}", i64::MAX));
        assert_eq!((past.ids(), &past.json["meta"]["total"]), (vec![], &json!(7)));
    }
    assert_eq!(app.admin().get("/activity-logs").json["meta"]["per_page"], 15);
}

#[test]
fn a_change_that_fails_leaves_no_gap() {
    let app = TestApp::desk();
    let mut conn = lodge::db::open::writable(app.path()).unwrap();
    let failed = lodge::db::write_beside(&mut conn, &app.clock, |tx| {
        lodge::api_key::rules::revoke(tx, &lodge::activity::Actor::cli(), 1)?;
        Err::<(), _>(lodge::error::Error::NotFound)
    });
    assert!(failed.is_err());
    app.agent("ada").act("/tickets/3/close").data();
    assert_eq!((ids(&app, ""), app.look_up::<i64>("SELECT max(id) FROM activity")), (vec![1], 1));
}

#[test]
fn entries_outlive_what_they_tell_of() {
    let app = TestApp::desk();
    app.agent("ada").act("/tickets/3/close").data();
    app.admin().delete("/agents/1");
    assert_eq!(ids(&app, "?agent_id=1"), [1]);
    assert_eq!(app.admin().get("/activity-logs").each("action"), ["agent.deleted", "ticket.closed"]);
}
