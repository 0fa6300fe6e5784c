//! `overload`: twice as many requests as the server can answer, for a minute, and then none.
//!
//! First the peak is looked for: clients that ask again as soon as they are answered, more and more of them; with as many as were
//! answered most it is measured once more. Then twice that many requests begin in each second, whatever becomes of those before.
//! Shows that useful work (2xx within a second) goes on nearly as at the peak, that everything else is refused with 503 or 429 and
//! says when to come again, that the health check is answered all along, that memory stays within bounds, and that a few seconds
//! later all is as before. The server has one processor and the clients, a single thread, another. Cannot show more connections
//! at a time than there are here, nor clients that do not come from this machine.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::client::{Client, Request};
use crate::desk::Desk;
use crate::options::{Harness, Options};
use crate::report::{Report, percentile};
use crate::server::{Server, Start};
use crate::traffic::{self, Pace, Tally};
use crate::vitals;

/// How many clients look for the peak.
const CLIENTS: [usize; 4] = [16, 64, 192, 450];
/// How many connections there are under too much load: fewer than a server allows, so that it refuses requests, not clients.
const CONNECTIONS: usize = 900;
/// What share of the peak must go on, in the full form and, where a few seconds and a busy machine decide, in the short one.
const SHARE: f64 = 0.8;
const SHARE_SHORT: f64 = 0.25;
/// What share may find no connection free because all wait for an answer: what is too much is to be refused, not kept.
const UNSENT: f64 = 0.1;
/// How much memory the server may use at most, in KiB.
const MEMORY: u64 = 256 * 1024;
/// Within what time everything must be as before.
const RECOVERY: Duration = Duration::from_secs(5);
/// How many answers in a row must be quick for that.
const QUICK: usize = 20;
/// By how much the peaks before and after may differ. When they do by more, the machine itself has become slower or faster
/// meanwhile, as one does that others use too, and twice the one is not twice the other: that says nothing of the server.
const STEADY: f64 = 1.15;
/// How often it is tried to find the machine steady.
const TRIES: usize = 4;

/// What the server can do when it is asked for no more than that. It is looked for before and after: the desk grows meanwhile, by
/// thousands of tickets and messages, and what is done to a larger one takes longer.
#[derive(Default)]
struct Peak {
    /// Useful answers a second.
    rate: f64,
    /// With how many clients.
    clients: usize,
    /// The most useful answers in a second that the server was at work on a processor.
    worth: f64,
}

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let time = Duration::from_secs(options.cycles(60, 4).into());
    let (search, share) = match options.harness {
        Harness::Short => (Duration::from_millis(600), SHARE_SHORT),
        _ => (Duration::from_secs(4), SHARE),
    };
    let mut report = Report::new("overload", "overload at twice the peak", options.seed);
    let folder = options.scratch("overload")?;
    let desk = Desk::make(&options.binary, folder.path())?;
    let (mut server, apart) = start(options, &desk)?;
    let requests = traffic::prepare(server.address, &desk, &mut fastrand::Rng::with_seed(options.seed))?;
    let usual = usual(&server, &desk)?;
    let drive =
        |clients, pace, time, seed| traffic::drive(server.address, &requests, clients, pace, time, seed);
    let closed = |report: &mut Report, when: &str| -> Result<Peak, Failure> {
        let mut peak = Peak::default();
        let mut ask = |clients, time| -> Result<f64, Failure> {
            let before = vitals::work(server.id())?;
            let tally = drive(clients, Pace::Closed, time, options.seed)?;
            let worth = per_second(&tally, vitals::work(server.id())?.saturating_sub(before));
            note_wrong(report, &tally, &format!("{clients} clients"));
            peak.worth = peak.worth.max(worth);
            Ok(tally.rate())
        };
        let mut best = (0.0, 0);
        for clients in CLIENTS {
            let rate = ask(clients, search)?;
            if rate > best.0 {
                best = (rate, clients);
            }
        }
        // The best of several has had luck, too: what it can do is measured once more, for itself.
        (peak.rate, peak.clients) = (ask(best.1, search * 3)?, best.1);
        report
            .figure(format!("peak {when} {:.0} requests a second with {} clients", peak.rate, peak.clients));
        Ok(peak)
    };
    let mut peak = closed(&mut report, "before")?;
    for tries in 1.. {
        let pace = Pace::Open(2.0 * peak.rate);
        let before = vitals::work(server.id())?;
        let (tally, watched) = watch(&server, || drive(CONNECTIONS, pace, time, options.seed ^ 1));
        let tally = tally?;
        let used = per_second(&tally, vitals::work(server.id())?.saturating_sub(before));
        // What is wrong at any speed of the machine counts each time.
        note_wrong(&mut report, &tally, "at twice the peak");
        watched.judge(&mut report);
        match recovery(&server, &desk, usual) {
            Some(after) => report.figure(format!("as before after {} ms", after.as_millis())),
            None => report.violation("five seconds later it was not as before"),
        }
        let after = closed(&mut report, "after")?;
        let change = (peak.rate / after.rate).max(after.rate / peak.rate);
        if options.harness == Harness::Short || change <= STEADY {
            judge(&mut report, &tally, (peak.rate + after.rate) / 2.0, share);
            if options.harness != Harness::Short {
                kept_waiting(&mut report, &tally);
            }
            report.figure(format!(
                "useful answers in a second of its processor's time: {:.0} and {:.0} at the peaks at most, {used:.0} at twice the peak",
                peak.worth, after.worth
            ));
            break;
        }
        if tries == TRIES {
            report.violation("the machine was never steady for long enough to say anything");
            break;
        }
        report.figure(format!(
            "begun anew, because the machine changed its speed by {:.0} %",
            (change - 1.0) * 100.0
        ));
        peak = after;
    }
    if server.told().contains("panicked") {
        report.violation(format!("a panic: {}", server.told()));
    }
    server.stop()?.ok_or("the server did not stop")?;
    vitals::keep_to(&apart.all);
    report.figure(if apart.is_so {
        "server and clients on a processor each"
    } else {
        "server and clients on the same processors"
    });
    report.figure(vitals::load());
    Ok(report)
}

/// Which processors there are, and whether the server and its clients were kept apart on two of them.
struct Apart {
    all: Vec<usize>,
    is_so: bool,
}

/// A server on one processor, and its clients on another: then twice as many requests cost the server no more of its time than
/// what it does with them.
fn start(options: &Options, desk: &Desk) -> Result<(Server, Apart), Failure> {
    let all = vitals::processors()?;
    let mut is_so = all.len() > 1 && vitals::keep_to(&all[..1]);
    let server = Start::new(&options.binary, &desk.file).serve()?;
    is_so = is_so && vitals::keep_to(&all[1..2]);
    Ok((server, Apart { all, is_so }))
}

/// How many useful answers there were for each second that the server was at work on a processor: what other programs take of
/// the machine does not count.
fn per_second(tally: &Tally, work: Duration) -> f64 {
    tally.good as f64 / work.as_secs_f64().max(0.01)
}

fn note_wrong(report: &mut Report, tally: &Tally, when: &str) {
    for wrong in tally.wrong.iter().take(5) {
        report.violation(format!("{when}: neither 2xx nor a refusal that says when to come again: {wrong}"));
    }
    if tally.wrong.len() > 5 {
        report.violation(format!("{when}: and {} more", tally.wrong.len() - 5));
    }
}

fn judge(report: &mut Report, tally: &Tally, peak: f64, share: f64) {
    let goodput = tally.rate() / peak;
    let of_offered = |count: u64| 100.0 * count as f64 / tally.offered() as f64;
    let middle = percentile(&tally.micros, 0.5).unwrap_or_default() / 1000;
    let late = percentile(&tally.micros, 0.99).unwrap_or_default() / 1000;
    report.figure(format!(
        "{} s at {:.0} a second: {:.0} useful answers a second, {:.0} % of what is done at the peaks, after {middle} ms (median), {late} ms (99 %)",
        tally.time.as_secs(),
        tally.offered() as f64 / tally.time.as_secs_f64(),
        tally.rate(),
        goodput * 100.0,
    ));
    report.figure(format!(
        "{} refused ({:.0} %), {} after more than a second, {} ({:.0} %) not sent for want of a connection, {} connections",
        tally.refused,
        of_offered(tally.refused),
        tally.late,
        tally.unsent,
        of_offered(tally.unsent),
        tally.connections
    ));
    if goodput < share {
        report.violation(format!("only {:.0} % of the peak went on", goodput * 100.0));
    }
}

fn kept_waiting(report: &mut Report, tally: &Tally) {
    let share = tally.unsent as f64 / tally.offered() as f64;
    if share > UNSENT {
        report.violation(format!("{:.0} % were kept waiting instead of refused", share * 100.0));
    }
}

/// What was seen of the server from beside.
struct Watched {
    memory: u64,
    health: Duration,
    unwell: usize,
}

impl Watched {
    fn judge(&self, report: &mut Report) {
        let megabytes = self.memory / 1024;
        report.figure(format!(
            "at most {megabytes} MiB of memory; health check answered within {} ms",
            self.health.as_millis()
        ));
        if self.memory > MEMORY {
            report.violation(format!("it used {megabytes} MiB of memory"));
        }
        if self.unwell > 0 {
            report.violation(format!("{} health checks were not answered with 200", self.unwell));
        }
    }
}

/// Looks at the server while something is done to it.
fn watch<T>(server: &Server, action: impl FnOnce() -> T) -> (T, Watched) {
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut watched = Watched { memory: 0, health: Duration::ZERO, unwell: 0 };
            let mut client = Client::new(server.address);
            while !over.load(Ordering::Relaxed) {
                watched.memory = watched.memory.max(vitals::memory(server.id()).unwrap_or(u64::MAX));
                let asked = Instant::now();
                let answer = client.get("/health-check", "");
                watched.unwell += usize::from(!answer.is_ok_and(|answer| answer.is_ok()));
                watched.health = watched.health.max(asked.elapsed());
                std::thread::sleep(Duration::from_millis(250));
            }
            watched
        });
        let done = action();
        over.store(true, Ordering::Relaxed);
        let nothing = |_| Watched { memory: u64::MAX, health: Duration::MAX, unwell: 1 };
        (done, watcher.join().unwrap_or_else(nothing))
    })
}

/// How long a read and a write of a lone client take, most of the time.
fn usual(server: &Server, desk: &Desk) -> Result<Duration, Failure> {
    let mut client = Client::new(server.address);
    let probes: Option<Vec<_>> = (0..200).map(|n| probe(&mut client, server.address, desk, n)).collect();
    Ok(probes.and_then(|probes| percentile(&probes, 0.9)).ok_or("a lone client is refused")?)
}

/// When, from now on, lone requests are as quick as before again: three times as slow at most, or 20 ms.
fn recovery(server: &Server, desk: &Desk, usual: Duration) -> Option<Duration> {
    let (began, limit) = (Instant::now(), (usual * 3).max(Duration::from_millis(20)));
    let mut client = Client::new(server.address);
    let mut quick = (0, began);
    for n in 0.. {
        let asked = Instant::now();
        match probe(&mut client, server.address, desk, n) {
            Some(took) if took <= limit => quick.0 += 1,
            _ => quick = (0, Instant::now()),
        }
        if quick.0 >= QUICK {
            return Some(quick.1.duration_since(began));
        }
        if began.elapsed() > RECOVERY {
            return None;
        }
        std::thread::sleep(Duration::from_millis(5).saturating_sub(asked.elapsed()));
    }
    None
}

/// A read, or, every other time, a write: how long it took, if it was answered well.
fn probe(client: &mut Client, address: SocketAddr, desk: &Desk, n: usize) -> Option<Duration> {
    let began = Instant::now();
    let (path, key) = ("/external/tickets/1/messages", &desk.agents[0]);
    let body = Some(r#"{"content":"Is anybody there?"}"#);
    let answer = match n % 2 {
        0 => client.get("/external/tickets?per_page=20", key),
        _ => client.call(&Request { method: "POST", path, key, once: None, body }),
    };
    let Ok(answer) = answer else {
        *client = Client::new(address);
        return None;
    };
    answer.is_ok().then(|| began.elapsed())
}
