//! Search conditions. Words are folded text and never operators; each must occur as a substring.
//!
//! A search index is a pair of tables: `X_search` (trigrams) answers words of three characters and more, `X_bigram` words
//! of two. Words of one character are looked for in the folded text itself.
//!
//! What a ticket is found by is partly its customer's, so its index is written here, below both.

use rusqlite::{Connection, Row, params};

use super::{FromRow, Ids, Tx, all, execute, first};
use crate::error::Result;
use crate::text::{self, bigrams, fold};

/// How many characters of a word are looked up in an index. All the places of each three of them are compared with those of
/// the next: with hundreds, in texts that repeat themselves, that takes seconds. The whole word is looked for in what is found.
const LOOKED_UP: usize = 24;

/// The words of a search, sorted by which index can answer them.
#[derive(Debug, Default)]
pub struct Query {
    long: Vec<String>,
    pairs: Vec<String>,
    single: Vec<String>,
}

impl Query {
    /// Sorts folded words (see [`text::words`]).
    pub fn new(words: Vec<String>) -> Self {
        let mut query = Self::default();
        for word in words {
            let mut chars = word.chars();
            match (chars.next(), chars.next(), chars.next()) {
                (Some(a), Some(b), None) => {
                    // A fold can leave a space inside a word; the pair index leaves those out.
                    if a.is_whitespace() || b.is_whitespace() {
                        query.single.push(word);
                    } else {
                        query.pairs.push(text::bigram(a, b));
                    }
                }
                (Some(_), Some(_), Some(_)) => {
                    let head: String = word.chars().take(LOOKED_UP).collect();
                    if head.len() < word.len() {
                        query.single.push(word);
                    }
                    query.long.push(head);
                }
                _ => query.single.push(word),
            }
        }
        query
    }

    /// The FTS5 expression for the long words, limited to `columns` if there are any.
    pub fn long(&self, columns: &str) -> Option<String> {
        expression(&self.long, columns)
    }

    /// The FTS5 expression for the two-character words, limited to `columns` if there are any.
    pub fn pairs(&self, columns: &str) -> Option<String> {
        expression(&self.pairs, columns)
    }

    /// The words that no index answers, or not wholly.
    pub fn single(&self) -> &[String] {
        &self.single
    }
}

/// Every term quoted, so that nothing in it is an operator.
fn expression(terms: &[String], columns: &str) -> Option<String> {
    let quoted: Vec<String> = terms.iter().map(|term| format!("\"{}\"", term.replace('"', "\"\""))).collect();
    if quoted.is_empty() {
        return None;
    }
    let all = quoted.join(" AND ");
    Some(if columns.is_empty() { all } else { format!("{{{columns}}} : ({all})") })
}

/// How many bits of a rowid in a ticket's indexes are the ticket's id; those above are the agent's.
pub const TICKET_BITS: u32 = 40;
/// The ticket in a rowid.
pub const TICKET: i64 = (1 << TICKET_BITS) - 1;
/// A ticket's indexes.
pub const TICKET_INDEXES: [&str; 2] = ["ticket_search", "ticket_bigram"];

/// Where an agent's tickets begin and end in a ticket's indexes.
pub fn tickets_of(agent_id: i64) -> (i64, i64) {
    (place(agent_id, 0), place(agent_id, TICKET))
}

/// Where a ticket stands for one of its agents.
pub fn place(agent_id: i64, ticket_id: i64) -> i64 {
    agent_id << TICKET_BITS | ticket_id
}

/// A ticket and the text it is to be found by.
struct Searchable(i64, String);

impl FromRow for Searchable {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let texts = [1, 2, 3, 4, 5].map(|column| row.get::<_, String>(column).map(|text| fold(&text)));
        let texts: rusqlite::Result<Vec<String>> = texts.into_iter().collect();
        Ok(Self(row.get(0)?, texts?.join("\n")))
    }
}

/// Where tickets stand in the indexes: one place for each agent on them, and one for a ticket that nobody is on.
const PLACES: &str = "
    SELECT ifnull(a.agent_id, x.kept_under) << 40 | x.ticket_id
    FROM rarray(?) wanted CROSS JOIN ticket_text x ON x.ticket_id = wanted.value
      LEFT JOIN ticket_agent a ON a.ticket_id = x.ticket_id";

/// Makes tickets found by what they say now.
///
/// # Errors
/// What SQLite says.
pub fn index_tickets(tx: &Tx<'_>, ids: &[i64]) -> Result<()> {
    let found: Vec<Searchable> = all(
        tx,
        "SELECT t.id, t.title, t.content, t.reference_id, c.name, c.email
         FROM rarray(?) wanted CROSS JOIN ticket t ON t.id = wanted.value JOIN customer c ON c.id = t.customer_id",
        [Ids::from(ids.iter().copied())],
    )?;
    remove(tx, &places(tx, ids)?)?;
    for Searchable(id, text) in &found {
        execute(
            tx,
            "INSERT INTO ticket_text (ticket_id, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
            params![id, text],
        )?;
    }
    insert(tx.conn, places(tx, ids)?)?;
    Ok(())
}

/// Makes a ticket found by those who are on it now, when others were. A ticket without a text is about to be written, and will
/// be indexed then.
///
/// # Errors
/// What SQLite says.
pub fn move_ticket(tx: &Tx<'_>, id: i64, had: &[i64], has: &[i64]) -> Result<()> {
    let Some(kept_under) = first::<i64>(tx, "SELECT kept_under FROM ticket_text WHERE ticket_id = ?", [id])?
    else {
        return Ok(());
    };
    let holders =
        |agents: &[i64], otherwise| if agents.is_empty() { vec![otherwise] } else { agents.to_vec() };
    let (before, after) = (holders(had, kept_under), holders(has, 0));
    let without = |those: &[i64], others: &[i64]| -> Vec<i64> {
        those.iter().filter(|agent| !others.contains(agent)).map(|agent| place(*agent, id)).collect()
    };
    if kept_under != 0 {
        execute(tx, "UPDATE ticket_text SET kept_under = 0 WHERE ticket_id = ?", [id])?;
    }
    remove(tx, &without(&before, &after))?;
    insert(tx.conn, without(&after, &before))?;
    Ok(())
}

/// Takes a ticket out of the search, before it is deleted.
///
/// # Errors
/// What SQLite says.
pub fn forget_ticket(tx: &Tx<'_>, id: i64) -> Result<()> {
    remove(tx, &places(tx, &[id])?)
}

/// Takes an agent off all tickets in the search, before it is taken off them and deleted. Tickets that nobody else is on stay
/// where they are: nobody will search there any more.
///
/// # Errors
/// What SQLite says.
pub fn leave_tickets(tx: &Tx<'_>, agent_id: i64) -> Result<()> {
    let shared: Vec<i64> = all(
        tx,
        "SELECT a.agent_id << 40 | a.ticket_id FROM ticket_agent a WHERE a.agent_id = ?
           AND EXISTS (SELECT 1 FROM ticket_agent o WHERE o.ticket_id = a.ticket_id AND o.agent_id <> a.agent_id)",
        [agent_id],
    )?;
    execute(
        tx,
        "UPDATE ticket_text SET kept_under = ?1 WHERE ticket_id IN
           (SELECT a.ticket_id FROM ticket_agent a WHERE a.agent_id = ?1
            AND NOT EXISTS (SELECT 1 FROM ticket_agent o WHERE o.ticket_id = a.ticket_id AND o.agent_id <> ?1))",
        [agent_id],
    )?;
    remove(tx, &shared)
}

/// Makes a customer's tickets found by the name and address the customer has now.
///
/// # Errors
/// What SQLite says.
pub fn index_tickets_of(tx: &Tx<'_>, customer_id: i64) -> Result<()> {
    let ids: Vec<i64> = all(tx, "SELECT id FROM ticket WHERE customer_id = ?", [customer_id])?;
    index_tickets(tx, &ids)
}

fn places(tx: &Tx<'_>, ids: &[i64]) -> Result<Vec<i64>> {
    all(tx, PLACES, [Ids::from(ids.iter().copied())])
}

/// All in one statement an index: after each an index writes what it has.
fn remove(tx: &Tx<'_>, places: &[i64]) -> Result<()> {
    let places = || [Ids::from(places.iter().copied())];
    execute(tx, "DELETE FROM ticket_search WHERE rowid IN rarray(?)", places())?;
    execute(tx, "DELETE FROM ticket_bigram WHERE rowid IN rarray(?)", places())?;
    Ok(())
}

/// Writes to the indexes what is in `ticket_text`. An index gathers what is written to it in a row and in order, and writes all
/// it has at every step back, and before every statement that could fail half way: so one index after the other, sorted, a row a
/// statement.
///
/// # Errors
/// What SQLite says.
pub fn insert(conn: &Connection, mut places: Vec<i64>) -> rusqlite::Result<()> {
    places.sort_unstable();
    let mut text = conn.prepare_cached("SELECT body FROM ticket_text WHERE ticket_id = ?")?;
    let mut long = conn.prepare_cached("INSERT INTO ticket_search (rowid, body) VALUES (?, ?)")?;
    for place in &places {
        text.query_row([place & TICKET], |row| long.execute(params![place, row.get_ref(0)?.as_str()?]))?;
    }
    let mut pairs = conn.prepare_cached("INSERT INTO ticket_bigram (rowid, body) VALUES (?, ?)")?;
    for place in &places {
        text.query_row([place & TICKET], |row| {
            pairs.execute(params![place, bigrams(row.get_ref(0)?.as_str()?)])
        })?;
    }
    Ok(())
}

/// Prepares search indexes for being filled: a larger hash gathers more before a segment is written, and hardly anything is merged
/// until [`finish`].
///
/// # Errors
/// What SQLite says.
pub fn hurry(conn: &Connection, indexes: &[&str]) -> rusqlite::Result<()> {
    indexes.iter().try_for_each(|index| configure(conn, index, 64 << 20, 0, 500))
}

/// Merges what was written in a hurry to one segment an index, so that a search looks a word up once, and makes them what they
/// were. In parts: each is a transaction of its own if none is open, and no log grows larger than it has to.
///
/// # Errors
/// What SQLite says.
pub fn finish(conn: &Connection, indexes: &[&str]) -> rusqlite::Result<()> {
    for index in indexes {
        // Negative: all segments and not only those of a size. After that the merge goes on where it stopped.
        let mut pages = -MERGED;
        loop {
            let before = conn.total_changes();
            conn.execute(&format!("INSERT INTO {index} ({index}, rank) VALUES ('merge', ?)"), [pages])?;
            // SQLite's own sign that there was nothing left to do.
            if conn.total_changes() - before < 2 {
                break;
            }
            pages = MERGED;
        }
        configure(conn, index, 1 << 20, 4, 16)?;
    }
    Ok(())
}

/// How many pages of a search index are merged at a time.
const MERGED: i64 = 16_000;

/// Sets how many bytes an index gathers before it writes them, and from how many segments of a size on it merges them by and by,
/// and at once.
fn configure(conn: &Connection, index: &str, hash: i64, merge: i64, crisis: i64) -> rusqlite::Result<()> {
    let mut statement = conn.prepare_cached(&format!("INSERT INTO {index} ({index}, rank) VALUES (?, ?)"))?;
    for (name, value) in [("hashsize", hash), ("automerge", merge), ("crisismerge", crisis)] {
        statement.execute(params![name, value])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_quoted_and_sorted_by_length() {
        let query = Query::new(text::words("NEAR( a\"b ok x 日本 日本語"));
        assert_eq!(query.long(""), Some(r#""near(" AND "a""b" AND "日本語""#.to_owned()));
        assert_eq!(query.pairs("title"), Some(r#"{title} : ("6fx6b" AND "65e5x672c")"#.to_owned()));
        assert_eq!(query.single(), ["x"]);
    }

    #[test]
    fn of_an_endless_word_the_head_is_looked_up_and_the_whole_is_looked_for() {
        let word = "ab".repeat(100);
        let query = Query::new(vec![word.clone()]);
        assert_eq!(query.long(""), Some(format!("\"{}\"", "ab".repeat(12))));
        assert_eq!(query.single(), [word]);
    }
}
