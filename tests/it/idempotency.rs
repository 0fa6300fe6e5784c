//! `Idempotency-Key`: what is sent twice is done once.

use serde_json::json;

use crate::harness::{Response, TestApp};

fn reply(app: &TestApp, handle: &str, ticket: i64, name: &str, content: &str) -> Response {
    let path = format!("/tickets/{ticket}/messages");
    let call = app.agent(handle).call("POST", &path).header("Idempotency-Key", name);
    call.json(&json!({ "content": content })).send()
}

fn act(app: &TestApp, path: &str, name: &str) -> Response {
    app.agent("ada").call("POST", path).header("Idempotency-Key", name).send()
}

fn messages(app: &TestApp, ticket: i64) -> i64 {
    app.look_up(&format!("SELECT count(*) FROM message WHERE ticket_id = {ticket}"))
}

#[test]
fn a_repeat_gets_the_first_answer_and_does_nothing() {
    let app = TestApp::desk();
    let first = reply(&app, "ada", 3, "k", "Hello");
    let version: i64 = app.look_up("SELECT version FROM ticket WHERE id = 3");
    app.advance(60);
    let again = reply(&app, "ada", 3, "k", "Hello");
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body, again.body);
    assert_eq!(
        (first.header("idempotent-replayed"), again.header("idempotent-replayed")),
        (None, Some("true"))
    );
    assert_eq!(again.header("content-type"), Some("application/json"));
    assert_eq!((messages(&app, 3), app.look_up("SELECT version FROM ticket WHERE id = 3")), (1, version));
}

#[test]
fn without_a_name_every_request_counts() {
    let app = TestApp::desk();
    for _ in 0..2 {
        app.agent("ada").post("/tickets/3/messages", json!({ "content": "Hello" })).data();
    }
    assert_eq!(messages(&app, 3), 2);
}

#[test]
fn another_body_under_the_same_name_is_refused() {
    let app = TestApp::desk();
    reply(&app, "ada", 3, "k", "Hello").data();
    reply(&app, "ada", 3, "k", "Hello!").refused(422, "idempotency_key_reused");
    assert_eq!(messages(&app, 3), 1);
}

#[test]
fn the_body_is_compared_byte_for_byte() {
    let app = TestApp::desk();
    let send = |body: &str| {
        let call = app.agent("ada").call("POST", "/tickets/3/messages").header("Idempotency-Key", "k");
        call.header("Content-Type", "application/json").body(body).send()
    };
    send(r#"{"content":"a"}"#).data();
    send(r#"{"content": "a"}"#).refused(422, "idempotency_key_reused");
}

#[test]
fn a_name_counts_for_one_path() {
    let app = TestApp::desk();
    reply(&app, "ada", 3, "k", "Hello").data();
    assert_eq!(reply(&app, "ada", 5, "k", "Hello").header("idempotent-replayed"), None);
    assert_eq!((messages(&app, 3), messages(&app, 5)), (1, 2));
}

#[test]
fn a_name_counts_for_one_api_key() {
    let app = TestApp::desk();
    reply(&app, "ada", 1, "k", "Hello").data();
    reply(&app, "ben", 1, "k", "Hello").data();
    let second = app.key(&app.add_key(1, 60, "NULL"));
    let call = second.call("POST", "/tickets/1/messages").header("Idempotency-Key", "k");
    assert_eq!(call.json(&json!({ "content": "Hello" })).send().header("idempotent-replayed"), None);
    assert_eq!(messages(&app, 1), 6);
}

#[test]
fn names_are_told_apart_by_case() {
    let app = TestApp::desk();
    reply(&app, "ada", 3, "k", "Hello").data();
    reply(&app, "ada", 3, "K", "Hello").data();
    assert_eq!(messages(&app, 3), 2);
}

#[test]
fn a_name_counts_for_24_hours() {
    let app = TestApp::desk();
    reply(&app, "ada", 3, "k", "Hello").data();
    app.advance(24 * 3600 - 120);
    assert_eq!(reply(&app, "ada", 3, "k", "Hello").header("idempotent-replayed"), Some("true"));
    app.advance(121);
    assert_eq!(reply(&app, "ada", 3, "k", "Another day").header("idempotent-replayed"), None);
    assert_eq!(messages(&app, 3), 2);
    assert_eq!(reply(&app, "ada", 3, "k", "Another day").header("idempotent-replayed"), Some("true"));
}

#[test]
fn a_refusal_is_not_remembered() {
    let app = TestApp::desk();
    reply(&app, "ada", 4, "k", "Hello").refused(403, "ticket_locked");
    app.sql("UPDATE ticket SET is_locked = 0 WHERE id = 4");
    assert_eq!(reply(&app, "ada", 4, "k", "Hello").status, 201);
    reply(&app, "ada", 3, "k", " ").invalid(&["content"]);
    reply(&app, "ada", 3, "k", "Hello").data();
}

#[test]
fn a_server_error_is_not_remembered() {
    let app = TestApp::desk();
    app.sql("ALTER TABLE activity RENAME TO gone");
    reply(&app, "ada", 3, "k", "Hello").refused(500, "internal_error");
    assert_eq!(messages(&app, 3), 0, "all or nothing");
    app.sql("ALTER TABLE gone RENAME TO activity");
    reply(&app, "ada", 3, "k", "Hello").data();
    assert_eq!(messages(&app, 3), 1);
}

#[test]
fn visibility_comes_before_a_replay() {
    let app = TestApp::desk();
    reply(&app, "ada", 1, "k", "Hello").data();
    app.sql("DELETE FROM ticket_agent WHERE ticket_id = 1 AND agent_id = 1");
    reply(&app, "ada", 1, "k", "Hello").refused(404, "not_found");
    reply(&app, "ada", 1, "k", "Other").refused(404, "not_found");
}

#[test]
fn authentication_comes_before_a_replay() {
    let app = TestApp::desk();
    reply(&app, "ada", 3, "k", "Hello").data();
    app.sql("UPDATE api_key SET revoked_at = 1 WHERE id = 1");
    reply(&app, "ada", 3, "k", "Hello").refused(401, "invalid_api_key");
}

#[test]
fn a_replay_does_not_mind_that_the_ticket_was_locked_since() {
    let app = TestApp::desk();
    let first = reply(&app, "ada", 3, "k", "Hello");
    app.sql("UPDATE ticket SET is_locked = 1 WHERE id = 3");
    assert_eq!(reply(&app, "ada", 3, "k", "Hello").body, first.body);
}

#[test]
fn a_repeated_like_toggles_once() {
    let app = TestApp::desk();
    let first = act(&app, "/tickets/1/messages/1/like", "k");
    let again = act(&app, "/tickets/1/messages/1/like", "k");
    assert_eq!((first.data(), again.data()), (&json!({ "liked": true, "count": 1 }), first.data()));
    assert_eq!(act(&app, "/tickets/1/messages/1/like", "k2").data()["liked"], false);
}

#[test]
fn a_repeated_close_does_not_close_a_reopened_ticket() {
    let app = TestApp::desk();
    let first = act(&app, "/tickets/3/close", "k");
    app.agent("ada").put("/tickets/3", json!({ "status": "open" })).data();
    let again = act(&app, "/tickets/3/close", "k");
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")));
    assert_eq!(app.agent("ada").get("/tickets/3").data()["status"], "open");
}

#[test]
fn marking_all_as_read_is_replayed() {
    let app = TestApp::desk();
    app.agent("ben").put("/tickets/1", json!({ "status": "on_hold" })).data();
    assert_eq!(act(&app, "/notifications/read-all", "k").data()["marked"], 1);
    app.agent("ben").put("/tickets/1", json!({ "status": "open" })).data();
    assert_eq!(act(&app, "/notifications/read-all", "k").data()["marked"], 1);
    assert_eq!(app.agent("ada").get("/notifications/unread-count").data()["unread_count"], 1);
}

#[test]
fn marking_one_as_read_is_replayed() {
    let app = TestApp::desk();
    app.agent("ben").put("/tickets/1", json!({ "status": "on_hold" })).data();
    let path = format!("/notifications/{}/read", app.agent("ada").get("/notifications").ids()[0]);
    let first = act(&app, &path, "k");
    let again = act(&app, &path, "k");
    assert_eq!((&again.body, again.header("idempotent-replayed")), (&first.body, Some("true")));
}

#[test]
fn an_ignored_body_still_tells_requests_apart() {
    let app = TestApp::desk();
    let close = |body: &str| {
        app.agent("ada").call("POST", "/tickets/3/close").header("Idempotency-Key", "k").body(body).send()
    };
    close("a").data();
    close("a").data();
    close("b").refused(422, "idempotency_key_reused");
}

#[test]
fn a_name_has_1_to_255_printable_characters() {
    let app = TestApp::desk();
    let (exactly, more) = ("k".repeat(255), "k".repeat(256));
    for good in ["k", "a b", "!~", &exactly] {
        reply(&app, "ada", 3, good, "Hello").data();
    }
    for bad in [&*more, "", "kä", "a\tb"] {
        let head = format!(
            "POST /api/v1/external/tickets/3/messages HTTP/1.1\r\nX-API-KEY: {}\r\nContent-Type: application/json\r\n\
             Content-Length: 15\r\nIdempotency-Key: {bad}",
            crate::harness::key_of("ada")
        );
        app.send_head(&head, br#"{"content":"a"}"#).invalid(&["Idempotency-Key"]);
    }
    assert_eq!(messages(&app, 3), 4);
}

#[test]
fn only_posts_look_at_the_name() {
    let app = TestApp::desk();
    let put = |priority: &str| {
        let call = app.agent("ada").call("PUT", "/tickets/3").header("Idempotency-Key", "k");
        call.json(&json!({ "priority": priority })).send()
    };
    put("low").data();
    assert_eq!(put("high").data()["priority"], "high");
}

#[test]
fn while_the_first_runs_its_twin_is_refused() {
    let app = TestApp::desk();
    // Whoever holds the write lock keeps the one that came first waiting, so the refusal is there before its answer.
    let blocker = app.connection();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (sender, answers) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        for sender in [sender.clone(), sender] {
            let app = &app;
            scope.spawn(move || sender.send(reply(app, "ada", 3, "k", "Hello")).unwrap());
        }
        answers.recv().unwrap().refused(409, "idempotency_in_progress");
        blocker.execute_batch("ROLLBACK").unwrap();
        assert_eq!(answers.recv().unwrap().status, 201);
    });
    assert_eq!(messages(&app, 3), 1);
}
