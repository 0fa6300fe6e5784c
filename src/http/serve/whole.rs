//! Requests that have come as a whole: all of a head and its body, and nothing else. Where so much comes that most of it is
//! refused, what they ask for is told by a look, since to take them apart costs more than the refusal itself.

use httparse::{EMPTY_HEADER, Header, Status};

/// How many headers are looked at. Who sends more is looked at with more care.
const HEADERS: usize = 32;

/// What a look tells of a request.
#[derive(Clone, Copy, Debug)]
pub struct Whole<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, without the query.
    pub path: &'a str,
    /// The headers, in their order.
    pub headers: &'a [Header<'a>],
}

impl<'a> Whole<'a> {
    /// A header; the first, where there are several.
    pub fn first(&self, name: &str) -> Option<&'a [u8]> {
        self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name)).map(|header| header.value)
    }

    /// A header that there is once.
    fn header(&self, name: &str) -> Option<&'a [u8]> {
        let mut found = self.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name));
        match (found.next(), found.next()) {
            (Some(header), None) => Some(header.value),
            _ => None,
        }
    }

    /// Whether nothing in the head changes how it has to be read or answered, and what follows it is its body.
    fn is_plain(&self, rest: usize) -> bool {
        let has = |name: &str| self.headers.iter().any(|header| header.name.eq_ignore_ascii_case(name));
        let length = match self.header("content-length") {
            // A number that is written with a sign is none (RFC 9110, 8.6).
            Some(length) if length.iter().all(u8::is_ascii_digit) => {
                std::str::from_utf8(length).ok().and_then(|length| length.parse().ok())
            }
            Some(_) => None,
            None if has("content-length") => None,
            None => Some(0),
        };
        let stays = match self.header("connection") {
            Some(connection) => connection.eq_ignore_ascii_case(b"keep-alive"),
            None => !has("connection"),
        };
        let special = ["transfer-encoding", "expect", "upgrade", "origin"];
        length == Some(rest) && stays && self.header("host").is_some() && !special.into_iter().any(has)
    }
}

/// What `tell` makes of a request of HTTP/1.1, if this is a whole one, and a plain one: a method with an answer that has a body, no
/// part of the head that asks for more than that answer, and a body of the length it says.
pub fn look<T>(bytes: &[u8], tell: impl FnOnce(Whole<'_>) -> Option<T>) -> Option<T> {
    let mut headers = [EMPTY_HEADER; HEADERS];
    let mut head = httparse::Request::new(&mut headers);
    let Ok(Status::Complete(length)) = head.parse(bytes) else { return None };
    let (Some(method), Some(target), Some(1)) = (head.method, head.path, head.version) else { return None };
    let path = target.split_once('?').map_or(target, |(path, _)| path);
    let whole = Whole { method, path, headers: head.headers };
    let answers = matches!(method, "GET" | "POST" | "PUT" | "DELETE");
    if answers && whole.is_plain(bytes.len() - length) { tell(whole) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(request: &str) -> Option<(String, String)> {
        look(request.as_bytes(), |whole| Some((whole.method.to_owned(), whole.path.to_owned())))
    }

    #[test]
    fn a_whole_plain_request_is_told_by_a_look() {
        let get = seen("GET /a/b?c=d HTTP/1.1\r\nHost: x\r\nConnection: Keep-Alive\r\n\r\n");
        assert_eq!(get, Some(("GET".into(), "/a/b".into())));
        assert!(seen("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}").is_some());
    }

    #[test]
    fn whatever_is_special_takes_more_than_a_look() {
        for (line, rest) in [
            ("HEAD / HTTP/1.1\r\nHost: x", ""),
            ("OPTIONS / HTTP/1.1\r\nHost: x", ""),
            ("GET / HTTP/1.0\r\nHost: x", ""),
            ("GET / HTTP/1.1", ""),
            ("GET / HTTP/1.1\r\nHost: x\r\nHost: y", ""),
            ("GET / HTTP/1.1\r\nHost: x", "GET"),
            ("GET / HTTP/1.1\r\nHost: x\r\nConnection: close", ""),
            ("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\nConnection: close", ""),
            ("GET / HTTP/1.1\r\nHost: x\r\nOrigin: http://x", ""),
            ("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2", "{}"),
            ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked", "0\r\n\r\n"),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 2", "{}"),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +2", "{}"),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3", "{}"),
            ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1", "{}"),
        ] {
            assert_eq!(seen(&format!("{line}\r\n\r\n{rest}")), None, "{line}");
        }
        let half = "GET / HTTP/1.1\r\nHost: x\r\n";
        assert_eq!(seen(half), None);
    }
}
