//! Version 2: a ticket is read whole from one place in the file, and an agent's tickets lie side by side in the indexes that
//! they are searched by.

use rusqlite::Connection;

use crate::db::search::{self, TICKET_INDEXES};

/// How many tickets are indexed at a time.
const CHUNK: i64 = 20_000;

/// Changes the schema and the rows.
///
/// # Errors
/// What SQLite says.
pub fn run(conn: &Connection) -> rusqlite::Result<()> {
    copies(conn)?;
    search(conn)?;
    heads(conn)
}

/// Agents, labels and values of a ticket are copied into its row.
fn copies(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "ALTER TABLE ticket ADD COLUMN agent_ids TEXT NOT NULL DEFAULT '';
        ALTER TABLE ticket ADD COLUMN label_ids TEXT NOT NULL DEFAULT '';
        ALTER TABLE ticket ADD COLUMN field_values TEXT NOT NULL DEFAULT '[]';
        UPDATE ticket SET
          agent_ids = ifnull((SELECT ',' || group_concat(agent_id) || ',' FROM
            (SELECT agent_id FROM ticket_agent WHERE ticket_id = ticket.id ORDER BY agent_id)), ''),
          label_ids = ifnull((SELECT ',' || group_concat(label_id) || ',' FROM
            (SELECT label_id FROM ticket_label WHERE ticket_id = ticket.id ORDER BY label_id)), ''),
          field_values = (SELECT json_group_array(json_array(custom_field_id, value)) FROM
            (SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = ticket.id ORDER BY custom_field_id));
        CREATE TRIGGER ticket_agent_ids_insert AFTER INSERT ON ticket_agent BEGIN
          UPDATE ticket SET agent_ids = (SELECT ',' || group_concat(agent_id) || ',' FROM
            (SELECT agent_id FROM ticket_agent WHERE ticket_id = NEW.ticket_id ORDER BY agent_id)) WHERE id = NEW.ticket_id;
        END;
        CREATE TRIGGER ticket_agent_ids_delete AFTER DELETE ON ticket_agent BEGIN
          UPDATE ticket SET agent_ids = ifnull((SELECT ',' || group_concat(agent_id) || ',' FROM
            (SELECT agent_id FROM ticket_agent WHERE ticket_id = OLD.ticket_id ORDER BY agent_id)), '') WHERE id = OLD.ticket_id;
        END;
        CREATE TRIGGER ticket_label_ids_insert AFTER INSERT ON ticket_label BEGIN
          UPDATE ticket SET label_ids = (SELECT ',' || group_concat(label_id) || ',' FROM
            (SELECT label_id FROM ticket_label WHERE ticket_id = NEW.ticket_id ORDER BY label_id)) WHERE id = NEW.ticket_id;
        END;
        CREATE TRIGGER ticket_label_ids_delete AFTER DELETE ON ticket_label BEGIN
          UPDATE ticket SET label_ids = ifnull((SELECT ',' || group_concat(label_id) || ',' FROM
            (SELECT label_id FROM ticket_label WHERE ticket_id = OLD.ticket_id ORDER BY label_id)), '') WHERE id = OLD.ticket_id;
        END;
        CREATE TRIGGER ticket_field_values_insert AFTER INSERT ON ticket_field BEGIN
          UPDATE ticket SET field_values = (SELECT json_group_array(json_array(custom_field_id, value)) FROM
            (SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = NEW.ticket_id ORDER BY custom_field_id)) WHERE id = NEW.ticket_id;
        END;
        CREATE TRIGGER ticket_field_values_update AFTER UPDATE OF value ON ticket_field BEGIN
          UPDATE ticket SET field_values = (SELECT json_group_array(json_array(custom_field_id, value)) FROM
            (SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = NEW.ticket_id ORDER BY custom_field_id)) WHERE id = NEW.ticket_id;
        END;
        CREATE TRIGGER ticket_field_values_delete AFTER DELETE ON ticket_field BEGIN
          UPDATE ticket SET field_values = (SELECT json_group_array(json_array(custom_field_id, value)) FROM
            (SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = OLD.ticket_id ORDER BY custom_field_id)) WHERE id = OLD.ticket_id;
        END;",
    )
}

/// Gives the texts a table of their own, and makes the indexes anew with a row for each agent on a ticket.
fn search(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch(
        "CREATE TABLE ticket_text (
           ticket_id   INTEGER PRIMARY KEY REFERENCES ticket (id) ON DELETE CASCADE CHECK (ticket_id < 1 << 40),
           kept_under  INTEGER NOT NULL DEFAULT 0 CHECK (kept_under BETWEEN 0 AND 8388607),
           body        TEXT    NOT NULL
         ) STRICT;
         INSERT INTO ticket_text (ticket_id, body) SELECT rowid, body FROM ticket_search ORDER BY rowid;
         DROP TABLE ticket_search;
         DROP TABLE ticket_bigram;
         CREATE VIRTUAL TABLE ticket_search USING fts5 (body, tokenize = 'trigram case_sensitive 1', content = '', contentless_delete = 1);
         CREATE VIRTUAL TABLE ticket_bigram USING fts5 (body, tokenize = 'ascii', content = '', contentless_delete = 1, detail = 'none');",
    )?;
    search::hurry(conn, &TICKET_INDEXES)?;
    let mut until = conn.prepare(
        "SELECT max(ticket_id) FROM (SELECT ticket_id FROM ticket_text WHERE ticket_id > ? ORDER BY ticket_id LIMIT ?)",
    )?;
    let mut places = conn.prepare(
        "SELECT ifnull(a.agent_id, 0) << 40 | x.ticket_id
         FROM ticket_text x LEFT JOIN ticket_agent a ON a.ticket_id = x.ticket_id WHERE x.ticket_id > ? AND x.ticket_id <= ?",
    )?;
    let mut done = 0;
    while let Some(last) = until.query_row([done, CHUNK], |row| row.get::<_, Option<i64>>(0))? {
        let found = places.query_map([done, last], |row| row.get(0))?;
        search::insert(conn, found.collect::<rusqlite::Result<_>>()?)?;
        done = last;
    }
    search::finish(conn, &TICKET_INDEXES)
}

/// Gives titles and excerpts an index of their own.
fn heads(conn: &Connection) -> rusqlite::Result<()> {
    const HEAD: [&str; 1] = ["knowledge_head"];
    conn.execute_batch(
        "CREATE VIRTUAL TABLE knowledge_head USING fts5 (title, excerpt, tokenize = 'trigram case_sensitive 1', content = '', contentless_delete = 1);",
    )?;
    search::hurry(conn, &HEAD)?;
    conn.execute_batch(
        "INSERT INTO knowledge_head (rowid, title, excerpt) SELECT rowid, title, excerpt FROM knowledge_search ORDER BY rowid;",
    )?;
    search::finish(conn, &HEAD)
}
