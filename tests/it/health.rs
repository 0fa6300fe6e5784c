//! The two checks, and the pages for people.

use serde_json::json;

use crate::harness::{TestApp, key_of};

#[test]
fn the_health_check_needs_no_key() {
    let answer = TestApp::desk().anon().at_root().get("/api/v1/health-check");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json, json!({ "status": true, "message": "Health check successful" }));
}

#[test]
fn the_health_check_ignores_a_wrong_key() {
    let app = TestApp::desk();
    assert_eq!(app.key("nonsense").at_root().get("/api/v1/health-check").status, 200);
}

#[test]
fn the_health_check_does_not_touch_the_database() {
    let app = TestApp::desk();
    app.sql("DROP TABLE ticket_event; DROP TABLE notification; ALTER TABLE setting RENAME TO gone;");
    assert_eq!(app.anon().at_root().get("/api/v1/health-check").status, 200);
    app.agent("ada").get("/connection-check").refused(500, "internal_error");
}

#[test]
fn the_connection_check_says_that_the_key_works() {
    let answer = TestApp::desk().agent("ada").get("/connection-check");
    assert_eq!(answer.status, 200);
    assert_eq!(answer.json, json!({ "status": true, "message": "Connection check successful" }));
}

#[test]
fn the_connection_check_needs_an_external_key() {
    let app = TestApp::desk();
    app.anon().get("/connection-check").refused(401, "missing_api_key");
    app.key(&key_of("internal")).get("/connection-check").refused(403, "wrong_key_type");
}

#[test]
fn the_root_leads_to_the_docs() {
    let answer = TestApp::desk().anon().at_root().get("/");
    assert_eq!((answer.status, answer.header("location")), (307, Some("/docs")));
}

#[test]
fn the_docs_need_no_other_host() {
    let app = TestApp::desk();
    let page = app.anon().at_root().get("/docs");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let html = String::from_utf8(page.body.clone()).unwrap();
    assert!(!html.contains("://"), "{html}");
    for source in html.split(['"', '\'']).filter(|part| part.starts_with("/docs/")) {
        assert_eq!(app.anon().at_root().get(source).status, 200, "{source}");
    }
    let policy = page.header("content-security-policy").unwrap();
    assert!(
        policy.contains("default-src 'none'") && !policy.contains("script-src 'self' 'unsafe"),
        "{policy}"
    );
}

#[test]
fn a_page_of_the_docs_that_the_client_has_is_not_sent_again() {
    let app = TestApp::desk();
    let tag = app.anon().at_root().get("/openapi.json").header("etag").unwrap().to_owned();
    let again = app.anon().at_root().call("GET", "/openapi.json").header("If-None-Match", &tag).send();
    assert_eq!((again.status, again.body.len()), (304, 0));
}

#[test]
fn the_docs_of_a_desk_that_is_no_sample_authorise_nobody() {
    let script = TestApp::desk().anon().at_root().get("/docs/start.js");
    assert!(!String::from_utf8(script.body).unwrap().contains("preauthorize"));
}
