//! When there is no room for another connection, and when the server stops while some wait to be accepted.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use poem::endpoint::make;
use tokio_util::sync::CancellationToken;

use crate::connection::{HEALTH, Odd, connect, rest, with};
use crate::harness::{Response, TestApp, unlimited};

/// Two connections are all there may be.
fn small() -> TestApp {
    TestApp::desk_with(&with(|bounds, _| bounds.connections = 2))
}

/// A connection whose client has begun to ask.
fn busy(app: &TestApp) -> TcpStream {
    let mut socket = connect(app);
    socket.write_all(&HEALTH[..20]).unwrap();
    socket
}

/// Asks on a connection that stays.
fn ask(socket: &mut TcpStream) -> Response {
    socket.write_all(HEALTH).unwrap();
    let mut chunk = [0; 4096];
    let n = socket.read(&mut chunk).unwrap();
    Response::parse(&chunk[..n])
}

#[test]
fn who_finds_no_room_is_told_so_whatever_he_sends() {
    let app = small();
    let held = [busy(&app), busy(&app)];
    std::thread::sleep(Duration::from_millis(300)); // Until both have been read.
    let body = vec![b' '; 2_000_000];
    let head = format!("POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n", body.len());
    let refused = |request: &[u8]| {
        let mut socket = connect(&app);
        socket.write_all(request).unwrap();
        let mut answer = vec![];
        socket.read_to_end(&mut answer).expect("no reset");
        let answer = Response::parse(&answer);
        answer.refused(503, "overloaded");
        assert!(answer.header("retry-after").is_some());
        assert_eq!(answer.header("connection"), Some("close"));
    };
    for _ in 0..20 {
        refused(HEALTH);
        refused(&[head.as_bytes(), &body].concat());
    }
    drop(held);
    std::thread::sleep(Duration::from_millis(300));
    assert_eq!(ask(&mut connect(&app)).status, 200);
}

#[test]
fn the_connection_that_idles_longest_makes_room() {
    let app = small();
    let (mut first, mut second) = (connect(&app), connect(&app));
    assert_eq!(ask(&mut second).status, 200);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(ask(&mut first).status, 200);
    let started = Instant::now();
    let mut third = connect(&app);
    assert_eq!(ask(&mut third).status, 200);
    assert!(started.elapsed() < Duration::from_secs(5));
    assert_eq!(rest(&mut second).0, b"", "the one that waited longest ends without a word");
    assert_eq!(ask(&mut first).status, 200);
    assert_eq!(ask(&mut third).status, 200);
}

#[test]
fn who_sends_nothing_at_all_keeps_nobody_out() {
    let app = small();
    let mut silent: Vec<_> = (0..10).map(|_| connect(&app)).collect();
    // On a crowded machine whoever makes room may take longer to go than another is let wait.
    assert!((0..10).any(|_| ask(&mut connect(&app)).status == 200));
    assert_eq!(rest(&mut silent[0]).0, b"");
}

#[test]
fn who_has_connected_is_answered_though_the_server_stops() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut waiting: Vec<_> = (0..50).map(|_| TcpStream::connect(address).unwrap()).collect();
    for socket in &mut waiting {
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.write_all(HEALTH).unwrap();
    }
    let stop = CancellationToken::new();
    stop.cancel();
    let started = Instant::now();
    drop(Odd::serve_on(listener, stop, unlimited(), make(|_| async { "fine" })));
    assert!(started.elapsed() < Duration::from_secs(8), "it stops soon, though these could ask again");
    for mut socket in waiting {
        let mut answer = vec![];
        socket.read_to_end(&mut answer).expect("no reset");
        assert_eq!(Response::parse(&answer).body, b"fine");
    }
    assert!(TcpStream::connect(address).is_err());
}
