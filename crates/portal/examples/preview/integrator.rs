//! The integrator's desk.

use std::error::Error;

use dancu_portal::integrator::{
    Call, Calls, Check, Credential, Debug, Explained, Group, RefusedSignIn, Revoke, Secret, System,
    SystemRow, Systems, Tabs, Typed, states,
};
use dancu_portal::parts::{State, states as shared};

use super::{Preview, UNIT, choice, pager, wrong};

impl Preview {
    pub(super) fn integrator(&self) -> Result<(), Box<dyn Error>> {
        let s = || self.shell("integrator", "/integrator");
        let rows = || {
            let row = |code: &str, ending, end: &str| SystemRow {
                code: code.into(),
                unit: UNIT.into(),
                state: shared::ACTIVE,
                ending,
                end: end.into(),
                href: "#".into(),
            };
            vec![row("MOTCUA-HOA-MAI-VANG-THI-DIEM", 2, "09/12/2026"), row("ONESTOP", 0, "")]
        };
        for (name, search, rows) in
            [("", "", rows()), ("-none", "", vec![]), ("-unfound", "xyz", vec![])]
        {
            let total = rows.len() as u64;
            let pager = pager(total.min(1), total, total);
            let (t, search, sandbox) = (self.t.clone(), search.into(), false);
            let page = Systems { t, s: s(), search, rows, pager, sandbox };
            self.write(&format!("integrator-systems{name}"), &page)?;
        }
        self.write("integrator-system", &self.system(true, vec![]))?;
        self.write("integrator-system-head", &self.system(false, vec![]))?;
        let typo = "203.0.113.9/24: địa chỉ có phần lẻ sau tiền tố; có phải là 203.0.113.0/24?";
        let errors = vec![wrong("sources", typo.into())];
        self.write("integrator-system-error", &self.system(true, errors))?;
        let secret = Secret {
            t: self.t.clone(),
            s: s(),
            code: "ONESTOP".into(),
            head: "cred-soap",
            user: "ONESTOP_SOAP".into(),
            secret: "khong-phai-khoa-that_0123456789ABCDEFGHIJKL".into(),
            before: "09:00 24/12/2026".into(),
        };
        self.write("integrator-secret", &secret)?;
        for (name, is_last) in [("", false), ("-last", true)] {
            let page = Revoke {
                t: self.t.clone(),
                s: s(),
                code: "ONESTOP".into(),
                errors: vec![],
                kind: "soap",
                head: "cred-soap",
                number: "3".into(),
                label: self.t.with("cred-number", "number", 3),
                last_use: "14:00 24/11/2026".into(),
                is_last,
                why: String::new(),
            };
            self.write(&format!("integrator-revoke{name}"), &page)?;
        }
        for (name, explained) in [("", None), ("-found", Some(self.explained()))] {
            let page = Debug {
                t: self.t.clone(),
                s: s(),
                tabs: tabs(),
                errors: vec![],
                source: String::new(),
                explained,
            };
            self.write(&format!("integrator-debug{name}"), &page)?;
        }
        for (name, calls, sign_ins) in [("", self.calls(), refused()), ("-empty", vec![], vec![])] {
            let (t, tabs, refused_only) = (self.t.clone(), tabs(), false);
            let page = Calls { t, s: s(), tabs, refused_only, calls, sign_ins };
            self.write(&format!("integrator-calls{name}"), &page)?;
        }
        Ok(())
    }

    fn system(&self, manage: bool, errors: Vec<dancu_portal::parts::FieldError>) -> System {
        let credential = |label: &str, detail: &str, until: &str, state| Credential {
            label: label.into(),
            detail: detail.into(),
            since: "24/11/2026".into(),
            until: until.into(),
            last: "14:00 24/11/2026".into(),
            state,
            revoke: "#".into(),
        };
        let group = |kind, head, user: &str, rows| Group {
            kind,
            head,
            user: user.into(),
            registered: true,
            rows,
        };
        let long = "Máy chủ số 2 của Trung tâm Phục vụ hành chính công phường (Số 14)";
        let sources = vec!["203.0.113.0/24".to_owned(), "2001:db8:1234:5678::/64".to_owned()];
        System {
            t: self.t.clone(),
            s: self.shell("integrator", "/integrator"),
            tabs: tabs(),
            told: errors.is_empty().then_some("cred-told-material"),
            errors,
            ending: vec![(long.into(), "09:00 09/12/2026".into())],
            groups: vec![
                group(
                    "soap",
                    "cred-soap",
                    "ONESTOP_SOAP",
                    vec![
                        credential(long, "", "", states::VALID),
                        credential("Số 3", "", "09:00 09/12/2026", states::ENDING),
                    ],
                ),
                group("client", "cred-client", "onestop", vec![]),
                group(
                    "key",
                    "cred-key",
                    "onestop",
                    vec![credential("Số 5", "Ed25519", "", states::VALID)],
                ),
                group(
                    "certificate",
                    "cred-certificate",
                    "",
                    vec![credential(
                        "Số 7",
                        "SHA-256 0123456789abcdef…",
                        "09:00 24/10/2026",
                        states::ENDED,
                    )],
                ),
            ],
            mode_key: "cred-mode-optional",
            typed: Typed { sources: sources.join("\n"), ..Typed::default() },
            sources,
            manage,
            kinds: vec![choice("soap", &self.t.get("cred-kind-soap"), true)],
            overlaps: vec![choice("30", &self.t.with("cred-overlap-days", "count", 30), true)],
            seen: "14".into(),
            once: "00".into(),
        }
    }

    fn explained(&self) -> Explained {
        let check = |name: &str, state: State, expected: &str, got: &str, hint: &str| Check {
            key: format!("dbgname-{name}"),
            state,
            expected: expected.into(),
            got: got.into(),
            hint: if hint.is_empty() {
                String::new()
            } else {
                self.t.with(&format!("dbghint-{hint}"), "value", "1795368213")
            },
        };
        let input = "SHA-256(/soap/dancuONESTOP_SOAP1795368213728•••• | \
                     /dancu/xacthucONESTOP_SOAP1795368213728••••)";
        let (right, wrong, open) = (states::RIGHT, states::WRONG, states::OPEN);
        Explained {
            way: "dbgway-soap".into(),
            admitted: false,
            checks: vec![
                check("timestamp", right, "ms | s", "1795368213728 (ms)", ""),
                check("user", right, "ONESTOP_SOAP", "ONESTOP_SOAP", ""),
                check("hash", wrong, input, "dcfe4306…", "other-unit"),
                check("certificate", open, "optional: 0123456789abcdef", "", "not-in-paste"),
                check("clock", wrong, "±0:05:00", "+7:00:02", "time-zone"),
            ],
            envelope: Some(vec![("MaYeuCau".into(), "Thiếu mã yêu cầu.".into())]),
        }
    }

    fn calls(&self) -> Vec<Call> {
        let answered = Call {
            time: "14:05:12 24/11/2026".into(),
            way: "SOAP",
            service: self.t.get("service-citizen-verify"),
            state: shared::ANSWERED,
            reason: String::new(),
            what_to_do: String::new(),
            rule: String::new(),
            request: "H26.001-261124-000000000000000000000099".into(),
            correlation: "00000000001260a14fd2a0c3b7e19d55".into(),
        };
        let refused = Call {
            state: shared::REFUSED,
            reason: self.say("Dòng dịch vụ đã hết số lượt.", "The line's count is used up."),
            what_to_do: self.say("Chờ đến 07:00, hoặc đề nghị tăng số lượt.", ""),
            rule: "D2".into(),
            service: self.t.get("service-vitalStatus-verify"),
            request: String::new(),
            ..call_of(&answered)
        };
        vec![answered, refused]
    }
}

fn call_of(of: &Call) -> Call {
    Call {
        time: of.time.clone(),
        way: "REST",
        service: String::new(),
        state: of.state,
        reason: String::new(),
        what_to_do: String::new(),
        rule: String::new(),
        request: String::new(),
        correlation: of.correlation.clone(),
    }
}

fn tabs() -> Tabs {
    Tabs { code: "ONESTOP".into(), state: shared::ACTIVE, debug: true, hooks: true }
}

fn refused() -> Vec<RefusedSignIn> {
    let row = |key, source: &str, clock: &str| RefusedSignIn {
        last: "14:05:31 24/11/2026".into(),
        way: "calls-way-soap",
        key,
        source: source.into(),
        count: 1_204,
        clock: clock.into(),
    };
    vec![row("calls-why-stale", "203.0.113.9", "+7:00:02"), row("calls-why-wrong", "", "")]
}
