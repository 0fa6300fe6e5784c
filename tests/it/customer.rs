//! Who asks, as administrators keep them.

use serde_json::{Value, json};

use crate::harness::{CANARY, TestApp, fields};

fn entries(app: &TestApp) -> Vec<String> {
    app.column("SELECT action || ' ' || subject_id FROM activity ORDER BY id")
}

#[test]
fn a_customer_is_created_whole_and_recorded() {
    let app = TestApp::desk();
    let body = json!({
        "name": "Jane Roe", "email": "Jane@Roe.example", "phone": "+1 555 0199", "envato_username": "jroe", "is_blocked": true,
    });
    let answer = app.admin().post("/customers", body);
    assert_eq!(answer.status, 201);
    assert_eq!(answer.header("location"), Some("/api/v1/internal/customers/3"));
    let customer = json!({
        "id": 3, "name": "Jane Roe", "email": "Jane@Roe.example", "phone": "+1 555 0199", "envato_username": "jroe",
        "is_blocked": true, "created_at": answer.data()["created_at"], "updated_at": answer.data()["created_at"],
    });
    assert_eq!(answer.data(), &customer);
    assert_eq!(app.admin().get("/customers/3").data(), &customer);
    assert_eq!(entries(&app), ["customer.created 3"]);
    let names = ["id", "name", "email", "phone", "envato_username", "is_blocked", "created_at", "updated_at"];
    assert_eq!(fields(answer.data()), names);
}

#[test]
fn what_is_left_out_or_null_is_empty() {
    let app = TestApp::desk();
    for (n, body) in [
        json!({ "name": "A", "email": "a@x" }),
        json!({ "name": "A", "email": "b@x", "phone": null, "envato_username": null }),
    ]
    .into_iter()
    .enumerate()
    {
        let made = app.admin().post("/customers", body);
        let made = made.data();
        assert_eq!(
            [&made["phone"], &made["envato_username"], &made["is_blocked"]],
            [&Value::Null, &Value::Null, &json!(false)]
        );
        assert_eq!(made["id"], json!(n + 3));
    }
}

#[test]
fn wrong_values_are_refused_by_name() {
    let app = TestApp::desk();
    let long = |n: usize| "x".repeat(n);
    let refused = [
        ("name", json!(["", " ", long(251), 1, null, "a\u{0}"])),
        ("email", json!(["", "a", "a b@x", format!("{}@x", long(253)), null])),
        ("phone", json!([long(51), 5])),
        ("envato_username", json!([long(251)])),
        ("is_blocked", json!([1, null, "true"])),
        ("id", json!([1])),
    ];
    for (field, values) in refused {
        for value in values.as_array().unwrap() {
            let mut new = json!({ "name": "A", "email": "a@x" });
            new[field] = value.clone();
            app.admin().post("/customers", new).invalid(&[field]);
            app.admin().put("/customers/1", json!({ field: value })).invalid(&[field]);
        }
    }
    app.admin().post("/customers", json!({})).invalid(&["name", "email"]);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM customer"), 2);
    assert!(entries(&app).is_empty());
}

#[test]
fn an_address_belongs_to_one_customer_whatever_its_case() {
    let app = TestApp::desk();
    app.admin()
        .post("/customers", json!({ "name": "A", "email": "JOHN@customer.EXAMPLE" }))
        .invalid(&["email"]);
    app.admin().put("/customers/2", json!({ "email": "John@Customer.example" })).invalid(&["email"]);
    let own = app.admin().put("/customers/1", json!({ "email": "John@Customer.example" }));
    assert_eq!(own.data()["email"], "John@Customer.example");
}

#[test]
fn a_change_leaves_alone_what_is_absent_and_null_clears() {
    let app = TestApp::desk();
    app.admin().put("/customers/1", json!({ "phone": "1", "envato_username": "jd" })).data();
    app.advance(60);
    let changed = app.admin().put("/customers/1", json!({ "phone": null, "is_blocked": true }));
    let changed = changed.data();
    assert_eq!(
        [&changed["phone"], &changed["envato_username"], &changed["is_blocked"]],
        [&Value::Null, &json!("jd"), &json!(true)]
    );
    assert_eq!(changed["updated_at"], "2026-03-16T12:01:00Z");
    let told: String = app.look_up("SELECT changes FROM activity ORDER BY id DESC");
    let told: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(
        told,
        json!({ "phone": { "from": "1", "to": null }, "is_blocked": { "from": false, "to": true } })
    );
    app.advance(60);
    for nothing in [json!({}), json!({ "phone": null, "is_blocked": true })] {
        assert_eq!(app.admin().put("/customers/1", nothing).data(), changed);
    }
    assert_eq!(entries(&app).len(), 2);
}

#[test]
fn there_is_no_deleting_and_nobody_else() {
    let app = TestApp::desk();
    app.admin().delete("/customers/1").refused(405, "method_not_allowed");
    app.admin().get("/customers/99").refused(404, "not_found");
    app.admin().put("/customers/99", json!({})).refused(404, "not_found");
    app.admin().get("/customers/0").invalid(&["id"]);
}

#[test]
fn each_operation_asks_for_its_scope() {
    let app = TestApp::desk();
    let new = || json!({ "name": "A", "email": "a@x" });
    app.admin_with(&["customers:list"]).get("/customers").data();
    app.admin_with(&["customers:read"]).get("/customers/1").data();
    app.admin_with(&["customers:create"]).post("/customers", new()).data();
    app.admin_with(&["customers:update"]).put("/customers/1", json!({})).data();
    let other = app.admin_with(&["agents:list"]);
    other.get("/customers").refused(403, "forbidden_scope");
    other.get("/customers/1").refused(403, "forbidden_scope");
    other.post("/customers", new()).refused(403, "forbidden_scope");
    other.put("/customers/1", json!({})).refused(403, "forbidden_scope");
}

#[test]
fn the_list_goes_by_name_and_finds_words_in_name_and_address() {
    let app = TestApp::desk();
    for (name, email) in
        [("Éva Łuk", "eva@one.example"), ("zed", "ZED@two.example"), ("eva b", "x@two.example")]
    {
        app.admin().post("/customers", json!({ "name": name, "email": email })).data();
    }
    let names = app.admin().get("/customers").each("name");
    assert_eq!(
        names,
        [json!("eva b"), json!("Éva Łuk"), json!("John Doe"), json!("zed"), json!(format!("Zoë {CANARY}"))]
    );
    for (q, ids) in [
        ("eva", vec![5, 3]),
        ("EVA%20luk", vec![3]),
        ("example%20two", vec![5, 4]),
        ("two%20eva", vec![5]),
        ("zed@", vec![4]),
        ("e%20x%20b", vec![5]),
        ("%25%25", vec![]),
    ] {
        assert_eq!(app.admin().get(&format!("/customers?q={q}")).ids(), ids, "{q}");
    }
    let page = app.admin().get("/customers?q=example&per_page=2&page=3");
    assert_eq!((page.ids().len(), &page.json["meta"]["total"]), (1, &json!(5)));
    assert!(page.header("link").unwrap().contains("q=example"));
    app.admin().get("/customers?q=a").invalid(&["q"]);
    app.admin().get("/customers?per_page=201&page=0").invalid(&["per_page", "page"]);
    assert_eq!(app.admin().get("/customers").json["meta"]["per_page"], 15);
}

#[test]
fn tickets_show_and_are_found_by_the_new_name() {
    let app = TestApp::desk();
    let found = |q: &str| app.agent("ada").get(&format!("/tickets?q={q}")).ids().len();
    let before = app.agent("ada").get("/tickets/1");
    assert_eq!(found("quux"), 0);
    app.admin().put("/customers/1", json!({ "name": "Quux", "email": "new@quux.example" })).data();
    assert_eq!((found("quux"), found("new@quux"), found("doe")), (4, 4, 0));
    let after = app.agent("ada").get("/tickets/1");
    assert_eq!(after.data()["customer"]["name"], "Quux");
    assert_ne!(before.header("etag"), after.header("etag"));
}

#[test]
fn a_creation_sent_twice_is_done_once() {
    let app = TestApp::desk();
    let send = || {
        let call = app.admin().call("POST", "/customers").header("Idempotency-Key", "k");
        call.json(&json!({ "name": "A", "email": "a@x" })).send()
    };
    let (first, again) = (send(), send());
    assert_eq!(
        (first.body, again.header("location")),
        (again.body.clone(), Some("/api/v1/internal/customers/3"))
    );
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
}

#[test]
fn tickets_and_messages_show_their_customers_as_they_are_now() {
    let app = TestApp::desk();
    let ada = app.agent("ada");
    let asks = || {
        let (one, list) = (ada.get("/tickets/1"), ada.get("/tickets"));
        let listed = list.items().iter().find(|ticket| ticket["id"] == 1).unwrap()["customer"].clone();
        assert_eq!(one.data()["customer"], listed);
        listed
    };
    let wrote = || {
        let (ours, theirs) = (ada.get("/tickets/1/messages"), app.admin().get("/tickets/1/messages"));
        assert_eq!(ours.items()[0]["sender"], theirs.items()[0]["sender"]);
        ours.items()[0]["sender"].clone()
    };
    let before = wrote();
    app.admin().put("/customers/1", json!({ "name": "Joan Dœ", "email": "joan@customer.example" }));
    assert_eq!(asks(), json!({ "id": 1, "name": "Joan Dœ", "email": "joan@customer.example" }));
    assert_eq!(wrote(), json!({ "type": "customer", "id": 1, "name": "Joan Dœ", "avatar_url": null }));
    assert_ne!(wrote(), before);
    // No operation does this. Who wrote remains who wrote.
    app.sql("UPDATE ticket SET customer_id = 2 WHERE id = 1");
    let other: String = app.look_up("SELECT name FROM customer WHERE id = 2");
    assert_eq!([&asks()["id"], &asks()["name"]], [&json!(2), &json!(other)]);
    assert_eq!([&wrote()["id"], &wrote()["name"]], [&json!(1), &json!("Joan Dœ")]);
}
