//! The second limit: the same SQL and serialisation in a loop, without HTTP. The statements of recorded requests,
//! authentication's included, are stepped through and every column of every row is read; the answer they led to, kept as a
//! tree, is serialised.
//!
//! What it leaves out: making types of rows, formatting times (the tree has them as text), hashing the key, and every check.

use std::collections::HashSet;
use std::path::Path;
use std::time::{Duration, Instant};

use lodge::db::{BEGIN, Ids, open};
use rusqlite::Connection;
use rusqlite::types::Value;
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value as Json;

use crate::Failure;
use crate::bound::bound;
use crate::case::Kind;
use crate::inside::{Ran, Recorded};
use crate::server::ran;

/// A statement, and what it is given.
struct Step {
    sql: String,
    /// Its parameters by their numbers: of lists of ids nothing.
    bound: Vec<(usize, Option<Value>)>,
    /// What every list of ids is.
    ids: Vec<i64>,
    /// After how many rows the server had enough, if it did not want all.
    enough: Option<usize>,
}

/// A recorded request, ready to be run again.
struct Script {
    steps: Vec<Step>,
    answer: Tree,
}

/// An answer. Not `serde_json`'s own tree, which keeps numbers as text in this crate.
enum Tree {
    Null,
    Bool(bool),
    Integer(i64),
    Text(String),
    List(Vec<Tree>),
    Map(Vec<(String, Tree)>),
}

impl From<&Json> for Tree {
    fn from(value: &Json) -> Self {
        match value {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(number) => {
                number.as_i64().map_or_else(|| Self::Text(number.to_string()), Self::Integer)
            }
            Json::String(text) => Self::Text(text.clone()),
            Json::Array(items) => Self::List(items.iter().map(Self::from).collect()),
            Json::Object(map) => {
                Self::Map(map.iter().map(|(name, value)| (name.clone(), value.into())).collect())
            }
        }
    }
}

impl Serialize for Tree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(value) => serializer.serialize_i64(*value),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items),
            Self::Map(fields) => {
                let mut map = serializer.serialize_map(Some(fields.len()))?;
                fields.iter().try_for_each(|(name, value)| map.serialize_entry(name, value))?;
                map.end()
            }
        }
    }
}

/// What one request takes of the processors, in microseconds, on as many threads as the server has for it. Requests that did
/// the same are kept once: many copies of an answer would only push each other out of the processor's caches.
pub fn cost(path: &Path, recorded: &[Recorded], kind: Kind, time: Duration) -> Result<f64, Failure> {
    let conn = connection(path)?;
    let mut known = HashSet::new();
    let did = |one: &Recorded| one.ran.iter().map(|ran| ran.filled.as_str()).collect::<Vec<_>>().join(";");
    let different = recorded.iter().filter(|one| known.insert(did(one)));
    let scripts = different.map(|one| script(&conn, one)).collect::<Result<Vec<_>, _>>()?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if kind == Kind::Search { 1 } else { cores };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| repeat(path, &scripts, time))).collect();
        let (mut times, mut nanos) = (0, 0);
        for thread in threads {
            let (more, took) = thread.join().map_err(|_| "a thread panicked")??;
            (times, nanos) = (times + more, nanos + took);
        }
        Ok(nanos as f64 / 1e3 / f64::from(times))
    })
}

fn connection(path: &Path) -> Result<Connection, Failure> {
    Ok(open::readable(path)?)
}

/// Runs all scripts over and over: how often one was run, and how many nanoseconds of this thread all took.
fn repeat(path: &Path, scripts: &[Script], time: Duration) -> Result<(u32, u64), Failure> {
    let conn = connection(path)?;
    let own = Path::new("/proc/thread-self/schedstat");
    let all = || scripts.iter().try_for_each(|script| run(&conn, script));
    all()?;
    let (begun, before) = (Instant::now(), ran(own).ok_or("no schedstat")?);
    let mut times = 0;
    while begun.elapsed() < time || times == 0 {
        all()?;
        times += scripts.len() as u32;
    }
    // Its time is only written down when it is interrupted.
    std::thread::yield_now();
    Ok((times, ran(own).ok_or("no schedstat")?.saturating_sub(before)))
}

fn run(conn: &Connection, script: &Script) -> Result<(), Failure> {
    for snapshot in script.steps.chunk_by(|_, next| next.sql != BEGIN) {
        // As the server does: the first statement is left at its row until the snapshot ends.
        let mut first = conn.prepare_cached(BEGIN)?;
        let mut rows = first.raw_query();
        std::hint::black_box(rows.next()?);
        for step in snapshot.iter().filter(|step| step.sql != BEGIN) {
            step_through(conn, step, |_| ())?;
        }
    }
    let mut body = Vec::with_capacity(1024);
    serde_json::to_writer(&mut body, &script.answer)?;
    std::hint::black_box(body);
    Ok(())
}

/// Runs a statement and reads every column of every row; how many there were. `take` is given the first column when it is the
/// only one.
fn step_through(conn: &Connection, step: &Step, mut take: impl FnMut(i64)) -> Result<usize, Failure> {
    let mut statement = conn.prepare_cached(&step.sql)?;
    let columns = statement.column_count();
    for (n, value) in &step.bound {
        match value {
            Some(value) => statement.raw_bind_parameter(*n, value)?,
            None => statement.raw_bind_parameter(*n, Ids::from(step.ids.iter().copied()))?,
        }
    }
    let mut rows = statement.raw_query();
    let mut count = 0;
    while step.enough != Some(count)
        && let Some(row) = rows.next()?
    {
        count += 1;
        for n in 0..columns {
            std::hint::black_box(row.get_ref(n)?);
        }
        if let (1, Ok(id)) = (columns, row.get(0)) {
            take(id);
        }
    }
    Ok(count)
}

/// What was bound to a statement. Where a list of ids stood, and only there, SQLite tells of `rarray(NULL)`.
fn parameters(conn: &Connection, ran: &Ran) -> Result<Vec<(usize, Option<Value>)>, Failure> {
    let statement = conn.prepare_cached(&ran.sql)?;
    let told = bound(&ran.sql, &ran.filled).ok_or_else(|| format!("not understood: {}", ran.filled))?;
    let mut parameters = vec![];
    for (name, value) in told {
        let is_list = ran.sql.contains(&format!("rarray({name})"))
            || (name.starts_with('?') && value == Value::Null && ran.sql.contains("rarray(?)"));
        let number = name.strip_prefix('?').map(str::parse).transpose()?;
        let number = match number {
            Some(number) => number,
            None => statement.parameter_index(&name)?.ok_or_else(|| format!("no parameter is {name}"))?,
        };
        parameters.push((number, (!is_list).then_some(value)));
    }
    Ok(parameters)
}

/// Prepares a recorded request to be run again. Lists of ids are not in the recorded text: they are those that the answer
/// shows, those that statements before found, or none, whichever gives as many rows as there were.
fn script(conn: &Connection, recorded: &Recorded) -> Result<Script, Failure> {
    let shown: Vec<i64> = match &recorded.body["data"] {
        Json::Array(items) => items.iter().filter_map(|item| item["id"].as_i64()).collect(),
        one => one["id"].as_i64().into_iter().collect(),
    };
    let (mut steps, mut seen): (Vec<Step>, Vec<i64>) = (vec![], vec![]);
    for ran in &recorded.ran {
        let bound = parameters(conn, ran)?;
        let lists = bound.iter().any(|(_, value)| value.is_none());
        let choices = if lists { vec![shown.clone(), seen.clone(), vec![]] } else { vec![vec![]] };
        let mut fits = None;
        for ids in choices {
            // What has a list of ids is read to its end, which tells whether it is the right one.
            let enough = (!lists).then_some(ran.rows);
            let step = Step { sql: ran.sql.clone(), bound: bound.clone(), ids, enough };
            let mut found = vec![];
            if step_through(conn, &step, |id| found.push(id))? == ran.rows {
                fits = Some((step, found));
                break;
            }
        }
        let Some((step, found)) = fits else {
            return Err(format!("run again, this has not {} rows: {}", ran.rows, ran.filled).into());
        };
        seen.extend(found.iter().filter(|id| shown.contains(id)));
        steps.push(step);
    }
    Ok(Script { steps, answer: Tree::from(&recorded.body) })
}
