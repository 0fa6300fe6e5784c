//! `lodge serve --read-only`: reads work, writes are refused, nothing is written and nobody is in anybody's way.

use serde_json::{Value, json};

use crate::cli::{ANYWHERE, Desk, Server, serve};
use crate::harness::{connect, desk_file, key_of};

const READ_ONLY: [&str; 4] = ["serve", "--read-only", ANYWHERE[0], ANYWHERE[1]];

fn desk() -> Desk {
    let desk = Desk::new();
    std::fs::copy(desk_file(), desk.path("lodge.db")).unwrap();
    desk
}

fn call(server: &Server, method: &str, key: &str, path: &str, body: Value) -> (u16, Value, Option<String>) {
    let agent: ureq::Agent =
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
    let request = ureq::http::Request::builder()
        .method(method)
        .uri(format!("http://{}/api/v1{path}", server.address))
        .header("X-API-KEY", key)
        .header("Content-Type", "application/json")
        .header("Idempotency-Key", "once")
        .body(body.to_string())
        .unwrap();
    let mut answer = agent.run(request).unwrap();
    let later = answer.headers().get("Retry-After").map(|value| value.to_str().unwrap().to_owned());
    (answer.status().as_u16(), answer.body_mut().read_json().unwrap_or_default(), later)
}

#[test]
fn reads_work_and_writes_are_refused() {
    let desk = desk();
    let before = std::fs::read(desk.path("lodge.db")).unwrap();
    let server = desk.start(&READ_ONLY);
    let (ada, internal) = (key_of("ada"), key_of("internal"));
    for path in [
        "tickets",
        "tickets/1",
        "tickets/1/messages",
        "dashboard",
        "profile",
        "notifications",
        "knowledge-base/search?q=pass",
    ] {
        assert_eq!(server.get(&ada, &format!("/api/v1/external/{path}")).0, 200, "{path}");
    }
    assert_eq!(server.get(&internal, "/api/v1/internal/reports/overview").0, 200);
    assert_eq!(server.get("", "/api/v1/health-check").0, 200);
    let writes = [
        ("PUT", &ada, "/external/tickets/1", json!({ "status": "on_hold" })),
        ("POST", &ada, "/external/tickets/1/messages", json!({ "content": "x" })),
        ("POST", &ada, "/external/tickets/1/close", Value::Null),
        ("POST", &ada, "/external/tickets/1/messages/1/like", Value::Null),
        ("PUT", &ada, "/external/profile", json!({ "name": "A" })),
        ("POST", &ada, "/external/notifications/read-all", Value::Null),
        ("POST", &internal, "/internal/labels", json!({ "name": "x", "color": "#fff" })),
        (
            "POST",
            &internal,
            "/internal/agents",
            json!({ "name": "x", "email": "x@example.com", "password": "long enough" }),
        ),
        ("DELETE", &internal, "/internal/tickets/1", Value::Null),
        ("PUT", &internal, "/internal/settings", json!({ "auto_assign": true })),
        ("POST", &internal, "/internal/api-keys", json!({ "name": "x", "type": "internal", "scopes": [] })),
    ];
    for (method, key, path, body) in writes {
        let (status, answer, later) = call(&server, method, key, path, body);
        assert_eq!((status, answer["code"].as_str()), (503, Some("read_only")), "{method} {path}: {answer}");
        assert!(later.unwrap().parse::<u32>().unwrap() > 0);
    }
    // Who may not read may not even hear that.
    assert_eq!(call(&server, "PUT", "x", "/external/tickets/1", json!({})).0, 401);
    server.stop("TERM");
    assert!(std::fs::read(desk.path("lodge.db")).unwrap() == before);
}

#[test]
fn readers_beside_the_writer_see_what_it_writes() {
    let desk = desk();
    let writer = desk.start(&serve());
    let readers = [desk.start(&READ_ONLY), desk.start(&READ_ONLY)];
    let ada = key_of("ada");
    let (status, ..) = call(&writer, "PUT", &ada, "/external/tickets/1", json!({ "status": "on_hold" }));
    assert_eq!(status, 200);
    for reader in &readers {
        assert_eq!(reader.get(&ada, "/api/v1/external/tickets/1").1["data"]["status"], "on_hold");
    }
    // A key that is withdrawn there opens nothing here.
    desk.ok(&["key", "revoke", "1"]);
    for reader in &readers {
        assert_eq!(reader.get(&ada, "/api/v1/external/tickets/1").0, 401);
    }
    writer.stop("TERM");
    // Whoever only reads keeps nobody from writing.
    desk.start(&serve()).stop("TERM");
}

/// As Litestream keeps a replica: without a log of its own, pages changed in place.
#[test]
fn a_replica_is_read_while_it_is_brought_up_to_date() {
    let desk = desk();
    let replica = connect(&desk.path("lodge.db"));
    replica.pragma_update(None, "journal_mode", "DELETE").unwrap();
    let reader = desk.start(&READ_ONLY);
    let ada = key_of("ada");
    for n in 0..20 {
        replica.execute("UPDATE agent SET phone = 'no. ' || ?", [n]).unwrap();
        let (status, answer) = reader.get(&ada, "/api/v1/external/profile");
        assert_eq!((status, &answer["data"]["phone"]), (200, &json!(format!("no. {n}"))));
    }
    replica.execute_batch("CREATE TABLE _litestream_seq (id INTEGER PRIMARY KEY, seq INTEGER)").unwrap();
    assert_eq!(reader.get(&ada, "/api/v1/external/tickets/1").0, 200);
    drop(replica);
    desk.ok(&["check"]);
    desk.ok(&["backup", "copy.db"]);
    reader.stop("TERM");
    // Nothing of ours has made a log of it.
    assert_eq!(std::fs::read(desk.path("lodge.db")).unwrap()[18..20], [1, 1]);
    assert_eq!(desk.files(), ["copy.db", "lodge.db"].map(String::from).into());
}

/// A replica just begun still has the mark of a write-ahead log. Read as such it would be locked for as long as we serve it.
#[test]
fn a_replica_just_begun_is_not_locked() {
    let desk = desk();
    std::fs::write(desk.path("lodge.db-txid"), "0000000000000001").unwrap();
    let reader = desk.start(&READ_ONLY);
    let follower = connect(&desk.path("lodge.db"));
    follower.execute_batch("BEGIN EXCLUSIVE; UPDATE agent SET phone = '1'; COMMIT").unwrap();
    assert_eq!(reader.get(&key_of("ada"), "/api/v1/external/profile").1["data"]["phone"], "1");
    assert_eq!(desk.files(), ["lodge.db", "lodge.db-txid"].map(String::from).into());
}

#[test]
fn nothing_is_made_and_nothing_contradicts() {
    let desk = Desk::new();
    assert!(desk.refused(1, &READ_ONLY).contains("does not exist"));
    desk.refused(2, &[&READ_ONLY[..], &["--backup-every", "1h"]].concat());
    desk.refused(2, &[&serve()[..], &["--backup-keep", "3"]].concat());
    desk.refused(2, &[&serve()[..], &["--backup-every", "1 hour"]].concat());
    assert!(desk.files().is_empty());
}
