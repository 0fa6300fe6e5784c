//! The raw heads of requests, beside the parsed ones. Where a head says in two ways how long its body is
//! (`Content-Length` and `Transfer-Encoding`), the library follows one and forgets the other; a proxy in front may follow
//! the other one, and take what we see as the rest of a body for a request. So such heads are refused, and to know them the
//! bytes are looked at here.

/// How many bytes are kept; the library refuses a head before it has as many.
const MOST: usize = 128 * 1024;

/// What was read and is no body, as far as it has not been passed to the service.
#[derive(Debug, Default)]
pub struct Heads {
    raw: Vec<u8>,
    /// How many bytes of a body are still to come.
    body: u64,
    /// Whether the end of the body cannot be told here. The connection ends with that request.
    lost: bool,
}

impl Heads {
    /// Takes note of what was read.
    pub fn add(&mut self, bytes: &[u8]) {
        let skip = bytes.len().min(usize::try_from(self.body).unwrap_or(usize::MAX));
        self.body -= skip as u64;
        let room = if self.lost { 0 } else { MOST.saturating_sub(self.raw.len()) };
        let rest = &bytes[skip..];
        self.raw.extend_from_slice(&rest[..rest.len().min(room)]);
    }

    /// Passes the first head, of a request with this much of a body. Whether the head gives a length although the body
    /// is in chunks.
    pub fn pass(&mut self, length: Option<u64>, chunked: bool) -> bool {
        let end = end(&self.raw);
        let twice = chunked && self.raw[..end].split(|byte| *byte == b'\n').any(gives_length);
        self.lost |= chunked;
        self.raw.drain(..end);
        self.body = length.unwrap_or(0);
        let rest = std::mem::take(&mut self.raw);
        self.add(&rest);
        if self.raw.is_empty() {
            // The room is used again.
            self.raw = rest;
            self.raw.clear();
        }
        twice
    }

    /// Whether nothing has come that could be a head.
    pub fn is_empty(&self) -> bool {
        self.raw.iter().all(|byte| matches!(byte, b'\r' | b'\n'))
    }

    /// Whether all that has come belonged to requests that are done with, so that what comes next begins one.
    pub fn is_between(&self) -> bool {
        self.raw.is_empty() && self.body == 0 && !self.lost
    }

    /// Whether the first line is there.
    pub fn has_line(&self) -> bool {
        self.raw.trim_ascii_start().contains(&b'\n')
    }
}

fn gives_length(line: &[u8]) -> bool {
    const NAME: &[u8] = b"content-length";
    line.len() > NAME.len() && line[NAME.len()] == b':' && line[..NAME.len()].eq_ignore_ascii_case(NAME)
}

/// Where the first head ends: behind its blank line.
fn end(raw: &[u8]) -> usize {
    let mut at = raw.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    while let Some(found) = raw[at..].iter().position(|byte| *byte == b'\n') {
        at += found + 1;
        if raw[at..].starts_with(b"\n") {
            return at + 1;
        }
        if raw[at..].starts_with(b"\r\n") {
            return at + 2;
        }
    }
    raw.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_beside_chunks_is_seen_in_that_head_only() {
        let both = b"POST / HTTP/1.1\r\nHost: x\r\nCONTENT-length: 3\r\nTransfer-Encoding: chunked\r\n\r\n";
        let mut heads = Heads::default();
        heads.add(both);
        assert!(heads.pass(None, true));
        let mut heads = Heads::default();
        heads.add(b"\r\nPOST / HTTP/1.1\nTransfer-Encoding: chunked\n\n3\r\ncontent-length: 3\r\n");
        assert!(!heads.pass(None, true), "what follows the blank line is no header");
    }

    #[test]
    fn bodies_are_left_out_however_they_are_cut() {
        let stream = b"PUT / HTTP/1.1\r\nContent-Length: 22\r\n\r\n\r\ncontent-length: 4\r\n\r\nGET / HTTP/1.1\r\n\r\nPOST";
        for cut in 37..stream.len() {
            let mut heads = Heads::default();
            heads.add(&stream[..cut.max(40)]);
            assert!(!heads.pass(Some(22), false));
            heads.add(&stream[cut.max(40)..]);
            assert!(!heads.pass(Some(0), true), "{cut}");
            assert!(heads.is_empty() || heads.raw == b"POST", "{cut}");
        }
    }
}
