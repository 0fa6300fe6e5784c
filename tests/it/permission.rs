//! Who may do what: every operation of the document × every kind of caller → the status. An operation without a row fails.

use std::collections::{BTreeMap, BTreeSet};

use lodge::auth::key::{self, KeyType};
use lodge::auth::scope::Scope;
use lodge::seed::store::{SampleAgent, insert_agent};
use serde_json::{Value, json};

use crate::document::{assert_fits, follow, operations};
use crate::harness::{Actor, Response, TestApp};

/// Who calls, in the order of a row's statuses.
const CALLERS: [&str; 10] = [
    "nobody",
    "a wrong key",
    "a revoked key",
    "an expired key",
    "an inactive agent",
    "the agent",
    "a foreign agent",
    "an internal key with just this scope",
    "an internal key with every other scope",
    "a special internal key",
];

/// An operation, how to ask for it, and the status for each caller. Ticket 1 is Ada's, and so is the notification.
struct Row {
    name: String,
    method: &'static str,
    path: String,
    body: Option<Value>,
    statuses: [u16; 10],
}

/// An operation of the External API: what the agent on the ticket gets, and an agent who is not.
fn external(
    name: &str,
    method: &'static str,
    path: &str,
    body: Option<Value>,
    (own, foreign): (u16, u16),
) -> Row {
    let statuses = [401, 401, 401, 401, 401, own, foreign, 403, 403, 403];
    Row { name: name.into(), method, path: format!("/api/v1/external/{path}"), body, statuses }
}

/// An operation of the Internal API, and what a key with its scope gets.
fn internal(name: &str, method: &'static str, path: &str, body: Option<Value>, status: u16) -> Row {
    let statuses = [401, 401, 401, 401, 401, 403, 403, status, 403, status];
    let name = format!("admin_{name}");
    Row { name, method, path: format!("/api/v1/internal/{path}"), body, statuses }
}

/// The operations on a resource: its path, what one and several are called, and what makes one.
fn resource(path: &str, one: &str, many: &str, new: Value) -> Vec<Row> {
    let item = format!("{path}/1");
    vec![
        internal(&format!("list_{many}"), "GET", path, None, 200),
        internal(&format!("create_{one}"), "POST", path, Some(new), 201),
        internal(&format!("get_{one}"), "GET", &item, None, 200),
        internal(&format!("update_{one}"), "PUT", &item, Some(json!({})), 200),
        internal(&format!("delete_{one}"), "DELETE", &item, None, 200),
    ]
}

fn table() -> Vec<Row> {
    let health = Row {
        name: "health_check".into(),
        method: "GET",
        path: "/api/v1/health-check".into(),
        body: None,
        statuses: [200; 10],
    };
    let (anyone, own) = ((200, 200), (200, 404));
    let mut rows = vec![
        health,
        external("connection_check", "GET", "connection-check", None, anyone),
        external("get_dashboard", "GET", "dashboard", None, anyone),
        external("list_tickets", "GET", "tickets", None, anyone),
        external("get_ticket", "GET", "tickets/1", None, own),
        external("update_ticket", "PUT", "tickets/1", Some(json!({ "priority": "low" })), own),
        external("close_ticket", "POST", "tickets/1/close", None, own),
        external("list_messages", "GET", "tickets/1/messages", None, own),
        external(
            "create_message",
            "POST",
            "tickets/1/messages",
            Some(json!({ "content": "Hello" })),
            (201, 404),
        ),
        external("toggle_message_like", "POST", "tickets/1/messages/1/like", None, own),
        external("list_labels", "GET", "labels", None, anyone),
        external("list_departments", "GET", "departments", None, anyone),
        external("list_canned_responses", "GET", "canned-responses", None, anyone),
        external("search_knowledge_base", "GET", "knowledge-base/search?q=magnet", None, anyone),
        external("get_profile", "GET", "profile", None, anyone),
        external("update_profile", "PUT", "profile", Some(json!({ "locale": null })), anyone),
        external("list_notifications", "GET", "notifications", None, anyone),
        external("count_unread_notifications", "GET", "notifications/unread-count", None, anyone),
        external("mark_notification_read", "POST", "notifications/1/read", None, own),
        external("mark_all_notifications_read", "POST", "notifications/read-all", None, anyone),
        internal("check_connection", "GET", "connection-check", None, 200),
        internal("list_messages", "GET", "tickets/1/messages", None, 200),
        internal("create_message", "POST", "tickets/1/messages", Some(json!({ "content": "Hello" })), 201),
        internal("list_activity_logs", "GET", "activity-logs", None, 200),
        internal("get_overview_report", "GET", "reports/overview", None, 200),
        internal("get_agent_report", "GET", "reports/agents", None, 200),
        internal("get_department_report", "GET", "reports/departments", None, 200),
        internal("get_settings", "GET", "settings", None, 200),
        internal("update_settings", "PUT", "settings", Some(json!({})), 200),
    ];
    let ticket = json!({ "customer_id": 1, "title": "Help", "content": "Please" });
    let person = json!({ "name": "Eve", "email": "eve@desk.example" });
    let agent = json!({ "name": "Eve", "email": "eve@desk.example", "password": "long enough" });
    let named = || json!({ "name": "New" });
    rows.extend(resource("tickets", "ticket", "tickets", ticket));
    rows.extend(resource("departments", "department", "departments", named()));
    rows.extend(resource("categories", "category", "categories", named()));
    rows.extend(resource("labels", "label", "labels", json!({ "name": "New", "color": "#fff" })));
    rows.extend(resource("products", "product", "products", named()));
    rows.extend(
        resource("customers", "customer", "customers", person)
            .into_iter()
            .filter(|row| row.method != "DELETE"),
    );
    rows.extend(resource("agents", "agent", "agents", agent));
    rows.extend(resource("knowledge-categories", "knowledge_category", "knowledge_categories", named()));
    let titled = || json!({ "title": "New" });
    rows.extend(resource("knowledge-articles", "knowledge_article", "knowledge_articles", titled()));
    rows.extend(resource("canned-responses", "canned_response", "canned_responses", titled()));
    let field = json!({ "label": "New", "type": "text" });
    rows.extend(resource("custom-fields", "custom_field", "custom_fields", field));
    rows.extend(resource("api-keys", "api_key", "api_keys", json!({ "name": "New", "type": "internal" })));
    rows
}

/// A desk on which every row of the table has something to show, and everyone who may call an operation that asks for
/// `scope`.
fn full_desk(scope: Option<&str>) -> (TestApp, [Actor; 10]) {
    let app = TestApp::desk();
    app.agent("ben").put("/tickets/1", json!({ "status": "in_progress" })).data();
    app.add_article("Magnet", "", "Text");
    let dan = SampleAgent {
        name: "Dan",
        email: "dan@desk.example",
        password_hash: None,
        phone: None,
        locale: None,
        avatar_url: None,
    };
    app.change(|tx| insert_agent(tx, &dan, tx.now));
    app.sql(
        "UPDATE agent SET is_active = 0 WHERE id = 4;
         UPDATE knowledge_article SET excerpt = NULL;
         INSERT INTO canned_response (title, title_fold, content, created_at, updated_at) VALUES ('Hi', 'hi', 'Hello', 0, 0);
         INSERT INTO knowledge_category (name, name_fold, created_at, updated_at) VALUES ('Basics', 'basics', 0, 0);",
    );
    let (revoked, expired, inactive) =
        (app.add_key(1, 70, "NULL"), app.add_key(1, 71, "1"), app.add_key(4, 72, "NULL"));
    app.sql("UPDATE api_key SET revoked_at = 1 WHERE id = (SELECT max(id) - 2 FROM api_key)");
    let wrong = key::format(KeyType::External, [99; 32]);
    let others: Vec<&str> =
        Scope::ALL.iter().map(|other| other.as_str()).filter(|other| Some(*other) != scope).collect();
    let callers = [
        app.anon(),
        app.key(&wrong),
        app.key(&revoked),
        app.key(&expired),
        app.key(&inactive),
        app.agent("ada"),
        app.agent("cleo"),
        app.admin_with(scope.as_slice()),
        app.admin_with(&others),
        app.admin(),
    ];
    (app, callers.map(|caller| caller.at_root()))
}

fn operation(name: &str) -> &'static Value {
    operations().into_iter().find(|(.., it)| it["operationId"] == name).unwrap().2
}

fn ask(caller: &Actor, row: &Row) -> Response {
    let call = caller.call(row.method, &row.path);
    match &row.body {
        Some(body) => call.json(body).send(),
        None => call.send(),
    }
}

#[test]
fn every_operation_has_a_row() {
    let table = table();
    let rows: BTreeSet<&str> = table.iter().map(|row| &*row.name).collect();
    let documented: BTreeSet<&str> =
        operations().iter().map(|(.., it)| it["operationId"].as_str().unwrap()).collect();
    assert_eq!(rows, documented);
    assert_eq!(table.len(), rows.len(), "an operation has two rows");
}

#[test]
fn every_row_asks_for_the_operation_it_names() {
    let documented: BTreeMap<&str, (&str, &str)> = operations()
        .into_iter()
        .map(|(path, method, it)| (it["operationId"].as_str().unwrap(), (path, method)))
        .collect();
    for Row { name, method, path, .. } in table() {
        let (template, documented) = documented[&*name];
        assert_eq!(method.to_lowercase(), documented, "{name}");
        let asked: Vec<&str> =
            path.split('?').next().unwrap().trim_start_matches("/api/v1").split('/').collect();
        let template: Vec<&str> = template.split('/').collect();
        assert_eq!(asked.len(), template.len(), "{name}");
        assert!(asked.iter().zip(&template).all(|(a, t)| a == t || t.starts_with('{')), "{name}");
    }
}

/// The statuses, and that each refusal is documented and has the one shape there is.
#[test]
fn every_caller_gets_the_status_of_the_table() {
    for row in table() {
        let operation = operation(&row.name);
        let scope = operation["x-required-scope"].as_str();
        let (mut _app, mut callers) = full_desk(scope);
        for (n, (who, status)) in CALLERS.iter().zip(row.statuses).enumerate() {
            let answer = ask(&callers[n], &row);
            if row.method != "GET" && status < 300 {
                // What one has deleted another would not find.
                (_app, callers) = full_desk(scope);
            }
            assert_eq!(answer.status, status, "{} by {who}: {}", row.name, answer.json);
            assert_documented(operation, &row.name, &answer);
        }
    }
}

#[track_caller]
fn assert_documented(operation: &Value, name: &str, answer: &Response) {
    let response = follow(&operation["responses"][answer.status.to_string()]);
    assert!(!response.is_null(), "{name} answers {}, which is not documented", answer.status);
    assert_fits(&response["content"]["application/json"]["schema"], &answer.json, name);
    for header in response["headers"].as_object().into_iter().flatten().map(|(header, _)| header) {
        // The limit is off here, so that there is nothing to say about it.
        let optional = ["Idempotent-Replayed", "Retry-After", "RateLimit", "RateLimit-Policy"]
            .contains(&header.as_str());
        assert!(
            optional || answer.headers.contains_key(header.as_str()),
            "{header} of {name} {}",
            answer.status
        );
    }
}
