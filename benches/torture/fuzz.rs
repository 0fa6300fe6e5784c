//! `fuzz`: requests made of the OpenAPI document, mutated, straight into the app in this process, with both kinds of key.
//!
//! Shows that no request makes it panic or answer with 5xx, that every answer has our one shape and a request id, and that
//! nothing internal is in it; at the end the database is checked. Cannot show what the parser of HTTP itself does with a
//! broken head: requests begin behind it.

use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use lodge::app::{self, app};
use lodge::db::{self, Db};
use lodge::upkeep::Upkeep;
use poem::http::{Method, StatusCode};
use poem::{Endpoint, Response};
use serde_json::Value;

use crate::Failure;
use crate::desk::Desk;
use crate::mutant::Document;
use crate::options::Options;
use crate::report::Report;
use crate::sound;

/// How many requests one desk sees: then it is a new one, so that it stays as small as a fuzzed desk should be.
const DESK: u32 = 50_000;
/// How many requests are under way at once. More than hash passwords at a time, fewer than would be refused for that.
const WORKERS: u32 = 4;
/// Words that have no business in an answer.
const INTERNAL: [&str; 6] = ["panicked", "rusqlite", "sqlite", "no such column", "constraint failed", "src/"];
/// Whoever fuzzes with every right soon revokes the own key. These give back what they lose to the two keys and the agent.
const KEPT: &str = "
    CREATE TABLE fuzz (agent_key INTEGER, admin_key INTEGER);
    INSERT INTO fuzz SELECT max(id) - 2, max(id) FROM api_key;
    CREATE TRIGGER fuzz_key AFTER UPDATE ON api_key
      WHEN NEW.id IN (SELECT agent_key FROM fuzz UNION ALL SELECT admin_key FROM fuzz)
        AND (NEW.revoked_at IS NOT NULL OR NEW.expires_at IS NOT NULL OR NEW.special <> (NEW.id = (SELECT admin_key FROM fuzz)))
      BEGIN UPDATE api_key SET revoked_at = NULL, expires_at = NULL, special = (id = (SELECT admin_key FROM fuzz))
        WHERE id = NEW.id; END;
    CREATE TRIGGER fuzz_agent AFTER UPDATE ON agent WHEN NEW.id = 1 AND (NEW.deleted_at IS NOT NULL OR NOT NEW.is_active)
      BEGIN UPDATE agent SET deleted_at = NULL, is_active = 1 WHERE id = 1; END;";

/// What all workers count.
#[derive(Default)]
struct Tally {
    panics: AtomicU64,
    /// By the first digit of the status.
    statuses: [AtomicU64; 6],
    wrong: Mutex<Vec<String>>,
}

/// Runs the harness.
pub fn run(options: &Options) -> Result<Report, Failure> {
    let cycles = options.cycles(5_000_000, 20_000);
    let mut report = Report::new("fuzz", "the whole app in process", options.seed);
    let folder = options.scratch_in_memory("fuzz")?;
    let desk = Desk::seeded(&options.binary, folder.path())?;
    let (tally, document) = (Arc::new(Tally::default()), Arc::new(Document::of_lodge()));
    let counter = Arc::clone(&tally);
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        counter.panics.fetch_add(1, Ordering::Relaxed);
        usual(panic);
    }));
    let mut done = 0;
    while done < cycles && report.is_clean() {
        let now = DESK.min(cycles - done);
        let file = folder.path().join("fuzzed.db");
        desk.copy_to(&file)?;
        fuzz(&file, &desk, &document, &tally, options.seed.wrapping_add(u64::from(done)), now)?;
        done += now;
        let panics = tally.panics.swap(0, Ordering::Relaxed);
        if panics > 0 {
            report.violation(format!("{panics} panics"));
        }
        let mut wrong = tally.wrong.lock().unwrap_or_else(PoisonError::into_inner);
        wrong.drain(..).for_each(|wrong| report.violation(wrong));
        for wrong in sound::check_copies(&sound::open(&file)?)? {
            report.violation(wrong);
        }
    }
    let _ = std::panic::take_hook();
    let answers = |digit: usize| tally.statuses[digit].load(Ordering::Relaxed);
    if answers(2) * 5 < u64::from(done) {
        return Err("hardly a request is good: this fuzzes nothing but the front".into());
    }
    report.figure(format!("{done} requests to {} operations", document.len()));
    report.figure(format!(
        "{} answered with 2xx, {} with 3xx, {} with 4xx, {} with 5xx",
        answers(2),
        answers(3),
        answers(4),
        answers(5)
    ));
    Ok(report)
}

fn fuzz(
    file: &Path,
    desk: &Desk,
    document: &Arc<Document>,
    tally: &Arc<Tally>,
    seed: u64,
    cases: u32,
) -> Result<(), Failure> {
    let db = Arc::new(Db::open(file, &db::Options::default())?);
    rusqlite::Connection::open(file)?.execute_batch(KEPT)?;
    let options = app::Options { rate_limit: 0, ..app::Options::default() };
    let app = Arc::new(app(&db, &options, Upkeep::default().uses()));
    // The agent's, the administrator's, one that is well formed and unknown, and none.
    let keys = Arc::new([
        desk.agents[0].clone(),
        desk.admin.clone(),
        desk.agents[1].replace('a', "b"),
        String::new(),
    ]);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let workers = (0..WORKERS).map(|worker| {
            let (app, keys) = (Arc::clone(&app), Arc::clone(&keys));
            let (document, tally) = (Arc::clone(document), Arc::clone(tally));
            tokio::spawn(async move {
                let mut rng = fastrand::Rng::with_seed(seed ^ (u64::from(worker) << 40));
                for _ in 0..cases / WORKERS {
                    let request = document.request(&mut rng, keys.as_slice());
                    let (method, uri) = (request.method().clone(), request.uri().clone());
                    let answer = app.get_response(request).await;
                    tally.judge(&method, &uri.to_string(), answer).await;
                }
            })
        });
        for worker in workers.collect::<Vec<_>>() {
            worker.await?;
        }
        Ok::<_, Failure>(())
    })
}

impl Tally {
    async fn judge(&self, method: &Method, uri: &str, answer: Response) {
        let status = answer.status();
        self.statuses[usize::from(status.as_u16() / 100).min(5)].fetch_add(1, Ordering::Relaxed);
        let has_id = answer.headers().contains_key("x-request-id");
        let kind = answer.content_type().unwrap_or_default().to_owned();
        let bytes = answer.into_body().into_vec().await.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let is_page = status == StatusCode::OK && !uri.starts_with("/api/");
        let is_bare = status == StatusCode::NO_CONTENT || status.is_redirection() || method == Method::HEAD;
        let reason = if status.is_server_error() {
            "a 5xx"
        } else if !has_id {
            "no request id"
        } else if !(is_page
            || is_bare
            || kind.starts_with("application/json") && has_our_shape(status, &text))
        {
            "another shape"
        } else if status.is_client_error() && INTERNAL.iter().any(|word| text.to_lowercase().contains(word)) {
            "something internal"
        } else {
            return;
        };
        let said = format!("{method} {uri}: {reason}: {status} {text}");
        self.wrong.lock().unwrap_or_else(PoisonError::into_inner).push(said);
    }
}

/// `{"status":true,…}`, or `{"status":false,"code","message"}` with `errors` exactly where something was invalid.
fn has_our_shape(status: StatusCode, text: &str) -> bool {
    let Ok(Value::Object(body)) = serde_json::from_str(text) else { return false };
    let has = |name: &str, is: fn(&Value) -> bool| body.get(name).is_some_and(is);
    if status.is_success() {
        return has("status", |status| *status == true)
            && body.keys().all(|name| ["status", "message", "data", "meta"].contains(&name.as_str()));
    }
    let invalid = body.get("code").is_some_and(|code| code == "validation_failed");
    has("status", |status| *status == false)
        && has("code", |code| code.as_str().is_some_and(|code| !code.is_empty()))
        && has("message", |message| message.as_str().is_some_and(|message| !message.is_empty()))
        && invalid == has("errors", |errors| errors.as_object().is_some_and(|errors| !errors.is_empty()))
        && body.keys().all(|name| ["status", "code", "message", "errors"].contains(&name.as_str()))
}
