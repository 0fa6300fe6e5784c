//! How the database is doing, in numbers.

use std::fs;

use super::Db;
use crate::metrics::{Counter, DURATIONS, Gauge, Histogram, PIECES, Text};

/// What the writer counts.
#[derive(Debug)]
pub struct Vitals {
    /// Jobs that wait for the writer.
    pub queued: Gauge,
    /// Jobs refused because too many wait.
    pub refused: Counter,
    /// How many jobs a commit holds.
    pub batches: Histogram,
    /// How long a commit takes.
    pub commits: Histogram,
    /// Commits that failed.
    pub failed: Counter,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            queued: Gauge::default(),
            refused: Counter::default(),
            batches: Histogram::new(PIECES),
            commits: Histogram::new(DURATIONS),
            failed: Counter::default(),
        }
    }
}

impl Db {
    /// Adds the database's numbers to a text.
    pub fn write_metrics(&self, text: &mut Text) {
        let vitals = &self.vitals;
        text.single("lodge_writer_queue", "gauge", "Changes that wait for the writer.", vitals.queued.get());
        let refused = vitals.refused.get();
        text.single(
            "lodge_writer_refused_total",
            "counter",
            "Changes refused because too many wait.",
            refused,
        );
        text.family("lodge_writer_batch_size", "histogram", "How many changes one commit holds.");
        text.histogram("lodge_writer_batch_size", "", &vitals.batches, 1);
        text.family("lodge_commit_duration_seconds", "histogram", "How long a commit takes.");
        text.histogram("lodge_commit_duration_seconds", "", &vitals.commits, 1_000_000);
        let failed = vitals.failed.get();
        text.single("lodge_commits_failed_total", "counter", "Commits that failed.", failed);
        let readers = self.readers.state();
        let busy = readers.connections.saturating_sub(readers.idle_connections);
        text.single("lodge_readers_busy", "gauge", "Reading connections in use.", busy);
        text.single("lodge_readers", "gauge", "Reading connections there are.", readers.connections);
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        for (name, help, file) in [
            ("lodge_database_bytes", "Size of the database file.", self.path.as_os_str()),
            ("lodge_wal_bytes", "Size of the write-ahead log.", log.as_os_str()),
        ] {
            let size = fs::metadata(file).map_or(0, |data| data.len());
            text.single(name, "gauge", help, size);
        }
    }
}
