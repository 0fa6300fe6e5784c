//! The server under torture: the real binary, started, killed and stopped.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::Failure;
use crate::client::Client;

/// How long a server may take to be ready, and to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// How to start a server.
#[derive(Clone, Debug)]
pub struct Start {
    /// The binary.
    pub binary: PathBuf,
    /// The database.
    pub database: PathBuf,
    /// How many requests a minute a key may make; 0 is no limit.
    pub rate_limit: u32,
    /// What its environment has besides ours.
    pub environment: Vec<(String, String)>,
}

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    told: Arc<Mutex<String>>,
    reader: Option<std::thread::JoinHandle<()>>,
    /// Where it listens.
    pub address: SocketAddr,
    /// How long it took from its start to its first answer.
    pub ready: Duration,
}

/// A server that did not start.
#[derive(Debug)]
pub struct Refusal {
    /// How it ended; nothing if it had to be killed.
    pub status: Option<ExitStatus>,
    /// What it said.
    pub told: String,
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the server did not start ({:?}): {}", self.status, self.told)
    }
}

impl std::error::Error for Refusal {}

impl Refusal {
    /// Whether it is a refusal as it should be: exit code 1 and a sentence.
    pub fn is_clear(&self) -> bool {
        self.status.and_then(|status| status.code()) == Some(1)
            && !self.told.trim().is_empty()
            && !self.told.contains("panicked")
    }
}

impl Start {
    /// A plain start.
    pub fn new(binary: &Path, database: &Path) -> Self {
        Self { binary: binary.to_owned(), database: database.to_owned(), rate_limit: 0, environment: vec![] }
    }

    /// A command of the binary on the database, with nothing of our own settings.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LODGE_")) {
            command.env_remove(name);
        }
        command.args(arguments).arg("--db").arg(&self.database);
        command.envs(self.environment.iter().map(|(name, value)| (name, value))).stdin(Stdio::null());
        command
    }

    /// Starts a server, which may refuse to start.
    ///
    /// # Errors
    /// What keeps it from being tried.
    pub fn try_serve(&self) -> Result<Result<Server, Box<Refusal>>, Failure> {
        match self.serve() {
            Ok(server) => Ok(Ok(server)),
            Err(failure) => failure.downcast::<Refusal>().map(Err),
        }
    }

    /// Starts a server and waits for its first answer.
    ///
    /// # Errors
    /// [`Refusal`] when it ends, or says nothing for a while.
    pub fn serve(&self) -> Result<Server, Failure> {
        let started = Instant::now();
        let limit = self.rate_limit.to_string();
        let arguments = ["serve", "--listen", "127.0.0.1:0", "--rate-limit", &limit, "--log", "error"];
        let mut child = self.command(&arguments).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let told = Arc::new(Mutex::new(String::new()));
        let stderr = child.stderr.take().ok_or("the server has no stderr")?;
        let (found, addresses) = channel();
        let kept = Arc::clone(&told);
        let reader = std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if let Some(address) = address_in(&line) {
                    let _ = found.send(address);
                }
                let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
                kept.push_str(&line);
                kept.push('\n');
            }
        });
        let mut server = Server {
            child,
            told,
            reader: Some(reader),
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            ready: Duration::ZERO,
        };
        if server.becomes_ready(&addresses) {
            server.ready = started.elapsed();
            return Ok(server);
        }
        let status = server.child.try_wait()?;
        server.kill()?;
        Err(Box::new(Refusal { status, told: server.told() }))
    }
}

/// The address in the greeting.
fn address_in(line: &str) -> Option<SocketAddr> {
    let after = line.split_once(" on http://")?.1;
    after.split([' ', '/']).next()?.parse().ok()
}

impl Server {
    fn becomes_ready(&mut self, addresses: &Receiver<SocketAddr>) -> bool {
        // A server that ends closes its stderr, which ends this wait too.
        if let Ok(address) = addresses.recv_timeout(PATIENCE) {
            self.address = address;
            let answer = Client::new(address).get("/health-check", "");
            if answer.is_ok_and(|answer| answer.is_ok()) {
                return true;
            }
        }
        let end = Instant::now() + PATIENCE;
        while self.is_alive() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(1));
        }
        false
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it still runs.
    pub fn is_alive(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Kills it as `kill -9` does, and waits until it is gone.
    pub fn kill(&mut self) -> Result<(), Failure> {
        self.child.kill()?;
        self.child.wait()?;
        self.read_out();
        Ok(())
    }

    /// Tells it to stop, and waits until it has: how long that took, if it ended well and in time.
    pub fn stop(&mut self) -> Result<Option<Duration>, Failure> {
        let started = Instant::now();
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status()?;
        while started.elapsed() < PATIENCE {
            if let Some(status) = self.child.try_wait()? {
                self.read_out();
                return Ok(status.success().then(|| started.elapsed()));
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        self.kill()?;
        Ok(None)
    }

    /// What it has said on stderr.
    pub fn told(&self) -> String {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn read_out(&mut self) {
        if let Some(reader) = self.reader.take() {
            let _ = reader.join();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
