//! Timestamps and hashes of the SOAP header, each used once.
//!
//! `hash = lowercase hex SHA-256(service_url + user + timestamp + secret)`; a triple (user,
//! timestamp, hash) that comes again with another body is refused, so a load needs as many
//! timestamps as requests, all of them within five minutes of the machine's clock.

use std::collections::VecDeque;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::machine;

/// How far a timestamp may lie from now, in milliseconds: four of the five minutes allowed, so
/// that one made before a round is still good at its end.
const REACH_MILLIS: u64 = 4 * 60 * 1000;

/// Values of one request's headers.
pub struct Stamp {
    /// `Timestamp`: epoch milliseconds, 13 digits.
    pub millis: u64,
    /// base64(user:hash), as it stands after `Basic `.
    pub credentials: String,
}

/// Gives stamps that were not given before.
pub struct Stamps {
    user: String,
    secret: String,
    sources: Vec<Source>,
    ready: VecDeque<Stamp>,
    repeats: bool,
}

/// One string that the system may put into the hash, with the next timestamp not used with it.
struct Source {
    service_url: String,
    next: u64,
}

impl Stamps {
    /// Stamps for a user with the strings that stand for the service: each string makes other
    /// hashes, and so doubles the number of stamps that the ten minutes hold.
    pub fn new(user: &str, secret: &str, service_urls: &[String]) -> Self {
        let sources =
            service_urls.iter().map(|url| Source { service_url: url.clone(), next: 0 }).collect();
        let (user, secret) = (user.to_owned(), secret.to_owned());
        Self { user, secret, sources, ready: VecDeque::new(), repeats: false }
    }

    /// Begins again with the oldest once all are used: for a server that looks at none of them.
    pub fn repeat(&mut self) {
        self.repeats = true;
    }

    /// Computes stamps ahead until `count` are ready or none is left; drops those gone stale.
    pub fn prepare(&mut self, count: usize) {
        let now = now_millis();
        self.ready.retain(|stamp| stamp.millis + REACH_MILLIS >= now);
        while self.ready.len() < count {
            let Some(stamp) = self.compute(now) else {
                return;
            };
            self.ready.push_back(stamp);
        }
    }

    /// The next stamp; `None` when every timestamp within reach has been used.
    pub fn take(&mut self) -> Option<Stamp> {
        self.ready.pop_front().or_else(|| self.compute(now_millis()))
    }

    /// Counts upward from the oldest timestamp still good: the oldest are lost first.
    fn compute(&mut self, now: u64) -> Option<Stamp> {
        let oldest = now - REACH_MILLIS;
        let newest = now + REACH_MILLIS;
        if self.repeats && self.sources.iter().all(|source| source.next > newest) {
            self.sources.iter_mut().for_each(|source| source.next = 0);
        }
        let source = self.sources.iter_mut().find(|source| source.next.max(oldest) <= newest)?;
        let millis = source.next.max(oldest);
        source.next = millis + 1;
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(source.service_url.as_bytes());
        context.update(self.user.as_bytes());
        context.update(millis.to_string().as_bytes());
        context.update(self.secret.as_bytes());
        let hash = hex::encode(context.finish());
        let credentials = STANDARD.encode(format!("{}:{hash}", self.user));
        Some(Stamp { millis, credentials })
    }
}

fn now_millis() -> u64 {
    u64::try_from(machine::since_1970().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn stamps_are_unique_until_none_is_left() {
        let urls = ["/soap/dancu".to_owned(), "registered".to_owned()];
        let mut stamps = Stamps::new("big", "secret", &urls);
        let now = 1_772_416_800_000;
        let mut seen = HashSet::new();
        while let Some(stamp) = stamps.compute(now) {
            assert!(stamp.millis.abs_diff(now) <= REACH_MILLIS);
            assert!(seen.insert(stamp.credentials), "given twice");
        }
        assert_eq!(seen.len() as u64, 2 * (2 * REACH_MILLIS + 1));
        assert!(stamps.compute(now + 1).is_some(), "time brings new ones");
    }

    #[test]
    fn stamps_that_repeat_never_end() {
        let mut stamps = Stamps::new("big", "secret", &["a".to_owned(), "b".to_owned()]);
        stamps.repeat();
        let now = 1_772_416_800_000;
        let first = stamps.compute(now).unwrap().credentials;
        let all = 2 * (2 * REACH_MILLIS + 1);
        assert!((1..all).all(|_| stamps.compute(now).is_some()));
        assert_eq!(stamps.compute(now).unwrap().credentials, first);
    }

    #[test]
    fn the_hash_is_that_of_the_wire_format() {
        let mut stamps = Stamps::new("u", "s", &["/x".to_owned()]);
        let stamp = stamps.compute(1_000_000).unwrap();
        let hash = hex::encode(digest::digest(&digest::SHA256, b"/xu760000s"));
        assert_eq!(stamp.millis, 760_000);
        assert_eq!(STANDARD.decode(stamp.credentials).unwrap(), format!("u:{hash}").as_bytes());
    }
}
