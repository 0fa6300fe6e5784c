//! The accept loop: HTTP/1.1 on hyper around a poem endpoint.
//!
//! poem's own server has no header timeout, spins when file descriptors run out and keeps handlers of clients that left
//! running; this one has time limits, a cap on connections in all and for each address, a back-off, an answer of ours also
//! for what cannot be read, and a deadline on shutdown.

mod door;
mod head;
mod seats;
pub mod whole;
mod wire;

use std::convert::Infallible;
use std::fmt::Write as _;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::Either;
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use poem::http::uri::Scheme;
use poem::http::{HeaderValue, StatusCode, header};
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use self::door::{Door, Visit};
use self::seats::Seats;
pub use self::wire::Unread;
use self::wire::{Refuse, Shared, Wire};
use super::bounds::{Bounds, Proxies};
use super::failure::Failure;
use super::front::Outermost;
use super::metrics::Metrics;

/// How large the head of a request may be before hyper itself refuses it; `http::front` refuses smaller ones. Also how
/// much of a body is read at a time.
const MAX_HEAD: usize = 64 * 1024;
/// How many connections the system keeps for us until we accept them.
pub const BACKLOG: i32 = 1024;
/// How long we wait when a connection cannot be accepted.
const BACK_OFF: Duration = Duration::from_millis(50);
/// How often we complain about it.
const COMPLAIN: Duration = Duration::from_secs(10);
/// How many of those for whom there is no room are told so in peace. Beyond it, as far as it goes without waiting.
const TURNED_AWAY: usize = 64;
/// How long a new connection is given to send its first request when the server stops: what it has sent may not have been
/// looked at.
const LAST_CALL: Duration = Duration::from_millis(500);

/// How a listener is served.
#[derive(Clone, Debug)]
pub struct Serving {
    /// The limits.
    pub bounds: Arc<Bounds>,
    /// Whose connections are not counted by address.
    pub proxies: Proxies,
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

/// Serves until `stop`, then lets running requests finish, for a while.
///
/// # Errors
/// When the listener cannot say where it listens.
pub async fn serve<E>(
    listener: TcpListener,
    endpoint: E,
    serving: Serving,
    stop: CancellationToken,
) -> std::io::Result<()>
where
    E: Outermost + 'static,
{
    let local = listener.local_addr()?;
    let (running, kill) = (TaskTracker::new(), CancellationToken::new());
    let house = Arc::new(House {
        slots: Arc::new(Semaphore::new(serving.bounds.connections)),
        turned_away: Arc::new(Semaphore::new(TURNED_AWAY)),
        door: Door::new(&serving),
        seats: Seats::default(),
        running: running.clone(),
        endpoint,
        serving,
        local,
        stop: stop.clone(),
        kill: kill.clone(),
    });
    let mut complained: Option<Instant> = None;
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((socket, peer)) => house.admit(socket, peer).await,
            Err(error) => {
                // Out of descriptors, most likely: wait instead of spinning.
                if complained.is_none_or(|at| at.elapsed() > COMPLAIN) {
                    complained = Some(Instant::now());
                    tracing::warn!(%error, "cannot accept connections");
                }
                tokio::time::sleep(BACK_OFF).await;
            }
        }
    }
    // Those who wait to be accepted have connected, as far as they know: closing would be a reset.
    let listener = listener.into_std()?;
    for _ in 0..BACKLOG {
        let Ok((socket, peer)) = listener.accept() else { break };
        socket.set_nonblocking(true)?;
        house.admit(TcpStream::from_std(socket)?, peer).await;
    }
    drop(listener);
    running.close();
    if tokio::time::timeout(house.serving.bounds.grace, running.wait()).await.is_err() {
        kill.cancel();
        running.wait().await;
    }
    Ok(())
}

/// What all connections share.
struct House<E> {
    slots: Arc<Semaphore>,
    turned_away: Arc<Semaphore>,
    door: Door,
    seats: Seats,
    running: TaskTracker,
    endpoint: E,
    serving: Serving,
    local: SocketAddr,
    stop: CancellationToken,
    kill: CancellationToken,
}

impl<E: Outermost + 'static> House<E> {
    /// Serves a connection if there is room for it; otherwise says so.
    async fn admit(self: &Arc<Self>, socket: TcpStream, peer: SocketAddr) {
        self.serving.metrics.accepted.add();
        let Some(place) = self.place(peer).await else { return self.turn_away(socket, peer).await };
        let house = Arc::clone(self);
        self.running.spawn(async move {
            let _place = place;
            let _open = house.serving.metrics.connections.hold();
            connection(socket, peer, &house).await;
        });
    }

    /// A place for a connection. When all are taken, the one that has idled longest makes room.
    async fn place(&self, peer: SocketAddr) -> Option<(Visit, OwnedSemaphorePermit)> {
        let visit = self.door.enter(peer.ip())?;
        if let Ok(slot) = Arc::clone(&self.slots).try_acquire_owned() {
            return Some((visit, slot));
        }
        if !self.seats.free_one() {
            return None;
        }
        let slot = Arc::clone(&self.slots).acquire_owned();
        let slot = tokio::time::timeout(self.serving.bounds.turn, slot).await.ok()?.ok()?;
        Some((visit, slot))
    }

    /// Tells a client that there is no room for it, when it asks for something: some take an answer to nothing for a fault.
    async fn turn_away(self: &Arc<Self>, socket: TcpStream, peer: SocketAddr) {
        self.serving.metrics.crowded.add();
        let answer = bytes(self.endpoint.unread(Unread::Crowded, peer)).await;
        let Ok(permit) = Arc::clone(&self.turned_away).try_acquire_owned() else {
            // A socket closed over unread bytes takes the answer along.
            let _ = socket.try_read(&mut [0; 4096]);
            let _ = socket.try_write(&answer);
            return;
        };
        let house = Arc::clone(self);
        self.running.spawn(async move {
            let _permit = permit;
            let bounds = &house.serving.bounds;
            let told = async {
                let _ = tokio::time::timeout(bounds.linger_pause, socket.readable()).await;
                let shared = Shared::default();
                shared.answered(true, true);
                Wire::new(socket, shared, Arc::clone(bounds)).close(Some(answer)).await;
            };
            tokio::select! {
                () = told => {}
                () = house.kill.cancelled() => {}
            }
        });
    }
}

impl<E: Outermost + 'static> Refuse for House<E> {
    fn refuse(&self, request: &[u8], peer: SocketAddr) -> Option<Vec<u8>> {
        self.endpoint.shed_whole(request, peer)
    }
}

/// One connection, from the first byte to the last.
async fn connection<E: Outermost + 'static>(socket: TcpStream, peer: SocketAddr, house: &Arc<House<E>>) {
    // Without this, small answers wait for the client's acknowledgement. A socket that refuses it still works.
    let _ = socket.set_nodelay(true);
    let shared = Shared::default();
    let wire = Wire::new(socket, shared.clone(), Arc::clone(&house.serving.bounds));
    let wire = wire.refusing(Arc::clone(house) as Arc<dyn Refuse>, peer);
    let leave = house.stop.child_token();
    let _seat = house.seats.take(shared.clone(), leave.clone());
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let ambiguous = begin(&shared, &request);
        let (house, shared) = (Arc::clone(house), shared.clone());
        let early = if ambiguous {
            Some(house.endpoint.unread(Unread::Malformed, peer))
        } else {
            house.endpoint.shed(request.method(), request.uri(), request.headers(), peer)
        };
        if let Some(mut response) = early {
            return Either::Left(async move {
                // A body that is here already is taken off the line: the connection can be kept then, and a new one is dear.
                if !is_here(request.into_body()) {
                    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
                }
                Ok::<_, Infallible>(sent(response, &shared))
            });
        }
        // All that an answer needs on its way is some kilobytes: a connection that waits does not hold them.
        Either::Right(Box::pin(async move {
            let addresses = (LocalAddr(house.local.into()), RemoteAddr(peer.into()));
            let request = Request::from((request, addresses.0, addresses.1, Scheme::HTTP));
            // `get_response` would do the same, and keep a copy of the request meanwhile.
            let answer = house.endpoint.call(request).await;
            Ok(sent(answer.unwrap_or_else(Failure::respond), &shared))
        }))
    });
    let mut connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_buf_size(MAX_HEAD)
        .serve_connection(TokioIo::new(wire), service);
    let mut ended = tokio::select! {
        biased;
        ended = &mut connection => Some(ended),
        () = leave.cancelled() => None,
    };
    if ended.is_none() && house.stop.is_cancelled() && shared.is_new() {
        ended = tokio::time::timeout(LAST_CALL, &mut connection).await.ok();
    }
    if ended.is_none() {
        Pin::new(&mut connection).graceful_shutdown();
        ended = tokio::select! {
            ended = &mut connection => Some(ended),
            () = house.kill.cancelled() => None,
        };
    }
    let Some(ended) = ended else { return };
    let unreadable = ended.is_err_and(|error| error.is_parse() || error.is_incomplete_message());
    let wire = connection.into_parts().io.into_inner();
    let last = match wire.unread(unreadable) {
        Some(why) => Some(bytes(house.endpoint.unread(why, peer)).await),
        None => None,
    };
    tokio::select! {
        () = wire.close(last) => {}
        () = house.kill.cancelled() => {}
    }
}

/// Notes that a request is answered.
fn sent(
    response: Response,
    shared: &Shared,
) -> hyper::Response<impl hyper::body::Body<Data = bytes::Bytes, Error = std::io::Error> + use<>> {
    let late = response.status() == StatusCode::REQUEST_TIMEOUT;
    let ends = response.headers().get(header::CONNECTION).is_some_and(|value| value == "close");
    let mut response: hyper::Response<_> = response.into();
    if response.body().size_hint().exact().is_some() {
        shared.answered(ends, late);
    } else {
        // Where an answer ends that comes in pieces is not seen on the wire: the connection ends with it.
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

/// Whether all of a body has come; then it is read.
fn is_here(mut body: Incoming) -> bool {
    while !body.is_end_stream() {
        let next = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).now_or_never();
        match next {
            Some(Some(Ok(_))) => {}
            Some(None) => return true,
            _ => return false,
        }
    }
    true
}

/// Notes that a request begins. Whether its head says in two ways how long its body is.
fn begin(shared: &Shared, request: &hyper::Request<Incoming>) -> bool {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    shared.begin(length, request.headers().contains_key(header::TRANSFER_ENCODING))
}

/// An answer as it goes over the line. For what was no request, where hyper does not write it for us.
pub async fn bytes(response: Response) -> Vec<u8> {
    let status = response.status();
    let mut head =
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or_default());
    for (name, value) in response.headers() {
        // Writing to a String cannot fail; our own headers are text.
        let _ = write!(head, "{name}: {}\r\n", value.to_str().unwrap_or_default());
    }
    let body = response.into_body().into_bytes().await.unwrap_or_default();
    let _ = write!(head, "content-length: {}\r\n\r\n", body.len());
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}
