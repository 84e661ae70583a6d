//! A page for each code of a refusal and for each rule (A3): what it means, what to do, and what
//! a caller sees of it. Everything is made from the table of reasons and by the writers of
//! answers, so that a page cannot be out of date.

use std::fmt::Write;

use dancu_domain::refusal::Reason;
use dancu_domain::rule::RuleId;
use dancu_gate::query::{CorrelationId, Denied};

use super::{NULL, Page};
use crate::rest::denied;
use crate::soap::example_fault;

/// The correlation id of examples.
const EXAMPLE: CorrelationId =
    CorrelationId(*b"\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff");

/// The page of a code of faults, e.g. `010`, or of a rule, e.g. `D2`; none where no refusal has it.
pub fn error_html(code: &str) -> Option<String> {
    let mut reasons = vec![];
    for reason in Reason::ALL {
        let text = reason.text();
        let is_it = text.soap_code == code || text.rule.code() == code;
        // Reasons that must look alike to callers are one.
        if is_it && reasons.iter().all(|known: &Reason| known.text() != text) {
            reasons.push(*reason);
        }
    }
    let known = reasons.first()?.text();
    let named = RuleId::from_code(code).map_or(known.soap_code, RuleId::code);
    let mut page = Page { document: &NULL, out: String::with_capacity(8 * 1024), shown: vec![] };
    page.head(&format!("Từ chối {named}"), &format!("Refusal {named}"));
    for reason in reasons {
        page.reason(reason);
    }
    page.out.push_str("</main></body></html>\n");
    Some(page.out)
}

impl Page<'_> {
    fn reason(&mut self, reason: Reason) {
        let text = reason.text();
        self.out.push_str("<section>");
        self.both("h2", &format!("{} · {}", text.title_vi, text.title));
        let _ = write!(
            self.out,
            "<p>Quy tắc <span class=\"en\" lang=\"en\">Rule</span> <a href=\"/docs/rules#{0}\">{0}\
             </a> · HTTP {1} · SOAP <code>{2}</code></p>",
            text.rule,
            text.kind.http_status(),
            text.soap_code
        );
        self.both("h3", "Việc cần làm · What to do");
        self.tag("p", "do", text.what_to_do_vi);
        self.both("h3", "JSON (RFC 9457)");
        let why = Denied::from(reason);
        self.sample(&denied(&why, EXAMPLE, None, None).body);
        self.both("h3", "SOAP");
        self.sample(&example_fault(&why, &EXAMPLE));
        self.out.push_str("</section>");
    }

    fn sample(&mut self, text: &str) {
        self.out.push_str("<pre tabindex=\"0\">");
        self.tag("code", "example", text);
        self.out.push_str("</pre>");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_page_by_its_code_and_by_its_rule() {
        for reason in Reason::ALL {
            let text = reason.text();
            for code in [text.soap_code, text.rule.code()] {
                let page = error_html(code).unwrap();
                assert!(page.contains(&format!("/docs/rules#{}", text.rule)), "{code}");
                let fault = format!("&lt;dc:code&gt;{}&lt;", text.soap_code);
                assert!(page.contains(&fault), "{code}: {page}");
                assert!(page.contains(&format!("&quot;ruleId&quot;:&quot;{}", text.rule)));
            }
        }
        for nothing in ["", "999", "d2", "<script>", "A1"] {
            assert_eq!(error_html(nothing), None, "{nothing}");
        }
    }
}
