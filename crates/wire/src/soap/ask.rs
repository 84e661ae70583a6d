//! What an operation asks about its subject.

use dancu_domain::person::{Country, DETAIL_MAX, Dataset, MaritalStatus};
use dancu_gate::query::{AddressQuery, Ask, Relation, RelativeQuery};
use jiff::civil::Date;

use super::input;
use super::operation::Operation;
use super::parse::{Form, RELATIVE};
use super::slots::Slot;

/// Claims of a state are 1, 2 or 3.
const STATES: std::ops::RangeInclusive<u8> = 1..=3;

impl Form<'_> {
    /// What the operation asks; errors for what it needs and does not find.
    pub(super) fn ask(&mut self, operation: Operation) -> Option<Ask> {
        use Relation::{Father, Guardian, HouseholdHead, Mother, Spouse};
        Some(match operation {
            Operation::Verify => Ask::Verify(vec![]),
            Operation::Lookup | Operation::Provide | Operation::List => Ask::Lookup,
            Operation::Household => Ask::Household,
            Operation::Kin => self.relation(vec![Father, Mother, Spouse])?,
            Operation::Guardian => self.relation(vec![Guardian])?,
            Operation::HouseholdHead => self.relation(vec![HouseholdHead])?,
            Operation::Residence => Ask::Residence(self.address()?),
            Operation::Marital => Ask::Marital(MaritalStatus::from_code(self.state()?)?),
            Operation::Vital => Ask::Vital(self.state()?),
            Operation::BloodGroup => Ask::BloodGroup,
        })
    }

    fn relation(&mut self, relations: Vec<Relation>) -> Option<Ask> {
        if !self.envelope.slots.seen(Slot::Relative) {
            self.fail(input::required(Slot::Relative.path()));
            return None;
        }
        let (personal_id, old_id) = self.ids(&RELATIVE);
        let name = self.name(&RELATIVE);
        let birth = self.birth(&RELATIVE, false);
        let nationality = self.country(Slot::RelativeNationality);
        let other = RelativeQuery { name: name?, personal_id, old_id, birth, nationality };
        Some(Ask::Relation(relations, Box::new(other)))
    }

    fn address(&mut self) -> Option<AddressQuery> {
        let province = self.number(Slot::Province, 2);
        let district = self.number(Slot::District, 3);
        let commune = self.number(Slot::Commune, 5);
        let detail = self.text(Slot::Detail);
        if detail.is_some_and(|d| d.chars().count() > DETAIL_MAX || d.contains(char::is_control)) {
            let message = "Dài quá 250 ký tự hoặc có ký tự điều khiển.";
            self.fail(input::error(Slot::Detail.path(), message));
        }
        let country = self.country(Slot::Country);
        let codes = [province, district, commune];
        if codes.iter().all(Option::is_none) && detail.is_none() {
            self.fail(input::required(Slot::Address.path()));
            return None;
        }
        // A district tells that the codes are of the list before 2025-07-01.
        let dataset = self.dataset().unwrap_or_else(|| match district {
            Some(_) => Dataset::Y2024,
            None => Dataset::in_force_on(self.today),
        });
        Some(AddressQuery {
            province: province.unwrap_or_default() as u8,
            district: district.unwrap_or_default() as u16,
            commune: commune.unwrap_or_default(),
            detail: detail.map(str::to_owned),
            country,
            dataset,
        })
    }

    /// A country's two letters.
    fn country(&mut self, slot: Slot) -> Option<Country> {
        let country = Country::parse(self.text(slot)?);
        if country.is_none() {
            self.fail(input::error(slot.path(), "Phải là mã quốc gia hai chữ cái, ví dụ VN."));
        }
        country
    }

    /// The list that the codes are read by, where the caller dates them.
    pub(super) fn dataset(&mut self) -> Option<Dataset> {
        let mut found = None;
        for slot in [Slot::NgayDuLieu, Slot::AddressDate] {
            let Some(text) = self.text(slot) else {
                continue;
            };
            let compact = text.len() == 8 && text.bytes().all(|b| b.is_ascii_digit());
            let date = if compact {
                let part = |range| text.get(range).unwrap_or_default();
                format!("{}-{}-{}", part(0..4), part(4..6), part(6..8)).parse::<Date>()
            } else {
                text.parse::<Date>()
            };
            if let Ok(date) = date {
                found = Some(Dataset::in_force_on(date));
            } else {
                let message = "Sai dạng; viết yyyyMMdd hoặc yyyy-MM-dd.";
                self.fail(input::error(slot.path(), message));
            }
        }
        found
    }

    /// A code of at most `digits` digits that is not zero.
    pub(super) fn number(&mut self, slot: Slot, digits: usize) -> Option<u32> {
        let text = self.text(slot)?;
        let shaped = text.len() <= digits && text.bytes().all(|b| b.is_ascii_digit());
        let number = text.parse().ok().filter(|n| shaped && *n > 0);
        if number.is_none() {
            self.fail(input::error(slot.path(), format!("Phải là mã {digits} chữ số.")));
        }
        number
    }

    fn state(&mut self) -> Option<u8> {
        let path = Slot::TinhTrang.path();
        match self.text(Slot::TinhTrang) {
            None => self.fail(input::required(path)),
            Some(text) => match text.parse().ok().filter(|n| STATES.contains(n)) {
                Some(state) if text.len() == 1 => return Some(state),
                _ => self.fail(input::error(path, "Phải là 1, 2 hoặc 3.")),
            },
        }
        None
    }
}
