//! The look-up of departments.

use serde_json::json;

use crate::harness::{TestApp, fields};

#[test]
fn departments_are_the_published_ones_unpaginated() {
    let app = TestApp::desk();
    app.change(|tx| lodge::seed::store::insert_department(tx, "Secret", "", "x@desk.example", tx.now));
    app.sql("UPDATE department SET status = 'draft' WHERE name = 'Secret'");
    let answer = app.agent("ada").get("/departments");
    assert_eq!(
        answer.json,
        json!({ "status": true, "data": [
            { "id": 2, "name": "Billing", "description": "Money." },
            { "id": 1, "name": "Support", "description": "What does not work." },
        ]})
    );
    assert_eq!(fields(&answer.items()[0]), ["id", "name", "description"]);
    assert_eq!(answer.header("link"), None);
}

#[test]
fn departments_go_by_sort_order_first() {
    let app = TestApp::desk();
    app.sql("UPDATE department SET sort_order = 7 WHERE id = 2");
    assert_eq!(app.agent("ada").get("/departments").ids(), [1, 2]);
}

#[test]
fn a_department_without_a_description_says_null() {
    let app = TestApp::desk();
    app.sql("UPDATE department SET description = NULL WHERE id = 2");
    assert_eq!(
        app.agent("ada").get("/departments").items()[0],
        json!({ "id": 2, "name": "Billing", "description": null })
    );
}
