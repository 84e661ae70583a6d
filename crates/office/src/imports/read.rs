//! Looking at a workbook: what would enter, and what is wrong in which row.

use dancu_domain::credentials::{Secret, SoapAccess};
use dancu_domain::dossier::{
    AccountRow, Cell, Contact, Content, Dossier, DossierNumber, Editor, Item, LineRow, Mark,
    Missing, ProcedureRow, ServiceUse, missing,
};
use dancu_domain::ids::{SystemCode, UnitCode};
use dancu_domain::moment::Moment;
use dancu_domain::people::PersonId;
use dancu_domain::registration::{AccountKind, Channel, Snapshot};
use dancu_domain::rule::RuleId;
use dancu_domain::service::{Field, FieldSet, Service, ServiceSet, Window};
use dancu_domain::text::fold;
use dancu_domain::units::Tree;
use dancu_store::Store;
use hashbrown::HashMap;

use super::layout::{ACCOUNTS, Found, LINES, PROCEDURES, Row, SHEETS, SYSTEMS, found};
use super::{Entering, Look, Wrong};
use crate::act::Refused;

/// Bytes of a SOAP secret: what clients of before have (*ours*).
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 8..=256;

/// What is wrong with the code of a system, in Vietnamese and in English.
const TAKEN: (&str, &str) = (
    "Mã hệ thống này đã được đăng ký; chọn mã khác.",
    "This system code is registered already; choose another one.",
);
const TWICE: (&str, &str) =
    ("Mã hệ thống có hai lần trong trang.", "The system code stands twice in the sheet.");
const UNNAMED: (&str, &str) = (
    "Không có hệ thống mang mã này ở trang “Hệ thống”.",
    "No system of the sheet “Hệ thống” has this code.",
);

/// A system of the workbook, with the rows that say something of it.
struct Draft {
    entering: Entering,
    line: u32,
    /// Rows of lines, accounts and procedures, as their tables have them.
    rows: [Vec<u32>; 3],
}

/// A file that was read, not yet looked at.
pub struct Book(Vec<Found>);

/// It may hold personal data.
impl std::fmt::Debug for Book {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Book({} sheets)", self.0.len())
    }
}

/// Reads a workbook, a CSV file, or an archive of CSV files, one for each sheet. It takes seconds
/// for a large one: call it where that holds nobody up.
///
/// # Errors
/// [`Refused::Field`] where the file cannot be read.
pub fn open(bytes: &[u8]) -> Result<Book, Refused> {
    found(bytes).map(Book)
}

/// Looks at a workbook over what is registered.
///
/// # Errors
/// Of the store.
pub async fn look(
    (store, snapshot, tree): (&Store, &Snapshot, &Tree),
    now: Moment,
    Book(sheets): &Book,
) -> Result<Look, Refused> {
    let imported = store.campaigns().candidates().await?;
    let mut look = Look::default();
    let mut drafts: HashMap<String, Draft> = HashMap::new();
    let mut skipped: Vec<String> = vec![];
    for row in sheets[SYSTEMS].rows() {
        match system(&row, tree) {
            Err(wrong) => look.wrong.push(wrong),
            Ok(entering) => {
                let code = entering.code.as_str().to_owned();
                if let Some(known) = snapshot.by_code(&entering.code) {
                    // What entered before, or has a dossier of its own, is left as it is.
                    let unit = tree.resolve(&known.unit).map(|unit| &unit.code);
                    let own = unit == Some(&entering.unit)
                        && imported.iter().any(|c| c.system == known.id);
                    if own {
                        look.known.push(entering.code);
                        skipped.push(code);
                    } else {
                        look.wrong.push(row.wrong(0, TAKEN, RuleId::B1));
                    }
                } else if drafts.contains_key(&code) {
                    look.wrong.push(row.wrong(0, TWICE, RuleId::B1));
                } else {
                    let rows = [const { vec![] }; 3];
                    drafts.insert(code, Draft { entering, line: row.number(), rows });
                }
            }
        }
    }
    let mut each = |sheet: usize, take: fn(&Row<'_>, &mut Content) -> Result<(), Wrong>| {
        for row in sheets[sheet].rows() {
            let code = row.get(0);
            match drafts.get_mut(code) {
                Some(draft) => match take(&row, &mut draft.entering.content) {
                    Ok(()) => draft.rows[sheet - 1].push(row.number()),
                    Err(wrong) => look.wrong.push(wrong),
                },
                None if skipped.iter().any(|known| known == code) => {}
                None => {
                    look.wrong.push(row.wrong(0, UNNAMED, RuleId::B1));
                }
            }
        }
    };
    each(LINES, line);
    each(PROCEDURES, procedure);
    each(ACCOUNTS, account);
    let mut drafts: Vec<Draft> = drafts.into_values().collect();
    drafts.sort_by_key(|draft| draft.line);
    for draft in drafts {
        judge((store, now), sheets, &draft, &mut look.wrong);
        look.entering.push(draft.entering);
    }
    soap_twice(snapshot, &sheets[SYSTEMS], &mut look.wrong);
    Ok(look)
}

fn system(row: &Row<'_>, tree: &Tree) -> Result<Entering, Wrong> {
    let code = SystemCode::parse(row.get(0)).map_err(|_| {
        row.wrong(
            0,
            (
                "Mã hệ thống gồm 1-35 chữ không dấu, số, dấu chấm, gạch.",
                "A system code has 1-35 letters without accents, digits, dots and dashes.",
            ),
            RuleId::B1,
        )
    })?;
    let unit = UnitCode::parse(row.get(1)).ok().and_then(|unit| tree.resolve(&unit));
    let unit = unit.ok_or_else(|| {
        row.wrong(
            1,
            (
                "Không có đơn vị mang mã này; thành lập đơn vị trước.",
                "No unit has this code; found the unit first.",
            ),
            RuleId::B4,
        )
    })?;
    let channel = channel(row.get(2)).ok_or_else(|| {
        row.wrong(
            2,
            ("Kênh là api, portal hoặc onestop.", "The channel is api, portal or onestop."),
            RuleId::A2,
        )
    })?;
    let level = match row.get(9) {
        "" => 0,
        text => {
            text.parse::<u8>().ok().filter(|level| (1..=5).contains(level)).ok_or_else(|| {
                row.wrong(
                    9,
                    (
                        "Cấp độ an toàn là số từ 1 đến 5.",
                        "The security level is a number from 1 to 5.",
                    ),
                    RuleId::C1,
                )
            })?
        }
    };
    let soap = soap(row)?;
    let text = |column| row.get(column).to_owned();
    let content = Content {
        functions: text(4),
        system_code: code.as_str().to_owned(),
        system_name: text(3),
        officer: Contact {
            name: text(10),
            position: text(11),
            phone: text(12),
            email: text(13),
            workplace: text(14),
        },
        representative: text(15),
        representative_position: text(16),
        purpose: text(5),
        scope: text(6),
        matter: text(7),
        technical: text(8),
        security_level: level,
        ..Content::default()
    };
    let (group, unit) = (unit.about.group, unit.code.clone());
    Ok(Entering { code, unit, group, channel, content, soap })
}

fn channel(text: &str) -> Option<Channel> {
    match fold(text).as_str() {
        "" | "api" => Some(Channel::Api),
        "portal" | "congdichvucong" => Some(Channel::Portal),
        "onestop" | "motcua" => Some(Channel::OneStop),
        _ => None,
    }
}

fn soap(row: &Row<'_>) -> Result<Option<SoapAccess>, Wrong> {
    let (user, secret) = (row.get(17), row.get(18));
    if user.is_empty() && secret.is_empty() {
        return Ok(None);
    }
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_graphic());
    if user.is_empty() || user.len() > 60 || !plain(user) {
        let said = (
            "Tên truy cập SOAP gồm 1-60 ký tự không dấu, không khoảng trắng.",
            "A SOAP user has 1-60 characters without accents and blanks.",
        );
        return Err(row.wrong(17, said, RuleId::H1));
    }
    if !SECRET_BYTES.contains(&secret.len()) || !plain(secret) {
        let said = (
            "Khóa bí mật SOAP gồm 8-256 ký tự không dấu, không khoảng trắng.",
            "A SOAP secret has 8-256 characters without accents and blanks.",
        );
        return Err(row.wrong(18, said, RuleId::H1));
    }
    Ok(Some(SoapAccess {
        user: user.to_owned(),
        secrets: vec![Secret(secret.as_bytes().into())],
        service_urls: vec![],
        hosts: vec![],
        reuse_from: vec![],
        x_road_client: None,
    }))
}

/// Each SOAP user is one system's.
fn soap_twice(snapshot: &Snapshot, systems: &Found, wrong: &mut Vec<Wrong>) {
    let mut seen: HashMap<&str, u32> = HashMap::new();
    for row in systems.rows().filter(|row| !row.get(17).is_empty()) {
        let registered = snapshot.by_soap_user(row.get(17));
        let other = registered.is_some_and(|s| s.code.as_str() != row.get(0));
        if seen.insert(row.get(17), row.number()).is_some() || other {
            let said = (
                "Tên truy cập SOAP này đã thuộc hệ thống khác.",
                "This SOAP user belongs to another system.",
            );
            wrong.push(row.wrong(17, said, RuleId::H1));
        }
    }
}

fn count(row: &Row<'_>, column: usize, rule: RuleId) -> Result<u32, Wrong> {
    let count = row.get(column).parse::<u32>().ok().filter(|count| *count > 0);
    count.ok_or_else(|| {
        row.wrong(column, ("Nhập số nguyên lớn hơn 0.", "Enter a whole number above 0."), rule)
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([' ', ',', ';', '\n']).filter(|word| !word.is_empty())
}

fn line(row: &Row<'_>, content: &mut Content) -> Result<(), Wrong> {
    let text = row.get(1);
    let service = Service::from_code(text)
        .or_else(|| Service::ALL.into_iter().find(|s| s.default_ma_tich_hop() == text));
    let said = (
        "Không có dịch vụ này; nhập mã như citizen.verify, hoặc mã tích hợp như 003.",
        "No such service; enter a code like citizen.verify, or an integration code like 003.",
    );
    let service = service.ok_or_else(|| row.wrong(1, said, RuleId::B5))?;
    let window = match fold(row.get(2)).as_str() {
        "tronggio" | "tronggiohanhchinh" | "inhours" => Window::InHours,
        "ngoaigio" | "ngoaigiohanhchinh" | "offhours" => Window::OffHours,
        _ => {
            let said = (
                "Khung giờ là “Trong giờ” hoặc “Ngoài giờ”.",
                "The window is “Trong giờ” (in hours) or “Ngoài giờ” (off hours).",
            );
            return Err(row.wrong(2, said, RuleId::B5));
        }
    };
    let daily = count(row, 3, RuleId::B5)?;
    let purpose = row.get(4).to_owned();
    let mut fields = FieldSet::EMPTY;
    for word in words(row.get(5)) {
        let said = (
            "Không có trường thông tin này; nhập mã như fullName, cách nhau bằng dấu phẩy.",
            "No such field; enter codes like fullName, parted by commas.",
        );
        fields.insert(Field::from_code(word).ok_or_else(|| row.wrong(5, said, RuleId::A4))?);
    }
    content.lines.push(LineRow { service, window, daily, purpose: purpose.clone() });
    let at = content.uses.iter().position(|u| u.service == service);
    let at = at.unwrap_or_else(|| {
        let procedures = vec![];
        content.uses.push(ServiceUse { service, fields: FieldSet::EMPTY, purpose, procedures });
        content.uses.len() - 1
    });
    let used = &mut content.uses[at];
    used.fields = used.fields.or(fields);
    for code in words(row.get(6))
        .filter(|code| used.procedures.iter().all(|c| c != code))
        .collect::<Vec<_>>()
    {
        used.procedures.push(code.to_owned());
    }
    Ok(())
}

fn procedure(row: &Row<'_>, content: &mut Content) -> Result<(), Wrong> {
    let required = match fold(row.get(5)).as_str() {
        "" | "khong" => false,
        "co" | "x" => true,
        _ => {
            return Err(row.wrong(
                5,
                ("Nhập “có” hoặc “không”.", "Enter “có” (yes) or “không” (no)."),
                RuleId::A5,
            ));
        }
    };
    content.procedures.push(ProcedureRow {
        code: row.get(1).to_owned(),
        purpose: row.get(2).to_owned(),
        cases: count(row, 3, RuleId::B10)?,
        queries: count(row, 4, RuleId::B10)?,
        case_required: required,
    });
    Ok(())
}

fn account(row: &Row<'_>, content: &mut Content) -> Result<(), Wrong> {
    let kind = match fold(row.get(8)).as_str() {
        "" | "canbo" => AccountKind::Officer,
        "hethong" => AccountKind::System,
        _ => {
            return Err(row.wrong(
                8,
                (
                    "Loại tài khoản là “cán bộ” hoặc “hệ thống”.",
                    "The kind is “cán bộ” (officer) or “hệ thống” (system).",
                ),
                RuleId::B6,
            ));
        }
    };
    let text = |column| row.get(column).to_owned();
    // A spreadsheet drops the noughts in front of a number.
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let padded = |text: &str| match text.len() {
        10..12 if digits(text) => format!("{text:0>12}"),
        _ => text.to_owned(),
    };
    let phone = match row.get(5) {
        text if text.len() == 9 && digits(text) => format!("0{text}"),
        text => text.to_owned(),
    };
    content.accounts.push(AccountRow {
        login: text(1),
        full_name: text(2),
        citizen_id: padded(row.get(3)),
        officer_code: text(4),
        phone,
        role: text(6),
        kind,
        daily: count(row, 7, RuleId::B6)?,
        services: ServiceSet::default(),
    });
    Ok(())
}

/// What the rules for dossiers say of its rows; what is only missing is left to the campaign: the
/// citizen ids of a list of 2021, whose form has no column for them, too (B4, B6).
fn judge((store, now): (&Store, Moment), sheets: &[Found], draft: &Draft, wrong: &mut Vec<Wrong>) {
    let Entering { unit, group, channel, content, .. } = &draft.entering;
    let mark = Mark { by: PersonId(0), at: now };
    let dossier = Dossier::begin(DossierNumber(0), unit.clone(), (*group, *channel), mark);
    let of_system = |(vi, en), rule| {
        let sheet = &SHEETS[SYSTEMS];
        Wrong { sheet: sheet.name, line: draft.line, column: sheet.head(0), vi, en, rule }
    };
    let dossier = match dossier.save(mark, Editor::Unit, content.clone()) {
        Ok(dossier) => dossier,
        Err(blocked) => return wrong.push(of_system((blocked.vi(), blocked.en()), blocked.rule())),
    };
    if content.lines.is_empty() {
        wrong.push(of_system(
            (
                "Hệ thống chưa có dòng nào ở trang “Dịch vụ”.",
                "The system has no row in the sheet “Dịch vụ”.",
            ),
            RuleId::B5,
        ));
    }
    for Missing { item, row, cell, rule, vi, en, .. } in
        missing(&dossier, store.profiles().at(now), now.viet_nam_date())
    {
        let sheet = match item {
            Item::InHours | Item::OffHours => LINES,
            Item::Accounts => ACCOUNTS,
            Item::Procedures => PROCEDURES,
            _ => continue,
        };
        if sheet == ACCOUNTS && cell == Some(Cell::CitizenId) && !sheets[ACCOUNTS].has(3) {
            continue;
        }
        // D4 is of the table as a whole; an empty list is completed later.
        let line = row.and_then(|row| draft.rows[sheet - 1].get(row));
        match (line, rule) {
            (Some(line), _) => {
                let column = sheets[sheet].head(column_of(sheet, cell));
                wrong.push(Wrong { sheet: SHEETS[sheet].name, line: *line, column, vi, en, rule });
            }
            (None, RuleId::D4) => wrong.push(of_system((vi, en), rule)),
            (None, _) => {}
        }
    }
}

/// The column that holds what is wrong; what is about a row as a whole stands at its key.
const fn column_of(sheet: usize, cell: Option<Cell>) -> usize {
    match (sheet, cell) {
        (PROCEDURES, Some(Cell::Purpose)) | (ACCOUNTS, Some(Cell::FullName)) => 2,
        (LINES, Some(Cell::Daily))
        | (PROCEDURES, Some(Cell::Cases))
        | (ACCOUNTS, Some(Cell::CitizenId)) => 3,
        (LINES, Some(Cell::Purpose))
        | (PROCEDURES, Some(Cell::Queries))
        | (ACCOUNTS, Some(Cell::OfficerCode)) => 4,
        (ACCOUNTS, Some(Cell::Phone)) => 5,
        (ACCOUNTS, Some(Cell::Daily)) => 7,
        _ => 1,
    }
}
