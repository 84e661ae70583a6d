//! Editions of the official forms (B2, B6, B7): which wording is in force on a day, and which of
//! the laws that it cites are in force no more.
//!
//! A law's end stands here only where a source says so; `None` means that none is known to us.

use jiff::civil::{Date, date};

use crate::registration::DateRange;

/// A form of the dossier.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Form {
    /// Phiếu đăng ký sử dụng dịch vụ (B5).
    ServiceRegistration,
    /// Danh sách tài khoản (B6).
    AccountList,
    /// Bản cam kết đối với tổ chức (B7).
    OrganisationCommitment,
    /// Bản cam kết đối với cá nhân (B7).
    IndividualCommitment,
}

/// A law or decree that a form cites.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Law {
    /// As the form cites it.
    pub name: &'static str,
    /// From when until when it is in force.
    pub valid: DateRange,
    /// What took its place.
    pub replaced_by: Option<&'static str>,
}

/// A wording of a form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Edition {
    /// Of which form.
    pub form: Form,
    /// Its name: the year of the letter that brought it.
    pub name: &'static str,
    /// The letter.
    pub letter: &'static str,
    /// From the day of the letter until that of the next one.
    pub valid: DateRange,
    /// What it cites.
    pub cites: &'static [Law],
}

const fn from(from: Date) -> DateRange {
    DateRange { from: Some(from), to: None }
}

const fn between(from: Date, to: Date) -> DateRange {
    DateRange { from: Some(from), to: Some(to) }
}

/// In force from 2019-01-01 (its article 43). The Law on Cybersecurity of 2025 unites it with the
/// law on network information security, in force from 2026-07-01: Ministry of Public Security at
/// the press conference of 2025-12-31 (kienthuc.net.vn, post1595551); baothanhhoa.vn, 2025-12-10.
const CYBERSECURITY: Law = Law {
    name: "Luật An ninh mạng số 24/2018/QH14",
    valid: between(date(2019, 1, 1), date(2026, 6, 30)),
    replaced_by: Some("Luật An ninh mạng số 116/2025/QH15"),
};
/// In force from 2016-07-01 (its article 53); its end as above.
const NETWORK_SECURITY: Law = Law {
    name: "Luật An toàn thông tin mạng số 86/2015/QH13",
    valid: between(date(2016, 7, 1), date(2026, 6, 30)),
    replaced_by: Some("Luật An ninh mạng số 116/2025/QH15"),
};
/// In force from 2020-07-01; replaced from 2026-03-01: pbgdpl.gov.vn, ItemID=4798.
const STATE_SECRETS: Law = Law {
    name: "Luật Bảo vệ Bí mật Nhà nước số 29/2018/QH14",
    valid: between(date(2020, 7, 1), date(2026, 2, 28)),
    replaced_by: Some("Luật Bảo vệ bí mật nhà nước số 117/2025/QH15"),
};
/// In force from 2025-07-01 (its article 45).
const DATA: Law =
    Law {
        name: "Luật Dữ liệu số 60/2024/QH15", valid: from(date(2025, 7, 1)), replaced_by: None
    };
/// In force from 2018-01-01 (resolution 41/2017/QH14).
const PENAL_CODE: Law = Law {
    name: "Bộ luật Hình sự năm 2015, sửa đổi, bổ sung năm 2017",
    valid: from(date(2018, 1, 1)),
    replaced_by: None,
};
/// In force from 2023-07-01 (its article 43). The Law on Personal Data Protection is in force from
/// 2026-01-01 (vneconomy.vn, 2026-01-01) and stands in its place (manaboxvietnam.com, comparison
/// of both).
const PERSONAL_DATA: Law = Law {
    name: "Nghị định số 13/2023/NĐ-CP",
    valid: between(date(2023, 7, 1), date(2025, 12, 31)),
    replaced_by: Some("Luật Bảo vệ dữ liệu cá nhân số 91/2025/QH15"),
};
/// In force from 2016-07-01 (its article 30).
const LEVELS: Law =
    Law { name: "Nghị định 85/2016/NĐ-CP", valid: from(date(2016, 7, 1)), replaced_by: None };
/// In force from 2020-04-15 (its article 122).
const FINES: Law =
    Law {
        name: "Nghị định 15/2020/NĐ-CP", valid: from(date(2020, 4, 15)), replaced_by: None
    };

/// The letter of 2021 with its forms.
const LETTER_2021: &str = "6318/UBND-CA ngày 15/11/2021";
/// The letter of 2025 with its forms.
const LETTER_2025: &str = "6383/CV-TCT ngày 12/09/2025";
const BEGAN_2021: Date = date(2021, 11, 15);
const BEGAN_2025: Date = date(2025, 9, 12);
/// The forms of 2021 that the letter of 2025 replaced.
const UNTIL_2025: DateRange = between(BEGAN_2021, date(2025, 9, 11));

const fn edition_2021(form: Form, valid: DateRange, cites: &'static [Law]) -> Edition {
    Edition { form, name: "2021", letter: LETTER_2021, valid, cites }
}

const fn edition_2025(form: Form, cites: &'static [Law]) -> Edition {
    Edition { form, name: "2025", letter: LETTER_2025, valid: from(BEGAN_2025), cites }
}

/// Every edition.
pub const ALL: &[Edition] = &[
    // One form registered accounts and their services.
    edition_2021(Form::AccountList, UNTIL_2025, &[]),
    edition_2021(
        Form::OrganisationCommitment,
        UNTIL_2025,
        &[CYBERSECURITY, STATE_SECRETS, PENAL_CODE],
    ),
    // The letter of 2025 brings no form for individuals: that of 2021 goes on (B7).
    edition_2021(
        Form::IndividualCommitment,
        from(BEGAN_2021),
        &[CYBERSECURITY, STATE_SECRETS, PENAL_CODE],
    ),
    edition_2025(Form::ServiceRegistration, &[]),
    edition_2025(Form::AccountList, &[]),
    edition_2025(
        Form::OrganisationCommitment,
        &[
            CYBERSECURITY,
            NETWORK_SECURITY,
            STATE_SECRETS,
            DATA,
            PENAL_CODE,
            PERSONAL_DATA,
            LEVELS,
            FINES,
        ],
    ),
];

impl Edition {
    /// The edition of a form on a day; none before its first.
    #[must_use]
    pub fn at(form: Form, day: Date) -> Option<&'static Self> {
        ALL.iter().find(|e| e.form == form && e.valid.contains(day))
    }

    /// What it cites that is in force no more on a day: whoever reviews a paper of this wording is
    /// told. The wording itself stays as the letter has it.
    pub fn expired_citations(&self, day: Date) -> impl Iterator<Item = &'static Law> + use<> {
        self.cites.iter().filter(move |law| law.valid.to.is_some_and(|to| to < day))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expired(form: Form, day: Date) -> Vec<&'static str> {
        let edition = Edition::at(form, day).unwrap();
        edition.expired_citations(day).map(|law| law.name).collect()
    }

    #[test]
    fn rule_b7_each_form_has_one_edition_on_each_day() {
        for day in [BEGAN_2021, date(2025, 9, 11), BEGAN_2025, date(2030, 1, 1)] {
            for edition in ALL.iter().filter(|e| e.valid.contains(day)) {
                let found = ALL.iter().filter(|e| e.form == edition.form && e.valid.contains(day));
                assert_eq!(found.count(), 1, "{:?} {day}", edition.form);
            }
        }
        assert_eq!(Edition::at(Form::AccountList, date(2025, 9, 11)).unwrap().name, "2021");
        assert_eq!(Edition::at(Form::AccountList, BEGAN_2025).unwrap().name, "2025");
        assert_eq!(Edition::at(Form::IndividualCommitment, BEGAN_2025).unwrap().name, "2021");
        assert_eq!(Edition::at(Form::ServiceRegistration, date(2025, 9, 11)), None);
    }

    #[test]
    fn rule_b7_citations_end_with_their_law() {
        let form = Form::OrganisationCommitment;
        assert!(expired(form, date(2025, 12, 31)).is_empty());
        assert_eq!(expired(form, date(2026, 1, 1)), [PERSONAL_DATA.name]);
        assert_eq!(expired(form, date(2026, 3, 1)), [STATE_SECRETS.name, PERSONAL_DATA.name]);
        assert_eq!(expired(form, date(2026, 6, 30)).len(), 2);
        assert_eq!(expired(form, date(2026, 7, 1)).len(), 4);
        for law in ALL.iter().flat_map(|e| e.cites) {
            assert_eq!(law.valid.to.is_some(), law.replaced_by.is_some(), "{}", law.name);
        }
    }
}
