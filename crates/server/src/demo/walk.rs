//! The walk: one verification, one look-up, one refusal with its reason, one look at the journal.

use std::net::{IpAddr, Ipv4Addr};

use anyhow::{Context as _, bail};
use bytes::Bytes;
use dancu_domain::ids::{SubjectId, SystemCode};
use dancu_domain::people::MachineTime;
use dancu_domain::person::Person;
use dancu_domain::refusal::Reason;
use dancu_domain::registration::{AccountKind, System};
use dancu_domain::service::Service;
use dancu_gate::Caller;
use dancu_gate::path::Protocol;
use dancu_journal::{Body, Decision};
use dancu_wire::rest::{Endpoint, Rendered};
use serde_json::{Value, json};

use super::people::DemoPerson;
use crate::app::App;
use crate::cli::say;
use crate::clock::machine_ms;
use crate::handlers::rest::answer;

/// Entries about one citizen that the walk prints.
const LOOKS: usize = 5;

/// Walks and prints. Each step is a query like any other: same gate, counts and journal.
pub async fn run(app: &App, citizens: &[Person]) -> anyhow::Result<()> {
    let citizen = citizens.first().context("không có người mẫu (no sample citizens)")?;
    say!("\n1. Xác thực (verify): bộ phận một cửa hỏi thông tin có khớp không");
    let verified = ask(app, "ONESTOP", Endpoint::Verify, citizen).await?;
    print(&verified);
    say!("\n2. Tra cứu (look-up): chỉ các trường được cấp");
    let found = ask(app, "ONESTOP", Endpoint::Lookup, citizen).await?;
    print(&found);
    say!("\n3. Từ chối (refusal): hệ thống chỉ được cấp dịch vụ xác thực");
    let refused = ask(app, "VERIFYONLY", Endpoint::Lookup, citizen).await?;
    print(&refused);
    if verified.status != 200 || found.status != 200 || refused.status != 403 {
        // A folder used up today may refuse: that is an answer too, said as it is.
        say!("   (kết quả khác thường lệ: xem lý do ở trên)");
    }
    say!("\n4. Nhật ký (journal): ai đã hỏi về người này");
    journal(app, citizen)
}

/// How the portal is opened, with one login.
pub fn portal(origin: &str, person: &DemoPerson) {
    say!("\nCổng của cán bộ (portal): {origin}/");
    let Some(password) = &person.password else { return };
    let code = person.code(MachineTime(machine_ms()));
    say!("   tài khoản (login) {}  mật khẩu (password) {password}", person.login);
    say!(
        "   mã xác thực lúc này (code just now) {code}; các mã sau: khóa totpSecret trong demo.json"
    );
}

async fn ask(
    app: &App,
    system: &str,
    endpoint: Endpoint,
    citizen: &Person,
) -> anyhow::Result<Rendered> {
    let snapshot = app.gate.snapshot();
    let system = snapshot
        .by_code(&SystemCode::parse(system)?)
        .context("thiếu hệ thống mẫu (demo system)")?;
    let arrival = app.clock.now();
    let caller = Caller::by_api(system, Protocol::Rest, IpAddr::V4(Ipv4Addr::LOCALHOST), arrival);
    let body = json!({
        "requestId": format!("walk-{}-{}", endpoint as u8, arrival.0),
        "procedureCode": "1.004194",
        "caseCode": "H26.001-DEMO-0001",
        "account": officer(system)?,
        "subject": {
            "personalId": citizen.personal_id.to_string(),
            "fullName": citizen.full_name.as_str(),
            "dateOfBirth": citizen.birth.to_string(),
        },
    });
    Ok(answer(app, &caller, endpoint, &Bytes::from(serde_json::to_vec(&body)?)).await)
}

fn officer(system: &System) -> anyhow::Result<&str> {
    let officer = system.accounts.iter().find(|a| a.kind == AccountKind::Officer);
    Ok(officer.context("thiếu tài khoản mẫu (demo account)")?.login.as_str())
}

fn print(r: &Rendered) {
    let value: Value = serde_json::from_str(&r.body).unwrap_or(Value::Null);
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    say!("   HTTP {}", r.status);
    text.lines().for_each(|line| say!("   {line}"));
}

fn journal(app: &App, citizen: &Person) -> anyhow::Result<()> {
    let store = app.gate.store();
    let subject = SubjectId::Personal(citizen.personal_id);
    let entries = store.entries_about(subject, LOOKS)?;
    if entries.is_empty() {
        bail!("nhật ký không có mục nào về người này (the journal is empty)");
    }
    for entry in entries {
        let Body::Query(q) = &entry.body else { continue };
        let service = Service::from_index(q.service).map_or("-", Service::code);
        let decision = match q.decision {
            Decision::Accepted => "đã trả lời".to_owned(),
            Decision::Repeat => "trả lời lại".to_owned(),
            Decision::Refused => {
                let reason = Reason::from_number(q.reason).map(Reason::text);
                format!("từ chối, {}: {}", q.rule, reason.map_or("", |t| t.title_vi))
            }
        };
        say!(
            "   #{} {} {} ({}), {service}, hồ sơ {}, mục đích “{}”: {decision}",
            entry.index,
            dancu_domain::moment::Moment(entry.at).rfc3339(),
            q.system_code,
            q.officer,
            if q.case.is_empty() { "không nêu" } else { &q.case },
            q.purpose,
        );
    }
    Ok(())
}
