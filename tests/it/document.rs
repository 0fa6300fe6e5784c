//! The OpenAPI document: that it is what is committed, complete and true.

use std::collections::BTreeSet;

use lodge::app::document;
use lodge::auth::scope::Scope;
use serde_json::{Map, Value, json};

use crate::harness::TestApp;

/// Every operation: path, method, what the document says.
pub fn operations() -> Vec<(&'static str, &'static str, &'static Value)> {
    let paths = document().tree()["paths"].as_object().unwrap();
    let of = |(path, methods): (&'static String, &'static Value)| {
        methods
            .as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (path.as_str(), method.as_str(), operation))
    };
    paths.iter().flat_map(of).collect()
}

fn schemas() -> &'static Map<String, Value> {
    document().tree()["components"]["schemas"].as_object().unwrap()
}

/// What a reference leads to.
pub fn follow(schema: &Value) -> &Value {
    match schema["$ref"].as_str() {
        Some(path) => {
            let pointer = path.strip_prefix('#').unwrap();
            follow(document().tree().pointer(pointer).unwrap_or_else(|| panic!("{path} leads nowhere")))
        }
        None => schema,
    }
}

/// Everything in which a value differs from a schema. An object must have exactly the documented properties, unless the
/// schema is open; null is for the nullable.
fn differences(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    let nullable = schema["nullable"] == true;
    let schema = follow(schema);
    if value.is_null() && (nullable || schema["nullable"] == true) {
        return;
    }
    for part in schema["allOf"].as_array().into_iter().flatten() {
        differences(part, value, at, found);
    }
    if let Some(any) = schema["anyOf"].as_array() {
        let fits = |one: &Value| {
            let mut found = vec![];
            differences(one, value, at, &mut found);
            found.is_empty()
        };
        if !any.iter().any(fits) {
            found.push(format!("{at}: {value} is none of what it may be"));
        }
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        found.push(format!("{at}: {value} is not one of {words:?}"));
    }
    let fits = match schema["type"].as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64(),
        Some("number") => value.is_number(),
        Some(other) => panic!("{at}: the type {other}"),
        None => !value.is_null() || schema.as_object().is_some_and(Map::is_empty),
    };
    if !fits {
        return found.push(format!("{at}: {value} is no {}", schema["type"]));
    }
    if schema["format"] == "date-time" {
        let text = value.as_str().unwrap_or_default();
        if text.len() != 20 || !text.ends_with('Z') || text.parse::<jiff::Timestamp>().is_err() {
            found.push(format!("{at}: {text} is no time in whole seconds of UTC"));
        }
    }
    if let (Some(least), Some(number)) = (schema["minimum"].as_i64(), value.as_i64())
        && number < least
    {
        found.push(format!("{at}: {number} is below {least}"));
    }
    for (n, item) in value.as_array().into_iter().flatten().enumerate() {
        differences(&schema["items"], item, &format!("{at}[{n}]"), found);
    }
    if let (Some(properties), Some(object)) = (schema["properties"].as_object(), value.as_object()) {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        for name in required.filter(|name| !object.contains_key(*name)) {
            found.push(format!("{at}.{name} is missing"));
        }
        for (name, value) in object {
            match properties.get(name) {
                Some(property) => differences(property, value, &format!("{at}.{name}"), found),
                None => found.push(format!("{at}.{name} is not documented")),
            }
        }
    }
}

#[track_caller]
pub fn assert_fits(schema: &Value, value: &Value, what: &str) {
    let mut found = vec![];
    differences(schema, value, what, &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

// ---------------------------------------------------------------- what is committed

fn committed(name: &str) -> String {
    let path = format!("{}/openapi/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_committed_json_is_what_the_server_has() {
    assert!(committed("lodge.json") == document().json(), "run: lodge openapi > openapi/lodge.json");
}

#[test]
fn the_committed_yaml_is_what_the_server_has() {
    assert!(
        committed("lodge.yaml") == document().yaml(),
        "run: lodge openapi --format yaml > openapi/lodge.yaml"
    );
}

#[test]
fn the_served_documents_are_the_committed_ones() {
    let app = TestApp::desk();
    let served = |path: &str| app.anon().at_root().get(path);
    assert!(served("/openapi.json").body == document().json().as_bytes());
    assert!(served("/openapi.yaml").body == document().yaml().as_bytes());
    assert_eq!(served("/openapi.json").header("content-type"), Some("application/json"));
}

#[test]
fn yaml_and_json_say_the_same() {
    let yaml: Value = serde_yaml::from_str(&document().yaml()).unwrap();
    assert!(yaml == serde_json::from_str::<Value>(&document().json()).unwrap());
}

// ---------------------------------------------------------------- complete

#[test]
fn every_operation_has_a_name_a_summary_a_description_and_a_tag() {
    let mut names = BTreeSet::new();
    for (path, method, operation) in operations() {
        let name = operation["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path}"));
        assert!(names.insert(name), "{name} twice");
        for field in ["summary", "description"] {
            assert!(
                operation[field].as_str().is_some_and(|text| !text.trim().is_empty()),
                "{field} of {name}"
            );
        }
        assert!(operation["tags"].as_array().is_some_and(|tags| !tags.is_empty()), "{name}");
    }
}

#[test]
fn every_tag_is_described() {
    let tags = document().tree()["tags"].as_array().unwrap();
    let described: BTreeSet<_> = tags
        .iter()
        .filter(|tag| tag["description"].is_string())
        .map(|tag| &tag["name"])
        .map(Value::to_string)
        .collect();
    for (path, _, operation) in operations() {
        for tag in operation["tags"].as_array().unwrap() {
            assert!(described.contains(&tag.to_string()), "{tag} of {path}");
        }
    }
}

#[test]
fn every_parameter_is_described_and_has_an_example() {
    for (path, method, operation) in operations() {
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let name = format!("{method} {path} {}", parameter["name"]);
            assert!(parameter["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
            assert!(!parameter["example"].is_null() || !parameter["schema"]["example"].is_null(), "{name}");
        }
    }
}

#[test]
fn every_property_is_described() {
    for (name, schema) in schemas() {
        for (field, property) in schema["properties"].as_object().into_iter().flatten() {
            let envelope =
                ["Answer", "List", "Page"].iter().any(|end| name.ends_with(end)) && field == "data";
            let described = property["description"].as_str().is_some_and(|text| !text.is_empty());
            assert!(envelope || described, "{name}.{field}");
        }
    }
}

#[test]
fn schema_names_are_what_openapi_allows() {
    for name in schemas().keys() {
        assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c)), "{name}");
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn walk(value: &Value) {
        match value {
            Value::Object(fields) => {
                follow(value);
                fields.values().for_each(walk);
            }
            Value::Array(items) => items.iter().for_each(walk),
            _ => {}
        }
    }
    walk(document().tree());
}

#[test]
fn every_schema_is_used() {
    let text = document().json();
    for name in schemas().keys() {
        assert!(text.contains(&format!("\"#/components/schemas/{name}\"")), "{name}");
    }
}

#[test]
fn every_example_fits_its_schema() {
    fn walk(value: &Value, at: &str, found: &mut Vec<String>) {
        let Some(fields) = value.as_object() else {
            if let Some(items) = value.as_array() {
                items.iter().for_each(|item| walk(item, at, found));
            }
            return;
        };
        if let Some(example) = fields.get("example").filter(|_| !at.ends_with("/properties")) {
            let schema = fields.get("schema").unwrap_or(value);
            differences(schema, example, at, found);
        }
        for (name, inner) in fields.iter().filter(|(name, _)| *name != "example") {
            walk(inner, &format!("{at}/{name}"), found);
        }
    }
    let mut found = vec![];
    walk(&document().tree()["paths"], "", &mut found);
    walk(&document().tree()["components"], "", &mut found);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_operation_but_the_health_check_asks_for_a_key() {
    for (path, _, operation) in operations() {
        let expected = match path.split('/').nth(1) {
            Some("external") => json!([{ "ExternalKey": [] }]),
            Some("internal") => json!([{ "InternalKey": [] }]),
            _ => json!([]),
        };
        assert_eq!(operation["security"], expected, "{path}");
        let scope = operation["x-required-scope"].as_str();
        assert_eq!(scope.is_some(), path.starts_with("/internal/"), "{path}");
        if let Some(scope) = scope {
            assert!(Scope::from_word(scope).is_some(), "{path}: {scope}");
            assert!(operation["description"].as_str().unwrap().contains(&format!("`{scope}`")), "{path}");
        }
    }
    for name in ["ExternalKey", "InternalKey"] {
        let scheme = &document().tree()["components"]["securitySchemes"][name];
        assert_eq!([&scheme["type"], &scheme["in"], &scheme["name"]], ["apiKey", "header", "X-API-KEY"]);
    }
}

#[test]
fn every_scope_is_asked_for() {
    let asked: BTreeSet<&str> =
        operations().iter().filter_map(|(.., operation)| operation["x-required-scope"].as_str()).collect();
    assert_eq!(asked, Scope::ALL.iter().map(|scope| scope.as_str()).collect());
}

#[test]
fn request_bodies_are_required_and_closed() {
    for (path, _, operation) in operations() {
        if operation["requestBody"].is_null() {
            continue;
        }
        assert_eq!(operation["requestBody"]["required"], true, "{path}");
        let schema = follow(&operation["requestBody"]["content"]["application/json"]["schema"]);
        assert_eq!(schema["additionalProperties"], false, "{path}");
    }
}

#[test]
fn every_post_documents_its_idempotency_key() {
    for (path, _, operation) in operations().into_iter().filter(|(_, method, _)| *method == "post") {
        let named =
            |parameter: &&Value| parameter["name"] == "Idempotency-Key" && parameter["in"] == "header";
        assert_eq!(
            operation["parameters"].as_array().into_iter().flatten().filter(named).count(),
            1,
            "{path}"
        );
    }
}

// ---------------------------------------------------------------- true

#[test]
fn every_answer_of_the_sample_fits_its_schema() {
    let app = TestApp::sample();
    let tickets = app.agent("mira").get("/tickets?per_page=200");
    assert_fits(&schemas()["TicketPage"], &tickets.json, "tickets");
    for id in tickets.ids() {
        let messages = app.agent("mira").get(&format!("/tickets/{id}/messages?per_page=200"));
        assert_fits(&schemas()["MessagePage"], &messages.json, "messages");
    }
    let lists = [
        ("/notifications?per_page=200", "NotificationPage"),
        ("/knowledge-base/search?q=larkspur", "ArticleList"),
        ("/canned-responses", "CannedResponseItemList"),
        ("/labels", "LabelReferenceList"),
        ("/departments", "DepartmentReferenceList"),
        ("/profile", "ProfileAnswer"),
        ("/dashboard", "DashboardAnswer"),
    ];
    for (path, schema) in lists {
        assert_fits(&schemas()[schema], &app.agent("mira").get(path).json, path);
    }
}

#[test]
fn a_validation_error_fits_the_failure_schema() {
    let answer = TestApp::desk().agent("ada").put("/tickets/0", json!({ "status": 1, "x": 1 }));
    assert_fits(&schemas()["Failure"], &answer.json, "failure");
}

#[test]
fn what_the_document_says_is_required_is_required() {
    let app = TestApp::desk();
    for (path, method, operation) in operations() {
        let caller = if path.starts_with("/internal/") { app.admin() } else { app.agent("ada") }.at_root();
        let path = format!("/api/v1{}", path.replace("{id}", "1").replace("{ticketId}", "1"));
        let call = || caller.call(&method.to_uppercase(), &path.replace("{messageId}", "1"));
        let required: Vec<&str> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true)
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        if !required.is_empty() {
            call().send().invalid(&required);
        }
        if operation["requestBody"].is_null() {
            continue;
        }
        let schema = follow(&operation["requestBody"]["content"]["application/json"]["schema"]);
        let required: Vec<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let answer = call().json(&json!({})).send();
        if required.is_empty() {
            assert!([200, 404].contains(&answer.status), "{path}: {}", answer.json);
        } else {
            answer.invalid(&required);
        }
    }
}

#[test]
fn a_creation_links_to_what_can_be_done_with_the_new_thing() {
    for (path, _, operation) in operations().into_iter().filter(|(_, method, _)| *method == "post") {
        let below = format!("{path}/{{id}}");
        let wanted: BTreeSet<&str> = operations()
            .iter()
            .filter(|(path, ..)| *path == below)
            .map(|(.., it)| it["operationId"].as_str().unwrap())
            .collect();
        let linked: BTreeSet<&str> = operation["responses"]["201"]["links"]
            .as_object()
            .into_iter()
            .flatten()
            .map(|(id, _)| &**id)
            .collect();
        assert!(wanted.is_subset(&linked), "{path}: {wanted:?} {linked:?}");
    }
}
