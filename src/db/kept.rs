//! What stores keep in memory of small tables, so as not to read them again for every row that refers to them.

use std::any::Any;
use std::sync::{Arc, PoisonError, RwLock};

use rusqlite::TransactionState;

use super::Tx;
use crate::error::Result;

/// One thing that was read from the database, and the number in the database (an epoch, moved by triggers) for which it holds.
#[derive(Debug, Default)]
pub struct Kept(RwLock<Option<(i64, Thing)>>);

type Thing = Arc<dyn Any + Send + Sync>;

impl Kept {
    /// What was kept, if the number still stands where it stood.
    pub fn find<T: Any + Send + Sync>(&self, epoch: i64) -> Option<Arc<T>> {
        let kept = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let (_, thing) = kept.as_ref().filter(|(known, _)| *known == epoch)?;
        Arc::clone(thing).downcast().ok()
    }

    /// Keeps what a transaction has read, unless it writes as well: what it has written may yet be taken back, and another
    /// change would then come to the same number.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn keep<T: Any + Send + Sync>(&self, tx: &Tx<'_>, epoch: i64, thing: &Arc<T>) -> Result<()> {
        if tx.conn.transaction_state(Some("main"))? == TransactionState::Read {
            let thing: Thing = Arc::clone(thing) as Thing;
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some((epoch, thing));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::super::Start;
    use super::*;
    use crate::time::Clock;

    #[test]
    fn what_was_read_is_kept_for_its_number_and_what_was_written_is_not() {
        let (conn, start) = (Connection::open_in_memory().unwrap(), Start::by(&Clock::default()));
        conn.execute_batch("CREATE TABLE pet (name); BEGIN; SELECT * FROM pet").unwrap();
        start.kept.keep(&start.tx(&conn), 7, &Arc::new("read")).unwrap();
        assert_eq!(start.kept.find::<&str>(7).as_deref(), Some(&"read"));
        assert_eq!(start.kept.find::<&str>(8), None);
        assert_eq!(start.kept.find::<String>(7), None);
        conn.execute_batch("INSERT INTO pet VALUES ('Rex')").unwrap();
        start.kept.keep(&start.tx(&conn), 8, &Arc::new("written")).unwrap();
        assert_eq!(start.kept.find::<&str>(8), None);
        assert_eq!(start.kept.find::<&str>(7).as_deref(), Some(&"read"));
    }
}
