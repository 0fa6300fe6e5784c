//! How the desk works.

use lodge::setting::store::next_reference;
use serde_json::{Value, json};

use crate::harness::TestApp;

fn defaults() -> Value {
    json!({
        "ticket_prefix": "#",
        "default_department_id": null,
        "default_priority": "medium",
        "auto_close_days": 0,
        "tickets_per_page": 15,
        "customer_max_tickets_per_day": 0,
        "auto_assign": false,
        "department_visibility": false,
        "time_zone": "UTC",
    })
}

#[test]
fn a_new_desk_has_the_defaults() {
    let answer = TestApp::desk().admin().get("/settings");
    assert_eq!(answer.json, json!({ "status": true, "data": defaults() }));
}

#[test]
fn every_setting_can_be_changed_and_is_recorded() {
    let app = TestApp::desk();
    let new = json!({
        "ticket_prefix": "ÄB-",
        "default_department_id": 2,
        "default_priority": "high",
        "auto_close_days": 36500,
        "tickets_per_page": 200,
        "customer_max_tickets_per_day": 2_147_483_647,
        "auto_assign": true,
        "department_visibility": true,
        "time_zone": "Europe/Berlin",
    });
    assert_eq!(app.admin().put("/settings", new.clone()).data(), &new);
    assert_eq!(app.admin().get("/settings").data(), &new);
    let entry: String =
        app.look_up("SELECT action || ' ' || subject_type || ' ' || ifnull(subject_id, '-') FROM activity");
    assert_eq!(entry, "settings.updated setting -");
    let changes: Value =
        serde_json::from_str(&app.look_up::<String>("SELECT changes FROM activity")).unwrap();
    for (field, to) in new.as_object().unwrap() {
        assert_eq!(changes[field], json!({ "from": defaults()[field], "to": to }), "{field}");
    }
}

#[test]
fn absent_leaves_alone_and_null_clears_only_the_department() {
    let app = TestApp::desk();
    app.admin().put("/settings", json!({ "default_department_id": 1, "auto_close_days": 3 })).data();
    let same = app.admin().put("/settings", json!({ "auto_close_days": 3 }));
    assert_eq!(
        (&same.data()["default_department_id"], &same.data()["auto_close_days"]),
        (&json!(1), &json!(3))
    );
    app.admin().put("/settings", json!({})).data();
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM activity"), 1);
    let nulls: Value = defaults().as_object().unwrap().keys().map(|key| (key.clone(), Value::Null)).collect();
    let others: Vec<String> = defaults()
        .as_object()
        .unwrap()
        .keys()
        .filter(|key| *key != "default_department_id")
        .cloned()
        .collect();
    let others: Vec<&str> = others.iter().map(String::as_str).collect();
    app.admin().put("/settings", nulls).invalid(&others);
    let cleared = app.admin().put("/settings", json!({ "default_department_id": null }));
    assert_eq!(cleared.data()["default_department_id"], Value::Null);
}

#[test]
fn wrong_values_are_refused_by_name() {
    let app = TestApp::desk();
    let refused = [
        ("ticket_prefix", json!(["a b", "a\tb", "\u{1}", "\u{a0}", "12345678901", 1])),
        ("default_department_id", json!([0, 99, "1"])),
        ("default_priority", json!(["", "urgent"])),
        ("auto_close_days", json!([-1, 36501, 1.5, "1"])),
        ("tickets_per_page", json!([0, 201])),
        ("customer_max_tickets_per_day", json!([-1, 2_147_483_648_i64])),
        ("auto_assign", json!([1, "true"])),
        ("department_visibility", json!([0])),
        ("time_zone", json!(["", "Mars/Phobos", "Etc/Unknown", "../etc/localtime", "CET-1CEST"])),
        ("next_reference", json!([1])),
    ];
    for (field, values) in refused {
        for value in values.as_array().unwrap() {
            app.admin().put("/settings", json!({ field: value })).invalid(&[field]);
        }
    }
    assert_eq!(app.admin().get("/settings").data(), &defaults());
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM activity"), 0);
    assert_eq!(app.admin().put("/settings", json!({ "ticket_prefix": "" })).data()["ticket_prefix"], "");
}

#[test]
fn a_time_zone_is_kept_under_its_own_name() {
    let app = TestApp::desk();
    let answer = app.admin().put("/settings", json!({ "time_zone": "europe/BERLIN" }));
    assert_eq!(answer.data()["time_zone"], "Europe/Berlin");
}

#[test]
fn settings_have_scopes_of_their_own() {
    let app = TestApp::desk();
    let (reads, changes) = (app.admin_with(&["settings:read"]), app.admin_with(&["settings:update"]));
    reads.get("/settings").data();
    changes.put("/settings", json!({})).data();
    reads.put("/settings", json!({})).refused(403, "forbidden_scope");
    changes.get("/settings").refused(403, "forbidden_scope");
}

#[test]
fn settings_count_from_the_next_request_on() {
    let app = TestApp::desk();
    app.admin().put("/settings", json!({ "tickets_per_page": 2, "department_visibility": true })).data();
    let list = app.agent("ada").get("/tickets");
    assert_eq!((list.json["meta"]["per_page"].as_i64(), list.ids().len()), (Some(2), 2));
    app.agent("ben").get("/tickets/3").refused(404, "not_found");
    app.sql("UPDATE ticket SET department_id = 1 WHERE id = 3");
    app.agent("ben").get("/tickets/3").data();
}

#[test]
fn a_reference_that_reads_like_one_that_was_used_is_passed_over() {
    let app = TestApp::desk();
    let next = || app.change(next_reference);
    assert_eq!(next(), "#1006");
    app.admin().put("/settings", json!({ "ticket_prefix": "#1" })).data();
    assert_eq!(next(), "#11007");
    app.sql("UPDATE setting SET ticket_prefix = '#', next_reference = 11006");
    app.sql("UPDATE ticket SET reference_id = '#11007' WHERE id = 5; INSERT INTO retired_reference VALUES ('#11008')");
    assert_eq!([next(), next()], ["#11006", "#11009"]);
}
