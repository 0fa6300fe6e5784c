//! Sample data: a hand-written desk to look around in (`sample/*.json`), and desks of any size made of its vocabulary.
//!
//! Times are relative to now. The sample's keys are published, in `sample/desk.json` and in the README.

mod generate;
mod sample;
pub mod store;

use std::path::Path;

use crate::activity::{self, Actor, Changes, Entry};
use crate::auth::key;
use crate::db::open::{self, OpenError};
use crate::db::{Tx, write_beside};
use crate::error::{Error, Result};
use crate::time::Clock;

pub use generate::Size;

/// What was made.
#[derive(Debug, Default)]
pub struct Made {
    /// How many tickets.
    pub tickets: i64,
    /// How many messages.
    pub messages: i64,
    /// How many articles.
    pub articles: i64,
    /// The published keys, each with its agent's name.
    pub keys: Vec<(String, String)>,
}

/// The sample agents' names and published keys.
pub fn demo_keys() -> Vec<(String, String)> {
    sample::desk().agents.iter().map(|agent| (agent.name.clone(), agent.key.clone())).collect()
}

/// The hashes of every published key.
pub fn demo_key_hashes() -> Vec<[u8; 32]> {
    demo_keys().iter().map(|(_, raw)| key::hash(raw)).collect()
}

fn once<T>(path: &Path, clock: &Clock, job: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
    let mut conn = open::writable(path).map_err(|error| Error::internal(error.to_string()))?;
    write_beside(&mut conn, clock, job)
}

/// Makes a new sample database.
///
/// # Errors
/// [`OpenError`] when the file cannot be made; nothing is left behind then.
pub fn create_sample(path: &Path, clock: &Clock) -> Result<(), OpenError> {
    open::create(path)?;
    fill_sample(path, clock).map(drop).map_err(|error| {
        open::remove(path);
        OpenError::unreadable(path, error)
    })
}

/// Fills an empty database with the sample.
///
/// # Errors
/// What SQLite says; nothing is written then.
pub fn fill_sample(path: &Path, clock: &Clock) -> Result<Made> {
    once(path, clock, sample::fill)
}

/// Fills an empty database with a desk of the given size, calling `progress` with the number of tickets made so far.
///
/// # Errors
/// What SQLite says.
pub fn fill_large(path: &Path, clock: &Clock, size: &Size, progress: &dyn Fn(u64)) -> Result<Made> {
    generate::fill(path, clock, size, progress)
}

/// Records who filled the desk, and with what.
fn record(tx: &Tx<'_>, with: String) -> Result<()> {
    let actor = Actor::cli();
    let entry = Entry {
        action: "desk.seeded",
        description: format!("{} filled the desk with {with}", actor.name),
        subject: ("desk", None),
        ticket_id: None,
        changes: Changes::default(),
    };
    activity::record(tx, &actor, entry)
}

/// Whether a database is a sample.
///
/// # Errors
/// What SQLite says.
pub fn is_sample(path: &Path) -> Result<bool> {
    once(path, &Clock::default(), |tx| Ok(store::find_sample(tx)?.is_some()))
}

/// Whether a database holds no data.
///
/// # Errors
/// What SQLite says.
pub fn is_empty(path: &Path) -> Result<bool> {
    once(path, &Clock::default(), store::is_empty)
}

/// Moves an older sample's times forward by whole days, and the closings meant for today into today.
///
/// # Errors
/// What SQLite says; nothing is moved then.
pub fn move_sample(path: &Path, clock: &Clock) -> Result<()> {
    once(path, clock, |tx| match store::find_sample(tx)? {
        Some(sample) => sample::shift(tx, &sample),
        None => Ok(()),
    })
}
