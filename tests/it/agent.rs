//! Who answers, as administrators keep them.

use serde_json::{Value, json};

use crate::harness::{Response, TestApp, fields};

const PASSWORD: &str = "correct horse battery";

fn new(email: &str) -> Value {
    json!({ "name": "Dora", "email": email, "password": PASSWORD })
}

fn entries(app: &TestApp) -> Vec<String> {
    app.column("SELECT action || ' ' || subject_id FROM activity ORDER BY id")
}

fn last_changes(app: &TestApp) -> Value {
    serde_json::from_str(&app.look_up::<String>("SELECT changes FROM activity ORDER BY id DESC")).unwrap()
}

#[test]
fn an_agent_is_created_whole_and_recorded() {
    let app = TestApp::desk();
    let mut body = new("Dora@desk.example");
    body["phone"] = json!("+1");
    body["locale"] = json!("de");
    body["avatar_url"] = json!("https://desk.example/dora.png");
    body["is_active"] = json!(false);
    body["departments"] = json!([2, 1, 2]);
    let answer = app.admin().post("/agents", body);
    assert_eq!((answer.status, answer.header("location")), (201, Some("/api/v1/internal/agents/4")));
    let agent = json!({
        "id": 4, "name": "Dora", "email": "Dora@desk.example", "phone": "+1", "locale": "de",
        "avatar_url": "https://desk.example/dora.png", "is_active": false, "departments": [1, 2],
        "created_at": answer.data()["created_at"], "updated_at": answer.data()["created_at"],
    });
    assert_eq!(answer.data(), &agent);
    assert_eq!(fields(answer.data()), agent.as_object().unwrap().keys().collect::<Vec<_>>());
    assert_eq!(app.admin().get("/agents/4").data(), &agent);
    assert_eq!(entries(&app), ["agent.created 4"]);
    let hash: String = app.look_up("SELECT password_hash FROM agent WHERE id = 4");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let told: String = app.look_up("SELECT description || changes FROM activity");
    assert!(!told.contains(PASSWORD) && !told.contains("argon2"), "{told}");
}

#[test]
fn what_is_left_out_or_null_is_empty() {
    let app = TestApp::desk();
    let mut nulls = new("e@x");
    for field in ["phone", "locale", "avatar_url"] {
        nulls[field] = Value::Null;
    }
    for body in [new("d@x"), nulls] {
        let answer = app.admin().post("/agents", body);
        let made = answer.data();
        assert_eq!([&made["phone"], &made["locale"], &made["avatar_url"]], [&Value::Null; 3]);
        assert_eq!([&made["is_active"], &made["departments"]], [&json!(true), &json!([])]);
    }
}

#[test]
fn wrong_values_are_refused_by_name() {
    let app = TestApp::desk();
    let long = |n: usize| "x".repeat(n);
    let refused = [
        ("name", json!(["", long(251), null])),
        ("email", json!(["a", "BEN@desk.example", null])),
        ("password", json!(["1234567", long(129), "        ", 12_345_678, null])),
        ("phone", json!([long(51)])),
        ("locale", json!(["e", "en_US"])),
        (
            "avatar_url",
            json!([
                "",
                "ftp://x",
                "https://",
                "https://a b",
                "javascript:x",
                format!("https://{}", long(1993))
            ]),
        ),
        ("is_active", json!([1, null])),
        ("departments", json!([[99], [0], 1, null, ["1"]])),
        ("notification_settings", json!([{}])),
    ];
    for (field, values) in refused {
        for value in values.as_array().unwrap() {
            let mut body = new("a@x");
            body[field] = value.clone();
            app.admin().post("/agents", body).invalid(&[field]);
            app.admin().put("/agents/1", json!({ field: value })).invalid(&[field]);
        }
    }
    app.admin().post("/agents", json!({})).invalid(&["name", "email", "password"]);
    let two = json!({ "email": "ben@desk.example", "departments": [98, 1, 99] });
    let answer = app.admin().put("/agents/1", two);
    answer.invalid(&["email", "departments"]);
    assert_eq!(answer.json["errors"]["departments"].as_array().unwrap().len(), 2);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM agent"), 3);
    assert!(entries(&app).is_empty());
}

#[test]
fn a_change_leaves_alone_what_is_absent_and_null_clears() {
    let app = TestApp::desk();
    app.advance(60);
    let answer = app
        .admin()
        .put("/agents/1", json!({ "phone": null, "departments": [2], "email": "ADA@desk.example" }));
    let changed = answer.data();
    assert_eq!(
        [&changed["phone"], &changed["locale"], &changed["departments"]],
        [&Value::Null, &json!("en"), &json!([2])]
    );
    assert_eq!(changed["updated_at"], "2026-03-16T12:01:00Z");
    assert_eq!(
        last_changes(&app),
        json!({
            "email": { "from": "ada@desk.example", "to": "ADA@desk.example" },
            "phone": { "from": "+1 555 0100", "to": null },
            "departments": { "from": [1], "to": [2] },
        })
    );
    app.advance(60);
    for nothing in [json!({}), json!({ "departments": [2, 2], "is_active": true, "name": "Ada Lind" })] {
        assert_eq!(app.admin().put("/agents/1", nothing).data(), changed);
    }
    assert_eq!(entries(&app), ["agent.updated 1"]);
    let emptied = app.admin().put("/agents/1", json!({ "departments": [] }));
    assert_eq!(emptied.data()["departments"], json!([]));
}

#[test]
fn a_password_changes_and_is_told_without_being_told() {
    let app = TestApp::desk();
    app.admin().put("/agents/1", json!({ "password": PASSWORD })).data();
    let first: String = app.look_up("SELECT password_hash FROM agent WHERE id = 1");
    assert!(first.starts_with("$argon2id$"));
    assert_eq!(last_changes(&app), json!({ "password": { "from": null, "to": "changed" } }));
    app.admin().put("/agents/1", json!({ "name": "Ada L" })).data();
    assert_eq!(app.look_up::<String>("SELECT password_hash FROM agent WHERE id = 1"), first);
    assert_eq!(entries(&app), ["agent.updated 1"; 2]);
}

#[test]
fn activity_tells_activation_from_other_changes() {
    let app = TestApp::desk();
    let answer = app.admin().put("/agents/1", json!({ "is_active": false, "name": "Ada L" }));
    assert_eq!([&answer.data()["is_active"], &answer.data()["name"]], [&json!(false), &json!("Ada L")]);
    app.agent("ada").get("/tickets").refused(401, "agent_inactive");
    app.admin().put("/agents/1", json!({ "is_active": true })).data();
    app.agent("ada").get("/tickets").data();
    assert_eq!(entries(&app), ["agent.updated 1", "agent.deactivated 1", "agent.activated 1"]);
    assert_eq!(last_changes(&app), json!({ "is_active": { "from": false, "to": true } }));
}

#[test]
fn the_list_goes_by_name_and_filters() {
    let app = TestApp::desk();
    app.admin().put("/agents/2", json!({ "is_active": false, "departments": [2, 1] })).data();
    let mut eve = new("eve@x");
    eve["name"] = json!("álex");
    app.admin().post("/agents", eve).data();
    for (query, ids) in [
        ("", vec![1, 4, 2, 3]),
        ("?department_id=1", vec![1, 2]),
        ("?department_id=2", vec![2, 3]),
        ("?is_active=false", vec![2]),
        ("?is_active=true&department_id=2", vec![3]),
        ("?department_id=99", vec![]),
        ("?per_page=2&page=2", vec![2, 3]),
    ] {
        assert_eq!(app.admin().get(&format!("/agents{query}")).ids(), ids, "{query}");
    }
    let page = app.admin().get("/agents?department_id=1&per_page=1");
    assert_eq!(page.json["meta"]["total"], 2);
    assert_eq!(app.admin().get("/agents").each("departments")[2], json!([1, 2]));
    app.admin().get("/agents?is_active=1&department_id=x").invalid(&["is_active", "department_id"]);
}

#[test]
fn each_operation_asks_for_its_scope() {
    let app = TestApp::desk();
    app.admin_with(&["agents:list"]).get("/agents").data();
    app.admin_with(&["agents:read"]).get("/agents/1").data();
    app.admin_with(&["agents:create"]).post("/agents", new("d@x")).data();
    app.admin_with(&["agents:update"]).put("/agents/1", json!({})).data();
    assert_eq!(app.admin_with(&["agents:delete"]).delete("/agents/1").json["message"], "Deleted");
    let other = app.admin_with(&["customers:list"]);
    let refused = [
        other.get("/agents"),
        other.get("/agents/2"),
        other.post("/agents", new("e@x")),
        other.put("/agents/2", json!({})),
        other.delete("/agents/2"),
    ];
    refused.iter().for_each(|answer| answer.refused(403, "forbidden_scope"));
}

#[test]
fn a_deleted_agent_leaves_everything_but_what_it_said() {
    let app = TestApp::desk();
    app.agent("ben").act("/tickets/1/messages/2/like").data();
    app.agent("ada").act("/tickets/1/messages/1/like").data();
    app.customer_replies(1, "Well?");
    app.agent("ben").post("/tickets/4/messages", json!({ "content": "x" })).refused(403, "ticket_locked");
    app.agent("ben").post("/tickets/1/messages", json!({ "content": "Note", "is_internal": true })).data();
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM notification WHERE agent_id = 1"), 1);
    let before = app.agent("ben").get("/tickets/4");
    assert_eq!(before.data()["assigned_to"]["id"], 1);
    app.advance(60);

    let gone = app.admin().delete("/agents/1");
    assert_eq!(gone.json, json!({ "status": true, "message": "Deleted" }));

    app.agent("ada").get("/tickets").refused(401, "agent_inactive");
    for answer in [
        app.admin().get("/agents/1"),
        app.admin().put("/agents/1", json!({})),
        app.admin().delete("/agents/1"),
    ] {
        answer.refused(404, "not_found");
    }
    assert_eq!(app.admin().get("/agents").ids(), [2, 3]);
    let after = app.agent("ben").get("/tickets/4");
    assert_eq!([&after.data()["assigned_to"], &after.data()["agents"][0]["id"]], [&Value::Null, &json!(2)]);
    assert_ne!(before.header("etag"), after.header("etag"));
    assert_eq!(
        app.agent("ben").get("/tickets/1").data()["agents"],
        json!([{ "id": 2, "name": "Ben Ortiz" }])
    );
    let messages = app.agent("ben").get("/tickets/1/messages");
    let hers = messages.items().iter().find(|message| message["id"] == 2).unwrap();
    assert_eq!((&hers["sender"]["id"], &hers["sender"]["name"]), (&json!(1), &json!("Ada Lind")));
    assert_eq!(messages.items()[0]["likes_count"], 1);
    for table in ["ticket_agent", "agent_department", "notification"] {
        assert_eq!(
            app.look_up::<i64>(&format!("SELECT count(*) FROM {table} WHERE agent_id = 1")),
            0,
            "{table}"
        );
    }
    assert_eq!(app.look_up::<i64>("SELECT sum(n) FROM ticket_count WHERE agent_id = 1"), 0);
    assert_eq!(entries(&app).pop().unwrap(), "agent.deleted 1");
    assert_eq!(app.admin().post("/agents", new("ADA@desk.example")).data()["id"], 4);
}

fn create_once(app: &TestApp, password: &str, name: &str) -> Response {
    let mut body = new("d@x");
    body["password"] = json!(password);
    body["name"] = json!(name);
    app.admin().call("POST", "/agents").header("Idempotency-Key", "k").json(&body).send()
}

#[test]
fn no_password_enters_a_fingerprint() {
    let app = TestApp::desk();
    let first = create_once(&app, PASSWORD, "Dora");
    let fingerprint: Vec<u8> = app.look_up("SELECT fingerprint FROM idempotency");
    let again = create_once(&app, "another password", "Dora");
    assert_eq!((first.status, &first.body), (201, &again.body));
    assert_eq!(again.header("idempotent-replayed"), Some("true"));
    create_once(&app, PASSWORD, "Eve").refused(422, "idempotency_key_reused");

    let other = TestApp::desk();
    create_once(&other, "yet another one", "Dora").data();
    assert_eq!(other.look_up::<Vec<u8>>("SELECT fingerprint FROM idempotency"), fingerprint);
    let short = create_once(&other, "short", "Dora");
    short.invalid(&["password"]);
}
