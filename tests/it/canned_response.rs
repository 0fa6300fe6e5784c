//! Canned responses, as agents see them and as administrators keep them.

use serde_json::json;

use crate::harness::{TestApp, fields};
use crate::noun::last_entry;

fn add(app: &TestApp, title: &str, active: bool, sort_order: i64) {
    app.connection()
        .execute(
            "INSERT INTO canned_response (title, title_fold, content, is_active, sort_order, created_at, updated_at)
             VALUES (?, ?, 'Text', ?, ?, 0, 0)",
            rusqlite::params![title, lodge::text::fold(title), active, sort_order],
        )
        .unwrap();
}

#[test]
fn a_canned_response_is_the_users_shape_field_for_field() {
    let answer = TestApp::sample().agent("mira").get("/canned-responses");
    let first = &answer.items()[0];
    let shape = ["id", "title", "content", "category", "shortcut", "is_active", "sort_order"];
    assert_eq!(fields(first), shape);
    assert_eq!([&first["title"], &first["category"], &first["shortcut"]], ["Greeting", "General", "/greet"]);
    assert_eq!((&first["is_active"], &first["sort_order"]), (&json!(true), &json!(0)));
}

#[test]
fn canned_responses_are_whole_and_unpaginated() {
    let answer = TestApp::sample().agent("mira").get("/canned-responses?per_page=2&page=3");
    assert_eq!(answer.items().len(), 20);
    assert_eq!(fields(&answer.json), ["status", "data"]);
    assert_eq!(answer.header("link"), None);
}

#[test]
fn only_active_ones_are_listed() {
    let app = TestApp::desk();
    add(&app, "Off", false, 0);
    add(&app, "On", true, 0);
    assert_eq!(app.agent("ada").get("/canned-responses").each("title"), ["On"]);
}

#[test]
fn they_go_by_sort_order_then_folded_title() {
    let app = TestApp::desk();
    for (title, sort_order) in [("zoo", 0), ("Ärger", 0), ("apple", 0), ("B", 0), ("First", 0), ("aaa", 1)] {
        add(&app, title, true, sort_order);
    }
    let titles = app.agent("ada").get("/canned-responses").each("title");
    assert_eq!(titles, ["apple", "Ärger", "B", "First", "zoo", "aaa"]);
}

#[test]
fn what_is_unset_is_null() {
    let app = TestApp::desk();
    add(&app, "Bare", true, 3);
    let expected = json!({
        "id": 1, "title": "Bare", "content": "Text", "category": null, "shortcut": null, "is_active": true, "sort_order": 3
    });
    assert_eq!(app.agent("ada").get("/canned-responses").items()[0], expected);
}

#[test]
fn a_shortcut_belongs_to_one_of_them() {
    let app = TestApp::desk();
    let new = |title: &str, shortcut: &str| {
        app.admin().post("/canned-responses", json!({ "title": title, "shortcut": shortcut }))
    };
    assert_eq!(new("One", "/hi").data()["id"], 1);
    new("Two", "/hi").invalid(&["shortcut"]);
    new("Two", "").invalid(&["shortcut"]);
    assert_eq!(new("Two", "/HI").data()["id"], 2);
    app.admin().put("/canned-responses/2", json!({ "shortcut": "/hi" })).invalid(&["shortcut"]);
    app.admin().put("/canned-responses/1", json!({ "shortcut": "/hi", "title": "Uno" })).data();
    app.admin().put("/canned-responses/1", json!({ "shortcut": null })).data();
    app.admin().put("/canned-responses/2", json!({ "shortcut": "/hi" })).data();
}

#[test]
fn what_an_administrator_writes_agents_see_while_it_is_active() {
    let app = TestApp::desk();
    let seen = || app.agent("ada").get("/canned-responses").each("content");
    app.admin().post("/canned-responses", json!({ "title": "Hi", "content": "Hello!" })).data();
    assert_eq!(seen(), ["Hello!"]);
    app.admin().put("/canned-responses/1", json!({ "is_active": false })).data();
    assert!(seen().is_empty());
}

#[test]
fn the_log_says_how_long_an_answer_is_and_not_what_it_is() {
    let app = TestApp::desk();
    app.admin().post("/canned-responses", json!({ "title": "Hi", "content": "Secret" })).data();
    assert_eq!(last_entry(&app).2["content"], json!({ "from": null, "to": "6 characters" }));
}
