//! When keys were used, noted in memory: a write for each request would cost more than most requests. What is noted is
//! written down once a minute, and when the server stops (`upkeep`).

use std::sync::{Mutex, MutexGuard, PoisonError};

use foldhash::HashMap;

use crate::time::Timestamp;

/// The last use of each key that has been used since they were taken.
#[derive(Debug, Default)]
pub struct Uses(Mutex<HashMap<i64, Timestamp>>);

impl Uses {
    /// Notes a use of a key.
    pub fn note(&self, key_id: i64, at: Timestamp) {
        let mut uses = self.lock();
        let last = uses.entry(key_id).or_insert(at);
        *last = at.max(*last);
    }

    /// Takes what has been noted: each key and when it was last used.
    pub fn take(&self) -> Vec<(i64, Timestamp)> {
        std::mem::take(&mut *self.lock()).into_iter().collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_use_counts_in_whatever_order_they_are_noted() {
        let uses = Uses::default();
        for (key, at) in [(1, 5), (2, 3), (1, 9), (1, 7)] {
            uses.note(key, Timestamp(at));
        }
        let mut taken = uses.take();
        taken.sort_unstable();
        assert_eq!(taken, [(1, Timestamp(9)), (2, Timestamp(3))]);
        assert!(uses.take().is_empty());
    }
}
