//! The dashboard, and tickets as an agent lists, reads, changes and closes them.

use serde_json::{Value, json};

use crate::harness::{TestApp, fields};

const TICKET: [&str; 20] = [
    "id",
    "reference_id",
    "title",
    "content",
    "status",
    "priority",
    "department",
    "category",
    "product",
    "customer",
    "labels",
    "assigned_to",
    "agents",
    "custom_fields",
    "is_resolved",
    "is_locked",
    "last_reply_at",
    "closed_at",
    "created_at",
    "updated_at",
];

/// What a change that changes nothing must leave alone.
fn traces(app: &TestApp, ticket: i64) -> (String, i64, i64, i64) {
    let row = app.look_up(&format!(
        "SELECT json_array(status, priority, is_resolved, closed_at, updated_at, version, last_reply_at) FROM ticket WHERE id = {ticket}"
    ));
    let count = |table: &str| app.look_up(&format!("SELECT count(*) FROM {table}"));
    (row, count("activity"), count("notification"), count("ticket_event"))
}

// ---------------------------------------------------------------- dashboard

#[test]
fn the_dashboard_counts_the_agents_tickets() {
    let answer = TestApp::desk().agent("ada").get("/dashboard");
    assert_eq!(
        *answer.data(),
        json!({ "open_tickets": 3, "in_progress_tickets": 0, "needs_response": 2, "closed_today": 1 })
    );
}

#[test]
fn the_dashboard_counts_tickets_in_progress() {
    let app = TestApp::desk();
    app.agent("ada").put("/tickets/3", json!({ "status": "in_progress" })).data();
    let answer = app.agent("ada").get("/dashboard");
    assert_eq!([&answer.data()["open_tickets"], &answer.data()["in_progress_tickets"]], [2, 1]);
}

#[test]
fn a_ticket_on_hold_can_need_a_response() {
    let app = TestApp::desk();
    app.agent("ada").put("/tickets/3", json!({ "status": "on_hold" })).data();
    let answer = app.agent("ada").get("/dashboard");
    assert_eq!([&answer.data()["open_tickets"], &answer.data()["needs_response"]], [2, 2]);
}

#[test]
fn a_public_reply_ends_the_need_for_a_response_and_a_note_does_not() {
    let app = TestApp::desk();
    let ada = app.agent("ada");
    ada.post("/tickets/3/messages", json!({ "content": "A note", "is_internal": true })).data();
    assert_eq!(ada.get("/dashboard").data()["needs_response"], 2);
    ada.post("/tickets/3/messages", json!({ "content": "An answer" })).data();
    assert_eq!(ada.get("/dashboard").data()["needs_response"], 1);
}

#[test]
fn a_customers_word_after_the_answer_needs_a_response() {
    let app = TestApp::desk();
    app.customer_replies(1, "Still not working.");
    assert_eq!(app.agent("ada").get("/dashboard").data()["needs_response"], 3);
}

#[test]
fn a_closed_ticket_needs_no_response() {
    let app = TestApp::desk();
    app.agent("ada").act("/tickets/3/close").data();
    assert_eq!(app.agent("ada").get("/dashboard").data()["needs_response"], 1);
}

#[test]
fn today_begins_at_midnight_in_the_desks_time_zone() {
    let app = TestApp::desk();
    // Ticket 5 was closed at 11:00 UTC. Noon UTC is the midnight after it in Fiji.
    app.sql("UPDATE setting SET time_zone = 'Pacific/Fiji'");
    assert_eq!(app.agent("ada").get("/dashboard").data()["closed_today"], 0);
    app.sql("UPDATE setting SET time_zone = 'Europe/Berlin'");
    assert_eq!(app.agent("ada").get("/dashboard").data()["closed_today"], 1);
}

#[test]
fn yesterdays_closing_is_not_todays() {
    let app = TestApp::desk();
    app.advance(12 * 3600);
    assert_eq!(app.agent("ada").get("/dashboard").data()["closed_today"], 0);
}

#[test]
fn a_reopened_ticket_was_not_closed_today() {
    let app = TestApp::desk();
    app.agent("ada").put("/tickets/5", json!({ "status": "open" })).data();
    assert_eq!(app.agent("ada").get("/dashboard").data()["closed_today"], 0);
}

#[test]
fn a_dashboard_of_nothing_is_zeroes() {
    let app = TestApp::desk();
    app.sql("DELETE FROM ticket_agent WHERE agent_id = 3");
    let answer = app.agent("cleo").get("/dashboard");
    assert!(answer.data().as_object().unwrap().values().all(|count| count == 0), "{}", answer.json);
}

// ---------------------------------------------------------------- list

#[test]
fn a_list_has_the_agents_tickets_newest_first() {
    let answer = TestApp::desk().agent("ada").get("/tickets");
    assert_eq!(answer.ids(), [5, 4, 3, 1]);
    assert_eq!(fields(&answer.json), ["status", "data", "meta"]);
}

#[test]
fn the_items_of_a_list_are_whole_tickets() {
    let app = TestApp::desk();
    let list = app.agent("ada").get("/tickets");
    for item in list.items() {
        assert_eq!(*item, *app.agent("ada").get(&format!("/tickets/{}", item["id"])).data());
    }
}

#[test]
fn a_list_has_fifteen_a_page_unless_the_setting_says_otherwise() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").get("/tickets").json["meta"]["per_page"], 15);
    app.sql("UPDATE setting SET tickets_per_page = 3");
    let answer = app.agent("ada").get("/tickets");
    assert_eq!((answer.items().len(), &answer.json["meta"]["per_page"]), (3, &json!(3)));
    assert_eq!(app.agent("ada").get("/tickets?per_page=2").items().len(), 2);
}

#[test]
fn a_list_filters_by_status() {
    let ada = TestApp::desk();
    let ada = ada.agent("ada");
    assert_eq!(ada.get("/tickets?status=open").ids(), [4, 3, 1]);
    assert_eq!(ada.get("/tickets?status=closed").ids(), [5]);
    assert!(ada.get("/tickets?status=on_hold").ids().is_empty());
    assert!(ada.get("/tickets?status=in_progress").ids().is_empty());
}

#[test]
fn a_list_filters_by_priority() {
    let app = TestApp::desk();
    for (priority, ids) in [("low", [4]), ("medium", [3]), ("high", [1]), ("critical", [5])] {
        let answer = app.agent("ada").get(&format!("/tickets?priority={priority}"));
        assert_eq!((answer.ids(), &answer.json["meta"]["total"]), (ids.to_vec(), &json!(1)));
    }
}

#[test]
fn a_list_filters_by_department() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").get("/tickets?department_id=1").ids(), [4, 1]);
    assert!(app.agent("ada").get("/tickets?department_id=2").ids().is_empty(), "that is Cleo's");
}

#[test]
fn an_unknown_department_gives_an_empty_list() {
    let app = TestApp::desk();
    for id in ["99", "9223372036854775807"] {
        let answer = app.agent("ada").get(&format!("/tickets?department_id={id}"));
        assert_eq!((answer.items().len(), &answer.json["meta"]["last_page"]), (0, &json!(1)));
    }
}

#[test]
fn filters_hold_together() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").get("/tickets?status=open&priority=low&department_id=1").ids(), [4]);
    assert!(app.agent("ada").get("/tickets?status=closed&priority=low").ids().is_empty());
}

#[test]
fn a_list_sorts_by_creation() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").get("/tickets?sort=created_at").ids(), [1, 3, 4, 5]);
    assert_eq!(app.agent("ada").get("/tickets?sort=-created_at").ids(), [5, 4, 3, 1]);
}

#[test]
fn a_list_sorts_by_the_last_change() {
    let app = TestApp::desk();
    app.agent("ada").put("/tickets/3", json!({ "priority": "high" })).data();
    assert_eq!(app.agent("ada").get("/tickets?sort=-updated_at").ids(), [3, 5, 4, 1]);
    assert_eq!(app.agent("ada").get("/tickets?sort=updated_at").ids(), [1, 4, 5, 3]);
}

#[test]
fn a_ticket_without_a_reply_counts_as_the_longest_without() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").get("/tickets?sort=last_reply_at").ids(), [3, 1, 4, 5]);
    assert_eq!(app.agent("ada").get("/tickets?sort=-last_reply_at").ids(), [5, 4, 1, 3]);
}

#[test]
fn a_list_sorts_by_severity() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").get("/tickets?sort=priority").ids(), [4, 3, 1, 5]);
    assert_eq!(app.agent("ada").get("/tickets?sort=-priority").ids(), [5, 1, 3, 4]);
}

#[test]
fn ties_are_newest_id_first_in_every_order() {
    let app = TestApp::desk();
    let ids: Vec<i64> = (0..4).map(|n| app.add_ticket(3, &format!("Twin {n}"), "Same")).collect();
    app.sql("UPDATE ticket SET created_at = 1, updated_at = 1, last_reply_at = NULL WHERE id > 5 OR id = 2");
    let newest_first = [ids[3], ids[2], ids[1], ids[0], 2];
    let sorts = ["created_at", "updated_at", "last_reply_at", "priority"];
    for sort in sorts.into_iter().flat_map(|sort| [sort.to_owned(), format!("-{sort}")]) {
        assert_eq!(app.agent("cleo").get(&format!("/tickets?sort={sort}")).ids(), newest_first, "{sort}");
    }
}

#[test]
fn a_list_names_every_parameter_that_is_wrong() {
    let app = TestApp::desk();
    let query = "status=shut&priority=urgent&department_id=x&sort=title&page=0&per_page=201&q=a";
    app.agent("ada").get(&format!("/tickets?{query}")).invalid(&[
        "status",
        "priority",
        "department_id",
        "sort",
        "page",
        "per_page",
        "q",
    ]);
}

#[test]
fn an_empty_word_is_no_value_of_an_enum() {
    let app = TestApp::desk();
    app.agent("ada").get("/tickets?status=").invalid(&["status"]);
    app.agent("ada").get("/tickets?priority=&sort=").invalid(&["priority", "sort"]);
    app.agent("ada").get("/tickets?status").invalid(&["status"]);
}

#[test]
fn words_of_an_enum_are_exact() {
    let app = TestApp::desk();
    for status in ["Open", "%20open", "open%20", "in-progress"] {
        app.agent("ada").get(&format!("/tickets?status={status}")).invalid(&["status"]);
    }
}

#[test]
fn an_id_in_a_query_is_a_positive_64_bit_integer() {
    let app = TestApp::desk();
    for id in ["", "0", "-1", "1.0", "01", "%2B1", "1e3", "abc", "9223372036854775808"] {
        app.agent("ada").get(&format!("/tickets?department_id={id}")).invalid(&["department_id"]);
    }
}

#[test]
fn a_parameter_given_twice_is_wrong_even_with_the_same_value() {
    let app = TestApp::desk();
    app.agent("ada").get("/tickets?status=open&status=open").invalid(&["status"]);
}

#[test]
fn unknown_parameters_are_ignored() {
    let app = TestApp::desk();
    assert_eq!(app.agent("ada").get("/tickets?colour=red&colour=blue&status=closed").ids(), [5]);
}

// ---------------------------------------------------------------- get

#[test]
fn a_ticket_is_the_users_shape_field_for_field() {
    let answer = TestApp::desk().agent("ada").get("/tickets/1");
    assert_eq!(
        *answer.data(),
        json!({
            "id": 1,
            "reference_id": "#1001",
            "title": "Cannot access my account",
            "content": "I'm unable to log in.",
            "status": "open",
            "priority": "high",
            "department": { "id": 1, "name": "Support" },
            "category": { "id": 1, "name": "Account" },
            "product": { "id": 1, "name": "Platform" },
            "customer": { "id": 1, "name": "John Doe", "email": "john@customer.example" },
            "labels": [
                { "id": 1, "name": "Bug", "color": "#e74c3c" },
                { "id": 2, "name": "Idea", "color": "#e74c3c" },
            ],
            "assigned_to": { "id": 2, "name": "Ben Ortiz" },
            "agents": [{ "id": 2, "name": "Ben Ortiz" }, { "id": 1, "name": "Ada Lind" }],
            "custom_fields": [
                { "id": 2, "label": "Seats", "type": "number", "value": "12" },
                { "id": 1, "label": "Browser", "type": "text", "value": "Chrome 120" },
            ],
            "is_resolved": false,
            "is_locked": false,
            "last_reply_at": "2026-03-14T12:00:00Z",
            "closed_at": null,
            "created_at": "2026-03-14T10:00:00Z",
            "updated_at": "2026-03-14T13:00:00Z",
        })
    );
    assert_eq!(fields(answer.data()), TICKET);
    assert_eq!(fields(&answer.json), ["status", "data"]);
}

#[test]
fn what_a_ticket_lacks_is_null_or_empty_and_never_missing() {
    let answer = TestApp::desk().agent("ada").get("/tickets/3");
    let ticket = answer.data();
    assert_eq!(fields(ticket), TICKET);
    for field in ["department", "category", "product", "last_reply_at", "closed_at"] {
        assert_eq!(ticket[field], Value::Null, "{field}");
    }
    assert_eq!([&ticket["labels"], &ticket["custom_fields"]], [&json!([]), &json!([])]);
}

#[test]
fn a_ticket_without_a_lead_says_so() {
    let app = TestApp::desk();
    app.sql("UPDATE ticket SET assigned_to = NULL WHERE id = 1");
    let answer = app.agent("ada").get("/tickets/1");
    assert_eq!(answer.data()["assigned_to"], Value::Null);
    assert_eq!(answer.data()["agents"][0]["id"], 1, "without a lead, by id");
}

#[test]
fn a_closed_ticket_has_its_closing() {
    let answer = TestApp::desk().agent("ada").get("/tickets/5");
    assert_eq!(answer.data()["closed_at"], "2026-03-16T11:00:00Z");
    assert_eq!(answer.data()["is_resolved"], true);
}

#[test]
fn a_ticket_that_is_not_there_is_not_found() {
    let app = TestApp::desk();
    app.agent("ada").get("/tickets/99").refused(404, "not_found");
    app.agent("ada").get("/tickets/9223372036854775807").refused(404, "not_found");
}

#[test]
fn an_id_in_a_path_is_a_positive_64_bit_integer() {
    let app = TestApp::desk();
    for id in ["0", "-1", "abc", "1.5", "01", "%2B1", "9223372036854775808", "1%20"] {
        app.agent("ada").get(&format!("/tickets/{id}")).invalid(&["id"]);
    }
}

#[test]
fn a_draft_label_on_a_ticket_still_shows() {
    let app = TestApp::desk();
    app.sql("UPDATE label SET status = 'draft' WHERE id = 1");
    assert_eq!(app.agent("ada").get("/tickets/1").data()["labels"][0]["name"], "Bug");
}

#[test]
fn an_inactive_agent_on_a_ticket_still_shows() {
    let app = TestApp::desk();
    app.sql("UPDATE agent SET is_active = 0 WHERE id = 2");
    assert_eq!(app.agent("ada").get("/tickets/1").data()["agents"][0]["name"], "Ben Ortiz");
}

// ---------------------------------------------------------------- update

#[test]
fn an_update_changes_status_priority_and_labels() {
    let app = TestApp::desk();
    let body = json!({ "status": "in_progress", "priority": "critical", "labels": [2] });
    let answer = app.agent("ada").put("/tickets/3", body);
    assert_eq!(answer.status, 200);
    let ticket = answer.data();
    assert_eq!([&ticket["status"], &ticket["priority"]], ["in_progress", "critical"]);
    assert_eq!(ticket["labels"], json!([{ "id": 2, "name": "Idea", "color": "#e74c3c" }]));
    assert_eq!(ticket["updated_at"].as_str().unwrap()[..16], *"2026-03-16T12:00");
    assert_eq!(*ticket, *app.agent("ada").get("/tickets/3").data());
}

#[test]
fn an_update_leaves_absent_fields_alone() {
    let app = TestApp::desk();
    let before = app.agent("ada").get("/tickets/1").data().clone();
    let after = app.agent("ada").put("/tickets/1", json!({ "priority": "low" })).data().clone();
    for field in TICKET.into_iter().filter(|field| !["priority", "updated_at"].contains(field)) {
        assert_eq!(before[field], after[field], "{field}");
    }
}

#[test]
fn an_update_of_nothing_changes_nothing() {
    let app = TestApp::desk();
    let before = traces(&app, 1);
    app.advance(60);
    let same = json!({ "status": "open", "priority": "high", "labels": [2, 1, 2] });
    for body in [json!({}), json!({ "status": "open" }), same] {
        assert_eq!(app.agent("ada").put("/tickets/1", body).status, 200);
        assert_eq!(traces(&app, 1), before);
    }
}

#[test]
fn an_update_works_on_a_locked_ticket() {
    let app = TestApp::desk();
    let answer = app.agent("ada").put("/tickets/4", json!({ "status": "on_hold" }));
    assert_eq!((&answer.data()["status"], &answer.data()["is_locked"]), (&json!("on_hold"), &json!(true)));
}

#[test]
fn closing_sets_the_time_and_resolves() {
    let app = TestApp::desk();
    let answer = app.agent("ada").put("/tickets/3", json!({ "status": "closed" }));
    assert_eq!(answer.data()["closed_at"], answer.data()["updated_at"]);
    assert_eq!(answer.data()["is_resolved"], true);
}

#[test]
fn leaving_closed_clears_both() {
    for status in ["open", "in_progress", "on_hold"] {
        let app = TestApp::desk();
        let answer = app.agent("ada").put("/tickets/5", json!({ "status": status }));
        assert_eq!(answer.data()["closed_at"], Value::Null);
        assert_eq!(answer.data()["is_resolved"], false);
    }
}

#[test]
fn closed_on_a_closed_ticket_changes_nothing() {
    let app = TestApp::desk();
    app.sql("UPDATE ticket SET is_resolved = 0 WHERE id = 5");
    let before = traces(&app, 5);
    app.advance(60);
    app.agent("ada").put("/tickets/5", json!({ "status": "closed" })).data();
    assert_eq!(traces(&app, 5), before);
}

#[test]
fn another_change_of_a_closed_ticket_keeps_its_closing() {
    let app = TestApp::desk();
    app.sql("UPDATE ticket SET is_resolved = 0 WHERE id = 5");
    let answer = app.agent("ada").put("/tickets/5", json!({ "status": "closed", "priority": "low" }));
    assert_eq!(answer.data()["priority"], "low");
    assert_eq!(answer.data()["closed_at"], "2026-03-16T11:00:00Z");
    assert_eq!(answer.data()["is_resolved"], false);
    assert_eq!(
        app.look_up::<i64>("SELECT count(*) FROM ticket_event WHERE ticket_id = 5 AND kind = 'closed'"),
        1
    );
}

#[test]
fn a_change_between_open_states_keeps_a_resolution() {
    let app = TestApp::desk();
    app.sql("UPDATE ticket SET is_resolved = 1 WHERE id = 3");
    let answer = app.agent("ada").put("/tickets/3", json!({ "status": "on_hold" }));
    assert_eq!(answer.data()["is_resolved"], true);
}

#[test]
fn labels_replace_the_set() {
    let app = TestApp::desk();
    let ids = |answer: &crate::harness::Response| answer.data()["labels"].as_array().unwrap().len();
    assert_eq!(ids(&app.agent("ada").put("/tickets/1", json!({ "labels": [1] }))), 1);
    assert_eq!(ids(&app.agent("ada").put("/tickets/1", json!({ "labels": [] }))), 0);
    assert_eq!(ids(&app.agent("ada").put("/tickets/1", json!({ "labels": [1, 1, 2, 1] }))), 2);
}

#[test]
fn an_unknown_label_is_refused_and_leaves_no_trace() {
    let app = TestApp::desk();
    let before = traces(&app, 1);
    let body = json!({ "status": "closed", "priority": "low", "labels": [1, 99] });
    app.agent("ada").put("/tickets/1", body).invalid(&["labels"]);
    assert_eq!(traces(&app, 1), before);
    assert_eq!(app.agent("ada").get("/tickets/1").data()["labels"].as_array().unwrap().len(), 2);
}

#[test]
fn a_draft_label_cannot_be_newly_set() {
    let app = TestApp::desk();
    app.agent("ada").put("/tickets/3", json!({ "labels": [3] })).invalid(&["labels"]);
}

#[test]
fn a_draft_label_that_is_on_the_ticket_may_stay() {
    let app = TestApp::desk();
    app.sql("INSERT INTO ticket_label VALUES (3, 3)");
    let answer = app.agent("ada").put("/tickets/3", json!({ "labels": [3, 1] }));
    assert_eq!(answer.data()["labels"].as_array().unwrap().len(), 2);
}

#[test]
fn at_most_fifty_labels() {
    let app = TestApp::desk();
    app.agent("ada").put("/tickets/3", json!({ "labels": vec![1; 51] })).invalid(&["labels"]);
    app.agent("ada").put("/tickets/3", json!({ "labels": vec![1; 50] })).data();
}

#[test]
fn an_update_names_every_field_that_is_wrong() {
    let app = TestApp::desk();
    let body = json!({ "status": "shut", "priority": 1, "labels": ["1"], "title": "x", "is_resolved": true });
    app.agent("ada").put("/tickets/3", body).invalid(&[
        "status",
        "priority",
        "labels",
        "title",
        "is_resolved",
    ]);
}

#[test]
fn null_clears_nothing_that_is_not_nullable() {
    let app = TestApp::desk();
    for field in ["status", "priority", "labels"] {
        app.agent("ada").put("/tickets/3", json!({ field: null })).invalid(&[field]);
    }
}

#[test]
fn labels_are_an_array_of_ids() {
    let app = TestApp::desk();
    for labels in
        [json!(1), json!("1"), json!({ "0": 1 }), json!([0]), json!([-1]), json!([1.5]), json!([null])]
    {
        app.agent("ada").put("/tickets/3", json!({ "labels": labels })).invalid(&["labels"]);
    }
}

#[test]
fn an_update_of_a_ticket_that_is_not_there_is_not_found() {
    let app = TestApp::desk();
    app.agent("ada").put("/tickets/99", json!({ "status": "open" })).refused(404, "not_found");
    app.agent("ada").put("/tickets/abc", json!({})).invalid(&["id"]);
}

#[test]
fn a_real_change_is_logged_without_the_tickets_text() {
    let app = TestApp::desk();
    app.agent("ada").put("/tickets/1", json!({ "status": "closed", "labels": [1] })).data();
    let entry: String = app.look_up(
        "SELECT json_array(action, actor_type, actor_id, subject_type, subject_id, ticket_id, json(changes), description)
         FROM activity ORDER BY id DESC LIMIT 1",
    );
    let entry: Value = serde_json::from_str(&entry).unwrap();
    assert_eq!(
        entry.as_array().unwrap()[..6],
        [json!("ticket.closed"), json!("agent"), json!(1), json!("ticket"), json!(1), json!(1)]
    );
    assert_eq!(entry[6]["status"], json!({ "from": "open", "to": "closed" }));
    assert_eq!(entry[6]["labels"], json!({ "from": [1, 2], "to": [1] }));
    let description = entry[7].as_str().unwrap();
    assert!(description.contains("#1001") && !description.contains("account"), "{description}");
}

// ---------------------------------------------------------------- close

#[test]
fn closing_returns_the_closed_ticket() {
    let app = TestApp::desk();
    let answer = app.agent("ada").act("/tickets/3/close");
    assert_eq!(answer.status, 200);
    assert_eq!([&answer.data()["status"], &answer.data()["is_resolved"]], [&json!("closed"), &json!(true)]);
    assert_eq!(answer.data()["closed_at"], answer.data()["updated_at"]);
    assert_eq!(*answer.data(), *app.agent("ada").get("/tickets/3").data());
}

#[test]
fn closing_again_answers_the_same_and_changes_nothing() {
    let app = TestApp::desk();
    let first = app.agent("ada").act("/tickets/3/close");
    let before = traces(&app, 3);
    app.advance(3600);
    let again = app.agent("ada").act("/tickets/3/close");
    assert_eq!((again.status, &again.json), (first.status, &first.json));
    assert_eq!(traces(&app, 3), before);
}

#[test]
fn closing_works_on_a_locked_ticket() {
    assert_eq!(TestApp::desk().agent("ada").act("/tickets/4/close").data()["status"], "closed");
}

#[test]
fn closing_ignores_a_body() {
    let app = TestApp::desk();
    let close = || app.agent("ada").call("POST", "/tickets/3/close");
    assert_eq!(close().body("not json").send().status, 200);
    assert_eq!(close().header("Content-Type", "text/plain").body("{").send().status, 200);
}

#[test]
fn closing_what_is_not_there_is_not_found() {
    let app = TestApp::desk();
    app.agent("ada").act("/tickets/99/close").refused(404, "not_found");
    app.agent("ada").act("/tickets/0/close").invalid(&["id"]);
}
