//! The auditor's desk and my account.

use std::error::Error;

use dancu_portal::account::{Device, Event, Factor, Factors, History, Session, Sessions};
use dancu_portal::auditor::{ActRow, EntryRow, Found, Revealed, Search, Staff};
use dancu_portal::parts::states;

use super::{OFFICER, Preview, choice, wrong};

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
        let found = |rows: Vec<EntryRow>, next| Found {
            rows,
            withheld: 2,
            ticket: "00".into(),
            from: 0,
            next,
        };
        let rows = || {
            vec![
                entry(1_204_417, "qu•••nt", states::ANSWERED, None),
                entry(1_204_398, "uy•••au", states::REFUSED, Some("D2")),
            ]
        };
        let ground = "Quyết định kiểm tra số 99/QĐ-MAU ngày 20/11/2026";
        let missing = vec![wrong(
            "ground",
            self.say(
                "Nêu căn cứ của việc tìm trước khi tìm.",
                "State the ground before searching.",
            ),
        )];
        let shown = Revealed {
            index: 1_204_417,
            facts: vec![
                ("fact-login", "quyen.hnt".into()),
                ("fact-officer", OFFICER.into()),
                ("fact-source", "192.0.2.17".into()),
                ("fact-xroad", String::new()),
            ],
        };
        for (name, errors, ground, found, revealed) in [
            ("auditor-search", vec![], "", None, None),
            ("auditor-error", missing, "", None, None),
            ("auditor-found", vec![], ground, Some(found(rows(), Some(1_204_500))), None),
            ("auditor-revealed", vec![], ground, Some(found(rows(), None)), Some(shown)),
            ("auditor-empty", vec![], ground, Some(found(vec![], None)), None),
        ] {
            self.write(
                name,
                &Search {
                    t: self.t.clone(),
                    s: self.shell("auditor", "/audit"),
                    errors,
                    kinds: vec![
                        choice("case", &self.t.get("kind-case"), true),
                        choice("account", &self.t.get("kind-account"), false),
                        choice("subject", &self.t.get("kind-subject"), false),
                    ],
                    term: if ground.is_empty() {
                        String::new()
                    } else {
                        "H40.18-261124-0099".into()
                    },
                    ground: ground.into(),
                    found,
                    revealed,
                    mark: format!("{OFFICER} · 14:06 24/11/2026"),
                },
            )?;
        }
        self.staff(ground)
    }

    fn staff(&self, ground: &str) -> Result<(), Box<dyn Error>> {
        let act = |index, (kind, said): (&str, String), detail: String| ActRow {
            index,
            time: "13:20:41 24/11/2026".into(),
            by: if kind == "line.lift" { "Đỗ Vận Hành Mẫu" } else { "vanhanh.mau" }.into(),
            account: (kind == "line.lift").then(|| "root".into()),
            said,
            kind: kind.into(),
            system: "ONESTOP".into(),
            detail,
        };
        let lift = ("line.lift", self.say("Mở khóa dòng đăng ký", "Line unlocked"));
        let state =
            ("account.state", self.say("Đổi trạng thái tài khoản", "State of an account set"));
        let acts = vec![
            act(
                1_204_377,
                lift,
                self.say(
                    "Xác thực thông tin công dân · Trong giờ. Lý do: cao điểm",
                    "Verification of a citizen · In hours. Reason: cao điểm",
                ),
            ),
            act(
                1_204_311,
                state,
                self.say(
                    "on•••au: đã khóa. Lý do: báo mất điện thoại",
                    "onestop.mau: locked. Reason: báo mất điện thoại",
                ),
            ),
        ];
        for (name, rows) in [
            ("auditor-staff", None),
            ("auditor-staff-found", Some(acts)),
            ("auditor-staff-empty", Some(vec![])),
        ] {
            self.write(
                name,
                &Staff {
                    t: self.t.clone(),
                    s: self.shell("auditor", "/audit/staff"),
                    errors: vec![],
                    ground: if rows.is_some() { ground.into() } else { String::new() },
                    next: rows.as_ref().map(|_| 1_184_418),
                    rows,
                    range: (1_184_418, 1_204_417),
                    mark: format!("{OFFICER} · 14:06 24/11/2026"),
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
                    errors: vec![],
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
                devices: vec![Device {
                    name: "Chrome, Windows".into(),
                    used: "07:48 24/11/2026".into(),
                    here: true,
                    id: "1".into(),
                }],
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
            event("event-device", states::DONE),
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
