//! Many at once.

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use lodge::db::{Db, Options};
use lodge::error::Error;
use serde_json::json;

use crate::harness::{Response, TestApp, key_of};

/// Does the same thing on so many threads at once.
fn at_once(threads: usize, job: impl Fn(usize) -> Response + Sync) -> Vec<Response> {
    let job = &job;
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads).map(|n| scope.spawn(move || job(n))).collect();
        running.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

#[test]
fn thirty_two_toggles_of_one_like_leave_it_as_it_was() {
    let app = TestApp::desk();
    let answers = at_once(32, |_| app.agent("ada").act("/tickets/1/messages/1/like"));
    let liked =
        answers.iter().filter(|answer| *answer.data() == json!({ "liked": true, "count": 1 })).count();
    let taken_back =
        answers.iter().filter(|answer| *answer.data() == json!({ "liked": false, "count": 0 })).count();
    assert_eq!((liked, taken_back), (16, 16));
    assert_eq!(app.agent("ada").get("/tickets/1/messages").items()[0]["likes_count"], 0);
}

#[test]
fn likes_of_several_agents_are_all_counted() {
    let app = TestApp::desk();
    at_once(30, |n| app.agent(["ada", "ben"][n % 2]).act("/tickets/1/messages/1/like"));
    let message = app.agent("ada").get("/tickets/1/messages").items()[0].clone();
    assert_eq!((&message["liked"], &message["likes_count"]), (&json!(true), &json!(2)));
}

#[test]
fn exactly_one_of_sixteen_wins_a_version() {
    let app = TestApp::desk();
    let tag = app.agent("ada").get("/tickets/3").header("etag").unwrap().to_owned();
    let answers = at_once(16, |_| {
        let call = app.agent("ada").call("PUT", "/tickets/3").header("If-Match", &tag);
        call.json(&json!({ "status": "on_hold" })).send()
    });
    assert_eq!(answers.iter().filter(|answer| answer.status == 200).count(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.refused(412, "precondition_failed");
    }
    assert_eq!(app.look_up::<i64>("SELECT version FROM ticket WHERE id = 3"), 2);
}

#[test]
fn sixteen_equal_requests_write_one_message() {
    let app = TestApp::desk();
    let send = || {
        let call = app.agent("ada").call("POST", "/tickets/3/messages").header("Idempotency-Key", "k");
        call.json(&json!({ "content": "Hello" })).send()
    };
    let answers = at_once(16, |_| send());
    let first = send();
    assert_eq!((first.status, first.header("idempotent-replayed")), (201, Some("true")));
    for answer in &answers {
        match answer.status {
            201 => assert_eq!(answer.body, first.body),
            _ => answer.refused(409, "idempotency_in_progress"),
        }
    }
    let real = |answer: &&Response| answer.status == 201 && answer.header("idempotent-replayed").is_none();
    assert_eq!(answers.iter().filter(real).count(), 1);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM message WHERE ticket_id = 3"), 1);
}

#[test]
fn no_reply_is_lost() {
    let app = TestApp::desk();
    let answers =
        at_once(40, |n| app.agent("ada").post("/tickets/3/messages", json!({ "content": format!("{n}") })));
    let mut ids: Vec<i64> = answers.iter().map(|answer| answer.data()["id"].as_i64().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 40);
    assert_eq!(app.agent("ada").get("/tickets/3/messages?per_page=200").items().len(), 40);
    assert_eq!(app.look_up::<i64>("SELECT version FROM ticket WHERE id = 3"), 41);
}

#[test]
fn a_ticket_is_closed_once_however_many_close_it() {
    let app = TestApp::desk();
    let answers = at_once(16, |n| app.agent(["ada", "ben"][n % 2]).act("/tickets/1/close"));
    assert!(answers.iter().all(|answer| answer.data()["closed_at"] == answers[0].data()["closed_at"]));
    let events = "SELECT count(*) FROM ticket_event WHERE ticket_id = 1 AND kind = 'closed'";
    assert_eq!(app.look_up::<i64>(events), 1);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM notification"), 1);
}

#[test]
fn a_refused_write_takes_no_other_along() {
    let app = TestApp::desk();
    let answers = at_once(32, |n| {
        let ticket = if n % 2 == 0 { 3 } else { 4 };
        app.agent("ada").post(&format!("/tickets/{ticket}/messages"), json!({ "content": format!("{n}") }))
    });
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!(answer.status, if n % 2 == 0 { 201 } else { 403 });
    }
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM message WHERE ticket_id IN (3, 4)"), 17);
}

#[test]
fn readers_see_whole_changes_only() {
    let app = TestApp::desk();
    at_once(24, |n| {
        let ada = app.agent("ada");
        if n % 3 == 0 {
            let status = if n % 2 == 0 { "closed" } else { "open" };
            return ada.put("/tickets/3", json!({ "status": status }));
        }
        let answer = ada.get("/tickets/3");
        let ticket = answer.data();
        assert_eq!(ticket["status"] == "closed", !ticket["closed_at"].is_null(), "{ticket}");
        assert_eq!(ticket["status"] == "closed", ticket["is_resolved"] == true, "{ticket}");
        answer
    });
}

#[test]
fn the_command_lines_writes_and_the_servers_do_not_disturb_each_other() {
    let app = TestApp::desk();
    thread::scope(|scope| {
        let beside = scope.spawn(|| {
            for n in 0..20 {
                app.change(|tx| {
                    lodge::seed::store::insert_label(tx, &format!("L{n}"), "#abc", "published", tx.now)
                });
            }
        });
        for answer in at_once(20, |_| app.agent("ada").post("/tickets/3/messages", json!({ "content": "x" })))
        {
            answer.data();
        }
        beside.join().unwrap();
    });
    assert_eq!(app.agent("ada").get("/labels").items().len(), 22);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM message WHERE ticket_id = 3"), 20);
}

#[test]
fn what_runs_when_the_server_stops_is_finished() {
    let app = TestApp::desk();
    let blocker = app.connection();
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    thread::scope(|scope| {
        let (key, (sender, sent)) = (key_of("ada"), std::sync::mpsc::channel());
        let app = &app;
        let reply = scope.spawn(move || {
            let mut socket = std::net::TcpStream::connect(app.address).unwrap();
            let head = format!(
                "POST /api/v1/external/tickets/3/close HTTP/1.1\r\nHost: x\r\nX-API-KEY: {key}\r\n\r\n"
            );
            socket.write_all(head.as_bytes()).unwrap();
            sender.send(()).unwrap();
            let mut answer = String::new();
            socket.read_to_string(&mut answer).unwrap();
            answer
        });
        sent.recv().unwrap();
        // Nothing says when a server has read a request; on loopback this is long.
        thread::sleep(std::time::Duration::from_millis(500));
        app.stop();
        blocker.execute_batch("ROLLBACK").unwrap();
        let answer = reply.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    });
    assert_eq!(app.look_up::<String>("SELECT status FROM ticket WHERE id = 3"), "closed");
}

#[test]
fn no_two_of_eight_get_the_same_reference() {
    let app = TestApp::desk();
    app.admin().put("/settings", json!({ "auto_assign": true, "default_department_id": 1 })).data();
    let answers = at_once(8, |n| {
        let new = |m| json!({ "customer_id": 1, "title": format!("{n} {m}"), "content": "x" });
        (0..9).for_each(|m| drop(app.admin().post("/tickets", new(m))));
        app.admin().post("/tickets", new(9))
    });
    assert!(answers.iter().all(|answer| answer.status == 201));
    let mut numbers: Vec<i64> =
        app.column("SELECT CAST(substr(reference_id, 2) AS INTEGER) FROM ticket WHERE id > 5");
    numbers.sort_unstable();
    assert_eq!(numbers, (1006..1086).collect::<Vec<_>>());
    let led: Vec<i64> =
        app.column("SELECT count(*) FROM ticket WHERE id > 5 GROUP BY assigned_to ORDER BY assigned_to");
    // Before, Ada led two that were not closed and Ben one: Ben's turn comes first, and then they alternate.
    assert_eq!(led, [40, 40], "each took its turn");
}

#[test]
fn exactly_one_administrator_wins_a_version() {
    let app = TestApp::desk();
    let tag = app.admin().get("/tickets/1").header("etag").unwrap().to_owned();
    let answers = at_once(8, |n| {
        let call = app.admin().call("PUT", "/tickets/1").header("If-Match", &tag);
        call.json(&json!({ "title": format!("Title {n}"), "agents": [n % 3 + 1] })).send()
    });
    let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((won.len(), lost.len()), (1, 7));
    lost.iter().for_each(|answer| answer.refused(412, "precondition_failed"));
    assert_eq!(won[0].data(), app.admin().get("/tickets/1").data());
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM activity"), 1);
}

#[test]
fn a_daily_limit_holds_however_many_ask_at_once() {
    let app = TestApp::desk();
    app.admin().put("/settings", json!({ "customer_max_tickets_per_day": 3 })).data();
    let new = json!({ "customer_id": 2, "title": "t", "content": "c" });
    let answers = at_once(8, |_| app.admin().post("/tickets", new.clone()));
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 3);
    assert_eq!(answers.iter().filter(|answer| answer.status == 429).count(), 5);
}

#[test]
fn a_reply_and_a_deletion_leave_nothing_behind() {
    let app = TestApp::desk();
    let answers = at_once(8, |n| match n {
        4 => app.admin().delete("/tickets/1"),
        _ => app.agent("ada").post("/tickets/1/messages", json!({ "content": "x", "is_internal": true })),
    });
    assert!(answers.iter().all(|answer| [200, 201, 404].contains(&answer.status)));
    for table in ["message", "notification", "ticket_agent", "ticket_event"] {
        assert_eq!(
            app.look_up::<i64>(&format!("SELECT count(*) FROM {table} WHERE ticket_id = 1")),
            0,
            "{table}"
        );
    }
}

#[test]
fn who_finds_every_reading_connection_taken_waits_a_second_and_no_longer() {
    let app = TestApp::desk();
    let db = Db::open_read_only(app.path(), &Options { readers: 1, ..Options::default() }).unwrap();
    let started = Instant::now();
    let both = db.read(|_| Ok((db.read(|_| Ok(())), db.begin().map(drop)))).unwrap();
    assert!(matches!(both, (Err(Error::Overloaded), Err(Error::Overloaded))));
    assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
}
