//! What the centre did to an officer's account last, for the head: the state, when and why (D6).

use dancu_office::officers::Officer;
use dancu_office::{Refused, decisions};

use super::Unit;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};
use crate::stop::Stop;

/// The last act of the centre on the account, as a sentence; none where it never had a word.
///
/// # Errors
/// The page that answers where the journal could not be read.
pub(super) async fn last(
    signed: &Signed,
    unit: &Unit,
    officer: &Officer,
) -> Result<Option<String>, Stop> {
    let (Some(system), Some(listed)) = (&officer.system, &officer.listed) else { return Ok(None) };
    let (store, system, id) = (unit.store.clone(), system.id, listed.account.id);
    let read = tokio::task::spawn_blocking(move || decisions::of_account(&store, system, id)).await;
    let found = read
        .unwrap_or(Err(Refused::Store(dancu_store::Error::Unavailable("journal"))))
        .map_err(|refused| words::failed(signed, &refused))?;
    let t = signed.text();
    Ok(found.map(|(state, act)| {
        let state = t.get(format!("said-{}", state.code()));
        let set = t.with_two("officer-centre", "state", state, "time", frame::stamp(act.at));
        match act.reason() {
            Some(why) => format!("{set} {}", t.with("said-why", "why", why)),
            None => set,
        }
    }))
}
