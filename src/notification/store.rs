//! Notifications in the database.

use rusqlite::{Row, params};

use super::Sender;
use super::model::{Notification, NotificationType};
use crate::db::{
    FromRow, Ids, Page, Paging, Tx, WriteRow, all_written, execute, first, text, text_or_null, word,
};
use crate::error::Result;
use crate::time::Timestamp;
use crate::written;
use crate::written::{At, Perhaps, Writing, Written};

impl WriteRow for Notification {
    const ROOM: usize = 400;

    fn write_row(row: &Row<'_>, thing: &mut Writing<'_, Self>) -> Result<()> {
        written!(thing: Notification, {
            id: row.get::<_, i64>(0)?,
            kind = "type": word(row, 1, NotificationType::from_word)?,
            title: text(row, 2)?,
            message: text(row, 3)?,
            ticket_id: row.get::<_, i64>(4)?,
            sender_name: Perhaps(text_or_null(row, 5)?.as_ref()),
            sender_avatar: Perhaps(text_or_null(row, 6)?.as_ref()),
            is_read: row.get::<_, bool>(7)?,
            created_at: At(Timestamp(row.get(8)?)),
        });
        Ok(())
    }
}

/// How many notifications an agent has: in all, unread.
///
/// # Errors
/// What SQLite says.
pub fn count(tx: &Tx<'_>, agent_id: i64) -> Result<(i64, i64)> {
    struct Count(i64, i64);
    impl FromRow for Count {
        fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
            Ok(Self(row.get(0)?, row.get(1)?))
        }
    }
    let found =
        first::<Count>(tx, "SELECT total, unread FROM notification_count WHERE agent_id = ?", [agent_id])?;
    Ok(found.map_or((0, 0), |count| (count.0, count.1)))
}

/// A page of an agent's notifications, newest first.
///
/// # Errors
/// What SQLite says.
pub fn list(
    tx: &Tx<'_>,
    agent_id: i64,
    only_unread: bool,
    paging: Paging,
) -> Result<Page<Written<Vec<Notification>>>> {
    let (total, unread) = count(tx, agent_id)?;
    // Two statements, because only with the condition written out does SQLite use the index of unread ones.
    let sql = if only_unread {
        "SELECT id, type, title, message, ticket_id, sender_name, sender_avatar, is_read, created_at
         FROM notification WHERE agent_id = ? AND is_read = 0 ORDER BY id DESC LIMIT ? OFFSET ?"
    } else {
        "SELECT id, type, title, message, ticket_id, sender_name, sender_avatar, is_read, created_at
         FROM notification WHERE agent_id = ? ORDER BY id DESC LIMIT ? OFFSET ?"
    };
    Page::read(paging, if only_unread { unread } else { total }, || {
        all_written(tx, sql, params![agent_id, paging.per_page, paging.offset()])
    })
}

/// Marks one of an agent's notifications as read and returns it.
///
/// # Errors
/// What SQLite says.
pub fn mark_read(tx: &Tx<'_>, agent_id: i64, id: i64) -> Result<Option<Written<Notification>>> {
    first(
        tx,
        "UPDATE notification SET is_read = 1 WHERE id = ? AND agent_id = ?
         RETURNING id, type, title, message, ticket_id, sender_name, sender_avatar, is_read, created_at",
        [id, agent_id],
    )
}

/// Marks all of an agent's notifications as read and says how many were not.
///
/// # Errors
/// What SQLite says.
pub fn mark_all_read(tx: &Tx<'_>, agent_id: i64) -> Result<i64> {
    let marked = tx
        .conn
        .prepare_cached("UPDATE notification SET is_read = 1 WHERE agent_id = ? AND is_read = 0")?
        .execute([agent_id])?;
    Ok(i64::try_from(marked).unwrap_or(i64::MAX))
}

/// The start of telling the active agents on a ticket, but for the sender and those who have muted the type; what follows
/// says which of them.
macro_rules! tell {
    ($which:literal) => {
        concat!(
            "INSERT INTO notification (agent_id, type, title, message, ticket_id, sender_name, sender_avatar, created_at)
             SELECT a.id, ?2, ?3, ?4, ?1, ?5, ?6, ?7
             FROM ticket_agent ta JOIN agent a ON a.id = ta.agent_id
             WHERE ta.ticket_id = ?1 AND a.is_active AND a.deleted_at IS NULL AND a.id IS NOT ?8
               AND json_type(a.notification_settings, '$.' || ?2) IS NOT 'false' ",
            $which,
            " ORDER BY a.id"
        )
    };
}

/// Tells every active agent on a ticket but the sender, unless it has muted the type.
///
/// # Errors
/// What SQLite says.
pub fn insert_for_all(
    tx: &Tx<'_>,
    ticket_id: i64,
    kind: NotificationType,
    sender: &Sender<'_>,
    title: &str,
    message: &str,
) -> Result<()> {
    let (name, avatar) = (sender.name, sender.avatar_url);
    let values = params![ticket_id, kind.as_str(), title, message, name, avatar, tx.now.0, sender.agent_id];
    execute(tx, tell!(""), values)?;
    Ok(())
}

/// Tells those of these agents who are on a ticket, are active and have not muted it that they were put on it.
///
/// # Errors
/// What SQLite says.
pub fn insert_for_some(
    tx: &Tx<'_>,
    ticket_id: i64,
    agents: &[i64],
    sender: &Sender<'_>,
    title: &str,
    message: &str,
) -> Result<()> {
    let (kind, name, avatar) = (NotificationType::Assigned.as_str(), sender.name, sender.avatar_url);
    let agents = Ids::from(agents.iter().copied());
    let values = params![ticket_id, kind, title, message, name, avatar, tx.now.0, sender.agent_id, agents];
    execute(tx, tell!("AND a.id IN rarray(?9)"), values)?;
    Ok(())
}

/// Deletes what agents were told about a ticket that they are no longer on.
///
/// # Errors
/// What SQLite says.
pub fn delete_for(tx: &Tx<'_>, ticket_id: i64, agents: &[i64]) -> Result<()> {
    let agents = Ids::from(agents.iter().copied());
    let sql = "DELETE FROM notification WHERE ticket_id = ? AND agent_id IN rarray(?)";
    execute(tx, sql, params![ticket_id, agents])?;
    Ok(())
}
