//! What one request makes the server do, seen from inside: the same server without its socket, in this process, with SQLite
//! telling which statements it runs, and the allocator counting.

use std::sync::{Arc, Mutex, PoisonError};

use lodge::app::{Options, app};
use lodge::db::{self, Db, Tx};
use lodge::http::front::Outermost;
use lodge::upkeep::Upkeep;
use poem::Request;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use serde_json::Value;

use crate::case::{Case, Kind};
use crate::desk::World;
use crate::load::Ask;
use crate::{ALLOCATOR, Failure, load};

/// How many requests are counted.
const COUNTED: usize = 40;
/// How many come before, so that statements are prepared.
const AHEAD: usize = 20;
/// How many requests are recorded for the second limit: so many that what they read is spread over the file as it is for the
/// server, and no more in anybody's cache. Of writes, which have no limit, a few tell how many statements they are.
const RECORDED: usize = 2000;
/// How many writes are.
const WRITES: usize = 16;

/// A statement that was run, and how many rows it had.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The text.
    pub sql: String,
    /// The text with the parameters filled in; lists of ids are NULL.
    pub filled: String,
    /// How many rows it had.
    pub rows: usize,
}

/// What one request made the server do.
pub struct Recorded {
    /// The statements, in their order, without the ends of transactions.
    pub ran: Vec<Ran>,
    /// The answer's body.
    pub body: Value,
}

/// What requests of one case make the server do.
pub struct Inside {
    /// How many SQL statements a request, without those that only begin and end a transaction.
    pub statements: f64,
    /// How many allocations a request.
    pub allocations: f64,
    /// How many bytes they ask for.
    pub allocated: f64,
    /// Some requests in full.
    pub recorded: Vec<Recorded>,
}

static RAN: Mutex<Vec<Ran>> = Mutex::new(vec![]);

fn note(event: TraceEvent<'_>) {
    let mut ran = RAN.lock().unwrap_or_else(PoisonError::into_inner);
    match event {
        // A trigger's part of a statement comes as a comment, a search index's own statements name its schema.
        TraceEvent::Stmt(_, text) if text.starts_with("--") || text.contains("'main'.") => {}
        // A search ends its snapshot after it has answered, when the next request may have begun.
        TraceEvent::Stmt(_, "COMMIT") => {}
        TraceEvent::Stmt(statement, _) => {
            let filled = statement.expanded_sql().unwrap_or_default();
            ran.push(Ran { sql: statement.sql().into_owned(), filled, rows: 0 });
        }
        TraceEvent::Row(statement) => {
            // A search index's own reads again, some of which have no text at all.
            let sql = statement.sql();
            if sql.is_empty() || sql.contains("'main'.") {
                return;
            }
            if let Some(last) = ran.last_mut() {
                last.rows += 1;
            }
        }
        _ => {}
    }
}

/// Makes every connection of an open database tell, or no longer.
async fn trace(db: &Db, on: bool) -> Result<(), Failure> {
    let set = move |tx: &Tx<'_>| {
        let (events, tell) = if on {
            let events = TraceEventCodes::SQLITE_TRACE_STMT | TraceEventCodes::SQLITE_TRACE_ROW;
            (events, Some(note as fn(TraceEvent<'_>)))
        } else {
            (TraceEventCodes::empty(), None)
        };
        tx.conn.trace_v2(events, tell);
        Ok(())
    };
    db.read(set)?;
    db.search(set).await?;
    db.write(set).await?;
    Ok(())
}

/// Asks each case some times. The server must not have the database open.
pub fn look(world: &World, cases: &[Case]) -> Result<Vec<Inside>, Failure> {
    load::block_on(async {
        let as_usual = db::Options::default();
        let db = Arc::new(Db::open(&world.path, &db::Options { readers: 1, ..as_usual })?);
        let upkeep = Upkeep::default();
        let app = app(&db, &Options { rate_limit: 0, ..Options::default() }, upkeep.uses());
        let mut found = vec![];
        for case in cases {
            found.push(look_at(&db, &app, world, case).await?);
        }
        Ok(found)
    })?
}

async fn look_at(db: &Db, app: &impl Outermost, world: &World, case: &Case) -> Result<Inside, Failure> {
    case.refill(world)?;
    for ask in asks(case, AHEAD) {
        answer(app, case, &ask).await?;
    }
    case.refill(world)?;
    let counted = asks(case, COUNTED);
    let requests: Vec<Request> = counted.iter().map(request).collect();
    let count = requests.len().max(1) as f64;
    ALLOCATOR.start();
    for request in requests {
        drop(app.get_response(request).await);
    }
    let (allocations, allocated) = ALLOCATOR.stop();
    case.refill(world)?;
    let mut inside = Inside {
        statements: 0.0,
        allocations: allocations as f64 / count,
        allocated: allocated as f64 / count,
        recorded: vec![],
    };
    trace(db, true).await?;
    let recorded = if case.kind == Kind::Write { WRITES } else { RECORDED };
    for ask in asks(case, recorded) {
        RAN.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let body = answer(app, case, &ask).await?;
        let ran = std::mem::take(&mut *RAN.lock().unwrap_or_else(PoisonError::into_inner));
        inside.recorded.push(Recorded { ran, body });
    }
    trace(db, false).await?;
    let works = |ran: &&Ran| !["BEGIN", "SAVEPOINT", "RELEASE"].iter().any(|word| ran.sql.starts_with(word));
    let statements: usize = inside.recorded.iter().map(|one| one.ran.iter().filter(works).count()).sum();
    inside.statements = statements as f64 / inside.recorded.len().max(1) as f64;
    Ok(inside)
}

fn asks(case: &Case, count: usize) -> Vec<Ask> {
    (0..count).map_while(|_| case.next()).collect()
}

fn request(ask: &Ask) -> Request {
    let method = ask.method.parse().unwrap_or_default();
    let mut request = Request::builder().method(method).uri_str(&ask.path).header("host", "speed");
    for (name, value) in &ask.headers {
        request = request.header(name, value);
    }
    match &ask.body {
        Some(body) => request.content_type("application/json").body(body.clone()),
        None => request.finish(),
    }
}

async fn answer(app: &impl Outermost, case: &Case, ask: &Ask) -> Result<Value, Failure> {
    let response = app.get_response(request(ask)).await;
    let status = response.status().as_u16();
    let body = response.into_body().into_bytes().await?;
    if status != case.ok {
        return Err(format!("{}: answered {status}: {}", ask.path, String::from_utf8_lossy(&body)).into());
    }
    Ok(serde_json::from_slice(&body).unwrap_or_default())
}
