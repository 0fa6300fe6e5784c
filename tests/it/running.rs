//! What an operator sees of a running server: its log, its numbers, and what it does when descriptors run out.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::cli::{Desk, Server, serve};
use crate::harness::{Response, key_of};

/// Sends raw bytes and reads to the end.
fn send(address: &str, bytes: &[u8]) -> Option<Response> {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(bytes).unwrap();
    let mut answer = vec![];
    socket.read_to_end(&mut answer).unwrap();
    (!answer.is_empty()).then(|| Response::parse(&answer))
}

fn get(address: &str, path: &str, lines: &str) -> Response {
    let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{lines}\r\n");
    send(address, head.as_bytes()).unwrap()
}

// ---------------------------------------------------------------- the log

/// What a hostile client sends, and what must not be in the log of it.
fn send_hostile(address: &str) -> Vec<String> {
    let key = key_of("mira");
    let own = format!("X-API-KEY: {key}\r\n");
    let paths = [
        "/%0d%0aWARN%20forged".to_owned(),
        "/%1b[31mred".to_owned(),
        "/\"},{\"forged\":true".to_owned(),
        format!("/api/v1/external/tickets/{key}"),
        format!("/{key}/x"),
        format!("/api/v1/external/tickets?q={key}&forged"),
        "/\u{2028}forged\u{202e}".to_owned(),
    ];
    for path in &paths {
        get(address, path, &own);
    }
    let ids = ["a\tforged", "a forged=1", "\u{1b}[31mforged", "id=\"forged\"", &"forged".repeat(30)];
    for id in ids {
        get(address, "/api/v1/health-check", &format!("X-Request-Id: {id}\r\n{own}User-Agent: forged\r\n"));
    }
    get(address, "/api/v1/external/profile", &own);
    send(address, b"FORGED!!! / HTTP/1.1\r\nHost: forged\r\nConnection: close\r\n\r\n");
    send(address, b"forged\r\n\r\nforged\r\n\r\n");
    vec![key, "forged".into(), "FORGED!!!".into(), "\u{1b}".into(), "\u{2028}".into(), "\u{202e}".into()]
}

fn follow(format: &str) -> (Vec<String>, Vec<String>) {
    let desk = Desk::new();
    desk.ok(&["seed"]);
    let mut server = desk.start(&[&serve()[..], &["--log-format", format]].concat());
    let canaries = send_hostile(&server.address.clone());
    get(&server.address.clone(), "/last", "");
    server.wait_for("/last");
    (server.said(), canaries)
}

#[test]
fn nothing_a_client_sends_forges_a_line_or_shows_a_key() {
    for format in ["text", "json"] {
        let (lines, canaries) = follow(format);
        for canary in &canaries {
            assert!(!lines.iter().any(|line| line.contains(canary)), "{canary:?} in {lines:#?}");
        }
        let requests = lines.iter().filter(|line| line.contains("operation"));
        assert_eq!(requests.count(), 7 + 5 + 1 + 2 + 1, "a line a request: {lines:#?}");
    }
}

#[test]
fn a_line_says_which_operation_which_key_and_how_long() {
    let (lines, _) = follow("json");
    let line = lines.iter().find(|line| line.contains("/api/v1/external/profile")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(line["method"], "GET");
    assert_eq!(line["operation"], "get_profile");
    assert_eq!(line["status"], 200);
    assert_eq!(line["client"], "127.0.0.1");
    assert!(line["key"].as_i64().is_some_and(|id| id > 0) && line["micros"].is_u64(), "{line}");
    assert_eq!(line["id"].as_str().map(str::len), Some(16));
}

// ---------------------------------------------------------------- the numbers

/// Every number by its name and labels, after a look at the form.
fn numbers(text: &str) -> HashMap<String, f64> {
    let mut families = vec![];
    let mut numbers = HashMap::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let name = rest.split(' ').next().unwrap();
            assert!(!families.contains(&name.to_owned()), "{name} twice");
            families.push(name.to_owned());
        } else if !line.starts_with('#') {
            let (name, value) = line.rsplit_once(' ').unwrap();
            assert!(families.last().is_some_and(|family| name.starts_with(family)), "{name} has no family");
            assert!(numbers.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{name} twice");
        }
    }
    numbers
}

#[test]
fn the_numbers_are_on_a_listener_of_their_own() {
    let desk = Desk::new();
    desk.ok(&["seed"]);
    let mut server = desk.start(&[&serve()[..], &["--metrics", "127.0.0.1:0", "--rate-limit", "4"]].concat());
    let line = server.wait_for("/metrics");
    let metrics = line.split_once("http://").unwrap().1.split('/').next().unwrap().to_owned();
    let address = server.address.clone();
    let key = format!("X-API-KEY: {}\r\n", key_of("mira"));
    assert_eq!(get(&address, "/metrics", "").status, 404);
    assert_eq!(get(&metrics, "/api/v1/health-check", "").status, 404);
    for _ in 0..6 {
        get(&address, "/api/v1/external/profile", &key);
    }
    get(&address, "/api/v1/external/profile", "X-API-KEY: wrong\r\n");
    send(&address, b"NONSENSE\r\n\r\n");
    let post = "POST /api/v1/external/notifications/read-all HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
    let _ = send(&address, format!("{post}X-API-KEY: {}\r\n\r\n", key_of("mira")).as_bytes());
    let page = get(&metrics, "/metrics", "");
    assert_eq!(page.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = String::from_utf8(page.body).unwrap();
    let numbers = numbers(&text);
    let of = |name: &str| *numbers.get(name).unwrap_or_else(|| panic!("no {name} in {text}"));
    assert_eq!(of("lodge_requests_total{operation=\"get_profile\",status=\"200\"}"), 4.0);
    assert_eq!(of("lodge_requests_total{operation=\"get_profile\",status=\"429\"}"), 2.0);
    assert_eq!(of("lodge_requests_total{operation=\"get_profile\",status=\"401\"}"), 1.0);
    assert_eq!(of("lodge_request_duration_seconds_count{operation=\"get_profile\"}"), 7.0);
    assert_eq!(of("lodge_request_duration_seconds_bucket{operation=\"get_profile\",le=\"+Inf\"}"), 7.0);
    assert_eq!(of("lodge_requests_rate_limited_total"), 3.0);
    assert_eq!(of("lodge_auth_failures_total"), 1.0);
    assert_eq!(of("lodge_requests_unread_total"), 1.0);
    assert_eq!(of("lodge_requests_running"), 0.0);
    assert!(of("lodge_writer_queue") <= 1.0, "nothing but upkeep");
    assert_eq!(of("lodge_readers_busy"), 0.0);
    for name in ["process_resident_memory_bytes", "process_open_fds", "lodge_database_bytes", "lodge_readers"]
    {
        assert!(of(name) > 0.0, "{name}");
    }
    let post = send(&metrics, b"POST /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    assert_eq!((post.status, post.header("allow")), (405, Some("GET, HEAD")));
}

// ---------------------------------------------------------------- descriptors

/// Processor time a process has used, in hundredths of a second.
fn ticks(id: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

#[test]
fn a_server_without_descriptors_left_waits_and_comes_back() {
    let desk = Desk::new();
    desk.ok(&["seed"]);
    let inner = desk.command(&serve());
    let mut command = Command::new("sh");
    command.env_clear().current_dir(inner.get_current_dir().unwrap()).arg("-c");
    command.arg("ulimit -n 48; exec \"$0\" \"$@\"").arg(inner.get_program()).args(inner.get_args());
    let server = Server::start(command);
    let held: Vec<TcpStream> = (0..80).map(|_| TcpStream::connect(&server.address).unwrap()).collect();
    std::thread::sleep(Duration::from_millis(500));
    let before = ticks(server.child.id());
    std::thread::sleep(Duration::from_secs(2));
    let used = ticks(server.child.id()) - before;
    assert!(used <= 6, "{used} hundredths of a second in two seconds");
    drop(held);
    let started = Instant::now();
    assert_eq!(get(&server.address, "/api/v1/health-check", "").status, 200);
    assert!(started.elapsed() < Duration::from_secs(5));
}
