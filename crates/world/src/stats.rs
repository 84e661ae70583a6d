//! Tables about a population, to compare with the published ones. Counts only, no persons.

use std::collections::BTreeMap;
use std::fmt;

use dancu_domain::birth::BirthDate;
use dancu_domain::geo;
use dancu_domain::person::{Dataset, Household, Person, Sex, VitalStatus};
use jiff::civil::Date;

/// Counts of a population, filled person by person; two of them can be merged.
#[derive(Clone, Default)]
pub struct Stats {
    /// The year that ages are counted to.
    year: i16,
    /// All records.
    pub persons: u64,
    /// Living men and women.
    pub living: [u64; 2],
    /// Records of deceased people.
    pub deceased: u64,
    /// Records of missing people.
    pub missing: u64,
    /// Records with a year of birth only.
    pub year_only: u64,
    /// Records without old id.
    pub without_old_id: u64,
    /// Old ids that a second person has as well.
    pub shared_old_ids: u64,
    /// Records whose id says another sex.
    pub corrected_sex: u64,
    /// People with a temporary residence.
    pub temporary: u64,
    /// Households.
    pub households: u64,
    /// The living by age in bands of five years and sex.
    pub pyramid: [[u64; 2]; 21],
    /// First words of names.
    pub surnames: BTreeMap<String, u64>,
    /// Permanent residence by province of the list of 2026.
    pub provinces: BTreeMap<u8, u64>,
    /// By ethnicity code.
    pub ethnicities: BTreeMap<u8, u64>,
    /// By religion code.
    pub religions: BTreeMap<u8, u64>,
    /// Households by their number of living members.
    pub sizes: BTreeMap<usize, u64>,
    /// One bit per old id, 125 MB when touched everywhere; empty until the first one.
    old_ids: Vec<u64>,
}

/// Words of the bit set of old ids: 10^9 bits.
const OLD_ID_WORDS: usize = 1_000_000_000 / 64 + 1;

impl Stats {
    /// No counts yet; ages are counted to the year of `today`.
    pub fn new(today: Date) -> Self {
        Self { year: today.year(), ..Self::default() }
    }

    /// Counts one person.
    pub fn add(&mut self, person: &Person) {
        self.persons += 1;
        let year = match person.birth {
            BirthDate::Day(day) => day.year(),
            BirthDate::Year(year) => {
                self.year_only += 1;
                year
            }
        };
        match person.vital {
            VitalStatus::Alive => {
                let woman = usize::from(person.sex == Sex::Female);
                self.living[woman] += 1;
                let band = usize::try_from(self.year - year).unwrap_or(0) / 5;
                self.pyramid[band.min(20)][woman] += 1;
            }
            VitalStatus::Dead(_) => self.deceased += 1,
            VitalStatus::Missing(_) => self.missing += 1,
        }
        self.without_old_id += u64::from(person.old_ids.is_empty());
        self.corrected_sex += u64::from(person.personal_id.sex() != person.sex);
        self.temporary += u64::from(person.temporary.is_some());
        let surname = person.full_name.as_str().split(' ').next().unwrap_or_default();
        if let Some(count) = self.surnames.get_mut(surname) {
            *count += 1;
        } else {
            self.surnames.insert(surname.to_owned(), 1);
        }
        if let Some(address) = &person.permanent {
            // Who died before 2025-07-01 is registered by the older list; no province was divided.
            let province = match address.dataset {
                Dataset::Y2024 => geo::province_successor(address.province).unwrap_or(0),
                Dataset::Y2026 => address.province,
            };
            *self.provinces.entry(province).or_default() += 1;
        }
        *self.ethnicities.entry(person.ethnicity).or_default() += 1;
        *self.religions.entry(person.religion).or_default() += 1;
        for old in &person.old_ids {
            if self.old_ids.is_empty() {
                self.old_ids = vec![0; OLD_ID_WORDS];
            }
            let (word, bit) = (old.number() as usize / 64, old.number() % 64);
            self.shared_old_ids += self.old_ids[word] >> bit & 1;
            self.old_ids[word] |= 1 << bit;
        }
    }

    /// Counts one household.
    pub fn add_household(&mut self, household: &Household) {
        self.households += 1;
        *self.sizes.entry(household.members.len()).or_default() += 1;
    }

    /// Adds the counts of another part of the population.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in [
            (&mut self.persons, other.persons),
            (&mut self.deceased, other.deceased),
            (&mut self.missing, other.missing),
            (&mut self.year_only, other.year_only),
            (&mut self.without_old_id, other.without_old_id),
            (&mut self.shared_old_ids, other.shared_old_ids),
            (&mut self.corrected_sex, other.corrected_sex),
            (&mut self.temporary, other.temporary),
            (&mut self.households, other.households),
        ] {
            *mine += theirs;
        }
        for (mine, theirs) in self.living.iter_mut().zip(other.living) {
            *mine += theirs;
        }
        for (mine, theirs) in self.pyramid.iter_mut().zip(&other.pyramid) {
            mine[0] += theirs[0];
            mine[1] += theirs[1];
        }
        merge(&mut self.surnames, &other.surnames);
        merge(&mut self.provinces, &other.provinces);
        merge(&mut self.ethnicities, &other.ethnicities);
        merge(&mut self.religions, &other.religions);
        merge(&mut self.sizes, &other.sizes);
        if self.old_ids.is_empty() {
            self.old_ids.clone_from(&other.old_ids);
        } else {
            for (mine, theirs) in self.old_ids.iter_mut().zip(&other.old_ids) {
                self.shared_old_ids += u64::from((*mine & theirs).count_ones());
                *mine |= theirs;
            }
        }
    }

    /// Age in the middle of the living, to the year within its band.
    pub fn median_age(&self) -> u64 {
        let half = u64::midpoint(self.living[0], self.living[1]);
        let mut below = 0;
        for (band, [men, women]) in self.pyramid.iter().enumerate() {
            let here = men + women;
            if below + here > half {
                return band as u64 * 5 + (half - below) * 5 / here;
            }
            below += here;
        }
        0
    }
}

fn merge<K: Ord + Clone>(mine: &mut BTreeMap<K, u64>, theirs: &BTreeMap<K, u64>) {
    for (key, count) in theirs {
        *mine.entry(key.clone()).or_default() += count;
    }
}

/// Per cent with two decimals.
fn share(part: u64, whole: u64) -> String {
    let hundredths = part * 10_000 / whole.max(1);
    format!("{},{:02} %", hundredths / 100, hundredths % 100)
}

fn ranked<K: Ord>(counts: &BTreeMap<K, u64>) -> Vec<(&K, u64)> {
    let mut list: Vec<_> = counts.iter().map(|(key, count)| (key, *count)).collect();
    list.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    list
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.persons;
        let alive = self.living[0] + self.living[1];
        for (label, count, whole) in [
            ("Hồ sơ", all, all),
            ("Nam (còn sống)", self.living[0], alive),
            ("Nữ (còn sống)", self.living[1], alive),
            ("Đã chết", self.deceased, all),
            ("Mất tích", self.missing, all),
            ("Chỉ có năm sinh", self.year_only, all),
            ("Không có số CMND", self.without_old_id, all),
            ("Số CMND cấp trùng", self.shared_old_ids, all),
            ("Cải chính giới tính", self.corrected_sex, all),
            ("Có nơi tạm trú", self.temporary, all),
        ] {
            writeln!(f, "{label:<22} {count:>12}  {:>9}", share(count, whole))?;
        }
        writeln!(f, "{:<22} {:>12}", "Tuổi trung vị", self.median_age())?;
        writeln!(f, "\nTháp tuổi: nam, nữ")?;
        for (band, [men, women]) in self.pyramid.iter().enumerate() {
            let (men, women) = (share(*men, alive), share(*women, alive));
            writeln!(f, "{:>3}-{:<3} {men:>9} {women:>9}", band * 5, band * 5 + 4)?;
        }
        writeln!(f, "\nHọ phổ biến")?;
        for (surname, count) in ranked(&self.surnames).into_iter().take(20) {
            writeln!(f, "{surname:<12} {:>9}", share(count, all))?;
        }
        writeln!(f, "\nNơi thường trú")?;
        for (code, count) in ranked(&self.provinces) {
            let name = geo::province(Dataset::Y2026, *code).map_or("", |p| p.name);
            writeln!(f, "{code:02} {name:<28} {:>9}", share(count, all))?;
        }
        for (title, counts) in [("Dân tộc", &self.ethnicities), ("Tôn giáo", &self.religions)]
        {
            writeln!(f, "\n{title} (mã)")?;
            for (code, count) in ranked(counts) {
                writeln!(f, "{code:02} {:>9}", share(count, all))?;
            }
        }
        let mean = alive * 100 / self.households.max(1);
        writeln!(f, "\nSố người trong hộ: trung bình {},{:02}", mean / 100, mean % 100)?;
        for (size, count) in &self.sizes {
            writeln!(f, "{size:>3} {:>9}", share(*count, self.households))?;
        }
        Ok(())
    }
}
