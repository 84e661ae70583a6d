//! Lets a try go on to the password or code, or not: the domain's delays per login and source, and
//! the failures of a network beside them.

use std::net::IpAddr;

use dancu_domain::network::Network;
use dancu_domain::people::MachineTime;
use dancu_domain::people::failures::{Failures, Hold, LoginDigest, Source, Try};
use dancu_domain::people::reasons::PortalReason;
use parking_lot::Mutex;

use super::captcha::Captcha;
use super::keys::Keys;
use super::networks::Networks;
use super::{Held, Mark};

/// Failures of late, in memory of this process: another node counts its own.
pub(super) struct Throttle {
    failures: Mutex<Failures>,
    networks: Networks,
}

/// Whose failures a try counts among.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// Those of its network.
    Network,
    /// Those of the person's known device.
    Device(Mark),
    /// Those of the session in which it is made.
    Session(Mark),
}

/// A try, where it comes from and what it may show.
pub(super) struct Asking<'a> {
    /// What is tried.
    pub(super) login: LoginDigest,
    /// The address.
    pub(super) source: IpAddr,
    /// Where it is counted.
    pub(super) place: Place,
    /// The solution that was sent.
    pub(super) captcha: Option<&'a str>,
    /// The machine's clock.
    pub(super) now: MachineTime,
}

/// Why it does not go on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    /// To be told.
    Held(Held),
    /// The device is to be forgotten, and the try made again without it.
    ForgetDevice,
}

impl Throttle {
    pub(super) fn new(registered: Vec<Network>) -> Self {
        Self { failures: Mutex::default(), networks: Networks::new(registered) }
    }

    /// Lets a try through; it counts as a failure until it is settled.
    pub(super) fn admit(
        &self,
        keys: &Keys,
        captcha: &Captcha,
        asking: &Asking<'_>,
    ) -> Result<Try, Stop> {
        let Asking { login, source: address, place, captcha: sent, now } = *asking;
        let network = keys.network(address);
        let source = source(network, place);
        let mut failures = self.failures.lock();
        let needed = self.needed(&failures, login, source, (address, network), now);
        let held = |reason, wait_ms, captcha| Stop::Held(Held { reason, wait_ms, captcha });
        // A solution is used up only where one is asked for, and not by a try that has to wait.
        let wait = failures.wait_ms(login, source, now);
        if needed && wait > 0 {
            return Err(held(PortalReason::TooSoon, wait, true));
        }
        let solved = needed && sent.is_some_and(|sent| captcha.verify(sent, now));
        if needed && !solved {
            return Err(held(PortalReason::CaptchaNeeded, 0, true));
        }
        failures.attempt(login, source, solved, now).map_err(|hold| match hold {
            Hold::Wait(ms) => held(PortalReason::TooSoon, ms, needed),
            Hold::Captcha => held(PortalReason::CaptchaNeeded, 0, true),
            Hold::ForgetDevice => Stop::ForgetDevice,
        })
    }

    /// Whether the form for this login has to show a captcha.
    pub(super) fn captcha_needed(&self, keys: &Keys, asking: &Asking<'_>) -> bool {
        let Asking { login, source: address, place, now, .. } = *asking;
        let network = keys.network(address);
        let failures = self.failures.lock();
        self.needed(&failures, login, source(network, place), (address, network), now)
    }

    fn needed(
        &self,
        failures: &Failures,
        login: LoginDigest,
        source: Source,
        (address, network): (IpAddr, u64),
        now: MachineTime,
    ) -> bool {
        let over =
            matches!(source, Source::Network(_)) && self.networks.is_over(address, network, now);
        over || failures.captcha_needed(login, source, now)
    }

    /// It was right.
    pub(super) fn succeeded(&self, tried: Try, now: MachineTime) {
        self.failures.lock().succeeded(tried, now);
    }

    /// It was not checked: as if nothing had been tried.
    pub(super) fn withdrawn(&self, tried: Try, now: MachineTime) {
        self.failures.lock().withdrawn(tried, now);
    }

    /// It was wrong: it stays counted, and the network's failures grow.
    pub(super) fn failed(&self, keys: &Keys, address: IpAddr, now: MachineTime) {
        let network = keys.network(address);
        self.networks.failed(address, network, now);
    }
}

fn source(network: u64, place: Place) -> Source {
    // The digest of 32 random bytes is a number as good as a row's.
    let number = |mark: Mark| mark.0.first_chunk().map_or(0, |eight| u64::from_be_bytes(*eight));
    match place {
        Place::Network => Source::Network(network),
        Place::Device(mark) => Source::Device(number(mark)),
        Place::Session(mark) => Source::Session(number(mark)),
    }
}
