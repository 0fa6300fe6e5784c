//! A client that works like a hurried agent: it opens tickets, replies, labels and closes, and remembers every answer.

use std::net::SocketAddr;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Answer, Client, Request};
use crate::desk::{Desk, LABELS};
use crate::journal::{Effect, Entry, Outcome};

/// How many open tickets a writer keeps at most.
const TICKETS: usize = 5;
/// What replies are padded with.
const PADDING: &str =
    "The printer on the third floor prints a thin black line down the middle of each page. ";

/// One writer. It alone changes its tickets, so it knows what they must be.
pub struct Writer {
    /// Its number, from 0.
    pub number: usize,
    /// Everything it asked for, in order.
    pub entries: Vec<Entry>,
    /// How many bytes a reply has at most.
    pub longest: usize,
    desk: Arc<Desk>,
    client: Client,
    rng: fastrand::Rng,
    tickets: Vec<Own>,
}

/// An open ticket of a writer.
struct Own {
    id: i64,
    labels: u32,
}

impl Writer {
    /// A writer that has done nothing yet.
    pub fn new(desk: &Arc<Desk>, number: usize, seed: u64) -> Self {
        Self {
            number,
            entries: vec![],
            longest: 3000,
            desk: Arc::clone(desk),
            client: Client::new(SocketAddr::from(([127, 0, 0, 1], 0))),
            rng: fastrand::Rng::with_seed(seed ^ ((number as u64 + 1) << 32)),
            tickets: vec![],
        }
    }

    /// All the writers of a desk.
    pub fn all(desk: &Arc<Desk>, seed: u64) -> Vec<Self> {
        (0..desk.agents.len()).map(|number| Self::new(desk, number, seed)).collect()
    }

    /// Turns to another server.
    pub fn connect(&mut self, address: SocketAddr) {
        self.client = Client::new(address);
    }

    /// Does one thing and says what came of it.
    pub fn step(&mut self) -> Outcome {
        let effect = self.choose();
        let is_put = matches!(effect, Effect::Labels(..));
        let once = (!is_put).then(|| format!("w{}-{}", self.number, self.entries.len()));
        self.entries.push(Entry { effect, once, outcome: Outcome::Unknown, id: 0 });
        self.send(self.entries.len() - 1)
    }

    /// Asks once more for whatever was never answered, with the same idempotency key. What is then unknown still is a
    /// request the server did not answer.
    pub fn settle(&mut self) -> usize {
        let open: Vec<usize> = self.unknown().collect();
        open.iter().for_each(|at| {
            self.send(*at);
        });
        self.unknown().count()
    }

    fn unknown(&self) -> impl Iterator<Item = usize> {
        let entries = self.entries.iter().enumerate();
        entries.filter(|(_, entry)| entry.outcome == Outcome::Unknown).map(|(at, _)| at)
    }

    fn choose(&mut self) -> Effect {
        let tag = format!("w{}-{}", self.number, self.entries.len());
        let dice = self.rng.u32(0..100);
        if self.tickets.is_empty() || dice < 15 && self.tickets.len() < TICKETS {
            return Effect::Ticket(format!("{tag} A line on every page"));
        }
        let at = self.rng.usize(0..self.tickets.len());
        let own = &mut self.tickets[at];
        match dice {
            0..65 => {
                let length = self.rng.usize(0..self.longest);
                let padding: String = PADDING.chars().cycle().take(length).collect();
                Effect::Reply(own.id, format!("{tag} {padding}."))
            }
            65..90 if own.labels + 1 < 1 << LABELS => {
                own.labels += 1;
                Effect::Labels(own.id, own.labels)
            }
            _ => Effect::Close(own.id),
        }
    }

    fn send(&mut self, at: usize) -> Outcome {
        let entry = &self.entries[at];
        let agent = &self.desk.agents[self.number];
        let (method, path, key, body) = asked(&entry.effect, self.number, agent, &self.desk.admin);
        let body = body.map(|body| body.to_string());
        let request =
            Request { method, path: &path, key, once: entry.once.as_deref(), body: body.as_deref() };
        let outcome = match self.client.call(&request) {
            Ok(answer) if answer.is_ok() => self.acknowledged(at, &answer),
            Ok(answer) => Outcome::Refused(answer.status),
            Err(_) => Outcome::Unknown,
        };
        self.entries[at].outcome = outcome;
        outcome
    }

    fn acknowledged(&mut self, at: usize, answer: &Answer) -> Outcome {
        self.entries[at].id = answer.id();
        match self.entries[at].effect {
            Effect::Ticket(_) => self.tickets.push(Own { id: answer.id(), labels: 0 }),
            Effect::Close(ticket) => self.tickets.retain(|own| own.id != ticket),
            Effect::Reply(..) | Effect::Labels(..) => {}
        }
        Outcome::Acknowledged
    }
}

/// The request that brings an effect about: its method, path, key and body.
fn asked<'a>(
    effect: &Effect,
    writer: usize,
    agent: &'a str,
    admin: &'a str,
) -> (&'static str, String, &'a str, Option<Value>) {
    match effect {
        Effect::Ticket(title) => {
            let body =
                json!({ "customer_id": 1, "title": title, "content": PADDING, "assigned_to": writer + 1 });
            ("POST", "/internal/tickets".into(), admin, Some(body))
        }
        Effect::Reply(ticket, content) => {
            let body = json!({ "content": content });
            ("POST", format!("/external/tickets/{ticket}/messages"), agent, Some(body))
        }
        Effect::Close(ticket) => ("POST", format!("/external/tickets/{ticket}/close"), agent, None),
        Effect::Labels(ticket, number) => {
            let bits = (0..LABELS).filter(|bit| number >> bit & 1 == 1).map(|bit| bit + 1);
            let body = json!({ "labels": bits.collect::<Vec<_>>() });
            ("PUT", format!("/external/tickets/{ticket}"), agent, Some(body))
        }
    }
}
