//! Reading the body of a request: as long as it keeps coming, is not too large, and says that it is JSON.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, pin_mut};
use poem::Request;

use super::bounds::Bounds;
use super::failure::Failure;
use super::trace::Trace;

/// The whole body, of at most so many bytes.
///
/// # Errors
/// 408 when it takes too long, 413 when it is too large, 400 when it cannot be read. The connection ends with each.
pub async fn read(request: &mut Request, most: usize, bounds: &Bounds) -> Result<Bytes, Failure> {
    let parts = request.take_body().into_bytes_stream();
    let read = tokio::time::timeout(bounds.body, collect(parts, most, bounds)).await;
    let read = read.unwrap_or_else(|_| Err(Failure::request_timeout())).map_err(Failure::closing)?;
    if let Some(trace) = request.data::<Arc<Trace>>() {
        trace.body_read.store(true, Ordering::Relaxed);
    }
    Ok(read)
}

async fn collect(
    parts: impl Stream<Item = std::io::Result<Bytes>>,
    most: usize,
    bounds: &Bounds,
) -> Result<Bytes, Failure> {
    pin_mut!(parts);
    let mut whole = Bytes::new();
    let mut many = BytesMut::new();
    loop {
        let part = tokio::time::timeout(bounds.body_pause, parts.next()).await;
        let part = match part.map_err(|_| Failure::request_timeout())? {
            Some(part) => part.map_err(|_| Failure::malformed())?,
            None if many.is_empty() => return Ok(whole),
            None => return Ok(many.freeze()),
        };
        if whole.len() + many.len() + part.len() > most {
            return Err(Failure::too_large());
        }
        if whole.is_empty() && many.is_empty() {
            whole = part; // Most bodies come in one part, which need not be copied.
            continue;
        }
        many.extend_from_slice(&std::mem::take(&mut whole));
        many.extend_from_slice(&part);
    }
}

/// Whether a `Content-Type` is JSON in UTF-8.
pub fn is_json(content_type: Option<&str>) -> bool {
    let mut parts = content_type.unwrap_or_default().split(';').map(str::trim);
    let json = parts.next().is_some_and(|kind| kind.eq_ignore_ascii_case("application/json"));
    json && parts.all(|part| match part.split_once('=') {
        Some((name, value)) if name.trim().eq_ignore_ascii_case("charset") => {
            value.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        _ => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_json_in_utf_8_is_json() {
        for good in
            ["application/json", "Application/JSON; charset=UTF-8", "application/json; charset=\"utf-8\""]
        {
            assert!(is_json(Some(good)), "{good}");
        }
        for bad in [None, Some(""), Some("text/json"), Some("application/json; charset=latin1")] {
            assert!(!is_json(bad), "{bad:?}");
        }
    }
}
