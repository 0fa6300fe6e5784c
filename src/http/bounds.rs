//! Every limit between the socket and a handler, once: how long a client may take, and how much of the server it may hold.
//! `docs/limits.md` says what a client sees of each.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;

/// How long a client may take, and how much of the server it may hold.
#[derive(Clone, Debug)]
pub struct Bounds {
    /// How long the head of a request may take, from its first byte; on a new connection, from the connection on.
    pub head: Duration,
    /// How long a connection may be idle between two requests.
    pub idle: Duration,
    /// How long a body may take in all.
    pub body: Duration,
    /// How long a body may go without a byte.
    pub body_pause: Duration,
    /// How long a request may take in all, from the end of its head to its answer.
    pub request: Duration,
    /// How long an answer may go without the client taking a byte of it.
    pub write_pause: Duration,
    /// How long an answer may take in all to be taken by the client.
    pub write: Duration,
    /// How long, in all, we read on for the sake of a client that was answered before it had sent everything.
    pub linger: Duration,
    /// How long that reading may go without a byte.
    pub linger_pause: Duration,
    /// How many bytes of that reading there may be.
    pub linger_bytes: u64,
    /// How long running requests may take to finish once the server stops.
    pub grace: Duration,
    /// How many connections there may be at once. Beyond it, the one that has idled longest makes room.
    pub connections: usize,
    /// How many of them one address may hold; 0 is no limit. Loopback and trusted proxies are not limited.
    pub connections_per_address: usize,
    /// How many changes may be worked on at once, and how many more may wait for it; as many requests may wait for a processor.
    pub requests: usize,
    /// How long a request may wait for its turn.
    pub turn: Duration,
}

impl Default for Bounds {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            head: seconds(30),
            // Longer than proxies keep their connections to us (60 s in nginx): else one of theirs ends under a request.
            idle: seconds(75),
            body: seconds(60),
            body_pause: seconds(20),
            request: seconds(90),
            write_pause: seconds(30),
            write: seconds(300),
            linger: seconds(30),
            linger_pause: seconds(5),
            linger_bytes: 16 * 1024 * 1024,
            grace: seconds(10),
            connections: 1024,
            connections_per_address: 256,
            requests: 256,
            turn: Duration::from_millis(500),
        }
    }
}

/// The proxies whose word about a client's address counts.
#[derive(Clone, Debug, Default)]
pub struct Proxies(pub Vec<IpNet>);

impl Proxies {
    /// Whether an address is one of theirs.
    pub fn trust(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|net| net.contains(&address))
    }
}
