//! `revocation`: what somebody may do is taken away while they do it; from the answer to that on, nothing of it works.
//!
//! Four kinds take turns: a key is revoked through the API, its agent is deactivated, the agent is taken off a ticket, and
//! now and then a key is revoked from the command line beside the running server. Meanwhile clients read and write with
//! what is taken away. Every request that began after the answer must fail, with the code that belongs to it.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Failure;
use crate::client::{Answer, Client, Request};
use crate::desk::Desk;
use crate::options::Options;
use crate::report::Report;
use crate::server::{Server, Start};

/// How many clients use what is taken away.
const CLIENTS: usize = 3;
/// How long they do so before it is taken away, at most, and after, in milliseconds.
const BEFORE: u64 = 12;
const AFTER: Duration = Duration::from_millis(8);
/// A key is revoked from the command line each so many loops: that starts a process, which is slow.
const BESIDE: u32 = 25;

/// What is taken away.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Key,
    Agent,
    Ticket,
    Beside,
}

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let cycles = options.cycles(1000, 50);
    let mut report = Report::new("revocation", "revoked, deactivated, unassigned", options.seed);
    let folder = options.scratch("revocation")?;
    let desk = Desk::make(&options.binary, folder.path())?;
    let start = Start::new(&options.binary, &desk.file);
    let mut server = start.serve()?;
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let mut taker = Taker { client: Client::new(server.address), desk: &desk, start: &start };
    let (mut before, mut after, mut done) = (0, 0, 0);
    for cycle in 0..cycles {
        let kind = match cycle {
            _ if cycle % BESIDE == BESIDE - 1 => Kind::Beside,
            _ => [Kind::Key, Kind::Agent, Kind::Ticket][cycle as usize % 3],
        };
        let wait = Duration::from_millis(rng.u64(0..=BEFORE));
        let found = taker.take(&server, kind, wait)?;
        before += found.allowed;
        after += found.refused;
        for wrong in found.wrong {
            report.violation(format!("loop {cycle}: {kind:?}: {wrong}"));
        }
        done += 1;
        if !report.is_clean() {
            break;
        }
    }
    if server.told().contains("panicked") {
        report.violation(format!("a panic: {}", server.told()));
    }
    server.stop()?;
    report.figure(format!("{done} loops"));
    report.figure(format!("{before} requests allowed before, {after} begun after the answer and refused"));
    Ok(report)
}

/// What became of the requests of a loop.
#[derive(Default)]
struct Found {
    allowed: usize,
    refused: usize,
    wrong: Vec<String>,
}

/// A request of a client: when it began, and its answer.
type Asked = (Instant, Answer);

/// The administrator.
struct Taker<'a> {
    client: Client,
    desk: &'a Desk,
    start: &'a Start,
}

impl Taker<'_> {
    /// Gives, lets it be used, takes it away and looks.
    fn take(&mut self, server: &Server, kind: Kind, wait: Duration) -> Result<Found, Failure> {
        let body = json!({ "customer_id": 1, "title": "Mine", "content": "For now.", "assigned_to": 1 });
        let ticket = self.admin("POST", "/tickets", Some(body))?.id();
        let body = json!({ "name": "For now", "type": "external", "agent_id": 1 });
        let made = self.admin("POST", "/api-keys", Some(body))?;
        let key = made.body["data"]["key"].as_str().ok_or("a key without a key")?.to_owned();
        let (over, asked) = (AtomicBool::new(false), Mutex::new(vec![]));
        let taken = std::thread::scope(|scope| {
            for n in 0..CLIENTS {
                let (over, asked, key) = (&over, &asked, &key);
                scope.spawn(move || use_it(server, key, ticket, n, over, asked));
            }
            std::thread::sleep(wait);
            let taken = self.take_away(kind, made.id(), ticket).map(|()| Instant::now());
            // The next request of all, by somebody who waited for the answer.
            let next = taken.is_ok().then(|| read(&mut Client::new(server.address), &key, ticket));
            std::thread::sleep(AFTER);
            over.store(true, Ordering::Relaxed);
            if let Some(Ok(next)) = next {
                asked.lock().unwrap_or_else(PoisonError::into_inner).push(next);
            }
            taken
        })?;
        if matches!(kind, Kind::Agent) {
            self.admin("PUT", "/agents/1", Some(json!({ "is_active": true })))?;
        }
        self.admin("DELETE", &format!("/tickets/{ticket}"), None)?;
        Ok(judge(kind, taken, asked.into_inner().unwrap_or_else(PoisonError::into_inner)))
    }

    fn take_away(&mut self, kind: Kind, key: i64, ticket: i64) -> Result<(), Failure> {
        match kind {
            Kind::Key => self.admin("DELETE", &format!("/api-keys/{key}"), None)?,
            Kind::Agent => self.admin("PUT", "/agents/1", Some(json!({ "is_active": false })))?,
            Kind::Ticket => {
                self.admin("PUT", &format!("/tickets/{ticket}"), Some(json!({ "agents": [] })))?
            }
            Kind::Beside => {
                let output = self.start.command(&["key", "revoke", &key.to_string()]).output()?;
                let told = String::from_utf8_lossy(&output.stderr).into_owned();
                return if output.status.success() { Ok(()) } else { Err(told.into()) };
            }
        };
        Ok(())
    }

    fn admin(&mut self, method: &str, path: &str, body: Option<Value>) -> Result<Answer, Failure> {
        let (path, body) = (format!("/internal{path}"), body.map(|body| body.to_string()));
        let key = &self.desk.admin;
        let answer =
            self.client.call(&Request { method, path: &path, key, once: None, body: body.as_deref() })?;
        if answer.is_ok() { Ok(answer) } else { Err(format!("{method} {path}: {answer:?}").into()) }
    }
}

/// Reads and writes until told to stop.
fn use_it(server: &Server, key: &str, ticket: i64, n: usize, over: &AtomicBool, asked: &Mutex<Vec<Asked>>) {
    let mut client = Client::new(server.address);
    while !over.load(Ordering::Relaxed) {
        let answer = if n == 0 { write(&mut client, key, ticket) } else { read(&mut client, key, ticket) };
        if let Ok(answer) = answer {
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
        }
    }
}

fn read(client: &mut Client, key: &str, ticket: i64) -> std::io::Result<Asked> {
    let began = Instant::now();
    Ok((began, client.get(&format!("/external/tickets/{ticket}"), key)?))
}

fn write(client: &mut Client, key: &str, ticket: i64) -> std::io::Result<Asked> {
    let (began, path) = (Instant::now(), format!("/external/tickets/{ticket}/messages"));
    let body = Some(r#"{"content":"Still here."}"#);
    Ok((began, client.call(&Request { method: "POST", path: &path, key, once: None, body })?))
}

/// What began after the answer must be refused, and with its own code.
fn judge(kind: Kind, taken: Instant, asked: Vec<Asked>) -> Found {
    let expected = match kind {
        Kind::Key | Kind::Beside => (401, "invalid_api_key"),
        Kind::Agent => (401, "agent_inactive"),
        Kind::Ticket => (404, "not_found"),
    };
    let mut found = Found::default();
    for (began, answer) in asked {
        let is_refusal = (answer.status, answer.body["code"].as_str().unwrap_or_default()) == expected;
        match (began > taken, is_refusal) {
            (true, true) => found.refused += 1,
            (false, true) => {}
            (false, false) if answer.is_ok() => found.allowed += 1,
            (_, false) => {
                let after = began.saturating_duration_since(taken).as_micros();
                found
                    .wrong
                    .push(format!("{} {}, begun {after} µs after the answer", answer.status, answer.text));
            }
        }
    }
    found
}
