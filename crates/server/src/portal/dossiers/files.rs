//! Files that come in: the account list as a spreadsheet (B6), and papers that are kept (B2, B7).

use std::collections::HashMap;

use axum::extract::Path;
use dancu_domain::dossier::{AccountRow, Blocked, Content, Part};
use dancu_domain::people::powers::Power;
use dancu_domain::registration::AccountKind;
use dancu_domain::service::ServiceSet;
use dancu_office::Refused;
use dancu_office::dossiers::read::Act;
use dancu_office::dossiers::{self, At};
use dancu_papers::sheet::{self, Column, List, Row};

use super::kept::Unfit;
use super::sheet::{Asked, count, drawn};
use super::{Place, at, at_unit, carried, errors, opened};
use crate::portal::form::{Form, Part as Sent, Upload};
use crate::portal::frame;
use crate::portal::head::say;
use crate::portal::signed::Signed;
use crate::stop::{Handled, Stop};

/// `POST /unit/dossiers/{number}/accounts/file`: takes the place of the whole list.
pub(super) async fn accounts(
    signed: Signed,
    Path(number): Path<String>,
    upload: Upload,
) -> Handled {
    let place = whole_unit(&signed)?;
    let Upload { form, file } = upload;
    let here = Here { signed: &signed, place: &place, number: &number, form: &form };
    let bytes = match here.file(file) {
        Ok(bytes) => bytes,
        Err(missing) => return here.wrong("accounts", missing).await,
    };
    let list = signed.app.reads.long(move || sheet::read(&bytes)).await;
    let list = match list {
        Ok(Ok(list)) => list,
        Ok(Err(unreadable)) => {
            return here.wrong("accounts", say(signed.lang, unreadable.sentence())).await;
        }
        Err(_) => return Ok(frame::unavailable(&signed)),
    };
    let open = opened(&signed, &place, &number).await?;
    let before = open.dossier.content();
    // The first of two alike, as whoever reads the list from its top.
    let known: HashMap<String, &AccountRow> =
        before.accounts.iter().rev().map(|a| (folded(&a.login), a)).collect();
    let accounts = list.rows.iter().map(|row| account(&list, row, &known)).collect();
    let content = Content { accounts, ..before.clone() };
    let at = at(open.dossier.number(), &form);
    let saved = here.done("accounts", async move |place: Place| {
        dossiers::save(&place.desk(), at, content).await
    });
    Box::pin(saved).await
}

/// A row of the file; kind and services, and what the form has no column for, stay where the login
/// was known: the form of 2025 has no role, that of 2021 neither citizen id nor officer code.
fn account(list: &List, row: &Row, before: &HashMap<String, &AccountRow>) -> AccountRow {
    let text = |column| row.raw.get(column).trim().to_owned();
    let login = text(Column::Login);
    let known = before.get(&folded(&login));
    let text_or = |column, stood: fn(&AccountRow) -> &String| match known {
        Some(known) if !list.has(column) => stood(known).clone(),
        _ => text(column),
    };
    AccountRow {
        full_name: text(Column::Name),
        citizen_id: text_or(Column::PersonalId, |a| &a.citizen_id),
        officer_code: text_or(Column::OfficerCode, |a| &a.officer_code),
        phone: text(Column::Phone),
        // What is no count is listed as missing beside its row.
        daily: count(&text(Column::Daily)).unwrap_or(0),
        role: text_or(Column::Role, |a| &a.role),
        kind: known.map_or(AccountKind::Officer, |a| a.kind),
        services: known.map_or(ServiceSet::default(), |a| a.services),
        login,
    }
}

/// A login as logins are compared (B6).
fn folded(login: &str) -> String {
    login.trim().to_ascii_lowercase()
}

/// `POST /unit/dossiers/{number}/security/file`
pub(super) async fn security(signed: Signed, number: Path<String>, upload: Upload) -> Handled {
    paper(signed, number, upload, ("security", Part::Security)).await
}

/// `POST /unit/dossiers/{number}/commitment/file`
pub(super) async fn commitment(signed: Signed, number: Path<String>, upload: Upload) -> Handled {
    // A6: who edits technical items does not see this sheet.
    whole_unit(&signed)?;
    paper(signed, number, upload, ("commitment", Part::Commitment)).await
}

async fn paper(
    signed: Signed,
    Path(number): Path<String>,
    upload: Upload,
    (code, part): (&'static str, Part),
) -> Handled {
    let place = at_unit(&signed, Power::EditDossier)?;
    let Upload { form, file } = upload;
    let here = Here { signed: &signed, place: &place, number: &number, form: &form };
    let open = opened(&signed, &place, &number).await?;
    let at: At = at(open.dossier.number(), &form);
    // What could not be kept is not looked at.
    if !open.acts.contains(&Act::Edit) {
        let refused = Refused::Dossier(Blocked::NotInThisStage);
        return here.again(code, errors(&signed, &refused, "file")?).await;
    }
    let (name, bytes) = match file {
        Some(sent) if !sent.bytes.is_empty() => (sent.name, sent.bytes),
        _ => return here.wrong(code, signed.text().get("importfile-missing")).await,
    };
    let brought = match signed.portal().dossiers.looked_at(&signed, name, bytes).await? {
        Ok(brought) => brought,
        Err(Unfit::Sentence(sentence)) => return here.wrong(code, sentence).await,
        Err(Unfit::Scanner(sha256)) => {
            let doing = place.clone();
            let told =
                async move { dossiers::refused_by_scanner(&doing.desk(), at, part, sha256).await };
            let told = carried(&signed, &form, told).await?;
            let refused = told.err().unwrap_or(Refused::Dossier(Blocked::FileRefused));
            return here.again(code, errors(&signed, &refused, "file")?).await;
        }
    };
    here.done(code, async move |place: Place| {
        dossiers::attach(&place.desk(), at, part, brought).await
    })
    .await
}

/// Who fills in more than technical items: these papers name people (A6).
fn whole_unit(signed: &Signed) -> Result<Place, Stop> {
    let place = at_unit(signed, Power::EditDossier)?;
    if place.integrator { Err(frame::missing(signed).into()) } else { Ok(place) }
}

/// A file that is being taken.
struct Here<'a> {
    signed: &'a Signed,
    place: &'a Place,
    number: &'a str,
    form: &'a Form,
}

impl Here<'_> {
    fn file(&self, file: Option<Sent>) -> Result<bytes::Bytes, String> {
        let file = file.filter(|part| !part.bytes.is_empty()).map(|part| part.bytes);
        file.ok_or_else(|| self.signed.text().get("importfile-missing"))
    }

    /// The sheet again, with a sentence beside the file.
    async fn wrong(&self, code: &'static str, sentence: String) -> Handled {
        self.again(code, vec![frame::wrong("file", sentence)]).await
    }

    async fn again(
        &self,
        code: &'static str,
        errors: Vec<dancu_portal::parts::FieldError>,
    ) -> Handled {
        let open = opened(self.signed, self.place, self.number).await?;
        let (content, asked) = (open.dossier.content(), Asked::default());
        let shown = (content, None, errors);
        drawn(self.signed, (self.place, &open, code), shown, &asked).await
    }

    async fn done<T, F>(
        &self,
        code: &'static str,
        act: impl FnOnce(Place) -> F + Send + 'static,
    ) -> Handled
    where
        T: Send + 'static,
        F: Future<Output = Result<T, dancu_office::Refused>> + Send + 'static,
    {
        match carried(self.signed, self.form, act(self.place.clone())).await? {
            Ok(()) => {
                let base = format!("{}/{}", self.place.list(), self.number);
                Ok(frame::to(&format!("{base}/{code}?told=saved")))
            }
            Err(refused) => self.again(code, errors(self.signed, &refused, "file")?).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rule_b6_what_a_form_has_no_column_for_stays_in_the_dossier() {
        let known = AccountRow {
            login: "canbo.mot1".into(),
            full_name: "Trần Thị Thử".into(),
            citizen_id: "099301012341".into(),
            officer_code: "CB-1".into(),
            phone: String::new(),
            role: "Một cửa".into(),
            kind: AccountKind::Officer,
            daily: 5,
            services: ServiceSet::default(),
        };
        let before = HashMap::from([("canbo.mot1".to_owned(), &known)]);
        let read = |heads: &str, cells: &str| {
            let list = sheet::read(format!("{heads}\n{cells}\n").as_bytes()).unwrap();
            let row = account(&list, &list.rows[0], &before);
            [row.citizen_id, row.officer_code, row.role, row.daily.to_string()]
        };
        let heads = "Họ tên ²;Tài khoản đăng nhập ³;SĐT;Vai trò trách nhiệm ⁴;\
                     Số lần truy vấn trong ngày ⁵;Mục đích sử dụng ⁶";
        let of_2021 = read(heads, "Trần Thị Thử;Canbo.mot1;0900000001;Tiếp nhận;7;Hộ tịch");
        assert_eq!(of_2021, ["099301012341", "CB-1", "Tiếp nhận", "7"]);
        let heads = "Tên tài khoản đăng nhập;Họ và tên;Số CCCD;Mã cán bộ (nếu có);Số điện thoại;\
                     Số lần truy vấn trong ngày";
        let of_2025 = read(heads, "canbo.mot1;Trần Thị Thử;099301012342;;0900000001;7");
        assert_eq!(of_2025, ["099301012342", "", "Một cửa", "7"]);
    }
}
