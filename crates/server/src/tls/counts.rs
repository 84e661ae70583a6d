//! What the front door counts, for metrics: failures are counted here instead of logged one by one.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};

/// Counters since the process began, and two gauges.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Connections accepted.
    pub accepted: u64,
    /// Connections open now (gauge).
    pub open: u64,
    /// Connections cut because a header did not arrive in time.
    pub cut_slow: u64,
    /// Connections closed because nothing was asked for too long.
    pub closed_idle: u64,
    /// Connections closed because the client's certificate ended or was revoked meanwhile.
    pub closed_certificate: u64,
    /// Handshakes that ended well.
    pub handshakes: u64,
    /// Handshakes that took too long.
    pub handshakes_late: u64,
    /// Handshakes without a common version, cipher or protocol.
    pub handshakes_incompatible: u64,
    /// Handshakes refused for the client's certificate: none, unknown authority, expired, revoked.
    pub handshakes_certificate: u64,
    /// Handshakes broken off or not TLS at all.
    pub handshakes_broken: u64,
    /// Times that new certificate files were taken.
    pub reloads: u64,
    /// Times that new certificate files were refused and the old ones kept.
    pub reloads_refused: u64,
    /// End of the certificate in use, ms since 1970 (gauge); 0 without TLS.
    pub certificate_until_ms: i64,
}

macro_rules! counters {
    ($($name:ident),*) => {
        struct Counters { $($name: AtomicU64,)* certificate_until_ms: AtomicI64 }
        static COUNTERS: Counters = Counters {
            $($name: AtomicU64::new(0),)*
            certificate_until_ms: AtomicI64::new(0),
        };
        $(
            /// Counts one.
            pub fn $name() {
                COUNTERS.$name.fetch_add(1, Relaxed);
            }
        )*
        /// The counters as they stand.
        pub fn counts() -> Counts {
            Counts {
                $($name: COUNTERS.$name.load(Relaxed),)*
                certificate_until_ms: COUNTERS.certificate_until_ms.load(Relaxed),
            }
        }
    };
}
counters!(
    accepted,
    open,
    cut_slow,
    closed_idle,
    closed_certificate,
    handshakes,
    handshakes_late,
    handshakes_incompatible,
    handshakes_certificate,
    handshakes_broken,
    reloads,
    reloads_refused
);

/// Held while a connection is open.
pub struct Open(());

impl Open {
    /// One more connection is open.
    pub fn new() -> Self {
        accepted();
        open();
        Self(())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        COUNTERS.open.fetch_sub(1, Relaxed);
    }
}

/// The end of the certificate in use.
pub(super) fn certificate_until(ms: i64) {
    COUNTERS.certificate_until_ms.store(ms, Relaxed);
}

/// Counts a handshake that failed.
pub fn handshake_failed(error: &std::io::Error) {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    match inner {
        Some(rustls::Error::PeerIncompatible(_) | rustls::Error::NoApplicationProtocol) => {
            handshakes_incompatible();
        }
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented) => {
            handshakes_certificate();
        }
        _ => handshakes_broken(),
    }
}
