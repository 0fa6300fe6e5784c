//! The conversation under a ticket, as administrators read and write it, for the desk and for customers.

use serde_json::{Value, json};

use crate::harness::{Response, TestApp};

fn say(app: &TestApp, ticket: i64, body: Value) -> Response {
    app.admin().post(&format!("/tickets/{ticket}/messages"), body)
}

/// What John, the customer of every ticket but the second, says.
fn hear(app: &TestApp, ticket: i64) -> Response {
    say(app, ticket, json!({ "content": "Xylophone?", "customer_id": 1 }))
}

fn told(app: &TestApp) -> Vec<String> {
    app.column("SELECT type || ' ' || agent_id || ' ' || sender_name FROM notification ORDER BY id")
}

fn entries(app: &TestApp) -> Vec<String> {
    app.column("SELECT action || ' ' || actor_type || ' ' || actor_name FROM activity ORDER BY id")
}

/// Everything that a refused request must leave alone.
fn traces(app: &TestApp) -> String {
    app.look_up(
        "SELECT json_array((SELECT json_group_array(json_array(version, status, updated_at)) FROM ticket),
           (SELECT count(*) FROM message), (SELECT count(*) FROM activity), (SELECT count(*) FROM notification),
           (SELECT count(*) FROM ticket_event), (SELECT count(*) FROM idempotency))",
    )
}

// ---------------------------------------------------------------- list

#[test]
fn messages_come_oldest_first_fifteen_a_page_with_notes() {
    let app = TestApp::desk();
    let reads = app.admin_with(&["messages:list"]);
    let list = reads.get("/tickets/1/messages");
    assert_eq!(
        (list.ids(), list.each("is_internal")),
        (vec![1, 2, 3], vec![json!(false), json!(false), json!(true)])
    );
    assert_eq!(list.json["meta"], json!({ "current_page": 1, "last_page": 1, "per_page": 15, "total": 3 }));
    assert_eq!(list.items(), app.agent("ada").get("/tickets/1/messages").items());
    assert_eq!(reads.get("/tickets/1/messages?order=desc&per_page=2").ids(), [3, 2]);
    assert_eq!(reads.get("/tickets/2/messages").ids(), [4], "any ticket's");
    reads.get("/tickets/99/messages").refused(404, "not_found");
    reads.get("/tickets/1/messages?order=x&page=0&per_page=201").invalid(&["order", "page", "per_page"]);
    reads.post("/tickets/1/messages", json!({ "content": "x" })).refused(403, "forbidden_scope");
}

#[test]
fn an_agents_like_is_counted_and_never_the_administrators() {
    let app = TestApp::desk();
    app.agent("ada").act("/tickets/1/messages/1/like").data();
    let message = app.admin().get("/tickets/1/messages").items()[0].clone();
    assert_eq!((&message["likes_count"], &message["liked"]), (&json!(1), &json!(false)));
}

// ---------------------------------------------------------------- the desk's own

#[test]
fn a_message_is_the_keys_and_moves_the_times() {
    let app = TestApp::desk();
    app.advance(60);
    let writes = app.admin_with(&["messages:create"]);
    let answer = writes.post("/tickets/3/messages", json!({ "content": "Hello" }));
    assert_eq!((answer.status, answer.header("location")), (201, None));
    let key: i64 = app.look_up("SELECT max(id) FROM api_key");
    let message = answer.data();
    assert_eq!(
        message,
        &json!({
            "id": 7, "ticket_id": 3, "content": "Hello", "is_internal": false,
            "sender": { "type": "user", "id": key, "name": "Scoped", "avatar_url": null },
            "likes_count": 0, "liked": false, "created_at": message["created_at"], "updated_at": message["created_at"],
        })
    );
    assert_eq!(app.agent("ada").get("/tickets/3/messages").items()[0], *message);
    let ticket = app.admin().get("/tickets/3").data().clone();
    for time in ["updated_at", "last_reply_at"] {
        assert_eq!(ticket[time], message["created_at"], "{time}");
    }
    assert_eq!(ticket["status"], "open");
    writes.get("/tickets/3/messages").refused(403, "forbidden_scope");
}

#[test]
fn a_public_message_answers_and_a_note_does_not() {
    let app = TestApp::desk();
    let need = || app.agent("ada").get("/dashboard").data()["needs_response"].as_i64().unwrap();
    let responses = || {
        // To the minute: the server's clock goes on while the test runs.
        app.column::<String>("SELECT ticket_id || ' ' || ifnull(agent_id, '-') || ' ' || (seconds / 60) FROM ticket_event WHERE kind = 'first_response' AND ticket_id = 3")
    };
    assert_eq!(need(), 2);
    app.advance(60);
    let note = say(&app, 3, json!({ "content": "Psst", "is_internal": true }));
    assert_eq!(note.data()["is_internal"], true);
    assert_eq!((need(), responses()), (2, vec![]));
    assert_eq!(told(&app), ["ticket_note 1 Robot"]);
    let ticket = app.admin().get("/tickets/3");
    assert_eq!(
        (&ticket.data()["last_reply_at"], &ticket.data()["updated_at"]),
        (&Value::Null, &note.data()["created_at"])
    );
    say(&app, 3, json!({ "content": "Answer", "is_internal": false })).data();
    say(&app, 3, json!({ "content": "Another" })).data();
    assert_eq!(need(), 1);
    assert_eq!(responses(), [format!("3 1 {}", 30 * 60 + 1)], "of the desk's keys too, once, by the lead");
    assert_eq!(told(&app).len(), 1, "a public one tells nobody");
    assert_eq!(
        entries(&app),
        ["message.noted user Robot", "message.replied user Robot", "message.replied user Robot"]
    );
}

#[test]
fn the_desk_writes_on_locked_and_closed_tickets_too() {
    let app = TestApp::desk();
    say(&app, 4, json!({ "content": "x" })).data();
    say(&app, 4, json!({ "content": "x", "is_internal": true })).data();
    say(&app, 5, json!({ "content": "x" })).data();
    let ticket = app.admin().get("/tickets/5");
    assert_eq!([&ticket.data()["status"], &ticket.data()["closed_at"]], ["closed", "2026-03-16T11:00:00Z"]);
}

#[test]
fn wrong_values_are_refused_by_name() {
    let app = TestApp::desk();
    let before = traces(&app);
    let refused = [
        ("content", json!(["", " \n", "x".repeat(100_001), 5, null, "a\u{0}"])),
        ("is_internal", json!([1, "true", null])),
        ("customer_id", json!([0, "1", null, 1.5])),
        ("agent_id", json!([1])),
        ("sender", json!([{}])),
    ];
    for (field, values) in refused {
        for value in values.as_array().unwrap() {
            let mut body = json!({ "content": "x" });
            body[field] = value.clone();
            say(&app, 3, body).invalid(&[field]);
        }
    }
    say(&app, 3, json!({})).invalid(&["content"]);
    assert_eq!(traces(&app), before);
}

#[test]
fn a_message_is_written_once() {
    let app = TestApp::desk();
    let send = |body: Value| {
        app.admin().call("POST", "/tickets/5/messages").header("Idempotency-Key", "k").json(&body).send()
    };
    let body = json!({ "content": "Hm", "customer_id": 1 });
    let first = send(body.clone());
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, None));
    let before = traces(&app);
    let again = send(body.clone());
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!(again.body, first.body);
    app.sql("UPDATE ticket SET is_locked = 1; UPDATE customer SET is_blocked = 1;");
    assert_eq!(send(body.clone()).body, first.body, "what was done is told, whatever holds now");
    send(json!({ "content": "Other", "customer_id": 1 })).refused(422, "idempotency_key_reused");
    app.sql("UPDATE ticket SET is_locked = 0; UPDATE customer SET is_blocked = 0;");
    assert_eq!(traces(&app), before);
    app.advance(24 * 3600 + 1);
    assert_eq!(send(body).header("idempotent-replayed"), None, "after a day");
}

// ---------------------------------------------------------------- customers'

#[test]
fn a_customers_message_is_the_customers() {
    let app = TestApp::desk();
    app.agent("ada").post("/tickets/3/messages", json!({ "content": "Well?" })).data();
    let need = || app.agent("ada").get("/dashboard").data()["needs_response"].as_i64().unwrap();
    assert_eq!(need(), 1);
    app.advance(60);
    let answer = hear(&app, 3);
    assert_eq!(answer.status, 201);
    let sender = json!({ "type": "customer", "id": 1, "name": "John Doe", "avatar_url": null });
    assert_eq!((&answer.data()["sender"], &answer.data()["is_internal"]), (&sender, &json!(false)));
    let ticket = app.admin().get("/tickets/3");
    assert_eq!(
        (&ticket.data()["status"], &ticket.data()["last_reply_at"]),
        (&json!("open"), &answer.data()["created_at"])
    );
    assert_eq!(ticket.data()["updated_at"], answer.data()["created_at"]);
    assert_eq!(need(), 2);
    assert_eq!(told(&app), ["ticket_reply 1 John Doe"]);
    assert_eq!(entries(&app)[1..], ["message.received user Robot"]);
    let customers = say(&app, 3, json!({ "content": "x", "customer_id": 1, "is_internal": false }));
    assert_eq!(customers.status, 201);
}

#[test]
fn it_keeps_the_status_of_a_ticket_that_is_not_closed() {
    let app = TestApp::desk();
    for status in ["open", "in_progress", "on_hold"] {
        app.admin().put("/tickets/3", json!({ "status": status, "is_resolved": true })).data();
        hear(&app, 3).data();
        let ticket = app.admin().get("/tickets/3");
        assert_eq!([&ticket.data()["status"], &ticket.data()["is_resolved"]], [&json!(status), &json!(true)]);
    }
}

#[test]
fn it_opens_a_closed_ticket_again() {
    let app = TestApp::desk();
    app.admin().put("/tickets/5", json!({ "agents": [1, 2, 3] })).data();
    app.sql("DELETE FROM notification");
    let mute = |handle: &str, kind: &str| {
        app.agent(handle).put("/profile", json!({ "notification_settings": { kind: false } })).data();
    };
    mute("ben", "ticket_reply");
    mute("cleo", "ticket_status");
    let from: i64 = app.look_up("SELECT max(id) FROM activity");
    hear(&app, 5).data();
    let ticket = app.admin().get("/tickets/5").data().clone();
    assert_eq!(
        [&ticket["status"], &ticket["closed_at"], &ticket["is_resolved"]],
        [&json!("open"), &Value::Null, &json!(false)]
    );
    let all = [
        "ticket_reply 1 John Doe",
        "ticket_reply 3 John Doe",
        "ticket_status 1 John Doe",
        "ticket_status 2 John Doe",
    ];
    assert_eq!(told(&app), all);
    let entries = "SELECT action || ' ' || actor_type || ' ' || subject_type || ' ' || description FROM activity WHERE id > ";
    let entries: Vec<String> = app.column(&format!("{entries}{from} ORDER BY id"));
    assert!(
        entries[0].starts_with("message.received user message ") && entries[0].contains("#1005"),
        "{entries:?}"
    );
    assert!(entries[1].starts_with("ticket.reopened user ticket ") && entries.len() == 2, "{entries:?}");
    assert_eq!(
        app.look_up::<i64>("SELECT count(*) FROM ticket_event WHERE ticket_id = 5 AND kind = 'reopened'"),
        1
    );
    assert_eq!(app.agent("ada").get("/dashboard").data()["closed_today"], 0);
    let changes: Value =
        serde_json::from_str(&app.look_up::<String>("SELECT changes FROM activity ORDER BY id DESC LIMIT 1"))
            .unwrap();
    assert_eq!(changes["status"], json!({ "from": "closed", "to": "open" }));
}

#[test]
fn nothing_that_is_said_is_in_the_log_or_in_what_is_told() {
    let app = TestApp::desk();
    hear(&app, 5).data();
    say(&app, 5, json!({ "content": "Xylophone!" })).data();
    say(&app, 5, json!({ "content": "Xylophone.", "is_internal": true })).data();
    let text: String = app.look_up(
        "SELECT group_concat(t) FROM (SELECT description || changes AS t FROM activity UNION ALL SELECT title || message FROM notification)",
    );
    assert!(text.contains("#1005") && !text.contains("Xylophone") && !text.contains("Settled"), "{text}");
}

#[test]
fn a_customers_note_is_refused_before_anything_else() {
    let app = TestApp::desk();
    app.sql("UPDATE customer SET is_blocked = 1; UPDATE ticket SET is_locked = 1;");
    for (ticket, customer) in [(1, 1), (1, 2), (1, 99), (99, 1)] {
        let note = json!({ "content": "x", "is_internal": true, "customer_id": customer });
        say(&app, ticket, note).invalid(&["is_internal"]);
    }
}

#[test]
fn refusals_come_in_order_and_leave_no_trace() {
    let app = TestApp::desk();
    let by =
        |ticket: i64, customer: i64| say(&app, ticket, json!({ "content": "x", "customer_id": customer }));
    let before = traces(&app);
    by(99, 99).refused(404, "not_found");
    by(1, 2).invalid(&["customer_id"]);
    by(1, 99).invalid(&["customer_id"]);
    by(4, 1).refused(403, "ticket_locked");
    by(4, 2).refused(403, "ticket_locked");
    app.sql("UPDATE customer SET is_blocked = 1 WHERE id = 1");
    by(3, 1).refused(403, "customer_blocked");
    by(5, 1).refused(403, "customer_blocked");
    by(4, 1).refused(403, "customer_blocked");
    assert_eq!(traces(&app), before);
    say(&app, 3, json!({ "content": "The desk may still write to them" })).data();
    app.admin().put("/customers/1", json!({ "is_blocked": false })).data();
    by(3, 1).data();
}

#[test]
fn an_inactive_agent_is_told_nothing_and_the_others_are() {
    let app = TestApp::desk();
    app.sql("UPDATE agent SET is_active = 0 WHERE id = 1");
    hear(&app, 1).data();
    assert_eq!(told(&app), ["ticket_reply 2 John Doe"]);
    app.admin().put("/tickets/2", json!({ "agents": [] })).data();
    say(&app, 2, json!({ "content": "x", "customer_id": 2 })).data();
    assert_eq!(told(&app).len(), 1, "nobody is on it");
}
