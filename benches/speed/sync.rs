//! What syncing costs: replies with and without the sync before each answer, and what the disk takes for one.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;
use std::time::Instant;

use crate::Failure;
use crate::case;
use crate::desk::{Desk, World};
use crate::measure::asked;
use crate::options::Options;
use crate::page::median;
use crate::server::Server;

/// How many clients reply.
const CLIENTS: usize = 64;
/// How many syncs of the disk are timed.
const SYNCS: usize = 200;

/// What was found.
pub struct Syncs {
    /// Replies a second, each synced before its answer.
    pub full: f64,
    /// Replies a second, synced before checkpoints only.
    pub normal: f64,
    /// The one ÷ the other, the median of all rounds.
    pub ratio: f64,
    /// How long the disk takes to sync four kilobytes, in microseconds: the median.
    pub disk: f64,
}

/// Lets 64 clients reply to servers on one desk, with and without syncs in turns.
pub fn compare(options: &Options, folder: &Path, desk: &Desk) -> Result<Syncs, Failure> {
    let world = Rc::new(World::of(&desk.path)?);
    let (shim, skipped) = (compile(folder)?, folder.join("skipped"));
    let (mut full, mut normal) = (vec![], vec![]);
    for round in 0..options.rounds {
        println!("replies, each synced and not, round {}", round + 1);
        let environment = [("LD_PRELOAD", shim.as_path()), ("SPEED_SKIPPED", skipped.as_path())];
        for (environment, rates) in [(&environment[..0], &mut full), (&environment[..], &mut normal)] {
            let server = Server::lodge(&options.binary, &desk.path, environment)?;
            server.settle();
            rates.push(asked(&server, &world, &case::reply(&world), CLIENTS, options.time())?.rate());
            server.stop()?;
        }
    }
    if !skipped.exists() {
        return Err("the shim skipped no sync: is the server linked statically?".into());
    }
    let ratio = median(full.iter().zip(&normal).map(|(full, normal)| full / normal).collect());
    Ok(Syncs { full: median(full), normal: median(normal), ratio, disk: disk(folder)? })
}

fn compile(folder: &Path) -> Result<PathBuf, Failure> {
    let (source, library) = (folder.join("nosync.c"), folder.join("nosync.so"));
    std::fs::write(&source, include_str!("nosync.c"))?;
    let mut cc = Command::new("cc");
    cc.args(["-O2", "-shared", "-fPIC", "-o"]).arg(&library).arg(&source).arg("-ldl");
    let output = cc.output().map_err(|error| format!("no C compiler: {error}"))?;
    if output.status.success() { Ok(library) } else { Err(String::from_utf8_lossy(&output.stderr).into()) }
}

/// Appends and syncs, as a commit does.
fn disk(folder: &Path) -> Result<f64, Failure> {
    let mut file = File::create(folder.join("synced"))?;
    let mut times = vec![];
    for _ in 0..SYNCS {
        file.write_all(&[b'x'; 4096])?;
        let started = Instant::now();
        file.sync_data()?;
        times.push(started.elapsed().as_secs_f64() * 1e6);
    }
    Ok(median(times))
}
