//! Campaigns of dossiers, and the import of what is live.

use std::error::Error;

use dancu_portal::campaigns::{
    Campaign, CampaignRow, Campaigns, Import, Tally, TaskRow, Tile, states,
};
use dancu_portal::centre::Field;

use super::{Preview, UNIT, choice, pager, wrong};

const TALLY: Tally =
    Tally { total: 3_321, done: 2_900, centre: 180, unit: 211, locked: 30, share: 87 };

fn field(id: &'static str, key: &'static str, hint: &'static str, value: &str) -> Field {
    Field { id, key, hint, value: value.into(), choices: vec![] }
}

impl Preview {
    pub(super) fn campaigns(&self) -> Result<(), Box<dyn Error>> {
        let row = |id: &str, tally| CampaignRow {
            id: id.into(),
            name: self.say("Hoàn thiện hồ sơ theo công văn", "Dossiers by the letter"),
            ground: "6383/C06-TTDLDC, 01/09/2025".into(),
            deadline: "01/10/2025".into(),
            tally,
            href: "#".into(),
        };
        let full = vec![row("DCN-002", TALLY), row("DCN-001", Tally::default())];
        let seen = ["campaign-preview-dossiers", "campaign-preview-within"];
        let seen = [
            self.t.with_two(seen[0], "dossiers", 3_321, "units", 3_315),
            self.t.with(seen[1], "dossiers", "HS-00012 (DCN-001)"),
        ];
        for (name, rows, preview) in
            [("campaigns", full, seen.to_vec()), ("campaigns-empty", vec![], vec![])]
        {
            let page = Campaigns {
                t: self.t.clone(),
                s: self.shell("operator", "/centre/campaigns"),
                errors: vec![wrong("deadline", self.t.get("raise-date-wrong"))],
                rows,
                fields: vec![
                    field("name", "campaign-name", "", ""),
                    field("document", "campaign-document", "", "6383/C06-TTDLDC"),
                    field("dated", "campaign-dated", "common-date-hint", "01/09/2025"),
                    field("deadline", "campaign-deadline", "common-date-hint", "x"),
                    field("remind", "campaign-remind", "campaign-remind-hint", "30, 7, 1"),
                ],
                parts: vec![
                    choice("commitment", &self.t.get("dossier-part-commitment"), true),
                    choice("accounts", &self.t.get("dossier-part-accounts"), false),
                ],
                preview,
                seen: "0".repeat(64),
                once: "0".repeat(32),
            };
            self.write(name, &page)?;
        }
        self.campaign()?;
        self.import_of_live()
    }

    fn campaign(&self) -> Result<(), Box<dyn Error>> {
        let tile = |name: &str, tally| Tile { name: name.into(), tally, href: "#".into() };
        let task = |number: &str, state| TaskRow {
            dossier: number.into(),
            href: "#".into(),
            unit: UNIT.into(),
            system: "ONESTOP".into(),
            stage: self.t.get("dossier-stage-changes"),
            deadline: "01/10/2025".into(),
            extended: 2,
            state,
        };
        let all = [states::UNIT, states::CENTRE, states::DONE, states::LOCKED, states::LEFT];
        let rows: Vec<TaskRow> =
            (1..).zip(all).map(|(n, s)| task(&format!("HS-{n:05}"), s)).collect();
        for (name, rows, runs) in [("campaign", rows, true), ("campaign-over", vec![], false)] {
            let page = Campaign {
                t: self.t.clone(),
                s: self.shell("operator", "/centre/campaigns"),
                errors: vec![],
                told: runs.then_some("campaign-begun"),
                id: "DCN-002".into(),
                name: self.say("Hoàn thiện hồ sơ theo công văn", "Dossiers by the letter"),
                facts: vec![
                    ("campaign-ground", "6383/C06-TTDLDC, 01/09/2025".into()),
                    ("campaign-deadline", "01/10/2025".into()),
                    ("campaign-remind", "30, 7, 1".into()),
                ],
                whole: TALLY,
                stages: vec![("draft", 180), ("changes", 31), ("accepted", 210)],
                tiles: vec![
                    tile("Mẫu", TALLY),
                    tile("Mẫu Hai", Tally { locked: 0, ..TALLY }),
                    tile("Mẫu Ba", Tally::default()),
                ],
                chosen: String::new(),
                pager: pager(1, rows.len() as u64, 3_321),
                rows,
                runs,
                fields: vec![
                    field("dossier", "campaign-dossier", "", "HS-00001"),
                    field("deadline", "campaign-extend-to", "common-date-hint", ""),
                    field("reason", "unit-reason", "", ""),
                ],
                why: String::new(),
                once: "0".repeat(32),
            };
            self.write(name, &page)?;
        }
        Ok(())
    }

    fn import_of_live(&self) -> Result<(), Box<dyn Error>> {
        let sentence = "Tài khoản, dòng 3, cột “Số lần truy vấn trong ngày”: nhập số nguyên.";
        let sums = vec![self.say("12 hệ thống, 3.321 tài khoản", "12 systems, 3,321 accounts")];
        for (name, sums, wrong, token) in [
            ("import-live", vec![], vec![], ""),
            ("import-live-wrong", sums.clone(), vec![sentence.to_owned(); 3], ""),
            ("import-live-seen", sums, vec![], "7"),
        ] {
            let page = Import {
                t: self.t.clone(),
                s: self.shell("operator", "/centre/import"),
                errors: vec![],
                told: None,
                fields: vec![
                    field("document", "campaign-document", "", "12/TTDL"),
                    field("dated", "campaign-dated", "common-date-hint", ""),
                    field("deadline", "campaign-deadline", "common-date-hint", ""),
                    field("reason", "unit-reason", "", ""),
                ],
                sums,
                wrong,
                token: token.into(),
                once: "0".repeat(32),
            };
            self.write(name, &page)?;
        }
        Ok(())
    }
}
