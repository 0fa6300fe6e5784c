//! The OpenAPI document: what the framework derives from the handlers and their types, and one pass over it for what the
//! framework cannot say: nullability, closed request bodies, shared refusals and headers, scopes, examples.

use std::collections::{BTreeSet, HashMap};
use std::marker::PhantomData;

use poem::endpoint::BoxEndpoint;
use poem::http::Method;
use poem_openapi::registry::{MetaApi, MetaPath, Registry};
use poem_openapi::{ContactObject, LicenseObject, OpenApi, OpenApiService, ServerObject};
use serde_json::{Map, Value, json};

use super::caller::INTERNAL;
use crate::http::tag::BASE;

/// The document of an API.
#[derive(Debug)]
pub struct Document(Value);

impl Document {
    /// The document of an API that is mounted at [`BASE`].
    pub fn of<T: OpenApi>() -> Self {
        Self(build(&derive::<T>()))
    }

    /// The document as JSON.
    pub fn json(&self) -> String {
        // A tree of strings, numbers and maps always serialises.
        serde_json::to_string_pretty(&self.0).unwrap_or_default() + "\n"
    }

    /// The document as YAML.
    pub fn yaml(&self) -> String {
        // Through the text, because only there a number is a number to both.
        let tree: serde_yaml::Value = serde_yaml::from_str(&self.json()).unwrap_or_default();
        serde_yaml::to_string(&tree).unwrap_or_default()
    }

    /// The document as a tree.
    pub fn tree(&self) -> &Value {
        &self.0
    }
}

const DESCRIPTION: &str = "Lodge is a help desk in one file. Agents' programs use the External API with an external key; \
    whatever an agent cannot see answers 404, as if it did not exist.\n\n\
    Success is `{\"status\": true, \"data\": …}`; a refusal is `{\"status\": false, \"code\": \"…\", \"message\": \"…\"}` with a \
    stable `code`, and a 422 names every wrong field under `errors`. Times are RFC 3339 in UTC with whole seconds. Every \
    answer carries an `X-Request-Id`.";

/// Parameters that many operations share: what they mean is said once.
const SHARED_PARAMETERS: [(&str, &str); 4] = [
    ("page", "Which page, from 1. A page past the end is empty."),
    (
        "Idempotency-Key",
        "Your own name for this request, 1 to 255 printable ASCII characters. A repeat within 24 hours with the same key, path \
         and body gives the first answer again, with `Idempotent-Replayed: true`, and does nothing; with another body it is \
         refused (422), and while the first still runs too (409).",
    ),
    ("If-Match", "The `ETag` you saw, or `*`. 412 and no change when the ticket itself has changed since."),
    ("If-None-Match", "The `ETag` you have. 304 when the answer is still the same."),
];

/// The refusals, by status: component name, description, codes.
const REFUSALS: [(&str, &str, &str, &str); 16] = [
    (
        "400",
        "Malformed",
        "The request could not be read: bad JSON, a repeated key, a header given twice.",
        "malformed_request",
    ),
    (
        "401",
        "Unauthorized",
        "No key, a wrong, expired or revoked one (`invalid_api_key`), or an inactive agent's (`agent_inactive`).",
        "missing_api_key",
    ),
    (
        "403",
        "Forbidden",
        "The wrong type of key (`wrong_key_type`), a missing scope (`forbidden_scope`), or a state that forbids it (`ticket_locked`, `customer_blocked`).",
        "wrong_key_type",
    ),
    ("404", "NotFound", "There is no such thing, or you may not see it.", "not_found"),
    (
        "408",
        "RequestTimeout",
        "The request took too long to arrive or to be answered. What it asked for may have been done: ask again with the same \
         `Idempotency-Key`.",
        "request_timeout",
    ),
    (
        "409",
        "Conflict",
        "The first request with this `Idempotency-Key` is still running.",
        "idempotency_in_progress",
    ),
    (
        "412",
        "PreconditionFailed",
        "The ticket has changed since you read it. Nothing was changed.",
        "precondition_failed",
    ),
    (
        "413",
        "PayloadTooLarge",
        "The body is larger than the server takes, 1 MiB unless configured.",
        "payload_too_large",
    ),
    ("414", "UriTooLong", "The address has more than 8 KiB.", "uri_too_long"),
    (
        "415",
        "UnsupportedMediaType",
        "The `Content-Type` is not `application/json`.",
        "unsupported_media_type",
    ),
    (
        "422",
        "Invalid",
        "Values that are not acceptable; `errors` names every wrong field. Nothing was written.",
        "validation_failed",
    ),
    (
        "429",
        "TooManyRequests",
        "Too many requests with this key, or too many failures from this address.",
        "rate_limited",
    ),
    ("431", "HeadersTooLarge", "More than 100 headers, or more than 32 KiB of them.", "headers_too_large"),
    ("500", "InternalError", "Something went wrong on our side. Nothing was acknowledged.", "internal_error"),
    (
        "503",
        "Unavailable",
        "Too much is going on, or the server is going down. Nothing was written; try again.",
        "overloaded",
    ),
    ("507", "StorageFull", "The disk is full. Nothing was written.", "storage_full"),
];

/// The headers that say where a key stands under its limit.
const LIMITS: [&str; 2] = ["RateLimit", "RateLimit-Policy"];
/// Refusals that are given before a request is counted.
const BEFORE_THE_LIMIT: [&str; 4] = ["401", "403", "414", "431"];

fn build(derived: &str) -> Value {
    let mut document: Value = serde_json::from_str(derived).unwrap_or_default();
    document["openapi"] = json!("3.0.3");
    let mut requests = BTreeSet::new();
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    for operation in paths.values().filter_map(Value::as_object).flat_map(Map::values) {
        collect(&document, &operation["requestBody"], &mut requests);
    }
    if let Some(paths) = document["paths"].as_object_mut() {
        for methods in paths.values_mut().filter_map(Value::as_object_mut) {
            for (method, operation) in methods {
                complete(method, operation);
            }
        }
    }
    link(&mut document);
    if let Some(schemas) = document["components"]["schemas"].as_object_mut() {
        for (name, schema) in schemas.iter_mut() {
            shape(name, schema, requests.contains(name));
            name_words(schema);
        }
        schemas.insert("Failure".into(), failure());
    }
    let responses = REFUSALS.iter().map(|refusal| (refusal.1.to_owned(), refusal_response(refusal)));
    document["components"]["responses"] = responses.collect::<Map<_, _>>().into();
    document["components"]["headers"] = headers();
    integers(&mut document);
    document
}

/// Says where a new thing leads: from each creation to the operations that take its id in their path.
fn link(document: &mut Value) {
    let paths = document["paths"].as_object().cloned().unwrap_or_default();
    for (path, methods) in &paths {
        let Some(created) = methods.pointer("/post/responses/201") else { continue };
        let below = format!("{path}/{{");
        let mut links = Map::new();
        for (target, methods) in paths.iter().filter(|(target, _)| target.starts_with(&below)) {
            let Some((parameter, _)) = target[below.len()..].split_once('}') else { continue };
            // What a deeper path asks for besides is not in the answer.
            if target.matches('{').count() != path.matches('{').count() + 1 {
                continue;
            }
            for operation in methods.as_object().into_iter().flatten().map(|(_, operation)| operation) {
                let Some(id) = operation["operationId"].as_str() else { continue };
                let parameters = json!({ parameter: "$response.body#/data/id" });
                links.insert(id.to_owned(), json!({ "operationId": id, "parameters": parameters }));
            }
        }
        if created.is_object() && !links.is_empty() {
            document["paths"][path]["post"]["responses"]["201"]["links"] = links.into();
            document["paths"][path]["post"]["responses"]["201"]["headers"]["Location"] =
                json!({ "$ref": "#/components/headers/Location" });
        }
    }
}

/// The names of all component schemas that a part of the document leads to.
fn collect(document: &Value, part: &Value, names: &mut BTreeSet<String>) {
    match part {
        Value::Object(fields) => {
            for (key, value) in fields {
                let name = value.as_str().and_then(|text| text.strip_prefix("#/components/schemas/"));
                match name {
                    Some(name) if key == "$ref" => {
                        if names.insert(name.to_owned()) {
                            collect(document, &document["components"]["schemas"][name], names);
                        }
                    }
                    _ => collect(document, value, names),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(document, item, names)),
        _ => {}
    }
}

/// Completes an operation: scope, parameters, refusals, headers.
fn complete(method: &str, operation: &mut Value) {
    let needs_key = operation["security"].as_array().is_some_and(|needs| !needs.is_empty());
    if !needs_key {
        operation["security"] = json!([]);
    }
    let scope = operation["security"][0][INTERNAL][0].as_str().map(str::to_owned);
    if let Some(scope) = scope {
        // Scopes of an apiKey scheme have no place in OpenAPI 3.0's own field.
        operation["security"] = json!([{ INTERNAL: [] }]);
        operation["x-required-scope"] = json!(scope);
        let description = operation["description"].as_str().unwrap_or_default();
        operation["description"] = json!(format!("{description}\n\nScope: `{scope}`.").trim());
    }
    let mut statuses = vec!["408", "414", "431", "500", "503"];
    if needs_key {
        statuses.extend(["400", "401", "403", "429"]);
    }
    if method != "get" {
        statuses.push("507");
    }
    if !operation["requestBody"].is_null() {
        statuses.extend(["400", "413", "415", "422"]);
        operation["requestBody"]["required"] = json!(true);
    }
    let mut has = BTreeSet::new();
    for parameter in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        complete_parameter(parameter, &mut has, &mut statuses);
    }
    let responses = &mut operation["responses"];
    for (status, name, ..) in REFUSALS.iter().filter(|refusal| statuses.contains(&refusal.0)) {
        responses[*status] = json!({ "$ref": format!("#/components/responses/{name}") });
    }
    if has.contains("If-None-Match") {
        responses["304"] = json!({ "description": "What you have is still the same.", "headers": {
            "ETag": { "$ref": "#/components/headers/ETag" },
            "X-Request-Id": { "$ref": "#/components/headers/X-Request-Id" },
        }});
    }
    for status in ["200", "201"] {
        if let Some(success) = responses.get_mut(status) {
            complete_success(status, success, &has, needs_key);
        }
    }
    sort_by_key(responses);
}

fn complete_parameter(parameter: &mut Value, has: &mut BTreeSet<String>, statuses: &mut Vec<&str>) {
    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
    if let Some((_, text)) = SHARED_PARAMETERS.iter().find(|(shared, _)| *shared == name) {
        parameter["description"] = json!(text);
    }
    match name.as_str() {
        "If-Match" => statuses.push("412"),
        "If-None-Match" => {}
        "Idempotency-Key" => statuses.extend(["409", "422", "413"]),
        _ => statuses.push("422"),
    }
    if parameter["in"] == "path" {
        statuses.push("404");
    }
    if name.starts_with("If-") {
        parameter["schema"]["example"] = json!("\"42-7-1\"");
    }
    if parameter["schema"]["$ref"].is_string() || parameter["schema"]["type"] == "boolean" {
        let example = example_of(&name).unwrap_or(json!(true));
        parameter["example"] = example;
    } else if let Some(example) =
        parameter["schema"].as_object_mut().and_then(|schema| schema.remove("example"))
    {
        parameter["example"] = example_of(&name).unwrap_or(example);
    }
    if let Some(fields) = parameter.as_object_mut() {
        fields.remove("explode");
        fields.retain(|key, value| key != "deprecated" || *value == json!(true));
    }
    has.insert(name);
}

fn complete_success(status: &str, success: &mut Value, has: &BTreeSet<String>, needs_key: bool) {
    let schema = &success["content"]["application/json"]["schema"]["$ref"];
    let is_page = schema.as_str().is_some_and(|name| name.ends_with("Page"));
    let mut headers = vec!["X-Request-Id"];
    if needs_key {
        headers.extend(LIMITS);
    }
    if is_page {
        headers.push("Link");
    }
    if has.contains("If-Match") || has.contains("If-None-Match") {
        headers.push("ETag");
    }
    if has.contains("Idempotency-Key") {
        headers.push("Idempotent-Replayed");
    }
    let refs = headers
        .iter()
        .map(|name| ((*name).to_owned(), json!({ "$ref": format!("#/components/headers/{name}") })));
    success["headers"] = refs.collect::<Map<_, _>>().into();
    success["description"] = json!(match (status, is_page) {
        ("201", _) => "It was created.",
        (_, true) => "A page of the list.",
        _ => "As asked.",
    });
}

fn sort_by_key(object: &mut Value) {
    if let Some(fields) = object.as_object_mut() {
        let mut sorted: Vec<(String, Value)> = std::mem::take(fields).into_iter().collect();
        sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
        fields.extend(sorted);
    }
}

/// Completes a component schema. In an answer every field is present, and what is not required is nullable. In a request
/// unknown fields are refused.
fn shape(name: &str, schema: &mut Value, is_request: bool) {
    if schema["type"] != "object" {
        return;
    }
    let required: BTreeSet<String> = schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|field| field.as_str().map(str::to_owned))
        .collect();
    if is_request {
        schema["additionalProperties"] = json!(false);
    } else {
        let fields: Vec<String> =
            schema["properties"].as_object().into_iter().flatten().map(|(field, _)| field.clone()).collect();
        schema["required"] = json!(fields);
    }
    for (field, property) in schema["properties"].as_object_mut().into_iter().flatten() {
        if !is_request && !required.contains(field) {
            nullable(property);
        }
        nullable_parts(property);
        tidy(property);
        let example = example_of(&format!("{name}.{field}")).or_else(|| example_of(field));
        let is_plain = property["$ref"].is_null() && property["allOf"].is_null();
        let is_leaf = property["type"] != "object" && property["items"]["$ref"].is_null();
        if let (Some(example), true, true) =
            (example, is_plain, is_leaf && property["example"].as_bool() != Some(true))
        {
            property["example"] = example;
        }
    }
}

/// Names the words of an enum for generated clients, where a word itself is no name: `-priority` is `PRIORITY_DESCENDING`.
fn name_words(schema: &mut Value) {
    let words: Vec<&str> =
        schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if words.iter().any(|word| word.starts_with('-')) {
        let names = words.iter().map(|word| match word.strip_prefix('-') {
            Some(word) => word.to_uppercase() + "_DESCENDING",
            None => word.to_uppercase(),
        });
        schema["x-enum-varnames"] = names.collect();
    }
}

fn nullable(property: &mut Value) {
    if property["$ref"].is_string() {
        *property = json!({ "nullable": true, "allOf": [property.take()] });
    } else {
        property["nullable"] = json!(true);
    }
}

/// Where a value has alternatives, each of them may be null: in OpenAPI 3.0 `nullable` counts beside a `type` only.
fn nullable_parts(property: &mut Value) {
    if property["nullable"] == true
        && property["type"].is_null()
        && let Some(parts) = property.get_mut("anyOf").and_then(Value::as_array_mut)
    {
        parts.iter_mut().for_each(nullable);
        property.as_object_mut().map(|fields| fields.remove("nullable"));
    }
}

/// The framework repeats an `allOf`'s extras inside it; once is enough.
fn tidy(property: &mut Value) {
    if let Some(all) = property["allOf"].as_array_mut() {
        all.retain(|part| part["$ref"].is_string());
    }
    if property["allOf"].is_null()
        && let Some(fields) = property.as_object_mut()
    {
        fields.remove("allOf");
    }
}

fn failure() -> Value {
    json!({
        "type": "object",
        "description": "Every refusal, whatever its status.",
        "required": ["status", "code", "message"],
        "additionalProperties": false,
        "properties": {
            "status": { "type": "boolean", "enum": [false], "description": "Always false.", "example": false },
            "code": { "type": "string", "description": "What it is, for programs. Stable.", "example": "not_found" },
            "message": { "type": "string", "description": "What it is, for people.", "example": "Not found" },
            "errors": {
                "type": "object",
                "description": "With a 422: every wrong field, and what is wrong about it.",
                "additionalProperties": { "type": "array", "items": { "type": "string" } },
                "example": { "content": ["is required"] },
            },
        },
    })
}

fn refusal_response((status, _, description, code): &(&str, &str, &str, &str)) -> Value {
    let mut headers = Map::new();
    let mut add =
        |name: &str| headers.insert(name.into(), json!({ "$ref": format!("#/components/headers/{name}") }));
    add("X-Request-Id");
    if !BEFORE_THE_LIMIT.contains(status) {
        for name in LIMITS {
            add(name);
        }
    }
    if ["429", "503"].contains(status) {
        add("Retry-After");
    }
    if *status == "401" {
        add("WWW-Authenticate");
    }
    json!({
        "description": description,
        "headers": headers,
        "content": { "application/json": {
            "schema": { "$ref": "#/components/schemas/Failure" },
            "example": { "status": false, "code": code, "message": description.split(['.', ':']).next() },
        }},
    })
}

fn headers() -> Value {
    let text = |description: &str, example: &str| json!({ "description": description, "schema": { "type": "string" }, "example": example });
    json!({
        "X-Request-Id": text("The id of the request, yours if you sent a plain one. It is in the server's log.", "7f3a0c1d5e9b2468"),
        "Link": text("Where the other pages are (RFC 8288): `first`, `prev`, `next`, `last`, as far as they exist.",
            "</api/v1/external/tickets?page=1>; rel=\"first\", </api/v1/external/tickets?page=3>; rel=\"last\""),
        "Location": text("Where the new thing can be read, path-absolute.", "/api/v1/internal/labels/7"),
        "ETag": text("The version of the ticket, a strong entity tag.", "\"42-7-1\""),
        "Idempotent-Replayed": text("`true` when this is the first answer given again.", "true"),
        "RateLimit": text("Where the key stands under its limit (draft-ietf-httpapi-ratelimit-headers): `r` requests are left, and in \
            `t` seconds there is one more. On a 429 for failed authentications the address's. Absent where there is no limit.",
            "\"key\";r=1199;t=1"),
        "RateLimit-Policy": text("The limit itself: `q` requests in `w` seconds, refilled evenly.", "\"key\";q=1200;w=60"),
        "WWW-Authenticate": text("How to authenticate.", "ApiKey header=\"X-API-KEY\""),
        "Retry-After": json!({
            "description": "How many seconds to wait.", "schema": { "type": "integer", "minimum": 1 }, "example": 1,
        }),
    })
}

/// Whole numbers are written as such, and 64-bit integers end where 64 bits do.
fn integers(part: &mut Value) {
    match part {
        Value::Object(fields) => {
            if fields.get("type") == Some(&json!("integer")) {
                for key in ["minimum", "maximum"] {
                    if let Some(limit) = fields.get_mut(key)
                        && let Some(number) = limit.as_f64()
                    {
                        *limit = json!(number as i64);
                    }
                }
                if fields.get("format") == Some(&json!("int64")) {
                    fields.entry("maximum").or_insert(json!(i64::MAX));
                }
            }
            fields.values_mut().for_each(integers);
        }
        Value::Array(items) => items.iter_mut().for_each(integers),
        _ => {}
    }
}

/// An example for a field or a parameter, by name or by schema and name.
fn example_of(name: &str) -> Option<Value> {
    Some(match name {
        "id" | "ticketId" | "ticket_id" => json!(42),
        "messageId" => json!(7),
        "department_id" => json!(1),
        "status" => json!("open"),
        "priority" => json!("high"),
        "sort" => json!("-updated_at"),
        "order" => json!("desc"),
        "unread" => json!(true),
        "page" => json!(1),
        "per_page" => json!(20),
        "q" => json!("password reset"),
        "Reference.name" => json!("Agent Smith"),
        "CustomerReference.name" | "sender_name" => json!("John Doe"),
        "CustomerReference.email" => json!("john.doe@customer.example"),
        "LabelReference.name" => json!("Bug"),
        "color" => json!("#e74c3c"),
        "DepartmentReference.name" => json!("Technical Support"),
        "DepartmentReference.description" => json!("Anything that does not work as it should."),
        "reference_id" => json!("#1001"),
        "Ticket.title" => json!("Cannot access my account"),
        "Ticket.content" => json!("I'm unable to log in since this morning."),
        "FieldValue.label" => json!("Browser"),
        "FieldValue.value" => json!("Chrome 120"),
        "is_resolved" | "is_locked" | "is_internal" | "is_read" => json!(false),
        "liked" | "is_active" => json!(true),
        "likes_count" | "count" => json!(3),
        "labels" => json!([1, 4]),
        "Message.content" | "NewMessage.content" => json!("Could you try a private window?"),
        "CannedResponseItem.title" => json!("Greeting"),
        "CannedResponseItem.content" => json!("Hello! Thank you for contacting support."),
        "CannedResponseItem.category" => json!("General"),
        "shortcut" => json!("/greet"),
        "Label.name" | "NewLabel.name" | "LabelPatch.name" => json!("Bug"),
        "Department.name" | "NewDepartment.name" | "DepartmentPatch.name" => json!("Technical Support"),
        "Department.description" | "NewDepartment.description" | "DepartmentPatch.description" => {
            json!("Anything that does not work as it should.")
        }
        "Department.email" | "NewDepartment.email" | "DepartmentPatch.email" => json!("support@desk.example"),
        "Category.name" | "NewCategory.name" | "CategoryPatch.name" => json!("Billing"),
        "Category.description" | "NewCategory.description" | "CategoryPatch.description" => {
            json!("Invoices, payments and refunds.")
        }
        "Product.name" | "NewProduct.name" | "ProductPatch.name" => json!("Larkspur Theme"),
        "Product.description" | "NewProduct.description" | "ProductPatch.description" => {
            json!("A theme for small shops.")
        }
        "envato_id" => json!("22714358"),
        "price" => json!("49.90"),
        "KnowledgeCategory.name" | "NewKnowledgeCategory.name" | "KnowledgeCategoryPatch.name" => {
            json!("Account")
        }
        "KnowledgeCategory.description"
        | "NewKnowledgeCategory.description"
        | "KnowledgeCategoryPatch.description" => json!("Signing in and staying safe."),
        "icon" => json!("key"),
        "articles_count" => json!(12),
        "KnowledgeArticle.title" | "NewKnowledgeArticle.title" | "KnowledgeArticlePatch.title" => {
            json!("How to reset your password")
        }
        "KnowledgeArticle.content" | "NewKnowledgeArticle.content" | "KnowledgeArticlePatch.content" => {
            json!("Open the sign-in page and choose “Forgot password”.")
        }
        "CannedResponse.title" | "NewCannedResponse.title" | "CannedResponsePatch.title" => json!("Greeting"),
        "CannedResponse.content" | "NewCannedResponse.content" | "CannedResponsePatch.content" => {
            json!("Hello! Thank you for contacting support.")
        }
        "CannedResponse.category" | "NewCannedResponse.category" | "CannedResponsePatch.category" => {
            json!("General")
        }
        "CustomField.label" | "NewCustomField.label" | "CustomFieldPatch.label" => json!("Browser"),
        "CustomField.description" | "NewCustomField.description" | "CustomFieldPatch.description" => {
            json!("Which one, and its version.")
        }
        "parent_id" | "category_id" => json!(3),
        "is_default" | "is_required" => json!(false),
        "sort_order" => json!(0),
        "Article.title" => json!("How to reset your password"),
        "slug" => json!("how-to-reset-your-password"),
        "excerpt" => json!("Follow these steps to reset your password."),
        "Article.content" => json!("Open the sign-in page and choose “Forgot password”."),
        "views" => json!(142),
        "email" => json!("agent.smith@desk.example"),
        "phone" => json!("+1 555 0100"),
        "locale" => json!("en"),
        "avatar_url" | "sender_avatar" => json!("https://desk.example/avatars/smith.png"),
        "notification_settings" => json!({ "ticket_note": false }),
        "Customer.name" | "NewCustomer.name" | "CustomerPatch.name" => json!("John Doe"),
        "Customer.email" | "NewCustomer.email" | "CustomerPatch.email" => json!("john.doe@customer.example"),
        "envato_username" => json!("johndoe"),
        "is_blocked" => json!(false),
        "password" => json!("correct horse battery staple"),
        "departments" => json!([1, 2]),
        "ApiKey.name" | "NewApiKey.name" | "ApiKeyPatch.name" | "IssuedApiKey.name" => json!("Triage bot"),
        "type" => json!("internal"),
        "scopes" => json!(["tickets:list", "tickets:read"]),
        "special" => json!(false),
        "ApiKey.agent_id" | "NewApiKey.agent_id" | "IssuedApiKey.agent_id" => Value::Null,
        "expires_at" => json!("2099-03-15T14:30:00Z"),
        "revoked_at" => Value::Null,
        "last_used_at" => json!("2026-03-15T14:29:00Z"),
        "key" => json!("lodge_int_0000000000000000000000000000000000000000000000000"),
        "from" => json!("2026-03-01"),
        "to" => json!("2026-03-31"),
        "action" => json!("ticket.closed"),
        "ActivityLog.description" => json!("Agent Smith closed #1001"),
        "ActivityActor.id" => json!(3),
        "ActivitySubject.type" => json!("ticket"),
        "ip_address" => json!("192.0.2.7"),
        "ticket_prefix" => json!("#"),
        "default_department_id" => json!(1),
        "default_priority" => json!("medium"),
        "auto_close_days" => json!(14),
        "tickets_per_page" => json!(15),
        "customer_max_tickets_per_day" => json!(20),
        "auto_assign" => json!(true),
        "department_visibility" => json!(false),
        "time_zone" => json!("Europe/Berlin"),
        "Notification.title" => json!("New reply on #1001"),
        "Notification.message" => json!("John Doe replied to your ticket"),
        "Confirmation.message" => json!("Connection check successful"),
        "unread_count" => json!(5),
        "marked" => json!(5),
        "open_tickets" => json!(12),
        "in_progress_tickets" => json!(5),
        "needs_response" => json!(3),
        "closed_today" => json!(8),
        "start_date" => json!("2026-02-14"),
        "end_date" | "date" => json!("2026-03-15"),
        "created" => json!(24),
        "closed" => json!(21),
        "reopened" => json!(2),
        "open_now" => json!(37),
        "open" | "low" => json!(4),
        "in_progress" | "high" => json!(6),
        "on_hold" | "critical" => json!(1),
        "medium" => json!(13),
        "StatusCounts.closed" => json!(13),
        "Durations.count" => json!(22),
        "median_seconds" => json!(2700),
        "p90_seconds" => json!(14400),
        "name" => json!("Agent Smith"),
        "created_at" => json!("2026-03-14T09:00:00Z"),
        "updated_at" | "last_reply_at" => json!("2026-03-15T14:30:00Z"),
        "closed_at" => Value::Null,
        _ => return None,
    })
}

/// The raw document as the framework derives it from the handlers.
fn derive<T: OpenApi>() -> String {
    OpenApiService::new(Described::<T>(PhantomData), "Lodge API", env!("CARGO_PKG_VERSION"))
        .description(DESCRIPTION)
        .server(ServerObject::new(BASE).description("This server"))
        .license(LicenseObject::new("MIT OR Apache-2.0").url("https://spdx.org/licenses/MIT.html"))
        .contact(ContactObject::new().name("The Lodge maintainers"))
        .spec()
}

/// APIs without a value of them: what they are is known from their types alone.
struct Described<T>(PhantomData<fn() -> T>);

impl<T: OpenApi> OpenApi for Described<T> {
    fn meta() -> Vec<MetaApi> {
        // One entry a path, whichever APIs its operations come from: a repeated key would hide operations from readers.
        let mut paths: Vec<MetaPath> = Vec::new();
        for path in T::meta().into_iter().flat_map(|api| api.paths) {
            match paths.iter_mut().find(|known| known.path == path.path) {
                Some(known) => known.operations.extend(path.operations),
                None => paths.push(path),
            }
        }
        vec![MetaApi { paths }]
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn add_routes(self, _: &mut HashMap<String, HashMap<Method, BoxEndpoint<'static>>>) {}
}
