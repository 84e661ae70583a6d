//! The counter, the slip and the look-up.

use std::error::Error;
use std::fmt::Write as _;

use dancu_portal::counter::{
    Answer, Answered, Check, Checked, Compare, Counter, Lookup, Outage, Outcome, Reason, Record,
    Row, Sensitive, Slip, Verdict,
};
use dancu_portal::guide::{Advice, Guide};
use dancu_portal::parts::{Meter, Refusal};

use super::{LONG_NAME, OFFICER, Preview, UNIT, choice, wrong};

impl Preview {
    pub(super) fn reason(required: bool) -> Reason {
        Reason {
            systems: vec![],
            procedures: vec![
                choice("1.004222", "1.004222 – Đăng ký thường trú", true),
                choice(
                    "1.001193",
                    "1.001193 – Đăng ký khai sinh, có yếu tố đăng ký lưu động",
                    false,
                ),
            ],
            case_code: if required { "H40.18-261124-0099".into() } else { String::new() },
            case_required: required,
            purposes: vec![choice("P1", "Giải quyết thủ tục hành chính", true)],
        }
    }

    pub(super) fn counter_page(&self, left: u64, subject: &str, outcome: Outcome) -> Counter {
        Counter {
            t: self.t.clone(),
            s: self.shell("officer", "/counter"),
            reason: Self::reason(!subject.is_empty()),
            meter: self.meter(left),
            subject: subject.into(),
            compare: self.compare(),
            once: "0".repeat(32),
            errors: vec![],
            outcome,
        }
    }

    fn meter(&self, left: u64) -> Meter {
        let other =
            |key, left: &str| self.t.with_two("meter-other", "what", self.t.get(key), "left", left);
        Meter {
            left,
            of: 500,
            binds: self.t.get("meter-verify-in"),
            resets: "07:00 25/11".into(),
            others: vec![
                other("meter-account", "179/240"),
                other("meter-own", "61/120"),
                other("meter-lookup-in", "49/50"),
            ],
        }
    }

    fn compare(&self) -> Vec<Compare> {
        let none = choice("", &self.t.get("counter-compare-none"), true);
        let sexes = [("1", "value-sex-1"), ("2", "value-sex-2")];
        let sexes = sexes.map(|(code, key)| choice(code, &self.t.get(key), false));
        let choices = std::iter::once(none).chain(sexes).collect();
        let (value, hint) = (String::new(), "counter-compare-address");
        vec![
            Compare { id: "claim-sex", key: "field-sex", value: value.clone(), choices, hint: "" },
            Compare {
                id: "claim-permanentResidence",
                key: "field-permanentResidence",
                value,
                choices: vec![],
                hint,
            },
        ]
    }

    pub(super) fn rows(&self, answers: [Answer; 5]) -> Vec<Row> {
        let asked = [
            ("field-personalId", "099303000417"),
            ("field-fullName", LONG_NAME),
            ("field-dateOfBirth", "29/02/2004"),
            (
                "field-permanentResidence",
                "Số 128/35/7B đường Nguyễn Thị Thử Nghiệm, tổ dân phố 15, phường Hoa Mai Vàng, \
                 thành phố Mẫu",
            ),
            ("field-maritalStatus", "Chưa kết hôn"),
        ];
        let source = self.say("Công an phường, 12/03/2026", "Ward police, 12/03/2026");
        asked
            .into_iter()
            .zip(answers)
            .map(|((key, asked), answer)| Row {
                key,
                asked: asked.into(),
                is_id: key == "field-personalId",
                answer,
                own: (answer == Answer::Mismatch)
                    .then(|| "Số 6 ngõ 9 phố Giả Định, xã Bình An Mẫu, tỉnh Thí Điểm".into()),
                source: if answer == Answer::Unknown { String::new() } else { source.clone() },
            })
            .collect()
    }

    pub(super) fn answered(
        &self,
        verdict: Verdict,
        answers: [Answer; 5],
        dead: Option<&str>,
    ) -> Outcome {
        Outcome::Answered(Box::new(Answered {
            verdict,
            year_only: dead.is_some(),
            deceased: dead.map(Into::into),
            missing: false,
            rows: if verdict == Verdict::NoMatch { vec![] } else { self.rows(answers) },
            sensitive: if verdict == Verdict::Match {
                vec![
                    Sensitive { key: "field-ethnicity", field: "ethnicity", shown: None },
                    Sensitive {
                        key: "field-religion",
                        field: "religion",
                        shown: Some("Không".into()),
                    },
                    Sensitive { key: "field-bloodGroup", field: "bloodGroup", shown: None },
                ]
            } else {
                vec![]
            },
            time: "14:05:12 24/11/2026".into(),
            code: "DC-7Q2M-94KX".into(),
            watermark: format!("{OFFICER} · Phường Hoa Mai Vàng · 14:05 24/11/2026"),
            slip: Some("/counter/slip/1".into()),
            lookup: verdict == Verdict::Match,
            sealed: "sealed".into(),
        }))
    }

    pub(super) fn counter(&self) -> Result<(), Box<dyn Error>> {
        use Answer::{Match, Mismatch, Unknown};
        let card =
            format!("099303000417|099417250|{LONG_NAME}|29022004|Nữ|Phường Hoa Mai Vàng|12032026");
        self.write("counter", &self.counter_page(383, "", Outcome::Ready))?;
        let all = self.answered(Verdict::Match, [Match; 5], None);
        self.write("counter-match", &self.counter_page(382, &card, all))?;
        let some = [Match, Match, Match, Mismatch, Unknown];
        let part = self.answered(Verdict::Partly, some, None);
        self.write("counter-mismatch", &self.counter_page(74, &card, part))?;
        let none = [Match, Match, Match, Unknown, Unknown];
        let unknown = self.answered(Verdict::Unknown, none, None);
        self.write("counter-unknown", &self.counter_page(381, &card, unknown))?;
        let dead = self.answered(Verdict::Match, [Match; 5], Some("17/08/2025"));
        self.write("counter-deceased", &self.counter_page(380, &card, dead))?;
        let nobody = self.answered(Verdict::NoMatch, [Match; 5], None);
        self.write("counter-no-match", &self.counter_page(379, &card, nobody))?;
        self.write("counter-refused", &self.counter_page(0, &card, Outcome::Refused(Refusal {
            sentence: self.say(
                "Đã dùng hết 500 lượt xác thực trong giờ của đơn vị hôm nay.",
                "The unit’s 500 verifications in hours are used up for today.",
            ),
            what_to_do: self.say(
                "Đề nghị thủ trưởng xin tăng số lượt tạm thời; số lượt mới bắt đầu từ 07:00 \
                 ngày 25/11.",
                "Ask the head to request a temporary raise; a new count begins at 07:00 on 25/11.",
            ),
            whom: "Trần Lê Minh Mẫu – 0999 000 017".into(),
            rule: "D2".into(),
            code: "DC-9B4T-11ZC".into(),
        })))?;
        let mut outage = self.counter_page(
            9_998_213,
            &card,
            Outcome::Outage(Outage {
                since: "13:58".into(),
                expected: Some("14:30".into()),
                whom: "1900 0999".into(),
                code: "DC-0000-58QP".into(),
            }),
        );
        outage.meter.of = 10_000_000;
        self.write("counter-outage", &outage)?;
        let mut page = self.counter_page(383, "09930300041 NGUYỄN VĂN MẪU", Outcome::Ready);
        page.errors = vec![
            wrong("subject", self.say(
                "Số định danh có 11 chữ số, cần đủ 12. Hãy quét lại thẻ hoặc gõ lại.",
                "The personal id has 11 digits and needs 12. Scan the card again or type it again.",
            )),
            wrong("case", self.say(
                "Nhập mã hồ sơ: từ 3 đến 60 chữ cái, chữ số hoặc . - / _",
                "Enter the case code: 3 to 60 letters, digits or . - / _",
            )),
        ];
        self.write("counter-error", &page)?;
        self.slip_and_lookup()
    }

    pub(super) fn slip_and_lookup(&self) -> Result<(), Box<dyn Error>> {
        let check_url = "https://dancu.example/s/DC-7Q2M-94KX".to_owned();
        let code = qrcode::QrCode::new(check_url.as_bytes())?;
        let (width, quiet) = (code.width(), 2);
        let mut path = String::new();
        for (at, colour) in code.to_colors().into_iter().enumerate() {
            if colour == qrcode::Color::Dark {
                write!(path, "M{} {}h1v1h-1z", at % width + quiet, at / width + quiet)?;
            }
        }
        self.write(
            "slip",
            &Slip {
                t: self.t.clone(),
                s: self.shell("officer", "/counter"),
                unit: UNIT.into(),
                meter: self.meter(382),
                case_code: "H40.18-261124-0099".into(),
                procedure: "1.004222 – Đăng ký thường trú".into(),
                time: "14:05:12 24/11/2026".into(),
                code: "DC-7Q2M-94KX".into(),
                journal: 1_204_417,
                verdict: Verdict::Partly,
                deceased: false,
                rows: vec![
                    ("field-personalId", Answer::Match),
                    ("field-fullName", Answer::Match),
                    ("field-dateOfBirth", Answer::Match),
                    ("field-permanentResidence", Answer::Mismatch),
                    ("field-maritalStatus", Answer::Unknown),
                ],
                qr_path: path,
                qr_size: u32::try_from(width + 2 * quiet)?,
                check_url,
            },
        )?;
        self.check()?;
        let lookup = |record| Lookup {
            t: self.t.clone(),
            s: self.shell("officer", "/counter"),
            errors: vec![],
            personal_id: "099303000417".into(),
            name: LONG_NAME.into(),
            meter: self.meter(49),
            reveals: false,
            reason: String::new(),
            sealed: "sealed".into(),
            once: "0".repeat(32),
            record,
            refused: None,
        };
        self.write("lookup-reason", &lookup(None))?;
        let police = "Công an phường, 12/03/2026".to_owned();
        let fact = |key, value: &str| (key, value.to_owned(), police.clone());
        self.write(
            "lookup",
            &lookup(Some(Record {
                facts: vec![
                    fact("field-personalId", "099303000417"),
                    fact("field-oldId", "099417250"),
                    fact("field-fullName", LONG_NAME),
                    fact("field-dateOfBirth", "29/02/2004"),
                    fact("field-sex", "Nữ"),
                    fact("field-nationality", "Việt Nam"),
                    fact(
                        "field-permanentResidence",
                        "Số 128/35/7B đường Nguyễn Thị Thử Nghiệm, tổ dân phố 15, phường Hoa Mai \
                     Vàng, thành phố Mẫu",
                    ),
                    fact("field-maritalStatus", "Chưa kết hôn"),
                ],
                sensitive: vec![Sensitive {
                    key: "field-religion",
                    field: "religion",
                    shown: None,
                }],
                deceased: None,
                nobody: false,
                watermark: format!("{OFFICER} · Phường Hoa Mai Vàng · 14:06 24/11/2026"),
                time: "14:06:40 24/11/2026".into(),
                code: "DC-7Q2M-95AB".into(),
                cleared: "14:21".into(),
            })),
        )
    }

    fn check(&self) -> Result<(), Box<dyn Error>> {
        let found = Checked {
            code: "DC-7Q2M-94KX".into(),
            time: "14:05:12 24/11/2026".into(),
            unit: "H26.001".into(),
            verdict: Verdict::Partly.key(),
            nobody: false,
            typed: false,
            deceased: false,
            rows: vec![
                ("field-personalId", Answer::Match),
                ("field-permanentResidence", Answer::Mismatch),
            ],
        };
        let page = |code: &str, found, errors| Check {
            t: self.t.clone(),
            s: self.bare("/check"),
            errors,
            code: code.into(),
            found,
        };
        self.write("check", &page("DC-7Q2M-94KX", Some(found), vec![]))?;
        let errors = vec![wrong("code", self.t.get("check-wrong"))];
        self.write("check-unknown", &page("DC-7Q2M-94KY", None, errors))?;
        let used_up = Advice {
            sentences: vec![self.say(
                "Đã hết số lượt truy vấn đã đăng ký trong ngày.",
                "The registered queries of the day are used up.",
            )],
            what_to_do: self.t.with("refusal-do-count", "time", "07:00"),
            rules: vec!["D2"],
        };
        let (t, s) = (self.t.clone(), self.bare("/guide"));
        self.write("guide", &Guide { t, s, refusals: vec![used_up] })
    }
}
