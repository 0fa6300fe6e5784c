//! The table of operations: what each costs on one desk, the two limits beside it, and how near it comes to them.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::case::{self, Case, Kind};
use crate::desk::{Desk, World};
use crate::direct::Work;
use crate::inside::{self, Inside};
use crate::load::{Outcome, Run, block_on, drive, fetch};
use crate::options::Options;
use crate::page::{Page, median, number};
use crate::quiet::undisturbed;
use crate::server::Server;
use crate::words::Words;
use crate::{Failure, direct};

/// Over how many connections CPU time is measured.
pub const SOME: usize = 16;
/// How many connections many are.
const MANY: usize = 64;
/// How many batches of a work that is used up are done at most.
const BATCHES: usize = 20;

/// What was measured of one case.
pub struct Row {
    /// How the table calls it.
    pub name: &'static str,
    /// What kind of work it is.
    pub kind: Kind,
    /// What was measured in turns, round for round: CPU time a request, and of reads the two limits, in microseconds.
    rounds: Vec<(f64, Option<(f64, f64)>)>,
    one: Outcome,
    many: Outcome,
    inside: Inside,
}

impl Row {
    /// The limits' time ÷ the time measured: the median of what the rounds say.
    pub fn efficiency(&self) -> Option<f64> {
        let ratio = |(cost, limits): &(f64, Option<(f64, f64)>)| limits.map(|(a, b)| (a + b) / cost);
        let ratios: Vec<f64> = self.rounds.iter().filter_map(ratio).collect();
        (!ratios.is_empty()).then(|| median(ratios))
    }

    /// CPU time a request, and the two limits of reads, in microseconds: medians.
    fn costs(&self) -> (f64, Option<(f64, f64)>) {
        let cost = median(self.rounds.iter().map(|(cost, _)| *cost).collect());
        let limits: Vec<(f64, f64)> = self.rounds.iter().filter_map(|(_, limits)| *limits).collect();
        let of = |which: fn(&(f64, f64)) -> f64| median(limits.iter().map(which).collect());
        (cost, (!limits.is_empty()).then(|| (of(|limits| limits.0), of(|limits| limits.1))))
    }
}

/// Asks one case for a while. Work that is used up is made anew in between, which does not count.
pub fn asked(
    server: &Server,
    world: &World,
    case: &Case,
    connections: usize,
    time: Duration,
) -> Result<Outcome, Failure> {
    ask(server, world, case, Run::new(connections, time))
}

fn ask(server: &Server, world: &World, case: &Case, run: Run) -> Result<Outcome, Failure> {
    let (gauge, time) = (|| server.cpu(), run.time);
    let drive_once = |run: Run| -> Result<Outcome, Failure> {
        block_on(drive(server.address, run, case.ok, &mut || case.next(), &gauge))?
    };
    if case.batch.is_none() {
        return drive_once(run);
    }
    let mut all = Outcome::default();
    for _ in 0..BATCHES {
        case.refill(world)?;
        all = all.and(drive_once(Run { warm: Duration::ZERO, ..run })?);
        if all.seconds >= time.as_secs_f64() {
            break;
        }
    }
    Ok(all)
}

/// The server answering as many bytes.
fn constant(server: &Server, length: usize, run: Run) -> Result<Outcome, Failure> {
    let ask = crate::load::Ask {
        method: "GET",
        path: format!("/api/v1/constant/{length}"),
        headers: vec![("X-API-KEY".into(), "x".repeat(59))],
        body: None,
    };
    let gauge = || server.cpu();
    block_on(drive(server.address, run, 200, &mut || Some(ask.clone()), &gauge))?
}

/// The `ETag` of the ticket that is polled.
pub fn etag(server: &Server, world: &World) -> Result<String, Failure> {
    let ask = case::ask("GET", &format!("/tickets/{}", world.tickets[0]), world.me(), None);
    let (head, _) = fetch(server.address, &ask)?;
    let found = head.lines().find_map(|line| {
        line.to_ascii_lowercase().strip_prefix("etag: ").map(|_| line[6..].trim().to_owned())
    });
    Ok(found.ok_or("a ticket without an ETag")?)
}

/// Measures every operation on one desk.
pub fn measure(options: &Options, folder: &Path, page: &mut Page) -> Result<Vec<Row>, Failure> {
    let desk = Desk::make(options, folder, options.tickets, options.articles)?;
    let world = Rc::new(World::of(&desk.path)?);
    let words = Words::of(&world)?;
    let limit = Server::constant()?;
    let server = Server::lodge(&options.binary, &desk.path, &[])?;
    let mut reads = case::reads(&world, &words);
    reads.push(case::unchanged(&world, &etag(&server, &world)?));
    server.stop()?;
    let writes = case::writes(&world);
    case::complete(reads.iter().chain(&writes))?;
    let mut rows = rows(options, &world, &limit, &reads)?;
    // After the reads have been asked for: what is polled must not have changed meanwhile.
    rows.extend(self::rows(options, &world, &limit, &writes)?);
    page.put("operations", &table(&desk, &rows))?;
    desk.remove();
    Ok(rows)
}

/// Measures cases from inside, then through the server's socket, in turns with their limits.
fn rows(options: &Options, world: &World, limit: &Server, cases: &[Case]) -> Result<Vec<Row>, Failure> {
    let (time, patience) = (options.time(), options.patience());
    let seen = inside::look(world, cases)?;
    let server = Server::lodge(&options.binary, &world.path, &[])?;
    // The first request of all makes what all the others find.
    asked(&server, world, &case::health(), 1, time)?;
    server.settle();
    let mut rows = vec![];
    for (case, inside) in cases.iter().zip(seen) {
        println!("{}", case.name);
        let one = asked(&server, world, case, 1, time)?;
        let many = asked(&server, world, case, MANY, time)?;
        let run = Run { is_awake: true, ..Run::new(SOME, time) };
        let in_turns = |work: &Work| {
            let some = undisturbed(patience, || ask(&server, world, case, run))?;
            let constant = undisturbed(patience, || constant(limit, some.length, run))?.cost();
            let direct = || direct::cost(world, case, work, some.requests as usize);
            Ok((some.cost(), Some((constant, undisturbed(patience, direct)?))))
        };
        let rounds = match &case.work {
            Some(work) => {
                direct::check(&server, world, case, work)?;
                (0..options.rounds).map(|_| in_turns(work)).collect::<Result<_, Failure>>()?
            }
            None => vec![(ask(&server, world, case, run)?.cost(), None)],
        };
        rows.push(Row { name: case.name, kind: case.kind, rounds, one, many, inside });
    }
    server.stop()?;
    Ok(rows)
}

fn table(desk: &Desk, rows: &[Row]) -> String {
    let mut text = format!(
        "A desk of {} tickets and {} articles.\n\n\
         | | 1 connection: requests/s | p50 µs | p99 µs | 64: requests/s | p50 µs | p99 µs | CPU µs | SQL | allocations | KB \
         | constant body, CPU µs | SQL and serialisation, CPU µs | efficiency |\n\
         |---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n",
        number(f64::from(desk.tickets)),
        number(f64::from(desk.articles)),
    );
    for row in rows {
        let (cost, limits) = row.costs();
        let (constant, direct, efficiency) = match (limits, row.efficiency()) {
            (Some((constant, direct)), Some(efficiency)) => {
                (number(constant), number(direct), format!("{efficiency:.2}"))
            }
            _ => Default::default(),
        };
        let cells = [
            row.name.to_owned(),
            number(row.one.rate()),
            number(row.one.micros(0.5)),
            number(row.one.micros(0.99)),
            number(row.many.rate()),
            number(row.many.micros(0.5)),
            number(row.many.micros(0.99)),
            number(cost),
            format!("{:.1}", row.inside.statements),
            number(row.inside.allocations),
            format!("{:.1}", row.inside.allocated / 1024.0),
            constant,
            direct,
            efficiency,
        ];
        text += &format!("| {} |\n", cells.join(" | "));
    }
    text
}
