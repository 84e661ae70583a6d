//! What stands around every page: who may come in, tokens, headers, sizes, addresses.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use dancu_domain::people::roles::Role;

use super::site::{Browser, Site, login};
use crate::portal::table::{Access, Row};
use crate::portal::{self, paths};

fn address(row: &Row) -> String {
    let part = |part: &str| if part.starts_with('{') { "1".to_owned() } else { part.to_owned() };
    row.path.split('/').map(part).collect::<Vec<_>>().join("/")
}

/// Who may use what, written out by the rules and not read from the table of powers: of those that
/// fit a route the last counts. `*` stands for every method.
const MAY: &[(&str, &str, &[Role])] = &[
    // E2: everybody looks after the own account, citizens too.
    ("*", "/account", Role::ALL),
    // D3, D6: everybody reads what they are told.
    ("*", "/notices", Role::ALL),
    // A5, A6: officers on the account list ask about citizens, nobody else.
    ("*", "/counter", &[Role::Officer]),
    // B9: a unit tells of its own changes.
    ("*", "/unit", &[Role::Head, Role::Deputy]),
    // B4, E3: the tree of units and the centre's staff.
    ("*", "/centre", &[Role::Operator]),
    // B8: focal points see and urge the units of their line, the centre sees all of them.
    ("*", "/gathering", &[Role::FocalPoint, Role::Operator]),
    ("POST", "/gathering/urge", &[Role::FocalPoint]),
    // E2, E3: the head answers for the accounts; who stands in for the head does; the centre helps
    // who lost a factor.
    ("*", "/unit/officers", &[Role::Head, Role::Deputy]),
    ("*", "/unit/officers/{who}/vouch", &[Role::Head, Role::Deputy, Role::Operator]),
    ("*", "/unit/accounts-by-api", &[Role::Head, Role::Deputy]),
    ("*", "/unit/substitutes", &[Role::Head, Role::Deputy]),
    ("POST", "/unit/substitutes", &[Role::Head]),
    // D2, D8: use is seen by the unit and by the centre, a raise is asked for by the unit.
    ("*", "/unit/usage", &[Role::Head, Role::Deputy, Role::Operator]),
    ("*", "/unit/raises", &[Role::Head, Role::Deputy]),
    // A7: the unit is told what it was given, and the centre sees what it confirmed.
    ("*", "/unit/statements", &[Role::Head, Role::Deputy, Role::Operator]),
    // D5: units announce what their systems run; the centre sees it, its approver decides.
    ("*", "/unit/plans", &[Role::Head, Role::Deputy, Role::Integrator]),
    ("*", "/centre/plans", &[Role::Operator, Role::JobPlanApprover]),
    ("POST", "/centre/plans/{id}/agree", &[Role::JobPlanApprover]),
    ("POST", "/centre/plans/{id}/refuse", &[Role::JobPlanApprover]),
    ("POST", "/centre/plans/{id}/end", &[Role::JobPlanApprover]),
    // B2: papers of the dossier for whoever sees it, those with personal data for the head (A6).
    (
        "*",
        "/unit/papers",
        &[
            Role::Head,
            Role::Deputy,
            Role::FocalPoint,
            Role::Integrator,
            Role::Operator,
            Role::DossierReviewer,
            Role::SecurityAssessor,
        ],
    ),
    ("*", "/unit/papers/accounts.pdf", &[Role::Head, Role::Deputy]),
    ("*", "/unit/papers/individual.pdf", &[Role::Head, Role::Deputy]),
    // B1, A6: head and deputies fill in, integrators the technical items; who binds the unit signs.
    ("*", "/unit/dossiers", &[Role::Head, Role::Deputy, Role::Integrator]),
    ("POST", "/unit/dossiers/{number}/sign", &[Role::Head, Role::Deputy]),
    ("POST", "/unit/dossiers/{number}/submit", &[Role::Head, Role::Deputy]),
    ("POST", "/unit/dossiers/{number}/withdraw", &[Role::Head, Role::Deputy]),
    ("POST", "/unit/dossiers/{number}/reopen", &[Role::Head, Role::Deputy]),
    // B3, C2: the centre sees them, reviewers decide, assessors confirm, operators set live. That
    // units see none of others is asked in the page.
    ("GET", "/centre/dossiers", DOSSIERS),
    ("POST", "/centre/dossiers", &[Role::DossierReviewer]),
    ("POST", "/centre/dossiers/{number}/assess", &[Role::SecurityAssessor]),
    ("POST", "/centre/dossiers/{number}/live", &[Role::Operator]),
    // A3, D6: documents of the centre for whoever sees dossiers, of the own unit or at the centre.
    ("*", "/unit/documents", DOSSIERS),
    ("*", "/centre/documents", DOSSIERS),
    // E3: the operator of the agency's own software confirms.
    ("*", "/unit/revocations", &[Role::Integrator]),
    // C5: secrets are the integrator's; head and centre see their state and end them.
    ("*", "/integrator", &[Role::Integrator, Role::Head, Role::Deputy, Role::Operator]),
    // B3: test systems on synthetic people are for whoever looks after a connection.
    ("*", "/integrator/sandbox", &[Role::Integrator, Role::Head, Role::Deputy]),
    ("POST", "/integrator/{code}/secrets", &[Role::Integrator]),
    ("POST", "/integrator/{code}/material", &[Role::Integrator]),
    ("POST", "/integrator/{code}/sources", &[Role::Integrator]),
    // B9: where a system is told is the integrator's; head and centre see it.
    ("POST", "/integrator/{code}/webhooks", &[Role::Integrator]),
    ("*", "/integrator/{code}/debug", &[Role::Integrator, Role::Operator]),
    ("*", "/integrator/{code}/calls", &[Role::Integrator, Role::Operator]),
    // D3, D6, D8: the centre's operators; whoever leads an incident locks as well, and units see
    // their own locks.
    ("*", "/operate", &[Role::Operator]),
    ("POST", "/operate/systems/{code}/lock", &[Role::Operator, Role::IncidentLead]),
    ("GET", "/operate/locks", &[Role::Head, Role::Deputy, Role::Operator, Role::IncidentLead]),
    ("POST", "/operate/locks/account", &[Role::Operator, Role::IncidentLead]),
    // D6: the unit appeals, who may unlock answers.
    ("POST", "/unit/appeals", &[Role::Head, Role::Deputy]),
    ("POST", "/operate/locks/appeals", &[Role::Operator]),
    // A6, F3: auditors.
    ("*", "/audit", &[Role::Auditor, Role::IndependentAuditor]),
    // I1, I3: citizens, about themselves.
    ("*", "/me", &[Role::Citizen]),
];
/// Who sees dossiers: of the own unit, or as the centre.
const DOSSIERS: &[Role] = &[
    Role::Head,
    Role::Deputy,
    Role::FocalPoint,
    Role::Integrator,
    Role::Operator,
    Role::DossierReviewer,
    Role::SecurityAssessor,
];
/// A6: never personal data.
const NEVER: &[Role] =
    &[Role::Integrator, Role::Support, Role::DossierReviewer, Role::SecurityAssessor];
/// Where citizens' data or whole ids of people are shown.
const PERSONAL: &[&str] = &["/counter", "/unit/officers", "/unit/accounts-by-api", "/audit", "/me"];

/// Who may use a route.
fn expected(row: &Row) -> &'static [Role] {
    let below = |path: &str| {
        row.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.is_empty() || !rest.starts_with(char::is_alphabetic))
    };
    let fits = |(method, path, _): &&(&str, &str, &[Role])| {
        (*method == "*" || *method == row.method) && below(path)
    };
    MAY.iter().rfind(fits).unwrap_or_else(|| panic!("who may use {} {}?", row.method, row.path)).2
}

/// A6, E1: every route for every role, and for nobody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e1_every_route_for_every_role() {
    let site = Site::new().await;
    let table = portal::table();
    let mut looked = 0;
    for role in Role::ALL {
        let mut browser = site.signed_in(*role, 0).await;
        for row in table.rows() {
            let Access::May(power) = row.access else { continue };
            let holds = expected(row).contains(role);
            // The answer below tells it for refusals; who may act is seen here.
            assert_eq!(power.row().roles.contains(*role), holds, "{role:?} {}", row.path);
            let personal = PERSONAL.iter().any(|path| row.path.starts_with(path));
            assert!(!(personal && holds && NEVER.contains(role)), "{role:?} {}", row.path);
            let answer = match row.method {
                "GET" => browser.get(&address(row)).await,
                // What is allowed would be done: refusals alone are looked at.
                _ if holds => continue,
                _ => browser.post(&address(row), &[]).await,
            };
            let refused = answer.status == StatusCode::FORBIDDEN;
            let by_role = refused && answer.body.contains("Vai trò của tài khoản không có quyền");
            assert_eq!(by_role, !holds, "{role:?} {} {}", row.method, row.path);
            looked += 1;
        }
    }
    assert!(looked > 100, "{looked}");
    let mut nobody = site.browser();
    nobody.get("/sign-in").await;
    for row in table.rows().iter().filter(|row| row.access != Access::Public) {
        let answer = match row.method {
            "GET" => nobody.get(&address(row)).await,
            _ => nobody.post(&address(row), &[]).await,
        };
        let closed = matches!(answer.status.as_u16(), 303 | 403);
        assert!(closed, "{} {}: {}", row.method, row.path, answer.status);
        assert!(answer.status != StatusCode::SEE_OTHER || answer.to().starts_with("/sign-in"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_post_needs_a_token_of_its_own_session() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Officer, 0).await;
    let mut other = site.signed_in(Role::Head, 0).await;
    for row in portal::table().rows().iter().filter(|row| row.method == "POST") {
        let path = address(row);
        for csrf in [None, Some(""), Some("0"), Some(other.csrf.as_str())] {
            let fields: Vec<_> = csrf.map(|csrf| ("csrf", csrf)).into_iter().collect();
            let answer = browser.post_bare(&path, &fields).await;
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path} {csrf:?}");
            assert!(answer.body.contains("Trang này đã cũ"), "{path}");
        }
        // The right token from a page of another site.
        let mut foreign = browser.clone();
        foreign.headers.push(("sec-fetch-site", "cross-site".into()));
        let answer = foreign.post(&path, &[]).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{path}");
    }
    assert_eq!(other.get("/account/factors").await.status, StatusCode::OK);
    assert_eq!(browser.get("/account/factors").await.status, StatusCode::OK, "nothing was done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_answer_carries_the_headers() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Operator, 0).await;
    let mut nobody = site.browser();
    let mut answers = vec![
        nobody.get("/sign-in").await,
        nobody.get("/account").await,
        nobody.get("/no/such/page").await,
        nobody.post_bare("/sign-in", &[]).await,
        browser.get("/account/history").await,
        browser.get("/account/password").await,
    ];
    nobody.source = "203.0.113.9".parse().unwrap();
    answers.push(nobody.get("/sign-in").await);
    for answer in answers {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(
            answer.header("content-security-policy"),
            "default-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; \
             object-src 'none'"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-frame-options"), "DENY");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passwords_do_not_travel_in_clear() {
    let site = Site::new().await;
    let mut far = site.browser();
    far.source = "203.0.113.9".parse().unwrap();
    let refused = far.get("/sign-in").await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(refused.body.contains("https://") && !refused.body.contains("name=\"password\""));
    assert!(far.cookies.is_empty());
    far.secure = true;
    let done = far.sign_in(&login(Role::Officer), 0).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER);
    let set = done.header("set-cookie");
    assert!(set.starts_with("__Host-dancu=") && set.ends_with("; Secure"), "{set}");
    assert_eq!(far.get("/account/factors").await.status, StatusCode::OK);
    // The same cookie under the plain name is nobody's.
    let value = far.cookies.remove("__Host-dancu").unwrap();
    far.cookies.insert("dancu".into(), value);
    assert_eq!(far.get("/account/factors").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_on_another_site_leads_here_and_never_away() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Officer, 0).await;
    for evil in ["//evil.vn", "/\\evil.vn", "https://evil.vn", "https:evil.vn", "/%5Cevil", "\t//e"]
    {
        let fields = [("back", evil), ("lang", "vi")];
        let to = browser.post("/preferences", &fields).await.to().to_owned();
        assert!(paths::local(&to).is_some(), "{evil} -> {to}");
        assert!(to == "/" || to == evil, "{evil} -> {to}");
        let asked = format!("/sign-in?next={}", super::site::escaped(evil));
        let to = browser.get(&asked).await.to().to_owned();
        assert!(paths::local(&to).is_some() && !to.contains("//"), "{evil} -> {to}");
        let told = format!("/welcome?codes=1&next={}", super::site::escaped(evil));
        let page = browser.get(&told).await;
        assert!(!page.body.contains(&format!("href=\"{evil}")) || evil == "/%5Cevil", "{evil}");
    }
    // Without its Strict cookie the first page loads itself once; then it is asked to sign in.
    let mut linked = site.browser();
    linked.headers.push(("sec-fetch-site", "cross-site".into()));
    let bounce = linked.get("/account/sessions?a=%22%3E%3Cscript%3E&b=1").await;
    assert_eq!(bounce.status, StatusCode::OK);
    assert!(bounce.body.contains("0;url=/account/sessions?a=%22%3E%3Cscript%3E&#38;b=1\""));
    linked.headers.clear();
    assert_eq!(linked.get("/account/sessions").await.status, StatusCode::SEE_OTHER);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_bodies() {
    let site = Site::new().await;
    let mut browser = site.browser();
    browser.get("/sign-in").await;
    let post = async |browser: &mut Browser, kind: &str, body: Vec<u8>| {
        let request = Request::post("/sign-in").header(header::CONTENT_TYPE, kind);
        browser.send(request.body(Body::from(body)).unwrap()).await.status
    };
    let form = "application/x-www-form-urlencoded";
    let huge = post(&mut browser, form, vec![b'a'; portal::table::FORM_MAX + 1]).await;
    assert_eq!(huge, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(post(&mut browser, form, b"a=%f".to_vec()).await, StatusCode::BAD_REQUEST);
    assert_eq!(post(&mut browser, form, b"a=%ff".to_vec()).await, StatusCode::BAD_REQUEST);
    let csrf = format!("{{\"csrf\":\"{}\"}}", browser.csrf);
    let json = post(&mut browser, "application/json", csrf.into_bytes()).await;
    assert_eq!(json, StatusCode::FORBIDDEN, "the token is read from forms and its header only");

    // Markup stays text.
    let evil = "\"><script>alert(1)</script><b x=\"";
    let page = browser.post("/sign-in", &[("login", evil), ("password", evil)]).await;
    assert!(page.status.is_client_error());
    assert!(!page.body.contains("<script>alert") && page.body.contains("&#60;script&#62;"));
    let long = "ế".repeat(20_000);
    let page = browser.post("/sign-in", &[("login", &long), ("password", &long)]).await;
    assert!(page.status.is_client_error(), "{}", page.status);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_before_sign_in_waits_and_the_signed_in_do_not() {
    let site = Site::new().await;
    let mut signed = site.signed_in(Role::Officer, 0).await;
    let mut browser = site.browser();
    browser.get("/sign-in").await;
    let mut waits = 0;
    for _ in 0..3_000 {
        let answer = browser.post("/preferences", &[("lang", "vi")]).await;
        if answer.status == StatusCode::TOO_MANY_REQUESTS {
            assert!(answer.header("retry-after").parse::<u32>().unwrap() >= 1);
            waits += 1;
        }
    }
    assert!(waits > 0);
    assert_eq!(signed.post("/preferences", &[("lang", "vi")]).await.status, 303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_still_get_problems() {
    let site = Site::new().await;
    let mut browser = site.browser();
    let page = browser.get("/no/such").await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::NOT_FOUND, HTML));
    browser.headers.push(("accept", "*/*".into()));
    let problem = browser.get("/no/such").await;
    assert_eq!(problem.status, StatusCode::NOT_FOUND);
    assert_eq!(problem.header("content-type"), "application/problem+json");
    assert_eq!(browser.get("/healthz").await.status, StatusCode::OK);
}

const HTML: &str = "text/html; charset=utf-8";

/// No role has so many entries that the column hides one, and each leads to a page that is there.
#[test]
fn the_left_column_has_room_for_every_role() {
    let table = portal::table();
    let others = 40;
    let most = crate::telemetry::requests::ROUTES_MAX;
    assert!(table.rows().len() + others < most, "each route is measured: {}", table.rows().len());
    for role in Role::ALL {
        let held = table.entries().iter().filter(|e| e.power.row().roles.contains(*role)).count();
        assert!(held < dancu_portal::shell::MOST_ENTRIES, "{role:?}: {held}");
    }
    for entry in table.entries().iter() {
        let row = table.rows().iter().find(|row| row.method == "GET" && row.path == entry.href);
        let Some(Access::May(power)) = row.map(|row| row.access) else {
            panic!("{}: no page for who holds a power", entry.href);
        };
        // Whoever is shown the entry may open the page.
        let closed = entry.power.row().roles.iter().find(|r| !power.row().roles.contains(*r));
        assert_eq!(closed, None, "{}", entry.href);
    }
}
