//! What follows from a new ticket: who leads it, who is told, what is recorded.

use serde_json::{Value, json};

use crate::harness::{Response, TestApp};

fn open(app: &TestApp, with: Value) -> Response {
    let mut new =
        json!({ "customer_id": 1, "title": "Xylophone", "content": "Xylophone?", "department_id": 1 });
    for (name, value) in with.as_object().unwrap() {
        new[name] = value.clone();
    }
    let answer = app.admin().post("/tickets", new);
    assert_eq!(answer.status, 201, "{}", answer.json);
    answer
}

fn lead(answer: &Response) -> Option<i64> {
    let (lead, agents) = (&answer.data()["assigned_to"], &answer.data()["agents"]);
    let alone: Vec<&Value> = [lead].into_iter().filter(|lead| !lead.is_null()).collect();
    assert_eq!(*agents, json!(alone), "the lead is among the agents");
    lead["id"].as_i64()
}

fn told(app: &TestApp) -> Vec<String> {
    app.column("SELECT type || ' ' || agent_id || ' ' || sender_name FROM notification ORDER BY id")
}

/// A desk that assigns by itself, with nothing to do: Ada and Ben are in department 1, Cleo in department 2.
fn idle() -> TestApp {
    let app = TestApp::desk();
    app.sql("DELETE FROM ticket; UPDATE agent SET last_assigned_at = NULL;");
    app.admin().put("/settings", json!({ "auto_assign": true })).data();
    app
}

/// The ticket's whole life in the log.
fn entries(app: &TestApp, ticket: i64) -> Vec<String> {
    app.column(&format!(
        "SELECT action || ' ' || actor_type || ' ' || ifnull(actor_id, '-') || ' ' || actor_name || ' ' || subject_type
           || ' ' || (changes ->> '$.assigned_to.to' IS NOT NULL)
         FROM activity WHERE ticket_id = {ticket} ORDER BY id"
    ))
}

#[test]
fn nobody_is_chosen_unless_the_desk_says_so() {
    let app = idle();
    app.admin().put("/settings", json!({ "auto_assign": false })).data();
    let answer = open(&app, json!({}));
    assert_eq!(lead(&answer), None);
    assert!(told(&app).is_empty());
    assert_eq!(entries(&app, 6), ["ticket.created user 4 Robot ticket 0"]);
}

#[test]
fn the_turn_goes_to_the_fewest_then_the_longest_ago_then_the_first() {
    let app = idle();
    let next = || {
        app.advance(1);
        lead(&open(&app, json!({})))
    };
    assert_eq!(next(), Some(1), "neither has ever led: the lowest id");
    assert_eq!(next(), Some(2), "the fewest");
    assert_eq!(next(), Some(1), "as many, and longest ago");
    assert_eq!(next(), Some(2));
    app.agent("ben").act("/tickets/7/close").data();
    assert_eq!(next(), Some(2), "one of Ben's is closed");
    app.agent("ben").put("/tickets/7", json!({ "status": "on_hold" })).data();
    assert_eq!(next(), Some(1), "and now is not");
    app.admin().put("/tickets/6", json!({ "assigned_to": 3 })).data();
    assert_eq!(next(), Some(1), "Ada is only on ticket 6 now, and leads it no more");
    app.advance(1);
    app.admin().put("/tickets/8", json!({ "assigned_to": null })).data();
    app.admin().put("/tickets/8", json!({ "assigned_to": 1 })).data();
    assert_eq!(next(), Some(2), "three each; Ada became a lead last");
}

#[test]
fn who_never_led_comes_before_who_did() {
    let app = idle();
    app.sql("UPDATE agent SET last_assigned_at = 1 WHERE id = 1");
    assert_eq!(lead(&open(&app, json!({}))), Some(2));
}

#[test]
fn the_inactive_the_deleted_and_other_departments_are_passed_over() {
    let app = idle();
    app.sql("UPDATE agent SET is_active = 0 WHERE id = 1");
    assert_eq!([lead(&open(&app, json!({}))), lead(&open(&app, json!({})))], [Some(2); 2]);
    app.sql("UPDATE agent SET deleted_at = 1 WHERE id = 2");
    let nobody = open(&app, json!({}));
    assert_eq!(lead(&nobody), None, "nobody is eligible");
    assert_eq!(
        entries(&app, nobody.data()["id"].as_i64().unwrap()),
        ["ticket.created user 4 Robot ticket 0"]
    );
    assert_eq!(lead(&open(&app, json!({ "department_id": 2 }))), Some(3));
    assert_eq!(lead(&open(&app, json!({ "department_id": null }))), None, "no department");
    app.admin().put("/settings", json!({ "default_department_id": 2 })).data();
    let usual = app.admin().post("/tickets", json!({ "customer_id": 1, "title": "t", "content": "c" }));
    assert_eq!(lead(&usual), Some(3), "the default department's");
}

#[test]
fn a_named_lead_wins_whatever_its_department_and_its_turn_is_taken() {
    let app = idle();
    assert_eq!(lead(&open(&app, json!({ "assigned_to": 1 }))), Some(1));
    app.agent("ada").act("/tickets/6/close").data();
    assert_eq!(lead(&open(&app, json!({}))), Some(2), "Ada became a lead more lately");
    assert_eq!(lead(&open(&app, json!({ "assigned_to": 3 }))), Some(3));
    assert_eq!(lead(&open(&app, json!({ "assigned_to": null }))), Some(1), "null names nobody");
}

#[test]
fn a_refused_ticket_takes_nobodys_turn() {
    let app = idle();
    let wrong = json!({ "customer_id": 1, "title": "t", "content": "c", "department_id": 1, "labels": [99] });
    app.admin().post("/tickets", wrong).invalid(&["labels"]);
    assert_eq!(app.look_up::<i64>("SELECT count(*) FROM agent WHERE last_assigned_at IS NOT NULL"), 0);
    assert_eq!(lead(&open(&app, json!({}))), Some(1));
}

#[test]
fn the_named_lead_is_told_by_the_key_and_the_chosen_one_by_the_system() {
    let app = idle();
    open(&app, json!({ "assigned_to": 3 })).data();
    open(&app, json!({})).data();
    assert_eq!(told(&app), ["ticket_assigned 3 Robot", "ticket_assigned 1 System"]);
    let named = ["ticket.created user 4 Robot ticket 1"];
    let chosen = ["ticket.created user 4 Robot ticket 0", "ticket.assigned system - System ticket 1"];
    assert_eq!(
        (entries(&app, 6), entries(&app, 7)),
        (named.map(str::to_owned).into(), chosen.map(str::to_owned).into())
    );
    let text: String = app.look_up(
        "SELECT group_concat(t) FROM (SELECT description || changes AS t FROM activity UNION ALL SELECT title || message FROM notification)",
    );
    assert!(text.contains("#1006") && text.contains("#1007") && !text.contains("Xylophone"), "{text}");
    let told = app.agent("ada").get("/notifications").items()[0].clone();
    assert_eq!(
        (&told["ticket_id"], &told["sender_avatar"], &told["is_read"]),
        (&json!(7), &Value::Null, &json!(false))
    );
}

#[test]
fn the_muted_are_not_told() {
    let app = idle();
    for handle in ["ada", "cleo"] {
        app.agent(handle)
            .put("/profile", json!({ "notification_settings": { "ticket_assigned": false } }))
            .data();
    }
    open(&app, json!({})).data();
    open(&app, json!({ "assigned_to": 3 })).data();
    assert!(told(&app).is_empty());
    open(&app, json!({})).data();
    assert_eq!(told(&app), ["ticket_assigned 2 System"]);
}

#[test]
fn a_new_ticket_counts_at_once() {
    let app = idle();
    let before = app.agent("ada").get("/dashboard").data().clone();
    assert_eq!(before["open_tickets"], 0);
    open(&app, json!({})).data();
    let expected =
        json!({ "open_tickets": 1, "in_progress_tickets": 0, "needs_response": 1, "closed_today": 0 });
    assert_eq!(*app.agent("ada").get("/dashboard").data(), expected);
    assert_eq!(app.agent("ada").get("/tickets?q=xylo").ids(), [6]);
    let event = "SELECT kind || ' ' || agent_id || ' ' || department_id || ' ' || seconds FROM ticket_event WHERE ticket_id = 6";
    assert_eq!(
        app.look_up::<String>(event),
        "created 1 1 0",
        "with the lead and the place it has from the start"
    );
}
