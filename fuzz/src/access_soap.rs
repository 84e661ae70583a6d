//! The SOAP header: any bytes are refused or prove the system; a right hash proves it.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dancu_access::{Arrival, AuthFailure};
use dancu_access::soap::{FRESH_MS, SoapHeaders, UsedTriples, authenticate};
use dancu_domain::moment::Moment;
use dancu_domain::registration::Snapshot;

use crate::people::{SECRET, USER, system};

/// The machine's clock, ms.
const NOW: i64 = 1_773_100_800_000;

static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(|| Snapshot::new(1, vec![system(vec![])]));

/// Reads four lines: timestamp, authorization, subsystem, path. An authorization `sign` is
/// replaced by a right one.
///
/// # Panics
/// Where a law is broken.
pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut lines = text.splitn(4, '\n');
    let (timestamp, authorization) = (lines.next(), lines.next());
    let (x_road_client, path) = (lines.next().filter(|l| !l.is_empty()), lines.next());
    let path = path.unwrap_or_default();
    let signed = timestamp.map(|timestamp| authorization_of(path, timestamp));
    let is_signed = authorization == Some("sign");
    let headers = SoapHeaders {
        timestamp,
        authorization: if is_signed { signed.as_deref() } else { authorization },
        x_road_client,
        path,
        certificate: None,
    };
    let source = std::net::Ipv4Addr::LOCALHOST.into();
    let arrival = Arrival { source, at: Moment(NOW), machine: NOW };
    let result = authenticate(&SNAPSHOT, &headers, &arrival);
    if let (true, Some(timestamp)) = (is_signed, timestamp) {
        let milliseconds = read(timestamp);
        let foreign = x_road_client.is_some_and(|c| c != "VN/GOV/H26/onestop");
        let expected = match milliseconds {
            None => Some(AuthFailure::Malformed),
            Some(ms) if (NOW - ms).abs() > FRESH_MS => Some(AuthFailure::Stale),
            Some(_) if foreign => Some(AuthFailure::ForeignSubsystem),
            Some(_) => None,
        };
        assert_eq!(result.as_ref().err().copied(), expected);
    }
    let Ok(proof) = result else { return };
    let used = UsedTriples::default();
    assert_eq!(used.use_once(&proof, [1; 16], false, NOW), Ok(()));
    assert_eq!(used.use_once(&proof, [1; 16], false, NOW), Ok(()));
    assert_eq!(used.use_once(&proof, [2; 16], false, NOW), Err(AuthFailure::Replayed));
}

fn authorization_of(path: &str, timestamp: &str) -> String {
    let hash = hex::encode(digest(&SHA256, format!("{path}{USER}{timestamp}{SECRET}").as_bytes()));
    format!("Basic {}", STANDARD.encode(format!("{USER}:{hash}")))
}

/// Seconds or milliseconds since 1970, by size.
fn read(timestamp: &str) -> Option<i64> {
    let plain = (1..=16).contains(&timestamp.len()) && !timestamp.starts_with('+');
    let n: i64 = timestamp.parse::<u64>().ok().filter(|_| plain)?.try_into().ok()?;
    Some(if n < 100_000_000_000 { n * 1000 } else { n })
}
