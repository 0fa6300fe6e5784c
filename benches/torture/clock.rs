//! `clock`: the wall clock jumps under a working server: a day on, a day back, to 1970, across both changes of summer time,
//! past the year 2038.
//!
//! Shows that nothing panics or refuses work, that lists keep the order they promise, and that keys and remembered answers
//! expire by the wall clock, as it is, and rate limits by the time that passes. Cannot show a clock that runs unevenly, nor
//! one machine's clock against another's.

use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::Failure;
use crate::client::{Answer, Client, Request};
use crate::desk::Desk;
use crate::journal::{Outcome, compare};
use crate::options::Options;
use crate::report::Report;
use crate::server::{Server, Start};
use crate::shim::{Shim, WallClock};
use crate::sound;
use crate::writer::Writer;

const HOUR: i64 = 3600;
const DAY: i64 = 24 * HOUR;
/// Noon on 16 March 2026, UTC: where each run begins.
const NOON: i64 = 1_773_662_400;
/// Two seconds before the clocks of Berlin are put forward, and back, in 2026.
const SPRING: i64 = 1_774_745_998;
const AUTUMN: i64 = 1_792_889_998;
/// The end of the year 2037 and a little more.
const LATE: i64 = (1 << 31) + DAY;
/// How many requests each writer makes between two jumps.
const REQUESTS: usize = 5;

struct Run {
    desk: Arc<Desk>,
    clock: WallClock,
    server: Server,
    client: Client,
    /// A key that expires twelve hours after noon.
    brief: String,
    /// A ticket to reply to, and the first answer to a reply that is sent again and again.
    ticket: i64,
    first: i64,
}

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let rounds = options.cycles(20, 2);
    let mut report = Report::new("clock", "clock jumps ±1 day, 1970, DST, 2038", options.seed);
    let folder = options.scratch("clock")?;
    let desk = Arc::new(Desk::make(&options.binary, folder.path())?);
    let shim = Shim::compile(folder.path())?;
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let (mut jumps, mut acknowledged) = (0, 0);
    for round in 1..=rounds {
        let database = folder.path().join("work.db");
        desk.copy_to(&database)?;
        let mut run = Run::begin(options, &desk, &shim, &database, folder.path())?;
        let mut writers = Writer::all(&desk, options.seed.wrapping_add(u64::from(round)));
        writers.iter_mut().for_each(|writer| writer.connect(run.server.address));
        let mut times = [NOON, NOON + DAY, NOON - DAY, 1, SPRING, SPRING + 3, AUTUMN, AUTUMN + 3, LATE];
        rng.shuffle(&mut times);
        for at in times {
            jumps += 1;
            run.clock.set(at)?;
            let wrong = run.look(at, &mut writers)?;
            wrong.into_iter().for_each(|wrong| report.violation(format!("round {round}, at {at}: {wrong}")));
        }
        let has_stopped = run.server.stop()?.is_some();
        if !has_stopped || run.server.told().contains("panicked") {
            report.violation(format!("round {round}: {}", run.server.told()));
        }
        let conn = sound::open(&database)?;
        let mut entries: Vec<_> = writers.into_iter().flat_map(|writer| writer.entries).collect();
        // Remembered answers were forgotten on the way, as they should.
        entries.iter_mut().for_each(|entry| entry.once = None);
        let findings = compare(&conn, entries.iter().map(|entry| (entry, entry.outcome)))?;
        for wrong in findings.all().into_iter().chain(sound::check_timeless(&conn)?) {
            report.violation(format!("round {round}: {wrong}"));
        }
        acknowledged += entries.iter().filter(|entry| entry.outcome == Outcome::Acknowledged).count();
    }
    limits(options, &desk, &shim, folder.path())?.into_iter().for_each(|wrong| report.violation(wrong));
    report.figure(format!("{jumps} jumps in {rounds} orders"));
    report.figure(format!("{acknowledged} acknowledged writes, none refused"));
    report.figure(
        "expiry of keys and remembered answers, order of lists and rate limit looked at after each"
            .to_owned(),
    );
    Ok(report)
}

impl Run {
    /// A server at noon, a key that will expire, and a reply that will be sent again.
    fn begin(
        options: &Options,
        desk: &Arc<Desk>,
        shim: &Shim,
        database: &Path,
        folder: &Path,
    ) -> Result<Self, Failure> {
        let clock = WallClock::right(folder.join("clock"))?;
        clock.set(NOON)?;
        let start = Start::new(&options.binary, database);
        let server = shim.under(start, &[("TORTURE_CLOCK", clock.path())]).serve()?;
        let client = Client::new(server.address);
        let mut run =
            Self { desk: Arc::clone(desk), clock, server, client, brief: String::new(), ticket: 0, first: 0 };
        run.admin("PUT", "/internal/settings", &json!({ "time_zone": "Europe/Berlin" }))?;
        let key = json!({ "name": "Brief", "type": "internal", "special": true, "expires_at": "2026-03-17T00:00:00Z" });
        let key = run.admin("POST", "/internal/api-keys", &key)?;
        run.brief = key.body["data"]["key"].as_str().ok_or("no key")?.to_owned();
        let ticket =
            json!({ "customer_id": 1, "title": "Time", "content": "What time is it?", "assigned_to": 1 });
        run.ticket = run.admin("POST", "/internal/tickets", &ticket)?.id();
        run.first = run.repeat()?.id();
        Ok(run)
    }

    fn admin(&mut self, method: &str, path: &str, body: &Value) -> Result<Answer, Failure> {
        let body = body.to_string();
        let request = Request { method, path, key: &self.desk.admin, once: None, body: Some(&body) };
        let answer = self.client.call(&request)?;
        if answer.is_ok() { Ok(answer) } else { Err(format!("{path}: {answer:?}").into()) }
    }

    /// Sends the same reply with the same idempotency key.
    fn repeat(&mut self) -> std::io::Result<Answer> {
        let path = format!("/external/tickets/{}/messages", self.ticket);
        let body = Some(r#"{"content":"It is time."}"#);
        self.client.call(&Request {
            method: "POST",
            path: &path,
            key: &self.desk.agents[0],
            once: Some("again"),
            body,
        })
    }

    /// Works a little at this time, and looks at what time does.
    fn look(&mut self, at: i64, writers: &mut [Writer]) -> Result<Vec<String>, Failure> {
        let mut wrong = vec![];
        for writer in writers.iter_mut() {
            for _ in 0..REQUESTS {
                match writer.step() {
                    Outcome::Acknowledged => {}
                    other => wrong.push(format!("a write: {other:?}")),
                }
            }
        }
        wrong.extend(self.expiry(at)?);
        wrong.extend(self.order()?);
        wrong.extend(self.today()?);
        Ok(wrong)
    }

    fn expiry(&mut self, at: i64) -> Result<Vec<String>, Failure> {
        let mut wrong = vec![];
        let (path, key) = ("/internal/connection-check", self.brief.clone());
        let (status, expected) =
            (self.client.get(path, &key)?.status, if at >= NOON + DAY / 2 { 401 } else { 200 });
        if status != expected {
            wrong.push(format!("a key that expires at midnight is answered {status}"));
        }
        let again = self.repeat()?;
        let is_remembered = again.id() == self.first;
        // The record is written anew whenever it had expired, so what is remembered next is the newest.
        let made = self.made(self.first)?;
        if !again.is_ok() || is_remembered != (at < made + DAY) {
            wrong.push(format!(
                "a repeat of what was done at {made}: {}, remembered: {is_remembered}",
                again.status
            ));
        }
        self.first = again.id();
        Ok(wrong)
    }

    /// When a message was written.
    fn made(&mut self, message: i64) -> Result<i64, Failure> {
        let path = format!("/external/tickets/{}/messages?per_page=200", self.ticket);
        let list = self.client.get(&path, &self.desk.agents[0])?;
        let found = rows(&list).iter().find(|row| row["id"] == message).ok_or("the message is gone")?;
        Ok(found["created_at"].as_str().ok_or("no time")?.parse::<jiff::Timestamp>()?.as_second())
    }

    /// Each list is in the order it promises.
    fn order(&mut self) -> Result<Vec<String>, Failure> {
        let messages = format!("/external/tickets/{}/messages?per_page=200", self.ticket);
        let (admin, agent) = (self.desk.admin.clone(), self.desk.agents[0].clone());
        let mut wrong = vec![];
        for (path, key, by, newest_first) in [
            (messages.as_str(), &agent, "id", false),
            ("/external/notifications?per_page=200", &agent, "id", true),
            ("/internal/activity-logs?per_page=200", &admin, "id", true),
            ("/internal/tickets?per_page=200", &admin, "created_at", true),
            ("/external/tickets?per_page=200&sort=-updated_at", &agent, "updated_at", true),
        ] {
            let list = self.client.get(path, key)?;
            let order = |row: &Value| (row[by].to_string(), row["id"].as_i64().unwrap_or_default());
            let mut keys: Vec<_> = rows(&list).iter().map(|row| padded(order(row))).collect();
            if newest_first {
                keys.reverse();
            }
            // Times are shown in whole seconds and sorted by microseconds: within a second anything goes.
            let is_sorted =
                if by == "id" { keys.is_sorted() } else { keys.is_sorted_by_key(|key| key.0.clone()) };
            if keys.is_empty() || !is_sorted {
                wrong.push(format!("{path} is out of order ({}): {keys:?}", list.status));
            }
        }
        Ok(wrong)
    }

    /// What speaks of days answers, and what was closed just now was closed today.
    fn today(&mut self) -> Result<Vec<String>, Failure> {
        let mut wrong = vec![];
        let ticket = json!({ "customer_id": 1, "title": "Brief", "content": "Close me.", "assigned_to": 2 });
        let ticket = self.admin("POST", "/internal/tickets", &ticket)?.id();
        self.admin("PUT", &format!("/internal/tickets/{ticket}"), &json!({ "status": "closed" }))?;
        let dashboard = self.client.get("/external/dashboard", &self.desk.agents[1])?;
        if dashboard.body["data"]["closed_today"].as_i64().unwrap_or_default() < 1 {
            wrong.push(format!("nothing was closed today: {dashboard:?}"));
        }
        for path in ["overview", "agents", "departments"].map(|report| format!("/internal/reports/{report}"))
        {
            let report = self.client.get(&path, &self.desk.admin)?;
            if !report.is_ok() {
                wrong.push(format!("{path}: {report:?}"));
            }
        }
        Ok(wrong)
    }
}

/// Rate limits go by the time that passes: a jump gives nothing and takes nothing.
fn limits(options: &Options, desk: &Desk, shim: &Shim, folder: &Path) -> Result<Vec<String>, Failure> {
    let database = folder.join("limit.db");
    desk.copy_to(&database)?;
    let clock = WallClock::right(folder.join("limit"))?;
    clock.set(NOON)?;
    let mut start = Start::new(&options.binary, &database);
    start.rate_limit = 60;
    let mut server = shim.under(start, &[("TORTURE_CLOCK", clock.path())]).serve()?;
    let mut client = Client::new(server.address);
    let mut wrong = vec![];
    let mut ask = || client.get("/external/connection-check", &desk.agents[0]).map(|answer| answer.status);
    while ask()? == 200 {}
    for at in [NOON + DAY, NOON - DAY, 1] {
        clock.set(at)?;
        // Two of them may have come with the time that has really passed.
        let statuses = [ask()?, ask()?, ask()?];
        if statuses.iter().all(|status| *status == 200) || ask()? != 429 {
            wrong.push(format!("a jump to {at} filled the rate limit's bucket: {statuses:?}"));
        }
        std::thread::sleep(std::time::Duration::from_millis(1500));
        let status = ask()?;
        if status != 200 {
            wrong.push(format!("a jump to {at} emptied the rate limit's bucket: {status}"));
        }
    }
    server.stop()?;
    Ok(wrong)
}

fn rows(list: &Answer) -> &[Value] {
    list.body["data"].as_array().map_or(&[], Vec::as_slice)
}

/// Numbers as text sort like numbers.
fn padded((text, id): (String, i64)) -> (String, i64) {
    (format!("{text:0>24}"), id)
}
