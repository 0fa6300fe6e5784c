//! What the main operations cost at each size of the desk.

use std::path::Path;
use std::rc::Rc;

use crate::Failure;
use crate::case::{self, Case};
use crate::desk::{Desk, World};
use crate::load::Outcome;
use crate::measure::asked;
use crate::options::Options;
use crate::page::{Page, number};
use crate::plot::{self, Line};
use crate::server::Server;
use crate::words::Words;

/// What is asked at each size.
const ASKED: [&str; 9] = [
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

/// What was measured at one size.
pub struct Size {
    /// How many tickets there are.
    pub tickets: u32,
    /// How many articles there are.
    pub articles: u32,
    /// How many of the tickets are the caller's.
    pub own: i64,
    /// Each case: its name, how long it took over one connection and what it took of the processors.
    pub costs: Vec<(&'static str, Outcome)>,
}

impl Size {
    /// CPU time and median time in microseconds.
    pub fn cost(&self, name: &str) -> Option<(f64, f64)> {
        let (_, outcome) = self.costs.iter().find(|(known, _)| *known == name)?;
        Some((outcome.cost(), outcome.micros(0.5)))
    }

    /// The time within which 99 of 100 were answered, in milliseconds.
    pub fn slow(&self, name: &str) -> Option<f64> {
        let (_, outcome) = self.costs.iter().find(|(known, _)| *known == name)?;
        Some(outcome.micros(0.99) / 1e3)
    }
}

/// Measures one desk whose server runs.
pub fn at(
    options: &Options,
    desk: &Desk,
    server: &Server,
    world: &Rc<World>,
    words: &Words,
) -> Result<Size, Failure> {
    let cases: Vec<Case> = case::reads(world, words);
    let mut costs = vec![];
    asked(server, world, &case::health(), 1, options.time())?;
    server.settle();
    for name in ASKED {
        let case = cases.iter().find(|case| case.name == name).ok_or_else(|| format!("no case is {name}"))?;
        println!("{} tickets: {name}", desk.tickets);
        costs.push((name, asked(server, world, case, 1, options.time())?));
    }
    Ok(Size { tickets: desk.tickets, articles: desk.articles, own: world.total, costs })
}

/// Measures every size.
pub fn growth(options: &Options, folder: &Path, page: &mut Page) -> Result<Vec<Size>, Failure> {
    let mut sizes = vec![];
    for tickets in &options.sizes {
        let desk = Desk::make(options, folder, *tickets, options.articles)?;
        let world = Rc::new(World::of(&desk.path)?);
        let words = Words::of(&world)?;
        let server = Server::lodge(&options.binary, &desk.path, &[])?;
        sizes.push(at(options, &desk, &server, &world, &words)?);
        server.stop()?;
        desk.remove();
    }
    report(options, &sizes, page)?;
    Ok(sizes)
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
        "{} articles on each; one connection.\n\n{head} last ÷ first |\n{rule}--:|\n",
        number(f64::from(options.articles))
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
    Some(sizes.last()?.cost(name)?.0 / sizes.first()?.cost(name)?.0)
}
