//! Every setting of a server, once: its flag, its environment twin, its default and its text. Validated while it is parsed,
//! then passed on, never global.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

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
