//! What an agent is, to itself and to administrators.

use std::borrow::Cow;

use poem_openapi::Object;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{MaybeUndefined, ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::scalar::{Email, Id, Locale, Name, Password, Text, WebAddress};
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

/// An agent.
#[derive(Clone, Debug, Object, Serialize)]
pub struct Agent {
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
    /// Whether the agent's keys open anything.
    pub is_active: bool,
    /// The ids of the departments the agent works in, sorted.
    pub departments: Vec<i64>,
    /// When the agent was created.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl Agent {
    /// A new active agent of whom no more is known, still without an id and times.
    pub fn named(name: String, email: String) -> Self {
        Self {
            id: 0,
            name,
            email,
            phone: None,
            locale: None,
            avatar_url: None,
            is_active: true,
            departments: vec![],
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
        }
    }
}

/// An agent to be created.
#[derive(Debug, Object)]
pub struct NewAgent {
    /// The agent's name, shown to customers; 1 to 250 characters.
    pub name: Name,
    /// The agent's e-mail address, unique among agents, case ignored; at most 254 characters.
    pub email: Email,
    /// A password of 8 to 128 characters. Kept as an argon2id hash and never shown. Nothing signs in with it yet.
    #[oai(write_only)]
    pub password: Password,
    /// A telephone number, at most 50 characters.
    #[oai(nullable)]
    pub phone: MaybeUndefined<Text<0, 50>>,
    /// The agent's language, a well-formed BCP 47 tag of at most ten characters.
    #[oai(nullable)]
    pub locale: MaybeUndefined<Locale>,
    /// Where the agent's picture is: an `http` or `https` address of at most 2,000 characters.
    #[oai(nullable)]
    pub avatar_url: MaybeUndefined<WebAddress>,
    /// Whether the agent's keys open anything; true when absent.
    pub is_active: Option<bool>,
    /// The ids of the departments the agent works in; a repeated id counts once. None when absent.
    pub departments: Option<Vec<Id>>,
}

/// What is to change about an agent. Absent fields stay as they are.
#[derive(Debug, Object)]
pub struct AgentPatch {
    /// A new name, 1 to 250 characters.
    pub name: Option<Name>,
    /// A new e-mail address, unique among agents, case ignored; at most 254 characters.
    pub email: Option<Email>,
    /// A new password of 8 to 128 characters. Counts as a change even if it is the old one.
    #[oai(write_only)]
    pub password: Option<Password>,
    /// A new telephone number, at most 50 characters; null clears it.
    #[oai(nullable)]
    pub phone: MaybeUndefined<Text<0, 50>>,
    /// A new language, a well-formed BCP 47 tag of at most ten characters; null clears it.
    #[oai(nullable)]
    pub locale: MaybeUndefined<Locale>,
    /// Where the agent's new picture is: an `http` or `https` address of at most 2,000 characters; null clears it.
    #[oai(nullable)]
    pub avatar_url: MaybeUndefined<WebAddress>,
    /// Whether the agent's keys open anything, from the next request on.
    pub is_active: Option<bool>,
    /// The ids of the departments the agent works in, replacing the old ones; a repeated id counts once.
    pub departments: Option<Vec<Id>>,
}

/// Which agents a list shows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Filter {
    /// Only those who work in this department.
    pub department_id: Option<i64>,
    /// Only those who are active, or are not.
    pub is_active: Option<bool>,
}
