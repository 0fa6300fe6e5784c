//! Search conditions. Words are folded text and never operators; each must occur as a substring.
//!
//! A search index is a pair of tables: `X_search` (trigrams) answers words of three characters and more, `X_bigram` words
//! of two. Words of one character are looked for in the folded text itself.

use crate::text;

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
                (Some(_), Some(_), Some(_)) => query.long.push(word),
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

    /// The words that no index answers.
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
}
