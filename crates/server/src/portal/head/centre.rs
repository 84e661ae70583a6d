//! What the centre did to an officer's account last, for the head: when and why (D6).

use dancu_domain::registration::AccountState;
use dancu_office::decisions::{self, Decision, Did};
use dancu_office::officers::Officer;
use dancu_portal::text::Text;

use crate::portal::frame;
use crate::portal::signed::Signed;

/// The last act of the centre on an account, as a sentence; none where the centre had no word, or
/// none lately on one that is in use.
pub(super) async fn last(signed: &Signed, officer: &Officer) -> Option<String> {
    let (system, listed) = (officer.system.as_ref()?.id, officer.listed.as_ref()?);
    let at = (listed.account.id, listed.account.state);
    let t = signed.text();
    match signed.acts(move |store| decisions::of_account(store, system, at)).await {
        Ok(found) => found.map(|(did, state, act)| sentence(&t, (did, state), &act)),
        Err(error) => {
            tracing::warn!(error = %error, "what the centre did to an account could not be read");
            Some(t.get("officer-centre-unread"))
        }
    }
}

fn sentence(t: &Text, (did, state): (Did, AccountState), act: &Decision) -> String {
    let done = t.get(format!("centre-did-{}", did.code()));
    let mut said = t.with_two("officer-centre", "act", done, "time", frame::stamp(act.at));
    if did.code() != state.code() {
        let state = t.get(format!("said-{}", state.code()));
        said = format!("{said} {}", t.with("officer-centre-stands", "state", state));
    }
    match act.reason() {
        Some(why) => format!("{said} {}", t.with("said-why", "why", why)),
        None => said,
    }
}
