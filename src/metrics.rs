//! Numbers about a running server, and their form for Prometheus (text format 0.0.4).
//!
//! Counting is a relaxed addition to a word that is there already: nothing is allocated or locked where requests pass. The
//! text is made when somebody asks for it.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// One more.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// How many there were.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many there are now.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// One more, until the guard is dropped.
    pub fn hold(&self) -> Held<'_> {
        self.change(1);
        Held(self)
    }

    /// More, or fewer.
    pub fn change(&self, by: i64) {
        self.0.fetch_add(by, Ordering::Relaxed);
    }

    /// How many there are.
    pub fn get(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One of what a [`Gauge`] counts.
#[derive(Debug)]
pub struct Held<'a>(&'a Gauge);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.change(-1);
    }
}

/// How often a value was at most each of some bounds. Values are whole numbers: microseconds, or pieces.
#[derive(Debug)]
pub struct Histogram {
    bounds: &'static [u64],
    /// One more than there are bounds: the last is for what exceeds them all.
    counts: Vec<AtomicU64>,
    sum: AtomicU64,
}

/// Bounds for durations, in microseconds: from a point query to a client's patience.
pub const DURATIONS: &[u64] =
    &[100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 10_000_000];
/// Bounds for pieces of a batch.
pub const PIECES: &[u64] = &[1, 2, 4, 8, 16, 32, 64, 128];

impl Histogram {
    /// With these bounds, ascending.
    pub fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect();
        Self { bounds, counts, sum: AtomicU64::new(0) }
    }

    /// Takes note of a value.
    pub fn observe(&self, value: u64) {
        let place = self.bounds.partition_point(|bound| *bound < value);
        if let Some(count) = self.counts.get(place) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum.fetch_add(value, Ordering::Relaxed);
    }

    /// Takes note of a duration, in microseconds.
    pub fn observe_duration(&self, duration: Duration) {
        self.observe(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX));
    }
}

/// The text that Prometheus reads.
#[derive(Debug, Default)]
pub struct Text(String);

impl Text {
    /// Begins a family of numbers: its name, its type, what it says.
    pub fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// A number of the family. `labels` as they stand between the braces; what is in them is ours, and needs no escaping.
    pub fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        let (open, close) = if labels.is_empty() { ("", "") } else { ("{", "}") };
        let _ = writeln!(self.0, "{name}{open}{labels}{close} {value}");
    }

    /// A family that is one number.
    pub fn single(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, kind, help);
        self.sample(name, "", value);
    }

    /// A histogram of the family, its values divided by `unit` (a million turns microseconds into seconds).
    pub fn histogram(&mut self, name: &str, labels: &str, histogram: &Histogram, unit: u64) {
        let comma = if labels.is_empty() { "" } else { "," };
        let mut total = 0;
        for (count, bound) in histogram.counts.iter().zip(histogram.bounds) {
            total += count.load(Ordering::Relaxed);
            let bound = *bound as f64 / unit as f64;
            self.sample(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"{bound}\""), total);
        }
        total += histogram.counts.last().map_or(0, |count| count.load(Ordering::Relaxed));
        self.sample(&format!("{name}_bucket"), &format!("{labels}{comma}le=\"+Inf\""), total);
        let sum = histogram.sum.load(Ordering::Relaxed) as f64 / unit as f64;
        self.sample(&format!("{name}_sum"), labels, sum);
        self.sample(&format!("{name}_count"), labels, total);
    }

    /// All of it.
    pub fn finish(self) -> String {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_upwards() {
        let histogram = Histogram::new(PIECES);
        for value in [1, 2, 3, 1000] {
            histogram.observe(value);
        }
        let mut text = Text::default();
        text.histogram("x", "a=\"b\"", &histogram, 1);
        let text = text.finish();
        assert!(text.starts_with("x_bucket{a=\"b\",le=\"1\"} 1\nx_bucket{a=\"b\",le=\"2\"} 2\n"), "{text}");
        assert!(text.contains("le=\"128\"} 3\nx_bucket{a=\"b\",le=\"+Inf\"} 4\n"), "{text}");
        assert!(text.ends_with("x_sum{a=\"b\"} 1006\nx_count{a=\"b\"} 4\n"), "{text}");
    }
}
