//! Every setting of a server, once: its flag, its environment twin, its default and its text. Validated while it is parsed,
//! then passed on, never global.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;

use crate::http::bounds::Bounds;

use crate::backups::Plan;
use crate::time::parse_duration;

/// How a server listens and what it allows.
#[derive(Args, Clone, Debug)]
pub struct Server {
    /// The address to listen on. Keep loopback and put a proxy with TLS in front.
    #[arg(long, env = "LODGE_LISTEN", default_value = "127.0.0.1:8080", value_name = "ADDRESS:PORT")]
    pub listen: SocketAddr,
    /// How many requests a minute each key may make; 0 turns both limits off.
    #[arg(long, env = "LODGE_RATE_LIMIT", default_value_t = 1200, value_name = "PER-MINUTE")]
    pub rate_limit: u32,
    /// How many failed authentications a minute each address may make; 0 is no limit. A valid key is never refused for its
    /// address's failures.
    #[arg(long, env = "LODGE_AUTH_FAILURE_LIMIT", default_value_t = 300, value_name = "PER-MINUTE")]
    pub auth_failure_limit: u32,
    /// How many bytes a request's body may have.
    #[arg(long, env = "LODGE_MAX_BODY", default_value_t = 1_048_576, value_name = "BYTES",
          value_parser = clap::value_parser!(u32).range(1024..=67_108_864))]
    pub max_body: u32,
    #[command(flatten)]
    #[allow(missing_docs, reason = "a doc comment here would become the help of the whole group")]
    pub network: Network,
    /// Listen beyond loopback even though a published sample key opens the door.
    #[arg(long, env = "LODGE_ALLOW_DEMO_KEYS", default_value_t = false)]
    pub allow_demo_keys: bool,
    /// How log lines look on stderr.
    #[arg(long, env = "LODGE_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    pub log_format: LogFormat,
    /// What is logged: `error`, `warn`, `info` (a line a request), `debug`, or a filter such as `lodge=info`.
    #[arg(long, env = "LODGE_LOG", default_value = "info", value_name = "LEVEL")]
    pub log: String,
}

/// What clients may ask of the network side of a server.
#[derive(Args, Clone, Debug)]
pub struct Network {
    /// How many connections there may be at once; beyond it, the one that has idled longest ends.
    #[arg(long, env = "LODGE_MAX_CONNECTIONS", default_value_t = 1024, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub max_connections: u32,
    /// How many of them one address (of IPv6, one /64) may hold; 0 is no limit. Loopback and trusted proxies are not
    /// counted.
    #[arg(long, env = "LODGE_MAX_CONNECTIONS_PER_ADDRESS", default_value_t = 256, value_name = "NUMBER")]
    pub max_connections_per_address: u32,
    /// How many changes may be worked on at once; as many more may wait half a second for their turn, and others are
    /// refused with 503.
    #[arg(long, env = "LODGE_MAX_REQUESTS", default_value_t = 256, value_name = "NUMBER",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub max_requests: u32,
    /// How long a connection may be idle between two requests. Keep it longer than a proxy keeps its connections.
    #[arg(long, env = "LODGE_IDLE_TIMEOUT", default_value_t = 75, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub idle_timeout: u64,
    /// How long the body of a request may take in all.
    #[arg(long, env = "LODGE_BODY_TIMEOUT", default_value_t = 60, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub body_timeout: u64,
    /// How long a request may take in all, its body included.
    #[arg(long, env = "LODGE_REQUEST_TIMEOUT", default_value_t = 90, value_name = "SECONDS",
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub request_timeout: u64,
    /// A proxy, or a network of them (CIDR), whose X-Forwarded-For or Forwarded says whose a request is. Can be given
    /// more than once; nobody is believed by default.
    #[arg(long, env = "LODGE_TRUSTED_PROXY", value_name = "CIDR", value_delimiter = ',', value_parser = network)]
    pub trusted_proxy: Vec<IpNet>,
    /// An origin whose pages may call the API from a browser, such as https://desk.example. Can be given more than once;
    /// there is none by default.
    #[arg(long, env = "LODGE_CORS_ORIGIN", value_name = "ORIGIN", value_delimiter = ',', value_parser = origin)]
    pub cors_origin: Vec<String>,
    /// Where to serve /metrics for Prometheus, without a key; not at all by default. Keep it on loopback or a private
    /// network.
    #[arg(long, env = "LODGE_METRICS", value_name = "ADDRESS:PORT")]
    pub metrics: Option<SocketAddr>,
}

impl Network {
    /// The limits, those that have no flag included.
    pub fn bounds(&self) -> Bounds {
        Bounds {
            connections: self.max_connections as usize,
            connections_per_address: self.max_connections_per_address as usize,
            requests: self.max_requests as usize,
            idle: Duration::from_secs(self.idle_timeout),
            body: Duration::from_secs(self.body_timeout),
            request: Duration::from_secs(self.request_timeout),
            ..Bounds::default()
        }
    }
}

fn network(text: &str) -> Result<IpNet, String> {
    let address = || text.parse::<IpAddr>().map(IpNet::from);
    text.parse::<IpNet>().or_else(|_| address()).map_err(|_| "is not an address or a network".to_owned())
}

/// An origin exactly as browsers send it: scheme, host and perhaps a port, in lower case, and nothing behind them.
fn origin(text: &str) -> Result<String, String> {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:[]".contains(&byte);
    if host.is_empty() || !host.bytes().all(plain) {
        return Err("is not an origin such as https://desk.example".to_owned());
    }
    Ok(text.to_owned())
}

/// The backups that a server makes by itself.
#[derive(Args, Clone, Debug)]
pub struct Backups {
    /// Make a backup this often while serving, such as 1d, 6h or 30m. Without it there are none.
    #[arg(long, env = "LODGE_BACKUP_EVERY", value_name = "DURATION", value_parser = parse_duration)]
    pub backup_every: Option<i64>,
    /// How many of these backups to keep: the newest. Other files are never touched.
    #[arg(long, env = "LODGE_BACKUP_KEEP", default_value_t = 7, value_name = "N", requires = "backup_every",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub backup_keep: u32,
    /// The folder for these backups; made if it does not exist. The default is `backups` beside the database.
    #[arg(long, env = "LODGE_BACKUP_DIR", value_name = "FOLDER", requires = "backup_every")]
    pub backup_dir: Option<PathBuf>,
}

impl Backups {
    /// What is to be done for a database, if anything.
    pub fn plan(&self, database: &Path) -> Option<Plan> {
        let folder = || database.parent().unwrap_or(Path::new("")).join("backups");
        self.backup_every.map(|every| Plan {
            every,
            keep: self.backup_keep as usize,
            folder: self.backup_dir.clone().unwrap_or_else(folder),
        })
    }
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For programs: a JSON object a line.
    Json,
}

/// The database of a command.
#[derive(Args, Clone, Debug)]
pub struct Database {
    /// The database file.
    #[arg(long, env = "LODGE_DB", default_value = "lodge.db", value_name = "FILE")]
    pub db: PathBuf,
}
