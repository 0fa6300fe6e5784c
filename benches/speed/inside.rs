//! What one request makes the server do, seen from inside: the same server without its socket, in this process, with SQLite
//! telling which statements it runs, and the allocator counting.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use lodge::app::{Options, app};
use lodge::db::{self, Db, Tx};
use lodge::http::front::Outermost;
use lodge::upkeep::Upkeep;
use poem::Request;
use rusqlite::trace::{TraceEvent, TraceEventCodes};

use crate::case::Case;
use crate::desk::World;
use crate::load::Ask;
use crate::{ALLOCATOR, Failure, load};

/// How many requests are counted.
const COUNTED: usize = 40;
/// How many come before, so that statements are prepared.
const AHEAD: usize = 20;
/// How many requests tell which statements they run.
const TRACED: usize = 40;

/// What requests of one case make the server do.
pub struct Inside {
    /// How many SQL statements a request, without those that only begin and end a transaction.
    pub statements: f64,
    /// How many allocations a request.
    pub allocations: f64,
    /// How many bytes they ask for.
    pub allocated: f64,
}

/// How many statements were run so far.
static RAN: AtomicUsize = AtomicUsize::new(0);

fn note(event: TraceEvent<'_>) {
    let TraceEvent::Stmt(_, text) = event else { return };
    // A trigger's part of a statement comes as a comment, a search index's own statements name its schema.
    let is_part = text.starts_with("--") || text.contains("'main'.");
    if !is_part && !["BEGIN", "SAVEPOINT", "RELEASE", "COMMIT"].iter().any(|word| text.starts_with(word)) {
        RAN.fetch_add(1, Relaxed);
    }
}

/// Makes every connection of an open database tell, or no longer.
async fn trace(db: &Db, on: bool) -> Result<(), Failure> {
    let set = move |tx: &Tx<'_>| {
        let (events, tell) = if on {
            (TraceEventCodes::SQLITE_TRACE_STMT, Some(note as fn(TraceEvent<'_>)))
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
    trace(db, true).await?;
    let before = RAN.load(Relaxed);
    let traced = asks(case, TRACED);
    for ask in &traced {
        answer(app, case, ask).await?;
    }
    let statements = RAN.load(Relaxed) - before;
    trace(db, false).await?;
    Ok(Inside {
        statements: statements as f64 / traced.len().max(1) as f64,
        allocations: allocations as f64 / count,
        allocated: allocated as f64 / count,
    })
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

async fn answer(app: &impl Outermost, case: &Case, ask: &Ask) -> Result<(), Failure> {
    let response = app.get_response(request(ask)).await;
    let status = response.status().as_u16();
    let body = response.into_body().into_bytes().await?;
    if status != case.ok {
        return Err(format!("{}: answered {status}: {}", ask.path, String::from_utf8_lossy(&body)).into());
    }
    Ok(())
}
