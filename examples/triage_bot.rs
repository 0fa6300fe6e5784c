//! A triage bot: a small program that works an agent's desk through the External API.
//!
//! ```sh
//! LODGE_URL=http://127.0.0.1:8080 LODGE_KEY=lodge_ext_... cargo run --example triage_bot -- --dry-run
//! ```
//!
//! It looks at every ticket of the key's agent that needs an answer, that is, one that is not closed and where the customer
//! had the last public word. If title or opening text speak of something urgent, it raises the priority and leaves an
//! internal note that says why. It prints a line a ticket. With `--dry-run` it only says what it would do.
//!
//! Running it twice does no harm: priorities only go up, a change is sent with the `ETag` of the ticket it was decided on,
//! and the note carries an `Idempotency-Key` of ticket and day, so a day has one note a ticket however often the bot runs.
//!
//! Without the two variables it talks to `lodge demo`, with the published demo key of Mira Kessler. It speaks plain HTTP:
//! for an address with TLS, give ureq its `rustls` feature.

#![allow(clippy::print_stdout, reason = "a program that reports to a person")]

use std::error::Error;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::Body;
use ureq::http::{HeaderMap, Method, Request, Response};

/// What customers write when it is urgent, in words of lower case, and how urgent that makes a ticket.
const WORDS: &[(&str, Priority)] = &[
    ("data loss", Priority::Critical),
    ("lost data", Priority::Critical),
    ("nobody can", Priority::Critical),
    ("urgent", Priority::High),
    ("urgently", Priority::High),
    ("asap", Priority::High),
    ("down", Priority::High),
    ("outage", Priority::High),
    ("unavailable", Priority::High),
    ("crashes", Priority::High),
    ("dringend", Priority::High),
    ("me urge", Priority::High),
];

/// How often a request is sent before the bot gives up.
const ATTEMPTS: u32 = 5;
/// The longest the bot waits because it was asked to.
const LONGEST_WAIT: u64 = 60;
/// How many items a page has. The most there can be, because the bot reads all of them.
const PER_PAGE: u32 = 200;

/// How urgent a ticket is. The order of the variants is the order of urgency.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Priority {
    Low,
    Medium,
    High,
    Critical,
}

impl Priority {
    /// The word the API uses.
    fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A ticket, as far as the bot looks.
#[derive(Debug, Deserialize)]
struct Ticket {
    id: i64,
    reference_id: String,
    title: String,
    content: String,
    priority: Priority,
}

/// A message, as far as the bot looks.
#[derive(Debug, Deserialize)]
struct Message {
    is_internal: bool,
    sender: Sender,
}

/// Who wrote a message.
#[derive(Debug, Deserialize)]
struct Sender {
    #[serde(rename = "type")]
    kind: String,
}

/// The envelope of an answer. A list has `meta` beside its `data`.
#[derive(Debug, Deserialize)]
struct Envelope<T> {
    data: T,
    meta: Option<Meta>,
}

/// Where in a list a page is.
#[derive(Debug, Deserialize)]
struct Meta {
    current_page: u32,
    last_page: u32,
}

/// A refusal of the API: its status, its stable code, its sentence and, if fields were wrong, which.
#[derive(Debug, Deserialize)]
struct Refusal {
    #[serde(skip)]
    status: u16,
    code: String,
    message: String,
    errors: Option<Value>,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}: {}", self.status, self.code, self.message)?;
        self.errors.as_ref().map_or(Ok(()), |errors| write!(f, " {errors}"))
    }
}

impl Error for Refusal {}

/// The code of a refusal, if an error is one.
fn code<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a str> {
    error.downcast_ref().map(|refusal: &Refusal| refusal.code.as_str())
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A connection to Lodge.
struct Lodge {
    agent: ureq::Agent,
    base: String,
    key: String,
}

impl Lodge {
    fn new(url: &str, key: String) -> Self {
        // A refusal is an answer like any other: its body says what is wrong.
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(30)))
            .build();
        Self { agent: config.into(), base: format!("{}/api/v1/external", url.trim_end_matches('/')), key }
    }

    /// Sends a request, and again when Lodge says that it has to wait. That is safe: the bot reads, changes under
    /// `If-Match`, and writes under an `Idempotency-Key`.
    fn send(
        &self,
        method: &Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Response<Body>> {
        let mut attempt = 1;
        loop {
            let mut request = Request::builder()
                .method(method)
                .uri(format!("{}{path}", self.base))
                .header("X-API-KEY", &self.key)
                .header("Content-Type", "application/json");
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let text = body.map(Value::to_string).unwrap_or_default();
            let mut response = self.agent.run(request.body(text)?)?;
            let status = response.status().as_u16();
            if response.status().is_success() {
                return Ok(response);
            }
            if matches!(status, 429 | 503) && attempt < ATTEMPTS {
                let wait = retry_after(response.headers());
                eprintln!("triage_bot: asked to wait for {wait} s");
                sleep(Duration::from_secs(wait));
                attempt += 1;
                continue;
            }
            let mut refusal: Refusal = response.body_mut().read_json()?;
            refusal.status = status;
            return Err(refusal.into());
        }
    }

    fn get<T: DeserializeOwned>(&self, path: &str) -> Result<(Envelope<T>, HeaderMap)> {
        let mut response = self.send(&Method::GET, path, &[], None)?;
        Ok((response.body_mut().read_json()?, response.headers().clone()))
    }

    /// Every ticket that is not closed.
    fn list_unclosed(&self) -> Result<Vec<Ticket>> {
        let mut tickets = Vec::new();
        for status in ["open", "in_progress", "on_hold"] {
            let mut page = 1;
            loop {
                // By age, which nothing the bot does can change, so that no ticket slips from one page to another.
                let path =
                    format!("/tickets?status={status}&sort=created_at&per_page={PER_PAGE}&page={page}");
                let found: Envelope<Vec<Ticket>> = self.get(&path)?.0;
                tickets.extend(found.data);
                match found.meta {
                    Some(meta) if meta.current_page < meta.last_page => page += 1,
                    _ => break,
                }
            }
        }
        Ok(tickets)
    }

    /// Whether the customer had the last public word. Without any, that is the opening text, which is the customer's.
    fn needs_answer(&self, ticket: &Ticket) -> Result<bool> {
        let mut page = 1;
        loop {
            let path = format!("/tickets/{}/messages?order=desc&per_page={PER_PAGE}&page={page}", ticket.id);
            let found: Envelope<Vec<Message>> = self.get(&path)?.0;
            let public = found.data.iter().filter(|message| !message.is_internal);
            for message in public {
                match message.sender.kind.as_str() {
                    "customer" => return Ok(true),
                    "agent" | "user" => return Ok(false),
                    _ => {} // What the system says is nobody's word.
                }
            }
            match found.meta {
                Some(meta) if meta.current_page < meta.last_page => page += 1,
                _ => return Ok(true),
            }
        }
    }

    /// Raises a ticket's priority, unless it is that urgent by now. Returns the priority it had, if it was raised.
    fn raise(&self, id: i64, wanted: Priority) -> Result<Option<Priority>> {
        let (found, headers) = self.get::<Ticket>(&format!("/tickets/{id}"))?;
        let before = found.data.priority;
        if before >= wanted {
            return Ok(None);
        }
        let etag = headers.get("etag").ok_or("a ticket came without an ETag")?.to_str()?;
        let body = json!({ "priority": wanted.as_str() });
        self.send(&Method::PUT, &format!("/tickets/{id}"), &[("If-Match", etag)], Some(&body))?;
        Ok(Some(before))
    }

    /// Leaves an internal note, once a day. Returns whether this call wrote it.
    fn note(&self, id: i64, text: &str, day: u64) -> Result<bool> {
        let once = format!("triage-{id}-{day}");
        let body = json!({ "content": text, "is_internal": true });
        let headers = [("Idempotency-Key", once.as_str())];
        let response = self.send(&Method::POST, &format!("/tickets/{id}/messages"), &headers, Some(&body))?;
        Ok(!response.headers().contains_key("idempotent-replayed"))
    }
}

/// How many seconds Lodge asks to wait.
fn retry_after(headers: &HeaderMap) -> u64 {
    let asked = headers.get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
    asked.unwrap_or(1).min(LONGEST_WAIT)
}

/// The most urgent of the words in a ticket's title and opening text. Whole words only: a download is not down.
fn urgency(ticket: &Ticket) -> Option<(&'static str, Priority)> {
    let text = format!("{} {}", ticket.title, ticket.content).to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let text = format!(" {} ", words.join(" "));
    let found = WORDS.iter().filter(|(word, _)| text.contains(&format!(" {word} ")));
    // The first of the most urgent ones, so that the note says the same on every run.
    found.rev().max_by_key(|(_, priority)| *priority).copied()
}

/// What became of a ticket: whether its priority was raised, and in a few words.
struct Outcome {
    raised: bool,
    text: String,
}

/// Looks after one ticket that needs an answer.
fn triage(lodge: &Lodge, ticket: &Ticket, day: u64, dry_run: bool) -> Result<Outcome> {
    let Some((word, wanted)) = urgency(ticket) else {
        return Ok(Outcome { raised: false, text: format!("stays {}", ticket.priority.as_str()) });
    };
    let higher = ticket.priority < wanted;
    if dry_run {
        let text = if higher { "would be raised to" } else { "is already" };
        let priority = wanted.max(ticket.priority).as_str();
        return Ok(Outcome { raised: higher, text: format!("{text} {priority} for \"{word}\"") });
    }
    let before = match lodge.raise(ticket.id, wanted) {
        Ok(before) => before,
        Err(error) if code(&*error) == Some("precondition_failed") => {
            return Ok(Outcome { raised: false, text: "somebody is at it: left alone".into() });
        }
        Err(error) => return Err(error),
    };
    // Says nothing that a second run would say differently: a repeat must have the same body.
    let text = format!(
        "Triage: the customer wrote \"{word}\" and waits for an answer. The priority should be at least {}.",
        wanted.as_str()
    );
    let note = match lodge.note(ticket.id, &text, day) {
        Ok(true) => "noted",
        Ok(false) => "noted earlier today",
        Err(error) if code(&*error) == Some("idempotency_key_reused") => "noted earlier today in other words",
        Err(error) if code(&*error) == Some("ticket_locked") => "locked, so no note",
        Err(error) => return Err(error),
    };
    let change = match before {
        Some(before) => format!("{} -> {}", before.as_str(), wanted.as_str()),
        None => format!("is already {}", ticket.priority.max(wanted).as_str()),
    };
    Ok(Outcome { raised: before.is_some(), text: format!("{change} for \"{word}\", {note}") })
}

fn run(dry_run: bool) -> Result<()> {
    let url = std::env::var("LODGE_URL").unwrap_or_else(|_| "http://127.0.0.1:8080".into());
    let key = std::env::var("LODGE_KEY")
        .unwrap_or_else(|_| "lodge_ext_q3nWFhlXIIDZ4Ai5JMQCeQH3IzdRXUpVxxsJULi4RLM4c0lOP".into());
    let lodge = Lodge::new(&url, key);
    let day = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs() / 86_400;
    let (mut waiting, mut raised) = (0, 0);
    let tickets = lodge.list_unclosed()?;
    for ticket in &tickets {
        if !lodge.needs_answer(ticket)? {
            continue;
        }
        let outcome = triage(&lodge, ticket, day, dry_run)?;
        waiting += 1;
        raised += i32::from(outcome.raised);
        println!("{}\t{}\t{}", ticket.reference_id, outcome.text, ticket.title);
    }
    let done = if dry_run { "would be raised" } else { "raised" };
    println!("{waiting} of {} unclosed tickets need an answer, {raised} {done}", tickets.len());
    Ok(())
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let dry_run = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => false,
        ["--dry-run"] => true,
        _ => {
            eprintln!("usage: triage_bot [--dry-run]   (environment: LODGE_URL, LODGE_KEY)");
            return ExitCode::from(2);
        }
    };
    match run(dry_run) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("triage_bot: {error}");
            ExitCode::FAILURE
        }
    }
}
