//! The auditor's desk and my account.

use std::error::Error;

use dancu_portal::account::{Event, Factor, Factors, History, Session, Sessions};
use dancu_portal::auditor::{EntryRow, Search};
use dancu_portal::parts::states;

use super::{Preview, choice, pager, wrong};

impl Preview {
    pub(super) fn auditor(&self) -> Result<(), Box<dyn Error>> {
        let verify = self.say(
            "Xác thực · Giải quyết thủ tục hành chính",
            "Verification · administrative procedure",
        );
        let entry = |index, account: &str, state, rule: Option<&str>| EntryRow {
            index,
            time: "14:05:12 24/11/2026".into(),
            system: "ONESTOP".into(),
            account: account.into(),
            what: verify.clone(),
            case_code: "H40.18-261124-0099".into(),
            state,
            rule: rule.map(Into::into),
        };
        let found = vec![
            entry(1_204_417, "quyen.hnt", states::ANSWERED, None),
            entry(1_204_398, "uyen.npbqtht@hoamaivang.mau", states::REFUSED, Some("D2")),
        ];
        let ground = "Quyết định kiểm tra số 99/QĐ-MAU ngày 20/11/2026";
        let missing = vec![wrong(
            "ground",
            self.say(
                "Nêu căn cứ của việc tìm trước khi tìm.",
                "State the ground before searching.",
            ),
        )];
        for (name, errors, ground, rows) in [
            ("auditor-search", vec![], "", None),
            ("auditor-error", missing, "", None),
            ("auditor-found", vec![], ground, Some(found)),
            ("auditor-empty", vec![], ground, Some(vec![])),
        ] {
            self.write(
                name,
                &Search {
                    t: self.t.clone(),
                    s: self.shell("auditor", "/audit"),
                    errors,
                    staff: false,
                    kinds: vec![
                        choice("case", &self.t.get("col-case"), true),
                        choice("account", &self.t.get("col-login"), false),
                        choice("subject", &self.t.get("field-personalId"), false),
                    ],
                    term: if ground.is_empty() {
                        String::new()
                    } else {
                        "H40.18-261124-0099".into()
                    },
                    ground: ground.into(),
                    rows,
                    pager: pager(1, 2, 2),
                },
            )?;
        }
        Ok(())
    }

    pub(super) fn account(&self) -> Result<(), Box<dyn Error>> {
        let factor = |icon, key, name: &str| Factor {
            icon,
            key,
            name: name.into(),
            since: "02/01/2026".into(),
            last: "24/11/2026".into(),
            id: "1".into(),
        };
        let rows = vec![
            factor("smartphone", "factor-kind-app", "Điện thoại cá nhân"),
            factor("key-round", "factor-kind-key", "Khóa bảo mật số 0099 của phường"),
        ];
        for (name, rows, codes_left) in
            [("account-factors", rows, 8), ("account-factors-empty", vec![], 0)]
        {
            self.write(
                name,
                &Factors {
                    t: self.t.clone(),
                    s: self.shell("officer", "/account/factors"),
                    rows,
                    codes_left,
                },
            )?;
        }
        let session = |device: &str, current| Session {
            device: device.into(),
            place: self.say("Mạng của phường Hoa Mai Vàng", "Network of the ward"),
            since: "07:48 24/11/2026".into(),
            last: "14:05 24/11/2026".into(),
            current,
            id: "1".into(),
        };
        self.write(
            "account-sessions",
            &Sessions {
                t: self.t.clone(),
                s: self.shell("officer", "/account/sessions"),
                rows: vec![
                    session("Chrome 109 · Windows 7", true),
                    session("Firefox 128 · Windows 10", false),
                ],
            },
        )?;
        let event = |key, state| Event {
            time: "07:48 24/11/2026".into(),
            key,
            place: "Chrome 109 · Windows 7".into(),
            state,
        };
        let events = vec![
            event("event-sign-in", states::DONE),
            event("event-reveal", states::DONE),
            event("event-sign-in", states::FAILED),
            event("event-factor", states::DONE),
        ];
        for (name, rows) in [("account-history", events), ("account-history-empty", vec![])] {
            self.write(
                name,
                &History { t: self.t.clone(), s: self.shell("officer", "/account/history"), rows },
            )?;
        }
        Ok(())
    }
}
