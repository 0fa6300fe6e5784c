//! The administrator's reports.

use serde_json::{Value, json};

use crate::harness::{Response, TestApp, fields, time};

fn overview(app: &TestApp, query: &str) -> Value {
    app.admin().get(&format!("/reports/overview?{query}")).data().clone()
}

/// Something that happened to a ticket of the desk.
fn event(app: &TestApp, kind: &str, ticket: i64, at: &str, seconds: i64) {
    let at = time(at).0;
    app.sql(&format!(
        "INSERT INTO ticket_event (ticket_id, kind, at, seconds) VALUES ({ticket}, '{kind}', {at}, {seconds})"
    ));
}

fn set_zone(app: &TestApp, zone: &str) {
    app.sql(&format!("UPDATE setting SET time_zone = '{zone}'"));
}

/// The item of a list about somebody or something of this name.
fn of<'a>(list: &'a Response, noun: &str, name: &str) -> &'a Value {
    list.items().iter().find(|item| item[noun]["name"] == name).unwrap()
}

#[test]
fn the_overview_counts_what_happened_on_its_day() {
    let day =
        |date, created, closed| json!({ "date": date, "created": created, "closed": closed, "reopened": 0 });
    assert_eq!(
        overview(&TestApp::desk(), "start_date=2026-03-13&end_date=2026-03-16"),
        json!({
            "start_date": "2026-03-13",
            "end_date": "2026-03-16",
            "time_zone": "UTC",
            "created": 5,
            "closed": 1,
            "reopened": 0,
            "open_now": 4,
            "by_status": { "open": 4, "in_progress": 0, "on_hold": 0, "closed": 1 },
            "by_priority": { "low": 1, "medium": 2, "high": 1, "critical": 1 },
            "days": [
                day("2026-03-13", 0, 0),
                day("2026-03-14", 2, 0),
                day("2026-03-15", 2, 0),
                day("2026-03-16", 1, 1),
            ],
            "first_response": { "count": 2, "median_seconds": 3600, "p90_seconds": 7200 },
            "resolution": { "count": 1, "median_seconds": 32400, "p90_seconds": 32400 },
        })
    );
}

#[test]
fn a_period_without_events_has_zeros_and_no_percentiles() {
    let data = overview(&TestApp::desk(), "start_date=2026-01-01&end_date=2026-01-02");
    assert_eq!((&data["created"], &data["open_now"]), (&json!(0), &json!(4)));
    assert_eq!(data["by_status"], json!({ "open": 0, "in_progress": 0, "on_hold": 0, "closed": 0 }));
    assert_eq!(data["by_priority"], json!({ "low": 0, "medium": 0, "high": 0, "critical": 0 }));
    assert_eq!(data["days"].as_array().unwrap().len(), 2);
    let none = json!({ "count": 0, "median_seconds": null, "p90_seconds": null });
    assert_eq!((&data["first_response"], &data["resolution"]), (&none, &none));
}

#[test]
fn the_usual_period_is_thirty_days_to_today_in_the_desks_time_zone() {
    let app = TestApp::desk();
    let data = overview(&app, "");
    assert_eq!((&data["start_date"], &data["end_date"]), (&json!("2026-02-15"), &json!("2026-03-16")));
    assert_eq!(data["days"].as_array().unwrap().len(), 30);
    set_zone(&app, "Pacific/Kiritimati");
    let data = overview(&app, "");
    assert_eq!((&data["start_date"], &data["end_date"]), (&json!("2026-02-16"), &json!("2026-03-17")));
    assert_eq!(data["time_zone"], "Pacific/Kiritimati");
    let data = overview(&app, "end_date=2026-03-01");
    assert_eq!((&data["start_date"], &data["end_date"]), (&json!("2026-02-16"), &json!("2026-03-01")));
}

#[test]
fn days_are_those_of_the_time_zone_when_the_clocks_change_too() {
    let app = TestApp::desk();
    let reopened = |zone: &str, start: &str, end: &str| {
        set_zone(&app, zone);
        let data = overview(&app, &format!("start_date={start}&end_date={end}"));
        let days = data["days"].as_array().unwrap().iter().map(|day| day["reopened"].as_i64().unwrap());
        assert_eq!(data["reopened"], days.clone().sum::<i64>());
        days.collect::<Vec<_>>()
    };
    // The days of Berlin's change begin at 23:00 and end at 22:00 UTC; Cairo's begins at one o'clock, 22:00 UTC.
    for at in [
        "2026-03-28T22:59:59.999999Z",
        "2026-03-28T23:00:00Z",
        "2026-03-29T21:59:59Z",
        "2026-03-29T22:00:00Z",
    ] {
        event(&app, "reopened", 3, at, 1);
    }
    assert_eq!(reopened("Europe/Berlin", "2026-03-28", "2026-03-30"), [1, 2, 1]);
    assert_eq!(reopened("Europe/Berlin", "2026-03-29", "2026-03-29"), [2]);
    event(&app, "reopened", 3, "2026-04-23T21:59:59Z", 1);
    event(&app, "reopened", 3, "2026-04-23T22:00:00Z", 1);
    assert_eq!(reopened("Africa/Cairo", "2026-04-23", "2026-04-24"), [1, 1]);
    assert_eq!(reopened("UTC", "2026-04-23", "2026-04-24"), [2, 0]);
}

#[test]
fn far_days_are_no_trouble() {
    let app = TestApp::desk();
    for zone in ["UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
        set_zone(&app, zone);
        for day in ["0000-01-01", "0001-01-01", "9999-12-31"] {
            let data = overview(&app, &format!("start_date={day}&end_date={day}"));
            assert_eq!((&data["created"], &data["days"][0]["date"]), (&json!(0), &json!(day)), "{zone}");
        }
        assert_eq!(overview(&app, "start_date=2020-01-01&end_date=2030-01-07")["created"], 5);
    }
}

#[test]
fn a_resolution_is_the_last_close() {
    let app = TestApp::desk();
    let set = |status| app.agent("ada").put("/tickets/5", json!({ "status": status })).status;
    // Closed after nine hours, reopened after eleven, closed again after twelve.
    app.advance(3600);
    assert_eq!(set("open"), 200);
    assert_eq!(overview(&app, "")["resolution"]["median_seconds"], 32400, "still the last there is");
    app.advance(3600);
    assert_eq!(set("closed"), 200);
    let data = overview(&app, "");
    assert_eq!((&data["closed"], &data["reopened"]), (&json!(2), &json!(1)));
    assert_eq!(data["days"][29], json!({ "date": "2026-03-16", "created": 1, "closed": 2, "reopened": 1 }));
    let last = json!({ "count": 1, "median_seconds": 43200, "p90_seconds": 43200 });
    assert_eq!(data["resolution"], last);
    // Reopened and closed once more on another day: until then it closed, and was not yet resolved.
    app.advance(86400);
    assert_eq!((set("open"), set("closed")), (200, 200));
    let before = overview(&app, "end_date=2026-03-16");
    assert_eq!((&before["closed"], &before["resolution"]["count"]), (&json!(2), &json!(0)));
    assert_eq!(overview(&app, "start_date=2026-03-17")["resolution"]["median_seconds"], 43200 + 86400);
}

#[test]
fn status_and_priority_are_those_of_now() {
    let app = TestApp::desk();
    app.agent("ada").put("/tickets/4", json!({ "status": "on_hold", "priority": "critical" })).data();
    let data = overview(&app, "start_date=2026-03-15&end_date=2026-03-15");
    assert_eq!(data["created"], 2);
    assert_eq!(data["by_status"], json!({ "open": 1, "in_progress": 0, "on_hold": 1, "closed": 0 }));
    assert_eq!(data["by_priority"], json!({ "low": 0, "medium": 1, "high": 0, "critical": 1 }));
    assert_eq!(data["open_now"], 4);
}

#[test]
fn a_creation_noted_at_another_moment_counts_all_the_same() {
    let app = TestApp::desk();
    app.sql("UPDATE ticket SET created_at = created_at - 1 WHERE id = 4");
    let data = overview(&app, "start_date=2026-03-15&end_date=2026-03-15");
    assert_eq!(
        (&data["created"], &data["by_status"]["open"], &data["by_priority"]["low"]),
        (&json!(2), &json!(2), &json!(1))
    );
}

#[test]
fn every_agent_has_an_item_with_the_fields_of_the_overview_but_days() {
    let app = TestApp::desk();
    let list = app.admin().get("/reports/agents?page=2&per_page=1");
    assert_eq!((list.header("link"), list.json.get("meta")), (None, None));
    let names: Vec<_> = list.items().iter().map(|item| item["agent"].clone()).collect();
    assert_eq!(
        names,
        [
            json!({ "id": 1, "name": "Ada Lind" }),
            json!({ "id": 2, "name": "Ben Ortiz" }),
            json!({ "id": 3, "name": "Cleo Marsh" })
        ]
    );
    let whole = overview(&app, "");
    let mut wanted = vec!["agent"];
    wanted.extend(fields(&whole).into_iter().filter(|name| *name != "days"));
    assert_eq!(fields(&list.items()[0]), wanted);
    assert_eq!(
        list.items()[0],
        json!({
            "agent": { "id": 1, "name": "Ada Lind" },
            "start_date": "2026-02-15",
            "end_date": "2026-03-16",
            "time_zone": "UTC",
            "created": 3,
            "closed": 1,
            "reopened": 0,
            "open_now": 2,
            "by_status": { "open": 2, "in_progress": 0, "on_hold": 0, "closed": 1 },
            "by_priority": { "low": 1, "medium": 1, "high": 0, "critical": 1 },
            "first_response": { "count": 1, "median_seconds": 3600, "p90_seconds": 3600 },
            "resolution": { "count": 1, "median_seconds": 32400, "p90_seconds": 32400 },
        })
    );
}

#[test]
fn agents_are_those_not_deleted_by_name_also_without_anything() {
    let app = TestApp::desk();
    app.sql(
        "UPDATE agent SET name = 'éva', name_fold = 'eva' WHERE id = 2;
         UPDATE agent SET is_active = 0 WHERE id = 1;
         UPDATE agent SET deleted_at = 1 WHERE id = 3;
         INSERT INTO agent (name, name_fold, email, email_fold, created_at, updated_at)
           VALUES ('Dan', 'dan', 'dan@desk.example', 'dan@desk.example', 0, 0)",
    );
    let list = app.admin().get("/reports/agents");
    let names: Vec<_> = list.each("agent").iter().map(|agent| agent["name"].clone()).collect();
    assert_eq!(names, ["Ada Lind", "Dan", "éva"]);
    let dan = of(&list, "agent", "Dan");
    assert_eq!((&dan["created"], &dan["resolution"]["median_seconds"]), (&json!(0), &Value::Null));
    assert_eq!(overview(&app, "")["created"], 5, "what a deleted agent led still happened");
}

#[test]
fn what_happened_is_the_leads_at_the_time() {
    let app = TestApp::desk();
    app.sql(
        "INSERT INTO ticket_agent SELECT id, 2, status, priority, department_id, awaits_reply, created_at, updated_at,
           last_reply_at, closed_at FROM ticket WHERE id = 3;
         UPDATE ticket SET assigned_to = 2 WHERE id = 3",
    );
    app.agent("ada").act("/tickets/3/close").data();
    let list = app.admin().get("/reports/agents");
    let (ada, ben) = (of(&list, "agent", "Ada Lind"), of(&list, "agent", "Ben Ortiz"));
    assert_eq!((&ada["created"], &ada["closed"], &ada["open_now"]), (&json!(3), &json!(1), &json!(1)));
    assert_eq!((&ben["created"], &ben["closed"], &ben["open_now"]), (&json!(1), &json!(1), &json!(1)));
    assert_eq!((&ada["by_status"]["closed"], &ben["by_status"]["closed"]), (&json!(2), &json!(0)));
    assert_eq!((&ada["resolution"]["count"], &ben["resolution"]["count"]), (&json!(1), &json!(1)));
}

#[test]
fn every_department_has_an_item_in_their_order() {
    let app = TestApp::desk();
    app.sql(
        "UPDATE department SET sort_order = 1 WHERE name = 'Support';
         INSERT INTO department (name, name_fold, status, created_at, updated_at) VALUES ('Zoo', 'zoo', 'draft', 0, 0);
         UPDATE ticket SET department_id = 2 WHERE id = 4",
    );
    let list = app.admin().get("/reports/departments");
    let names: Vec<_> = list.each("department").iter().map(|department| department["name"].clone()).collect();
    assert_eq!(names, ["Billing", "Zoo", "Support"]);
    let numbers = |name: &str| {
        let item = of(&list, "department", name);
        ["created", "closed", "open_now"].map(|field| item[field].as_i64().unwrap())
    };
    assert_eq!((numbers("Support"), numbers("Billing"), numbers("Zoo")), ([2, 0, 1], [1, 0, 2], [0, 0, 0]));
    let support = of(&list, "department", "Support");
    assert_eq!(support["department"], json!({ "id": 1, "name": "Support" }));
    assert_eq!(support["first_response"], json!({ "count": 1, "median_seconds": 7200, "p90_seconds": 7200 }));
    assert!(support.get("days").is_none() && support.get("agent").is_none());
}

#[test]
fn days_that_make_no_period_are_refused_by_name() {
    let app = TestApp::desk();
    for report in ["overview", "agents", "departments"] {
        let get = |query: &str| app.admin().get(&format!("/reports/{report}?{query}"));
        get("start_date=2026-03-17").invalid(&["start_date"]);
        get("start_date=2026-03-02&end_date=2026-03-01").invalid(&["start_date"]);
        get("start_date=2016-03-08&end_date=2026-03-16").invalid(&["start_date"]);
        get("start_date=0001-01-01&end_date=9999-12-31").invalid(&["start_date"]);
        get("start_date=2016-03-09&end_date=2026-03-16").data();
        get("start_date=2026-02-30&end_date=today").invalid(&["start_date", "end_date"]);
        get("start_date=").invalid(&["start_date"]);
        get("start_date=20260301").invalid(&["start_date"]);
        get("end_date=2026-03-01T00:00:00Z").invalid(&["end_date"]);
        get("end_date=2026-03-01&end_date=2026-03-01").invalid(&["end_date"]);
    }
}

#[test]
fn each_report_has_a_scope_of_its_own() {
    let app = TestApp::desk();
    for own in ["overview", "agents", "departments"] {
        let admin = app.admin_with(&[&format!("reports:{own}")]);
        for report in ["overview", "agents", "departments"] {
            let answer = admin.get(&format!("/reports/{report}"));
            if report == own {
                answer.data();
            } else {
                answer.refused(403, "forbidden_scope");
            }
        }
    }
}
