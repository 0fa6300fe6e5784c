//! The command line, as a program that is run.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use lodge::auth::key;
use serde_json::Value;
use tempfile::TempDir;

use crate::harness::{TestApp, connect, key_of};

/// A folder to work in. What runs in it sees no environment but what a test sets.
pub struct Desk(TempDir);

/// What a command left.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Desk {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn files(&self) -> BTreeSet<String> {
        let names = std::fs::read_dir(self.0.path()).unwrap();
        names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    pub fn command(&self, line: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lodge"));
        command.args(line).env_clear().current_dir(self.0.path());
        command
    }

    /// Runs a command to its end.
    pub fn run(&self, line: &[&str]) -> Done {
        Self::finish(self.command(line))
    }

    pub fn finish(mut command: Command) -> Done {
        let output = command.stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Done { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Runs a command that must succeed and returns its stdout.
    #[track_caller]
    pub fn ok(&self, line: &[&str]) -> String {
        let done = self.run(line);
        assert_eq!(done.code, 0, "{line:?}: {}", done.stderr);
        done.stdout
    }

    /// Runs a command that must be refused with this code, in one sentence on stderr.
    #[track_caller]
    pub fn refused(&self, code: i32, line: &[&str]) -> String {
        let done = self.run(line);
        assert_eq!((done.code, done.stdout.as_str()), (code, ""), "{line:?}: {}", done.stderr);
        assert!(!done.stderr.trim().is_empty());
        done.stderr
    }

    /// Starts a server and waits until it says where it is.
    pub fn start(&self, line: &[&str]) -> Server {
        Server::start(self.command(line))
    }

    /// An empty database.
    pub fn empty(&self) {
        lodge::db::open::create(&self.path("lodge.db")).unwrap();
    }

    /// A database with one agent, number 1.
    pub fn with_agent(&self) {
        self.empty();
        self.ok(&["agent", "create", "--name", "Ada", "--email", "ada@desk.example"]);
    }
}

/// A running server; killed when the test is over.
pub struct Server {
    pub child: Child,
    pub address: String,
    lines: Receiver<(bool, String)>,
    seen: Vec<(bool, String)>,
}

impl Server {
    pub fn start(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let follow = |stream: Box<dyn Read + Send>, is_stdout, sender: std::sync::mpsc::Sender<_>| {
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    let _ = sender.send((is_stdout, line));
                }
            });
        };
        follow(Box::new(child.stdout.take().unwrap()), true, sender.clone());
        follow(Box::new(child.stderr.take().unwrap()), false, sender);
        let mut server = Self { child, address: String::new(), lines, seen: vec![] };
        let line = server.wait_for("http://");
        let rest = line.split_once("http://").unwrap().1;
        let end = rest.find(|c: char| !c.is_ascii_digit() && !".:".contains(c)).unwrap_or(rest.len());
        server.address = rest[..end].to_owned();
        server
    }

    /// The first line with this text.
    #[track_caller]
    pub fn wait_for(&mut self, text: &str) -> String {
        if let Some((_, line)) = self.seen.iter().find(|(_, line)| line.contains(text)) {
            return line.clone();
        }
        let until = Instant::now() + Duration::from_secs(20);
        while let Ok(line) = self.lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.seen.push(line);
            let (_, last) = self.seen.last().unwrap();
            if last.contains(text) {
                return last.clone();
            }
        }
        panic!("{text} was not said: {:#?}", self.seen);
    }

    /// Every line that was said so far.
    pub fn said(&mut self) -> Vec<String> {
        self.seen.extend(self.lines.try_iter());
        self.seen.iter().map(|(_, line)| line.clone()).collect()
    }

    /// Everything that was said on stdout so far.
    fn stdout(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        self.seen.iter().filter(|(is_stdout, _)| *is_stdout).map(|(_, line)| format!("{line}\n")).collect()
    }

    pub fn get(&self, key: &str, path: &str) -> (u16, Value) {
        let agent: ureq::Agent =
            ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().into();
        let url = format!("http://{}{path}", self.address);
        let mut answer =
            agent.get(&url).header("X-API-KEY", key).header("Connection", "close").call().unwrap();
        (answer.status().as_u16(), answer.body_mut().read_json().unwrap_or_default())
    }

    /// Sends a signal and waits for the end.
    pub fn stop(mut self, signal: &str) -> ExitStatus {
        let sent =
            Command::new("kill").args([format!("-{signal}"), self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let until = Instant::now() + Duration::from_secs(15);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "it does not stop");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub const ANYWHERE: [&str; 2] = ["--listen", "127.0.0.1:0"];

pub fn serve() -> Vec<&'static str> {
    ["serve"].into_iter().chain(ANYWHERE).collect()
}

fn demo() -> Vec<&'static str> {
    ["demo"].into_iter().chain(ANYWHERE).collect()
}

// ---------------------------------------------------------------- help and usage

const COMMANDS: [&[&str]; 17] = [
    &[],
    &["demo"],
    &["serve"],
    &["seed"],
    &["agent"],
    &["agent", "create"],
    &["agent", "list"],
    &["agent", "activate"],
    &["agent", "deactivate"],
    &["key"],
    &["key", "create"],
    &["key", "list"],
    &["key", "revoke"],
    &["openapi"],
    &["backup"],
    &["restore"],
    &["check"],
];

#[test]
fn every_command_has_help() {
    let desk = Desk::new();
    for command in COMMANDS {
        for help in ["--help", "-h"] {
            let text = desk.ok(&[command, &[help]].concat());
            assert!(text.contains("Usage: lodge"), "{command:?}");
        }
    }
    assert!(desk.files().is_empty());
}

#[test]
fn help_says_what_a_command_does() {
    let desk = Desk::new();
    for verb in ["activate", "deactivate"] {
        let text = desk.ok(&["agent", verb, "--help"]).to_lowercase();
        assert!(text.lines().next().unwrap().contains(verb), "{text}");
    }
}

#[test]
fn every_flag_has_an_environment_twin_and_a_text() {
    let desk = Desk::new();
    for command in COMMANDS {
        let text = desk.ok(&[command, &["--help"]].concat());
        for flag in text
            .split("--")
            .skip(1)
            .map(|rest| rest.split(|c: char| !c.is_ascii_lowercase() && c != '-').next().unwrap())
        {
            let shown = text.contains(&format!("\n      --{flag}"));
            let twin = format!("[env: LODGE_{}=", flag.to_uppercase().replace('-', "_"));
            // A flag that may be repeated keeps its name too: `--scope` is LODGE_SCOPE.
            assert!(!shown || text.contains(&twin), "{command:?} --{flag}\n{text}");
        }
    }
}

#[test]
fn the_version_is_that_of_the_crate() {
    assert_eq!(Desk::new().ok(&["--version"]), format!("lodge {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn a_call_that_makes_no_sense_exits_with_2() {
    let desk = Desk::new();
    desk.empty();
    let calls: [&[&str]; 22] = [
        &[],
        &["nonsense"],
        &["serve", "--nonsense"],
        &["serve", "extra"],
        &["serve", "--listen", "nowhere"],
        &["serve", "--rate-limit", "-1"],
        &["serve", "--rate-limit", "x"],
        &["serve", "--max-body", "0"],
        &["serve", "--log-format", "xml"],
        &["seed", "--tickets", "0"],
        &["seed", "--agents", "5"],
        &["seed", "--seed", "5"],
        &["agent"],
        &["agent", "create", "--name", "Ada"],
        &["agent", "activate"],
        &["key", "create"],
        &["key", "create", "--type", "other", "--special"],
        &["key", "create", "--type", "external"],
        &["key", "create", "--type", "internal"],
        &["key", "create", "--type", "internal", "--special", "--expires-in", "soon"],
        &["key", "revoke", "x"],
        &["openapi", "--format", "xml"],
    ];
    for call in calls {
        let done = desk.run(call);
        assert_eq!(done.code, 2, "{call:?} {}", done.stderr);
        assert!(done.stdout.is_empty() && !done.stderr.is_empty(), "{call:?}");
    }
    for call in [
        ["--type", "internal", "--special", "--agent", "1"].as_slice(),
        &["--type", "external", "--agent", "1", "--special"],
        &["--type", "external", "--agent", "1", "--scope", "tickets:list"],
        &["--type", "internal", "--special", "--scope", "tickets:list"],
    ] {
        desk.refused(2, &[&["key", "create"], call].concat());
    }
}

// ---------------------------------------------------------------- files

#[test]
fn a_missing_folder_is_named_and_not_made() {
    let desk = Desk::new();
    for command in [serve(), demo(), vec!["seed"], vec!["agent", "list"], vec!["key", "list"]] {
        let said = desk.refused(1, &[&command[..], &["--db", "nowhere/lodge.db"]].concat());
        assert!(said.contains("nowhere"), "{said}");
    }
    assert!(desk.files().is_empty(), "{:?}", desk.files());
}

#[test]
fn short_writes_do_not_make_a_database() {
    let desk = Desk::new();
    let create = ["agent", "create", "--name", "Ada", "--email", "ada@desk.example"];
    let calls: [&[&str]; 5] = [
        &create,
        &["agent", "list"],
        &["key", "list"],
        &["key", "revoke", "1"],
        &["key", "create", "--type", "internal", "--special"],
    ];
    for call in calls {
        desk.refused(1, call);
    }
    assert!(desk.files().is_empty(), "{:?}", desk.files());
}

#[test]
fn another_programs_file_is_left_byte_for_byte() {
    let desk = Desk::new();
    std::fs::write(desk.path("notes.txt"), "These are my notes. ".repeat(50)).unwrap();
    std::fs::write(desk.path("empty"), "").unwrap();
    connect(&desk.path("other.db"))
        .execute_batch("CREATE TABLE mine (x); INSERT INTO mine VALUES (1);")
        .unwrap();
    std::fs::write(desk.path("half.db"), &std::fs::read(desk.path("other.db")).unwrap()[..50]).unwrap();
    let before = desk.files();
    for name in ["notes.txt", "empty", "other.db", "half.db"] {
        let bytes = std::fs::read(desk.path(name)).unwrap();
        let reset = [demo(), vec!["--reset"]].concat();
        for command in
            [serve(), demo(), reset, vec!["seed"], vec!["agent", "list"], vec!["key", "revoke", "1"]]
        {
            desk.refused(1, &[&command[..], &["--db", name]].concat());
            assert!(std::fs::read(desk.path(name)).unwrap() == bytes, "{name} after {command:?}");
        }
    }
    assert_eq!(desk.files(), before);
}

#[test]
fn a_newer_lodges_file_is_left_as_it_is() {
    let desk = Desk::new();
    desk.empty();
    connect(&desk.path("lodge.db"))
        .execute_batch("PRAGMA user_version = 99; PRAGMA wal_checkpoint(TRUNCATE);")
        .unwrap();
    let bytes = std::fs::read(desk.path("lodge.db")).unwrap();
    for command in [serve(), vec!["agent", "list"], vec!["seed"]] {
        let said = desk.refused(1, &command);
        assert!(said.contains("newer") && said.contains("99"), "{said}");
    }
    assert!(std::fs::read(desk.path("lodge.db")).unwrap() == bytes);
}

#[test]
fn a_port_in_use_leaves_nothing_behind() {
    let desk = Desk::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for command in ["serve", "demo"] {
        let said = desk.refused(75, &[command, "--listen", &address]);
        assert!(said.contains(&address), "{said}");
    }
    assert!(desk.files().is_empty(), "{:?}", desk.files());
}

// ---------------------------------------------------------------- agents

#[test]
fn creating_an_agent_prints_its_id_and_nothing_else() {
    let desk = Desk::new();
    desk.empty();
    assert_eq!(desk.ok(&["agent", "create", "--name", "Ada Lind", "--email", "ada@desk.example"]), "1\n");
    assert_eq!(desk.ok(&["agent", "create", "--name", "Ben", "--email", "ben@desk.example"]), "2\n");
    let list = desk.ok(&["agent", "list"]);
    assert_eq!(list, "1\tAda Lind\tada@desk.example\tactive\n2\tBen\tben@desk.example\tactive\n");
}

#[test]
fn agents_are_listed_by_name() {
    let desk = Desk::new();
    desk.empty();
    for (name, email) in [("Zoe", "z@desk.example"), ("Émile", "e@desk.example"), ("adam", "a@desk.example")]
    {
        desk.ok(&["agent", "create", "--name", name, "--email", email]);
    }
    let ids: Vec<String> =
        desk.ok(&["agent", "list"]).lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    assert_eq!(ids, ["3", "2", "1"]);
}

#[test]
fn an_address_is_taken_whatever_its_case() {
    let desk = Desk::new();
    desk.with_agent();
    let said = desk.refused(1, &["agent", "create", "--name", "Eve", "--email", "ADA@desk.EXAMPLE"]);
    assert!(said.contains("email"), "{said}");
    assert_eq!(desk.ok(&["agent", "list"]).lines().count(), 1);
}

#[test]
fn an_agent_needs_a_name_and_a_real_address() {
    let desk = Desk::new();
    desk.empty();
    let long = "x".repeat(251);
    for (name, email) in [
        (" ", "a@desk.example"),
        (&*long, "a@desk.example"),
        ("Ada", "nowhere"),
        ("Ada", "a b@c.d"),
        ("Ada", ""),
    ] {
        desk.refused(1, &["agent", "create", "--name", name, "--email", email]);
    }
    assert_eq!(desk.ok(&["agent", "list"]), "");
}

fn create_with_password(desk: &Desk, email: &str, password: &str) -> i32 {
    let mut command =
        desk.command(&["agent", "create", "--name", "Ada", "--email", email, "--password-stdin"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(password.as_bytes());
    child.wait().unwrap().code().unwrap()
}

#[test]
fn a_password_comes_from_stdin_and_is_kept_as_argon2id() {
    let desk = Desk::new();
    desk.empty();
    assert_eq!(create_with_password(&desk, "a@desk.example", "correct horse\n"), 0);
    assert_eq!(create_with_password(&desk, "b@desk.example", "short\n"), 1);
    assert_eq!(create_with_password(&desk, "c@desk.example", &"x".repeat(129)), 1);
    assert_eq!(create_with_password(&desk, "e@desk.example", "control\0character\n"), 1);
    assert_eq!(create_with_password(&desk, "f@desk.example", "          \n"), 1);
    assert_eq!(create_with_password(&desk, "d@desk.example", &"ü".repeat(128)), 0);
    let conn = connect(&desk.path("lodge.db"));
    let hash: String =
        conn.query_row("SELECT password_hash FROM agent WHERE id = 1", [], |row| row.get(0)).unwrap();
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    assert_eq!(desk.ok(&["agent", "list"]).lines().count(), 2);
}

#[test]
fn without_a_password_there_is_none() {
    let desk = Desk::new();
    desk.with_agent();
    let conn = connect(&desk.path("lodge.db"));
    let none: bool = conn.query_row("SELECT password_hash IS NULL FROM agent", [], |row| row.get(0)).unwrap();
    assert!(none);
}

#[test]
fn an_agent_is_deactivated_and_activated_by_id_or_address() {
    let desk = Desk::new();
    desk.with_agent();
    let state = || desk.ok(&["agent", "list"]).trim_end().split('\t').next_back().unwrap().to_owned();
    desk.ok(&["agent", "deactivate", "1"]);
    assert_eq!(state(), "inactive");
    desk.ok(&["agent", "activate", "ADA@desk.example"]);
    assert_eq!(state(), "active");
    desk.ok(&["agent", "activate", "1"]);
    for unknown in ["2", "nobody@desk.example", "-"] {
        desk.refused(1, &["agent", "deactivate", unknown]);
    }
}

#[test]
fn what_the_command_line_changes_is_logged() {
    let desk = Desk::new();
    desk.with_agent();
    desk.ok(&["agent", "deactivate", "1"]);
    desk.ok(&["agent", "deactivate", "1"]);
    desk.ok(&["key", "create", "--type", "internal", "--special"]);
    desk.ok(&["key", "revoke", "1"]);
    let conn = connect(&desk.path("lodge.db"));
    let log: String = conn
        .query_row("SELECT group_concat(actor_type || ' ' || action, ', ') FROM activity", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(log, "cli agent.created, cli agent.deactivated, cli api_key.created, cli api_key.revoked");
}

// ---------------------------------------------------------------- keys

#[test]
fn a_new_key_is_the_last_line_of_stdout_and_never_seen_again() {
    let desk = Desk::new();
    desk.with_agent();
    let external =
        desk.ok(&["key", "create", "--type", "external", "--agent", "ada@desk.example", "--name", "Bot"]);
    let internal = desk.ok(&[
        "key",
        "create",
        "--type",
        "internal",
        "--scope",
        "tickets:list",
        "--scope",
        "labels:read",
    ]);
    for (output, prefix) in [(&external, "lodge_ext_"), (&internal, "lodge_int_")] {
        let raw = output.lines().last().unwrap();
        assert!(raw.starts_with(prefix) && key::is_well_formed(raw), "{raw}");
        assert!(!desk.ok(&["key", "list"]).contains(&raw[prefix.len()..]));
    }
}

#[test]
fn keys_are_listed_with_their_facts() {
    let desk = Desk::new();
    desk.with_agent();
    desk.ok(&["key", "create", "--type", "external", "--agent", "1", "--name", "Bot", "--expires-in", "90d"]);
    desk.ok(&["key", "create", "--type", "internal", "--special"]);
    desk.ok(&["key", "create", "--type", "internal", "--scope", "tickets:list,labels:read"]);
    desk.ok(&["key", "revoke", "2"]);
    let list = desk.ok(&["key", "list"]);
    let lines: Vec<Vec<&str>> = list.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(lines.len(), 3, "{list}");
    let of = |id: &str| lines.iter().find(|line| line[0] == id).unwrap();
    assert_eq!(of("1")[1..6], ["Bot", "external", "ada@desk.example", "", "active"]);
    assert_eq!(of("1")[6].len(), 20, "{list}");
    assert_eq!(of("2")[2..], ["internal", "", "special", "revoked", "never"]);
    assert_eq!(of("3")[4..], ["tickets:list,labels:read", "active", "never"]);
}

#[test]
fn a_key_is_refused_what_is_not_there() {
    let desk = Desk::new();
    desk.with_agent();
    for agent in ["2", "nobody@desk.example"] {
        desk.refused(1, &["key", "create", "--type", "external", "--agent", agent]);
    }
    desk.refused(1, &["key", "create", "--type", "internal", "--scope", "tickets:frobnicate"]);
    desk.refused(1, &["key", "create", "--type", "internal", "--special", "--name", " "]);
    desk.refused(1, &["key", "revoke", "1"]);
    assert_eq!(desk.ok(&["key", "list"]), "");
}

#[test]
fn revoking_twice_is_no_error() {
    let desk = Desk::new();
    desk.with_agent();
    desk.ok(&["key", "create", "--type", "external", "--agent", "1"]);
    desk.ok(&["key", "revoke", "1"]);
    desk.ok(&["key", "revoke", "1"]);
}

#[test]
fn a_name_with_a_tab_keeps_its_line_whole() {
    let desk = Desk::new();
    desk.with_agent();
    desk.ok(&["key", "create", "--type", "external", "--agent", "1", "--name", "a\tb\nc"]);
    let list = desk.ok(&["key", "list"]);
    assert_eq!((list.lines().count(), list.matches('\t').count()), (1, 6), "{list:?}");
}

// ---------------------------------------------------------------- openapi

#[test]
fn the_document_can_be_printed_without_a_database() {
    let desk = Desk::new();
    assert!(desk.ok(&["openapi"]) == lodge::app::document().json());
    assert!(desk.ok(&["openapi", "--format", "json"]) == lodge::app::document().json());
    assert!(desk.ok(&["openapi", "--format", "yaml"]) == lodge::app::document().yaml());
    assert!(desk.files().is_empty());
}

// ---------------------------------------------------------------- seed

#[test]
fn seed_makes_a_sample_and_prints_its_keys() {
    let desk = Desk::new();
    let output = desk.ok(&["seed"]);
    assert!(output.contains(&format!("Mira Kessler\t{}\n", key_of("mira"))), "{output}");
    assert_eq!(desk.files(), BTreeSet::from(["lodge.db".to_owned()]));
}

#[test]
fn seed_fills_a_database_that_is_empty() {
    let desk = Desk::new();
    desk.empty();
    desk.ok(&["seed"]);
    assert_eq!(desk.ok(&["agent", "list"]).lines().count(), 6);
}

#[test]
fn seed_refuses_a_database_that_holds_data() {
    let desk = Desk::new();
    desk.with_agent();
    let said = desk.refused(1, &["seed"]);
    assert!(said.contains("lodge.db"), "{said}");
    desk.refused(1, &["seed", "--tickets", "10"]);
    assert_eq!(desk.ok(&["agent", "list"]).lines().count(), 1);
    assert_eq!(desk.files(), BTreeSet::from(["lodge.db".to_owned()]));
}

#[test]
fn seed_refuses_a_file_in_use() {
    let app = TestApp::empty();
    Desk::new().refused(75, &["seed", "--db", app.path().to_str().unwrap()]);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM agent"), 0);
}

#[test]
fn seed_makes_a_desk_of_any_size() {
    let desk = Desk::new();
    desk.ok(&["seed", "--tickets", "40", "--agents", "9", "--articles", "12", "--seed", "5"]);
    // The triggers and indexes that were set aside are there again, and what they keep is as if they had been all along.
    desk.ok(&["check"]);
    let conn = connect(&desk.path("lodge.db"));
    let counts: (i64, i64, i64) = conn
        .query_row(
            "SELECT (SELECT count(*) FROM ticket), (SELECT count(*) FROM agent), (SELECT count(*) FROM knowledge_article)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .unwrap();
    assert_eq!(counts, (40, 9, 12));
}

#[test]
fn seed_makes_no_more_agents_than_it_is_asked_for() {
    let desk = Desk::new();
    let told = desk.ok(&["seed", "--tickets", "20", "--agents", "3"]);
    assert_eq!(told.lines().count(), 3, "{told}");
    let conn = connect(&desk.path("lodge.db"));
    let count = |table: &str| -> i64 {
        conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
    };
    assert_eq!((count("agent"), count("api_key")), (3, 3));
}

#[test]
fn a_desk_whose_seeding_was_cut_short_is_not_opened() {
    let desk = Desk::new();
    desk.empty();
    // Begun, and never ended.
    drop(lodge::seed::store::Hurry::begin(&desk.path("lodge.db")).unwrap());
    for command in [&["serve"][..], &["key", "list"], &["seed"], &["backup", "copy.db"]] {
        let told = desk.refused(1, command);
        assert!(told.contains("is not finished: a desk is being seeded into it"), "{command:?} {told}");
    }
}

// ---------------------------------------------------------------- serve

#[test]
fn serve_makes_an_empty_database_and_says_how_to_make_a_key() {
    let desk = Desk::new();
    let mut server = desk.start(&serve());
    server.wait_for("--type internal --special");
    assert_eq!(server.stdout(), "");
    assert_eq!(server.get("", "/api/v1/health-check").0, 200);
    let key = desk.ok(&["key", "create", "--type", "internal", "--special"]);
    let (status, settings) = server.get(key.lines().last().unwrap(), "/api/v1/internal/settings");
    assert_eq!((status, &settings["data"]["ticket_prefix"]), (200, &Value::from("#")));
}

#[test]
fn sigterm_ends_a_server_cleanly() {
    for signal in ["TERM", "INT"] {
        let desk = Desk::new();
        desk.with_agent();
        let key = desk.ok(&["key", "create", "--type", "external", "--agent", "1"]);
        let server = desk.start(&serve());
        assert_eq!(server.get(key.trim_end(), "/api/v1/external/tickets").0, 200);
        assert_eq!(server.stop(signal).code(), Some(0), "{signal}");
        assert_eq!(desk.files(), BTreeSet::from(["lodge.db".to_owned()]));
    }
}

#[test]
fn a_second_server_on_the_same_file_is_refused() {
    let desk = Desk::new();
    let server = desk.start(&serve());
    let said = desk.refused(75, &serve());
    assert!(said.contains("in use"), "{said}");
    assert_eq!(server.get("", "/api/v1/health-check").0, 200);
    assert_eq!(server.stop("TERM").code(), Some(0));
    assert_eq!(desk.start(&serve()).stop("TERM").code(), Some(0), "afterwards the file is free");
}

#[test]
fn a_server_that_was_killed_does_not_keep_its_file() {
    let desk = Desk::new();
    desk.start(&serve()).stop("KILL");
    assert_eq!(desk.start(&serve()).stop("TERM").code(), Some(0));
}

#[test]
fn flags_have_environment_twins_that_work() {
    let desk = Desk::new();
    desk.ok(&["seed", "--db", "twin.db"]);
    let mut command = desk.command(&["serve"]);
    command.env("LODGE_DB", "twin.db").env("LODGE_LISTEN", "127.0.0.1:0").env("LODGE_RATE_LIMIT", "1");
    let server = Server::start(command);
    assert_eq!(server.get(&key_of("mira"), "/api/v1/external/profile").0, 200);
    assert_eq!(server.get(&key_of("mira"), "/api/v1/external/profile").0, 429);
}

#[test]
fn a_flag_wins_over_its_twin() {
    let desk = Desk::new();
    desk.ok(&["seed", "--db", "one.db"]);
    let mut command = desk.command(&["agent", "list", "--db", "one.db"]);
    command.env("LODGE_DB", "two.db");
    assert_eq!(Desk::finish(command).code, 0);
}

#[test]
fn every_request_is_a_log_line_with_its_id_and_without_keys() {
    let desk = Desk::new();
    desk.ok(&["seed"]);
    let mut server = desk.start(&serve());
    server.get(&key_of("mira"), "/api/v1/external/tickets?q=canary-text");
    let line = server.wait_for("/api/v1/external/tickets");
    assert!(line.contains("200") && line.contains("id="), "{line}");
    assert!(!line.contains(&key_of("mira")) && !line.contains("canary-text"), "{line}");
}

#[test]
fn log_lines_can_be_json() {
    let desk = Desk::new();
    let mut server = desk.start(&[&serve()[..], &["--log-format", "json"]].concat());
    server.get("", "/api/v1/health-check");
    let line: Value = serde_json::from_str(&server.wait_for("/api/v1/health-check")).unwrap();
    assert_eq!(line["status"], 200, "{line}");
}

// ---------------------------------------------------------------- demo

#[test]
fn a_demo_prints_its_docs_a_curl_line_and_every_agents_key() {
    let desk = Desk::new();
    let mut server = desk.start(&demo());
    server.wait_for("Priya Raman");
    let text = server.stdout();
    assert!(text.contains(&format!("http://{}/docs", server.address)), "{text}");
    assert!(text.contains("curl -H 'X-API-KEY: lodge_ext_"), "{text}");
    for handle in crate::harness::sample_handles() {
        let line = text.lines().find(|line| line.ends_with(&format!("\t{}", key_of(handle))));
        assert!(line.is_some(), "{handle}: {text}");
        assert_eq!(server.get(&key_of(handle), "/api/v1/external/dashboard").0, 200, "{handle}");
    }
    assert!(desk.path("lodge-demo.db").exists());
}

#[test]
fn a_demos_docs_open_with_a_key_and_say_so() {
    let desk = Desk::new();
    let server = desk.start(&demo());
    let agent: ureq::Agent = ureq::Agent::config_builder().proxy(None).build().into();
    let page = |path: &str| {
        agent
            .get(format!("http://{}{path}", server.address))
            .call()
            .unwrap()
            .body_mut()
            .read_to_string()
            .unwrap()
    };
    assert!(page("/docs/start.js").contains(&key_of("mira")));
    assert!(page("/docs").contains("Mira Kessler"));
}

#[test]
fn a_demo_refuses_what_is_no_sample() {
    let desk = Desk::new();
    desk.with_agent();
    for reset in [&[][..], &["--reset"]] {
        let said = desk.refused(1, &[&demo()[..], &["--db", "lodge.db"], reset].concat());
        assert!(said.contains("not a sample"), "{said}");
    }
    assert_eq!(desk.ok(&["agent", "list"]).lines().count(), 1);
}

fn rename_an_agent(path: &Path) {
    connect(path)
        .execute_batch("UPDATE agent SET name = 'Renamed', name_fold = 'renamed' WHERE id = 1")
        .unwrap();
}

#[test]
fn a_demo_keeps_what_was_changed_until_it_is_reset() {
    let desk = Desk::new();
    let again = |reset: &[&str]| {
        let server = desk.start(&[&demo()[..], reset].concat());
        let name = server.get(&key_of("mira"), "/api/v1/external/profile").1["data"]["name"].clone();
        assert_eq!(server.stop("TERM").code(), Some(0));
        name
    };
    assert_eq!(again(&[]), "Mira Kessler");
    rename_an_agent(&desk.path("lodge-demo.db"));
    assert_eq!(again(&[]), "Renamed");
    assert_eq!(again(&["--reset"]), "Mira Kessler");
}

/// A demo is started, with these flags too, on a sample of last spring that another server has open.
fn demo_on_a_file_in_use(flags: &[&str]) {
    let app = TestApp::sample();
    rename_an_agent(app.path());
    let state = || {
        app.look_up::<String>(
            "SELECT (SELECT name FROM agent WHERE id = 1) || ' ' || made_at || ' ' || (SELECT sum(created_at) FROM ticket) FROM sample",
        )
    };
    let before = state();
    let path = app.path().to_str().unwrap();
    Desk::new().refused(75, &[&demo()[..], &["--db", path], flags].concat());
    assert_eq!(state(), before);
}

#[test]
fn a_demo_on_a_file_in_use_is_refused_and_changes_nothing() {
    demo_on_a_file_in_use(&[]);
}

#[test]
fn a_demo_does_not_reset_a_file_in_use() {
    demo_on_a_file_in_use(&["--reset"]);
}

#[test]
fn an_older_sample_is_moved_to_today() {
    let desk = Desk::new();
    std::fs::copy(crate::harness::sample_file(), desk.path("lodge-demo.db")).unwrap();
    let old: i64 = connect(&desk.path("lodge-demo.db"))
        .query_row("SELECT max(updated_at) FROM ticket", [], |row| row.get(0))
        .unwrap();
    let server = desk.start(&demo());
    let (status, dashboard) = server.get(&key_of("mira"), "/api/v1/external/dashboard");
    assert_eq!(status, 200);
    assert!(dashboard["data"]["closed_today"].as_i64().unwrap() > 0, "{dashboard}");
    let new: i64 = connect(&desk.path("lodge-demo.db"))
        .query_row("SELECT max(updated_at) FROM ticket", [], |row| row.get(0))
        .unwrap();
    assert!(new > old);
}

#[test]
fn published_keys_do_not_leave_loopback() {
    let desk = Desk::new();
    desk.ok(&["seed"]);
    for command in [&["serve"][..], &["demo", "--db", "lodge.db"]] {
        let said = desk.refused(1, &[command, &["--listen", "0.0.0.0:0"]].concat());
        assert!(said.contains("--allow-demo-keys"), "{said}");
    }
}

#[test]
fn a_published_key_that_opens_nothing_does_not_matter() {
    let desk = Desk::new();
    desk.ok(&["seed"]);
    let beyond = ["serve", "--listen", "0.0.0.0:0"];
    for id in 1..=5 {
        desk.ok(&["key", "revoke", &id.to_string()]);
        desk.refused(1, &beyond);
    }
    desk.ok(&["agent", "deactivate", "6"]);
    assert_eq!(desk.start(&beyond).stop("TERM").code(), Some(0));
}

#[test]
fn published_keys_leave_loopback_when_that_is_allowed() {
    let desk = Desk::new();
    let server = desk.start(&["demo", "--listen", "0.0.0.0:0", "--allow-demo-keys"]);
    assert_eq!(server.stop("TERM").code(), Some(0));
}
