//! What an agent is, to itself and to the command line.

use std::borrow::Cow;

use poem_openapi::Object;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{MaybeUndefined, ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::scalar::{Locale, Name, Text};
use crate::time::Timestamp;

/// The agent that a key speaks for, as it sees itself.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Profile {
    /// The agent's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The agent's name, shown to customers.
    pub name: String,
    /// The agent's e-mail address.
    pub email: String,
    /// A telephone number.
    pub phone: Option<String>,
    /// The agent's language, a BCP 47 tag.
    pub locale: Option<String>,
    /// Where the agent's picture is.
    pub avatar_url: Option<String>,
    /// What the agent wants to be told: stored whole. A boolean `false` under `ticket_reply`, `ticket_assigned`,
    /// `ticket_status` or `ticket_note` mutes that type; everything else in it is the client's own.
    pub notification_settings: NotificationSettings,
    /// Whether the agent is active. An inactive agent's keys open nothing, so this is always true here.
    pub is_active: bool,
    /// When the agent was created.
    pub created_at: Timestamp,
}

/// What an agent changes about itself. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct ProfilePatch {
    /// A new name.
    pub name: Option<Name>,
    /// A new telephone number; null clears it.
    #[oai(nullable)]
    pub phone: MaybeUndefined<Text<0, 50>>,
    /// A new language, a well-formed BCP 47 tag; null clears it.
    #[oai(nullable)]
    pub locale: MaybeUndefined<Locale>,
    /// New notification settings, replacing the old ones whole: an object of at most 16 KiB. An empty array is taken as
    /// an empty object.
    pub notification_settings: Option<NotificationSettings>,
}

/// A JSON object of the client's own.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub struct NotificationSettings(pub Box<RawValue>);

impl NotificationSettings {
    /// How many bytes it may have, written without spaces.
    pub const MOST: usize = 16 * 1024;

    /// The settings as JSON text.
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl Type for NotificationSettings {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "NotificationSettings".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let object = MetaSchema {
            additional_properties: Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::ANY)))),
            ..MetaSchema::new("object")
        };
        let array = MetaSchema {
            items: Some(Box::new(MetaSchemaRef::Inline(Box::new(MetaSchema::ANY)))),
            max_items: Some(0),
            ..MetaSchema::new("array")
        };
        let one = |schema| MetaSchemaRef::Inline(Box::new(schema));
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            any_of: vec![one(object), one(array)],
            example: Some(json!({ "ticket_note": false })),
            ..MetaSchema::ANY
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromJSON for NotificationSettings {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        let value = match value.unwrap_or_default() {
            Value::Array(items) if items.is_empty() => json!({}),
            value => value,
        };
        serde_json::value::to_raw_value(&value).map(Self).map_err(ParseError::custom)
    }
}

impl ToJSON for NotificationSettings {
    fn to_json(&self) -> Option<Value> {
        serde_json::from_str(self.0.get()).ok()
    }
}

/// An agent to be created. The password is hashed before it gets here.
#[derive(Debug)]
pub struct NewAgent {
    /// The name, 1 to 250 characters.
    pub name: String,
    /// The e-mail address.
    pub email: String,
    /// argon2id in PHC format; none: signs in with keys only.
    pub password_hash: Option<String>,
}

/// An agent as the command line lists it.
#[derive(Debug)]
pub struct Listed {
    /// Its id.
    pub id: i64,
    /// Its name.
    pub name: String,
    /// Its e-mail address.
    pub email: String,
    /// Whether it is active.
    pub is_active: bool,
}
