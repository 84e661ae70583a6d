//! The worker: takes what is due, one node at a time, each address by itself. What a crash leaves
//! open is sent again under the same id.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use dancu_domain::moment::Moment;
use dancu_domain::registration::ConnectionState;
use dancu_domain::webhooks::{Cause, Event, Outcome};
use dancu_office::webhooks::settle;
use dancu_store::lease::Lease;
use dancu_store::webhooks::{self as stored, Due, Ended, Next, Tried, Webhook};
use dancu_store::{Result, Store, notices};
use parking_lot::Mutex;

use super::{Message, Sender, counts};
use crate::app::{App, Shared};
use crate::clock;

/// How often it is looked for what is due: at once means within seconds.
const EVERY: Duration = Duration::from_secs(1);
/// While the store does not answer it is asked less often.
const UNREAD: Duration = Duration::from_secs(30);
/// Longer than one try takes: whoever is silent for so long is gone.
const LEASE_MS: i64 = 60_000;
/// Addresses that are sent to at a time: threads of questions have other work.
const AT_A_TIME: usize = 8;
/// Of those that failed of late, fewer: whoever is slow or down holds up nobody who is not.
const FAILING_AT_A_TIME: usize = 4;
/// What one address is sent in a row before others get its place.
const IN_A_ROW: u32 = 10;

/// Starts it; it ends with the process.
pub fn start(app: &Shared, sender: Sender) {
    let app = Arc::downgrade(app);
    tokio::spawn(async move {
        let mut work = Work { sender: Arc::new(sender), busy: <_>::default(), lease: None };
        let mut pause = EVERY;
        loop {
            tokio::time::sleep(pause).await;
            let Some(running) = app.upgrade() else { return };
            if running.gate.store().is_stopped() {
                return;
            }
            pause = match work.turn(&running, &app).await {
                Ok(()) => EVERY,
                Err(error) => {
                    tracing::warn!(error = %error, "webhooks could not be looked up");
                    UNREAD
                }
            };
        }
    });
}

struct Work {
    sender: Arc<Sender>,
    /// Addresses that are sent to now, with whether they failed of late.
    busy: Arc<Mutex<HashMap<i64, bool>>>,
    lease: Option<Lease>,
}

/// An address while it is sent to; also where that ends by a fault.
struct Busy {
    all: Arc<Mutex<HashMap<i64, bool>>>,
    webhook: i64,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.lock().remove(&self.webhook);
    }
}

impl Work {
    async fn turn(&mut self, app: &App, weak: &Weak<App>) -> Result<()> {
        let store = app.gate.store();
        let due = store.webhooks().due(app.clock.now()).await?;
        if due.is_empty() && self.busy.lock().is_empty() {
            return self.lease.take().map_or(Ok(()), Lease::release);
        }
        if !self.lease.as_ref().map_or(Ok(false), Lease::renew)? {
            self.lease = store.leases().acquire("webhooks", LEASE_MS)?;
        }
        if self.lease.is_none() {
            return Ok(());
        }
        for (webhook, fails) in due {
            if let Some(busy) = self.begin(webhook, fails) {
                let (app, sender) = (weak.clone(), self.sender.clone());
                tokio::spawn(async move { serve(&app, &sender, &busy).await });
            }
        }
        Ok(())
    }

    /// Takes a place for an address, where one is free and it has none yet.
    fn begin(&self, webhook: i64, fails: bool) -> Option<Busy> {
        let mut all = self.busy.lock();
        let failing = all.values().filter(|fails| **fails).count();
        let full = all.len() >= AT_A_TIME || (fails && failing >= FAILING_AT_A_TIME);
        if full || all.contains_key(&webhook) {
            return None;
        }
        all.insert(webhook, fails);
        Some(Busy { all: self.busy.clone(), webhook })
    }
}

/// Sends an address what is due, one after the other, until a try fails.
async fn serve(app: &Weak<App>, sender: &Sender, busy: &Busy) {
    for _ in 0..IN_A_ROW {
        let Some(app) = app.upgrade() else { return };
        match deliver(&app, sender, busy.webhook).await {
            Ok(true) => {}
            Ok(false) => return,
            Err(error) => {
                tracing::warn!(webhook = busy.webhook, error = %error, "a delivery waits");
                return;
            }
        }
    }
}

/// One delivery; whether the next one may follow at once.
async fn deliver(
    app: &App,
    sender: &Sender,
    webhook: i64,
) -> std::result::Result<bool, dancu_office::Refused> {
    let (store, now) = (app.gate.store(), app.clock.now());
    let due = store.webhooks().first_due(webhook, now).await?;
    let (Some(due), Some(to)) = (due, store.webhooks().by_id(webhook).await?) else {
        return Ok(false);
    };
    let message = match compose(app, &to, &due).await? {
        Composed::Ready(message) => message,
        Composed::Closed => {
            let dropped =
                store.ledger().tidy(now, move |tx| stored::drop_waiting(tx, webhook, now));
            dropped.await?;
            return Ok(false);
        }
        // It says nothing of the address.
        Composed::Gone => {
            let outcome = Outcome::Failed(Cause::Broken);
            let tried = Tried { due, outcome, ms: 0, at: now };
            let ended = store.ledger().tidy(now, move |tx| {
                stored::settle(tx, &tried, Next::Ended(Ended::GivenUp)).map(drop)
            });
            ended.await?;
            return Ok(true);
        }
        Composed::Unknown => return Ok(false),
    };
    let began = clock::steady();
    let outcome = sender.send(&to.sealed.address, message).await;
    let ms = u32::try_from(began.elapsed().as_millis()).unwrap_or(u32::MAX);
    counts::count(outcome);
    settle(store, Tried { due, outcome, ms, at: app.clock.now() }).await?;
    Ok(outcome.is_taken())
}

/// What there is to be sent.
enum Composed {
    Ready(Message),
    /// The connection is closed: nothing more is sent.
    Closed,
    /// The notice is gone, or is none that systems are told.
    Gone,
    /// The system is registered, and this node has not heard of it yet.
    Unknown,
}

async fn compose(app: &App, to: &Webhook, due: &Due) -> Result<Composed> {
    let (store, snapshot) = (app.gate.store(), app.gate.snapshot());
    let Some(system) = snapshot.by_id(to.system) else { return Ok(Composed::Unknown) };
    if system.state == ConnectionState::Closed {
        return Ok(Composed::Closed);
    }
    let event = match due.notice {
        None => Some(Event::test(&system.code)),
        Some(id) => store.notices().notice(id).await?.and_then(|told| Event::of(&told.notice)),
    };
    let Some(event) = event else { return Ok(Composed::Gone) };
    let id = message_id(store, due)?;
    let body = serde_json::to_string(&event.body(&id, due.made, &system.code));
    let Ok(body) = body else { return Ok(Composed::Gone) };
    let now = app.clock.now();
    let before = to.sealed.before.as_ref().filter(|(_, until)| now < *until);
    let secrets: Vec<_> =
        std::iter::once(&to.sealed.secret).chain(before.map(|(secret, _)| secret)).collect();
    let timestamp = clock::machine_ms() / 1_000;
    Ok(Composed::Ready(Message::signed(id, timestamp, body, &secrets)))
}

/// The same at each try, and no other delivery's: numbers of rows come again. In letters alone, so
/// that nothing in it reads as an id of a citizen.
fn message_id(store: &Store, due: &Due) -> Result<String> {
    let Moment(made) = due.made;
    let parts: [&[u8]; 4] =
        [b"webhook", &due.id.to_be_bytes(), &due.webhook.to_be_bytes(), &made.to_be_bytes()];
    let mark = notices::mark(store.keys(), &parts)?;
    let letters = mark.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    Ok("msg_".chars().chain(letters.map(|half| char::from(b'a' + half))).collect())
}
