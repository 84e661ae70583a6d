//! The population file (docs/population-csv.md): its columns, its header, a line as fields.
//!
//! **Invariant:** a line of the file is a row; no value contains a line break. So lines can be
//! counted and shared out without reading them, and a forgotten quote spoils one row only.
//! **Invariant:** an error names line and column, never the value.

pub mod read;
pub mod write;

use std::borrow::Cow;

use anyhow::bail;
use serde::Serialize;

/// How many columns there are.
pub const COLUMN_COUNT: usize = 66;

/// Every column, in the order of the export.
#[rustfmt::skip]
pub const COLUMNS: [&str; COLUMN_COUNT] = [
    "personal_id", "old_ids", "full_name", "other_name", "date_of_birth", "sex", "ethnicity",
    "religion", "nationality", "marital_status", "blood_group",
    "birth_place_province", "birth_place_commune", "birth_place_detail", "birth_place_country",
    "birth_place_dataset",
    "birth_registration_province", "birth_registration_commune", "birth_registration_detail",
    "birth_registration_country", "birth_registration_dataset",
    "origin_province", "origin_commune", "origin_detail", "origin_country", "origin_dataset",
    "permanent_province", "permanent_commune", "permanent_detail", "permanent_country",
    "permanent_dataset",
    "temporary_province", "temporary_commune", "temporary_detail", "temporary_country",
    "temporary_dataset",
    "current_province", "current_commune", "current_detail", "current_country",
    "current_dataset",
    "father_name", "father_personal_id", "father_old_id", "father_nationality",
    "mother_name", "mother_personal_id", "mother_old_id", "mother_nationality",
    "spouse_name", "spouse_personal_id", "spouse_old_id", "spouse_nationality",
    "guardian_name", "guardian_personal_id", "guardian_old_id", "guardian_nationality",
    "household_number", "household_role",
    "head_name", "head_personal_id", "head_old_id", "head_nationality",
    "vital_status", "vital_date", "sources",
];

/// Positions in [`COLUMNS`]. An address takes five columns from its position on, a relative four.
pub mod column {
    pub const PERSONAL_ID: usize = 0;
    pub const OLD_IDS: usize = 1;
    pub const FULL_NAME: usize = 2;
    pub const OTHER_NAME: usize = 3;
    pub const DATE_OF_BIRTH: usize = 4;
    pub const SEX: usize = 5;
    pub const ETHNICITY: usize = 6;
    pub const RELIGION: usize = 7;
    pub const NATIONALITY: usize = 8;
    pub const MARITAL_STATUS: usize = 9;
    pub const BLOOD_GROUP: usize = 10;
    pub const BIRTH_PLACE: usize = 11;
    pub const BIRTH_REGISTRATION: usize = 16;
    pub const ORIGIN: usize = 21;
    pub const PERMANENT: usize = 26;
    pub const TEMPORARY: usize = 31;
    pub const CURRENT: usize = 36;
    pub const FATHER: usize = 41;
    pub const MOTHER: usize = 45;
    pub const SPOUSE: usize = 49;
    pub const GUARDIAN: usize = 53;
    pub const HOUSEHOLD_NUMBER: usize = 57;
    pub const HOUSEHOLD_ROLE: usize = 58;
    pub const HEAD: usize = 59;
    pub const VITAL_STATUS: usize = 63;
    pub const VITAL_DATE: usize = 64;
    pub const SOURCES: usize = 65;
}

/// Columns without which a file is not read.
const REQUIRED: [usize; 4] =
    [column::PERSONAL_ID, column::FULL_NAME, column::DATE_OF_BIRTH, column::SEX];

/// Longest column name that a message repeats: a longer one is no column name but data.
const NAME_SHOWN_MAX: usize = 40;

/// Why a row is wrong. Never carries the value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Position in [`COLUMNS`]; none where the row as a whole is wrong.
    pub column: Option<usize>,
    /// What is wrong, for people.
    pub message_vi: &'static str,
}

/// A wrong row of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct RowError {
    /// Line of the file, from 1; the header is line 1.
    pub row: u64,
    /// The column's name; empty where the row as a whole is wrong.
    pub column: &'static str,
    /// What is wrong, for people; never the value.
    pub message_vi: &'static str,
}

impl Fault {
    /// A fault of a column.
    pub const fn of(column: usize, message_vi: &'static str) -> Self {
        Self { column: Some(column), message_vi }
    }

    /// A fault of the row as a whole.
    pub const fn row(message_vi: &'static str) -> Self {
        Self { column: None, message_vi }
    }

    /// The fault as the error of a line.
    pub fn at(self, row: u64) -> RowError {
        let column = self.column.and_then(|c| COLUMNS.get(c)).copied().unwrap_or_default();
        RowError { row, column, message_vi: self.message_vi }
    }
}

/// Which field of a line holds which column.
pub struct Header {
    /// Field by column.
    fields: [Option<usize>; COLUMN_COUNT],
    /// Column by field.
    columns: Vec<usize>,
}

impl Header {
    /// Reads the first line, without its line end and byte order mark.
    pub fn parse(line: &[u8]) -> anyhow::Result<Self> {
        let Ok(line) = std::str::from_utf8(line) else {
            bail!("dòng tiêu đề không phải UTF-8 (the header is not UTF-8)");
        };
        let Ok(names) = split(line) else {
            bail!("dòng tiêu đề sai dấu ngoặc kép hoặc thừa cột (malformed header)");
        };
        if names.len() == 1 && line.contains([';', '\t']) {
            bail!("các cột phải ngăn cách bằng dấu phẩy (columns are separated by commas)");
        }
        let mut header = Self { fields: [None; COLUMN_COUNT], columns: vec![] };
        for (field, name) in names.iter().enumerate() {
            let name = name.trim();
            let Some(column) = COLUMNS.iter().position(|c| *c == name) else {
                bail!("cột {} không có trong mẫu tệp (unknown column)", shown(name, field));
            };
            if header.fields[column].replace(field).is_some() {
                bail!("cột \"{name}\" có hai lần (duplicate column)");
            }
            header.columns.push(column);
        }
        for column in REQUIRED {
            if header.fields[column].is_none() {
                let name = COLUMNS[column];
                bail!("thiếu cột bắt buộc \"{name}\" (missing required column)");
            }
        }
        Ok(header)
    }
}

/// A file without header starts with a person: such a text is not repeated.
fn shown(name: &str, field: usize) -> String {
    let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    if plain && (1..=NAME_SHOWN_MAX).contains(&name.len()) {
        format!("\"{name}\"")
    } else {
        format!("thứ {}", field + 1)
    }
}

/// A line as fields.
pub struct Row<'a> {
    header: &'a Header,
    fields: Vec<Cow<'a, str>>,
}

impl<'a> Row<'a> {
    /// Reads a line without its line end.
    pub fn read(header: &'a Header, line: &'a [u8]) -> Result<Self, Fault> {
        let text = std::str::from_utf8(line).map_err(|error| {
            let sound = line.get(..error.valid_up_to()).and_then(|l| std::str::from_utf8(l).ok());
            let field = sound.and_then(|l| split(l).ok()).map(|f| f.len() - 1);
            let column = field.and_then(|f| header.columns.get(f)).copied();
            Fault { column, message_vi: "không phải UTF-8" }
        })?;
        let fields = split(text).map_err(|field| Fault {
            column: header.columns.get(field).copied(),
            message_vi: "sai dấu ngoặc kép, xuống dòng trong ô hoặc thừa ô",
        })?;
        if fields.len() == header.columns.len() {
            Ok(Self { header, fields })
        } else {
            Err(Fault::row("số ô khác số cột của dòng tiêu đề"))
        }
    }

    /// The trimmed text of a column; empty where the file does not have the column.
    pub fn get(&self, column: usize) -> &str {
        let field = self.header.fields[column].and_then(|f| self.fields.get(f));
        field.map_or("", |text| text.trim())
    }
}

/// Splits a line by RFC 4180; on failure, the number of the field that is malformed.
fn split(line: &str) -> Result<Vec<Cow<'_, str>>, usize> {
    let mut fields = Vec::with_capacity(COLUMN_COUNT);
    let mut rest = line;
    while fields.len() < COLUMN_COUNT {
        let (field, after) = if let Some(quoted) = rest.strip_prefix('"') {
            unquoted(quoted).ok_or(fields.len())?
        } else {
            let (field, after) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
            if field.contains('"') {
                return Err(fields.len());
            }
            (Cow::Borrowed(field), after)
        };
        fields.push(field);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None if after.is_empty() => return Ok(fields),
            None => return Err(fields.len() - 1),
        }
    }
    Err(COLUMN_COUNT)
}

/// The text up to the closing quote, and what follows it.
fn unquoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut owned = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        let Some(next) = after.strip_prefix('"') else {
            if owned.is_empty() {
                return Some((Cow::Borrowed(part), after));
            }
            owned.push_str(part);
            return Some((Cow::Owned(owned), after));
        };
        owned.push_str(part);
        owned.push('"');
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &str) -> Option<Vec<String>> {
        split(line).ok().map(|f| f.into_iter().map(Cow::into_owned).collect())
    }

    #[test]
    fn positions_agree_with_names() {
        for (position, name) in [
            (column::PERSONAL_ID, "personal_id"),
            (column::BLOOD_GROUP, "blood_group"),
            (column::BIRTH_PLACE, "birth_place_province"),
            (column::BIRTH_REGISTRATION, "birth_registration_province"),
            (column::ORIGIN, "origin_province"),
            (column::PERMANENT, "permanent_province"),
            (column::TEMPORARY, "temporary_province"),
            (column::CURRENT, "current_province"),
            (column::FATHER, "father_name"),
            (column::MOTHER, "mother_name"),
            (column::SPOUSE, "spouse_name"),
            (column::GUARDIAN, "guardian_name"),
            (column::HOUSEHOLD_NUMBER, "household_number"),
            (column::HOUSEHOLD_ROLE, "household_role"),
            (column::HEAD, "head_name"),
            (column::VITAL_STATUS, "vital_status"),
            (column::SOURCES, "sources"),
        ] {
            assert_eq!(COLUMNS[position], name);
        }
        let distinct: std::collections::HashSet<_> = COLUMNS.into_iter().collect();
        assert_eq!(distinct.len(), COLUMN_COUNT);
    }

    #[test]
    fn every_column_is_documented() {
        let docs = include_str!("../../../../docs/population-csv.md");
        for name in COLUMNS {
            let (prefix, part) = name.rsplit_once('_').unwrap_or((name, ""));
            let documented = docs.contains(&format!("`{name}`"))
                || (docs.contains(&format!("`{prefix}_…`"))
                    && docs.contains(&format!("`…_{part}`")))
                || name.strip_suffix("_personal_id").or(name.strip_suffix("_old_id")).is_some_and(
                    |relative| {
                        let part = name.strip_prefix(relative).unwrap_or_default();
                        docs.contains(&format!("`{relative}_…`"))
                            && docs.contains(&format!("`…{part}`"))
                    },
                );
            assert!(documented, "{name}");
        }
    }

    #[test]
    fn fields_of_lines() {
        let owned = |list: &[&str]| Some(list.iter().map(ToString::to_string).collect());
        assert_eq!(fields(""), owned(&[""]));
        assert_eq!(fields("a,,b,"), owned(&["a", "", "b", ""]));
        assert_eq!(fields(r#""a,b","","c""d""e",f"#), owned(&["a,b", "", "c\"d\"e", "f"]));
        assert_eq!(fields(r#""""""#), owned(&["\""]));
        assert_eq!(fields(r#""""#), owned(&[""]));
        for wrong in [r#"a,"b"#, r#"a,"b"c,d"#, r#"a,b"c"#, r#"""""#, r#"a,""""#] {
            assert_eq!(fields(wrong), None, "{wrong}");
        }
        assert_eq!(split(&",".repeat(COLUMN_COUNT)), Err(COLUMN_COUNT));
        assert!(split(&",".repeat(COLUMN_COUNT - 1)).is_ok());
    }

    #[test]
    fn headers() {
        let parse = |line: &str| Header::parse(line.as_bytes()).err().map(|e| e.to_string());
        assert_eq!(parse("sex, date_of_birth,\"full_name\",personal_id"), None);
        assert_eq!(parse(&COLUMNS.join(",")), None);
        for (line, says) in [
            ("", "thứ 1"),
            ("personal_id,full_name,sex", "\"date_of_birth\""),
            ("personal_id,full_name,sex,date_of_birth,shoe_size", "\"shoe_size\""),
            ("personal_id,full_name,sex,date_of_birth,sex", "hai lần"),
            ("personal_id;full_name;sex;date_of_birth", "dấu phẩy"),
            ("personal_id,\"full_name", "ngoặc kép"),
        ] {
            assert!(parse(line).is_some_and(|e| e.contains(says)), "{line}");
        }
        // A file without header: the message does not repeat the person.
        let error = parse("099301012345,Nguyễn Thị Bình").unwrap_or_default();
        assert!(!error.contains("0993") && error.contains("thứ 1"));
        let error = parse("Nguyễn Thị Bình,099301012345").unwrap_or_default();
        assert!(!error.contains("Nguy"));
    }

    #[test]
    fn arbitrary_lines_do_not_panic() {
        let header = Header::parse(COLUMNS.join(",").as_bytes()).ok();
        let header = header.as_ref();
        for seed in 0..4_000_u32 {
            let mut state = seed;
            let line: Vec<u8> = (0..seed % 40)
                .map(|_| {
                    state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    b"\",,\"a\xc3\xa9\n"[(state >> 24) as usize % 8]
                })
                .collect();
            let row = header.map(|h| Row::read(h, &line).is_ok());
            assert_eq!(row, Some(false));
        }
    }
}
