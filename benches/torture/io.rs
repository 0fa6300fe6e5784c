//! `io`: the n-th write, sync or opening of the database's files fails, with a broken disk's error or a full one's, once or
//! from then on, while eight clients write.
//!
//! Shows that an error of the disk reaches the client and not the data: nothing is acknowledged that is not there, nothing is
//! there in part, every request is answered, and after a sync has failed nothing more is acknowledged. Cannot show reads
//! that fail, nor a disk that fails without saying so.
//!
//! When the sync of a commit fails, all of it stands in the log already. It was answered with 500, so after a kill and a restart
//! it must not be there, any more than everything else that was refused.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::client::Client;
use crate::desk::Desk;
use crate::journal::{Entry, Outcome, compare};
use crate::options::Options;
use crate::report::Report;
use crate::server::{Refusal, Server, Start};
use crate::shim::{Call, Fault, Plan, Shim};
use crate::sound;
use crate::writer::Writer;

/// The last n of the n-th call.
const LAST: u32 = 200;
/// How many requests each client makes after the fault.
const AFTER: u32 = 5;
/// Up to which n the log is begun anew by the first commit, which syncs its header before anything else.
const ANEW: u32 = 10;
/// How long clients wait for a fault that may never come.
const WAIT: Duration = Duration::from_secs(2);

/// What the trials came to.
#[derive(Default)]
struct Tally {
    struck: BTreeMap<&'static str, u32>,
    answers: BTreeMap<u16, u32>,
    acknowledged: usize,
}

struct Trial<'a> {
    options: &'a Options,
    desk: Arc<Desk>,
    shim: Shim,
    folder: &'a Path,
}

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let count = options.cycles(LAST, 8).clamp(1, LAST);
    let mut report = Report::new("io", "I/O errors on the n-th write, sync, open", options.seed);
    let folder = options.scratch("io")?;
    let desk = Arc::new(Desk::make(&options.binary, folder.path())?);
    let trial = Trial { options, desk, shim: Shim::compile(folder.path())?, folder: folder.path() };
    let mut tally = Tally::default();
    // The second sync of a log that is begun anew is that of its first commit: never left out.
    let second = (count < LAST).then_some(2);
    for n in (0..count).map(|n| 1 + n * LAST / count).chain(second) {
        for call in [Call::Write, Call::Sync, Call::Open] {
            let plan = Plan { call, nth: n, stays: n / 2 % 2 == 1, is_full: n % 2 == 1 };
            for wrong in
                trial.at_work(&plan, &mut tally)?.into_iter().chain(trial.at_birth(&plan, &mut tally)?)
            {
                report.violation(format!("{plan}: {wrong}"));
            }
        }
    }
    report.figure(format!("n = 1…{LAST} in {count} steps"));
    let struck: Vec<_> = tally.struck.iter().map(|(what, times)| format!("{times} {what}")).collect();
    report.figure(format!("faults that struck: {}", struck.join(", ")));
    let answers: Vec<_> = tally.answers.iter().map(|(status, n)| format!("{n} × {status}")).collect();
    report.figure(format!("{} acknowledged writes, refused: {}", tally.acknowledged, answers.join(", ")));
    Ok(report)
}

impl Trial<'_> {
    /// The fault strikes a server at work; one of an opening strikes while it starts.
    fn at_work(&self, plan: &Plan, tally: &mut Tally) -> Result<Vec<String>, Failure> {
        let database = self.folder.join("work.db");
        self.desk.copy_to(&database)?;
        let (fault, start) = self.under(&database, "fault")?;
        if plan.call == Call::Open {
            fault.arm(plan)?;
        }
        let mut wrong = vec![];
        let mut writers = Writer::all(&self.desk, self.options.seed ^ u64::from(plan.nth));
        match start.try_serve()? {
            Err(refusal) => wrong.extend(unclear(&refusal)),
            Ok(mut server) => {
                if plan.nth <= ANEW {
                    begin_log_anew(&database)?;
                }
                if plan.call != Call::Open {
                    fault.arm(plan)?;
                }
                wrong.extend(work(&mut server, &mut writers, &fault, plan)?);
                wrong.extend(read(&server, &self.desk));
                if !server.is_alive() {
                    wrong.push(format!("the server ended: {}", server.told()));
                }
                if plan.nth.is_multiple_of(3) {
                    wrong.extend(server.stop()?.is_none().then(|| "the server did not stop".into()));
                } else {
                    server.kill()?;
                }
                wrong.extend(
                    server.told().contains("panicked").then(|| format!("a panic: {}", server.told())),
                );
            }
        }
        if fault.struck()? > 0 {
            *tally.struck.entry(name(plan.call)).or_default() += 1;
        }
        wrong.extend(self.judge(&database, &writers, tally)?);
        Ok(wrong)
    }

    /// The fault strikes while a new database is made. Afterwards the same command must work.
    fn at_birth(&self, plan: &Plan, tally: &mut Tally) -> Result<Vec<String>, Failure> {
        let database = self.folder.join("birth.db");
        for suffix in ["", "-wal", "-shm"] {
            let _ = std::fs::remove_file(format!("{}{suffix}", database.display()));
        }
        let (fault, start) = self.under(&database, "birth")?;
        fault.arm(plan)?;
        let mut wrong = vec![];
        match start.try_serve()? {
            Err(refusal) => wrong.extend(unclear(&refusal)),
            Ok(mut server) => server.kill()?,
        }
        if fault.struck()? > 0 {
            *tally.struck.entry("while a database is made").or_default() += 1;
        }
        match Start::new(&self.options.binary, &database).try_serve()? {
            Err(refusal) => wrong.push(format!("after a fault at birth {refusal}")),
            Ok(mut server) => drop(server.stop()?),
        }
        Ok(wrong)
    }

    fn under(&self, database: &Path, name: &str) -> Result<(Fault, Start), Failure> {
        let fault = Fault::none(self.folder.join(name))?;
        let start = Start::new(&self.options.binary, database);
        let start = self.shim.under(start, &[("TORTURE_FAULT", fault.path())]);
        Ok((fault, start))
    }

    /// Compares what is there with what was told, as it lies, and after a start on a disk that works again.
    fn judge(&self, database: &Path, writers: &[Writer], tally: &mut Tally) -> Result<Vec<String>, Failure> {
        let mut server = match Start::new(&self.options.binary, database).try_serve()? {
            Err(refusal) => return Ok(vec![format!("on a disk that works again {refusal}")]),
            Ok(server) => server,
        };
        server.kill()?;
        let conn = sound::open(database)?;
        let entries: Vec<&Entry> = writers.iter().flat_map(|writer| &writer.entries).collect();
        let told = entries.iter().map(|entry| (*entry, entry.outcome));
        let findings = compare(&conn, told)?;
        for entry in &entries {
            match entry.outcome {
                Outcome::Acknowledged => tally.acknowledged += 1,
                Outcome::Refused(status) => *tally.answers.entry(status).or_default() += 1,
                Outcome::Unknown => {}
            }
        }
        Ok(findings.all().into_iter().chain(sound::check(&conn)?).collect())
    }
}

/// Sees to it that there is a log, and takes all of it over, so that the next commit begins it anew.
fn begin_log_anew(database: &Path) -> Result<(), Failure> {
    let conn = rusqlite::Connection::open(database)?;
    conn.busy_timeout(Duration::from_secs(5))?;
    let version: i32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    conn.pragma_update(None, "user_version", version)?;
    Ok(conn.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(()))?)
}

fn name(call: Call) -> &'static str {
    match call {
        Call::Write => "writes",
        Call::Sync => "syncs",
        Call::Open => "openings",
    }
}

fn unclear(refusal: &Refusal) -> Option<String> {
    (!refusal.is_clear()).then(|| refusal.to_string())
}

/// Lets the clients work until the fault has struck, and a little longer.
fn work(
    server: &mut Server,
    writers: &mut [Writer],
    fault: &Fault,
    plan: &Plan,
) -> Result<Vec<String>, Failure> {
    let (address, unsafely, silent) = (server.address, AtomicU32::new(0), AtomicU32::new(0));
    std::thread::scope(|scope| -> Result<(), Failure> {
        let one = |writer| {
            let (unsafely, silent) = (&unsafely, &silent);
            scope.spawn(move || one(writer, address, fault, plan, unsafely, silent))
        };
        let working: Vec<_> = writers.iter_mut().map(one).collect();
        for thread in working {
            thread.join().map_err(|_| "a writer panicked")??;
        }
        Ok(())
    })?;
    let told = |count: AtomicU32, what: &str| {
        let count = count.into_inner();
        (count > 0).then(|| format!("{count} {what}"))
    };
    let unsafely = told(unsafely, "writes acknowledged after a sync had failed");
    Ok(unsafely.into_iter().chain(told(silent, "requests without an answer")).collect())
}

fn one(
    writer: &mut Writer,
    address: std::net::SocketAddr,
    fault: &Fault,
    plan: &Plan,
    unsafely: &AtomicU32,
    silent: &AtomicU32,
) -> std::io::Result<()> {
    writer.connect(address);
    let (started, mut after) = (Instant::now(), 0);
    while after < AFTER && (after > 0 || started.elapsed() < WAIT) {
        let had_struck = fault.struck()? > 0;
        after += u32::from(had_struck || plan.call == Call::Open);
        match writer.step() {
            Outcome::Acknowledged if had_struck && plan.call == Call::Sync => {
                unsafely.fetch_add(1, Ordering::Relaxed);
            }
            Outcome::Unknown => {
                silent.fetch_add(1, Ordering::Relaxed);
                break;
            }
            Outcome::Acknowledged | Outcome::Refused(_) => {}
        }
    }
    Ok(())
}

/// Reads go on, whatever became of the writes.
fn read(server: &Server, desk: &Desk) -> Option<String> {
    let mut client = Client::new(server.address);
    match client.get("/external/tickets", &desk.agents[0]) {
        Ok(answer) if answer.is_ok() => None,
        other => Some(format!("a read was refused: {other:?}")),
    }
}
