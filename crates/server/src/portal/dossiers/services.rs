//! Services with their daily counts in two tables, and the procedures that they come from (B5,
//! B10, D4).

use dancu_domain::dossier::{
    Content, Item, LineRow, PROCEDURES_MAX, ProcedureRow, suggested_count,
};
use dancu_domain::service::{Service, Window};
use dancu_office::Refused;
use dancu_portal::dossier::sheets::{self, Lines, Services};
use dancu_portal::parts::FieldError;

use super::sheet::{Looked, count, no_count, shown};
use crate::portal::form::Form;
use crate::portal::words;

/// Rows of procedures that the form shows, the empty ones among them: five fields each stay below
/// what a form may have. Longer catalogues keep their other rows.
const ROWS_MAX: usize = 200;
/// Empty rows at the end.
const EMPTY: usize = 3;
/// Words of the two tables in names of fields.
const TABLES: [(Window, &str, Item); 2] =
    [(Window::InHours, "in", Item::InHours), (Window::OffHours, "off", Item::OffHours)];

/// The page.
pub(super) fn page(looked: &Looked<'_>, errors: Vec<FieldError>) -> Services {
    let content = looked.content;
    let rows = content.procedures.iter().map(|p| (p.cases, p.queries));
    Services {
        errors,
        procedures: procedures(looked),
        procedures_wrong: looked.lacks(Item::Procedures, None),
        procedures_remarks: looked.remarks(&[Item::Procedures]),
        needed: suggested_count(rows).into(),
        tables: TABLES.map(|table| lines(looked, table)).into(),
        sheet: looked.sheet("services"),
        s: looked.signed.shell(),
        t: looked.signed.text(),
    }
}

fn lines(looked: &Looked<'_>, (window, word, item): (Window, &'static str, Item)) -> Lines {
    let t = looked.signed.text();
    let content = looked.content;
    let rows = Service::ALL.into_iter().map(|service| {
        let of = |line: &LineRow| line.service == service && line.window == window;
        let at = content.lines.iter().position(of);
        let line = at.and_then(|at| content.lines.get(at));
        let id = format!("{word}-{}", service.index());
        let daily = line.map(|line| shown(line.daily)).unwrap_or_default();
        let purpose = line.map(|line| line.purpose.clone()).unwrap_or_default();
        sheets::LineRow {
            service: words::service(&t, service),
            daily: looked.typed_or(&format!("{id}-daily"), daily),
            purpose: looked.typed_or(&format!("{id}-purpose"), purpose),
            suggested: content.suggested(service).into(),
            wrong: at.map(|at| looked.lacks(item, Some(at))).unwrap_or_default(),
            id,
        }
    });
    let of_window = content.lines.iter().filter(|line| line.window == window);
    let cap = looked.place.store.profiles().at(looked.signed.now).counts.off_hours_cap;
    Lines {
        id: item.code(),
        key: if window == Window::InHours { "window-in" } else { "window-off" },
        rows: rows.collect(),
        total: of_window.map(|line| u64::from(line.daily)).sum(),
        cap: if window == Window::OffHours { cap.into() } else { 0 },
        wrong: looked.lacks(item, None),
        remarks: looked.remarks(&[item]),
    }
}

fn procedures(looked: &Looked<'_>) -> Vec<sheets::ProcedureRow> {
    let known = &looked.content.procedures;
    let shown_rows = (known.len() + EMPTY).min(ROWS_MAX);
    let empty = ProcedureRow {
        code: String::new(),
        purpose: String::new(),
        cases: 0,
        queries: 0,
        case_required: false,
    };
    let row = |n: usize| {
        let p = known.get(n).unwrap_or(&empty);
        let stands = [p.code.clone(), p.purpose.clone(), shown(p.cases), shown(p.queries)];
        let id = format!("p{n}");
        let mut values = stands;
        for (value, name) in values.iter_mut().zip(NAMES) {
            *value = looked.typed_or(&format!("{id}-{name}"), std::mem::take(value));
        }
        let wrong = if n < known.len() { looked.lacks(Item::Procedures, Some(n)) } else { vec![] };
        let case = match looked.typed {
            Some(form) if form.has(&format!("{id}-code")) => form.has(&format!("{id}-case")),
            _ => p.case_required,
        };
        let product = suggested_count([(p.cases, p.queries)]).into();
        sheets::ProcedureRow { id, values, case, product, wrong }
    };
    (0..shown_rows).map(row).collect()
}

/// Fields of a row of procedures.
const NAMES: [&str; 4] = ["code", "purpose", "cases", "queries"];

/// What was typed, over what stood there.
///
/// # Errors
/// [`Refused::Field`] where a count cannot be read.
pub(super) fn read(form: &Form, before: &Content) -> Result<Content, Refused> {
    let mut lines = vec![];
    for (window, word, item) in TABLES {
        for service in Service::ALL {
            let id = format!("{word}-{}", service.index());
            let purpose = form.get(&format!("{id}-purpose")).to_owned();
            let typed = form.get(&format!("{id}-daily"));
            let daily = count(typed).ok_or_else(|| no_count(item.code()))?;
            if !(typed.is_empty() && purpose.is_empty()) {
                lines.push(LineRow { service, window, daily, purpose });
            }
        }
    }
    let mut procedures = vec![];
    let mut sent = 0;
    while sent < ROWS_MAX && form.has(&format!("p{sent}-code")) {
        let [code, purpose, cases, queries] =
            NAMES.map(|name| form.get(&format!("p{sent}-{name}")));
        let wrong = || no_count(Item::Procedures.code());
        let row = ProcedureRow {
            code: code.to_owned(),
            purpose: purpose.to_owned(),
            cases: count(cases).ok_or_else(wrong)?,
            queries: count(queries).ok_or_else(wrong)?,
            case_required: form.has(&format!("p{sent}-case")),
        };
        if [code, purpose, cases, queries].iter().any(|text| !text.is_empty()) {
            procedures.push(row);
        }
        sent += 1;
    }
    procedures.extend(before.procedures.iter().skip(sent).cloned());
    procedures.truncate(PROCEDURES_MAX);
    Ok(Content { lines, procedures, ..before.clone() })
}
