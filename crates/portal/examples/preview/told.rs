//! Notices, the address for mail, and the sandbox.

use std::error::Error;

use dancu_portal::notices::{ContactPage, Inbox, NoticeRow};
use dancu_portal::parts::SavedView;
use dancu_portal::sandbox::{Case, Laid, Other, Persona, Personas, Run, Shown, Tenants, states};

use super::{LONG_NAME, Preview, choice, wrong};

impl Preview {
    pub(super) fn notices(&self) -> Result<(), Box<dyn Error>> {
        let row = |id: &str, icon, rule, what: String, do_now: String| NoticeRow {
            icon,
            what,
            do_now,
            time: "14:05 24/11/2026".into(),
            rule,
            read: id == "1",
            id: id.into(),
        };
        let locked = self.say(
            "Dòng Xác thực thông tin công dân, trong giờ của ONESTOP bị khóa đến 07:00.",
            "The line verify, in hours, of ONESTOP is locked until 07:00.",
        );
        let raise = self.say("Đề nghị tăng lượt, hoặc khiếu nại.", "Ask for a raise, or appeal.");
        let list = self.say("Danh sách tài khoản đã đổi.", "The account list was changed.");
        let full = vec![
            row("2", "lock", "D3", locked, raise),
            row("1", "users", "B9", list, String::new()),
        ];
        let view = |name: &str, current| SavedView { name: name.into(), href: "#".into(), current };
        for (name, rows) in [("notices", full), ("notices-empty", vec![])] {
            let some = !rows.is_empty();
            let page = Inbox {
                t: self.t.clone(),
                s: self.shell("head", "/notices"),
                rows,
                topics: vec![view(&self.t.get("notices-all"), true), view("D3", false)],
                last: if some { "2".into() } else { String::new() },
                older: some.then(|| "#".into()),
                waiting: 2,
                given_up: vec![("14:05 24/11/2026".into(), "#12".into())],
            };
            self.write(name, &page)?;
        }
        for (name, address, pending) in
            [("contact", "quynh.npbqtht@hoamaivang.mau", ""), ("contact-pending", "", "moi@mau.vn")]
        {
            let page = ContactPage {
                t: self.t.clone(),
                s: self.shell("head", "/account/contact"),
                address: address.into(),
                pending: pending.into(),
                failing: (!address.is_empty()).then(|| "14:05 24/11/2026".into()),
                typed: String::new(),
                ordinary: vec![choice("daily", &self.say("Mỗi ngày một thư", "Daily"), true)],
                hours: vec![choice("7", "07:00", true), choice("16", "16:00", false)],
                mails: true,
                errors: vec![],
                told: None,
            };
            self.write(name, &page)?;
        }
        Ok(())
    }

    pub(super) fn sandbox(&self) -> Result<(), Box<dyn Error>> {
        for (name, codes) in
            [("sandbox", vec!["THU2-1".to_owned(), "THU2-2".into()]), ("sandbox-empty", vec![])]
        {
            let (t, s) = (self.t.clone(), self.shell("integrator", "/integrator/sandbox"));
            let once = "0".repeat(32);
            self.write(name, &Tenants { t, s, errors: vec![], told: None, codes, once })?;
        }
        let secret = || "kVb0".repeat(11);
        let laid = Laid {
            t: self.t.clone(),
            s: self.shell("integrator", "/integrator/sandbox"),
            code: "THU2-1".into(),
            soap: ("thu2_1".into(), secret()),
            client: ("thu2-1".into(), secret()),
            accounts: ["canbo1", "canbo2", "cong"].map(|name| format!("thu2-1.{name}")),
            call: format!("curl -s https://mau.vn/oauth/token -u thu2-1:{}", secret()),
        };
        self.write("sandbox-laid", &laid)?;
        self.run()?;
        let persona = |name, expect, old_id: &str| Persona {
            name,
            expect,
            personal_id: "099303000417".into(),
            old_id: old_id.into(),
            full_name: LONG_NAME.into(),
            birth: "1993-02-28".into(),
            rest: "{\n  \"requestId\": \"1\"\n}".into(),
            soap: "<soap:Envelope/>".into(),
        };
        let rows = vec![
            persona("Người khớp", "Khớp cả ba mục.", ""),
            persona("Người có số cũ", "Tìm thấy theo số chứng minh nhân dân.", "099300417"),
        ];
        let (t, s) = (self.t.clone(), self.shell("integrator", "/sandbox/personas"));
        self.write("sandbox-personas", &Personas { t, s, rows })
    }

    fn run(&self) -> Result<(), Box<dyn Error>> {
        let case = |state, entries: &str, send: &str| Case {
            name: self.say("Xác thực khớp", "A verification that matches"),
            state,
            entries: entries.into(),
            send: send.into(),
        };
        let shown = |signed: &str| Shown {
            number: "KT-40".into(),
            client: "Một cửa mẫu 4.2".into(),
            for_system: "ONESTOP".into(),
            closed: if signed.is_empty() { String::new() } else { "HS-00012".into() },
            minutes: 42,
            passed: (1, 2),
            cases: vec![
                case(states::SHOWN, "41, 42", ""),
                case(states::OPEN, "", "POST /api/v1/citizens/verify"),
            ],
            others: vec![Other {
                index: "43".into(),
                reason: "caseCodeMissing".into(),
                what_to_do: "Gửi mã hồ sơ (caseCode).".into(),
                rule: "A5",
            }],
            signed: signed.into(),
        };
        for (name, run) in [
            ("sandbox-begin", None),
            ("sandbox-run", Some(shown(""))),
            ("sandbox-report", Some(shown("{\"run\":\"KT-40\"}\n\n— dancu.sandbox/log AAAA"))),
        ] {
            let begins = run.is_none();
            let sentence = self.say("Nhập mã hệ thống.", "Type the system's code.");
            let page = Run {
                t: self.t.clone(),
                s: self.shell("integrator", "/integrator/sandbox"),
                code: "THU2-1".into(),
                errors: if begins { vec![wrong("system", sentence)] } else { vec![] },
                client: "Một cửa mẫu 4.2".into(),
                system: String::new(),
                run,
            };
            self.write(name, &page)?;
        }
        Ok(())
    }
}
