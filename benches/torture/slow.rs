//! `slow`: clients that take their time, in seven ways, and a server that has no descriptors left.
//!
//! Shows that each kind is closed when its time is over and not before, that those who are not slow are served all along,
//! that nothing is left open, and that a server at its limit of descriptors waits instead of spinning. The limits that have
//! a flag are short here; the others are those of every server. The short form has only the kinds of the former. A reader
//! that takes a little all the time, who is closed after five minutes, is not among them.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::Failure;
use crate::client::{Client, Request};
use crate::desk::Desk;
use crate::options::{Harness, Options};
use crate::report::Report;
use crate::server::{Server, Start};
use crate::vitals;

/// The limits of this run, in seconds.
const FLAGS: [(&str, u64); 3] =
    [("LODGE_IDLE_TIMEOUT", 3), ("LODGE_BODY_TIMEOUT", 4), ("LODGE_REQUEST_TIMEOUT", 20)];
/// How much later than its limit a connection may end: this is for the machine, not for the server.
const SLACK: Duration = Duration::from_secs(4);
/// How often those who drip let a byte fall.
const DRIP: Duration = Duration::from_millis(400);
/// How many descriptors the second server may have, how many connections it is asked for, and how long it is watched.
const DESCRIPTORS: usize = 64;
const CROWD: usize = 100;
const WATCHED: Duration = Duration::from_secs(4);
/// How much of a processor it may use then.
const IDLE: f64 = 0.02;

/// How long somebody may go without taking a byte of an answer.
const UNREAD: Duration = Duration::from_secs(30);
/// How many tickets of how many bytes make an answer that the system does not take for a client that does not read.
const TICKETS: usize = 120;
const LONG: usize = 100_000;

/// How somebody is slow.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Nothing,
    HalfHead,
    DripHead,
    Idle,
    HalfBody,
    DripBody,
    Reader,
}

impl Kind {
    /// How many there are. Answers that nobody reads lie in memory: a tenth of the others would do as well.
    fn number(self, each: usize) -> usize {
        if matches!(self, Self::Reader) { each.div_ceil(10) } else { each }
    }
}

/// Each kind, and from when to when it is to be closed, in seconds. A body is answered with 408 when its time is over; then
/// the server reads on for five seconds, so that a client that is still sending sees the answer.
const KINDS: [(Kind, u64, u64); 7] = [
    (Kind::Nothing, 30, 30),
    (Kind::HalfHead, 30, 30),
    (Kind::DripHead, 30, 30),
    (Kind::Idle, 3, 3),
    (Kind::HalfBody, 4, 9),
    (Kind::DripBody, 4, 9),
    (Kind::Reader, 30, 30),
];

/// How many seconds a kind of the short form may have.
const SHORT: u64 = 10;

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let each = options.cycles(100, 10) as usize;
    let mut report = Report::new("slow", "slow clients, and no descriptors left", options.seed);
    let folder = options.scratch("slow")?;
    let desk = Desk::make(&options.binary, folder.path())?;
    let flags = FLAGS.map(|(name, seconds)| (name.to_owned(), seconds.to_string()));
    let start = Start { environment: flags.to_vec(), ..Start::new(&options.binary, &desk.file) };
    let mut server = start.serve()?;
    let longest = if options.harness == Harness::Short { SHORT } else { u64::MAX };
    let kinds: Vec<_> = KINDS.into_iter().filter(|(_, from, _)| *from <= longest).collect();
    if kinds.iter().any(|(kind, ..)| matches!(kind, Kind::Reader)) {
        fill(&server, &desk)?;
    }
    patience(&mut report, &server, &desk, &kinds, each)?;
    if server.told().contains("panicked") {
        report.violation(format!("a panic: {}", server.told()));
    }
    server.stop()?;
    crowd(&mut report, options, folder.path(), &desk)?;
    report.figure(vitals::load());
    Ok(report)
}

/// Tickets that make a long answer.
fn fill(server: &Server, desk: &Desk) -> Result<(), Failure> {
    let mut client = Client::new(server.address);
    let body = json!({ "customer_id": 1, "title": "Long", "content": "x".repeat(LONG) }).to_string();
    for _ in 0..TICKETS {
        let (path, key) = ("/internal/tickets", &desk.admin);
        let made = client.call(&Request { method: "POST", path, key, once: None, body: Some(&body) })?;
        if !made.is_ok() {
            return Err(format!("a ticket was refused: {made:?}").into());
        }
    }
    Ok(())
}

fn patience(
    report: &mut Report,
    server: &Server,
    desk: &Desk,
    kinds: &[(Kind, u64, u64)],
    each: usize,
) -> Result<(), Failure> {
    let before = vitals::descriptors(server.id())?;
    let (address, began) = (server.address, Instant::now());
    let (ended, slowest) = std::thread::scope(|scope| {
        let slow: Vec<_> = kinds
            .iter()
            .flat_map(|kind| std::iter::repeat_n(*kind, kind.0.number(each)))
            .map(|(kind, from, to)| (kind, from, to, scope.spawn(move || dawdle(kind, address, &desk.admin))))
            .collect();
        let mut slowest = Ok(Duration::ZERO);
        let mut client = Client::new(address);
        while slow.iter().any(|(.., thread)| !thread.is_finished()) {
            let asked = Instant::now();
            let answer = client.get("/external/profile", &desk.agents[0]);
            let is_served = answer.as_ref().is_ok_and(crate::client::Answer::is_ok);
            slowest = slowest.and_then(|so_far: Duration| {
                if is_served { Ok(so_far.max(asked.elapsed())) } else { Err(format!("{answer:?}")) }
            });
            std::thread::sleep(Duration::from_millis(100));
        }
        let ended: Vec<_> =
            slow.into_iter().map(|(kind, from, to, thread)| (kind, from, to, thread.join())).collect();
        (ended, slowest)
    });
    let count = ended.len();
    let mut latest = Duration::ZERO;
    for (kind, from, to, ended) in ended {
        let ended = ended.map_err(|_| "a client failed")?;
        let in_time = |after: &Duration| {
            *after + Duration::from_millis(200) >= Duration::from_secs(from)
                && *after <= Duration::from_secs(to) + SLACK
        };
        match ended {
            Ok(after) if in_time(&after) => {
                latest = latest.max(after.saturating_sub(Duration::from_secs(to)))
            }
            other => report.violation(format!("{kind:?}: {other:?}, not after {from} s to {to} s")),
        }
    }
    match slowest {
        Ok(slowest) => report.figure(format!("others answered within {} ms all along", slowest.as_millis())),
        Err(answer) => report.violation(format!("somebody who was not slow was not served: {answer}")),
    }
    std::thread::sleep(Duration::from_millis(500));
    let after = vitals::descriptors(server.id())?;
    if after > before + 4 {
        report.violation(format!("{before} descriptors before, {after} after"));
    }
    report.figure(format!(
        "{count} slow clients of {} kinds closed within {:.1} s of their limits, all in {} s",
        kinds.len(),
        latest.as_secs_f64(),
        began.elapsed().as_secs()
    ));
    Ok(())
}

/// Is slow, and says after how long the connection ended.
fn dawdle(kind: Kind, address: SocketAddr, key: &str) -> std::io::Result<Duration> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(DRIP))?;
    let head = format!("Host: slow\r\nX-API-KEY: {key}\r\n");
    let body = format!(
        "POST /api/v1/internal/labels HTTP/1.1\r\n{head}Content-Type: application/json\r\nContent-Length: 5000\r\n\r\n{{"
    );
    match kind {
        Kind::Nothing => {}
        Kind::HalfHead | Kind::DripHead => {
            stream.write_all(format!("GET / HTTP/1.1\r\n{head}X-Slow: ").as_bytes())?
        }
        Kind::Idle => {
            stream.write_all(format!("GET /api/v1/health-check HTTP/1.1\r\n{head}\r\n").as_bytes())?
        }
        Kind::HalfBody | Kind::DripBody => stream.write_all(body.as_bytes())?,
        Kind::Reader => {
            stream.write_all(
                format!("GET /api/v1/internal/tickets?per_page=200 HTTP/1.1\r\n{head}\r\n").as_bytes(),
            )?;
            return unread(stream);
        }
    }
    let (began, mut said) = (Instant::now(), vec![]);
    while began.elapsed() < Duration::from_secs(60) {
        let mut part = [0; 4096];
        match stream.read(&mut part) {
            Ok(0) => return judge(kind, &said, began.elapsed()),
            Ok(length) => said.extend_from_slice(&part[..length]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
            Err(_) => return judge(kind, &said, began.elapsed()),
        }
        if matches!(kind, Kind::DripHead | Kind::DripBody) {
            let _ = stream.write_all(b"1");
        }
    }
    Err(ErrorKind::TimedOut.into())
}

/// Whether it was told as it should be: with 408 whoever had begun, without a word whoever had not.
fn judge(kind: Kind, said: &[u8], after: Duration) -> std::io::Result<Duration> {
    let said = String::from_utf8_lossy(said);
    let expected = match kind {
        Kind::Nothing => said.is_empty() || said.starts_with("HTTP/1.1 408"),
        Kind::Idle => said.starts_with("HTTP/1.1 200"),
        _ => said.starts_with("HTTP/1.1 408"),
    };
    if expected { Ok(after) } else { Err(std::io::Error::other(format!("it was told {said:?}"))) }
}

/// Asks for much and takes nothing until its time is over; then what is there must not be the whole answer. When exactly the
/// server gave up cannot be seen from here, so it counts as on time.
fn unread(mut stream: TcpStream) -> std::io::Result<Duration> {
    std::thread::sleep(UNREAD + 3 * SLACK);
    let (mut taken, mut part) = (0, vec![0; 65_536]);
    loop {
        match stream.read(&mut part) {
            Ok(0) | Err(_) => break,
            Ok(length) => taken += length,
        }
    }
    let is_cut = taken < TICKETS * LONG;
    if is_cut { Ok(UNREAD) } else { Err(std::io::Error::other("the whole answer was still there")) }
}

/// A server that has run out of descriptors.
fn crowd(report: &mut Report, options: &Options, folder: &Path, desk: &Desk) -> Result<(), Failure> {
    let script = folder.join("few.sh");
    let binary = std::fs::canonicalize(&options.binary)?;
    std::fs::write(
        &script,
        format!("#!/bin/sh\nulimit -n {DESCRIPTORS}\nexec '{}' \"$@\"\n", binary.display()),
    )?;
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    let mut server = Start::new(&script, &desk.file).serve()?;
    let mut inside = Client::new(server.address);
    let key = &desk.agents[0];
    inside.get("/external/profile", key)?;
    let held: Vec<_> = (0..CROWD).map_while(|_| TcpStream::connect(server.address).ok()).collect();
    std::thread::sleep(Duration::from_millis(500));
    let open = vitals::descriptors(server.id())?;
    if open < DESCRIPTORS - 1 {
        return Err(format!("the server has {open} descriptors open, which is not its limit").into());
    }
    let before = vitals::work(server.id())?;
    std::thread::sleep(WATCHED);
    let used = (vitals::work(server.id())?.saturating_sub(before)).as_secs_f64() / WATCHED.as_secs_f64();
    if used > IDLE {
        report.violation(format!("it used {:.1} % of a processor at its limit of descriptors", used * 100.0));
    }
    if !inside.get("/external/profile", key).is_ok_and(|answer| answer.is_ok()) {
        report.violation("who was inside is not served at the limit of descriptors");
    }
    drop(held);
    let freed = Instant::now();
    let next = Client::new(server.address).get("/external/profile", key);
    if !next.is_ok_and(|answer| answer.is_ok()) {
        report.violation("nobody is served after the crowd has left");
    }
    report.figure(format!(
        "{:.1} % of a processor at {open} of {DESCRIPTORS} descriptors, the next answer {} ms after they were free",
        used * 100.0,
        freed.elapsed().as_millis()
    ));
    server.stop()?;
    Ok(())
}
