//! The citizen's pages: one's own data, and who looked at it (I1, I3). What is shown is journaled
//! first; nothing here takes an id from the address or a form.

use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::moment::Moment;
use dancu_domain::people::may::Target;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_gate::query::Disclosed;
use dancu_journal::Decision;
use dancu_office::Refused;
use dancu_office::citizens::{self, Citizen};
use dancu_portal::citizen::{Data, Look, Looks, Month};
use dancu_portal::text::Text;
use dancu_store::people::Person;
use dancu_store::{Error, Store};

use super::counter::values;
use super::signed::Signed;
use super::table::Table;
use super::{frame, words};

/// Classes of answers that compare and tell no value (journal format): match, checks.
const COMPARED: [u8; 4] = [1, 5, 6, 7];

/// Routes of the citizen's pages.
pub fn routes(table: Table) -> Table {
    table
        .entry("/me/data", "id-card", "nav-my-data", Power::SeeOwnData)
        .entry("/me/looks", "eye", "nav-my-looks", Power::SeeOwnLooks)
        .get("/me/data", Power::SeeOwnData, data)
        .get("/me/looks", Power::SeeOwnLooks, looks)
}

/// `GET /me/data`
async fn data(signed: Signed) -> Response {
    if let Err(reason) = signed.may(Power::SeeOwnData, Target::Person(signed.person.id)) {
        return frame::refused(&signed, reason);
    }
    let store = signed.app.gate.store();
    let citizen = Citizen { store, now: signed.now, person: &signed.person };
    let t = signed.text();
    let (facts, refusal) = match citizen.own_data().await {
        Ok(record) => {
            let record = Disclosed::new(record, FieldSet::ALL, None);
            (values::facts(&record, FieldSet::ALL, &t), None)
        }
        Err(Refused::Reason(reason)) => (vec![], Some((reason, frame::refusal(&signed, reason)))),
        Err(refused) => return words::failed(&signed, &refused),
    };
    let status = refusal.as_ref().map_or(StatusCode::OK, |(reason, _)| {
        let status = reason.text().answer.http_status();
        StatusCode::from_u16(status).unwrap_or(StatusCode::FORBIDDEN)
    });
    let refusal = refusal.map(|(_, refusal)| refusal);
    frame::page_with(status, &Data { t, s: signed.shell(), facts, refusal })
}

/// `GET /me/looks`
async fn looks(signed: Signed) -> Response {
    if let Err(reason) = signed.may(Power::SeeOwnLooks, Target::Person(signed.person.id)) {
        return frame::refused(&signed, reason);
    }
    let found = match found(&signed).await {
        Ok(found) => found,
        Err(Refused::Reason(reason)) => return frame::refused(&signed, reason),
        Err(refused) => return words::failed(&signed, &refused),
    };
    let t = signed.text();
    let mut months: Vec<Month> = vec![];
    for look in &found.looks {
        let name = month(Moment(look.at));
        if months.last().is_none_or(|month| month.name != name) {
            months.push(Month { name, looks: vec![] });
        }
        if let Some(month) = months.last_mut() {
            month.looks.push(row(&signed, &t, look));
        }
    }
    let count = found.looks.len() as u64;
    frame::page(&Looks { t, s: signed.shell(), months, count, more: found.more })
}

/// Journals the question, then reads away from the threads that questions of systems run on, in one
/// of the few places for long reads; of those a few at a time are citizens', one of each.
async fn found(signed: &Signed) -> Result<citizens::Looks, Refused> {
    let _place = signed.portal().looks.take(signed.person.id).map_err(|_| PortalReason::Busy)?;
    let (store, person): (Arc<Store>, Arc<Person>) =
        (signed.app.gate.store().clone(), signed.person.clone());
    let now = signed.now;
    let asked = Citizen { store: &store, now, person: &person }.ask_looks().await?;
    let read = move || Citizen { store: &store, now, person: &person }.looks(&asked);
    signed.app.reads.long(read).await.map_err(|_| Error::Unavailable("journal"))?
}

/// `mm/yyyy` in Viet Nam.
fn month(at: Moment) -> String {
    let day = at.viet_nam_date();
    format!("{:02}/{:04}", day.month(), day.year())
}

fn row(signed: &Signed, t: &Text, look: &citizens::Look) -> Look {
    let q = &look.query;
    let fields = FieldSet::from_bits(q.fields);
    let fields: Vec<Field> = if look.told { fields.iter().collect() } else { vec![] };
    Look {
        time: frame::stamp(Moment(look.at)),
        unit: signed.app.units.name(&q.unit).unwrap_or_else(|| q.unit.clone()),
        system: q.system_code.clone(),
        key: sentence(look),
        service: Service::from_index(q.service)
            .map_or_else(|| "–".into(), |s| words::service(t, s)),
        // Of a question about somebody else, purpose and case are that person's.
        purpose: if look.beside { String::new() } else { q.purpose.clone() },
        case_code: if look.beside { String::new() } else { q.case.clone() },
        fields: fields.into_iter().map(values::key).collect(),
    }
}

/// Key of the sentence that says what happened.
fn sentence(look: &citizens::Look) -> &'static str {
    let q = &look.query;
    match (q.decision, look.told) {
        (Decision::Refused, _) => "my-looks-refused",
        (_, false) => "my-looks-nothing",
        (_, true) if look.beside => "my-looks-beside",
        (_, true) if COMPARED.contains(&q.answer) => "my-looks-checked",
        (_, true) => "my-looks-told",
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use dancu_domain::ids::{Login, PersonalId};
    use dancu_domain::people::PersonId;
    use dancu_domain::people::roles::Role;
    use dancu_journal::{Act, Body};
    use dancu_store::people;

    use super::super::tests::site::{Site, login};
    use super::*;
    use crate::clock::machine_ms;

    /// At least as many as a machine has places for long reads.
    const PLACES: usize = 8;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn looks_are_read_in_a_place_for_long_reads() {
        let site = Site::new().await;
        let store = site.app.gate.store();
        let keys = store.keys().clone();
        let named = store.ledger().act(Moment(machine_ms()), move |tx, _| {
            let login = Login::parse(&login(Role::Citizen)).unwrap();
            let mut person = people::by_login(tx, &keys, &login)?.unwrap();
            person.personal_id = PersonalId::parse("099190000001").ok();
            people::save(tx, &keys, &person)?;
            let (kind, actor) = ("test".into(), "dancu".into());
            Ok(Body::Act(Act { kind, actor, system: 0, detail: String::new() }))
        });
        named.await.unwrap();
        let mut browser = site.signed_in(Role::Citizen, 0).await;
        assert_eq!(browser.get("/me/looks").await.status, StatusCode::OK);
        let mut context = Context::from_waker(Waker::noop());
        let mut held = vec![];
        for _ in 0..PLACES {
            let (release, wait) = std::sync::mpsc::channel::<()>();
            let mut read = Box::pin(site.app.reads.long(move || wait.recv().is_ok()));
            assert!(read.as_mut().poll(&mut context).is_pending());
            held.push((release, read));
        }
        let busy = browser.get("/me/looks").await;
        assert_eq!(busy.status, StatusCode::SERVICE_UNAVAILABLE);
        drop(held);
        assert_eq!(browser.get("/me/looks").await.status, StatusCode::OK);
        // Citizens take a few of those places, and each of them one; what is refused asks nothing.
        let places = &site.app.portal.as_ref().unwrap().looks;
        let taken: Vec<_> = (1_000..).map_while(|n| places.take(PersonId(n)).ok()).collect();
        assert_eq!(taken.len(), super::super::LOOKS);
        let before = store.ledger().next_index();
        let busy = browser.get("/me/looks").await;
        assert_eq!(busy.status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(store.ledger().next_index(), before);
        drop(taken);
        assert_eq!(browser.get("/me/looks").await.status, StatusCode::OK);
    }

    fn look(decision: Decision, answer: u8, told: bool, beside: bool) -> citizens::Look {
        let query = dancu_journal::Query { decision, answer, ..<_>::default() };
        citizens::Look { at: 0, query: Box::new(query), told, beside }
    }

    #[test]
    fn each_look_has_its_sentence() {
        let accepted = Decision::Accepted;
        for (look, key) in [
            (look(accepted, 3, true, false), "my-looks-told"),
            (look(Decision::Repeat, 3, true, false), "my-looks-told"),
            (look(accepted, 1, true, false), "my-looks-checked"),
            (look(accepted, 6, true, false), "my-looks-checked"),
            (look(accepted, 4, true, true), "my-looks-beside"),
            (look(accepted, 2, false, false), "my-looks-nothing"),
            (look(Decision::Refused, 0, false, false), "my-looks-refused"),
        ] {
            assert_eq!(sentence(&look), key);
        }
    }

    #[test]
    fn months_are_those_of_viet_nam() {
        let last_hour = Moment::parse_rfc3339("2026-02-28T17:30:00Z").unwrap();
        assert_eq!(month(last_hour), "03/2026");
        assert_eq!(month(last_hour.plus_ms(-3_600_000)), "02/2026");
    }
}
