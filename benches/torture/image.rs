//! A disk in the moment of a power cut: what was synced is there, and of what was not, anything may be.
//!
//! The image lies in a folder and is changed in place from point to point, so that a point costs what is pending and not
//! the whole database.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::Result;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use crate::oplog::{Op, Which};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// The files of one database as they are on the disk for certain, and what may be there besides.
pub struct Image<'a> {
    log: &'a [u8],
    folder: PathBuf,
    durable: [Option<Vec<u8>>; 2],
    /// Changes not yet synced, with their place in the order of things.
    pending: Vec<(usize, Op)>,
    /// When each sync that runs began.
    begun: HashMap<u64, usize>,
}

impl<'a> Image<'a> {
    /// A disk that holds a database and no log.
    pub fn new(log: &'a [u8], folder: &Path, database: Vec<u8>) -> Result<Self> {
        let image = Self {
            log,
            folder: folder.to_owned(),
            durable: [Some(database), None],
            pending: vec![],
            begun: HashMap::new(),
        };
        image.restore(Which::Database, 0, u64::MAX)?;
        Ok(image)
    }

    /// Where the database is.
    pub fn path(&self, which: Which) -> PathBuf {
        self.folder.join(match which {
            Which::Database => "image.db",
            Which::Wal => "image.db-wal",
        })
    }

    /// What happens next, `at` in the order of things.
    pub fn follow(&mut self, at: usize, op: &Op) -> Result<()> {
        match op {
            Op::Write(..) | Op::Truncate(..) => self.pending.push((at, op.clone())),
            Op::Begin(number) => {
                self.begun.insert(*number, at);
            }
            Op::Synced(which, number) => {
                let begun = self.begun.remove(number).unwrap_or_default();
                let is_safe = |(at, op): &(usize, Op)| of(op) == Some(*which) && *at < begun;
                let (safe, open) = std::mem::take(&mut self.pending).into_iter().partition(is_safe);
                self.pending = open;
                for (_, op) in safe {
                    self.settle(&op)?;
                }
            }
            Op::Unlink(which) => {
                self.pending.retain(|(_, op)| of(op) != Some(*which));
                self.durable[*which as usize] = None;
                std::fs::remove_file(self.path(*which)).ok();
            }
            Op::Told(..) => {}
        }
        Ok(())
    }

    /// Puts a change on the disk for good.
    fn settle(&mut self, op: &Op) -> Result<()> {
        match op {
            Op::Write(which, at, data) => {
                let (bytes, place) = (&self.log[data.clone()], *at as usize);
                let there = self.durable[*which as usize].get_or_insert_default();
                if there.len() < place + bytes.len() {
                    there.resize(place + bytes.len(), 0);
                }
                there[place..place + bytes.len()].copy_from_slice(bytes);
                self.file(*which)?.write_all_at(bytes, *at)
            }
            Op::Truncate(which, length) => {
                self.durable[*which as usize].get_or_insert_default().resize(*length as usize, 0);
                self.file(*which)?.set_len(*length)
            }
            _ => Ok(()),
        }
    }

    /// Cuts the power: of what is pending each change is there, torn, or not. Looks at what is left, and puts the disk back
    /// to what was certain.
    pub fn cut<T>(&mut self, rng: &mut fastrand::Rng, look: impl FnOnce(&Path) -> T) -> Result<T> {
        // Sometimes nothing is there that was not synced, sometimes all but a torn end, mostly something between.
        let kept = [0.0, 0.1, 0.5, 0.9, 1.0][rng.usize(0..5)];
        let torn = if kept == 0.0 { 0.0 } else { 0.4 };
        let mut touched = vec![];
        for (n, (_, op)) in self.pending.iter().enumerate() {
            let is_last = n + 1 == self.pending.len();
            if rng.f64() < kept && !(is_last && kept == 1.0) {
                touched.push(self.put(op, |_| true)?);
            } else if rng.f64() < torn {
                touched.push(self.put(op, |_| rng.bool())?);
            }
        }
        let looked = look(&self.path(Which::Database));
        for (which, from, to) in touched.into_iter().flatten() {
            self.restore(which, from, to)?;
        }
        if self.durable[Which::Wal as usize].is_none() {
            std::fs::remove_file(self.path(Which::Wal)).ok();
        }
        std::fs::remove_file(self.folder.join("image.db-shm")).ok();
        Ok(looked)
    }

    /// Puts those sectors of a change there that are chosen; what it touched.
    fn put(&self, op: &Op, mut is_there: impl FnMut(usize) -> bool) -> Result<Option<(Which, u64, u64)>> {
        match op {
            Op::Write(which, at, data) => {
                let file = self.file(*which)?;
                for (n, sector) in self.log[data.clone()].chunks(SECTOR).enumerate() {
                    if is_there(n) {
                        file.write_all_at(sector, at + (n * SECTOR) as u64)?;
                    }
                }
                Ok(Some((*which, *at, at + data.len() as u64)))
            }
            Op::Truncate(which, length) if is_there(0) => {
                self.file(*which)?.set_len(*length)?;
                Ok(Some((*which, *length, u64::MAX)))
            }
            _ => Ok(None),
        }
    }

    /// Puts a part of a file back to what is certain, and its length.
    fn restore(&self, which: Which, from: u64, to: u64) -> Result<()> {
        let Some(certain) = &self.durable[which as usize] else {
            std::fs::remove_file(self.path(which)).ok();
            return Ok(());
        };
        let file = self.file(which)?;
        file.set_len(certain.len() as u64)?;
        let (from, to) = (from.min(certain.len() as u64), to.min(certain.len() as u64));
        file.write_all_at(&certain[from as usize..to as usize], from)
    }

    fn file(&self, which: Which) -> Result<File> {
        OpenOptions::new().write(true).create(true).truncate(false).open(self.path(which))
    }
}

fn of(op: &Op) -> Option<Which> {
    match op {
        Op::Write(which, ..) | Op::Truncate(which, _) => Some(*which),
        _ => None,
    }
}
