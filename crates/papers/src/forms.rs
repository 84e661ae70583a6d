//! The forms of the dossier, filled from what is registered; what nobody knows stays a dotted line
//! for the pen.

use dancu_domain::editions::{Edition, Form};
use jiff::civil::Date;

pub use crate::sheet::Contact;
use crate::sheet::Layout;

use crate::layout::{Page, Table, lay_out};
use crate::wording::{Known, blocks};
use crate::{Failed, Pdf, made, printed};

/// Whose form it is.
#[derive(Clone, Default)]
pub struct About {
    /// Đơn vị đăng ký.
    pub unit: String,
    /// Tên hệ thống thông tin, CSDL.
    pub system: String,
    /// Đầu mối liên hệ.
    pub contact: Contact,
}

impl About {
    pub(crate) fn known(&self) -> Known {
        Known::default()
            .with("unit", &self.unit)
            .with("system", &self.system)
            .with("contact", &self.contact.name)
            .with("position", &self.contact.position)
            .with("phone", &self.contact.phone)
            .with("email", &self.contact.email)
            .with("workplace", &self.unit)
    }
}

/// A line of the service registration form (B5).
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Registered {
    /// Dịch vụ đăng ký.
    pub service: String,
    /// Số lượt truy vấn (theo ngày).
    pub daily: u32,
    /// Mục đích sử dụng.
    pub purpose: String,
}

/// A row of the account list (B6); empty where nothing is known.
#[derive(Clone, Default)]
pub struct Account {
    /// Tên tài khoản đăng nhập.
    pub login: String,
    /// Họ và tên.
    pub name: String,
    /// Số CCCD.
    pub personal_id: String,
    /// Mã cán bộ.
    pub officer_code: String,
    /// Số điện thoại.
    pub phone: String,
    /// Vai trò, trách nhiệm (2021).
    pub role: String,
    /// Số lần truy vấn trong ngày.
    pub daily: u32,
    /// Mục đích sử dụng (2021).
    pub purpose: String,
}

/// Who signs a commitment (B7); empty where nothing is known.
#[derive(Clone, Default)]
pub struct Signer {
    /// Họ tên.
    pub name: String,
    /// Số CCCD.
    pub personal_id: String,
    /// Số điện thoại.
    pub phone: String,
    /// Chức vụ.
    pub position: String,
    /// Đơn vị.
    pub unit: String,
}

/// The wording of an edition.
pub(crate) fn wording(edition: &Edition) -> &'static str {
    match (edition.form, edition.name) {
        (Form::ServiceRegistration, _) => include_str!("../wording/registration_2025.txt"),
        (Form::AccountList, "2021") => include_str!("../wording/accounts_2021.txt"),
        (Form::AccountList, _) => include_str!("../wording/accounts_2025.txt"),
        (Form::OrganisationCommitment, "2021") => {
            include_str!("../wording/organisation_2021.txt")
        }
        (Form::OrganisationCommitment, _) => include_str!("../wording/organisation_2025.txt"),
        (Form::IndividualCommitment, _) => include_str!("../wording/individual_2021.txt"),
    }
}

/// A table of rows, or the empty one of the form: so many numbered rows, and where the form has
/// it an ellipsis below them.
fn table(
    heads: &[(&str, f32)],
    centred: &[usize],
    rows: Vec<Vec<String>>,
    empty: (usize, bool),
) -> Table {
    let rows = if rows.is_empty() {
        let numbers = (1..=empty.0).map(|n| n.to_string());
        let last = empty.1.then(|| "…".to_owned());
        let blank = |first: String| {
            let mut row = vec![String::new(); heads.len()];
            row[0] = first;
            row
        };
        numbers.chain(last).map(blank).collect()
    } else {
        rows
    };
    Table {
        columns: heads.iter().map(|(head, share)| ((*head).to_owned(), *share)).collect(),
        centred: (0..heads.len()).map(|at| centred.contains(&at)).collect(),
        rows,
    }
}

/// Phiếu đăng ký sử dụng dịch vụ (B5).
///
/// # Errors
/// The file could not be made.
pub fn service_registration(
    edition: &Edition,
    about: &About,
    [in_hours, off_hours]: [&[Registered]; 2],
    day: Date,
) -> Result<Pdf, Failed> {
    let blocks = blocks(wording(edition), &about.known(), |name| match name {
        "inHours" => Some(services(in_hours)),
        _ => Some(services(off_hours)),
    });
    made("Phiếu đăng ký sử dụng dịch vụ", day, &blocks)
}

fn services(all: &[Registered]) -> Table {
    let heads = [
        ("TT", 7.0),
        ("Dịch vụ đăng ký", 40.0),
        ("Số lượt truy vấn (theo ngày)", 22.0),
        ("Mục đích sử dụng", 45.0),
    ];
    let row = |(at, r): (usize, &Registered)| {
        vec![(at + 1).to_string(), r.service.clone(), thousands(r.daily), r.purpose.clone()]
    };
    table(&heads, &[0, 2], all.iter().enumerate().map(row).collect(), (2, true))
}

/// Danh sách tài khoản (B6), in the columns of the edition.
///
/// # Errors
/// The file could not be made.
pub fn account_list(
    edition: &Edition,
    about: &About,
    accounts: &[Account],
    day: Date,
) -> Result<Pdf, Failed> {
    let blocks = blocks(wording(edition), &about.known(), |_| {
        Some(if edition.name == "2021" { accounts_2021(accounts) } else { accounts_2025(accounts) })
    });
    made("Danh sách tài khoản đăng ký", day, &blocks)
}

/// Heads of the list with their shares of the width, behind the number of the row.
fn heads(layout: Layout, shares: [f32; 6]) -> Vec<(&'static str, f32)> {
    let columns = layout.columns().map(|column| layout.head(column));
    [("TT", 9.0)].into_iter().chain(columns.into_iter().zip(shares)).collect()
}

fn accounts_2025(accounts: &[Account]) -> Table {
    let heads = heads(Layout::Of2025, [32.0, 33.0, 26.0, 20.0, 22.0, 20.0]);
    let row = |(at, a): (usize, &Account)| {
        vec![
            (at + 1).to_string(),
            a.login.clone(),
            a.name.clone(),
            a.personal_id.clone(),
            a.officer_code.clone(),
            a.phone.clone(),
            thousands(a.daily),
        ]
    };
    table(&heads, &[0, 3, 4, 5, 6], accounts.iter().enumerate().map(row).collect(), (3, true))
}

fn accounts_2021(accounts: &[Account]) -> Table {
    let heads = heads(Layout::Of2021, [30.0, 30.0, 22.0, 22.0, 20.0, 30.0]);
    let row = |(at, a): (usize, &Account)| {
        vec![
            (at + 1).to_string(),
            a.name.clone(),
            a.login.clone(),
            a.phone.clone(),
            a.role.clone(),
            thousands(a.daily),
            a.purpose.clone(),
        ]
    };
    table(&heads, &[0, 3, 5], accounts.iter().enumerate().map(row).collect(), (5, false))
}

/// Bản cam kết đối với tổ chức (B7).
///
/// # Errors
/// The file could not be made.
pub fn organisation_commitment(
    edition: &Edition,
    signer: &Signer,
    day: Date,
) -> Result<Pdf, Failed> {
    let known = Known::default()
        .with("representative", &signer.name)
        .with("signUnit", &signer.unit.to_uppercase());
    let pages = commitment(edition, known, signer, Some(day));
    printed("Bản cam kết đối với tổ chức", day, &pages)
}

/// Bản cam kết đối với cá nhân (B7), one after the other, each with pages of its own.
///
/// # Errors
/// The file could not be made.
pub fn individual_commitments(
    edition: &Edition,
    signers: &[Signer],
    day: Date,
) -> Result<Pdf, Failed> {
    let one = |signer: &Signer| {
        let known = Known::default().with("name", &signer.name).with("workplace", &signer.unit);
        commitment(edition, known, signer, Some(day))
    };
    let pages: Vec<Page> = signers.iter().flat_map(one).collect();
    printed("Bản cam kết đối với cá nhân", day, &pages)
}

/// A commitment says how many pages it has, which is known when it is laid out. Its year is that
/// of the paper; day, month and place are written by whoever signs.
fn commitment(edition: &Edition, known: Known, signer: &Signer, day: Option<Date>) -> Vec<Page> {
    let year = day.map(|day| day.year().to_string()).unwrap_or_default();
    let place = if day.is_some() { "……………" } else { "" };
    let known = known
        .with("unit", &signer.unit)
        .with("citizenId", &signer.personal_id)
        .with("phone", &signer.phone)
        .with("position", &signer.position)
        .with("year", &year)
        .with("signYear", &year)
        .with("signPlace", place);
    let laid = |known: &Known| lay_out(&blocks(wording(edition), known, |_| None));
    let pages = laid(&known);
    if day.is_none() {
        return pages;
    }
    let count = format!("{:02}", pages.len());
    laid(&known.with("pages", &count))
}

/// `1234567` as `1.234.567`.
pub(crate) fn thousands(n: u32) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, c) in digits.char_indices() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push('.');
        }
        out.push(c);
    }
    out
}

#[cfg(test)]
mod tests;
