//! The counter's page around whatever came of a question.

use dancu_domain::ids::Purpose;
use dancu_domain::registration::Procedure;
use dancu_domain::service::Service;
use dancu_portal::counter::{Counter, Outcome, Reason};
use dancu_portal::parts::{Choice, FieldError};
use dancu_portal::text::Text;

use super::compare;
use super::desk::{self, Desk};
use super::question::Typed;
use crate::portal::form;
use crate::portal::signed::Signed;

/// The page. After an answer nothing of the comparison stays for the next person; after an outage
/// the form keeps its mark, so that asking again is the same question (D6).
pub(super) fn counter(
    signed: &Signed,
    desks: &[Desk],
    typed: &Typed,
    errors: Vec<FieldError>,
    outcome: Outcome,
) -> Counter {
    let text = signed.text();
    let desk = desk::chosen(desks, &typed.system);
    let procedures = desk.procedures(signed);
    let chosen = procedures.iter().find(|p| p.code.as_str() == typed.procedure);
    let chosen = chosen.or(procedures.first()).copied();
    let granted = chosen.map(|p| desk.fields(Service::CitizenVerify, p)).unwrap_or_default();
    let again = matches!(outcome, Outcome::Outage(_)) && !typed.once.is_empty();
    let once = if again { typed.once.clone() } else { form::once() };
    let none = Typed::default();
    let compared = if matches!(outcome, Outcome::Answered(_)) { &none } else { typed };
    let mut shell = signed.shell();
    // Wherever the screen locks, the counter is what comes back.
    "/counter".clone_into(&mut shell.here);
    Counter {
        s: shell,
        reason: reason(desks, desk, &procedures, chosen, typed, &text),
        meter: desk::meter(signed, desk, Service::CitizenVerify, &text),
        subject: typed.subject.clone(),
        compare: compare::fields(granted, compared, &text),
        once,
        errors,
        outcome,
        t: text,
    }
}

fn reason(
    desks: &[Desk],
    desk: &Desk,
    procedures: &[&Procedure],
    chosen: Option<&Procedure>,
    typed: &Typed,
    text: &Text,
) -> Reason {
    let system = |d: &Desk| {
        let code = d.system.code.as_str().to_owned();
        Choice { chosen: d.system.id == desk.system.id, label: code.clone(), value: code }
    };
    let procedure = |p: &&Procedure| Choice {
        value: p.code.as_str().to_owned(),
        label: words(p),
        chosen: chosen.is_some_and(|c| c.code == p.code),
    };
    let own = text.get("counter-purpose-own");
    let mut purposes = vec![Choice { value: String::new(), label: own, chosen: false }];
    for purpose in procedures.iter().filter_map(|p| p.purpose.as_ref()).map(Purpose::as_str) {
        if !purposes.iter().any(|choice| choice.value == purpose) {
            let chosen = typed.purpose == purpose;
            purposes.push(Choice { value: purpose.into(), label: purpose.into(), chosen });
        }
    }
    Reason {
        systems: desks.iter().map(system).collect(),
        procedures: procedures.iter().map(procedure).collect(),
        case_code: typed.case.clone(),
        case_required: chosen.is_some_and(|p| p.case_required),
        purposes,
    }
}

/// A procedure in words: its code and what it is registered for.
pub(super) fn words(procedure: &Procedure) -> String {
    let code = procedure.code.as_str();
    procedure
        .purpose
        .as_ref()
        .map_or_else(|| code.to_owned(), |p| format!("{code} – {}", p.as_str()))
}
