//! The desks that are measured: making them, and who and what is on them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use lodge::auth::key::{self, KeyType};
use lodge::db::open;
use rusqlite::{Connection, params};

use crate::Failure;
use crate::options::Options;
use crate::server::plain;

/// How many of an agent's tickets, notifications and the like are asked for at most.
const MOST: usize = 20_000;
/// How many different things a batch of writes is about at most.
const BATCH: usize = 4_000;

/// A desk of a certain size.
pub struct Desk {
    /// Its file.
    pub path: PathBuf,
    /// How many tickets it has.
    pub tickets: u32,
    /// How many articles it has.
    pub articles: u32,
    /// How long it took to make, if that is known.
    pub seeded: Option<Duration>,
    /// Whether it was made by an earlier run.
    pub is_kept: bool,
}

impl Desk {
    /// Makes a desk in this folder with `lodge seed`, or copies one that was kept.
    pub fn make(options: &Options, folder: &Path, tickets: u32, articles: u32) -> Result<Self, Failure> {
        let name = format!("desk-{tickets}-{articles}.db");
        let path = folder.join(&name);
        let kept = options.desks.as_ref().map(|desks| desks.join(&name));
        let made = kept.as_deref().unwrap_or(&path);
        let (took, is_kept) = (made.with_extension("seconds"), made.exists());
        if !is_kept {
            println!("making a desk of {tickets} tickets and {articles} articles");
            let started = Instant::now();
            let mut seed = plain(&options.binary);
            seed.args([
                "seed",
                "--tickets",
                &tickets.to_string(),
                "--articles",
                &articles.to_string(),
                "--db",
            ]);
            seed.arg(made).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if !seed.status()?.success() {
                return Err(format!("{} was not made", made.display()).into());
            }
            std::fs::write(&took, started.elapsed().as_secs_f64().to_string())?;
        }
        let seeded = std::fs::read_to_string(&took).ok().and_then(|seconds| seconds.parse().ok());
        if let Some(kept) = kept {
            std::fs::copy(kept, &path)?;
        }
        Ok(Self { path, tickets, articles, seeded: seeded.map(Duration::from_secs_f64), is_kept })
    }

    /// Takes the file away.
    pub fn remove(self) {
        open::remove(&self.path);
    }
}

/// Who and what is on a desk, as far as requests are about it.
pub struct World {
    /// The file.
    pub path: PathBuf,
    /// A key for each agent. The first is of the caller of every read.
    pub keys: Vec<String>,
    /// How many tickets the caller sees.
    pub total: i64,
    /// Tickets of the caller, in no order.
    pub tickets: Vec<i64>,
    /// Tickets that are not locked: whose key, which ticket, its priority.
    pub open: Vec<(usize, i64, String)>,
    /// Messages: whose key, which ticket, which message.
    pub messages: Vec<(usize, i64, i64)>,
    /// Notifications: whose key, which notification.
    pub notifications: Vec<(usize, i64)>,
}

impl World {
    /// Looks around, and gives every agent a key.
    pub fn of(path: &Path) -> Result<Self, Failure> {
        let conn = open::writable(path)?;
        let agents: Vec<i64> = column(
            &conn,
            "SELECT id FROM agent WHERE deleted_at IS NULL AND is_active ORDER BY id LIMIT 250",
        )?;
        let keys = agents
            .iter()
            .enumerate()
            .map(|(n, agent)| give_key(&conn, n, *agent))
            .collect::<Result<_, _>>()?;
        let mine = |sql: &str| -> Result<Vec<(usize, i64, i64, String)>, Failure> {
            let mut statement = conn.prepare(sql)?;
            let mut found = vec![];
            for (n, agent) in agents.iter().enumerate() {
                let rows =
                    statement.query_map([agent], |row| Ok((n, row.get(0)?, row.get(1)?, row.get(2)?)))?;
                found.extend(rows.take(BATCH / agents.len() + 1).collect::<rusqlite::Result<Vec<_>>>()?);
            }
            Ok(found)
        };
        let me = agents.first().copied().ok_or("the desk has no agents")?;
        let total =
            conn.query_row("SELECT count(*) FROM ticket_agent WHERE agent_id = ?", [me], |row| row.get(0))?;
        let mut tickets =
            column(&conn, &format!("SELECT ticket_id FROM ticket_agent WHERE agent_id = {me}"))?;
        fastrand::Rng::with_seed(1).shuffle(&mut tickets);
        tickets.truncate(MOST);
        let open = mine(
            "SELECT t.id, 0, t.priority FROM ticket_agent ta JOIN ticket t ON t.id = ta.ticket_id
             WHERE ta.agent_id = ? AND t.is_locked = 0 ORDER BY ta.created_at DESC",
        )?;
        let messages = mine(
            "SELECT ta.ticket_id, (SELECT min(id) FROM message m WHERE m.ticket_id = ta.ticket_id), ''
             FROM ticket_agent ta WHERE ta.agent_id = ? ORDER BY ta.created_at DESC",
        )?;
        let told = mine("SELECT id, 0, '' FROM notification WHERE agent_id = ? ORDER BY id DESC")?;
        Ok(Self {
            path: path.to_owned(),
            keys,
            total,
            tickets,
            open: open.into_iter().map(|(n, ticket, _, priority)| (n, ticket, priority)).collect(),
            messages: messages.into_iter().map(|(n, ticket, message, _)| (n, ticket, message)).collect(),
            notifications: told.into_iter().map(|(n, id, ..)| (n, id)).collect(),
        })
    }

    /// The key of the caller of every read.
    pub fn me(&self) -> &str {
        &self.keys[0]
    }
}

/// A whole column.
pub fn column<T: rusqlite::types::FromSql>(conn: &Connection, sql: &str) -> Result<Vec<T>, Failure> {
    let mut statement = conn.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn give_key(conn: &Connection, n: usize, agent: i64) -> Result<String, Failure> {
    let raw = key::format(KeyType::External, [u8::try_from(n)?; 32]);
    conn.execute(
        "INSERT INTO api_key (name, type, hash, agent_id, created_at, updated_at) VALUES ('speed', 'external', ?, ?, 0, 0) ON CONFLICT DO NOTHING",
        params![key::hash(&raw), agent],
    )?;
    Ok(raw)
}
