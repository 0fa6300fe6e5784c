//! Messages in the database.

use rusqlite::{Row, named_params, params};

use super::model::{Like, Message, Order, Sender, SenderType};
use crate::db::{
    FromRow, Page, Paging, Tx, WriteRow, all_written, first, inserted, one, text, text_or_null, word,
};
use crate::error::Result;
use crate::ticket::model::CustomerReference;
use crate::time::Timestamp;
use crate::written;
use crate::written::{At, Perhaps, Writing, Written};

/// A message with its sender and whether agent `:me` likes it; what follows says which. The ticket's customer, who is the
/// customer of nearly every message, is not looked up for each if it is known as `:customer` and `:customer_name`.
macro_rules! messages {
    ($rest:literal) => {
        concat!(
            "SELECT m.id, m.ticket_id, m.content, m.is_internal, m.sender_type,
               coalesce(m.agent_id, m.customer_id, m.api_key_id),
               coalesce(a.name, c.name, k.name, iif(m.customer_id = :customer, :customer_name, 'System')), a.avatar_url,
               m.likes_count,
               m.likes_count > 0 AND EXISTS (SELECT 1 FROM message_like l WHERE l.message_id = m.id AND l.agent_id = :me),
               m.created_at, m.updated_at
             FROM message m LEFT JOIN agent a ON a.id = m.agent_id
               LEFT JOIN customer c ON c.id = nullif(m.customer_id, :customer) LEFT JOIN api_key k ON k.id = m.api_key_id ",
            $rest
        )
    };
}

impl WriteRow for Message {
    const ROOM: usize = 800;

    fn write_row(row: &Row<'_>, thing: &mut Writing<'_, Self>) -> Result<()> {
        let sender = written!(within Sender, {
            kind = "type": word(row, 4, SenderType::from_word)?,
            id: row.get::<_, Option<i64>>(5)?,
            name: text(row, 6)?,
            avatar_url: Perhaps(text_or_null(row, 7)?.as_ref()),
        });
        written!(thing: Message, {
            id: row.get::<_, i64>(0)?,
            ticket_id: row.get::<_, i64>(1)?,
            content: text(row, 2)?,
            is_internal: row.get::<_, bool>(3)?,
            sender: sender,
            likes_count: row.get::<_, i64>(8)?,
            liked: row.get::<_, bool>(9)?,
            created_at: At(Timestamp(row.get(10)?)),
            updated_at: At(Timestamp(row.get(11)?)),
        });
        Ok(())
    }
}

/// A page of the messages of a ticket with this customer, as agent `me` sees them; 0 for nobody in particular.
///
/// # Errors
/// What SQLite says.
pub fn list(
    tx: &Tx<'_>,
    (ticket_id, customer): (i64, &CustomerReference),
    me: i64,
    order: Order,
    paging: Paging,
) -> Result<Page<Written<Vec<Message>>>> {
    let sql = match order {
        Order::Asc => messages!("WHERE m.ticket_id = :ticket ORDER BY m.id LIMIT :limit OFFSET :offset"),
        Order::Desc => {
            messages!("WHERE m.ticket_id = :ticket ORDER BY m.id DESC LIMIT :limit OFFSET :offset")
        }
    };
    Page::read_first(
        paging,
        || {
            all_written(
                tx,
                sql,
                named_params! {
                    ":ticket": ticket_id, ":customer": customer.id, ":customer_name": customer.name, ":me": me,
                    ":limit": paging.per_page, ":offset": paging.offset()
                },
            )
        },
        || one(tx, "SELECT count(*) FROM message WHERE ticket_id = ?", [ticket_id]),
    )
}

/// One message of a ticket, as agent `me` sees it.
///
/// # Errors
/// What SQLite says.
pub fn find(tx: &Tx<'_>, ticket_id: i64, id: i64, me: i64) -> Result<Option<Written<Message>>> {
    first(
        tx,
        messages!("WHERE m.ticket_id = :ticket AND m.id = :id"),
        named_params! { ":ticket": ticket_id, ":id": id, ":me": me },
    )
}

/// Writes a message and returns its id. The sender is an agent, a customer or an internal key, by id.
///
/// # Errors
/// What SQLite says.
pub fn insert(
    tx: &Tx<'_>,
    ticket_id: i64,
    (kind, sender): (SenderType, i64),
    content: &str,
    is_internal: bool,
) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO message (ticket_id, content, is_internal, sender_type, agent_id, customer_id, api_key_id, created_at,
           updated_at)
         VALUES (?1, ?2, ?3, ?4, iif(?4 = 'agent', ?5, NULL), iif(?4 = 'customer', ?5, NULL), iif(?4 = 'user', ?5, NULL),
           ?6, ?6)",
        params![ticket_id, content, is_internal, kind.as_str(), sender, tx.now.0],
    )
}

impl FromRow for Like {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { liked: row.get(0)?, count: row.get(1)? })
    }
}

/// Whether a ticket has this message.
///
/// # Errors
/// What SQLite says.
pub fn is_under(tx: &Tx<'_>, ticket_id: i64, id: i64) -> Result<bool> {
    let found: Option<i64> =
        first(tx, "SELECT id FROM message WHERE ticket_id = ? AND id = ?", [ticket_id, id])?;
    Ok(found.is_some())
}

/// Turns an agent's like of a message round.
///
/// # Errors
/// What SQLite says.
pub fn toggle_like(tx: &Tx<'_>, id: i64, agent_id: i64) -> Result<Like> {
    let taken_back = tx
        .conn
        .prepare_cached("DELETE FROM message_like WHERE message_id = ? AND agent_id = ?")?
        .execute([id, agent_id])?;
    if taken_back == 0 {
        tx.conn
            .prepare_cached("INSERT INTO message_like (message_id, agent_id) VALUES (?, ?)")?
            .execute([id, agent_id])?;
    }
    one(
        tx,
        "SELECT EXISTS (SELECT 1 FROM message_like WHERE message_id = ?1 AND agent_id = ?2), likes_count
         FROM message WHERE id = ?1",
        [id, agent_id],
    )
}
