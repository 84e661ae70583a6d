//! What is connected, in the layout that is read: secrets never leave.

use dancu_domain::dossier::Content;
use dancu_domain::ids::UnitCode;
use dancu_domain::registration::{AccountKind, Channel};
use dancu_domain::service::{Field, FieldSet, Window};
use dancu_papers::book;
use dancu_store::dossiers::Stored;

use super::ImportDesk;
use super::layout::{ACCOUNTS, LINES, PROCEDURES, SHEETS, SYSTEMS, heads};
use crate::act::{Done, Entry, Refused, note};
use crate::dossiers::registered;

/// Writes what dossiers of connections in use have in force into a workbook, with the accounts that
/// are registered today; journaled, because it
/// names people. It holds no secret.
///
/// # Errors
/// Of the store; a text is longer than a cell holds.
pub async fn export(desk: &ImportDesk<'_>) -> Result<(Done, Vec<u8>), Refused> {
    let mut rows = heads();
    let mut systems = 0;
    let candidates = desk.store.campaigns().candidates().await?;
    let dossiers = desk.store.dossiers().of_systems().await?;
    let mut lists = desk.store.account_lists().await?;
    for candidate in candidates {
        // By number, as they were read.
        let at = dossiers.binary_search_by_key(&candidate.dossier, |s| s.dossier.number());
        let Some(Stored { dossier, .. }) = at.ok().and_then(|at| dossiers.get(at)) else {
            continue;
        };
        if let Some(content) = dossier.in_force() {
            let listed = registered(lists.remove(&candidate.system).unwrap_or_default());
            let accounts = content.listing(&listed);
            put(
                &mut rows,
                dossier.unit(),
                dossier.channel(),
                &Content { accounts, ..content.clone() },
            );
            systems += 1;
        }
    }
    let accounts = rows[ACCOUNTS].len() - 1;
    let tables: Vec<_> = SHEETS.iter().zip(rows).map(|(s, rows)| (s.name, rows)).collect();
    let bytes = book::write(&tables).map_err(|_| Refused::Field {
        field: "file",
        vi: "Không tạo được bảng tính.".into(),
        en: "The workbook could not be made.".into(),
    })?;
    let entry = Entry::new("system.exported", desk.by, None);
    let detail = format!("{systems} hệ thống, {accounts} tài khoản; lý do: {}", desk.reason);
    let done = note((desk.store, desk.now), entry, move |_| Ok((detail, ())));
    Ok((done.await?.0, bytes))
}

fn put(rows: &mut [Vec<Vec<String>>; 4], unit: &UnitCode, channel: Channel, content: &Content) {
    let code = content.system_code.as_str();
    let o = &content.officer;
    let level = content.security_level.to_string();
    let level = if content.security_level == 0 { "" } else { level.as_str() };
    let channel = match channel {
        Channel::Portal => "portal",
        Channel::OneStop => "onestop",
        _ => "api",
    };
    rows[SYSTEMS].push(texts(&[
        code,
        unit.as_str(),
        channel,
        &content.system_name,
        &content.functions,
        &content.purpose,
        &content.scope,
        &content.matter,
        &content.technical,
        level,
        &o.name,
        &o.position,
        &o.phone,
        &o.email,
        &o.workplace,
        &content.representative,
        &content.representative_position,
    ]));
    lines(&mut rows[LINES], content);
    for a in &content.accounts {
        let kind = if a.kind == AccountKind::System { "hệ thống" } else { "cán bộ" };
        let daily = a.daily.to_string();
        rows[ACCOUNTS].push(texts(&[
            code,
            &a.login,
            &a.full_name,
            &a.citizen_id,
            &a.officer_code,
            &a.phone,
            &a.role,
            &daily,
            kind,
        ]));
    }
    for p in &content.procedures {
        let (cases, queries) = (p.cases.to_string(), p.queries.to_string());
        let required = if p.case_required { "có" } else { "không" };
        rows[PROCEDURES].push(texts(&[code, &p.code, &p.purpose, &cases, &queries, required]));
    }
}

fn lines(rows: &mut Vec<Vec<String>>, content: &Content) {
    for line in &content.lines {
        let window = match line.window {
            Window::InHours => "Trong giờ",
            Window::OffHours => "Ngoài giờ",
        };
        let used = content.uses.iter().find(|u| u.service == line.service);
        let fields = used.map_or(FieldSet::EMPTY, |u| u.fields);
        let fields: Vec<&str> =
            Field::ALL.iter().filter(|f| fields.contains(**f)).map(|f| f.code()).collect();
        let procedures = used.map(|u| u.procedures.join(", ")).unwrap_or_default();
        let daily = line.daily.to_string();
        rows.push(texts(&[
            &content.system_code,
            line.service.code(),
            window,
            &daily,
            &line.purpose,
            &fields.join(", "),
            &procedures,
        ]));
    }
}

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}
