//! Who sits idle: when there is no room for another connection, the one that has waited longest for a request of its client
//! makes room. Otherwise a few clients that ask nothing could keep everybody else out.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use super::wire::Shared;

/// The connections there are.
#[derive(Clone, Debug, Default)]
pub struct Seats(Arc<Mutex<Taken>>);

#[derive(Debug, Default)]
struct Taken {
    next: u64,
    seats: HashMap<u64, (Shared, CancellationToken)>,
}

/// One connection, for as long as it is held.
#[derive(Debug)]
pub struct Seat {
    seats: Seats,
    number: u64,
}

impl Seats {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Another connection. `leave` tells it to end when it has nothing to do.
    pub fn take(&self, shared: Shared, leave: CancellationToken) -> Seat {
        let mut taken = self.taken();
        let number = taken.next;
        taken.next += 1;
        taken.seats.insert(number, (shared, leave));
        Seat { seats: self.clone(), number }
    }

    /// Tells the connection that has idled longest to end. Whether there is one.
    pub fn free_one(&self) -> bool {
        let taken = self.taken();
        let told = |leave: &CancellationToken| leave.is_cancelled();
        let idle = taken.seats.values().filter(|(_, leave)| !told(leave));
        let longest = idle.filter_map(|(shared, leave)| Some((shared.idle_since()?, leave)));
        let longest = longest.min_by_key(|(since, _)| *since);
        if let Some((_, leave)) = longest {
            leave.cancel();
        }
        longest.is_some()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.seats.taken().seats.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_idle_one_makes_room_and_a_busy_one_never() {
        let (seats, all) =
            (Seats::default(), [(); 3].map(|()| (Shared::default(), CancellationToken::new())));
        let _held = all.each_ref().map(|(shared, leave)| {
            shared.wait();
            seats.take(shared.clone(), leave.clone())
        });
        all[0].0.begin(None, false);
        let told = || all.each_ref().map(|(_, leave)| leave.is_cancelled());
        assert!(seats.free_one());
        assert_eq!(told(), [false, true, false]);
        assert!(seats.free_one());
        assert_eq!(told(), [false, true, true]);
        assert!(!seats.free_one());
        drop(_held);
        assert!(seats.taken().seats.is_empty(), "nothing is kept of who has left");
    }
}
