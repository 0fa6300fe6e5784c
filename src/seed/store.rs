//! Sample data in the database: plain inserts of whole histories, with their times. Only for samples; everything else goes
//! through the nouns' own rules.

use std::path::Path;

use rusqlite::{Connection, Row, params};
use serde_json::json;

use crate::db::open::{self, UNFINISHED};
use crate::db::{FromRow, Tx, first, inserted, one, search, write_beside};
use crate::error::{Error, Result};
use crate::knowledge::{self, model::Article};
use crate::text::fold;
use crate::ticket::model::{Priority, Status};
use crate::time::{Clock, Timestamp};

/// What marks a database as a sample.
#[derive(Debug)]
pub struct Sample {
    /// When its times were last right.
    pub made_at: Timestamp,
    /// The tickets meant to have been closed today, a JSON array of ids.
    pub closed_today: String,
}

impl FromRow for Sample {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { made_at: Timestamp(row.get(0)?), closed_today: row.get(1)? })
    }
}

/// The mark of a sample, if this is one.
///
/// # Errors
/// What SQLite says.
pub fn find_sample(tx: &Tx<'_>) -> Result<Option<Sample>> {
    first(tx, "SELECT made_at, closed_today FROM sample", [])
}

/// Marks the database as a sample.
///
/// # Errors
/// What SQLite says.
pub fn mark_sample(tx: &Tx<'_>, closed_today: &[i64]) -> Result<()> {
    let ids = serde_json::Value::from(closed_today).to_string();
    tx.conn
        .prepare_cached(
            "INSERT INTO sample VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET made_at = excluded.made_at",
        )?
        .execute(params![tx.now.0, ids])?;
    Ok(())
}

/// Whether there is nothing in the database that anybody made.
///
/// # Errors
/// What SQLite says.
pub fn is_empty(tx: &Tx<'_>) -> Result<bool> {
    let there: i64 = one(
        tx,
        "SELECT EXISTS (SELECT 1 FROM agent) OR EXISTS (SELECT 1 FROM customer) OR EXISTS (SELECT 1 FROM ticket)
           OR EXISTS (SELECT 1 FROM department) OR EXISTS (SELECT 1 FROM category) OR EXISTS (SELECT 1 FROM product)
           OR EXISTS (SELECT 1 FROM label) OR EXISTS (SELECT 1 FROM custom_field) OR EXISTS (SELECT 1 FROM canned_response)
           OR EXISTS (SELECT 1 FROM knowledge_category) OR EXISTS (SELECT 1 FROM knowledge_article)
           OR EXISTS (SELECT 1 FROM api_key) OR EXISTS (SELECT 1 FROM sample)",
        [],
    )?;
    Ok(there == 0)
}

/// Moves every time in the database forward, but none past now, and then the closings meant for today into today.
///
/// # Errors
/// What SQLite says.
pub fn shift(tx: &Tx<'_>, sample: &Sample, days: i64, midnight: Timestamp) -> Result<()> {
    const TIMES: [(&str, &[&str]); 14] = [
        ("agent", &["created_at", "updated_at", "last_assigned_at", "deleted_at"]),
        ("customer", &["created_at", "updated_at"]),
        ("api_key", &["created_at", "updated_at", "last_used_at", "revoked_at"]),
        ("department", &["created_at", "updated_at"]),
        ("category", &["created_at", "updated_at"]),
        ("product", &["created_at", "updated_at"]),
        ("label", &["created_at", "updated_at"]),
        ("custom_field", &["created_at", "updated_at"]),
        ("canned_response", &["created_at", "updated_at"]),
        ("knowledge_category", &["created_at", "updated_at"]),
        ("knowledge_article", &["created_at", "updated_at"]),
        ("message", &["created_at", "updated_at"]),
        ("notification", &["created_at"]),
        ("activity", &["created_at"]),
    ];
    let micros = days * crate::time::DAY;
    if micros > 0 {
        let later = |column: &&str| format!("{column} = min({column} + :by, :now)");
        let mut statements: Vec<String> = TIMES
            .iter()
            .map(|(table, columns)| {
                format!("UPDATE {table} SET {}", columns.iter().map(later).collect::<Vec<_>>().join(", "))
            })
            .collect();
        let ticket =
            ["created_at", "updated_at", "last_reply_at", "closed_at"].iter().map(later).collect::<Vec<_>>();
        statements.push(format!("UPDATE ticket SET {}, version = version + 1", ticket.join(", ")));
        statements.push("UPDATE ticket_event SET at = min(at + :by, :now)".into());
        for sql in statements {
            tx.conn.execute(&sql, rusqlite::named_params! { ":by": micros, ":now": tx.now.0 })?;
        }
    }
    let moved = tx.conn.execute(
        "UPDATE ticket SET closed_at = max(?1, ?2 - 60000000 * (id % 30 + 5)), updated_at = max(?1, ?2 - 60000000 * (id % 30 + 5)),
           version = version + 1
         WHERE id IN (SELECT value FROM json_each(?3)) AND status = 'closed' AND closed_at < ?1",
        params![midnight.0, tx.now.0, sample.closed_today],
    )?;
    if moved > 0 {
        tx.conn.execute(
            "UPDATE ticket_event SET at = (SELECT closed_at FROM ticket WHERE id = ticket_id)
             WHERE kind = 'closed' AND ticket_id IN (SELECT value FROM json_each(?1))
               AND (SELECT status FROM ticket WHERE id = ticket_id) = 'closed'",
            params![sample.closed_today],
        )?;
    }
    tx.conn.execute("UPDATE sample SET made_at = made_at + ?", [micros])?;
    Ok(())
}

/// An agent of a sample.
#[derive(Debug)]
pub struct SampleAgent<'a> {
    /// The name.
    pub name: &'a str,
    /// The e-mail address.
    pub email: &'a str,
    /// argon2id in PHC format.
    pub password_hash: Option<&'a str>,
    /// A telephone number.
    pub phone: Option<&'a str>,
    /// A BCP 47 tag.
    pub locale: Option<&'a str>,
    /// Where the picture is.
    pub avatar_url: Option<&'a str>,
}

/// Creates an agent and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert_agent(tx: &Tx<'_>, agent: &SampleAgent<'_>, at: Timestamp) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO agent (name, name_fold, email, email_fold, password_hash, phone, locale, avatar_url, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9)",
        params![
            agent.name,
            fold(agent.name),
            agent.email,
            fold(agent.email),
            agent.password_hash,
            agent.phone,
            agent.locale,
            agent.avatar_url,
            at.0
        ],
    )
}

/// Puts an agent into a department.
///
/// # Errors
/// What SQLite says.
pub fn insert_agent_department(tx: &Tx<'_>, agent_id: i64, department_id: i64) -> Result<()> {
    tx.conn
        .prepare_cached("INSERT INTO agent_department VALUES (?, ?)")?
        .execute([agent_id, department_id])?;
    Ok(())
}

/// Creates a customer and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert_customer(
    tx: &Tx<'_>,
    (name, email, phone): (&str, &str, Option<&str>),
    is_blocked: bool,
    at: Timestamp,
) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO customer (name, name_fold, email, email_fold, phone, is_blocked, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
        params![name, fold(name), email, fold(email), phone, is_blocked, at.0],
    )
}

/// Creates a department and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert_department(
    tx: &Tx<'_>,
    name: &str,
    description: &str,
    email: &str,
    at: Timestamp,
) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO department (name, name_fold, description, email, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![name, fold(name), description, email, at.0],
    )
}

/// Makes a department the default one.
///
/// # Errors
/// What SQLite says.
pub fn set_default_department(tx: &Tx<'_>, id: i64) -> Result<()> {
    tx.conn.prepare_cached("UPDATE setting SET default_department_id = ?")?.execute([id])?;
    Ok(())
}

/// Creates a category and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert_category(
    tx: &Tx<'_>,
    name: &str,
    description: &str,
    parent_id: Option<i64>,
    at: Timestamp,
) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO category (name, name_fold, description, parent_id, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![name, fold(name), description, parent_id, at.0],
    )
}

/// Creates a product, its price in cents, and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert_product(
    tx: &Tx<'_>,
    name: &str,
    envato_id: Option<&str>,
    (description, price_cents): (&str, i64),
    at: Timestamp,
) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO product (name, name_fold, envato_id, description, price_cents, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        params![name, fold(name), envato_id, description, price_cents, at.0],
    )
}

/// Creates a label and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert_label(tx: &Tx<'_>, name: &str, color: &str, status: &str, at: Timestamp) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO label (name, name_fold, color, status, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![name, fold(name), color, status, at.0],
    )
}

/// Creates a custom field and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert_custom_field(
    tx: &Tx<'_>,
    label: &str,
    description: &str,
    (kind, sort_order): (&str, i64),
    at: Timestamp,
) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO custom_field (label, description, type, sort_order, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5)",
        params![label, description, kind, sort_order, at.0],
    )
}

/// A canned response of a sample.
#[derive(Debug, serde::Deserialize)]
pub struct SampleCanned {
    title: String,
    content: String,
    category: Option<String>,
    shortcut: Option<String>,
    is_active: bool,
    sort_order: i64,
}

/// Creates a canned response.
///
/// # Errors
/// What SQLite says.
pub fn insert_canned_response(tx: &Tx<'_>, canned: &SampleCanned, at: Timestamp) -> Result<()> {
    tx.conn
        .prepare_cached(
            "INSERT INTO canned_response (title, title_fold, content, category, shortcut, is_active, sort_order, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?8)",
        )?
        .execute(params![
            canned.title,
            fold(&canned.title),
            canned.content,
            canned.category,
            canned.shortcut,
            canned.is_active,
            canned.sort_order,
            at.0
        ])?;
    Ok(())
}

/// Creates a category of the knowledge base and returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert_knowledge_category(
    tx: &Tx<'_>,
    name: &str,
    description: &str,
    (icon, sort_order): (&str, i64),
    at: Timestamp,
) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO knowledge_category (name, name_fold, description, icon, sort_order, created_at, updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)",
        params![name, fold(name), description, icon, sort_order, at.0],
    )
}

/// Creates an article, searchable if it is published; `article.id` is not looked at. Returns its id.
///
/// # Errors
/// What SQLite says.
pub fn insert_article(
    tx: &Tx<'_>,
    mut article: Article,
    category_id: Option<i64>,
    updated_at: Timestamp,
) -> Result<i64> {
    article.id = insert_unsearchable(tx, &article, category_id, updated_at)?;
    knowledge::store::index(tx, &article)?;
    Ok(article.id)
}

/// The same without the search index, which is written for many at a time.
///
/// # Errors
/// What SQLite says.
pub fn insert_unsearchable(
    tx: &Tx<'_>,
    article: &Article,
    category_id: Option<i64>,
    updated_at: Timestamp,
) -> Result<i64> {
    inserted(
        tx,
        "INSERT INTO knowledge_article (title, slug, excerpt, content, category_id, views, status, created_at, updated_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            article.title,
            article.slug,
            article.excerpt,
            article.content,
            category_id,
            article.views,
            article.status.as_str(),
            article.created_at.0,
            updated_at.0
        ],
    )
}

/// A ticket of a sample with its whole history.
#[derive(Debug)]
pub struct SampleTicket<'a> {
    /// The title.
    pub title: &'a str,
    /// The opening text.
    pub content: &'a str,
    /// Where it stands.
    pub status: Status,
    /// How urgent it is.
    pub priority: Priority,
    /// Department, category, product.
    pub place: (Option<i64>, Option<i64>, Option<i64>),
    /// The customer: id, name, e-mail address.
    pub customer: (i64, &'a str, &'a str),
    /// The lead.
    pub lead: Option<i64>,
    /// Everyone on it, the lead included.
    pub agents: &'a [i64],
    /// The ids of its labels.
    pub labels: &'a [i64],
    /// Custom field ids and values.
    pub fields: &'a [(i64, &'a str)],
    /// Whether it is locked.
    pub is_locked: bool,
    /// When it was opened.
    pub opened: Timestamp,
    /// When it was closed.
    pub closed: Option<Timestamp>,
    /// Its conversation, oldest first.
    pub messages: &'a [SampleMessage<'a>],
}

/// A message of a sample.
#[derive(Debug)]
pub struct SampleMessage<'a> {
    /// The agent who wrote it; none: the customer.
    pub agent: Option<i64>,
    /// Whether it is a note.
    pub is_note: bool,
    /// The text.
    pub text: &'a str,
    /// When it was written.
    pub at: Timestamp,
    /// The agents who like it.
    pub likes: &'a [i64],
}

/// Creates a ticket with its history: messages, likes, facts for the reports, search index. Returns its id and reference.
///
/// # Errors
/// What SQLite says.
pub fn insert_ticket(tx: &Tx<'_>, ticket: &SampleTicket<'_>) -> Result<(i64, String)> {
    let made = insert_history(tx, ticket)?;
    index_tickets(tx, std::slice::from_ref(&made))?;
    Ok((made.id, made.reference))
}

/// The same without the search index: [`index_tickets`] follows, for many at a time.
///
/// # Errors
/// What SQLite says.
pub fn insert_history(tx: &Tx<'_>, ticket: &SampleTicket<'_>) -> Result<Inserted> {
    let public = |message: &&SampleMessage<'_>| !message.is_note;
    let last = ticket.messages.iter().rfind(public);
    let updated = ticket.messages.last().map_or(ticket.opened, |message| message.at).max(ticket.opened);
    let updated = ticket.closed.map_or(updated, |closed| updated.max(closed));
    let awaits_reply = last.is_none_or(|message| message.agent.is_none());
    let reference = crate::setting::store::next_reference(tx)?;
    let (department, category, product) = ticket.place;
    let (customer, customer_name, customer_email) = ticket.customer;
    let is_closed = ticket.status == Status::Closed;
    let id: i64 = inserted(
        tx,
        "INSERT INTO ticket (reference_id, title, content, status, priority, department_id, category_id, product_id, customer_id,
           assigned_to, is_resolved, is_locked, awaits_reply, last_reply_at, closed_at, created_at, updated_at, agent_ids, label_ids,
           field_values, customer_name, customer_email)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        params![
            reference,
            ticket.title,
            ticket.content,
            ticket.status.as_str(),
            ticket.priority.as_str(),
            department,
            category,
            product,
            customer,
            ticket.lead,
            is_closed,
            ticket.is_locked,
            awaits_reply,
            last.map(|message| message.at.0),
            ticket.closed.map(|at| at.0),
            ticket.opened.0,
            updated.0,
            copied(ticket.agents),
            copied(ticket.labels),
            serde_json::Value::from_iter(ticket.fields.iter().map(|(id, value)| json!([id, value]))).to_string(),
            customer_name,
            customer_email
        ],
    )?;
    for agent in ticket.agents {
        tx.conn
            .prepare_cached(
                "INSERT INTO ticket_agent (ticket_id, agent_id, status, priority, department_id, awaits_reply, created_at,
                   updated_at, last_reply_at, closed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                id,
                agent,
                ticket.status.as_str(),
                ticket.priority.as_str(),
                department,
                awaits_reply,
                ticket.opened.0,
                updated.0,
                last.map(|message| message.at.0),
                ticket.closed.map(|at| at.0)
            ])?;
    }
    for label in ticket.labels {
        tx.conn.prepare_cached("INSERT INTO ticket_label VALUES (?, ?)")?.execute([id, *label])?;
    }
    for (field, value) in ticket.fields {
        tx.conn
            .prepare_cached("INSERT INTO ticket_field VALUES (?, ?, ?)")?
            .execute(params![id, field, value])?;
    }
    insert_messages(tx, id, customer, ticket.messages)?;
    insert_events(tx, id, ticket)?;
    let text = [ticket.title, ticket.content, &reference, customer_name, customer_email].map(fold).join("\n");
    Ok(Inserted { id, reference, text, agents: ticket.agents.to_vec() })
}

/// Ids as a ticket's row copies them: `,3,5,`.
fn copied(ids: &[i64]) -> String {
    let mut ids = ids.to_vec();
    ids.sort_unstable();
    ids.iter().enumerate().map(|(n, id)| if n == 0 { format!(",{id},") } else { format!("{id},") }).collect()
}

/// A ticket that was made, and the text it is to be found by.
#[derive(Debug)]
pub struct Inserted {
    /// Its id.
    pub id: i64,
    /// Its reference.
    pub reference: String,
    /// Its folded text.
    pub text: String,
    /// Everyone on it.
    pub agents: Vec<i64>,
}

/// Makes tickets searchable, many at a time.
///
/// # Errors
/// What SQLite says.
pub fn index_tickets(tx: &Tx<'_>, tickets: &[Inserted]) -> Result<()> {
    let mut text = tx.conn.prepare_cached("INSERT INTO ticket_text (ticket_id, body) VALUES (?, ?)")?;
    for ticket in tickets {
        text.execute(params![ticket.id, ticket.text])?;
    }
    let places = tickets.iter().flat_map(|ticket| {
        let nobody = ticket.agents.is_empty().then_some(0);
        ticket.agents.iter().copied().chain(nobody).map(|agent| search::place(agent, ticket.id))
    });
    Ok(search::insert(tx.conn, places.collect())?)
}

fn insert_messages(tx: &Tx<'_>, ticket: i64, customer: i64, messages: &[SampleMessage<'_>]) -> Result<()> {
    for message in messages {
        let (kind, customer) =
            if message.agent.is_some() { ("agent", None) } else { ("customer", Some(customer)) };
        let id: i64 = inserted(
            tx,
            "INSERT INTO message (ticket_id, content, is_internal, sender_type, agent_id, customer_id, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            params![ticket, message.text, message.is_note, kind, message.agent, customer, message.at.0],
        )?;
        for agent in message.likes {
            tx.conn.prepare_cached("INSERT INTO message_like VALUES (?, ?)")?.execute([id, *agent])?;
        }
    }
    Ok(())
}

fn insert_events(tx: &Tx<'_>, id: i64, ticket: &SampleTicket<'_>) -> Result<()> {
    let answered = ticket.messages.iter().find(|message| message.agent.is_some() && !message.is_note);
    let events = [
        ("created", Some(ticket.opened)),
        ("first_response", answered.map(|message| message.at)),
        ("closed", ticket.closed),
    ];
    for (kind, at) in events.into_iter().filter_map(|(kind, at)| Some((kind, at?))) {
        tx.conn
            .prepare_cached(
                "INSERT INTO ticket_event (ticket_id, kind, at, agent_id, department_id, seconds) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                id,
                kind,
                at.0,
                ticket.lead,
                ticket.place.0,
                (at.0 - ticket.opened.0).max(0) / crate::time::SECOND
            ])?;
    }
    Ok(())
}

/// A notification of a sample.
#[derive(Debug)]
pub struct SampleNotification {
    /// Who is told.
    pub agent: i64,
    /// About what.
    pub kind: crate::notification::model::NotificationType,
    /// About which ticket: id and reference.
    pub ticket: (i64, String),
    /// Who caused it: name and picture.
    pub sender: (String, Option<String>),
    /// Whether it was read.
    pub is_read: bool,
    /// When.
    pub at: Timestamp,
}

/// Creates a notification.
///
/// # Errors
/// What SQLite says.
pub fn insert_notification(tx: &Tx<'_>, notification: &SampleNotification) -> Result<()> {
    let (title, message) = notification.kind.words(&notification.ticket.1, &notification.sender.0);
    tx.conn
        .prepare_cached(
            "INSERT INTO notification (agent_id, type, title, message, ticket_id, sender_name, sender_avatar, is_read, created_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?
        .execute(params![
            notification.agent,
            notification.kind.as_str(),
            title,
            message,
            notification.ticket.0,
            notification.sender.0,
            notification.sender.1,
            notification.is_read,
            notification.at.0
        ])?;
    Ok(())
}

/// Every search index.
const SEARCH: [&str; 5] =
    ["ticket_search", "ticket_bigram", "knowledge_search", "knowledge_head", "knowledge_bigram"];

/// Triggers that do something for every row of a large desk. A ticket's copies are written with it, and what is counted is
/// counted in the end.
const TRIGGERS: [&str; 7] = [
    "ticket_count_insert",
    "ticket_agent_count_insert",
    "ticket_agent_ids_insert",
    "ticket_label_ids_insert",
    "ticket_field_values_insert",
    "ticket_customer_insert",
    "notification_insert",
];

/// The tables whose indexes are made in the end: to sort all rows at once takes less than to put each in its place.
const INDEXED: [&str; 7] =
    ["ticket", "ticket_agent", "ticket_event", "ticket_label", "ticket_field", "message", "notification"];

/// A connection for writing a lot at once. What would be done for every row is set aside meanwhile: triggers, and the making of
/// indexes. Who opens the file before the end, or after a crash, is told that it is not finished.
#[derive(Debug)]
pub struct Hurry {
    conn: Connection,
    /// The SQL by which they are made again.
    aside: Vec<String>,
}

impl Hurry {
    /// Opens a database to write a lot into it.
    ///
    /// # Errors
    /// When it cannot be opened; what SQLite says.
    pub fn begin(path: &Path) -> Result<Self> {
        let mut conn = open::writable(path).map_err(|error| Error::internal(error.to_string()))?;
        // What is sorted for an index may not fit into memory. Whether what is referred to is there need not be asked of what has
        // just been made.
        conn.execute_batch(
            "PRAGMA synchronous = OFF; PRAGMA cache_size = -256000; PRAGMA wal_autocheckpoint = 20000; PRAGMA temp_store = FILE;
             PRAGMA foreign_keys = OFF;",
        )?;
        search::hurry(&conn, &SEARCH)?;
        let transaction = conn.transaction()?;
        let found: Vec<(String, String)> = transaction
            .prepare(
                "SELECT 'DROP ' || type || ' ' || name, sql FROM sqlite_schema
                 WHERE type = 'trigger' AND name IN (SELECT value FROM json_each(?1))
                   OR type = 'index' AND tbl_name IN (SELECT value FROM json_each(?2)) AND sql LIKE 'CREATE INDEX %'",
            )?
            .query_map([json!(TRIGGERS).to_string(), json!(INDEXED).to_string()], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })?
            .collect::<rusqlite::Result<_>>()?;
        for (drop, _) in &found {
            transaction.execute_batch(drop)?;
        }
        transaction.execute_batch(&format!("CREATE TABLE {UNFINISHED} (since)"))?;
        transaction.commit()?;
        Ok(Self { conn, aside: found.into_iter().map(|(_, make)| make).collect() })
    }

    /// Runs a transaction.
    ///
    /// # Errors
    /// Whatever `job` returns, and what SQLite says: nothing of it is written then.
    pub fn write<T>(&mut self, clock: &Clock, job: impl FnOnce(&Tx<'_>) -> Result<T>) -> Result<T> {
        write_beside(&mut self.conn, clock, job)
    }

    /// Puts back what was set aside, everything safely on the disk, and what is known about the tables into the file.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn end(mut self) -> Result<()> {
        search::finish(&self.conn, &SEARCH)?;
        let transaction = self.conn.transaction()?;
        transaction.execute_batch(
            "DELETE FROM ticket_count; DELETE FROM notification_count;
             INSERT INTO ticket_count
               SELECT 0, ifnull(department_id, 0), status, priority, awaits_reply, count(*) FROM ticket GROUP BY 2, 3, 4, 5
               UNION ALL
               SELECT agent_id, ifnull(department_id, 0), status, priority, awaits_reply, count(*) FROM ticket_agent
               GROUP BY 1, 2, 3, 4, 5;
             INSERT INTO notification_count SELECT agent_id, count(*), count(*) FILTER (WHERE NOT is_read) FROM notification
               GROUP BY 1;",
        )?;
        self.aside.iter().try_for_each(|make| transaction.execute_batch(make))?;
        transaction.execute_batch(&format!("DROP TABLE {UNFINISHED}"))?;
        transaction.commit()?;
        self.conn.execute_batch("PRAGMA synchronous = FULL; PRAGMA optimize = 0x10012;")?;
        self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        Ok(())
    }
}
