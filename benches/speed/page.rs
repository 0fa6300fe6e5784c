//! The page that the figures go to. The prose around them stays: each table stands between two comments.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::options::Options;
use crate::quiet;

/// docs/performance.md.
pub struct Page {
    path: PathBuf,
    circumstances: String,
}

impl Page {
    /// The page, and under which circumstances this run measures.
    pub fn open(options: &Options) -> Result<Self, Failure> {
        let path = options.output.join("performance.md");
        if !path.exists() {
            return Err(format!("{} is not there to be filled", path.display()).into());
        }
        Ok(Self { path, circumstances: circumstances(options) })
    }

    /// Puts a table in its place, and prints it.
    pub fn put(&mut self, name: &str, table: &str) -> Result<(), Failure> {
        println!("\n{table}");
        let text = std::fs::read_to_string(&self.path)?;
        let (begin, end) = (format!("<!-- measured: {name} -->\n"), format!("<!-- end: {name} -->"));
        let from =
            text.find(&begin).ok_or_else(|| format!("the page has no place for {name}"))? + begin.len();
        let to =
            from + text[from..].find(&end).ok_or_else(|| format!("the place for {name} does not end"))?;
        let filled =
            format!("{}\n{}\n{}\n\n{}", &text[..from], self.circumstances(), table.trim_end(), &text[to..]);
        Ok(std::fs::write(&self.path, filled)?)
    }

    /// Under which circumstances was measured so far.
    fn circumstances(&self) -> String {
        let (all, undisturbed) = quiet::counts();
        format!("<sub>{}; {undisturbed} of {all} measurements undisturbed.</sub>\n", self.circumstances)
    }

    /// Writes a plot beside it.
    pub fn plot(&self, name: &str, svg: &str) -> Result<(), Failure> {
        Ok(std::fs::write(self.path.with_file_name(name), svg)?)
    }
}

/// When, where and what. Load before the run tells whether the machine was idle.
fn circumstances(options: &Options) -> String {
    let now = jiff::Timestamp::now().strftime("%-d %B %Y").to_string();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let info = read("/proc/cpuinfo");
    let model =
        info.lines().find(|line| line.starts_with("model name")).and_then(|line| line.split(": ").nth(1));
    let kernel = read("/proc/sys/kernel/osrelease");
    let load = read("/proc/loadavg");
    let memory = read("/proc/meminfo");
    let memory = memory.split_whitespace().nth(1).and_then(|kib| kib.parse::<f64>().ok()).unwrap_or(0.0);
    let own = env!("CARGO_BIN_EXE_lodge");
    let build = match (options.binary == Path::new(own), cfg!(debug_assertions)) {
        (false, _) => "another binary",
        (true, false) => "release build",
        (true, true) => "build of the profile dev: no figure to go by",
    };
    format!(
        "{now}, commit {}, {build}; {cores} cores ({}), {:.0} GiB, Linux {}, load {} before; {} s a measurement",
        commit(),
        model.unwrap_or("unknown processor").trim(),
        memory / 1024.0 / 1024.0,
        kernel.trim(),
        load.split(' ').next().unwrap_or_default(),
        options.seconds,
    )
}

fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output();
        output
            .ok()
            .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
            .unwrap_or_default()
    };
    let changed = if git(&["status", "--porcelain", "--untracked-files=no", "src", "Cargo.lock"]).is_empty() {
        ""
    } else {
        " with changes"
    };
    format!("{}{changed}", git(&["rev-parse", "--short", "HEAD"]))
}

/// A number with thousands apart and no more digits than it is worth.
pub fn number(value: f64) -> String {
    if !value.is_finite() {
        return String::new();
    }
    if value < 10.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{value:.0}");
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The middle one.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
