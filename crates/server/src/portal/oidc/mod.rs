//! Signing in through an identity provider: the way there, the way back, the way out of it.
//!
//! A person is sent to the provider with a sealed state that only this browser can bring back, once
//! ([`dancu_access::oidc`]). What comes back is exchanged and checked, and then goes the way of
//! every sign-in. Whatever fails leads to the sign-in page with one sentence: how else to sign in
//! stands right there.

mod http;
mod provider;

use axum::extract::RawQuery;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use dancu_access::oidc::{Failure, Identity, State, Wanted};
use dancu_access::people::{OnRecord, Outcome, Trouble};
use dancu_domain::people::MachineTime;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Class;
use dancu_portal::entry::{Again, Bounce, ProviderLinks};
use dancu_portal::error::Wrong as WrongPage;

use self::provider::Wrong;
pub use self::provider::{CALLBACK, Provider};
use super::entry::{busy, steps};
use super::form::Form;
use super::signed::{Facts, Signed, Visitor};
use super::table::{Access, Table};
use super::{frame, paths};
use crate::clock::machine_ms;
use crate::stop::{Handled, Stop};

/// Its routes.
pub fn routes(table: Table) -> Table {
    table.get("/sign-in/oidc", Access::Public, begin).get(CALLBACK, Access::Public, callback).get(
        "/sign-in/oidc/out",
        Access::Public,
        out,
    )
}

/// Links of the sign-in page; `None` where no provider is set up. `left`: somebody has just signed
/// out here and may want to sign out there.
pub fn links(facts: &Facts, next: &str, left: bool) -> Option<ProviderLinks> {
    let provider = facts.portal().provider.as_ref()?;
    let link = |wanted| provider.takes(wanted).then(|| way(wanted, next));
    Some(ProviderLinks {
        name: provider.name.clone(),
        staff: link(Wanted::Officer),
        citizens: link(Wanted::Citizen),
        out: left,
    })
}

/// The way by which somebody signed in proves anew who it is, where the provider knows them;
/// `next`: where one comes back to.
pub fn again(signed: &Signed, next: &str) -> Option<Again> {
    let provider = signed.portal().provider.as_ref()?;
    let wanted = match signed.person.account.class {
        Class::Citizen => Wanted::Citizen,
        Class::Staff | Class::Administrator => Wanted::Officer,
    };
    let known = provider.takes(wanted) && signed.person.personal_id.is_some();
    known.then(|| Again { name: provider.name.clone(), href: way(wanted, next) })
}

fn way(wanted: Wanted, next: &str) -> String {
    let next = paths::back(next).filter(|next| *next != "/");
    let next = next.map(|next| format!("&next={}", paths::escaped(next))).unwrap_or_default();
    format!("/sign-in/oidc?as={}{next}", wanted.word())
}

/// The provider, where requests like this one are let through. What a browser loads as a part of
/// some page is no way to sign in, and uses up nothing that its address may send.
fn admitted<'a>(visitor: &'a Visitor, headers: &HeaderMap) -> Result<&'a Provider, Stop> {
    let portal = visitor.portal();
    let is_page = headers.get("sec-fetch-dest").is_none_or(|dest| dest == "document");
    let Some(provider) = portal.provider.as_ref().filter(|_| is_page) else {
        return Err(frame::missing(visitor).into());
    };
    let admitted = portal.throttle.admit(visitor.source, &portal.networks, visitor.machine);
    match admitted {
        Ok(()) => Ok(provider),
        Err(wait) => Err(frame::wrong_page(visitor, WrongPage::TooMany, Some(wait)).into()),
    }
}

/// `GET /sign-in/oidc`: to the provider, where everybody proves anew who it is, whatever the
/// provider remembers: the screen may have been left.
async fn begin(visitor: Visitor, headers: HeaderMap, RawQuery(query): RawQuery) -> Handled {
    let provider = admitted(&visitor, &headers)?;
    let asked = Form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let wanted = Wanted::from_word(asked.get("as")).filter(|wanted| provider.takes(*wanted));
    let Some(wanted) = wanted else { return Ok(frame::to("/sign-in")) };
    let next = paths::back(asked.get("next")).unwrap_or_default();
    let signed_in = visitor.signed.is_some() || visitor.locked;
    let begun = match visitor.people().begin_identity(&visitor.visit(), (wanted, next), signed_in) {
        Ok(Some(begun)) => begun,
        Ok(None) => return Ok(refused(next, PortalReason::SignInExpired)),
        Err(trouble) => return Ok(busy(&visitor, &trouble)),
    };
    Ok(match provider.address(&begun, visitor.machine).await {
        Ok(address) => frame::to(&address),
        Err(wrong) => refused(next, told(&wrong)),
    })
}

/// `GET /sign-in/oidc/out`: to where one signs out of the provider, where it has such a place.
async fn out(visitor: Visitor, headers: HeaderMap) -> Handled {
    let provider = admitted(&visitor, &headers)?;
    let way = provider.way_out(visitor.machine).await;
    Ok(frame::to(way.as_deref().unwrap_or("/sign-in")))
}

/// `GET /sign-in/oidc/callback`: back from the provider.
async fn callback(visitor: Visitor, headers: HeaderMap, RawQuery(query): RawQuery) -> Handled {
    let provider = admitted(&visitor, &headers)?;
    let answer = Form::parse(query.unwrap_or_default().as_bytes()).unwrap_or_default();
    let state = match opened(&visitor, &answer) {
        Ok(state) => state,
        Err(reason) => {
            visitor.people().network_failed(&visitor.visit());
            return Ok(refused("", reason));
        }
    };
    let identified = match said(provider, &state, &answer, &visitor).await {
        Ok(identified) => identified,
        Err(reason) => {
            if reason == PortalReason::IdentityFailed {
                visitor.people().network_failed(&visitor.visit());
            }
            return Ok(refused(&state.next, reason));
        }
    };
    Ok(match signed_in(&visitor, &state, identified).await {
        Ok(Outcome::Refused { reason, .. }) => {
            // Whoever is known and stopped has not failed to prove who they are.
            if matches!(reason, PortalReason::IdentityUnknown | PortalReason::IdentityDiffers) {
                visitor.people().network_failed(&visitor.visit());
            }
            refused(&state.next, reason)
        }
        mut result => {
            if let (true, Ok(Outcome::Done(signed))) = (state.signed_in, &mut result) {
                // The session that goes on here is no session elsewhere.
                signed.replaced = None;
            }
            let next = state.next.clone();
            let again = |problem: &steps::Problem| refused(&next, problem.reason);
            from_here(&visitor, steps::answer(&visitor, &state.next, result, again).await)
        }
    })
}

/// The state of an answer: one, of this browser, not used before. A parameter that stands twice was
/// put there by somebody.
fn opened(visitor: &Visitor, answer: &Form) -> Result<State, PortalReason> {
    let once = |name| answer.all(name).len() <= 1;
    if !["state", "code", "error", "iss"].into_iter().all(once) {
        return Err(PortalReason::IdentityFailed);
    }
    visitor.people().identity_state(&visitor.visit(), answer.raw("state"))
}

/// Who the person is, as the provider says.
async fn said(
    provider: &Provider,
    state: &State,
    answer: &Form,
    visitor: &Visitor,
) -> Result<(Identity, bool), PortalReason> {
    let issuer = answer.has("iss").then(|| answer.raw("iss"));
    let now = MachineTime(machine_ms());
    let from = provider.is_from(issuer, now).await.map_err(|wrong| told(&wrong))?;
    if !from {
        tracing::warn!("an answer names another identity provider");
        return Err(PortalReason::IdentityFailed);
    }
    if answer.has("error") {
        return Err(match answer.raw("error") {
            "access_denied" => PortalReason::IdentityDeclined,
            "temporarily_unavailable" | "server_error" => PortalReason::IdentityUnavailable,
            _ => PortalReason::IdentityFailed,
        });
    }
    let code = answer.raw("code");
    let place = provider.admit(code, visitor.source, &visitor.portal().networks);
    let place = place.map_err(|wrong| told(&wrong))?;
    visitor.people().identity_tried(&visitor.visit(), state)?;
    let identified = provider.identify((state, code), &place, visitor.today()).await;
    let identified = identified.map_err(|wrong| told(&wrong))?;
    visitor.people().identity_answered(&visitor.visit(), state)?;
    Ok(identified)
}

/// What a person is told; whoever runs the centre reads more in the log, and nobody's claims.
fn told(wrong: &Wrong) -> PortalReason {
    tracing::warn!(error = %wrong, "a sign-in by the identity provider failed");
    match wrong {
        Wrong::Silent(_)
        | Wrong::Waiting
        | Wrong::Failed(Failure::Discovery(_) | Failure::Client(_)) => {
            PortalReason::IdentityUnavailable
        }
        Wrong::Failed(_) => PortalReason::IdentityFailed,
    }
}

async fn signed_in(
    visitor: &Visitor,
    state: &State,
    (identity, strong): (Identity, bool),
) -> Result<Outcome, Trouble> {
    let (people, visit) = (visitor.people(), visitor.visit());
    match state.wanted {
        Wanted::Officer => people.identity_of_staff(&visit, &identity, strong).await,
        Wanted::Citizen => {
            let registry = visitor.app.gate.store().registry();
            let found = match identity.personal_id {
                Some(id) => registry.look_up(id).await?,
                None => None,
            };
            let record = found.map(|found| OnRecord {
                personal_id: found.keys.personal_id,
                name: found.keys.full_name.clone(),
                birth: found.keys.birth,
                alive: found.keys.vital.alive() != Some(false),
            });
            people.identity_of_citizen(&visit, &identity, record.as_ref(), strong).await
        }
    }
}

/// The sign-in page with one sentence.
fn refused(next: &str, reason: PortalReason) -> Response {
    let mut path = format!("/sign-in?why={}", reason.name());
    if let Some(next) = paths::back(next).filter(|next| *next != "/") {
        path.extend(["&next=", &paths::escaped(next)]);
    }
    frame::to(&path)
}

/// A way on that begins here: the session's cookie does not travel along a chain of redirects that
/// another site began.
fn from_here(visitor: &Visitor, response: Response) -> Response {
    let to = response.headers().get(header::LOCATION).and_then(|to| to.to_str().ok());
    let Some(to) = to.filter(|_| response.status() == StatusCode::SEE_OTHER) else {
        return response;
    };
    let mut page = frame::page(&Bounce { t: visitor.text(), to: to.to_owned() });
    for cookie in response.headers().get_all(header::SET_COOKIE) {
        page.headers_mut().append(header::SET_COOKIE, cookie.clone());
    }
    page
}

#[cfg(test)]
mod tests;
