//! `demo.json`: what integrators' scripts and checks start from.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use anyhow::Context as _;
use dancu_domain::ids::PersonalId;
use dancu_domain::person::Person;
use dancu_domain::registration::{AccountState, ConnectionState, System};
use dancu_domain::service::{Field, Service, Window};
use dancu_store::Store;
use dancu_world::{PopulationSpec, block, block_count, showcase};
use serde_json::{Value, json};

use super::client_key;
use super::people::DemoPerson;
use crate::app::App;
use crate::log_key::{LogKey, SANDBOX_ORIGIN};

/// Blocks of the population that further citizens are taken from, spread over all of it.
const SAMPLE_BLOCKS: u64 = 6;
/// Households taken from each.
const SAMPLE_HOUSEHOLDS: usize = 25;

/// The population that the folder was filled with.
pub fn spec(store: &Store) -> anyhow::Result<PopulationSpec> {
    let fact = |name: &str| -> anyhow::Result<String> {
        store
            .registry()
            .fact(name)?
            .context("thư mục không do `dancu demo` lập (not a demo folder)")
    };
    Ok(PopulationSpec {
        seed: fact("seed")?.parse()?,
        persons: fact("persons")?.parse()?,
        today: fact("today")?.parse()?,
    })
}

/// The citizens of the showcase, the same ones whenever the folder is used.
pub fn citizens(store: &Store, spec: &PopulationSpec) -> anyhow::Result<Vec<Person>> {
    found(store, showcase(spec))
}

fn found(store: &Store, ids: Vec<PersonalId>) -> anyhow::Result<Vec<Person>> {
    let mut people = vec![];
    for id in ids {
        if let Some(record) = store.registry().by_personal_id(id)? {
            people.push(record.person()?);
        }
    }
    Ok(people)
}

/// Writes the file, readable by its owner only.
pub fn write(app: &App, spec: &PopulationSpec, staff: &[DemoPerson]) -> anyhow::Result<()> {
    let store = app.gate.store();
    let snapshot = app.gate.snapshot();
    let mut ids = showcase(spec);
    for id in sample(spec) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let people = found(store, ids)?;
    // What a dossier prepares is nobody's to call yet.
    let registered = snapshot.systems().iter().filter(|s| s.state != ConnectionState::Preparing);
    let systems = registered.map(|s| system(s)).collect::<anyhow::Result<Vec<_>>>()?;
    let text = serde_json::to_vec_pretty(&json!({
        "baseUrl": app.base_url,
        "soapUrl": format!("{}/soap/dancu", app.base_url),
        "clock": app.clock.now().rfc3339(),
        "logOrigin": SANDBOX_ORIGIN,
        "logVkey": LogKey::of(store)?.line(),
        "systems": systems,
        "people": staff.iter().map(DemoPerson::json).collect::<Vec<_>>(),
        "citizens": people.iter().map(citizen).collect::<Vec<_>>(),
    }))?;
    let path = store.dir().join("demo.json");
    let part = store.dir().join("demo.json.part");
    let _ = std::fs::remove_file(&part);
    let mut file =
        std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&part)?;
    file.write_all(&text)?;
    file.sync_all()?;
    std::fs::rename(&part, &path)?;
    Ok(())
}

fn sample(spec: &PopulationSpec) -> Vec<PersonalId> {
    let blocks = block_count(spec);
    let step = (blocks / SAMPLE_BLOCKS).max(1);
    (0..blocks)
        .step_by(step as usize)
        .take(SAMPLE_BLOCKS as usize)
        .flat_map(|b| block(spec, b).into_iter().skip(40).take(SAMPLE_HOUSEHOLDS))
        .flat_map(|h| h.members.into_iter().map(|p| p.personal_id))
        .collect()
}

fn system(s: &System) -> anyhow::Result<Value> {
    let secret = |secrets: &[dancu_domain::registration::Secret]| {
        secrets.first().map(|x| String::from_utf8_lossy(&x.0).into_owned())
    };
    let accounts = s.accounts.iter().map(|a| {
        let mut account =
            json!({ "login": a.login.as_str(), "kind": a.kind.code(), "daily": a.daily });
        if let Some(code) = &a.officer_code {
            account["officerCode"] = json!(code.as_str());
        }
        if a.state != AccountState::Live {
            account["state"] = json!("revoked");
        }
        account
    });
    let services = s.services.iter().flatten().map(|g| {
        let daily = |w| g.line(w).map_or(0, |l| l.daily);
        json!({
            "code": g.service.code(),
            "maTichHop": g.ma_tich_hop,
            "inHours": daily(Window::InHours),
            "offHours": daily(Window::OffHours),
            "fields": g.fields.iter().map(Field::code).collect::<Vec<_>>(),
        })
    });
    let mut procedures: Vec<_> = s.procedures.values().collect();
    procedures.sort_by(|a, b| a.code.cmp(&b.code));
    let procedures = procedures.into_iter().map(|p| {
        json!({
            "code": p.code.as_str(),
            "purpose": p.purpose.as_ref().map(dancu_domain::ids::Purpose::as_str),
            "services": p.services.iter().map(Service::code).collect::<Vec<_>>(),
        })
    });
    let oauth = s.oauth.as_ref().map(|access| -> anyhow::Result<Value> {
        let mut oauth = json!({
            "clientId": access.client_id,
            "clientSecret": secret(&access.secrets),
        });
        if let Some(key) = client_key::private(access)? {
            oauth["privateKeyPem"] = json!(key);
        }
        Ok(oauth)
    });
    Ok(json!({
        "systemCode": s.code.as_str(),
        "unitCode": s.unit.as_str(),
        "group": s.group as u8,
        "state": s.state.code(),
        "soap": s.soap.as_ref().map(|a| json!({
            "user": a.user,
            "secret": secret(&a.secrets),
            "serviceUrl": a.service_urls.first(),
        })),
        "lgsp": { "shape": s.lgsp_shape },
        "oauth": oauth.transpose()?,
        "accounts": accounts.collect::<Vec<_>>(),
        "sharedOfficers": s.shared_officers.iter().map(|x| &x.value).collect::<Vec<_>>(),
        "procedures": procedures.collect::<Vec<_>>(),
        "services": services.collect::<Vec<_>>(),
    }))
}

fn citizen(p: &Person) -> Value {
    let id = |r: &Option<dancu_domain::person::Relative>| {
        r.as_ref().and_then(|r| r.personal_id).map(|i| i.to_string())
    };
    let head = p.household.as_ref().and_then(|h| h.head.personal_id);
    json!({
        "personalId": p.personal_id.to_string(),
        "oldId": p.old_ids.first().map(ToString::to_string),
        "fullName": p.full_name.as_str(),
        "dateOfBirth": p.birth.to_string(),
        "sex": p.sex.code(),
        "alive": p.vital.alive(),
        "householdHead": head.map(|i| i.to_string()),
        "father": id(&p.father),
        "mother": id(&p.mother),
        "spouse": id(&p.spouse),
    })
}
