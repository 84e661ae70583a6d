//! From where a system calls.

use dancu_domain::network::Network;
use dancu_store::policy::credentials::Earlier;

use super::{Desk, field};
use crate::act::{Done, Refused};

/// Networks of one system: an agency with a data centre and a spare has a handful.
pub const SOURCES_MAX: usize = 32;
/// Shortest prefix of IPv4: larger networks belong to nobody alone.
const V4_MIN: u8 = 8;
/// Shortest prefix of IPv6: a registry's allocation to one network.
const V6_MIN: u8 = 16;

/// Reads a list as it is typed: one address or network each line, or with commas between them.
///
/// # Errors
/// [`Refused::Field`] of the field `sources` with what is wrong and, where it can be guessed, what
/// was probably meant.
pub fn parse_sources(text: &str) -> Result<Vec<Network>, Refused> {
    let mut networks = vec![];
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';'));
    for word in words.filter(|word| !word.is_empty()) {
        let shown: String = word.chars().take(50).collect();
        let network: Network = word.parse().map_err(|_| {
            wrong(
                format!("{shown}: không phải địa chỉ IP hay mạng CIDR, ví dụ 203.0.113.0/24."),
                format!("{shown}: no IP address or CIDR network, such as 203.0.113.0/24."),
            )
        })?;
        let plain = network.plain();
        if plain != network {
            return Err(wrong(
                format!("{shown}: địa chỉ có phần lẻ sau tiền tố; có phải là {plain}?"),
                format!("{shown}: there are bits beyond the prefix; is it {plain}?"),
            ));
        }
        let least = if network.address().is_ipv4() { V4_MIN } else { V6_MIN };
        if network.bits() < least {
            return Err(wrong(
                format!("{shown}: mạng quá rộng, tiền tố ngắn nhất là /{least}."),
                format!("{shown}: too wide, the shortest prefix is /{least}."),
            ));
        }
        if !networks.contains(&network) {
            networks.push(network);
        }
        if networks.len() > SOURCES_MAX {
            return Err(wrong(
                format!("Tối đa {SOURCES_MAX} địa chỉ hoặc mạng."),
                format!("At most {SOURCES_MAX} addresses or networks."),
            ));
        }
    }
    Ok(networks)
}

/// Sets the networks from which the system calls; empty: from anywhere. Tokens stay: they are
/// compared with the list each time.
///
/// # Errors
/// A closed connection.
pub async fn set_sources(desk: &Desk<'_>, networks: Vec<Network>) -> Result<Done, Refused> {
    let set = desk.carry_out("credential.sources", move |all| {
        let told: Vec<String> = networks.iter().map(ToString::to_string).collect();
        all.facts.sources = networks;
        Ok((Earlier::Stays, (format!("[{}]", told.join(" ")), ())))
    });
    Ok(set.await?.0)
}

fn wrong(vi: String, en: String) -> Refused {
    field("sources", vi, en)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_as_they_are_typed() {
        let read = |text: &str| {
            let networks = parse_sources(text).unwrap();
            networks.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        assert_eq!(read(" \n"), [""; 0]);
        assert_eq!(
            read("203.0.113.0/24, 198.51.100.7\r\n2001:db8::/32;198.51.100.7"),
            ["203.0.113.0/24", "198.51.100.7", "2001:db8::/32"]
        );
    }

    #[test]
    fn typing_errors_are_told_with_what_was_meant() {
        let wrong = |text: &str| match parse_sources(text) {
            Err(Refused::Field { field: "sources", vi, .. }) => vi,
            other => panic!("{text}: {other:?}"),
        };
        assert!(wrong("203.0.113.9/24").contains("203.0.113.0/24?"));
        for text in ["203.0.113", "203.0.113.0/33", "203.0.113.0-9", "<b>", "localhost", "1/"] {
            assert!(wrong(text).contains("CIDR"), "{text}");
        }
        assert!(wrong("0.0.0.0/0").contains("/8"));
        assert!(wrong("::/0").contains("/16"));
        let many: Vec<String> = (0..=SOURCES_MAX).map(|n| format!("198.51.100.{n}")).collect();
        assert!(wrong(&many.join(" ")).contains("32"));
        assert!(wrong(&"9".repeat(60_000)).chars().count() < 200);
    }
}
