//! A socket that keeps time: the head of a request must arrive and an answer be taken within their limits. It also keeps
//! back the bare answer that the protocol library gives to what it cannot read, so that ours is sent in its place, and
//! closes so that an answer given early reaches a client that is still sending.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep};

use super::head::Heads;
use crate::http::bounds::Bounds;

/// Whose turn it is on a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Turn {
    /// The client's: a head is awaited or under way. Whatever is written now, no request of ours has asked for.
    #[default]
    Client,
    /// Ours: a request is being worked on.
    Server,
    /// Ours, and the answer is on its way.
    Answered,
}

/// What the two ends of a connection, the socket and the service, tell each other.
#[derive(Debug, Default)]
pub struct Talk {
    turn: Turn,
    /// The raw heads, as far as they are read and not yet passed to the service.
    pub heads: Heads,
    /// What the library answered by itself, kept back.
    kept_back: Vec<u8>,
    /// Whether the client ran out of time.
    late: bool,
    /// Whether the client may still be sending what nobody will read.
    linger: bool,
    /// Since when it has been the client's turn.
    waits_since: Option<Instant>,
    /// Whether a request has begun.
    is_used: bool,
}

impl Talk {
    /// Whether an answer was on its way; it is the client's turn then.
    fn end_answer(&mut self) -> bool {
        let was = self.turn == Turn::Answered;
        if was {
            self.turn = Turn::Client;
            self.waits_since = Some(Instant::now());
        }
        was
    }
}

/// Both ends hold it, and one task drives both; besides, it is looked at when room is needed.
#[derive(Clone, Debug, Default)]
pub struct Shared(Arc<Mutex<Talk>>);

impl Shared {
    fn talk(&self) -> MutexGuard<'_, Talk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request begins. Whether its head says in two ways how long its body is.
    pub fn begin(&self, length: Option<u64>, chunked: bool) -> bool {
        let mut talk = self.talk();
        (talk.turn, talk.is_used) = (Turn::Server, true);
        talk.heads.pass(length, chunked)
    }

    /// A request is answered; `linger` when the connection ends before all of it was read, `late` when it took too long.
    pub fn answered(&self, linger: bool, late: bool) {
        let mut talk = self.talk();
        talk.turn = Turn::Answered;
        talk.linger |= linger;
        talk.late |= late;
    }

    /// From now on the client is waited for.
    pub fn wait(&self) {
        self.talk().waits_since = Some(Instant::now());
    }

    /// Since when a request has been waited for of which nothing has come.
    pub fn idle_since(&self) -> Option<Instant> {
        let talk = self.talk();
        talk.waits_since.filter(|_| talk.turn == Turn::Client && talk.heads.is_empty())
    }

    /// Whether no request has begun yet.
    pub fn is_new(&self) -> bool {
        !self.talk().is_used
    }
}

/// Why a connection ended without the service having been asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It could not be read.
    Malformed,
    /// Its first line is too long.
    Target,
    /// Its head is too large.
    Head,
    /// It took too long.
    Late,
    /// It was not looked at: there are too many connections, or too many of its address.
    Crowded,
}

/// Whoever can refuse a request as it stands.
pub trait Refuse: Send + Sync {
    /// What is sent to refuse a request of which all has come and nothing has been read. Nothing when it is not refused, or
    /// when that takes more than a look to tell.
    fn refuse(&self, request: &[u8], peer: SocketAddr) -> Option<Vec<u8>>;
}

/// The socket.
pub struct Wire {
    socket: TcpStream,
    shared: Shared,
    bounds: Arc<Bounds>,
    refusing: Option<(Arc<dyn Refuse>, SocketAddr)>,
    alarm: Pin<Box<Sleep>>,
    /// When the head, or the wait for it, began.
    since: Instant,
    /// Whether a byte of the head has come, or must come soon, since the connection is new.
    in_head: bool,
    /// When the client last took a byte of the answer, and when it was first waited for.
    stalled: Option<(Instant, Instant)>,
}

impl Wire {
    /// A new connection.
    pub fn new(socket: TcpStream, shared: Shared, bounds: Arc<Bounds>) -> Self {
        let now = Instant::now();
        shared.wait();
        let alarm = Box::pin(tokio::time::sleep_until(now + bounds.head));
        Self { socket, shared, bounds, refusing: None, alarm, since: now, in_head: true, stalled: None }
    }

    /// The same, where somebody may refuse what comes from this client before the library sees it.
    pub fn refusing(mut self, refuse: Arc<dyn Refuse>, peer: SocketAddr) -> Self {
        self.refusing = Some((refuse, peer));
        self
    }

    /// Whether `due` has passed; otherwise the task is woken when it does. The alarm is only moved when it must ring
    /// earlier, or has rung: a busy connection leaves it alone.
    fn poll_due(&mut self, cx: &mut Context<'_>, due: Instant) -> Poll<()> {
        loop {
            if due < self.alarm.deadline() {
                self.alarm.as_mut().reset(due);
            }
            if self.alarm.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            if Instant::now() >= due {
                return Poll::Ready(());
            }
            self.alarm.as_mut().reset(due);
        }
    }

    fn poll_head_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let limit = if self.in_head { self.bounds.head } else { self.bounds.idle };
        self.poll_due(cx, self.since + limit)
    }

    /// Refuses what has just come, if it is a request and nothing else, and is to be refused. Who has left so many answers
    /// lying that another one does not fit is not waited for.
    fn refuse(&mut self, request: &[u8]) -> io::Result<bool> {
        let Some((refuse, peer)) = &self.refusing else { return Ok(false) };
        if request.is_empty() || !self.shared.talk().heads.is_between() {
            return Ok(false);
        }
        let Some(answer) = refuse.refuse(request, *peer) else { return Ok(false) };
        if self.socket.try_write(&answer)? < answer.len() {
            return Err(io::ErrorKind::WriteZero.into());
        }
        let mut talk = self.shared.talk();
        (talk.is_used, talk.waits_since) = (true, Some(Instant::now()));
        Ok(true)
    }

    fn taken(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if written.is_ready() {
            if let (Some((_, first)), Poll::Ready(Ok(_))) = (self.stalled, &written) {
                self.stalled = Some((Instant::now(), first));
            }
            return written;
        }
        let now = Instant::now();
        let (last, first) = *self.stalled.get_or_insert((now, now));
        let due = (last + self.bounds.write_pause).min(first + self.bounds.write);
        if self.poll_due(cx, due).is_ready() {
            // What waits to be sent would stay with the system for as long again: it is thrown away instead.
            let _ = self.socket.set_zero_linger();
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Pending
    }

    /// Keeps back what the library writes while no request is worked on.
    fn keep_back(&self, parts: &[io::IoSlice<'_>]) -> Option<usize> {
        let mut talk = self.shared.talk();
        if talk.turn != Turn::Client {
            return None;
        }
        parts.iter().for_each(|part| talk.kept_back.extend_from_slice(part));
        Some(parts.iter().map(|part| part.len()).sum())
    }

    /// Why nothing was asked of the service, if the client is owed an answer all the same. `unreadable` when the library
    /// said so.
    pub fn unread(&self, unreadable: bool) -> Option<Unread> {
        let talk = self.shared.talk();
        if talk.turn != Turn::Client || talk.heads.is_empty() {
            return None;
        }
        match talk.kept_back.get(9..12) {
            Some(b"414") => Some(Unread::Target),
            Some(b"431") if talk.heads.has_line() => Some(Unread::Head),
            Some(b"431") => Some(Unread::Target),
            Some(_) => Some(Unread::Malformed),
            None if talk.late => Some(Unread::Late),
            None if unreadable => Some(Unread::Malformed),
            None => None,
        }
    }

    /// Sends a last answer of ours, if there is one, and closes: at once, or, where the client may still be sending, after
    /// reading on for a while. A socket closed over unread bytes takes the answer along that the client has not read yet.
    pub async fn close(mut self, last: Option<Vec<u8>>) {
        let (linger, late) = {
            let talk = self.shared.talk();
            (talk.linger || last.is_some(), talk.late)
        };
        if let Some(bytes) = last {
            let sent = tokio::time::timeout(self.bounds.write_pause, self.socket.write_all(&bytes)).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
        // A client that has left needs no goodbye.
        let _ = self.socket.shutdown().await;
        if linger {
            // Who was too slow already is not given as long again.
            let limit = if late { self.bounds.linger_pause } else { self.bounds.linger };
            let _ = tokio::time::timeout(limit, self.drain()).await;
        }
    }

    async fn drain(&mut self) {
        let mut left = self.bounds.linger_bytes;
        let mut waste = vec![0; 16 * 1024];
        while left > 0 {
            let read = tokio::time::timeout(self.bounds.linger_pause, self.socket.read(&mut waste)).await;
            match read {
                Ok(Ok(n)) if n > 0 => left = left.saturating_sub(n as u64),
                _ => return,
            }
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        loop {
            let read = Pin::new(&mut self.socket).poll_read(cx, buffer);
            let waits = self.shared.talk().turn == Turn::Client;
            if read.is_pending() {
                if waits && self.poll_head_due(cx).is_ready() {
                    self.shared.talk().late = true;
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                return Poll::Pending;
            }
            let bytes = &buffer.filled()[before..];
            if waits && read.is_ready() && self.refuse(bytes)? {
                buffer.set_filled(before);
                (self.in_head, self.since) = (false, Instant::now());
                continue;
            }
            self.shared.talk().heads.add(bytes);
            if waits && !bytes.is_empty() && !self.in_head {
                (self.in_head, self.since) = (true, Instant::now());
            }
            return read;
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if let Some(kept) = self.keep_back(&[io::IoSlice::new(bytes)]) {
            return Poll::Ready(Ok(kept));
        }
        let written = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.taken(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let Some(kept) = self.keep_back(parts) {
            return Poll::Ready(Ok(kept));
        }
        let written = Pin::new(&mut self.socket).poll_write_vectored(cx, parts);
        self.taken(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// The library flushes when everything is written: with that, an answer is out and it is the client's turn again.
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_out = self.shared.talk().end_answer();
        if is_out {
            (self.in_head, self.since, self.stalled) = (false, Instant::now(), None);
            // The library has tried to read already and does not try again before it is woken: the alarm must be set here.
            let _ = self.poll_head_due(cx);
        }
        Poll::Ready(Ok(()))
    }

    /// Left to [`Wire::close`].
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}
