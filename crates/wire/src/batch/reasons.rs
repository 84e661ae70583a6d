//! Why a row could not be read, in Vietnamese and English.

use dancu_gate::jobs::types::BadRow;
use dancu_gate::query::FieldError;

use super::header::Header;
use crate::rest::row::RowErrors;

/// Errors of one row that are told with their fields; of further ones only their number. A row of
/// 8 KiB could have hundreds and ten thousand such rows are kept: of these they are some 20 MB.
const ERRORS_MAX: usize = 10;

/// A bad row with its reasons: one as it is, several each behind the name of its field.
pub(super) fn bad_row(row: u32, errors: RowErrors, header: Option<&Header>) -> BadRow {
    let errors = match errors {
        RowErrors::Row(reason_vi, reason) => {
            return BadRow { row, field: "row".to_owned(), reason_vi, reason };
        }
        RowErrors::Fields(errors) => errors,
    };
    let more = errors.len().saturating_sub(ERRORS_MAX);
    let named: Vec<_> =
        errors.iter().take(ERRORS_MAX).map(|e| (name(&e.field, header), e)).collect();
    if let [(field, error)] = named.as_slice() {
        let (reason_vi, reason) = (error.message_vi.clone(), english(error));
        return BadRow { row, field: field.clone(), reason_vi, reason };
    }
    let mut fields: Vec<&str> = vec![];
    for (field, _) in &named {
        if !fields.contains(&field.as_str()) {
            fields.push(field);
        }
    }
    let all = |text: fn(&FieldError) -> String, rest: String| {
        let mut all: Vec<_> = named.iter().map(|(f, e)| format!("{f}: {}", text(e))).collect();
        all.extend((more > 0).then_some(rest));
        all.join(" ")
    };
    BadRow {
        row,
        field: fields.join(", "),
        reason_vi: all(|e| e.message_vi.clone(), format!("Và {more} lỗi khác.")),
        reason: all(english, format!("And {more} more.")),
    }
}

/// A reader's path as the file calls it: the column's name, or the member's path in its object. The
/// readers name a member that does not exist only where it looks like a name of ours.
fn name(path: &str, header: Option<&Header>) -> String {
    let known = header.and_then(|h| h.name_of(path));
    let own = match (header, path) {
        (_, "subject") => "personalId",
        (Some(_), path) => path.strip_prefix("claims.").unwrap_or(path),
        (None, path) => path,
    };
    known.unwrap_or(own.strip_prefix("subject.").unwrap_or(own)).to_owned()
}

/// What a field must be. The readers speak Vietnamese only; what is wrong follows from what is
/// asked for.
fn english(error: &FieldError) -> String {
    let last = error.field.rsplit('.').next().unwrap_or(&error.field);
    let form = match last {
        _ if [NO_SUCH, UNSHOWN].contains(&error.message_vi.as_str()) => {
            return "There is no such member.".to_owned();
        }
        _ if error.message_vi == TWICE => return "The member stands twice.".to_owned(),
        "subject" => "personalId or oldId, and only one of the two",
        "personalId" => "exactly 12 digits",
        "oldId" => "exactly 9 digits",
        "fullName" | "otherName" => "a name of 1 to 100 letters, spaces, apostrophes and hyphens",
        "dateOfBirth" => {
            "a day of the calendar as YYYY-MM-DD or yyyyMMdd, or a year as YYYY, from 1850 to today"
        }
        "sex" | "maritalStatus" => "a code of one digit, 0 to 3",
        "vitalStatus" => "a code of one digit, 1 to 3",
        "ethnicity" | "religion" => "a code of two digits",
        "bloodGroup" => "a code of two digits, 00 to 04",
        "nationality" | "country" => "two letters of ISO 3166-1, such as VN",
        "provinceCode" => "2 digits, 01 to 99",
        "communeCode" => "5 digits, 00001 to 99999",
        "detail" => "1 to 250 printable characters",
        "datasetDate" => "a date as YYYY-MM-DD",
        "householdRole" => "CH and two digits",
        "householdNumber" => "1 to 40 printable characters",
        _ => "an object with the members that the reference names",
    };
    format!("Required or not valid; it must be {form}.")
}

/// As the readers say it of a key that is unknown, of one that cannot even be shown, and of one
/// that comes again.
const UNSHOWN: &str = "Có trường không được hỗ trợ.";
const NO_SUCH: &str = "Không có trường này.";
const TWICE: &str = "Trường này xuất hiện hai lần.";
