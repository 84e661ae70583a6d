//! Pages of the sandbox (B3): test systems of a person, their conformance runs, the personas. At a
//! centre there is nothing here.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use dancu_domain::dossier::{Content, DossierNumber};
use dancu_domain::ids::SystemCode;
use dancu_domain::people::powers::Power;
use dancu_domain::registration::System;
use dancu_office::{Actor, Refused, sandbox as office};
use dancu_portal::parts::FieldError;
use dancu_portal::sandbox as page;

use super::form::{Form, once};
use super::frame::{self, Told};
use super::once::Sent;
use super::signed::{Signed, Visitor};
use super::table::{Access, Table};
use super::words;
use crate::handlers::sandbox::{client, for_system};
use crate::sandbox::personas::Edge;
use crate::sandbox::{Beginning, Look, Sandbox, Stopped};
use crate::stop::{Handled, Stop};

/// What is told as done.
const TOLD: [(&str, &str); 1] = [("again", "sandbox-laid-again")];
/// What stands in a sample where the caller's own account belongs.
const ACCOUNT: &str = "TÀI-KHOẢN";

/// Its routes.
pub fn routes(table: Table) -> Table {
    let power = Power::EditDossier;
    table
        .get("/integrator/sandbox", power, show)
        .post("/integrator/sandbox", power, lay_out)
        .get("/integrator/sandbox/{code}", power, run)
        .post("/integrator/sandbox/{code}", power, begin)
        .get("/sandbox/personas", Access::Public, personas)
}

/// `GET /integrator/sandbox`
async fn show(signed: Signed, axum::extract::Query(told): axum::extract::Query<Told>) -> Handled {
    if signed.app.sandbox.is_none() {
        return Ok(frame::missing(&signed));
    }
    tenants(&signed, vec![], told.key(&TOLD)).await
}

async fn tenants(signed: &Signed, errors: Vec<FieldError>, told: Option<&'static str>) -> Handled {
    registered(signed).await?;
    let snapshot = signed.app.gate.snapshot();
    let own = snapshot.systems().iter().filter(|s| office::is_of(&s.code, signed.person.id));
    let mut codes: Vec<_> = own.map(|system| system.code.as_str().to_owned()).collect();
    codes.sort();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let (t, s) = (signed.text(), signed.shell());
    Ok(frame::page_with(status, &page::Tenants { t, s, errors, told, codes, once: once() }))
}

async fn registered(signed: &Signed) -> Result<(), Stop> {
    let loaded = signed.app.gate.reload(signed.now).await;
    loaded.map_err(|error| words::unread(signed, &error).into())
}

/// What the unit's newest dossier wants.
async fn wanted(signed: &Signed) -> Result<Option<Content>, Refused> {
    let dossiers = signed.app.gate.store().dossiers();
    let newest = dossiers.of_unit(&signed.person.unit, DossierNumber(u32::MAX)).await?;
    let Some(newest) = newest.first() else { return Ok(None) };
    let stored = dossiers.by_number(newest.number).await?;
    Ok(stored.map(|stored| stored.dossier.content().clone()))
}

/// `POST /integrator/sandbox`
async fn lay_out(signed: Signed, form: Form) -> Handled {
    let Some(sandbox) = &signed.app.sandbox else { return Ok(frame::missing(&signed)) };
    let acting = signed.clone();
    let act = async move {
        let store = acting.app.gate.store();
        let content = wanted(&acting).await?;
        let by = Actor::Person(acting.person.id, acting.person.login.clone());
        let urls = [&*acting.app.base_url, acting.portal().origin()];
        let hosts = urls.iter().filter_map(|url| url.split("://").nth(1)).map(str::to_owned);
        let (at, unit) = ((&**store, acting.now), &acting.person.unit);
        office::lay_out(at, &by, unit, hosts.collect(), content.as_ref()).await
    };
    match form.carry_out(&signed, act).await? {
        Sent::First(Ok((_, laid))) => {
            registered(&signed).await?;
            Ok(frame::page(&page::Laid {
                call: first_call(&signed, sandbox, &laid),
                code: laid.code,
                soap: laid.soap,
                client: laid.client,
                accounts: laid.accounts,
                s: signed.shell(),
                t: signed.text(),
            }))
        }
        Sent::First(Err(refused)) => match words::refused(&signed, &refused) {
            Some(sentence) => tenants(&signed, vec![frame::wrong("lay-out", sentence)], None).await,
            None => Ok(words::failed(&signed, &refused)),
        },
        _ => Ok(frame::to("/integrator/sandbox?told=again")),
    }
}

/// A token and a verification, to be pasted into a shell.
fn first_call(signed: &Signed, sandbox: &Sandbox, laid: &office::Laid) -> String {
    let base = &signed.app.base_url;
    let (id, secret) = &laid.client;
    let ordinary = sandbox.personas.iter().find(|p| p.edge == Edge::Ordinary);
    let body = ordinary.map(|p| p.rest(&laid.accounts[0])).unwrap_or_default();
    format!(
        "TOKEN=$(curl -s -u '{id}:{secret}' -d grant_type=client_credentials {base}/oauth/token \
         | sed 's/.*\"access_token\":\"\\([^\"]*\\)\".*/\\1/')\n\
         curl -s -H \"Authorization: Bearer $TOKEN\" -H 'Content-Type: application/json' \
         {base}/api/v1/citizens/verify -d '{body}'"
    )
}

/// A test system of the person, with the sandbox.
async fn own(signed: &Signed, code: &str) -> Result<std::sync::Arc<System>, Stop> {
    let missing = || Stop::from(frame::missing(signed));
    let code = SystemCode::parse(code).map_err(|_| missing())?;
    if signed.app.sandbox.is_none() || !office::is_of(&code, signed.person.id) {
        return Err(missing());
    }
    registered(signed).await?;
    signed.app.gate.snapshot().by_code(&code).cloned().ok_or_else(missing)
}

/// `GET /integrator/sandbox/{code}`
async fn run(signed: Signed, Path(code): Path<String>) -> Handled {
    let system = own(&signed, &code).await?;
    run_page(&signed, &system, None).await
}

/// What was typed on the run's page.
#[derive(Clone, Copy, Default)]
struct Typed<'a> {
    client: &'a str,
    system: &'a str,
}

/// The run, with what was typed and what is wrong with it.
async fn run_page(
    signed: &Signed,
    system: &System,
    wrong: Option<(Typed<'_>, FieldError)>,
) -> Handled {
    let Some(sandbox) = &signed.app.sandbox else { return Ok(frame::missing(signed)) };
    let look = match sandbox.look(&signed.app, system).await {
        Ok(look) => Some(look),
        Err(Stopped::Missing) => None,
        Err(_) => return Ok(frame::unavailable(signed)),
    };
    let status = wrong.as_ref().map_or(StatusCode::OK, |_| StatusCode::UNPROCESSABLE_ENTITY);
    let (typed, errors) =
        wrong.map_or((Typed::default(), vec![]), |(typed, error)| (typed, vec![error]));
    Ok(frame::page_with(
        status,
        &page::Run {
            code: system.code.as_str().to_owned(),
            errors,
            client: typed.client.to_owned(),
            system: typed.system.to_owned(),
            run: look.map(|look| shown(signed, &look)),
            s: signed.shell(),
            t: signed.text(),
        },
    ))
}

fn shown(signed: &Signed, look: &Look) -> page::Shown {
    let cases = look.run.cases().iter().map(|shown| {
        let text = shown.case.text();
        let is_shown = !shown.entries.is_empty();
        let send = if is_shown { "" } else { signed.say(text.send_vi, text.send) };
        page::Case {
            name: signed.say(text.name_vi, text.name).to_owned(),
            state: if is_shown { page::states::SHOWN } else { page::states::OPEN },
            entries: shown.entries.iter().map(u64::to_string).collect::<Vec<_>>().join(", "),
            send: send.to_owned(),
        }
    });
    let others = look.run.unexpected().iter().map(|(index, reason)| {
        let text = reason.text();
        page::Other {
            index: index.to_string(),
            reason: signed.say(text.title_vi, text.title).to_owned(),
            what_to_do: signed.say(text.what_to_do_vi, text.what_to_do).to_owned(),
            rule: text.rule.code(),
        }
    });
    page::Shown {
        number: look.number.clone(),
        client: look.client.clone(),
        for_system: look.for_system.clone(),
        closed: look.closed.map(|number| number.to_string()).unwrap_or_default(),
        minutes: look.minutes_left,
        passed: (look.run.passed() as u64, look.run.cases().len() as u64),
        cases: cases.collect(),
        others: others.collect(),
        signed: look.signed.clone().unwrap_or_default(),
    }
}

/// `POST /integrator/sandbox/{code}`: begins a run anew.
async fn begin(signed: Signed, Path(code): Path<String>, form: Form) -> Handled {
    let system = own(&signed, &code).await?;
    let Some(sandbox) = &signed.app.sandbox else { return Ok(frame::missing(&signed)) };
    let typed = Typed { client: form.get("client"), system: form.get("system") };
    let refuse = |field, key| (typed, frame::wrong(field, signed.text().get(key)));
    let Some(client) = client(typed.client) else {
        return run_page(&signed, &system, Some(refuse("client", "sandbox-client-wrong"))).await;
    };
    let Some(for_system) = for_system(typed.system) else {
        return run_page(&signed, &system, Some(refuse("system", "sandbox-for-wrong"))).await;
    };
    let by = signed.person.login.as_str();
    let begins = Beginning { by, client, for_system };
    match sandbox.begin(&signed.app, &system, begins).await {
        Ok(()) => Ok(frame::to(&format!("/integrator/sandbox/{}", system.code.as_str()))),
        Err(Stopped::TooOften) => {
            run_page(&signed, &system, Some(refuse("client", "sandbox-too-often"))).await
        }
        Err(_) => Ok(frame::unavailable(&signed)),
    }
}

/// `GET /sandbox/personas`
async fn personas(visitor: Visitor) -> Response {
    let Some(sandbox) = &visitor.app.sandbox else { return frame::missing(&visitor) };
    let rows = sandbox.personas.iter().map(|persona| {
        let [(name_vi, expect_vi), (name, expect)] = persona.edge.texts();
        page::Persona {
            name: visitor.say(name_vi, name),
            expect: visitor.say(expect_vi, expect),
            personal_id: persona.personal_id.to_string(),
            old_id: persona.old_id.map(|id| id.to_string()).unwrap_or_default(),
            full_name: persona.full_name.clone(),
            birth: persona.birth.clone(),
            rest: persona.rest(ACCOUNT),
            soap: persona.soap(ACCOUNT),
        }
    });
    frame::page(&page::Personas { rows: rows.collect(), s: visitor.shell(), t: visitor.text() })
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use dancu_domain::people::roles::Role;

    use crate::portal::tests::site::Site;

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_centre_makes_no_test_systems() {
        let site = Site::new().await;
        let mut browser = site.signed_in(Role::Integrator, 0).await;
        let list = browser.get("/integrator").await;
        assert_eq!(list.status, StatusCode::OK);
        assert!(!list.body.contains("/integrator/sandbox"));
        for page in ["/integrator/sandbox", "/integrator/sandbox/THU1-1", "/sandbox/personas"] {
            assert_eq!(browser.get(page).await.status, StatusCode::NOT_FOUND, "{page}");
        }
        let sent = browser.post("/integrator/sandbox", &[("once", "1")]).await;
        assert_eq!(sent.status, StatusCode::NOT_FOUND);
        assert!(site.app.gate.snapshot().systems().is_empty());
    }
}
