//! Whether the machine is ours. The processors of a virtual machine are often threads of cores whose other thread somebody
//! else's machine has. While that is busy, ours do about six tenths of what they could and share their caches, and that is not
//! the same for all: what goes through much code and many places, as a server does, loses more than a loop. So a yardstick, a
//! loop that needs all of a core, is run before and after what is compared: it tells how much was measured undisturbed, and
//! lets those who have the patience wait for that.

use std::hint::black_box;
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use crate::Failure;

/// How much slower than at its best the yardstick may be.
const TOLERANCE: f64 = 1.15;
/// How long the yardstick's best is looked for before it is first asked.
const CALIBRATION: Duration = Duration::from_secs(3);
/// How long to wait before a disturbed machine is looked at again.
const PAUSE: Duration = Duration::from_millis(10);

/// The yardstick at its best, in nanoseconds.
static BEST: AtomicU64 = AtomicU64::new(u64::MAX);
static CALIBRATED: Once = Once::new();
/// How many measurements there were so far, and how many of them undisturbed. Of the process, because every table says so.
static ALL: AtomicU64 = AtomicU64::new(0);
static UNDISTURBED: AtomicU64 = AtomicU64::new(0);

/// Measures while the machine is ours, if that comes to pass within this time, and as it is then otherwise.
///
/// # Errors
/// What `measure` returns, at once.
pub fn undisturbed<T>(
    patience: Duration,
    mut measure: impl FnMut() -> Result<T, Failure>,
) -> Result<T, Failure> {
    ALL.fetch_add(1, Relaxed);
    let begun = Instant::now();
    loop {
        let was_quiet = is_quiet();
        let is_late = begun.elapsed() >= patience;
        if !was_quiet && !is_late {
            thread::sleep(PAUSE);
            continue;
        }
        let measured = measure()?;
        let is_good = was_quiet && is_quiet();
        if is_good {
            UNDISTURBED.fetch_add(1, Relaxed);
        }
        if is_good || is_late {
            return Ok(measured);
        }
    }
}

/// How many measurements there were, and how many of them undisturbed.
pub fn counts() -> (u64, u64) {
    (ALL.load(Relaxed), UNDISTURBED.load(Relaxed))
}

fn is_quiet() -> bool {
    CALIBRATED.call_once(|| {
        let begun = Instant::now();
        while begun.elapsed() < CALIBRATION {
            BEST.fetch_min(yardstick().0, Relaxed);
        }
    });
    let (fastest, slowest) = yardstick();
    let best = BEST.fetch_min(fastest, Relaxed).min(fastest);
    slowest as f64 <= best as f64 * TOLERANCE
}

/// How long the loop took on the fastest and on the slowest of all processors, which do it at once, in nanoseconds.
fn yardstick() -> (u64, u64) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let times = thread::scope(|scope| {
        let all: Vec<_> = (0..cores).map(|_| scope.spawn(chains)).collect();
        all.into_iter().filter_map(|one| one.join().ok()).collect::<Vec<_>>()
    });
    (times.iter().copied().min().unwrap_or(u64::MAX), times.iter().copied().max().unwrap_or(u64::MAX))
}

/// Additions that do not wait for each other, so that they take all that a core can do at once.
fn chains() -> u64 {
    let begun = Instant::now();
    let mut chains = [1_u64, 2, 3, 4, 5, 6, 7, 8];
    for n in 0..3_000_000_u64 {
        for (place, chain) in chains.iter_mut().enumerate() {
            *chain = if place % 2 == 0 { chain.wrapping_add(n) } else { *chain ^ n };
        }
        black_box(n);
    }
    black_box(chains);
    begun.elapsed().as_nanos() as u64
}
