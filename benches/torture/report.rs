//! What a run found: figures for people, a row for the table, and what broke the promise.

use std::time::Instant;

/// The head of the table in docs/reliability.md.
pub const HEAD: &str = "| Harness | Measured | Violations | Seed | Time |\n|---|---|---|---|---|";
/// How many violations are printed one by one.
const SHOWN: usize = 20;
/// How many characters of one.
const WIDTH: usize = 400;

/// What a run found.
pub struct Report {
    name: &'static str,
    what: &'static str,
    seed: u64,
    started: Instant,
    figures: Vec<String>,
    violations: Vec<String>,
}

impl Report {
    /// A report of a run that begins now. `what` is its first cell in the table.
    pub fn new(name: &'static str, what: &'static str, seed: u64) -> Self {
        println!("{name}: seed {seed}");
        Self { name, what, seed, started: Instant::now(), figures: vec![], violations: vec![] }
    }

    /// Notes a figure.
    pub fn figure(&mut self, figure: impl Into<String>) {
        self.figures.push(figure.into());
    }

    /// Notes that the promise was broken, and tells so at once: a long run should not have to end first.
    pub fn violation(&mut self, violation: impl Into<String>) {
        let violation = violation.into();
        if self.violations.len() < SHOWN {
            println!("{}: VIOLATION: {}", self.name, shortened(&violation));
        }
        self.violations.push(violation);
    }

    /// Whether nothing broke the promise.
    pub fn is_clean(&self) -> bool {
        self.violations.is_empty()
    }

    /// Prints the figures.
    pub fn tell(&self) {
        self.figures.iter().for_each(|figure| println!("{}: {figure}", self.name));
        println!(
            "{}: {} violations, {} s",
            self.name,
            self.violations.len(),
            self.started.elapsed().as_secs()
        );
    }

    /// The row of the table.
    pub fn row(&self) -> String {
        format!(
            "| {} | {} | {} | {} | {} s |",
            self.what,
            self.figures.join("; "),
            self.violations.len(),
            self.seed,
            self.started.elapsed().as_secs()
        )
    }
}

/// One line of a terminal or three: a violation may list a whole day's work.
fn shortened(text: &str) -> String {
    let mut line: String = text.chars().take(WIDTH).collect();
    if line.len() < text.len() {
        line += " …";
    }
    line.replace('\n', " | ")
}

/// The value below which this share of the values lies; nothing of no values.
pub fn percentile<T: Copy + Ord>(values: &[T], share: f64) -> Option<T> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    sorted.get(((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1))).copied()
}
