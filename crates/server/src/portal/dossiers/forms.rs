//! The forms of what somebody may do with a dossier now.

use dancu_domain::dossier::{Cause, Content, ExemptionGround, Step};
use dancu_domain::rule::RuleId;
use dancu_domain::service::FieldSet;
use dancu_office::dossiers::read::{Act, Open};
use dancu_portal::centre::Field;
use dancu_portal::dossier::ActForm;
use dancu_portal::parts::Choice;
use dancu_portal::text::Text;

use super::{Place, told};
use crate::portal::form::Form;
use crate::portal::signed::Signed;
use crate::portal::{frame, words};

/// Every form, the main one first; `typed` was sent and stays in its form.
pub(super) fn of(signed: &Signed, place: &Place, open: &Open, typed: &Form) -> Vec<ActForm> {
    let base = place.page(open.dossier.number());
    let one = |act: &Act| one(signed, open, *act, typed);
    let mut all: Vec<ActForm> = open.acts.iter().filter_map(one).collect();
    all.extend(exempt(signed, open, typed));
    // The next step of the dossier comes first, what ends it last.
    all.sort_by_key(|form| match form.act {
        "submit" | "accept" | "approve" | "live" => 0,
        "withdraw" | "refuse" | "close" => 2,
        _ => 1,
    });
    for form in &mut all {
        form.to = format!("{base}/{}", form.to);
        form.open = typed.get("form") == form.act;
        form.main = matches!(form.act, "submit" | "accept" | "approve" | "live");
    }
    all
}

fn one(signed: &Signed, open: &Open, act: Act, typed: &Form) -> Option<ActForm> {
    let day = frame::date(signed.today());
    let text = |id: &'static str, key, hint| line(typed, id, key, hint, "");
    Some(match act {
        Act::Submit => submit(signed, open),
        Act::Accept => plain("accept", "step", "dossier-do-accept", "inbox", vec![])
            .told("dossier-do-accept-why")
            .with("act", "accept"),
        Act::Approve => approve(signed, open),
        Act::GoLive => plain("live", "live", "dossier-do-live", "circle-check", vec![])
            .told("dossier-do-live-why"),
        Act::CloseStep(Step::Documents) => {
            plain("documents", "step", "dossier-do-documents", "check", vec![])
                .told("dossier-do-documents-why")
                .with("act", "documents")
        }
        Act::CloseStep(Step::Sandbox) => {
            let form = plain("sandbox", "step", "dossier-do-sandbox", "check", vec![]);
            ActForm { areas: vec![report(typed)], ..form.with("act", "sandbox") }
        }
        Act::HandReport => {
            let form = plain("report", "report", "dossier-do-sandbox", "upload", vec![]);
            ActForm { areas: vec![report(typed)], ..form.told("dossier-do-report-why") }
        }
        Act::CloseStep(Step::Assessment) => {
            let fields = vec![
                text("confirmation", "dossier-confirmation", "dossier-confirmation-hint"),
                line(typed, "confirmed", "dossier-confirmed", "common-date-hint", &day),
            ];
            plain("assess", "assess", "dossier-do-assess", "shield-check", fields)
                .told("dossier-do-assess-why")
        }
        Act::Refuse => {
            let fields = vec![
                rules(&signed.text(), typed),
                text("refusal", "dossier-refusal", ""),
                text("todo", "dossier-todo", ""),
            ];
            plain("refuse", "step", "dossier-do-refuse", "ban", fields).with("act", "refuse")
        }
        Act::Withdraw => {
            let fields = vec![text("why", "dossier-why", "")];
            plain("withdraw", "withdraw", "dossier-do-withdraw", "circle-minus", fields)
        }
        Act::Reopen => {
            let fields = vec![causes(&signed.text(), typed), text("why", "dossier-why", "")];
            plain("reopen", "reopen", "dossier-do-reopen", "pencil", fields)
                .told("dossier-do-reopen-why")
        }
        Act::Close => {
            let fields = vec![text("end", "dossier-why", "")];
            plain("close", "live", "dossier-do-close", "ban", fields)
                .told("dossier-do-close-why")
                .with("act", "close")
        }
        Act::Edit | Act::Sign(_) | Act::Check(_) | Act::Comment | Act::Exempt(_) => return None,
    })
}

fn plain(
    act: &'static str,
    to: &str,
    key: &'static str,
    icon: &'static str,
    fields: Vec<Field>,
) -> ActForm {
    ActForm {
        act,
        to: to.to_owned(),
        key,
        why: "",
        icon,
        fields,
        areas: vec![],
        tick: None,
        hidden: vec![("form", act)],
        lists: vec![],
        main: false,
        open: false,
    }
}

trait More {
    fn told(self, why: &'static str) -> Self;
    fn with(self, name: &'static str, value: &'static str) -> Self;
}

impl More for ActForm {
    fn told(self, why: &'static str) -> Self {
        Self { why, ..self }
    }

    fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.hidden.push((name, value));
        self
    }
}

fn line(
    typed: &Form,
    id: &'static str,
    key: &'static str,
    hint: &'static str,
    usual: &str,
) -> Field {
    let value = if typed.has(id) { typed.get(id) } else { usual };
    Field { id, key, hint, value: value.to_owned(), choices: vec![] }
}

fn report(typed: &Form) -> Field {
    let hint = "dossier-report-hint";
    let value = typed.raw("report").to_owned();
    Field { id: "report", key: "dossier-report", hint, value, choices: vec![] }
}

fn submit(signed: &Signed, open: &Open) -> ActForm {
    let day = signed.today();
    let outdated = dancu_domain::dossier::Part::ALL.into_iter().any(|part| {
        let paper = open.dossier.paper(part);
        paper.is_outdated(part, day) && paper.carried_over.is_none()
    });
    let tick = outdated.then(|| ("carry", signed.text().get("dossier-carry")));
    let form = plain("submit", "submit", "dossier-do-submit", "upload", vec![]);
    ActForm { tick, ..form.told("dossier-do-submit-why") }
}

/// What is granted is looked at before it is approved, sensitive fields apart (A4).
fn approve(signed: &Signed, open: &Open) -> ActForm {
    let t = signed.text();
    let content = open.dossier.content();
    let ordinary = granted(&t, content, FieldSet::ALL.without(FieldSet::SENSITIVE));
    let sensitive = granted(&t, content, FieldSet::SENSITIVE);
    let tick = (!sensitive.is_empty()).then(|| ("sensitive", t.get("dossier-grant-sensitive")));
    let mut lists = vec![("dossier-grant-fields", ordinary)];
    if !sensitive.is_empty() {
        lists.push(("dossier-item-sensitive", sensitive));
    }
    let form = plain("approve", "approve", "dossier-do-approve", "check", vec![]);
    ActForm { tick, lists, ..form.told("dossier-do-approve-why") }
}

fn granted(t: &Text, content: &Content, of: FieldSet) -> Vec<String> {
    let rows = content.uses.iter().filter(|u| !u.fields.and(of).is_empty());
    rows.map(|u| {
        format!("{}: {}", words::service(t, u.service), told::field_names(t, u.fields.and(of)))
    })
    .collect()
}

/// One form for the steps that are open; none where none may be left out by this person.
fn exempt(signed: &Signed, open: &Open, typed: &Form) -> Option<ActForm> {
    let t = signed.text();
    let first = open.dossier.in_force().is_none();
    let steps: Vec<Step> =
        Step::ALL.into_iter().filter(|step| open.acts.contains(&Act::Exempt(*step))).collect();
    let step_choices = steps.iter().map(|step| Choice {
        value: step.code().to_owned(),
        label: t.get(format!("dossier-step-{}", step.code())),
        chosen: step.code() == typed.get("step"),
    });
    let exempts = |ground: &ExemptionGround| steps.iter().any(|step| ground.exempts(*step, first));
    let grounds = ExemptionGround::ALL.into_iter().filter(exempts).map(|ground| Choice {
        value: ground.code().to_owned(),
        label: t.get(format!("dossier-ground-{}", ground.code())),
        chosen: ground.code() == typed.get("ground"),
    });
    let choose = |id, key, choices| Field { id, key, hint: "", value: String::new(), choices };
    let today = frame::date(signed.today());
    let fields = vec![
        choose("step", "dossier-step", step_choices.collect()),
        choose("ground", "dossier-ground", grounds.collect()),
        line(typed, "evidence", "dossier-evidence", "dossier-evidence-hint", ""),
        line(typed, "dated", "dossier-dated", "common-date-hint", &today),
    ];
    let form = plain("exempt", "exempt", "dossier-do-exempt", "circle-minus", fields);
    (!steps.is_empty()).then(|| form.told("dossier-do-exempt-why"))
}

fn rules(t: &Text, typed: &Form) -> Field {
    let chosen = typed.get("rule");
    let choices = RuleId::ALL.iter().filter(|rule| {
        // What a dossier is judged by: who may use what, its own life, security, counts.
        matches!(rule.code().as_bytes()[0], b'A'..=b'D')
    });
    let choices = choices.map(|rule| Choice {
        value: rule.code().to_owned(),
        label: format!("{} – {}", rule.code(), t.get(format!("rule-{}", rule.code()))),
        chosen: rule.code() == chosen,
    });
    Field {
        id: "rule",
        key: "dossier-rule",
        hint: "dossier-rule-hint",
        value: String::new(),
        choices: choices.collect(),
    }
}

fn causes(t: &Text, typed: &Form) -> Field {
    // A campaign is opened by the centre (B4).
    let choices = [Cause::Change, Cause::Design].map(|cause| Choice {
        value: cause.code().to_owned(),
        label: t.get(format!("dossier-cause-{}", cause.code())),
        chosen: cause.code() == typed.get("cause"),
    });
    Field {
        id: "cause",
        key: "dossier-cause",
        hint: "",
        value: String::new(),
        choices: choices.into(),
    }
}
