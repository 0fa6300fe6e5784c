//! Compares the search indexes with what they are made of: texts word for word where they are kept, and what an index holds of
//! them by a sum over all terms. That an index is sound in itself is SQLite's own check, among the pages and indexes.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};

use rusqlite::{Connection, Row};

use super::Faults;
use crate::db::search;
use crate::text::{bigrams, fold};

/// Things that are searched, and where.
struct Index {
    /// What one is called.
    thing: &'static str,
    /// The indexes' columns.
    columns: &'static [&'static str],
    /// What is to be found: the id, and the texts of each column.
    source: &'static str,
    /// How many texts make a column.
    texts: usize,
    /// The folded texts as they are kept, of one thing.
    kept: &'static str,
}

const TICKETS: Index = Index {
    thing: "ticket",
    columns: &["body"],
    source: "SELECT t.id, t.title, t.content, t.reference_id, c.name, c.email
             FROM ticket t JOIN customer c ON c.id = t.customer_id",
    texts: 5,
    kept: "SELECT body FROM ticket_text WHERE ticket_id = ?",
};

const ARTICLES: Index = Index {
    thing: "article",
    columns: &["title", "excerpt", "content"],
    source: "SELECT id, title, ifnull(excerpt, ''), content FROM knowledge_article WHERE status = 'published'",
    texts: 1,
    kept: "SELECT title, excerpt, content FROM knowledge_search WHERE rowid = ?",
};

/// Where each ticket is to be: with everyone on it, or where it is kept while nobody is.
const PLACES: &str = "SELECT ifnull(a.agent_id, ifnull(x.kept_under, 0)) FROM ticket t
    LEFT JOIN ticket_text x ON x.ticket_id = t.id LEFT JOIN ticket_agent a ON a.ticket_id = t.id WHERE t.id = ?";

/// What the rows of an index add up to, by rowid.
type Sums = HashMap<i64, u64>;

impl Index {
    /// A thing's id and the folded text of each column.
    fn read(&self, row: &Row<'_>) -> rusqlite::Result<(i64, Vec<String>)> {
        let column = |n: usize| {
            let texts = (0..self.texts).map(|text| {
                let text: String = row.get(1 + n * self.texts + text)?;
                Ok(fold(&text))
            });
            Ok(texts.collect::<rusqlite::Result<Vec<String>>>()?.join("\n"))
        };
        Ok((row.get(0)?, (0..self.columns.len()).map(column).collect::<rusqlite::Result<_>>()?))
    }

    /// Hands over each thing with its folded texts, after a look at those that are kept of it.
    fn each(
        &self,
        conn: &Connection,
        faults: &mut Faults,
        mut take: impl FnMut(i64, &[String]) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        let thing = self.thing;
        let mut kept = conn.prepare(self.kept)?;
        let mut source = conn.prepare(self.source)?;
        let mut rows = source.query([])?;
        while let Some(row) = rows.next()? {
            let (id, texts) = self.read(row)?;
            let mut found = kept.query([id])?;
            match found.next()? {
                None => faults.add(|| format!("{thing} {id} is not in it")),
                Some(found) => {
                    let same =
                        texts.iter().enumerate().map(|(n, text)| Ok(found.get::<_, String>(n)? == *text));
                    if !same.collect::<rusqlite::Result<Vec<bool>>>()?.into_iter().all(|same| same) {
                        faults.add(|| format!("{thing} {id} is found by what it said once"));
                    }
                }
            }
            take(id, &texts)?;
        }
        Ok(())
    }

    /// Compares what an index holds with what it is to hold.
    fn compare(
        &self,
        conn: &Connection,
        (index, what): (&str, &str),
        expected: &Sums,
        faults: &mut Faults,
    ) -> rusqlite::Result<()> {
        let found = sums(conn, index, self.columns)?;
        let name = |id: &i64| match (self.thing, id >> search::TICKET_BITS) {
            ("ticket", agent) => format!("ticket {} of agent {agent}", id & search::TICKET),
            (thing, _) => format!("{thing} {id}"),
        };
        for (id, sum) in expected {
            if found.get(id).copied().unwrap_or(0) != *sum {
                faults.add(|| format!("{} is not found by its {what}", name(id)));
            }
        }
        for id in found.keys().filter(|id| !expected.contains_key(*id)) {
            faults.add(|| format!("{} is found by {what} and should not be", name(id)));
        }
        Ok(())
    }
}

/// Whether every ticket is found by everyone on it, and by nobody else.
pub fn tickets(conn: &Connection) -> rusqlite::Result<Faults> {
    let mut faults = Faults::default();
    let (mut words, mut pairs) = (Sums::new(), Sums::new());
    let mut places = conn.prepare(PLACES)?;
    TICKETS.each(conn, &mut faults, |id, texts| {
        let text = texts.concat();
        let sum_of_words = threes(&text, 0);
        let sum_of_pairs = terms(&bigrams(&text), 0);
        for agent in places.query_map([id], |row| row.get(0))? {
            let place = search::place(agent?, id);
            words.insert(place, sum_of_words);
            pairs.insert(place, sum_of_pairs);
        }
        Ok(())
    })?;
    TICKETS.compare(conn, ("ticket_search", "words"), &words, &mut faults)?;
    TICKETS.compare(conn, ("ticket_bigram", "pairs of characters"), &pairs, &mut faults)?;
    for index in search::TICKET_INDEXES {
        listed(conn, index, &words, &mut faults)?;
    }
    Ok(faults)
}

/// An index keeps a list of its own of what is in it, by which it takes things out again.
fn listed(conn: &Connection, index: &str, expected: &Sums, faults: &mut Faults) -> rusqlite::Result<()> {
    let mut listed = conn.prepare(&format!("SELECT rowid FROM {index}"))?;
    let mut count = 0;
    for id in listed.query_map([], |row| row.get(0))? {
        count += usize::from(expected.contains_key(&id?));
    }
    if count != expected.len() {
        faults.add(|| format!("{index} lists {count} of {} tickets, for each agent on them", expected.len()));
    }
    Ok(())
}

/// Whether every published article is found, and nothing else.
pub fn articles(conn: &Connection) -> rusqlite::Result<Faults> {
    let mut faults = Faults::default();
    let (mut heads, mut pairs) = (Sums::new(), Sums::new());
    ARTICLES.each(conn, &mut faults, |id, texts| {
        let sums = texts.iter().take(2).enumerate().map(|(n, text)| threes(text, n));
        heads.insert(id, sums.fold(0, u64::wrapping_add));
        let sums = texts.iter().enumerate().map(|(n, text)| terms(&bigrams(text), n));
        pairs.insert(id, sums.fold(0, u64::wrapping_add));
        Ok(())
    })?;
    let mut extra = conn.prepare("SELECT rowid FROM knowledge_search")?;
    for id in extra.query_map([], |row| row.get::<_, i64>(0))? {
        let id = id?;
        if !pairs.contains_key(&id) {
            faults.add(|| format!("article {id} is in it and should not be"));
        }
    }
    ARTICLES.compare(conn, ("knowledge_head", "title and excerpt"), &heads, &mut faults)?;
    ARTICLES.compare(conn, ("knowledge_bigram", "pairs of characters"), &pairs, &mut faults)?;
    Ok(faults)
}

/// What the rows of an index add up to.
fn sums(conn: &Connection, index: &str, columns: &[&str]) -> rusqlite::Result<Sums> {
    // A table of this connection only, but SQLite counts that as writing, too.
    conn.execute_batch(&format!(
        "PRAGMA query_only = OFF;
         CREATE VIRTUAL TABLE temp.{index}_terms USING fts5vocab (main, {index}, instance);
         PRAGMA query_only = ON;"
    ))?;
    let mut found = Sums::new();
    let mut terms =
        conn.prepare(&format!("SELECT doc, term, col, ifnull(offset, 0) FROM temp.{index}_terms"))?;
    let mut rows = terms.query([])?;
    while let Some(row) = rows.next()? {
        let column = match row.get_ref(2)? {
            rusqlite::types::ValueRef::Text(column) => {
                columns.iter().position(|name| name.as_bytes() == column).unwrap_or(usize::MAX)
            }
            // An index of one column may not say which.
            _ => 0,
        };
        let term = std::str::from_utf8(row.get_ref(1)?.as_bytes()?).unwrap_or_default();
        let sum = one(term, column, row.get(3)?);
        match found.entry(row.get(0)?) {
            Entry::Occupied(mut all) => *all.get_mut() = all.get().wrapping_add(sum),
            Entry::Vacant(first) => {
                first.insert(sum);
            }
        }
    }
    Ok(found)
}

/// What each three characters in a row add up to, as the trigram tokenizer takes them. SQLite reads the two characters that
/// Unicode keeps from being any as the one that stands for what cannot be read.
fn threes(text: &str, column: usize) -> u64 {
    let text = &text.replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}");
    let ends = text.char_indices().map(|(at, c)| at + c.len_utf8()).skip(2);
    let terms = text.char_indices().zip(ends).filter_map(|((from, _), to)| text.get(from..to));
    (0..).zip(terms).map(|(at, term)| one(term, column, at)).fold(0, u64::wrapping_add)
}

/// What terms with spaces between them add up to.
fn terms(terms: &str, column: usize) -> u64 {
    terms
        .split(' ')
        .filter(|term| !term.is_empty())
        .map(|term| one(term, column, 0))
        .fold(0, u64::wrapping_add)
}

/// A number that hardly any other term, in another column or at another place, has.
fn one(term: &str, column: usize, at: i64) -> u64 {
    let mut hasher = DefaultHasher::new();
    (term, column, at).hash(&mut hasher);
    hasher.finish()
}
