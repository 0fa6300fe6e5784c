//! The examples run, against a live server, as their texts say.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use super::harness::{TestApp, key_of};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run_with(key: &str, app: &TestApp, command: &mut Command) -> Output {
    command
        .current_dir(root())
        .env("LODGE_KEY", key)
        .env("LODGE_URL", format!("http://{}", app.address))
        .output()
        .unwrap()
}

/// As Mira.
fn run(app: &TestApp, command: &mut Command) -> Output {
    run_with(&key_of("mira"), app, command)
}

fn succeeded(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    text
}

#[test]
fn the_walk_through_walks_through() {
    let app = TestApp::sample();
    let before: i64 = app.look_up("SELECT count(*) FROM message");
    succeeded(&run(&app, Command::new("sh").arg("examples/walkthrough.sh")));
    let after: i64 = app.look_up("SELECT count(*) FROM message");
    assert!(after > before, "it replies and leaves a note");
}

#[test]
fn the_walk_through_fails_when_the_server_does_not_answer_as_expected() {
    let app = TestApp::sample();
    app.sql("UPDATE agent SET is_active = 0");
    assert!(!run(&app, Command::new("sh").arg("examples/walkthrough.sh")).status.success());
}

fn first_ticket() -> Command {
    let mut command = Command::new("sh");
    command.arg("examples/first_ticket.sh");
    command
}

#[test]
fn an_empty_file_comes_to_its_first_answered_ticket() {
    let app = TestApp::empty();
    let key = app.add_internal_key(&[], true);
    let text = succeeded(&run_with(&key, &app, &mut first_ticket()));
    let last: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let ticket = &last["data"];
    assert_eq!((&ticket["status"], &ticket["reference_id"]), (&json!("closed"), &json!("#1001")));
    assert_eq!(ticket["assigned_to"]["name"], "Ada Example");
    assert_eq!(ticket["department"]["name"], "Support");
    let senders: Vec<String> = app.column("SELECT sender_type FROM message ORDER BY id");
    assert_eq!(senders, ["agent", "customer"]);
    // A second run stops where the agent's address is taken, and says so.
    let again = run_with(&key, &app, &mut first_ticket());
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains(r#""errors":{"email""#));
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM ticket"), 1);
}

#[test]
fn the_first_ticket_stands_in_the_readme_as_it_runs() {
    let read = |path| std::fs::read_to_string(root().join(path)).unwrap();
    let script = read("examples/first_ticket.sh");
    let lines = &script[script.find("api=").unwrap()..];
    assert!(read("README.md").contains(lines), "README.md differs from examples/first_ticket.sh");
}

#[test]
fn the_python_client_prints_the_desk() {
    let app = TestApp::sample();
    let text = succeeded(&run(&app, Command::new("python3").arg("examples/lodge_client.py")));
    assert!(text.contains('#'), "{text}");
}

/// Cargo builds examples beside the tests.
fn triage_bot() -> PathBuf {
    let binary = Path::new(env!("CARGO_BIN_EXE_lodge"));
    binary.parent().unwrap().join("examples/triage_bot")
}

#[test]
fn the_triage_bot_notes_each_ticket_once_a_day() {
    let app = TestApp::sample();
    let notes = || app.look_up::<i64>("SELECT count(*) FROM message WHERE is_internal");
    let before = notes();
    succeeded(&run(&app, Command::new(triage_bot()).arg("--dry-run")));
    assert_eq!(notes(), before, "a dry run writes nothing");
    succeeded(&run(&app, &mut Command::new(triage_bot())));
    let once = notes();
    assert!(once > before);
    succeeded(&run(&app, &mut Command::new(triage_bot())));
    assert_eq!(notes(), once);
}
