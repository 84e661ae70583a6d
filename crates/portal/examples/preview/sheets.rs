//! The sheets of a dossier, as a unit fills them in.

use std::error::Error;

use dancu_portal::centre::Field;
use dancu_portal::dossier::sheets::{
    AccountRow, Accounts, Entry, Fields, LineRow, Lines, ProcedureRow, Services, Sheet, Texts,
    UseRow,
};
use dancu_portal::dossier::states;

use super::dossiers::{NAME, NUMBER};
use super::{LONG_NAME, Preview, choice};

const SHEETS: [&str; 6] = ["commitment", "about", "services", "fields", "accounts", "security"];

impl Preview {
    pub(super) fn sheets(&self) -> Result<(), Box<dyn Error>> {
        self.texts()?;
        self.services()?;
        self.fields()?;
        self.accounts()
    }

    fn sheet(code: &'static str, why: &'static str, rule: &'static str) -> Sheet {
        Sheet {
            code,
            key: format!("dossier-sheet-{code}"),
            why,
            rule,
            base: "/unit/dossiers/HS-00012".into(),
            number: NUMBER.into(),
            name: NAME.into(),
            sheets: SHEETS
                .map(|other| (format!("dossier-sheet-{other}"), "#".into(), other == code))
                .into(),
            editable: true,
            revision: 7,
            told: None,
            once: "0".repeat(32),
        }
    }

    fn lacks(&self) -> Vec<String> {
        vec![self.say("Mục này bắt buộc. (B1)", "This is needed. (B1)")]
    }

    fn texts(&self) -> Result<(), Box<dyn Error>> {
        let entry = |id, key: &str, value: &str, long, fixed| Entry {
            id,
            key: format!("dossier-item-{key}"),
            hint: "",
            value: value.into(),
            long,
            choices: vec![],
            fixed,
            wrong: if value.is_empty() { self.lacks() } else { vec![] },
            remarks: if long { vec![self.remark(0, states::OPEN)] } else { vec![] },
        };
        for (name, editable) in [("sheet-security", true), ("sheet-security-read", false)] {
            let sheet = Self::sheet("security", "dossier-why-security", "C5");
            let page = Texts {
                t: self.t.clone(),
                s: self.shell("head", "/unit/dossiers"),
                errors: vec![],
                sheet: Sheet { editable, ..sheet },
                entries: vec![
                    entry("confirmationNumber", "confirmationNumber", "", false, !editable),
                    entry("mfa", "mfa", NAME, true, !editable),
                ],
                files: Some(if editable { vec![self.file_row()] } else { vec![] }),
                files_item: "securityFile",
                files_wrong: if editable { vec![] } else { self.lacks() },
                files_remarks: vec![],
            };
            self.write(name, &page)?;
        }
        Ok(())
    }

    fn services(&self) -> Result<(), Box<dyn Error>> {
        let line = |id: &str, daily: &str| LineRow {
            id: id.into(),
            service: self.say("Xác thực thông tin công dân", "Verify a citizen"),
            daily: daily.into(),
            purpose: self.say("Một cửa", "One stop"),
            suggested: 120,
            wrong: if daily.is_empty() { self.lacks() } else { vec![] },
        };
        let table = |id, key, rows, total, cap| Lines {
            id,
            key,
            rows,
            total,
            cap,
            wrong: vec![],
            remarks: vec![],
        };
        let page = Services {
            t: self.t.clone(),
            s: self.shell("head", "/unit/dossiers"),
            errors: vec![],
            sheet: Self::sheet("services", "dossier-why-services", "B5"),
            procedures: vec![ProcedureRow {
                id: "p0".into(),
                values: ["1.004194", "Đăng ký thường trú", "40", "3"].map(str::to_owned),
                case: true,
                product: 120,
                wrong: vec![],
            }],
            procedures_wrong: vec![],
            procedures_remarks: vec![],
            needed: 120,
            tables: vec![
                table("inHours", "dossier-item-inHours", vec![line("in-0", "500")], 500, 0),
                table("offHours", "dossier-item-offHours", vec![line("off-0", "")], 0, 1_000),
            ],
        };
        self.write("sheet-services", &page)
    }

    fn fields(&self) -> Result<(), Box<dyn Error>> {
        let row = UseRow {
            id: "u0".into(),
            service: self.say("Tra cứu thông tin công dân", "Look a citizen up"),
            purpose: String::new(),
            procedures: "1.004194".into(),
            ordinary: vec![choice("fullName", &self.say("Họ và tên", "Full name"), true)],
            sensitive: vec![choice("religion", &self.say("Tôn giáo", "Religion"), false)],
            wrong: self.lacks(),
        };
        for (name, rows) in [("sheet-fields", vec![row]), ("sheet-fields-empty", vec![])] {
            let page = Fields {
                t: self.t.clone(),
                s: self.shell("head", "/unit/dossiers"),
                errors: vec![],
                sheet: Self::sheet("fields", "dossier-why-fields", "A4"),
                rows,
                procedures: "1.004194".into(),
                wrong: vec![],
                remarks: vec![],
            };
            self.write(name, &page)?;
        }
        Ok(())
    }

    fn accounts(&self) -> Result<(), Box<dyn Error>> {
        let row = |index, kind: &str, wrong| AccountRow {
            index,
            values: [
                "uyen.npbqtht@hoamaivang.mau",
                LONG_NAME,
                "099303000417",
                "CB.0001",
                "0900 000 000",
                "Một cửa",
            ]
            .map(str::to_owned),
            kind: format!("dossier-kind-{kind}"),
            daily: 50,
            wrong,
        };
        let rows = vec![row(0, "officer", self.lacks()), row(1, "system", vec![])];
        let field = |id, key, hint, value: &str| Field {
            id,
            key,
            hint,
            value: value.into(),
            choices: vec![],
        };
        for (name, rows) in [("sheet-accounts", rows), ("sheet-accounts-empty", vec![])] {
            let page = Accounts {
                t: self.t.clone(),
                s: self.shell("head", "/unit/dossiers"),
                errors: vec![],
                sheet: Self::sheet("accounts", "dossier-why-accounts", "B6"),
                more: 0,
                count: rows.len() as u64,
                total: 50 * rows.len() as u64,
                rows,
                wrong: vec![],
                remarks: vec![],
                fields: vec![
                    field("login", "col-login", "", ""),
                    field("name", "col-name", "dossier-hint-account-name", ""),
                    field("daily", "col-daily", "dossier-hint-daily", "50"),
                ],
                row: String::new(),
            };
            self.write(name, &page)?;
        }
        Ok(())
    }
}
