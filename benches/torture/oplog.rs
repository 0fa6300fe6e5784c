//! What happened to a database's files and what clients were told, in one order: the log that the shim and the clients
//! write together.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::ops::Range;
use std::path::Path;

use crate::Failure;

/// How many bytes an entry has before its data: `struct entry` in shim.c.
const ENTRY: usize = 24;

/// One of the two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The database.
    Database,
    /// Its write-ahead log.
    Wal,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Op {
    /// Bytes of the log were written to a file.
    Write(Which, u64, Range<usize>),
    /// A file was given a length.
    Truncate(Which, u64),
    /// A sync began.
    Begin(u64),
    /// The sync of this number has ended.
    Synced(Which, u64),
    /// A file was removed.
    Unlink(Which),
    /// A writer was told that its request of this number is done.
    Told(usize, usize),
}

/// Where clients note what they are told.
pub struct Notes(File);

impl Notes {
    /// Opens the log to append.
    pub fn open(path: &Path) -> std::io::Result<Self> {
        OpenOptions::new().append(true).create(true).open(path).map(Self)
    }

    /// Notes that a writer was told that its request is done.
    pub fn told(&mut self, writer: usize, request: usize) -> std::io::Result<()> {
        let mut entry = [0; ENTRY];
        entry[0] = b'A';
        entry[8..16].copy_from_slice(&(writer as u64).to_ne_bytes());
        entry[16..24].copy_from_slice(&(request as u64).to_ne_bytes());
        self.0.write_all(&entry)
    }
}

/// Reads a log.
///
/// # Errors
/// When it holds what a replay cannot follow.
pub fn parse(log: &[u8]) -> Result<Vec<Op>, Failure> {
    let mut ops = vec![];
    let mut at = 0;
    while let Some(entry) = log.get(at..at + ENTRY) {
        at += ENTRY;
        let number = |from: usize| -> Result<u64, Failure> {
            Ok(u64::from_ne_bytes(entry[from..from + 8].try_into()?))
        };
        let (place, length) = (number(8)?, usize::try_from(number(16)?)?);
        if entry[0] == b'A' {
            ops.push(Op::Told(usize::try_from(place)?, length));
            continue;
        }
        let which = match entry[1] {
            1 => Which::Database,
            2 => Which::Wal,
            other => {
                return Err(format!("a file of kind {other} was changed: its replay is not written").into());
            }
        };
        ops.push(match entry[0] {
            b'W' => {
                at += length;
                Op::Write(which, place, at - length..at)
            }
            b'T' => Op::Truncate(which, place),
            b'F' => Op::Begin(place),
            b'S' => Op::Synced(which, place),
            b'U' => Op::Unlink(which),
            other => return Err(format!("no replay of {:?}", char::from(other)).into()),
        });
    }
    Ok(ops)
}
