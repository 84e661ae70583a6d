//! The caller behind reverse proxies: their headers are believed from configured addresses only.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
pub use dancu_domain::network::Network;

use crate::tls::client::ClientCertificate;
use crate::tls::config::{ForwardedHeader, HttpConfig};

/// Hops of a forwarding header that are looked at, from the nearest on.
const HOPS_MAX: usize = 32;

/// Who is believed, and which headers.
#[derive(Clone, Debug, Default)]
pub struct Proxies {
    networks: Vec<Network>,
    header: ForwardedHeader,
    certificate: Option<HeaderName>,
}

/// Where a request comes from, as far as it can be believed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The caller's address; port 0 where the proxy does not say it.
    pub address: SocketAddr,
    /// Whether the caller reached the outermost believed proxy by TLS.
    pub secure: bool,
    /// The client certificate that the proxy verified.
    pub certificate: Option<ClientCertificate>,
}

impl Proxies {
    /// From `[http]`, after its `check`.
    pub fn new(config: &HttpConfig) -> Self {
        Self {
            networks: config.trusted_proxies.clone(),
            header: config.forwarded_header,
            certificate: config.client_certificate_header.as_ref().and_then(|n| n.parse().ok()),
        }
    }

    /// Whether headers of this peer are believed.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.networks.iter().any(|n| n.contains(peer))
    }

    /// The origin of a request that a trusted proxy passes on. Hops are read from the nearest
    /// on: the first one that is no trusted proxy is the caller. A hop that cannot be read ends
    /// the walk at the last address that could be believed.
    pub fn origin(&self, peer: SocketAddr, headers: &HeaderMap) -> Origin {
        let hops = match self.header {
            ForwardedHeader::XForwardedFor => x_forwarded(headers),
            ForwardedHeader::Forwarded => forwarded(headers),
        };
        let mut origin = Origin { address: peer, secure: false, certificate: None };
        for hop in hops.into_iter().rev().take(HOPS_MAX) {
            let Some(address) = hop.address else { break };
            origin.address = address;
            origin.secure = hop.secure;
            if !self.trusts(address.ip()) {
                break;
            }
        }
        origin.certificate = self.certificate.as_ref().and_then(|name| certificate(headers, name));
        origin
    }
}

/// One hop: who was connected to the proxy that wrote it, and whether by TLS.
struct Hop {
    address: Option<SocketAddr>,
    secure: bool,
}

/// All values of a header as one list.
fn list(headers: &HeaderMap, name: &str, split: fn(&str) -> Vec<&str>) -> Vec<String> {
    let mut out = vec![];
    for value in headers.get_all(name) {
        // Bytes that are no text spoil the hop that they stand in, not those beside it.
        let value = String::from_utf8_lossy(value.as_bytes());
        out.extend(split(&value).into_iter().map(|hop| hop.trim().to_owned()));
    }
    out
}

/// At every comma: what X-Forwarded-* holds knows no quotes.
fn at_commas(text: &str) -> Vec<&str> {
    text.split(',').collect()
}

/// The elements of Forwarded.
fn elements(text: &str) -> Vec<&str> {
    outside_quotes(text, ',')
}

/// At a mark outside quotes. A quote that does not end began in what the caller itself wrote, and
/// would swallow the hop that the proxy added: then every mark splits.
fn outside_quotes(text: &str, mark: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    let parts = text
        .split(|c: char| {
            if escaped {
                escaped = false;
                return false;
            }
            match c {
                '\\' if quoted => escaped = true,
                '"' => quoted = !quoted,
                _ => {}
            }
            c == mark && !quoted
        })
        .collect();
    if quoted { text.split(mark).collect() } else { parts }
}

/// X-Forwarded-For; X-Forwarded-Proto is either one word for all hops or one for each.
fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let protocols = list(headers, "x-forwarded-proto", at_commas);
    let hops = list(headers, "x-forwarded-for", at_commas);
    let each = protocols.len() == hops.len();
    let last = protocols.last().is_some_and(|p| p.eq_ignore_ascii_case("https"));
    hops.iter()
        .enumerate()
        .map(|(i, hop)| Hop {
            address: node(hop),
            secure: if each { protocols[i].eq_ignore_ascii_case("https") } else { last },
        })
        .collect()
}

/// Forwarded (RFC 7239): `for=192.0.2.43;proto=https, for="[2001:db8::1]:4711"`.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    list(headers, "forwarded", elements)
        .iter()
        .map(|element| {
            let mut hop = Hop { address: None, secure: false };
            for pair in outside_quotes(element, ';') {
                let Some((name, value)) = pair.split_once('=') else { continue };
                let value = value.trim().trim_matches('"');
                match name.trim() {
                    n if n.eq_ignore_ascii_case("for") => hop.address = node(value),
                    n if n.eq_ignore_ascii_case("proto") => {
                        hop.secure = value.eq_ignore_ascii_case("https");
                    }
                    _ => {}
                }
            }
            hop
        })
        .collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:80`.
fn node(text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address);
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    bare.parse::<IpAddr>().ok().map(|ip| SocketAddr::new(ip, 0))
}

/// The certificate in a header: `:base64 of DER:` (RFC 9440) or URL-encoded PEM. Two headers of
/// the name are none: one of them came from outside.
fn certificate(headers: &HeaderMap, name: &HeaderName) -> Option<ClientCertificate> {
    let mut values = headers.get_all(name).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let value = value.to_str().ok()?.trim();
    if let Some(encoded) = value.strip_prefix(':').and_then(|v| v.strip_suffix(':')) {
        return ClientCertificate::of_der(&STANDARD.decode(encoded).ok()?);
    }
    // A plus sign is itself here, not a space: it belongs to the base64 of the PEM.
    let pem = dancu_access::client::form_decoded(&value.replace('+', "%2B"))?;
    ClientCertificate::of_pem(pem.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(header: ForwardedHeader) -> Proxies {
        let networks = ["10.0.0.0/8", "fd00::/8", "192.0.2.7"];
        Proxies {
            networks: networks.iter().map(|n| n.parse().unwrap()).collect(),
            header,
            certificate: Some(HeaderName::from_static("client-cert")),
        }
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(*name, value.parse().unwrap());
        }
        map
    }

    fn seen(header: ForwardedHeader, pairs: &[(&'static str, &str)]) -> (String, bool) {
        let peer = "10.0.0.1:5000".parse().unwrap();
        let origin = proxies(header).origin(peer, &headers(pairs));
        (origin.address.to_string(), origin.secure)
    }

    #[test]
    fn networks_hold_their_addresses() {
        let holds =
            |n: &str, a: &str| n.parse::<Network>().unwrap().contains(a.parse::<IpAddr>().unwrap());
        assert!(holds("10.0.0.0/8", "10.255.0.1") && !holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("10.0.0.0/8", "::ffff:10.1.2.3"));
        assert!(holds("0.0.0.0/0", "203.0.113.9") && !holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("::/0", "2001:db8::1") && holds("fd00::/8", "fdff::1"));
        assert!(holds("192.0.2.7", "192.0.2.7") && !holds("192.0.2.7", "192.0.2.6"));
        for wrong in ["", "10.0.0.0/33", "10.0.0/8", "fd00::/129", "10.0.0.0/-1", "nginx"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_nearest_hop_that_is_no_proxy_is_the_caller() {
        use ForwardedHeader::XForwardedFor;
        let caller = |value: &str| seen(XForwardedFor, &[("x-forwarded-for", value)]).0;
        assert_eq!(caller("198.51.100.4"), "198.51.100.4:0");
        // What the caller wrote itself stands to the left and is not believed.
        assert_eq!(caller("1.2.3.4, 198.51.100.4"), "198.51.100.4:0");
        assert_eq!(caller("1.2.3.4, 198.51.100.4:99, 10.3.0.1, 192.0.2.7"), "198.51.100.4:99");
        assert_eq!(caller("2001:db8::1"), "[2001:db8::1]:0");
        // All hops are ours: the outermost one is the caller.
        assert_eq!(caller("10.9.9.9, 10.3.0.1"), "10.9.9.9:0");
        // What cannot be read ends the walk where it could still be believed.
        assert_eq!(caller("198.51.100.4, unknown"), "10.0.0.1:5000");
        assert_eq!(caller("198.51.100.4, <script>, 10.3.0.1"), "10.3.0.1:0");
        assert_eq!(caller(""), "10.0.0.1:5000");
        assert_eq!(seen(XForwardedFor, &[]).0, "10.0.0.1:5000");
        let two = [("x-forwarded-for", "1.2.3.4"), ("x-forwarded-for", "198.51.100.4")];
        assert_eq!(seen(XForwardedFor, &two).0, "198.51.100.4:0");
        // A quote that the caller wrote swallows nothing.
        assert_eq!(caller("\", 198.51.100.4"), "198.51.100.4:0");
        assert_eq!(caller("\", 198.51.100.4, 10.3.0.1"), "198.51.100.4:0");
        // Bytes that are no text neither.
        let mut map = HeaderMap::new();
        let value = axum::http::HeaderValue::from_bytes(b"\xff, 198.51.100.4").unwrap();
        map.insert("x-forwarded-for", value);
        let origin = proxies(XForwardedFor).origin("10.0.0.1:5000".parse().unwrap(), &map);
        assert_eq!(origin.address.to_string(), "198.51.100.4:0");
        // The other header is the caller's own text.
        assert_eq!(seen(XForwardedFor, &[("forwarded", "for=1.2.3.4")]).0, "10.0.0.1:5000");
    }

    #[test]
    fn the_scheme_comes_with_the_hop() {
        use ForwardedHeader::XForwardedFor;
        let secure = |hops: &str, protocol: &str| {
            let pairs = [("x-forwarded-for", hops), ("x-forwarded-proto", protocol)];
            seen(XForwardedFor, &pairs).1
        };
        assert!(secure("198.51.100.4", "https") && !secure("198.51.100.4", "http"));
        assert!(secure("1.1.1.1, 198.51.100.4", "https"));
        assert!(secure("1.1.1.1, 198.51.100.4", "http, https"));
        assert!(!secure("1.1.1.1, 198.51.100.4", "https, http"));
    }

    #[test]
    fn forwarded_is_read_as_rfc_7239_writes_it() {
        let caller = |value: &str| seen(ForwardedHeader::Forwarded, &[("forwarded", value)]);
        let expected = ("198.51.100.4:0".to_owned(), true);
        assert_eq!(caller("for=1.2.3.4, For=198.51.100.4;proto=https;by=10.0.0.1"), expected);
        let v6 = caller("for=\"[2001:db8::17]:4711\";host=\"a,b;c\", for=10.0.0.9");
        assert_eq!(v6, ("[2001:db8::17]:4711".to_owned(), false));
        assert_eq!(caller("for=_hidden, for=10.0.0.9").0, "10.0.0.9:0");
        assert_eq!(caller("for=unknown").0, "10.0.0.1:5000");
        assert_eq!(caller("proto=https").0, "10.0.0.1:5000");
        assert_eq!(caller("for=\"198.51.100.4").0, "198.51.100.4:0");
        assert_eq!(caller("for=\"x, for=198.51.100.4").0, "198.51.100.4:0");
        assert_eq!(caller("for=1.2.3.4;host=\", for=198.51.100.4").0, "198.51.100.4:0");
    }

    #[test]
    fn a_passed_on_certificate_is_read_once() {
        let key = rcgen::KeyPair::generate().unwrap();
        let made = rcgen::CertificateParams::new(["h26".to_owned()]).unwrap();
        let made = made.self_signed(&key).unwrap();
        let proxies = proxies(ForwardedHeader::XForwardedFor);
        let peer = "10.0.0.1:5000".parse().unwrap();
        let read = |pairs: &[(&'static str, &str)]| proxies.origin(peer, &headers(pairs));
        let der = format!(":{}:", STANDARD.encode(made.der()));
        let pem = made.pem().replace('\r', "").replace('\n', "%0A").replace(' ', "%20");
        let expected = ClientCertificate::of_der(made.der()).unwrap();
        for value in [&der, &pem] {
            let origin = read(&[("client-cert", value)]);
            assert_eq!(origin.certificate, Some(expected.clone()));
        }
        assert_eq!(read(&[("client-cert", &der), ("client-cert", &der)]).certificate, None);
        for wrong in ["", "::", ":AAAA:", "%", "-----BEGIN%20CERTIFICATE-----"] {
            assert_eq!(read(&[("client-cert", wrong)]).certificate, None, "{wrong}");
        }
    }
}
