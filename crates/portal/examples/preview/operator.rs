//! The operator's desk and the status page.

use std::error::Error;

use dancu_portal::operator::{
    Announcement, Announcements, Exceedance, Exceedances, Lines, LockPage, LockRow, Locks, Part,
    RaiseRow, Raises, Status, SystemRow, Systems,
};
use dancu_portal::parts::{SavedView, State, states};

use super::{CENTRE, OFFICER, Preview, choice, full_chart, pager, wrong};

/// Code, unit, group, state, answered, refused, exceedances, locks.
type SystemFacts<'a> = (&'a str, &'a str, u8, State, u64, u64, u64, u64);

impl Preview {
    pub(super) fn locks(&self) -> Vec<LockRow> {
        let row =
            |number, scope_key, what: &str, rule: &str, evidence, appeal: Option<String>| LockRow {
                number,
                since: "13:12 24/11".into(),
                scope_key,
                what: what.into(),
                rule: rule.into(),
                evidence,
                appeal,
                href: format!("/operate/locks/{number}"),
            };
        vec![
            row(
                417,
                "scope-account",
                "uyen.npbqtht@hoamaivang.mau",
                "D6",
                self.say(
                    "212 người khác nhau trong 4 phút, ngoài giờ, 68 % không khớp",
                    "212 distinct persons in 4 minutes, off hours, 68 % without a match",
                ),
                Some(self.say("còn 1 giờ 12 phút", "1 h 12 min left")),
            ),
            row(
                416,
                "scope-line",
                "SMALL · 037",
                "D3",
                self.say("vượt 20 lượt lần thứ hai lúc 11:40", "second exceedance of 20 at 11:40"),
                None,
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
                state: states::TOLD,
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
                    rows,
                },
            )?;
        }
        let missing = vec![wrong(
            "reason",
            self.say(
                "Nêu lý do mở khóa: các đơn vị sẽ đọc câu này.",
                "State the reason: the units will read it.",
            ),
        )];
        for (name, rows, errors) in [
            ("operator-locks", self.locks(), vec![]),
            ("operator-bulk-unlock", self.locks(), missing),
            ("operator-locks-empty", vec![], vec![]),
        ] {
            self.write(
                name,
                &Locks {
                    t: self.t.clone(),
                    s: self.shell("operator", "/operate/locks"),
                    rows,
                    errors,
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
                    pager: if found { pager(1, 5, 1_284) } else { pager(0, 0, 0) },
                },
            )?;
        }
        self.write(
            "operator-lines",
            &Lines {
                t: self.t.clone(),
                s: self.shell("operator", "/operate/systems"),
                system: "ONESTOP".into(),
                unit: list[0].1.into(),
                state: states::ACTIVE,
                contact: "Trần Lê Minh Mẫu – 0999 000 017".into(),
                chart: full_chart(),
                lines: self.lines(),
                night_used: 70,
                night_cap: 1_000,
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
                lock: self.locks().remove(0),
                told: vec![
                    (OFFICER.into(), "13:12".into()),
                    ("Trần Lê Minh Mẫu".into(), "13:12".into()),
                    (CENTRE.into(), "13:12".into()),
                ],
                measured: vec![
                    ("measured-perMinute", "53".into(), "4".into()),
                    ("measured-persons", "53".into(), "3".into()),
                    ("measured-noMatch", "68 %".into(), "6 %".into()),
                ],
                queries_href: "/operate/locks/417/queries".into(),
                queries: 212,
                appeal: Some((
                    "Trần Lê Minh Mẫu".into(),
                    self.say(
                        "Hôm nay phường làm lưu động tại trường học, hai cán bộ dùng chung một máy \
                     quét.",
                        "Today the ward works at a school; two officers share one scanner.",
                    ),
                    self.say("Phải quyết định trước 15:24", "To be decided before 15:24"),
                )),
                chart: full_chart(),
                fresh_factor: true,
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
            first,
        };
        let waiting = vec![
            raise(31, 500, 900, None),
            raise(30, 500, 1_800, Some("Đỗ Vận Hành Mẫu, 13:55".into())),
        ];
        for (name, rows) in [("operator-raises", waiting), ("operator-raises-empty", vec![])] {
            self.write(
                name,
                &Raises { t: self.t.clone(), s: self.shell("operator", "/operate/raises"), rows },
            )?;
        }
        let news = || {
            vec![
                Announcement {
                    heading: self.say("Tra cứu đầy đủ trả lời chậm", "Look-ups answer slowly"),
                    text: self.say(
                        "Kết quả có thể đến sau 10 giây. Xác thực vẫn bình thường. Đang khắc phục.",
                        "Answers may take 10 seconds. Verification is not affected. Being mended.",
                    ),
                    period: "13:40 24/11/2026 –".into(),
                    state: states::DEGRADED,
                },
                Announcement {
                    heading: self.say("Bảo trì định kỳ", "Regular maintenance"),
                    text: self.say(
                        "Dịch vụ ngừng trong 30 phút. Hãy nhận hồ sơ và xác thực sau.",
                        "The service stops for 30 minutes. Accept cases and verify later.",
                    ),
                    period: "22:00 – 22:30 28/11/2026".into(),
                    state: states::WAITING,
                },
            ]
        };
        for (name, rows) in
            [("operator-announcements", news()), ("operator-announcements-empty", vec![])]
        {
            self.write(
                name,
                &Announcements {
                    t: self.t.clone(),
                    s: self.shell("operator", "/operate/announcements"),
                    errors: vec![],
                    rows,
                },
            )?;
        }
        for (name, all_well) in [("status", true), ("status-degraded", false)] {
            let part = |key, state, figure: &str| Part { key, state, figure: figure.into() };
            let second = if all_well { states::ACTIVE } else { states::DEGRADED };
            self.write(
                name,
                &Status {
                    t: self.t.clone(),
                    s: self.bare("/status"),
                    parts: vec![
                        part("part-verify", states::ACTIVE, "99,98 %"),
                        part("part-lookup", second, "99,61 %"),
                        part("part-soap", states::ACTIVE, "99,99 %"),
                        part("part-portal", states::ACTIVE, "100 %"),
                        part("part-journal", states::ACTIVE, "100 %"),
                    ],
                    all_well,
                    news: if all_well { vec![] } else { news() },
                },
            )?;
        }
        Ok(())
    }
}
