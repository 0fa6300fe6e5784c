//! The shim between the server and its disk and clock: compiling it, loading it, telling it what to do.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::server::Start;

const SOURCE: &str = include_str!("shim.c");

/// A compiled shim.
pub struct Shim(PathBuf);

impl Shim {
    /// Compiles it with the system's C compiler.
    ///
    /// # Errors
    /// When there is none, or it refuses.
    pub fn compile(folder: &Path) -> Result<Self, Failure> {
        let (source, library) = (folder.join("shim.c"), folder.join("shim.so"));
        std::fs::write(&source, SOURCE)?;
        let mut cc = Command::new("cc");
        cc.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source).args(["-ldl", "-lpthread"]);
        let output = cc.output().map_err(|error| format!("no C compiler: {error}"))?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).into());
        }
        Ok(Self(library))
    }

    /// Loads it into servers started so; `tells` are the files through which it is told or tells.
    pub fn under(&self, mut start: Start, tells: &[(&str, &Path)]) -> Start {
        let base = start.database.file_name().unwrap_or_default().to_string_lossy().into_owned();
        start.environment.push(("LD_PRELOAD".into(), self.0.display().to_string()));
        start.environment.push(("TORTURE_BASE".into(), base));
        let tells = tells.iter().map(|(name, path)| ((*name).to_owned(), path.display().to_string()));
        start.environment.extend(tells);
        start
    }
}

/// A file through which a running shim is told something, or tells it.
struct Told {
    path: PathBuf,
    file: File,
}

impl Told {
    /// Makes the file, of so many zero bytes.
    fn make(path: PathBuf, length: u64) -> std::io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        file.set_len(length)?;
        Ok(Self { path, file })
    }

    /// Puts bytes there.
    fn put(&self, at: u64, bytes: &[u8]) -> std::io::Result<()> {
        self.file.write_all_at(bytes, at)
    }

    /// The number of eight bytes there.
    fn number(&self, at: u64) -> std::io::Result<u64> {
        let mut bytes = [0; 8];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(u64::from_ne_bytes(bytes))
    }
}

/// How many bytes `struct fault` in shim.c has.
const FAULT: u64 = 40;

/// What fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Call {
    /// A write, or a truncation.
    Write = 1,
    /// A sync.
    Sync = 2,
    /// The opening of a file.
    Open = 3,
}

/// A fault to come.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// What fails.
    pub call: Call,
    /// Which of these calls, from 1.
    pub nth: u32,
    /// Whether all the calls after it fail too.
    pub stays: bool,
    /// Whether the disk is full (ENOSPC) or broken (EIO).
    pub is_full: bool,
}

impl std::fmt::Display for Plan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (error, from) =
            (if self.is_full { "ENOSPC" } else { "EIO" }, if self.stays { " and on" } else { "" });
        write!(f, "{error} on {:?} {}{from}", self.call, self.nth)
    }
}

/// The fault that a running shim is told of.
pub struct Fault(Told);

impl Fault {
    /// No fault yet.
    pub fn none(path: PathBuf) -> std::io::Result<Self> {
        Told::make(path, FAULT).map(Self)
    }

    /// Where the shim is told.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Plans a fault, from now on.
    pub fn arm(&self, plan: &Plan) -> std::io::Result<()> {
        let error: u32 = if plan.is_full { 28 } else { 5 };
        self.0.put(4, &error.to_ne_bytes())?;
        self.0.put(8, &i64::from(plan.nth).to_ne_bytes())?;
        self.0.put(16, &u32::from(plan.stays).to_ne_bytes())?;
        self.0.put(0, &(plan.call as u32).to_ne_bytes())
    }

    /// How many calls have failed.
    pub fn struck(&self) -> std::io::Result<u64> {
        self.0.number(24)
    }
}

/// The wall clock that a running shim shows.
pub struct WallClock(Told);

impl WallClock {
    /// The system's own.
    pub fn right(path: PathBuf) -> std::io::Result<Self> {
        Told::make(path, 8).map(Self)
    }

    /// Where the shim is told.
    pub fn path(&self) -> &Path {
        &self.0.path
    }

    /// Makes it be so many seconds since 1970 now; it goes on from there.
    pub fn set(&self, seconds: i64) -> Result<(), Failure> {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
        let shift = i128::from(seconds) * 1_000_000_000 - i128::try_from(now.as_nanos())?;
        Ok(self.0.put(0, &i64::try_from(shift)?.to_ne_bytes())?)
    }
}
