//! The conversation under a ticket: reading it, writing to it, liking it.

use serde_json::{Value, json};

use crate::harness::{TestApp, fields};

const MESSAGE: [&str; 9] = [
    "id",
    "ticket_id",
    "content",
    "is_internal",
    "sender",
    "likes_count",
    "liked",
    "created_at",
    "updated_at",
];

// ---------------------------------------------------------------- list

#[test]
fn messages_come_oldest_first_with_notes() {
    let answer = TestApp::desk().agent("ada").get("/tickets/1/messages");
    assert_eq!(answer.ids(), [1, 2, 3]);
    assert_eq!(answer.each("is_internal"), [false, false, true]);
    assert_eq!(answer.json["meta"], json!({ "current_page": 1, "last_page": 1, "per_page": 30, "total": 3 }));
}

#[test]
fn a_message_is_as_the_contract_shows_it() {
    let answer = TestApp::desk().agent("ada").get("/tickets/1/messages");
    assert_eq!(
        answer.items()[1],
        json!({
            "id": 2,
            "ticket_id": 1,
            "content": "Looking into it.",
            "is_internal": false,
            "sender": { "type": "agent", "id": 1, "name": "Ada Lind", "avatar_url": "https://desk.example/ada.png" },
            "likes_count": 0,
            "liked": false,
            "created_at": "2026-03-14T12:00:00Z",
            "updated_at": "2026-03-14T12:00:00Z",
        })
    );
    assert_eq!(fields(&answer.items()[1]), MESSAGE);
}

#[test]
fn a_customers_message_has_the_customers_name() {
    let answer = TestApp::desk().agent("ada").get("/tickets/1/messages");
    let sender = json!({ "type": "customer", "id": 1, "name": "John Doe", "avatar_url": null });
    assert_eq!(answer.items()[0]["sender"], sender);
}

#[test]
fn an_internal_keys_message_has_the_keys_name() {
    let app = TestApp::desk();
    app.sql(
        "INSERT INTO message (ticket_id, content, sender_type, api_key_id, created_at, updated_at) VALUES (1, 'x', 'user', 4, 0, 0);
         INSERT INTO message (ticket_id, content, sender_type, created_at, updated_at) VALUES (1, 'y', 'system', 0, 0);",
    );
    let answer = app.agent("ada").get("/tickets/1/messages?order=desc&per_page=2");
    assert_eq!(
        answer.items()[1]["sender"],
        json!({ "type": "user", "id": 4, "name": "Robot", "avatar_url": null })
    );
    assert_eq!(answer.items()[0]["sender"]["type"], "system");
    assert_eq!(answer.items()[0]["sender"]["id"], Value::Null);
}

#[test]
fn a_deleted_agents_message_still_shows_id_and_name() {
    let app = TestApp::desk();
    app.sql("UPDATE agent SET deleted_at = 1 WHERE id = 2; DELETE FROM ticket_agent WHERE agent_id = 2;");
    let sender = app.agent("ada").get("/tickets/1/messages").items()[2]["sender"].clone();
    assert_eq!([&sender["id"], &sender["name"]], [&json!(2), &json!("Ben Ortiz")]);
}

#[test]
fn messages_can_come_newest_first() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").get("/tickets/1/messages?order=desc").ids(), [3, 2, 1]);
    assert_eq!(app.agent("ada").get("/tickets/1/messages?order=asc").ids(), [1, 2, 3]);
    app.agent("ada").get("/tickets/1/messages?order=DESC").invalid(&["order"]);
}

#[test]
fn a_new_ticket_has_no_messages() {
    let answer = TestApp::desk().agent("ada").get("/tickets/3/messages");
    assert_eq!((answer.items().len(), &answer.json["meta"]["total"]), (0, &json!(0)));
}

#[test]
fn thirty_messages_a_page() {
    let app = TestApp::desk();
    for n in 0..31 {
        app.customer_replies(3, &format!("Message {n}"));
    }
    let first = app.agent("ada").get("/tickets/3/messages");
    assert_eq!((first.items().len(), &first.json["meta"]["last_page"]), (30, &json!(2)));
    assert_eq!(app.agent("ada").get("/tickets/3/messages?page=2").each("content"), ["Message 30"]);
}

#[test]
fn messages_of_a_ticket_that_is_not_there_are_not_found() {
    let app = TestApp::desk();
    app.agent("ada").get("/tickets/99/messages").refused(404, "not_found");
    app.agent("ada").get("/tickets/x/messages?order=up").invalid(&["id", "order"]);
}

// ---------------------------------------------------------------- write

#[test]
fn a_reply_is_created_and_returned_whole() {
    let app = TestApp::desk();
    let answer = app.agent("ada").post("/tickets/3/messages", json!({ "content": "Hello\tJohn,\r\nyes." }));
    assert_eq!(answer.status, 201);
    let message = answer.data();
    assert_eq!(fields(message), MESSAGE);
    assert_eq!(message["ticket_id"], 3);
    assert_eq!(message["content"], "Hello\tJohn,\r\nyes.");
    assert_eq!([&message["is_internal"], &message["liked"]], [false, false]);
    assert_eq!(message["likes_count"], 0);
    assert_eq!(message["sender"]["id"], 1);
    assert_eq!(message["created_at"], message["updated_at"]);
    assert_eq!(app.agent("ada").get("/tickets/3/messages").items()[0], *message);
}

#[test]
fn a_note_is_internal() {
    let app = TestApp::desk();
    let answer =
        app.agent("ada").post("/tickets/3/messages", json!({ "content": "Psst", "is_internal": true }));
    assert_eq!((answer.status, &answer.data()["is_internal"]), (201, &json!(true)));
}

#[test]
fn a_reply_to_a_locked_ticket_is_refused() {
    let app = TestApp::desk();
    let before: i64 = app.look_up("SELECT version FROM ticket WHERE id = 4");
    app.agent("ada").post("/tickets/4/messages", json!({ "content": "Hi" })).refused(403, "ticket_locked");
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM message WHERE ticket_id = 4"), 1);
    assert_eq!(app.look_up::<i64>("SELECT version FROM ticket WHERE id = 4"), before);
}

#[test]
fn a_note_on_a_locked_ticket_is_refused_too() {
    let app = TestApp::desk();
    let note = json!({ "content": "Psst", "is_internal": true });
    app.agent("ada").post("/tickets/4/messages", note).refused(403, "ticket_locked");
}

#[test]
fn a_public_reply_moves_the_times_and_keeps_the_status() {
    let app = TestApp::desk();
    let written = app.agent("ada").post("/tickets/5/messages", json!({ "content": "One more thing" }));
    let ticket = app.agent("ada").get("/tickets/5");
    assert_eq!([&ticket.data()["status"], &ticket.data()["closed_at"]], ["closed", "2026-03-16T11:00:00Z"]);
    assert_eq!(ticket.data()["last_reply_at"], written.data()["created_at"]);
    assert_eq!(ticket.data()["updated_at"], written.data()["created_at"]);
}

#[test]
fn a_note_moves_the_last_change_and_not_the_last_reply() {
    let app = TestApp::desk();
    let written =
        app.agent("ada").post("/tickets/3/messages", json!({ "content": "Psst", "is_internal": true }));
    let ticket = app.agent("ada").get("/tickets/3");
    assert_eq!(ticket.data()["last_reply_at"], Value::Null);
    assert_eq!(ticket.data()["updated_at"], written.data()["created_at"]);
}

#[test]
fn content_is_required_and_not_blank() {
    let app = TestApp::desk();
    let ada = app.agent("ada");
    let bodies = [
        json!({}),
        json!({ "content": "" }),
        json!({ "content": " \t\r\n" }),
        json!({ "content": "\u{a0}\u{3000}" }),
    ];
    for body in bodies {
        ada.post("/tickets/3/messages", body).invalid(&["content"]);
    }
    for content in [json!(null), json!(5), json!(true), json!(["x"]), json!({})] {
        ada.post("/tickets/3/messages", json!({ "content": content })).invalid(&["content"]);
    }
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM message WHERE ticket_id = 3"), 0);
}

#[test]
fn content_is_counted_in_characters() {
    let app = TestApp::desk();
    let exactly = "ü".repeat(100_000);
    let answer = app.agent("ada").post("/tickets/3/messages", json!({ "content": exactly }));
    assert_eq!(answer.data()["content"], exactly);
    let more = "x".repeat(100_001);
    app.agent("ada").post("/tickets/3/messages", json!({ "content": more })).invalid(&["content"]);
}

#[test]
fn control_characters_are_refused() {
    let app = TestApp::desk();
    for control in (0..0x20u8).map(char::from).filter(|c| !"\t\n\r".contains(*c)) {
        let body = json!({ "content": format!("a{control}b") });
        app.agent("ada").post("/tickets/3/messages", body).invalid(&["content"]);
    }
}

#[test]
fn whether_it_is_internal_is_a_boolean() {
    let app = TestApp::desk();
    for value in [json!("true"), json!(1), json!(0), json!(null), json!([])] {
        let body = json!({ "content": "x", "is_internal": value });
        app.agent("ada").post("/tickets/3/messages", body).invalid(&["is_internal"]);
    }
}

#[test]
fn a_message_names_every_field_that_is_wrong() {
    let app = TestApp::desk();
    let body = json!({ "is_internal": 1, "sender": "me", "customer_id": 1 });
    app.agent("ada").post("/tickets/3/messages", body).invalid(&[
        "content",
        "is_internal",
        "sender",
        "customer_id",
    ]);
}

#[test]
fn a_reply_to_what_is_not_there_is_not_found() {
    let app = TestApp::desk();
    app.agent("ada").post("/tickets/99/messages", json!({ "content": "x" })).refused(404, "not_found");
}

#[test]
fn a_reply_is_logged_without_its_text() {
    let app = TestApp::desk();
    app.agent("ada").post("/tickets/3/messages", json!({ "content": "Xylophone" })).data();
    let entry: String =
        app.look_up("SELECT json_array(action, description, changes) FROM activity ORDER BY id DESC");
    assert!(
        entry.contains("message.replied") && entry.contains("#1003") && !entry.contains("Xylophone"),
        "{entry}"
    );
}

#[test]
fn the_first_public_reply_is_the_first_response_and_the_second_is_not() {
    let app = TestApp::desk();
    for body in
        [json!({ "content": "n", "is_internal": true }), json!({ "content": "a" }), json!({ "content": "b" })]
    {
        app.agent("ada").post("/tickets/3/messages", body).data();
    }
    let events = "SELECT count(*) FROM ticket_event WHERE ticket_id = 3 AND kind = 'first_response'";
    assert_eq!(app.look_up::<i64>(events), 1);
}

// ---------------------------------------------------------------- like

#[test]
fn a_like_toggles() {
    let app = TestApp::desk();
    let like = || app.agent("ada").act("/tickets/1/messages/2/like");
    let first = like();
    assert_eq!(first.status, 200);
    assert_eq!(*first.data(), json!({ "liked": true, "count": 1 }));
    assert_eq!(fields(&first.json), ["status", "data"]);
    assert_eq!(*like().data(), json!({ "liked": false, "count": 0 }));
}

#[test]
fn the_count_is_everyones_and_the_like_is_ones_own() {
    let app = TestApp::desk();
    app.agent("ben").act("/tickets/1/messages/1/like").data();
    assert_eq!(
        *app.agent("ada").act("/tickets/1/messages/1/like").data(),
        json!({ "liked": true, "count": 2 })
    );
    app.agent("ben").act("/tickets/1/messages/1/like").data();
    let as_ben = app.agent("ben").get("/tickets/1/messages").items()[0].clone();
    assert_eq!([&as_ben["liked"], &as_ben["likes_count"]], [&json!(false), &json!(1)]);
    let as_ada = app.agent("ada").get("/tickets/1/messages").items()[0].clone();
    assert_eq!([&as_ada["liked"], &as_ada["likes_count"]], [&json!(true), &json!(1)]);
}

#[test]
fn a_like_moves_no_time_and_tells_nobody() {
    let app = TestApp::desk();
    let state = || {
        let tag = app.agent("ada").get("/tickets/1").header("etag").unwrap().to_owned();
        let times: String = app.look_up("SELECT json_group_array(updated_at) FROM (SELECT updated_at FROM message UNION ALL SELECT updated_at FROM ticket)");
        (
            tag,
            times,
            app.look_up::<i64>("SELECT count(*) FROM activity"),
            app.look_up::<i64>("SELECT count(*) FROM notification"),
        )
    };
    let before = state();
    app.advance(60);
    app.agent("ada").act("/tickets/1/messages/2/like").data();
    assert_eq!(state(), before);
}

#[test]
fn a_note_and_a_locked_tickets_message_can_be_liked() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").act("/tickets/1/messages/3/like").data()["count"], 1);
    assert_eq!(app.agent("ada").act("/tickets/4/messages/5/like").data()["count"], 1);
}

#[test]
fn a_message_of_another_ticket_is_not_found() {
    let app = TestApp::desk();
    app.agent("ada").act("/tickets/1/messages/5/like").refused(404, "not_found");
    app.agent("ada").act("/tickets/1/messages/99/like").refused(404, "not_found");
    app.agent("ada").act("/tickets/99/messages/1/like").refused(404, "not_found");
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM message_like"), 0);
}

#[test]
fn a_like_names_every_id_that_is_wrong() {
    TestApp::desk().agent("ada").act("/tickets/0/messages/x/like").invalid(&["ticketId", "messageId"]);
}
