//! The agent's own profile.

use serde_json::{Value, json};

use crate::harness::{TestApp, fields};

#[test]
fn a_profile_is_the_users_shape_field_for_field() {
    let answer = TestApp::desk().agent("ada").get("/profile");
    let expected = json!({
        "id": 1,
        "name": "Ada Lind",
        "email": "ada@desk.example",
        "phone": "+1 555 0100",
        "locale": "en",
        "avatar_url": "https://desk.example/ada.png",
        "notification_settings": {},
        "is_active": true,
        "created_at": "2025-12-06T12:00:00Z",
    });
    assert_eq!(*answer.data(), expected);
    assert_eq!(fields(answer.data()), fields(&expected));
    assert_eq!(fields(&answer.json), ["status", "data"]);
}

#[test]
fn an_update_returns_the_profile_and_lasts() {
    let app = TestApp::desk();
    let settings = json!({ "ticket_note": false, "own": { "sound": ["a", 1.5, null] } });
    let body =
        json!({ "name": "Ada B.", "phone": "1", "locale": "pt-BR", "notification_settings": settings });
    let answer = app.agent("ada").put("/profile", body);
    assert_eq!(answer.status, 200);
    let profile = answer.data();
    assert_eq!([&profile["name"], &profile["phone"], &profile["locale"]], ["Ada B.", "1", "pt-BR"]);
    assert_eq!(profile["notification_settings"], settings);
    assert_eq!(*app.agent("ada").get("/profile").data(), *profile);
}

#[test]
fn absent_fields_stay() {
    let app = TestApp::desk();
    app.agent("ada").put("/profile", json!({ "name": "Ada B." })).data();
    let answer = app.agent("ada").get("/profile");
    assert_eq!([&answer.data()["phone"], &answer.data()["locale"]], ["+1 555 0100", "en"]);
}

#[test]
fn null_clears_phone_and_locale() {
    let app = TestApp::desk();
    let answer = app.agent("ada").put("/profile", json!({ "phone": null, "locale": null }));
    assert_eq!([&answer.data()["phone"], &answer.data()["locale"]], [&Value::Null, &Value::Null]);
}

#[test]
fn null_is_no_name_and_no_settings() {
    let app = TestApp::desk();
    app.agent("ada").put("/profile", json!({ "name": null })).invalid(&["name"]);
    app.agent("ada")
        .put("/profile", json!({ "notification_settings": null }))
        .invalid(&["notification_settings"]);
}

#[test]
fn an_empty_update_changes_nothing() {
    let app = TestApp::desk();
    let before = app.agent("ada").get("/profile").json;
    let state = || {
        app.look_up::<String>(
            "SELECT json_array(updated_at, (SELECT count(*) FROM activity)) FROM agent WHERE id = 1",
        )
    };
    let row = state();
    app.advance(60);
    assert_eq!(app.agent("ada").put("/profile", json!({})).json, before);
    assert_eq!(app.agent("ada").put("/profile", json!({ "name": "Ada Lind", "locale": "en" })).json, before);
    assert_eq!(state(), row);
}

#[test]
fn a_name_has_1_to_250_characters_and_is_not_blank() {
    let app = TestApp::desk();
    let exactly = "é".repeat(250);
    assert_eq!(app.agent("ada").put("/profile", json!({ "name": exactly })).data()["name"], exactly);
    for name in
        [json!("é".repeat(251)), json!(""), json!("  "), json!("a\u{0}b"), json!("a\u{1b}b"), json!(5)]
    {
        app.agent("ada").put("/profile", json!({ "name": name })).invalid(&["name"]);
    }
}

#[test]
fn a_phone_has_at_most_50_characters() {
    let app = TestApp::desk();
    app.agent("ada").put("/profile", json!({ "phone": "5".repeat(50) })).data();
    for phone in [json!("5".repeat(51)), json!(5), json!("1\u{7}2")] {
        app.agent("ada").put("/profile", json!({ "phone": phone })).invalid(&["phone"]);
    }
}

#[test]
fn a_locale_is_a_well_formed_language_tag_of_at_most_10_characters() {
    let app = TestApp::desk();
    for locale in ["en", "de-CH", "zh-Hant-TW", "sr-Latn-RS", "x-private"] {
        assert_eq!(app.agent("ada").put("/profile", json!({ "locale": locale })).data()["locale"], locale);
    }
    for locale in
        [json!(""), json!("e"), json!("en_US"), json!("en-"), json!("zh-Hant-HKG"), json!("日本"), json!(1)]
    {
        app.agent("ada").put("/profile", json!({ "locale": locale })).invalid(&["locale"]);
    }
}

#[test]
fn an_empty_array_of_settings_is_an_empty_object() {
    let app = TestApp::desk();
    let answer = app.agent("ada").put("/profile", json!({ "notification_settings": [] }));
    assert_eq!(answer.data()["notification_settings"], json!({}));
    assert_eq!(app.agent("ada").get("/profile").data()["notification_settings"], json!({}));
}

#[test]
fn settings_are_an_object() {
    let app = TestApp::desk();
    for settings in [json!([1]), json!("{}"), json!(true), json!(1)] {
        let body = json!({ "notification_settings": settings });
        app.agent("ada").put("/profile", body).invalid(&["notification_settings"]);
    }
}

#[test]
fn settings_replace_the_old_ones_whole() {
    let app = TestApp::desk();
    app.agent("ada").put("/profile", json!({ "notification_settings": { "a": 1 } })).data();
    let answer = app.agent("ada").put("/profile", json!({ "notification_settings": { "b": 2 } }));
    assert_eq!(answer.data()["notification_settings"], json!({ "b": 2 }));
}

#[test]
fn settings_are_stored_as_they_were_sent() {
    let app = TestApp::desk();
    let body =
        r#"{"notification_settings":{"z":1,"a":{"deep":[1,2,{"x":"ü"}]},"big":9007199254740993,"e":1e2}}"#;
    let sent =
        app.agent("ada").call("PUT", "/profile").header("Content-Type", "application/json").body(body).send();
    sent.data();
    let text = String::from_utf8(app.agent("ada").get("/profile").body).unwrap();
    assert!(text.contains("9007199254740993"), "{text}");
    assert!(text.find("\"z\"").unwrap() < text.find("\"deep\"").unwrap(), "{text}");
}

#[test]
fn settings_have_at_most_16_kib() {
    let app = TestApp::desk();
    // `{"a":"…"}` has eight bytes around the text.
    let fits = json!({ "notification_settings": { "a": "x".repeat(16 * 1024 - 8) } });
    assert_eq!(app.agent("ada").put("/profile", fits).status, 200);
    let large = json!({ "notification_settings": { "a": "x".repeat(16 * 1024 - 7) } });
    app.agent("ada").put("/profile", large).invalid(&["notification_settings"]);
}

#[test]
fn an_update_names_every_field_that_is_wrong_and_writes_nothing() {
    let app = TestApp::desk();
    let body = json!({ "name": "", "phone": 1, "locale": "?", "notification_settings": 1, "email": "x@y.z", "is_active": false });
    app.agent("ada").put("/profile", body).invalid(&[
        "name",
        "phone",
        "locale",
        "notification_settings",
        "email",
        "is_active",
    ]);
    app.agent("ada").put("/profile", json!({ "name": "New", "locale": "?" })).invalid(&["locale"]);
    assert_eq!(app.agent("ada").get("/profile").data()["name"], "Ada Lind");
}

#[test]
fn a_new_name_shows_on_tickets_and_messages() {
    let app = TestApp::desk();
    app.agent("ada").put("/profile", json!({ "name": "Countess" })).data();
    assert_eq!(app.agent("ben").get("/tickets/1").data()["agents"][1]["name"], "Countess");
    assert_eq!(app.agent("ben").get("/tickets/1/messages").items()[1]["sender"]["name"], "Countess");
}

#[test]
fn a_change_of_profile_is_logged() {
    let app = TestApp::desk();
    app.agent("ada").put("/profile", json!({ "name": "Countess" })).data();
    let changes: String =
        app.look_up("SELECT changes FROM activity WHERE subject_type = 'agent' ORDER BY id DESC");
    let expected = json!({ "name": { "from": "Ada Lind", "to": "Countess" } });
    assert_eq!(serde_json::from_str::<Value>(&changes).unwrap(), expected);
}
