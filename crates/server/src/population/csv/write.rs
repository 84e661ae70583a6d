//! From a person to a row, in the order of the columns.

use dancu_domain::person::{
    Address, Dataset, HouseholdRole, Person, Relative, Source, Sources, Stamp, VitalStatus,
};
use jiff::civil::Date;

use super::COLUMNS;

/// The names of the sources in a file.
pub const SOURCES: [(Source, &str); 5] = [
    (Source::CivilStatus, "civilStatus"),
    (Source::Residence, "residence"),
    (Source::IdentityCard, "identityCard"),
    (Source::Health, "health"),
    (Source::Manual, "manual"),
];

/// The header line with its line end.
pub fn header() -> String {
    COLUMNS.join(",") + "\n"
}

/// Appends a person's line with its line end. False where a text of the record has a line break,
/// which the file cannot hold: the line is then not whole.
pub fn line(person: &Person, out: &mut String) -> bool {
    let start = out.len();
    let mut row = Writer(out);
    row.number(person.personal_id.number(), 12);
    for (i, old) in person.old_ids.iter().enumerate() {
        row.0.push_str(if i == 0 { "" } else { " " });
        row.digits(u64::from(old.number()), 9);
    }
    row.next();
    row.text(person.full_name.as_str());
    row.text(person.other_name.as_ref().map_or("", |n| n.as_str()));
    row.plain(&person.birth.to_string());
    row.number(u64::from(person.sex.code()), 1);
    row.number(u64::from(person.ethnicity), 2);
    row.number(u64::from(person.religion), 2);
    row.plain(person.nationality.as_str());
    row.number(u64::from(person.marital.code()), 1);
    row.number(u64::from(person.blood.code()), 2);
    for address in [
        &person.birth_place,
        &person.birth_registration,
        &person.origin,
        &person.permanent,
        &person.temporary,
        &person.current,
    ] {
        row.address(address.as_ref());
    }
    for relative in [&person.father, &person.mother, &person.spouse, &person.guardian] {
        row.relative(relative.as_ref());
    }
    let household = person.household.as_ref();
    row.text(household.map_or("", |h| &h.number));
    row.plain(household.map_or("", |h| h.role.code()));
    // The head's own row says who it is; repeating it there would only be one more thing to keep.
    row.relative(household.filter(|h| h.role != HouseholdRole::Head).map(|h| &h.head));
    row.number(u64::from(person.vital.code()), 1);
    if let VitalStatus::Dead(Some(day)) | VitalStatus::Missing(Some(day)) = person.vital {
        row.day(day);
    }
    row.next();
    row.sources(&person.sources);
    let whole = !out[start..].contains(['\n', '\r']);
    out.push('\n');
    whole
}

struct Writer<'a>(&'a mut String);

impl Writer<'_> {
    /// Ends a column.
    fn next(&mut self) {
        self.0.push(',');
    }

    /// A column whose text has no comma or quote.
    fn plain(&mut self, text: &str) {
        self.0.push_str(text);
        self.next();
    }

    /// A column with any text.
    fn text(&mut self, text: &str) {
        if text.contains([',', '"']) {
            self.0.push('"');
            for (i, part) in text.split('"').enumerate() {
                self.0.push_str(if i == 0 { "" } else { "\"\"" });
                self.0.push_str(part);
            }
            self.0.push('"');
        } else {
            self.0.push_str(text);
        }
        self.next();
    }

    /// A column of a number with leading zeros.
    fn number(&mut self, number: u64, width: u32) {
        self.digits(number, width);
        self.next();
    }

    /// The last `width` decimal places; formatting them one by one is what an export mostly does.
    fn digits(&mut self, number: u64, width: u32) {
        for place in (0..width).rev() {
            let digit = number / 10_u64.pow(place) % 10;
            self.0.push(char::from(b'0' + digit as u8));
        }
    }

    fn day(&mut self, day: Date) {
        self.digits(u64::from(day.year().unsigned_abs()), 4);
        self.0.push('-');
        self.digits(u64::from(day.month().unsigned_abs()), 2);
        self.0.push('-');
        self.digits(u64::from(day.day().unsigned_abs()), 2);
    }

    /// Province, commune, detail, country, dataset.
    fn address(&mut self, address: Option<&Address>) {
        let Some(address) = address else {
            return self.0.push_str(",,,,,");
        };
        match address.province {
            0 => self.next(),
            code => self.number(u64::from(code), 2),
        }
        match address.commune {
            0 => self.next(),
            code => self.number(u64::from(code), 5),
        }
        self.text(&address.detail);
        self.plain(address.country.as_str());
        self.plain(match address.dataset {
            Dataset::Y2024 => "2024",
            Dataset::Y2026 => "2026",
        });
    }

    /// Name, personal id, old id, nationality.
    fn relative(&mut self, relative: Option<&Relative>) {
        let Some(relative) = relative else {
            return self.0.push_str(",,,,");
        };
        self.text(relative.full_name.as_str());
        match relative.personal_id {
            Some(id) => self.number(id.number(), 12),
            None => self.next(),
        }
        match relative.old_id {
            Some(id) => self.number(u64::from(id.number()), 9),
            None => self.next(),
        }
        self.plain(relative.nationality.as_str());
    }

    /// The last column. Fields in a row with the same stamp share it. Never ends with a comma, but
    /// has commas between fields, so it stands in quotes where there are two.
    fn sources(&mut self, sources: &Sources) {
        let shared = sources.own.windows(2).any(|pair| pair[0].1 == pair[1].1);
        let quote = if shared { "\"" } else { "" };
        self.0.push_str(quote);
        self.stamp(sources.default);
        let mut before = None;
        for (i, (field, stamp)) in sources.own.iter().enumerate() {
            self.0.push_str(if before == Some(stamp) { "," } else { " " });
            self.0.push_str(field.code());
            before = Some(stamp);
            if sources.own.get(i + 1).is_none_or(|(_, next)| next != stamp) {
                self.0.push('=');
                self.stamp(*stamp);
            }
        }
        self.0.push_str(quote);
    }

    fn stamp(&mut self, stamp: Stamp) {
        let name = SOURCES.iter().find(|(s, _)| *s == stamp.source).map_or("", |(_, name)| name);
        self.0.push_str(name);
        self.0.push('@');
        self.day(stamp.on);
    }
}
