//! Notices in words: the same on the page and in mail.

use dancu_domain::moment::Moment;
use dancu_domain::notices::{LineAt, Notice, Side};
use dancu_portal::text::Text;

use super::{frame, words};

/// What happened and why, and what to do; the second is empty where nothing is to be done.
pub fn said(t: &Text, notice: &Notice, side: Side) -> (String, String) {
    let code = notice.row().code;
    let key = format!("notice-{code}");
    let advice = || t.get(format!("notice-{code}-do"));
    let what = match notice {
        Notice::LineWarned { line, percent: count @ ..100, .. } => {
            t.with_two(&key, "line", place(t, line), "count", count)
        }
        Notice::LineExceeded { line, count } => {
            let count = t.num(u64::from(*count));
            t.with_two(&key, "line", place(t, line), "count", count)
        }
        Notice::LineLocked { line, until, .. } => {
            let until = until.map_or_else(|| t.get("notice-until-named"), frame::stamp);
            t.with_two(&key, "line", place(t, line), "until", until)
        }
        Notice::LineWarned { line, .. }
        | Notice::LineLifted { line }
        | Notice::RaiseRefused { line } => t.with(&key, "line", place(t, line)),
        Notice::RaiseGranted { line, to } | Notice::RaiseEnding { line, to } => {
            until(t, &key, &place(t, line), *to)
        }
        Notice::Account(change) => {
            let whose = if side == Side::Head { "officer" } else { "account" };
            let what = t.get(format!("notice-{whose}-{}", change.code()));
            return (what, t.get(format!("notice-{whose}-do")));
        }
        Notice::RaiseAsked { system, requests } => {
            t.with_two(&key, "line", system, "count", requests)
        }
        Notice::CredentialEnding { system, until: to, .. } => until(t, &key, system.as_str(), *to),
        Notice::ListChanged { system }
        | Notice::ListWaits { system }
        | Notice::Plan { system, .. }
        | Notice::Appeal { system, .. }
        | Notice::RevocationToConfirm { system }
        | Notice::WebhookFailing { system, .. }
        | Notice::Connection { system, .. } => t.with(&key, "line", system),
        Notice::Announced { title, .. } => t.with(&key, "title", title),
        Notice::Dossier { number, .. } => t.with(&key, "number", number),
        Notice::AccountWarned { system, percent } => {
            let whose = if side == Side::Head { "officer" } else { "own" };
            let key = format!("{key}-{whose}");
            let what = t.with_two(&key, "line", system, "count", percent);
            return (what, t.get(format!("notice-{code}-do")));
        }
        Notice::DossierStep { number, step, turn, text, .. } => {
            let what = t.with_two(&key, "number", number, "step", step);
            return (what, t.with_two("notice-dossier-do", "turn", turn, "text", text));
        }
        Notice::CampaignReminder { name, due, text, .. } => {
            let what = t.with_two(&key, "name", name, "due", frame::date(*due));
            return (what, text.clone());
        }
        Notice::Campaign { name, number, due, .. } => {
            let what = t.with_two(&key, "name", name, "number", number);
            let due = t.with(&format!("{key}-do"), "due", frame::date(*due));
            return (what, due);
        }
        Notice::HandedUp { by, number, .. } => t.with_two(&key, "unit", by, "number", number),
        Notice::Statement { system, month } => t.with_two(&key, "line", system, "month", month),
        Notice::Urged { by, text, .. } => return (t.with(&key, "unit", by), text.clone()),
        Notice::MailFailing { .. } => t.get(&key),
    };
    (what, advice())
}

fn until(t: &Text, key: &str, what: &str, to: Moment) -> String {
    t.with_two(key, "line", what, "until", frame::stamp(to))
}

/// `MAU · Xác thực công dân · Trong giờ`.
fn place(t: &Text, line: &LineAt) -> String {
    format!("{} · {}", line.system, words::place(t, line.service, line.window))
}

#[cfg(test)]
mod tests {
    use dancu_domain::ids::SystemCode;
    use dancu_domain::notices::{AccountChange, AppealStep, CampaignDeed, DossierDeed};
    use dancu_domain::plans::Deed;
    use dancu_domain::service::{Service, Window};
    use dancu_portal::text::Language;
    use jiff::civil::date;

    use super::*;

    fn all() -> Vec<Notice> {
        let system = SystemCode::parse("MAU").unwrap();
        let line = || LineAt {
            system: system.clone(),
            service: Service::CitizenVerify,
            window: Window::InHours,
        };
        let (to, text) = (Moment(0), || "Việc cần làm".to_owned());
        let leads = || "/unit/usage".to_owned();
        let mut all = vec![
            Notice::LineWarned { line: line(), percent: 80, count: 10 },
            Notice::LineWarned { line: line(), percent: 100, count: 10 },
            Notice::LineExceeded { line: line(), count: 1_000 },
            Notice::LineLocked { line: line(), connection: false, until: Some(to) },
            Notice::LineLocked { line: line(), connection: true, until: None },
            Notice::LineLifted { line: line() },
            Notice::RaiseAsked { system: system.clone(), requests: 2 },
            Notice::RaiseGranted { line: line(), to },
            Notice::RaiseRefused { line: line() },
            Notice::RaiseEnding { line: line(), to },
            Notice::CredentialEnding { system: system.clone(), number: 1, until: to },
            Notice::ListChanged { system: system.clone() },
            Notice::RevocationToConfirm { system: system.clone() },
            Notice::Announced { title: text(), incident: false },
            Notice::Announced { title: text(), incident: true },
            Notice::DossierStep {
                number: "HS-1".into(),
                step: text(),
                turn: text(),
                text: text(),
                link: leads(),
            },
            Notice::CampaignReminder {
                name: text(),
                due: date(2026, 10, 1),
                text: text(),
                link: leads(),
            },
            Notice::MailFailing { own: true },
            Notice::MailFailing { own: false },
            Notice::Connection { system: system.clone(), locked: true },
            Notice::Connection { system: system.clone(), locked: false },
            Notice::ListWaits { system: system.clone() },
            Notice::Statement { system: system.clone(), month: "2026-10".into() },
            Notice::Urged { by: text(), text: text(), link: leads() },
            Notice::WebhookFailing { system: system.clone(), off: true },
            Notice::WebhookFailing { system: system.clone(), off: false },
        ];
        all.extend([80, 100].map(|percent| {
            let system = system.clone();
            Notice::AccountWarned { system, percent }
        }));
        all.extend(
            DossierDeed::ALL.map(|deed| Notice::Dossier { number: "HS-00001".into(), deed }),
        );
        all.extend(CampaignDeed::ALL.map(|deed| Notice::Campaign {
            name: text(),
            number: "HS-00001".into(),
            due: date(2026, 10, 1),
            deed,
        }));
        all.push(Notice::HandedUp { by: text(), number: "TH-00001".into(), to: String::new() });
        all.extend(AppealStep::ALL.map(|step| Notice::Appeal {
            system: system.clone(),
            lock: "line-1".into(),
            step,
        }));
        all.extend(Deed::ALL.map(|deed| Notice::Plan { system: system.clone(), deed }));
        all.extend(
            [
                AccountChange::Locked,
                AccountChange::Unlocked,
                AccountChange::Suspended,
                AccountChange::Resumed,
                AccountChange::Revoked,
                AccountChange::Reenabled,
                AccountChange::Invited,
                AccountChange::InvitationWithdrawn,
                AccountChange::RolesChanged,
                AccountChange::PasswordGiven,
                AccountChange::PasswordChanged,
                AccountChange::FactorAdded,
                AccountChange::FactorRemoved,
                AccountChange::FactorLost,
                AccountChange::Vouched,
                AccountChange::RecoveryMade,
            ]
            .map(Notice::Account),
        );
        all
    }

    /// Every kind has its sentences in both languages, with nothing left open in them.
    #[test]
    fn every_notice_has_its_words() {
        for language in [Language::Vietnamese, Language::English] {
            let t = Text::new(language);
            for notice in all() {
                let head = matches!(&notice, Notice::Account(change) if change.concerns_head());
                let head = head || matches!(&notice, Notice::AccountWarned { .. });
                let sides = [Some(Side::Person), head.then_some(Side::Head)];
                for side in sides.into_iter().flatten() {
                    let (what, advice) = said(&t, &notice, side);
                    for text in [what, advice] {
                        let whole = !text.is_empty() && !text.contains(['[', '{', '$']);
                        assert!(whole, "{notice:?}: {text}");
                    }
                }
            }
        }
    }
}
