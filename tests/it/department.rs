//! Departments: the look-up, and what administrators do with them beyond `noun.rs`.

use serde_json::{Value, json};

use crate::harness::{TestApp, fields};
use crate::noun::last_entry;

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

/// The default department, by the setting and by what each department shows.
fn default(app: &TestApp) -> Option<i64> {
    let setting: Option<i64> = app.look_up("SELECT default_department_id FROM setting");
    let list = app.admin().get("/departments");
    let shown: Vec<i64> = list
        .items()
        .iter()
        .filter(|it| it["is_default"] == true)
        .map(|it| it["id"].as_i64().unwrap())
        .collect();
    assert_eq!(shown, setting.into_iter().collect::<Vec<_>>());
    setting
}

#[test]
fn one_department_at_most_is_the_default() {
    let app = TestApp::desk();
    assert_eq!(default(&app), None);
    assert_eq!(app.admin().put("/departments/1", json!({ "is_default": true })).data()["is_default"], true);
    assert_eq!(default(&app), Some(1));
    assert_eq!(last_entry(&app).2, json!({ "is_default": { "from": false, "to": true } }));
    app.admin().put("/departments/2", json!({ "is_default": true })).data();
    assert_eq!(default(&app), Some(2));
    app.admin().post("/departments", json!({ "name": "Third", "is_default": false })).data();
    assert_eq!(default(&app), Some(2));
    app.admin().post("/departments", json!({ "name": "Fourth", "is_default": true })).data();
    assert_eq!(default(&app), Some(4));
    app.admin().delete("/departments/4");
    assert_eq!(default(&app), None);
}

#[test]
fn only_the_default_department_can_give_it_up() {
    let app = TestApp::desk();
    app.admin().put("/departments/1", json!({ "is_default": true })).data();
    app.admin().put("/departments/2", json!({ "is_default": false, "name": "Money" })).data();
    assert_eq!(default(&app), Some(1));
    app.admin().put("/departments/1", json!({ "name": "Help" })).data();
    assert_eq!(default(&app), Some(1));
    app.admin().put("/departments/1", json!({ "is_default": false })).data();
    assert_eq!(default(&app), None);
    assert_eq!(last_entry(&app).2, json!({ "is_default": { "from": true, "to": false } }));
}

#[test]
fn a_draft_can_be_the_default() {
    let app = TestApp::desk();
    app.admin().put("/departments/1", json!({ "is_default": true, "status": "draft" })).data();
    assert_eq!(default(&app), Some(1));
}

#[test]
fn a_department_that_stops_being_the_default_has_not_changed() {
    let app = TestApp::desk();
    app.admin().put("/departments/1", json!({ "is_default": true })).data();
    let before = app.admin().get("/departments/1").data()["updated_at"].clone();
    app.advance(60);
    app.admin().put("/departments/2", json!({ "is_default": true })).data();
    assert_eq!(app.admin().get("/departments/1").data()["updated_at"], before);
}

#[test]
fn an_email_address_is_one() {
    let app = TestApp::desk();
    for bad in ["", "x", "@x", "a b@c", &format!("a@{}", "x".repeat(253))] {
        app.admin().put("/departments/1", json!({ "email": bad })).invalid(&["email"]);
        app.admin().post("/departments", json!({ "name": "X", "email": bad })).invalid(&["email"]);
    }
    // Two departments may share one.
    app.admin().put("/departments/1", json!({ "email": "desk@desk.example" })).data();
    app.admin().put("/departments/2", json!({ "email": "desk@desk.example" })).data();
}

#[test]
fn without_its_department_a_ticket_is_counted_and_listed_as_before() {
    let app = TestApp::desk();
    let seen = |path: &str| {
        let answer = app.agent("ada").get(path);
        (answer.ids(), answer.json["meta"]["total"].clone())
    };
    let all = seen("/tickets");
    let dashboard = app.agent("ada").get("/dashboard").json;
    assert_eq!(seen("/tickets?department_id=1").1, 2);
    app.admin().delete("/departments/1");
    assert_eq!(seen("/tickets"), all);
    assert_eq!(app.agent("ada").get("/dashboard").json, dashboard);
    assert_eq!(seen("/tickets?department_id=1"), (vec![], json!(0)));
    let copies: i64 = app.look_up(
        "SELECT count(*) FROM ticket_agent ta JOIN ticket t ON t.id = ta.ticket_id WHERE ta.department_id IS NOT t.department_id",
    );
    assert_eq!(copies, 0);
    let counted = "SELECT group_concat(agent_id || ':' || department_id || ':' || n, ' ') FROM
       (SELECT agent_id, department_id, sum(n) AS n FROM ticket_count GROUP BY 1, 2 HAVING sum(n) > 0 ORDER BY 1, 2)";
    let truly = "SELECT group_concat(agent_id || ':' || department_id || ':' || n, ' ') FROM (
       SELECT 0 AS agent_id, ifnull(department_id, 0) AS department_id, count(*) AS n FROM ticket GROUP BY 2
       UNION ALL SELECT ta.agent_id, ifnull(t.department_id, 0), count(*) FROM ticket_agent ta JOIN ticket t ON t.id = ta.ticket_id
         GROUP BY 1, 2 ORDER BY 1, 2)";
    assert_eq!(app.look_up::<String>(counted), app.look_up::<String>(truly));
}

#[test]
fn agents_leave_a_department_that_is_deleted() {
    let app = TestApp::desk();
    app.sql("UPDATE setting SET department_visibility = 1");
    app.sql("INSERT INTO agent_department VALUES (1, 2)");
    app.agent("ada").get("/tickets/2").data();
    app.admin().delete("/departments/2");
    app.agent("ada").get("/tickets/2").refused(404, "not_found");
    assert_eq!(app.agent("cleo").get("/tickets/2").data()["department"], Value::Null);
}
