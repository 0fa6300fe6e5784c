//! Everything that is to be reached, and whether it is.

use std::path::Path;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::case::{self, Case, Kind, encoded};
use crate::desk::{Desk, World};
use crate::goal::Goals;
use crate::growth::{self, Served, Size};
use crate::load::{Run, block_on, drive, fetch};
use crate::measure::{Row, SOME, asked, etag, measure};
use crate::options::Options;
use crate::page::{Page, median, number};
use crate::quiet::undisturbed;
use crate::server::{Server, memory};
use crate::words::Words;
use crate::{Failure, sync};

/// How often a single word is searched for, and a server started.
const TIMES: usize = 5;

/// How the two searches are called.
const TICKETS: &str = "tickets, searched";
const ARTICLES: &str = "knowledge base, searched";

/// Measures everything, and says whether every goal is reached.
pub fn goals(options: &Options, folder: &Path, page: &mut Page) -> Result<bool, Failure> {
    let mut goals = Goals::default();
    efficiency(&measure(options, folder, page)?, &mut goals);
    let desks = options.sizes.iter().map(|tickets| Desk::make(options, folder, *tickets, options.articles));
    let desks: Vec<Desk> = desks.collect::<Result<_, _>>()?;
    let few = Served::start(options, few_articles(options, folder)?)?;
    desks
        .iter()
        .max_by_key(|desk| desk.tickets)
        .map(|desk| starting(options, desk, &mut goals))
        .transpose()?;
    let mut all =
        desks.into_iter().map(|desk| Served::start(options, desk)).collect::<Result<Vec<_>, _>>()?;
    all.sort_by_key(|one| one.desk.tickets);
    let sizes = growth::compare(options, &all.iter().collect::<Vec<_>>(), &growth::ASKED)?;
    growth::report(options, &sizes, page)?;
    grown(&sizes, &mut goals);
    if let Some(largest) = all.last() {
        let articles = growth::compare(options, &[&few, largest], &[ARTICLES])?;
        searched(&sizes, &articles, &mut goals);
        few.stop()?.remove();
        at_the_largest(options, largest, &mut goals)?;
    }
    for (n, one) in all.into_iter().enumerate() {
        let desk = one.stop()?;
        if n == 0 {
            synced(&sync::compare(options, folder, &desk)?, &mut goals);
        }
        seeding(&desk, &mut goals);
        desk.remove();
    }
    let size = std::fs::metadata(&options.binary)?.len() as f64 / 1024.0 / 1024.0;
    goals.add("the binary", "≤ 11 MiB; 10 is the stretch", format!("{size:.1} MiB"), size <= 11.0);
    page.put("goals", &goals.table())?;
    Ok(goals.all_reached())
}

/// What is only asked of the largest desk, and what its server needs after all that.
fn at_the_largest(options: &Options, largest: &Served, goals: &mut Goals) -> Result<(), Failure> {
    let Served { desk, world, words, server } = largest;
    beside_health(options, server, world, goals)?;
    for (name, path, words) in [
        (TICKETS, "/tickets?q=", &words.any_in_tickets),
        (ARTICLES, "/knowledge-base/search?q=", &words.any_in_articles),
    ] {
        let (word, time) = slowest(server, world, path, words)?;
        let found = format!("{time:.1} ms (`{word}`)");
        goals.add(&format!("{name}, any word, the slowest"), "≤ 250 ms", found, time <= 250.0);
    }
    reads_beside_writes(options, server, world, words, goals)?;
    let (now, most) = (memory(server.pid(), "VmRSS"), memory(server.pid(), "VmHWM"));
    let found = format!("{} MiB ({} MiB at most)", now / 1024, most / 1024);
    let what = format!("resident memory at {} tickets, after the run", number(f64::from(desk.tickets)));
    goals.add(&what, "≤ 64 MiB", found, now <= 64 * 1024);
    Ok(())
}

/// The worst of each kind.
fn efficiency(rows: &[Row], goals: &mut Goals) {
    let kinds =
        [(Kind::List, "lists", 0.75), (Kind::Search, "searches", 0.75), (Kind::Point, "point reads", 0.6)];
    for (kind, name, goal) in kinds {
        let found = rows.iter().filter(|row| row.kind == kind);
        let worst =
            found.filter_map(|row| Some((row.efficiency()?, row.name))).min_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((value, which)) = worst {
            let found = format!("{value:.2} ({which})");
            goals.add(
                &format!("efficiency, the worst of {name}"),
                &format!("≥ {goal}"),
                found,
                value >= goal,
            );
        }
    }
}

/// Lists and unchanged tickets against the health check, in turns.
fn beside_health(
    options: &Options,
    server: &Server,
    world: &Rc<World>,
    goals: &mut Goals,
) -> Result<(), Failure> {
    let (health, unchanged) = (case::health(), case::unchanged(world, &etag(server, world)?));
    let list = plain(world, "/tickets");
    let (mut lists, mut polls) = ((vec![], vec![]), (vec![], vec![]));
    for _ in 0..options.rounds {
        let ask = |case: &Case| {
            undisturbed(options.patience(), || asked(server, world, case, SOME, options.time()))
        };
        let against = ask(&health)?;
        for (case, (rates, costs)) in [(&list, &mut lists), (&unchanged, &mut polls)] {
            let found = ask(case)?;
            rates.push(found.rate() / against.rate());
            costs.push(against.cost() / found.cost());
        }
    }
    let both = [("`GET /tickets`", lists, (0.2, 0.3)), ("one ticket, 304", polls, (0.6, 0.8))];
    for (name, (rates, costs), (least, stretch)) in both {
        let (rate, cost) = (median(rates), median(costs));
        let goal = format!("≥ {least}; {stretch} is the stretch");
        let what = format!("{name} against `GET /health-check`, requests/s, {SOME} connections");
        goals.add(&what, &goal, format!("{rate:.2} (by CPU time of the server {cost:.2})"), rate >= least);
    }
    Ok(())
}

fn plain(world: &Rc<World>, path: &str) -> Case {
    let ask = case::ask("GET", path, world.me(), None);
    Case::of("list_tickets", "", Kind::List, move |_| ask.clone())
}

/// From the start of the program to its first list of tickets.
fn starting(options: &Options, desk: &Desk, goals: &mut Goals) -> Result<(), Failure> {
    let world = World::of(&desk.path)?;
    let mut times = vec![];
    for _ in 0..TIMES {
        let started = Instant::now();
        let server = Server::lodge(&options.binary, &desk.path, &[])?;
        fetch(server.address, &case::ask("GET", "/tickets", world.me(), None))?;
        times.push(started.elapsed().as_secs_f64() * 1e3);
        server.stop()?;
    }
    let time = median(times);
    let what = format!("start at {} tickets to the first list answered", number(f64::from(desk.tickets)));
    goals.add(&what, "≤ 100 ms", format!("{} ms", number(time)), time <= 100.0);
    Ok(())
}

/// A desk with a hundredth of the articles.
fn few_articles(options: &Options, folder: &Path) -> Result<Desk, Failure> {
    let (smallest, _) = options.ends();
    Desk::make(options, folder, smallest, (options.articles / 100).max(100))
}

/// The word whose search takes longest, and how long in milliseconds: the median of a few.
fn slowest(server: &Server, world: &World, path: &str, words: &[String]) -> Result<(String, f64), Failure> {
    let mut worst = (String::new(), 0.0);
    for word in words {
        let mut times = vec![];
        for _ in 0..TIMES {
            let ask = case::ask("GET", &format!("{path}{}", encoded(word)), world.me(), None);
            let started = Instant::now();
            fetch(server.address, &ask)?;
            times.push(started.elapsed().as_secs_f64() * 1e3);
        }
        let time = median(times);
        if time > worst.1 {
            worst = (word.clone(), time);
        }
    }
    Ok(worst)
}

/// The slowest hundredth of reads, alone and while others write half of what can be written.
fn reads_beside_writes(
    options: &Options,
    server: &Server,
    world: &Rc<World>,
    words: &Words,
    goals: &mut Goals,
) -> Result<(), Failure> {
    const MIXED: [&str; 4] = ["tickets, first page", "one ticket", "a ticket's messages", "unread count"];
    let reads: Vec<Case> =
        case::reads(world, words).into_iter().filter(|case| MIXED.contains(&case.name)).collect();
    let replies = case::reply(world);
    let capacity = asked(server, world, &replies, SOME, options.time())?.rate();
    let run = Run::new(SOME, options.time().max(Duration::from_millis(500)));
    let (mut alone, mut beside) = (vec![], vec![]);
    for _ in 0..options.rounds {
        let (mut n, mut m) = (0, 0);
        let mut next = || {
            n += 1;
            reads[n % reads.len()].next()
        };
        alone.push(block_on(drive(server.address, run, 200, &mut next, &|| 0))??.micros(0.99));
        let mut next = || {
            m += 1;
            reads[m % reads.len()].next()
        };
        let mut write = || replies.next();
        let paced = Run { pace: Some(capacity / 2.0), ..run };
        let both = block_on(async {
            let reading = drive(server.address, run, 200, &mut next, &|| 0);
            let writing = drive(server.address, paced, replies.ok, &mut write, &|| 0);
            futures_util::future::try_join(reading, writing).await
        })??;
        beside.push(both.0.micros(0.99));
    }
    let ratio = median(alone.iter().zip(&beside).map(|(alone, beside)| beside / alone).collect());
    let found = format!(
        "{ratio:.1} ({} and {} µs; {} replies/s at most)",
        number(median(beside)),
        number(median(alone)),
        number(capacity)
    );
    goals.add(
        "p99 of reads while half as much is written as can be ÷ alone, 16 connections",
        "≤ 3",
        found,
        ratio <= 3.0,
    );
    Ok(())
}

fn synced(syncs: &sync::Syncs, goals: &mut Goals) {
    let found = format!(
        "{:.2} ({} and {} replies/s; the disk syncs 4 KiB in {} µs)",
        syncs.ratio,
        number(syncs.full),
        number(syncs.normal),
        number(syncs.disk)
    );
    let what = "replies/s of 64 clients, each synced ÷ with `synchronous=NORMAL`";
    goals.add(what, "≥ 0.7", found, syncs.ratio >= 0.7);
}

fn seeding(desk: &Desk, goals: &mut Goals) {
    if let Some(time) = desk.seeded.filter(|_| desk.tickets == 1_000_000) {
        let what = format!("`lodge seed --tickets 1000000 --articles {}`", desk.articles);
        let seconds = time.as_secs();
        let when = if desk.is_kept { " (by an earlier run)" } else { "" };
        goals.add(&what, "≤ 240 s", format!("{seconds} s{when}"), seconds <= 240);
    }
}

/// What the largest desk costs ÷ what the smallest costs.
fn grown(sizes: &[Size], goals: &mut Goals) {
    let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else { return };
    let ends = ends(last.tickets, first.tickets, "tickets");
    let listed = [
        "tickets, first page",
        "tickets, filtered, with total",
        "one ticket",
        "a ticket's messages",
        "unread count",
        "dashboard",
    ];
    for name in listed {
        if let Some(ratio) = growth::ratio(sizes, name) {
            goals.add(&format!("{name}, CPU time at {ends}"), "≤ 1.3", format!("{ratio:.2}"), ratio <= 1.3);
        }
    }
    let pages = (last.cost("tickets, last page"), last.cost("tickets, first page"));
    if let (Some((late, _)), Some((early, _))) = pages {
        let what = format!(
            "the last page of the caller's {} tickets ÷ the first, CPU time",
            number(last.own as f64)
        );
        goals.add(&what, "≤ 10", format!("{:.2}", late / early), late / early <= 10.0);
    }
}

/// What is compared with what.
fn ends(many: u32, few: u32, of: &str) -> String {
    format!("{} ÷ {} {of}", number(f64::from(many)), number(f64::from(few)))
}

/// Searches for words in at most two of a hundred: how they grow, and how long the slowest hundredth takes.
fn searched(sizes: &[Size], articles: &[Size], goals: &mut Goals) {
    for (name, sizes, of) in [(TICKETS, sizes, "tickets"), (ARTICLES, articles, "articles")] {
        let (Some(first), Some(last)) = (sizes.first(), sizes.last()) else { continue };
        let ends = match of {
            "tickets" => ends(last.tickets, first.tickets, of),
            _ => ends(last.articles, first.articles, of),
        };
        if let (Some(ratio), Some(slow)) = (growth::ratio(sizes, name), last.slow(name)) {
            let what = format!("{name}, a word in ≤ 2 %, CPU time at {ends}");
            goals.add(&what, "≤ 5", format!("{ratio:.2}"), ratio <= 5.0);
            let what = format!("{name}, a word in ≤ 2 %, p99");
            goals.add(&what, "≤ 20 ms", format!("{slow:.1} ms"), slow <= 20.0);
        }
    }
}
