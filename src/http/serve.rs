//! The accept loop: HTTP/1.1 on hyper around a poem endpoint.
//!
//! poem's own server has no header timeout, spins when file descriptors run out and keeps handlers of clients that left
//! running; this one has timeouts, a cap on connections, a back-off and a deadline on shutdown.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use poem::http::uri::Scheme;
use poem::web::{LocalAddr, RemoteAddr};
use poem::{Endpoint, Request, Response};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long a client may take over the head of a request, and between requests.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How many connections there may be at once.
const MAX_CONNECTIONS: usize = 1024;
/// How large the head of a request may be before hyper itself refuses it.
const MAX_HEAD: usize = 128 * 1024;
/// How many headers hyper reads; `http::front` refuses fewer in our own shape.
const MAX_HEADERS: usize = 512;
/// How long running requests may take to finish once we stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves until `stop`, then lets running requests finish, for a while.
///
/// # Errors
/// When the listener cannot say where it listens.
pub async fn serve<E>(listener: TcpListener, endpoint: E, stop: CancellationToken) -> std::io::Result<()>
where
    E: Endpoint<Output = Response> + 'static,
{
    let endpoint = Arc::new(endpoint);
    let local = listener.local_addr()?;
    let slots = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let (running, kill) = (TaskTracker::new(), CancellationToken::new());
    loop {
        let slot = tokio::select! {
            () = stop.cancelled() => break,
            slot = Arc::clone(&slots).acquire_owned() => slot,
        };
        let (socket, peer) = tokio::select! {
            () = stop.cancelled() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of descriptors, most likely: wait instead of spinning.
                    tracing::warn!(%error, "cannot accept connections");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            },
        };
        let (endpoint, stop, kill) = (Arc::clone(&endpoint), stop.clone(), kill.clone());
        running.spawn(async move {
            let _slot = slot;
            let addresses = (LocalAddr(local.into()), RemoteAddr(peer.into()));
            connection(socket, addresses, endpoint, stop, kill).await;
        });
    }
    drop(listener);
    running.close();
    if tokio::time::timeout(GRACE, running.wait()).await.is_err() {
        kill.cancel();
        running.wait().await;
    }
    Ok(())
}

/// One connection, from the first byte to the last.
async fn connection<E>(
    socket: TcpStream,
    addresses: (LocalAddr, RemoteAddr),
    endpoint: Arc<E>,
    stop: CancellationToken,
    kill: CancellationToken,
) where
    E: Endpoint<Output = Response> + 'static,
{
    // Without this, small answers wait for the client's acknowledgement. A socket that refuses it still works.
    let _ = socket.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let endpoint = Arc::clone(&endpoint);
        let (local, remote) = addresses.clone();
        async move {
            let request = Request::from((request, local, remote, Scheme::HTTP));
            let response = endpoint.get_response(request).await;
            Ok::<hyper::Response<_>, Infallible>(response.into())
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(MAX_HEAD)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(socket), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        () = stop.cancelled() => connection.as_mut().graceful_shutdown(),
    }
    tokio::select! {
        _ = connection => {}
        () = kill.cancelled() => {}
    }
}
