//! What the program's journal and counters say, held against what callers were told.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;

use anyhow::Context;
use serde::Deserialize;

use crate::http;

/// Pages read in one go: at one entry a page, more than a thousand rounds bring.
const MAX_PAGES: u32 = 10_000_000;

/// One of the caller's own journal entries.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its position.
    pub index: u64,
    /// `accepted`, `refused`, `repeat`, …
    pub decision: String,
    /// Queries it counted on its line: 0 for refusals and repeats.
    pub counted: u64,
    /// Service code.
    #[serde(default)]
    pub service: Option<String>,
    /// `inHours` or `offHours`.
    #[serde(default)]
    pub window: Option<String>,
    /// The duty day, as in the answer of `/api/v1/usage`.
    #[serde(default)]
    pub duty_day: Option<String>,
    /// Login of the account.
    #[serde(default)]
    pub account: Option<String>,
    /// Digest of the caller's request id, see [`digest_of`].
    #[serde(default)]
    pub request_id_digest: Option<String>,
}

/// How entries name a request id: hex of the first 16 bytes of its SHA-256.
pub fn digest_of(request_id: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, request_id.as_bytes());
    hex::encode(&digest.as_ref()[..16])
}

/// An answer that a caller received.
#[derive(Clone)]
pub struct Acknowledged {
    /// The caller's request id.
    pub request_id: String,
    /// The journal index the answer named.
    pub index: u64,
}

/// Faults found, by kind; the first few in words.
#[derive(Default)]
pub struct Faults {
    /// Acknowledged entries that the journal does not hold, or holds as something else.
    pub lost: u64,
    /// Indexes out of order or given twice.
    pub disordered: u64,
    /// Request ids counted more or less than once.
    pub miscounted: u64,
    /// Counters that differ from the journal's sum.
    pub counters: u64,
    /// Answers that were refused or failed though nothing forbids them.
    pub refused: u64,
    /// Descriptions of the first faults.
    pub texts: Vec<String>,
}

impl Faults {
    /// How many in all.
    pub fn total(&self) -> u64 {
        self.lost + self.disordered + self.miscounted + self.counters + self.refused
    }

    /// Keeps the description if it is among the first.
    pub fn tell(&mut self, text: impl FnOnce() -> String) {
        if self.texts.len() < 20 {
            self.texts.push(text());
        }
    }
}

/// Wait after a 429, and how often: a minute.
const WAIT: std::time::Duration = std::time::Duration::from_millis(500);
/// See [`WAIT`].
const WAITS_MAX: u32 = 120;

/// The journal as read so far, and the sums that follow from it.
#[derive(Default)]
pub struct Audit {
    /// Entries in the order read.
    pub entries: Vec<Entry>,
    by_index: HashMap<u64, usize>,
}

#[derive(Deserialize)]
struct Page {
    entries: Vec<Entry>,
    next: Option<u64>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Usage {
    duty_day: String,
    lines: Vec<UsageLine>,
    accounts: Vec<UsageAccount>,
}

#[derive(Deserialize)]
struct UsageLine {
    service: String,
    window: String,
    used: u64,
}

#[derive(Deserialize)]
struct UsageAccount {
    login: String,
    used: u64,
}

impl Audit {
    /// Reads the pages after the last entry known until one names no next.
    pub async fn read(
        &mut self,
        address: SocketAddr,
        bearer: &str,
        faults: &mut Faults,
    ) -> anyhow::Result<()> {
        let mut from = self.entries.last().map_or(0, |entry| entry.index + 1);
        for _ in 0..MAX_PAGES {
            let page: Page = get(address, bearer, &format!("/api/v1/journal?from={from}")).await?;
            for entry in page.entries {
                self.add(entry, faults);
            }
            match page.next {
                None => return Ok(()),
                Some(next) => {
                    anyhow::ensure!(next > from, "the page after {from} begins at {next}");
                    from = next;
                }
            }
        }
        anyhow::bail!("the journal has more than {MAX_PAGES} pages")
    }

    fn add(&mut self, entry: Entry, faults: &mut Faults) {
        let last = self.entries.last().map(|last| last.index);
        if last.is_some_and(|last| entry.index <= last) {
            faults.disordered += 1;
            faults.tell(|| format!("index {} comes after {last:?}", entry.index));
        }
        self.by_index.insert(entry.index, self.entries.len());
        self.entries.push(entry);
    }

    /// Every acknowledged answer has its own accepted entry.
    pub fn check_acknowledged(&self, acknowledged: &[Acknowledged], faults: &mut Faults) {
        let mut given: HashMap<u64, &str> = HashMap::new();
        for answer in acknowledged {
            if let Some(other) = given.insert(answer.index, &answer.request_id) {
                faults.disordered += 1;
                faults.tell(|| format!("index {} given to {other} too", answer.index));
            }
            let entry = self.entry(answer.index);
            let digest = digest_of(&answer.request_id);
            let fits = entry.is_some_and(|entry| {
                entry.request_id_digest.as_ref() == Some(&digest)
                    && entry.decision == "accepted"
                    && entry.counted == 1
            });
            if !fits {
                faults.lost += 1;
                faults.tell(|| {
                    format!("{} was told index {}: {entry:?}", answer.request_id, answer.index)
                });
            }
        }
    }

    /// A repeat of an answered request counts nothing: its entry is a repeat of the same id, or
    /// the answer names the entry of the first.
    pub fn check_repeat(&self, first: &Acknowledged, again: u64, faults: &mut Faults) {
        let digest = digest_of(&first.request_id);
        let free = self.entry(again).is_some_and(|entry| {
            entry.counted == 0
                && entry.decision == "repeat"
                && entry.request_id_digest.as_ref() == Some(&digest)
        });
        if again != first.index && !free {
            faults.miscounted += 1;
            faults.tell(|| format!("the repeat of {} at {again} is not one", first.request_id));
        }
    }

    /// Each of these requests, and no other, was accepted exactly once and counted once; all
    /// other entries counted nothing. `answered` holds every request that got an answer, also
    /// those that were sent again because their first answer never came. The first `before`
    /// entries are older than the run.
    pub fn check_counted_once<'a>(
        &self,
        before: usize,
        answered: impl IntoIterator<Item = &'a str>,
        faults: &mut Faults,
    ) {
        let mut times: HashMap<&str, u64> = HashMap::new();
        for entry in self.entries.iter().skip(before) {
            let accepted = entry.decision == "accepted";
            match &entry.request_id_digest {
                Some(digest) if accepted => *times.entry(digest).or_default() += 1,
                _ => {}
            }
            if entry.counted != u64::from(accepted) {
                faults.miscounted += 1;
                faults.tell(|| format!("counted wrongly: {entry:?}"));
            }
        }
        for id in answered {
            let found = times.remove(digest_of(id).as_str()).unwrap_or(0);
            if found != 1 {
                faults.miscounted += 1;
                faults.tell(|| format!("{id} was accepted {found} times"));
            }
        }
        for (digest, found) in times {
            faults.miscounted += 1;
            faults.tell(|| format!("nobody was answered, yet accepted {found} times: {digest}"));
        }
    }

    /// `used` of the line citizen.verify in hours, and of the account, equal the sums of the
    /// entries of the same duty day. Gives the two counters.
    pub async fn check_usage(
        &self,
        address: SocketAddr,
        bearer: &str,
        account: &str,
        faults: &mut Faults,
    ) -> anyhow::Result<(u64, u64)> {
        let usage: Usage = get(address, bearer, "/api/v1/usage").await?;
        let today = |entry: &&Entry| entry.duty_day.as_deref() == Some(usage.duty_day.as_str());
        let mut lines: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for entry in self.entries.iter().filter(today) {
            if let (Some(service), Some(window)) = (&entry.service, &entry.window) {
                *lines.entry((service, window)).or_default() += entry.counted;
            }
        }
        for line in &usage.lines {
            let key = (line.service.as_str(), line.window.as_str());
            compare(&format!("line {key:?}"), line.used, lines.remove(&key), faults);
        }
        for (key, counted) in lines.into_iter().filter(|(_, counted)| *counted > 0) {
            compare(&format!("line {key:?}, not in usage"), 0, Some(counted), faults);
        }
        let verify =
            |line: &&UsageLine| line.service == "citizen.verify" && line.window == "inHours";
        let line = usage.lines.iter().find(verify).context("usage lacks citizen.verify")?.used;
        let counter = usage.accounts.iter().find(|counter| counter.login == account);
        let used = counter.context("usage lacks the plan account")?.used;
        let by_account = self
            .entries
            .iter()
            .filter(today)
            .filter(|entry| entry.account.as_deref() == Some(account))
            .map(|entry| entry.counted)
            .sum();
        compare("the plan account", used, Some(by_account), faults);
        Ok((line, used))
    }

    fn entry(&self, index: u64) -> Option<&Entry> {
        self.by_index.get(&index).map(|at| &self.entries[*at])
    }
}

fn compare(what: &str, counter: u64, journal: Option<u64>, faults: &mut Faults) {
    let journal = journal.unwrap_or(0);
    if counter != journal {
        faults.counters += 1;
        faults.tell(|| format!("{what}: counter {counter}, journal {journal}"));
    }
}

async fn get<T: serde::de::DeserializeOwned>(
    address: SocketAddr,
    bearer: &str,
    path: &str,
) -> anyhow::Result<T> {
    let request = http::render("GET", path, &[("Authorization", bearer)], "");
    for _ in 0..WAITS_MAX {
        let answer = http::call(address, &request).await.with_context(|| path.to_owned())?;
        // A system's own reads have a pace of their own: a long journal is read by its measure.
        if answer.status != 429 {
            return answer.json().with_context(|| path.to_owned());
        }
        tokio::time::sleep(WAIT).await;
    }
    anyhow::bail!("{path}: still 429 after {WAITS_MAX} waits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(index: u64, decision: &str, counted: u64, id: &str) -> Entry {
        let request_id_digest = Some(digest_of(id));
        Entry {
            index,
            decision: decision.to_owned(),
            counted,
            service: None,
            window: None,
            duty_day: None,
            account: None,
            request_id_digest,
        }
    }

    fn told(id: &str, index: u64) -> Acknowledged {
        Acknowledged { request_id: id.to_owned(), index }
    }

    #[test]
    fn a_loss_a_swap_and_a_double_are_found() {
        let (mut audit, mut faults) = (Audit::default(), Faults::default());
        for entry in [entry(3, "accepted", 1, "a"), entry(5, "accepted", 1, "b")] {
            audit.add(entry, &mut faults);
        }
        audit.check_acknowledged(&[told("a", 3), told("b", 5)], &mut faults);
        assert_eq!(faults.total(), 0);
        audit.check_acknowledged(&[told("c", 4), told("a", 5)], &mut faults);
        assert_eq!(faults.lost, 2);
        audit.add(entry(5, "accepted", 1, "b"), &mut faults);
        assert_eq!(faults.disordered, 1);
        audit.check_counted_once(0, ["a", "b"], &mut faults);
        assert_eq!(faults.miscounted, 1);
    }

    #[test]
    fn what_nobody_asked_and_what_counts_wrongly_is_found() {
        let (mut audit, mut faults) = (Audit::default(), Faults::default());
        for entry in [
            entry(0, "accepted", 1, "old"),
            entry(1, "accepted", 1, "a"),
            entry(2, "repeat", 0, "a"),
        ] {
            audit.add(entry, &mut faults);
        }
        audit.check_counted_once(1, ["a"], &mut faults);
        assert_eq!(faults.total(), 0);
        audit.check_counted_once(0, ["a"], &mut faults);
        assert_eq!(faults.miscounted, 1);
        audit.check_counted_once(1, ["a", "b"], &mut faults);
        assert_eq!(faults.miscounted, 2);
        audit.add(entry(3, "repeat", 1, "a"), &mut faults);
        audit.check_counted_once(1, ["a"], &mut faults);
        assert_eq!(faults.miscounted, 3);
    }

    #[test]
    fn ids_are_compared_by_digest() {
        // SHA-256 of "abc", as in FIPS 180-4.
        assert_eq!(digest_of("abc"), "ba7816bf8f01cfea414140de5dae2223");
    }

    #[test]
    fn a_repeat_counts_nothing() {
        let (mut audit, mut faults) = (Audit::default(), Faults::default());
        for entry in
            [entry(0, "accepted", 1, "a"), entry(1, "repeat", 0, "a"), entry(2, "accepted", 1, "a")]
        {
            audit.add(entry, &mut faults);
        }
        audit.check_repeat(&told("a", 0), 1, &mut faults);
        audit.check_repeat(&told("a", 0), 0, &mut faults);
        assert_eq!(faults.total(), 0);
        audit.check_repeat(&told("a", 0), 2, &mut faults);
        assert_eq!(faults.miscounted, 1);
    }
}
