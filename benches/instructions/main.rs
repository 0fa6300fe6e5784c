//! What the hot paths cost in instructions: times are noise on a shared machine, instructions are not.
//!
//! `cargo bench --profile count --bench instructions` makes a small desk, runs itself under `valgrind --tool=callgrind`, and
//! sends each request of [`PATHS`] straight into the app, some times over. It counts what the process executes meanwhile, the
//! writer's thread and SQLite included, and compares with `baseline.txt`: more than a tenth above it fails. `-- --write` takes
//! today's figures for the new baseline. The system and the parser of HTTP are not counted: requests begin behind it.
//!
//! Needs valgrind. Counts differ between machines only where libraries choose other instructions for another processor.

#![allow(clippy::print_stdout, reason = "the figures are what this program is run for")]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;

use clap::Parser;
use lodge::app::{self, app};
use lodge::db::{self, Db, open};
use lodge::seed::{self, Size};
use lodge::time::Clock;
use lodge::upkeep::Upkeep;
use poem::http::{Method, StatusCode};
use poem::{Endpoint, Request, Response};

/// What goes wrong with the counting itself.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How often a request is sent before it is counted, and how often then.
const BEFORE: usize = 10;
const COUNTED: usize = 30;
/// How much more than the baseline is too much.
const TOLERANCE: f64 = 1.10;
/// The desk.
const DESK: Size = Size { tickets: 2000, agents: 10, articles: 200, seed: 1 };

/// What is counted: a name, the method, the address under `/api/v1`, what else is sent, and the status of the answer. `{id}` is the
/// newest ticket of the agent who asks.
#[rustfmt::skip]
const PATHS: [(&str, Method, &str, Extra, StatusCode); 13] = [
    ("health check", Method::GET, "/health-check", Extra::None, StatusCode::OK),
    ("unknown key", Method::GET, "/external/tickets", Extra::WrongKey, StatusCode::UNAUTHORIZED),
    ("invalid parameter", Method::GET, "/external/tickets?page=0", Extra::None, StatusCode::UNPROCESSABLE_ENTITY),
    ("tickets", Method::GET, "/external/tickets", Extra::None, StatusCode::OK),
    ("tickets, filtered", Method::GET, "/external/tickets?status=open&sort=-priority", Extra::None, StatusCode::OK),
    ("tickets, searched", Method::GET, "/external/tickets?q=invoice", Extra::None, StatusCode::OK),
    ("one ticket", Method::GET, "/external/tickets/{id}", Extra::None, StatusCode::OK),
    ("one ticket, unchanged", Method::GET, "/external/tickets/{id}", Extra::Etag, StatusCode::NOT_MODIFIED),
    ("messages", Method::GET, "/external/tickets/{id}/messages", Extra::None, StatusCode::OK),
    ("labels", Method::GET, "/external/labels", Extra::None, StatusCode::OK),
    ("dashboard", Method::GET, "/external/dashboard", Extra::None, StatusCode::OK),
    ("unread notifications", Method::GET, "/external/notifications/unread-count", Extra::None, StatusCode::OK),
    ("reply", Method::POST, "/external/tickets/{id}/messages", Extra::Reply, StatusCode::CREATED),
];

/// What a request has besides its address and a key.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Extra {
    None,
    WrongKey,
    Etag,
    Reply,
}

/// Count the instructions of the hot paths.
#[derive(Debug, Parser)]
#[command(name = "instructions")]
struct Options {
    /// Take today's figures for the new baseline.
    #[arg(long)]
    write: bool,
    /// Send the requests to this desk, with this key: how the program calls itself.
    #[arg(long, hide = true, num_args = 2)]
    on: Option<Vec<String>>,
    /// What `cargo bench` says to every benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    let done = match options.on.as_deref() {
        Some([file, key]) => send_all(Path::new(file), key).map(|()| true),
        _ => compare(options.write),
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("instructions: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Counts, prints, and says whether nothing has grown too much.
fn compare(write: bool) -> Result<bool, Failure> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/baseline.txt");
    let baseline = if write { BTreeMap::new() } else { read(&std::fs::read_to_string(&file)?) };
    let (mut text, mut is_good) = (String::new(), true);
    println!("| Path | Instructions | Baseline | Change |\n|---|---:|---:|---:|");
    for ((name, ..), count) in PATHS.iter().zip(count()?) {
        writeln!(text, "{name}\t{count}")?;
        match baseline.get(*name) {
            Some(before) => {
                let change = count as f64 / *before as f64;
                let verdict = if change > TOLERANCE { " **too much**" } else { "" };
                println!("| {name} | {count} | {before} | {:+.1} %{verdict} |", (change - 1.0) * 100.0);
                is_good &= change <= TOLERANCE;
            }
            None => {
                println!("| {name} | {count} | | |");
                is_good &= write;
            }
        }
    }
    if write {
        std::fs::write(file, text)?;
    }
    Ok(is_good)
}

fn read(text: &str) -> BTreeMap<String, u64> {
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines.filter_map(|(name, count)| Some((name.to_owned(), count.parse().ok()?))).collect()
}

/// The instructions of one request of each path.
fn count() -> Result<Vec<u64>, Failure> {
    let folder = tempfile::tempdir()?;
    let desk = folder.path().join("desk.db");
    let clock = Clock::default();
    open::create(&desk)?;
    let made = seed::fill_large(&desk, &clock, &DESK, &|_| {})?;
    let (_, key) = made.keys.first().ok_or("the desk has no key")?;
    let dumps = folder.path().join("dump");
    let mut dump_to = std::ffi::OsString::from("--callgrind-out-file=");
    dump_to.push(&dumps);
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--dump-before=instructions::mark*"])
        .arg(dump_to)
        .arg(std::env::current_exe()?)
        .arg("--on")
        .arg(&desk)
        .arg(key)
        .output()
        .map_err(|error| format!("valgrind: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    // Each mark ends a part: what was before the counted requests, then these.
    (0..PATHS.len()).map(|n| Ok(total(&dumps, 2 * n + 2)? / COUNTED as u64)).collect()
}

/// What one part took.
fn total(dumps: &Path, part: usize) -> Result<u64, Failure> {
    let file = PathBuf::from(format!("{}.{part}", dumps.display()));
    let text = std::fs::read_to_string(&file).map_err(|error| format!("part {part}: {error}"))?;
    let line = text.lines().rev().find_map(|line| line.strip_prefix("totals: "));
    Ok(line.ok_or("a part without a total")?.trim().parse()?)
}

/// Where callgrind begins a new part.
#[inline(never)]
fn mark() {
    std::hint::black_box(());
}

/// Sends the requests: those before, a mark, those that are counted, a mark.
fn send_all(file: &Path, key: &str) -> Result<(), Failure> {
    let db = Arc::new(Db::open(file, &db::Options { readers: 2, ..db::Options::default() })?);
    let options = app::Options { rate_limit: 0, ..app::Options::default() };
    let app = app(&db, &options, Upkeep::new(None).uses());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let ticket = newest(&app, key).await?;
        let etag = etag(&app, key, ticket).await?;
        for (name, method, path, extra, status) in &PATHS {
            let uri = format!("/api/v1{}", path.replace("{id}", &ticket.to_string()));
            for n in 0..BEFORE + COUNTED {
                if n == BEFORE {
                    mark();
                }
                let answer = app.get_response(request(method, &uri, *extra, key, &etag)).await;
                if answer.status() != *status {
                    return Err(format!("{name}: {}", answer.status()).into());
                }
                answer.into_body().into_bytes().await?;
            }
            mark();
        }
        Ok(())
    })
}

fn request(method: &Method, uri: &str, extra: Extra, key: &str, etag: &str) -> Request {
    let key = if extra == Extra::WrongKey { "lodge_ext_unknown" } else { key };
    let request = Request::builder()
        .method(method.clone())
        .uri_str(uri)
        .header("host", "127.0.0.1")
        .header("x-api-key", key);
    match extra {
        Extra::Etag => request.header("if-none-match", etag).finish(),
        Extra::Reply => {
            request.content_type("application/json").body(r#"{"content":"Thank you, I am looking into it."}"#)
        }
        Extra::None | Extra::WrongKey => request.finish(),
    }
}

async fn newest(app: &impl Endpoint<Output = Response>, key: &str) -> Result<i64, Failure> {
    let uri = "/api/v1/external/tickets?status=open&per_page=1";
    let answer = app.get_response(request(&Method::GET, uri, Extra::None, key, "")).await;
    let list: serde_json::Value = serde_json::from_slice(&answer.into_body().into_bytes().await?)?;
    Ok(list["data"][0]["id"].as_i64().ok_or("the agent has no ticket")?)
}

async fn etag(app: &impl Endpoint<Output = Response>, key: &str, ticket: i64) -> Result<String, Failure> {
    let uri = format!("/api/v1/external/tickets/{ticket}");
    let answer = app.get_response(request(&Method::GET, &uri, Extra::None, key, "")).await;
    Ok(answer.header("etag").ok_or("a ticket without a version")?.to_owned())
}
