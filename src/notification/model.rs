//! What a notification is.

use poem_openapi::Object;
use serde::Serialize;

use crate::time::Timestamp;
use crate::words;

words! {
    /// What an agent is told about.
    NotificationType {
        /// A customer replied.
        Reply = "ticket_reply",
        /// The agent was put on a ticket.
        Assigned = "ticket_assigned",
        /// A ticket's status changed.
        Status = "ticket_status",
        /// Somebody left an internal note.
        Note = "ticket_note",
    }
}

impl NotificationType {
    /// The title and the message, made of the ticket's reference and the sender's name.
    pub fn words(self, reference: &str, sender: &str) -> (String, String) {
        match self {
            Self::Reply => (format!("New reply on {reference}"), format!("{sender} replied to your ticket")),
            Self::Assigned => (format!("{reference} is yours"), format!("{sender} put you on the ticket")),
            Self::Status => {
                (format!("Status of {reference} changed"), format!("{sender} changed the ticket's status"))
            }
            Self::Note => (format!("New note on {reference}"), format!("{sender} left an internal note")),
        }
    }
}

/// What an agent is told.
#[derive(Debug, Object)]
pub struct Notification {
    /// The notification's id.
    #[oai(validator(minimum(value = "1")))]
    pub id: i64,
    /// What it is about.
    #[oai(rename = "type")]
    pub kind: NotificationType,
    /// A line for a list.
    pub title: String,
    /// A sentence.
    pub message: String,
    /// The ticket.
    #[oai(validator(minimum(value = "1")))]
    pub ticket_id: i64,
    /// Who caused it.
    pub sender_name: Option<String>,
    /// The sender's picture.
    pub sender_avatar: Option<String>,
    /// Whether the agent has read it.
    pub is_read: bool,
    /// When it happened.
    pub created_at: Timestamp,
}

/// How many notifications are unread.
#[derive(Debug, Object, Serialize)]
pub struct UnreadCount {
    /// The number of unread notifications.
    #[oai(validator(minimum(value = "0")))]
    pub unread_count: i64,
}

/// How many notifications were marked.
#[derive(Debug, Object, Serialize)]
pub struct Marked {
    /// The number of notifications that were unread and now are read.
    #[oai(validator(minimum(value = "0")))]
    pub marked: i64,
}
