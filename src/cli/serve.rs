//! `lodge serve`, and what `lodge demo` shares with it.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;

use clap::Args;
use socket2::{Domain, SockRef, Socket, Type};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::{Failure, tell};
use crate::app::{self, app};
use crate::backups::Plan;
use crate::config::{Backups, Database, LogFormat, Server};
use crate::db::open::OpenError;
use crate::db::{self, Db, open};
use crate::http::bounds::Proxies;
use crate::http::cors::Origins;
use crate::http::docs::Demo;
use crate::http::metrics::MetricsPage;
use crate::http::serve::{BACKLOG, serve};
use crate::upkeep::Upkeep;
use crate::{api_key, seed};

/// Serve a database over HTTP.
///
/// Makes the database, empty, if it does not exist, and then says how to make the first key. Stops on SIGTERM or Ctrl-C:
/// what runs is finished first.
#[derive(Args, Debug)]
pub struct Serve {
    #[command(flatten)]
    database: Database,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    backups: Backups,
    /// Only read: for a replica that another program keeps up to date, or beside the server that writes. What would write is
    /// refused with 503.
    #[arg(long, env = "LODGE_READ_ONLY", conflicts_with = "backup_every")]
    read_only: bool,
}

impl Serve {
    /// Serves until told to stop.
    pub fn run(self) -> Result<(), Failure> {
        let path = &self.database.db;
        let listener = take_port(&self.server)?;
        if self.read_only {
            open::ready(path)?;
            return start(path, listener, &self.server, &Way::ReadOnly, |address, _| {
                tell(&format!("Lodge serves {} on http://{address}, read-only.", path.display()));
            });
        }
        let way = Way::Whole(self.backups.plan(path));
        match open::check(path) {
            Err(OpenError::Missing(_)) => open::create(path)?,
            other => drop(other?),
        }
        start(path, listener, &self.server, &way, |address, keys| {
            let file = path.display();
            tell(&format!("Lodge serves {file} on http://{address} (docs at http://{address}/docs)."));
            if keys == 0 {
                tell(
                    "There is no key yet. Make one for the Internal API, through which everything else is made:",
                );
                tell(&format!("  lodge key create --db {file} --type internal --special"));
            }
        })
    }
}

/// Takes the port, before anything is made or opened: a port in use must leave nothing behind. Nobody is heard yet.
pub fn take_port(server: &Server) -> Result<TcpListener, Failure> {
    bind(server.listen)
}

fn bind(address: SocketAddr) -> Result<TcpListener, Failure> {
    let bound = || {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        // As the standard library does: a port is free again as soon as its server is gone.
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        Ok(socket.into())
    };
    bound().map_err(|error| refused_port(address, &error))
}

/// Lets clients connect. The standard library would do so while taking the port, and keep few of them waiting: who does not fit
/// in is not even refused.
fn listen(listener: &TcpListener) -> Result<SocketAddr, Failure> {
    let address = listener.local_addr()?;
    SockRef::from(listener).listen(BACKLOG).map_err(|error| refused_port(address, &error))?;
    Ok(address)
}

fn refused_port(address: SocketAddr, error: &std::io::Error) -> Failure {
    let message = format!("cannot listen on {address}: {error}");
    if error.kind() == std::io::ErrorKind::AddrInUse {
        Failure::in_use(message)
    } else {
        Failure::refused(message)
    }
}

/// Refuses to listen beyond loopback while published keys open the door.
pub fn refuse_published(server: &Server, path: &Path, keys: usize) -> Result<(), Failure> {
    if keys == 0 || server.listen.ip().is_loopback() || server.allow_demo_keys {
        return Ok(());
    }
    Err(Failure::refused(format!(
        "{} has {keys} active sample keys, which are published: anyone who reaches {} could use them. Revoke them, listen on \
         loopback, or pass --allow-demo-keys",
        path.display(),
        server.listen
    )))
}

/// What a server does besides answering.
pub enum Way {
    /// Writes, and makes these backups by itself.
    Whole(Option<Plan>),
    /// Reads only.
    ReadOnly,
}

/// Opens the database and serves it until SIGTERM or Ctrl-C. `greet` learns the address and how many keys there are, once
/// everything is in place: nothing that is read before can fail after it.
pub fn start(
    path: &Path,
    listener: TcpListener,
    server: &Server,
    way: &Way,
    greet: impl FnOnce(SocketAddr, i64),
) -> Result<(), Failure> {
    start_logging(server)?;
    let as_usual = db::Options::default();
    let (db, backups) = match way {
        Way::Whole(backups) => (Db::open(path, &as_usual)?, backups.clone()),
        Way::ReadOnly => (Db::open_read_only(path, &as_usual)?, None),
    };
    let db = Arc::new(db);
    warn_of_others(path, backups.as_ref());
    let demo_keys = db.read(|tx| api_key::store::count_active(tx, &seed::demo_key_hashes()))?;
    refuse_published(server, path, usize::try_from(demo_keys).unwrap_or(0))?;
    let is_sample = db.read(|tx| Ok(seed::store::find_sample(tx)?.is_some()))?;
    let keys = db.read(api_key::store::count)?;
    let demo = if is_sample && demo_keys > 0 { demo_agent(&db)? } else { None };
    let options = options(server, demo);
    let metrics = server.network.metrics.map(bind).transpose()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let served = runtime.block_on(async {
        let stop = CancellationToken::new();
        stop_on_signal(stop.clone())?;
        let address = listen(&listener)?;
        let metrics =
            metrics.map(|metrics| listen(&metrics).map(|address| (metrics, address))).transpose()?;
        greet(address, keys);
        if let Some((metrics, address)) = metrics {
            tell(&format!("Metrics are on http://{address}/metrics."));
            let page = MetricsPage { metrics: Arc::clone(&options.metrics), db: Arc::clone(&db) };
            // Counted apart, so that looking does not show up in what is looked at.
            let serving = app::Options::default().serving();
            let listener = tokio::net::TcpListener::from_std(metrics)?;
            tokio::spawn(serve(listener, page, serving, stop.clone()));
        }
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let upkeep = Upkeep::new(backups);
        let serving = serve(listener, app(&db, &options, upkeep.uses()), options.serving(), stop);
        upkeep.beside(&db, serving).await?;
        Ok(())
    });
    // The database is closed only after everything that uses it is gone, so that SQLite tidies its log away.
    drop(runtime);
    drop(db);
    served
}

/// Says once which files others than their owner may read or write. Whoever allowed that may have meant it, so it stays.
fn warn_of_others(path: &Path, backups: Option<&Plan>) {
    let mut files = open::open_to_others(path);
    files.extend(backups.into_iter().flat_map(|plan| plan.open_to_others(path)));
    if !files.is_empty() {
        tracing::warn!(?files, "others than their owner may read or write these files");
    }
}

fn options(server: &Server, demo: Option<Demo>) -> app::Options {
    let network = &server.network;
    app::Options {
        rate_limit: server.rate_limit,
        auth_failure_limit: server.auth_failure_limit,
        max_body: server.max_body as usize,
        demo,
        bounds: Arc::new(network.bounds()),
        proxies: Proxies(network.trusted_proxy.clone()),
        origins: Origins::new(&network.cors_origin),
        metrics: Arc::default(),
    }
}

/// The sample agent whose key still opens the door.
fn demo_agent(db: &Db) -> Result<Option<Demo>, Failure> {
    for (name, key) in seed::demo_keys() {
        let hash = crate::auth::key::hash(&key);
        if db.read(|tx| api_key::store::count_active(tx, &[hash]))? > 0 {
            return Ok(Some(Demo { name, key }));
        }
    }
    Ok(None)
}

fn start_logging(server: &Server) -> Result<(), Failure> {
    let filter: Targets = server
        .log
        .parse()
        .map_err(|_| Failure::usage(format!("--log {} is not a level or a filter", server.log)))?;
    let lines = fmt::layer().with_writer(std::io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    // A second server in one process (tests) keeps the first one's log.
    let _ = match server.log_format {
        LogFormat::Text => registry.with(lines.with_target(false)).try_init(),
        LogFormat::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    Ok(())
}

fn stop_on_signal(stop: CancellationToken) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.cancel();
    });
    Ok(())
}
