//! `corruption`: bits flip in the database or its log, or one of them is cut short, while no server runs.
//!
//! Shows that a server on a damaged file either refuses clearly or serves without a panic, and that what it then
//! acknowledges is there afterwards. Cannot show that damage is noticed: SQLite has no checksums in its database file, so a
//! flip inside stored text is served as it is, and a damaged end of the log reads like one that a power cut tore. Both are
//! counted.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension};

use crate::Failure;
use crate::client::Client;
use crate::desk::Desk;
use crate::journal::{Effect, Entry, Outcome};
use crate::options::Options;
use crate::report::Report;
use crate::server::{Server, Start};
use crate::sound;
use crate::writer::Writer;

/// How many requests each writer makes in each of the two lives before the damage.
const REQUESTS: usize = 15;
/// How many requests are made on a damaged file.
const WRITES: usize = 12;

/// The texts of messages by id.
type Texts = HashMap<i64, String>;

/// What the trials came to.
#[derive(Default)]
struct Tally {
    refused: u32,
    served: u32,
    acknowledged: u32,
    failed: u32,
    changed: u32,
    unnoticed: u32,
    shortened: u32,
}

struct Trial<'a> {
    options: &'a Options,
    desk: Arc<Desk>,
    /// The database and its log before the damage.
    whole: [Vec<u8>; 2],
    texts: Texts,
    /// How many tickets there are.
    tickets: i64,
    folder: &'a Path,
}

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let trials = options.cycles(1000, 60);
    let mut report = Report::new("corruption", "corruption: flips and truncations", options.seed);
    let folder = options.scratch_in_memory("corruption")?;
    let trial = Trial::prepare(options, folder.path())?;
    let mut tally = Tally::default();
    let mut rng = fastrand::Rng::with_seed(options.seed);
    for n in 1..=trials {
        let (damage, files) = trial.damage(&mut rng);
        for wrong in trial.serve(&files, u64::from(n), &mut tally)? {
            report.violation(format!("trial {n}, {damage}: {wrong}"));
        }
    }
    let Tally { refused, served, acknowledged, failed, changed, unnoticed, shortened } = tally;
    report.figure(format!("{trials} damaged files: {refused} refused at the start, {served} served"));
    report
        .figure(format!("{acknowledged} writes acknowledged into them, {failed} requests refused with 5xx"));
    report.figure(format!(
        "stored text answered differently after {changed}, of which `integrity_check` notices nothing in {unnoticed}"
    ));
    report.figure(format!("earlier messages missing after {shortened}"));
    Ok(report)
}

impl Trial<'_> {
    /// A desk with work in its database and more in its log.
    fn prepare<'a>(options: &'a Options, folder: &'a Path) -> Result<Trial<'a>, Failure> {
        let desk = Arc::new(Desk::make(&options.binary, folder)?);
        let file = desk.file.clone();
        let mut writers = Writer::all(&desk, options.seed);
        for life in 0..2 {
            let mut server = Start::new(&options.binary, &file).serve()?;
            for writer in &mut writers {
                writer.connect(server.address);
                for _ in 0..REQUESTS {
                    if writer.step() != Outcome::Acknowledged {
                        return Err("a request before the damage was refused".into());
                    }
                }
            }
            if life == 0 {
                server.stop()?.ok_or("the server did not stop")?;
            } else {
                server.kill()?;
            }
        }
        let whole = [std::fs::read(&file)?, std::fs::read(log_of(&file))?];
        let conn = sound::open(&file)?;
        let texts = texts(&conn, "SELECT id, content FROM message")?;
        let tickets = conn.query_row("SELECT count(*) FROM ticket", [], |row| row.get(0))?;
        Ok(Trial { options, desk, whole, texts, tickets, folder })
    }

    /// Damages one of the two files: what was done, and both.
    fn damage(&self, rng: &mut fastrand::Rng) -> (String, [Vec<u8>; 2]) {
        let mut files = self.whole.clone();
        let which = rng.usize(0..2);
        let (name, file) = (["the database", "the log"][which], &mut files[which]);
        let at = rng.usize(0..file.len());
        let what = match rng.u32(0..10) {
            0..5 => {
                let bits = rng.usize(1..=8);
                let end = (at + 4096).min(file.len());
                for _ in 0..bits {
                    file[rng.usize(at..end)] ^= 1 << rng.u32(0..8);
                }
                format!("{bits} bits of {name} flipped near {at}")
            }
            5 => {
                // The head of a file, or of a page, is where a flip does most.
                let page = at / 4096 * 4096;
                let at = rng.usize(page..(page + 100).min(file.len()));
                file[at] ^= 1 << rng.u32(0..8);
                format!("a bit of {name} flipped at {at}")
            }
            6 | 7 => {
                let from = at / 512 * 512;
                let to = (from + 512).min(file.len());
                let fill = rng.u8(..);
                file[from..to].fill(fill);
                format!("a sector of {name} overwritten with {fill} at {from}")
            }
            _ => {
                let length = if rng.bool() { at } else { at / 4096 * 4096 };
                file.truncate(length);
                format!("{name} cut to {length} bytes")
            }
        };
        (what, files)
    }

    /// Serves a damaged file, and looks at what becomes of what it acknowledges.
    fn serve(&self, files: &[Vec<u8>; 2], seed: u64, tally: &mut Tally) -> Result<Vec<String>, Failure> {
        let file = self.folder.join("damaged.db");
        let _ = std::fs::remove_file(format!("{}-shm", file.display()));
        std::fs::write(&file, &files[0])?;
        std::fs::write(log_of(&file), &files[1])?;
        let start = Start::new(&self.options.binary, &file);
        let mut server = match start.try_serve()? {
            Err(refusal) => {
                tally.refused += 1;
                let unclear = (!refusal.is_clear()).then(|| refusal.to_string());
                return Ok(unclear.into_iter().collect());
            }
            Ok(server) => server,
        };
        tally.served += 1;
        let mut wrong = self.read(&server, &file, tally)?;
        let mut writer = Writer::new(&self.desk, 0, seed);
        writer.connect(server.address);
        for _ in 0..WRITES {
            match writer.step() {
                Outcome::Acknowledged => tally.acknowledged += 1,
                Outcome::Refused(_) => tally.failed += 1,
                Outcome::Unknown => wrong.push("a write was not answered".into()),
            }
        }
        if !server.is_alive() {
            wrong.push(format!("the server ended: {}", server.told()));
        }
        if seed.is_multiple_of(2) {
            server.kill()?;
        } else {
            server.stop()?;
        }
        if server.told().contains("panicked") {
            wrong.push(format!("a panic: {}", server.told()));
        }
        // Damage may come to light only now; then the file is what counts, not whether it is served.
        if let Ok(mut again) = start.try_serve()? {
            again.stop()?;
        }
        let conn = sound::open(&file)?;
        wrong.extend(writer.entries.iter().filter_map(|entry| lost(&conn, entry)));
        Ok(wrong)
    }

    /// Reads every conversation; any answer will do, and those that tell another text than was stored are counted.
    fn read(&self, server: &Server, file: &Path, tally: &mut Tally) -> Result<Vec<String>, Failure> {
        let mut client = Client::new(server.address);
        let mut wrong = vec![];
        let (mut is_changed, mut is_shortened) = (false, false);
        let tickets = (1..=self.tickets).map(|id| format!("/internal/tickets/{id}/messages?per_page=200"));
        let others = [
            "/internal/tickets",
            "/internal/activity-logs",
            "/internal/tickets?q=printer",
            "/internal/reports/overview",
        ];
        for path in tickets.chain(others.map(str::to_owned)) {
            let answer = match client.get(&path, &self.desk.admin) {
                Ok(answer) => answer,
                Err(error) => {
                    wrong.push(format!("{path} was not answered: {error}"));
                    continue;
                }
            };
            tally.failed += u32::from(answer.status >= 500);
            let rows = answer.body["data"].as_array().filter(|_| path.contains("/messages"));
            for row in rows.into_iter().flatten() {
                let before = self.texts.get(&row["id"].as_i64().unwrap_or_default());
                is_changed |= before.is_none_or(|text| row["content"] != text.as_str());
            }
        }
        if let Ok(conn) = sound::open(file) {
            let left = texts(&conn, "SELECT id, content FROM message");
            is_shortened = left.is_ok_and(|left| self.texts.keys().any(|id| !left.contains_key(id)));
            let is_noticed = sound::check(&conn).map_or(true, |wrong| !wrong.is_empty());
            tally.unnoticed += u32::from(is_changed && !is_noticed);
        }
        tally.changed += u32::from(is_changed);
        tally.shortened += u32::from(is_shortened);
        Ok(wrong)
    }
}

fn log_of(file: &Path) -> PathBuf {
    PathBuf::from(format!("{}-wal", file.display()))
}

fn texts(conn: &Connection, sql: &str) -> rusqlite::Result<Texts> {
    conn.prepare(sql)?.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

/// What is wrong if an acknowledged write is not where it was said to be.
fn lost(conn: &Connection, entry: &Entry) -> Option<String> {
    if entry.outcome != Outcome::Acknowledged {
        return None;
    }
    let found = |sql: &str, id: i64| conn.query_row(sql, [id], |row| row.get::<_, String>(0)).optional();
    let (found, expected) = match &entry.effect {
        Effect::Ticket(title) => (found("SELECT title FROM ticket WHERE id = ?", entry.id), title.as_str()),
        Effect::Reply(_, content) => {
            (found("SELECT content FROM message WHERE id = ?", entry.id), content.as_str())
        }
        Effect::Close(ticket) => (found("SELECT status FROM ticket WHERE id = ?", *ticket), "closed"),
        // The next number replaces it.
        Effect::Labels(..) => return None,
    };
    match found {
        Ok(Some(text)) if text == expected => None,
        other => Some(format!("acknowledged and lost: {:?}, found {other:?}", entry.effect)),
    }
}
