//! Other origins: pages in a browser that may call the API from elsewhere. Off unless configured, and then for exactly the
//! origins that are listed. Cookies play no part: a page needs a key like everybody else.

use poem::Response;
use poem::http::{HeaderMap, HeaderValue, Method, StatusCode, header};

/// What a page may send.
const SENT: &str = "X-API-KEY, Content-Type, Idempotency-Key, If-Match, If-None-Match, X-Request-Id";
/// What a page may read of an answer, beside what any may.
const READ: &str =
    "ETag, Idempotent-Replayed, Link, Location, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";
/// How many seconds a browser may remember what is allowed.
const REMEMBER: &str = "600";

/// The origins that may call.
#[derive(Clone, Debug, Default)]
pub struct Origins(pub Vec<HeaderValue>);

/// What a request asks of us in this respect.
#[derive(Debug)]
pub struct Crossing {
    origin: HeaderValue,
    /// Whether it is a browser's question before the request itself.
    asks_first: bool,
}

impl Origins {
    /// These origins, as browsers send them.
    pub fn new(origins: &[String]) -> Self {
        Self(origins.iter().filter_map(|origin| HeaderValue::try_from(origin).ok()).collect())
    }

    /// What a request asks, if it comes from a listed origin.
    pub fn crossing(&self, method: &Method, headers: &HeaderMap) -> Option<Crossing> {
        let origin = headers.get(header::ORIGIN).filter(|origin| self.0.contains(origin))?;
        let asks_first =
            method == Method::OPTIONS && headers.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD);
        Some(Crossing { origin: origin.clone(), asks_first })
    }

    /// Says on an answer what a page may do.
    pub fn mark(&self, crossing: Option<Crossing>, response: &mut Response) {
        if self.0.is_empty() {
            return;
        }
        let allow = response.headers().get(header::ALLOW).cloned();
        let is_answer_to_options = response.status() == StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        // Also where the origin is not listed: an answer without our words must not be kept for who would get them.
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        let Some(Crossing { origin, asks_first }) = crossing else { return };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ));
        if let (true, true, Some(allow)) = (asks_first, is_answer_to_options, allow) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(SENT));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(REMEMBER));
        }
    }
}
