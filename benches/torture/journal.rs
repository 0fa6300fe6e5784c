//! The journal: what clients asked for, what they were told, and whether the database agrees.

use std::collections::{HashMap, HashSet};

use rusqlite::types::FromSql;
use rusqlite::{Connection, Row};

/// What a request is to bring about. Every text is unique in its run, so that it can be found and counted.
#[derive(Clone, Debug)]
pub enum Effect {
    /// A new ticket with this title.
    Ticket(String),
    /// A reply with this content under a ticket.
    Reply(i64, String),
    /// A ticket is closed.
    Close(i64),
    /// The labels of a ticket become this number in binary. Each number of a ticket is greater than the one before.
    Labels(i64, u32),
}

/// What a client was told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered with 2xx.
    Acknowledged,
    /// It was answered with this status.
    Refused(u16),
    /// No answer arrived, or one that leaves it open: it may have happened or not.
    Unknown,
}

/// A request and what became of it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What it is to bring about.
    pub effect: Effect,
    /// Its idempotency key. Labels are set by PUT, which needs none; without one nothing is said of remembered answers.
    pub once: Option<String>,
    /// What the client was told.
    pub outcome: Outcome,
    /// The id of what was made; 0 for none, or not known.
    pub id: i64,
}

/// Where the database and the journal disagree.
#[derive(Debug, Default)]
pub struct Findings {
    /// Acknowledged and not there.
    pub lost: Vec<String>,
    /// There more than once.
    pub doubled: Vec<String>,
    /// Refused, and there all the same.
    pub traces: Vec<String>,
    /// There in part.
    pub partial: Vec<String>,
}

impl Findings {
    /// All of them, in words.
    pub fn all(self) -> Vec<String> {
        let told = |word: &'static str, list: Vec<String>| {
            list.into_iter().map(move |what| format!("{word}: {what}"))
        };
        told("acknowledged and lost", self.lost)
            .chain(told("applied twice", self.doubled))
            .chain(told("refused and there", self.traces))
            .chain(told("there in part", self.partial))
            .collect()
    }
}

/// What the database holds of what the journal speaks of.
struct Held {
    replies: HashMap<String, u32>,
    tickets: HashMap<String, u32>,
    closed: HashSet<i64>,
    closings: HashMap<i64, u32>,
    labels: HashMap<i64, u32>,
    labellings: HashMap<i64, u32>,
    records: HashSet<String>,
}

impl Held {
    fn read(conn: &Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            replies: rows(conn, "SELECT content, count(*) FROM message GROUP BY content", count)?,
            tickets: rows(conn, "SELECT title, count(*) FROM ticket GROUP BY title", count)?,
            closed: rows(conn, "SELECT id FROM ticket WHERE status = 'closed'", one)?,
            closings: rows(conn, &changes("action = 'ticket.closed'"), count)?,
            // The desk was made with an empty table of labels, so label n is bit n - 1.
            labels: rows(
                conn,
                "SELECT ticket_id, sum(1 << (label_id - 1)) FROM ticket_label GROUP BY ticket_id",
                count,
            )?,
            labellings: rows(
                conn,
                &changes("action = 'ticket.updated' AND changes ->> 'labels' IS NOT NULL"),
                count,
            )?,
            records: rows(conn, "SELECT key FROM idempotency", one)?,
        })
    }
}

fn count<K: FromSql>(row: &Row<'_>) -> rusqlite::Result<(K, u32)> {
    Ok((row.get(0)?, row.get(1)?))
}

fn one<K: FromSql>(row: &Row<'_>) -> rusqlite::Result<K> {
    row.get(0)
}

fn changes(which: &str) -> String {
    format!("SELECT ticket_id, count(*) FROM activity WHERE {which} GROUP BY ticket_id")
}

fn rows<T, C: FromIterator<T>>(
    conn: &Connection,
    sql: &str,
    read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<C> {
    conn.prepare(sql)?.query_map([], read)?.collect()
}

/// Compares the database with the journal. Entries are in the order in which their writer made them.
///
/// # Errors
/// When the database cannot be read.
pub fn compare<'a>(
    conn: &Connection,
    entries: impl IntoIterator<Item = (&'a Entry, Outcome)>,
) -> rusqlite::Result<Findings> {
    let held = Held::read(conn)?;
    let mut findings = Findings::default();
    let mut labels: HashMap<i64, Labelled> = HashMap::new();
    let mut closed: HashMap<i64, u32> = HashMap::new();
    for (entry, outcome) in entries {
        let is_recorded = entry.once.as_ref().is_some_and(|once| held.records.contains(once));
        let (what, times) = match &entry.effect {
            Effect::Ticket(title) => (format!("ticket {title}"), held.tickets.get(title)),
            Effect::Reply(ticket, content) => {
                (format!("reply {} to ticket {ticket}", first_word(content)), held.replies.get(content))
            }
            Effect::Close(ticket) => {
                // A ticket that was not closed is asked to close again: which of them did it, the remembered answer says.
                let done = is_recorded || outcome == Outcome::Acknowledged;
                *closed.entry(*ticket).or_default() |= u32::from(done);
                (format!("closing of ticket {ticket}"), held.closings.get(ticket).filter(|_| done))
            }
            Effect::Labels(ticket, number) => {
                labels.entry(*ticket).or_default().note(*number, outcome);
                continue;
            }
        };
        let times = times.copied().unwrap_or_default();
        findings.judge(&what, outcome, times);
        if entry.once.is_some() && is_recorded != (times > 0) {
            findings.partial.push(format!("{what}: {times} times, remembered answer: {is_recorded}"));
        }
    }
    for (ticket, times) in closed {
        let recorded = held.closings.get(&ticket).copied().unwrap_or_default();
        if recorded != times || held.closed.contains(&ticket) != (times > 0) {
            findings.partial.push(format!("closing of ticket {ticket}: its records and its status disagree"));
        }
    }
    for (ticket, labelled) in labels {
        let number = held.labels.get(&ticket).copied().unwrap_or_default();
        let times = held.labellings.get(&ticket).copied().unwrap_or_default();
        labelled.judge(ticket, number, times, &mut findings);
    }
    Ok(findings)
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

impl Findings {
    fn judge(&mut self, what: &str, outcome: Outcome, times: u32) {
        match (outcome, times) {
            (Outcome::Acknowledged, 0) => self.lost.push(what.to_owned()),
            (Outcome::Refused(status), 1..) => self.traces.push(format!("{what}, answered {status}")),
            (_, 2..) => self.doubled.push(format!("{what}, {times} times")),
            _ => {}
        }
    }
}

/// What is known of one ticket's labels: each number replaces the one before.
#[derive(Debug, Default)]
struct Labelled {
    /// How many were acknowledged.
    acknowledged: u32,
    /// The last acknowledged.
    last: u32,
    /// Those of unknown outcome after it; and how many there were in all.
    open: Vec<u32>,
    unknown: u32,
}

impl Labelled {
    fn note(&mut self, number: u32, outcome: Outcome) {
        match outcome {
            Outcome::Acknowledged => {
                self.acknowledged += 1;
                self.last = number;
                self.open.clear();
            }
            Outcome::Unknown => {
                self.unknown += 1;
                self.open.push(number);
            }
            Outcome::Refused(_) => {}
        }
    }

    fn judge(&self, ticket: i64, number: u32, times: u32, findings: &mut Findings) {
        if number != self.last && !self.open.contains(&number) {
            let what = format!("labels of ticket {ticket} are {number}, not {}", self.last);
            if number < self.last { &mut findings.lost } else { &mut findings.traces }.push(what);
        }
        if times > self.acknowledged + self.unknown {
            findings.doubled.push(format!("labels of ticket {ticket}: {times} changes recorded"));
        } else if times < self.acknowledged && number == self.last {
            findings.partial.push(format!("labels of ticket {ticket}: only {times} changes recorded"));
        }
    }
}
