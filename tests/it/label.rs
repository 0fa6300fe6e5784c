//! The look-up of labels.

use serde_json::json;

use crate::harness::{TestApp, fields};

#[test]
fn labels_are_the_published_ones_unpaginated() {
    let answer = TestApp::desk().agent("ada").get("/labels");
    assert_eq!(
        answer.json,
        json!({ "status": true, "data": [
            { "id": 1, "name": "Bug", "color": "#e74c3c" },
            { "id": 2, "name": "Idea", "color": "#e74c3c" },
        ]})
    );
    assert_eq!(fields(&answer.items()[0]), ["id", "name", "color"]);
    assert_eq!(answer.header("link"), None);
}

#[test]
fn labels_go_by_sort_order_then_name_then_id() {
    let app = TestApp::desk();
    app.change(|tx| {
        for name in ["zebra", "Éclair", "eclair", "apple"] {
            lodge::seed::store::insert_label(tx, name, "#abc", "published", tx.now)?;
        }
        Ok(())
    });
    app.sql("UPDATE label SET sort_order = 1 WHERE name = 'Bug'");
    let names = app.agent("ada").get("/labels").each("name");
    assert_eq!(names, ["apple", "Éclair", "eclair", "Idea", "zebra", "Bug"]);
}

#[test]
fn labels_ignore_paging_and_are_all_there() {
    let app = TestApp::desk();
    app.change(|tx| {
        for n in 0..300 {
            lodge::seed::store::insert_label(tx, &format!("L{n}"), "#abc", "published", tx.now)?;
        }
        Ok(())
    });
    assert_eq!(app.agent("ada").get("/labels?page=2&per_page=5").items().len(), 302);
}

#[test]
fn no_labels_are_an_empty_list() {
    let app = TestApp::desk();
    app.sql("DELETE FROM label");
    assert_eq!(app.agent("ada").get("/labels").json, json!({ "status": true, "data": [] }));
}
