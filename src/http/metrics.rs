//! What is counted about requests and connections, and the page that shows it together with the database's and the
//! process's own numbers.

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use poem::http::{Method, StatusCode, header};
use poem::{Endpoint, Request, Response};

use super::failure::Failure;
use super::front::Outermost;
use super::serve::Unread;
use crate::db::Db;
use crate::metrics::{Counter, DURATIONS, Gauge, Histogram, Text};

/// The statuses there are; anything else is counted as `other`.
const STATUSES: [u16; 24] = [
    200, 201, 204, 304, 307, 400, 401, 403, 404, 405, 408, 409, 412, 413, 414, 415, 422, 429, 431, 500, 501,
    502, 503, 507,
];

/// What is counted about requests and connections.
#[derive(Debug)]
pub struct Metrics {
    /// Requests that are being worked on.
    pub running: Gauge,
    /// Connections that are open.
    pub connections: Gauge,
    /// Connections that were accepted.
    pub accepted: Counter,
    /// Connections refused because there are too many, or too many of their address.
    pub crowded: Counter,
    /// Requests refused because too much is going on.
    pub shed: Counter,
    /// Requests refused because of a key's or an address's limit.
    pub rate_limited: Counter,
    /// Requests whose key did not open the door.
    pub auth_failures: Counter,
    /// What could not be read as a request.
    pub unread: Counter,
    operations: Mutex<Vec<Arc<Operation>>>,
    /// What belongs to no operation: pages, unknown paths.
    pub other: Arc<Operation>,
}

/// What is counted about one operation.
#[derive(Debug)]
pub struct Operation {
    /// Its name in the document.
    pub name: String,
    statuses: [Counter; STATUSES.len() + 1],
    latency: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            running: Gauge::default(),
            connections: Gauge::default(),
            accepted: Counter::default(),
            crowded: Counter::default(),
            shed: Counter::default(),
            rate_limited: Counter::default(),
            auth_failures: Counter::default(),
            unread: Counter::default(),
            operations: Mutex::default(),
            other: Arc::new(Operation::new("none")),
        }
    }
}

impl Operation {
    fn new(name: &str) -> Self {
        Self { name: name.to_owned(), statuses: Default::default(), latency: Histogram::new(DURATIONS) }
    }

    /// A request was answered.
    pub fn answered(&self, status: StatusCode, after: Duration) {
        let place = STATUSES.binary_search(&status.as_u16()).unwrap_or(STATUSES.len());
        self.statuses[place].add();
        self.latency.observe_duration(after);
    }

    fn counts(&self) -> impl Iterator<Item = (String, u64)> {
        let names = STATUSES.iter().map(u16::to_string).chain(["other".to_owned()]);
        names.zip(&self.statuses).map(|(status, count)| (status, count.get())).filter(|(_, count)| *count > 0)
    }
}

impl Metrics {
    /// A new operation to count.
    pub fn operation(&self, name: &str) -> Arc<Operation> {
        let operation = Arc::new(Operation::new(name));
        self.operations.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::clone(&operation));
        operation
    }

    fn write(&self, text: &mut Text) {
        let mut operations = self.operations.lock().unwrap_or_else(PoisonError::into_inner).clone();
        operations.push(Arc::clone(&self.other));
        text.family("lodge_requests_total", "counter", "Requests answered, by operation and status.");
        for operation in &operations {
            for (status, count) in operation.counts() {
                let labels = format!("operation=\"{}\",status=\"{status}\"", operation.name);
                text.sample("lodge_requests_total", &labels, count);
            }
        }
        let name = "lodge_request_duration_seconds";
        text.family(name, "histogram", "From the end of a request's head to its answer, by operation.");
        for operation in operations.iter().filter(|operation| operation.counts().next().is_some()) {
            text.histogram(name, &format!("operation=\"{}\"", operation.name), &operation.latency, 1_000_000);
        }
        text.single(
            "lodge_requests_running",
            "gauge",
            "Requests that are being worked on.",
            self.running.get(),
        );
        text.single("lodge_connections", "gauge", "Connections that are open.", self.connections.get());
        let counters = [
            ("lodge_connections_total", "Connections accepted.", &self.accepted),
            (
                "lodge_connections_refused_total",
                "Connections refused for lack of room, in all or for their address.",
                &self.crowded,
            ),
            ("lodge_requests_shed_total", "Requests refused because too much was going on.", &self.shed),
            (
                "lodge_requests_rate_limited_total",
                "Requests refused for a key's or an address's limit.",
                &self.rate_limited,
            ),
            ("lodge_auth_failures_total", "Requests whose key did not open the door.", &self.auth_failures),
            ("lodge_requests_unread_total", "What could not be read as a request.", &self.unread),
        ];
        for (name, help, counter) in counters {
            text.single(name, "counter", help, counter.get());
        }
    }
}

/// `GET /metrics`, on a listener of its own.
pub struct MetricsPage {
    /// What is counted about requests.
    pub metrics: Arc<Metrics>,
    /// The database.
    pub db: Arc<Db>,
}

impl MetricsPage {
    fn text(&self) -> String {
        let mut text = Text::default();
        self.metrics.write(&mut text);
        self.db.write_metrics(&mut text);
        write_process(&mut text);
        text.finish()
    }
}

/// What the system knows about this process, where it tells.
fn write_process(text: &mut Text) {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = resident.and_then(|rest| rest.trim().trim_end_matches(" kB").parse::<u64>().ok());
    if let Some(kilobytes) = kilobytes {
        let help = "Memory in use, in bytes.";
        text.single("process_resident_memory_bytes", "gauge", help, kilobytes * 1024);
    }
    if let Ok(open) = fs::read_dir("/proc/self/fd") {
        text.single("process_open_fds", "gauge", "File descriptors in use.", open.count());
    }
}

impl Endpoint for MetricsPage {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        if request.uri().path() != "/metrics" {
            return Ok(Failure::not_found().render());
        }
        if request.method() != Method::GET && request.method() != Method::HEAD {
            let allow = header::HeaderValue::from_static("GET, HEAD");
            return Ok(Failure::method_not_allowed().with(header::ALLOW, allow).render());
        }
        let builder = Response::builder().content_type("text/plain; version=0.0.4; charset=utf-8");
        Ok(builder.header(header::CACHE_CONTROL, "no-store").body(self.text()))
    }
}

impl Outermost for MetricsPage {
    fn unread(&self, why: Unread, _: SocketAddr) -> Response {
        Failure::from(why).render()
    }
}
