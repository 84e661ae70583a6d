//! Units and the centre's staff.

use std::error::Error;

use dancu_portal::centre::{
    Branch, EventForm, EventRow, Field, ProposalRow, Proposals, Staff, StaffRow, TreePage,
    Unit as UnitPage, UnitRow, Units, states,
};
use dancu_portal::parts::{SavedView, states as common};

use super::{CENTRE, LONG_NAME, Preview, UNIT, choice, pager, wrong};

impl Preview {
    pub(super) fn centre(&self) -> Result<(), Box<dyn Error>> {
        self.units()?;
        self.unit_pages()?;
        self.old_communes()?;
        self.centre_staff()
    }

    fn unit_views(&self, current: &str) -> Vec<SavedView> {
        ["units-living", "units-tree", "units-ended"]
            .map(|key| SavedView {
                name: self.t.get(key),
                href: "#".into(),
                current: key == current,
            })
            .into()
    }

    fn events(&self) -> Vec<EventRow> {
        let row = |number: &str, day: &str, what, state, annul: bool| EventRow {
            number: number.into(),
            unit: "UBND-X00004".into(),
            day: day.into(),
            what,
            written: "14:05 24/11/2026".into(),
            state,
            annul: annul.then(|| "#".into()),
        };
        let merged = || self.t.with("unit-told-merged", "unit", UNIT);
        vec![
            row("9", "01/01/2027", merged(), Some(states::AHEAD), true),
            row("8", "01/12/2026", merged(), Some(states::ANNULLED), false),
            row("7", "01/07/2025", self.t.with("unit-told-founded", "name", UNIT), None, false),
        ]
    }

    fn units(&self) -> Result<(), Box<dyn Error>> {
        let row = |state| UnitRow {
            code: "UBND-X00004".into(),
            name: UNIT.into(),
            kind: self.say("Ủy ban nhân dân cấp xã", "Commune people's committee"),
            above: self.say("Ủy ban nhân dân thành phố Mẫu", "City of Mẫu"),
            systems: 3,
            state,
            href: "#".into(),
        };
        let full = vec![row(common::ACTIVE), row(states::ENDED)];
        for (name, rows, news) in
            [("centre-units", full, self.events()), ("centre-units-empty", vec![], vec![])]
        {
            let page = Units {
                t: self.t.clone(),
                s: self.shell("operator", "/centre/units"),
                told: None,
                views: self.unit_views("units-living"),
                search: String::new(),
                provinces: vec![choice("", &self.t.get("units-any-province"), true)],
                kinds: vec![choice("", &self.t.get("units-any-kind"), true)],
                ahead: self.events().into_iter().take(news.len().min(1)).collect(),
                news,
                pager: pager(1, rows.len() as u64, 3_370),
                rows,
            };
            self.write(name, &page)?;
        }
        let branch = |depth, name: &str, below, open| Branch {
            depth,
            code: format!("UBND-X{depth}"),
            name: name.into(),
            below,
            open,
            toggle: String::new(),
        };
        let rows = vec![
            branch(0, "Ủy ban nhân dân thành phố Mẫu", 126, true),
            branch(1, UNIT, 2, true),
            branch(2, "Trạm Y tế phường Hoa Mai Vàng – Thí Điểm", 0, false),
            branch(1, "Ủy ban nhân dân phường Hoa Sữa", 0, false),
            branch(0, "Ủy ban nhân dân tỉnh Thí Điểm", 96, false),
        ];
        let (t, s) = (self.t.clone(), self.shell("operator", "/centre/units"));
        self.write(
            "centre-tree",
            &TreePage { t, s, views: self.unit_views("units-tree"), rows, left: 4 },
        )
    }

    fn unit_page(&self) -> UnitPage {
        UnitPage {
            t: self.t.clone(),
            s: self.shell("operator", "/centre/units"),
            errors: vec![],
            told: None,
            own: false,
            code: "UBND-X00004".into(),
            name: UNIT.into(),
            state: common::ACTIVE,
            facts: vec![
                ("unit-kind", self.say("Ủy ban nhân dân cấp xã", "Commune")),
                ("unit-agency", "H26.01.02, H26.01.03".into()),
                ("unit-heads", format!("{LONG_NAME}, Trần Lê Minh Mẫu")),
                ("unit-contact-security", format!("{LONG_NAME}, Chuyên viên · 0990 000 017")),
            ],
            names: vec![("01/07/2025".into(), UNIT.into())],
            below: vec![("Trạm Y tế phường Hoa Mai Vàng – Thí Điểm".into(), "#".into())],
            systems: vec![("HOAMAIVANG_CONGDVC_THIDIEM".into(), "#".into())],
            waiting: vec![(LONG_NAME.into(), "#".into())],
            twice: vec![LONG_NAME.into()],
            events: self.events(),
            acts: [
                ("unit-act-renamed", false),
                ("unit-act-absorbed", true),
                ("unit-act-split", false),
            ]
            .map(|(key, current)| (key, "#".into(), current))
            .into(),
            form: None,
        }
    }

    fn unit_pages(&self) -> Result<(), Box<dyn Error>> {
        let field = |id, key, hint, value: &str| Field {
            id,
            key,
            hint,
            value: value.into(),
            choices: vec![],
        };
        let fields = || {
            vec![
                field("merged", "unit-merged", "unit-merged-hint", "OLD-00004\nOLD-00006"),
                field("day", "unit-day", "common-date-hint", "01/01/2027"),
                field("reason", "unit-reason", "", "NQ 202/2025/QH15"),
            ]
        };
        let preview = || {
            let units = format!("UBND phường cũ (OLD-00004) → {UNIT}");
            let who = format!("{LONG_NAME}, {CENTRE}");
            vec![
                self.t.with("unit-moves-systems", "count", 1),
                self.t.with_two("unit-moves-system", "system", "HOAMAI_MOTCUA", "units", units),
                self.t.with_two("unit-moves-lines", "lines", 12, "accounts", 41),
                self.t.with("unit-moves-people", "people", 17),
                self.t.with_two(
                    "unit-wider",
                    "who",
                    who,
                    "what",
                    self.t.with("unit-wider-people", "count", 17),
                ),
            ]
        };
        for (name, preview, errors) in [
            ("centre-unit-merge", vec![], vec![]),
            ("centre-unit-preview", preview(), vec![]),
            (
                "centre-unit-wrong",
                vec![],
                vec![wrong("merged", "KHONG-CO: Không có đơn vị mang mã này. (B4)".into())],
            ),
        ] {
            let form = EventForm {
                act: "absorbed",
                head: "unit-act-absorbed",
                fields: fields(),
                preview,
                previewed: true,
                seen: "1".into(),
                once: "1".into(),
                to: "#".into(),
            };
            self.write(name, &UnitPage { errors, form: Some(form), ..self.unit_page() })?;
        }
        self.write("centre-unit", &self.unit_page())
    }

    fn old_communes(&self) -> Result<(), Box<dyn Error>> {
        let row = |code: &str, divided, choices| ProposalRow {
            code: code.into(),
            name: UNIT.into(),
            old: "Phường Cống Vị, Quận Ba Đình, Thành phố Hà Nội".into(),
            divided,
            choices,
        };
        let heirs = vec![
            choice("UBND-X00008", "Ủy ban nhân dân phường Ngọc Hà", false),
            choice("UBND-X00025", "Ủy ban nhân dân phường Giảng Võ", false),
        ];
        let full = vec![row("OLD-7", true, heirs), row("OLD-8", false, vec![])];
        for (name, rows) in [("centre-proposals", full), ("centre-proposals-empty", vec![])] {
            let total = rows.len() as u64;
            let (t, s) = (self.t.clone(), self.shell("operator", "/centre/units"));
            self.write(name, &Proposals { t, s, rows, pager: pager(1, total, total) })?;
        }
        Ok(())
    }

    fn centre_staff(&self) -> Result<(), Box<dyn Error>> {
        let row = |state, again| StaffRow {
            id: "7".into(),
            name: LONG_NAME.into(),
            login: "uyen.npbqtht@hoamaivang.mau".into(),
            unit: UNIT.into(),
            role: self.say("Thủ trưởng đơn vị", "Head of unit"),
            code: "head",
            period: "01/01/2026 – ".into(),
            state,
            ends: true,
            again,
        };
        let full = || vec![row(common::NEW, true), row(common::ACTIVE, false)];
        let given =
            (LONG_NAME.into(), "moi.mau".into(), "abcd-efgh-jkmn".into(), "01/12/2026".into());
        for (name, rows, given, told) in [
            ("centre-staff", full(), None, Some("staff-invited")),
            ("centre-staff-given", full(), Some(given), None),
            ("centre-staff-empty", vec![], None, None),
        ] {
            let page = Staff {
                t: self.t.clone(),
                s: self.shell("operator", "/centre/staff"),
                errors: vec![],
                told,
                roles: vec![choice("", &self.t.get("staff-any-role"), true)],
                unit: String::new(),
                query: "?page=0".into(),
                pager: pager(1, rows.len() as u64, 3_321),
                rows,
                given,
                fields: vec![Field {
                    id: "login",
                    key: "col-login",
                    hint: "staff-login-hint",
                    value: String::new(),
                    choices: vec![],
                }],
                reason: String::new(),
                once: "1".into(),
            };
            self.write(name, &page)?;
        }
        Ok(())
    }
}
