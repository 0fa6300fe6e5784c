//! How much is worked on at once. A change has a place while it waits for the writer. When all are taken it waits for a
//! moment, and beyond that it is refused, before anything is read or looked up for it: what cannot be done in time is better
//! refused while refusing is cheap. A read is done in one go, by who has a processor for it, and never waits for the writer; it
//! is refused when too many wait for a processor.
//!
//! Many that come at the same moment are a burst, and wait. When they are too many even for that, it is no burst any more, and
//! as long as somebody has to be refused the line is kept short, and half of the places is all there is: where all cannot be
//! served, those who wait in a long line are served no more often, only later, and hold their connections meanwhile.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::error::{Error, Result};

/// One request in so many is counted while it waits for a processor, for itself and the others: to be counted takes longer than
/// much of what is asked for.
const COUNTED: usize = 8;
/// How many of those counted may wait for each processor while requests are refused: some twenty milliseconds' work. With fewer,
/// more is refused, which costs what could be done meanwhile; with more, those who wait hold the connections of those who could
/// be refused.
const COUNTED_WHEN_CROWDED: usize = 20;
/// While requests are refused, one of so many places may be taken. With fewer, the writer's commits are small, which costs
/// the readers their caches as well; with more, see above.
const PLACES_WHEN_CROWDED: usize = 2;
/// For how long after a refusal it is taken to be crowded.
const CROWDED: Duration = Duration::from_millis(100);

/// The places there are, and who waits for one.
#[derive(Debug)]
pub struct Load {
    places: Semaphore,
    most_places: usize,
    looks: AtomicUsize,
    coming: AtomicUsize,
    most_coming: usize,
    most_when_crowded: usize,
    waiting: AtomicUsize,
    patience: Duration,
    started: Instant,
    /// Until when it is crowded, in milliseconds since it started.
    crowded: AtomicU64,
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
    /// So many places, as many that may wait for one, and for how long; as many, and two at least, may wait for one of so many
    /// processors.
    pub fn new(places: usize, patience: Duration, processors: usize) -> Self {
        let most_coming = places.div_ceil(COUNTED).max(2);
        Self {
            places: Semaphore::new(places),
            most_places: places,
            looks: AtomicUsize::new(0),
            coming: AtomicUsize::new(0),
            most_coming,
            most_when_crowded: most_coming.min(COUNTED_WHEN_CROWDED * processors),
            waiting: AtomicUsize::new(0),
            patience,
            started: Instant::now(),
            crowded: AtomicU64::new(0),
        }
    }

    /// Whether it is worth beginning with a request at all: one that changes something, or one that only reads. Takes
    /// nothing, so that who is slow to send holds no place.
    ///
    /// A read is done in one go, without waiting for anything; were it begun at once, nobody would ever be seen to wait for
    /// a processor. So one request in a few first lets those that came meanwhile come forward and be counted.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when as many wait as may, for a processor or, with a change, for a place.
    pub async fn look(&self, changes: bool) -> Result<()> {
        if self.is_full(changes) {
            return Err(self.refuse());
        }
        if self.looks.fetch_add(1, Ordering::Relaxed).is_multiple_of(COUNTED) {
            let _coming = Waiting::among(&self.coming, self.most_coming).map_err(|_| self.refuse())?;
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Whether as many wait as may: whoever comes now is refused.
    pub fn is_full(&self, changes: bool) -> bool {
        let (coming, waiting) = (self.coming.load(Ordering::Relaxed), self.waiting.load(Ordering::Relaxed));
        let taken = self.most_places.saturating_sub(self.places.available_permits());
        let has_place = |most: usize| !changes || taken < most;
        if coming >= self.most_coming || !has_place(self.most_places) && waiting >= self.most_places {
            return true;
        }
        // Only now does the time matter, which takes a moment to look up.
        let is_short =
            coming < self.most_when_crowded && has_place(self.most_places.div_ceil(PLACES_WHEN_CROWDED));
        !is_short && self.now() < self.crowded.load(Ordering::Relaxed)
    }

    /// Somebody is refused: from now on, for a while, it is crowded.
    pub fn refuse(&self) -> Error {
        self.crowded.store(self.now() + CROWDED.as_millis() as u64, Ordering::Relaxed);
        Error::Overloaded
    }

    fn now(&self) -> u64 {
        self.started.elapsed().as_millis() as u64
    }

    /// Takes a place, and waits for it if need be.
    ///
    /// # Errors
    /// [`Error::Overloaded`] when too many wait, or none came free in time.
    pub async fn enter(&self) -> Result<SemaphorePermit<'_>> {
        if let Ok(place) = self.places.try_acquire() {
            return Ok(place);
        }
        let waiting = Waiting::among(&self.waiting, self.most_places)?;
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
        let load = Load::new(1, Duration::from_millis(50), 1);
        let place = load.enter().await.unwrap();
        let (first, second) = tokio::join!(load.enter(), load.enter());
        assert!(first.is_err() && second.is_err());
        assert!(load.look(true).await.is_ok(), "nobody waits any more");
        let waits = load.enter();
        let (waited, ()) = tokio::join!(waits, async { drop(place) });
        assert!(waited.is_ok());
    }

    #[tokio::test]
    async fn who_comes_at_the_same_moment_is_counted_before_the_first_begins() {
        let load = Load::new(2 * COUNTED, Duration::from_millis(50), 1);
        let looks = (0..3 * COUNTED).map(|_| load.look(false));
        let looks = futures_util::future::join_all(looks).await;
        // The first and the ninth are counted, and with them there are as many as may be.
        assert_eq!(looks.iter().filter(|look| look.is_ok()).count(), COUNTED + 1);
        assert!(looks[COUNTED + 1].is_err());
        assert!(load.look(true).await.is_ok(), "nobody waits any more");
    }

    #[tokio::test]
    async fn a_burst_waits_and_when_somebody_was_refused_the_line_is_short_for_a_while() {
        let most = COUNTED_WHEN_CROWDED * 2;
        let load = Load::new(COUNTED * most, Duration::from_millis(50), 1);
        let served = async |looks: usize| {
            let looks = futures_util::future::join_all((0..looks).map(|_| load.look(false))).await;
            looks.iter().filter(|look| look.is_ok()).count()
        };
        let (many, few) = (COUNTED * (most - 1) + 1, COUNTED * (COUNTED_WHEN_CROWDED - 1) + 1);
        assert_eq!(served(many).await, many, "a burst");
        load.looks.store(0, Ordering::Relaxed);
        assert_eq!(served(2 * many).await, many, "too many for a burst");
        load.looks.store(0, Ordering::Relaxed);
        assert_eq!(served(many).await, few, "crowded");
        tokio::time::sleep(2 * CROWDED).await;
        load.looks.store(0, Ordering::Relaxed);
        assert_eq!(served(many).await, many, "no more");
    }

    #[tokio::test]
    async fn changes_wait_for_a_place_and_find_fewer_when_somebody_was_refused() {
        let load = Load::new(2 * COUNTED, Duration::from_millis(50), 1);
        let mut held = futures_util::future::join_all((0..2 * COUNTED).map(|_| load.enter())).await;
        assert!(held.iter().all(Result::is_ok));
        assert!(load.look(true).await.is_ok(), "there is room to wait");
        load.refuse();
        assert!(load.look(true).await.is_err());
        assert!(load.look(false).await.is_ok(), "a read needs no place");
        held.truncate(COUNTED);
        assert!(load.look(true).await.is_err(), "half of the places is all there is while it is crowded");
        held.truncate(COUNTED - 1);
        assert!(load.look(true).await.is_ok());
    }
}
