//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Break a help desk on purpose and see whether it keeps its promise.
#[derive(Debug, Parser)]
#[command(name = "torture")]
pub struct Options {
    /// Which harness to run, or which form of all of them.
    pub harness: Harness,
    /// What the choices are drawn from; printed, so that a run can be repeated. What the scheduler does is not repeated.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// How many cycles, points or trials; when absent, those of the full form (of the short one with `short`).
    #[arg(long)]
    pub cycles: Option<u32>,
    /// The server to break; when absent, that of this build.
    #[arg(long, default_value = env!("CARGO_BIN_EXE_lodge"))]
    pub binary: PathBuf,
    /// Where the databases are made, each run in a folder of its own that it removes again.
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    pub folder: PathBuf,
    /// How many threads replay a power cut's images; when absent, one for each processor.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Keep the folder of the run and say where it is.
    #[arg(long)]
    pub keep: bool,
    /// What `cargo bench` says to every harness.
    #[arg(long, hide = true)]
    bench: bool,
}

/// A harness, or a form of all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Harness {
    /// The process is killed while eight clients write.
    Kill,
    /// The power is cut at random points of what the server did to its disk.
    Power,
    /// The n-th write, sync or opening of a file fails.
    Io,
    /// The disk fills up and has space again.
    DiskFull,
    /// The wall clock jumps.
    Clock,
    /// Bits flip in the files, or the files are cut short.
    Corruption,
    /// Every answer is compared with a reference model's.
    Model,
    /// Thirty-two clients do the same thing at the same moment.
    Races,
    /// What somebody may do is taken away while they do it.
    Revocation,
    /// Mutated requests, straight into the app.
    Fuzz,
    /// Twice as many requests as the server can answer.
    Overload,
    /// Clients that take their time, and a server without descriptors.
    Slow,
    /// Twenty minutes of mixed work.
    Soak,
    /// Every harness in its short form, five minutes at most.
    Short,
    /// Every harness in its full form.
    Full,
}

impl Harness {
    /// Those that run, in the order of the table.
    pub fn all() -> Vec<Self> {
        let forms = [Self::Short, Self::Full];
        Self::value_variants().iter().copied().filter(|harness| !forms.contains(harness)).collect()
    }
}

impl Options {
    /// How many cycles to run, given those of the full and of the short form.
    pub fn cycles(&self, full: u32, short: u32) -> u32 {
        let usual = if self.harness == Harness::Short { short } else { full };
        self.cycles.unwrap_or(usual)
    }

    /// A folder for one run.
    pub fn scratch(&self, name: &str) -> std::io::Result<tempfile::TempDir> {
        let mut folder =
            tempfile::Builder::new().prefix(&format!("torture-{name}-")).tempdir_in(&self.folder)?;
        if self.keep {
            folder.disable_cleanup(true);
            println!("{name}: its folder is {}", folder.path().display());
        }
        Ok(folder)
    }

    /// A folder in memory, where the system has one, for what is written often and need not last.
    pub fn scratch_in_memory(&self, name: &str) -> std::io::Result<tempfile::TempDir> {
        let memory = PathBuf::from("/dev/shm");
        let place = if memory.is_dir() { &memory } else { &self.folder };
        tempfile::Builder::new().prefix(&format!("torture-{name}-")).tempdir_in(place)
    }

    /// How many threads to use.
    pub fn threads(&self) -> usize {
        self.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from))
    }
}
