//! Search conditions. Words are folded text and never operators; each must occur as a substring.
//!
//! A search index is a pair of tables: `X_search` (trigrams) answers words of three characters and more, `X_bigram` words
//! of two. Words of one character are looked for in the folded text itself.
//!
//! What a ticket is found by is partly its customer's, so its index is written here, below both.

use rusqlite::{Row, params};

use super::{FromRow, Ids, Tx, all, execute};
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

/// A ticket and the text it is to be found by.
struct Searchable(i64, String);

impl FromRow for Searchable {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let texts = [1, 2, 3, 4, 5].map(|column| row.get::<_, String>(column).map(|text| fold(&text)));
        let texts: rusqlite::Result<Vec<String>> = texts.into_iter().collect();
        Ok(Self(row.get(0)?, texts?.join("\n")))
    }
}

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
    ids.iter().try_for_each(|id| forget_ticket(tx, *id))?;
    // One index after the other: each gathers what is written to it in a row.
    for Searchable(id, text) in &found {
        execute(tx, "INSERT INTO ticket_search (rowid, body) VALUES (?, ?)", params![id, text])?;
    }
    for Searchable(id, text) in &found {
        execute(tx, "INSERT INTO ticket_bigram (rowid, body) VALUES (?, ?)", params![id, bigrams(text)])?;
    }
    Ok(())
}

/// Takes a ticket out of the search.
///
/// # Errors
/// What SQLite says.
pub fn forget_ticket(tx: &Tx<'_>, id: i64) -> Result<()> {
    execute(tx, "DELETE FROM ticket_search WHERE rowid = ?", [id])?;
    execute(tx, "DELETE FROM ticket_bigram WHERE rowid = ?", [id])?;
    Ok(())
}

/// Makes a customer's tickets found by the name and address the customer has now.
///
/// # Errors
/// What SQLite says.
pub fn index_tickets_of(tx: &Tx<'_>, customer_id: i64) -> Result<()> {
    let ids: Vec<i64> = all(tx, "SELECT id FROM ticket WHERE customer_id = ?", [customer_id])?;
    index_tickets(tx, &ids)
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
