//! Requests made of the OpenAPI document: good ones, nearly good ones, and garbage.

use poem::Request;
use poem::http::{HeaderName, HeaderValue, Method, Uri};
use serde_json::{Value, json};

/// How many requests of a hundred are as good as the document lets us make them, and how many nearly are.
const GOOD: u32 = 45;
const NEARLY: u32 = 40;
/// Of how many deletions one is sent.
const DELETIONS: u32 = 10;
/// Of how many passwords one is sent: to hash one takes as long as hundreds of other requests.
const PASSWORDS: u32 = 100;
/// Texts that have broken programs before.
const TEXTS: [&str; 24] = [
    "",
    " ",
    "a",
    "printer",
    "The printer prints a line",
    "ünïcödé",
    "日本語のテキスト",
    "🦀🦀",
    "e\u{301}\u{301}\u{301}",
    "\u{202e}abc",
    "ß Straße ſ",
    "\0",
    "\u{7f}\u{1}",
    "' OR 1=1 --",
    "\"; DROP TABLE ticket; --",
    "%",
    "_%_",
    "* OR NEAR(",
    "-1",
    "9223372036854775808",
    "2026-03-15T14:30:00Z",
    "2026-02-30",
    "a@example.com",
    "#a1b2c3",
];
/// What a field of this name takes; the document says it by pattern or in words.
const KNOWN: [(&str, &str); 9] = [
    ("email", "x@example.com"),
    ("color", "#1a2b3c"),
    ("time_zone", "Europe/Berlin"),
    ("locale", "de-DE"),
    ("price", "49.90"),
    ("expires_at", "2031-01-01T00:00:00Z"),
    ("avatar_url", "https://desk.example/a.png"),
    ("password", "correct horse"),
    ("ticket_prefix", "T-"),
];

/// What can be asked, according to the document.
pub struct Document {
    tree: &'static Value,
    operations: Vec<(String, String, &'static Value)>,
}

impl Document {
    /// Of Lodge as it is built into this program.
    pub fn of_lodge() -> Self {
        let tree = lodge::app::document().tree();
        let mut operations = vec![];
        for (path, methods) in tree["paths"].as_object().into_iter().flatten() {
            for (method, operation) in methods.as_object().into_iter().flatten() {
                operations.push((method.to_uppercase(), path.clone(), operation));
            }
        }
        Self { tree, operations }
    }

    /// How many operations there are.
    pub fn len(&self) -> usize {
        self.operations.len()
    }

    /// A request. `keys` are those there are to call with.
    pub fn request(&self, rng: &mut fastrand::Rng, keys: &[String]) -> Request {
        let (method, path, operation) = self.operation(rng);
        let dice = rng.u32(0..100);
        let (nearly, garbage) = (dice >= GOOD, dice >= GOOD + NEARLY);
        let uri = if garbage && rng.u32(0..6) == 0 {
            strange_path(rng)
        } else {
            self.uri(rng, path, operation, nearly)
        };
        let method = if garbage && rng.u32(0..4) == 0 {
            strange_method(rng)
        } else {
            method.parse().unwrap_or_default()
        };
        let mut request = Request::builder().method(method).uri(uri).finish();
        let side = usize::from(path.contains("/internal/"));
        let key = if garbage && rng.bool() { rng.choice(keys) } else { keys.get(side) };
        let mut header = |name: &'static str, value: Vec<u8>| {
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                request.headers_mut().append(HeaderName::from_static(name), value);
            }
        };
        if !(garbage && rng.u32(0..20) == 0) {
            header("host", b"desk.example".to_vec());
        }
        header("x-api-key", key.cloned().unwrap_or_default().into());
        if !(garbage && rng.u32(0..4) == 0) {
            header("content-type", b"application/json".to_vec());
        }
        if rng.u32(0..6) == 0 {
            header("idempotency-key", format!("k{}", rng.u32(0..50)).into());
        }
        for name in [
            "idempotency-key",
            "if-match",
            "if-none-match",
            "content-type",
            "content-length",
            "x-request-id",
            "x-api-key",
            "origin",
            "x-forwarded-for",
            "accept-encoding",
            "range",
            "expect",
            "transfer-encoding",
        ] {
            if garbage && rng.u32(0..12) == 0 {
                header(name, garbage_bytes(rng, 40));
            }
        }
        let schema = &operation["requestBody"]["content"]["application/json"];
        let schema = schema
            .get("schema")
            .or_else(|| operation["requestBody"]["content"].as_object()?.values().next()?.get("schema"));
        let body = schema.map(|schema| self.body(rng, schema, nearly, garbage));
        request.set_body(body.unwrap_or_else(|| if garbage { garbage_bytes(rng, 200) } else { vec![] }));
        request
    }

    /// One of the operations. Deletions come seldom, or there would soon be nothing left to ask for.
    fn operation(&self, rng: &mut fastrand::Rng) -> &(String, String, &'static Value) {
        loop {
            let operation = &self.operations[rng.usize(0..self.operations.len())];
            if operation.0 != "DELETE" || rng.u32(0..DELETIONS) == 0 {
                return operation;
            }
        }
    }

    fn uri(&self, rng: &mut fastrand::Rng, path: &str, operation: &'static Value, nearly: bool) -> Uri {
        let parts = path.split('/').map(|part| {
            if !part.starts_with('{') {
                return part.to_owned();
            }
            match if nearly { rng.u32(0..12) } else { 11 } {
                0 => "0".into(),
                1 => "-1".into(),
                2 => "99999999999999999999".into(),
                3 => escaped(&garbage_bytes(rng, 8)),
                4 => "1%2F2".into(),
                5 => "9223372036854775807".into(),
                _ => rng.u32(1..70).to_string(),
            }
        });
        let mut uri = format!("/api/v1{}", parts.collect::<Vec<_>>().join("/"));
        let mut joint = '?';
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            if parameter["in"] != "query" || (parameter["required"] != true && rng.u32(0..5) > 1) {
                continue;
            }
            let name = parameter["name"].as_str().unwrap_or_default();
            for _ in 0..if nearly && rng.u32(0..10) == 0 { 2 } else { 1 } {
                let value = match self.value(rng, &parameter["schema"], name, 0) {
                    _ if nearly && rng.u32(0..3) == 0 => garbage_bytes(rng, 20),
                    Value::String(text) => text.into_bytes(),
                    other => other.to_string().into_bytes(),
                };
                uri += &format!("{joint}{name}={}", escaped(&value));
                joint = '&';
            }
        }
        uri.parse().unwrap_or_default()
    }

    fn body(&self, rng: &mut fastrand::Rng, schema: &'static Value, nearly: bool, garbage: bool) -> Vec<u8> {
        let mut value = self.value(rng, schema, "", 0);
        if nearly {
            (0..rng.u32(0..3)).for_each(|_| spoil(rng, &mut value));
        }
        let mut text = value.to_string().into_bytes();
        if garbage && !text.is_empty() {
            match rng.u32(0..6) {
                0 => text.truncate(rng.usize(0..text.len())),
                1 => return garbage_bytes(rng, 400),
                2 => {
                    return [b"[".repeat(rng.usize(0..3000)), b"{\"a\":".repeat(rng.usize(0..3000))].concat();
                }
                3 => text = [b"{\"a\":1,\"a\":2,".as_slice(), text.get(1..).unwrap_or_default()].concat(),
                4 => text = format!("{{\"id\":{}}}", "9".repeat(rng.usize(1..2000))).into_bytes(),
                _ => {
                    let at = rng.usize(0..text.len());
                    text[at] = rng.u8(..);
                }
            }
        }
        text
    }

    /// A value that a schema allows, mostly: patterns are followed only as far as [`KNOWN`] goes.
    fn value(&self, rng: &mut fastrand::Rng, schema: &'static Value, name: &str, depth: u32) -> Value {
        let schema = self.resolved(schema);
        if depth > 6 || (schema["nullable"] == true && rng.u32(0..8) == 0) {
            return Value::Null;
        }
        if let Some(values) = schema["enum"].as_array() {
            return rng.choice(values).cloned().unwrap_or_default();
        }
        for choice in ["anyOf", "oneOf", "allOf"] {
            if let Some(one) = schema[choice].as_array().and_then(|all| rng.choice(all)) {
                return self.value(rng, one, name, depth + 1);
            }
        }
        match schema["type"].as_str() {
            Some("integer") => json!(if rng.u32(0..10) == 0 { rng.i64(..) } else { rng.i64(0..12) }),
            Some("number") => json!(rng.i64(0..100_000)),
            Some("boolean") => rng.bool().into(),
            Some("array") => {
                (0..rng.u32(0..4)).map(|_| self.value(rng, &schema["items"], name, depth + 1)).collect()
            }
            Some("string") => text(rng, schema, name),
            _ => {
                let required = schema["required"].as_array();
                let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
                let properties = schema["properties"].as_object().into_iter().flatten();
                properties
                    .filter_map(|(name, of)| {
                        let wanted = match name.as_str() {
                            "password" => rng.u32(0..PASSWORDS) == 0,
                            name => is_required(name) || rng.u32(0..3) == 0,
                        };
                        wanted.then(|| (name.clone(), self.value(rng, of, name, depth + 1)))
                    })
                    .collect()
            }
        }
    }

    fn resolved(&self, schema: &'static Value) -> &'static Value {
        let place = schema["$ref"].as_str().and_then(|place| place.strip_prefix('#'));
        place.and_then(|place| self.tree.pointer(place)).unwrap_or(schema)
    }
}

fn text(rng: &mut fastrand::Rng, schema: &Value, name: &str) -> Value {
    let known = KNOWN.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    if let Some(known) = known.filter(|_| rng.u32(0..8) > 0) {
        return if name == "email" { format!("u{}@example.com", rng.u32(..)).into() } else { known.into() };
    }
    match rng.u32(0..12) {
        0 => {
            let most = schema["maxLength"].as_u64().unwrap_or(300).min(120_000);
            let more = usize::try_from(most).unwrap_or(300) + rng.usize(0..2);
            rng.choice(["x", "ß", "🦀"]).unwrap_or("x").repeat(more).into()
        }
        1..5 => rng.choice(TEXTS).unwrap_or_default().into(),
        _ => format!("Text {}", rng.u16(..)).into(),
    }
}

/// Changes one place of a value to something else.
fn spoil(rng: &mut fastrand::Rng, value: &mut Value) {
    let strange = [
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1.5),
        json!(1e300),
        json!(i64::MAX),
        json!(u64::MAX),
        json!([]),
        json!({}),
        json!([[[]]]),
        json!({ "a": { "b": [] } }),
        json!("1"),
        json!("\u{0}"),
        json!(rng.choice(TEXTS)),
    ];
    let other = rng.choice(strange).unwrap_or_default();
    match value {
        Value::Object(fields) if !fields.is_empty() && rng.u32(0..8) > 0 => {
            let at = rng.usize(0..fields.len());
            let name = fields.keys().nth(at).cloned().unwrap_or_default();
            match rng.u32(0..6) {
                0 => drop(fields.remove(&name)),
                1 => drop(fields.insert(rng.choice(TEXTS).unwrap_or_default().into(), other)),
                _ => fields.values_mut().nth(at).into_iter().for_each(|inner| spoil(rng, inner)),
            }
        }
        Value::Array(items) if !items.is_empty() && rng.bool() => {
            let at = rng.usize(0..items.len());
            spoil(rng, &mut items[at]);
        }
        Value::Array(items) if rng.u32(0..4) == 0 => *items = vec![other; rng.usize(0..300)],
        _ => *value = other,
    }
}

fn strange_method(rng: &mut fastrand::Rng) -> Method {
    let name =
        rng.choice(["HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "GET", "POST", "PUT", "DELETE", "FOO"]);
    name.and_then(|name| name.parse().ok()).unwrap_or_default()
}

fn strange_path(rng: &mut fastrand::Rng) -> Uri {
    let pages = [
        "/",
        "/docs",
        "/docs/",
        "/openapi.json",
        "/openapi.yaml",
        "/api/v1",
        "//",
        "/api/v1/health-check",
        "/metrics",
    ];
    let path = rng.choice(pages).unwrap_or_default();
    let more = if rng.bool() { escaped(&garbage_bytes(rng, 60)) } else { String::new() };
    format!("{path}{more}").parse().unwrap_or_default()
}

fn garbage_bytes(rng: &mut fastrand::Rng, most: usize) -> Vec<u8> {
    match rng.u32(0..4) {
        0 => rng.choice(TEXTS).unwrap_or_default().as_bytes().to_vec(),
        1 => (0..rng.usize(0..most))
            .map(|_| rng.choice(b"\"*,;=/WA-0%".iter().copied()).unwrap_or(b' '))
            .collect(),
        2 => (0..rng.usize(0..most)).map(|_| rng.alphanumeric() as u8).collect(),
        _ => (0..rng.usize(0..most)).map(|_| rng.u8(..)).collect(),
    }
}

fn escaped(bytes: &[u8]) -> String {
    percent_encoding::percent_encode(bytes, percent_encoding::NON_ALPHANUMERIC).to_string()
}
