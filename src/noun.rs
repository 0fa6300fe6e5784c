//! What the plain nouns share: created, changed and deleted alike, with one way to tell absent from null and one entry in
//! the activity log for each. A noun with a rule of its own adds it in [`Noun::check`]; one that needs more than that has
//! its own `rules.rs` and leaves this alone.

pub use poem_openapi::types::MaybeUndefined;
use poem_openapi::types::ParseFromJSON;
use serde::Serialize;

use crate::activity::{self, Actor, Changes, Entry};
use crate::db::{self, FromRow, Page, Paging, Tx};
use crate::error::{Check, Result};

/// How a noun stands in the database; implemented in its `store.rs`.
pub trait Stored: FromRow {
    /// The table it is in.
    const TABLE: &'static str;
    /// Reads whole ones, without a condition yet.
    const SELECT: &'static str;
    /// What a list of them is sorted by.
    const ORDER: &'static str;

    /// A page of all of them, in their order.
    ///
    /// # Errors
    /// What SQLite says.
    fn list(tx: &Tx<'_>, paging: Paging) -> Result<Page<Vec<Self>>> {
        let total = db::one(tx, &format!("SELECT count(*) FROM {}", Self::TABLE), [])?;
        Page::read(paging, total, || {
            let sql = format!("{} ORDER BY {} LIMIT ? OFFSET ?", Self::SELECT, Self::ORDER);
            db::all(tx, &sql, [paging.per_page, paging.offset()])
        })
    }

    /// One of them.
    ///
    /// # Errors
    /// What SQLite says.
    fn find(tx: &Tx<'_>, id: i64) -> Result<Option<Self>> {
        db::first(tx, &format!("{} WHERE id = ?", Self::SELECT), [id])
    }

    /// Writes a new one, whatever its id says, and returns the id it got.
    ///
    /// # Errors
    /// What SQLite says.
    fn insert(&self, tx: &Tx<'_>) -> Result<i64>;

    /// Writes one that is there already, and when it changed.
    ///
    /// # Errors
    /// What SQLite says.
    fn update(&self, tx: &Tx<'_>) -> Result<()>;

    /// Deletes one. What refers to it is cleared by the schema.
    ///
    /// # Errors
    /// What SQLite says.
    fn delete(tx: &Tx<'_>, id: i64) -> Result<()> {
        db::execute(tx, &format!("DELETE FROM {} WHERE id = ?", Self::TABLE), [id])?;
        Ok(())
    }
}

/// A noun that administrators keep.
pub trait Noun: Stored + Clone + Serialize {
    /// What it is called in the activity log: `label`, `canned_response`.
    const NAME: &'static str;
    /// What it is made from.
    type New: ParseFromJSON + Send + Sync + 'static;
    /// What can be changed about it.
    type Patch: ParseFromJSON + Send + Sync + 'static;

    /// Its id.
    fn id(&self) -> i64;

    /// What people call this one.
    fn title(&self) -> &str;

    /// A new one, still without an id and times.
    fn draft(new: Self::New) -> Self;

    /// Applies a change.
    fn apply(&mut self, patch: Self::Patch);

    /// Completes what follows from other fields, and notes what is wrong: a reference to something that is not there,
    /// something unique that is taken.
    ///
    /// # Errors
    /// What SQLite says.
    fn check(&mut self, _tx: &Tx<'_>, _wrong: &mut Check) -> Result<()> {
        Ok(())
    }
}

/// Creates one.
///
/// # Errors
/// [`crate::error::Error::Invalid`] for what [`Noun::check`] notes.
pub fn create<N: Noun>(tx: &Tx<'_>, actor: &Actor, new: N::New) -> Result<N> {
    let mut draft = N::draft(new);
    check(tx, &mut draft)?;
    let id = draft.insert(tx)?;
    let created = find(tx, id)?;
    record(tx, actor, &created, "created", Changes::created(&created)?)?;
    Ok(created)
}

/// Changes one. A change that leaves everything as it is writes nothing.
///
/// # Errors
/// [`crate::error::Error::NotFound`]; [`crate::error::Error::Invalid`] for what [`Noun::check`] notes.
pub fn update<N: Noun>(tx: &Tx<'_>, actor: &Actor, id: i64, patch: N::Patch) -> Result<N> {
    let before: N = find(tx, id)?;
    let mut after = before.clone();
    after.apply(patch);
    check(tx, &mut after)?;
    let changes = Changes::between(&before, &after)?;
    if changes.is_empty() {
        return Ok(before);
    }
    after.update(tx)?;
    record(tx, actor, &after, "updated", changes)?;
    find(tx, id)
}

/// Deletes one.
///
/// # Errors
/// [`crate::error::Error::NotFound`].
pub fn delete<N: Noun>(tx: &Tx<'_>, actor: &Actor, id: i64) -> Result<()> {
    let found: N = find(tx, id)?;
    N::delete(tx, id)?;
    record(tx, actor, &found, "deleted", Changes::deleted(&found)?)
}

/// One that must be there.
///
/// # Errors
/// [`crate::error::Error::NotFound`].
pub fn find<N: Noun>(tx: &Tx<'_>, id: i64) -> Result<N> {
    N::find(tx, id)?.ok_or(crate::error::Error::NotFound)
}

fn check<N: Noun>(tx: &Tx<'_>, noun: &mut N) -> Result<()> {
    let mut wrong = Check::default();
    noun.check(tx, &mut wrong)?;
    wrong.finish()
}

fn record<N: Noun>(tx: &Tx<'_>, actor: &Actor, noun: &N, verb: &str, changes: Changes) -> Result<()> {
    let (name, kind) = (noun.title(), N::NAME.replace('_', " "));
    let description = match verb {
        "updated" => format!("{} changed {} of the {kind} “{name}”", actor.name, changes.fields()),
        _ => format!("{} {verb} the {kind} “{name}”", actor.name),
    };
    let action = format!("{}.{verb}", N::NAME);
    let subject = (N::NAME, Some(noun.id()));
    activity::record(tx, actor, Entry { action: &action, description, subject, ticket_id: None, changes })
}

/// Sets a field that was sent; absent leaves it alone.
pub fn set<T>(field: &mut T, new: Option<impl Into<T>>) {
    if let Some(new) = new {
        *field = new.into();
    }
}

/// Sets or clears a nullable field that was sent; absent leaves it alone, null clears it.
pub fn set_or_clear<T>(field: &mut Option<T>, new: MaybeUndefined<impl Into<T>>) {
    match new {
        MaybeUndefined::Undefined => {}
        MaybeUndefined::Null => *field = None,
        MaybeUndefined::Value(new) => *field = Some(new.into()),
    }
}
