//! Monthly statements (A7) where they meet the rest of the program: made beside the queries, signed
//! by the log's key, printed, and checked by whoever has one.

pub mod check;
pub mod paper;

use std::sync::{Arc, Weak};
use std::time::Duration;

use anyhow::Context as _;
use dancu_domain::moment::Moment;
use dancu_domain::statements::{Statement, note};
use dancu_office::statements::{self as office, Pass, Signed, Signing};
use dancu_store::lease::Lease;
use dancu_store::{Error, Store};

use crate::app::{App, Shared};
use crate::log_key::{LogKey, sha256};

/// How often it is looked whether a month is over.
const LOOK_EVERY: Duration = Duration::from_mins(10);
/// Between two slices of the journal: half of one core, and of one reader, stays free.
const PAUSE: Duration = Duration::from_millis(100);
/// A slice takes some tenths of a second: whoever takes five minutes is gone.
const LEASE_MS: i64 = 300_000;

/// Makes statements as months end; it stops with the process.
pub fn start(app: &Shared) {
    let app = Arc::downgrade(app);
    tokio::spawn(async move {
        while keep(&app).await {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    });
}

/// Looks once; false where the process stops.
async fn keep(app: &Weak<App>) -> bool {
    let Some(app) = app.upgrade() else { return false };
    let store = app.gate.store();
    if store.is_stopped() {
        return false;
    }
    if let Err(error) = catch_up(store, app.clock.now(), true).await {
        tracing::warn!(error = format!("{error:#}"), "statements are tried again (A7)");
    }
    true
}

/// Makes the statements of every month that is over and not done; how many were made. On several
/// nodes one does it: none are made while another does.
///
/// # Errors
/// The store could not be read or written: what was made stays.
pub async fn catch_up(store: &Store, now: Moment, gently: bool) -> anyhow::Result<usize> {
    let mut made = 0;
    let Some(first) = office::next(store, now).await? else { return Ok(made) };
    let Some(lease) = store.leases().acquire("statements", LEASE_MS)? else { return Ok(made) };
    let (sign, mut pass) = (signing(store)?, Some(first));
    while let Some(begun) = pass {
        let (month, pause) = (begun.month, gently.then_some(PAUSE));
        let Some(whole) = read(store, begun, Some(&lease), pause).await? else { return Ok(made) };
        let ready = tokio::task::block_in_place(|| office::ready((store, now), whole))?;
        if !tokio::task::block_in_place(|| lease.renew())? {
            return Ok(made);
        }
        let of_month = office::make((store, now), ready, &sign, Some(&lease)).await?;
        tracing::info!(month = %month, statements = of_month, "statements of a month (A7)");
        made += of_month;
        pass = office::next(store, now).await?;
    }
    lease.release()?;
    Ok(made)
}

/// Reads the journal of a pass to its end, away from the threads that questions run on; none where
/// the process stops or another node has the lease.
///
/// # Errors
/// The journal could not be read.
pub async fn read(
    store: &Store,
    mut pass: Pass,
    lease: Option<&Lease>,
    pause: Option<Duration>,
) -> anyhow::Result<Option<Pass>> {
    loop {
        if tokio::task::block_in_place(|| pass.step(store))? {
            return Ok(Some(pass));
        }
        let held = lease.map_or(Ok(true), Lease::renew)?;
        if !held || store.is_stopped() {
            return Ok(None);
        }
        if let Some(pause) = pause {
            tokio::time::sleep(pause).await;
        }
    }
}

/// Writes statements as JSON and signs them with the log's key.
///
/// # Errors
/// The key is missing.
pub fn signing(store: &Store) -> anyhow::Result<Signing> {
    let key = LogKey::of(store)?;
    Ok(Arc::new(move |statement: &Statement| {
        let json = serde_json::to_string_pretty(statement);
        let json = json.map_err(|_| Error::Damaged("statement"))? + "\n";
        let sha256 = sha256(json.as_bytes());
        let note = key.signed(&note(&statement.number, &sha256));
        Ok(Signed { json, note, sha256 })
    }))
}

/// A statement as it is stored, read again.
///
/// # Errors
/// It is no statement.
pub fn parse(json: &str) -> anyhow::Result<Statement> {
    serde_json::from_str(json).context("không phải bản xác nhận (no statement)")
}
