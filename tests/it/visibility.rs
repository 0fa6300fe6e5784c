//! Who sees a ticket: everything about one that is not seen is as if it did not exist.

use serde_json::json;

use crate::harness::{CANARY, Call, Response, TestApp};

/// What can be asked about ticket `id`, or a message under it.
fn questions(app: &TestApp, handle: &str, id: i64, message: i64) -> Vec<(String, Response)> {
    let me = app.agent(handle);
    let ticket = format!("/tickets/{id}");
    let at = |method: &str, rest: &str| me.call(method, &format!("{ticket}{rest}"));
    let with = |call: Call, name: &str, value: &str| call.header(name, value);
    let calls = vec![
        ("get", at("GET", "")),
        ("head", at("HEAD", "")),
        ("get if none", with(at("GET", ""), "If-None-Match", "*")),
        ("update", at("PUT", "").json(&json!({ "status": "closed" }))),
        ("update of nothing", at("PUT", "").json(&json!({}))),
        ("update if", with(at("PUT", ""), "If-Match", "\"0-0-0\"").json(&json!({}))),
        ("update with an unknown label", at("PUT", "").json(&json!({ "labels": [99] }))),
        ("close", at("POST", "/close")),
        ("close once", with(at("POST", "/close"), "Idempotency-Key", "k")),
        ("messages", at("GET", "/messages")),
        ("messages past the end", at("GET", "/messages?page=50")),
        ("reply", at("POST", "/messages").json(&json!({ "content": "x" }))),
        (
            "reply once",
            with(at("POST", "/messages"), "Idempotency-Key", "k").json(&json!({ "content": "x" })),
        ),
        ("note", at("POST", "/messages").json(&json!({ "content": "x", "is_internal": true }))),
        ("like", at("POST", &format!("/messages/{message}/like"))),
    ];
    calls.into_iter().map(|(what, call)| (what.to_owned(), call.send())).collect()
}

#[test]
fn a_foreign_ticket_is_the_same_as_none_byte_for_byte() {
    let app = TestApp::desk();
    let foreign = questions(&app, "ada", 2, 4);
    let missing = questions(&app, "ada", 99, 99);
    for ((what, foreign), (_, missing)) in foreign.iter().zip(&missing) {
        assert_eq!((foreign.status, missing.status), (404, 404), "{what}");
        assert_eq!(foreign.body, missing.body, "{what}");
        let headers = |answer: &Response| {
            let mut headers = answer.headers.clone();
            headers.remove("x-request-id");
            headers.remove("date");
            headers
        };
        assert_eq!(headers(foreign), headers(missing), "{what}");
    }
}

#[test]
fn asking_about_a_foreign_ticket_leaves_no_trace() {
    let app = TestApp::desk();
    let state = || {
        app.look_up::<String>(
            "SELECT json_array(version, status, updated_at, (SELECT count(*) FROM message), (SELECT count(*) FROM message_like),
               (SELECT count(*) FROM activity), (SELECT count(*) FROM notification), (SELECT count(*) FROM idempotency))
             FROM ticket WHERE id = 2",
        )
    };
    let before = state();
    questions(&app, "ada", 2, 4);
    assert_eq!(state(), before);
}

#[test]
fn a_foreign_locked_ticket_is_not_said_to_be_locked() {
    let app = TestApp::desk();
    app.sql("UPDATE ticket SET is_locked = 1 WHERE id = 2");
    app.agent("ada").post("/tickets/2/messages", json!({ "content": "x" })).refused(404, "not_found");
}

#[test]
fn a_message_of_a_foreign_ticket_cannot_be_liked_through_an_own_one() {
    let app = TestApp::desk();
    app.agent("ada").act("/tickets/1/messages/4/like").refused(404, "not_found");
    app.agent("ada").act("/tickets/2/messages/2/like").refused(404, "not_found");
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM message_like"), 0);
}

#[test]
fn nothing_of_a_foreign_ticket_ever_shows() {
    let app = TestApp::desk();
    let ada = app.agent("ada");
    let mut answers = vec![];
    for path in [
        "/dashboard",
        "/tickets?per_page=200",
        "/tickets?status=open&sort=updated_at",
        "/tickets?department_id=2",
        "/tickets?q=canary",
        "/tickets?q=%231002",
        "/tickets?q=zoe",
        "/tickets?q=7Q",
        "/tickets?q=c%20y",
        "/tickets/1/messages",
        "/notifications",
        "/notifications/unread-count",
        "/labels",
        "/departments",
        "/canned-responses",
        "/knowledge-base/search?q=canary",
        "/profile",
    ] {
        answers.push((path.to_owned(), ada.get(path)));
    }
    answers.extend(questions(&app, "ada", 2, 4));
    for (what, answer) in answers {
        let text = String::from_utf8(answer.body).unwrap().to_lowercase();
        assert!(!text.contains(&CANARY.to_lowercase()) && !text.contains("canary.example"), "{what}: {text}");
    }
    assert!(
        String::from_utf8(app.agent("cleo").get("/tickets").body).unwrap().contains(CANARY),
        "it is there"
    );
}

#[test]
fn a_search_does_not_count_foreign_tickets() {
    let app = TestApp::desk();
    for query in ["canary", "7Q", "c%20y", "%231002"] {
        let answer = app.agent("ada").get(&format!("/tickets?q={query}"));
        assert!(!answer.ids().contains(&2), "{query}");
        assert_eq!(answer.json["meta"]["total"], answer.items().len(), "{query}");
    }
    assert_eq!(app.agent("cleo").get("/tickets?q=canary").ids(), [2]);
}

#[test]
fn an_agent_who_leaves_a_ticket_sees_it_no_more() {
    let app = TestApp::desk();
    app.agent("ada").get("/tickets/1").data();
    app.sql("DELETE FROM ticket_agent WHERE ticket_id = 1 AND agent_id = 1");
    app.agent("ada").get("/tickets/1").refused(404, "not_found");
    assert_eq!(app.agent("ada").get("/tickets").ids(), [5, 4, 3]);
    assert_eq!(app.agent("ada").get("/tickets").json["meta"]["total"], 3);
}

#[test]
fn being_in_a_tickets_department_shows_nothing_by_default() {
    let app = TestApp::desk();
    app.sql("UPDATE ticket SET department_id = 1 WHERE id = 2");
    app.agent("ada").get("/tickets/2").refused(404, "not_found");
}

// ---------------------------------------------------------------- with department_visibility

/// Ada and Ben are in department 1, where Cleo's ticket 2 now is too.
fn open_departments() -> TestApp {
    let app = TestApp::desk();
    app.sql(
        "UPDATE setting SET department_visibility = 1; UPDATE ticket SET department_id = 1 WHERE id = 2;",
    );
    app
}

#[test]
fn with_departments_open_every_operation_works_on_their_tickets() {
    let app = open_departments();
    for (what, answer) in questions(&app, "ada", 2, 4) {
        let expected = match what.as_str() {
            "get if none" => 304,
            "update if" => 412,
            "update with an unknown label" => 422,
            "reply" | "reply once" | "note" => 201,
            _ => 200,
        };
        assert_eq!(answer.status, expected, "{what} {}", answer.json);
    }
}

#[test]
fn with_departments_open_lists_have_each_ticket_once() {
    let app = open_departments();
    let answer = app.agent("ada").get("/tickets");
    assert_eq!((answer.ids(), &answer.json["meta"]["total"]), (vec![5, 4, 3, 2, 1], &json!(5)));
    let ben = app.agent("ben").get("/tickets");
    assert_eq!((ben.ids(), &ben.json["meta"]["total"]), (vec![4, 2, 1], &json!(3)));
    assert_eq!(app.agent("cleo").get("/tickets").ids(), [2], "her own, whatever its department");
}

#[test]
fn with_departments_open_filters_sorts_and_pages_hold() {
    let app = open_departments();
    let ada = app.agent("ada");
    assert_eq!(ada.get("/tickets?department_id=1").ids(), [4, 2, 1]);
    assert_eq!(ada.get("/tickets?status=open&priority=medium").ids(), [3, 2]);
    assert_eq!(ada.get("/tickets?sort=-priority").ids(), [5, 1, 3, 2, 4]);
    assert_eq!(ada.get("/tickets?sort=last_reply_at").ids(), [3, 1, 2, 4, 5]);
    assert_eq!(ada.get("/tickets?q=canary").ids(), [2]);
    let page = ada.get("/tickets?per_page=2&page=2");
    assert_eq!((page.ids(), &page.json["meta"]["total"]), (vec![3, 2], &json!(5)));
    assert_eq!(
        ada.get("/tickets?q=e%20o&per_page=200").items().len(),
        ada.get("/tickets?q=e%20o").json["meta"]["total"]
    );
}

#[test]
fn with_departments_open_the_dashboard_counts_each_ticket_once() {
    let app = open_departments();
    let expected =
        json!({ "open_tickets": 4, "in_progress_tickets": 0, "needs_response": 3, "closed_today": 1 });
    assert_eq!(*app.agent("ada").get("/dashboard").data(), expected);
    app.agent("cleo").act("/tickets/2/close").data();
    let expected =
        json!({ "open_tickets": 3, "in_progress_tickets": 0, "needs_response": 2, "closed_today": 2 });
    assert_eq!(*app.agent("ada").get("/dashboard").data(), expected);
}

#[test]
fn with_departments_open_working_on_a_ticket_does_not_put_one_on_it() {
    let app = open_departments();
    app.agent("ada").post("/tickets/2/messages", json!({ "content": "x" })).data();
    app.agent("ada").put("/tickets/2", json!({ "status": "on_hold" })).data();
    let answer = app.agent("cleo").get("/tickets/2");
    assert_eq!(answer.data()["agents"], json!([{ "id": 3, "name": "Cleo Marsh" }]));
}

#[test]
fn with_departments_open_only_those_on_the_ticket_are_told() {
    let app = open_departments();
    app.agent("ada").put("/tickets/2", json!({ "status": "on_hold" })).data();
    app.agent("ada").post("/tickets/2/messages", json!({ "content": "x", "is_internal": true })).data();
    assert_eq!(app.column::<i64>("SELECT agent_id FROM notification"), [3, 3]);
}

#[test]
fn with_departments_open_other_departments_stay_closed() {
    let app = open_departments();
    app.sql("UPDATE ticket SET department_id = 2 WHERE id = 2");
    app.agent("ada").get("/tickets/2").refused(404, "not_found");
    app.sql("UPDATE ticket SET department_id = NULL WHERE id = 2");
    app.agent("ada").get("/tickets/2").refused(404, "not_found");
}

#[test]
fn an_agent_of_several_departments_sees_all_of_them_and_one_of_none_only_its_own() {
    let app = open_departments();
    app.sql("INSERT INTO agent_department VALUES (3, 1)");
    assert_eq!(app.agent("cleo").get("/tickets").ids(), [4, 2, 1]);
    app.sql("DELETE FROM agent_department WHERE agent_id = 3");
    let alone = app.agent("cleo").get("/tickets");
    assert_eq!((alone.ids(), &alone.json["meta"]["total"]), (vec![2], &json!(1)));
}

#[test]
fn closing_the_departments_counts_on_the_next_request() {
    let app = open_departments();
    app.agent("ada").get("/tickets/2").data();
    app.sql("UPDATE setting SET department_visibility = 0");
    app.agent("ada").get("/tickets/2").refused(404, "not_found");
    assert_eq!(app.agent("ada").get("/tickets").json["meta"]["total"], 4);
}

// ---------------------------------------------------------------- set through the API

fn set(app: &TestApp, department_visibility: bool) {
    app.admin().put("/settings", json!({ "department_visibility": department_visibility })).data();
}

#[test]
fn the_setting_opens_a_departments_tickets_and_closes_them_again_at_once() {
    let app = TestApp::desk();
    let (ada, admin) = (app.agent("ada"), app.admin());
    admin.put("/tickets/2", json!({ "department_id": 1 })).data();
    let sees = |is_seen: bool| {
        let answers =
            [ada.get("/tickets/2"), ada.get("/tickets/2/messages"), ada.put("/tickets/2", json!({}))];
        for answer in answers {
            if is_seen { assert_eq!(answer.status, 200) } else { answer.refused(404, "not_found") }
        }
        assert_eq!(ada.get("/tickets?q=canary").ids(), if is_seen { vec![2] } else { vec![] });
        assert_eq!(ada.get("/tickets").json["meta"]["total"], if is_seen { 5 } else { 4 });
        assert_eq!(ada.get("/dashboard").data()["open_tickets"], if is_seen { 4 } else { 3 });
    };
    sees(false);
    set(&app, true);
    sees(true);
    set(&app, false);
    sees(false);
    set(&app, true);
    admin.put("/tickets/2", json!({ "department_id": 2 })).data();
    sees(false);
    admin.put("/tickets/2", json!({ "department_id": null })).data();
    sees(false);
    admin.put("/tickets/2", json!({ "department_id": 1 })).data();
    sees(true);
    app.sql("DELETE FROM agent_department WHERE agent_id = 1");
    assert_eq!(ada.get("/tickets/2").status, 404, "out of the department");
}

#[test]
fn who_works_on_a_departments_ticket_is_not_on_it_and_not_told_about_it() {
    let app = TestApp::desk();
    set(&app, true);
    let ben = app.agent("ben");
    app.admin().put("/tickets/3", json!({ "department_id": 1 })).data();
    ben.post("/tickets/3/messages", json!({ "content": "I can help" })).data();
    ben.put("/tickets/3", json!({ "priority": "high", "labels": [1] })).data();
    let message = ben.get("/tickets/3/messages").ids()[0];
    ben.act(&format!("/tickets/3/messages/{message}/like")).data();
    ben.act("/tickets/3/close").data();
    let customers = json!({ "content": "And now?", "customer_id": 1 });
    app.admin().post("/tickets/3/messages", customers).data();
    app.admin().post("/tickets/3/messages", json!({ "content": "n", "is_internal": true })).data();
    let ticket = app.admin().get("/tickets/3");
    assert_eq!(ticket.data()["agents"], json!([{ "id": 1, "name": "Ada Lind" }]));
    assert_eq!(ticket.data()["status"], "open");
    assert!(ben.get("/notifications").items().is_empty());
    let told = ["ticket_note", "ticket_status", "ticket_reply", "ticket_status"];
    assert_eq!(app.agent("ada").get("/notifications").each("type"), told);
}

#[test]
fn whoever_is_taken_off_a_ticket_still_sees_it_as_the_departments() {
    let app = TestApp::desk();
    set(&app, true);
    app.admin().put("/tickets/1", json!({ "agents": [2] })).data();
    assert_eq!(app.agent("ada").get("/tickets/1").status, 200);
    app.admin().put("/tickets/1", json!({ "department_id": 2 })).data();
    app.agent("ada").get("/tickets/1").refused(404, "not_found");
    assert_eq!(app.agent("cleo").get("/tickets").ids(), [2, 1]);
}

#[test]
fn an_answer_is_not_replayed_about_what_is_hidden_now() {
    let app = TestApp::desk();
    set(&app, true);
    app.sql("UPDATE ticket SET department_id = 1 WHERE id = 2");
    let reply = || {
        let call = app.agent("ada").call("POST", "/tickets/2/messages").header("Idempotency-Key", "k");
        call.json(&json!({ "content": "x" })).send()
    };
    reply().data();
    set(&app, false);
    reply().refused(404, "not_found");
    set(&app, true);
    assert_eq!(reply().header("idempotent-replayed"), Some("true"));
}

/// The tickets an agent sees, as plainly as that can be said.
fn seen(agent: i64, is_open: bool) -> String {
    let own =
        format!("EXISTS (SELECT 1 FROM ticket_agent a WHERE a.ticket_id = t.id AND a.agent_id = {agent})");
    let department =
        format!("t.department_id IN (SELECT department_id FROM agent_department WHERE agent_id = {agent})");
    if is_open { format!("({own} OR {department})") } else { own }
}

/// Compares every list and the dashboard of an agent with a plain count.
fn compare(app: &TestApp, handle: &str, agent: i64, is_open: bool) {
    let seen = seen(agent, is_open);
    let rank = "CASE t.priority WHEN 'low' THEN 1 WHEN 'medium' THEN 2 WHEN 'high' THEN 3 ELSE 4 END";
    let orders = [
        ("", "t.created_at DESC".to_owned()),
        ("&sort=created_at", "t.created_at".into()),
        ("&sort=-updated_at", "t.updated_at DESC".into()),
        ("&sort=updated_at", "t.updated_at".into()),
        ("&sort=-last_reply_at", "ifnull(t.last_reply_at, -1) DESC".into()),
        ("&sort=last_reply_at", "ifnull(t.last_reply_at, -1)".into()),
        ("&sort=priority", rank.into()),
        ("&sort=-priority", format!("{rank} DESC")),
    ];
    let filters = [
        ("", "true"),
        ("&status=open", "t.status = 'open'"),
        ("&status=closed&priority=high", "t.status = 'closed' AND t.priority = 'high'"),
        ("&department_id=1", "t.department_id IS 1"),
        ("&department_id=2&status=on_hold", "t.department_id IS 2 AND t.status = 'on_hold'"),
        ("&department_id=77", "false"),
        ("&q=title%205", "t.title LIKE 'title%5%'"),
        (
            "&q=title&department_id=2&priority=low",
            "t.title LIKE 'title%' AND t.department_id IS 2 AND t.priority = 'low'",
        ),
        ("&q=t%20x", "t.id <> 2"),
    ];
    for (filter, condition) in filters {
        for (sort, order) in &orders {
            let sql =
                format!("SELECT t.id FROM ticket t WHERE {seen} AND {condition} ORDER BY {order}, t.id DESC");
            let expected: Vec<i64> = app.column(&sql);
            let mut found = vec![];
            for page in 1..=2 {
                let list = app.agent(handle).get(&format!("/tickets?per_page=110&page={page}{filter}{sort}"));
                assert_eq!(list.json["meta"]["total"], expected.len(), "{handle} {filter}{sort}");
                found.extend(list.ids());
            }
            assert_eq!(found, expected, "{handle} {filter}{sort}");
        }
    }
    let count = |condition: &str| {
        app.look_up::<i64>(&format!("SELECT count(*) FROM ticket t WHERE {seen} AND {condition}"))
    };
    let expected = json!({
        "open_tickets": count("t.status = 'open'"), "in_progress_tickets": count("t.status = 'in_progress'"),
        "needs_response": count("t.awaits_reply AND t.status <> 'closed'"),
        "closed_today": count("t.closed_at >= 1773619200000000"),
    });
    assert_eq!(*app.agent(handle).get("/dashboard").data(), expected, "{handle}");
    let all: Vec<i64> = app.column("SELECT id FROM ticket");
    let visible: Vec<i64> = app.column(&format!("SELECT t.id FROM ticket t WHERE {seen}"));
    for id in all.into_iter().step_by(7) {
        let answer = app.agent(handle).get(&format!("/tickets/{id}"));
        assert_eq!(answer.status, if visible.contains(&id) { 200 } else { 404 }, "{handle} {id}");
    }
}

#[test]
fn lists_and_counts_agree_with_a_plain_count_whatever_is_set() {
    let app = TestApp::crowd();
    app.sql("INSERT INTO agent_department VALUES (2, 2); DELETE FROM agent_department WHERE agent_id = 3;");
    for is_open in [true, false] {
        set(&app, is_open);
        for (handle, agent) in [("ada", 1), ("ben", 2), ("cleo", 3)] {
            compare(&app, handle, agent, is_open);
        }
    }
}

#[test]
fn an_agent_of_hundreds_of_departments_sees_them_all() {
    let app = TestApp::crowd();
    app.sql(
        "WITH RECURSIVE n (n) AS (SELECT 3 UNION ALL SELECT n + 1 FROM n WHERE n < 600)
         INSERT INTO department (id, name, name_fold, created_at, updated_at) SELECT n, 'D' || n, 'd' || n, 0, 0 FROM n;
         INSERT INTO agent_department SELECT 1, id FROM department WHERE id > 1;
         INSERT INTO agent_department SELECT 3, id FROM department WHERE id BETWEEN 5 AND 40;
         UPDATE ticket SET department_id = 3 + id % 40 WHERE id > 100 AND id % 3 = 0;",
    );
    set(&app, true);
    compare(&app, "ada", 1, true);
    compare(&app, "cleo", 3, true);
}
