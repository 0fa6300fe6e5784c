//! The second limit: the same SQL and serialisation in a loop, without HTTP. A snapshot is begun, the caller's key is looked
//! up, and what the operation's handler does in that snapshot is done, down to the bytes of the answer.
//!
//! What it leaves out, besides HTTP: finding the operation, every check of the request, the rate limit, and where a search has
//! a thread of its own, the way there and back.

use std::hint::black_box;
use std::ops::Range;
use std::path::Path;

use lodge::auth::{Agent, Caller, Known, authenticate};
use lodge::db::{Db, Options, Tx};
use lodge::http::answer::Answer;

use crate::Failure;
use crate::case::{Case, Kind};
use crate::desk::World;
use crate::load::fetch;
use crate::server::{Server, ran};

/// What an operation does in its snapshot, for the request of this number. Gives the length of the answer's body.
pub type Work = Box<dyn Fn(&Tx<'_>, &Agent, usize) -> lodge::error::Result<usize> + Send + Sync>;

/// Work that ends in an answer.
pub fn work<T: AsRef<Answer>>(
    answer: impl Fn(&Tx<'_>, &Agent, usize) -> lodge::error::Result<T> + Send + Sync + 'static,
) -> Work {
    Box::new(move |tx, me, n| answer(tx, me, n).map(|answer| black_box(answer).as_ref().recorded().2.len()))
}

/// An error if the next request is answered by the server with something else than what the work makes.
pub fn check(server: &Server, world: &World, case: &Case, work: &Work) -> Result<(), Failure> {
    let n = case.pass(0);
    let ask = case.next().ok_or("nothing is asked")?;
    let (_, body) = fetch(server.address, &ask)?;
    let made = Direct::new(world, case, work, 1)?.once(n)?;
    if made == body.len() {
        Ok(())
    } else {
        Err(format!("{}: {made} bytes are made of it without HTTP, {} with it", case.name, body.len()).into())
    }
}

/// What one request takes of the processors, in microseconds, on as many threads as the server has for it. As many are done as
/// the server answered, and a fifth ahead, with the rows that come next: as few of them are at hand as for the server.
pub fn cost(world: &World, case: &Case, work: &Work, requests: usize) -> Result<f64, Failure> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let threads = if case.kind == Kind::Search { 1 } else { cores };
    let direct = Direct::new(world, case, work, threads)?;
    let ahead = requests / 5;
    let first = case.pass(ahead + requests);
    let counted = first + ahead..first + ahead + requests;
    std::thread::scope(|scope| {
        let (direct, counted) = (&direct, &counted);
        let one =
            |n| scope.spawn(move || direct.repeat((first..counted.end).skip(n).step_by(threads), counted));
        let threads: Vec<_> = (0..threads).map(one).collect();
        let mut nanos = 0;
        for thread in threads {
            nanos += thread.join().map_err(|_| "a thread panicked")??;
        }
        Ok(nanos as f64 / 1e3 / requests as f64)
    })
}

/// What this thread has taken, in nanoseconds. It is only written down when the thread is interrupted.
fn so_far() -> Result<u64, Failure> {
    std::thread::yield_now();
    Ok(ran(Path::new("/proc/thread-self/schedstat")).ok_or("no schedstat")?)
}

struct Direct<'a> {
    db: Db,
    known: Known,
    key: &'a str,
    work: &'a Work,
    kind: Kind,
}

impl<'a> Direct<'a> {
    /// On so many threads.
    fn new(world: &'a World, case: &Case, work: &'a Work, threads: usize) -> Result<Self, Failure> {
        let options = Options { readers: threads as u32, ..Options::default() };
        let db = Db::open_read_only(&world.path, &options)?;
        Ok(Self { db, known: Known::default(), key: world.me(), work, kind: case.kind })
    }

    /// Does these, and says how many nanoseconds of this thread those took that are counted.
    fn repeat(&self, all: impl Iterator<Item = usize>, counted: &Range<usize>) -> Result<u64, Failure> {
        let mut before = None;
        for n in all {
            if before.is_none() && counted.contains(&n) {
                before = Some(so_far()?);
            }
            self.once(n)?;
        }
        let after = so_far()?;
        Ok(after.saturating_sub(before.unwrap_or(after)))
    }

    /// Does one; the length of its answer's body.
    fn once(&self, n: usize) -> Result<usize, Failure> {
        let mut reading = self.db.begin()?;
        let known = (&self.known, reading.access());
        let caller = reading.run(|tx| authenticate(tx, known, self.key, None))?;
        let Ok(Caller::Agent(me)) = caller else { return Err("the key is no agent's".into()) };
        if self.kind == Kind::Search {
            // The search thread's own.
            drop(reading);
            reading = self.db.begin()?;
        }
        Ok(reading.run(|tx| (self.work)(tx, &me, n))?)
    }
}
