//! The scalars of the API: strings and numbers with a meaning. Each is at once Rust type, JSON and OpenAPI schema, and its
//! schema is what requests are checked against (`http::shape`), so the document and the check cannot differ.

use std::borrow::Cow;

use jiff::tz::TimeZone;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseFromParameter, ParseResult, ToJSON, Type};
use serde::Serialize;
use serde_json::Value;

use crate::time::{SECOND, Timestamp};

/// Text without control characters other than tab, line feed and carriage return.
const TEXT: &str = r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F]*$";
/// The same with at least one character that is not blank.
const FILLED: &str = concat!(
    r"^[^\u0000-\u0008\u000B\u000C\u000E-\u001F]*",
    r"[^\s\u0000-\u0020\u0085\u180E\u200B\u2028\u2029\u2060\uFEFF]",
    r"[^\u0000-\u0008\u000B\u000C\u000E-\u001F]*$"
);
/// A well-formed language tag, RFC 5646 section 2.1 (the grandfathered tags that fit ten characters included).
const LANGUAGE: &str = concat!(
    r"^(([A-Za-z]{2,3}(-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?",
    r"(-([A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*(-[0-9A-WY-Za-wy-z](-[A-Za-z0-9]{2,8})+)*(-[xX](-[A-Za-z0-9]{1,8})+)?",
    r"|[xX](-[A-Za-z0-9]{1,8})+|[iI]-([aA][mM][iI]|[bB][nN][nN]|[hH][aA][kK]|[lL][uU][xX]|[pP][wW][nN]|[tT][aA][oO]",
    r"|[tT][aA][yY]|[tT][sS][uU]|[nN][aA][vV][aA][jJ][oO]|[mM][iI][nN][gG][oO]|[kK][lL][iI][nN][gG][oO][nN]))$"
);
/// A search: one to ten words, two characters at least, no control characters.
const SEARCH: &str = concat!(
    r"^\s*([^\s\u0000-\u001F][^\s\u0000-\u001F]+(\s+[^\s\u0000-\u001F]+){0,9}",
    r"|[^\s\u0000-\u001F]+(\s+[^\s\u0000-\u001F]+){1,9})\s*$"
);
/// What an Idempotency-Key may hold: printable ASCII.
const PRINTABLE: &str = r"^[ -~]+$";

/// Makes a string type with a schema of its own.
macro_rules! string_scalar {
    ($(#[$doc:meta])* $name:ident $(<$(const $g:ident : usize),+>)?, $schema:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Serialize)]
        #[serde(transparent)]
        pub struct $name $(<$(const $g: usize),+>)? (pub String);

        impl $(<$(const $g: usize),+>)? Type for $name $(<$($g),+>)? {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;
            fn name() -> Cow<'static, str> { "string".into() }
            fn schema_ref() -> MetaSchemaRef { MetaSchemaRef::Inline(Box::new($schema)) }
            fn as_raw_value(&self) -> Option<&Self> { Some(self) }
            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }

        impl $(<$(const $g: usize),+>)? ParseFromJSON for $name $(<$($g),+>)? {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                match value {
                    Some(Value::String(text)) => Ok(Self(text)),
                    other => Err(ParseError::expected_type(other.unwrap_or_default())),
                }
            }
        }

        impl $(<$(const $g: usize),+>)? ParseFromParameter for $name $(<$($g),+>)? {
            fn parse_from_parameter(value: &str) -> ParseResult<Self> { Ok(Self(value.to_owned())) }
        }

        impl $(<$(const $g: usize),+>)? From<$name $(<$($g),+>)?> for String {
            fn from(text: $name $(<$($g),+>)?) -> Self { text.0 }
        }

        impl $(<$(const $g: usize),+>)? ToJSON for $name $(<$($g),+>)? {
            fn to_json(&self) -> Option<Value> { Some(Value::String(self.0.clone())) }
        }
    };
}

fn string(pattern: &str, min: usize, max: usize) -> MetaSchema {
    MetaSchema {
        min_length: (min > 0).then_some(min),
        max_length: Some(max),
        pattern: Some(pattern.to_owned()),
        ..MetaSchema::new("string")
    }
}

string_scalar!(
    /// Text of `MIN` to `MAX` Unicode characters. With a `MIN` above 0 it must hold a character that is not blank. Control
    /// characters are refused, but for tab, line feed and carriage return.
    Text<const MIN: usize, const MAX: usize>,
    string(if MIN > 0 { FILLED } else { TEXT }, MIN, MAX)
);

/// An e-mail address: what HTML's e-mail input takes, letters of any script included.
/// <https://html.spec.whatwg.org/multipage/input.html#valid-e-mail-address>
const EMAIL: &str = concat!(
    r"^[^\u0000-\u0020@<>(),;:\\\[\]\u0022\u007F-\u00A0\u2000-\u200F\u2028-\u202F\u3000\uFEFF]+",
    r"@[^\u0000-\u002C\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00A0\u2000-\u200F\u2028-\u202F\u3000\uFEFF]+$"
);

string_scalar!(
    /// An e-mail address of at most 254 characters.
    Email,
    MetaSchema { example: Some("agent.smith@desk.example".into()), ..string(EMAIL, 3, 254) }
);

string_scalar!(
    /// A well-formed BCP 47 language tag of at most ten characters, such as `en` or `pt-BR`.
    Locale,
    MetaSchema { example: Some("pt-BR".into()), ..string(LANGUAGE, 1, 10) }
);

string_scalar!(
    /// What to search for: 2 to 200 characters after trimming, at most ten words, matched as they are written.
    SearchText,
    MetaSchema { format: Some("search"), example: Some("password reset".into()), ..string(SEARCH, 2, 200) }
);

string_scalar!(
    /// A client's own name for a request: 1 to 255 printable ASCII characters.
    OnceKey,
    MetaSchema { example: Some("reply-42-8f14e45f".into()), ..string(PRINTABLE, 1, 255) }
);

/// A colour as CSS writes it, three or six hexadecimal digits.
const COLOR: &str = "^#([0-9A-Fa-f]{3}|[0-9A-Fa-f]{6})$";

string_scalar!(
    /// A colour, `#rgb` or `#rrggbb`, kept as it was sent.
    Color,
    MetaSchema { example: Some("#e74c3c".into()), ..string(COLOR, 4, 7) }
);

string_scalar!(
    /// A password of 8 to 128 characters, kept as a hash only. `http::gate` knows it by its format and keeps it out of
    /// fingerprints.
    Password,
    MetaSchema {
        format: Some("password"),
        example: Some("correct horse battery staple".into()),
        ..string(FILLED, 8, 128)
    }
);

/// An address on the web, as far as it can be told by looking.
const WEB: &str = r"^https?://[^\s\u0000-\u0020\u007F]+$";

string_scalar!(
    /// An address on the web, `http` or `https`, of at most 2,000 characters.
    WebAddress,
    MetaSchema { example: Some("https://desk.example/avatars/smith.png".into()), ..string(WEB, 1, 2000) }
);

string_scalar!(
    /// A moment or a whole day: an RFC 3339 date-time or a date.
    Moment,
    MetaSchema {
        format: Some("date-or-date-time"),
        example: Some("2026-03-01".into()),
        ..string(FILLED, 10, 64)
    }
);

impl Moment {
    /// The first moment of it; a day is one of the given zone.
    pub fn start(&self, zone: &TimeZone) -> Timestamp {
        match self.0.parse::<jiff::civil::Date>() {
            Ok(day) if !self.is_a_time() => Timestamp::start_of(day, zone),
            _ => Timestamp::parse(&self.0).unwrap_or(Timestamp::LAST),
        }
    }

    /// The first moment after it: the next day, or the next whole second.
    pub fn end(&self, zone: &TimeZone) -> Timestamp {
        match self.0.parse::<jiff::civil::Date>() {
            Ok(day) if !self.is_a_time() => {
                day.tomorrow().map_or(Timestamp::LAST, |next| Timestamp::start_of(next, zone))
            }
            _ => Timestamp((self.start(zone).0.div_euclid(SECOND) + 1) * SECOND),
        }
    }

    fn is_a_time(&self) -> bool {
        self.0.contains(['T', 't'])
    }
}

/// No space of any kind, no control character, nothing that is not seen.
const UNBROKEN: &str =
    r"^[^\s\u0000-\u0020\u007F-\u00A0\u180E\u200B-\u200F\u2028-\u202F\u2060\u3000\uFEFF]*$";

string_scalar!(
    /// What stands before the number in a ticket's reference: at most ten characters, no spaces, no control characters.
    TicketPrefix,
    MetaSchema { example: Some("#".into()), ..string(UNBROKEN, 0, 10) }
);

string_scalar!(
    /// The name of a time zone in the IANA database, such as `Europe/Berlin`; case does not matter.
    TimeZoneName,
    MetaSchema { format: Some("time-zone"), example: Some("Europe/Berlin".into()), ..string(FILLED, 1, 100) }
);

/// What stands in an address without being escaped, beginning with a letter or a digit.
const SLUG: &str = "^[A-Za-z0-9][A-Za-z0-9._~-]*$";

string_scalar!(
    /// A name in the address bar: 1 to 250 ASCII letters, digits, `-`, `.`, `_` and `~`, a letter or a digit first.
    Slug,
    MetaSchema { example: Some("how-to-reset-your-password".into()), ..string(SLUG, 1, 250) }
);

/// Text that must be there: a name, a title.
pub type Name = Text<1, 250>;
/// A sentence or two that say what something is for; may be empty.
pub type Description = Text<0, 1000>;
/// The content of a message, a ticket, an article.
pub type Content = Text<1, 100_000>;

/// Makes an integer type with limits of its own.
macro_rules! integer_scalar {
    ($(#[$doc:meta])* $name:ident, $schema:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl Type for $name {
            const IS_REQUIRED: bool = true;
            type RawValueType = Self;
            type RawElementValueType = Self;
            fn name() -> Cow<'static, str> { "integer_int64".into() }
            fn schema_ref() -> MetaSchemaRef { MetaSchemaRef::Inline(Box::new($schema)) }
            fn as_raw_value(&self) -> Option<&Self> { Some(self) }
            fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
                Box::new(self.as_raw_value().into_iter())
            }
        }

        impl ParseFromJSON for $name {
            fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
                let value = value.unwrap_or_default();
                value.as_i64().map(Self).ok_or_else(|| ParseError::expected_type(value))
            }
        }

        impl ParseFromParameter for $name {
            fn parse_from_parameter(value: &str) -> ParseResult<Self> {
                value.parse().map(Self).map_err(ParseError::custom)
            }
        }

        impl From<$name> for i64 {
            fn from(number: $name) -> Self { number.0 }
        }

        impl ToJSON for $name {
            fn to_json(&self) -> Option<Value> { Some(self.0.into()) }
        }
    };
}

fn integer(min: i32, max: Option<i32>, example: i64) -> MetaSchema {
    MetaSchema {
        minimum: Some(min.into()),
        maximum: max.map(f64::from),
        example: Some(example.into()),
        ..MetaSchema::new_with_format("integer", "int64")
    }
}

integer_scalar!(
    /// The id of something: a positive integer.
    Id,
    integer(1, None, 1)
);

integer_scalar!(
    /// The number of a page, from 1.
    PageNumber,
    MetaSchema { default: Some(1.into()), ..integer(1, None, 1) }
);

integer_scalar!(
    /// How many items a page has, 1 to 200.
    PerPage,
    integer(1, Some(200), 15)
);

integer_scalar!(
    /// A place in a hand-made order, 0 to 2,147,483,647; equal places are sorted by name.
    SortOrder,
    integer(0, Some(i32::MAX), 0)
);

impl Type for Timestamp {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string_date-time".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            example: Some("2026-03-15T14:30:00Z".into()),
            ..MetaSchema::new_with_format("string", "date-time")
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromJSON for Timestamp {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let value = value.unwrap_or_default();
        let text = value.as_str().ok_or_else(|| ParseError::expected_type(value.clone()))?;
        Self::parse(text).ok_or_else(|| ParseError::custom("is no RFC 3339 date-time"))
    }
}

impl ToJSON for Timestamp {
    fn to_json(&self) -> Option<Value> {
        Some(self.to_string().into())
    }
}

/// A calendar day, `2026-03-15`, from the year 0000 to 9999.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub jiff::civil::Date);

impl Type for Date {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "string_date".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            example: Some("2026-03-15".into()),
            ..MetaSchema::new_with_format("string", "date")
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromJSON for Date {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let value = value.unwrap_or_default();
        let text = value.as_str().ok_or_else(|| ParseError::expected_type(value.clone()))?;
        text.parse().map(Self).map_err(ParseError::custom)
    }
}

impl ParseFromParameter for Date {
    fn parse_from_parameter(value: &str) -> ParseResult<Self> {
        value.parse().map(Self).map_err(ParseError::custom)
    }
}

impl ToJSON for Date {
    fn to_json(&self) -> Option<Value> {
        Some(self.0.to_string().into())
    }
}

impl Serialize for Date {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

/// Checks text that did not come through the API against a scalar's schema, as the API would.
pub fn check<T: Type>(text: &str, name: &str, wrong: &mut crate::error::Check) {
    let registry = poem_openapi::registry::Registry::new();
    crate::http::shape::Shape::compile(&registry, &T::schema_ref()).check(&text.into(), name, wrong);
}

/// Makes an enum of the API: its variants in JSON, in the document and in the database are the same words.
#[macro_export]
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, poem_openapi::Enum, serde::Serialize)]
        pub enum $name {
            $($(#[$vdoc])* #[oai(rename = $word)] #[serde(rename = $word)] $variant),+
        }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word for it, in JSON and in the database.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value a word stands for.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Whether something is there for everybody.
    PublicationStatus {
        /// It is.
        Published = "published",
        /// Not yet: what has it already still shows it, and it cannot be newly set.
        Draft = "draft",
    }
}

words! {
    /// How urgent a ticket is, from least to most.
    Priority {
        /// When there is time.
        Low = "low",
        /// As usual.
        Medium = "medium",
        /// Soon.
        High = "high",
        /// Now.
        Critical = "critical",
    }
}
