//! What the account list of a dossier lacks (B6, E1).

use hashbrown::{HashMap, HashSet};

use super::super::content::{SHORT_MAX, is_text};
use super::super::{Content, Item};
use super::{Cell, List};
use crate::ids::{Login, OfficerCode, PersonalId};
use crate::profile::Profile;
use crate::registration::AccountKind;
use crate::rule::RuleId;
use crate::text::phone;

impl List {
    pub(super) fn accounts(&mut self, c: &Content, profile: &Profile) {
        let words = ("Danh sách tài khoản còn trống.", "The account list is empty.");
        self.unless(!c.accounts.is_empty(), Item::Accounts, None, RuleId::B6, words);
        let (mut logins, mut ids) = (HashSet::new(), HashSet::new());
        for (row, a) in c.accounts.iter().enumerate() {
            let login = Login::parse(a.login.trim()).ok();
            let fits = login.is_some_and(|login| {
                profile.accounts.logins().contains(&login.as_str().len())
                    && logins.insert(login.folded())
            });
            let words = (
                "Tên đăng nhập chưa đúng, hoặc có hai lần trong danh sách.",
                "The login is not right, or stands here twice.",
            );
            self.unless(fits, Item::Accounts, row, RuleId::B6, words);
            let id = a.citizen_id.trim();
            let officer = a.kind != AccountKind::System;
            let fits = if id.is_empty() {
                !officer
            } else {
                PersonalId::parse(id).is_ok() && (!officer || ids.insert(id))
            };
            let words = (
                "Số căn cước chưa đúng 12 chữ số, hoặc có hai lần (mỗi cán bộ một tài khoản).",
                "The citizen id has not 12 digits, or stands twice (one officer, one account).",
            );
            self.unless(fits, Item::Accounts, (row, Cell::CitizenId), RuleId::E1, words);
            let words = (
                "Thiếu họ tên hoặc số điện thoại của người dùng tài khoản.",
                "Name or telephone of who uses the account is missing.",
            );
            let named = is_text(&a.full_name, SHORT_MAX) && phone(&a.phone).is_some();
            let cell = if phone(&a.phone).is_some() { Cell::FullName } else { Cell::Phone };
            self.unless(named, Item::Accounts, (row, cell), RuleId::B6, words);
            let words = (
                "Số lần truy vấn trong ngày phải lớn hơn 0.",
                "The daily count has to be above 0.",
            );
            self.unless(a.daily > 0, Item::Accounts, (row, Cell::Daily), RuleId::B6, words);
            let words = (
                "Tài khoản này không được dùng dịch vụ nào đã đăng ký.",
                "The account may use no registered service.",
            );
            let of_plan = a.kind == AccountKind::Plan;
            let may = !of_plan && a.account(c).is_none_or(|(account, ..)| account.services.0 != 0);
            self.unless(may, Item::Accounts, row, RuleId::B6, words);
        }
        self.officer_codes(c);
    }

    /// A code names one officer, and is nobody else's login (E1).
    fn officer_codes(&mut self, c: &Content) {
        let folded = |text: &str| text.trim().to_lowercase();
        let rows = || c.accounts.iter().enumerate();
        let owners: HashMap<String, usize> =
            rows().map(|(row, a)| (folded(&a.login), row)).collect();
        let mut codes = HashSet::new();
        for (row, a) in rows().filter(|(_, a)| !a.officer_code.trim().is_empty()) {
            let code = folded(&a.officer_code);
            let own = owners.get(&code).is_none_or(|owner| *owner == row);
            let fits = OfficerCode::parse(a.officer_code.trim()).is_ok() && own;
            let words = (
                "Mã cán bộ quá dài, hoặc trùng với mã hay tên đăng nhập của người khác.",
                "The officer code is too long, or another's code or login.",
            );
            let fits = codes.insert(code) && fits;
            self.unless(fits, Item::Accounts, (row, Cell::OfficerCode), RuleId::B6, words);
        }
    }
}
