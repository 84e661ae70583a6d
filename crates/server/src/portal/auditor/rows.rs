//! Journal entries as the auditor's pages show them: masked, and one of them revealed.

use std::net::IpAddr;

use dancu_domain::ids::{AccountId, SystemId};
use dancu_domain::moment::Moment;
use dancu_domain::registration::Snapshot;
use dancu_domain::service::Service;
use dancu_journal::{Body, Decision, Entry, Query};
use dancu_office::act::operated;
use dancu_portal::auditor::{ActRow, EntryRow, Revealed};
use dancu_portal::parts::states;
use dancu_portal::text::Text;

use super::told;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};

/// Letters of a login that are shown at each end: enough to tell a few officers of a unit apart.
const SHOWN: usize = 2;

/// A login with its middle hidden; short ones are hidden whole.
pub fn masked(login: &str) -> String {
    let letters: Vec<char> = login.chars().collect();
    if letters.is_empty() {
        return "–".into();
    }
    if letters.len() < 3 * SHOWN {
        return "•••".into();
    }
    let (head, tail) = (&letters[..SHOWN], &letters[letters.len() - SHOWN..]);
    head.iter().chain(&['•', '•', '•']).chain(tail).collect()
}

fn login(snapshot: &Snapshot, q: &Query) -> Option<String> {
    let system = snapshot.by_id(SystemId(q.system))?;
    system.accounts.by_id(AccountId(q.account)).map(|a| a.login.as_str().to_owned())
}

/// Seconds count here: several questions of a minute are told apart.
fn time(at: i64) -> String {
    let at = Moment(at);
    let seconds = at.0.div_euclid(1_000).rem_euclid(60);
    format!("{}:{seconds:02} {}", frame::time(at), frame::day(at))
}

/// A question, masked.
pub fn entry(t: &Text, snapshot: &Snapshot, entry: &Entry) -> Option<EntryRow> {
    let Body::Query(q) = &entry.body else { return None };
    let service =
        Service::from_index(q.service).map_or_else(|| "–".into(), |s| words::service(t, s));
    let what = if q.purpose.is_empty() { service } else { format!("{service} · {}", q.purpose) };
    Some(EntryRow {
        index: entry.index,
        time: time(entry.arrival),
        system: q.system_code.clone(),
        account: masked(&login(snapshot, q).unwrap_or_default()),
        what,
        case_code: if q.case.is_empty() { "–".into() } else { q.case.clone() },
        state: match q.decision {
            Decision::Accepted | Decision::Repeat => states::ANSWERED,
            Decision::Refused => states::REFUSED,
        },
        rule: (!q.rule.is_empty()).then(|| q.rule.clone()),
    })
}

/// What is masked in an entry: whoever asked, as the software named them.
pub fn revealed(signed: &Signed, snapshot: &Snapshot, entry: &Entry) -> Option<Revealed> {
    let Body::Query(q) = &entry.body else { return None };
    Some(Revealed {
        index: entry.index,
        facts: vec![
            ("fact-login", login(snapshot, q).unwrap_or_default()),
            ("fact-officer", q.officer.clone()),
            ("fact-xroad", q.x_road_user.clone()),
            ("fact-unit", signed.app.units.named(&q.unit)),
            ("fact-source", address(&q.source)),
            ("fact-request", q.request_id.clone()),
            ("fact-procedure", q.procedure.clone()),
            ("fact-case", q.case.clone()),
        ],
    })
}

fn address(bytes: &[u8]) -> String {
    let v4 = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
    let known = v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from));
    known.map_or_else(|_| String::new(), |address| address.to_string())
}

/// An act of the staff.
pub fn act(t: &Text, snapshot: &Snapshot, entry: &Entry) -> Option<ActRow> {
    let Body::Act(act) = &entry.body else { return None };
    let system = snapshot.by_id(SystemId(act.system));
    Some(ActRow {
        index: entry.index,
        time: time(entry.at),
        by: operated(&act.actor)
            .map_or_else(|| words::actor(&act.actor), |(names, _)| names.to_owned()),
        account: operated(&act.actor).map(|(_, account)| account.to_owned()),
        said: told::kind(t, &act.kind),
        kind: act.kind.clone(),
        system: system.map_or_else(|| "–".into(), |s| s.code.as_str().to_owned()),
        detail: told::whole(t, snapshot, act, |login| masked(login.as_str())),
    })
}

#[cfg(test)]
mod tests {

    use dancu_domain::ids::{Login, SystemCode, UnitCode};
    use dancu_domain::registration::{Account, AccountKind, AccountList, Group, System};
    use dancu_journal::Act;
    use dancu_portal::text::Language;

    use super::*;

    /// A login of 12 digits is a citizen's id (B6), and no login is read whole without a ground.
    #[test]
    fn rule_a6_acts_show_no_login_of_an_officer_whole() {
        let (code, unit) = (SystemCode::parse("MAU"), UnitCode::parse("H26.001"));
        let mut system = System::new(SystemId(1), code.unwrap(), unit.unwrap(), Group::State);
        let logins = ["099301012345", "onestop.canbo1"].map(|text| Login::parse(text).unwrap());
        let accounts = (1..)
            .zip(logins)
            .map(|(n, login)| Account::new(AccountId(n), login, AccountKind::Officer));
        system.accounts = AccountList::new(accounts.collect());
        let snapshot = Snapshot::new(1, vec![system]);
        let t = crate::portal::frame::text(Language::Vietnamese);
        for (number, shown) in [(1, "09•••45: đã khóa"), (2, "on•••o1: đã khóa")]
        {
            let body = Body::Act(Act {
                kind: "account.state".into(),
                actor: "099301012346".into(),
                system: 1,
                detail: format!("MAU #{number} locked; lý do: A"),
            });
            let (index, at, nonce) = (0, 0, [0; 8]);
            let entry =
                Entry { index, at, arrival: at, nonce, profile: String::new(), epoch: 0, body };
            let row = act(&t, &snapshot, &entry).unwrap();
            assert!(row.detail.starts_with(shown), "{}", row.detail);
            assert_eq!(row.by, "••• ••• ••• 346");
        }
    }

    #[test]
    fn logins_are_masked_by_letters_not_bytes() {
        assert_eq!(masked("onestop.canbo1"), "on•••o1");
        assert_eq!(masked("đặng.văn.ệ"), "đặ•••.ệ");
        assert_eq!((masked("abcde").as_str(), masked("").as_str()), ("•••", "–"));
        assert_eq!(address(&[192, 0, 2, 1]), "192.0.2.1");
        assert_eq!(address(&[]), "");
    }
}
