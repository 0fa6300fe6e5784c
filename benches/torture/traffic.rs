//! Many clients at once, cheaply: one thread, requests that are prepared beforehand, and of each answer only what has to be
//! known. The server under torture runs on the same processors, and whatever is spent here it does not have.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use crate::Failure;
use crate::client::{Client, Request, bytes};
use crate::desk::{Desk, LABELS, WRITERS};

/// How many tickets there are to work on, so many that none gets hundreds of replies, and how many requests are prepared, to be
/// drawn from.
const TICKETS: usize = 1000;
const PREPARED: usize = 2000;
/// How long an answer is waited for at the end before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(10);
/// Within what time an answer is of use to somebody.
const USEFUL: Duration = Duration::from_secs(1);

/// How requests follow each other.
#[derive(Clone, Copy, Debug)]
pub enum Pace {
    /// Each client asks again as soon as it has its answer.
    Closed,
    /// So many begin in a second, whatever became of those before.
    Open(f64),
}

/// What became of the requests.
#[derive(Default)]
pub struct Tally {
    /// Answered with 2xx in useful time.
    pub good: u64,
    /// Answered with 2xx later than that.
    pub late: u64,
    /// Answered with 503 or 429 and when to come again.
    pub refused: u64,
    /// Not sent, because every connection waited for an answer.
    pub unsent: u64,
    /// How many connections were made.
    pub connections: u64,
    /// Every other answer, and every one missing.
    pub wrong: Vec<String>,
    /// How long the 2xx took, in microseconds.
    pub micros: Vec<u32>,
    /// How long it went on.
    pub time: Duration,
}

impl Tally {
    /// How many useful answers there were in a second.
    pub fn rate(&self) -> f64 {
        self.good as f64 / self.time.as_secs_f64()
    }

    /// How many there were to answer.
    pub fn offered(&self) -> u64 {
        self.good + self.late + self.refused + self.unsent + self.wrong.len() as u64
    }
}

/// A mixture of work for agents and an administrator: seven reads to three writes.
///
/// # Errors
/// When the tickets to work on cannot be opened.
pub fn prepare(address: SocketAddr, desk: &Desk, rng: &mut fastrand::Rng) -> Result<Vec<Vec<u8>>, Failure> {
    let mut client = Client::new(address);
    let mut tickets = vec![];
    for n in 0..TICKETS {
        let agent = n % WRITERS;
        let body = opening(agent, rng);
        let request = Request {
            method: "POST",
            path: "/internal/tickets",
            key: &desk.admin,
            once: None,
            body: Some(&body),
        };
        let answer = client.call(&request)?;
        if !answer.is_ok() {
            return Err(format!("a ticket was refused: {answer:?}").into());
        }
        tickets.push((agent, answer.id()));
    }
    Ok((0..PREPARED).map(|_| one(desk, &tickets, rng)).collect())
}

/// One ticket in fifty is about a printer, which is what searches are for: they are to cost the same at the end of a run, when
/// there are thousands of tickets, as at its beginning.
fn opening(agent: usize, rng: &mut fastrand::Rng) -> String {
    let what = if rng.u32(0..50) == 0 { "printer" } else { "scanner" };
    let content =
        format!("The {what} on the third floor leaves a thin black line down the middle of each page.");
    json!({ "customer_id": 1, "title": "A line on every page", "content": content, "assigned_to": agent + 1 })
        .to_string()
}

fn one(desk: &Desk, tickets: &[(usize, i64)], rng: &mut fastrand::Rng) -> Vec<u8> {
    let (agent, ticket) = tickets[rng.usize(0..tickets.len())];
    let key = &desk.agents[agent];
    let get = |path: String| bytes(&Request { method: "GET", path: &path, key, once: None, body: None }, &[]);
    let change = |method, path: &str, key: &str, body: String| {
        bytes(&Request { method, path, key, once: None, body: Some(&body) }, &[])
    };
    let ticket_path = format!("/external/tickets/{ticket}");
    match rng.u32(0..100) {
        0..20 => get(ticket_path),
        20..35 => get("/external/tickets?per_page=20".into()),
        35..50 => get(format!("{ticket_path}/messages?per_page=20")),
        50..60 => get("/external/dashboard".into()),
        60..68 => get("/external/notifications?per_page=20".into()),
        68..70 => get("/external/tickets?q=printer".into()),
        70..94 => {
            let content = "I have cleaned the drum; please print a page again. ".repeat(rng.usize(1..20));
            change("POST", &format!("{ticket_path}/messages"), key, json!({ "content": content }).to_string())
        }
        94..99 => {
            let labels: Vec<_> = (1..=LABELS).filter(|_| rng.bool()).collect();
            change("PUT", &ticket_path, key, json!({ "labels": labels }).to_string())
        }
        _ => change("POST", "/internal/tickets", &desk.admin, opening(agent, rng)),
    }
}

/// What all clients share.
struct Run<'a> {
    address: SocketAddr,
    requests: &'a [Vec<u8>],
    rng: RefCell<fastrand::Rng>,
    /// The requests that are due; without a pace they always are, until the end.
    due: Option<Semaphore>,
    end: Instant,
    tally: RefCell<Tally>,
    waiting: Cell<usize>,
}

/// Lets so many clients work for a while.
///
/// # Errors
/// When the system has no room for that.
pub fn drive(
    address: SocketAddr,
    requests: &[Vec<u8>],
    clients: usize,
    pace: Pace,
    time: Duration,
    seed: u64,
) -> Result<Tally, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let began = Instant::now();
    let run = Run {
        address,
        requests,
        rng: RefCell::new(fastrand::Rng::with_seed(seed)),
        due: matches!(pace, Pace::Open(_)).then(|| Semaphore::new(0)),
        end: began + time,
        tally: RefCell::default(),
        waiting: Cell::new(0),
    };
    runtime.block_on(async {
        let all = futures_util::stream::FuturesUnordered::from_iter((0..clients).map(|_| client(&run)));
        let all = futures_util::StreamExt::collect::<Vec<()>>(all);
        let paced = async {
            if let Pace::Open(rate) = pace {
                begin_in_time(&run, rate, began).await;
            }
        };
        // Waking a thread on another processor takes as long as half an answer, and the server would do it for each: clients on
        // other machines do not ask that of it, so this thread does not sleep.
        let awake = async {
            while Instant::now() < run.end {
                tokio::task::yield_now().await;
            }
        };
        let _ = tokio::time::timeout(time + PATIENCE, async { tokio::join!(all, paced, awake) }).await;
    });
    let missing = run.waiting.get();
    let mut tally = run.tally.into_inner();
    tally.wrong.extend(std::iter::repeat_n("no answer".to_owned(), missing));
    tally.time = time;
    Ok(tally)
}

/// Lets requests begin when they are due. What finds no connection free is not sent: it would be sent too late.
async fn begin_in_time(run: &Run<'_>, rate: f64, began: Instant) {
    let Some(due) = &run.due else { return };
    let mut tick = tokio::time::interval(Duration::from_millis(1));
    let mut begun = 0;
    while Instant::now() < run.end {
        tick.tick().await;
        run.tally.borrow_mut().unsent += due.forget_permits(usize::MAX) as u64;
        let now = (rate * began.elapsed().as_secs_f64()) as usize;
        due.add_permits(now - begun);
        begun = now;
    }
    due.close();
}

async fn client(run: &Run<'_>) {
    let mut line = None;
    loop {
        match &run.due {
            Some(due) => match due.acquire().await {
                Ok(turn) => turn.forget(),
                Err(_) => return,
            },
            None if Instant::now() >= run.end => return,
            None => {}
        }
        let at = run.rng.borrow_mut().usize(0..run.requests.len());
        run.waiting.set(run.waiting.get() + 1);
        let asked = ask(run, &mut line, &run.requests[at]).await;
        run.waiting.set(run.waiting.get() - 1);
        if let Err(error) = asked {
            line = None;
            run.tally.borrow_mut().wrong.push(format!("no answer: {error}"));
        }
    }
}

async fn ask(run: &Run<'_>, line: &mut Option<Line>, request: &[u8]) -> std::io::Result<()> {
    let began = Instant::now();
    let known = match line.take() {
        Some(line) => line,
        None => {
            run.tally.borrow_mut().connections += 1;
            let stream = TcpStream::connect(run.address).await?;
            stream.set_nodelay(true)?;
            Line { stream, buffer: Vec::with_capacity(32 * 1024) }
        }
    };
    let known = line.insert(known);
    let seen = known.ask(request).await?;
    let mut tally = run.tally.borrow_mut();
    let took = began.elapsed();
    match seen.status {
        200..300 => {
            *if took <= USEFUL { &mut tally.good } else { &mut tally.late } += 1;
            tally.micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
        }
        503 | 429 if seen.says_when => tally.refused += 1,
        _ => tally.wrong.push(String::from_utf8_lossy(&known.buffer).into_owned()),
    }
    if seen.ends {
        *line = None;
    }
    Ok(())
}

/// A kept connection.
struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What is looked at of an answer.
struct Seen {
    status: u16,
    says_when: bool,
    ends: bool,
}

impl Line {
    async fn ask(&mut self, request: &[u8]) -> std::io::Result<Seen> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let mut whole = None;
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if whole.is_none()
                && let Some(end) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n")
            {
                whole = Some(head(&self.buffer[..end + 2], end + 4)?);
            }
            if let Some((_, length)) = whole.as_ref()
                && self.buffer.len() >= *length
            {
                break;
            }
        }
        whole.map(|(seen, _)| seen).ok_or_else(|| ErrorKind::InvalidData.into())
    }
}

/// What a head says, and how long the answer is with it.
fn head(head: &[u8], length: usize) -> std::io::Result<(Seen, usize)> {
    let status = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok());
    let status = status.ok_or(ErrorKind::InvalidData)?;
    let (mut seen, mut body) = (Seen { status, says_when: false, ends: false }, 0);
    for line in head.split(|byte| *byte == b'\n') {
        let value = |name: &str| {
            let named = line.len() > name.len() && line[..name.len()].eq_ignore_ascii_case(name.as_bytes());
            named.then(|| String::from_utf8_lossy(&line[name.len()..]).trim().to_owned())
        };
        if let Some(value) = value("content-length:") {
            body = value.parse().map_err(|_| ErrorKind::InvalidData)?;
        } else if let Some(value) = value("retry-after:") {
            seen.says_when = value.parse::<u32>().is_ok();
        } else if let Some(value) = value("connection:") {
            seen.ends = value.eq_ignore_ascii_case("close");
        }
    }
    Ok((seen, length + body))
}
