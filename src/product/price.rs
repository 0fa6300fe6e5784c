//! Prices: whole cents, from the first digit read to the last one written. None goes through a float.

use std::borrow::Cow;
use std::fmt;

use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde::{Serialize, Serializer};
use serde_json::Value;

/// How a price is answered.
const ANSWERED: &str = r"^[0-9]{1,7}\.[0-9]{2}$";
/// How a price may be written: up to seven digits and at most two decimals.
const WRITTEN: &str = r"^[0-9]{1,7}(\.[0-9]{1,2})?$";
/// The highest price, as the document says it.
const MOST: f64 = 9_999_999.99;

/// A price in cents, 0 to 999,999,999; as JSON a string with two decimals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Price(pub i64);

/// A price as it may be sent: the string it is answered as, or a number.
#[derive(Clone, Copy, Debug)]
pub struct SentPrice(pub Price);

impl Price {
    /// What is written, if it is a price: `49.90`, `49.9` and `49`, not `49.900`, `4e1`, `.5` or `-1`.
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
        let digits = |text: &str, most| {
            (1..=most).contains(&text.len()) && text.bytes().all(|digit| digit.is_ascii_digit())
        };
        if !digits(whole, 7) || !digits(decimals, 2) {
            return None;
        }
        let (whole, cents): (i64, i64) = (whole.parse().ok()?, decimals.parse().ok()?);
        Some(Self(whole * 100 + if decimals.len() == 1 { cents * 10 } else { cents }))
    }

    /// The price a JSON value stands for. Of a number it is the digits that count, as they were sent.
    pub fn from_json(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => Self::parse(text),
            Value::Number(number) => Self::parse(&number.to_string()),
            _ => None,
        }
    }
}

impl fmt::Display for Price {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Price {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<SentPrice> for Price {
    fn from(sent: SentPrice) -> Self {
        sent.0
    }
}

fn text(pattern: &str) -> MetaSchema {
    MetaSchema { pattern: Some(pattern.to_owned()), ..MetaSchema::new("string") }
}

fn either() -> MetaSchema {
    let number = MetaSchema { minimum: Some(0.0), maximum: Some(MOST), ..MetaSchema::new("number") };
    let any_of = [text(WRITTEN), number].map(|one| MetaSchemaRef::Inline(Box::new(one)));
    MetaSchema { any_of: any_of.into(), format: Some("price"), ..MetaSchema::ANY }
}

/// What the framework wants to know of a type: both are read and written alike, and differ in their schema.
macro_rules! json_price {
    ($name:ident, $schema:expr, |$price:ident| $wrap:expr, |$this:ident| $unwrap:expr) => {
        impl Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;

            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn schema_ref() -> MetaSchemaRef {
                MetaSchemaRef::Inline(Box::new($schema))
            }

            fn as_raw_value(&self) -> Option<&Self> {
                Some(self)
            }

            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }

        impl ParseFromJSON for $name {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                let value = value.unwrap_or_default();
                let parsed = Price::from_json(&value).map(|$price| $wrap);
                parsed.ok_or_else(|| ParseError::expected_type(value))
            }
        }

        impl ToJSON for $name {
            fn to_json(&self) -> Option<Value> {
                let $this = self;
                Some($unwrap.to_string().into())
            }
        }
    };
}

json_price!(Price, text(ANSWERED), |price| price, |this| this);
json_price!(SentPrice, either(), |price| SentPrice(price), |this| this.0);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_read_and_written_to_the_cent() {
        for (text, cents, written) in [
            ("49.90", 4990, "49.90"),
            ("49.9", 4990, "49.90"),
            ("49", 4900, "49.00"),
            ("0", 0, "0.00"),
            ("0.07", 7, "0.07"),
            ("0.1", 10, "0.10"),
            ("007.5", 750, "7.50"),
            ("9999999.99", 999_999_999, "9999999.99"),
        ] {
            assert_eq!(Price::parse(text), Some(Price(cents)), "{text}");
            assert_eq!(Price(cents).to_string(), written);
        }
        for text in
            ["", ".", "1.", ".5", "-1", "-0", "+1", "1e2", "49.900", "10000000", "1,50", " 1", "1 ", "٣"]
        {
            assert_eq!(Price::parse(text), None, "{text}");
        }
    }
}
