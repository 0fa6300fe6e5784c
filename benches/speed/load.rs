//! The load client: plain HTTP/1.1 over kept connections, on one thread, so that it takes as little as it can from the server.

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::Failure;

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A request.
#[derive(Clone, Debug, Default)]
pub struct Ask {
    /// Its method.
    pub method: &'static str,
    /// Its path and query.
    pub path: String,
    /// Its header fields.
    pub headers: Vec<(String, String)>,
    /// Its body, JSON, if any.
    pub body: Option<String>,
}

impl Ask {
    /// As it goes over the line.
    pub fn bytes(&self) -> Vec<u8> {
        let mut head = format!("{} {} HTTP/1.1\r\nHost: speed\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head += &format!("{name}: {value}\r\n");
        }
        if let Some(body) = &self.body {
            head += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        }
        [head.as_bytes(), b"\r\n", self.body.as_deref().unwrap_or_default().as_bytes()].concat()
    }
}

/// How to ask.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// Over how many connections.
    pub connections: usize,
    /// For how long before it counts.
    pub warm: Duration,
    /// For how long.
    pub time: Duration,
    /// How many requests a second in all; as many as are answered when absent.
    pub pace: Option<f64>,
    /// Whether the client looks for answers all the time instead of sleeping until there is one. To wake a client takes a server
    /// as long as many an answer, and longer the longer an answer takes, but only if they share a machine.
    pub is_awake: bool,
}

impl Run {
    /// As many requests as are answered in this time, a fifth of it (half a second at most) ahead to warm up.
    pub fn new(connections: usize, time: Duration) -> Self {
        Self {
            connections,
            warm: (time / 5).min(Duration::from_millis(500)),
            time,
            pace: None,
            is_awake: false,
        }
    }
}

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// How many requests were answered.
    pub requests: u64,
    /// In how many seconds.
    pub seconds: f64,
    /// What the gauge went up by meanwhile.
    pub gauge: u64,
    /// How long each took, in nanoseconds, the shortest first.
    pub latencies: Vec<u64>,
    /// How many bytes the last body had.
    pub length: usize,
}

impl Outcome {
    /// Requests a second.
    pub fn rate(&self) -> f64 {
        self.requests as f64 / self.seconds.max(1e-9)
    }

    /// The time in microseconds within which this share was answered.
    pub fn micros(&self, share: f64) -> f64 {
        let last = self.latencies.len().saturating_sub(1);
        let place = ((self.latencies.len() as f64 * share) as usize).min(last);
        self.latencies.get(place).map_or(f64::NAN, |nanos| *nanos as f64 / 1e3)
    }

    /// What the gauge, in nanoseconds, went up by for each request, in microseconds.
    pub fn cost(&self) -> f64 {
        self.gauge as f64 / 1e3 / self.requests.max(1) as f64
    }

    /// Both together.
    pub fn and(mut self, other: Self) -> Self {
        self.requests += other.requests;
        self.seconds += other.seconds;
        self.gauge += other.gauge;
        self.latencies.extend(other.latencies);
        self.latencies.sort_unstable();
        self.length = other.length.max(self.length);
        self
    }
}

/// What the connections share.
struct Crew<'a> {
    address: SocketAddr,
    run: Run,
    ok: u16,
    next: RefCell<&'a mut dyn FnMut() -> Option<Ask>>,
    gauge: &'a dyn Fn() -> u64,
    /// When counting began, and what the gauge showed.
    begun: Cell<Option<(Instant, u64)>>,
    is_over: Cell<bool>,
    outcome: RefCell<Outcome>,
}

/// Asks until the time is up or there is nothing more to ask. `ok` is the status that every answer must have, `gauge` what is
/// read when it begins to count and when it ends. What is answered in between counts: of the requests under way at either
/// end as many are counted as are not.
///
/// # Errors
/// When an answer does not come or has another status.
pub async fn drive(
    address: SocketAddr,
    run: Run,
    ok: u16,
    next: &mut dyn FnMut() -> Option<Ask>,
    gauge: &dyn Fn() -> u64,
) -> Result<Outcome, Failure> {
    let (next, begun, is_over) = (RefCell::new(next), Cell::new(None), Cell::new(false));
    let crew = Crew { address, run, ok, next, gauge, begun, is_over, outcome: RefCell::default() };
    if run.warm.is_zero() {
        crew.begin();
    }
    let workers = futures_util::future::try_join_all((0..run.connections).map(|n| crew.work(n)));
    let mut workers = std::pin::pin!(workers);
    tokio::select! {
        ended = &mut workers => drop(ended?),
        () = crew.watch() => drop(workers.await?),
        never = crew.stay_awake() => match never {},
    }
    crew.end();
    let mut outcome = crew.outcome.take();
    outcome.latencies.sort_unstable();
    Ok(outcome)
}

impl Crew<'_> {
    fn begin(&self) {
        self.begun.set(Some((Instant::now(), (self.gauge)())));
    }

    fn end(&self) {
        if let (false, Some((begun, before))) = (self.is_over.replace(true), self.begun.get()) {
            let mut outcome = self.outcome.borrow_mut();
            outcome.seconds = begun.elapsed().as_secs_f64();
            outcome.gauge = (self.gauge)().saturating_sub(before);
        }
    }

    /// Begins and ends counting in time. Where nothing is answered in that time, it goes on until something is.
    async fn watch(&self) {
        if self.begun.get().is_none() {
            tokio::time::sleep(self.run.warm).await;
            self.begin();
        }
        tokio::time::sleep(self.run.time).await;
        while self.outcome.borrow().requests == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        self.end();
    }

    async fn stay_awake(&self) -> Infallible {
        if !self.run.is_awake {
            std::future::pending::<()>().await;
        }
        loop {
            tokio::task::yield_now().await;
        }
    }

    async fn work(&self, n: usize) -> Result<(), Failure> {
        let mut line = Line::to(self.address).await?;
        let pause = self.run.pace.map(|pace| Duration::from_secs_f64(self.run.connections as f64 / pace));
        let first = pause.unwrap_or_default().mul_f64(n as f64 / self.run.connections as f64);
        let mut due = Instant::now() + first;
        while !self.is_over.get() {
            if let Some(pause) = pause {
                tokio::time::sleep_until(due.into()).await;
                due = (due + pause).max(Instant::now());
            }
            let Some(ask) = (self.next.borrow_mut())() else { return Ok(()) };
            let begun = Instant::now();
            let answer = tokio::time::timeout(PATIENCE, line.ask(&ask.bytes())).await;
            let answer = answer.map_err(|_| format!("{} {}: no answer", ask.method, ask.path))??;
            if answer.status != self.ok {
                let told = String::from_utf8_lossy(&line.buffer);
                return Err(format!("{} {}: answered {}", ask.method, ask.path, told).into());
            }
            if self.begun.get().is_some() && !self.is_over.get() {
                let mut outcome = self.outcome.borrow_mut();
                outcome.requests += 1;
                outcome.latencies.push(begun.elapsed().as_nanos() as u64);
                outcome.length = answer.length;
            }
        }
        Ok(())
    }
}

/// One connection.
struct Line {
    address: SocketAddr,
    stream: TcpStream,
    buffer: Vec<u8>,
}

struct Answer {
    status: u16,
    length: usize,
}

impl Line {
    async fn to(address: SocketAddr) -> Result<Self, Failure> {
        Ok(Self { address, stream: connect(address).await?, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// Asks and reads the whole answer, which is in the buffer afterwards.
    async fn ask(&mut self, bytes: &[u8]) -> Result<Answer, Failure> {
        self.buffer.clear();
        self.stream.write_all(bytes).await?;
        let head = loop {
            self.more().await?;
            if let Some(end) = find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let head_bytes = &self.buffer[..head];
        let status = head_bytes.get(9..12).and_then(number).ok_or("no status")? as u16;
        let ends = field(head_bytes, b"connection").is_some_and(|value| value.eq_ignore_ascii_case(b"close"));
        let length = match field(head_bytes, b"content-length") {
            Some(length) => number(length).ok_or("a length that is no number")?,
            None if status == 304 || status == 204 => 0,
            None if field(head_bytes, b"transfer-encoding") == Some(b"chunked") => {
                while !self.buffer.ends_with(b"0\r\n\r\n") {
                    self.more().await?;
                }
                self.buffer.len() - head
            }
            None => return Err("an answer without a length".into()),
        };
        while self.buffer.len() < head + length {
            self.more().await?;
        }
        if ends {
            self.stream = connect(self.address).await?;
        }
        Ok(Answer { status, length })
    }

    async fn more(&mut self) -> Result<(), Failure> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err("the connection ended before the answer".into()),
            _ => Ok(()),
        }
    }
}

async fn connect(address: SocketAddr) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A header field's value. By hand, because what the client takes of the processors the server lacks.
fn field<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (known, rest) = line.split_at_checked(name.len())?;
        let value = rest.strip_prefix(b":").filter(|_| known.eq_ignore_ascii_case(name))?;
        Some(value.trim_ascii())
    })
}

fn number(text: &[u8]) -> Option<usize> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// Asks once; the head of the answer and its body.
pub fn fetch(address: SocketAddr, ask: &Ask) -> Result<(String, Vec<u8>), Failure> {
    block_on(async {
        let mut line = Line::to(address).await?;
        let answer = line.ask(&ask.bytes()).await?;
        let body = line.buffer.split_off(line.buffer.len() - answer.length);
        Ok((String::from_utf8_lossy(&line.buffer).into_owned(), body))
    })?
}

/// Runs what asks, on this thread.
pub fn block_on<T>(work: impl Future<Output = T>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(runtime.block_on(work))
}
