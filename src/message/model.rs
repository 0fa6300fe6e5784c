//! What a message is.

use poem_openapi::{Enum, Object};
use serde::Serialize;

use crate::scalar::{Content, Id};
use crate::time::Timestamp;
use crate::words;

words! {
    /// What kind of someone wrote a message.
    SenderType {
        /// An agent.
        Agent = "agent",
        /// The ticket's customer.
        Customer = "customer",
        /// An administrator's program; the name is its key's.
        User = "user",
        /// The desk itself.
        System = "system",
    }
}

/// Who wrote a message.
#[derive(Debug, Object)]
#[oai(rename = "MessageSender")]
pub struct Sender {
    /// What kind of someone.
    #[oai(rename = "type")]
    pub kind: SenderType,
    /// The agent's, the customer's or the key's id; null for the system.
    #[oai(validator(minimum(value = "1")))]
    pub id: Option<i64>,
    /// The name, as it is now.
    pub name: String,
    /// The agent's picture.
    pub avatar_url: Option<String>,
}

/// A message under a ticket.
#[derive(Debug, Object)]
pub struct Message {
    /// The message's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// The ticket's id.
    #[oai(validator(minimum(value = "1")))]
    pub ticket_id: i64,
    /// The text.
    pub content: String,
    /// Whether it is a note that customers never see.
    pub is_internal: bool,
    /// Who wrote it.
    pub sender: Sender,
    /// How many agents like it.
    #[oai(validator(minimum(value = "0")))]
    pub likes_count: i64,
    /// Whether you do.
    pub liked: bool,
    /// When it was written.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A message to be written.
#[derive(Debug, Object)]
pub struct NewMessage {
    /// The text, 1 to 100,000 characters.
    pub content: Content,
    /// Whether it is a note that customers never see; false when absent.
    pub is_internal: Option<bool>,
}

/// A message to be written for the desk, or for the ticket's customer.
#[derive(Debug, Object)]
pub struct AdminNewMessage {
    /// The text, 1 to 100,000 characters.
    pub content: Content,
    /// Whether it is a note that customers never see; false when absent. A customer's message cannot be one.
    pub is_internal: Option<bool>,
    /// The ticket's customer, who then is the sender. Absent: your key is.
    pub customer_id: Option<Id>,
}

/// Whether a message is liked, and by how many.
#[derive(Debug, Object, Serialize)]
pub struct Like {
    /// Whether you like it now.
    pub liked: bool,
    /// How many agents do.
    #[oai(validator(minimum(value = "0")))]
    pub count: i64,
}

/// Which way a conversation is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Order {
    /// Oldest first.
    #[oai(rename = "asc")]
    Asc,
    /// Newest first.
    #[oai(rename = "desc")]
    Desc,
}
