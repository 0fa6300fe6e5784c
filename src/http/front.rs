//! The outermost part of the server: gives every request an id, finds out whose it is, refuses heads that are too large or
//! ambiguous, turns everything that goes wrong behind it (panics included) into our shape, and writes the log line.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use poem::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, Version, header};
use poem::{Endpoint, IntoResponse, Request, Response};

use super::bounds::Proxies;
use super::client;
use super::cors::Origins;
use super::failure::Failure;
use super::load::Load;
use super::metrics::Metrics;
use super::serve::{self, Unread, whole};
use super::trace::Trace;
use crate::error::Error;

/// How many bytes an address may have.
const MAX_URI: usize = 8 * 1024;
/// How many headers there may be.
const MAX_HEADERS: usize = 100;
/// How many bytes all of them may have.
const MAX_HEADER_BYTES: usize = 32 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// Answers of the API are no pages: whatever a browser is made to see in them, it loads and runs nothing.
const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Where operations need a key. They are refused when too much is going on; the health check and the pages are not.
const KEYED: [&str; 2] = ["/api/v1/external/", "/api/v1/internal/"];

/// An endpoint that also answers for what could not be read as a request.
pub trait Outermost: Endpoint<Output = Response> {
    /// The answer to what could not be read.
    fn unread(&self, why: Unread, peer: SocketAddr) -> Response;

    /// The answer to a request that is refused because of all the others, before anything is done about it.
    fn shed(
        &self,
        _method: &Method,
        _uri: &Uri,
        _headers: &HeaderMap,
        _peer: SocketAddr,
    ) -> Option<Response> {
        None
    }

    /// The same for a request of which all has come and nothing has been read, as it goes over the line. Nothing also where it
    /// takes more than a look to tell.
    fn shed_whole(&self, _request: &[u8], _peer: SocketAddr) -> Option<Vec<u8>> {
        None
    }
}

/// Everything behind the front.
pub struct Front<E> {
    /// What is behind it.
    pub inner: E,
    /// How long a request may take in all.
    pub limit: Duration,
    /// Whose word about a client's address counts.
    pub proxies: Proxies,
    /// Which other origins may call.
    pub origins: Origins,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// How much is worked on at once.
    pub load: Arc<Load>,
    /// A refusal because of all the others as it goes over the line, before and after the request's id.
    pub refusal: OnceLock<[Vec<u8>; 2]>,
}

impl<E: Endpoint> Endpoint for Front<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let _running = self.metrics.running.hold();
        let id = request_id(request.headers());
        let line = Line::begin(request.method().as_str(), request.uri().path(), &id);
        let crossing = self.origins.crossing(request.method(), request.headers());
        let has_body = request.headers().contains_key(header::TRANSFER_ENCODING)
            || request.headers().get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
        let trace = Arc::new(self.trace(&request, started));
        request.set_data(Arc::clone(&trace));
        let mut response = match refuse(&request) {
            Some(failure) => failure.closing().render(),
            None => self.answer(request).await,
        };
        if has_body && !trace.body_read.load(Ordering::Relaxed) {
            // What nobody read would be taken for the next request, so the connection ends, and says so (RFC 9112, 9.6).
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        self.origins.mark(crossing, &mut response);
        complete(response.headers_mut(), id);
        let operation = trace.operation.get().unwrap_or(&self.metrics.other);
        operation.answered(response.status(), started.elapsed());
        if let Some(line) = line {
            line.write(&trace, &operation.name, response.status());
        }
        Ok(response)
    }
}

impl<E> Front<E> {
    fn trace(&self, request: &Request, started: Instant) -> Trace {
        let peer = request.remote_addr().as_socket_addr().map(SocketAddr::ip);
        let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        Trace::of(client::address(peer, request.headers(), &self.proxies), started)
    }
}

impl<E: Endpoint> Front<E> {
    async fn answer(&self, request: Request) -> Response {
        let answer = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        match tokio::time::timeout(self.limit, answer).await {
            Ok(Ok(Ok(answer))) => answer.into_response(),
            Ok(Ok(Err(error))) => Failure::respond(error),
            Ok(Err(_)) => Failure::internal().render(),
            Err(_) => Failure::request_timeout().closing().render(),
        }
    }
}

impl<E: Endpoint> Outermost for Front<E> {
    fn unread(&self, why: Unread, peer: SocketAddr) -> Response {
        if why != Unread::Crowded {
            self.metrics.unread.add();
        }
        let mut response = Failure::from(why).closing().render();
        let id = new_id();
        complete(response.headers_mut(), id.clone());
        tracing::info!(
            target: "lodge::request",
            id = id.to_str().unwrap_or_default(),
            method = "-",
            path = "-",
            operation = "unread",
            status = response.status().as_u16(),
            client = %peer.ip().to_canonical(),
        );
        response
    }

    /// Only what needs a key: the health check and the pages are answered all the same. Whether there is such an operation is
    /// not looked up.
    fn shed(&self, method: &Method, uri: &Uri, headers: &HeaderMap, peer: SocketAddr) -> Option<Response> {
        if method == Method::OPTIONS || !self.is_refused(method.as_str(), uri.path()) {
            return None;
        }
        let started = Instant::now();
        let id = request_id(headers);
        self.note_refusal(Line::begin(method.as_str(), uri.path(), &id), peer, started, || headers.clone());
        let mut response = self.refusal(id);
        self.origins.mark(self.origins.crossing(method, headers), &mut response);
        Some(response)
    }

    fn shed_whole(&self, request: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
        // Whether it is a change is not known yet; when there is room for those there is for all.
        if !self.load.is_full(true) {
            return None;
        }
        whole::look(request, |whole| {
            if !self.is_refused(whole.method, whole.path) {
                return None;
            }
            let started = Instant::now();
            let id = whole.first(REQUEST_ID.as_str()).and_then(|id| HeaderValue::from_bytes(id).ok());
            let id = id.filter(is_plain_id).unwrap_or_else(new_id);
            let line = Line::begin(whole.method, whole.path, &id);
            self.note_refusal(line, peer, started, || headers(whole.headers));
            let [before, after] = self.refusal.get_or_init(|| self.refusal_in_two());
            Some([before, id.as_bytes(), after].concat())
        })
    }
}

impl<E> Front<E> {
    /// Whether a request needs a key, and so much is going on that it is refused.
    fn is_refused(&self, method: &str, path: &str) -> bool {
        KEYED.iter().any(|base| path.starts_with(base))
            && self.load.is_full(!matches!(method, "GET" | "HEAD"))
    }

    fn refusal(&self, id: HeaderValue) -> Response {
        let mut response = Failure::from(Error::Overloaded).render();
        complete(response.headers_mut(), id);
        response
    }

    fn refusal_in_two(&self) -> [Vec<u8>; 2] {
        const HERE: HeaderValue = HeaderValue::from_static("*");
        let mut response = self.refusal(HERE);
        self.origins.mark(None, &mut response);
        // It is all here: there is nothing to wait for.
        let bytes = serve::bytes(response).now_or_never().unwrap_or_default();
        let name = format!("\r\n{REQUEST_ID}: ");
        let at = bytes.windows(name.len()).position(|bytes| bytes == name.as_bytes());
        let (before, after) = bytes.split_at(at.map_or(bytes.len(), |at| at + name.len()));
        [before.to_vec(), after.get(HERE.len()..).unwrap_or_default().to_vec()]
    }

    /// Counts a refusal, and writes its line. `headers` of the request are only wanted where somebody reads that.
    fn note_refusal(
        &self,
        line: Option<Line>,
        peer: SocketAddr,
        started: Instant,
        headers: impl FnOnce() -> HeaderMap,
    ) {
        self.load.refuse();
        self.metrics.shed.add();
        self.metrics.other.answered(StatusCode::SERVICE_UNAVAILABLE, started.elapsed());
        if let Some(line) = line {
            let trace = Trace::of(client::address(peer.ip(), &headers(), &self.proxies), started);
            let name = &self.metrics.other.name;
            line.write(&trace, name, StatusCode::SERVICE_UNAVAILABLE);
        }
    }
}

/// Headers as a request has them that was read. What is none is left out.
fn headers(raw: &[httparse::Header<'_>]) -> HeaderMap {
    let header = |header: &httparse::Header<'_>| {
        Some((
            HeaderName::from_bytes(header.name.as_bytes()).ok()?,
            HeaderValue::from_bytes(header.value).ok()?,
        ))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in raw.iter().filter_map(header) {
        headers.append(name, value);
    }
    headers
}

/// What every answer carries.
fn complete(headers: &mut HeaderMap, id: HeaderValue) {
    headers.insert(REQUEST_ID, id);
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(POLICY);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(RESOURCE_POLICY, HeaderValue::from_static("same-origin"));
}

/// What the log says of a request.
struct Line {
    id: HeaderValue,
    method: String,
    path: String,
}

impl Line {
    /// What can only be told before the request is answered, if anybody wants to know.
    fn begin(method: &str, path: &str, id: &HeaderValue) -> Option<Self> {
        tracing::enabled!(target: "lodge::request", tracing::Level::INFO).then(|| Self {
            id: id.clone(),
            method: shown(method),
            path: shown_path(path),
        })
    }

    fn write(&self, trace: &Trace, operation: &str, status: StatusCode) {
        tracing::info!(
            target: "lodge::request",
            id = self.id.to_str().unwrap_or_default(),
            method = self.method,
            path = self.path,
            operation,
            status = status.as_u16(),
            client = %trace.client,
            key = trace.key.load(Ordering::Relaxed),
            micros = trace.started.elapsed().as_micros() as u64,
        );
    }
}

/// The path as the log shows it. Only short, plain segments are shown: the others can only be mistakes, and a mistake may
/// be a key, or made to be read as something else.
fn shown_path(path: &str) -> String {
    let mut clean: String = path.split('/').take(12).map(shown).collect::<Vec<_>>().join("/");
    clean.truncate(200);
    clean
}

fn shown(text: &str) -> String {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if plain && text.len() <= 40 && !text.starts_with("lodge_") { text.to_owned() } else { "*".to_owned() }
}

/// The id a client sent, if it is a plain one, or a new one.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    headers.get(REQUEST_ID).filter(|id| is_plain_id(id)).cloned().unwrap_or_else(new_id)
}

fn is_plain_id(id: &HeaderValue) -> bool {
    (1..=64).contains(&id.len())
        && id.as_bytes().iter().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(byte))
}

/// An id nobody has to guess: two of them need only differ.
fn new_id() -> HeaderValue {
    let number = fastrand::u64(..);
    let digits: [u8; 16] = std::array::from_fn(|n| b"0123456789abcdef"[(number >> (4 * n)) as usize & 15]);
    HeaderValue::from_bytes(&digits).unwrap_or(HeaderValue::from_static("0"))
}

/// Heads that are too large, and those that a proxy might read otherwise than we do.
fn refuse(request: &Request) -> Option<Failure> {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let count = |name: HeaderName| headers.get_all(name).iter().count();
    if address > MAX_URI {
        Some(Failure::uri_too_long())
    } else if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        Some(Failure::headers_too_large())
    } else if count(header::HOST) > 1
        || (count(header::HOST) == 0 && request.version() == Version::HTTP_11)
        || count(header::CONTENT_TYPE) > 1
    {
        Some(Failure::malformed())
    } else {
        None
    }
}
