//! `power`: the power is cut at random points of what a working server did to its disk.
//!
//! A shim logs every write, truncation, sync and removal of the database's files, and the clients append to the same log
//! what they were told. The log is replayed up to a random point: what was synced before it is there, and each write that
//! was not is there, torn at 512 bytes, or missing. SQLite opens what is left, and every answer given before the point must
//! be in it.
//!
//! Cannot show: a disk that says it synced and did not; a folder that forgets a file it held (creations and removals are
//! taken to reach the disk in their order); sectors that are damaged by the cut itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use crate::Failure;
use crate::desk::Desk;
use crate::image::Image;
use crate::journal::{Entry, Outcome, compare};
use crate::oplog::{self, Notes, Op};
use crate::options::Options;
use crate::report::Report;
use crate::server::Start;
use crate::shim::Shim;
use crate::sound;
use crate::writer::Writer;

/// How many points are taken of one recording.
const POINTS: u32 = 1000;
/// How many requests each writer makes in one life of the server.
const REQUESTS: usize = 25;
/// How many bytes a reply has at most in a recording without restarts: enough for the log to be taken over into the database
/// and begun again by itself.
const LONG: usize = 90_000;

/// What a server did to its disk, and what its clients were told.
struct Recording {
    log: Vec<u8>,
    ops: Vec<Op>,
    entries: Vec<Vec<Entry>>,
}

/// What the points of a recording came to.
#[derive(Default)]
struct Tally {
    points: AtomicU32,
    corrupt: AtomicU32,
    lost: AtomicU32,
}

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let points = options.cycles(20_000, 2000);
    let mut report = Report::new("power", "power cut: replay of the operation log", options.seed);
    let folder = options.scratch("power")?;
    let images = options.scratch_in_memory("power")?;
    let desk = Arc::new(Desk::make(&options.binary, folder.path())?);
    let shim = Shim::compile(folder.path())?;
    let before = std::fs::read(&desk.file)?;
    let tally = Tally::default();
    let (mut acknowledged, mut ops, mut replaying) = (0, 0, 0.0);
    for round in 0..points.div_ceil(POINTS) {
        let seed = options.seed.wrapping_add(u64::from(round));
        // Every fourth recording has no restarts and long replies instead.
        let recording = record(options, &desk, &shim, folder.path(), seed, round % 4 == 1)?;
        acknowledged += recording.ops.iter().filter(|op| matches!(op, Op::Told(..))).count();
        ops += recording.ops.len();
        let count = POINTS.min(points - round * POINTS);
        let started = Instant::now();
        for wrong in replay(options, &recording, &before, images.path(), (seed, count), &tally)? {
            report.violation(wrong);
        }
        replaying += started.elapsed().as_secs_f64();
    }
    let points = tally.points.into_inner();
    report.figure(format!("{points} points in {} recordings", points.div_ceil(POINTS)));
    report.figure(format!("{} lost", tally.lost.into_inner()));
    report.figure(format!("{} corrupt", tally.corrupt.into_inner()));
    report.figure(format!("{acknowledged} acknowledged writes in {ops} operations"));
    report.figure(format!("{:.0} points a second", f64::from(points) / replaying));
    Ok(report)
}

/// Lets writers work on a fresh desk, and kills the server in the end.
fn record(
    options: &Options,
    desk: &Arc<Desk>,
    shim: &Shim,
    folder: &Path,
    seed: u64,
    is_long: bool,
) -> Result<Recording, Failure> {
    let (database, log) = (folder.join("work.db"), folder.join("log"));
    desk.copy_to(&database)?;
    std::fs::write(&log, [])?;
    let start = shim.under(Start::new(&options.binary, &database), &[("TORTURE_LOG", &log)]);
    let mut writers = Writer::all(desk, seed);
    for life in 0..3 {
        let mut server = start.serve()?;
        std::thread::scope(|scope| -> Result<(), Failure> {
            let work = |writer| scope.spawn(|| work(writer, server.address, &log, is_long));
            let working: Vec<_> = writers.iter_mut().map(work).collect();
            for thread in working {
                thread.join().map_err(|_| "a writer panicked")??;
            }
            Ok(())
        })?;
        match life {
            // A stop moves the log into the database and removes it.
            0 | 1 if !is_long => drop(server.stop()?.ok_or("the server did not stop")?),
            _ => {
                server.kill()?;
                break;
            }
        }
    }
    let log = std::fs::read(log)?;
    let ops = oplog::parse(&log)?;
    Ok(Recording { log, ops, entries: writers.into_iter().map(|writer| writer.entries).collect() })
}

/// Lets one writer work, and notes in the log what it is told.
fn work(
    writer: &mut Writer,
    address: std::net::SocketAddr,
    log: &Path,
    is_long: bool,
) -> Result<(), Failure> {
    let mut notes = Notes::open(log)?;
    writer.connect(address);
    writer.longest = if is_long { LONG } else { 3000 };
    for _ in 0..REQUESTS * if is_long { 3 } else { 1 } {
        match writer.step() {
            Outcome::Acknowledged => notes.told(writer.number, writer.entries.len() - 1)?,
            other => return Err(format!("a request of a recording: {other:?}").into()),
        }
    }
    Ok(())
}

/// Cuts the power at random points, on several threads; what was wrong.
fn replay(
    options: &Options,
    recording: &Recording,
    before: &[u8],
    folder: &Path,
    (seed, count): (u64, u32),
    tally: &Tally,
) -> Result<Vec<String>, Failure> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut points: Vec<usize> = (0..count).map(|_| rng.usize(1..=recording.ops.len())).collect();
    points.sort_unstable();
    let threads = options.threads();
    std::thread::scope(|scope| {
        let one = |thread: usize| {
            let points: Vec<usize> = points.iter().skip(thread).step_by(threads).copied().collect();
            let folder = folder.join(thread.to_string());
            let seed = seed ^ (thread as u64 + 1) << 48;
            scope.spawn(move || follow(recording, before, folder, &points, seed, tally))
        };
        let running: Vec<_> = (0..threads).map(one).collect();
        let mut wrong = vec![];
        for thread in running {
            wrong.extend(thread.join().map_err(|_| "a replay panicked")??);
        }
        Ok(wrong)
    })
}

/// Follows a recording and cuts the power at each of the points.
fn follow(
    recording: &Recording,
    before: &[u8],
    folder: PathBuf,
    points: &[usize],
    seed: u64,
    tally: &Tally,
) -> Result<Vec<String>, Failure> {
    std::fs::create_dir_all(&folder)?;
    let mut image = Image::new(&recording.log, &folder, before.to_vec())?;
    let mut told = vec![0; recording.entries.len()];
    let mut rng = fastrand::Rng::with_seed(seed);
    let (mut at, mut wrong) = (0, vec![]);
    for point in points {
        for (place, op) in recording.ops.iter().enumerate().take(*point).skip(at) {
            image.follow(place, op)?;
            if let Op::Told(writer, request) = op {
                told[*writer] = request + 1;
            }
        }
        at = *point;
        let found = image.cut(&mut rng, |path| look(path, recording, &told))?;
        tally.points.fetch_add(1, Ordering::Relaxed);
        let (kind, found) = match found {
            Ok((lost, found)) => (if lost { &tally.lost } else { &tally.corrupt }, found),
            Err(error) => (&tally.corrupt, vec![error.to_string()]),
        };
        if !found.is_empty() {
            kind.fetch_add(1, Ordering::Relaxed);
            wrong.push(format!("seed {seed}, after operation {point}: {}", found.join(", ")));
        }
    }
    Ok(wrong)
}

/// Whether answers were lost, and everything that is wrong with what the cut left.
fn look(path: &Path, recording: &Recording, told: &[usize]) -> rusqlite::Result<(bool, Vec<String>)> {
    let conn = sound::open(path)?;
    let entries = recording.entries.iter().zip(told).flat_map(|(entries, told)| {
        let outcome = |n| if n < *told { Outcome::Acknowledged } else { Outcome::Unknown };
        entries.iter().enumerate().map(move |(n, entry)| (entry, outcome(n)))
    });
    let findings = compare(&conn, entries)?;
    let is_lost = !findings.lost.is_empty();
    let mut wrong = findings.all();
    wrong.extend(sound::check(&conn)?);
    Ok((is_lost, wrong))
}
