//! Whose request it is: the address of the client, which behind a proxy is not that of the connection.
//!
//! What a request says about its own way counts only if the connection comes from a trusted proxy, and then only as far as
//! trusted proxies have written it: the address is the last one in the list that none of them has.

use std::net::{IpAddr, SocketAddr};

use poem::http::{HeaderMap, header};

use super::bounds::Proxies;

/// The client's address, canonical (an IPv4 address is one, also where the socket is IPv6).
pub fn address(peer: IpAddr, headers: &HeaderMap, proxies: &Proxies) -> IpAddr {
    let peer = peer.to_canonical();
    if !proxies.trust(peer) {
        return peer;
    }
    let said = |name: &str| {
        headers.get_all(name).iter().map(|line| line.to_str().unwrap_or("?")).collect::<Vec<_>>().join(",")
    };
    let (forwarded_for, forwarded) = (said("x-forwarded-for"), said(header::FORWARDED.as_str()));
    let plain = walk(peer, proxies, forwarded_for.split(',').map(parse));
    let standard = walk(peer, proxies, forwarded.split(',').map(|hop| parse(origin(hop))));
    match (forwarded_for.is_empty(), forwarded.is_empty()) {
        (_, true) => plain,
        (true, false) => standard,
        // A proxy that writes one of them may pass the other one on as the client made it up: where they differ,
        // neither counts.
        (false, false) => {
            if plain == standard {
                plain
            } else {
                peer
            }
        }
    }
}

/// From the connection backwards: the first hop that is no trusted proxy is the client. What cannot be read ends the way.
fn walk(peer: IpAddr, proxies: &Proxies, hops: impl DoubleEndedIterator<Item = Option<IpAddr>>) -> IpAddr {
    let mut at = peer;
    for hop in hops.rev() {
        let Some(hop) = hop else { return at };
        at = hop;
        if !proxies.trust(at) {
            return at;
        }
    }
    at
}

/// The `for` of one hop of a `Forwarded` header.
fn origin(hop: &str) -> &str {
    let named = |pair: &'_ str| -> Option<usize> {
        let (name, _) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case("for").then_some(name.len() + 1)
    };
    hop.split(';').find_map(|pair| named(pair).map(|at| &pair[at..])).unwrap_or_default()
}

/// An address, perhaps quoted, in brackets or with a port.
fn parse(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|it| it.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, lines: &[(&'static str, &str)]) -> String {
        let proxies = Proxies(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        address(peer.parse().unwrap(), &headers, &proxies).to_string()
    }

    #[test]
    fn nobody_is_believed_who_is_not_trusted() {
        for name in ["x-forwarded-for", "forwarded", "x-real-ip"] {
            assert_eq!(client("192.0.2.1", &[(name, "for=10.1.1.1"), (name, "10.1.1.1")]), "192.0.2.1");
        }
    }

    #[test]
    fn the_last_address_that_no_proxy_has_is_the_client() {
        let of = |lines: &[(&'static str, &str)]| client("10.0.0.1", lines);
        assert_eq!(of(&[]), "10.0.0.1");
        assert_eq!(of(&[("x-forwarded-for", "192.0.2.7")]), "192.0.2.7");
        assert_eq!(of(&[("x-forwarded-for", "6.6.6.6, 192.0.2.7, 10.3.3.3")]), "192.0.2.7");
        assert_eq!(of(&[("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "192.0.2.7")]), "192.0.2.7");
        assert_eq!(of(&[("x-forwarded-for", "6.6.6.6, unknown, 10.3.3.3")]), "10.3.3.3");
        assert_eq!(of(&[("x-forwarded-for", "6.6.6.6, nonsense")]), "10.0.0.1");
        assert_eq!(of(&[("x-forwarded-for", "[2001:db8::1]:4711")]), "2001:db8::1");
        assert_eq!(of(&[("x-forwarded-for", "::ffff:192.0.2.7")]), "192.0.2.7");
        assert_eq!(of(&[("x-real-ip", "6.6.6.6")]), "10.0.0.1");
    }

    #[test]
    fn the_standard_header_says_the_same() {
        let of = |lines: &[(&'static str, &str)]| client("10.0.0.1", lines);
        assert_eq!(of(&[("forwarded", "for=6.6.6.6, For=\"[2001:db8::1]:80\";proto=https")]), "2001:db8::1");
        assert_eq!(of(&[("forwarded", "proto=https;for=192.0.2.7:4711;by=10.0.0.1")]), "192.0.2.7");
        assert_eq!(of(&[("forwarded", "for=_hidden")]), "10.0.0.1");
        let both = |one, other| of(&[("x-forwarded-for", one), ("forwarded", other)]);
        assert_eq!(both("192.0.2.7", "for=192.0.2.7"), "192.0.2.7");
        assert_eq!(both("192.0.2.7", "for=6.6.6.6"), "10.0.0.1");
    }
}
