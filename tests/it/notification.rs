//! Notifications: what agents are told, and reading it.

use serde_json::{Value, json};

use crate::harness::{TestApp, fields};

/// Ben closes a ticket that Ada is on: Ada is told.
fn told(app: &TestApp) {
    app.agent("ben").put("/tickets/1", json!({ "status": "on_hold" })).data();
}

fn unread(app: &TestApp, handle: &str) -> i64 {
    app.agent(handle).get("/notifications/unread-count").data()["unread_count"].as_i64().unwrap()
}

#[test]
fn a_notification_is_the_users_shape_field_for_field() {
    let app = TestApp::desk();
    told(&app);
    let answer = app.agent("ada").get("/notifications");
    let notification = &answer.items()[0];
    let shape = [
        "id",
        "type",
        "title",
        "message",
        "ticket_id",
        "sender_name",
        "sender_avatar",
        "is_read",
        "created_at",
    ];
    assert_eq!(fields(notification), shape);
    assert_eq!(notification["type"], "ticket_status");
    assert_eq!([&notification["ticket_id"], &notification["is_read"]], [&json!(1), &json!(false)]);
    assert_eq!(
        [&notification["sender_name"], &notification["sender_avatar"]],
        ["Ben Ortiz", "https://desk.example/ben.png"]
    );
    assert_eq!(answer.json["meta"], json!({ "current_page": 1, "last_page": 1, "per_page": 20, "total": 1 }));
}

#[test]
fn titles_hold_reference_and_sender_and_never_the_tickets_text() {
    let app = TestApp::desk();
    told(&app);
    app.agent("ben")
        .post("/tickets/1/messages", json!({ "content": "Xylophone", "is_internal": true }))
        .data();
    for notification in app.agent("ada").get("/notifications").items() {
        let text = format!("{} {}", notification["title"], notification["message"]);
        assert!(text.contains("#1001") && text.contains("Ben Ortiz"), "{text}");
        assert!(!text.contains("Xylophone") && !text.contains("account"), "{text}");
    }
}

#[test]
fn the_one_who_did_it_is_not_told() {
    let app = TestApp::desk();
    told(&app);
    assert_eq!((unread(&app, "ben"), unread(&app, "ada"), unread(&app, "cleo")), (0, 1, 0));
}

#[test]
fn any_change_of_status_is_told_and_other_changes_are_not() {
    let app = TestApp::desk();
    let ben = app.agent("ben");
    ben.put("/tickets/1", json!({ "priority": "low", "labels": [] })).data();
    assert_eq!(unread(&app, "ada"), 0);
    for (n, status) in ["in_progress", "on_hold", "closed", "open"].into_iter().enumerate() {
        ben.put("/tickets/1", json!({ "status": status })).data();
        assert_eq!(unread(&app, "ada"), n as i64 + 1);
    }
    ben.act("/tickets/1/close").data();
    assert_eq!(unread(&app, "ada"), 5);
    ben.act("/tickets/1/close").data();
    assert_eq!(unread(&app, "ada"), 5, "nothing changed");
}

#[test]
fn a_note_is_told_and_a_public_reply_is_not() {
    let app = TestApp::desk();
    app.agent("ben").post("/tickets/1/messages", json!({ "content": "Public" })).data();
    assert_eq!(unread(&app, "ada"), 0);
    app.agent("ben").post("/tickets/1/messages", json!({ "content": "Note", "is_internal": true })).data();
    assert_eq!(app.agent("ada").get("/notifications").each("type"), ["ticket_note"]);
}

#[test]
fn only_a_boolean_false_mutes() {
    let app = TestApp::desk();
    let loud = [
        json!({}),
        json!({ "ticket_status": true }),
        json!({ "ticket_status": 0 }),
        json!({ "ticket_status": "false" }),
        json!({ "ticket_status": null }),
        json!({ "ticket_note": false }),
    ];
    for (n, settings) in loud.into_iter().enumerate() {
        app.agent("ada").put("/profile", json!({ "notification_settings": settings })).data();
        let status = if n % 2 == 0 { "on_hold" } else { "open" };
        app.agent("ben").put("/tickets/1", json!({ "status": status })).data();
        assert_eq!(unread(&app, "ada"), n as i64 + 1);
    }
    app.agent("ada").put("/profile", json!({ "notification_settings": { "ticket_status": false } })).data();
    app.agent("ben").put("/tickets/1", json!({ "status": "in_progress" })).data();
    assert_eq!(unread(&app, "ada"), 6);
}

#[test]
fn an_inactive_agent_is_not_told() {
    let app = TestApp::desk();
    app.sql("UPDATE agent SET is_active = 0 WHERE id = 1");
    told(&app);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM notification"), 0);
}

#[test]
fn a_refused_change_tells_nobody() {
    let app = TestApp::desk();
    app.agent("ben").put("/tickets/1", json!({ "status": "closed", "labels": [99] })).invalid(&["labels"]);
    app.agent("ben")
        .post("/tickets/4/messages", json!({ "content": "x", "is_internal": true }))
        .refused(403, "ticket_locked");
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM notification"), 0);
}

#[test]
fn notifications_come_newest_first_twenty_a_page() {
    let app = TestApp::desk();
    for n in 0..21 {
        app.agent("ben")
            .post("/tickets/1/messages", json!({ "content": format!("{n}"), "is_internal": true }))
            .data();
    }
    let first = app.agent("ada").get("/notifications");
    let ids = first.ids();
    assert_eq!((ids.len(), &first.json["meta"]["last_page"]), (20, &json!(2)));
    assert!(ids.is_sorted_by(|a, b| a > b));
    assert_eq!(app.agent("ada").get("/notifications?page=2").items().len(), 1);
    assert_eq!(app.agent("ada").get("/notifications?per_page=7").items().len(), 7);
}

#[test]
fn unread_ones_can_be_listed_alone() {
    let app = TestApp::desk();
    told(&app);
    told_again(&app);
    let ids = app.agent("ada").get("/notifications").ids();
    app.agent("ada").act(&format!("/notifications/{}/read", ids[0])).data();
    let unread = app.agent("ada").get("/notifications?unread=true");
    assert_eq!((unread.ids(), &unread.json["meta"]["total"]), (vec![ids[1]], &json!(1)));
    assert_eq!(app.agent("ada").get("/notifications?unread=false").ids(), ids);
}

fn told_again(app: &TestApp) {
    app.agent("ben").put("/tickets/1", json!({ "status": "open" })).data();
}

#[test]
fn unread_is_true_or_false() {
    let app = TestApp::desk();
    for value in ["1", "0", "yes", "TRUE", ""] {
        app.agent("ada").get(&format!("/notifications?unread={value}")).invalid(&["unread"]);
    }
}

#[test]
fn the_unread_count_is_as_the_user_describes() {
    let app = TestApp::desk();
    told(&app);
    let answer = app.agent("ada").get("/notifications/unread-count");
    assert_eq!(answer.json, json!({ "status": true, "data": { "unread_count": 1 } }));
}

#[test]
fn marking_as_read_returns_the_notification_and_may_be_repeated() {
    let app = TestApp::desk();
    told(&app);
    let before = app.agent("ada").get("/notifications").items()[0].clone();
    let path = format!("/notifications/{}/read", before["id"]);
    let first = app.agent("ada").act(&path);
    assert_eq!(first.status, 200);
    let mut expected = before;
    expected["is_read"] = json!(true);
    assert_eq!(*first.data(), expected);
    assert_eq!(unread(&app, "ada"), 0);
    assert_eq!(app.agent("ada").act(&path).json, first.json);
    assert_eq!(unread(&app, "ada"), 0);
}

#[test]
fn another_agents_notification_is_not_found() {
    let app = TestApp::desk();
    told(&app);
    let id = app.agent("ada").get("/notifications").ids()[0];
    let foreign = app.agent("ben").act(&format!("/notifications/{id}/read"));
    foreign.refused(404, "not_found");
    assert_eq!(foreign.body, app.agent("ben").act("/notifications/999/read").body);
    assert_eq!(unread(&app, "ada"), 1);
}

#[test]
fn the_id_of_a_notification_is_checked() {
    TestApp::desk().agent("ada").act("/notifications/0/read").invalid(&["id"]);
    TestApp::desk().agent("ada").act("/notifications/read-most/read").invalid(&["id"]);
}

#[test]
fn marking_all_says_how_many_were_unread() {
    let app = TestApp::desk();
    told(&app);
    told_again(&app);
    app.agent("ada").act("/tickets/4/close").data();
    let all = app.agent("ada").act("/notifications/read-all");
    assert_eq!((all.status, &all.json), (200, &json!({ "status": true, "data": { "marked": 2 } })));
    assert_eq!(unread(&app, "ada"), 0);
    assert_eq!(unread(&app, "ben"), 1, "another agent's stay unread");
    assert_eq!(app.agent("ada").act("/notifications/read-all").data()["marked"], 0);
}

#[test]
fn a_customers_reply_is_what_it_looks_like_in_the_sample() {
    let app = TestApp::sample();
    let answer = app.agent("mira").get("/notifications?per_page=200");
    let reply = answer.items().iter().find(|item| item["type"] == "ticket_reply").unwrap();
    assert!(reply["title"].as_str().unwrap().starts_with("New reply on #"), "{reply}");
    assert_eq!(reply["sender_avatar"], Value::Null);
}
