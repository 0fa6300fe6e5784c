//! Who may call, as administrators keep it.

use lodge::auth::key;
use serde_json::{Value, json};

use crate::harness::{Response, TestApp, fields};

/// The ids of the desk's own keys are 1 to 4; the next is 5, or 6 when a scoped key was made to call with.
fn internal(scopes: &[&str]) -> Value {
    json!({ "name": "Bot", "type": "internal", "scopes": scopes })
}

fn entries(app: &TestApp) -> Vec<String> {
    app.column("SELECT action || ' ' || subject_id FROM activity ORDER BY id")
}

fn key_in(answer: &Response) -> String {
    answer.data()["key"].as_str().unwrap().to_owned()
}

#[test]
fn an_internal_key_is_made_shown_once_and_works() {
    let app = TestApp::desk();
    let body = json!({
        "name": "Bot", "type": "internal", "expires_at": "2026-04-01T00:00:00+02:00", "agent_id": null,
        "scopes": ["labels:list", "tickets:list", "labels:list", "connection:check"],
    });
    let answer = app.admin().post("/api-keys", body);
    assert_eq!((answer.status, answer.header("location")), (201, Some("/api/v1/internal/api-keys/5")));
    let raw = key_in(&answer);
    assert!(key::is_well_formed(&raw) && raw.starts_with("lodge_int_"), "{raw}");
    let mut made = json!({
        "id": 5, "name": "Bot", "type": "internal", "scopes": ["connection:check", "tickets:list", "labels:list"],
        "special": false, "agent_id": null, "expires_at": "2026-03-31T22:00:00Z", "revoked_at": null,
        "last_used_at": null, "created_at": answer.data()["created_at"], "updated_at": answer.data()["created_at"],
    });
    let names: Vec<&str> = fields(&made);
    assert_eq!(fields(answer.data()), [&names[..], &["key"]].concat());
    assert_eq!(app.admin().get("/api-keys/5").data(), &made);
    assert_eq!(app.admin().get("/api-keys").items()[0], made);
    made["key"] = json!(raw);
    assert_eq!(answer.data(), &made);

    app.internal(&raw).get("/connection-check").data();
    app.internal(&raw).get("/labels").data();
    app.internal(&raw).get("/settings").refused(403, "forbidden_scope");
    app.advance(16 * 24 * 3600);
    app.internal(&raw).get("/labels").refused(401, "invalid_api_key");
}

#[test]
fn nothing_of_the_key_itself_is_kept() {
    let app = TestApp::desk();
    let call = || app.admin().call("POST", "/api-keys").header("Idempotency-Key", "k").json(&internal(&[]));
    let (first, again) = (call().send(), call().send());
    let raw = key_in(&first);
    assert_eq!((first.status, again.status, again.header("idempotent-replayed")), (201, 201, Some("true")));
    assert_eq!(again.header("location"), first.header("location"));
    let mut replayed = first.json.clone();
    replayed["data"]["key"] = Value::Null;
    assert_eq!(again.json, replayed);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM api_key"), 5);
    let mut file = std::fs::read(app.path()).unwrap();
    file.extend(std::fs::read(app.path().with_extension("db-wal")).unwrap_or_default());
    let secret = &raw.as_bytes()[10..];
    assert!(!file.windows(secret.len()).any(|bytes| bytes == secret));
    assert_eq!(entries(&app), ["api_key.created 5"]);
}

#[test]
fn an_external_key_speaks_for_its_agent() {
    let app = TestApp::desk();
    app.admin().put("/agents/3", json!({ "is_active": false })).data();
    for (agent, special) in [(1, json!(false)), (3, json!(false))] {
        let body =
            json!({ "name": "Bot", "type": "external", "agent_id": agent, "special": special, "scopes": [] });
        let answer = app.admin().post("/api-keys", body);
        assert_eq!([&answer.data()["agent_id"], &answer.data()["scopes"]], [&json!(agent), &json!([])]);
        let raw = key_in(&answer);
        assert!(raw.starts_with("lodge_ext_"));
        let profile = app.key(&raw).get("/profile");
        if agent == 1 { assert_eq!(profile.data()["id"], 1) } else { profile.refused(401, "agent_inactive") }
    }
}

#[test]
fn wrong_values_are_refused_by_name() {
    let app = TestApp::desk();
    app.sql("UPDATE agent SET deleted_at = 1 WHERE id = 3");
    let base = |kind: &str| {
        let agent = if kind == "external" { json!(1) } else { Value::Null };
        json!({ "name": "Bot", "type": kind, "agent_id": agent })
    };
    let refused = [
        ("internal", "name", json!(["", " ", null, "x".repeat(251)])),
        ("internal", "type", json!(["", "special", null])),
        ("internal", "scopes", json!([["tickets:frobnicate"], "tickets:list", [1], null])),
        ("internal", "special", json!([1, null])),
        ("internal", "agent_id", json!([1])),
        ("internal", "expires_at", json!(["2026-03-16T12:00:00Z", "2026-04-01", "soon", 1_800_000_000])),
        ("internal", "key", json!(["lodge_int_x"])),
        ("external", "agent_id", json!([null, 0, 3, 99, "1"])),
        ("external", "scopes", json!([["tickets:list"]])),
        ("external", "special", json!([true])),
    ];
    for (kind, field, values) in refused {
        for value in values.as_array().unwrap() {
            let mut body = base(kind);
            body[field] = value.clone();
            app.admin().post("/api-keys", body).invalid(&[field]);
        }
    }
    app.admin().post("/api-keys", json!({})).invalid(&["name", "type"]);
    app.admin().post("/api-keys", json!({ "name": "Bot", "type": "external" })).invalid(&["agent_id"]);
    for (path, field, value) in [
        ("/api-keys/4", "type", json!("external")),
        ("/api-keys/4", "agent_id", json!(1)),
        ("/api-keys/4", "name", Value::Null),
        ("/api-keys/4", "expires_at", json!("2026-03-16T11:59:59Z")),
        ("/api-keys/1", "scopes", json!(["tickets:list"])),
        ("/api-keys/1", "special", json!(true)),
    ] {
        app.admin().put(path, json!({ field: value })).invalid(&[field]);
    }
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM api_key"), 4);
    assert!(entries(&app).is_empty());
}

#[test]
fn a_change_leaves_alone_what_is_absent_and_null_clears() {
    let app = TestApp::desk();
    let raw = key_in(&app.admin().post("/api-keys", internal(&["labels:list"])));
    app.advance(60);
    let body = json!({ "expires_at": "2027-01-01T00:00:00Z", "scopes": ["settings:read", "tickets:list"] });
    let changed = app.admin().put("/api-keys/5", body);
    let changed = changed.data();
    assert_eq!(changed["scopes"], json!(["tickets:list", "settings:read"]));
    assert_eq!([&changed["name"], &changed["updated_at"]], ["Bot", "2026-03-16T12:01:00Z"]);
    app.internal(&raw).get("/settings").data();
    app.internal(&raw).get("/labels").refused(403, "forbidden_scope");
    let told: Value =
        serde_json::from_str(&app.look_up::<String>("SELECT changes FROM activity ORDER BY id DESC"))
            .unwrap();
    assert_eq!(
        told,
        json!({
            "scopes": { "from": ["labels:list"], "to": ["tickets:list", "settings:read"] },
            "expires_at": { "from": null, "to": "2027-01-01T00:00:00Z" },
        })
    );
    app.advance(60);
    for nothing in [json!({}), json!({ "scopes": ["settings:read", "tickets:list"], "special": false })] {
        let same = app.admin().put("/api-keys/5", nothing);
        assert_eq!(
            [&same.data()["updated_at"], &same.data()["scopes"]],
            [&changed["updated_at"], &changed["scopes"]]
        );
    }
    assert_eq!(entries(&app), ["api_key.created 5", "api_key.updated 5"]);
    assert_eq!(
        app.admin().put("/api-keys/5", json!({ "expires_at": null })).data()["expires_at"],
        Value::Null
    );
    app.admin().put("/api-keys/99", json!({})).refused(404, "not_found");
    app.admin().get("/api-keys/99").refused(404, "not_found");
}

#[test]
fn deleting_revokes_and_the_record_stays() {
    let app = TestApp::desk();
    let raw = key_in(&app.admin().post("/api-keys", internal(&["labels:list"])));
    for _ in 0..2 {
        assert_eq!(app.admin().delete("/api-keys/5").json, json!({ "status": true, "message": "Revoked" }));
        app.advance(60);
    }
    app.internal(&raw).get("/labels").refused(401, "invalid_api_key");
    assert_eq!(app.admin().get("/api-keys/5").data()["revoked_at"], "2026-03-16T12:00:00Z");
    assert_eq!(app.admin().get("/api-keys").ids(), [5, 4, 3, 2, 1]);
    for body in [json!({}), json!({ "name": "New" })] {
        app.admin().put("/api-keys/5", body).invalid(&["revoked_at"]);
    }
    app.admin().delete("/api-keys/99").refused(404, "not_found");
    assert_eq!(entries(&app), ["api_key.created 5", "api_key.revoked 5"]);
}

#[test]
fn nobody_gives_away_what_it_does_not_have() {
    let app = TestApp::desk();
    let own = ["api-keys:create", "api-keys:update", "labels:list"];
    let scoped = app.admin_with(&own);
    let no = |answer: Response| answer.refused(403, "forbidden_scope");
    let mut special = internal(&[]);
    special["special"] = json!(true);
    no(scoped.post("/api-keys", special.clone()));
    no(scoped.post("/api-keys", internal(&["labels:list", "labels:read"])));
    assert_eq!(scoped.post("/api-keys", internal(&["labels:list"])).data()["id"], 6);
    let external =
        json!({ "name": "Bot", "type": "external", "agent_id": 1, "expires_at": "2026-05-01T00:00:00Z" });
    assert_eq!(scoped.post("/api-keys", external).data()["id"], 7);

    no(scoped.put("/api-keys/6", json!({ "special": true })));
    no(scoped.put("/api-keys/6", json!({ "scopes": ["labels:list", "settings:read"] })));
    no(scoped.put("/api-keys/5", json!({ "special": true })));
    scoped.put("/api-keys/6", json!({ "scopes": ["labels:list", "api-keys:update"], "name": "New" })).data();

    let mut stronger = internal(&["labels:list", "settings:read"]);
    stronger["expires_at"] = json!("2026-05-01T00:00:00Z");
    app.admin().post("/api-keys", stronger).data();
    no(scoped.put("/api-keys/8", json!({ "expires_at": null })));
    no(scoped.put("/api-keys/8", json!({ "expires_at": "2026-05-02T00:00:00Z" })));
    let longer = json!({ "expires_at": null, "scopes": ["labels:list"] });
    for allowed in [json!({ "expires_at": "2026-04-01T00:00:00Z" }), json!({ "name": "X" }), longer] {
        scoped.put("/api-keys/8", allowed).data();
    }
    scoped.put("/api-keys/7", json!({ "expires_at": null })).data();
    special["expires_at"] = json!("2026-05-01T00:00:00Z");
    app.admin().post("/api-keys", special).data();
    no(scoped.put("/api-keys/9", json!({ "expires_at": null })));
    assert_eq!(app.admin().put("/api-keys/9", json!({ "expires_at": null })).data()["special"], true);
    // A right it has not, and a value that would be wrong besides: the right is asked for first.
    no(scoped.put("/api-keys/6", json!({ "special": true, "expires_at": "2026-01-01T00:00:00Z" })));
}

#[test]
fn each_operation_asks_for_its_scope() {
    let app = TestApp::desk();
    app.admin_with(&["api-keys:list"]).get("/api-keys").data();
    app.admin_with(&["api-keys:read"]).get("/api-keys/1").data();
    app.admin_with(&["api-keys:create"]).post("/api-keys", internal(&[])).data();
    app.admin_with(&["api-keys:update"]).put("/api-keys/1", json!({})).data();
    assert_eq!(app.admin_with(&["api-keys:delete"]).delete("/api-keys/1").status, 200);
    let other = app.admin_with(&["agents:list"]);
    let refused = [
        other.get("/api-keys"),
        other.get("/api-keys/1"),
        other.post("/api-keys", internal(&[])),
        other.put("/api-keys/1", json!({})),
        other.delete("/api-keys/1"),
    ];
    refused.iter().for_each(|answer| answer.refused(403, "forbidden_scope"));
    app.agent("ben").at_root().get("/api/v1/internal/api-keys").refused(403, "wrong_key_type");
}

#[test]
fn the_list_is_paged_newest_first() {
    let app = TestApp::desk();
    let page = app.admin().get("/api-keys?per_page=3&page=2");
    assert_eq!((page.ids(), &page.json["meta"]["total"]), (vec![1], &json!(4)));
}
