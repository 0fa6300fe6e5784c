//! `soak`: twenty minutes of mixed work, at a steady rate.
//!
//! Shows that memory and descriptors are the same at the end as when the server had warmed up, that the write-ahead log stays
//! within bounds, and that the file is sound afterwards. Cannot show what takes longer than that: the forgetting of what is a
//! day old, and desks that have grown for years.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::desk::Desk;
use crate::options::Options;
use crate::report::{Report, percentile};
use crate::server::{Server, Start};
use crate::sound;
use crate::traffic::{self, Pace, Tally};
use crate::vitals;

/// How many requests begin in a second, and over how many connections.
const RATE: f64 = 500.0;
const CONNECTIONS: usize = 64;
/// How long all connections are kept before they are made anew.
const KEPT: Duration = Duration::from_secs(5);
/// How many bytes the log may have: 128 MB, from where on the writer waits for readers, and what comes in meanwhile.
const LOG: u64 = 160_000_000;
/// How much more memory the last quarter may use than the second: an eighth, and this many KiB.
const MORE: u64 = 8 * 1024;
/// How many more descriptors.
const DESCRIPTORS: u64 = 4;

/// What is looked at once in a while.
struct Sample {
    at: Duration,
    memory: u64,
    descriptors: u64,
    log: u64,
}

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let time = Duration::from_secs(options.cycles(20 * 60, 10).into());
    let mut report = Report::new("soak", "soak: mixed work at a steady rate", options.seed);
    let folder = options.scratch("soak")?;
    let desk = Desk::make(&options.binary, folder.path())?;
    let mut server = Start::new(&options.binary, &desk.file).serve()?;
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let requests = traffic::prepare(server.address, &desk, &mut rng)?;
    let over = AtomicBool::new(false);
    let (samples, tally) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(&server, &desk.file, &over));
        let tally = work(&server, &requests, time, &mut rng);
        over.store(true, Ordering::Relaxed);
        (watcher.join(), tally)
    });
    let samples = samples.map_err(|_| "the watcher failed")??;
    let tally = tally?;
    for wrong in tally.wrong.iter().take(5) {
        report.violation(format!("an answer that is none: {wrong}"));
    }
    report.figure(format!(
        "{} s, {} requests answered, {} refused",
        time.as_secs(),
        tally.good + tally.late,
        tally.refused
    ));
    judge(&mut report, &samples, time);
    if server.told().contains("panicked") {
        report.violation(format!("a panic: {}", server.told()));
    }
    server.stop()?.ok_or("the server did not stop")?;
    let size = std::fs::metadata(&desk.file)?.len() / 1_000_000;
    report.figure(format!("the file has {size} MB at the end and is sound"));
    for wrong in sound::check(&sound::open(&desk.file)?)? {
        report.violation(wrong);
    }
    Ok(report)
}

/// Works for so long. Now and then all clients come again: connections must not leave anything behind.
fn work(
    server: &Server,
    requests: &[Vec<u8>],
    time: Duration,
    rng: &mut fastrand::Rng,
) -> Result<Tally, Failure> {
    let (began, mut sum) = (Instant::now(), Tally::default());
    while began.elapsed() < time && sum.wrong.is_empty() {
        let part = KEPT.min(time.saturating_sub(began.elapsed()));
        let tally =
            traffic::drive(server.address, requests, CONNECTIONS, Pace::Open(RATE), part, rng.u64(..))?;
        sum.good += tally.good;
        sum.late += tally.late;
        sum.refused += tally.refused;
        sum.wrong.extend(tally.wrong);
    }
    Ok(sum)
}

fn watch(server: &Server, file: &Path, over: &AtomicBool) -> std::io::Result<Vec<Sample>> {
    let (began, mut samples) = (Instant::now(), vec![]);
    let log = format!("{}-wal", file.display());
    while !over.load(Ordering::Relaxed) {
        samples.push(Sample {
            at: began.elapsed(),
            memory: vitals::memory(server.id())?,
            descriptors: vitals::descriptors(server.id())? as u64,
            log: std::fs::metadata(&log).map_or(0, |log| log.len()),
        });
        std::thread::sleep(Duration::from_millis(100));
    }
    Ok(samples)
}

fn judge(report: &mut Report, samples: &[Sample], time: Duration) {
    let middle = |quarter: u32, of: fn(&Sample) -> u64| {
        let range = time * quarter / 4..time * (quarter + 1) / 4;
        let values: Vec<_> = samples.iter().filter(|sample| range.contains(&sample.at)).map(of).collect();
        percentile(&values, 0.5).unwrap_or_default()
    };
    let (memory, descriptors) = (|sample: &Sample| sample.memory, |sample: &Sample| sample.descriptors);
    let (early, late) = (middle(1, memory), middle(3, memory));
    let most = samples.iter().map(memory).max().unwrap_or_default();
    report.figure(format!(
        "memory {} MiB in the second quarter, {} MiB in the last (medians), {} MiB at most",
        early / 1024,
        late / 1024,
        most / 1024
    ));
    if late > early + early / 8 + MORE {
        report.violation(format!("memory grew from {early} KiB to {late} KiB"));
    }
    let (early, late) = (middle(1, descriptors), middle(3, descriptors));
    report.figure(format!("descriptors {early} and {late}"));
    if late > early + DESCRIPTORS {
        report.violation(format!("descriptors grew from {early} to {late}"));
    }
    let log = samples.iter().map(|sample| sample.log).max().unwrap_or_default();
    report.figure(format!("log at most {} MB", log / 1_000_000));
    if log > LOG {
        report.violation(format!("the log grew to {} MB", log / 1_000_000));
    }
}
