//! From a row to a person: every column checked, the first fault named.

use dancu_domain::birth::{BirthDate, BirthError};
use dancu_domain::geo::{self, IdWarning};
use dancu_domain::ids::{OldId, PersonalId};
use dancu_domain::name::FullName;
use dancu_domain::person::{
    Address, BloodGroup, Country, DETAIL_MAX, Dataset, HOUSEHOLD_NUMBER_MAX, HouseholdRole,
    MaritalStatus, Person, Relative, Sex, Source, Sources, Stamp, VitalStatus, is_ethnicity,
    is_religion,
};
use dancu_domain::service::Field;
use dancu_domain::text::{composed, is_storable};
use jiff::civil::Date;

use super::{Fault, Row, column as c};

/// Old ids of one person: a few have two.
const OLD_IDS_MAX: usize = 8;
/// Fields with a stamp of their own: every field once.
const OWN_STAMPS_MAX: usize = Field::ALL.len();

/// A row's person, and its place in a household that other rows complete.
pub struct Draft {
    /// The record without its household.
    pub person: Person,
    /// The household, where the row names one.
    pub household: Option<Membership>,
    /// What is odd about the row.
    pub warnings: Vec<Warning>,
}

/// Something odd that is taken as it is: numbers given abroad, a corrected sex, codes of other
/// lists than ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Warning {
    /// The first digits of the personal id are no province's.
    UnknownPrefix,
    /// The personal id carries another sex than the row.
    SexDiffers,
    /// A people's code that our list does not have.
    Ethnicity,
    /// A religion's code that our list does not have.
    Religion,
    /// A role's code that our list does not have.
    HouseholdRole,
}

impl Warning {
    /// Every warning, in the order of reports.
    pub const ALL: [Self; 5] = [
        Self::UnknownPrefix,
        Self::SexDiffers,
        Self::Ethnicity,
        Self::Religion,
        Self::HouseholdRole,
    ];

    /// Its column.
    pub const fn column(self) -> usize {
        match self {
            Self::UnknownPrefix | Self::SexDiffers => c::PERSONAL_ID,
            Self::Ethnicity => c::ETHNICITY,
            Self::Religion => c::RELIGION,
            Self::HouseholdRole => c::HOUSEHOLD_ROLE,
        }
    }

    /// What is odd, in Vietnamese.
    pub const fn message_vi(self) -> &'static str {
        match self {
            Self::UnknownPrefix => "ba chữ số đầu không phải mã nơi đăng ký khai sinh đã biết",
            Self::SexDiffers => "chữ số giới tính khác giới tính đã ghi",
            Self::Ethnicity | Self::Religion | Self::HouseholdRole => {
                "mã không có trong danh mục, giữ nguyên"
            }
        }
    }
}

fn warnings(person: &Person, household: Option<&Membership>) -> Vec<Warning> {
    let of_id = geo::id_warnings(person.personal_id, Some(person.sex));
    let mut found: Vec<_> = of_id
        .into_iter()
        .map(|warning| match warning {
            IdWarning::UnknownPrefix => Warning::UnknownPrefix,
            IdWarning::SexDiffers => Warning::SexDiffers,
        })
        .collect();
    for (odd, warning) in [
        (!is_ethnicity(person.ethnicity), Warning::Ethnicity),
        (!is_religion(person.religion), Warning::Religion),
        (household.is_some_and(|h| !h.role.is_listed()), Warning::HouseholdRole),
    ] {
        if odd {
            found.push(warning);
        }
    }
    found
}

/// What a row says about its household.
pub struct Membership {
    /// Số sổ hộ khẩu, số hộ.
    pub number: String,
    /// Quan hệ với chủ hộ.
    pub role: HouseholdRole,
    /// Chủ hộ as the row has it; the household's CH01 row decides, this one must agree.
    pub head: Option<Relative>,
}

/// The head of a household as its members' records have it.
pub fn as_head(person: &Person) -> Relative {
    Relative {
        full_name: person.full_name.clone(),
        personal_id: Some(person.personal_id),
        old_id: person.old_ids.first().copied(),
        nationality: person.nationality,
    }
}

/// Reads a row. `today` bounds every date and stamps rows without sources.
pub fn draft(row: &Row<'_>, today: Date) -> Result<Draft, Fault> {
    let birth = birth(row, today)?;
    let person = Person {
        personal_id: personal_id(row, c::PERSONAL_ID)?,
        old_ids: old_ids(row)?,
        full_name: name(row, c::FULL_NAME)?,
        other_name: present(row, c::OTHER_NAME).map(|_| name(row, c::OTHER_NAME)).transpose()?,
        birth,
        sex: code(row, c::SEX, 0, Sex::from_code)?,
        ethnicity: code(row, c::ETHNICITY, 99, Some)?,
        religion: code(row, c::RELIGION, 0, Some)?,
        nationality: country(row, c::NATIONALITY)?,
        marital: code(row, c::MARITAL_STATUS, 0, MaritalStatus::from_code)?,
        blood: code(row, c::BLOOD_GROUP, 0, BloodGroup::from_code)?,
        birth_place: address(row, c::BIRTH_PLACE)?,
        birth_registration: address(row, c::BIRTH_REGISTRATION)?,
        origin: address(row, c::ORIGIN)?,
        permanent: address(row, c::PERMANENT)?,
        temporary: address(row, c::TEMPORARY)?,
        current: address(row, c::CURRENT)?,
        father: relative(row, c::FATHER)?,
        mother: relative(row, c::MOTHER)?,
        spouse: relative(row, c::SPOUSE)?,
        guardian: relative(row, c::GUARDIAN)?,
        household: None,
        vital: vital(row, birth, today)?,
        sources: sources(row, today)?,
    };
    let household = membership(row)?;
    if let Some(Membership { role: HouseholdRole::Head, head: Some(head), .. }) = &household
        && *head != as_head(&person)
    {
        return Err(Fault::of(c::HEAD, "chủ hộ khác chính người của dòng CH01"));
    }
    let warnings = warnings(&person, household.as_ref());
    Ok(Draft { person, household, warnings })
}

/// The text of a column that is not empty.
fn present<'r>(row: &'r Row<'_>, column: usize) -> Option<&'r str> {
    Some(row.get(column)).filter(|text| !text.is_empty())
}

fn personal_id(row: &Row<'_>, column: usize) -> Result<PersonalId, Fault> {
    PersonalId::parse(row.get(column))
        .map_err(|_| Fault::of(column, "số định danh cá nhân phải có đúng 12 chữ số"))
}

fn old_id(text: &str, column: usize) -> Result<OldId, Fault> {
    OldId::parse(text).map_err(|_| Fault::of(column, "số CMND phải có đúng 9 chữ số"))
}

fn old_ids(row: &Row<'_>) -> Result<Vec<OldId>, Fault> {
    let mut ids = vec![];
    for text in row.get(c::OLD_IDS).split_ascii_whitespace() {
        let id = old_id(text, c::OLD_IDS)?;
        if ids.contains(&id) {
            return Err(Fault::of(c::OLD_IDS, "một số CMND ghi hai lần"));
        }
        if ids.len() == OLD_IDS_MAX {
            return Err(Fault::of(c::OLD_IDS, "quá 8 số CMND"));
        }
        ids.push(id);
    }
    Ok(ids)
}

fn name(row: &Row<'_>, column: usize) -> Result<FullName, Fault> {
    FullName::parse(row.get(column))
        .map_err(|_| Fault::of(column, "họ tên phải có 1-100 ký tự, chỉ gồm chữ cái"))
}

fn birth(row: &Row<'_>, today: Date) -> Result<BirthDate, Fault> {
    BirthDate::parse(row.get(c::DATE_OF_BIRTH), today).map_err(|error| {
        let message_vi = match error {
            BirthError::Format => "ngày sinh phải viết YYYY-MM-DD hoặc YYYY",
            BirthError::Impossible => "ngày sinh không có trong lịch",
            BirthError::Future => "ngày sinh ở tương lai",
            BirthError::TooOld => "năm sinh trước 1850",
        };
        Fault::of(c::DATE_OF_BIRTH, message_vi)
    })
}

/// One or two digits, or what stands for an empty text.
fn code<T>(
    row: &Row<'_>,
    column: usize,
    empty: u8,
    from_code: impl Fn(u8) -> Option<T>,
) -> Result<T, Fault> {
    let number = match row.get(column).as_bytes() {
        [] => Some(empty),
        [d] if d.is_ascii_digit() => Some(d - b'0'),
        [t, d] if t.is_ascii_digit() && d.is_ascii_digit() => Some((t - b'0') * 10 + d - b'0'),
        _ => None,
    };
    number.and_then(from_code).ok_or(Fault::of(column, "mã không có trong danh mục"))
}

fn country(row: &Row<'_>, column: usize) -> Result<Country, Fault> {
    match row.get(column) {
        "" => Ok(Country::VN),
        text => Country::parse(text)
            .ok_or(Fault::of(column, "quốc gia phải là mã ISO 3166-1 hai chữ cái")),
    }
}

/// Digits of at most five places; empty is 0, unknown.
fn place(row: &Row<'_>, column: usize) -> Result<u32, Fault> {
    let text = row.get(column);
    if text.len() > 5 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Fault::of(column, "mã đơn vị hành chính phải là chữ số"));
    }
    Ok(text.bytes().fold(0, |n, b| n * 10 + u32::from(b - b'0')))
}

/// Five columns: province, commune, detail, country, dataset; all empty for no address.
fn address(row: &Row<'_>, first: usize) -> Result<Option<Address>, Fault> {
    if (first..first + 5).all(|column| row.get(column).is_empty()) {
        return Ok(None);
    }
    let dataset = match row.get(first + 4) {
        "2024" => Dataset::Y2024,
        "2026" => Dataset::Y2026,
        _ => {
            return Err(Fault::of(first + 4, "địa chỉ phải ghi danh mục 2024 hoặc 2026"));
        }
    };
    let country = country(row, first + 3)?;
    let detail = text(row, first + 2, DETAIL_MAX)?;
    let unknown = |column| Fault::of(column, "không có trong danh mục đơn vị hành chính đã ghi");
    let (code, commune) = (place(row, first)?, place(row, first + 1)?);
    let province = u8::try_from(code).map_err(|_| unknown(first))?;
    if province != 0 && geo::province(dataset, province).is_none() {
        return Err(unknown(first));
    }
    if commune != 0 {
        let known = geo::commune(dataset, commune).ok_or(unknown(first + 1))?;
        if known.province != province {
            return Err(Fault::of(first + 1, "xã không thuộc tỉnh đã ghi"));
        }
    }
    if country != Country::VN && (province, commune) != (0, 0) {
        return Err(Fault::of(first, "địa chỉ nước ngoài không có mã tỉnh, xã"));
    }
    Ok(Some(Address { province, commune, detail, country, dataset }))
}

/// A text of some length, in NFC, that every answer can hold.
fn text(row: &Row<'_>, column: usize, longest: usize) -> Result<String, Fault> {
    let text = composed(row.get(column));
    if !text.chars().all(is_storable) {
        Err(Fault::of(column, "có ký tự điều khiển hoặc ký tự mà XML không cho phép"))
    } else if text.len() > longest && text.chars().count() > longest {
        Err(Fault::of(column, "quá dài"))
    } else {
        Ok(text.into_owned())
    }
}

/// Four columns: name, personal id, old id, nationality; all empty for no relative.
fn relative(row: &Row<'_>, first: usize) -> Result<Option<Relative>, Fault> {
    if (first..first + 4).all(|column| row.get(column).is_empty()) {
        return Ok(None);
    }
    Ok(Some(Relative {
        full_name: name(row, first)?,
        personal_id: present(row, first + 1).map(|_| personal_id(row, first + 1)).transpose()?,
        old_id: present(row, first + 2).map(|text| old_id(text, first + 2)).transpose()?,
        nationality: country(row, first + 3)?,
    }))
}

fn membership(row: &Row<'_>) -> Result<Option<Membership>, Fault> {
    let head = relative(row, c::HEAD)?;
    let number = text(row, c::HOUSEHOLD_NUMBER, HOUSEHOLD_NUMBER_MAX)?;
    let role = row.get(c::HOUSEHOLD_ROLE);
    if number.is_empty() {
        return if role.is_empty() && head.is_none() {
            Ok(None)
        } else {
            Err(Fault::of(c::HOUSEHOLD_NUMBER, "có quan hệ hoặc chủ hộ thì phải có số hộ"))
        };
    }
    let role = HouseholdRole::from_code(role)
        .ok_or(Fault::of(c::HOUSEHOLD_ROLE, "quan hệ với chủ hộ phải là CH và hai chữ số"))?;
    Ok(Some(Membership { number, role, head }))
}

/// 1 alive, 2 dead, 3 missing; the day of the latter two where known.
fn vital(row: &Row<'_>, birth: BirthDate, today: Date) -> Result<VitalStatus, Fault> {
    let day = present(row, c::VITAL_DATE).map(|text| {
        day(text, today).ok_or(Fault::of(c::VITAL_DATE, "phải viết YYYY-MM-DD, không sau hôm nay"))
    });
    let day = day.transpose()?;
    let too_early = match (birth, day) {
        (BirthDate::Day(birth), Some(day)) => day < birth,
        (BirthDate::Year(year), Some(day)) => day.year() < year,
        (_, None) => false,
    };
    if too_early {
        return Err(Fault::of(c::VITAL_DATE, "trước ngày sinh"));
    }
    match (row.get(c::VITAL_STATUS), day) {
        ("" | "1", None) => Ok(VitalStatus::Alive),
        ("" | "1", Some(_)) => Err(Fault::of(c::VITAL_DATE, "người còn sống không có ngày này")),
        ("2", day) => Ok(VitalStatus::Dead(day)),
        ("3", day) => Ok(VitalStatus::Missing(day)),
        _ => Err(Fault::of(c::VITAL_STATUS, "mã không có trong danh mục")),
    }
}

/// `source@day` for every field, then `field,field=source@day` for those that differ.
fn sources(row: &Row<'_>, today: Date) -> Result<Sources, Fault> {
    let fault = Fault::of(c::SOURCES, "nguồn không đúng dạng nguồn@YYYY-MM-DD trường=nguồn@…");
    let mut words = row.get(c::SOURCES).split_ascii_whitespace();
    let default = match words.next() {
        None => Stamp { source: Source::Manual, on: today },
        Some(word) => stamp(word, today).ok_or(fault)?,
    };
    let mut own: Vec<(Field, Stamp)> = vec![];
    for word in words {
        let (fields, given) = word.split_once('=').ok_or(fault)?;
        let given = stamp(given, today).ok_or(fault)?;
        for field in fields.split(',') {
            let field = Field::from_code(field).ok_or(fault)?;
            if own.len() == OWN_STAMPS_MAX || own.iter().any(|(f, _)| *f == field) {
                return Err(Fault::of(c::SOURCES, "một trường có hai nguồn"));
            }
            own.push((field, given));
        }
    }
    Ok(Sources { default, own })
}

fn stamp(text: &str, today: Date) -> Option<Stamp> {
    let (source, on) = text.split_once('@')?;
    let source = super::write::SOURCES.iter().find(|(_, name)| *name == source)?.0;
    Some(Stamp { source, on: day(on, today)? })
}

/// `YYYY-MM-DD`, not after today.
fn day(text: &str, today: Date) -> Option<Date> {
    let number = |range: std::ops::Range<usize>| {
        text.get(range)?
            .bytes()
            .try_fold(0_i16, |n, b| b.is_ascii_digit().then(|| n * 10 + i16::from(b - b'0')))
    };
    if text.len() != 10 || text.get(4..5) != Some("-") || text.get(7..8) != Some("-") {
        return None;
    }
    let (month, day) = (number(5..7)?, number(8..10)?);
    Date::new(number(0..4)?, month as i8, day as i8).ok().filter(|d| *d <= today)
}
