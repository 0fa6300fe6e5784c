//! The first limit: the same server (accept loop, HTTP, front, routes, the gate of an operation that asks for no key) answering
//! a constant body of the same size.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use lodge::app::Options;
use lodge::auth::Known;
use lodge::db::{self, Db, open};
use lodge::http::front::Front;
use lodge::http::gate::{Shared, mount};
use lodge::http::limit::Buckets;
use lodge::http::load::Load;
use lodge::http::serve::{BACKLOG, serve};
use lodge::http::tag::BASE;
use lodge::upkeep::Upkeep;
use poem::Route;
use poem_openapi::OpenApi;
use poem_openapi::param::Path;
use poem_openapi::payload::Binary;
use tokio_util::sync::CancellationToken;

use crate::Failure;

/// What is answered with, as much of it as is asked for.
static BODY: [u8; 1 << 20] = [b' '; 1 << 20];

struct Constant;

#[OpenApi]
impl Constant {
    /// So many bytes
    #[oai(path = "/constant/:length", method = "get", operation_id = "constant")]
    async fn constant(
        &self,
        /// How many.
        length: Path<u32>,
    ) -> Binary<Bytes> {
        Binary(Bytes::from_static(&BODY[..BODY.len().min(length.0 as usize)]))
    }
}

/// Serves until it is killed. Says where on stderr, as `lodge serve` does.
pub fn run() -> Result<(), Failure> {
    let options = Options::default();
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    socket2::SockRef::from(&listener).listen(BACKLOG)?;
    listener.set_nonblocking(true)?;
    let lines = tracing_subscriber::fmt().with_max_level(tracing::Level::ERROR);
    lines.with_target(false).with_writer(std::io::stderr).init();
    // The gate has a desk, which nothing looks at. Its file is gone as soon as it is open: whoever is killed tidies nothing away.
    let folder = tempfile::tempdir()?;
    let desk = folder.path().join("desk.db");
    open::create(&desk)?;
    let db = Arc::new(Db::open(&desk, &db::Options::default())?);
    folder.close()?;
    let load = Arc::new(Load::new(options.bounds.requests, options.bounds.turn, 1));
    let shared = Arc::new(Shared {
        db,
        known: Known::default(),
        calls: Buckets::new(0),
        failures: Buckets::new(0),
        max_body: options.max_body,
        bounds: Arc::clone(&options.bounds),
        load: Arc::clone(&load),
        metrics: Arc::clone(&options.metrics),
        running: Arc::default(),
        uses: Arc::clone(Upkeep::default().uses()),
    });
    let front = Front {
        inner: mount(Route::new(), BASE, Constant, &shared),
        limit: options.bounds.request,
        proxies: options.proxies.clone(),
        origins: options.origins.clone(),
        metrics: Arc::clone(&options.metrics),
        load,
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
