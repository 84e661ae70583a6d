//! The operator's desk and the status page.

use std::error::Error;

use dancu_portal::operator::{
    Announcement, Announcements, AppealNote, Exceedance, Exceedances, Lines, LockAct, LockPage,
    LockRow, Locks, Part, RaiseRow, Raises, Said, Status, SystemRow, Systems, states as own,
};
use dancu_portal::parts::{SavedView, State, states};

use super::{CENTRE, Preview, choice, full_chart, pager, wrong};

/// Code, unit, group, state, answered, refused, exceedances, locks.
type SystemFacts<'a> = (&'a str, &'a str, u8, State, u64, u64, u64, u64);

impl Preview {
    pub(super) fn locks(&self) -> Vec<LockRow> {
        let row = |key: &str, scope_key, what: &str, rule, evidence, timed: bool| LockRow {
            key: key.into(),
            since: timed.then(|| "13:12 24/11/2026".into()),
            until: timed.then(|| "07:00 25/11/2026".into()),
            scope_key,
            what: what.into(),
            rule,
            appeal: timed.then(|| (own::APPEALED, "13:30 24/11/2026".into())),
            evidence,
            href: format!("/operate/locks/{key}"),
        };
        vec![
            row(
                "account-417",
                "scope-account",
                "uyen.npbqtht@hoamaivang.mau",
                "D6",
                self.t.get("evidence-account"),
                false,
            ),
            row(
                "line-416",
                "scope-line",
                "SMALL · 037",
                "D3",
                self.t.with_two("evidence-line", "count", 2, "used", 20),
                true,
            ),
        ]
    }

    pub(super) fn operator(&self) -> Result<(), Box<dyn Error>> {
        self.systems()?;
        let rows = vec![
            Exceedance {
                time: "11:40".into(),
                system: "SMALL".into(),
                service: self.say("Tra cứu thông tin công dân", "Look-up"),
                number: 2,
                registered: 20,
                refused: 131,
                most: "one.small".into(),
                state: states::LOCKED,
                href: "#".into(),
            },
            Exceedance {
                time: "10:02".into(),
                system: "ONESTOP".into(),
                service: self.say("Xác thực thông tin công dân", "Verification"),
                number: 1,
                registered: 500,
                refused: 14,
                most: "uyen.npbqtht@hoamaivang.mau".into(),
                state: own::EXCEEDED,
                href: "#".into(),
            },
        ];
        for (name, rows) in [("operator-exceedances", rows), ("operator-exceedances-empty", vec![])]
        {
            self.write(
                name,
                &Exceedances {
                    t: self.t.clone(),
                    s: self.shell("operator", "/operate/exceedances"),
                    duty_day: "24/11/2026".into(),
                    system: None,
                    rows,
                },
            )?;
        }
        let missing = vec![wrong(
            "reason",
            self.say(
                "Nêu lý do, không quá 500 ký tự: đơn vị liên quan đọc được câu này.",
                "State the reason: the units will read it.",
            ),
        )];
        let done = Some(Said::done(self.t.with("bulk-done", "count", 3)));
        for (name, rows, errors, said) in [
            ("operator-locks", self.locks(), vec![], None),
            ("operator-bulk-unlock", self.locks(), missing, None),
            ("operator-locks-empty", vec![], vec![], done),
        ] {
            self.write(
                name,
                &Locks {
                    t: self.t.clone(),
                    s: self.shell("operator", "/operate/locks"),
                    said,
                    rows,
                    system: None,
                    may_unlock: true,
                    may_lock: true,
                    errors,
                    reason: String::new(),
                    login: String::new(),
                    why: String::new(),
                },
            )?;
        }
        self.lock_page()?;
        self.raises_and_news()
    }

    pub(super) fn systems(&self) -> Result<(), Box<dyn Error>> {
        let list: [SystemFacts<'_>; 5] = [
            (
                "ONESTOP",
                "Uỷ ban nhân dân thành phố Mẫu – Hệ thống thông tin giải quyết thủ tục hành chính",
                1,
                states::ACTIVE,
                418_207,
                14,
                1,
                1,
            ),
            ("SMALL", "Uỷ ban nhân dân xã Bình An Mẫu", 1, states::LOCKED, 20, 131, 2, 1),
            (
                "BANK",
                "Ngân hàng Thương mại Cổ phần Giả Định Việt Nam",
                2,
                states::ACTIVE,
                1_902_334,
                2_204,
                0,
                0,
            ),
            ("SUSPENDED", "Sở Tư pháp tỉnh Thí Điểm", 1, states::SUSPENDED, 0, 88, 0, 0),
            ("NIGHT", "Trung tâm Giám sát đêm", 1, states::ACTIVE, 940, 0, 0, 0),
        ];
        let make = |found: bool| -> Vec<SystemRow> {
            list.iter()
                .filter(|_| found)
                .map(|(code, unit, group, state, answered, refused, exceedances, locks)| {
                    SystemRow {
                        code: (*code).into(),
                        unit: (*unit).into(),
                        group: *group,
                        state: *state,
                        answered: *answered,
                        refused: *refused,
                        exceedances: *exceedances,
                        locks: *locks,
                        href: format!("/operate/systems/{code}"),
                    }
                })
                .collect()
        };
        for (name, found) in [("operator-systems", true), ("operator-systems-none-found", false)] {
            self.write(
                name,
                &Systems {
                    t: self.t.clone(),
                    s: self.shell("operator", "/operate/systems"),
                    views: vec![
                        SavedView {
                            name: self.say("Tất cả", "All"),
                            href: "?".into(),
                            current: found,
                        },
                        SavedView {
                            name: self.say("Đang khóa hoặc tạm ngừng", "Locked or suspended"),
                            href: "?state=locked".into(),
                            current: !found,
                        },
                    ],
                    search: String::new(),
                    states: vec![choice("", &self.say("Mọi trạng thái", "All states"), true)],
                    rows: make(found),
                    answered: if found { 2_321_501 } else { 0 },
                    refused: if found { 2_437 } else { 0 },
                    from: "07:00".into(),
                    until: found.then(|| "13:58".into()),
                    pager: if found { pager(1, 5, 1_284) } else { pager(0, 0, 0) },
                },
            )?;
        }
        self.write(
            "operator-lines",
            &Lines {
                t: self.t.clone(),
                s: self.shell("operator", "/operate/systems"),
                errors: vec![],
                system: "ONESTOP".into(),
                unit: list[0].1.into(),
                state: states::ACTIVE,
                contact: "Trần Lê Minh Mẫu – 0999 000 017".into(),
                chart: full_chart(),
                until: None,
                lines: self.lines(),
                night_used: 70,
                night_cap: 1_000,
                may_lock: true,
                live: true,
                login: String::new(),
                reason: String::new(),
            },
        )
    }

    pub(super) fn lock_page(&self) -> Result<(), Box<dyn Error>> {
        self.write(
            "operator-lock",
            &LockPage {
                t: self.t.clone(),
                s: self.shell("operator", "/operate/locks"),
                errors: vec![],
                lock: self.locks().remove(1),
                system: Some(("SMALL".into(), "/operate/systems/SMALL".into())),
                measured: vec![
                    ("measured-used", "20".into(), "20".into()),
                    ("measured-exceedances", "2".into(), "0".into()),
                    ("measured-refused", "131".into(), "0".into()),
                    ("measured-first", "11:02".into(), "–".into()),
                ],
                heads: Some("Trần Lê Minh Mẫu – 0999 000 017".into()),
                act: Some(LockAct {
                    time: "09:40 24/11/2026".into(),
                    by: CENTRE.into(),
                    what: self.say("Mở khóa dòng đăng ký", "Line unlocked"),
                    reason: Some("cao điểm tuyển sinh".into()),
                    index: 1_204_377,
                }),
                chart: Some(full_chart()),
                may_unlock: true,
                reason: String::new(),
                told: None,
                appeal: Some(AppealNote {
                    words: self.say(
                        "Bộ phận một cửa nhập tay suốt buổi sáng vì hệ thống của xã ngừng.",
                        "The counter typed by hand all morning because the system was down.",
                    ),
                    clocks: vec![
                        ("appeal-made", "13:15 24/11/2026".into()),
                        ("appeal-acknowledge-by", "13:30 24/11/2026".into()),
                        ("appeal-decide-by", "15:15 24/11/2026".into()),
                    ],
                    late: true,
                    answer: None,
                    may_acknowledge: true,
                    may_decide: true,
                }),
                may_appeal: false,
                words: String::new(),
                keep_why: String::new(),
                once: "1".into(),
            },
        )
    }

    pub(super) fn raises_and_news(&self) -> Result<(), Box<dyn Error>> {
        let raise = |number, registered, wanted, first: Option<String>| RaiseRow {
            number,
            system: "ONESTOP".into(),
            line: self.say("Xác thực thông tin công dân, trong giờ", "Verification, in hours"),
            registered,
            wanted,
            period: "25/11/2026 – 05/12/2026".into(),
            reason: self.say(
                "Đợt tuyển sinh đầu cấp, dự kiến 800 hồ sơ mỗi ngày.",
                "School enrolment, 800 cases a day expected.",
            ),
            asked: "Trần Lê Minh Mẫu, 13:40 24/11/2026".into(),
            two: wanted > registered * 2,
            mine: first.is_none(),
            first,
        };
        let waiting = vec![
            raise(31, 500, 900, None),
            raise(30, 500, 1_800, Some("Đỗ Vận Hành Mẫu, 13:55".into())),
        ];
        for (name, rows) in [("operator-raises", waiting), ("operator-raises-empty", vec![])] {
            self.write(
                name,
                &Raises {
                    t: self.t.clone(),
                    s: self.shell("operator", "/operate/raises"),
                    said: None,
                    errors: vec![],
                    rows,
                },
            )?;
        }
        let news = |ended: bool| {
            vec![
                Announcement {
                    heading: self.say("Tra cứu đầy đủ trả lời chậm", "Look-ups answer slowly"),
                    lines: vec![self.say(
                        "Kết quả có thể đến sau 10 giây. Xác thực vẫn bình thường. Đang khắc phục.",
                        "Answers may take 10 seconds. Verification is not affected. Being mended.",
                    )],
                    period: "13:40 24/11/2026 –".into(),
                    state: own::INCIDENT,
                    end: ended.then(|| "#".into()),
                },
                Announcement {
                    heading: self.say("Bảo trì định kỳ", "Regular maintenance"),
                    lines: vec![self.say(
                        "Dịch vụ ngừng trong 30 phút. Hãy nhận hồ sơ và xác thực sau.",
                        "The service stops for 30 minutes. Accept cases and verify later.",
                    )],
                    period: "22:00 – 22:30 28/11/2026".into(),
                    state: own::PLANNED,
                    end: ended.then(|| "#".into()),
                },
            ]
        };
        for (name, rows) in
            [("operator-announcements", news(true)), ("operator-announcements-empty", vec![])]
        {
            self.write(
                name,
                &Announcements {
                    t: self.t.clone(),
                    s: self.shell("operator", "/operate/announcements"),
                    said: None,
                    errors: vec![],
                    rows,
                    kinds: vec![choice("notice", &self.t.get("kind-notice"), true)],
                    once: String::new(),
                    typed: Default::default(),
                },
            )?;
        }
        for (name, all_well) in [("status", true), ("status-degraded", false)] {
            let part = |key, state| Part { key, state };
            let second = if all_well { states::ACTIVE } else { states::DOWN };
            self.write(
                name,
                &Status {
                    t: self.t.clone(),
                    s: self.bare("/status"),
                    parts: vec![
                        part("part-verify", states::ACTIVE),
                        part("part-lookup", second),
                        part("part-soap", states::ACTIVE),
                        part("part-portal", states::ACTIVE),
                        part("part-journal", states::ACTIVE),
                    ],
                    all_well,
                    news: if all_well { vec![] } else { news(false) },
                },
            )?;
        }
        Ok(())
    }
}
