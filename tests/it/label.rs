//! Labels: the look-up, and what administrators do with them beyond `noun.rs`.

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

#[test]
fn a_colour_has_three_or_six_digits_and_is_kept_as_sent() {
    let app = TestApp::desk();
    for good in ["#abc", "#AbC", "#a1B2c3"] {
        let answer = app.admin().post("/labels", json!({ "name": "X", "color": good }));
        assert_eq!(answer.data()["color"], good);
        assert_eq!(app.admin().put("/labels/1", json!({ "color": good })).data()["color"], good);
    }
    for bad in ["", "abc", "#ab", "#abcd", "#abcde", "#abcdefa", "#xyz", "red", " #abc", "#abc\n"] {
        app.admin().post("/labels", json!({ "name": "X", "color": bad })).invalid(&["color"]);
        app.admin().put("/labels/1", json!({ "color": bad })).invalid(&["color"]);
    }
}

#[test]
fn a_draft_label_leaves_the_look_up_and_cannot_be_newly_set() {
    let app = TestApp::desk();
    app.admin().put("/labels/2", json!({ "status": "draft" })).data();
    assert_eq!(app.agent("ada").get("/labels").ids(), [1]);
    app.agent("ada").put("/tickets/3", json!({ "labels": [2] })).invalid(&["labels"]);
    app.agent("ben").put("/tickets/1", json!({ "labels": [2] })).data();
    app.admin().put("/labels/2", json!({ "status": "published" })).data();
    app.agent("ada").put("/tickets/3", json!({ "labels": [2] })).data();
}
