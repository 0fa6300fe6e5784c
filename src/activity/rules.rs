//! What may be asked of the activity log.

use super::model::{ActivityLog, Filter};
use super::store;
use crate::db::{Page, Paging, Tx};
use crate::error::{Error, Result};
use crate::time;

/// A page of the entries that a filter shows, newest first.
///
/// # Errors
/// [`Error::Invalid`] when `from` is after `to`.
pub fn list(tx: &Tx<'_>, filter: &Filter, paging: Paging) -> Result<Page<Vec<ActivityLog>>> {
    if filter.is_empty() {
        return store::list_all(tx, paging);
    }
    let zone = time::zone(&store::time_zone(tx)?);
    let from = filter.from.as_ref().map(|from| from.start(&zone));
    let before = filter.to.as_ref().map(|to| to.end(&zone));
    if from.zip(before).is_some_and(|(from, before)| from >= before) {
        return Err(Error::field("from", "must not be after to"));
    }
    store::list(tx, filter, (from, before), paging)
}
