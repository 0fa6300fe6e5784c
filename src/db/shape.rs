//! The schema as it is in a file, in a form that two files can be compared by.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use rusqlite::Connection;

/// Every table, index, view and trigger by its kind and name, with what it was made by: comments and spacing apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shape(BTreeMap<(String, String), String>);

impl Shape {
    /// What there is. What SQLite makes by itself is left out, and so are the two tables that Litestream adds.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn of(conn: &Connection) -> rusqlite::Result<Self> {
        let mut statement = conn.prepare("SELECT type, name, ifnull(sql, '') FROM sqlite_schema")?;
        let rows = statement
            .query_map([], |row| Ok(((row.get(0)?, row.get(1)?), normal(&row.get::<_, String>(2)?))))?;
        let mut shape = BTreeMap::new();
        for row in rows {
            let ((kind, name), sql): ((String, String), String) = row?;
            if !name.starts_with("sqlite_") && !name.starts_with("_litestream_") {
                shape.insert((kind, name), sql);
            }
        }
        Ok(Self(shape))
    }

    /// What a schema file makes.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn of_schema(schema: &str) -> rusqlite::Result<Self> {
        let conn = Connection::open_in_memory()?;
        conn.execute_batch(schema)?;
        Self::of(&conn)
    }

    /// Whether there is such a table.
    pub fn has_table(&self, name: &str) -> bool {
        self.0.contains_key(&("table".to_owned(), name.to_owned()))
    }

    /// What is not here, or is here but different, although it is expected.
    pub fn lacks(&self, expected: &Self) -> Vec<String> {
        let wrong = expected.0.iter().filter_map(|(key, sql)| match self.0.get(key) {
            None => Some(format!("{} {} is missing", key.0, key.1)),
            Some(found) if found != sql => Some(format!("{} {} is different", key.0, key.1)),
            Some(_) => None,
        });
        wrong.collect()
    }

    /// What is here but not expected.
    pub fn adds(&self, expected: &Self) -> Vec<String> {
        let more = self.0.keys().filter(|key| !expected.0.contains_key(*key));
        more.map(|(kind, name)| format!("{kind} {name} is not Lodge's")).collect()
    }
}

/// What `schema.sql` makes.
///
/// # Errors
/// What SQLite says.
pub fn of_today() -> rusqlite::Result<Shape> {
    static TODAY: LazyLock<Option<Shape>> = LazyLock::new(|| Shape::of_schema(super::open::SCHEMA).ok());
    match &*TODAY {
        Some(shape) => Ok(shape.clone()),
        // Once more, to hear why.
        None => Shape::of_schema(super::open::SCHEMA),
    }
}

/// SQL without comments, and with spaces only where two words would run together. What is quoted stays as it is, but for names
/// that need no quotes: SQLite writes them when a table is renamed.
fn normal(sql: &str) -> String {
    let mut out = String::with_capacity(sql.len());
    let mut rest = sql;
    let mut gap = false;
    while let Some(c) = rest.chars().next() {
        if rest.starts_with("--") {
            rest = rest.split_once('\n').map_or("", |(_, after)| after);
            gap = true;
        } else if rest.starts_with("/*") {
            rest = rest.split_once("*/").map_or("", |(_, after)| after);
            gap = true;
        } else if c.is_whitespace() {
            rest = &rest[c.len_utf8()..];
            gap = true;
        } else {
            let length = if matches!(c, '\'' | '"') {
                rest[1..].find(c).map_or(rest.len(), |end| end + 2)
            } else {
                c.len_utf8()
            };
            let (token, after) = rest.split_at(length);
            let token = bare(token);
            if gap && token.starts_with(is_word) && out.ends_with(is_word) {
                out.push(' ');
            }
            gap = false;
            out.push_str(token);
            rest = after;
        }
    }
    out
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// A name without the quotes that it does not need.
fn bare(token: &str) -> &str {
    let inside = token.strip_prefix('"').and_then(|token| token.strip_suffix('"'));
    inside.filter(|name| !name.is_empty() && name.chars().all(is_word)).unwrap_or(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_spacing_do_not_matter_and_quotes_do() {
        assert_eq!(
            normal("CREATE TABLE a ( b  TEXT, -- why\n c /* no */ INTEGER )"),
            "CREATE TABLE a(b TEXT,c INTEGER)"
        );
        assert_ne!(normal("CHECK (a = ' x')"), normal("CHECK (a = 'x')"));
        assert_ne!(normal("a '-- b' c"), normal("a '' c"));
        assert_eq!(normal("CREATE TABLE \"pet\" (\"a b\")"), "CREATE TABLE pet(\"a b\")");
    }

    #[test]
    fn a_difference_is_named() {
        let shape = |sql| Shape::of_schema(sql).unwrap();
        let old = shape("CREATE TABLE a (b); CREATE TABLE c (d);");
        let new = shape("CREATE TABLE a (b TEXT); CREATE INDEX e ON a (b);");
        assert_eq!(new.lacks(&old), ["table a is different", "table c is missing"]);
        assert_eq!(new.adds(&old), ["index e is not Lodge's"]);
    }
}
