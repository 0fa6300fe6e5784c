//! How much is worked on at once. Beyond it a request waits for a moment, and beyond that it is refused, before anything
//! is read or looked up for it: what cannot be done in time is better refused while refusing is cheap.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Error, Result};

/// One request in so many is counted while it waits for a processor, for itself and the others: to be counted takes longer than
/// much of what is asked for.
const COUNTED: usize = 8;

/// The places there are, and who waits for one.
#[derive(Debug)]
pub struct Load {
    places: Semaphore,
    looks: AtomicUsize,
    coming: AtomicUsize,
    most_coming: usize,
    waiting: AtomicUsize,
    most_waiting: usize,
    patience: Duration,
}

/// One that waits; gives up its place in the queue when it is dropped, whatever became of it.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn among(count: &'a AtomicUsize, most: usize) -> Result<Self> {
        let waiting = Self(count);
        if count.fetch_add(1, Ordering::Relaxed) < most { Ok(waiting) } else { Err(Error::Overloaded) }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Load {
    /// So many places, as many that may wait for one, and for how long; as many, and two at least, may wait for a
    /// processor.
    pub fn new(places: usize, patience: Duration) -> Self {
        Self {
            places: Semaphore::new(places),
            looks: AtomicUsize::new(0),
            coming: AtomicUsize::new(0),
            most_coming: places.div_ceil(COUNTED).max(2),
            waiting: AtomicUsize::new(0),
            most_waiting: places,
            patience,
        }
    }

    /// Whether it is worth beginning with a request at all. Takes nothing, so that who is slow to send holds no place.
    ///
    /// A read is done in one go, without waiting for anything; were it begun at once, nobody would ever be seen to wait for
    /// a processor. So one in a few first lets those that came meanwhile come forward and be counted.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when as many wait as may, for a place or for a processor.
    pub async fn look(&self) -> Result<()> {
        let is_full = |count: &AtomicUsize, most| count.load(Ordering::Relaxed) >= most;
        if is_full(&self.waiting, self.most_waiting) || is_full(&self.coming, self.most_coming) {
            return Err(Error::Overloaded);
        }
        if self.looks.fetch_add(1, Ordering::Relaxed).is_multiple_of(COUNTED) {
            let _coming = Waiting::among(&self.coming, self.most_coming)?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Takes a place, and waits for it if need be.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when too many wait, or none came free in time.
    pub async fn enter(&self) -> Result<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let waiting = Waiting::among(&self.waiting, self.most_waiting)?;
        let place = Box::pin(tokio::time::timeout(self.patience, self.places.acquire())).await;
        drop(waiting);
        place.ok().and_then(std::result::Result::ok).ok_or(Error::Overloaded)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_finds_no_place_waits_and_who_finds_no_queue_does_not() {
        let load = Load::new(1, Duration::from_millis(50));
        let place = load.enter().await.unwrap();
        let (first, second) = tokio::join!(load.enter(), load.enter());
        assert!(first.is_err() && second.is_err());
        assert!(load.look().await.is_ok(), "nobody waits any more");
        let waits = load.enter();
        let (waited, ()) = tokio::join!(waits, async { drop(place) });
        assert!(waited.is_ok());
    }

    #[tokio::test]
    async fn who_comes_at_the_same_moment_is_counted_before_the_first_begins() {
        let load = Load::new(2 * COUNTED, Duration::from_millis(50));
        let looks = (0..3 * COUNTED).map(|_| load.look());
        let looks = futures_util::future::join_all(looks).await;
        // The first and the ninth are counted, and with them there are as many as may be.
        assert_eq!(looks.iter().filter(|look| look.is_ok()).count(), COUNTED + 1);
        assert!(looks[COUNTED + 1].is_err());
        assert!(load.look().await.is_ok(), "nobody waits any more");
    }
}
