//! Revoking a credential at once (E3).

use dancu_domain::credentials::CredentialKind;
use dancu_domain::moment::Moment;
use dancu_domain::registration::{CertificateMode, System};
use dancu_store::policy::credentials::{Credentials, Earlier};

use super::{Desk, field};
use crate::act::{Done, REASON_MAX, Refused};

/// Ends a credential; whatever was proved by what the system had before has to be proved again, and
/// its tokens end with it.
///
/// # Errors
/// [`Refused::Gone`] where it is not there any more; [`Refused::Field`] of the field `sure` where
/// it is the last one by which the system gets in and nobody confirmed that ([`would_end`]), of
/// `why` where the reason is too long; a closed connection.
pub async fn revoke(
    desk: &Desk<'_>,
    (kind, number): (CredentialKind, u32),
    why: &str,
    is_sure: bool,
) -> Result<Done, Refused> {
    let why = why.trim();
    if why.chars().count() > REASON_MAX {
        return Err(field(
            "why",
            format!("Lý do dài tối đa {REASON_MAX} ký tự."),
            format!("A reason has at most {REASON_MAX} characters."),
        ));
    }
    let reason = if why.is_empty() { String::new() } else { format!("; lý do: {why}") };
    let now = desk.now;
    let revoked = desk.carry_out("credential.revoked", move |all| {
        let place = all.facts.of(kind).iter().position(|facts| facts.number == number);
        let place = place.ok_or(Refused::Gone)?;
        if !is_sure && is_last(all, kind, place, now) {
            return Err(field(
                "sure",
                "Đây là thông tin xác thực cuối cùng của cách kết nối này: xác nhận rằng hệ thống \
                 sẽ không vào được nữa."
                    .into(),
                "It is the last one of this way to connect: confirm that the system will not get \
                 in any more."
                    .into(),
            ));
        }
        all.remove(kind, place);
        Ok((Earlier::Ends, (format!("{} #{number}{reason}", kind.code()), ())))
    });
    Ok(revoked.await?.0)
}

/// Whether nobody gets in by this way any more once this credential is gone.
pub fn would_end(system: &System, kind: CredentialKind, number: u32, now: Moment) -> bool {
    let all = Credentials {
        soap: system.soap.clone(),
        oauth: system.oauth.clone(),
        certificates: system.certificates.clone(),
        facts: system.facts.clone(),
    };
    let place = all.facts.of(kind).iter().position(|facts| facts.number == number);
    place.is_some_and(|place| is_last(&all, kind, place, now))
}

fn is_last(all: &Credentials, kind: CredentialKind, place: usize, now: Moment) -> bool {
    let valid = |kind| {
        let places = 0..all.count(kind);
        places.filter(|place| all.facts.is_valid(kind, *place, now)).count()
    };
    // What has ended opens nothing, so that nothing closes with it.
    if kind != CredentialKind::Certificate && !all.facts.is_valid(kind, place, now) {
        return false;
    }
    match kind {
        CredentialKind::Soap => valid(kind) == 1,
        // The client proves itself by a secret or by a key.
        CredentialKind::Client | CredentialKind::Key => {
            valid(CredentialKind::Client) + valid(CredentialKind::Key) == 1
        }
        CredentialKind::Certificate => {
            all.certificates.mode == CertificateMode::Required && all.count(kind) == 1
        }
    }
}
