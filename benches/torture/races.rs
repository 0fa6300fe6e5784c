//! `races`: thirty-two clients do the same thing at the same moment, over and over.
//!
//! Shows that of those who change the same version of a ticket with `If-Match` one wins, that its change is the one there
//! is, and that equal requests with one idempotency key have one effect and one answer; 409 is allowed while the first
//! runs. Cannot show more than its moments did: it prints how often the clients really met.

use std::sync::Barrier;

use serde_json::json;

use crate::Failure;
use crate::client::{Answer, Client, Request};
use crate::desk::Desk;
use crate::options::Options;
use crate::report::Report;
use crate::server::{Server, Start};
use crate::sound;

/// How many clients there are.
const CLIENTS: usize = 32;

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let cycles = options.cycles(500, 20);
    let report = Report::new("races", "32 clients, one ticket, the same moment", options.seed);
    let folder = options.scratch("races")?;
    let desk = Desk::make(&options.binary, folder.path())?;
    let mut server = Start::new(&options.binary, &desk.file).serve()?;
    let mut race = Race::new(&server, &desk, report);
    let ticket = race.open()?;
    let mut rounds = 0;
    for round in 0..cycles {
        race.versions(ticket, round)?;
        race.replies(ticket, round)?;
        race.openings(round)?;
        rounds += 1;
        if !race.report.is_clean() {
            break;
        }
    }
    let Race { mut report, refused, replayed, running, .. } = race;
    if server.told().contains("panicked") {
        report.violation(format!("a panic: {}", server.told()));
    }
    server.stop()?;
    for wrong in sound::check(&sound::open(&desk.file)?)? {
        report.violation(wrong);
    }
    report.figure(format!("{rounds} rounds of {CLIENTS} clients"));
    report.figure(format!("one winner a version, {refused} losers told so"));
    report.figure(format!(
        "one effect a key, {replayed} answers replayed, {running} told that the first still ran"
    ));
    Ok(report)
}

/// The clients and what became of them.
struct Race<'a> {
    desk: &'a Desk,
    clients: Vec<Client>,
    report: Report,
    refused: usize,
    replayed: usize,
    running: usize,
}

impl<'a> Race<'a> {
    fn new(server: &Server, desk: &'a Desk, report: Report) -> Self {
        let clients = (0..CLIENTS).map(|_| Client::new(server.address)).collect();
        Self { desk, clients, report, refused: 0, replayed: 0, running: 0 }
    }

    /// A ticket that the first agent leads.
    fn open(&mut self) -> Result<i64, Failure> {
        let body =
            json!({ "customer_id": 1, "title": "A race", "content": "Who is first?", "assigned_to": 1 });
        let body = body.to_string();
        let key = &self.desk.admin;
        let request =
            Request { method: "POST", path: "/internal/tickets", key, once: None, body: Some(&body) };
        Ok(self.clients[0].call(&request)?.id())
    }

    fn get(&mut self, path: &str, key: &str) -> Result<Answer, Failure> {
        Ok(self.clients[0].get(path, key)?)
    }

    /// Every client does its own thing, all at the same moment.
    fn at_once(
        &mut self,
        ask: impl Fn(usize, &mut Client) -> std::io::Result<Answer> + Sync,
    ) -> Result<Vec<Answer>, Failure> {
        let (ask, barrier) = (&ask, &Barrier::new(CLIENTS));
        let answers: std::io::Result<Vec<Answer>> = std::thread::scope(|scope| {
            let start = |(n, client)| {
                scope.spawn(move || {
                    barrier.wait();
                    ask(n, client)
                })
            };
            let running: Vec<_> = self.clients.iter_mut().enumerate().map(start).collect();
            let died = |_| Err(std::io::ErrorKind::Other.into());
            running.into_iter().map(|thread| thread.join().unwrap_or_else(died)).collect()
        });
        Ok(answers?)
    }

    /// All change the version they all saw, each to something of its own.
    fn versions(&mut self, ticket: i64, round: u32) -> Result<(), Failure> {
        let (path, key) = (format!("/external/tickets/{ticket}"), self.desk.agents[0].clone());
        let seen = self.get(&path, &key)?;
        let tag = seen.header("etag").ok_or("a ticket without a version")?.to_owned();
        // Two more labels take turns, so that no choice is what is there already: that would change nothing and win too.
        let wanted = |n: usize| -> Vec<usize> {
            let bits = (n + 1) | if round.is_multiple_of(2) { 1 << 10 } else { 1 << 11 };
            (0..12).filter(|bit| bits >> bit & 1 == 1).map(|bit| bit + 1).collect()
        };
        let answers = self.at_once(|n, client| {
            let body = json!({ "labels": wanted(n) }).to_string();
            let request = Request { method: "PUT", path: &path, key: &key, once: None, body: Some(&body) };
            client.call_with(&request, &[("If-Match", &tag)])
        })?;
        let winners: Vec<usize> = (0..CLIENTS).filter(|n| answers[*n].status == 200).collect();
        let losers = answers.iter().filter(|answer| answer.status == 412).count();
        self.refused += losers;
        if winners.len() != 1 || losers != CLIENTS - 1 {
            let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            self.report.violation(format!("round {round}: winners of {tag} are {winners:?}: {statuses:?}"));
        }
        let now = self.get(&path, &key)?;
        let labels = now.body["data"]["labels"].as_array().map_or(0, Vec::len);
        if winners
            .first()
            .is_some_and(|n| answers[*n].body["data"] != now.body["data"] || wanted(*n).len() != labels)
        {
            self.report.violation(format!("round {round}: the ticket is not the winner's: {}", now.text));
        }
        Ok(())
    }

    /// All write the same reply with the same key.
    fn replies(&mut self, ticket: i64, round: u32) -> Result<(), Failure> {
        let (path, key) = (format!("/external/tickets/{ticket}/messages"), self.desk.agents[0].clone());
        let body = json!({ "content": format!("Me, in round {round}") });
        self.equal(&path, &format!("{path}?per_page=1"), &key, &body.to_string(), round)
    }

    /// All open the same ticket with the same key.
    fn openings(&mut self, round: u32) -> Result<(), Failure> {
        let (path, key) = ("/internal/tickets", self.desk.admin.clone());
        let title = format!("Opened in round {round}");
        let body = json!({ "customer_id": 1, "title": title, "content": "Once, please.", "assigned_to": 2 });
        self.equal(path, "/internal/tickets?per_page=1", &key, &body.to_string(), round)
    }

    fn equal(&mut self, path: &str, list: &str, key: &str, body: &str, round: u32) -> Result<(), Failure> {
        let total = |answer: &Answer| answer.body["meta"]["total"].as_i64().unwrap_or_default();
        let before = total(&self.get(list, key)?);
        let once = format!("round-{round}");
        let request = Request { method: "POST", path, key, once: Some(&once), body: Some(body) };
        let answers = self.at_once(|_, client| client.call(&request))?;
        let last = self.clients[0].call(&request)?;
        let made = total(&self.get(list, key)?) - before;
        let is_replay = |answer: &Answer| answer.header("idempotent-replayed") == Some("true");
        let first = answers.iter().filter(|answer| answer.status == 201 && !is_replay(answer)).count();
        let told = answers.iter().filter(|answer| answer.status == 409).count();
        self.running += told;
        self.replayed += answers.iter().filter(|answer| is_replay(answer)).count();
        if made != 1 || first != 1 {
            self.report.violation(format!("round {round}: {path}: {first} did it and {made} are there"));
        }
        if answers
            .iter()
            .any(|answer| answer.status != 409 && (answer.status, &answer.text) != (201, &last.text))
        {
            self.report.violation(format!("round {round}: {path}: answers differ from {}", last.text));
        }
        Ok(())
    }
}
