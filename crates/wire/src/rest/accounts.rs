//! The account list that a system sends (B6): `PUT /api/v1/accounts`, and what became of it.

use dancu_domain::moment::Moment;
use dancu_domain::text::is_storable;
use dancu_gate::query::{FieldError, Unreadable};
use jiff::civil::Date;
use serde::Serialize;
use serde::de::{Deserialize, Deserializer, IgnoredAny, SeqAccess, Visitor};
use utoipa::ToSchema;

use super::Rendered;
use super::fields::{At, Reader};
use super::parse::read_json_within;
use super::raw::{Nested, Raw, Slot, body};
use super::shapes;
use super::views::{some_moment, to_json};

/// Accounts of a list: as of a spreadsheet.
pub const ACCOUNTS_MAX: usize = 5_000;
/// Bytes of a list: 5,000 accounts of the usual 250 bytes, and as much again.
pub const ACCOUNTS_BODY_MAX: usize = 2_500_000;
/// Characters of a value: a name has up to 100, nothing is longer.
const TEXT_MAX: usize = 200;

body! {
    /// An account of the list, by the columns of the form.
    AccountBody<'a> {
        /// Tài khoản đăng nhập.
        login: "login", Raw<'a>, Required, shapes::login;
        /// Họ và tên.
        full_name: "fullName", Raw<'a>, Required, shapes::full_name;
        /// Số CCCD.
        personal_id: "personalId", Raw<'a>, Required, shapes::personal_id;
        /// Mã cán bộ.
        officer_code: "officerCode", Raw<'a>, Optional, shapes::officer_code;
        /// Số điện thoại.
        phone: "phone", Raw<'a>, Required, shapes::phone;
        /// Nhiệm vụ (thủ trưởng xem khi duyệt).
        role: "role", Raw<'a>, Optional, shapes::role;
        /// Số lần truy vấn trong ngày.
        daily: "daily", Raw<'a>, Required, shapes::daily;
        /// Mục đích sử dụng (thủ trưởng xem khi duyệt).
        purpose: "purpose", Raw<'a>, Optional, shapes::list_purpose;
    }
}

body! {
    /// The whole list.
    AccountsBody<'a> {
        /// Danh sách.
        accounts: "accounts", List<'a>, Required, shapes::accounts;
    }
}

/// Accounts in the order they came; those beyond [`ACCOUNTS_MAX`] are counted and left.
#[derive(Default)]
pub(super) enum List<'a> {
    #[default]
    Absent,
    Other,
    Given {
        rows: Vec<Nested<AccountBody<'a>>>,
        all: usize,
    },
}

impl Slot for List<'_> {
    fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }

    fn write(&self, out: &mut Vec<u8>) {
        if let Self::Given { rows, .. } = self {
            for row in rows {
                row.write(out);
            }
        }
    }
}

impl<'de> Deserialize<'de> for List<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Rows)
    }
}

struct Rows;

impl<'de> Visitor<'de> for Rows {
    type Value = List<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = vec![];
        while rows.len() < ACCOUNTS_MAX {
            let Some(row) = seq.next_element()? else { break };
            rows.push(row);
        }
        let mut all = rows.len();
        while seq.next_element::<IgnoredAny>()?.is_some() {
            all += 1;
        }
        Ok(List::Given { rows, all })
    }

    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<List<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(List::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<List<'de>, E> {
        Ok(List::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<List<'de>, E> {
        Ok(List::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<List<'de>, E> {
        Ok(List::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<List<'de>, E> {
        Ok(List::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<List<'de>, E> {
        Ok(List::Other)
    }

    fn visit_unit<E>(self) -> Result<List<'de>, E> {
        Ok(List::Other)
    }
}

/// An account as it was sent; what it says is looked at by the office.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct SentAccount {
    /// Login, name, citizen id, officer code, telephone, daily count: the columns of the form.
    pub cells: [String; 6],
    /// Nhiệm vụ.
    pub role: String,
    /// Mục đích sử dụng.
    pub purpose: String,
}

/// Everything in it is personal data.
impl std::fmt::Debug for SentAccount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SentAccount(***)")
    }
}

/// Reads the body of `PUT /api/v1/accounts`.
///
/// # Errors
/// Everything that is wrong, by account from 1 and field; never a value.
pub fn parse_accounts(body: &[u8]) -> Result<Vec<SentAccount>, Box<Unreadable>> {
    let mut reader = Reader { today: Date::MIN, errors: vec![] };
    let read = read_json_within::<AccountsBody<'_>>(body, ACCOUNTS_BODY_MAX, &mut reader);
    let mut sent = vec![];
    if let Some(raw) = read {
        reader.issues(None, &raw.issues);
        let at = At::root("accounts");
        match &raw.accounts {
            List::Given { all: 0, .. } | List::Absent => {
                reader.error(at, "Danh sách phải có ít nhất một tài khoản.");
            }
            List::Other => reader.error(at, "Phải là mảng […]."),
            List::Given { all, .. } if *all > ACCOUNTS_MAX => {
                reader.error(at, format!("Danh sách có tối đa {ACCOUNTS_MAX} tài khoản."));
            }
            List::Given { rows, .. } => {
                for (number, row) in (1..).zip(rows) {
                    let name = format!("{number}");
                    sent.extend(account(&mut reader, row, at.then(&name)));
                }
            }
        }
    }
    if reader.errors.is_empty() {
        return Ok(sent);
    }
    Err(Box::new(Unreadable { errors: reader.errors, ..Unreadable::default() }))
}

fn account(r: &mut Reader, row: &Nested<AccountBody<'_>>, at: At<'_>) -> Option<SentAccount> {
    let row = r.object(row, at, true)?;
    r.issues(Some(&at), &row.issues);
    let text = |text: &str, _: Date| {
        let text = text.trim();
        let fits = !text.is_empty() && text.chars().count() <= TEXT_MAX;
        let fits = fits && text.chars().all(is_storable);
        fits.then(|| text.to_owned()).ok_or("Từ 1 đến 200 ký tự in được.")
    };
    let daily = match &row.daily {
        Raw::Number(count) => Some(count.to_string()),
        other => {
            let missing = matches!(other, Raw::Absent | Raw::Null);
            let wrong =
                if missing { "Bắt buộc có mục này." } else { "Phải là số nguyên." };
            r.error(at.then("daily"), wrong);
            None
        }
    };
    let login = r.required(&row.login, at.then("login"), text);
    let name = r.required(&row.full_name, at.then("fullName"), text);
    let id = r.required(&row.personal_id, at.then("personalId"), |text, _| {
        let fits = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.to_owned()).ok_or("Số CCCD phải có đúng 12 chữ số.")
    });
    let code = r.optional(&row.officer_code, at.then("officerCode"), text);
    let phone = r.required(&row.phone, at.then("phone"), |text, _| {
        let digits = text.strip_prefix('+').unwrap_or(text);
        let fits = (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        fits.then(|| text.to_owned()).ok_or("Số điện thoại gồm 7 đến 15 chữ số.")
    });
    let role = r.optional(&row.role, at.then("role"), text);
    let purpose = r.optional(&row.purpose, at.then("purpose"), text);
    let cells = [login?, name?, id?, code.unwrap_or_default(), phone?, daily?];
    Some(SentAccount {
        cells,
        role: role.unwrap_or_default(),
        purpose: purpose.unwrap_or_default(),
    })
}

/// An error of the office about a value of the list: which account, from 1, and which column of
/// [`SentAccount::cells`].
#[must_use]
pub fn account_error(number: u32, column: usize, message_vi: String) -> FieldError {
    let names = ["login", "fullName", "personalId", "officerCode", "phone", "daily"];
    let name = names.get(column).copied().unwrap_or_default();
    FieldError { field: format!("accounts.{number}.{name}"), message_vi }
}

/// Danh sách tài khoản đã gửi: khác gì và đang ở đâu · A list that was sent: how it differs, and
/// where it stands.
#[derive(Clone, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountChangesView {
    /// Số của danh sách; null = không có gì khác · Its number; null = nothing differs
    #[schema(required = true)]
    pub id: Option<i64>,
    /// Trạng thái: unchanged, waiting, applied, refused, replaced · State
    #[schema(value_type = String, examples("waiting"))]
    pub state: &'static str,
    /// Gửi lúc · When it was sent
    #[serde(serialize_with = "some_moment")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub sent_at: Option<Moment>,
    /// Thủ trưởng quyết định lúc · When the head decided
    #[serde(serialize_with = "some_moment")]
    #[schema(value_type = Option<String>, format = DateTime, required = true)]
    pub decided_at: Option<Moment>,
    /// Trả lời của thủ trưởng · What the head answered
    #[schema(required = true)]
    pub answer_vi: Option<String>,
    /// Tài khoản thêm mới · Accounts to be added, by login
    pub added: Vec<String>,
    /// Tài khoản thay đổi · Accounts to be changed
    pub changed: Vec<String>,
    /// Tài khoản không có trong danh sách: sẽ thu hồi · Accounts missing from it: to be revoked
    pub missing: Vec<String>,
}

/// Logins may be citizen ids: debug output never shows them.
impl std::fmt::Debug for AccountChangesView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AccountChangesView({:?}, {})", self.id, self.state)
    }
}

impl AccountChangesView {
    /// Under this status: 200, or 202 where it waits.
    #[must_use]
    pub fn render(&self, status: u16) -> Rendered {
        Rendered::json(status, to_json(self))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn account() -> Value {
        json!({"login": "canbo.motcua", "fullName": "Nguyễn Thị Bình", "personalId": "099184012345",
            "phone": "0900000000", "role": "Tiếp nhận", "daily": 30, "purpose": "Hộ tịch"})
    }

    fn read(body: &Value) -> Result<Vec<SentAccount>, Vec<String>> {
        let fields = |u: Box<Unreadable>| u.errors.into_iter().map(|e| e.field).collect();
        parse_accounts(body.to_string().as_bytes()).map_err(fields)
    }

    #[test]
    fn a_list_is_read_by_its_columns() {
        let sent = read(&json!({"accounts": [account()]})).unwrap();
        let id = "099184012345";
        let cells = ["canbo.motcua", "Nguyễn Thị Bình", id, "", "0900000000", "30"];
        assert_eq!((sent.len(), sent[0].cells.each_ref().map(String::as_str)), (1, cells));
        assert_eq!(format!("{sent:?}"), "[SentAccount(***)]");
    }

    #[test]
    fn what_is_shown_to_the_head_alone_may_be_left_out() {
        let mut short = account();
        let columns = short.as_object_mut().unwrap();
        columns.retain(|name, _| name != "role" && name != "purpose");
        let sent = read(&json!({"accounts": [short]})).unwrap();
        assert_eq!((sent[0].role.as_str(), sent[0].purpose.as_str()), ("", ""));
    }

    #[test]
    fn what_is_wrong_is_told_by_account_and_field_and_never_by_value() {
        let mut bad = account();
        bad["daily"] = json!("30");
        bad["login"] = json!("");
        bad["099184012345"] = json!(1);
        let wrong = read(&json!({"accounts": [account(), bad, 7, null]})).unwrap_err();
        let fields = ["accounts.2.?", "accounts.2.daily", "accounts.2.login", "accounts.3"];
        assert_eq!(wrong, [&fields[..], &["accounts.4"]].concat());
        for (body, field) in [
            (json!({}), "accounts"),
            (json!({"accounts": []}), "accounts"),
            (json!({"accounts": {}}), "accounts"),
            (json!({"accounts": [account()], "more": 1}), "more"),
            (json!({"accounts": vec![Value::Null; ACCOUNTS_MAX + 1]}), "accounts"),
            (json!([]), "body"),
        ] {
            assert_eq!(read(&body).unwrap_err(), [field], "{body:.60}");
        }
        let doubled = br#"{"accounts":[{"login":"a","login":"b"}]}"#;
        let errors = parse_accounts(doubled).unwrap_err().errors;
        assert!(errors.iter().any(|e| e.field == "accounts.1.login"));
    }

    /// 5,000 accounts of ordinary length fit into one body.
    #[test]
    fn the_largest_list_fits() {
        let list = json!({"accounts": vec![account(); ACCOUNTS_MAX]}).to_string();
        assert!(list.len() < ACCOUNTS_BODY_MAX, "{}", list.len());
        assert_eq!(parse_accounts(list.as_bytes()).unwrap().len(), ACCOUNTS_MAX);
    }
}
