//! The outermost part of the server: gives every request an id, refuses heads that are too large, turns everything that
//! goes wrong behind it (panics included) into our shape, and writes the log line.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures_util::FutureExt;
use poem::http::{HeaderName, HeaderValue, header};
use poem::{Endpoint, IntoResponse, Request, Response};

use super::failure::Failure;

/// How many bytes an address may have.
const MAX_URI: usize = 8 * 1024;
/// How many headers there may be.
const MAX_HEADERS: usize = 100;
/// How many bytes all of them may have.
const MAX_HEADER_BYTES: usize = 32 * 1024;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Whether the gate has read the request's body.
#[derive(Clone, Debug, Default)]
pub struct BodyRead(pub Arc<AtomicBool>);

/// Everything behind the front.
pub struct Front<E>(pub E);

impl<E: Endpoint> Endpoint for Front<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let started = Instant::now();
        let id = request_id(&request);
        request.headers_mut().insert(REQUEST_ID, id.clone());
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let peer = request.remote_addr().as_socket_addr().map(|address| address.ip().to_string());
        let body = BodyRead::default();
        let has_body = request.headers().contains_key(header::TRANSFER_ENCODING)
            || request.header(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
        request.set_data(body.clone());
        let mut response = match refuse_large(&request) {
            Some(failure) => failure.closing().render(),
            None => self.answer(request).await,
        };
        let headers = response.headers_mut();
        headers.insert(REQUEST_ID, id.clone());
        if has_body && !body.0.load(Ordering::Relaxed) {
            // What nobody read would be taken for the next request, so the connection ends, and says so (RFC 9112, 9.6).
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
        tracing::info!(
            target: "lodge::request",
            id = id.to_str().unwrap_or_default(),
            %method,
            path,
            status = response.status().as_u16(),
            peer = peer.unwrap_or_default(),
            micros = started.elapsed().as_micros() as u64,
        );
        Ok(response)
    }
}

impl<E: Endpoint> Front<E> {
    async fn answer(&self, request: Request) -> Response {
        match AssertUnwindSafe(self.0.call(request)).catch_unwind().await {
            Ok(Ok(answer)) => answer.into_response(),
            Ok(Err(error)) if error.is_from_response() => error.into_response(),
            Ok(Err(error)) => Failure::from(error).render(),
            Err(_) => Failure::internal().render(),
        }
    }
}

/// The id a client sent, if it is a plain one, or a new one.
fn request_id(request: &Request) -> HeaderValue {
    let plain = |text: &str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
    };
    if let Some(id) = request.headers().get(REQUEST_ID)
        && id.to_str().is_ok_and(plain)
    {
        return id.clone();
    }
    let mut random = [0_u8; 8];
    // Without randomness ids repeat, which harms nobody.
    let _ = crate::random::fill(&mut random);
    let id = format!("{:016x}", u64::from_be_bytes(random));
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("0"))
}

fn refuse_large(request: &Request) -> Option<Failure> {
    let address = request.uri().path_and_query().map_or(0, |address| address.as_str().len());
    let headers = request.headers();
    let bytes: usize = headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    if address > MAX_URI {
        Some(Failure::uri_too_long())
    } else if headers.len() > MAX_HEADERS || bytes > MAX_HEADER_BYTES {
        Some(Failure::headers_too_large())
    } else {
        None
    }
}
