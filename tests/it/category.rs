//! The administrator's categories. What holds for every plain noun is in `noun.rs`.

use serde_json::{Value, json};

use crate::harness::TestApp;
use crate::noun::last_entry;

/// Three more categories, each below the one before: 1 Account, 2, 3, 4.
fn line(app: &TestApp) {
    for parent in 1..4 {
        app.admin()
            .post("/categories", json!({ "name": format!("Below {parent}"), "parent_id": parent }))
            .data();
    }
}

#[test]
fn a_category_goes_below_another_and_back_to_the_top() {
    let app = TestApp::desk();
    line(&app);
    assert_eq!(app.admin().get("/categories/4").data()["parent_id"], 3);
    assert_eq!(app.admin().put("/categories/4", json!({ "parent_id": 1 })).data()["parent_id"], 1);
    assert_eq!(last_entry(&app).2, json!({ "parent_id": { "from": 3, "to": 1 } }));
    assert_eq!(
        app.admin().put("/categories/4", json!({ "parent_id": null })).data()["parent_id"],
        Value::Null
    );
}

#[test]
fn a_parent_must_be_there() {
    let app = TestApp::desk();
    for bad in [99, i64::MAX, 0, -1] {
        app.admin().post("/categories", json!({ "name": "X", "parent_id": bad })).invalid(&["parent_id"]);
        app.admin().put("/categories/1", json!({ "parent_id": bad })).invalid(&["parent_id"]);
    }
}

#[test]
fn a_category_is_never_below_itself() {
    let app = TestApp::desk();
    line(&app);
    for below in 1..=4 {
        app.admin().put("/categories/1", json!({ "parent_id": below })).invalid(&["parent_id"]);
    }
    app.admin().put("/categories/3", json!({ "parent_id": 4 })).invalid(&["parent_id"]);
    app.admin().put("/categories/3", json!({ "parent_id": 1 })).data();
}

#[test]
fn deleting_a_parent_makes_roots_of_its_children_only() {
    let app = TestApp::desk();
    line(&app);
    app.admin().delete("/categories/2").json["status"].as_bool().unwrap();
    let parents: Vec<Value> =
        [1, 3, 4].map(|id| app.admin().get(&format!("/categories/{id}")).data()["parent_id"].clone()).into();
    assert_eq!(parents, [Value::Null, Value::Null, json!(3)]);
}
