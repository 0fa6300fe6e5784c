//! What happens between the socket and a request: time limits, answers to what cannot be read, and how connections end.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use lodge::app::Options;
use lodge::http::bounds::Bounds;
use lodge::http::cors::Origins;
use lodge::http::front::Front;
use lodge::http::load::Load;
use lodge::http::serve::serve;
use poem::endpoint::make;
use tokio_util::sync::CancellationToken;

use crate::harness::{Response, TestApp, key_of, unlimited};

/// Asks whether the server is alive, and goes on.
pub const HEALTH: &[u8] = b"GET /api/v1/health-check HTTP/1.1\r\nHost: x\r\n\r\n";

/// One limit is short and the others are not, so that it is that one that a test sees.
pub fn with(change: impl FnOnce(&mut Bounds, Duration)) -> Options {
    let mut bounds = Bounds::default();
    change(&mut bounds, Duration::from_millis(600));
    Options { bounds: Arc::new(bounds), ..unlimited() }
}

pub fn connect(app: &TestApp) -> TcpStream {
    let socket = TcpStream::connect(app.address).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket
}

/// Reads until the server ends the connection; what came, and after how long.
pub fn rest(socket: &mut TcpStream) -> (Vec<u8>, Duration) {
    let (mut bytes, started) = (vec![], Instant::now());
    let mut chunk = [0; 16 * 1024];
    loop {
        match socket.read(&mut chunk) {
            Ok(0) => break,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => break,
            Err(error) => panic!("not closed: {error}"),
        }
    }
    (bytes, started.elapsed())
}

#[track_caller]
fn within(took: Duration, least: u64, most: u64) {
    let took = took.as_millis();
    assert!((u128::from(least)..u128::from(most)).contains(&took), "after {took} ms");
}

/// The head of a request of Ada's with a body of so many bytes.
fn put(length: usize) -> String {
    format!(
        "PUT /api/v1/external/profile HTTP/1.1\r\nHost: x\r\nX-API-KEY: {}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n",
        key_of("ada")
    )
}

// ---------------------------------------------------------------- slow clients

#[test]
fn who_sends_nothing_is_left_without_a_word() {
    let app = TestApp::desk_with(&with(|bounds, short| bounds.head = short));
    let (bytes, took) = rest(&mut connect(&app));
    assert_eq!(bytes, b"");
    within(took, 500, 5_000);
}

#[test]
fn half_a_head_is_told_that_it_took_too_long() {
    let app = TestApp::desk_with(&with(|bounds, short| bounds.head = short));
    let mut socket = connect(&app);
    socket.write_all(&HEALTH[..20]).unwrap();
    let (bytes, took) = rest(&mut socket);
    Response::parse(&bytes).refused(408, "request_timeout");
    within(took, 500, 5_000);
}

#[test]
fn a_head_that_drips_gets_no_more_time() {
    let app = TestApp::desk_with(&with(|bounds, short| {
        (bounds.head, bounds.linger_pause) = (short, short);
    }));
    let mut socket = connect(&app);
    let started = Instant::now();
    socket.write_all(b"GET / HTTP/1.1\r\n").unwrap();
    while started.elapsed() < Duration::from_secs(10) && socket.write_all(b"X-A: b\r\n").is_ok() {
        std::thread::sleep(Duration::from_millis(50));
    }
    within(started.elapsed(), 500, 6_000);
}

#[test]
fn half_a_body_is_told_that_it_took_too_long() {
    let app = TestApp::desk_with(&with(|bounds, short| bounds.body_pause = short));
    let mut socket = connect(&app);
    socket.write_all(format!("{}{{", put(100)).as_bytes()).unwrap();
    let (bytes, took) = rest(&mut socket);
    let answer = Response::parse(&bytes);
    answer.refused(408, "request_timeout");
    assert_eq!(answer.header("connection"), Some("close"));
    within(took, 500, 5_000);
}

/// A change of Ada's.
fn change() -> String {
    let body = r#"{"phone":"1"}"#;
    format!("{}{body}", put(body.len()))
}

/// A desk with these limits, on which one change is worked on and one waits, both for a transaction beside them.
fn crowded(bounds: Bounds, options: Options) -> (TestApp, rusqlite::Connection, [TcpStream; 2]) {
    let bounds = Bounds { requests: 1, turn: Duration::from_secs(20), ..bounds };
    let app = TestApp::desk_with(&Options { bounds: Arc::new(bounds), ..options });
    let beside = app.connection();
    beside.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut held = [connect(&app), connect(&app)];
    held.iter_mut().for_each(|socket| socket.write_all(change().as_bytes()).unwrap());
    std::thread::sleep(Duration::from_millis(600));
    (app, beside, held)
}

/// What is answered to this, as far as it comes at once.
fn told(socket: &mut TcpStream, request: &str) -> Vec<u8> {
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = vec![0; 8192];
    let length = socket.read(&mut answer).unwrap();
    answer.truncate(length);
    answer
}

#[test]
fn who_is_refused_for_the_load_keeps_the_connection_though_it_sent_a_body() {
    let (app, beside, _held) = crowded(Bounds::default(), unlimited());
    let mut socket = connect(&app);
    for _ in 0..2 {
        let answer = Response::parse(&told(&mut socket, &change()));
        answer.refused(503, "overloaded");
        assert_eq!(answer.header("connection"), None, "a new connection costs more than reading the body");
    }
    beside.execute_batch("COMMIT").unwrap();
}

#[test]
fn who_is_refused_at_a_look_is_told_the_same_as_who_is_read_with_care() {
    for origins in [vec![], vec!["https://desk.example".to_owned()]] {
        let options = Options { origins: Origins::new(&origins), ..unlimited() };
        let metrics = Arc::clone(&options.metrics);
        let (app, beside, _held) = crowded(Bounds::default(), options);
        let mut socket = connect(&app);
        let with = |lines: &str| {
            let lines = format!(
                "X-Request-Id: mine\r\nX-Request-Id: other\r\nConnection: keep-alive\r\n{lines}Host: x"
            );
            change().replacen("Host: x", &lines, 1)
        };
        let careful = told(&mut socket, &with("Origin: https://elsewhere.example\r\n"));
        let shed = metrics.shed.get();
        let quick = told(&mut socket, &with(""));
        assert_eq!(metrics.shed.get(), shed + 1);
        Response::parse(&quick).refused(503, "overloaded");
        let lines = |answer: Vec<u8>| -> (bool, Vec<String>) {
            let text = String::from_utf8(answer).unwrap();
            let mut lines: Vec<_> = text.split("\r\n").map(str::to_owned).collect();
            let all = lines.len();
            lines.retain(|line| !line.starts_with("date: "));
            lines.sort();
            (lines.len() < all, lines)
        };
        let ((careful_dated, careful), (quick_dated, quick)) = (lines(careful), lines(quick));
        assert_eq!(quick, careful);
        // The library writes a date on what it has read, so the two were really answered in two ways.
        assert_eq!((careful_dated, quick_dated), (true, false));
        beside.execute_batch("COMMIT").unwrap();
    }
}

#[test]
fn who_is_refused_at_a_look_gets_an_id_and_what_is_not_a_whole_request_is_read_as_ever() {
    let (app, beside, _held) = crowded(Bounds::default(), unlimited());
    let mut socket = connect(&app);
    let mut id = || {
        let answer = Response::parse(&told(&mut socket, &change()));
        answer.refused(503, "overloaded");
        answer.header("x-request-id").unwrap().to_owned()
    };
    let (one, other) = (id(), id());
    assert!(one.len() == 16 && other.len() == 16 && one != other, "{one} {other}");
    // In two pieces.
    let whole = change();
    let (first, second) = whole.split_at(30);
    socket.write_all(first.as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    Response::parse(&told(&mut socket, second)).refused(503, "overloaded");
    // Two at once.
    let last = "GET /api/v1/health-check HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    socket.write_all(format!("{}{last}", change()).as_bytes()).unwrap();
    let both = String::from_utf8(rest(&mut socket).0).unwrap();
    let statuses: Vec<_> = both.match_indices("HTTP/1.1 ").map(|(at, _)| &both[at + 9..at + 12]).collect();
    assert_eq!(statuses, ["503", "200"]);
    beside.execute_batch("COMMIT").unwrap();
}

#[test]
fn who_was_refused_at_a_look_is_served_on_the_same_connection_and_may_idle_as_long_as_anybody() {
    let bounds = Bounds { idle: Duration::from_millis(1200), ..Bounds::default() };
    let (app, beside, _held) = crowded(bounds, unlimited());
    let mut socket = connect(&app);
    let read =
        format!("GET /api/v1/external/profile HTTP/1.1\r\nHost: x\r\nX-API-KEY: {}\r\n\r\n", key_of("ada"));
    for _ in 0..3 {
        // Together longer than a connection may idle.
        Response::parse(&told(&mut socket, &change())).refused(503, "overloaded");
        std::thread::sleep(Duration::from_millis(500));
        assert_eq!(Response::parse(&told(&mut socket, &read)).status, 200);
    }
    Response::parse(&told(&mut socket, &change())).refused(503, "overloaded");
    let (bytes, took) = rest(&mut socket);
    assert!(bytes.is_empty(), "it is closed when it has idled for as long as it may");
    within(took, 1_000, 5_000);
    beside.execute_batch("COMMIT").unwrap();
}

#[test]
fn a_body_that_drips_gets_no_more_time() {
    let app = TestApp::desk_with(&with(|bounds, short| {
        (bounds.body, bounds.linger_pause) = (short, short);
    }));
    let mut socket = connect(&app);
    let started = Instant::now();
    socket.write_all(put(100_000).as_bytes()).unwrap();
    while started.elapsed() < Duration::from_secs(10) && socket.write_all(b" ").is_ok() {
        std::thread::sleep(Duration::from_millis(50));
    }
    within(started.elapsed(), 500, 8_000);
}

#[test]
fn a_client_that_does_not_read_is_dropped() {
    let app = TestApp::desk_with(&with(|bounds, short| bounds.write_pause = short));
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.set_recv_buffer_size(4096).unwrap();
    socket.connect(&app.address.into()).unwrap();
    let mut socket = TcpStream::from(socket);
    socket.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    // Far more answers than fit between the two ends, none of them read.
    let ask = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n".repeat(100);
    let _ = socket.write_all(&ask);
    let started = Instant::now();
    // Only writing tells whether the server is still there: reading would let it go on.
    while started.elapsed() < Duration::from_secs(20) {
        std::thread::sleep(Duration::from_millis(100));
        match socket.write_all(b"X") {
            Err(error) if error.kind() != std::io::ErrorKind::WouldBlock => break,
            _ => {}
        }
    }
    within(started.elapsed(), 100, 8_000);
}

#[test]
fn an_idle_connection_is_kept_longer_than_a_head_may_take() {
    let app = TestApp::desk_with(&with(|bounds, short| {
        (bounds.head, bounds.idle) = (short, 2 * short);
    }));
    let mut socket = connect(&app);
    for _ in 0..2 {
        socket.write_all(HEALTH).unwrap();
        let mut chunk = [0; 4096];
        assert!(socket.read(&mut chunk).unwrap() > 0);
        std::thread::sleep(Duration::from_millis(800));
    }
    let (bytes, took) = rest(&mut socket);
    assert_eq!(bytes, b"", "an idle connection ends without a word");
    within(took, 100, 5_000);
}

// ---------------------------------------------------------------- early answers

/// Sends a request whose body nobody will read, and reads to the end. On this machine the answer arrives even if the server
/// resets the connection behind it; elsewhere a reset takes it along. So a reset at any point is a failure.
fn send_in_vain(app: &TestApp, path: &str, body: &[u8]) -> Response {
    let mut socket = connect(app);
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nX-API-KEY: wrong\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    socket.write_all(body).unwrap();
    let mut answer = vec![];
    socket.read_to_end(&mut answer).unwrap();
    Response::parse(&answer)
}

#[test]
fn an_answer_before_the_end_of_the_body_always_arrives() {
    let app = TestApp::desk_with(&Options { max_body: 8 * 1024 * 1024, ..unlimited() });
    let body = vec![b' '; 4 * 1024 * 1024];
    for _ in 0..200 {
        send_in_vain(&app, "/api/v1/external/tickets/1/messages", &body).refused(401, "invalid_api_key");
    }
    let app = TestApp::desk();
    for _ in 0..50 {
        send_in_vain(&app, "/api/v1/external/tickets/1/messages", &body).refused(413, "payload_too_large");
        send_in_vain(&app, "/api/v1/external/nothing", &body).refused(404, "not_found");
    }
}

#[test]
fn reading_on_for_a_client_ends() {
    let app = TestApp::desk_with(&with(|bounds, short| bounds.linger = short));
    let mut socket = connect(&app);
    socket.write_all(put(2_000_000).as_bytes()).unwrap();
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(10) && socket.write_all(&[b' '; 100]).is_ok() {
        std::thread::sleep(Duration::from_millis(20));
    }
    within(started.elapsed(), 300, 5_000);
}

#[test]
fn reading_on_for_a_client_that_sends_no_more_ends_too() {
    let app = TestApp::desk_with(&with(|bounds, short| bounds.linger_pause = short));
    let mut socket = connect(&app);
    socket.write_all(put(2_000_000).as_bytes()).unwrap();
    let (bytes, _) = rest(&mut socket);
    Response::parse(&bytes).refused(413, "payload_too_large");
    let started = Instant::now();
    // Half closed by now: only a reset, which follows the full close, makes writing fail.
    while started.elapsed() < Duration::from_secs(10) && socket.write_all(b" ").is_ok() {
        std::thread::sleep(Duration::from_millis(900));
    }
    within(started.elapsed(), 500, 8_000);
}

// ---------------------------------------------------------------- what cannot be read

#[test]
fn what_is_no_request_is_refused_in_our_shape() {
    let app = TestApp::desk();
    let requests: [&[u8]; 14] = [
        b"HELLO\r\n\r\n",
        b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\0b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
        b"G\x01T / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /\xff\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1, 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    ];
    for request in requests {
        let answer = app.send_raw(request);
        answer.refused(400, "malformed_request");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
    }
}

#[test]
fn an_end_within_a_head_is_told() {
    let app = TestApp::desk();
    let mut socket = connect(&app);
    socket.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap();
    socket.shutdown(std::net::Shutdown::Write).unwrap();
    Response::parse(&rest(&mut socket).0).refused(400, "malformed_request");
}

#[test]
fn heads_beyond_what_is_read_are_refused_in_our_shape() {
    let app = TestApp::desk();
    let many: String = (0..600).map(|n| format!("X-H{n}: v\r\n")).collect();
    app.send_raw(format!("GET / HTTP/1.1\r\nHost: x\r\n{many}\r\n").as_bytes())
        .refused(431, "headers_too_large");
    let large = "a".repeat(300_000);
    app.send_raw(format!("GET / HTTP/1.1\r\nHost: x\r\nX-A: {large}\r\n\r\n").as_bytes())
        .refused(431, "headers_too_large");
    app.send_raw(format!("GET /{large} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).refused(414, "uri_too_long");
}

#[test]
fn a_good_answer_before_a_bad_request_stays_whole() {
    let app = TestApp::desk();
    let answer = app.send_raw(&[HEALTH, HEALTH, b"NONSENSE\r\n\r\n"].concat());
    let text = String::from_utf8(answer.body).unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(text.matches("Health check successful").count(), 2, "{text}");
    assert!(text.contains("HTTP/1.1 400 Bad Request") && text.ends_with("could not be read\"}"), "{text}");
}

#[test]
fn two_lengths_of_one_body_are_refused() {
    let app = TestApp::desk();
    let smuggled = "GET /api/v1/health-check HTTP/1.1\r\nHost: x\r\n\r\n";
    for lines in [
        "Content-Length: 4\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Transfer-Encoding: chunked\r\ncontent-LENGTH: 4",
    ] {
        let request =
            format!("GET /api/v1/health-check HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n0\r\n\r\n{smuggled}");
        let answer = app.send_raw(request.as_bytes());
        answer.refused(400, "malformed_request");
        assert!(!String::from_utf8_lossy(&answer.body).contains("HTTP/1.1"), "only one answer");
        // The same on a connection that has been used already.
        let twice = [HEALTH, request.as_bytes()].concat();
        let answer = String::from_utf8(app.send_raw(&twice).body).unwrap();
        assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
        assert!(answer.contains("malformed_request"), "{answer}");
    }
    // A body that merely speaks of a length is none of that.
    let head = format!(
        "PUT /api/v1/external/profile HTTP/1.1\r\nX-API-KEY: {}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked",
        key_of("ada")
    );
    let body = "\n\ncontent-length: 5\n{}";
    let answer = app.send_head(&head, format!("{:x}\r\n{body}\r\n0\r\n\r\n", body.len()).as_bytes());
    answer.refused(400, "malformed_request");
    app.send_head(&head, b"2\r\n{}\r\n0\r\n\r\n").data();
}

#[test]
fn headers_of_which_there_is_one_are_not_given_twice() {
    let app = TestApp::desk();
    for lines in
        ["Host: a\r\nHost: b", "X-None: 1", "Host: a\r\nContent-Type: a/b\r\nContent-Type: application/json"]
    {
        let request = format!("GET /api/v1/health-check HTTP/1.1\r\n{lines}\r\nConnection: close\r\n\r\n");
        app.send_raw(request.as_bytes()).refused(400, "malformed_request");
    }
    let old = app.send_raw(b"GET /api/v1/health-check HTTP/1.0\r\n\r\n");
    assert_eq!(old.status, 200, "HTTP/1.0 knows no Host");
}

// ---------------------------------------------------------------- what goes wrong behind the front

/// Serves one endpoint of the test's own behind the front.
pub struct Odd {
    address: std::net::SocketAddr,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Odd {
    fn serve<E: poem::Endpoint + 'static>(options: Options, inner: E) -> Self {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        Self::serve_on(listener, CancellationToken::new(), options, inner)
    }

    /// The same on a listener, and until a word, of the test's own.
    pub fn serve_on<E: poem::Endpoint + 'static>(
        listener: std::net::TcpListener,
        stop: CancellationToken,
        options: Options,
        inner: E,
    ) -> Self {
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let front = Front {
                    inner,
                    limit: options.bounds.request,
                    proxies: options.proxies.clone(),
                    origins: options.origins.clone(),
                    metrics: Arc::clone(&options.metrics),
                    load: Arc::new(Load::new(16, Duration::from_secs(1), 1)),
                    refusal: OnceLock::new(),
                };
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                serve(listener, front, options.serving(), stopped).await.unwrap();
            });
        });
        Self { address, stop, thread: Some(thread) }
    }

    fn get(&self, path: &str) -> Response {
        let head = format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
        let mut socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        socket.write_all(head.as_bytes()).unwrap();
        Response::parse(&rest(&mut socket).0)
    }
}

impl Drop for Odd {
    fn drop(&mut self) {
        self.stop.cancel();
        self.thread.take().unwrap().join().unwrap();
    }
}

#[test]
fn a_panic_harms_nobody_else() {
    let odd = Odd::serve(
        unlimited(),
        make(|request: poem::Request| async move {
            assert!(request.uri().path() != "/panic", "on purpose");
            "fine"
        }),
    );
    for _ in 0..20 {
        odd.get("/panic").refused(500, "internal_error");
    }
    for _ in 0..1_000 {
        assert_eq!(odd.get("/").body, b"fine");
    }
}

#[test]
fn a_request_that_takes_too_long_is_given_up() {
    let odd = Odd::serve(
        with(|bounds, short| bounds.request = short),
        make(|_| std::future::pending::<&'static str>()),
    );
    let started = Instant::now();
    odd.get("/").refused(408, "request_timeout");
    within(started.elapsed(), 500, 8_000);
}

#[test]
fn an_answer_in_pieces_arrives_whole_and_ends_the_connection() {
    let odd = Odd::serve(
        unlimited(),
        make(|_| async move {
            let pieces = futures_util::stream::unfold(0, |n| async move {
                tokio::time::sleep(Duration::from_millis(20)).await;
                (n < 5).then(|| (Ok::<_, std::io::Error>(format!("piece {n};")), n + 1))
            });
            poem::Response::builder().body(poem::Body::from_bytes_stream(pieces))
        }),
    );
    let answer = odd.get("/");
    assert_eq!(answer.header("connection"), Some("close"));
    let text = String::from_utf8(answer.body).unwrap();
    assert!(text.contains("piece 0;") && text.contains("piece 4;"), "{text}");
}
