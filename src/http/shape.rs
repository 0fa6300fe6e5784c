//! The shape of a request, compiled from the same schemas that the document shows, and checked before a handler runs.
//! Unlike a parser it does not stop at the first mistake: an answer names every wrong field.

use std::collections::BTreeMap;
use std::fmt::Write;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef, Registry};
use regex::Regex;
use serde_json::Value;

use crate::error::Check;
use crate::product::price::Price;
use crate::time::Timestamp;

/// What a value must be.
#[derive(Debug)]
pub struct Shape {
    kind: Kind,
    nullable: bool,
    words: Vec<Value>,
    length: (usize, usize),
    pattern: Option<Regex>,
    format: Option<fn(&str) -> bool>,
    format_name: &'static str,
    whole: Option<Whole>,
    trimmed: bool,
    range: (Option<f64>, Option<f64>),
    items: Option<Box<Shape>>,
    fields: BTreeMap<&'static str, Shape>,
    required: Vec<&'static str>,
    open: bool,
    any_of: Vec<Shape>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Any,
    Object,
    Array,
    Text,
    Boolean,
    Number,
    Integer,
}

impl Kind {
    fn article(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Object => "an object",
            Self::Array => "an array",
            Self::Text => "a string",
            Self::Boolean => "true or false",
            Self::Number => "a number",
            Self::Integer => "an integer",
        }
    }

    /// Whether a value is of this type.
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::Any => true,
            Self::Object => value.is_object(),
            Self::Array => value.is_array(),
            Self::Text => value.is_string(),
            Self::Boolean => value.is_boolean(),
            Self::Number => value.is_number(),
            Self::Integer => value.is_i64(),
        }
    }
}

/// The format of what must never be kept as it was sent.
const SECRET: &str = "password";

/// What an item of an array is called while it is checked.
const ITEM: &str = "item";

/// Formats that a pattern cannot express, by the name the document shows.
fn format(name: &str) -> Option<fn(&str) -> bool> {
    Some(match name {
        "search" => |text| !crate::text::words(text).is_empty(),
        "date" => |text| text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok(),
        "date-or-date-time" => {
            |text| ["date", "date-time"].iter().any(|name| format(name).is_some_and(|fits| fits(text)))
        }
        "date-time" => |text| Timestamp::parse(text).is_some(),
        "time-zone" => |text| {
            jiff::tz::TimeZone::get(text)
                .is_ok_and(|zone| zone.iana_name().is_some_and(|name| name != "Etc/Unknown"))
        },
        _ => return None,
    })
}

/// A format of a whole value, whatever its type, and what is said of one that has not got it.
type Whole = (fn(&Value) -> bool, &'static str);

/// Formats that no combination of schemas can express, by the name the document shows.
fn whole(name: &str) -> Option<Whole> {
    match name {
        "price" => Some((
            |value| Price::from_json(value).is_some(),
            "must be a price, a string or a number from 0 to 9999999.99 with at most two decimals",
        )),
        _ => None,
    }
}

impl Shape {
    /// Compiles a schema. Patterns are compiled here, once, and not per request.
    ///
    /// # Panics
    /// When the schema refers to a type nobody registered or has a pattern that is none: mistakes that show at start.
    pub fn compile(registry: &Registry, schema: &MetaSchemaRef) -> Self {
        match schema {
            MetaSchemaRef::Reference(name) => Self::of(registry, &registry.schemas[name]),
            MetaSchemaRef::Inline(schema) => Self::of(registry, schema),
        }
    }

    fn of(registry: &Registry, schema: &MetaSchema) -> Self {
        // A reference with something added to it (a description, nullability) comes as `all_of`.
        if let Some(MetaSchemaRef::Reference(name)) = schema.all_of.first() {
            let inner = Self::of(registry, &registry.schemas[name]);
            return Self { nullable: inner.nullable || schema.nullable, ..inner };
        }
        let kind = match schema.ty {
            "object" => Kind::Object,
            "array" => Kind::Array,
            "string" => Kind::Text,
            "boolean" => Kind::Boolean,
            "number" => Kind::Number,
            "integer" => Kind::Integer,
            _ => Kind::Any,
        };
        let size = |text: Option<usize>, items: Option<usize>| if kind == Kind::Array { items } else { text };
        Self {
            kind,
            nullable: schema.nullable,
            words: schema.enum_items.clone(),
            length: (
                size(schema.min_length, schema.min_items).unwrap_or(0),
                size(schema.max_length, schema.max_items).unwrap_or(usize::MAX),
            ),
            pattern: schema.pattern.as_ref().map(|pattern| {
                Regex::new(pattern).unwrap_or_else(|error| panic!("the pattern {pattern} is none: {error}"))
            }),
            format: schema.format.and_then(format),
            whole: schema.format.and_then(whole),
            format_name: schema.format.unwrap_or_default(),
            trimmed: schema.format == Some("search"),
            range: (schema.minimum, schema.maximum),
            items: schema.items.as_ref().map(|items| Box::new(Self::compile(registry, items))),
            fields: schema
                .properties
                .iter()
                .map(|(name, field)| (*name, Self::compile(registry, field)))
                .collect(),
            required: schema.required.clone(),
            open: schema.additional_properties.is_some(),
            any_of: schema.any_of.iter().map(|one| Self::compile(registry, one)).collect(),
        }
    }

    /// A body without its passwords and written in one way only, if it is of a shape that has any: nothing that depends
    /// on a password may be kept of it.
    pub fn without_secrets(&self, body: &Value) -> Option<Value> {
        let is_secret = |name: &str| self.fields.get(name).is_some_and(|field| field.format_name == SECRET);
        if !self.fields.keys().any(|name| is_secret(name)) {
            return None;
        }
        let mut body = body.clone();
        if let Some(fields) = body.as_object_mut() {
            fields.retain(|name, _| !is_secret(name));
        }
        body.sort_all_objects();
        Some(body)
    }

    /// Checks a JSON value, noting everything that is wrong under the path of its field.
    pub fn check(&self, value: &Value, path: &str, wrong: &mut Check) {
        let at = if path.is_empty() { "body" } else { path };
        if value.is_null() && self.nullable {
            return;
        }
        if let Some((fits, message)) = self.whole {
            if !fits(value) {
                wrong.add(at, message);
            }
            return;
        }
        if value.is_null() && self.kind != Kind::Any {
            return wrong.add(at, "must not be null");
        }
        if !self.any_of.is_empty() {
            return self.check_any(value, at, wrong);
        }
        if self.kind == Kind::Integer && value.is_u64() && !value.is_i64() {
            return wrong.add(at, format!("must be at most {}", i64::MAX));
        }
        if !self.kind.is_of(value) {
            return wrong.add(at, format!("must be {}", self.kind.article()));
        }
        if !self.words.is_empty() && !self.words.contains(value) {
            return wrong.add(at, self.one_of());
        }
        match value {
            Value::String(text) => self.check_text(text, at, wrong),
            Value::Number(number) => self.check_range(number.as_f64().unwrap_or(f64::NAN), at, wrong),
            Value::Array(items) => self.check_items(items, at, wrong),
            Value::Object(fields) => self.check_fields(fields, path, wrong),
            _ => {}
        }
    }

    fn check_any(&self, value: &Value, at: &str, wrong: &mut Check) {
        let fits = |one: &Self| {
            let mut tried = Check::default();
            one.check(value, at, &mut tried);
            tried.finish().is_ok()
        };
        if !self.any_of.iter().any(fits) {
            let empty = |one: &Self| one.kind == Kind::Array && one.length.1 == 0;
            // Of a right type and still wrong: what is wrong says more than what the types are.
            if let Some(one) = self.any_of.iter().find(|one| !empty(one) && one.kind.is_of(value)) {
                return one.check(value, at, wrong);
            }
            let kind = |one: &Self| if empty(one) { "an empty array" } else { one.kind.article() };
            let kinds: Vec<_> = self.any_of.iter().map(kind).collect();
            wrong.add(at, format!("must be {}", kinds.join(" or ")));
        }
    }

    fn one_of(&self) -> String {
        let mut message = "must be one of: ".to_owned();
        for (n, word) in self.words.iter().enumerate() {
            let comma = if n > 0 { ", " } else { "" };
            // Writing to a String cannot fail.
            let _ = match word {
                Value::String(word) => write!(message, "{comma}{word}"),
                other => write!(message, "{comma}{other}"),
            };
        }
        message
    }

    fn check_text(&self, text: &str, at: &str, wrong: &mut Check) {
        let measured = if self.trimmed { text.trim() } else { text };
        let (min, max) = self.length;
        let length = measured.chars().count();
        if length < min {
            wrong.add(
                at,
                if min == 1 {
                    "must not be empty".into()
                } else {
                    format!("must be at least {min} characters")
                },
            );
        } else if length > max {
            wrong.add(at, format!("must be at most {max} characters"));
        } else if self.pattern.as_ref().is_some_and(|pattern| !pattern.is_match(text)) {
            wrong.add(at, why_not(text, measured));
        } else if self.format.is_some_and(|fits| !fits(text)) {
            wrong.add(at, format!("must be a valid {}", self.format_name));
        }
    }

    fn check_range(&self, number: f64, at: &str, wrong: &mut Check) {
        let (min, max) = self.range;
        if let Some(min) = min.filter(|min| number < *min) {
            wrong.add(at, format!("must be at least {min}"));
        } else if let Some(max) = max.filter(|max| number > *max) {
            wrong.add(at, format!("must be at most {max}"));
        }
    }

    fn check_items(&self, items: &[Value], at: &str, wrong: &mut Check) {
        let (min, max) = self.length;
        if items.len() < min {
            wrong.add(at, format!("must have at least {min} items"));
        } else if items.len() > max {
            wrong.add(
                at,
                if max == 0 { "must be empty".into() } else { format!("must have at most {max} items") },
            );
        } else if let Some(shape) = &self.items {
            // What is wrong with an item is said under the array's name: that is the field a client knows.
            for (n, item) in items.iter().enumerate() {
                let mut here = Check::default();
                shape.check(item, ITEM, &mut here);
                for (name, message) in here.into_messages() {
                    let name = name.trim_start_matches(ITEM).trim_start_matches('.');
                    let space = if name.is_empty() { "" } else { " " };
                    wrong.add(at, format!("item {}: {name}{space}{message}", n + 1));
                }
            }
        }
    }

    fn check_fields(&self, fields: &serde_json::Map<String, Value>, path: &str, wrong: &mut Check) {
        if self.kind == Kind::Any || self.open {
            return;
        }
        let below = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        for name in &self.required {
            if !fields.contains_key(*name) {
                wrong.add(&below(name), "is required");
            }
        }
        for (name, value) in fields {
            match self.fields.get(name.as_str()) {
                Some(shape) => shape.check(value, &below(name), wrong),
                None => wrong.add(&below(name), "is not a known field"),
            }
        }
    }

    /// Checks a value that came as text: in a path, a query or a header.
    pub fn check_parameter(&self, text: &str, name: &str, wrong: &mut Check) {
        let value = match self.kind {
            Kind::Integer => match integer(text) {
                // Of most only the range is asked, for which no JSON value has to be made.
                Some(number) if self.words.is_empty() && self.any_of.is_empty() => {
                    return self.check_range(number as f64, name, wrong);
                }
                Some(number) => number.into(),
                None => return wrong.add(name, "must be an integer"),
            },
            Kind::Boolean => match text {
                "true" => true.into(),
                "false" => false.into(),
                _ => return wrong.add(name, "must be true or false"),
            },
            _ => Value::String(text.to_owned()),
        };
        self.check(&value, name, wrong);
    }
}

/// An integer as JSON writes it: no plus sign, no leading zeros, no spaces.
fn integer(text: &str) -> Option<i64> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
    if plain { text.parse().ok() } else { None }
}

/// What is wrong with text that does not match its pattern, in words.
fn why_not(text: &str, measured: &str) -> String {
    let control = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    if text.contains(control) {
        "must not contain control characters".into()
    } else if measured.trim().is_empty() {
        "must not be blank".into()
    } else if text.split_whitespace().count() > crate::text::MAX_WORDS {
        format!("must be at most {} words", crate::text::MAX_WORDS)
    } else {
        "has an invalid format".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scalar::{Id, Locale, Name, SearchText};
    use poem_openapi::types::Type;

    fn wrong<T: Type>(value: Value) -> Vec<String> {
        let mut registry = Registry::new();
        T::register(&mut registry);
        let mut check = Check::default();
        Shape::compile(&registry, &T::schema_ref()).check(&value, "x", &mut check);
        match check.finish() {
            Err(crate::error::Error::Invalid(fields)) => fields["x"].clone(),
            _ => vec![],
        }
    }

    #[test]
    fn types_are_strict() {
        assert_eq!(wrong::<Id>("1".into()), ["must be an integer"]);
        assert_eq!(wrong::<Id>(1.0.into()), ["must be an integer"]);
        assert_eq!(wrong::<Id>(0.into()), ["must be at least 1"]);
        assert_eq!(wrong::<Id>(u64::MAX.into()), ["must be at most 9223372036854775807"]);
        assert_eq!(wrong::<Name>(5.into()), ["must be a string"]);
        assert_eq!(wrong::<Name>(Value::Null), ["must not be null"]);
        assert!(wrong::<Id>(i64::MAX.into()).is_empty());
    }

    #[test]
    fn text_is_counted_in_characters_and_never_blank_or_controlled() {
        assert!(wrong::<Name>("ü".repeat(250).into()).is_empty());
        assert_eq!(wrong::<Name>("ü".repeat(251).into()), ["must be at most 250 characters"]);
        assert_eq!(wrong::<Name>(" \u{a0}\n".into()), ["must not be blank"]);
        assert_eq!(wrong::<Name>("a\u{0}".into()), ["must not contain control characters"]);
        assert!(wrong::<Name>("a\tb\r\n".into()).is_empty());
    }

    #[test]
    fn language_tags_are_well_formed() {
        for good in ["en", "pt-BR", "zh-Hant", "de-1901", "i-klingon", "x-a", "sl-rozaj"] {
            assert!(wrong::<Locale>(good.into()).is_empty(), "{good}");
        }
        for bad in ["e", "en_US", "en-", "-en", "english-x", "de-x", "1a"] {
            assert!(!wrong::<Locale>(bad.into()).is_empty(), "{bad}");
        }
    }

    #[test]
    fn searches_have_two_characters_and_ten_words() {
        assert!(wrong::<SearchText>("  ab ".into()).is_empty());
        assert!(wrong::<SearchText>("a b".into()).is_empty());
        assert!(!wrong::<SearchText>("  a ".into()).is_empty());
        assert_eq!(wrong::<SearchText>("a b c d e f g h i j k".into()), ["must be at most 10 words"]);
        assert!(wrong::<SearchText>(format!(" {} ", "a".repeat(200)).into()).is_empty());
        assert!(!wrong::<SearchText>("a".repeat(201).into()).is_empty());
    }

    #[test]
    fn a_body_is_told_apart_without_its_password() {
        let shape = |schema: fn(&mut Registry) -> MetaSchemaRef| {
            let mut registry = Registry::new();
            let schema = schema(&mut registry);
            Shape::compile(&registry, &schema)
        };
        let with = shape(|registry| {
            crate::agent::model::NewAgent::register(registry);
            crate::agent::model::NewAgent::schema_ref()
        });
        let body = serde_json::json!({ "password": "hush", "name": "A", "email": { "b": 1, "a": 2 } });
        let told = with.without_secrets(&body).unwrap();
        assert_eq!(told.to_string(), r#"{"email":{"a":2,"b":1},"name":"A"}"#);
        let without = shape(|registry| {
            crate::label::model::NewLabel::register(registry);
            crate::label::model::NewLabel::schema_ref()
        });
        assert_eq!(without.without_secrets(&body), None);
    }

    #[test]
    fn integers_are_written_as_json_writes_them() {
        assert_eq!(
            ["1", "-5", "0", "01", "+1", " 1", "1.0", "", "9223372036854775808"].map(integer),
            [Some(1), Some(-5), Some(0), None, None, None, None, None, None]
        );
    }
}
