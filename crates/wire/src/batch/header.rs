//! The header row of a table: which column holds what.

use std::borrow::Cow;

use dancu_domain::service::Field;

use super::FileError;
use super::cells::{self, Separator};
use crate::rest::row::{Column, Key, Part};

/// Most columns of a table. Four keys and every claim with all its parts are 73.
const COLUMNS_MAX: usize = 100;

/// What the columns of a table hold, in their order.
pub(super) struct Header {
    /// The line it stands in, from 1.
    pub(super) line: u32,
    pub(super) separator: Separator,
    pub(super) columns: Vec<Named>,
}

/// A column with its name in the language of the table, by which errors call it.
pub(super) struct Named {
    pub(super) column: Column,
    pub(super) name: String,
    /// The path of the same value in REST, by which the readers call it.
    pub(super) path: String,
}

/// English name, Vietnamese name.
type Names = (&'static str, &'static str);

const KEYS: [(Key, Names); 4] = [
    (Key::PersonalId, ("personalId", "SoDinhDanh")),
    (Key::OldId, ("oldId", "SoCMND")),
    (Key::Name, ("fullName", "HoVaTen")),
    (Key::Birth, ("dateOfBirth", "NgayThangNamSinh")),
];

const PARTS: [(Part, Names); 10] = [
    (Part::Province, ("provinceCode", "MaTinhThanh")),
    (Part::Commune, ("communeCode", "MaPhuongXa")),
    (Part::Detail, ("detail", "ChiTiet")),
    (Part::Country, ("country", "QuocGia")),
    (Part::Dataset, ("datasetDate", "NgayDuLieu")),
    (Part::Name, ("fullName", "HoVaTen")),
    (Part::PersonalId, ("personalId", "SoDinhDanh")),
    (Part::OldId, ("oldId", "SoCMND")),
    (Part::Nationality, ("nationality", "QuocTich")),
    (Part::Birth, ("dateOfBirth", "NgayThangNamSinh")),
];

/// The Vietnamese name of a claim's column: as on the wire where SOAP has one.
pub(super) const fn vietnamese(field: Field) -> &'static str {
    match field {
        Field::PersonalId => "SoDinhDanh",
        Field::OldId => "SoCMND",
        Field::FullName => "HoVaTen",
        Field::OtherName => "TenGoiKhac",
        Field::DateOfBirth => "NgayThangNamSinh",
        Field::Sex => "GioiTinh",
        Field::Ethnicity => "DanToc",
        Field::Religion => "TonGiao",
        Field::Nationality => "QuocTich",
        Field::MaritalStatus => "TinhTrangHonNhan",
        Field::BloodGroup => "NhomMau",
        Field::BirthPlace => "NoiSinh",
        Field::BirthRegistration => "NoiDangKyKhaiSinh",
        Field::Origin => "QueQuan",
        Field::PermanentResidence => "ThuongTru",
        Field::TemporaryResidence => "TamTru",
        Field::CurrentResidence => "NoiOHienTai",
        Field::Father => "Cha",
        Field::Mother => "Me",
        Field::Spouse => "VoChong",
        Field::Guardian => "NguoiDaiDien",
        Field::HouseholdHead => "ChuHo",
        Field::HouseholdRole => "QuanHeVoiChuHo",
        Field::HouseholdNumber => "SoSoHoKhau",
        Field::VitalStatus => "TinhTrangSongChet",
    }
}

impl Header {
    /// Reads the first line of a table that is not empty; `line` is its number.
    pub(super) fn read(text: &str, line: u32) -> Result<Self, FileError> {
        let separator = Separator::of(text);
        let mut cells = vec![];
        cells::split(text, separator, &mut cells).map_err(|_| FileError::HeaderQuotes)?;
        if cells.len() > COLUMNS_MAX {
            return Err(FileError::TooManyColumns);
        }
        let named: Vec<_> = cells.iter().map(|cell| named(cell)).collect();
        if named.iter().all(Option::is_none) {
            return Err(FileError::NoHeader);
        }
        let unknown: Vec<_> =
            named.iter().zip(1..).filter(|(n, _)| n.is_none()).map(|(_, at)| at).collect();
        if !unknown.is_empty() {
            return Err(FileError::UnknownColumns(unknown));
        }
        let columns: Vec<Named> = named.into_iter().flatten().collect();
        for (at, one) in columns.iter().enumerate() {
            if columns[..at].iter().any(|before| before.column == one.column) {
                return Err(FileError::DoubledColumn(one.name.clone()));
            }
        }
        let has = |key| columns.iter().any(|c| c.column == Column::Subject(key));
        let missing = if !has(Key::PersonalId) && !has(Key::OldId) {
            Some("personalId (SoDinhDanh) / oldId (SoCMND)")
        } else if !has(Key::Name) {
            Some("fullName (HoVaTen)")
        } else if !has(Key::Birth) {
            Some("dateOfBirth (NgayThangNamSinh)")
        } else {
            None
        };
        match missing {
            Some(which) => Err(FileError::MissingColumn(which)),
            None => Ok(Self { line, separator, columns }),
        }
    }

    /// A reader's path as the table calls it, where it is a column's.
    pub(super) fn name_of(&self, path: &str) -> Option<&str> {
        self.columns.iter().find(|c| c.path == path).map(|c| c.name.as_str())
    }
}

/// The column of a name in either language, whatever its case; `claims.` may stand in front, and
/// must where a key of the subject is claimed too.
fn named(cell: &str) -> Option<Named> {
    let (claimed, rest) = match cell.get(..7) {
        Some(prefix) if prefix.eq_ignore_ascii_case("claims.") => (true, &cell[7..]),
        _ => (false, cell),
    };
    let key = KEYS.iter().find(|(_, names)| which(*names, rest).is_some());
    if let (false, Some((key, names))) = (claimed, key) {
        let (name, path) = (which(*names, rest)?.to_owned(), format!("subject.{}", names.0));
        return Some(Named { column: Column::Subject(*key), name, path });
    }
    let (first, second) = rest.split_once('.').map_or((rest, None), |(a, b)| (a, Some(b)));
    let both = |field: Field| (field.code(), vietnamese(field));
    let field = *Field::ALL.iter().find(|f| which(both(**f), first).is_some())?;
    let prefix = if claimed { "claims." } else { "" };
    let mut name = format!("{prefix}{}", which(both(field), first)?);
    let mut path = format!("claims.{}", field.code());
    let Some(second) = second else {
        let column = Column::claim(field, None)?;
        return Some(Named { column, name, path });
    };
    // Some parts of addresses and relatives have names in common: the field tells them apart.
    let (column, names) = PARTS.iter().find_map(|(part, names)| {
        which(*names, second)?;
        Column::claim(field, Some(*part)).map(|column| (column, names))
    })?;
    name.push('.');
    name.push_str(which(*names, second)?);
    path.push('.');
    path.push_str(names.0);
    Some(Named { column, name, path })
}

/// The one of two names that a text is, whatever its case.
fn which((english, vietnamese): Names, text: &str) -> Option<&'static str> {
    [english, vietnamese].into_iter().find(|name| name.eq_ignore_ascii_case(text))
}

/// Cells of a row, and nothing else where every cell is empty.
pub(super) fn is_blank(cells: &[Cow<'_, str>]) -> bool {
    cells.iter().all(|cell| cell.is_empty())
}
