//! JSON bodies, read strictly: a repeated key is an error, not a silent overwrite.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Why a body is not JSON we take.
#[derive(Debug, PartialEq, Eq)]
pub enum Malformed {
    /// It is not JSON.
    Syntax,
    /// An object has the same key twice.
    DuplicateKey,
}

/// What the parser says when it meets a repeated key; told from other errors by this text.
const REPEATED: &str = "\u{1}repeated key";

/// Parses a body.
///
/// # Errors
/// [`Malformed`].
pub fn parse(body: &[u8]) -> Result<Value, Malformed> {
    let mut parser = serde_json::Deserializer::from_slice(body);
    let value = Strict.deserialize(&mut parser).map_err(|error| {
        if error.to_string().starts_with(REPEATED) { Malformed::DuplicateKey } else { Malformed::Syntax }
    })?;
    parser.end().map_err(|_| Malformed::Syntax)?;
    Ok(value)
}

/// How the parser hands over a number that is no 64-bit integer, as it was written, so that none goes through a float: a map with this one key. A
/// client that writes such an object itself gets a number, or is refused.
const NUMBER: &str = "$serde_json::private::Number";

/// Builds a [`Value`], refusing repeated keys at every depth.
#[derive(Clone, Copy)]
struct Strict;

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, parser: D) -> Result<Value, D::Error> {
        parser.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some(key) = entries.next_key::<String>()? {
            if key == NUMBER && all.is_empty() {
                let digits = entries.next_value::<String>()?;
                return digits.parse().map(Value::Number).map_err(A::Error::custom);
            }
            let value = entries.next_value_seed(self)?;
            if all.insert(key, value).is_some() {
                return Err(A::Error::custom(REPEATED));
            }
        }
        Ok(Value::Object(all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn repeated_keys_are_refused_at_every_depth() {
        for body in [r#"{"a":1,"a":1}"#, r#"{"x":[{"a":1,"b":2,"a":3}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(parse(body.as_bytes()), Err(Malformed::DuplicateKey), "{body}");
        }
        assert_eq!(parse(br#"{"a":{"a":1}}"#), Ok(json!({"a": {"a": 1}})));
    }

    #[test]
    fn what_is_not_json_is_refused() {
        let deep = "[".repeat(100_000);
        for body in ["", " ", "{", "{}x", "nul", r#""\ud800""#, "{'a':1}", &deep] {
            assert_eq!(parse(body.as_bytes()), Err(Malformed::Syntax), "{body:.20}");
        }
        assert_eq!(parse(b"\"\xff\""), Err(Malformed::Syntax));
        let exact = b"[0.1000000000000000055, 123456789012345678901234567890]";
        assert_eq!(parse(exact).unwrap().to_string().replace(',', ", ").as_bytes(), exact);
        assert_eq!(parse(b" [1, -2.5, \"\xc3\xbc\", null, true] "), Ok(json!([1, -2.5, "ü", null, true])));
    }
}
