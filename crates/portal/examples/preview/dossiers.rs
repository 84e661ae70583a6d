//! Connection dossiers: the lists, one with everything on it, its sheets, review, comparison,
//! documents and commitments.

use std::error::Error;

use dancu_portal::centre::Field;
use dancu_portal::dossier::kept::{
    Commitments, CopyRow, DocumentRow, Documents, Kept, OfficerRow, committed, scans,
};
use dancu_portal::dossier::{
    ActForm, Compare, Dossier, Happened, Item, Lack, List, Note, PartRow, Queue, Remark, Review,
    Row, Station, states,
};
use dancu_portal::parts::{SavedView, states as common};

use super::{LONG_NAME, OFFICER, Preview, UNIT, choice, pager, wrong};

pub(super) const NAME: &str = "Hệ thống thông tin giải quyết thủ tục hành chính thành phố Mẫu";
pub(super) const NUMBER: &str = "HS-00012";
const WHEN: &str = "14:05 24/11/2026";

impl Preview {
    pub(super) fn dossiers(&self) -> Result<(), Box<dyn Error>> {
        self.dossier_lists()?;
        self.dossier_pages()?;
        self.dossier_readings()?;
        self.dossier_papers()?;
        self.sheets()
    }

    fn dossier_row(&self, stage: usize, unit: &str) -> Row {
        Row {
            number: NUMBER.into(),
            name: if stage == 0 { self.t.get("dossier-unnamed") } else { NAME.into() },
            code: if stage == 0 { String::new() } else { "ONESTOP".into() },
            unit: unit.into(),
            state: states::STAGES[stage],
            turn: self.t.get("dossier-turn-unit"),
            days: 12,
            since: WHEN.into(),
            connected: stage == 2,
            href: "#".into(),
        }
    }

    fn dossier_lists(&self) -> Result<(), Box<dyn Error>> {
        let stages = 0..states::STAGES.len();
        let full: Vec<Row> = stages.clone().map(|at| self.dossier_row(at, "")).collect();
        for (name, rows) in [("dossiers", full), ("dossiers-empty", vec![])] {
            let page = List {
                t: self.t.clone(),
                s: self.shell("head", "/unit/dossiers"),
                errors: vec![],
                more: (!rows.is_empty()).then(|| "#".into()),
                rows,
                channels: vec![
                    choice("api", &self.t.get("dossier-channel-api"), true),
                    choice("oneStop", &self.t.get("dossier-channel-oneStop"), false),
                ],
                once: "0".repeat(32),
            };
            self.write(name, &page)?;
        }
        let full: Vec<Row> = stages.map(|at| self.dossier_row(at, UNIT)).collect();
        for (name, rows) in [("queue", full), ("queue-empty", vec![])] {
            let view = |at: usize| SavedView {
                name: format!("{} · {}", self.t.get(states::STAGES[at].key), 3),
                href: "#".into(),
                current: at == 1,
            };
            let page = Queue {
                t: self.t.clone(),
                s: self.shell("operator", "/centre/dossiers"),
                views: (0..5).map(view).collect(),
                search: String::new(),
                turns: vec![choice("", &self.t.get("dossier-any-turn"), true)],
                stage: "submitted".into(),
                oldest: if rows.is_empty() { 0 } else { 12 },
                pager: pager(1, rows.len() as u64, 120),
                rows,
            };
            self.write(name, &page)?;
        }
        Ok(())
    }

    pub(super) fn remark(&self, index: u64, state: dancu_portal::parts::State) -> Remark {
        let answered = state.key != states::OPEN.key;
        Remark {
            index,
            place: self.t.get("dossier-item-technical"),
            href: "#".into(),
            text: self.say("Thiếu sơ đồ kết nối.", "The diagram is missing."),
            made: format!("{OFFICER}, {WHEN}"),
            answer: if answered { self.say("Đã bổ sung.", "Added.") } else { String::new() },
            answered: if answered { format!("{LONG_NAME}, {WHEN}") } else { String::new() },
            typed: String::new(),
            state,
            answers: !answered,
            resolves: answered,
        }
    }

    fn track() -> Vec<Station> {
        let done = ("done", "check", "dossier-track-done");
        let left_out = ("left-out", "circle-minus", "dossier-track-exempt");
        let ahead = ("ahead", "minus", "dossier-track-ahead");
        [
            ("dossier-track-draft", done, false),
            ("dossier-stage-submitted", done, false),
            ("dossier-track-accepted", ("now", "arrow-right", "dossier-track-now"), false),
            ("dossier-step-documents", done, true),
            ("dossier-step-sandbox", left_out, true),
            ("dossier-step-assessment", ahead, true),
            ("dossier-track-approved", ahead, false),
        ]
        .map(|(key, (class, icon, state_key), beside)| Station {
            class,
            icon,
            key: key.into(),
            state_key,
            beside,
            facts: if class == "done" { vec![format!("{LONG_NAME}, {WHEN}")] } else { vec![] },
        })
        .into()
    }

    fn acts() -> Vec<ActForm> {
        let act = |act, key, why, icon, fields, main| ActForm {
            act,
            to: "#".into(),
            key,
            why,
            icon,
            fields,
            areas: vec![],
            tick: None,
            hidden: vec![],
            lists: vec![],
            main,
            open: false,
        };
        let reason = Field {
            id: "reason",
            key: "unit-reason",
            hint: "",
            value: String::new(),
            choices: vec![],
        };
        vec![
            act("submit", "dossier-do-submit", "dossier-do-submit-why", "send", vec![], true),
            act("withdraw", "dossier-do-withdraw", "", "circle-minus", vec![reason], false),
        ]
    }

    fn parts(&self, full: bool) -> Vec<PartRow> {
        let mark = || if full { format!("{LONG_NAME}, {WHEN}") } else { String::new() };
        ["commitment", "registration", "accounts", "security"]
            .map(|code| PartRow {
                code,
                key: format!("dossier-part-{code}"),
                version: self.t.with_two("dossier-paper-edition", "version", 2, "edition", "2025"),
                filled: format!("{LONG_NAME}, {WHEN}"),
                signed: mark(),
                checked: mark(),
                lacks: u64::from(!full) * 3,
                sheets: vec![(format!("dossier-sheet-{code}"), "#".into())],
                signs: !full,
                checks: full,
            })
            .into()
    }

    fn kept(&self, full: bool) -> Kept {
        let document = DocumentRow {
            key: "document-receipt".into(),
            number: "1/TTDLDC-TN".into(),
            date: "24/11/2026".into(),
            about: NUMBER.into(),
            about_href: "#".into(),
            unit: UNIT.into(),
            href: "#".into(),
        };
        let copy = CopyRow {
            id: 1,
            part: "dossier-part-commitment".into(),
            number: "12/CK".into(),
            date: "24/11/2026".into(),
            kept: self.say("Văn thư, tủ 2", "Records, case 2"),
            told: format!("{LONG_NAME}, {WHEN}"),
            received: String::new(),
            receives: true,
        };
        Kept {
            documents: if full { vec![document] } else { vec![] },
            copies: if full { vec![copy] } else { vec![] },
            parts: vec![choice("commitment", &self.t.get("dossier-part-commitment"), true)],
            typed: Default::default(),
        }
    }

    fn dossier_pages(&self) -> Result<(), Box<dyn Error>> {
        let lack = Lack {
            place: self.t.get("dossier-item-securityFile"),
            sentence: self.say("Thiếu tệp.", "The file is missing."),
            rule: "B2",
            turn: self.t.get("dossier-turn-unit"),
            href: "#".into(),
        };
        let note = Note {
            class: "bad",
            key: "dossier-refused-head",
            lines: vec![self.say("Chưa đạt cấp độ 3.", "Not of level 3.")],
            rule: "C1",
        };
        let happened = Happened {
            time: WHEN.into(),
            who: "trungtam.thamdinh1".into(),
            key: "did-dossier-accepted".into(),
            detail: format!("{NUMBER} H26.001 accepted"),
        };
        let mut full = Some((lack, note, happened));
        for (name, centre) in [("dossier", true), ("dossier-empty", false)] {
            let told = full.take();
            let some = told.is_some();
            let (lacks, notes, history) =
                told.map_or_else(Default::default, |(l, n, h)| (vec![l], vec![n], vec![h]));
            let remarks = [states::OPEN, states::ANSWERED, states::RESOLVED];
            let remarks = (0..).zip(remarks).map(|(at, state)| self.remark(at, state));
            let page = Dossier {
                t: self.t.clone(),
                s: self.shell(if centre { "operator" } else { "head" }, "/unit/dossiers"),
                errors: vec![],
                told: some.then_some("dossier-told-accepted"),
                centre,
                base: "/unit/dossiers/HS-00012".into(),
                list: "/unit/dossiers",
                number: NUMBER.into(),
                name: NAME.into(),
                state: states::STAGES[3],
                connection: some.then_some(common::ACTIVE),
                facts: vec![
                    ("col-unit", UNIT.into()),
                    ("dossier-code", "ONESTOP".into()),
                    ("dossier-channel", self.t.get("dossier-channel-api")),
                ],
                notes,
                turn: self.t.get("dossier-turn-reviewer"),
                track: Self::track(),
                more_lacks: lacks.len() as u64 * 12,
                lacks,
                parts: self.parts(some),
                remarks: remarks.filter(|_| some).collect(),
                acts: Self::acts(),
                history,
                kept: self.kept(some),
                compare: if some { "#".into() } else { String::new() },
                revision: 7,
                once: "0".repeat(32),
            };
            self.write(name, &page)?;
        }
        Ok(())
    }

    fn dossier_readings(&self) -> Result<(), Box<dyn Error>> {
        let item = |code, changed| Item {
            code,
            key: format!("dossier-item-{code}"),
            lines: vec![NAME.into(), "https://mau.vn/soap/dancu".into()],
            files: vec![],
            changed,
            remarks: vec![self.remark(0, states::ANSWERED)],
            typed: String::new(),
        };
        let review = Review {
            t: self.t.clone(),
            s: self.shell("operator", "/centre/dossiers"),
            errors: vec![wrong("technical", self.say("Nêu rõ cần sửa gì.", "Say what."))],
            base: "/centre/dossiers/HS-00012".into(),
            number: NUMBER.into(),
            name: NAME.into(),
            parts: vec![(
                "dossier-part-registration".into(),
                vec![item("systemName", false), item("technical", true)],
            )],
            asks: true,
            revision: 7,
            once: "0".repeat(32),
        };
        self.write("dossier-review", &review)?;
        let line = |text: &str, alone| (text.to_owned(), alone);
        let compare = Compare {
            t: self.t.clone(),
            s: self.shell("operator", "/centre/dossiers"),
            base: "/centre/dossiers/HS-00012".into(),
            number: NUMBER.into(),
            before: vec![choice("1", &self.t.with("dossier-version", "version", 1), true)],
            after: vec![choice("now", &self.t.get("dossier-version-now"), true)],
            names: (
                self.t.with("dossier-version", "version", 1),
                self.t.get("dossier-version-now"),
            ),
            rows: vec![(
                "dossier-item-inHours".into(),
                vec![line("500", true), line(UNIT, false)],
                vec![line("700", true), line(UNIT, false)],
            )],
        };
        self.write("dossier-compare", &compare)
    }

    fn dossier_papers(&self) -> Result<(), Box<dyn Error>> {
        for (name, full) in [("documents", true), ("documents-empty", false)] {
            let page = Documents {
                t: self.t.clone(),
                s: self.shell("operator", "/centre/documents"),
                rows: self.kept(full).documents,
                centre: true,
                more: full.then(|| "#".into()),
            };
            self.write(name, &page)?;
        }
        let officer = |id, state, told: &str| OfficerRow {
            id,
            name: LONG_NAME.into(),
            login: "uyen.npbqtht@hoamaivang.mau".into(),
            state,
            told: told.into(),
            href: if told.is_empty() { String::new() } else { "#".into() },
        };
        let rows = vec![
            officer(1, committed::NO, ""),
            officer(2, committed::YES, "2025, 24/11/2026, CK-00001"),
        ];
        for (name, rows) in [("commitments", rows), ("commitments-empty", vec![])] {
            let page = Commitments {
                t: self.t.clone(),
                s: self.shell("head", "/unit/officers/commitments"),
                errors: vec![],
                told: None,
                systems: vec![choice("1", "ONESTOP", true)],
                system: 1,
                edition: "2025".into(),
                papers: "/unit/officers/papers",
                none: rows.len() as u64 / 2,
                rows,
                once: "0".repeat(32),
            };
            self.write(name, &page)?;
        }
        Ok(())
    }

    pub(super) fn file_row(&self) -> dancu_portal::dossier::sheets::FileRow {
        dancu_portal::dossier::sheets::FileRow {
            id: 41,
            kind: "PDF".into(),
            name: "Biên bản kiểm tra an ninh, an toàn theo cấp độ 3.pdf".into(),
            size: self.t.with("dossier-file-size", "size", 4_096),
            digest: "ab".repeat(32),
            scan: scans::CLEAN,
            href: "#".into(),
        }
    }
}
