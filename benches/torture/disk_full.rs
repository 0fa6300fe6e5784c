//! `disk-full`: the disk fills up under eight writers and a reader, and then has space again.
//!
//! A small file system in memory holds the database and a ballast that is taken away later. Shows that reads go on, that
//! writes are refused with 507 or 503 and leave nothing behind, and that the same process writes again soon after there is
//! space. Cannot show a disk that is full for others but not for its owner, nor quotas that answer otherwise.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::client::Client;
use crate::desk::Desk;
use crate::journal::{Outcome, compare};
use crate::options::Options;
use crate::report::{Report, percentile};
use crate::server::Start;
use crate::sound;
use crate::writer::Writer;

/// How large the file system is.
const SIZE: &str = "size=24m";
/// How much the ballast takes of it, in bytes.
const BALLAST: std::ops::RangeInclusive<usize> = 6 << 20..=12 << 20;
/// How long it may take to fill, how long it stays full, and how soon it must be written again.
const FILLING: Duration = Duration::from_secs(30);
const STAYS: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_secs(5);

/// What the writers and the reader saw.
#[derive(Default)]
struct Seen {
    is_full: AtomicBool,
    has_space: AtomicBool,
    is_over: AtomicBool,
    reads: AtomicU32,
    /// What should not have been answered.
    wrong: std::sync::Mutex<Vec<String>>,
}

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let cycles = options.cycles(20, 3);
    let mut report = Report::new("disk-full", "disk full (small tmpfs)", options.seed);
    let folder = options.scratch("full")?;
    let Some(disk) = Disk::mount(&folder.path().join("disk"))? else {
        report.figure("skipped: neither root nor a user namespace may mount a tmpfs here");
        return Ok(report);
    };
    let desk = Arc::new(Desk::make(&options.binary, folder.path())?);
    let mut rng = fastrand::Rng::with_seed(options.seed);
    let (mut recovered, mut refused, mut acknowledged, mut reads) = (vec![], 0, 0, 0);
    for cycle in 1..=cycles {
        let mut writers = Writer::all(&desk, options.seed.wrapping_add(u64::from(cycle)));
        let seen = Seen::default();
        let time = fill(options, &desk, &disk.path, rng.usize(BALLAST), &mut writers, &seen)?;
        let told = |what| format!("cycle {cycle}: {what}");
        match time {
            Some(time) if time <= SOON => recovered.push(time),
            other => report.violation(told(format!("space came back, and writing took {other:?}"))),
        }
        seen.wrong
            .into_inner()
            .unwrap_or_default()
            .into_iter()
            .for_each(|wrong| report.violation(told(wrong)));
        reads += seen.reads.into_inner();
        let conn = sound::open(&disk.database())?;
        let entries: Vec<_> = writers.iter().flat_map(|writer| &writer.entries).collect();
        let findings = compare(&conn, entries.iter().map(|entry| (*entry, entry.outcome)))?;
        findings
            .all()
            .into_iter()
            .chain(sound::check(&conn)?)
            .for_each(|wrong| report.violation(told(wrong)));
        refused += entries.iter().filter(|entry| matches!(entry.outcome, Outcome::Refused(_))).count();
        acknowledged += entries.iter().filter(|entry| entry.outcome == Outcome::Acknowledged).count();
    }
    report.figure(format!(
        "{cycles} times full: {refused} writes refused with 507 or 503, {reads} reads answered"
    ));
    report.figure(format!("{acknowledged} acknowledged writes"));
    let longest = percentile(&recovered, 1.0).unwrap_or_default();
    report.figure(format!("writing again at most {} ms after space came back", longest.as_millis()));
    Ok(report)
}

/// Fills the disk, keeps it full for a while, gives space back: how long it took until every writer could write.
fn fill(
    options: &Options,
    desk: &Arc<Desk>,
    disk: &Path,
    ballast: usize,
    writers: &mut [Writer],
    seen: &Seen,
) -> Result<Option<Duration>, Failure> {
    let (database, stone) = (disk.join("full.db"), disk.join("ballast"));
    desk.copy_to(&database)?;
    std::fs::write(&stone, vec![1; ballast])?;
    let mut server = Start::new(&options.binary, &database).serve()?;
    let address = server.address;
    let writing = AtomicU32::new(0);
    let recovered = std::thread::scope(|scope| {
        scope.spawn(|| read(address, &desk.agents[0], seen));
        for writer in writers.iter_mut() {
            scope.spawn(|| write(writer, address, seen, &writing));
        }
        let began = Instant::now();
        while !seen.is_full.load(Ordering::Relaxed) && began.elapsed() < FILLING {
            std::thread::sleep(Duration::from_millis(5));
        }
        std::thread::sleep(STAYS);
        let removed = std::fs::remove_file(&stone);
        let (freed, count) = (Instant::now(), writers_of(desk));
        seen.has_space.store(true, Ordering::Relaxed);
        while writing.load(Ordering::Relaxed) < count && freed.elapsed() < SOON * 2 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let time = freed.elapsed();
        seen.is_over.store(true, Ordering::Relaxed);
        removed.map(|()| (writing.load(Ordering::Relaxed) >= count).then_some(time))
    })?;
    if server.stop()?.is_none() || server.told().contains("panicked") {
        seen.note(format!("the server did not stop well: {}", server.told()));
    }
    Ok(recovered)
}

fn writers_of(desk: &Desk) -> u32 {
    desk.agents.len() as u32
}

/// Writes until told to stop. Counts itself in `writing` with its first acknowledged write after there was space again.
fn write(writer: &mut Writer, address: SocketAddr, seen: &Seen, writing: &AtomicU32) {
    writer.connect(address);
    writer.longest = 20_000;
    let mut is_counted = false;
    while !seen.is_over.load(Ordering::Relaxed) {
        match writer.step() {
            // While it is full, small changes may still find room in pages that are there.
            Outcome::Acknowledged => {
                if !is_counted && seen.has_space.load(Ordering::Relaxed) {
                    writing.fetch_add(1, Ordering::Relaxed);
                    is_counted = true;
                }
            }
            Outcome::Refused(507 | 503) => {
                seen.is_full.store(true, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
            other => return seen.note(format!("a write on a full disk: {other:?}")),
        }
    }
}

/// Reads until told to stop; every read must be answered.
fn read(address: SocketAddr, key: &str, seen: &Seen) {
    let mut client = Client::new(address);
    while !seen.is_over.load(Ordering::Relaxed) {
        match client.get("/external/tickets", key) {
            Ok(answer) if answer.is_ok() => seen.reads.fetch_add(1, Ordering::Relaxed),
            other => return seen.note(format!("a read on a full disk: {other:?}")),
        };
        std::thread::sleep(Duration::from_millis(5));
    }
}

impl Seen {
    fn note(&self, wrong: String) {
        self.wrong.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(wrong);
    }
}

/// A small file system in memory.
struct Disk {
    /// Where it is, for us and for the server.
    path: PathBuf,
    mounted: Option<PathBuf>,
    /// Who holds the namespace in which it is mounted, if it could not be mounted in ours.
    holder: Option<Child>,
}

impl Disk {
    /// Mounts it: here as root, else in a namespace of its own that is reached through /proc. Nothing if neither is allowed.
    fn mount(at: &Path) -> std::io::Result<Option<Self>> {
        std::fs::create_dir_all(at)?;
        let mount = ["-t", "tmpfs", "-o", SIZE, "tmpfs"];
        let mounted = Command::new("mount").args(mount).arg(at).stderr(Stdio::null()).status();
        if mounted.is_ok_and(|status| status.success()) {
            return Ok(Some(Self { path: at.to_owned(), mounted: Some(at.to_owned()), holder: None }));
        }
        let script = format!("mount {} \"$0\" && echo mounted && exec cat", mount.join(" "));
        let held = Command::new("unshare")
            .args(["-Urm", "sh", "-c", &script])
            .arg(at)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut holder) = held else { return Ok(None) };
        let mut said = String::new();
        if let Some(stdout) = holder.stdout.take() {
            BufReader::new(stdout).read_line(&mut said)?;
        }
        let path = PathBuf::from(format!("/proc/{}/root{}", holder.id(), at.display()));
        let disk = Self { path, mounted: None, holder: Some(holder) };
        Ok((said.trim() == "mounted" && disk.path.is_dir()).then_some(disk))
    }

    fn database(&self) -> PathBuf {
        self.path.join("full.db")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if let Some(at) = &self.mounted {
            let _ = Command::new("umount").arg(at).status();
        }
        if let Some(holder) = &mut self.holder {
            let _ = holder.kill();
            let _ = holder.wait();
        }
    }
}
