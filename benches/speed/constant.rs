//! The first limit: the same server (accept loop, HTTP, front) answering a constant body of the same size. What is left out
//! is the gate, the handler and the database.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use lodge::app::Options;
use lodge::http::front::Front;
use lodge::http::load::Load;
use lodge::http::serve::{BACKLOG, serve};
use poem::endpoint::make_sync;
use poem::{Request, Response};
use tokio_util::sync::CancellationToken;

use crate::Failure;

/// What is answered with, as much of it as is asked for.
static BODY: [u8; 1 << 20] = [b' '; 1 << 20];

/// Serves until it is killed. Says where on stderr, as `lodge serve` does.
pub fn run() -> Result<(), Failure> {
    let options = Options::default();
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    socket2::SockRef::from(&listener).listen(BACKLOG)?;
    listener.set_nonblocking(true)?;
    let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR);
    lines.with_target(false).with_writer(std::io::stderr).init();
    let front = Front {
        inner: make_sync(answer),
        limit: options.bounds.request,
        proxies: options.proxies.clone(),
        origins: options.origins.clone(),
        metrics: Arc::clone(&options.metrics),
        load: Arc::new(Load::new(options.bounds.requests, options.bounds.turn, 1)),
        refusal: OnceLock::new(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        eprintln!("A constant body on http://{}/", listener.local_addr()?);
        let listener = tokio::net::TcpListener::from_std(listener)?;
        serve(listener, front, options.serving(), CancellationToken::new()).await?;
        Ok(())
    })
}

fn answer(request: Request) -> Response {
    let length: usize = request.uri().path().trim_start_matches('/').parse().unwrap_or(0);
    let body = Bytes::from_static(&BODY[..length.min(BODY.len())]);
    Response::builder().content_type("application/json").body(body)
}
