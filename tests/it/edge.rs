//! What every answer says about limits, origins and safety; and whose request it is.

use std::sync::Arc;

use lodge::app::Options;
use lodge::http::bounds::{Bounds, Proxies};
use lodge::http::cors::Origins;
use serde_json::json;

use crate::harness::{Response, TestApp, key_of, unlimited};

// ---------------------------------------------------------------- the headers of every answer

fn one_of_each(app: &TestApp) -> Vec<Response> {
    let anon = app.anon().at_root();
    vec![
        app.agent("ada").get("/profile"),
        app.agent("ada").put("/profile", json!({ "name": "" })),
        app.agent("ada").get("/tickets/99"),
        app.anon().get("/profile"),
        app.anon().call("PATCH", "/profile").send(),
        app.anon().call("OPTIONS", "/profile").send(),
        app.agent("ada").call("HEAD", "/profile").send(),
        anon.get("/nothing"),
        anon.get("/"),
        anon.get("/api/v1/health-check"),
        anon.get(&format!("/{}", "a".repeat(9_000))),
        app.send_raw(b"NONSENSE\r\n\r\n"),
    ]
}

#[test]
fn every_answer_tells_browsers_to_make_nothing_of_it() {
    let app = TestApp::desk();
    for answer in one_of_each(&app) {
        let expected = [
            ("x-content-type-options", "nosniff"),
            ("cache-control", "no-store"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
            ("cross-origin-resource-policy", "same-origin"),
        ];
        for (name, value) in expected {
            assert_eq!(answer.header(name), Some(value), "{name} of a {}", answer.status);
            assert_eq!(answer.headers.get_all(name).iter().count(), 1, "{name}");
        }
    }
    let docs = app.anon().at_root().get("/docs");
    let policy = docs.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'; script-src 'self';"), "{policy}");
    assert_eq!(docs.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(docs.headers.get_all("content-security-policy").iter().count(), 1);
}

// ---------------------------------------------------------------- where a key stands

/// The name and the numbers of a field such as `"key";r=1;t=30`.
fn parameters(answer: &Response, field: &str) -> (String, Vec<(String, u64)>) {
    let text = answer.header(field).unwrap_or_else(|| panic!("no {field}"));
    let mut parts = text.split(';');
    let name = parts.next().unwrap();
    assert!(name.starts_with('"') && name.ends_with('"'), "{text}");
    let numbers = parts.map(|part| {
        let (key, value) = part.split_once('=').unwrap();
        (key.to_owned(), value.parse().unwrap())
    });
    (name.trim_matches('"').to_owned(), numbers.collect())
}

#[test]
fn a_key_is_told_where_it_stands() {
    let app = TestApp::desk_with(&Options { rate_limit: 3, ..Options::default() });
    let calls = [
        app.agent("ada").get("/profile"),
        app.agent("ada").put("/profile", json!({ "name": 1 })),
        app.agent("ada").get("/tickets/99"),
    ];
    for (n, answer) in calls.iter().enumerate() {
        let policy = (String::from("key"), vec![("q".into(), 3), ("w".into(), 60)]);
        assert_eq!(parameters(answer, "ratelimit-policy"), policy);
        let (name, state) = parameters(answer, "ratelimit");
        assert_eq!((&*name, &state[0]), ("key", &("r".to_owned(), 2 - n as u64)));
        assert!(state[1].0 == "t" && (1..=20).contains(&state[1].1), "{state:?}");
    }
    let refused = app.agent("ada").get("/profile");
    refused.refused(429, "rate_limited");
    let (_, state) = parameters(&refused, "ratelimit");
    assert_eq!(state[0], ("r".to_owned(), 0));
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!(wait >= state[1].1);
    let (_, other) = parameters(&app.agent("ben").get("/profile"), "ratelimit");
    assert_eq!(other[0].1, 2, "another key is not affected");
}

#[test]
fn nobody_is_told_of_a_limit_that_is_not_there() {
    let app = TestApp::desk_with(&Options { auth_failure_limit: 1, ..Options::default() });
    assert!(app.anon().get("/profile").header("ratelimit").is_none());
    let refused = app.anon().get("/profile");
    refused.refused(429, "rate_limited");
    assert_eq!(
        parameters(&refused, "ratelimit-policy"),
        ("address".into(), vec![("q".into(), 1), ("w".into(), 60)])
    );
    assert_eq!(
        parameters(&app.agent("ada").get("/profile"), "ratelimit").0,
        "key",
        "a valid key is not refused"
    );
    let free = TestApp::desk();
    assert!(free.agent("ada").get("/profile").header("ratelimit").is_none());
}

// ---------------------------------------------------------------- too much at once

#[test]
fn what_is_too_much_is_refused_while_that_is_cheap_and_the_health_check_goes_on() {
    let bounds = Bounds { requests: 1, turn: std::time::Duration::from_secs(20), ..Bounds::default() };
    let app = TestApp::desk_with(&Options { bounds: Arc::new(bounds), ..unlimited() });
    // The writer waits for a transaction beside it, and requests that write wait for the writer.
    let beside = app.connection();
    beside.execute_batch("BEGIN IMMEDIATE").unwrap();
    std::thread::scope(|scope| {
        let slow: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| app.agent("ada").put("/profile", json!({ "phone": "1" }))))
            .collect();
        std::thread::sleep(std::time::Duration::from_millis(600));
        let refused = app.agent("ada").put("/profile", json!({ "phone": "1" }));
        refused.refused(503, "overloaded");
        // Before anything is looked up: else it were 401.
        app.anon().put("/profile", json!({ "phone": "1" })).refused(503, "overloaded");
        assert!(refused.header("retry-after").is_some_and(|seconds| seconds.parse::<u64>().unwrap() >= 1));
        // Not even whether there is such an operation; the rest is as with any other answer.
        let nowhere = app.anon().call("PUT", "/nowhere").header("X-Request-Id", "mine").send();
        nowhere.refused(503, "overloaded");
        assert_eq!(nowhere.header("x-request-id"), Some("mine"));
        assert_eq!(nowhere.header("x-content-type-options"), Some("nosniff"));
        for path in ["/api/v1/health-check", "/openapi.json"] {
            assert_eq!(app.anon().at_root().get(path).status, 200, "{path}");
        }
        assert_eq!(app.agent("ada").get("/profile").status, 200, "a read does not wait for those who write");
        beside.execute_batch("COMMIT").unwrap();
        let statuses: Vec<u16> = slow.into_iter().map(|one| one.join().unwrap().status).collect();
        // One was being worked on and one waited.
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 2, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 503).count(), 6, "{statuses:?}");
    });
    app.agent("ada").get("/profile").data();
}

// ---------------------------------------------------------------- whose request it is

fn behind(proxies: &[&str]) -> TestApp {
    let proxies = Proxies(proxies.iter().map(|net| net.parse().unwrap()).collect());
    TestApp::desk_with(&Options { proxies, auth_failure_limit: 20, ..Options::default() })
}

/// The address that the activity log has for a change of Ada's with these headers.
fn seen(app: &TestApp, headers: &[(&str, &str)]) -> String {
    let call = app.agent("ada").call("POST", "/tickets/3/close");
    headers.iter().fold(call, |call, (name, value)| call.header(name, value)).send().data();
    app.sql("UPDATE ticket SET status = 'open', closed_at = NULL, is_resolved = 0 WHERE id = 3");
    app.look_up("SELECT ip_address FROM activity ORDER BY id DESC LIMIT 1")
}

#[test]
fn an_address_is_taken_from_a_header_only_if_a_trusted_proxy_wrote_it() {
    let header = [("X-Forwarded-For", "203.0.113.9, 198.51.100.7")];
    assert_eq!(seen(&behind(&[]), &header), "127.0.0.1");
    assert_eq!(seen(&behind(&["10.0.0.0/8"]), &header), "127.0.0.1");
    let app = behind(&["127.0.0.1/32", "10.0.0.0/8"]);
    assert_eq!(seen(&app, &header), "198.51.100.7");
    assert_eq!(seen(&app, &[("X-Forwarded-For", "203.0.113.9, 198.51.100.7, 10.1.1.1")]), "198.51.100.7");
    assert_eq!(seen(&app, &[("Forwarded", "for=203.0.113.9, for=\"[2001:db8::7]:80\"")]), "2001:db8::7");
    assert_eq!(seen(&app, &[("X-Forwarded-For", "198.51.100.7"), ("Forwarded", "for=1.1.1.1")]), "127.0.0.1");
    assert_eq!(seen(&app, &[("X-Real-IP", "198.51.100.7")]), "127.0.0.1");
}

#[test]
fn made_up_addresses_do_not_get_around_the_limit_on_failures() {
    let made_up = |app: &TestApp| {
        let mut random = [0; 4];
        let mut refused = 0;
        for _ in 0..60 {
            lodge::random::fill(&mut random).unwrap();
            let address = std::net::Ipv4Addr::from(random).to_string();
            let call = app.anon().call("GET", "/profile").header("X-Forwarded-For", &address);
            refused += usize::from(call.header("Forwarded", &format!("for={address}")).send().status == 429);
        }
        refused
    };
    assert!(made_up(&behind(&[])) >= 35);
    assert_eq!(made_up(&behind(&["127.0.0.0/8"])), 0, "a trusted proxy's clients are told apart");
}

// ---------------------------------------------------------------- other origins

fn crossing() -> TestApp {
    let origins = Origins::new(&["https://desk.example".into(), "http://localhost:5173".into()]);
    TestApp::desk_with(&Options { origins, ..unlimited() })
}

#[test]
fn a_listed_origin_is_told_what_it_may_do() {
    let app = crossing();
    let asked = |origin| {
        let call = app.anon().call("OPTIONS", "/tickets/1").header("Origin", origin);
        call.header("Access-Control-Request-Method", "PUT").send()
    };
    for origin in ["https://desk.example", "http://localhost:5173"] {
        let answer = asked(origin);
        assert_eq!(answer.status, 204);
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("access-control-allow-methods"), Some("GET, HEAD, PUT, OPTIONS"));
        assert!(answer.header("access-control-allow-headers").unwrap().contains("X-API-KEY"));
        assert_eq!(answer.header("access-control-max-age"), Some("600"));
        assert!(answer.header("vary").unwrap().contains("Origin"));
        assert!(answer.header("access-control-allow-credentials").is_none());
    }
    for origin in ["https://desk.example.evil", "https://DESK.example", "http://desk.example", "null", "*"] {
        let answer = asked(origin);
        assert_eq!(answer.status, 204);
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")), "{origin}");
        assert!(answer.header("vary").unwrap().contains("Origin"));
    }
}

#[test]
fn a_listed_origin_can_read_answers_and_refusals() {
    let app = crossing();
    let origin = "https://desk.example";
    let answers = [
        app.agent("ada").call("GET", "/tickets/1").header("Origin", origin).send(),
        app.agent("ada").call("GET", "/tickets/99").header("Origin", origin).send(),
        app.anon().call("GET", "/tickets/1").header("Origin", origin).send(),
    ];
    for answer in answers {
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert!(answer.header("access-control-expose-headers").unwrap().contains("ETag"));
        assert!(answer.header("access-control-allow-methods").is_none());
    }
    let pages = app.anon().at_root().call("GET", "/openapi.json").header("Origin", origin).send();
    let vary: Vec<_> = pages.headers.get_all("vary").iter().map(|value| value.to_str().unwrap()).collect();
    assert_eq!(vary, ["accept-encoding", "Origin"]);
}

#[test]
fn keys_of_the_desk_are_not_in_any_header() {
    let app = crossing();
    for answer in one_of_each(&app) {
        assert!(answer.headers.values().all(|value| !value.to_str().unwrap().contains(&key_of("ada"))));
    }
}
