//! Words to search for: some that few rows have, some that many have, short ones and one that nobody has.

use std::collections::BTreeSet;

use lodge::db::open;
use lodge::text;

use crate::Failure;
use crate::desk::{World, column};

/// How many rows the shares are taken from.
const SAMPLE: i64 = 1000;
/// How many words of each sort.
const EACH: usize = 12;
/// The share of rows up to which a word is rare.
const RARE: f64 = 0.02;

/// Words to search for.
pub struct Words {
    /// In at most two in a hundred tickets.
    pub rare_in_tickets: Vec<String>,
    /// In at most two in a hundred articles.
    pub rare_in_articles: Vec<String>,
    /// The most frequent, the short ones, and one that is nowhere. Two single characters among them.
    pub any_in_tickets: Vec<String>,
    /// The same for articles.
    pub any_in_articles: Vec<String>,
}

impl Words {
    /// Looks for them. Shares are taken from a thousand rows spread over the table, as a search would: parts of words count.
    pub fn of(world: &World) -> Result<Self, Failure> {
        let conn = open::readable(&world.path)?;
        let spread = |table: &str, text: &str| -> Result<Vec<String>, Failure> {
            let last: i64 = conn.query_row(&format!("SELECT max(id) FROM {table}"), [], |row| row.get(0))?;
            let step = (last / SAMPLE).max(1);
            let ids: Vec<String> = (1..=SAMPLE).map(|n| (n * step).to_string()).collect();
            let sql = format!("SELECT {text} FROM {table} WHERE id IN ({})", ids.join(","));
            Ok(column::<String>(&conn, &sql)?.iter().map(|text| text::fold(text)).collect())
        };
        let tickets = sorted(&spread("ticket", "title || ' ' || content")?);
        let articles =
            sorted(&spread("knowledge_article", "title || ' ' || ifnull(excerpt, '') || ' ' || content")?);
        Ok(Self {
            rare_in_tickets: rare(&tickets)?,
            rare_in_articles: rare(&articles)?,
            any_in_tickets: any(&tickets),
            any_in_articles: any(&articles),
        })
    }
}

/// Every word of three letters and more, and the share of the texts that have it, the most frequent first.
fn sorted(texts: &[String]) -> Vec<(String, f64)> {
    let words: BTreeSet<&str> = texts
        .iter()
        .flat_map(|text| text.split(|c: char| !c.is_alphabetic()))
        .filter(|word| word.chars().count() >= 3)
        .collect();
    let share =
        |word: &str| texts.iter().filter(|text| text.contains(word)).count() as f64 / texts.len() as f64;
    let mut sorted: Vec<(String, f64)> =
        words.into_iter().map(|word| (word.to_owned(), share(word))).collect();
    sorted.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    sorted
}

fn rare(words: &[(String, f64)]) -> Result<Vec<String>, Failure> {
    // The most frequent of the rare ones cost the most.
    let rare: Vec<String> =
        words.iter().filter(|(_, share)| *share <= RARE).take(EACH).map(|(word, _)| word.clone()).collect();
    if rare.is_empty() { Err("no word is rare on this desk".into()) } else { Ok(rare) }
}

fn any(words: &[(String, f64)]) -> Vec<String> {
    let mut any: Vec<String> = words.iter().take(EACH).map(|(word, _)| word.clone()).collect();
    // A query has two characters at least: single ones come two at a time.
    any.extend(["in", "er", "e a", "q z", "zzyzx"].map(str::to_owned));
    any
}
