//! The head's desk.

use std::error::Error;

use dancu_portal::chart::DayChart;
use dancu_portal::head::{
    Given, Import, ImportFile, ImportRow, Officer, OfficerPage, Officers, RaiseForm, RaiseRow,
    Raises, RevocationRow, Revocations, Revoked, Substitute, Substitutes, Training, Usage, WayBack,
};
use dancu_portal::parts::{FieldError, LineUse, State, states};

use super::{MARKS, OFFICER, Preview, chart, choice, pager, wrong};

impl Preview {
    pub(super) fn officers(&self) -> Vec<Officer> {
        let role = self.say("Tiếp nhận hồ sơ, trả kết quả", "Accepts cases, returns results");
        let list: [(&str, &str, State, u64, u64, u64, &str); 7] = [
            (OFFICER, "quyen.hnt", states::ACTIVE, 120, 59, 71, "24/11/2026"),
            (
                "Nguyễn Phước Bảo Quỳnh Trương Hoàng Thục Uyên",
                "uyen.npbqtht@hoamaivang.mau",
                states::ACTIVE,
                120,
                121,
                98,
                "24/11/2026",
            ),
            ("Lê Giả Lập", "lap.lg", states::ACTIVE, 80, 66, 40, "24/11/2026"),
            ("Vũ Đặng Thử Nghiệm", "nghiem.vdt", states::NEW, 80, 0, 0, ""),
            ("Bùi Tạm Nghỉ", "nghi.bt", states::SUSPENDED, 80, 0, 22, "30/09/2026"),
            ("Phan Khóa Tạm", "tam.pk", states::LOCKED, 60, 60, 31, "24/11/2026"),
            ("Ngô Đã Chuyển", "chuyen.nd", states::REVOKED, 60, 0, 18, "02/11/2026"),
        ];
        list.into_iter()
            .map(|(name, login, state, daily, used, mean, last)| Officer {
                name: name.into(),
                login: login.into(),
                system: "ONESTOP".into(),
                role: role.clone(),
                state,
                mail_fails: daily == 0,
                daily,
                used,
                mean,
                last: last.into(),
                href: "/unit/officers/1".into(),
                used_href: "/unit/officers/1/queries".into(),
            })
            .collect()
    }

    pub(super) fn lines(&self) -> Vec<LineUse> {
        let names = [
            self.say("Xác thực thông tin công dân", "Verification"),
            self.say("Tra cứu thông tin công dân", "Look-up"),
            self.say("Xác nhận nơi cư trú", "Residence check"),
        ];
        let list = [
            (0, "window-in", 500, 418, 0, states::ACTIVE),
            (0, "window-off", 200, 12, 0, states::ACTIVE),
            (1, "window-in", 60, 60, 2, states::LOCKED),
            (2, "window-in", 1_200, 301, 1, states::RAISED),
        ];
        list.into_iter()
            .map(|(name, window_key, registered, used, exceedances, state)| LineUse {
                system: "ONESTOP".into(),
                service: names[name].clone(),
                window_key,
                registered,
                used,
                standing: Some((exceedances, state)),
            })
            .collect()
    }

    pub(super) fn head(&self) -> Result<(), Box<dyn Error>> {
        let officers = |rows: Vec<Officer>, filtered: bool, told: bool| Officers {
            t: self.t.clone(),
            s: self.shell("head", "/unit/officers"),
            search: if filtered { "không có ai".into() } else { String::new() },
            states: vec![
                choice("", &self.say("Mọi trạng thái", "All states"), true),
                choice("active", &self.t.get("state-active"), false),
            ],
            daily: rows.iter().map(|row| row.daily).sum(),
            used: rows.iter().map(|row| row.used).sum(),
            pager: pager(1, rows.len() as u64, if rows.is_empty() { 0 } else { 42 }),
            rows,
            filtered,
            exports: vec![("/unit/officers.xlsx?system=1".into(), "ONESTOP".into())],
            uncommitted: 2,
            told: told.then_some("officers-told-imported"),
        };
        self.write("head-officers", &officers(self.officers(), false, true))?;
        self.write("head-officers-none-found", &officers(vec![], true, false))?;
        self.write("head-officers-empty", &officers(vec![], false, false))?;
        self.substitutes()?;
        self.officer_pages()?;
        self.import()?;
        for (name, chart, lines, people) in [
            ("head-usage", chart(), self.lines(), self.officers()),
            ("head-usage-empty", DayChart::new(&[None; 24], (500, 200), MARKS), vec![], vec![]),
        ] {
            self.write(
                name,
                &Usage {
                    t: self.t.clone(),
                    s: self.shell("head", "/unit/usage"),
                    duty_day: "24/11/2026".into(),
                    systems: vec![],
                    past: false,
                    until: (!lines.is_empty()).then(|| "10:42".into()),
                    chart,
                    lines,
                    officers: people,
                },
            )?;
        }
        self.write(
            "head-raise",
            &RaiseForm {
                t: self.t.clone(),
                s: self.shell("head", "/unit/raises"),
                errors: vec![wrong(
                    "to",
                    self.say(
                        "Ngày kết thúc phải sau ngày bắt đầu 25/11/2026.",
                        "The last day must come after the first, 25/11/2026.",
                    ),
                )],
                lines: self.lines().into_iter().map(|l| ("1".into(), false, l)).collect(),
                from: "25/11/2026".into(),
                to: "24/11/2026".into(),
                wanted: "900".into(),
                reason: String::new(),
                once: "o1".into(),
            },
        )?;
        self.lists()?;
        self.revoked()
    }

    fn revoked(&self) -> Result<(), Box<dyn Error>> {
        self.write(
            "head-suspended",
            &Revoked {
                suspended: true,
                died: vec![("died-accounts", "ONESTOP".into()), ("died-sessions", "1".into())],
                told: String::new(),
                due: String::new(),
                ..self.gone()
            },
        )?;
        self.write("head-revoked", &self.gone())
    }

    fn gone(&self) -> Revoked {
        Revoked {
            t: self.t.clone(),
            s: self.shell("head", "/unit/officers"),
            suspended: false,
            href: "/unit/officers/p7".into(),
            name: "Nguyễn Phước Bảo Quỳnh Trương Hoàng Thục Uyên".into(),
            time: "14:05:12 24/11/2026".into(),
            died: vec![
                (
                    "died-sessions",
                    self.say("1 phiên trên máy của cơ quan", "1 on an office computer"),
                ),
                ("died-devices", "2".into()),
                ("died-accounts", "ONESTOP".into()),
                ("died-factors", self.say("ứng dụng xác thực, khóa bảo mật", "app, hardware key")),
                (
                    "died-substitutes",
                    self.say("thay Lê Giả Lập đến 30/11", "for Lê Giả Lập until 30/11"),
                ),
            ],
            told: "Công ty Phần mềm Một cửa Giả Định".into(),
            due: "17:00 25/11/2026".into(),
        }
    }

    /// Requests, revocations, a given password, the choice of a file.
    pub(super) fn lists(&self) -> Result<(), Box<dyn Error>> {
        let raise = |state, open, answer: &str| RaiseRow {
            id: "7".into(),
            system: "ONESTOP".into(),
            service: self.say("Xác thực thông tin công dân", "Verification"),
            window_key: "window-in",
            extra: 400,
            period: "25/11/2026 – 05/12/2026".into(),
            reason: self.say(
                "Đợt tuyển sinh đầu cấp, dự kiến 800 hồ sơ mỗi ngày.",
                "Enrolment of pupils, about 800 cases a day.",
            ),
            asked: "09:12 24/11/2026".into(),
            state,
            answer: answer.into(),
            open,
        };
        let refused = self.say("Đã tăng từ tuần trước.", "It was raised last week.");
        let all = vec![
            raise(states::WAITING, true, ""),
            raise(states::GRANTED, false, ""),
            raise(states::REFUSED, false, &refused),
            raise(states::WITHDRAWN, false, ""),
        ];
        for (name, rows) in [("head-raises", all), ("head-raises-empty", vec![])] {
            let s = self.shell("head", "/unit/raises");
            self.write(name, &Raises { t: self.t.clone(), s, rows, told: None })?;
        }
        let row = |state| RevocationRow {
            id: "3".into(),
            system: "ONESTOP".into(),
            login: "uyen.npbqtht@hoamaivang.mau".into(),
            time: "14:05 24/11/2026".into(),
            due: "14:05 25/11/2026".into(),
            state,
        };
        let all = vec![row(states::OVERDUE), row(states::WAITING)];
        for (name, rows) in [("head-revocations", all), ("head-revocations-empty", vec![])] {
            let s = self.shell("head", "/unit/revocations");
            self.write(name, &Revocations { t: self.t.clone(), s, rows, told: None })?;
        }
        self.write(
            "head-given",
            &Given {
                t: self.t.clone(),
                s: self.shell("head", "/unit/officers"),
                name: OFFICER.into(),
                login: "quyen.hnt".into(),
                password: "hzw4-9kcx-m7pr".into(),
                until: "01/12/2026".into(),
                href: "/unit/officers/a1".into(),
            },
        )?;
        self.write(
            "head-import-file",
            &ImportFile {
                t: self.t.clone(),
                s: self.shell("head", "/unit/officers"),
                errors: vec![wrong("file", self.t.get("importfile-missing"))],
                choose: false,
                systems: vec![choice("1", "ONESTOP", true)],
                services: vec![choice(
                    "0",
                    &self.say("Xác thực thông tin công dân", "Verification"),
                    true,
                )],
            },
        )
    }

    pub(super) fn substitutes(&self) -> Result<(), Box<dyn Error>> {
        let row = |state, open| Substitute {
            substitute: OFFICER.into(),
            absent: "Nguyễn Phước Bảo Quỳnh Trương Hoàng Thục Uyên".into(),
            period: "25/11/2026 – 05/12/2026".into(),
            state,
            open,
            id: "1".into(),
        };
        let rows = vec![row(states::ACTIVE, true), row(states::OVER, false)];
        for (name, rows) in [("head-substitutes", rows), ("head-substitutes-empty", vec![])] {
            let page = Substitutes {
                t: self.t.clone(),
                s: self.shell("head", "/unit/substitutes"),
                errors: vec![],
                rows,
                absent: vec![choice("1", OFFICER, true), choice("2", "Lê Giả Lập", false)],
                substitutes: vec![choice("1", OFFICER, false), choice("2", "Lê Giả Lập", true)],
                told: None,
                from: String::new(),
                to: String::new(),
                once: "o2".into(),
            };
            self.write(name, &page)?;
        }
        Ok(())
    }

    pub(super) fn officer_pages(&self) -> Result<(), Box<dyn Error>> {
        let page = |existing: bool, errors: Vec<FieldError>| OfficerPage {
            t: self.t.clone(),
            s: self.shell("head", "/unit/officers"),
            errors,
            action: "/unit/officers/a1".into(),
            existing,
            listed: true,
            state: states::ACTIVE,
            email: "uyen.npbqtht@hoamaivang.mau".into(),
            name: if existing {
                "Nguyễn Phước Bảo Quỳnh Trương Hoàng Thục Uyên".into()
            } else {
                String::new()
            },
            login: if existing { "uyen.npbqtht@hoamaivang.mau".into() } else { "thử sai".into() },
            personal_id: if existing {
                "••• ••• ••• 417".into()
            } else {
                String::new()
            },
            phone: "0999 000 041".into(),
            daily: "120".into(),
            officer_code: "CB-017".into(),
            systems: vec![choice("1", "ONESTOP", true)],
            services: vec![
                choice("0", &self.say("Xác thực thông tin công dân", "Verification"), true),
                choice("1", &self.say("Tra cứu thông tin công dân", "Look-up"), false),
            ],
            invite: true,
            reason: String::new(),
            centre: None,
            mail_fails: String::new(),
            told: None,
            partly: None,
            training: existing.then(|| Training {
                until: "24/10/2026".into(),
                lapsed: true,
                on: String::new(),
            }),
            once: "o1".into(),
            ways: vec![
                WayBack {
                    action: "/unit/officers/a1/password".into(),
                    key: "way-password",
                    why: "way-password-why",
                    choices: vec![],
                },
                WayBack {
                    action: "/unit/officers/a1/vouch".into(),
                    key: "way-vouch",
                    why: "way-vouch-why",
                    choices: vec![
                        choice("card", &self.t.get("vouch-citizen-card"), false),
                        choice("service", &self.t.get("vouch-service-card"), false),
                    ],
                },
            ],
            acts: vec![
                choice(
                    "suspend",
                    &self.say("Tạm ngừng đến một ngày", "Suspend until a day"),
                    false,
                ),
                choice(
                    "transferred",
                    &self.say("Điều chuyển sang đơn vị khác", "Transfer to another unit"),
                    false,
                ),
                choice("revoke", &self.say("Thu hồi, không mở lại", "Revoke for good"), false),
            ],
        };
        let login = self.say(
            "Tài khoản “thử sai” có dấu và khoảng trắng; chỉ dùng chữ cái không dấu, chữ số và \
             . _ - @",
            "The login “thử sai” has accents and a space; use letters, digits and . _ - @",
        );
        self.write("head-officer", &page(true, vec![]))?;
        self.write("head-officer-new", &page(false, vec![wrong("login", login)]))
    }

    pub(super) fn import(&self) -> Result<(), Box<dyn Error>> {
        let row = |line,
                   name: &str,
                   login: &str,
                   daily: &str,
                   change,
                   errors: Vec<(&str, String)>| ImportRow {
            line,
            name: name.into(),
            login: login.into(),
            daily: daily.into(),
            change,
            errors: errors.into_iter().map(|(column, text)| (column.to_owned(), text)).collect(),
        };
        let login = self.t.get("col-login");
        let daily = self.t.get("col-daily");
        let bad = vec![
            row(
                9,
                "Trịnh Thử Sai",
                "thử sai",
                "80",
                states::WRONG,
                vec![(&login, self.say(
                "có dấu và khoảng trắng; chỉ dùng 8-60 chữ cái không dấu, chữ số và . _ - @",
                "has accents and a space; use 8-60 letters, digits and . _ - @",
            ))],
            ),
            row(
                14,
                "Lê Giả Lập",
                "lap.lg",
                "-5",
                states::WRONG,
                vec![
                    (&login, self.say("đã có ở dòng 6", "already stands in row 6")),
                    (&daily, self.say("phải là số nguyên từ 1", "must be a whole number from 1")),
                ],
            ),
        ];
        let good = vec![
            row(5, OFFICER, "quyen.hnt", "120", states::SAME, vec![]),
            row(6, "Lê Giả Lập", "lap.lg", "100", states::CHANGED, vec![]),
            row(
                7,
                "Nguyễn Phước Bảo Quỳnh Trương Hoàng Thục Uyên",
                "uyen.npbqtht@hoamaivang.mau",
                "120",
                states::ADDED,
                vec![],
            ),
        ];
        for (name, wrong, rows) in [
            ("head-import", 2, bad.into_iter().chain(good).collect::<Vec<_>>()),
            (
                "head-import-ok",
                0,
                vec![row(5, "Lê Giả Lập", "lap.lg", "100", states::CHANGED, vec![])],
            ),
        ] {
            self.write(
                name,
                &Import {
                    t: self.t.clone(),
                    s: self.shell("head", "/unit/officers"),
                    file: "danh-sach-tai-khoan-2026-11.xlsx".into(),
                    added: 11,
                    changed: 1,
                    same: 30,
                    wrong,
                    system: "ONESTOP".into(),
                    errors: vec![],
                    rows,
                    more: 0,
                    of_2021: false,
                    token: "t1".into(),
                },
            )?;
        }
        Ok(())
    }
}
