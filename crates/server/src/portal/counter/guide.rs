//! The guide for people: open to all, and of nobody. What a refusal means and what to do then is
//! taken from where refusals are made, so that the guide says what the screen will say.

use axum::response::Response;
use dancu_domain::refusal::Reason;
use dancu_portal::guide::{Advice, Guide};
use dancu_portal::text::Text;

use super::refusal;
use crate::portal::frame;
use crate::portal::signed::Visitor;

/// `GET /guide`.
pub(super) async fn show(visitor: Visitor) -> Response {
    let text = visitor.text();
    let profile = visitor.app.gate.store().profiles().at(visitor.now);
    let resets = frame::time(profile.hours.duty(visitor.now).resets_at);
    let say = |reason: Reason| {
        let words = reason.text();
        visitor.say(words.title_vi, words.title).to_owned()
    };
    let refusals = advice(say, &resets, &text);
    frame::page(&Guide { s: visitor.shell(), refusals, t: text })
}

/// What the counter may be refused, in the order of the checks; those that ask for the same stand
/// together. What reloading mends is one line of the page.
fn advice(say: impl Fn(Reason) -> String, resets: &str, text: &Text) -> Vec<Advice> {
    let a_while = text.get("guide-while");
    let mut found: Vec<Advice> = vec![];
    for reason in Reason::ALL.iter().copied().filter(|reason| refusal::is_of_the_counter(*reason)) {
        let paced = matches!(reason, Reason::PaceRequests | Reason::PacePersons);
        let wait = paced.then_some(a_while.as_str());
        let what_to_do = refusal::what_to_do(reason, wait, resets, text);
        let (sentence, rule) = (say(reason), reason.text().rule.code());
        match found.iter_mut().find(|advice| advice.what_to_do == what_to_do) {
            Some(advice) => {
                // Some reasons differ in the journal and read the same.
                if !advice.sentences.contains(&sentence) {
                    advice.sentences.push(sentence);
                }
                if !advice.rules.contains(&rule) {
                    advice.rules.push(rule);
                }
            }
            None => found.push(Advice { sentences: vec![sentence], what_to_do, rules: vec![rule] }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_portal::text::Language;

    #[test]
    fn rule_a3_the_guide_tells_each_refusal_of_the_counter_once() {
        let text = Text::new(Language::Vietnamese);
        let told = advice(|reason| format!("{reason:?}"), "07:00", &text);
        let sentences: Vec<_> = told.iter().flat_map(|advice| &advice.sentences).collect();
        let of = |reason: Reason| {
            let name = format!("{reason:?}");
            sentences.iter().filter(|sentence| ***sentence == name).count()
        };
        for reason in [Reason::LineUsedUp, Reason::AccountHardStop, Reason::CaseCodeMissing] {
            assert_eq!(of(reason), 1, "{reason:?}");
        }
        assert_eq!((of(Reason::JobTooLarge), of(Reason::PlanUsedUp)), (0, 0));
        let alike = advice(|_| "same".to_owned(), "07:00", &text);
        assert!(alike.iter().all(|advice| advice.sentences == ["same"]), "said once");
        let paced = told.iter().find(|a| a.sentences.iter().any(|s| s == "PacePersons")).unwrap();
        assert!(paced.what_to_do.starts_with("Chờ một lát"), "{}", paced.what_to_do);
        let rows: std::collections::BTreeSet<_> = told.iter().map(|a| &a.what_to_do).collect();
        assert_eq!(rows.len(), told.len(), "one row for each thing to do");
        assert!(told.iter().all(|advice| !advice.rules.is_empty()));
    }
}
