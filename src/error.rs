//! What can go wrong, in the domain's words. Nothing here knows of HTTP: `http::failure` is the one place that turns an
//! [`Error`] into a status and a body.

use std::collections::BTreeMap;

/// The fields of a request that are wrong, each with what is wrong about it.
pub type FieldErrors = BTreeMap<String, Vec<String>>;

/// Shorthand for what rules and stores return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A refusal or a failure.
#[derive(Debug)]
pub enum Error {
    /// There is no such thing, or the caller may not see it: on purpose the same answer.
    NotFound,
    /// Fields whose value is not acceptable.
    Invalid(FieldErrors),
    /// The ticket is locked: nobody but an administrator may write to it.
    TicketLocked,
    /// The customer is blocked and neither opens tickets nor replies.
    CustomerBlocked,
    /// The customer has opened as many tickets today as the setting allows; seconds until tomorrow.
    CustomerTicketLimit(u64),
    /// The caller sent the version it last saw, and the ticket has moved on since.
    PreconditionFailed,
    /// The first request with this idempotency key is still running.
    IdempotencyInProgress,
    /// This idempotency key was used with another body.
    IdempotencyKeyReused,
    /// The key lacks the right to do this.
    ForbiddenScope,
    /// More work is waiting than can be done soon.
    Overloaded,
    /// The server is going down.
    ShuttingDown,
    /// The database is served read-only.
    ReadOnly,
    /// The disk is full.
    StorageFull,
    /// Our fault. The text is for the log and never for a client.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

impl Error {
    /// One field is wrong.
    pub fn field(name: &str, message: impl Into<String>) -> Self {
        Self::Invalid(BTreeMap::from([(name.to_owned(), vec![message.into()])]))
    }

    /// Our fault, told in a sentence for the log.
    pub fn internal(message: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(message.into())
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = match self {
            Self::NotFound => "not found",
            Self::Invalid(fields) => {
                let mut first = true;
                for (name, messages) in fields {
                    write!(f, "{}{name}: {}", if first { "" } else { "; " }, messages.join(", "))?;
                    first = false;
                }
                return Ok(());
            }
            Self::TicketLocked => "the ticket is locked",
            Self::CustomerBlocked => "the customer is blocked",
            Self::CustomerTicketLimit(_) => "the customer has opened too many tickets today",
            Self::PreconditionFailed => "the ticket has changed",
            Self::IdempotencyInProgress => "the first request with this idempotency key is still running",
            Self::IdempotencyKeyReused => "this idempotency key was used with another body",
            Self::ForbiddenScope => "forbidden scope",
            Self::Overloaded => "the database is busy, try again",
            Self::ShuttingDown => "the server is shutting down",
            Self::ReadOnly => "the database is read-only",
            Self::StorageFull => "the disk is full",
            Self::Internal(source) => return write!(f, "{source}"),
        };
        f.write_str(text)
    }
}

impl std::error::Error for Error {}

/// Collects wrong fields, so that an answer can name all of them.
#[derive(Debug, Default)]
pub struct Check(FieldErrors);

impl Check {
    /// How many messages a field gets. More help nobody, and a long list of wrong words would be answered with one many
    /// times as long.
    const MOST: usize = 20;

    /// Notes that a field is wrong.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        let messages = self.0.entry(field.to_owned()).or_default();
        if messages.len() < Self::MOST {
            messages.push(message.into());
        }
    }

    /// Everything that was noted, a field and a message each.
    pub fn into_messages(self) -> impl Iterator<Item = (String, String)> {
        self.0
            .into_iter()
            .flat_map(|(name, messages)| messages.into_iter().map(move |text| (name.clone(), text)))
    }

    /// Refuses if anything was noted.
    pub fn finish(self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Invalid(self.0)) }
    }
}
