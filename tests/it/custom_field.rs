//! The administrator's custom fields. What holds for every plain noun is in `noun.rs`.

use serde_json::json;

use crate::harness::TestApp;

#[test]
fn a_custom_field_has_one_of_nine_types() {
    let app = TestApp::desk();
    for kind in ["date", "datetime_local", "email", "number", "tel", "text", "textarea", "time", "url"] {
        let answer = app.admin().post("/custom-fields", json!({ "label": kind, "type": kind }));
        assert_eq!(answer.data()["type"], kind);
    }
    for bad in [json!("select"), json!(""), json!("Text"), json!(null), json!(1)] {
        app.admin().post("/custom-fields", json!({ "label": "X", "type": bad })).invalid(&["type"]);
        app.admin().put("/custom-fields/1", json!({ "type": bad })).invalid(&["type"]);
    }
}

#[test]
fn a_new_type_leaves_the_values_alone() {
    let app = TestApp::desk();
    app.admin().put("/custom-fields/1", json!({ "type": "number" })).data();
    let ticket = app.agent("ben").get("/tickets/1").data().clone();
    assert_eq!(
        ticket["custom_fields"][1],
        json!({ "id": 1, "label": "Browser", "type": "number", "value": "Chrome 120" })
    );
}

#[test]
fn deleting_one_takes_its_values_along_and_no_others() {
    let app = TestApp::desk();
    app.admin().delete("/custom-fields/1");
    assert_eq!(app.column::<i64>("SELECT custom_field_id FROM ticket_field"), [2]);
}
