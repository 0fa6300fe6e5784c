//! What holds for every request: shapes, methods, limits of size, the order of refusals, conditions.

use std::io::{Read, Write};

use lodge::app::Options;
use serde_json::json;

use crate::harness::{Response, TestApp, key_of, unlimited};

const JSON: &str = "Content-Type: application/json";

/// Sends a raw body to `PUT /profile` with Ada's key.
fn put(app: &TestApp, content_type: &str, body: &[u8]) -> Response {
    let head = format!(
        "PUT /api/v1/external/profile HTTP/1.1\r\nX-API-KEY: {}\r\nContent-Length: {}\r\n{content_type}",
        key_of("ada"),
        body.len()
    );
    app.send_head(&head, body)
}

fn small() -> Options {
    Options { max_body: 1024, ..unlimited() }
}

fn allowed(answer: &Response) -> Vec<&str> {
    let mut methods: Vec<&str> = answer.header("allow").unwrap().split(',').map(str::trim).collect();
    methods.sort_unstable();
    methods
}

// ---------------------------------------------------------------- paths and methods

#[test]
fn an_unknown_path_is_not_found_without_a_key() {
    let app = TestApp::desk();
    let paths = [
        "/nothing",
        "/api/v1",
        "/api/v1/external",
        "/api/v1/external/nothing",
        "/api/v1/external/tickets/1/nothing",
        "/api/v2/external/tickets",
        "/docs/nothing",
        "/..%2f..%2fetc%2fpasswd",
        "/%ff",
    ];
    for path in paths {
        let answer = app.anon().at_root().get(path);
        answer.refused(404, "not_found");
        assert_eq!(answer.json["message"], "Not found", "{path}");
    }
}

#[test]
fn an_unknown_path_is_not_found_with_any_method() {
    let app = TestApp::desk();
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
        app.anon().at_root().call(method, "/api/v1/external/nothing").send().refused(404, "not_found");
    }
}

#[test]
fn a_path_that_cannot_be_decoded_is_answered_in_our_shape() {
    let app = TestApp::desk();
    for target in ["/%zz", "/api/v1/external/tickets/%", "/api/v1/external/tickets/%c3%28"] {
        let answer = app.send_head(&format!("GET {target} HTTP/1.1\r\nX-API-KEY: {}", key_of("ada")), b"");
        assert!((400..500).contains(&answer.status), "{target} {}", answer.status);
        assert_eq!(answer.json["status"], false, "{target}");
    }
}

#[test]
fn a_wrong_method_is_refused_with_the_right_ones() {
    let app = TestApp::desk();
    let patch = app.anon().call("PATCH", "/tickets/1").send();
    patch.refused(405, "method_not_allowed");
    assert_eq!(allowed(&patch), ["GET", "HEAD", "OPTIONS", "PUT"]);
    let get = app.anon().get("/tickets/1/close");
    get.refused(405, "method_not_allowed");
    assert_eq!(allowed(&get), ["OPTIONS", "POST"]);
    let delete = app.anon().call("DELETE", "/tickets").send();
    delete.refused(405, "method_not_allowed");
    assert_eq!(allowed(&delete), ["GET", "HEAD", "OPTIONS"]);
    let both = app.anon().call("PUT", "/tickets/1/messages").send();
    assert_eq!(allowed(&both), ["GET", "HEAD", "OPTIONS", "POST"]);
}

#[test]
fn a_method_nobody_knows_is_refused_too() {
    let app = TestApp::desk();
    let answer = app.send_head("BREW /api/v1/external/profile HTTP/1.1", b"");
    answer.refused(405, "method_not_allowed");
    assert_eq!(allowed(&answer), ["GET", "HEAD", "OPTIONS", "PUT"]);
}

#[test]
fn the_pages_know_their_methods() {
    let app = TestApp::desk();
    for path in ["/", "/docs", "/openapi.json", "/openapi.yaml", "/api/v1/health-check"] {
        let answer = app.anon().at_root().call("POST", path).send();
        answer.refused(405, "method_not_allowed");
        assert_eq!(allowed(&answer), ["GET", "HEAD", "OPTIONS"], "{path}");
    }
}

#[test]
fn head_is_get_without_the_body() {
    let app = TestApp::desk();
    let get = app.agent("ada").get("/tickets/1");
    let head = app.agent("ada").call("HEAD", "/tickets/1").send();
    assert_eq!((head.status, head.body.len()), (200, 0));
    for name in ["content-type", "etag"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
    }
    let missing = app.agent("ada").call("HEAD", "/tickets/99").send();
    assert_eq!((missing.status, missing.body.len()), (404, 0));
    assert_eq!(app.anon().call("HEAD", "/tickets/1").send().status, 401);
    assert_eq!(app.anon().call("HEAD", "/tickets/1/close").send().status, 405);
}

#[test]
fn head_of_a_list_has_its_links() {
    let app = TestApp::desk();
    let head = app.agent("ada").call("HEAD", "/tickets?per_page=1").send();
    assert_eq!(head.header("link"), app.agent("ada").get("/tickets?per_page=1").header("link"));
}

#[test]
fn options_tells_the_methods_without_a_key() {
    let app = TestApp::desk();
    let answer = app.anon().call("OPTIONS", "/tickets/1").send();
    assert_eq!((answer.status, answer.body.len()), (204, 0));
    assert_eq!(allowed(&answer), ["GET", "HEAD", "OPTIONS", "PUT"]);
}

#[test]
fn no_other_origin_is_let_in() {
    let app = TestApp::desk();
    let preflight = app
        .anon()
        .call("OPTIONS", "/tickets/1")
        .header("Origin", "https://elsewhere.example")
        .header("Access-Control-Request-Method", "PUT")
        .send();
    let get = app.agent("ada").call("GET", "/tickets/1").header("Origin", "https://elsewhere.example").send();
    for answer in [preflight, get] {
        assert!(!answer.headers.keys().any(|name| name.as_str().starts_with("access-control")));
    }
}

// ---------------------------------------------------------------- request id

#[test]
fn every_answer_has_a_request_id_of_its_own() {
    let app = TestApp::desk();
    let answers = [
        app.agent("ada").get("/profile"),
        app.agent("ada").get("/profile"),
        app.anon().get("/profile"),
        app.anon().get("/nothing"),
        app.anon().call("PATCH", "/profile").send(),
        app.anon().call("OPTIONS", "/profile").send(),
        app.anon().at_root().get("/docs"),
    ];
    let mut ids: Vec<&str> = answers.iter().map(|answer| answer.header("x-request-id").unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), answers.len());
}

#[test]
fn a_plain_request_id_is_kept() {
    let app = TestApp::desk();
    let long = "a".repeat(64);
    for id in ["x", "A-b_c.9", &long] {
        let answer = app.anon().call("GET", "/nothing").header("X-Request-Id", id).send();
        assert_eq!(answer.header("x-request-id"), Some(id));
    }
}

#[test]
fn any_other_request_id_is_replaced() {
    let app = TestApp::desk();
    let long = "a".repeat(65);
    for id in ["a b", "a/b", "a\"b", "<script>", &long] {
        let answer = app.anon().call("GET", "/nothing").header("X-Request-Id", id).send();
        assert_ne!(answer.header("x-request-id"), Some(id));
    }
}

// ---------------------------------------------------------------- size

#[test]
fn a_body_that_says_it_is_too_long_is_refused() {
    let app = TestApp::desk();
    let head = format!(
        "PUT /api/v1/external/profile HTTP/1.1\r\nX-API-KEY: {}\r\n{JSON}\r\nContent-Length: 1048577",
        key_of("ada")
    );
    app.send_head(&head, b"{}").refused(413, "payload_too_large");
}

#[test]
fn who_is_refused_in_the_middle_of_a_long_body_hears_why() {
    let app = TestApp::desk();
    let length = 16 << 20;
    for (path, status) in
        [("external/profile", "413 Payload Too Large"), ("external/nothing", "404 Not Found")]
    {
        let mut socket = std::net::TcpStream::connect(app.address).unwrap();
        let head =
            format!("PUT /api/v1/{path} HTTP/1.1\r\nHost: x\r\n{JSON}\r\nContent-Length: {length}\r\n\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        // Most clients write all of a body before they read: a server that closes on them is all they would tell of.
        socket.write_all(&vec![b' '; length]).unwrap();
        let mut answer = vec![];
        socket.read_to_end(&mut answer).unwrap();
        assert!(answer.starts_with(format!("HTTP/1.1 {status}\r\n").as_bytes()), "{path}");
    }
}

#[test]
fn a_body_of_exactly_the_limit_is_read() {
    let app = TestApp::desk_with(&small());
    let body = format!("{{\"name\":\"x\"{}}}", " ".repeat(1024 - 12));
    assert_eq!(body.len(), 1024);
    put(&app, JSON, body.as_bytes()).data();
    put(&app, JSON, format!("{body} ").as_bytes()).refused(413, "payload_too_large");
}

#[test]
fn a_body_in_chunks_that_is_too_long_is_refused() {
    let app = TestApp::desk_with(&small());
    chunked(&app, JSON, &" ".repeat(3000)).refused(413, "payload_too_large");
    chunked(&app, JSON, r#"{"name":"Chunky"}"#).data();
}

fn chunked(app: &TestApp, content_type: &str, body: &str) -> Response {
    let head = format!(
        "PUT /api/v1/external/profile HTTP/1.1\r\nX-API-KEY: {}\r\n{content_type}\r\nTransfer-Encoding: chunked",
        key_of("ada")
    );
    app.send_head(&head, format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes())
}

#[test]
fn an_address_that_is_too_long_is_refused() {
    let app = TestApp::desk();
    for length in [8200, 30_000] {
        let target = format!("/api/v1/external/tickets?q={}", "a".repeat(length));
        app.anon().at_root().get(&target).refused(414, "uri_too_long");
    }
    let short = format!("/tickets?x={}", "a".repeat(8000));
    app.agent("ada").get(&short).data();
}

#[test]
fn headers_that_are_too_many_or_too_large_are_refused() {
    let app = TestApp::desk();
    let many: String = (0..120).map(|n| format!("\r\nX-H{n}: v")).collect();
    app.send_head(&format!("GET /api/v1/external/profile HTTP/1.1{many}"), b"")
        .refused(431, "headers_too_large");
    let large = format!("GET /api/v1/external/profile HTTP/1.1\r\nX-Large: {}", "a".repeat(40_000));
    app.send_head(&large, b"").refused(431, "headers_too_large");
}

// ---------------------------------------------------------------- bodies

#[test]
fn a_body_that_is_not_said_to_be_json_is_refused() {
    let app = TestApp::desk();
    let types = [
        "X-None: 1",
        "Content-Type: text/plain",
        "Content-Type: text/json",
        "Content-Type: application/x-www-form-urlencoded",
        "Content-Type: application/merge-patch+json",
        "Content-Type: application/jsonp",
        "Content-Type: application/json; charset=iso-8859-1",
        "Content-Type:",
    ];
    for content_type in types {
        put(&app, content_type, b"{}").refused(415, "unsupported_media_type");
    }
}

#[test]
fn json_may_be_said_in_any_case_and_with_its_charset() {
    let app = TestApp::desk();
    for content_type in
        ["application/json;charset=utf-8", "Application/JSON", "application/json; charset=\"UTF-8\""]
    {
        let answer = put(&app, &format!("Content-Type: {content_type}"), b"{}");
        assert_eq!(answer.status, 200, "{content_type}");
    }
}

#[test]
fn what_is_not_json_is_malformed() {
    let app = TestApp::desk();
    let bodies: [&[u8]; 14] = [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{\"name\":\"x\",}",
        b"{'name':'x'}",
        b"{name:1}",
        b"nul",
        b"NaN",
        b"{\"name\":\"\xff\"}",
        b"{\"name\":\"\\ud800\"}",
        b"{\"name\":\"a\nb\"}",
        b"\xef\xbb\xbf{",
        b"{\"name\":01}",
    ];
    for body in bodies {
        put(&app, JSON, body).refused(400, "malformed_request");
    }
    put(&app, JSON, "[".repeat(100_000).as_bytes()).refused(400, "malformed_request");
}

#[test]
fn a_key_that_is_there_twice_is_refused_at_every_depth() {
    let app = TestApp::desk();
    let bodies = [
        r#"{"name":"a","name":"a"}"#,
        r#"{"name":"a","n\u0061me":"b"}"#,
        r#"{"x":1,"x":2}"#,
        r#"{"notification_settings":{"a":[{"b":1,"b":2}]}}"#,
    ];
    for body in bodies {
        put(&app, JSON, body.as_bytes()).refused(400, "duplicate_key");
    }
    assert_eq!(app.agent("ada").get("/profile").data()["name"], "Ada Lind");
}

#[test]
fn json_that_is_no_object_is_invalid_as_a_body() {
    let app = TestApp::desk();
    for body in ["[]", "null", "5", "\"x\"", "true", "[{\"name\":\"x\"}]"] {
        put(&app, JSON, body.as_bytes()).invalid(&["body"]);
    }
}

#[test]
fn unknown_fields_are_named() {
    let app = TestApp::desk();
    app.agent("ada").put("/profile", json!({ "a": 1, "b": null, "Name": "x" })).invalid(&["a", "b", "Name"]);
}

#[test]
fn a_long_list_of_wrong_words_is_not_answered_with_a_much_longer_one() {
    let app = TestApp::desk();
    let scopes: Vec<String> = (0..5000).map(|n| format!("scope:{n}")).collect();
    let answer =
        app.admin().post("/api-keys", json!({ "name": "Bot", "type": "internal", "scopes": scopes }));
    answer.invalid(&["scopes"]);
    assert_eq!(answer.json["errors"]["scopes"].as_array().unwrap().len(), 20);
}

#[test]
fn a_get_ignores_a_body() {
    let app = TestApp::desk();
    let head =
        format!("GET /api/v1/external/profile HTTP/1.1\r\nX-API-KEY: {}\r\nContent-Length: 3", key_of("ada"));
    app.send_head(&head, b"{{{").data();
}

#[test]
fn a_connection_is_not_ended_without_a_word_because_a_body_was_not_read() {
    let app = TestApp::desk();
    let calls = [
        format!("POST /api/v1/external/tickets/3/close HTTP/1.1\r\nX-API-KEY: {}", key_of("ada")),
        format!(
            "PUT /api/v1/external/tickets/3 HTTP/1.1\r\nX-API-KEY: {}\r\nContent-Type: text/plain",
            key_of("ada")
        ),
        format!("GET /api/v1/external/tickets/3 HTTP/1.1\r\nX-API-KEY: {}", key_of("ada")),
        "PUT /api/v1/external/profile HTTP/1.1".to_owned(),
        "POST /api/v1/external/nothing HTTP/1.1".to_owned(),
    ];
    for head in calls {
        // The body comes a moment after the head, as many clients send it, and then the next request.
        let mut socket = std::net::TcpStream::connect(app.address).unwrap();
        socket.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
        let head = format!("{head}\r\nHost: x\r\nContent-Length: 2\r\n\r\n");
        socket.write_all(head.as_bytes()).unwrap();
        let mut chunk = [0; 4096];
        // A server may wait for the body before it answers; one that does not must say what it will do.
        let early = socket.read(&mut chunk).unwrap_or(0);
        let answer = String::from_utf8_lossy(&chunk[..early]).to_lowercase();
        if answer.contains("connection: close") {
            continue;
        }
        let next = "GET /api/v1/health-check HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
        let _ = socket.write_all(format!("{{}}{next}").as_bytes());
        let mut rest = vec![];
        let _ = socket.read_to_end(&mut rest);
        assert!(String::from_utf8_lossy(&rest).contains("Health check successful"), "{head}{answer}");
    }
}

#[test]
fn nothing_internal_is_in_an_internal_error() {
    let app = TestApp::desk();
    app.sql("DROP TABLE message_like");
    let answer = app.agent("ada").get("/tickets/1/messages");
    answer.refused(500, "internal_error");
    let text = String::from_utf8(answer.body).unwrap().to_lowercase();
    for word in ["sql", "table", "message_like", ".db", "src/"] {
        assert!(!text.contains(word), "{text}");
    }
}

// ---------------------------------------------------------------- the order of refusals

/// A request with everything wrong that a request can have; each test mends one more thing.
struct Wrong {
    head: String,
    body: &'static str,
}

impl Wrong {
    fn new(target: &str) -> Self {
        Self { head: format!("PUT /api/v1/external{target} HTTP/1.1"), body: "{" }
    }

    fn header(mut self, line: &str) -> Self {
        self.head.push_str(&format!("\r\n{line}"));
        self
    }

    fn key(self, handle: &str) -> Self {
        self.header(&format!("X-API-KEY: {}", key_of(handle)))
    }

    fn body(self, body: &'static str) -> Self {
        Self { body, ..self }.header(&format!("Content-Length: {}", body.len()))
    }

    fn send(self, app: &TestApp) -> Response {
        app.send_head(&self.head, self.body.as_bytes())
    }
}

#[test]
fn the_route_comes_first() {
    let app = TestApp::desk_with(&small());
    let too_long = "Content-Length: 99999";
    Wrong::new("/nothing").header(too_long).send(&app).refused(404, "not_found");
    Wrong::new("/dashboard").header(too_long).send(&app).refused(405, "method_not_allowed");
}

#[test]
fn length_comes_before_the_key() {
    let app = TestApp::desk_with(&small());
    Wrong::new("/tickets/x").header("Content-Length: 99999").send(&app).refused(413, "payload_too_large");
}

#[test]
fn the_key_comes_before_its_type_and_the_body() {
    let app = TestApp::desk_with(&small());
    Wrong::new("/tickets/x?page=0").body("{").send(&app).refused(401, "missing_api_key");
    Wrong::new("/tickets/x").header("X-API-KEY: no").body("{").send(&app).refused(401, "invalid_api_key");
    Wrong::new("/tickets/x").key("internal").body("{").send(&app).refused(403, "wrong_key_type");
}

#[test]
fn the_type_of_key_comes_before_the_rate() {
    let app = TestApp::desk_with(&Options { rate_limit: 1, ..small() });
    for _ in 0..3 {
        Wrong::new("/tickets/x").key("internal").body("{").send(&app).refused(403, "wrong_key_type");
    }
}

#[test]
fn the_rate_comes_before_the_media_type() {
    let app = TestApp::desk_with(&Options { rate_limit: 1, ..small() });
    Wrong::new("/tickets/x").key("ada").body("{").send(&app).refused(415, "unsupported_media_type");
    Wrong::new("/tickets/x").key("ada").body("{").send(&app).refused(429, "rate_limited");
}

#[test]
fn the_media_type_comes_before_the_length_that_was_not_said() {
    let app = TestApp::desk_with(&small());
    chunked(&app, "Content-Type: text/plain", &"x".repeat(3000)).refused(415, "unsupported_media_type");
}

#[test]
fn the_length_comes_before_the_syntax() {
    let app = TestApp::desk_with(&small());
    chunked(&app, JSON, &"{".repeat(3000)).refused(413, "payload_too_large");
}

#[test]
fn syntax_comes_before_shape() {
    let app = TestApp::desk();
    Wrong::new("/tickets/x").key("ada").header(JSON).body("{").send(&app).refused(400, "malformed_request");
    let answer = Wrong::new("/tickets/x").key("ada").header(JSON).body(r#"{"a":1,"a":1}"#).send(&app);
    answer.refused(400, "duplicate_key");
}

#[test]
fn shape_comes_before_the_row_and_names_path_and_body_together() {
    let app = TestApp::desk();
    let answer = Wrong::new("/tickets/99").key("ada").header(JSON).body(r#"{"status":1}"#).send(&app);
    answer.invalid(&["status"]);
    let answer = Wrong::new("/tickets/x").key("ada").header(JSON).body(r#"{"status":1}"#).send(&app);
    answer.invalid(&["id", "status"]);
}

#[test]
fn the_row_comes_before_the_condition() {
    let app = TestApp::desk();
    let call = Wrong::new("/tickets/99").key("ada").header(JSON).header("If-Match: \"0-0-0\"");
    call.body(r#"{"labels":[99]}"#).send(&app).refused(404, "not_found");
}

#[test]
fn the_condition_comes_before_the_references() {
    let app = TestApp::desk();
    let call = Wrong::new("/tickets/1").key("ada").header(JSON).header("If-Match: \"0-0-0\"");
    call.body(r#"{"labels":[99]}"#).send(&app).refused(412, "precondition_failed");
    let call = Wrong::new("/tickets/1").key("ada").header(JSON).header("If-Match: *");
    call.body(r#"{"labels":[99]}"#).send(&app).invalid(&["labels"]);
}

#[test]
fn shape_comes_before_state() {
    let app = TestApp::desk();
    app.agent("ada").post("/tickets/4/messages", json!({ "content": "" })).invalid(&["content"]);
}

// ---------------------------------------------------------------- conditions

fn tag(app: &TestApp, ticket: i64) -> String {
    app.agent("ada").get(&format!("/tickets/{ticket}")).header("etag").unwrap().to_owned()
}

fn get_if_none(app: &TestApp, tags: &str) -> Response {
    app.agent("ada").call("GET", "/tickets/1").header("If-None-Match", tags).send()
}

fn put_if(app: &TestApp, tags: &str) -> Response {
    app.agent("ada")
        .call("PUT", "/tickets/1")
        .header("If-Match", tags)
        .json(&json!({ "priority": "low" }))
        .send()
}

#[test]
fn a_ticket_has_a_strong_tag_of_its_own() {
    let app = TestApp::desk();
    let one = tag(&app, 1);
    assert!(one.starts_with('"') && one.ends_with('"') && one.len() > 2, "{one}");
    assert_eq!(one, tag(&app, 1));
    assert_ne!(one, tag(&app, 3));
    assert_eq!(
        app.agent("ben").get("/tickets/1").header("etag"),
        Some(&*one),
        "everybody sees the same ticket"
    );
}

#[test]
fn what_the_client_has_is_not_sent_again() {
    let app = TestApp::desk();
    let one = tag(&app, 1);
    let answer = get_if_none(&app, &one);
    assert_eq!((answer.status, answer.body.len(), answer.header("etag")), (304, 0, Some(&*one)));
    assert!(answer.header("x-request-id").is_some());
    assert_eq!(app.agent("ada").call("HEAD", "/tickets/1").header("If-None-Match", &one).send().status, 304);
}

#[test]
fn any_of_several_tags_will_do_for_reading_and_weak_ones_too() {
    let app = TestApp::desk();
    let one = tag(&app, 1);
    for tags in [format!("\"x\", {one}"), format!("W/{one}"), "*".into()] {
        assert_eq!(get_if_none(&app, &tags).status, 304, "{tags}");
    }
    for tags in ["\"x\"", "", "x", one.trim_matches('"')] {
        assert_eq!(get_if_none(&app, tags).status, 200, "{tags}");
    }
}

#[test]
fn the_tag_moves_whenever_a_byte_of_the_ticket_can() {
    let app = TestApp::desk();
    let mut seen = vec![tag(&app, 1)];
    let mut moved = |what: &str| {
        let now = tag(&app, 1);
        assert!(!seen.contains(&now), "{what}");
        seen.push(now);
    };
    app.agent("ben").put("/tickets/1", json!({ "priority": "low" })).data();
    moved("a field");
    app.agent("ben").put("/tickets/1", json!({ "labels": [1] })).data();
    moved("the labels");
    app.agent("ben").post("/tickets/1/messages", json!({ "content": "x" })).data();
    moved("a message");
    app.agent("ben").post("/tickets/1/messages", json!({ "content": "x", "is_internal": true })).data();
    moved("a note");
    app.agent("ben").act("/tickets/1/close").data();
    moved("closing");
    app.agent("ben").put("/profile", json!({ "name": "Benjamin" })).data();
    moved("an agent's name");
    let renamed = [
        "UPDATE label SET name = 'Defect' WHERE id = 1",
        "UPDATE label SET color = '#fff' WHERE id = 1",
        "UPDATE department SET name = 'Help' WHERE id = 1",
        "UPDATE category SET name = 'Login' WHERE id = 1",
        "UPDATE product SET name = 'App' WHERE id = 1",
        "UPDATE customer SET name = 'Jane Doe' WHERE id = 1",
        "UPDATE customer SET email = 'jane@customer.example' WHERE id = 1",
        "UPDATE custom_field SET label = 'Client' WHERE id = 1",
    ];
    for sql in renamed {
        app.sql(sql);
        moved(sql);
    }
}

#[test]
fn the_tag_stays_when_nothing_changes() {
    let app = TestApp::desk();
    let one = tag(&app, 1);
    app.agent("ben").put("/tickets/1", json!({ "status": "open", "labels": [1, 2] })).data();
    app.agent("ben").act("/tickets/1/messages/1/like").data();
    app.agent("ben").put("/tickets/4", json!({ "priority": "high" })).data();
    assert_eq!(tag(&app, 1), one);
}

#[test]
fn an_update_answers_with_the_new_tag() {
    let app = TestApp::desk();
    let answer = put_if(&app, &tag(&app, 1));
    assert_eq!(answer.data()["priority"], "low");
    assert_eq!(answer.header("etag"), Some(&*tag(&app, 1)));
}

#[test]
fn a_stale_tag_refuses_the_update() {
    let app = TestApp::desk();
    let old = tag(&app, 1);
    app.agent("ben").post("/tickets/1/messages", json!({ "content": "x" })).data();
    put_if(&app, &old).refused(412, "precondition_failed");
    assert_eq!(app.agent("ada").get("/tickets/1").data()["priority"], "high");
}

#[test]
fn a_stale_tag_refuses_an_update_of_nothing_too() {
    let app = TestApp::desk();
    let old = tag(&app, 1);
    app.agent("ben").put("/tickets/1", json!({ "status": "on_hold" })).data();
    let answer = app.agent("ada").call("PUT", "/tickets/1").header("If-Match", &old).json(&json!({})).send();
    answer.refused(412, "precondition_failed");
}

#[test]
fn a_name_that_changed_elsewhere_refuses_nobody() {
    let app = TestApp::desk();
    let old = tag(&app, 1);
    app.sql("UPDATE label SET name = 'Defect' WHERE id = 1");
    put_if(&app, &old).data();
}

#[test]
fn a_star_matches_and_one_of_several_tags_does() {
    let app = TestApp::desk();
    put_if(&app, "*").data();
    let tags = format!("\"x\", {}", tag(&app, 1));
    put_if(&app, &tags).data();
}

#[test]
fn a_weak_tag_never_matches_for_an_update() {
    let app = TestApp::desk();
    let weak = format!("W/{}", tag(&app, 1));
    put_if(&app, &weak).refused(412, "precondition_failed");
}

#[test]
fn a_tag_of_another_ticket_or_of_nothing_does_not_match() {
    let app = TestApp::desk();
    let other = tag(&app, 3);
    for tags in [&*other, "\"x\"", "x", "\"\"", "\"1-1\"", "\"1-1-1-1\"", "\"9999999999999999999-1-1\""] {
        put_if(&app, tags).refused(412, "precondition_failed");
    }
}
