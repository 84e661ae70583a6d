//! Addresses and networks in CIDR notation: whose headers are believed, from where a system calls.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Bits that name one link of IPv6 (RFC 4291, 2.5.4): the rest of an address is chosen by whoever
/// is there, as often as they like.
const LINK_BITS: u8 = 64;
/// Bits that addresses of IPv4 share which are commonly given out together (*ours*): changing
/// within them costs little.
const NEIGHBOURS_BITS: u8 = 24;

/// An address or a network in CIDR notation.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether the address lies in the network; an IPv4 address mapped into IPv6 is the IPv4 one.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                let differ = ours.to_bits() ^ theirs.to_bits();
                differ.checked_shr(32 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                let differ = ours.to_bits() ^ theirs.to_bits();
                differ.checked_shr(128 - u32::from(self.bits)).unwrap_or(0) == 0
            }
            _ => false,
        }
    }

    /// The network around an address, with nothing beyond its prefix; of more bits than an address
    /// has, the address alone. An IPv4 address mapped into IPv6 is the IPv4 one.
    #[must_use]
    pub fn around(address: IpAddr, bits: u8) -> Self {
        let address = address.to_canonical();
        let most = if address.is_ipv4() { 32 } else { 128 };
        Self { address, bits: bits.min(most) }.plain()
    }

    /// What one connection has: an address of IPv4, the /64 of an address of IPv6. What each caller
    /// may have or send at a time is counted by it.
    #[must_use]
    pub fn of_connection(address: IpAddr) -> Self {
        Self::around(address, LINK_BITS)
    }

    /// What somebody who takes another address stays within: the /24 of an address of IPv4, the /64
    /// of one of IPv6. Failures are counted by it (C5).
    #[must_use]
    pub fn of_neighbours(address: IpAddr) -> Self {
        let v4 = address.to_canonical().is_ipv4();
        Self::around(address, if v4 { NEIGHBOURS_BITS } else { LINK_BITS })
    }

    /// Its address as it was written.
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// The length of its prefix, in bits.
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// The network with nothing beyond its prefix: `10.1.2.3/8` is `10.0.0.0/8`. Whoever typed
    /// the former may have meant something else.
    #[must_use]
    pub fn plain(self) -> Self {
        let address = match self.address {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V4((v4.to_bits() & mask).into())
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.bits)).unwrap_or(0);
                IpAddr::V6((v6.to_bits() & mask).into())
            }
        };
        Self { address, ..self }
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` không phải địa chỉ hay mạng CIDR (no address or network)");
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |b| b.parse().map_err(|_| wrong()))?;
        if bits > most {
            return Err(wrong());
        }
        match address {
            // Callers are compared as what they are: a mapped network is the IPv4 one.
            IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
                Some(v4) if bits >= 96 => Ok(Self { address: v4.into(), bits: bits - 96 }),
                Some(_) => Err(wrong()),
                None => Ok(Self { address, bits }),
            },
            IpAddr::V4(_) => Ok(Self { address, bits }),
        }
    }
}

/// An address of its own without the length of its prefix.
impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let most = if self.address.is_ipv4() { 32 } else { 128 };
        if self.bits == most {
            write!(f, "{}", self.address)
        } else {
            write!(f, "{}/{}", self.address, self.bits)
        }
    }
}

impl TryFrom<String> for Network {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Network> for String {
    fn from(network: Network) -> Self {
        format!("{}/{}", network.address, network.bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_read_shown_and_made_plain() {
        let read = |text: &str| text.parse::<Network>().unwrap();
        for (text, shown, plain) in [
            ("192.0.2.7", "192.0.2.7", "192.0.2.7"),
            ("192.0.2.7/24", "192.0.2.7/24", "192.0.2.0/24"),
            ("192.0.2.7/0", "192.0.2.7/0", "0.0.0.0/0"),
            ("2001:db8::7/32", "2001:db8::7/32", "2001:db8::/32"),
            ("2001:db8::7/0", "2001:db8::7/0", "::/0"),
        ] {
            assert_eq!(read(text).to_string(), shown);
            assert_eq!(read(text).plain().to_string(), plain);
            assert_eq!(String::from(read(text)).parse::<Network>(), Ok(read(text)));
        }
        assert!(read("10.0.0.0/8").contains("::ffff:10.9.9.9".parse().unwrap()));
        assert!(!read("10.0.0.0/8").contains("11.0.0.1".parse().unwrap()));
        assert_eq!(read("::ffff:192.0.2.7/120"), read("192.0.2.7/24"));
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/-1",
            "10.0.0.0/x",
            "office",
            "::ffff:192.0.2.7/95",
        ] {
            assert!(text.parse::<Network>().is_err(), "{text}");
        }
    }

    #[test]
    fn addresses_lie_in_their_network_and_in_no_other() {
        let lies = |address: &str, network: &str| {
            network.parse::<Network>().unwrap().contains(address.parse().unwrap())
        };
        assert!(lies("10.1.255.255", "10.1.2.3/16") && !lies("10.2.0.0", "10.1.2.3/16"));
        assert!(lies("2001:db8:ffff::1", "2001:db8::/32") && !lies("2001:db9::1", "2001:db8::/32"));
        assert!(lies("203.0.113.9", "0.0.0.0/0") && !lies("2001:db8::1", "0.0.0.0/0"));
        assert!(lies("2001:db8::1", "::/0") && !lies("203.0.113.9", "::/0"));
        assert!(lies("10.0.0.1", "10.0.0.1") && !lies("10.0.0.2", "10.0.0.1"));
        let around = |address: &str, bits| Network::around(address.parse().unwrap(), bits);
        assert_eq!(around("10.1.2.3", 24).to_string(), "10.1.2.0/24");
        assert_eq!(around("::ffff:10.1.2.3", 24), around("10.1.2.250", 24));
        assert_eq!(around("2001:db8::1:7", 64).to_string(), "2001:db8::/64");
        assert_eq!(around("10.1.2.3", 64).to_string(), "10.1.2.3");
    }

    #[test]
    fn rule_c5_who_has_many_addresses_is_counted_as_one() {
        for (address, connection, neighbours) in [
            ("10.1.2.3", "10.1.2.3", "10.1.2.0/24"),
            ("::ffff:10.1.2.3", "10.1.2.3", "10.1.2.0/24"),
            ("2001:db8:0:1:ffff::7", "2001:db8:0:1::/64", "2001:db8:0:1::/64"),
            ("2001:db8:0:2::7", "2001:db8:0:2::/64", "2001:db8:0:2::/64"),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(Network::of_connection(address).to_string(), connection);
            assert_eq!(Network::of_neighbours(address).to_string(), neighbours);
        }
    }
}
