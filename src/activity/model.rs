//! Who does things, and what is told of it.

use std::borrow::Cow;

use poem_openapi::Object;
use poem_openapi::registry::{MetaSchema, MetaSchemaRef};
use poem_openapi::types::{ParseError, ParseFromJSON, ParseResult, ToJSON, Type};
use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::scalar::Moment;
use crate::time::Timestamp;
use crate::words;

words! {
    /// What kind of someone changed something.
    ActorType {
        /// An agent, with an external key.
        Agent = "agent",
        /// An administrator's program, with an internal key.
        User = "user",
        /// The desk itself, by one of its rules.
        System = "system",
        /// Somebody at the command line.
        Cli = "cli",
    }
}

/// Who changed something.
#[derive(Clone, Debug)]
pub struct Actor {
    /// What kind of someone.
    pub kind: ActorType,
    /// The agent's id, or the internal key's.
    pub id: Option<i64>,
    /// The agent's name, or the key's.
    pub name: String,
    /// The address it came from.
    pub ip: Option<String>,
}

impl Actor {
    /// Somebody at the command line.
    pub fn cli() -> Self {
        Self { kind: ActorType::Cli, id: None, name: "Command line".into(), ip: None }
    }

    /// The desk itself.
    pub fn system() -> Self {
        Self { kind: ActorType::System, id: None, name: "System".into(), ip: None }
    }

    /// The agent's id, if it is an agent.
    pub fn agent_id(&self) -> Option<i64> {
        if self.kind == ActorType::Agent { self.id } else { None }
    }
}

/// An entry of the activity log.
#[derive(Debug, Object, Serialize)]
pub struct ActivityLog {
    /// The entry's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// What happened: a noun and a verb.
    pub action: String,
    /// What happened, in a sentence. Never holds the text of a ticket or a message.
    pub description: String,
    /// Who did it.
    pub actor: ActivityActor,
    /// What it happened to, which may be gone since.
    pub subject: ActivitySubject,
    /// The ticket it belongs to, which may be gone since; null for none.
    #[oai(validator(minimum(value = "1")))]
    pub ticket_id: Option<i64>,
    /// Which fields changed, each from what to what. Of a long text only its length is told, of a password nothing.
    pub changes: Recorded,
    /// The address the request came from; null for none.
    pub ip_address: Option<String>,
    /// When it happened.
    pub created_at: Timestamp,
}

/// Who did something.
#[derive(Debug, Object, Serialize)]
pub struct ActivityActor {
    /// What kind of someone.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub kind: ActorType,
    /// The agent's id, or the internal key's; null for the system and the command line.
    #[oai(validator(minimum(value = "1")))]
    pub id: Option<i64>,
    /// The agent's name, or the key's, as it was then.
    pub name: String,
}

/// What something happened to.
#[derive(Debug, Object, Serialize)]
pub struct ActivitySubject {
    /// What kind of thing it is.
    #[serde(rename = "type")]
    #[oai(rename = "type")]
    pub kind: String,
    /// Its id; null for what there is only one of, such as the settings.
    #[oai(validator(minimum(value = "1")))]
    pub id: Option<i64>,
}

/// Which entries a list shows.
#[derive(Debug, Default)]
pub struct Filter {
    /// Only of this ticket.
    pub ticket_id: Option<i64>,
    /// Only what this agent did.
    pub agent_id: Option<i64>,
    /// Only from then on.
    pub from: Option<Moment>,
    /// Only until then, it included.
    pub to: Option<Moment>,
}

impl Filter {
    /// Whether every entry is shown.
    pub fn is_empty(&self) -> bool {
        self.ticket_id.is_none() && self.agent_id.is_none() && self.from.is_none() && self.to.is_none()
    }
}

/// The changes of an entry, given again as they were written.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub struct Recorded(pub Box<RawValue>);

impl Type for Recorded {
    const IS_REQUIRED: bool = true;
    type RawValueType = Self;
    type RawElementValueType = Self;

    fn name() -> Cow<'static, str> {
        "Recorded".into()
    }

    fn schema_ref() -> MetaSchemaRef {
        let any = |description| {
            MetaSchemaRef::Inline(Box::new(MetaSchema { description: Some(description), ..MetaSchema::ANY }))
        };
        let change = MetaSchema {
            properties: vec![("from", any("What it was.")), ("to", any("What it is now."))],
            required: vec!["from", "to"],
            ..MetaSchema::new("object")
        };
        MetaSchemaRef::Inline(Box::new(MetaSchema {
            additional_properties: Some(Box::new(MetaSchemaRef::Inline(Box::new(change)))),
            example: Some(json!({ "status": { "from": "open", "to": "closed" } })),
            ..MetaSchema::new("object")
        }))
    }

    fn as_raw_value(&self) -> Option<&Self> {
        Some(self)
    }

    fn raw_element_iter<'a>(&'a self) -> Box<dyn Iterator<Item = &'a Self> + 'a> {
        Box::new(self.as_raw_value().into_iter())
    }
}

impl ParseFromJSON for Recorded {
    fn parse_from_json(value: Option<Value>) -> ParseResult<Self> {
        serde_json::value::to_raw_value(&value).map(Self).map_err(ParseError::custom)
    }
}

impl ToJSON for Recorded {
    fn to_json(&self) -> Option<Value> {
        serde_json::from_str(self.0.get()).ok()
    }
}
