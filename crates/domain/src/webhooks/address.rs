//! Addresses of receivers: which are addresses at all, and to which networks the program connects.
//! Whoever registers an address must not lead it into the centre's own network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::network::Network;

/// Characters of an address at most.
pub const ADDRESS_MAX: usize = 500;
/// Characters of the name of a host at most (RFC 1035, 2.3.4).
const HOST_MAX: usize = 253;

/// Networks of IPv4 that are nobody's on the internet (IANA's registry of special-purpose
/// addresses; multicast and what is reserved from 224.0.0.0 on), with the bits of their prefixes.
const SPECIAL_V4: [(Ipv4Addr, u8); 15] = [
    (Ipv4Addr::UNSPECIFIED, 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];
/// What of IPv6 is given out for the internet (RFC 4291, 2.4): all else is refused, unique local,
/// link-local, multicast, and what carries an IPv4 address within it.
const GLOBAL_V6: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
/// Within it what is not: protocols of the IETF with Teredo, documentation, 6to4.
const SPECIAL_V6: [(Ipv6Addr, u8); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
];

/// Whether an address is one of the internet: not of this machine, of no local network, of no group
/// and for no special purpose. One of IPv4 within IPv6 is the one of IPv4.
pub fn is_public(address: IpAddr) -> bool {
    let within = |(net, bits): (IpAddr, u8)| Network::around(net, bits).contains(address);
    match address.to_canonical() {
        IpAddr::V4(_) => !SPECIAL_V4.into_iter().any(|(net, bits)| within((net.into(), bits))),
        IpAddr::V6(_) => {
            within((GLOBAL_V6.0.into(), GLOBAL_V6.1))
                && !SPECIAL_V6.into_iter().any(|(net, bits)| within((net.into(), bits)))
        }
    }
}

/// To which networks the program connects.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Policy {
    /// Networks that are not public and may be reached all the same: the specialised network of
    /// agencies.
    pub networks: Vec<Network>,
    /// Whether this machine may be, also without TLS: a sandbox is tried out on a laptop.
    pub own_machine: bool,
}

impl Policy {
    /// Whether a receiver may be at this address.
    pub fn admits(&self, address: IpAddr) -> bool {
        is_public(address)
            || (self.own_machine && address.to_canonical().is_loopback())
            || self.networks.iter().any(|network| network.contains(address))
    }
}

/// What is wrong with an address.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum WrongAddress {
    /// Longer than [`ADDRESS_MAX`].
    Long,
    /// Not `https://`.
    Scheme,
    /// A name or password stands before the host.
    User,
    /// What stands behind `#` is never sent.
    Fragment,
    /// No host, or none that can be.
    Host,
    /// No port.
    Port,
    /// A blank or a character beyond ASCII.
    Characters,
    /// An address of a network to which nothing is sent.
    Network,
}

/// An address of a receiver.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Address {
    /// Whether by TLS.
    pub secure: bool,
    /// Name or address, without brackets.
    pub host: String,
    /// Port.
    pub port: u16,
    /// Host and port as they were written, for the header.
    pub authority: String,
    /// Path and query, beginning with `/`.
    pub path: String,
}

impl Address {
    /// Reads one, by what the policy says of schemes and of hosts that are addresses. To which
    /// addresses a name leads is looked at each time it is connected to.
    ///
    /// # Errors
    /// [`WrongAddress`].
    pub fn parse(text: &str, policy: &Policy) -> Result<Self, WrongAddress> {
        if text.chars().count() > ADDRESS_MAX {
            return Err(WrongAddress::Long);
        }
        if !text.chars().all(|c| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c)) {
            return Err(WrongAddress::Characters);
        }
        let (scheme, rest) = text.split_once("://").ok_or(WrongAddress::Scheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" if policy.own_machine => false,
            _ => return Err(WrongAddress::Scheme),
        };
        if rest.contains('#') {
            return Err(WrongAddress::Fragment);
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if authority.contains('@') {
            return Err(WrongAddress::User);
        }
        let (host, port) = host_and_port(authority, if secure { 443 } else { 80 })?;
        let own = host == "localhost" || is_own(&host);
        match host.parse::<IpAddr>() {
            Ok(address) if !policy.admits(address) => return Err(WrongAddress::Network),
            Err(_) if own && !policy.own_machine => return Err(WrongAddress::Network),
            _ => {}
        }
        if !secure && !own {
            return Err(WrongAddress::Scheme);
        }
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { secure, host, port, authority: authority.to_ascii_lowercase(), path })
    }
}

/// Whether it is this machine, by its address.
fn is_own(host: &str) -> bool {
    host.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

fn host_and_port(authority: &str, usual: u16) -> Result<(String, u16), WrongAddress> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(WrongAddress::Host)?;
            host.parse::<Ipv6Addr>().map_err(|_| WrongAddress::Host)?;
            (host, port)
        }
        None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port > 0).ok_or(WrongAddress::Port)?
        }
        None if port.is_empty() => usual,
        _ => return Err(WrongAddress::Port),
    };
    if host.parse::<IpAddr>().is_err() && !is_name(host) {
        return Err(WrongAddress::Host);
    }
    Ok((host.to_ascii_lowercase(), port))
}

/// Whether it is a name of a host. One whose last part is a number would be read as an address of
/// IPv4 by resolvers (`2130706433`, `127.1`, `0x7f.1`), so it is none.
fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= HOST_MAX
        && host.split('.').all(label)
        && !last.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn centre() -> Policy {
        Policy::default()
    }

    fn sandbox() -> Policy {
        Policy { own_machine: true, ..Policy::default() }
    }

    /// The networks that lead inside, in each of the ways in which an address can be written.
    #[test]
    fn rule_c5_nothing_is_sent_into_networks_that_are_not_public() {
        for inside in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.168.255.255",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "2001::1",
            "2001:1ff::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "4000::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
            assert!(!centre().admits(inside.parse().unwrap()), "{inside}");
        }
        for outside in [
            "1.1.1.1",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.0.0.1",
            "128.0.0.1",
            "172.15.255.255",
            "172.32.0.0",
            "192.167.255.255",
            "192.169.0.0",
            "223.255.255.255",
            "2400:cb00::1",
            "2001:4860:4860::8888",
            "2a00::1",
            "::ffff:1.1.1.1",
        ] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn rule_c5_a_centre_opens_networks_of_agencies_and_a_sandbox_its_own_machine() {
        let open = Policy {
            networks: vec!["10.20.0.0/16".parse().unwrap(), "fd00:20::/32".parse().unwrap()],
            own_machine: false,
        };
        let admits = |address: &str| open.admits(address.parse().unwrap());
        assert!(admits("10.20.1.2") && admits("::ffff:10.20.1.2") && admits("fd00:20::7"));
        assert!(!admits("10.21.0.1") && !admits("127.0.0.1") && !admits("fd00:21::7"));
        assert!(sandbox().admits("127.0.0.1".parse().unwrap()));
        assert!(sandbox().admits("::1".parse().unwrap()));
        assert!(!sandbox().admits("169.254.169.254".parse().unwrap()));
        assert!(!sandbox().admits("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn addresses_are_read() {
        let read = |text: &str| {
            let it = Address::parse(text, &centre()).unwrap();
            (it.host, it.port, it.authority, it.path)
        };
        let of = |host: &str, port, authority: &str, path: &str| {
            (host.to_owned(), port, authority.to_owned(), path.to_owned())
        };
        let host = "webhook.coquan.example.vn";
        assert_eq!(read(&format!("https://{host}")), of(host, 443, host, "/"));
        let to = "HTTPS://WebHook.coquan.example.vn:8443/a/b?c=d%20e";
        assert_eq!(read(to), of(host, 8_443, &format!("{host}:8443"), "/a/b?c=d%20e"));
        assert_eq!(read(&format!("https://{host}?x=1")), of(host, 443, host, "/?x=1"));
        let v6 = "2001:4860:4860::8888";
        assert_eq!(read(&format!("https://[{v6}]:9/")), of(v6, 9, &format!("[{v6}]:9"), "/"));
        assert_eq!(read("https://1.1.1.1/x"), of("1.1.1.1", 443, "1.1.1.1", "/x"));
    }

    #[test]
    fn rule_c5_what_is_no_address_is_refused_with_its_cause() {
        use WrongAddress as W;
        for (text, why) in [
            ("", W::Scheme),
            ("ftp://x.vn/", W::Scheme),
            ("http://x.vn/", W::Scheme),
            ("http://169.254.169.254/latest", W::Scheme),
            ("x.vn/hook", W::Scheme),
            ("file:///etc/passwd", W::Scheme),
            ("https://", W::Host),
            ("https:///x", W::Host),
            ("https://user:pw@x.vn/", W::User),
            ("https://x.vn@10.0.0.1/", W::User),
            ("https://x.vn/#a", W::Fragment),
            ("https://x.vn:0/", W::Port),
            ("https://x.vn:99999/", W::Port),
            ("https://x.vn:+1/", W::Port),
            ("https://x.vn:/", W::Port),
            ("https://[::1/", W::Host),
            ("https://[x.vn]/", W::Host),
            ("https://-x.vn/", W::Host),
            ("https://x..vn/", W::Host),
            ("https://x.vn./", W::Host),
            // Ways in which resolvers read an address of IPv4.
            ("https://2130706433/", W::Host),
            ("https://127.1/", W::Host),
            ("https://0x7f.0.0.1/", W::Host),
            ("https://0x7f000001/", W::Host),
            ("https://017700000001/", W::Host),
            ("https://đơnvị.vn/", W::Characters),
            ("https://x.vn/a b", W::Characters),
            ("https://x.vn/\r\nHost: y", W::Characters),
            ("https://localhost/", W::Network),
            ("https://127.0.0.1/", W::Network),
            ("https://[::1]/", W::Network),
            ("https://[::ffff:10.0.0.1]/", W::Network),
            ("https://10.20.0.1/", W::Network),
            ("https://169.254.169.254/", W::Network),
        ] {
            assert_eq!(Address::parse(text, &centre()), Err(why), "{text}");
        }
        let long = format!("https://x.vn/{}", "a".repeat(ADDRESS_MAX));
        assert_eq!(Address::parse(&long, &centre()), Err(W::Long));
    }

    #[test]
    fn a_sandbox_goes_without_tls_to_its_own_machine_alone() {
        for own in ["http://127.0.0.1:9/x", "http://localhost:9", "http://[::1]:9/"] {
            assert!(!Address::parse(own, &sandbox()).unwrap().secure, "{own}");
            assert_eq!(Address::parse(own, &centre()), Err(WrongAddress::Scheme), "{own}");
        }
        for (text, why) in [
            ("http://x.vn/", WrongAddress::Scheme),
            ("http://169.254.169.254/", WrongAddress::Network),
            ("https://10.0.0.1/", WrongAddress::Network),
        ] {
            assert_eq!(Address::parse(text, &sandbox()), Err(why), "{text}");
        }
    }
}
