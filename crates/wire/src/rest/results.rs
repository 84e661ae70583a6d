//! Results of jobs as JSON: one object per item, pages of them, pages of bad rows.

use dancu_domain::refusal::Reason;
use dancu_gate::jobs::types::{BadPage, BadRow, ItemOutcome, ItemResult, Page};
use dancu_gate::query::CorrelationId;

use super::json::Object;
use super::render;

/// `{"row", "result", …, "journal":{"index"}, "correlationId"}`. `result` is match, noMatch, listed
/// or refused; a match tells what a verification tells, a list the granted fields.
pub(crate) fn item(out: &mut String, item: &ItemResult) {
    let mut object = Object::begin(out);
    object.number("row", u64::from(item.row));
    match &item.outcome {
        ItemOutcome::NoMatch => object.raw("result", "\"noMatch\""),
        ItemOutcome::Match { precision, alive, claims } => {
            object.raw("result", "\"match\"");
            render::alive(&mut object, *alive);
            render::precision(&mut object, *precision);
            if !claims.is_empty() {
                render::claim_results(&mut object, claims);
            }
        }
        ItemOutcome::Listed(citizen) => {
            object.raw("result", "\"listed\"");
            render::person(object.key("citizen"), citizen);
        }
        ItemOutcome::Refused(number) => {
            object.raw("result", "\"refused\"");
            if let Some(reason) = Reason::from_number(*number) {
                let text = reason.text();
                object.text("ruleId", text.rule.code());
                object.text("titleVi", text.title_vi);
                object.text("title", text.title);
                object.text("whatToDoVi", text.what_to_do_vi);
            }
        }
    }
    render::journal(&mut object, item.journal_index);
    object.correlation(CorrelationId(item.correlation));
    object.end();
}

/// `{"row", "field", "reasonVi", "reason"}`.
pub(crate) fn bad_row(out: &mut String, bad: &BadRow) {
    let mut object = Object::begin(out);
    object.number("row", u64::from(bad.row));
    object.text("field", &bad.field);
    object.text("reasonVi", &bad.reason_vi);
    object.text("reason", &bad.reason);
    object.end();
}

/// `{"results":[…], "next":N or null}`: the `from` of the next page.
pub(crate) fn page(page: &Page) -> String {
    listed("results", &page.results, page.next, item)
}

/// `{"badRows":[…], "next":N or null}`.
pub(crate) fn bad_page(page: &BadPage) -> String {
    listed("badRows", &page.rows, page.next, bad_row)
}

fn listed<T>(key: &str, items: &[T], next: Option<u32>, write: fn(&mut String, &T)) -> String {
    let mut out = String::with_capacity(64 + items.len() * 256);
    let mut object = Object::begin(&mut out);
    let list = object.key(key);
    list.push('[');
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            list.push(',');
        }
        write(list, item);
    }
    list.push(']');
    match next {
        Some(next) => object.number("next", u64::from(next)),
        None => object.raw("next", "null"),
    }
    object.end();
    out
}
