//! `kill`: the process is killed with SIGKILL while eight clients write, and started again, over and over.
//!
//! Shows that what was acknowledged does not live in the process alone, that a repeated request is applied once, and that a
//! change is whole or not at all. Cannot show what a power cut does: the kernel keeps what a killed process has written,
//! synced or not. That is for `power`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::Failure;
use crate::desk::Desk;
use crate::journal::{Outcome, compare};
use crate::options::Options;
use crate::report::{Report, percentile};
use crate::server::{Server, Start};
use crate::sound;
use crate::writer::Writer;

/// How long clients write before the process is killed, in milliseconds.
const LIFE: std::ops::RangeInclusive<u64> = 5..=400;
/// How soon a server must answer after it was killed.
const READY: Duration = Duration::from_secs(1);

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let cycles = options.cycles(300, 30);
    let mut report = Report::new("kill", "kill -9 under 8 writers", options.seed);
    let folder = options.scratch("kill")?;
    let desk = Arc::new(Desk::make(&options.binary, folder.path())?);
    let start = Start::new(&options.binary, &desk.file);
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let mut writers = Writer::all(&desk, options.seed);
    let (mut ready, mut repeated) = (vec![], 0);
    let mut server = start.serve()?;
    for cycle in 1..=cycles {
        work_until_killed(&mut server, &mut writers, Duration::from_millis(rng.u64(LIFE)))?;
        complain(&mut report, &server, cycle);
        server = start.serve()?;
        ready.push(server.ready);
        if server.ready > READY {
            report.violation(format!("cycle {cycle}: ready only after {} ms", server.ready.as_millis()));
        }
        repeated += unknown(&writers);
        let open: usize = writers
            .iter_mut()
            .map(|writer| {
                writer.connect(server.address);
                writer.settle()
            })
            .sum();
        if open > 0 {
            report.violation(format!("cycle {cycle}: {open} repeated requests were not answered"));
        }
        check(&mut report, &desk, &writers, cycle)?;
        if !report.is_clean() {
            break;
        }
    }
    server.stop()?;
    let told = |outcome: fn(&Outcome) -> bool| -> usize {
        writers.iter().flat_map(|writer| &writer.entries).filter(|entry| outcome(&entry.outcome)).count()
    };
    report.figure(format!("{} cycles", ready.len()));
    report.figure(format!("{} acknowledged writes", told(|outcome| *outcome == Outcome::Acknowledged)));
    report.figure(format!("{} refused", told(|outcome| matches!(outcome, Outcome::Refused(_)))));
    report.figure(format!("{repeated} unanswered and repeated"));
    let millis = |share| percentile(&ready, share).unwrap_or_default().as_millis();
    report.figure(format!("ready after {} ms (median), {} ms (longest)", millis(0.5), millis(1.0)));
    Ok(report)
}

/// Lets the writers write for so long, then kills the server under them.
fn work_until_killed(server: &mut Server, writers: &mut [Writer], life: Duration) -> Result<(), Failure> {
    let (address, over) = (server.address, AtomicBool::new(false));
    std::thread::scope(|scope| {
        for writer in writers {
            let over = &over;
            scope.spawn(move || {
                writer.connect(address);
                while !over.load(Ordering::Relaxed) && writer.step() != Outcome::Unknown {}
            });
        }
        std::thread::sleep(life);
        let killed = server.kill();
        over.store(true, Ordering::Relaxed);
        killed
    })
}

fn unknown(writers: &[Writer]) -> usize {
    let entries = writers.iter().flat_map(|writer| &writer.entries);
    entries.filter(|entry| entry.outcome == Outcome::Unknown).count()
}

fn complain(report: &mut Report, server: &Server, cycle: u32) {
    let told = server.told();
    if told.contains("panicked") {
        report.violation(format!("cycle {cycle}: a panic: {told}"));
    }
}

/// Compares the database with every writer's journal, from the first cycle on.
fn check(report: &mut Report, desk: &Desk, writers: &[Writer], cycle: u32) -> Result<(), Failure> {
    let conn = sound::open(&desk.file)?;
    let entries = writers.iter().flat_map(|writer| &writer.entries);
    let findings = compare(&conn, entries.map(|entry| (entry, entry.outcome)))?;
    let refused = writers.iter().flat_map(|writer| &writer.entries);
    for entry in refused.filter(|entry| matches!(entry.outcome, Outcome::Refused(_))) {
        report.violation(format!("cycle {cycle}: refused without a reason: {entry:?}"));
    }
    for wrong in findings.all().into_iter().chain(sound::check(&conn)?) {
        report.violation(format!("cycle {cycle}: {wrong}"));
    }
    Ok(())
}
