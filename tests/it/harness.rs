//! A server on a database of its own, at a time of its own, and clients that call it.
//!
//! It is noon on 16 March 2026 when a server starts. There are three databases to start from: the hand-written sample
//! ([`TestApp::sample`]), a file that holds nothing ([`TestApp::empty`]), and a small desk whose every row a test can
//! know by heart ([`TestApp::desk`], see [`fill_desk`]). Each is made once and copied for each test.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

use lodge::app::{self, app};
use lodge::auth::key::{self, KeyType};
use lodge::db::{self, Db, Tx, open, write_beside};
use lodge::http::serve::serve;
use lodge::knowledge::model::Article;
use lodge::scalar::PublicationStatus;
use lodge::seed::store::{self, SampleAgent, SampleMessage, SampleTicket};
use lodge::ticket::model::{Priority, Status};
use lodge::time::{Clock, DAY, SECOND, Timestamp};
use lodge::upkeep::Upkeep;
use rusqlite::{Connection, params};
use serde_json::Value;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use ureq::http::HeaderMap;

/// The time at which the databases are made and servers start.
pub const NOON: &str = "2026-03-16T12:00:00Z";

/// A time that is now, on a machine that may be slow.
pub fn just_past_noon(time: &Value) -> &str {
    let text = time.as_str().unwrap_or_default();
    assert!(text.starts_with("2026-03-16T12:00:") && text.len() == NOON.len(), "{time}");
    text
}

/// Text of the ticket that only Cleo is on: it must never reach anybody else.
pub const CANARY: &str = "canary-7Q4X";

/// The time a text stands for.
pub fn time(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

/// A clock at this time.
pub fn clock_at(text: &str) -> Clock {
    let clock = Clock::default();
    clock.advance(time(text).0 - clock.now().0);
    clock
}

/// Text as it stands in a query.
pub fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The sample's agents: handle, e-mail address, key.
static SAMPLE_AGENTS: LazyLock<Vec<(String, String, String)>> = LazyLock::new(|| {
    let desk: Value = serde_json::from_str(include_str!("../../src/seed/sample/desk.json")).unwrap();
    let text = |agent: &Value, field: &str| agent[field].as_str().unwrap().to_owned();
    let agents = desk["agents"].as_array().unwrap().iter();
    agents.map(|agent| (text(agent, "handle"), text(agent, "email"), text(agent, "key"))).collect()
});

/// The handles of the sample's agents.
pub fn sample_handles() -> Vec<&'static str> {
    SAMPLE_AGENTS.iter().map(|(handle, ..)| handle.as_str()).collect()
}

/// The key of an agent of the sample or of the small desk.
pub fn key_of(handle: &str) -> String {
    let made = |n| key::format(KeyType::External, [n; 32]);
    match handle {
        "ada" => made(1),
        "ben" => made(2),
        "cleo" => made(3),
        "internal" => key::format(KeyType::Internal, [9; 32]),
        handle => {
            let found = SAMPLE_AGENTS.iter().find(|(known, ..)| known == handle);
            found.unwrap_or_else(|| panic!("there is no agent {handle}")).2.clone()
        }
    }
}

/// A running server with a database of its own.
pub struct TestApp {
    /// Where it listens.
    pub address: SocketAddr,
    /// Moves its time.
    pub clock: Clock,
    path: PathBuf,
    stop: CancellationToken,
    upkeep: Arc<Upkeep>,
    db: Weak<Db>,
    thread: Option<JoinHandle<()>>,
    _folder: TempDir,
}

impl TestApp {
    /// The hand-written sample.
    pub fn sample() -> Self {
        Self::start(sample_file(), &unlimited())
    }

    /// A database that holds nothing.
    pub fn empty() -> Self {
        Self::start(empty_file(), &unlimited())
    }

    /// The small desk of [`fill_desk`].
    pub fn desk() -> Self {
        Self::desk_with(&unlimited())
    }

    /// The small desk, served in some other way.
    pub fn desk_with(options: &app::Options) -> Self {
        Self::start(desk_file(), options)
    }

    /// The small desk and two hundred tickets more, in which every combination of a few values comes up and times have ties.
    /// Up to four agents are on each, the lead among them.
    pub fn crowd() -> Self {
        let app = Self::desk();
        app.sql(CROWD);
        let ids = app.column::<i64>("SELECT id FROM ticket WHERE id > 100");
        app.change(|tx| db::search::index_tickets(tx, &ids));
        app
    }

    fn start(template: &Path, options: &app::Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lodge.db");
        std::fs::copy(template, &path).unwrap();
        Self::serve(folder, path, clock_at(NOON), options)
    }

    /// Serves a file.
    pub fn serve(folder: TempDir, path: PathBuf, clock: Clock, options: &app::Options) -> Self {
        let db = Arc::new(Db::open(&path, &db::Options { readers: 4, clock: clock.clone() }).unwrap());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (stopped, options) = (stop.clone(), options.clone());
        let (by_itself, weak) = (Arc::new(Upkeep::default()), Arc::downgrade(&db));
        let upkeep = Arc::clone(&by_itself);
        let thread = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::from_std(listener).unwrap();
                let serving = serve(listener, app(&db, &options, upkeep.uses()), options.serving(), stopped);
                upkeep.beside(&db, serving).await.unwrap();
            });
        });
        Self {
            address,
            clock,
            path,
            stop,
            upkeep: by_itself,
            db: weak,
            thread: Some(thread),
            _folder: folder,
        }
    }

    /// Somebody without a key.
    pub fn anon(&self) -> Actor {
        Actor { address: self.address, prefix: "/api/v1/external", key: None }
    }

    /// Somebody with this key.
    pub fn key(&self, key: &str) -> Actor {
        Actor { key: Some(key.to_owned()), ..self.anon() }
    }

    /// An agent of the sample or of the small desk, by handle.
    pub fn agent(&self, handle: &str) -> Actor {
        self.key(&key_of(handle))
    }

    /// An administrator's program with a special key, on the Internal API. On the small desk only.
    pub fn admin(&self) -> Actor {
        self.internal(&key_of("internal"))
    }

    /// Somebody with this key on the Internal API.
    pub fn internal(&self, key: &str) -> Actor {
        Actor { prefix: "/api/v1/internal", ..self.key(key) }
    }

    /// An administrator's program whose key carries just these scopes, on the Internal API.
    pub fn admin_with(&self, scopes: &[&str]) -> Actor {
        self.internal(&self.add_internal_key(scopes, false))
    }

    /// A new internal key.
    pub fn add_internal_key(&self, scopes: &[&str], special: bool) -> String {
        let mut random = [0; 32];
        lodge::random::fill(&mut random).unwrap();
        let raw = key::format(KeyType::Internal, random);
        self.connection()
            .execute(
                "INSERT INTO api_key (name, type, hash, scopes, special, created_at, updated_at)
                 VALUES ('Scoped', 'internal', ?, ?, ?, 0, 0)",
                params![key::hash(&raw), Value::from(scopes.to_vec()).to_string(), special],
            )
            .unwrap();
        raw
    }

    /// Moves the server's time by so many seconds.
    pub fn advance(&self, seconds: i64) {
        self.clock.advance(seconds * SECOND);
    }

    /// Does at once what is due by the server's clock, which the server itself would do within a second.
    pub fn upkeep(&self) {
        let db = self.db.upgrade().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(self.upkeep.tick(&db));
    }

    /// The server's own database.
    pub fn db(&self) -> Arc<Db> {
        self.db.upgrade().unwrap()
    }

    /// The database file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A connection beside the server's, to arrange or look up facts.
    pub fn connection(&self) -> Connection {
        connect(&self.path)
    }

    /// Arranges facts that the API cannot.
    pub fn sql(&self, sql: &str) {
        self.connection().execute_batch(sql).unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Looks a value up.
    pub fn look_up<T: rusqlite::types::FromSql>(&self, sql: &str) -> T {
        let value = self.connection().query_row(sql, [], |row| row.get(0));
        value.unwrap_or_else(|error| panic!("{sql}: {error}"))
    }

    /// A column of a result.
    pub fn column<T: rusqlite::types::FromSql>(&self, sql: &str) -> Vec<T> {
        let conn = self.connection();
        let mut statement = conn.prepare(sql).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    /// The customer of a ticket replies, as the Internal API would do it.
    pub fn customer_replies(&self, ticket: i64, text: &str) {
        let now = self.clock.now().0;
        let conn = self.connection();
        conn.execute(
            "INSERT INTO message (ticket_id, content, sender_type, customer_id, created_at, updated_at)
             SELECT id, ?2, 'customer', customer_id, ?3, ?3 FROM ticket WHERE id = ?1",
            params![ticket, text, now],
        )
        .unwrap();
        conn.execute(
            "UPDATE ticket SET updated_at = ?2, last_reply_at = ?2, awaits_reply = 1, version = version + 1 WHERE id = ?1",
            params![ticket, now],
        )
        .unwrap();
    }

    /// A change through the stores, with the server's time.
    pub fn change<T>(&self, job: impl FnOnce(&Tx<'_>) -> lodge::error::Result<T>) -> T {
        let mut conn = open::writable(&self.path).unwrap();
        write_beside(&mut conn, &self.clock, job).unwrap()
    }

    /// A new ticket of John Doe's with one agent on it.
    pub fn add_ticket(&self, agent: i64, title: &str, content: &str) -> i64 {
        let opened = self.clock.now();
        self.change(|tx| {
            let ticket =
                SampleTicket { title, content, agents: &[agent], lead: Some(agent), opened, ..bare() };
            Ok(store::insert_ticket(tx, &ticket)?.0)
        })
    }

    /// A new published article.
    pub fn add_article(&self, title: &str, excerpt: &str, content: &str) -> i64 {
        self.add_article_as(PublicationStatus::Published, title, excerpt, content)
    }

    /// A new article with this status.
    pub fn add_article_as(
        &self,
        status: PublicationStatus,
        title: &str,
        excerpt: &str,
        content: &str,
    ) -> i64 {
        let created_at = self.clock.now();
        self.change(|tx| {
            let slug = format!(
                "a-{}",
                tx.conn
                    .query_row("SELECT count(*) FROM knowledge_article", [], |row| row.get::<_, i64>(0))?
            );
            let article = Article {
                id: 0,
                title: title.into(),
                slug,
                excerpt: Some(excerpt.into()),
                content: content.into(),
                category: None,
                views: 0,
                status,
                created_at,
            };
            store::insert_article(tx, article, None, created_at)
        })
    }

    /// A new external key of an agent, given as an SQL expression for `expires_at`.
    pub fn add_key(&self, agent: i64, seed: u8, expires_at: &str) -> String {
        let raw = key::format(KeyType::External, [seed; 32]);
        let sql = format!(
            "INSERT INTO api_key (name, type, hash, agent_id, expires_at, created_at, updated_at)
             VALUES ('Test', 'external', ?, {agent}, {expires_at}, 0, 0)"
        );
        self.connection().execute(&sql, [key::hash(&raw)]).unwrap();
        raw
    }

    /// Tells the server to stop, as a signal would; what runs is finished.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Sends bytes as they are and reads what comes back until the server ends the connection.
    #[track_caller]
    pub fn send_raw(&self, bytes: &[u8]) -> Response {
        exchange(self.address, bytes)
    }

    /// Sends a request head (its first line and further header lines) and a body, raw.
    #[track_caller]
    pub fn send_head(&self, head: &str, body: &[u8]) -> Response {
        exchange(self.address, &whole(head, body))
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            let ended = thread.join();
            if !std::thread::panicking() {
                ended.unwrap();
            }
        }
    }
}

/// The tickets of [`TestApp::crowd`]. A prime times the number scatters them the same way each time.
const CROWD: &str = "
    UPDATE sqlite_sequence SET seq = 100 WHERE name = 'ticket';
    WITH RECURSIVE n (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < 199),
      h (n, h, status) AS (SELECT n, n * 7919 % 10007, '[\"open\",\"in_progress\",\"on_hold\",\"closed\"]' ->> (n * 7919 % 10007 % 4) FROM n)
    INSERT INTO ticket (reference_id, title, content, status, priority, department_id, customer_id, assigned_to, awaits_reply,
      last_reply_at, closed_at, created_at, updated_at)
    SELECT 'R' || n, 'Title ' || n, 'x', status, '[\"low\",\"medium\",\"high\",\"critical\"]' ->> (h / 7 % 4),
      nullif(h / 31 % 3, 0), 1 + h / 5 % 2, nullif(h / 13 % 4, 0), h / 3 % 2, nullif(h / 17 % 8, 0) * 1000000,
      iif(status = 'closed', iif(h % 3 = 0, 1773650000000000, h), NULL), h / 19 % 9 * 1000000, h / 23 % 9 * 1000000
    FROM h;
    INSERT INTO ticket_agent
    SELECT DISTINCT t.id, a.id, t.status, t.priority, t.department_id, t.awaits_reply, t.created_at, t.updated_at,
      t.last_reply_at, t.closed_at
    FROM ticket t JOIN agent a ON a.id = t.assigned_to OR (t.id * 31 + a.id * 7) % 5 = 0 WHERE t.id > 100;";

/// Options without limits: most tests are not about them.
pub fn unlimited() -> app::Options {
    app::Options { rate_limit: 0, ..app::Options::default() }
}

/// A plain connection to a database file.
pub fn connect(path: &Path) -> Connection {
    let conn = Connection::open(path).unwrap();
    conn.busy_timeout(Duration::from_secs(10)).unwrap();
    conn.execute_batch("PRAGMA foreign_keys = ON").unwrap();
    conn
}

/// Makes a database once a run and keeps it in the build's own folder, because statics are never dropped. The whole
/// file appears at once, so that another run beside this one never copies half of it.
pub fn kept(name: &str, make: impl FnOnce(&Path)) -> PathBuf {
    let tmp = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let folder = tempfile::tempdir_in(tmp).unwrap();
    let path = folder.path().join("new.db");
    make(&path);
    checkpoint(&path);
    let kept = tmp.join(format!("{name}.db"));
    std::fs::rename(path, &kept).unwrap();
    kept
}

/// Moves what is in the log into the file itself, so that a copy of the file alone is whole.
pub fn checkpoint(path: &Path) {
    connect(path).query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

/// The sample, made at noon.
pub fn sample_file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| kept("sample", |path| lodge::seed::create_sample(path, &clock_at(NOON)).unwrap()))
}

/// A database that holds nothing.
pub fn empty_file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| kept("empty", |path| open::create(path).unwrap()))
}

/// The small desk.
pub fn desk_file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        kept("desk", |path| {
            open::create(path).unwrap();
            let mut conn = open::writable(path).unwrap();
            write_beside(&mut conn, &clock_at(NOON), fill_desk).unwrap();
        })
    })
}

/// A ticket with nothing set, to be completed.
pub fn bare<'a>() -> SampleTicket<'a> {
    SampleTicket {
        title: "Bare",
        content: "Nothing but a question.",
        status: Status::Open,
        priority: Priority::Medium,
        place: (None, None, None),
        customer: (1, "John Doe", "john@customer.example"),
        lead: None,
        agents: &[],
        labels: &[],
        fields: &[],
        is_locked: false,
        opened: time(NOON),
        closed: None,
        messages: &[],
    }
}

/// The small desk, all of it.
///
/// | Ticket | Agents (lead first) | What it is |
/// |---|---|---|
/// | 1 `#1001` | Ben, Ada | everything set, three messages: 1 customer, 2 Ada, 3 a note of Ben's |
/// | 2 `#1002` | Cleo | in Billing, one message (4), holds [`CANARY`] wherever there is text |
/// | 3 `#1003` | Ada | nothing set |
/// | 4 `#1004` | Ada, Ben | locked, one message (5) of the customer's |
/// | 5 `#1005` | Ada | closed, one message (6) of Ada's |
///
/// Agents 1 Ada and 2 Ben are in department 1 Support, 3 Cleo is in 2 Billing. Labels 1 Bug, 2 Idea, 3 Old (a draft).
fn fill_desk(tx: &Tx<'_>) -> lodge::error::Result<()> {
    let ago = |hours: i64| tx.now.plus(-hours * 3600 * SECOND);
    let start = tx.now.plus(-100 * DAY);
    for (name, description) in [("Support", "What does not work."), ("Billing", "Money.")] {
        store::insert_department(tx, name, description, "desk@desk.example", start)?;
    }
    let people = [("Ada Lind", "ada", 1), ("Ben Ortiz", "ben", 1), ("Cleo Marsh", "cleo", 2)];
    for (name, handle, department) in people {
        let email = format!("{handle}@desk.example");
        let avatar = format!("https://desk.example/{handle}.png");
        let agent = SampleAgent {
            name,
            email: &email,
            password_hash: None,
            phone: Some("+1 555 0100"),
            locale: Some("en"),
            avatar_url: Some(&avatar),
        };
        let id = store::insert_agent(tx, &agent, start)?;
        store::insert_agent_department(tx, id, department)?;
        tx.conn.execute(
            "INSERT INTO api_key (name, type, hash, agent_id, created_at, updated_at) VALUES (?, 'external', ?, ?, ?4, ?4)",
            params![name, key::hash(&key_of(handle)), id, start.0],
        )?;
    }
    tx.conn.execute(
        "INSERT INTO api_key (name, type, hash, special, created_at, updated_at) VALUES ('Robot', 'internal', ?, 1, ?2, ?2)",
        params![key::hash(&key_of("internal")), start.0],
    )?;
    store::insert_category(tx, "Account", "", None, start)?;
    store::insert_product(tx, "Platform", None, ("", 4990), start)?;
    for (name, status) in [("Bug", "published"), ("Idea", "published"), ("Old", "draft")] {
        store::insert_label(tx, name, "#e74c3c", status, start)?;
    }
    store::insert_custom_field(tx, "Browser", "", ("text", 1), start)?;
    store::insert_custom_field(tx, "Seats", "", ("number", 0), start)?;
    store::insert_customer(tx, ("John Doe", "john@customer.example", None), false, start)?;
    store::insert_customer(tx, (&format!("Zoë {CANARY}"), "zoe@canary.example", None), false, start)?;
    let said = |agent, text, hours| SampleMessage { agent, is_note: false, text, at: ago(hours), likes: &[] };
    let secret = format!("Only Cleo reads {CANARY}");
    let zoe = format!("Zoë {CANARY}");
    let full = [
        said(None, "It says wrong password.", 49),
        said(Some(1), "Looking into it.", 48),
        SampleMessage { is_note: true, ..said(Some(2), "They mistyped it.", 47) },
    ];
    let (canary, hello, done) =
        ([said(None, &secret, 39)], [said(None, "Hello?", 19)], [said(Some(1), "Done.", 9)]);
    let tickets = [
        SampleTicket {
            title: "Cannot access my account",
            content: "I'm unable to log in.",
            priority: Priority::High,
            place: (Some(1), Some(1), Some(1)),
            lead: Some(2),
            agents: &[1, 2],
            labels: &[2, 1],
            fields: &[(1, "Chrome 120"), (2, "12")],
            opened: ago(50),
            messages: &full,
            ..bare()
        },
        SampleTicket {
            title: &secret,
            content: &secret,
            place: (Some(2), None, None),
            customer: (2, &zoe, "zoe@canary.example"),
            lead: Some(3),
            agents: &[3],
            opened: ago(40),
            messages: &canary,
            ..bare()
        },
        SampleTicket { lead: Some(1), agents: &[1], opened: ago(30), ..bare() },
        SampleTicket {
            title: "Locked",
            priority: Priority::Low,
            place: (Some(1), None, None),
            lead: Some(1),
            agents: &[1, 2],
            is_locked: true,
            opened: ago(20),
            messages: &hello,
            ..bare()
        },
        SampleTicket {
            title: "Settled",
            status: Status::Closed,
            priority: Priority::Critical,
            lead: Some(1),
            agents: &[1],
            opened: ago(10),
            closed: Some(ago(1)),
            messages: &done,
            ..bare()
        },
    ];
    for ticket in &tickets {
        store::insert_ticket(tx, ticket)?;
    }
    Ok(())
}

/// Somebody who calls the External API.
#[derive(Clone)]
pub struct Actor {
    address: SocketAddr,
    prefix: &'static str,
    key: Option<String>,
}

impl Actor {
    /// The same caller, giving whole paths instead of those of the External API.
    pub fn at_root(&self) -> Self {
        Self { prefix: "", ..self.clone() }
    }

    /// GET.
    #[track_caller]
    pub fn get(&self, path: &str) -> Response {
        self.call("GET", path).send()
    }

    /// POST of a JSON body.
    #[track_caller]
    pub fn post(&self, path: &str, body: Value) -> Response {
        self.call("POST", path).json(&body).send()
    }

    /// POST without a body.
    #[track_caller]
    pub fn act(&self, path: &str) -> Response {
        self.call("POST", path).send()
    }

    /// PUT of a JSON body.
    #[track_caller]
    pub fn put(&self, path: &str, body: Value) -> Response {
        self.call("PUT", path).json(&body).send()
    }

    /// DELETE.
    #[track_caller]
    pub fn delete(&self, path: &str) -> Response {
        self.call("DELETE", path).send()
    }

    /// Any request, to be completed and sent.
    pub fn call(&self, method: &str, path: &str) -> Call {
        let head = format!("{method} {}{path} HTTP/1.1", self.prefix);
        let call = Call { address: self.address, head, body: vec![] };
        match &self.key {
            Some(key) => call.header("X-API-KEY", key),
            None => call,
        }
    }
}

/// A request that is being put together.
pub struct Call {
    address: SocketAddr,
    head: String,
    body: Vec<u8>,
}

impl Call {
    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(&format!("\r\n{name}: {value}"));
        self
    }

    /// With a JSON body.
    pub fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json").body(body.to_string())
    }

    /// With this body and no `Content-Type`.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len();
        self.header("Content-Length", &length.to_string())
    }

    /// Sends it.
    #[track_caller]
    pub fn send(self) -> Response {
        exchange(self.address, &whole(&self.head, &self.body))
    }
}

/// A request of which the server is told that it is the only one on its connection.
fn whole(head: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("{head}\r\nHost: lodge\r\nConnection: close\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

/// Sends bytes in one piece, on a connection of their own, and reads until the server ends it. A client as plain as this
/// cannot repeat a request, follow a redirect or mend what it sends.
#[track_caller]
fn exchange(address: SocketAddr, bytes: &[u8]) -> Response {
    let mut socket = TcpStream::connect(address).unwrap();
    socket.set_nodelay(true).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // A server that refuses early may close before everything is written.
    let _ = socket.write_all(bytes);
    let mut answer = Vec::new();
    // What ends the connection after an answer says nothing more; without one it is all there is to know.
    if let Err(error) = socket.read_to_end(&mut answer)
        && answer.is_empty()
    {
        panic!("no answer: {error}");
    }
    Response::parse(&answer)
}

/// What the server answered.
#[derive(Debug)]
pub struct Response {
    /// The status.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
    /// The body as JSON; null when it is none.
    pub json: Value,
}

impl Response {
    /// Reads an answer off the wire. Bodies with a length only, which all of ours are.
    #[track_caller]
    pub fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n");
        let end = end.unwrap_or_else(|| panic!("no answer: {:?}", String::from_utf8_lossy(bytes)));
        let head = std::str::from_utf8(&bytes[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).unwrap();
        let mut headers = HeaderMap::new();
        for line in lines {
            let (name, value) = line.split_once(':').unwrap();
            let name = ureq::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, value.trim().parse().unwrap());
        }
        let body = bytes[end + 4..].to_vec();
        let json = serde_json::from_slice(&body).unwrap_or_default();
        Self { status, headers, body, json }
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// What is under `data` in a success.
    #[track_caller]
    pub fn data(&self) -> &Value {
        assert!(matches!(self.status, 200 | 201), "{} {}", self.status, self.json);
        assert_eq!(self.json["status"], true, "{}", self.json);
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()));
        &self.json["data"]
    }

    /// The items of a list.
    #[track_caller]
    pub fn items(&self) -> &Vec<Value> {
        self.data().as_array().unwrap_or_else(|| panic!("not a list: {}", self.json))
    }

    /// A field of every item of a list.
    #[track_caller]
    pub fn each(&self, field: &str) -> Vec<Value> {
        self.items().iter().map(|item| item[field].clone()).collect()
    }

    /// The ids of a list.
    #[track_caller]
    pub fn ids(&self) -> Vec<i64> {
        self.items().iter().map(|item| item["id"].as_i64().unwrap()).collect()
    }

    /// Asserts a refusal: this status and code, in the one shape there is.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json["code"].as_str()), (status, Some(code)), "{}", self.json);
        assert_eq!(self.json["status"], false);
        assert!(self.json["message"].as_str().is_some_and(|message| !message.is_empty()), "{}", self.json);
        let fields = if code == "validation_failed" { 4 } else { 3 };
        assert_eq!(self.json.as_object().unwrap().len(), fields, "{}", self.json);
        assert_eq!(self.header("content-type"), Some("application/json"));
        assert!(self.header("x-request-id").is_some_and(|id| !id.is_empty()));
    }

    /// Asserts a 422 that names exactly these fields, each with a sentence.
    #[track_caller]
    pub fn invalid(&self, fields: &[&str]) {
        self.refused(422, "validation_failed");
        let errors = self.json["errors"].as_object().unwrap();
        let mut named: Vec<&str> = errors.keys().map(String::as_str).collect();
        let mut wanted = fields.to_vec();
        named.sort_unstable();
        wanted.sort_unstable();
        assert_eq!(named, wanted, "{}", self.json);
        for messages in errors.values() {
            let messages = messages.as_array().unwrap();
            assert!(!messages.is_empty() && messages.iter().all(Value::is_string), "{}", self.json);
        }
    }
}

/// The names of an object's fields, in order.
#[track_caller]
pub fn fields(object: &Value) -> Vec<&str> {
    object
        .as_object()
        .unwrap_or_else(|| panic!("not an object: {object}"))
        .keys()
        .map(String::as_str)
        .collect()
}
