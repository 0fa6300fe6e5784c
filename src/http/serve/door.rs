//! Who is inside: how many connections each address holds.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::Serving;
use crate::http::bounds::Proxies;
use crate::http::limit::neighbourhood;

/// Counts the connections of each address.
#[derive(Debug)]
pub struct Door {
    inside: Arc<Mutex<HashMap<IpAddr, usize>>>,
    most: usize,
    proxies: Proxies,
}

/// One connection, for as long as it is held.
#[derive(Debug)]
pub struct Visit {
    inside: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: Option<IpAddr>,
}

impl Door {
    /// Nobody is inside.
    pub fn new(serving: &Serving) -> Self {
        let most = serving.bounds.connections_per_address;
        Self { inside: Arc::default(), most, proxies: serving.proxies.clone() }
    }

    /// Lets a connection in, unless its address holds as many as it may. Loopback and trusted proxies are not counted:
    /// behind them are many clients, or the operator.
    pub fn enter(&self, address: IpAddr) -> Option<Visit> {
        let address = address.to_canonical();
        if self.most == 0 || address.is_loopback() || self.proxies.trust(address) {
            return Some(Visit { inside: Arc::clone(&self.inside), address: None });
        }
        let address = neighbourhood(address);
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        let count = inside.entry(address).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        Some(Visit { inside: Arc::clone(&self.inside), address: Some(address) })
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        let Some(address) = self.address else { return };
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = inside.get_mut(&address) {
            *count -= 1;
            if *count == 0 {
                inside.remove(&address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_so_many_and_others_are_not_affected() {
        let door =
            Door { inside: Arc::default(), most: 2, proxies: Proxies(vec!["10.0.0.0/8".parse().unwrap()]) };
        let enter = |address: &str| door.enter(address.parse().unwrap());
        let held = [enter("192.0.2.1").unwrap(), enter("::ffff:192.0.2.1").unwrap()];
        assert!(enter("192.0.2.1").is_none());
        assert!(enter("192.0.2.2").is_some());
        drop(held);
        assert!(enter("192.0.2.1").is_some());
        let many = (0..9).map(|_| [enter("127.0.0.1"), enter("10.1.2.3")]).collect::<Vec<_>>();
        assert!(many.iter().flatten().all(Option::is_some));
        drop(many);
        assert!(door.inside.lock().unwrap().is_empty(), "nothing is kept of who has left");
    }
}
