//! The sample, samples of any size, and that they never look stale.

use std::path::Path;

use lodge::seed::{self, Size};
use lodge::time::Clock;
use serde_json::Value;

use crate::harness::{NOON, TestApp, checkpoint, clock_at, connect, sample_file, sample_handles, unlimited};

/// Serves a sample that was made at one time at another.
fn sample_at(path: &Path, clock: Clock) -> TestApp {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("lodge.db");
    checkpoint(path);
    std::fs::copy(path, &copy).unwrap();
    TestApp::serve(folder, copy, clock, &unlimited())
}

#[track_caller]
fn every_dashboard_is_full(app: &TestApp, when: &str) {
    for handle in sample_handles() {
        let dashboard = app.agent(handle).get("/dashboard");
        for (name, count) in dashboard.data().as_object().unwrap() {
            assert!(count.as_i64().unwrap() > 0, "{handle} has no {name} at {when}");
        }
    }
}

#[test]
fn the_sample_has_the_numbers_it_promises() {
    let app = TestApp::sample();
    let count = |what: &str| app.look_up::<i64>(&format!("SELECT count(*) FROM {what}"));
    assert_eq!(count("agent"), 6);
    assert_eq!(count("department"), 5);
    assert_eq!(count("customer"), 40);
    assert_eq!(count("ticket"), 120);
    assert_eq!(count("knowledge_article WHERE status = 'published'"), 25);
    assert_eq!(count("canned_response WHERE is_active"), 20);
    assert!(count("knowledge_article WHERE status = 'draft'") > 0);
    assert!(count("canned_response WHERE NOT is_active") > 0);
    assert!(count("label WHERE status = 'draft'") > 0);
    assert!(count("customer WHERE is_blocked") > 0);
}

#[test]
fn the_sample_shows_every_state_a_ticket_can_have() {
    let app = TestApp::sample();
    let states: i64 =
        app.look_up("SELECT count(DISTINCT status) * 10 + count(DISTINCT priority) FROM ticket");
    assert_eq!(states, 44);
    for condition in [
        "is_locked",
        "is_resolved",
        "assigned_to IS NULL",
        "last_reply_at IS NULL",
        "department_id IS NOT NULL",
    ] {
        assert!(
            app.look_up::<i64>(&format!("SELECT count(*) FROM ticket WHERE {condition}")) > 0,
            "{condition}"
        );
    }
    assert!(app.look_up::<i64>("SELECT count(*) FROM message WHERE is_internal") > 0);
    assert!(app.look_up::<i64>("SELECT count(*) FROM message_like") > 0);
    assert!(
        app.look_up::<i64>("SELECT max(n) FROM (SELECT count(*) AS n FROM ticket_agent GROUP BY ticket_id)")
            > 1
    );
}

#[test]
fn every_sample_agent_has_tickets_and_read_and_unread_notifications() {
    let app = TestApp::sample();
    for handle in sample_handles() {
        assert!(!app.agent(handle).get("/tickets").items().is_empty(), "{handle}");
        let told = app.agent(handle).get("/notifications?per_page=200");
        assert!(told.each("is_read").contains(&Value::Bool(true)), "{handle}");
        assert!(told.each("is_read").contains(&Value::Bool(false)), "{handle}");
        assert!(
            told.items().is_sorted_by(|a, b| a["created_at"].as_str() >= b["created_at"].as_str()),
            "{handle}"
        );
    }
}

#[test]
fn the_articles_are_in_at_least_four_languages() {
    let app = TestApp::sample();
    let texts: Vec<String> =
        app.column("SELECT title || content FROM knowledge_article WHERE status = 'published'");
    let has = |test: fn(&str) -> bool| texts.iter().any(|text| test(text));
    assert!(has(|text| text.contains(" the ")), "English");
    assert!(has(|text| text.chars().any(|c| ('\u{3040}'..='\u{30ff}').contains(&c))), "Japanese");
    let german = |text: &str| text.contains(" und ") && text.contains(['ä', 'ö', 'ü', 'ß']);
    let spanish = |text: &str| text.contains(" los ") && text.contains(['ñ', 'ó', '¿']);
    let french = |text: &str| text.contains(" les ") && text.contains(['é', 'à', 'ç']);
    let chinese = |text: &str| text.contains('的') && !text.contains('の');
    let korean = |text: &str| text.chars().any(|c| ('\u{ac00}'..='\u{d7a3}').contains(&c));
    let others = [has(german), has(spanish), has(french), has(chinese), has(korean)];
    assert!(others.iter().filter(|there| **there).count() >= 2, "{others:?}");
}

#[test]
fn a_search_finds_the_same_words_in_other_scripts() {
    let app = TestApp::sample();
    for query in ["password", "PASSWÖRD", "同期", "笔记"] {
        let answer =
            app.agent("yuki").get(&format!("/knowledge-base/search?q={}", crate::harness::encode(query)));
        assert!(!answer.items().is_empty(), "{query}");
    }
}

#[test]
fn the_samples_tickets_are_found() {
    let app = TestApp::sample();
    for ticket in app.agent("mira").get("/tickets?per_page=200").items() {
        let reference = ticket["reference_id"].as_str().unwrap();
        let found = app.agent("mira").get(&format!("/tickets?q={}", crate::harness::encode(reference)));
        assert_eq!(found.ids(), [ticket["id"].as_i64().unwrap()], "{reference}");
    }
}

#[test]
fn nothing_in_the_sample_is_in_the_future_and_times_go_forward() {
    let app = TestApp::sample();
    let now = app.clock.now().0;
    let wrong: i64 = app.look_up(&format!(
        "SELECT (SELECT count(*) FROM ticket WHERE created_at > updated_at OR updated_at > {now} OR closed_at > {now}
                   OR closed_at < created_at OR last_reply_at < created_at)
              + (SELECT count(*) FROM message m JOIN ticket t ON t.id = m.ticket_id WHERE m.created_at < t.created_at OR m.created_at > {now})
              + (SELECT count(*) FROM notification WHERE created_at > {now})"
    ));
    assert_eq!(wrong, 0);
}

#[test]
fn every_dashboard_is_full_at_noon() {
    every_dashboard_is_full(&TestApp::sample(), NOON);
}

#[test]
fn every_dashboard_is_full_whenever_the_sample_is_made() {
    for when in ["2026-03-16T00:00:30Z", "2026-12-31T23:59:00Z", "2028-02-29T04:00:00Z"] {
        let (folder, clock) = (tempfile::tempdir().unwrap(), clock_at(when));
        let path = folder.path().join("lodge.db");
        seed::create_sample(&path, &clock).unwrap();
        every_dashboard_is_full(&TestApp::serve(folder, path, clock, &unlimited()), when);
    }
}

#[test]
fn an_older_sample_moved_forward_has_full_dashboards() {
    for when in [
        "2026-03-17T00:00:30Z",
        "2026-03-17T08:00:00Z",
        "2026-03-18T00:10:00Z",
        "2026-04-30T23:00:00Z",
        "2027-03-16T12:00:00Z",
    ] {
        let app = sample_at(sample_file(), clock_at(when));
        seed::move_sample(app.path(), &app.clock).unwrap();
        every_dashboard_is_full(&app, when);
    }
}

#[test]
fn a_sample_moved_forward_is_the_same_but_for_whole_days() {
    let app = sample_at(sample_file(), clock_at("2026-03-26T13:00:00Z"));
    let opened = "SELECT created_at FROM ticket ORDER BY id";
    let before: Vec<i64> = app.column(opened);
    seed::move_sample(app.path(), &app.clock).unwrap();
    let after: Vec<i64> = app.column(opened);
    assert!(before.iter().zip(&after).all(|(before, after)| after - before == 10 * lodge::time::DAY));
    let now = app.clock.now().0;
    assert_eq!(
        app.look_up::<i64>(&format!(
            "SELECT count(*) FROM ticket WHERE updated_at > {now} OR closed_at < created_at"
        )),
        0
    );
}

#[test]
fn moving_a_sample_again_moves_nothing() {
    let app = sample_at(sample_file(), clock_at("2026-03-26T13:00:00Z"));
    seed::move_sample(app.path(), &app.clock).unwrap();
    let state = || {
        app.look_up::<String>(
            "SELECT json_group_array(json_array(created_at, updated_at, closed_at)) FROM ticket",
        )
    };
    let before = state();
    seed::move_sample(app.path(), &app.clock).unwrap();
    assert_eq!(state(), before);
}

#[test]
fn moving_what_is_no_sample_moves_nothing() {
    let app = TestApp::desk();
    let state = || {
        app.look_up::<String>(
            "SELECT json_group_array(json_array(created_at, updated_at, closed_at)) FROM ticket",
        )
    };
    let before = state();
    app.advance(10 * 86_400);
    seed::move_sample(app.path(), &app.clock).unwrap();
    assert_eq!(state(), before);
}

#[test]
fn what_was_reopened_in_a_sample_stays_open_when_it_moves() {
    let app = sample_at(sample_file(), clock_at(NOON));
    let today: i64 = app.look_up("SELECT value FROM sample, json_each(sample.closed_today) LIMIT 1");
    let lead: i64 =
        app.look_up(&format!("SELECT agent_id FROM ticket_agent WHERE ticket_id = {today} LIMIT 1"));
    let email: String = app.look_up(&format!("SELECT email FROM agent WHERE id = {lead}"));
    let handle = email.split('.').next().unwrap();
    app.agent(handle).put(&format!("/tickets/{today}"), serde_json::json!({ "status": "open" })).data();
    app.advance(5 * 86_400);
    seed::move_sample(app.path(), &app.clock).unwrap();
    assert_eq!(app.agent(handle).get(&format!("/tickets/{today}")).data()["status"], "open");
}

// ---------------------------------------------------------------- of any size

fn large(path: &Path, tickets: u32, seed: u64) -> lodge::seed::Made {
    let size = Size { tickets, agents: 8, articles: 40, seed };
    lodge::db::open::create(path).unwrap();
    seed::fill_large(path, &clock_at(NOON), &size, &|_| {}).unwrap()
}

fn data(path: &Path) -> String {
    connect(path)
        .query_row(
            "SELECT json_array(
               (SELECT json_group_array(json_array(reference_id, title, content, status, priority, customer_id, assigned_to)) FROM ticket),
               (SELECT json_group_array(content) FROM message),
               (SELECT json_group_array(title) FROM knowledge_article),
               (SELECT json_group_array(name) FROM agent))",
            [],
            |row| row.get(0),
        )
        .unwrap()
}

#[test]
fn the_same_seed_gives_the_same_data() {
    let folder = tempfile::tempdir().unwrap();
    let of = |name: &str, seed| {
        let path = folder.path().join(name);
        large(&path, 60, seed);
        data(&path)
    };
    let one = of("a.db", 7);
    assert!(one == of("b.db", 7));
    assert!(one != of("c.db", 8));
}

#[test]
fn a_large_desk_fills_search_and_counters() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lodge.db");
    let made = large(&path, 500, 1);
    assert_eq!((made.tickets, made.articles), (500, 40));
    let app = TestApp::serve(folder, path, clock_at(NOON), &unlimited());
    let count = |what: &str| app.look_up::<i64>(&format!("SELECT count(*) FROM {what}"));
    assert_eq!((count("ticket"), count("ticket_text"), count("agent")), (500, 500, 8));
    assert_eq!(count("message"), made.messages);
    assert!((3.0..8.0).contains(&(made.messages as f64 / 500.0)), "{}", made.messages);
    assert_eq!(count("knowledge_search"), count("knowledge_article WHERE status = 'published'"));
    assert_eq!(app.look_up::<i64>("SELECT sum(n) FROM ticket_count WHERE agent_id = 0"), 500);
    let total = app.agent("mira").get("/tickets").json["meta"]["total"].as_i64().unwrap();
    assert_eq!(total, count("ticket_agent WHERE agent_id = (SELECT id FROM agent WHERE email LIKE 'mira%')"));
    let ticket = app.agent("mira").get("/tickets?per_page=1").items()[0].clone();
    let found = app
        .agent("mira")
        .get(&format!("/tickets?q={}", crate::harness::encode(ticket["reference_id"].as_str().unwrap())));
    assert!(found.ids().contains(&ticket["id"].as_i64().unwrap()));
}

#[test]
fn nothing_in_a_large_desk_is_in_the_future() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("lodge.db");
    large(&path, 300, 3);
    let now = clock_at(NOON).now().0;
    let wrong: i64 = connect(&path)
        .query_row(
            "SELECT (SELECT count(*) FROM ticket WHERE updated_at > ?1 OR created_at > ?1 OR closed_at > ?1 OR closed_at < created_at)
                  + (SELECT count(*) FROM message WHERE created_at > ?1)",
            [now],
            |row| row.get(0),
        )
        .unwrap();
    assert_eq!(wrong, 0);
}

#[test]
fn filling_a_desk_is_in_its_activity_log() {
    let sample = TestApp::sample();
    let seeded = "SELECT description FROM activity WHERE action = 'desk.seeded' AND actor_type = 'cli'";
    assert_eq!(sample.column::<String>(seeded), ["Command line filled the desk with the sample"]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large.db");
    large(&path, 20, 1);
    let told: String = connect(&path).query_row(seeded, [], |row| row.get(0)).unwrap();
    assert_eq!(told, "Command line filled the desk with 20 tickets");
}
