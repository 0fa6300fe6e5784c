//! Canned responses.

use serde_json::json;

use crate::harness::{TestApp, fields};

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
