//! The processes that are measured: starting and stopping them, and what they take of the machine.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use crate::Failure;

/// How long a server may take to be ready, and to stop.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long it may be busy with itself.
const SETTLING: Duration = Duration::from_secs(10);

/// A running server. Killed when dropped.
pub struct Server {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Server {
    /// Serves a database, with these variables in its environment.
    pub fn lodge(binary: &Path, database: &Path, environment: &[(&str, &Path)]) -> Result<Self, Failure> {
        let mut command = plain(binary);
        command.args(["serve", "--listen", "127.0.0.1:0", "--rate-limit", "0", "--log", "error", "--db"]);
        command.arg(database).envs(environment.iter().copied());
        Self::start(command)
    }

    /// Answers every path with as many bytes as it says.
    pub fn constant() -> Result<Self, Failure> {
        let mut command = plain(&std::env::current_exe()?);
        command.arg("constant");
        Self::start(command)
    }

    fn start(mut command: Command) -> Result<Self, Failure> {
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn()?;
        let stderr = child.stderr.take().ok_or("the server has no stderr")?;
        let (tell, told) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = tell.send(line);
            }
        });
        let mut server = Self { child, address: SocketAddr::from(([127, 0, 0, 1], 0)) };
        let mut lines = vec![];
        while let Ok(line) = told.recv_timeout(PATIENCE) {
            if let Some(address) = address_in(&line) {
                server.address = address;
                return Ok(server);
            }
            lines.push(line);
        }
        Err(format!("the server did not start: {}", lines.join(" ")).into())
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What it has taken of the processors so far, in nanoseconds.
    pub fn cpu(&self) -> u64 {
        cpu(self.pid())
    }

    /// Waits until it has nothing to do: what it does after its start is nobody's request.
    pub fn settle(&self) {
        let started = Instant::now();
        let mut before = u64::MAX;
        while before != self.cpu() && started.elapsed() < SETTLING {
            before = self.cpu();
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// Tells it to stop, and waits until it has.
    pub fn stop(mut self) -> Result<(), Failure> {
        Command::new("kill").args(["-TERM", &self.pid().to_string()]).status()?;
        let started = Instant::now();
        while started.elapsed() < PATIENCE {
            if self.child.try_wait()?.is_some() {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Err("the server did not stop".into())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A command with nothing of our own settings.
pub fn plain(binary: &Path) -> Command {
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("LODGE_")) {
        command.env_remove(name);
    }
    command
}

fn address_in(line: &str) -> Option<SocketAddr> {
    let after = line.split_once(" on http://")?.1;
    after.split([' ', '/']).next()?.parse().ok()
}

/// What the threads of a process have taken of the processors, in nanoseconds. `/proc/PID/stat` knows hundredths of a second.
pub fn cpu(pid: u32) -> u64 {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    tasks.flatten().filter_map(|task| ran(&task.path().join("schedstat"))).sum()
}

/// What one thread has taken, in nanoseconds.
pub fn ran(schedstat: &Path) -> Option<u64> {
    std::fs::read_to_string(schedstat).ok()?.split(' ').next()?.parse().ok()
}

/// A process and all that come of it.
pub fn family(pid: u32) -> Vec<u32> {
    let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let children = children.split_whitespace().filter_map(|child| child.parse().ok());
    std::iter::once(pid).chain(children.flat_map(family)).collect()
}

/// One of the figures of memory in `/proc/PID/status`, in KiB.
pub fn memory(pid: u32, figure: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(figure)?.strip_prefix(':'));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}
