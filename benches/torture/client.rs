//! A client that knows for each request whether it was answered. A library that repeats requests by itself would blur that.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long an answer may take before the server counts as hanging.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// One kept connection.
pub struct Client {
    address: SocketAddr,
    stream: Option<BufReader<TcpStream>>,
}

/// An answer that arrived whole.
#[derive(Debug)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its header fields, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Its body, as it came.
    pub text: String,
    /// Its body, null if it is no JSON.
    pub body: Value,
}

impl Answer {
    /// Whether it acknowledges.
    pub fn is_ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// A header field.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The id of what it shows; 0 if there is none.
    pub fn id(&self) -> i64 {
        self.body["data"]["id"].as_i64().unwrap_or_default()
    }
}

/// What is asked.
pub struct Request<'a> {
    /// The method.
    pub method: &'a str,
    /// The path below `/api/v1`.
    pub path: &'a str,
    /// The API key.
    pub key: &'a str,
    /// The idempotency key, if any.
    pub once: Option<&'a str>,
    /// The body, if any.
    pub body: Option<&'a str>,
}

impl Client {
    /// A client of this server, not yet connected.
    pub fn new(address: SocketAddr) -> Self {
        Self { address, stream: None }
    }

    /// Reads something.
    pub fn get(&mut self, path: &str, key: &str) -> Result<Answer> {
        self.call(&Request { method: "GET", path, key, once: None, body: None })
    }

    /// Asks, once.
    ///
    /// # Errors
    /// When no whole answer came; nobody knows then what the server did.
    pub fn call(&mut self, request: &Request<'_>) -> Result<Answer> {
        self.call_with(request, &[])
    }

    /// Asks, once, with more header fields.
    ///
    /// # Errors
    /// As [`Client::call`].
    pub fn call_with(&mut self, request: &Request<'_>, more: &[(&str, &str)]) -> Result<Answer> {
        let answer = self.exchange(request, more);
        if answer.is_err() {
            self.stream = None;
        }
        answer
    }

    fn exchange(&mut self, request: &Request<'_>, more: &[(&str, &str)]) -> Result<Answer> {
        let stream = match self.stream.take() {
            Some(stream) => stream,
            None => connect(self.address)?,
        };
        let stream = self.stream.insert(stream);
        stream.get_mut().write_all(&bytes(request, more))?;
        let (answer, keeps) = read(stream)?;
        if !keeps {
            self.stream = None;
        }
        Ok(answer)
    }
}

fn connect(address: SocketAddr) -> Result<BufReader<TcpStream>> {
    let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(BufReader::new(stream))
}

/// A request as it goes over the line.
pub fn bytes(request: &Request<'_>, more: &[(&str, &str)]) -> Vec<u8> {
    let Request { method, path, key, once, body } = request;
    let mut head = format!("{method} /api/v1{path} HTTP/1.1\r\nHost: torture\r\nX-API-KEY: {key}\r\n");
    if let Some(once) = once {
        head += &format!("Idempotency-Key: {once}\r\n");
    }
    for (name, value) in more {
        head += &format!("{name}: {value}\r\n");
    }
    if let Some(body) = body {
        head += &format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
    }
    [head.as_bytes(), b"\r\n", body.unwrap_or_default().as_bytes()].concat()
}

/// Reads an answer; also whether the connection stays open.
fn read(stream: &mut impl BufRead) -> Result<(Answer, bool)> {
    let status = line(stream)?;
    let status = status.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| broken("no status line"))?;
    let (mut length, mut keeps, mut headers) = (0, true, vec![]);
    loop {
        let header = line(stream)?;
        let Some((name, value)) = header.split_once(": ") else { break };
        let (name, value) = (name.to_ascii_lowercase(), value.to_owned());
        match name.as_str() {
            "content-length" => length = value.parse().map_err(|_| broken("a length"))?,
            "connection" if value.eq_ignore_ascii_case("close") => keeps = false,
            _ => {}
        }
        headers.push((name, value));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let text = String::from_utf8(body).map_err(|_| broken("body: it is not UTF-8"))?;
    let body = serde_json::from_str(&text).unwrap_or_default();
    Ok((Answer { status, headers, text, body }, keeps))
}

fn line(stream: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    if stream.take(16_384).read_line(&mut line)? == 0 {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, format!("the answer has a bad {what}"))
}
