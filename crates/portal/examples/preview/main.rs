//! Draws every page with synthetic people into a folder, for looking at and for the axe check.
//!
//! Use: `cargo run --example preview -- OUT_FOLDER`. One folder per language, one file per page.
//! People, units and numbers are invented; personal ids begin with 099, which no province has.

mod campaigns;
mod centre;
mod citizen;
mod counter;
mod dossiers;
mod entry;
mod head;
mod integrator;
mod operator;
mod plans;
mod rest;
mod sheets;
mod told;

use std::error::Error;
use std::path::{Path, PathBuf};

use askama::Template;
use dancu_portal::chart::{DayChart, Marks};
use dancu_portal::parts::{Choice, FieldError, Pager};
use dancu_portal::shell::{NavItem, Person, Shell};
use dancu_portal::text::{Language, Text};

const UNIT: &str = "Bộ phận Tiếp nhận và Trả kết quả, Trung tâm Phục vụ hành chính công phường \
                    Hoa Mai Vàng – Thí Điểm, thành phố Mẫu";
const LONG_NAME: &str = "NGUYỄN PHƯỚC BẢO QUỲNH TRƯƠNG HOÀNG THỤC UYÊN";
const OFFICER: &str = "Hoàng Nguyễn Thục Quyên";

/// One language's pages.
struct Preview {
    t: Text,
    folder: PathBuf,
}

impl Preview {
    fn vi(&self) -> bool {
        self.t.language() == Language::Vietnamese
    }

    fn say(&self, vi: &str, en: &str) -> String {
        if self.vi() { vi.to_owned() } else { en.to_owned() }
    }

    fn write(&self, name: &str, page: &impl Template) -> Result<(), Box<dyn Error>> {
        Ok(std::fs::write(self.folder.join(format!("{name}.html")), page.render()?)?)
    }

    fn bare(&self, here: &str) -> Shell {
        Shell {
            language: self.t.language(),
            theme: "",
            sandbox: true,
            person: None,
            clock: "14:05".into(),
            moment: "2026-11-24T14:05:12+07:00".into(),
            day: "24/11/2026".into(),
            in_hours: true,
            until: "18:00".into(),
            entries: Vec::new(),
            csrf: "csrf-token-of-this-session".into(),
            kept: Vec::new(),
            unread: Some(3),
            idle_seconds: 0,
            here: here.into(),
            help_phone: "1900 0999".into(),
            version: "0.4.0".into(),
            warn_at: 80,
        }
    }

    fn shell(&self, role: &'static str, here: &str) -> Shell {
        let (roles, unit, name, entries): (_, _, _, &[(&str, &'static str, &'static str)]) =
            match role {
                "officer" => ("Cán bộ khai thác", UNIT, OFFICER, &OFFICER_NAV),
                "head" => ("Thủ trưởng đơn vị", UNIT, "Trần Lê Minh Mẫu", &HEAD_NAV),
                "citizen" => ("Công dân", "", LONG_NAME, &CITIZEN_NAV),
                "integrator" => {
                    ("Cán bộ tích hợp hệ thống", UNIT, "Lê Tích Hợp Mẫu", &INTEGRATOR_NAV)
                }
                "auditor" => ("Kiểm toán viên", CENTRE, "Phạm Kiểm Thử", &AUDITOR_NAV),
                _ => ("Quản trị viên của Trung tâm", CENTRE, "Đỗ Vận Hành Mẫu", &OPERATOR_NAV),
            };
        Shell {
            person: Some(Person {
                name: name.into(),
                roles: roles.into(),
                unit: unit.into(),
                unit_href: "",
            }),
            entries: entries
                .iter()
                .map(|&(href, icon, key)| NavItem {
                    href: href.into(),
                    icon,
                    key,
                    current: here.starts_with(href),
                })
                .collect(),
            idle_seconds: 900,
            ..self.bare(here)
        }
    }
}

const CENTRE: &str = "Trung tâm dữ liệu quốc gia về dân cư";
const OFFICER_NAV: [(&str, &str, &str); 2] =
    [("/counter", "scan-line", "nav-counter"), ("/account", "user", "nav-account")];
const HEAD_NAV: [(&str, &str, &str); 5] = [
    ("/unit/officers", "users", "nav-officers"),
    ("/unit/usage", "chart-column", "nav-usage"),
    ("/unit/raises", "trending-up", "nav-raises"),
    ("/unit/substitutes", "user-check", "nav-substitutes"),
    ("/account", "user", "nav-account"),
];
const OPERATOR_NAV: [(&str, &str, &str); 6] = [
    ("/operate/systems", "server", "nav-systems"),
    ("/operate/exceedances", "activity", "nav-exceedances"),
    ("/operate/locks", "lock", "nav-locks"),
    ("/operate/raises", "trending-up", "nav-raises"),
    ("/operate/announcements", "megaphone", "nav-announcements"),
    ("/account", "user", "nav-account"),
];
const INTEGRATOR_NAV: [(&str, &str, &str); 3] = [
    ("/unit/revocations", "ban", "nav-revocations"),
    ("/integrator", "key-round", "nav-credentials"),
    ("/account", "user", "nav-account"),
];
const AUDITOR_NAV: [(&str, &str, &str); 2] =
    [("/audit", "search", "nav-audit"), ("/account", "user", "nav-account")];

const CITIZEN_NAV: [(&str, &str, &str); 3] = [
    ("/me/data", "id-card", "nav-my-data"),
    ("/me/looks", "eye", "nav-my-looks"),
    ("/account", "user", "nav-account"),
];

fn choice(value: &str, label: &str, chosen: bool) -> Choice {
    Choice { value: value.into(), label: label.into(), chosen }
}

fn wrong(field: &'static str, sentence: String) -> FieldError {
    FieldError { field, sentence }
}

fn pager(from: u64, to: u64, total: u64) -> Pager {
    Pager {
        from,
        to,
        total,
        before: (from > 1).then(|| "?page=1".into()),
        after: (to < total).then(|| "?page=2".into()),
    }
}

fn chart() -> DayChart {
    let mut used = [None; dancu_portal::chart::HOURS];
    for (at, value) in [38, 62, 71, 55, 31, 12, 44, 21].into_iter().enumerate() {
        used[at] = Some(value);
    }
    DayChart::new(&used, (500, 200), MARKS)
}

/// 07:00 and 18:00.
const MARKS: Marks = Marks { from: 420, to: 1_080 };

fn full_chart() -> DayChart {
    let values =
        [38, 62, 71, 55, 31, 12, 44, 58, 60, 42, 27, 9, 6, 4, 2, 0, 0, 1, 0, 0, 14, 22, 9, 3];
    DayChart::new(&values.map(Some), (500, 200), MARKS)
}

fn main() -> Result<(), Box<dyn Error>> {
    let out = std::env::args().nth(1).ok_or("which folder?")?;
    for language in [Language::Vietnamese, Language::English] {
        let folder = Path::new(&out).join(language.tag());
        std::fs::create_dir_all(&folder)?;
        let preview = Preview { t: Text::new(language), folder };
        preview.entry()?;
        preview.integrator()?;
        preview.counter()?;
        preview.head()?;
        preview.operator()?;
        preview.centre()?;
        preview.plans()?;
        preview.auditor()?;
        preview.account()?;
        preview.citizen()?;
        preview.dossiers()?;
        preview.campaigns()?;
        preview.notices()?;
        preview.sandbox()?;
    }
    Ok(())
}
