//! The knowledge base in the database.

use rusqlite::{Row, params};

use super::model::{Article, KnowledgeArticle};
use crate::db::search::Query;
use crate::db::{FromRow, Ids, Tx, all, all_named, execute, exists, first, inserted, word};
use crate::error::Result;
use crate::noun::Stored;
use crate::reference::Reference;
use crate::scalar::PublicationStatus;
use crate::text::{bigrams, fold};
use crate::time::Timestamp;

/// How many articles a search finds at most.
const MOST: usize = 20;
/// Where words are looked for, best first: all in the title, in title or excerpt, anywhere.
const TIERS: [Tier; 3] = [
    Tier { index: "knowledge_head", columns: ["title", "title"], text: "s.title" },
    Tier {
        index: "knowledge_head",
        columns: ["", "title excerpt"],
        text: "s.title || char(10) || s.excerpt",
    },
    Tier {
        index: "knowledge_search",
        columns: ["", ""],
        text: "s.title || char(10) || s.excerpt || char(10) || s.content",
    },
];

/// Where words may be for an article to be among the best, or the next best.
struct Tier {
    /// The index of longer words.
    index: &'static str,
    /// The columns in it and in that of pairs, unless all.
    columns: [&'static str; 2],
    /// The text.
    text: &'static str,
}

/// Whole articles; what is given says which.
macro_rules! articles {
    ($from:literal, $rest:literal) => {
        concat!(
            "SELECT a.id, a.title, a.slug, a.excerpt, a.content, a.category_id, c.name, a.views, a.status, a.created_at, a.updated_at
             FROM ",
            $from,
            " LEFT JOIN knowledge_category c ON c.id = a.category_id ",
            $rest
        )
    };
}

impl FromRow for Article {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let category: Option<i64> = row.get(5)?;
        Ok(Self {
            id: row.get(0)?,
            title: row.get(1)?,
            slug: row.get(2)?,
            excerpt: row.get(3)?,
            content: row.get(4)?,
            category: match category {
                Some(id) => Some(Reference { id, name: row.get(6)? }),
                None => None,
            },
            views: row.get(7)?,
            status: word(row, 8, PublicationStatus::from_word)?,
            created_at: Timestamp(row.get(9)?),
        })
    }
}

impl FromRow for KnowledgeArticle {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { article: Article::from_row(row)?, updated_at: Timestamp(row.get(10)?) })
    }
}

/// What changes is indexed at once, so that no search is ever behind.
impl Stored for KnowledgeArticle {
    const TABLE: &'static str = "knowledge_article";
    const SELECT: &'static str = articles!("knowledge_article a", "");
    const ORDER: &'static str = "a.created_at DESC, a.id DESC";

    fn find(tx: &Tx<'_>, id: i64) -> Result<Option<Self>> {
        first(tx, articles!("knowledge_article a", "WHERE a.id = ?"), [id])
    }

    fn insert(&self, tx: &Tx<'_>) -> Result<i64> {
        let article = &self.article;
        let id = inserted(
            tx,
            "INSERT INTO knowledge_article (title, slug, excerpt, content, category_id, status, created_at, updated_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
            params![
                article.title,
                article.slug,
                article.excerpt,
                article.content,
                article.category.as_ref().map(|category| category.id),
                article.status.as_str(),
                tx.now.0
            ],
        )?;
        index(tx, &Article { id, ..article.clone() })?;
        Ok(id)
    }

    fn update(&self, tx: &Tx<'_>) -> Result<()> {
        let article = &self.article;
        execute(
            tx,
            "UPDATE knowledge_article SET title = ?, slug = ?, excerpt = ?, content = ?, category_id = ?, status = ?, updated_at = ?
             WHERE id = ?",
            params![
                article.title,
                article.slug,
                article.excerpt,
                article.content,
                article.category.as_ref().map(|category| category.id),
                article.status.as_str(),
                tx.now.0,
                article.id
            ],
        )?;
        index(tx, article)
    }

    fn delete(tx: &Tx<'_>, id: i64) -> Result<()> {
        execute(tx, "DELETE FROM knowledge_article WHERE id = ?", [id])?;
        forget(tx, id)
    }
}

/// Whether another article than this one has a slug.
///
/// # Errors
/// What SQLite says.
pub fn is_slug_taken(tx: &Tx<'_>, slug: &str, id: i64) -> Result<bool> {
    exists(tx, "SELECT 1 FROM knowledge_article WHERE slug = ? AND id <> ?", params![slug, id])
}

/// The published articles that have every word, best first, at most twenty.
///
/// # Errors
/// What SQLite says.
pub fn search(tx: &Tx<'_>, words: Vec<String>) -> Result<Vec<Article>> {
    let query = Query::new(words);
    let mut found: Vec<i64> = Vec::new();
    for tier in TIERS {
        if found.len() < MOST {
            search_tier(tx, &query, &tier, &mut found)?;
        }
    }
    all(
        tx,
        articles!("rarray(?) wanted CROSS JOIN knowledge_article a ON a.id = wanted.value", ""),
        [Ids::from(found)],
    )
}

/// Adds what one tier finds and the tiers before it have not: the newest first, so by id, since ids only grow.
fn search_tier(tx: &Tx<'_>, query: &Query, tier: &Tier, found: &mut Vec<i64>) -> Result<()> {
    let Tier { index, columns, text } = tier;
    let (long, pairs) = (query.long(columns[0]), query.pairs(columns[1]));
    let mut sources = Vec::new();
    if long.is_some() {
        sources.push(format!("SELECT rowid AS id FROM {index} WHERE {index} MATCH :long"));
    }
    if pairs.is_some() {
        sources.push("SELECT rowid AS id FROM knowledge_bigram WHERE knowledge_bigram MATCH :pairs".into());
    }
    if sources.is_empty() {
        sources.push("SELECT rowid AS id FROM knowledge_search".into());
    }
    let names: Vec<String> = (0..query.single().len()).map(|n| format!(":single{n}")).collect();
    let singles: String = names
        .iter()
        .map(|name| {
            format!(
                " AND EXISTS (SELECT 1 FROM knowledge_search s WHERE s.rowid = id AND instr({text}, {name}))"
            )
        })
        .collect();
    let sql = format!(
        "SELECT id FROM ({}) WHERE id NOT IN rarray(:found){singles} ORDER BY id DESC LIMIT :most",
        sources.join(" INTERSECT ")
    );
    let (known, most) = (Ids::from(found.iter().copied()), (MOST - found.len()) as i64);
    let mut named: Vec<(&str, &dyn rusqlite::ToSql)> =
        vec![(":long", &long), (":pairs", &pairs), (":found", &known), (":most", &most)];
    named.extend(
        names.iter().zip(query.single()).map(|(name, word)| (name.as_str(), word as &dyn rusqlite::ToSql)),
    );
    found.extend(all_named::<i64>(tx, &sql, &named)?);
    Ok(())
}

/// Puts an article into the search index as it is now, or takes it out if it is no longer published.
///
/// # Errors
/// What SQLite says.
pub fn index(tx: &Tx<'_>, article: &Article) -> Result<()> {
    forget(tx, article.id)?;
    index_new(tx, std::slice::from_ref(article))
}

/// Puts those of new articles that are published into the search index. An index gathers what is written to it in a row: so one
/// after the other.
///
/// # Errors
/// What SQLite says.
pub fn index_new(tx: &Tx<'_>, articles: &[Article]) -> Result<()> {
    let published = articles.iter().filter(|article| article.status == PublicationStatus::Published);
    let texts: Vec<(i64, [String; 3])> = published
        .map(|article| {
            let excerpt = article.excerpt.as_deref().unwrap_or_default();
            (article.id, [article.title.as_str(), excerpt, &article.content].map(fold))
        })
        .collect();
    for (id, [title, excerpt, content]) in &texts {
        let sql = "INSERT INTO knowledge_search (rowid, title, excerpt, content) VALUES (?, ?, ?, ?)";
        execute(tx, sql, params![id, title, excerpt, content])?;
    }
    for (id, [title, excerpt, _]) in &texts {
        let sql = "INSERT INTO knowledge_head (rowid, title, excerpt) VALUES (?, ?, ?)";
        execute(tx, sql, params![id, title, excerpt])?;
    }
    for (id, texts) in &texts {
        let [title, excerpt, content] = texts.each_ref().map(|text| bigrams(text));
        let sql = "INSERT INTO knowledge_bigram (rowid, title, excerpt, content) VALUES (?, ?, ?, ?)";
        execute(tx, sql, params![id, title, excerpt, content])?;
    }
    Ok(())
}

/// Takes an article out of the search index.
fn forget(tx: &Tx<'_>, id: i64) -> Result<()> {
    execute(tx, "DELETE FROM knowledge_search WHERE rowid = ?", [id])?;
    execute(tx, "DELETE FROM knowledge_head WHERE rowid = ?", [id])?;
    execute(tx, "DELETE FROM knowledge_bigram WHERE rowid = ?", [id])?;
    Ok(())
}
