//! A statement as a paper: what its JSON says, in the words of the portal.

use dancu_domain::moment::Moment;
use dancu_domain::service::{Service, Window};
use dancu_domain::statements::{Locked, Served, Statement};
use dancu_papers::Pdf;
use dancu_papers::centre::{self, Issued};
use dancu_portal::text::{Language, Text};
use dancu_store::statements::Stored;

use crate::portal::{frame, words};

/// Where JSON, signature and key are fetched and how they are checked.
const CHECK: &str = "trên cổng, mục Bản xác nhận hằng tháng của đơn vị; hướng dẫn kèm phần mềm, \
                     docs/statements.vi.md";

/// The paper; the same bytes whenever it is printed.
///
/// # Errors
/// What is stored is no statement, or the file could not be made.
pub fn print(stored: &Stored) -> anyhow::Result<Pdf> {
    let statement = super::parse(&stored.document.json)?;
    let t = Text::new(Language::Vietnamese);
    let issued = Issued {
        number: stored.number.to_string(),
        ..Issued::by_centre(stored.document.made_at.viet_nam_date())
    };
    let journal = &statement.journal;
    let of = centre::Statement {
        unit: statement.system.unit_name.clone(),
        system: statement.system.code.clone(),
        days: stored.month.days(),
        served: statement.services.iter().map(|row| served(&t, row)).collect(),
        refused: statement.refused.iter().map(refused).collect(),
        locks: statement.locks.iter().map(|row| locked(&t, row)).collect(),
        entries: (journal.first < journal.end).then_some([journal.first, journal.end - 1]),
        replaces: replaced(&statement),
        tree: (journal.tree_size, journal.root_hash.clone()),
        sha256: stored.document.sha256.clone(),
        check: CHECK.into(),
    };
    centre::statement(&issued, &of).map_err(|_| anyhow::anyhow!("statement.pdf"))
}

fn replaced(statement: &Statement) -> String {
    let old = statement.replaces.as_ref();
    old.map_or_else(String::new, |old| format!("{}. Lý do: {}", old.number, old.reason))
}

fn served(t: &Text, row: &Served) -> centre::Served {
    centre::Served {
        service: service(t, &row.service),
        window: window(t, &row.window),
        purpose: row.purpose.clone(),
        daily: row.registered_daily.unwrap_or(0),
        counted: u32::try_from(row.count.persons).unwrap_or(u32::MAX),
    }
}

fn refused(row: &dancu_domain::statements::RefusedFor) -> centre::Refusals {
    centre::Refusals {
        reason: row.text_vi.trim_end_matches('.').to_owned(),
        rule: row.rule.clone(),
        count: u32::try_from(row.questions).unwrap_or(u32::MAX),
    }
}

fn locked(t: &Text, row: &Locked) -> centre::Lock {
    let what = match (&row.service, &row.window, row.account) {
        (Some(of), Some(within), _) => format!("{}, {}", service(t, of), window(t, within)),
        (_, _, Some(account)) => format!("Tài khoản #{account}"),
        _ => "Toàn bộ kết nối".to_owned(),
    };
    let reason = match row.rule.as_str() {
        "D3" => "Vượt số lượt đăng ký (D3)".to_owned(),
        "B4" => "Hồ sơ quá hạn cập nhật (B4)".to_owned(),
        rule => format!("Quyết định của Trung tâm ({rule})"),
    };
    let until = row.to.as_deref().map(at).unwrap_or_default();
    centre::Lock { what, since: at(&row.from), until, reason }
}

fn at(text: &str) -> String {
    Moment::parse_rfc3339(text).map_or_else(|| text.to_owned(), frame::stamp)
}

fn service(t: &Text, code: &str) -> String {
    Service::from_code(code).map_or_else(|| code.to_owned(), |s| words::service(t, s))
}

fn window(t: &Text, code: &str) -> String {
    let known = [Window::InHours, Window::OffHours].into_iter().find(|w| w.code() == code);
    known.map_or_else(|| code.to_owned(), |w| t.get(words::window_key(w)))
}
