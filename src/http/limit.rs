//! Token buckets: how often a key may call, and how often an address may fail to authenticate.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use poem::http::{HeaderName, HeaderValue};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STATE: HeaderName = HeaderName::from_static("ratelimit");

/// How many buckets are kept; beyond it, full ones (which say nothing) are forgotten.
const MOST: usize = 10_000;

/// One bucket a caller: holds a minute's worth, and refills evenly.
#[derive(Debug)]
pub struct Buckets<K> {
    per_minute: u32,
    level: Mutex<HashMap<K, (f64, Instant)>>,
}

/// Where a caller stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    quota: u32,
    left: u32,
    /// In how many seconds there will be one more.
    pub seconds: u64,
}

impl Standing {
    /// The header fields that say so (draft-ietf-httpapi-ratelimit-headers), for the limit of this name.
    pub fn fields(self, limit: &str) -> [(HeaderName, HeaderValue); 2] {
        let Self { quota, left, seconds } = self;
        let field = |text: String| HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
        [
            (POLICY, field(format!("\"{limit}\";q={quota};w=60"))),
            (STATE, field(format!("\"{limit}\";r={left};t={seconds}"))),
        ]
    }
}

impl<K: Eq + Hash + Clone> Buckets<K> {
    /// Buckets of so many requests a minute; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute, level: Mutex::new(HashMap::new()) }
    }

    /// Takes one from a caller's bucket, and says where the caller stands; nothing where there is no limit.
    ///
    /// # Errors
    /// When it is empty: where the caller stands.
    pub fn take(&self, key: K, now: Instant) -> Result<Option<Standing>, Standing> {
        if self.per_minute == 0 {
            return Ok(None);
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
        *at = now.max(*at);
        let may = *level >= 1.0;
        if may {
            *level -= 1.0;
        }
        let next = 1.0 - level.fract();
        let seconds = ((next / per_second).ceil() as u64).max(1);
        let standing = Standing { quota: self.per_minute, left: *level as u32, seconds };
        if may { Ok(Some(standing)) } else { Err(standing) }
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
        assert_eq!(buckets.take("a", start), Err(Standing { quota: 60, left: 0, seconds: 1 }));
        assert!(buckets.take("b", start).is_ok(), "another caller is not affected");
        assert!(buckets.take("a", start + Duration::from_secs(1)).is_ok());
        assert!(buckets.take("a", start + Duration::from_secs(1)).is_err());
    }

    #[test]
    fn a_caller_is_told_where_it_stands() {
        let buckets = Buckets::new(2);
        let start = Instant::now();
        let standing = buckets.take("a", start).unwrap().unwrap();
        let [policy, state] = standing.fields("key");
        assert_eq!(
            (policy.1.to_str().unwrap(), state.1.to_str().unwrap()),
            ("\"key\";q=2;w=60", "\"key\";r=1;t=30")
        );
        assert_eq!(buckets.take("a", start).unwrap().unwrap().left, 0);
        assert_eq!(buckets.take("a", start).unwrap_err().seconds, 30);
    }

    #[test]
    fn who_is_counted_late_turns_no_clock_back() {
        let buckets = Buckets::new(60);
        let (early, late) = (Instant::now(), Instant::now() + Duration::from_secs(1));
        assert!((0..60).all(|_| buckets.take("a", late).is_ok()));
        assert!(buckets.take("a", early).is_err());
        assert!(buckets.take("a", late).is_err());
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
