//! What the main operations cost at each size of the desk.

use std::path::Path;
use std::rc::Rc;

use crate::Failure;
use crate::case::{self, Case, Kind};
use crate::desk::{Desk, World};
use crate::load::Outcome;
use crate::measure::{SOME, asked};
use crate::options::Options;
use crate::page::{Page, median, number};
use crate::plot::{self, Line};
use crate::quiet::undisturbed;
use crate::server::Server;
use crate::words::Words;

/// What is asked at each size.
pub const ASKED: [&str; 9] = [
    "tickets, first page",
    "tickets, filtered, with total",
    "tickets, last page",
    "one ticket",
    "a ticket's messages",
    "unread count",
    "dashboard",
    "tickets, searched",
    "knowledge base, searched",
];

/// A desk, and a server of it.
pub struct Served {
    /// The desk.
    pub desk: Desk,
    /// Who and what is on it.
    pub world: Rc<World>,
    /// What is searched for.
    pub words: Words,
    /// The server.
    pub server: Server,
}

impl Served {
    /// Serves a desk.
    pub fn start(options: &Options, desk: Desk) -> Result<Self, Failure> {
        let world = Rc::new(World::of(&desk.path)?);
        let words = Words::of(&world)?;
        let server = Server::lodge(&options.binary, &desk.path, &[])?;
        Ok(Self { desk, world, words, server })
    }

    /// Ends the server; the desk is left.
    pub fn stop(self) -> Result<Desk, Failure> {
        self.server.stop()?;
        Ok(self.desk)
    }
}

/// What was measured at one size.
pub struct Size {
    /// How many tickets there are.
    pub tickets: u32,
    /// How many articles there are.
    pub articles: u32,
    /// How many of the tickets are the caller's.
    pub own: i64,
    /// Each case: its name, and what came of it in each round.
    costs: Vec<(&'static str, Vec<Outcome>)>,
}

impl Size {
    fn rounds(&self, name: &str) -> Option<&[Outcome]> {
        let (_, rounds) = self.costs.iter().find(|(known, _)| *known == name)?;
        Some(rounds)
    }

    /// CPU time and median time in microseconds: of each the median of all rounds.
    pub fn cost(&self, name: &str) -> Option<(f64, f64)> {
        let rounds = self.rounds(name)?.iter();
        Some((
            median(rounds.clone().map(Outcome::cost).collect()),
            median(rounds.map(|round| round.micros(0.5)).collect()),
        ))
    }

    /// The time within which 99 of 100 were answered in a round, in milliseconds: the median of all rounds.
    pub fn slow(&self, name: &str) -> Option<f64> {
        Some(median(self.rounds(name)?.iter().map(|round| round.micros(0.99) / 1e3).collect()))
    }

    /// What one case costs here ÷ on another desk, in CPU time: the median of what the rounds say.
    pub fn ratio(&self, to: &Self, name: &str) -> Option<f64> {
        let pairs = self.rounds(name)?.iter().zip(to.rounds(name)?);
        Some(median(pairs.map(|(here, there)| here.cost() / there.cost()).collect()))
    }
}

/// Measures these cases on several desks, in turns, so that a machine that is slower for a while is so for all of them. What is
/// short is asked over many connections: over one, most of the time is the thread's falling asleep and being woken.
pub fn compare(options: &Options, all: &[&Served], asks: &[&'static str]) -> Result<Vec<Size>, Failure> {
    let mut sizes: Vec<Size> = all
        .iter()
        .map(|Served { desk, world, .. }| Size {
            tickets: desk.tickets,
            articles: desk.articles,
            own: world.total,
            costs: vec![],
        })
        .collect();
    let cases: Vec<Vec<Case>> = all.iter().map(|one| case::reads(&one.world, &one.words)).collect();
    for Served { server, world, .. } in all {
        asked(server, world, &case::health(), 1, options.time())?;
        server.settle();
    }
    for name in asks {
        println!("{name}");
        sizes.iter_mut().for_each(|size| size.costs.push((name, vec![])));
        for _ in 0..options.rounds {
            for ((one, cases), size) in all.iter().zip(&cases).zip(&mut sizes) {
                let case = cases
                    .iter()
                    .find(|case| case.name == *name)
                    .ok_or_else(|| format!("no case is {name}"))?;
                let connections = if case.kind == Kind::Search { 1 } else { SOME };
                let outcome = undisturbed(options.patience(), || {
                    asked(&one.server, &one.world, case, connections, options.time())
                })?;
                size.costs.last_mut().into_iter().for_each(|(_, rounds)| rounds.push(outcome.clone()));
            }
        }
    }
    Ok(sizes)
}

/// Measures every size.
pub fn growth(options: &Options, folder: &Path, page: &mut Page) -> Result<(), Failure> {
    let desks = options.sizes.iter().map(|tickets| Desk::make(options, folder, *tickets, options.articles));
    let desks: Vec<Desk> = desks.collect::<Result<_, _>>()?;
    let all =
        desks.into_iter().map(|desk| Served::start(options, desk)).collect::<Result<Vec<_>, Failure>>()?;
    let sizes = compare(options, &all.iter().collect::<Vec<_>>(), &ASKED)?;
    for one in all {
        one.stop()?.remove();
    }
    report(options, &sizes, page)
}

/// Writes the table and the plot.
pub fn report(options: &Options, sizes: &[Size], page: &mut Page) -> Result<(), Failure> {
    let mut head = String::from("| CPU µs (p50 µs) |");
    let mut rule = String::from("|---|");
    for size in sizes {
        head += &format!(
            " {} tickets, {} the caller's |",
            number(f64::from(size.tickets)),
            number(size.own as f64)
        );
        rule += "--:|";
    }
    let mut text = format!(
        "{} articles on each; {SOME} connections, searches one; {} rounds.\n\n{head} last ÷ first |\n{rule}--:|\n",
        number(f64::from(options.articles)),
        options.rounds
    );
    let mut lines = vec![];
    for name in ASKED {
        let costs: Vec<(f64, f64)> = sizes.iter().filter_map(|size| size.cost(name)).collect();
        let cells: Vec<String> =
            costs.iter().map(|(cpu, p50)| format!("{} ({})", number(*cpu), number(*p50))).collect();
        let ratio = ratio(sizes, name).map_or_else(String::new, |ratio| format!("{ratio:.2}"));
        text += &format!("| {name} | {} | {ratio} |\n", cells.join(" | "));
        let points =
            sizes.iter().zip(&costs).map(|(size, (cpu, _))| (f64::from(size.tickets), *cpu)).collect();
        lines.push(Line { name, points });
    }
    page.put("growth", &text)?;
    page.plot("performance.svg", &plot::log_log("CPU time a request", "tickets on the desk", "µs", &lines))
}

/// What one case costs at the last size ÷ at the first, in CPU time.
pub fn ratio(sizes: &[Size], name: &str) -> Option<f64> {
    sizes.last()?.ratio(sizes.first()?, name)
}
