//! What is typed or imported, looked at: every value by itself, then against the list (B6, E1).

use std::ops::RangeInclusive;

use dancu_domain::ids::{AccountId, IdError, Login, OfficerCode, PersonalId};
use dancu_domain::name::FullName;
use dancu_domain::registration::{AccountKind, AccountState};
use dancu_domain::text;
use dancu_store::policy::accounts::Listed;
use hashbrown::{HashMap, HashSet};

use crate::act::both;
use dancu_papers::sheet::{Column, Raw, Row};

/// Daily count of one officer at most (*ours*): a question a second from 07:00 to 18:00.
pub const DAILY_MAX: u32 = 11 * 3_600;

/// An account as it is wanted.
#[derive(Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Tài khoản đăng nhập.
    pub login: Login,
    /// Họ và tên.
    pub name: FullName,
    /// Số CCCD; none: what is stored stays.
    pub personal_id: Option<PersonalId>,
    /// Mã cán bộ.
    pub officer_code: Option<OfficerCode>,
    /// Số điện thoại: digits, with a plus in front where it names the country.
    pub phone: String,
    /// Số lần truy vấn trong ngày.
    pub daily: u32,
}

/// Everything in it is personal data.
impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Wanted(***)")
    }
}

/// What is wrong with a value.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wrong {
    /// Nothing stands there.
    Missing,
    /// The file has no column for what a new account needs.
    NoColumn,
    /// A login of another length.
    LoginLength(usize, usize),
    /// A login with other characters.
    LoginCharacters,
    /// The login belongs to a system or plan account.
    LoginNotOfficer,
    /// The login belonged to an account that was revoked.
    LoginRevoked,
    /// The login belongs to somebody of another unit, or did.
    LoginElsewhere,
    /// The login is on the list.
    LoginTaken,
    /// Somebody on the list is called by the login: it is their officer code or citizen id.
    LoginIsCode,
    /// No name.
    Name,
    /// Not 12 digits.
    PersonalId,
    /// Another account of the system is this person's (E1).
    PersonalIdTaken,
    /// An officer code that is none.
    OfficerCode,
    /// Another account has the code, or it for its login.
    OfficerCodeTaken,
    /// No telephone number.
    Phone,
    /// No count.
    Daily,
    /// The same as in this row of the file.
    Twice(u32),
    /// The cell holds a formula.
    Formula(String),
}

impl Wrong {
    /// One sentence that says what to do, in Vietnamese and in English.
    #[must_use]
    pub fn sentence(&self) -> (String, String) {
        match self {
            Self::Missing => both("Chưa nhập; mục này bắt buộc.", "Missing; it is needed."),
            Self::NoColumn => both(
                "Tài khoản mới cần mục này (B6): thêm cột vào tệp, hoặc dùng mẫu năm 2025.",
                "A new account needs it (B6): add the column, or use the form of 2025.",
            ),
            Self::LoginLength(min, max) => (
                format!("Tên đăng nhập phải có từ {min} đến {max} ký tự."),
                format!("A login has {min} to {max} characters."),
            ),
            Self::LoginCharacters => both(
                "Tên đăng nhập chỉ gồm chữ cái không dấu, chữ số và . _ - @",
                "A login has letters without accents, digits and . _ - @ only.",
            ),
            Self::LoginNotOfficer => both(
                "Tên này là tài khoản hệ thống hoặc tài khoản kế hoạch; dùng tên khác.",
                "This is a system or plan account; choose another login.",
            ),
            Self::LoginRevoked => both(
                "Tài khoản này đã thu hồi và không mở lại được; dùng tên khác.",
                "This account was revoked for good; choose another login.",
            ),
            Self::LoginElsewhere => both(
                "Tên đăng nhập đã dùng ở nơi khác trong hệ thống; dùng tên khác.",
                "This login is or was somebody else's; choose another one.",
            ),
            Self::LoginTaken => {
                both("Tên đăng nhập đã có trong danh sách.", "This login is on the list already.")
            }
            Self::LoginIsCode => both(
                "Tên đăng nhập trùng với mã cán bộ hoặc số CCCD của người khác; dùng tên khác.",
                "This login is another's officer code or citizen id; choose another one.",
            ),
            Self::Name => both(
                "Họ và tên chỉ gồm chữ cái và khoảng trắng, tối đa 100 ký tự.",
                "A name has letters and blanks only, at most 100 characters.",
            ),
            Self::PersonalId => {
                both("Số CCCD phải có đúng 12 chữ số.", "A citizen id has exactly 12 digits.")
            }
            Self::PersonalIdTaken => both(
                "Người này đã có tài khoản khác trong hệ thống; mỗi cán bộ một tài khoản (E1).",
                "This person has another account of the system; one officer, one account (E1).",
            ),
            Self::OfficerCode => {
                both("Mã cán bộ tối đa 20 ký tự.", "An officer code has at most 20 characters.")
            }
            Self::OfficerCodeTaken => both(
                "Mã cán bộ trùng với mã hoặc tên đăng nhập của người khác.",
                "Another account has this code, or uses it as its login.",
            ),
            Self::Phone => both(
                "Số điện thoại gồm 7 đến 15 chữ số, có thể có dấu + ở đầu.",
                "A telephone number has 7 to 15 digits, with a + in front or none.",
            ),
            Self::Daily => (
                format!("Số lần truy vấn trong ngày là số nguyên từ 1 đến {DAILY_MAX}."),
                format!("The daily count is a whole number from 1 to {DAILY_MAX}."),
            ),
            Self::Twice(line) => {
                (format!("Trùng với dòng {line} của tệp."), format!("The same as in row {line}."))
            }
            Self::Formula(cell) => (
                format!("Ô {cell} là công thức; thay bằng giá trị."),
                format!("Cell {cell} is a formula; replace it by its value."),
            ),
        }
    }
}

/// Everything that is wrong with the values of one account, by column.
pub type Faults = Vec<(Column, Wrong)>;

/// Reads what was typed; `logins` are the lengths of the profile.
///
/// # Errors
/// Everything that is wrong, in the order of the columns.
pub fn read(raw: &Raw, logins: &RangeInclusive<usize>) -> Result<Wanted, Faults> {
    let mut faults = vec![];
    let mut fault = |column, wrong| faults.push((column, wrong));
    let login = login(raw.get(Column::Login), logins).map_err(|w| fault(Column::Login, w));
    let name = match raw.get(Column::Name) {
        "" => Err(Wrong::Missing),
        text => FullName::parse(text).map_err(|_| Wrong::Name),
    };
    let name = name.map_err(|w| fault(Column::Name, w));
    let personal_id = match raw.get(Column::PersonalId) {
        "" => Ok(None),
        text => {
            let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '.' | '-')).collect();
            PersonalId::parse(&digits).map(Some).map_err(|_| Wrong::PersonalId)
        }
    };
    let personal_id = personal_id.map_err(|w| fault(Column::PersonalId, w));
    let officer_code = match raw.get(Column::OfficerCode) {
        "" => Ok(None),
        text => OfficerCode::parse(text).map(Some).map_err(|_| Wrong::OfficerCode),
    };
    let officer_code = officer_code.map_err(|w| fault(Column::OfficerCode, w));
    let phone = phone(raw.get(Column::Phone)).ok_or(Wrong::Phone);
    let phone = phone.map_err(|w| fault(Column::Phone, w));
    let daily = match raw.get(Column::Daily) {
        "" => Err(Wrong::Missing),
        text => {
            // 1.250 is how the number is written here.
            let digits = text.replace(['.', ' '], "");
            digits.parse().ok().filter(|n| (1..=DAILY_MAX).contains(n)).ok_or(Wrong::Daily)
        }
    };
    let daily = daily.map_err(|w| fault(Column::Daily, w));
    match (login, name, personal_id, officer_code, phone, daily) {
        (Ok(login), Ok(name), Ok(personal_id), Ok(officer_code), Ok(phone), Ok(daily)) => {
            Ok(Wanted { login, name, personal_id, officer_code, phone, daily })
        }
        _ => Err(faults),
    }
}

fn login(text: &str, lengths: &RangeInclusive<usize>) -> Result<Login, Wrong> {
    let length = || Wrong::LoginLength(*lengths.start(), *lengths.end());
    if text.is_empty() {
        return Err(Wrong::Missing);
    }
    let login = Login::parse(text).map_err(|error| match error {
        IdError::Length => length(),
        IdError::Character => Wrong::LoginCharacters,
    })?;
    if lengths.contains(&login.as_str().len()) { Ok(login) } else { Err(length()) }
}

/// A telephone number may be left out.
fn phone(text: &str) -> Option<String> {
    if text.is_empty() { Some(String::new()) } else { text::phone(text) }
}

/// What a row of an import would do.
#[derive(Clone, Debug)]
pub enum Effect {
    /// An account is added.
    Add(Wanted),
    /// An account is changed.
    Change(AccountId, Wanted),
    /// The account is as the row says.
    Same(AccountId),
    /// The row cannot be carried out.
    Wrong(Faults),
}

/// Whose the names on a list are by which clients may call somebody: logins, officer codes, citizen
/// ids. What is revoked keeps its login alone.
pub(crate) struct Names {
    logins: HashSet<String>,
    /// Folded login by officer code.
    codes: HashMap<String, String>,
    /// Folded login of an officer by citizen id; who answers for a system account may be an officer
    /// too (B6).
    ids: HashMap<PersonalId, String>,
}

impl Names {
    pub(crate) fn of(known: &[Listed]) -> Self {
        let (mut codes, mut ids) = (HashMap::new(), HashMap::new());
        for a in known.iter().map(|k| &k.account).filter(|a| a.state != AccountState::Revoked) {
            if let Some(code) = &a.officer_code {
                codes.entry(code.as_str().to_lowercase()).or_insert_with(|| a.login.folded());
            }
            if let Some(id) = a.citizen_id.filter(|_| a.kind == AccountKind::Officer) {
                ids.insert(id, a.login.folded());
            }
        }
        let logins = known.iter().map(|k| k.account.login.folded()).collect();
        Self { logins, codes, ids }
    }

    /// Whether a login is on the list.
    pub(crate) fn has(&self, login: &Login) -> bool {
        self.logins.contains(&login.folded())
    }

    /// What of an account is somebody else's already: of a new one its login too, which would take
    /// the name of who is called by it (E1).
    pub(crate) fn taken(
        &self,
        (login, is_new): (&Login, bool),
        id: Option<PersonalId>,
        code: Option<&OfficerCode>,
    ) -> Faults {
        let folded = login.folded();
        let others = |owner: &String| *owner != folded;
        let mut faults = vec![];
        let called = self.codes.get(&folded).is_some_and(others)
            || PersonalId::parse(&folded).is_ok_and(|id| self.ids.get(&id).is_some_and(others));
        if called && is_new {
            faults.push((Column::Login, Wrong::LoginIsCode));
        }
        if id.is_some_and(|id| self.ids.get(&id).is_some_and(others)) {
            faults.push((Column::PersonalId, Wrong::PersonalIdTaken));
        }
        let code = code.map(|c| c.as_str().to_lowercase());
        if let Some(code) = code
            && (self.codes.get(&code).is_some_and(others)
                || (code != folded && self.logins.contains(&code)))
        {
            faults.push((Column::OfficerCode, Wrong::OfficerCodeTaken));
        }
        faults
    }
}

/// What each row would do to a list. Accounts that no row names stay as they are.
#[must_use]
pub fn plan(rows: &[Row], known: &[Listed], logins: &RangeInclusive<usize>) -> Vec<Effect> {
    let read: Vec<Result<Wanted, Faults>> = rows.iter().map(|row| read_row(row, logins)).collect();
    let wanted = || read.iter().flatten();
    let in_file: HashSet<String> = wanted().map(|w| w.login.folded()).collect();
    let with_id = wanted().filter(|w| w.personal_id.is_some());
    let with_id: HashSet<String> = with_id.map(|w| w.login.folded()).collect();
    let by_login: HashMap<String, &Listed> =
        known.iter().map(|k| (k.account.login.folded(), k)).collect();
    // Codes and ids of accounts that the file names are what it says; a row without an id keeps the
    // one that is stored.
    let mut names = Names::of(known);
    names.codes.retain(|_, login| !in_file.contains(login));
    names.ids.retain(|_, login| !with_id.contains(login));
    names.logins.extend(in_file);
    let mut seen = Seen::default();
    let effects = read.into_iter().zip(rows).map(|(read, row)| match read {
        Err(faults) => Effect::Wrong(faults),
        Ok(wanted) => {
            let login = wanted.login.folded();
            let found = by_login.get(login.as_str()).copied();
            let faults = clashes(&wanted, found, &names, &mut seen, row.line);
            if !faults.is_empty() {
                return Effect::Wrong(faults);
            }
            match found {
                None => Effect::Add(wanted),
                Some(k) if is_same(&wanted, k) => Effect::Same(k.account.id),
                Some(k) => Effect::Change(k.account.id, wanted),
            }
        }
    });
    effects.collect()
}

fn read_row(row: &Row, logins: &RangeInclusive<usize>) -> Result<Wanted, Faults> {
    let formulas: Faults =
        row.formulas.iter().map(|(c, cell)| (*c, Wrong::Formula(cell.clone()))).collect();
    match read(&row.raw, logins) {
        Ok(wanted) if formulas.is_empty() => Ok(wanted),
        Ok(_) => Err(formulas),
        Err(faults) => {
            // A cell with a formula has no value: that it is missing need not be said.
            let other = faults.into_iter().filter(|(c, _)| formulas.iter().all(|(f, _)| f != c));
            let mut all: Faults = formulas.iter().cloned().chain(other).collect();
            all.sort_by_key(|(column, _)| *column);
            Err(all)
        }
    }
}

/// Rows of the file by what must not come twice.
#[derive(Default)]
struct Seen {
    logins: HashMap<String, u32>,
    ids: HashMap<PersonalId, u32>,
    codes: HashMap<String, u32>,
}

fn clashes(
    wanted: &Wanted,
    found: Option<&Listed>,
    names: &Names,
    seen: &mut Seen,
    line: u32,
) -> Faults {
    let Wanted { login, personal_id, officer_code, .. } = wanted;
    let mut faults = names.taken((login, found.is_none()), *personal_id, officer_code.as_ref());
    let free = |column| faults.iter().all(|(known, _)| *known != column);
    let (free_id, free_code) = (free(Column::PersonalId), free(Column::OfficerCode));
    if let Some(other) = seen.logins.insert(login.folded(), line) {
        faults.push((Column::Login, Wrong::Twice(other)));
    }
    match found.map(|k| (k.account.kind, k.account.state)) {
        Some((kind, _)) if kind != AccountKind::Officer => {
            faults.push((Column::Login, Wrong::LoginNotOfficer));
        }
        Some((_, AccountState::Revoked)) => faults.push((Column::Login, Wrong::LoginRevoked)),
        _ => {}
    }
    match personal_id {
        Some(id) => {
            if let Some(other) = seen.ids.insert(*id, line).filter(|_| free_id) {
                faults.push((Column::PersonalId, Wrong::Twice(other)));
            }
        }
        // B6 names the officer; who is on the list without an id is not struck off for it.
        None if found.is_none() => faults.push((Column::PersonalId, Wrong::Missing)),
        None => {}
    }
    if let Some(code) = officer_code.as_ref().filter(|_| free_code)
        && let Some(other) = seen.codes.insert(code.as_str().to_lowercase(), line)
    {
        faults.push((Column::OfficerCode, Wrong::Twice(other)));
    }
    faults.sort_by_key(|(column, _)| *column);
    faults
}

fn is_same(wanted: &Wanted, known: &Listed) -> bool {
    let a = &known.account;
    wanted.name.as_str() == known.full_name
        && wanted.personal_id.is_none_or(|id| a.citizen_id == Some(id))
        && wanted.officer_code == a.officer_code
        && wanted.phone == known.phone
        && wanted.daily == a.daily
}
