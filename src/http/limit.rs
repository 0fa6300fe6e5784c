//! Token buckets: how often a key may call, and how often an address may fail to authenticate.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// How many buckets are kept; beyond it, full ones (which say nothing) are forgotten.
const MOST: usize = 10_000;

/// One bucket a caller: holds a minute's worth, and refills evenly.
#[derive(Debug)]
pub struct Buckets<K> {
    per_minute: u32,
    level: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    /// Buckets of so many requests a minute; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, level: Mutex::new(HashMap::new()) }
    }

    /// Takes one from a caller's bucket.
    ///
    /// # Errors
    /// When it is empty: the seconds until there is one again.
    pub fn take(&self, key: K, now: Instant) -> Result<(), u64> {
        if self.per_minute == 0 {
            return Ok(());
        }
        let capacity = f64::from(self.per_minute);
        let per_second = capacity / 60.0;
        let mut buckets = self.level.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MOST && !buckets.contains_key(&key) {
            let full = |level: f64, at: Instant| {
                level + now.duration_since(at).as_secs_f64() * per_second >= capacity
            };
            buckets.retain(|_, (level, at)| !full(*level, *at));
            if buckets.len() >= MOST {
                // Everybody is busy: forget the one seen longest ago.
                let oldest = buckets.iter().min_by_key(|(_, (_, at))| *at).map(|(key, _)| key.clone());
                oldest.map(|key| buckets.remove(&key));
            }
        }
        let (level, at) = buckets.entry(key).or_insert((capacity, now));
        *level = (*level + now.saturating_duration_since(*at).as_secs_f64() * per_second).min(capacity);
        *at = now;
        if *level >= 1.0 {
            *level -= 1.0;
            Ok(())
        } else {
            Err(((1.0 - *level) / per_second).ceil() as u64)
        }
    }
}

/// Whom to blame for an address: the address, or for IPv6 its /64, which is what one subscriber has.
pub fn neighbourhood(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_bucket_empties_and_refills() {
        let buckets = Buckets::new(60);
        let start = Instant::now();
        assert!((0..60).all(|_| buckets.take("a", start).is_ok()));
        assert_eq!(buckets.take("a", start), Err(1));
        assert!(buckets.take("b", start).is_ok(), "another caller is not affected");
        assert!(buckets.take("a", start + Duration::from_secs(1)).is_ok());
        assert_eq!(buckets.take("a", start + Duration::from_secs(1)), Err(1));
    }

    #[test]
    fn zero_is_no_limit() {
        let buckets = Buckets::new(0);
        assert!((0..10_000).all(|_| buckets.take("a", Instant::now()).is_ok()));
    }

    #[test]
    fn the_table_is_bounded() {
        let buckets = Buckets::new(10);
        let start = Instant::now();
        for n in 0..MOST + 500 {
            assert!(buckets.take(n, start).is_ok());
        }
        assert!(buckets.level.lock().unwrap().len() <= MOST);
    }

    #[test]
    fn an_ipv6_subscriber_is_one() {
        let one = neighbourhood("2001:db8:1:2:3::4".parse().unwrap());
        assert_eq!(one, neighbourhood("2001:db8:1:2:ffff::1".parse().unwrap()));
        assert_eq!(neighbourhood("::ffff:10.0.0.1".parse().unwrap()), "10.0.0.1".parse::<IpAddr>().unwrap());
    }
}
