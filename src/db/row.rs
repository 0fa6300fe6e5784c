//! From rows to values: how a store reads.

use std::rc::Rc;

use rusqlite::types::Value;
use rusqlite::{Params, Row, Statement};

use super::Tx;
use crate::error::{Error, Result};
use crate::written::{Writing, Written};

/// More bytes than most lists have.
const LIST: usize = 8 * 1024;

/// A value that one row makes. The store names its columns in the statement, in the order this reads them.
pub trait FromRow: Sized {
    /// Reads the row.
    ///
    /// # Errors
    /// When a column is missing or of another type, which is a bug.
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self>;
}

impl FromRow for i64 {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        row.get(0)
    }
}

impl FromRow for Option<i64> {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        row.get(0)
    }
}

impl FromRow for String {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        row.get(0)
    }
}

/// A thing that is sent as it stands in a row.
pub trait WriteRow: Sized {
    /// About how many bytes it has.
    const ROOM: usize;

    /// Writes the row.
    ///
    /// # Errors
    /// When a column is missing or of another type, which is a bug.
    fn write_row(row: &Row<'_>, thing: &mut Writing<'_, Self>) -> Result<()>;
}

impl<T: WriteRow> FromRow for Written<T> {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        let written = Self::alone(T::ROOM, |thing| T::write_row(row, thing));
        written.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

/// Every row of a statement, as the list in which they are sent.
///
/// # Errors
/// What SQLite says.
pub fn all_written<T: WriteRow>(tx: &Tx<'_>, sql: &str, params: impl Params) -> Result<Written<Vec<T>>> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut list = Written::list(LIST);
    while let Some(row) = rows.next()? {
        list.push(|thing| T::write_row(row, thing))?;
    }
    Ok(list)
}

/// Every row of a statement.
///
/// # Errors
/// What SQLite says.
pub fn all<T: FromRow>(tx: &Tx<'_>, sql: &str, params: impl Params) -> Result<Vec<T>> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    let rows = statement.query_map(params, T::from_row)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Hands over every row of a statement, one at a time: for more rows than one wants to hold.
///
/// # Errors
/// What SQLite says.
pub fn each<T: FromRow>(tx: &Tx<'_>, sql: &str, params: impl Params, mut take: impl FnMut(T)) -> Result<()> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    while let Some(row) = rows.next()? {
        take(T::from_row(row)?);
    }
    Ok(())
}

/// The first row of a statement, if there is one.
///
/// # Errors
/// What SQLite says.
pub fn first<T: FromRow>(tx: &Tx<'_>, sql: &str, params: impl Params) -> Result<Option<T>> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    Ok(rows.next()?.map(T::from_row).transpose()?)
}

/// The one row of a statement that always has one, such as a count.
///
/// # Errors
/// What SQLite says, or that there was no row.
pub fn one<T: FromRow>(tx: &Tx<'_>, sql: &str, params: impl Params) -> Result<T> {
    first(tx, sql, params)?.ok_or_else(|| Error::internal("a statement that always answers had no row"))
}

/// Runs a statement that inserts one row; the id it got. Without `RETURNING`, for which SQLite makes a table of the one row,
/// and a journal to take the statement back with.
///
/// # Errors
/// What SQLite says, or that it was not one row.
pub fn inserted(tx: &Tx<'_>, sql: &str, params: impl Params) -> Result<i64> {
    Ok(tx.conn.prepare_cached(sql)?.insert(params)?)
}

/// Runs a statement that changes rows; how many it changed.
///
/// # Errors
/// What SQLite says.
pub fn execute(tx: &Tx<'_>, sql: &str, params: impl Params) -> Result<usize> {
    Ok(tx.conn.prepare_cached(sql)?.execute(params)?)
}

/// Whether a statement has any row.
///
/// # Errors
/// What SQLite says.
pub fn exists(tx: &Tx<'_>, sql: &str, params: impl Params) -> Result<bool> {
    Ok(tx.conn.prepare_cached(sql)?.exists(params)?)
}

/// A column that holds a text.
///
/// # Errors
/// When it holds something else, which the table's type prevents.
pub fn text<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a str> {
    Ok(row.get_ref(column)?.as_str()?)
}

/// A column that holds a text or nothing.
///
/// # Errors
/// As [`text`].
pub fn text_or_null<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<Option<&'a str>> {
    Ok(row.get_ref(column)?.as_str_or_null()?)
}

/// A column that holds one of a few words.
///
/// # Errors
/// When it holds another, which the table's CHECK prevents.
pub fn word<T>(row: &Row<'_>, column: usize, from_word: impl Fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text = text(row, column)?;
    from_word(text).ok_or_else(|| {
        let why = format!("unknown word {text}");
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, why.into())
    })
}

/// Parameters of which only those are bound that the statement names: for statements put together from fragments.
pub type Named<'a> = &'a [(&'a str, &'a dyn rusqlite::ToSql)];

/// Binds those parameters that a statement put together from fragments names.
///
/// # Errors
/// What SQLite says.
pub fn bind(statement: &mut Statement<'_>, params: Named<'_>) -> Result<()> {
    for (name, value) in params {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    Ok(())
}

/// Every row of a statement put together from fragments.
///
/// # Errors
/// What SQLite says.
pub fn all_named<T: FromRow>(tx: &Tx<'_>, sql: &str, params: Named<'_>) -> Result<Vec<T>> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    let mut rows = statement.raw_query();
    let mut all = Vec::new();
    while let Some(row) = rows.next()? {
        all.push(T::from_row(row)?);
    }
    Ok(all)
}

/// Hands over the rows of a statement put together from fragments, one at a time, until `take` says that it has enough.
///
/// # Errors
/// What SQLite says.
pub fn until<T: FromRow>(
    tx: &Tx<'_>,
    sql: &str,
    params: Named<'_>,
    mut take: impl FnMut(T) -> bool,
) -> Result<()> {
    let mut statement = tx.conn.prepare_cached(sql)?;
    bind(&mut statement, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if take(T::from_row(row)?) {
            break;
        }
    }
    Ok(())
}

/// What is missing is not found.
pub trait Optional<T> {
    /// The value, or [`Error::NotFound`].
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    fn or_not_found(self) -> Result<T>;
}

impl<T> Optional<T> for Option<T> {
    fn or_not_found(self) -> Result<T> {
        self.ok_or(Error::NotFound)
    }
}

/// A list of ids as one parameter, for `IN rarray(?)`: the statement stays the same however long the list.
pub struct Ids(Rc<Vec<Value>>);

impl<I: IntoIterator<Item = i64>> From<I> for Ids {
    fn from(ids: I) -> Self {
        Self(Rc::new(ids.into_iter().map(Value::Integer).collect()))
    }
}

impl rusqlite::ToSql for Ids {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        self.0.to_sql()
    }
}
