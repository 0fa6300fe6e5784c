//! Looks a whole database through: what `lodge check` does. It reads only, in one snapshot, so a server may be at work.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use rusqlite::{Connection, Row};

use super::backup::{foreign_keys, integrity};
use super::open::SCHEMA_VERSION;
use super::shape::{self, Shape};
use crate::text::{bigrams, fold};

/// How many faults of one kind are told; more are only counted.
const TOLD: usize = 5;

/// What one check found.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub name: &'static str,
    /// What is wrong; nothing if all is well.
    pub faults: Faults,
}

/// What is wrong, the first few in words.
#[derive(Debug, Default)]
pub struct Faults {
    told: Vec<String>,
    count: usize,
}

impl Faults {
    fn add(&mut self, fault: impl FnOnce() -> String) {
        self.count += 1;
        if self.told.len() < TOLD {
            self.told.push(fault());
        }
    }

    /// Whether nothing is wrong.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

impl FromIterator<String> for Faults {
    fn from_iter<I: IntoIterator<Item = String>>(lines: I) -> Self {
        let mut faults = Self::default();
        lines.into_iter().for_each(|line| faults.add(|| line));
        faults
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.is_empty() {
            return f.write_str("ok");
        }
        // One line, whatever is in a message.
        let told = self.told.join("; ").replace(|c: char| c.is_control(), " ");
        match self.count - self.told.len() {
            0 => f.write_str(&told),
            more => write!(f, "{told}; and {more} more"),
        }
    }
}

type Check = fn(&Connection) -> rusqlite::Result<Faults>;

/// What is looked at in every file.
const ALWAYS: [(&str, Check); 2] = [
    ("pages and indexes", |conn| Ok(integrity(conn)?.into_iter().collect())),
    ("references", |conn| Ok(foreign_keys(conn)?.into_iter().collect())),
];

/// What is looked at in a file of today's version.
const TODAY: [(&str, Check); 9] = [
    ("schema", schema),
    ("ticket counts", |conn| query(conn, TICKET_COUNTS)),
    ("tickets as agents see them", |conn| query(conn, COPIES)),
    ("what tickets show", |conn| query(conn, SHOWN)),
    ("leads", |conn| query(conn, LEADS)),
    ("notification counts", |conn| query(conn, NOTIFICATIONS)),
    ("likes", |conn| query(conn, LIKES)),
    ("ticket search", |conn| search(conn, &TICKETS)),
    ("knowledge search", |conn| search(conn, &ARTICLES)),
];

/// Looks a database through on a connection to it, and tells each finding as it is made. Returns how many were not good.
///
/// # Errors
/// When no snapshot can be taken. What cannot be read later is a finding.
pub fn run(conn: &Connection, tell: &mut dyn FnMut(&Finding)) -> rusqlite::Result<usize> {
    conn.execute_batch("BEGIN")?;
    let version: i32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let today: &[(&str, Check)] = if version == SCHEMA_VERSION { &TODAY } else { &[] };
    let mut bad = 0;
    for (name, check) in ALWAYS.iter().chain(today) {
        let faults = check(conn).unwrap_or_else(|error| [error.to_string()].into_iter().collect());
        bad += usize::from(!faults.is_empty());
        tell(&Finding { name, faults });
    }
    conn.execute_batch("ROLLBACK")?;
    Ok(bad)
}

fn schema(conn: &Connection) -> rusqlite::Result<Faults> {
    let (found, expected) = (Shape::of(conn)?, shape::of_today()?);
    Ok(found.lacks(&expected).into_iter().chain(found.adds(&expected)).collect())
}

/// Rows that should not be there, a sentence each.
fn query(conn: &Connection, sql: &str) -> rusqlite::Result<Faults> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut faults = Faults::default();
    while let Some(row) = rows.next()? {
        let fault = row.get(0)?;
        faults.add(|| fault);
    }
    Ok(faults)
}

/// Agent 0 is the whole desk. A count of nothing is as good as none.
const TICKET_COUNTS: &str = "
    WITH recount AS (
      SELECT 0 AS agent_id, ifnull(department_id, 0) AS department_id, status, priority, awaits_reply, count(*) AS n
      FROM ticket GROUP BY 1, 2, 3, 4, 5
      UNION ALL
      SELECT a.agent_id, ifnull(t.department_id, 0), t.status, t.priority, t.awaits_reply, count(*)
      FROM ticket_agent a JOIN ticket t ON t.id = a.ticket_id GROUP BY 1, 2, 3, 4, 5)
    SELECT 'of agent ' || c.agent_id || ', department ' || c.department_id || ', ' || c.status || ', ' || c.priority
      || ': ' || c.n || ' are counted, there are ' || ifnull(r.n, 0)
    FROM ticket_count c LEFT JOIN recount r USING (agent_id, department_id, status, priority, awaits_reply)
    WHERE c.n <> ifnull(r.n, 0)
    UNION ALL
    SELECT 'of agent ' || r.agent_id || ', department ' || r.department_id || ', ' || r.status || ', ' || r.priority
      || ': none are counted, there are ' || r.n
    FROM recount r LEFT JOIN ticket_count c USING (agent_id, department_id, status, priority, awaits_reply)
    WHERE c.n IS NULL";

const COPIES: &str = "
    SELECT 'agent ' || a.agent_id || ' sees ticket ' || a.ticket_id || ' as it is not'
    FROM ticket_agent a JOIN ticket t ON t.id = a.ticket_id
    WHERE (a.status, a.priority, a.department_id, a.awaits_reply, a.created_at, a.updated_at, a.last_reply_at, a.closed_at)
      IS NOT (t.status, t.priority, t.department_id, t.awaits_reply, t.created_at, t.updated_at, t.last_reply_at, t.closed_at)";

const SHOWN: &str = "
    SELECT 'ticket ' || t.id || ' shows other agents, labels or values than it has' FROM ticket t
    WHERE agent_ids IS NOT ifnull((SELECT ',' || group_concat(agent_id) || ',' FROM
        (SELECT agent_id FROM ticket_agent WHERE ticket_id = t.id ORDER BY agent_id)), '')
      OR label_ids IS NOT ifnull((SELECT ',' || group_concat(label_id) || ',' FROM
        (SELECT label_id FROM ticket_label WHERE ticket_id = t.id ORDER BY label_id)), '')
      OR field_values IS NOT (SELECT json_group_array(json_array(custom_field_id, value)) FROM
        (SELECT custom_field_id, value FROM ticket_field WHERE ticket_id = t.id ORDER BY custom_field_id))";

const LEADS: &str = "
    SELECT 'agent ' || assigned_to || ' leads ticket ' || id || ' and is not on it' FROM ticket t
    WHERE assigned_to IS NOT NULL
      AND NOT EXISTS (SELECT 1 FROM ticket_agent a WHERE a.ticket_id = t.id AND a.agent_id = t.assigned_to)";

const NOTIFICATIONS: &str = "
    WITH recount AS (SELECT agent_id, count(*) AS total, count(*) FILTER (WHERE NOT is_read) AS unread FROM notification GROUP BY 1)
    SELECT 'agent ' || a.id || ' has ' || ifnull(r.total, 0) || ' and ' || ifnull(r.unread, 0) || ' unread, '
      || ifnull(c.total, 0) || ' and ' || ifnull(c.unread, 0) || ' are counted'
    FROM agent a LEFT JOIN notification_count c ON c.agent_id = a.id LEFT JOIN recount r ON r.agent_id = a.id
    WHERE (ifnull(c.total, 0), ifnull(c.unread, 0)) IS NOT (ifnull(r.total, 0), ifnull(r.unread, 0))";

const LIKES: &str = "
    WITH recount AS (SELECT message_id, count(*) AS n FROM message_like GROUP BY 1)
    SELECT 'message ' || m.id || ' has ' || ifnull(r.n, 0) || ' likes, ' || m.likes_count || ' are counted'
    FROM message m LEFT JOIN recount r ON r.message_id = m.id WHERE m.likes_count <> ifnull(r.n, 0)";

/// A pair of search tables, and what is to be in them.
struct Index {
    /// What one thing in it is called.
    thing: &'static str,
    /// The tables' names without `_search` and `_bigram`.
    name: &'static str,
    /// The tables' columns.
    columns: &'static [&'static str],
    /// What is to be found: the id, and the texts of each column.
    source: &'static str,
    /// How many texts make a column.
    texts: usize,
}

const TICKETS: Index = Index {
    thing: "ticket",
    name: "ticket",
    columns: &["body"],
    source: "SELECT t.id, t.title, t.content, t.reference_id, c.name, c.email
             FROM ticket t JOIN customer c ON c.id = t.customer_id",
    texts: 5,
};

const ARTICLES: Index = Index {
    thing: "article",
    name: "knowledge",
    columns: &["title", "excerpt", "content"],
    source: "SELECT id, title, ifnull(excerpt, ''), content FROM knowledge_article WHERE status = 'published'",
    texts: 1,
};

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
}

/// The folded texts as the index keeps them, word for word; the pairs of characters, of which the index keeps no text, by a
/// sum over all of them. That what is kept is also what is found is SQLite's own check, among the pages and indexes.
fn search(conn: &Connection, index: &Index) -> rusqlite::Result<Faults> {
    let (thing, name) = (index.thing, index.name);
    let mut faults = Faults::default();
    let mut kept =
        conn.prepare(&format!("SELECT {} FROM {name}_search WHERE rowid = ?", index.columns.join(", ")))?;
    let mut expected: HashMap<i64, u64> = HashMap::new();
    let mut source = conn.prepare(index.source)?;
    let mut rows = source.query([])?;
    while let Some(row) = rows.next()? {
        let (id, texts) = index.read(row)?;
        let mut found = kept.query([id])?;
        match found.next()? {
            None => faults.add(|| format!("{thing} {id} is not in it")),
            Some(found) => {
                let same = texts.iter().enumerate().map(|(n, text)| Ok(found.get::<_, String>(n)? == *text));
                if !same.collect::<rusqlite::Result<Vec<bool>>>()?.into_iter().all(|same| same) {
                    faults.add(|| format!("{thing} {id} is found by what it said once"));
                }
            }
        }
        expected.insert(
            id,
            texts
                .iter()
                .enumerate()
                .map(|(n, text)| sum(bigrams(text).split(' '), n))
                .fold(0, u64::wrapping_add),
        );
    }
    let mut extra = conn.prepare(&format!("SELECT rowid FROM {name}_search"))?;
    for id in extra.query_map([], |row| row.get::<_, i64>(0))? {
        let id = id?;
        if !expected.contains_key(&id) {
            faults.add(|| format!("{thing} {id} is in it and should not be"));
        }
    }
    pairs(conn, index, expected, &mut faults)?;
    Ok(faults)
}

/// Compares the sums of pairs with what is in the index.
fn pairs(
    conn: &Connection,
    index: &Index,
    expected: HashMap<i64, u64>,
    faults: &mut Faults,
) -> rusqlite::Result<()> {
    let (thing, name) = (index.thing, index.name);
    // A table of this connection only, but SQLite counts that as writing, too.
    conn.execute_batch(&format!(
        "PRAGMA query_only = OFF;
         CREATE VIRTUAL TABLE temp.{name}_terms USING fts5vocab (main, {name}_bigram, instance);
         PRAGMA query_only = ON;"
    ))?;
    let mut found: HashMap<i64, u64> = HashMap::new();
    let mut terms = conn.prepare(&format!("SELECT doc, term, col FROM temp.{name}_terms"))?;
    let mut rows = terms.query([])?;
    while let Some(row) = rows.next()? {
        let column = match row.get_ref(2)? {
            rusqlite::types::ValueRef::Text(column) => {
                index.columns.iter().position(|name| name.as_bytes() == column).unwrap_or(usize::MAX)
            }
            // An index of one column does not say which.
            _ => 0,
        };
        let term = std::str::from_utf8(row.get_ref(1)?.as_bytes()?).unwrap_or_default();
        let sum = sum([term].into_iter(), column);
        found.entry(row.get(0)?).and_modify(|all| *all = all.wrapping_add(sum)).or_insert(sum);
    }
    for (id, sum) in &expected {
        if found.get(id).copied().unwrap_or(0) != *sum {
            faults.add(|| format!("{thing} {id} is not found by its pairs of characters"));
        }
    }
    for id in found.keys().filter(|id| !expected.contains_key(*id)) {
        faults.add(|| format!("{thing} {id} is found by pairs of characters and should not be"));
    }
    Ok(())
}

/// A sum over terms that hardly any other terms have.
fn sum<'a>(terms: impl Iterator<Item = &'a str>, column: usize) -> u64 {
    let one = |term: &str| {
        let mut hasher = DefaultHasher::new();
        (term, column).hash(&mut hasher);
        hasher.finish()
    };
    terms.filter(|term| !term.is_empty()).map(one).fold(0, u64::wrapping_add)
}
