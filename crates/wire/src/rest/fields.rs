//! From raw values to domain values. Every error is collected, none holds the value.

use dancu_domain::birth::{BirthDate, BirthError};
use dancu_domain::ids::{
    CaseCode, IdError, OfficerRef, OldId, PersonalId, ProcedureCode, Purpose, RequestId,
};
use dancu_domain::name::{NameError, NameQuery};
use dancu_domain::person::{Country, DETAIL_MAX, Dataset, HOUSEHOLD_NUMBER_MAX};
use dancu_domain::text::{composed, is_storable};
use dancu_gate::query::FieldError;
use jiff::civil::Date;

use super::raw::{Issue, Issues, Nested, Raw};

/// Most errors that one answer lists.
const ERRORS_MAX: usize = 50;

/// Where a value stands in the body; a chain, so that a path costs nothing until it is needed.
#[derive(Clone, Copy)]
pub(super) struct At<'p> {
    up: Option<&'p At<'p>>,
    name: &'p str,
}

impl<'p> At<'p> {
    /// A field of the body itself.
    pub(super) const fn root(name: &'p str) -> Self {
        Self { up: None, name }
    }

    /// A field of this object.
    pub(super) const fn then<'q>(&'q self, name: &'q str) -> At<'q> {
        At { up: Some(self), name }
    }

    fn path(&self) -> String {
        match self.up {
            Some(up) => format!("{}.{}", up.path(), self.name),
            None => self.name.to_owned(),
        }
    }
}

/// Reads values and collects what is wrong with them.
pub(super) struct Reader {
    /// Today in Viet Nam, for future dates and the default list of units.
    pub(super) today: Date,
    /// What is wrong so far.
    pub(super) errors: Vec<FieldError>,
}

impl Reader {
    /// Notes an error.
    pub(super) fn error(&mut self, at: At<'_>, message_vi: impl Into<String>) {
        if self.errors.len() < ERRORS_MAX {
            self.errors.push(FieldError { field: at.path(), message_vi: message_vi.into() });
        }
    }

    /// Notes what is wrong with the keys of an object; `up` is `None` for the body itself.
    pub(super) fn issues(&mut self, up: Option<&At<'_>>, issues: &Issues) {
        for issue in &issues.0 {
            let (name, message) = match issue {
                Issue::Unknown(name) if name.is_empty() => ("?", "Có trường không được hỗ trợ."),
                Issue::Unknown(name) => (name.as_str(), "Không có trường này."),
                Issue::Doubled(name) => (*name, "Trường này xuất hiện hai lần."),
            };
            self.error(up.map_or(At::root(name), |up| up.then(name)), message);
        }
    }

    /// The object, if given.
    pub(super) fn object<'r, T>(
        &mut self,
        value: &'r Nested<T>,
        at: At<'_>,
        required: bool,
    ) -> Option<&'r T> {
        match value {
            Nested::Given(object) => return Some(object),
            Nested::Absent | Nested::Null if !required => {}
            Nested::Absent | Nested::Null => self.error(at, "Bắt buộc có mục này."),
            Nested::Other(kind) => {
                self.error(at, format!("Phải là đối tượng {{…}}, không phải {kind}."));
            }
        }
        None
    }

    fn text<'r>(&mut self, value: &'r Raw<'_>, at: At<'_>, required: bool) -> Option<&'r str> {
        match value {
            Raw::Text(text) => return Some(text),
            Raw::Absent | Raw::Null if !required => {}
            Raw::Absent | Raw::Null => self.error(at, "Bắt buộc có mục này."),
            Raw::Number(_) => self.error(at, "Phải là chuỗi ký tự, không phải số."),
            Raw::Other(kind) => {
                self.error(at, format!("Phải là chuỗi ký tự, không phải {kind}."));
            }
        }
        None
    }

    /// A required text.
    pub(super) fn required<T>(
        &mut self,
        value: &Raw<'_>,
        at: At<'_>,
        read: fn(&str, Date) -> Result<T, &'static str>,
    ) -> Option<T> {
        let text = self.text(value, at, true)?;
        self.read(text, at, read)
    }

    /// A text that may be missing; `None` also where it is wrong, then an error was noted.
    pub(super) fn optional<T>(
        &mut self,
        value: &Raw<'_>,
        at: At<'_>,
        read: fn(&str, Date) -> Result<T, &'static str>,
    ) -> Option<T> {
        let text = self.text(value, at, false)?;
        self.read(text, at, read)
    }

    fn read<T>(
        &mut self,
        text: &str,
        at: At<'_>,
        read: fn(&str, Date) -> Result<T, &'static str>,
    ) -> Option<T> {
        match read(text, self.today) {
            Ok(value) => Some(value),
            Err(message) => {
                self.error(at, message);
                None
            }
        }
    }

    /// A code of `digits` digits as text, or the same as a number; at most `last`.
    pub(super) fn code(
        &mut self,
        value: &Raw<'_>,
        at: At<'_>,
        digits: usize,
        codes: std::ops::RangeInclusive<u8>,
    ) -> Option<u8> {
        let number = match value {
            Raw::Number(number) => u8::try_from(*number).ok(),
            Raw::Text(text) => {
                let valid = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
                if valid { text.parse().ok() } else { None }
            }
            _ => {
                self.text(value, at, true)?;
                None
            }
        };
        let code = number.filter(|n| codes.contains(n));
        if code.is_none() {
            let (from, to) = (codes.start(), codes.end());
            self.error(
                at,
                format!("Mã gồm {digits} chữ số, từ {from:0digits$} đến {to:0digits$}."),
            );
        }
        code
    }
}

type Read<T> = Result<T, &'static str>;

/// The message for a wrong length or a wrong character.
const fn words(error: IdError, length: &'static str, character: &'static str) -> &'static str {
    match error {
        IdError::Length => length,
        IdError::Character => character,
    }
}

/// requestId.
pub(super) fn request_id(text: &str, _: Date) -> Read<RequestId> {
    RequestId::parse(text)
        .map_err(|e| words(e, "Mã yêu cầu dài 1-40 ký tự.", "Mã yêu cầu chỉ gồm ký tự in được."))
}

/// procedureCode.
pub(super) fn procedure(text: &str, _: Date) -> Read<ProcedureCode> {
    ProcedureCode::parse(text).map_err(|e| {
        words(
            e,
            "Mã thủ tục dài 1-20 ký tự.",
            "Mã thủ tục chỉ gồm chữ cái không dấu, chữ số và các dấu . _ -",
        )
    })
}

/// purpose.
pub(super) fn purpose(text: &str, _: Date) -> Read<Purpose> {
    Purpose::parse(text).map_err(|e| {
        words(
            e,
            "Mục đích dài 1-60 ký tự.",
            "Mục đích chỉ gồm chữ cái, chữ số, dấu cách và các dấu . _ - /",
        )
    })
}

/// caseCode.
pub(super) fn case_code(text: &str, _: Date) -> Read<CaseCode> {
    CaseCode::parse(text).map_err(|e| {
        words(
            e,
            "Mã hồ sơ dài 3-60 ký tự.",
            "Mã hồ sơ chỉ gồm chữ cái không dấu, chữ số và các dấu . - / _",
        )
    })
}

/// account.
pub(super) fn account(text: &str, _: Date) -> Read<OfficerRef> {
    OfficerRef::parse(text).map_err(|e| {
        words(e, "Tài khoản dài 1-60 ký tự.", "Tài khoản không được có ký tự điều khiển.")
    })
}

/// personalId.
pub(super) fn personal_id(text: &str, _: Date) -> Read<PersonalId> {
    PersonalId::parse(text).map_err(|e| {
        words(e, "Số định danh gồm đúng 12 chữ số.", "Số định danh chỉ gồm chữ số, đúng 12 chữ số.")
    })
}

/// oldId.
pub(super) fn old_id(text: &str, _: Date) -> Read<OldId> {
    OldId::parse(text).map_err(|e| {
        words(e, "Số CMND gồm đúng 9 chữ số.", "Số CMND chỉ gồm chữ số, đúng 9 chữ số.")
    })
}

/// fullName, otherName.
pub(super) fn name(text: &str, _: Date) -> Read<NameQuery> {
    const CHARACTER: &str = "Họ tên chỉ gồm chữ cái, dấu cách, dấu nháy, gạch nối và dấu chấm.";
    // The name type trims white space, line ends among it; JSON has no reason to send them.
    if text.bytes().any(|b| b.is_ascii_control()) {
        return Err(CHARACTER);
    }
    NameQuery::parse(text).map_err(|e| match e {
        NameError::Empty => "Họ tên không được để trống.",
        NameError::Length => "Họ tên dài tối đa 100 ký tự.",
        NameError::Character => CHARACTER,
    })
}

/// dateOfBirth.
pub(super) fn birth(text: &str, today: Date) -> Read<BirthDate> {
    const FORMAT: &str = "Ngày sinh có dạng YYYY-MM-DD, yyyyMMdd hoặc YYYY.";
    if text.bytes().any(|b| b.is_ascii_whitespace()) {
        return Err(FORMAT);
    }
    BirthDate::parse(text, today).map_err(|e| match e {
        BirthError::Format => FORMAT,
        BirthError::Impossible => "Ngày sinh không có trong lịch.",
        BirthError::Future => "Ngày sinh ở tương lai.",
        BirthError::TooOld => "Năm sinh phải từ 1850.",
    })
}

/// nationality, country.
pub(super) fn country(text: &str, _: Date) -> Read<Country> {
    Country::parse(text).ok_or("Mã quốc gia gồm hai chữ cái theo ISO 3166-1, ví dụ VN.")
}

/// provinceCode.
pub(super) fn province(text: &str, _: Date) -> Read<u8> {
    digits(text, 2).map(|n| n as u8).ok_or("Mã tỉnh gồm 2 chữ số, từ 01 đến 99.")
}

/// communeCode.
pub(super) fn commune(text: &str, _: Date) -> Read<u32> {
    digits(text, 5).ok_or("Mã phường, xã gồm 5 chữ số, từ 00001 đến 99999.")
}

/// datasetDate.
pub(super) fn dataset(text: &str, _: Date) -> Read<Dataset> {
    let date = match text.as_bytes() {
        [b'1', b'9', ..] | [b'2', b'0', ..] if text.len() == 10 => text.parse::<Date>().ok(),
        _ => None,
    };
    date.map(Dataset::in_force_on).ok_or("Ngày của danh mục có dạng YYYY-MM-DD.")
}

/// The house-and-street part of an address.
pub(super) fn detail(text: &str, _: Date) -> Read<String> {
    printable(text, DETAIL_MAX)
        .ok_or("Địa chỉ chi tiết dài 1-250 ký tự, không có ký tự điều khiển.")
}

/// householdNumber.
pub(super) fn household_number(text: &str, _: Date) -> Read<String> {
    printable(text, HOUSEHOLD_NUMBER_MAX).ok_or("Số hộ dài 1-40 ký tự, không có ký tự điều khiển.")
}

/// A number of exactly this many digits, not zero.
fn digits(text: &str, length: usize) -> Option<u32> {
    let valid = text.len() == length && text.bytes().all(|b| b.is_ascii_digit());
    if valid { text.parse().ok().filter(|n| *n > 0) } else { None }
}

fn printable(text: &str, max: usize) -> Option<String> {
    let text = composed(text);
    let fits = (1..=max).contains(&text.chars().count());
    (fits && text.chars().all(is_storable)).then(|| text.into_owned())
}
