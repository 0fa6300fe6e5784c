//! Tickets as administrators open, change, list and delete them: every one of the desk.

use serde_json::{Value, json};

use crate::harness::{Response, TestApp, encode, fields, time};

/// A new ticket with nothing but what it must have, and this.
fn new(with: Value) -> Value {
    let mut new = json!({ "customer_id": 1, "title": "A title", "content": "A question." });
    for (name, value) in with.as_object().unwrap() {
        new[name] = value.clone();
    }
    new
}

#[track_caller]
fn create(app: &TestApp, with: Value) -> Response {
    let answer = app.admin().post("/tickets", new(with));
    assert_eq!(answer.status, 201, "{}", answer.json);
    answer
}

/// Everything that a refused request must leave alone.
fn traces(app: &TestApp) -> String {
    app.look_up(
        "SELECT json_array((SELECT json_group_array(json_array(id, version, updated_at, status)) FROM ticket),
           (SELECT count(*) FROM activity), (SELECT count(*) FROM notification), (SELECT count(*) FROM ticket_event),
           (SELECT count(*) FROM message), (SELECT count(*) FROM idempotency), (SELECT count(*) FROM ticket_label),
           (SELECT count(*) FROM ticket_agent), (SELECT json_group_array(value) FROM ticket_field))",
    )
}

fn entries(app: &TestApp) -> Vec<String> {
    app.column("SELECT action || ' ' || actor_type || ' ' || ticket_id FROM activity ORDER BY id")
}

/// What the last entry says has changed.
fn changes(app: &TestApp) -> Value {
    let text: String = app.look_up("SELECT changes FROM activity ORDER BY id DESC LIMIT 1");
    serde_json::from_str(&text).unwrap()
}

fn update(app: &TestApp, id: i64, patch: Value) -> Response {
    app.admin().put(&format!("/tickets/{id}"), patch)
}

/// The ids of the agents on a ticket as it is shown, and of its lead.
fn crew(answer: &Response) -> (Vec<i64>, Option<i64>) {
    let ticket = answer.data();
    let agents = ticket["agents"].as_array().unwrap().iter().map(|agent| agent["id"].as_i64().unwrap());
    (agents.collect(), ticket["assigned_to"]["id"].as_i64())
}

fn add_field(app: &TestApp, kind: &str, is_required: bool, status: &str) -> i64 {
    app.look_up(&format!(
        "INSERT INTO custom_field (label, type, is_required, status, created_at, updated_at)
         VALUES ('Extra', '{kind}', {is_required}, '{status}', 0, 0) RETURNING id"
    ))
}

// ---------------------------------------------------------------- create

#[test]
fn a_ticket_is_created_with_everything() {
    let app = TestApp::desk();
    let answer = create(
        &app,
        json!({
            "title": "Printer “X” on fire", "content": "It\nburns.", "customer_id": 2, "department_id": 2, "category_id": 1,
            "product_id": 1, "priority": "critical", "assigned_to": 3, "labels": [2, 1, 2],
            "custom_fields": [{ "id": 2, "value": 12 }, { "id": 1, "value": "Firefox" }],
        }),
    );
    assert_eq!(answer.header("location"), Some("/api/v1/internal/tickets/6"));
    assert_eq!(fields(&answer.json), ["status", "data"]);
    let ticket = answer.data();
    let now = &ticket["created_at"];
    let expected = json!({
        "id": 6, "reference_id": "#1006", "title": "Printer “X” on fire", "content": "It\nburns.", "status": "open",
        "priority": "critical", "department": { "id": 2, "name": "Billing" }, "category": { "id": 1, "name": "Account" },
        "product": { "id": 1, "name": "Platform" },
        "customer": { "id": 2, "name": ticket["customer"]["name"], "email": "zoe@canary.example" },
        "labels": [{ "id": 1, "name": "Bug", "color": "#e74c3c" }, { "id": 2, "name": "Idea", "color": "#e74c3c" }],
        "assigned_to": { "id": 3, "name": "Cleo Marsh" }, "agents": [{ "id": 3, "name": "Cleo Marsh" }],
        "custom_fields": [{ "id": 2, "label": "Seats", "type": "number", "value": "12" },
                          { "id": 1, "label": "Browser", "type": "text", "value": "Firefox" }],
        "is_resolved": false, "is_locked": false, "last_reply_at": null, "closed_at": null, "created_at": now, "updated_at": now,
    });
    assert_eq!(ticket, &expected);
    assert_eq!(fields(ticket), fields(&expected));
    assert_eq!(app.admin().get("/tickets/6").data(), ticket);
    assert_eq!(app.agent("cleo").get("/tickets/6").data(), ticket);
    app.agent("ada").get("/tickets/6").refused(404, "not_found");
    assert_eq!(app.agent("cleo").get("/tickets?q=on%20fire").ids(), [6]);
    assert!(app.admin().get("/tickets/6/messages").items().is_empty());
    assert_eq!(app.look_up::<String>("SELECT kind FROM ticket_event WHERE ticket_id = 6"), "created");
}

#[test]
fn what_is_left_out_has_the_settings_defaults() {
    let app = TestApp::desk();
    let bare = create(&app, json!({}));
    for name in ["department", "category", "product", "assigned_to", "last_reply_at", "closed_at"] {
        assert_eq!(bare.data()[name], Value::Null, "{name}");
    }
    for name in ["labels", "agents", "custom_fields"] {
        assert_eq!(bare.data()[name], json!([]), "{name}");
    }
    assert_eq!(bare.data()["priority"], "medium");
    let settings = json!({ "default_department_id": 2, "default_priority": "high", "ticket_prefix": "L-" });
    app.admin().put("/settings", settings).data();
    let usual = create(&app, json!({}));
    assert_eq!((&usual.data()["department"]["id"], &usual.data()["priority"]), (&json!(2), &json!("high")));
    assert_eq!(usual.data()["reference_id"], "L-1007");
    let none = create(
        &app,
        json!({ "department_id": null, "category_id": null, "product_id": null, "assigned_to": null }),
    );
    assert_eq!(none.data()["department"], Value::Null);
    let other = create(&app, json!({ "department_id": 1, "priority": "low" }));
    assert_eq!((&other.data()["department"]["id"], &other.data()["priority"]), (&json!(1), &json!("low")));
}

#[test]
fn a_default_department_that_is_a_draft_is_not_used() {
    let app = TestApp::desk();
    app.admin().put("/settings", json!({ "default_department_id": 2 })).data();
    app.sql("UPDATE department SET status = 'draft' WHERE id = 2");
    assert_eq!(create(&app, json!({})).data()["department"], Value::Null);
}

#[test]
fn wrong_values_are_refused_by_name_and_leave_no_trace() {
    let app = TestApp::desk();
    let before = traces(&app);
    let long = |n: usize| "x".repeat(n);
    app.sql("UPDATE agent SET is_active = 0 WHERE id = 2");
    app.sql("UPDATE agent SET deleted_at = 1 WHERE id = 3");
    app.sql("INSERT INTO department (name, name_fold, status, created_at, updated_at) VALUES ('D', 'd', 'draft', 0, 0)");
    app.sql("INSERT INTO category (name, name_fold, status, created_at, updated_at) VALUES ('D', 'd', 'draft', 0, 0)");
    app.sql("INSERT INTO product (name, name_fold, status, created_at, updated_at) VALUES ('D', 'd', 'draft', 0, 0)");
    let refused = [
        ("customer_id", json!([0, 99, "1", 1.5, null])),
        ("title", json!(["", " ", long(501), 5, null, "a\u{7}"])),
        ("content", json!(["", "\n", long(100_001), 5, null, "a\u{0}"])),
        ("department_id", json!([0, 99, "1", 3])),
        ("category_id", json!([0, 99, "1", 2])),
        ("product_id", json!([0, 99, "1", 2])),
        ("priority", json!(["", "urgent", 1, null])),
        ("assigned_to", json!([0, 99, "1", 2, 3])),
        ("labels", json!([[99], [3], [0], ["1"], [1, null], 1, null, vec![1; 51]])),
        (
            "custom_fields",
            json!([null, {}, [1], [null], [{ "id": 1 }], [{ "value": "x" }], [{ "id": 99, "value": "x" }]]),
        ),
        ("status", json!(["open"])),
        ("agents", json!([[1]])),
        ("is_locked", json!([true])),
        ("is_resolved", json!([true])),
        ("reference_id", json!(["#1"])),
    ];
    for (field, values) in refused {
        for value in values.as_array().unwrap() {
            app.admin().post("/tickets", new(json!({ field: value }))).invalid(&[field]);
        }
    }
    app.admin().post("/tickets", json!({})).invalid(&["customer_id", "title", "content"]);
    let all = json!({ "customer_id": 99, "department_id": 99, "category_id": 99, "product_id": 99, "assigned_to": 99,
                      "labels": [1, 99], "custom_fields": [{ "id": 99, "value": "x" }] });
    let every = [
        "customer_id",
        "department_id",
        "category_id",
        "product_id",
        "assigned_to",
        "labels",
        "custom_fields",
    ];
    app.admin().post("/tickets", new(all)).invalid(&every);
    assert_eq!(traces(&app), before);
}

#[test]
fn the_longest_title_and_text_fit() {
    let app = TestApp::desk();
    let answer = create(
        &app,
        json!({ "title": "ü".repeat(500), "content": "ü".repeat(100_000), "labels": vec![1; 50] }),
    );
    assert_eq!(answer.data()["title"], "ü".repeat(500));
    assert_eq!(answer.data()["labels"].as_array().unwrap().len(), 1);
}

#[test]
fn values_of_custom_fields_fit_their_type() {
    let app = TestApp::desk();
    let kinds = [
        ("date", json!(["2024-02-29"]), json!(["", "2026-02-30", "15.3.2026", 20_260_315, true])),
        (
            "datetime_local",
            json!(["2026-03-15T14:30", "2026-03-15T14:30:59"]),
            json!(["2026-03-15", "2026-03-15T14:30Z"]),
        ),
        (
            "time",
            json!(["23:59", "00:00:00"]),
            json!(["24:00", "7:30", "14:30+01", "14:30-05", "23:59:60", 7]),
        ),
        ("email", json!(["a@b.example"]), json!(["a", "a b@c", 5])),
        ("tel", json!(["+1 (555) 010-0"]), json!(["call me", 5_550_100])),
        ("url", json!(["https://a.example/b?c"]), json!(["a.example", "javascript:alert(1)"])),
        ("text", json!(["One line"]), json!(["two\nlines", 5, null, [], " "])),
        (
            "textarea",
            json!(["two\nlines", "x".repeat(100_000)]),
            json!(["x".repeat(100_001), 5, "a\u{0}", ""]),
        ),
        (
            "number",
            json!(["12", "-0.50", "1e3"]),
            json!(["", "1,5", "0x1", "NaN", " 1", "+1", true, {}, [1]]),
        ),
    ];
    for (kind, good, bad) in kinds {
        let id = add_field(&app, kind, false, "published");
        for value in good.as_array().unwrap() {
            let made = create(&app, json!({ "custom_fields": [{ "id": id, "value": value }] }));
            assert_eq!(made.data()["custom_fields"][0]["value"], *value, "{kind}");
            assert_eq!(made.data()["custom_fields"][0]["type"], kind);
        }
        let before = traces(&app);
        for value in bad.as_array().unwrap() {
            let sent = json!({ "custom_fields": [{ "id": id, "value": value }] });
            let refused = app.admin().post("/tickets", new(sent));
            assert_eq!(refused.status, 422, "{kind} {value} {}", refused.json);
            refused.invalid(&["custom_fields"]);
        }
        assert_eq!(traces(&app), before);
    }
}

#[test]
fn a_value_of_a_right_type_hears_what_is_wrong_with_it() {
    let app = TestApp::desk();
    for (value, message) in [
        (json!(""), "item 1: value must not be empty"),
        (json!(" "), "item 1: value must not be blank"),
        (json!("a\u{0}"), "item 1: value must not contain control characters"),
        (json!(true), "item 1: value must be a string or a number"),
    ] {
        let answer = update(&app, 1, json!({ "custom_fields": [{ "id": 1, "value": value }] }));
        answer.invalid(&["custom_fields"]);
        assert_eq!(answer.json["errors"]["custom_fields"], json!([message]));
    }
}

#[test]
fn a_bare_number_is_kept_as_it_was_written() {
    let app = TestApp::desk();
    for number in ["0", "-0", "1.50", "12345678901234567890.123456789", "0.1", "1e+3", "-2.5e-7"] {
        let body = format!(
            r#"{{"customer_id":1,"title":"t","content":"c","custom_fields":[{{"id":2,"value":{number}}}]}}"#
        );
        let call = app.admin().call("POST", "/tickets").header("Content-Type", "application/json");
        let answer = call.body(body).send();
        assert_eq!(answer.data()["custom_fields"][0]["value"], number);
    }
    let digits = "1".repeat(100_001);
    let body = format!(
        r#"{{"customer_id":1,"title":"t","content":"c","custom_fields":[{{"id":2,"value":{digits}}}]}}"#
    );
    let call = app.admin().call("POST", "/tickets").header("Content-Type", "application/json").body(body);
    call.send().invalid(&["custom_fields"]);
}

#[test]
fn required_published_fields_must_be_there_and_none_twice() {
    let app = TestApp::desk();
    let needed = add_field(&app, "text", true, "published");
    let draft = add_field(&app, "text", true, "draft");
    let with = |values: Value| app.admin().post("/tickets", new(json!({ "custom_fields": values })));
    app.admin().post("/tickets", new(json!({}))).invalid(&["custom_fields"]);
    with(json!([])).invalid(&["custom_fields"]);
    with(json!([{ "id": 1, "value": "x" }])).invalid(&["custom_fields"]);
    with(json!([{ "id": needed, "value": "" }])).invalid(&["custom_fields"]);
    with(json!([{ "id": needed, "value": null }])).invalid(&["custom_fields"]);
    with(json!([{ "id": needed, "value": "x" }, { "id": draft, "value": "x" }])).invalid(&["custom_fields"]);
    with(json!([{ "id": needed, "value": "x" }, { "id": needed, "value": "x" }])).invalid(&["custom_fields"]);
    with(json!([{ "id": needed, "value": "x", "label": "y" }])).invalid(&["custom_fields"]);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM ticket"), 5);
    with(json!([{ "id": needed, "value": "x" }])).data();
}

#[test]
fn a_blocked_customer_opens_no_ticket() {
    let app = TestApp::desk();
    app.admin().put("/customers/1", json!({ "is_blocked": true })).data();
    let before = traces(&app);
    app.admin().post("/tickets", new(json!({}))).refused(403, "customer_blocked");
    // 403 of state comes before 422 of references, and after 422 of shape.
    app.admin().post("/tickets", new(json!({ "labels": [99] }))).refused(403, "customer_blocked");
    app.admin().post("/tickets", new(json!({ "labels": ["x"] }))).invalid(&["labels"]);
    assert_eq!(traces(&app), before);
    create(&app, json!({ "customer_id": 2 }));
}

#[test]
fn a_customer_opens_so_many_tickets_a_day_of_the_desks_time_zone() {
    let app = TestApp::desk();
    // Noon in UTC is 21:00 in Tokyo. Customer 2 has opened one ticket, 40 hours ago, customer 1 two that day.
    let settings = json!({ "customer_max_tickets_per_day": 3, "time_zone": "Asia/Tokyo" });
    app.admin().put("/settings", settings).data();
    let open = || app.admin().post("/tickets", new(json!({ "customer_id": 2 })));
    for _ in 0..3 {
        open().data();
    }
    let before = traces(&app);
    let refused = open();
    refused.refused(429, "customer_ticket_limit");
    assert_eq!(traces(&app), before);
    let wait: i64 = refused.header("retry-after").unwrap().parse().unwrap();
    let left = (time("2026-03-16T15:00:00Z").0 - app.clock.now().0) / 1_000_000;
    assert!((left..=left + 2).contains(&wait), "{wait} {left}");
    create(&app, json!({ "customer_id": 1 }));
    app.advance(left - 60);
    open().refused(429, "customer_ticket_limit");
    app.advance(wait - left + 60);
    open().data();
    app.admin().put("/settings", json!({ "customer_max_tickets_per_day": 0 })).data();
    for _ in 0..3 {
        open().data();
    }
}

#[test]
fn a_ticket_is_created_once() {
    let app = TestApp::desk();
    let send = |title: &str| {
        let call = app.admin().call("POST", "/tickets").header("Idempotency-Key", "k");
        call.json(&new(json!({ "title": title }))).send()
    };
    let first = send("A");
    let again = send("A");
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, Some("true")));
    assert_eq!(
        (again.body, again.headers["location"].clone()),
        (first.body, first.headers["location"].clone())
    );
    send("B").refused(422, "idempotency_key_reused");
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM ticket"), 6);
}

// ---------------------------------------------------------------- read

#[test]
fn every_ticket_is_read_and_polled() {
    let app = TestApp::desk();
    let admin = app.admin_with(&["tickets:read"]);
    for id in 1..=5 {
        assert_eq!(admin.get(&format!("/tickets/{id}")).data()["id"], id);
    }
    admin.get("/tickets/99").refused(404, "not_found");
    admin.get("/tickets/0").invalid(&["id"]);
    let tag = admin.get("/tickets/2").header("etag").unwrap().to_owned();
    assert_eq!(tag, app.agent("cleo").get("/tickets/2").header("etag").unwrap());
    let poll = || admin.call("GET", "/tickets/2").header("If-None-Match", &tag).send();
    assert_eq!((poll().status, poll().body.len()), (304, 0));
    app.admin().put("/customers/2", json!({ "name": "Zoë" })).data();
    assert_eq!(poll().status, 200, "a name it shows");
}

#[test]
fn each_operation_has_its_scope() {
    let app = TestApp::desk();
    let scopes = ["tickets:list", "tickets:create", "tickets:read", "tickets:update", "tickets:delete"];
    for own in scopes {
        let admin = app.admin_with(&[own]);
        let answers = [
            admin.get("/tickets"),
            admin.post("/tickets", new(json!({}))),
            admin.get("/tickets/1"),
            admin.put("/tickets/1", json!({})),
            admin.delete("/tickets/4"),
        ];
        for (scope, answer) in scopes.iter().zip(answers) {
            if *scope == own {
                let _ = answer.data();
            } else {
                answer.refused(403, "forbidden_scope")
            }
        }
    }
    app.agent("ada").at_root().get("/api/v1/internal/tickets").refused(403, "wrong_key_type");
}

// ---------------------------------------------------------------- update

#[test]
fn every_field_can_be_changed() {
    let app = TestApp::desk();
    app.advance(60);
    let patch = json!({
        "title": "New", "content": "Newer", "customer_id": 2, "status": "on_hold", "priority": "critical", "department_id": 2,
        "category_id": 1, "product_id": 1, "agents": [2, 3, 2], "assigned_to": 3, "labels": [2], "is_resolved": true,
        "is_locked": true, "custom_fields": [{ "id": 1, "value": "Opera" }],
    });
    let answer = update(&app, 3, patch);
    let ticket = answer.data();
    for (name, value) in json!({
        "title": "New", "content": "Newer", "status": "on_hold", "priority": "critical", "is_resolved": true, "is_locked": true,
        "department": { "id": 2, "name": "Billing" }, "category": { "id": 1, "name": "Account" },
        "product": { "id": 1, "name": "Platform" }, "closed_at": null, "last_reply_at": null,
        "agents": [{ "id": 3, "name": "Cleo Marsh" }, { "id": 2, "name": "Ben Ortiz" }], "created_at": "2026-03-15T06:00:00Z",
    })
    .as_object()
    .unwrap()
    {
        assert_eq!(ticket[name], *value, "{name}");
    }
    assert_eq!((&ticket["customer"]["id"], &ticket["labels"][0]["id"]), (&json!(2), &json!(2)));
    assert_eq!(ticket["custom_fields"][0]["value"], "Opera");
    assert_ne!(ticket["updated_at"], ticket["created_at"]);
    let read = app.admin().get("/tickets/3");
    assert_eq!((read.data(), read.header("etag")), (ticket, answer.header("etag")));
    assert_eq!(entries(&app), ["ticket.updated user 3"]);
    let changes = changes(&app);
    assert_eq!(changes["agents"], json!({ "from": [1], "to": [2, 3] }));
    assert_eq!(changes["content"], json!({ "from": "23 characters", "to": "5 characters" }));
    assert!(!changes.to_string().contains("Newer"), "{changes}");
}

#[test]
fn absent_leaves_alone_and_null_clears_what_can_be_cleared() {
    let app = TestApp::desk();
    let before = app.admin().get("/tickets/1").data().clone();
    let answer = update(&app, 1, json!({ "priority": "low" }));
    for (name, value) in before.as_object().unwrap() {
        if !["priority", "updated_at"].contains(&name.as_str()) {
            assert_eq!(answer.data()[name], *value, "{name}");
        }
    }
    let cleared =
        json!({ "department_id": null, "category_id": null, "product_id": null, "assigned_to": null });
    let answer = update(&app, 1, cleared);
    for name in ["department", "category", "product", "assigned_to"] {
        assert_eq!(answer.data()[name], Value::Null, "{name}");
    }
    for name in [
        "title",
        "content",
        "customer_id",
        "status",
        "priority",
        "agents",
        "labels",
        "custom_fields",
        "is_resolved",
        "is_locked",
    ] {
        update(&app, 1, json!({ name: null })).invalid(&[name]);
    }
}

#[test]
fn a_change_of_nothing_changes_nothing() {
    let app = TestApp::desk();
    let (before, tag) = (traces(&app), app.admin().get("/tickets/1").header("etag").unwrap().to_owned());
    app.advance(60);
    let same = json!({
        "title": "Cannot access my account", "content": "I'm unable to log in.", "customer_id": 1, "status": "open",
        "priority": "high", "department_id": 1, "category_id": 1, "product_id": 1, "agents": [2, 1, 1], "assigned_to": 2,
        "labels": [1, 2, 2], "is_resolved": false, "is_locked": false,
        "custom_fields": [{ "id": 2, "value": 12 }, { "id": 1, "value": "Chrome 120" }],
    });
    for patch in [json!({}), same] {
        let answer = update(&app, 1, patch);
        assert_eq!((answer.status, answer.header("etag")), (200, Some(tag.as_str())));
    }
    update(&app, 5, json!({ "status": "closed", "custom_fields": [{ "id": 1, "value": null }] })).data();
    assert_eq!(traces(&app), before);
}

#[test]
fn a_wrong_change_is_refused_by_name_and_leaves_no_trace() {
    let app = TestApp::desk();
    let before = traces(&app);
    app.sql("UPDATE agent SET is_active = 0 WHERE id = 3");
    let refused = [
        ("customer_id", json!([0, 99, "1"])),
        ("title", json!(["", "x".repeat(501)])),
        ("content", json!([" ", "x".repeat(100_001)])),
        ("status", json!(["", "done"])),
        ("priority", json!(["", 1])),
        ("department_id", json!([0, 99, "1"])),
        ("category_id", json!([99])),
        ("product_id", json!([99])),
        ("agents", json!([[99], [0], ["1"], [1, 3], 1, [null], vec![1; 101]])),
        ("assigned_to", json!([0, 99, 3, "1"])),
        ("labels", json!([[3], [99], vec![1; 51]])),
        ("is_resolved", json!([1, "true"])),
        ("is_locked", json!([0])),
        ("closed_at", json!(["2026-03-15T14:30:00Z"])),
        ("reference_id", json!(["#1"])),
    ];
    for (field, values) in refused {
        for value in values.as_array().unwrap() {
            update(&app, 1, json!({ "priority": "low", field: value })).invalid(&[field]);
        }
    }
    let all = json!({ "customer_id": 99, "department_id": 99, "category_id": 99, "product_id": 99, "agents": [99],
                      "assigned_to": 99, "labels": [99], "custom_fields": [{ "id": 99, "value": "x" }] });
    let every = [
        "customer_id",
        "department_id",
        "category_id",
        "product_id",
        "agents",
        "assigned_to",
        "labels",
        "custom_fields",
    ];
    update(&app, 1, all).invalid(&every);
    assert_eq!(traces(&app), before);
    update(&app, 99, json!({ "labels": [99] })).refused(404, "not_found");
}

#[test]
fn a_new_lead_joins_and_the_old_one_stays() {
    let app = TestApp::desk();
    assert_eq!(crew(&update(&app, 1, json!({ "assigned_to": 3 }))), (vec![3, 1, 2], Some(3)));
    assert_eq!(changes(&app)["assigned_to"], json!({ "from": 2, "to": 3 }));
    assert_eq!(crew(&update(&app, 1, json!({ "assigned_to": 1 }))), (vec![1, 2, 3], Some(1)));
    assert_eq!(crew(&update(&app, 1, json!({ "assigned_to": null }))), (vec![1, 2, 3], None));
    assert_eq!(crew(&update(&app, 1, json!({ "assigned_to": 2 }))), (vec![2, 1, 3], Some(2)));
}

#[test]
fn the_set_is_replaced_and_then_the_lead_applies() {
    let app = TestApp::desk();
    assert_eq!(
        crew(&update(&app, 1, json!({ "agents": [2, 3] }))),
        (vec![2, 3], Some(2)),
        "the lead is in the set"
    );
    assert_eq!(crew(&update(&app, 1, json!({ "agents": [1, 3] }))), (vec![1, 3], None), "and is not");
    assert_eq!(
        crew(&update(&app, 1, json!({ "agents": [3], "assigned_to": 2 }))),
        (vec![2, 3], Some(2)),
        "and joins"
    );
    assert_eq!(
        crew(&update(&app, 1, json!({ "agents": [1], "assigned_to": 2 }))),
        (vec![2, 1], Some(2)),
        "stays so"
    );
    assert_eq!(crew(&update(&app, 1, json!({ "agents": [2, 3], "assigned_to": null }))), (vec![2, 3], None));
    assert_eq!(crew(&update(&app, 1, json!({ "agents": [] }))), (vec![], None));
    assert_eq!(crew(&update(&app, 1, json!({ "agents": [], "assigned_to": 1 }))), (vec![1], Some(1)));
}

#[test]
fn an_inactive_agent_stays_where_it_is_until_the_set_is_sent_anew() {
    let app = TestApp::desk();
    app.sql("UPDATE agent SET is_active = 0 WHERE id IN (1, 3)");
    update(&app, 1, json!({ "agents": [1, 2, 3] })).invalid(&["agents"]);
    update(&app, 1, json!({ "assigned_to": 3 })).invalid(&["assigned_to"]);
    update(&app, 1, json!({ "agents": [3], "assigned_to": 3 })).invalid(&["agents", "assigned_to"]);
    update(&app, 1, json!({ "agents": [1, 2] })).invalid(&["agents"]);
    update(&app, 3, json!({ "assigned_to": 1 })).invalid(&["assigned_to"]);
    let changed = update(&app, 1, json!({ "priority": "low" }));
    assert_eq!(crew(&changed), (vec![2, 1], Some(2)), "Ada stays on it");
    assert_eq!(crew(&update(&app, 3, json!({ "priority": "low" }))), (vec![1], Some(1)), "and leads hers");
    assert_eq!(crew(&update(&app, 1, json!({ "agents": [2] }))), (vec![2], Some(2)));
}

#[test]
fn who_is_taken_off_sees_it_no_more_and_loses_what_was_told_about_it() {
    let app = TestApp::desk();
    let (ada, ben) = (app.agent("ada"), app.agent("ben"));
    ben.put("/tickets/1", json!({ "status": "on_hold" })).data();
    ben.put("/tickets/4", json!({ "status": "on_hold" })).data();
    ada.put("/tickets/1", json!({ "status": "open" })).data();
    let told = ada.get("/notifications").ids();
    assert_eq!(told.len(), 2);
    update(&app, 1, json!({ "agents": [2] })).data();
    ada.get("/tickets/1").refused(404, "not_found");
    ada.get("/tickets/1/messages").refused(404, "not_found");
    assert_eq!(ada.get("/tickets").ids(), [5, 4, 3]);
    assert_eq!(ada.get("/notifications").each("ticket_id"), [4]);
    assert_eq!(ada.get("/notifications/unread-count").data()["unread_count"], 1);
    ada.act(&format!("/notifications/{}/read", told[1])).refused(404, "not_found");
    assert_eq!(ben.get("/notifications").each("ticket_id"), [1], "Ben keeps his");
    assert_eq!(ada.get("/dashboard").data()["open_tickets"], 1);
}

#[test]
fn who_is_put_on_is_told_and_who_was_there_is_not() {
    let app = TestApp::desk();
    update(&app, 1, json!({ "agents": [1, 2, 3], "status": "in_progress" })).data();
    let told = "SELECT type || ' ' || agent_id || ' ' || sender_name FROM notification ORDER BY id";
    let status = [
        "ticket_assigned 3 Robot",
        "ticket_status 1 Robot",
        "ticket_status 2 Robot",
        "ticket_status 3 Robot",
    ];
    assert_eq!(app.column::<String>(told), status);
    update(&app, 1, json!({ "assigned_to": 1 })).data();
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM notification"), 4, "on it before");
    app.agent("cleo")
        .put("/profile", json!({ "notification_settings": { "ticket_assigned": false } }))
        .data();
    update(&app, 3, json!({ "assigned_to": 3 })).data();
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM notification"), 4, "muted");
}

#[test]
fn custom_fields_merge_by_id() {
    let app = TestApp::desk();
    let set = |values: Value| update(&app, 1, json!({ "custom_fields": values }));
    let values = |answer: &Response| {
        let fields = answer.data()["custom_fields"].as_array().unwrap().clone();
        fields.iter().map(|field| field["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values(&set(json!([]))), ["12", "Chrome 120"]);
    assert_eq!(values(&set(json!([{ "id": 2, "value": 1.50 }]))), ["1.5", "Chrome 120"]);
    assert_eq!(
        changes(&app)["custom_fields"]["to"],
        json!([{ "id": 1, "value": "Chrome 120" }, { "id": 2, "value": "1.5" }])
    );
    assert_eq!(values(&set(json!([{ "id": 1, "value": null }]))), ["1.5"]);
    assert_eq!(values(&set(json!([{ "id": 1, "value": "Opera" }, { "id": 2, "value": null }]))), ["Opera"]);
    for bad in [
        json!([{ "id": 1, "value": "a" }, { "id": 1, "value": "b" }]),
        json!([{ "id": 1, "value": "a" }, { "id": 1, "value": null }]),
        json!([{ "id": 99, "value": null }]),
        json!([{ "id": 2, "value": "x" }]),
        json!([{ "id": 1, "value": 5 }]),
        json!([{ "id": 1 }]),
        json!([{ "value": "x" }]),
        json!([{ "id": "1", "value": "x" }]),
    ] {
        let refused = set(bad.clone());
        assert_eq!(refused.status, 422, "{bad}");
        refused.invalid(&["custom_fields"]);
    }
    assert_eq!(values(&set(json!([]))), ["Opera"]);
}

#[test]
fn a_required_field_is_not_taken_away_and_one_that_is_missing_stops_no_other_change() {
    let app = TestApp::desk();
    app.sql("UPDATE custom_field SET is_required = 1");
    let set = |id: i64, values: Value| update(&app, id, json!({ "custom_fields": values }));
    set(1, json!([{ "id": 1, "value": null }])).invalid(&["custom_fields"]);
    set(1, json!([{ "id": 1, "value": "Opera" }])).data();
    update(&app, 3, json!({ "title": "Has none of them" })).data();
    app.sql("UPDATE custom_field SET status = 'draft'");
    set(3, json!([{ "id": 1, "value": "x" }])).invalid(&["custom_fields"]);
    set(1, json!([{ "id": 1, "value": "Draft, and here already" }])).data();
    assert_eq!(
        app.admin().get("/tickets/1").data()["custom_fields"].as_array().unwrap().len(),
        2,
        "drafts still show"
    );
    set(1, json!([{ "id": 1, "value": null }])).data();
}

#[test]
fn long_values_are_stored_whole_and_logged_by_their_length() {
    let app = TestApp::desk();
    let id = add_field(&app, "textarea", false, "published");
    let set =
        |c: &str| update(&app, 3, json!({ "custom_fields": [{ "id": id, "value": c.repeat(90_000) }] }));
    set("x").data();
    set("y").data();
    assert_eq!(app.admin().get("/tickets/3").data()["custom_fields"][0]["value"], "y".repeat(90_000));
    assert_eq!(entries(&app).len(), 2);
    assert!(changes(&app).to_string().len() < 1000);
}

#[test]
fn closing_and_opening_set_and_clear_and_an_explicit_value_wins() {
    let app = TestApp::desk();
    let state = |patch: Value| {
        let answer = update(&app, 3, patch);
        let ticket = answer.data();
        let closed = ticket["closed_at"].as_str().map(str::to_owned);
        (ticket["status"].as_str().unwrap().to_owned(), ticket["is_resolved"].as_bool().unwrap(), closed)
    };
    let is = |(status, resolved, closed): (String, bool, Option<String>)| {
        format!("{status} {resolved} {}", closed.is_some())
    };
    assert_eq!(is(state(json!({ "is_resolved": true }))), "open true false", "without closing");
    assert_eq!(is(state(json!({ "status": "in_progress" }))), "in_progress true false", "kept");
    assert_eq!(is(state(json!({ "is_resolved": false }))), "in_progress false false");
    let closed = state(json!({ "status": "closed" }));
    assert_eq!(is(closed.clone()), "closed true true");
    app.advance(60);
    assert_eq!(state(json!({ "status": "closed", "priority": "low" })), closed, "closed already");
    assert_eq!(is(state(json!({ "is_resolved": false }))), "closed false true");
    assert_eq!(is(state(json!({ "status": "closed" }))), "closed false true", "nothing is entered");
    assert_eq!(is(state(json!({ "status": "on_hold" }))), "on_hold false false");
    assert_eq!(is(state(json!({ "status": "closed", "is_resolved": false }))), "closed false true");
    assert_eq!(is(state(json!({ "status": "open", "is_resolved": true }))), "open true false");
    let events = "SELECT group_concat(kind, ' ') FROM (SELECT kind FROM ticket_event WHERE ticket_id = 3 AND kind <> 'created' ORDER BY id)";
    assert_eq!(app.look_up::<String>(events), "closed reopened closed reopened");
    let actions: Vec<String> = app.column("SELECT DISTINCT action FROM activity ORDER BY 1");
    assert_eq!(actions, ["ticket.closed", "ticket.reopened", "ticket.updated"]);
}

#[test]
fn a_lock_shuts_agents_up_until_it_is_taken_off() {
    let app = TestApp::desk();
    let say = || app.agent("ada").post("/tickets/3/messages", json!({ "content": "x" }));
    assert_eq!(update(&app, 3, json!({ "is_locked": true })).data()["is_locked"], true);
    say().refused(403, "ticket_locked");
    update(&app, 3, json!({ "title": "Works on locked tickets" })).data();
    update(&app, 3, json!({ "is_locked": false })).data();
    say().data();
}

#[test]
fn a_ticket_is_found_by_what_it_says_now() {
    let app = TestApp::desk();
    let found = |q: &str| app.admin().get(&format!("/tickets?q={}", encode(q))).ids();
    assert_eq!(found("cannot access"), [1]);
    update(&app, 1, json!({ "title": "Xylophone" })).data();
    assert_eq!(
        (found("cannot access"), found("xylo"), found("unable to log in")),
        (vec![], vec![1], vec![1])
    );
    update(&app, 1, json!({ "content": "Vuvuzela qz" })).data();
    assert_eq!((found("unable to log in"), found("vuvu XYLO"), found("qz")), (vec![], vec![1], vec![1]));
    assert_eq!(found("john"), [5, 4, 3, 1]);
    update(&app, 1, json!({ "customer_id": 2 })).data();
    assert_eq!((found("john"), found("zoe")), (vec![5, 4, 3], vec![2, 1]));
    assert_eq!(app.agent("ada").get("/tickets?q=zoe").ids(), [1]);
}

#[test]
fn draft_references_stay_and_are_not_newly_set() {
    let app = TestApp::desk();
    for table in ["department", "category", "product", "label"] {
        app.sql(&format!("UPDATE {table} SET status = 'draft'"));
    }
    let same =
        json!({ "department_id": 1, "category_id": 1, "product_id": 1, "labels": [1, 2], "priority": "low" });
    let ticket = update(&app, 1, same);
    assert_eq!(ticket.data()["department"]["name"], "Support");
    assert_eq!(ticket.data()["labels"].as_array().unwrap().len(), 2);
    let draft = json!({ "department_id": 1, "category_id": 1, "product_id": 1, "labels": [1] });
    update(&app, 3, draft).invalid(&["department_id", "category_id", "product_id", "labels"]);
    update(&app, 1, json!({ "department_id": 2 })).invalid(&["department_id"]);
    assert_eq!(
        update(&app, 1, json!({ "labels": [2], "category_id": null })).data()["category"],
        Value::Null
    );
    update(&app, 1, json!({ "labels": [1, 2] })).invalid(&["labels"]);
    update(&app, 1, json!({ "category_id": 1 })).invalid(&["category_id"]);
}

#[test]
fn a_change_can_be_made_to_depend_on_what_was_seen() {
    let app = TestApp::desk();
    let put = |tag: &str, patch: Value| {
        app.admin().call("PUT", "/tickets/1").header("If-Match", tag).json(&patch).send()
    };
    let tag = app.admin().get("/tickets/1").header("etag").unwrap().to_owned();
    let before = traces(&app);
    put(&format!("W/{tag}"), json!({ "priority": "low" })).refused(412, "precondition_failed");
    put("\"1-0-0\"", json!({})).refused(412, "precondition_failed");
    put("\"1-0-0\"", json!({ "labels": [99] })).refused(412, "precondition_failed");
    put("\"1-0-0\"", json!({ "labels": ["x"] })).invalid(&["labels"]);
    assert_eq!(traces(&app), before);
    app.sql("UPDATE label SET name = 'Renamed' WHERE id = 1");
    let answer = put(&tag, json!({ "priority": "low" }));
    let next = answer.header("etag").unwrap().to_owned();
    assert_eq!((answer.status, next == tag), (200, false), "a name elsewhere refuses nobody");
    put(&tag, json!({ "priority": "high" })).refused(412, "precondition_failed");
    assert_eq!(put(&format!("\"x\", {next}"), json!({ "priority": "medium" })).status, 200);
    assert_eq!(put("*", json!({ "priority": "high" })).status, 200);
    let call = app.admin().call("PUT", "/tickets/99").header("If-Match", &tag);
    call.json(&json!({})).send().refused(404, "not_found");
}

// ---------------------------------------------------------------- delete

#[test]
fn a_deletion_takes_everything_along_and_is_remembered() {
    let app = TestApp::desk();
    let (ada, admin) = (app.agent("ada"), app.admin());
    let once = |call: crate::harness::Call, key: &str| call.header("Idempotency-Key", key);
    once(admin.call("POST", "/tickets"), "new")
        .json(&new(json!({ "assigned_to": 1, "labels": [1] })))
        .send()
        .data();
    admin.put("/tickets/6", json!({ "custom_fields": [{ "id": 1, "value": "x" }], "agents": [1, 2] })).data();
    once(admin.call("POST", "/tickets/6/messages"), "m").json(&json!({ "content": "Hi" })).send().data();
    let reply = once(ada.call("POST", "/tickets/6/messages"), "r").json(&json!({ "content": "Ho" })).send();
    let message = reply.data()["id"].clone();
    once(ada.call("POST", &format!("/tickets/6/messages/{message}/like")), "l").send().data();
    once(ada.call("POST", "/tickets/6/close"), "c").send().data();
    let told = app.agent("ben").get("/notifications").ids()[0];
    once(app.agent("ben").call("POST", &format!("/notifications/{told}/read")), "n").send().data();
    once(ada.call("POST", "/tickets/3/close"), "other").send().data();
    app.advance(60);
    let answer = admin.delete("/tickets/6");
    assert_eq!((answer.status, fields(&answer.json)), (200, vec!["status", "message"]));
    admin.get("/tickets/6").refused(404, "not_found");
    admin.delete("/tickets/6").refused(404, "not_found");
    admin.get("/tickets/6/messages").refused(404, "not_found");
    ada.get("/tickets/6").refused(404, "not_found");
    once(ada.call("POST", "/tickets/6/close"), "c").send().refused(404, "not_found");
    for table in [
        "message",
        "notification",
        "ticket_label",
        "ticket_agent",
        "ticket_field",
        "ticket_event",
        "ticket_text",
    ] {
        assert_eq!(
            app.look_up::<i64>(&format!("SELECT count(*) FROM {table} WHERE ticket_id = 6")),
            0,
            "{table}"
        );
    }
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM message_like"), 0);
    assert_eq!(app.look_up::<i64>("SELECT sum(total) FROM notification_count"), 0);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM ticket_search WHERE rowid & 1048575 = 6"), 0);
    assert_eq!(app.column::<String>("SELECT key FROM idempotency"), ["other"], "answers about it");
    assert!(app.admin().get("/tickets?q=%231006").ids().is_empty());
    assert_eq!(app.admin().get("/tickets").json["meta"]["total"], 5);
    assert_eq!(entries(&app).last().unwrap(), "ticket.deleted user 6");
    let said: String = app.look_up("SELECT description FROM activity ORDER BY id DESC LIMIT 1");
    assert!(said.contains("#1006") && said.contains("Robot"), "{said}");
    assert!(entries(&app).contains(&"ticket.created user 6".to_owned()), "the log outlives it");
    let fresh = once(admin.call("POST", "/tickets"), "new")
        .json(&new(json!({ "assigned_to": 1, "labels": [1] })))
        .send();
    assert_eq!((fresh.header("idempotent-replayed"), &fresh.data()["id"]), (None, &json!(7)));
    assert_eq!(fresh.data()["reference_id"], "#1007", "never reused");
    app.sql("UPDATE setting SET next_reference = 1006");
    admin.delete("/tickets/5").data();
    assert_eq!(create(&app, json!({})).data()["reference_id"], "#1008");
}

// ---------------------------------------------------------------- list

#[test]
fn the_list_has_every_ticket_whole_and_newest_first() {
    let app = TestApp::desk();
    let list = app.admin_with(&["tickets:list"]).get("/tickets");
    assert_eq!(list.ids(), [5, 4, 3, 2, 1]);
    for ticket in list.items() {
        assert_eq!(ticket, app.admin().get(&format!("/tickets/{}", ticket["id"])).data());
    }
    assert_eq!(list.json["meta"], json!({ "current_page": 1, "last_page": 1, "per_page": 15, "total": 5 }));
    app.admin().put("/settings", json!({ "tickets_per_page": 2 })).data();
    let second = app.admin().get("/tickets?page=2&sort=created_at");
    assert_eq!(second.ids(), [3, 4]);
    assert_eq!(second.json["meta"], json!({ "current_page": 2, "last_page": 3, "per_page": 2, "total": 5 }));
    assert!(
        second.header("link").unwrap().contains("/api/v1/internal/tickets?sort=created_at&page=3"),
        "{:?}",
        second.headers
    );
    assert_eq!(app.admin().get("/tickets?page=9").items().len(), 0);
}

#[test]
fn wrong_filters_are_refused_by_name() {
    let app = TestApp::desk();
    for (name, values) in [
        ("status", vec!["", "done"]),
        ("priority", vec!["", "urgent"]),
        ("department_id", vec!["0", "x", "9223372036854775808"]),
        ("customer_id", vec!["0", "x", ""]),
        ("assigned_to", vec!["0", "x", "null"]),
        ("unassigned", vec!["1", "", "yes"]),
        ("q", vec!["a", "", "a%00b"]),
        ("sort", vec!["", "id", "+created_at"]),
        ("page", vec!["0"]),
        ("per_page", vec!["0", "201"]),
    ] {
        for value in values {
            app.admin().get(&format!("/tickets?{name}={value}")).invalid(&[name]);
        }
        app.admin().get(&format!("/tickets?{name}=1&{name}=1")).invalid(&[name]);
    }
    assert_eq!(app.admin().get("/tickets?agent_id=1").ids().len(), 5, "unknown ones are ignored");
}

#[test]
fn filters_and_orders_of_the_whole_desk_agree_with_a_plain_count() {
    let app = TestApp::crowd();
    let rank = "CASE priority WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END";
    let mut orders = vec![(String::new(), "created_at DESC".to_owned())];
    for (name, column) in [
        ("created_at", "created_at"),
        ("updated_at", "updated_at"),
        ("last_reply_at", "ifnull(last_reply_at, -1)"),
        ("priority", rank),
    ] {
        orders.push((format!("&sort={name}"), column.to_owned()));
        orders.push((format!("&sort=-{name}"), format!("{column} DESC")));
    }
    let filters = [
        ("", "true"),
        ("&status=open", "status = 'open'"),
        ("&priority=critical", "priority = 'critical'"),
        ("&department_id=2", "department_id IS 2"),
        ("&department_id=99", "false"),
        ("&customer_id=2", "customer_id = 2"),
        ("&customer_id=99", "false"),
        ("&assigned_to=1", "assigned_to IS 1"),
        ("&unassigned=true", "assigned_to IS NULL"),
        ("&unassigned=false", "true"),
        ("&unassigned=true&assigned_to=1", "false"),
        ("&q=title%201", "title LIKE 'title%1%'"),
        ("&q=title%20zz", "false"),
        (
            "&status=closed&priority=low&department_id=1",
            "status = 'closed' AND priority = 'low' AND department_id IS 1",
        ),
        ("&customer_id=1&status=on_hold", "customer_id = 1 AND status = 'on_hold'"),
        (
            "&customer_id=2&assigned_to=3&priority=high",
            "customer_id = 2 AND assigned_to IS 3 AND priority = 'high'",
        ),
        (
            "&unassigned=true&department_id=1&status=open&q=title",
            "assigned_to IS NULL AND department_id IS 1 AND status = 'open' AND title LIKE '%title%'",
        ),
    ];
    for (filter, condition) in filters {
        for (sort, order) in &orders {
            let expected: Vec<i64> =
                app.column(&format!("SELECT id FROM ticket WHERE {condition} ORDER BY {order}, id DESC"));
            let mut found = vec![];
            for page in 1..=3 {
                let answer = app.admin().get(&format!("/tickets?per_page=90&page={page}{filter}{sort}"));
                assert_eq!(answer.json["meta"]["total"], expected.len(), "{filter}{sort}");
                found.extend(answer.ids());
            }
            assert_eq!(found, expected, "{filter}{sort}");
        }
    }
}

#[test]
fn an_agents_list_agrees_with_a_plain_count_too() {
    let app = TestApp::crowd();
    let rank = "CASE t.priority WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END";
    for (sort, order) in [
        ("created_at", "t.created_at"),
        ("-updated_at", "t.updated_at DESC"),
        ("-last_reply_at", "ifnull(t.last_reply_at, -1) DESC"),
        ("last_reply_at", "ifnull(t.last_reply_at, -1)"),
        ("priority", rank),
        ("-priority", &format!("{rank} DESC")),
    ] {
        for (filter, condition) in
            [("", "true"), ("&status=closed", "t.status = 'closed'"), ("&q=title", "t.id > 100")]
        {
            let expected: Vec<i64> = app.column(&format!(
                "SELECT t.id FROM ticket t JOIN ticket_agent a ON a.ticket_id = t.id AND a.agent_id = 1 WHERE {condition}
                 ORDER BY {order}, t.id DESC"
            ));
            let answer = app.agent("ada").get(&format!("/tickets?per_page=200&sort={sort}{filter}"));
            assert_eq!(answer.ids(), expected, "{sort}{filter}");
        }
    }
}
