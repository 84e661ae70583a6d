//! What a dossier lacks, whose turn it is, and what the reviewer is warned of.

mod accounts;

use hashbrown::HashSet;
use jiff::civil::Date;

use super::content::{SHORT_MAX, TEXT_MAX, is_text};
use super::{Blocked, Confirmation, Content, Dossier, Item, Part, Stage, Step, named_by};
use crate::editions::Law;
use crate::files::Scan;
use crate::ids::{ProcedureCode, Purpose, SystemCode};
use crate::notices::is_address;
use crate::profile::Profile;
use crate::rule::RuleId;
use crate::service::Window;
use crate::text::phone;

/// Whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum Turn {
    /// Head and deputies of the unit.
    Unit,
    /// The operator of the unit's own software.
    Integrator,
    /// Reviewers of the centre.
    Reviewer,
    /// Who assesses security.
    Assessor,
    /// Operators of the centre.
    Operator,
}

impl Turn {
    /// Its name for people.
    #[must_use]
    pub const fn name_vi(self) -> &'static str {
        match self {
            Self::Unit => "Đơn vị",
            Self::Integrator => "Cán bộ tích hợp hệ thống",
            Self::Reviewer => "Cán bộ thẩm định hồ sơ",
            Self::Assessor => "Cán bộ kiểm tra an ninh, an toàn",
            Self::Operator => "Quản trị viên của Trung tâm",
        }
    }
}

/// Something that a dossier lacks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Missing {
    /// In which part.
    pub part: Part,
    /// What.
    pub item: Item,
    /// In which row of its table, from 0.
    pub row: Option<usize>,
    /// In which cell of the row; none: the row as a whole.
    pub cell: Option<Cell>,
    /// Whose turn it is.
    pub turn: Turn,
    /// The rule.
    pub rule: RuleId,
    /// In Vietnamese.
    pub vi: &'static str,
    /// In English.
    pub en: &'static str,
}

/// A cell of a row, by what it holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cell {
    /// Daily count.
    Daily,
    /// What it is for.
    Purpose,
    /// Cases a day.
    Cases,
    /// Queries a case.
    Queries,
    /// Name of the person.
    FullName,
    /// Số CCCD.
    CitizenId,
    /// Mã cán bộ.
    OfficerCode,
    /// Telephone.
    Phone,
}

/// Where in a table something is missing.
struct Place(Option<usize>, Option<Cell>);

impl From<Option<usize>> for Place {
    fn from(row: Option<usize>) -> Self {
        Self(row, None)
    }
}

impl From<usize> for Place {
    fn from(row: usize) -> Self {
        Self(Some(row), None)
    }
}

impl From<(usize, Cell)> for Place {
    fn from((row, cell): (usize, Cell)) -> Self {
        Self(Some(row), Some(cell))
    }
}

/// Whose turn it is: several at a time while steps run beside each other, nobody's when it is over.
#[must_use]
pub fn turns(dossier: &Dossier) -> Vec<Turn> {
    match dossier.stage() {
        Stage::Draft | Stage::Changes => vec![Turn::Unit],
        Stage::Submitted => vec![Turn::Reviewer],
        Stage::Accepted => {
            let open = Step::ALL.into_iter().filter(|step| dossier.closing(*step).is_none());
            let turns: Vec<Turn> = open
                .map(|step| match step {
                    Step::Documents => Turn::Reviewer,
                    Step::Sandbox => Turn::Integrator,
                    Step::Assessment => Turn::Assessor,
                })
                .collect();
            if turns.is_empty() { vec![Turn::Reviewer] } else { turns }
        }
        Stage::Approved => vec![Turn::Operator],
        Stage::Live | Stage::Refused(_) | Stage::Withdrawn | Stage::Closed => vec![],
    }
}

/// What papers cite that is out of force on a day (B2).
#[must_use]
pub fn warnings(dossier: &Dossier, day: Date) -> Vec<(Part, &'static Law)> {
    let cited = Part::ALL.into_iter().filter_map(|part| {
        let edition = dossier.paper(part).of_edition(part)?;
        Some(edition.expired_citations(day).map(move |law| (part, law)))
    });
    cited.flatten().collect()
}

/// What a dossier lacks on a day before it can be approved: first what the unit has to fill in and
/// sign, then what others have to do.
#[must_use]
pub fn missing(dossier: &Dossier, profile: &Profile, day: Date) -> Vec<Missing> {
    let mut found = of_content(dossier.content(), profile, day);
    // The list of a connection that goes on is kept by its own desk.
    found.retain(|m| m.part != Part::Accounts || dossier.in_force().is_none());
    for part in Part::ALL {
        let paper = dossier.paper(part);
        let item = of_part(part);
        let mut lacks = |turn, rule, vi, en| {
            found.push(Missing { part, item, row: None, cell: None, turn, rule, vi, en });
        };
        if part == Part::Security && paper.attachments.is_empty() {
            lacks(
                Turn::Unit,
                RuleId::B2,
                "Thiếu tệp văn bản xác nhận hoặc biên bản kiểm tra theo cấp độ.",
                "The file of the level-based security check is missing.",
            );
        }
        if paper.signed.is_none() {
            lacks(
                Turn::Unit,
                RuleId::B7,
                "Giấy tờ này chưa được thủ trưởng đơn vị ký.",
                "The head has not signed this paper.",
            );
        }
        if paper.checked.is_none() && matches!(dossier.stage(), Stage::Submitted | Stage::Accepted)
        {
            lacks(
                Turn::Reviewer,
                RuleId::B3,
                "Giấy tờ này chưa được thẩm định.",
                "This paper has not been checked.",
            );
        }
    }
    found.extend(of_steps(dossier));
    found
}

/// Files that count only when they were scanned, and were not (B2, *ours*): none unless the profile
/// asks for it. `scans` tells what is known of the files, by their numbers.
#[must_use]
pub fn unscanned(dossier: &Dossier, scans: &[(u64, Scan)], profile: &Profile) -> Vec<Missing> {
    if !profile.dossier.scanned_files {
        return vec![];
    }
    let clean = |id: u64| scans.contains(&(id, Scan::Clean));
    let parts = Part::ALL.into_iter();
    let parts = parts.filter(|part| dossier.paper(*part).attachments.iter().any(|a| !clean(a.id)));
    parts
        .map(|part| Missing {
            part,
            item: of_part(part),
            row: None,
            cell: None,
            turn: Turn::Unit,
            rule: RuleId::B2,
            vi: Blocked::FilesNotScanned.vi(),
            en: Blocked::FilesNotScanned.en(),
        })
        .collect()
}

/// What stands for a part as a whole.
const fn of_part(part: Part) -> Item {
    match part {
        Part::Commitment => Item::CommitmentFile,
        Part::Registration => Item::InHours,
        Part::Accounts => Item::Accounts,
        Part::Security => Item::SecurityFile,
    }
}

fn of_steps(dossier: &Dossier) -> Vec<Missing> {
    if *dossier.stage() != Stage::Accepted {
        return vec![];
    }
    let lacks = |item: Item, turn, rule, vi, en| Missing {
        part: item.part(),
        item,
        row: None,
        cell: None,
        turn,
        rule,
        vi,
        en,
    };
    let open = Step::ALL.into_iter().filter(|step| dossier.closing(*step).is_none());
    open.map(|step| match step {
        Step::Documents => lacks(
            Item::CommitmentFile,
            Turn::Reviewer,
            RuleId::B3,
            "Bước tài liệu chưa hoàn thành.",
            "The step of documents is open.",
        ),
        Step::Sandbox => lacks(
            Item::Technical,
            Turn::Integrator,
            RuleId::B3,
            "Chưa có kết quả kiểm thử kết nối đạt.",
            "No conformance run has passed yet.",
        ),
        Step::Assessment => lacks(
            Item::SecurityFile,
            Turn::Assessor,
            RuleId::C2,
            "Chưa có văn bản xác nhận an ninh, an toàn của cơ quan công an.",
            "The police's written confirmation is missing.",
        ),
    })
    .collect()
}

/// What the content alone lacks.
pub(super) fn of_content(content: &Content, profile: &Profile, day: Date) -> Vec<Missing> {
    let mut list = List(vec![]);
    list.texts(content);
    list.identity(content, profile);
    list.confirmation(&content.confirmation, day);
    list.tables(content, profile);
    list.uses(content);
    list.procedures(content);
    list.accounts(content, profile);
    list.0
}

struct List(Vec<Missing>);

impl List {
    fn add(
        &mut self,
        item: Item,
        at: impl Into<Place>,
        rule: RuleId,
        (vi, en): (&'static str, &'static str),
    ) {
        let turn = if item.is_technical() { Turn::Integrator } else { Turn::Unit };
        let (part, Place(row, cell)) = (item.part(), at.into());
        self.0.push(Missing { part, item, row, cell, turn, rule, vi, en });
    }

    fn unless(
        &mut self,
        fine: bool,
        item: Item,
        at: impl Into<Place>,
        rule: RuleId,
        words: (&'static str, &'static str),
    ) {
        if !fine {
            self.add(item, at, rule, words);
        }
    }

    fn texts(&mut self, c: &Content) {
        let empty = ("Mục này chưa được điền.", "This is not filled in.");
        let o = &c.officer;
        for (item, text, max) in [
            (Item::Functions, &c.functions, TEXT_MAX),
            (Item::SystemName, &c.system_name, SHORT_MAX),
            (Item::OfficerName, &o.name, SHORT_MAX),
            (Item::OfficerPosition, &o.position, SHORT_MAX),
            (Item::OfficerWorkplace, &o.workplace, SHORT_MAX),
            (Item::Purpose, &c.purpose, TEXT_MAX),
            (Item::Scope, &c.scope, TEXT_MAX),
            (Item::Matter, &c.matter, TEXT_MAX),
            (Item::Technical, &c.technical, TEXT_MAX),
            (Item::ConfirmationBody, &c.confirmation.body, SHORT_MAX),
        ] {
            self.unless(is_text(text, max), item, None, RuleId::B1, empty);
        }
        let b7 = [
            (Item::Representative, &c.representative),
            (Item::RepresentativePosition, &c.representative_position),
        ];
        for (item, text) in b7 {
            self.unless(is_text(text, SHORT_MAX), item, None, RuleId::B7, empty);
        }
        let c5 = [Item::Mfa, Item::Captcha, Item::Limits, Item::Scraping];
        for (item, text) in c5.into_iter().zip(&c.protection) {
            let words = (
                "Chưa nêu biện pháp của hệ thống và bằng chứng.",
                "How the system does it, with evidence, is not stated.",
            );
            self.unless(is_text(text, TEXT_MAX), item, None, RuleId::C5, words);
        }
    }

    fn identity(&mut self, c: &Content, profile: &Profile) {
        let code = SystemCode::parse(c.system_code.trim()).is_ok();
        let words = (
            "Mã hệ thống gồm 1-35 chữ không dấu, số, dấu chấm, gạch.",
            "The system code has 1-35 letters, digits, dots, dashes.",
        );
        self.unless(code, Item::SystemCode, None, RuleId::B1, words);
        let pattern = profile.dossier.system_name_pattern.as_deref();
        let fits = pattern.is_none_or(|pattern| named_by(pattern, c.system_name.trim()));
        let words = (
            "Tên hệ thống chưa theo quy tắc định danh tên.",
            "The name of the system does not follow the naming rule.",
        );
        self.unless(fits, Item::SystemName, None, RuleId::B1, words);
        let words = (
            "Số điện thoại gồm 7-15 chữ số.", //
            "A telephone number has 7-15 digits.",
        );
        self.unless(phone(&c.officer.phone).is_some(), Item::OfficerPhone, None, RuleId::B1, words);
        let whole = is_address(c.officer.email.trim());
        let words = ("Địa chỉ thư điện tử chưa đúng.", "The e-mail address is not whole.");
        self.unless(whole, Item::OfficerEmail, None, RuleId::B1, words);
        let words = (
            "Cấp độ an toàn của hệ thống chưa nêu, hoặc thấp hơn mức yêu cầu.",
            "The system's security level is not stated, or below what is required.",
        );
        // Levels are 1 to 5 (Decree 85/2016).
        let level = (profile.security.system_level..=5).contains(&c.security_level);
        self.unless(level, Item::SecurityLevel, None, RuleId::C1, words);
    }

    fn confirmation(&mut self, c: &Confirmation, today: Date) {
        let numbered =
            is_text(&c.number, SHORT_MAX) && c.number.chars().any(|c| c.is_ascii_digit());
        let words = ("Ghi số của văn bản xác nhận.", "Enter the document's number.");
        self.unless(numbered, Item::ConfirmationNumber, None, RuleId::B2, words);
        let dated = Date::strptime("%d/%m/%Y", c.date.trim());
        let words = match dated {
            Ok(_) => ("Ngày của văn bản xác nhận chưa tới.", "The document's day lies ahead."),
            Err(_) => (
                "Ghi ngày của văn bản xác nhận dạng dd/mm/yyyy.",
                "Enter the document's day as dd/mm/yyyy.",
            ),
        };
        let fits = dated.is_ok_and(|date| date <= today);
        self.unless(fits, Item::ConfirmationDate, None, RuleId::B2, words);
    }

    fn tables(&mut self, c: &Content, profile: &Profile) {
        let item = |window| match window {
            Window::InHours => Item::InHours,
            Window::OffHours => Item::OffHours,
        };
        let words = ("Chưa đăng ký dịch vụ nào.", "No service is registered.");
        self.unless(!c.lines.is_empty(), Item::InHours, None, RuleId::B5, words);
        let mut seen = HashSet::new();
        for (row, line) in c.lines.iter().enumerate() {
            let item = item(line.window);
            let words = (
                "Dịch vụ này đã có một dòng trong bảng.",
                "The service has a row in this table already.",
            );
            self.unless(seen.insert((line.service, line.window)), item, row, RuleId::B5, words);
            let words = (
                "Số lượt truy vấn theo ngày phải lớn hơn 0.",
                "The daily count has to be above 0.",
            );
            self.unless(line.daily > 0, item, (row, Cell::Daily), RuleId::B5, words);
            let words = ("Chưa nêu mục đích sử dụng.", "The purpose is not stated.");
            let at = (row, Cell::Purpose);
            self.unless(is_text(&line.purpose, SHORT_MAX), item, at, RuleId::B5, words);
        }
        let words = (
            "Các dòng ngoài giờ cộng lại vượt mức cho phép mỗi ngày.",
            "The off-hours lines together are above the daily cap.",
        );
        let capped = c.off_hours_total() <= profile.counts.off_hours_cap;
        self.unless(capped, Item::OffHours, None, RuleId::D4, words);
    }

    fn uses(&mut self, c: &Content) {
        let codes: HashSet<&str> = c.procedures.iter().map(|p| p.code.trim()).collect();
        let mut seen = HashSet::new();
        for (row, of) in c.uses.iter().enumerate() {
            let words = (
                "Dịch vụ này không có, hoặc có hai lần, trong đăng ký.",
                "The service is not registered, or stands here twice.",
            );
            let fits = c.services().contains(of.service) && seen.insert(of.service);
            self.unless(fits, Item::Fields, row, RuleId::B5, words);
            let words = (
                "Chưa nêu mục đích của các trường thông tin.",
                "What the fields are for is not stated.",
            );
            self.unless(is_text(&of.purpose, SHORT_MAX), Item::Fields, row, RuleId::A4, words);
            let words = (
                "Chưa chọn thủ tục, hoặc thủ tục không có trong danh mục của hồ sơ.",
                "No procedure is named, or one that the dossier does not list.",
            );
            let named = !of.procedures.is_empty() && of.codes().all(|code| codes.contains(code));
            self.unless(named, Item::Fields, row, RuleId::A4, words);
        }
        let all = c.services().iter().all(|s| c.uses.iter().any(|u| u.service == s));
        let words = (
            "Còn dịch vụ chưa nêu mục đích và thủ tục.",
            "A registered service has no purpose and procedure.",
        );
        self.unless(all, Item::Fields, None, RuleId::A4, words);
    }

    fn procedures(&mut self, c: &Content) {
        let mut seen = HashSet::new();
        for (row, procedure) in c.procedures.iter().enumerate() {
            let code = procedure.code.trim();
            let words = (
                "Mã thủ tục gồm 1-20 chữ không dấu, số, dấu chấm, gạch và không lặp lại.",
                "A procedure's code has 1-20 letters, digits, dots, dashes, and stands once.",
            );
            let fits = ProcedureCode::parse(code).is_ok() && seen.insert(code);
            self.unless(fits, Item::Procedures, row, RuleId::B10, words);
            let words = (
                "Mục đích của thủ tục gồm 1-60 chữ, số.",
                "A procedure's purpose has 1-60 letters and digits.",
            );
            let purpose = Purpose::parse(procedure.purpose.trim()).is_ok()
                && !procedure.purpose.trim().is_empty();
            self.unless(purpose, Item::Procedures, (row, Cell::Purpose), RuleId::A5, words);
            let words = (
                "Cần số hồ sơ mỗi ngày và số lượt truy vấn mỗi hồ sơ.",
                "Cases a day and queries a case are needed.",
            );
            let counted = procedure.cases > 0 && procedure.queries > 0;
            let cell = if procedure.cases > 0 { Cell::Queries } else { Cell::Cases };
            self.unless(counted, Item::Procedures, (row, cell), RuleId::B10, words);
        }
    }
}
