//! Accounts of a system (B6): who asks, by which name, and whether they may ask now.

use hashbrown::HashMap;

use serde::{Deserialize, Serialize};

use super::DateRange;
use crate::ids::{AccountId, Login, OfficerCode, PersonalId, PlanId};
use crate::service::ServiceSet;

/// Kinds of account (B6, D5).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[repr(u8)]
pub enum AccountKind {
    /// One officer, one account (E1).
    Officer = 0,
    /// Sign-up checks of a portal; verify services only (B6).
    System = 1,
    /// Covered by an approved job plan (D5).
    Plan = 2,
}

impl AccountKind {
    /// From its number.
    pub const fn from_number(n: u8) -> Option<Self> {
        match n {
            0 => Some(Self::Officer),
            1 => Some(Self::System),
            2 => Some(Self::Plan),
            _ => None,
        }
    }

    /// The word in demo.json.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Officer => "officer",
            Self::System => "system",
            Self::Plan => "plan",
        }
    }
}

/// Whether an account may ask now.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[repr(u8)]
pub enum AccountState {
    /// In use.
    Live = 0,
    /// Administrative stop (B9, E2).
    Suspended = 1,
    /// Security stop (D6).
    Locked = 2,
    /// Final (E3).
    Revoked = 3,
}

impl AccountState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Live, Self::Suspended, Self::Locked, Self::Revoked];

    /// From its word.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.code() == code)
    }

    /// From its number.
    pub const fn from_number(n: u8) -> Option<Self> {
        match n {
            0 => Some(Self::Live),
            1 => Some(Self::Suspended),
            2 => Some(Self::Locked),
            3 => Some(Self::Revoked),
            _ => None,
        }
    }

    /// The word in entries of the journal and on the command line.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Suspended => "suspended",
            Self::Locked => "locked",
            Self::Revoked => "revoked",
        }
    }
}

/// An account of the list (B6).
#[derive(Clone, Debug)]
pub struct Account {
    /// Row id.
    pub id: AccountId,
    /// Tài khoản đăng nhập.
    pub login: Login,
    /// Kind.
    pub kind: AccountKind,
    /// State.
    pub state: AccountState,
    /// Số lần truy vấn trong ngày: a declared average (D2).
    pub daily: u32,
    /// Functions of the task (E1).
    pub services: ServiceSet,
    /// Mã cán bộ.
    pub officer_code: Option<OfficerCode>,
    /// Số CCCD of the officer.
    pub citizen_id: Option<PersonalId>,
    /// First and last day of validity, both inclusive (deputies, substitutes: E3).
    pub valid: DateRange,
    /// The plan that covers a [`AccountKind::Plan`] account.
    pub plan: Option<PlanId>,
}

impl Account {
    /// An account in use that may do nothing yet: no function, nothing declared, valid without end.
    pub fn new(id: AccountId, login: Login, kind: AccountKind) -> Self {
        Self {
            id,
            login,
            kind,
            state: AccountState::Live,
            daily: 0,
            services: ServiceSet::default(),
            officer_code: None,
            citizen_id: None,
            valid: DateRange::default(),
            plan: None,
        }
    }
}

/// Accounts with the three names an officer may be called by on the wire.
#[derive(Clone, Default, Debug)]
pub struct AccountList {
    list: Vec<Account>,
    by_name: HashMap<String, u32>,
}

impl AccountList {
    /// Indexes the accounts; a login wins over an officer code, that over a citizen id.
    pub fn new(list: Vec<Account>) -> Self {
        let mut by_name = HashMap::with_capacity(list.len() * 2);
        for (i, a) in list.iter().enumerate() {
            by_name.insert(a.login.folded(), i as u32);
        }
        for (i, a) in list.iter().enumerate() {
            if let Some(code) = &a.officer_code {
                by_name.entry(code.as_str().to_ascii_lowercase()).or_insert(i as u32);
            }
        }
        for (i, a) in list.iter().enumerate() {
            if let Some(id) = a.citizen_id {
                by_name.entry(id.to_string()).or_insert(i as u32);
            }
        }
        Self { list, by_name }
    }

    /// By login, officer code or citizen id, case-insensitive.
    pub fn find(&self, name: &str) -> Option<&Account> {
        let index = if name.bytes().any(|b| b.is_ascii_uppercase()) {
            self.by_name.get(&name.to_ascii_lowercase())
        } else {
            self.by_name.get(name)
        };
        index.and_then(|i| self.list.get(*i as usize))
    }

    /// By exactly this login; officer codes and citizen ids name an account only on the wire.
    pub fn by_login(&self, login: &Login) -> Option<&Account> {
        let folded = login.folded();
        self.find(&folded).filter(|account| account.login.folded() == folded)
    }

    /// By row id.
    pub fn by_id(&self, id: AccountId) -> Option<&Account> {
        self.list.iter().find(|a| a.id == id)
    }

    /// All accounts.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_b6_a_login_names_its_own_account_only() {
        let login = |text: &str| Login::parse(text).unwrap();
        let named = |n, text, code: &str| Account {
            officer_code: OfficerCode::parse(code).ok(),
            ..Account::new(AccountId(n), login(text), AccountKind::Officer)
        };
        let list = AccountList::new(vec![
            named(1, "canbo.mau1", "canbo.mau2"),
            named(2, "Canbo.Mau2", "canbo.mau3"),
        ]);
        let found = |text| list.by_login(&login(text)).map(|account| account.id.0);
        assert_eq!((found("CANBO.MAU1"), found("canbo.mau2")), (Some(1), Some(2)));
        assert_eq!(found("canbo.mau3"), None, "a code is no login");
        assert_eq!(list.find("canbo.mau3").map(|a| a.id.0), Some(2));
    }

    #[test]
    fn states_read_back() {
        for state in AccountState::ALL {
            assert_eq!(AccountState::from_code(state.code()), Some(state));
            assert_eq!(AccountState::from_number(state as u8), Some(state));
        }
        assert_eq!(AccountState::from_code("Live"), None);
    }
}
