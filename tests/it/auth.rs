//! Keys: what opens the door, what does not, and how often one may knock.

use std::process::Command;

use lodge::app::Options;
use lodge::auth::key::{self, KeyType};
use serde_json::json;

use crate::harness::{Response, TestApp, key_of, unlimited};

#[track_caller]
fn invalid_key(answer: &Response) {
    answer.refused(401, "invalid_api_key");
    assert_eq!(answer.json["message"], "Invalid API key");
}

#[test]
fn a_missing_key_is_said_to_be_missing() {
    let answer = TestApp::desk().anon().get("/profile");
    answer.refused(401, "missing_api_key");
    assert_eq!(answer.json["message"], "Missing header: X-API-KEY");
    assert!(answer.header("www-authenticate").is_some(), "RFC 9110 wants one with every 401");
}

#[test]
fn an_unknown_key_is_invalid() {
    let app = TestApp::desk();
    invalid_key(&app.key(&key::format(KeyType::External, [77; 32])).get("/profile"));
}

#[test]
fn a_malformed_key_is_invalid() {
    let app = TestApp::desk();
    let good = key_of("ada");
    let cut = &good[..good.len() - 1];
    let longer = format!("{good}0");
    let prefix = good.replace("_ext_", "_int_");
    for bad in ["x", "lodge_ext_", cut, &longer, &prefix, "' OR 1=1 --", "null"] {
        invalid_key(&app.key(bad).get("/profile"));
    }
}

#[test]
fn a_key_is_its_exact_letters() {
    let app = TestApp::desk();
    invalid_key(&app.key(&key_of("ada").to_uppercase()).get("/profile"));
    invalid_key(&app.key(&key_of("ada").to_lowercase()).get("/profile"));
}

#[test]
fn a_key_that_is_no_text_is_invalid() {
    let app = TestApp::desk();
    let bytes = b"GET /api/v1/external/profile HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-API-KEY: \xff\xfe\r\n\r\n";
    invalid_key(&app.send_raw(bytes));
}

#[test]
fn an_empty_key_opens_nothing() {
    let app = TestApp::desk();
    assert_eq!(app.send_head("GET /api/v1/external/profile HTTP/1.1\r\nX-API-KEY:", b"").status, 401);
}

#[test]
fn a_key_is_taken_from_its_header_and_nowhere_else() {
    let app = TestApp::desk();
    let key = key_of("ada");
    app.anon().get(&format!("/profile?X-API-KEY={key}&api_key={key}")).refused(401, "missing_api_key");
    let bearer = app.anon().call("GET", "/profile").header("Authorization", &format!("Bearer {key}")).send();
    bearer.refused(401, "missing_api_key");
}

#[test]
fn the_name_of_the_header_ignores_case() {
    let app = TestApp::desk();
    let answer = app.anon().call("GET", "/profile").header("x-api-key", &key_of("ada")).send();
    assert_eq!(answer.data()["id"], 1);
}

#[test]
fn two_keys_are_malformed_even_if_they_are_the_same() {
    let app = TestApp::desk();
    for second in ["ada", "ben"] {
        let call = app.agent("ada").call("GET", "/profile").header("X-API-KEY", &key_of(second));
        call.send().refused(400, "malformed_request");
    }
}

#[test]
fn an_expired_key_is_invalid_from_its_moment_on() {
    let app = TestApp::desk();
    let raw = app.add_key(1, 50, &format!("{}", app.clock.now().0 + 600_000_000));
    app.key(&raw).get("/profile").data();
    app.advance(601);
    invalid_key(&app.key(&raw).get("/profile"));
}

#[test]
fn a_revoked_key_is_invalid_on_the_next_request() {
    let app = TestApp::desk();
    app.agent("ada").get("/profile").data();
    app.sql("UPDATE api_key SET revoked_at = 1 WHERE agent_id = 1");
    invalid_key(&app.agent("ada").get("/profile"));
    app.agent("ben").get("/profile").data();
}

#[test]
fn one_agent_may_have_several_keys_and_lose_one() {
    let app = TestApp::desk();
    let second = app.add_key(1, 51, "NULL");
    app.sql("UPDATE api_key SET revoked_at = 1 WHERE id = 1");
    assert_eq!(app.key(&second).get("/profile").data()["id"], 1);
}

#[test]
fn an_inactive_agents_key_says_so_and_works_again_later() {
    let app = TestApp::desk();
    app.sql("UPDATE agent SET is_active = 0 WHERE id = 1");
    app.agent("ada").get("/profile").refused(401, "agent_inactive");
    app.sql("UPDATE agent SET is_active = 1 WHERE id = 1");
    app.agent("ada").get("/profile").data();
}

#[test]
fn a_deleted_agents_key_says_the_same() {
    let app = TestApp::desk();
    app.sql("UPDATE agent SET deleted_at = 1 WHERE id = 1");
    app.agent("ada").get("/profile").refused(401, "agent_inactive");
}

#[test]
fn a_revoked_key_of_an_inactive_agent_is_just_invalid() {
    let app = TestApp::desk();
    app.sql("UPDATE agent SET is_active = 0; UPDATE api_key SET revoked_at = 1;");
    invalid_key(&app.agent("ada").get("/profile"));
}

#[test]
fn an_internal_key_is_of_the_wrong_type() {
    let app = TestApp::desk();
    app.agent("internal").get("/profile").refused(403, "wrong_key_type");
    app.agent("internal").put("/profile", json!({ "name": "Robot" })).refused(403, "wrong_key_type");
    assert_eq!(app.agent("ada").get("/profile").data()["name"], "Ada Lind");
}

#[test]
fn the_raw_key_is_nowhere_in_the_file() {
    let app = TestApp::desk();
    app.agent("ada").get("/profile").data();
    let (file, key) = (std::fs::read(app.path()).unwrap(), key_of("ada"));
    let secret = &key.as_bytes()["lodge_ext_".len()..];
    assert!(!file.windows(secret.len()).any(|bytes| bytes == secret));
}

// ---------------------------------------------------------------- the command line beside the server

fn lodge(app: &TestApp, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_lodge"))
        .args(arguments)
        .arg("--db")
        .arg(app.path())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_revocation_at_the_command_line_counts_on_the_next_request() {
    let app = TestApp::desk();
    app.agent("ada").get("/profile").data();
    lodge(&app, &["key", "revoke", "1"]);
    invalid_key(&app.agent("ada").get("/profile"));
}

#[test]
fn a_deactivation_at_the_command_line_counts_on_the_next_request() {
    let app = TestApp::desk();
    app.agent("ada").get("/profile").data();
    lodge(&app, &["agent", "deactivate", "ada@desk.example"]);
    app.agent("ada").get("/profile").refused(401, "agent_inactive");
    lodge(&app, &["agent", "activate", "1"]);
    app.agent("ada").get("/profile").data();
}

#[test]
fn a_key_made_at_the_command_line_works_at_once() {
    let app = TestApp::desk();
    let output = lodge(&app, &["key", "create", "--type", "external", "--agent", "ben@desk.example"]);
    let key = output.lines().last().unwrap();
    assert_eq!(app.key(key).get("/profile").data()["id"], 2);
}

// ---------------------------------------------------------------- limits

#[track_caller]
fn rate_limited(answer: &Response, most: u64) {
    answer.refused(429, "rate_limited");
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=most).contains(&seconds), "{seconds}");
}

#[test]
fn a_key_that_calls_too_often_is_told_when_to_come_back() {
    let app = TestApp::desk_with(&Options { rate_limit: 3, ..Options::default() });
    for _ in 0..3 {
        app.agent("ada").get("/profile").data();
    }
    rate_limited(&app.agent("ada").get("/profile"), 20);
    app.agent("ben").get("/profile").data();
}

#[test]
fn the_limit_is_a_keys_and_not_an_agents() {
    let app = TestApp::desk_with(&Options { rate_limit: 1, ..Options::default() });
    let second = app.add_key(1, 52, "NULL");
    app.agent("ada").get("/profile").data();
    rate_limited(&app.agent("ada").get("/profile"), 60);
    app.key(&second).get("/profile").data();
}

#[test]
fn a_refused_request_counts_too() {
    let app = TestApp::desk_with(&Options { rate_limit: 1, ..Options::default() });
    app.agent("ada").get("/tickets/99").refused(404, "not_found");
    rate_limited(&app.agent("ada").get("/profile"), 60);
}

#[test]
fn without_a_limit_nobody_is_refused() {
    let app = TestApp::desk_with(&unlimited());
    for _ in 0..400 {
        app.anon().get("/profile").refused(401, "missing_api_key");
    }
    app.agent("ada").get("/profile").data();
}

#[test]
fn the_public_check_is_not_limited() {
    let app = TestApp::desk_with(&Options { rate_limit: 1, auth_failure_limit: 1, ..Options::default() });
    for _ in 0..5 {
        assert_eq!(app.anon().at_root().get("/api/v1/health-check").status, 200);
    }
}

#[test]
fn an_address_that_fails_too_often_is_refused_and_a_valid_key_from_it_never() {
    let app = TestApp::desk_with(&Options { auth_failure_limit: 4, ..Options::default() });
    app.sql("UPDATE agent SET is_active = 0 WHERE id = 3");
    app.anon().get("/profile").refused(401, "missing_api_key");
    invalid_key(&app.key("wrong").get("/profile"));
    app.agent("cleo").get("/profile").refused(401, "agent_inactive");
    invalid_key(&app.key("wrong").get("/profile"));
    rate_limited(&app.key("wrong").get("/profile"), 15);
    rate_limited(&app.anon().get("/profile"), 15);
    for _ in 0..10 {
        app.agent("ada").get("/profile").data();
    }
}

#[test]
fn zero_turns_the_limit_of_failures_off() {
    let app = TestApp::desk_with(&Options { auth_failure_limit: 0, ..Options::default() });
    for _ in 0..350 {
        app.anon().get("/profile").refused(401, "missing_api_key");
    }
}
