//! The list as a spreadsheet: read, looked at, applied; and taken home.

use std::sync::Arc;

use axum::extract::Query;
use axum::http::StatusCode;
use dancu_domain::editions::{ALL, Edition, Form as Paper};
use dancu_domain::moment::MINUTE_MS;
use dancu_domain::people::powers::Power;
use dancu_domain::people::{MachineTime, PersonId};
use dancu_domain::service::ServiceSet;
use dancu_office::officers::check::{Effect, Wrong};
use dancu_office::officers::{self, Import, Preview};
use dancu_papers::sheet::{self, Column, Contact, Layout, List, Row, Unreadable};
use dancu_portal::head::{Import as Shown, ImportFile, ImportRow};
use dancu_portal::parts::{FieldError, states};
use dancu_portal::text::Language;
use jiff::civil::Date;
use parking_lot::Mutex;
use serde::Deserialize;
use tokio::sync::Semaphore;

use super::{Unit, allowed, answered, as_errors, say, services, system_choices, ticked, usual};
use crate::portal::form::{Form, Upload};
use crate::portal::frame;
use crate::portal::signed::Signed;
use crate::stop::Handled;

/// A preview waits so long to be applied, ms: long enough to read 5,000 rows, and to ask somebody.
const KEPT_MS: i64 = 30 * MINUTE_MS;
/// Previews of a node at a time, one of a person: 5,000 rows take about 2 MB.
const KEPT_MAX: usize = 32;
/// A preview that is older makes room for another's where all are held, ms (*ours*): who applies
/// what was looked at does so within minutes, and one that was forgotten must not close the import
/// for everybody until its end.
const GIVES_WAY_MS: i64 = 5 * MINUTE_MS;
/// Files read at a time: each may take 32 MB and a core.
const READERS: usize = 2;
/// Rows that a page shows; wrong ones come first.
const SHOWN_MAX: usize = 500;
/// What a spreadsheet is sent as.
pub(super) const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

/// Previews that wait to be applied, on this node.
pub(super) struct Imports {
    kept: Mutex<Vec<Waiting>>,
    readers: Arc<Semaphore>,
}

impl Default for Imports {
    fn default() -> Self {
        Self { kept: Mutex::default(), readers: Arc::new(Semaphore::new(READERS)) }
    }
}

#[derive(Clone)]
struct Waiting {
    token: String,
    person: PersonId,
    until: MachineTime,
    file: String,
    import: Import,
    preview: Preview,
    applied: bool,
}

impl Imports {
    /// Whether there would be room for a preview of a person.
    ///
    /// # Errors
    /// Where all places are held: in how many ms the oldest gives way.
    fn room(&self, person: PersonId, now: MachineTime) -> Result<(), u64> {
        room(&self.kept.lock(), person, now)
    }

    /// Keeps a preview in the place of the person's own before. One that cannot be applied is
    /// looked at only, and holds no place.
    ///
    /// # Errors
    /// As [`Self::room`].
    fn keep(&self, waiting: Waiting, now: MachineTime) -> Result<(), u64> {
        let mut kept = self.kept.lock();
        kept.retain(|w| w.until > now && w.person != waiting.person);
        if !waiting.preview.may_be_applied() {
            return Ok(());
        }
        room(&kept, waiting.person, now)?;
        if kept.len() >= KEPT_MAX {
            // One that was applied holds nothing but the answer to a doubled post.
            kept.retain(|w| !w.applied);
        }
        if kept.len() >= KEPT_MAX {
            kept.remove(0);
        }
        kept.push(waiting);
        Ok(())
    }

    fn find(&self, token: &str, person: PersonId, now: MachineTime) -> Option<Waiting> {
        let kept = self.kept.lock();
        kept.iter().find(|w| w.token == token && w.person == person && w.until > now).cloned()
    }

    fn applied(&self, token: &str) {
        if let Some(waiting) = self.kept.lock().iter_mut().find(|w| w.token == token) {
            waiting.applied = true;
            waiting.import.list.rows.clear();
            waiting.preview.effects.clear();
        }
    }
}

fn room(kept: &[Waiting], person: PersonId, now: MachineTime) -> Result<(), u64> {
    let holds = |w: &&Waiting| w.until > now && w.person != person && !w.applied;
    // The first came first: its age is what of its time has gone by.
    let Some(oldest) = kept.iter().find(holds) else { return Ok(()) };
    let age = KEPT_MS - (oldest.until.0 - now.0);
    match u64::try_from(GIVES_WAY_MS - age) {
        Ok(wait @ 1..) if kept.iter().filter(holds).count() >= KEPT_MAX => Err(wait),
        _ => Ok(()),
    }
}

/// `GET /unit/officers/import`.
pub(super) async fn choose(signed: Signed, Query(which): Query<Which>) -> Handled {
    let unit = allowed(&signed, Power::ManageOfficers).await?;
    if unit.system(&which.system).is_none() && !which.system.is_empty() {
        return Ok(frame::missing(&signed));
    }
    Ok(frame::page(&file_page(&signed, &unit, &which.system, usual(), vec![])))
}

/// `POST /unit/officers/import`: reads the file and shows what it would do.
pub(super) async fn read(signed: Signed, upload: Upload) -> Handled {
    let unit = allowed(&signed, Power::ManageOfficers).await?;
    let (named, chosen) = (upload.form.get("system").to_owned(), ticked(&upload.form));
    let wrong = |status, sentence: String| {
        let errors = vec![frame::wrong("file", sentence)];
        frame::page_with(status, &file_page(&signed, &unit, &named, chosen, errors))
    };
    let input = StatusCode::UNPROCESSABLE_ENTITY;
    let Some(system) = unit.system(&named) else { return Ok(frame::missing(&signed)) };
    let Some(part) = upload.file.filter(|part| !part.bytes.is_empty()) else {
        return Ok(wrong(input, signed.text().get("importfile-missing")));
    };
    let imports = &signed.portal().head.imports;
    let full = |wait: u64| {
        // At most GIVES_WAY_MS.
        let minutes = wait.div_ceil(MINUTE_MS as u64);
        let full = signed.text().with("importfile-full", "count", minutes);
        let mut answer = wrong(StatusCode::SERVICE_UNAVAILABLE, full);
        frame::retry_after(&mut answer, wait.div_ceil(1_000) as u32);
        answer
    };
    // What cannot be shown is not read.
    if let Err(wait) = imports.room(signed.person.id, signed.machine) {
        return Ok(full(wait));
    }
    let Ok(turn) = imports.readers.clone().try_acquire_owned() else {
        return Ok(wrong(StatusCode::SERVICE_UNAVAILABLE, signed.text().get("importfile-busy")));
    };
    let bytes = part.bytes.clone();
    // The turn ends with the work: a browser that goes away does not stop it.
    let reading = move || {
        let _turn = turn;
        sheet::read(&bytes)
    };
    let list = tokio::task::spawn_blocking(reading).await;
    let list: List = match list.unwrap_or(Err(Unreadable::Damaged)) {
        Ok(list) => list,
        Err(unreadable) => return Ok(wrong(input, say(signed.lang, unreadable.sentence()))),
    };
    let import = Import { system: system.id, list, services: chosen };
    let preview = match officers::preview(&unit.desk(), &import).await {
        Ok(preview) => preview,
        Err(refused) => return Ok(answered(&signed, &refused)),
    };
    let waiting = Waiting {
        token: crate::portal::form::once(),
        person: signed.person.id,
        until: signed.machine.plus_ms(KEPT_MS),
        file: part.name.chars().take(80).collect(),
        import,
        preview,
        applied: false,
    };
    let page = preview_page(&signed, system.code.as_str(), &waiting, vec![]);
    if let Err(wait) = imports.keep(waiting, signed.machine) {
        return Ok(full(wait));
    }
    Ok(frame::page(&page))
}

/// `POST /unit/officers/import/apply`: whole or not at all; sent twice, it is done once.
pub(super) async fn apply(signed: Signed, form: Form) -> Handled {
    let unit = allowed(&signed, Power::ManageOfficers).await?;
    let imports = &signed.portal().head.imports;
    let token = form.get("file");
    let done = || frame::to("/unit/officers?told=imported");
    let Some(waiting) = imports.find(token, signed.person.id, signed.machine) else {
        let errors = vec![frame::wrong("file", signed.text().get("import-gone"))];
        let page = file_page(&signed, &unit, "", usual(), errors);
        return Ok(frame::page_with(StatusCode::CONFLICT, &page));
    };
    if waiting.applied {
        return Ok(done());
    }
    let import = waiting.import.clone();
    Ok(match officers::apply(&unit.desk(), import, waiting.preview.clone()).await {
        Ok(_) => {
            imports.applied(token);
            done()
        }
        Err(refused) => {
            // The other of two posts at the same time may have done it.
            let now = imports.find(token, signed.person.id, signed.machine);
            if now.is_some_and(|w| w.applied) {
                return Ok(done());
            }
            let code = unit.system(&waiting.import.system.0.to_string());
            let code = code.map(|s| s.code.as_str().to_owned()).unwrap_or_default();
            let errors = as_errors(&signed, &refused, "file")?;
            let page = preview_page(&signed, &code, &waiting, errors);
            frame::page_with(StatusCode::CONFLICT, &page)
        }
    })
}

/// Which list.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct Which {
    system: String,
    edition: String,
}

/// Editions of the account list that are offered on a day, the newest first: those that had come by
/// then, because units hold lists in the layout of before.
pub(super) fn editions(day: Date) -> impl Iterator<Item = &'static Edition> {
    let came = move |e: &&Edition| {
        e.form == Paper::AccountList && e.valid.from.is_none_or(|from| from <= day)
    };
    ALL.iter().rev().filter(came)
}

/// `GET /unit/officers.xlsx`: the list in the layout of the edition that is named, or of today's;
/// journaled.
pub(super) async fn export(signed: Signed, Query(which): Query<Which>) -> Handled {
    let unit = allowed(&signed, Power::ExportAccounts).await?;
    let Some(system) = unit.system(&which.system) else { return Ok(frame::missing(&signed)) };
    let named = |e: &&Edition| which.edition.is_empty() || which.edition == e.name;
    let Some(edition) = editions(signed.today()).find(named) else {
        return Ok(frame::missing(&signed));
    };
    let contact = Contact {
        name: signed.person.name.clone(),
        phone: signed.person.phone.clone(),
        ..Contact::default()
    };
    Ok(match officers::export(&unit.desk(), system.id, contact, edition).await {
        Ok((_, bytes)) => {
            let day = signed.today();
            let code: String =
                system.code.as_str().chars().filter(char::is_ascii_alphanumeric).collect();
            let form = if which.edition.is_empty() { "" } else { edition.name };
            let dash = if form.is_empty() { "" } else { "-" };
            let name = format!("danh-sach-tai-khoan-{code}{dash}{form}-{day}.xlsx");
            frame::file(&name, XLSX, bytes)
        }
        Err(refused) => answered(&signed, &refused),
    })
}

fn file_page(
    signed: &Signed,
    unit: &Unit,
    named: &str,
    chosen: ServiceSet,
    errors: Vec<FieldError>,
) -> ImportFile {
    let t = signed.text();
    let system = unit.system(named);
    ImportFile {
        errors,
        choose: system.is_none(),
        systems: system_choices(&unit.systems(), system.as_ref().map_or(0, |s| s.id.0)),
        services: system.map(|s| services(&t, &s, chosen)).unwrap_or_default(),
        s: signed.shell(),
        t,
    }
}

fn preview_page(
    signed: &Signed,
    system: &str,
    waiting: &Waiting,
    errors: Vec<FieldError>,
) -> Shown {
    let sums = waiting.preview.sums();
    let mut rows: Vec<(&Row, &Effect)> =
        waiting.import.list.rows.iter().zip(&waiting.preview.effects).collect();
    let layout = waiting.import.list.layout;
    // Wrong ones first, then what changes; each in the order of the file.
    rows.sort_by_key(|(row, effect)| {
        let rank = match effect {
            Effect::Wrong(_) => 0,
            Effect::Add(_) | Effect::Change(..) => 1,
            Effect::Same(_) => 2,
        };
        (rank, row.line)
    });
    let more = rows.len().saturating_sub(SHOWN_MAX) as u64;
    rows.truncate(SHOWN_MAX);
    Shown {
        t: signed.text(),
        s: signed.shell(),
        file: waiting.file.clone(),
        added: sums.added as u64,
        changed: sums.changed as u64,
        same: sums.same as u64,
        wrong: sums.wrong as u64,
        system: system.to_owned(),
        errors,
        rows: rows
            .into_iter()
            .map(|(row, effect)| shown(signed.lang, layout, row, effect))
            .collect(),
        of_2021: layout == Layout::Of2021,
        more,
        token: waiting.token.clone(),
    }
}

fn shown(lang: Language, layout: Layout, row: &Row, effect: &Effect) -> ImportRow {
    let head = |column: Column| match lang {
        Language::Vietnamese => layout.title(column),
        Language::English => column.head_en(),
    };
    let told =
        |(column, wrong): &(Column, Wrong)| (head(*column).to_owned(), say(lang, wrong.sentence()));
    let (change, errors) = match effect {
        Effect::Add(_) => (states::ADDED, vec![]),
        Effect::Change(..) => (states::CHANGED, vec![]),
        Effect::Same(_) => (states::SAME, vec![]),
        Effect::Wrong(faults) => (states::WRONG, faults.iter().map(told).collect()),
    };
    let value = |column| row.raw.get(column).to_owned();
    ImportRow {
        line: row.line.into(),
        name: value(Column::Name),
        login: value(Column::Login),
        daily: value(Column::Daily),
        change,
        errors,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use dancu_domain::ids::{AccountId, Login, SystemId};
    use dancu_domain::name::FullName;
    use dancu_domain::people::roles::Role;
    use dancu_office::officers::check::Wanted;

    use super::super::tests::{site, upload};
    use crate::clock::machine_ms;

    const NOW: MachineTime = MachineTime(1_000_000);

    fn empty() -> List {
        List { layout: Layout::Of2025, columns: Column::ALL.into(), rows: vec![] }
    }

    fn of(person: u32, token: &str) -> Waiting {
        let wanted = Wanted {
            login: Login::parse("canbo.moi1").unwrap(),
            name: FullName::parse("Trần Thị Thử").unwrap(),
            personal_id: None,
            officer_code: None,
            phone: String::new(),
            daily: 20,
        };
        Waiting {
            token: token.into(),
            person: PersonId(person),
            until: NOW.plus_ms(KEPT_MS),
            file: String::new(),
            import: Import { system: SystemId(1), list: empty(), services: usual() },
            preview: Preview { effects: vec![Effect::Add(wanted)] },
            applied: false,
        }
    }

    #[test]
    fn what_cannot_be_applied_holds_no_place() {
        let imports = Imports::default();
        let wrong = Effect::Wrong(vec![(Column::Login, Wrong::LoginTaken)]);
        let same = Effect::Same(AccountId(1));
        for (person, effect) in (1..).zip([wrong, same]) {
            let mut waiting = of(person, "t");
            waiting.preview.effects.push(effect.clone());
            let before = imports.kept.lock().len();
            assert!(imports.keep(waiting.clone(), NOW).is_ok());
            let held = usize::from(matches!(effect, Effect::Same(_)));
            assert_eq!(imports.kept.lock().len(), before + held, "beside one to add: {effect:?}");
            // Where nothing changes, or something is wrong; and it takes the own place before.
            waiting.preview.effects = vec![effect];
            assert!(imports.keep(waiting, NOW).is_ok());
            assert!(imports.find("t", PersonId(person), NOW).is_none());
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_file_without_room_is_not_read() {
        let site = site().await;
        let (imports, now) = (&site.app.portal.as_ref().unwrap().head.imports, machine_ms());
        let until = MachineTime(now).plus_ms(KEPT_MS);
        for person in (1_000..).take(KEPT_MAX) {
            let waiting = Waiting { until, ..of(person, "t") };
            assert!(imports.keep(waiting, MachineTime(now)).is_ok());
        }
        let mut head = site.signed_in(Role::Head, 0).await;
        let full = upload(&mut head, b"no spreadsheet").await;
        assert_eq!(full.status, StatusCode::SERVICE_UNAVAILABLE, "{}", full.body);
    }

    #[test]
    fn forgotten_previews_give_way_after_five_minutes() {
        let imports = Imports::default();
        for person in 1..=u32::try_from(KEPT_MAX).unwrap() {
            let at = NOW.plus_ms(i64::from(person));
            let waiting = Waiting { until: at.plus_ms(KEPT_MS), ..of(person, "t") };
            assert!(imports.keep(waiting, at).is_ok());
        }
        let full = |ms| imports.keep(of(900, "late"), NOW.plus_ms(ms));
        let most = u64::try_from(GIVES_WAY_MS).unwrap();
        assert_eq!(full(1_000), Err(most - 999), "the oldest came one ms after");
        assert_eq!(full(GIVES_WAY_MS), Err(1));
        assert!(imports.find("t", PersonId(1), NOW).is_some());
        assert_eq!(full(GIVES_WAY_MS + 1), Ok(()));
        assert!(imports.find("t", PersonId(1), NOW).is_none(), "the oldest went");
        assert!(imports.find("t", PersonId(2), NOW).is_some(), "and no other");
    }

    #[test]
    fn nobody_pushes_the_preview_of_another_out_at_once() {
        let imports = Imports::default();
        let all = 1..=u32::try_from(KEPT_MAX).unwrap();
        for person in all.clone() {
            assert!(imports.keep(of(person, &format!("t{person}")), NOW).is_ok());
        }
        // One's own takes the place of the one before, and nobody else's.
        assert!(imports.keep(of(1, "again"), NOW).is_ok());
        assert!(imports.find("t1", PersonId(1), NOW).is_none());
        assert!(imports.find("again", PersonId(1), NOW).is_some());
        assert!(imports.room(PersonId(900), NOW).is_err(), "no room");
        assert_eq!(imports.room(PersonId(1), NOW), Ok(()), "but for one's own");
        assert!(imports.keep(of(900, "late"), NOW).is_err());
        for person in all.skip(1) {
            assert!(imports.find(&format!("t{person}"), PersonId(person), NOW).is_some());
        }
        // What was applied makes room, and what is over.
        imports.applied("t7");
        assert!(imports.keep(of(900, "late"), NOW).is_ok());
        assert!(imports.keep(of(901, "later"), NOW).is_err());
        assert!(imports.keep(of(901, "later"), NOW.plus_ms(KEPT_MS)).is_ok());
    }
}
