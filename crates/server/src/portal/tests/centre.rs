//! Units and the centre's staff over their routes (B4, B9, E1, E3).

use axum::http::StatusCode;
use dancu_domain::ids::UnitCode;
use dancu_domain::moment::Moment;
use dancu_domain::people::roles::Role;
use dancu_domain::units::Unit;
use dancu_office::units;

use super::site::{Browser, Site};
use crate::clock::machine_ms;
use crate::portal::frame;

async fn unit(site: &Site, code: &str) -> Unit {
    let today = Moment(machine_ms()).viet_nam_date();
    let known = units::known(site.app.gate.store(), today).await.unwrap();
    known.tree.resolve(&UnitCode::parse(code).unwrap()).unwrap().clone()
}

fn today() -> String {
    frame::day(Moment(machine_ms()))
}

/// Fills in the form that a page shows and sends it there.
async fn write(
    browser: &mut Browser,
    (page, to): (&str, &str),
    fields: &[(&str, &str)],
) -> super::site::Answer {
    let once = browser.get(page).await.hidden("once");
    let today = today();
    let mut all = vec![("once", once.as_str()), ("day", &today), ("reason", "NQ mẫu 5")];
    all.retain(|(name, _)| fields.iter().all(|(known, _)| known != name));
    all.extend_from_slice(fields);
    browser.post(to, &all).await
}

async fn found(browser: &mut Browser, code: &str, name: &str) {
    let fields = [("unit", code), ("name", name), ("kind", "commune"), ("province", "1")];
    let done = write(browser, ("/centre/units/new", "/centre/units/new"), &fields).await;
    assert_eq!(done.to(), format!("/centre/units/{code}?told=written"), "{}", done.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_units_are_founded_renamed_and_merged_after_a_preview() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Operator, 0).await;
    found(&mut browser, "MAU-1", "UBND phường Mẫu Một").await;
    found(&mut browser, "MAU-2", "UBND phường Mẫu Hai").await;
    // Accents do not count, the filters stand in the address, totals are told.
    let list = browser.get("/centre/units?q=phuong+mau&province=1&kind=commune").await;
    assert!(list.body.contains("/centre/units/MAU-1") && list.body.contains("1–2"));
    assert!(!browser.get("/centre/units?province=4").await.body.contains("/centre/units/MAU-1"));
    let one = "/centre/units/MAU-1";
    let page = "/centre/units/MAU-1?do=renamed";
    for (name, reason, field) in [("a", "NQ", "name"), ("Tên mới", " ", "reason")] {
        let fields = [("act", "renamed"), ("name", name), ("reason", reason)];
        let wrong = write(&mut browser, (page, one), &fields).await;
        assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(wrong.body.contains(&format!("id=\"{field}-wrong\"")), "{field}");
    }
    let page = "/centre/units/MAU-1?do=merged";
    let looked = [("act", "merged"), ("heir", "MAU-2")];
    let preview = write(&mut browser, (page, one), &looked).await;
    assert_eq!(preview.status, StatusCode::OK);
    assert!(preview.body.contains("không ai bị đăng xuất"), "{}", preview.body);
    assert!(unit(&site, "MAU-1").await.lives());
    assert_eq!(unit(&site, "MAU-1").await.code.as_str(), "MAU-1", "nothing was done");
    // Only what was looked at is written down.
    let seen = preview.hidden("seen");
    found(&mut browser, "MAU-3", "UBND phường Mẫu Ba").await;
    let other = [("act", "merged"), ("heir", "MAU-3"), ("seen", seen.as_str())];
    let looked = write(&mut browser, (page, one), &other).await;
    assert_eq!(looked.status, StatusCode::OK, "looked at first");
    assert_eq!(unit(&site, "MAU-1").await.code.as_str(), "MAU-1");
    let merge = [("act", "merged"), ("heir", "MAU-2"), ("seen", seen.as_str())];
    let done = write(&mut browser, (page, one), &merge).await;
    assert_eq!(done.to(), "/centre/units/MAU-1?told=written");
    assert_eq!(unit(&site, "MAU-1").await.code.as_str(), "MAU-2");
    let page = browser.get("/centre/units/MAU-1").await.body;
    assert!(page.contains("Sáp nhập vào UBND phường Mẫu Hai (MAU-2)"));
    assert!(!page.contains("?do="), "of what is no more nothing is written");
    assert!(browser.get("/centre/units?view=ended").await.body.contains("/centre/units/MAU-1"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b9_a_head_tells_of_the_own_unit_and_the_centre_sees_it() {
    let site = Site::new().await;
    units::keep(site.app.gate.store(), Moment(machine_ms())).await.unwrap();
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = "/unit?do=represented";
    let fields = [("act", "represented"), ("person", "Người Ký Mẫu"), ("position", "Chủ tịch")];
    let done = write(&mut head, (page, "/unit"), &fields).await;
    assert_eq!(done.to(), "/unit?told=written", "{}", done.body);
    assert!(head.get("/unit").await.body.contains("Người Ký Mẫu, Chủ tịch"));
    let contact = [
        ("act", "contacts"),
        ("contact", "security"),
        ("person", "Trực Ban Mẫu"),
        ("position", "Chuyên viên"),
        ("phone", "0240000000"),
        ("email", "truc"),
    ];
    let wrong = write(&mut head, ("/unit?do=contacts", "/unit"), &contact).await;
    assert!(wrong.body.contains("id=\"email-wrong\""));
    // What is the centre's to write down is not the head's.
    let rename = [("act", "renamed"), ("name", "Tên khác")];
    let refused = write(&mut head, (page, "/unit"), &rename).await;
    assert_eq!(refused.status, StatusCode::NOT_FOUND);
    let mut operator = site.signed_in(Role::Operator, 0).await;
    let news = operator.get("/centre/units").await.body;
    assert!(news.contains("Đổi người đại diện") && !news.contains("Người Ký Mẫu"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e1_somebody_invited_by_the_centre_is_shown_the_code_once() {
    let site = Site::new().await;
    units::keep(site.app.gate.store(), Moment(machine_ms())).await.unwrap();
    let mut browser = site.signed_in(Role::Operator, 0).await;
    let fields = [
        ("role", "support"),
        ("unit", "H26.001"),
        ("name", "Người Mới"),
        ("login", "hotro.moi1"),
        ("personalId", "099301012345"),
        ("phone", ""),
    ];
    let staff = ("/centre/staff", "/centre/staff");
    let given = write(&mut browser, staff, &fields).await;
    assert_eq!(given.status, StatusCode::OK);
    assert!(given.body.contains("id=\"given\"") && given.body.contains("hotro.moi1"));
    let page = browser.get("/centre/staff").await.body;
    assert!(page.contains("hotro.moi1") && !page.contains("id=\"given\""));
    let again = write(&mut browser, staff, &fields).await;
    assert!(again.body.contains("id=\"login-wrong\""));
    // The page was closed before the code was copied: a new one is given, once for two clicks.
    let after = |page: &str, mark: &str| {
        page.split(mark).nth(1).and_then(|rest| rest.split('"').next()).unwrap().to_owned()
    };
    let person = after(&page, "name=\"person\" value=\"");
    let once = after(&page, "name=\"once\" value=\"");
    let fields = [("once", once.as_str()), ("person", person.as_str())];
    let again = browser.post("/centre/staff/invite-again?role=support", &fields).await;
    assert!(again.body.contains("id=\"given\"") && again.body.contains("hotro.moi1"));
    assert_ne!(after(&again.body, "data-copy=\""), after(&given.body, "data-copy=\""));
    let twice = browser.post("/centre/staff/invite-again?role=support", &fields).await;
    assert_eq!(twice.to(), "/centre/staff?role=support&unit=&page=0&told=invited");
    // The filters stand in the address.
    let listed = browser.get("/centre/staff?role=support&unit=h26.001").await.body;
    assert!(listed.contains("hotro.moi1") && listed.contains("1–2"), "{listed}");
    assert!(!browser.get("/centre/staff?role=auditor").await.body.contains("hotro.moi1"));
    assert!(!browser.get("/centre/staff?unit=khac").await.body.contains("hotro.moi1"));
    let button = page.split("value=\"").find_map(|rest| {
        let value = rest.split('"').next()?;
        value.ends_with(" support").then(|| value.to_owned())
    });
    let button = button.unwrap();
    let ended = browser.post("/centre/staff/end", &[("role", &button), ("why", " ")]).await;
    assert!(ended.body.contains("id=\"why-wrong\""));
    let fields = [("role", button.as_str()), ("why", "Chuyển công tác")];
    let ended = browser.post("/centre/staff/end", &fields).await;
    assert_eq!(ended.to(), "/centre/staff?role=&unit=&page=0&told=ended");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_what_is_dated_ahead_is_seen_and_annulled() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Operator, 0).await;
    let ahead = frame::day(Moment(machine_ms()).plus_ms(3 * dancu_domain::moment::DAY_MS));
    let fields = [("unit", "MAU-9"), ("name", "UBND xã Sau"), ("kind", "commune"), ("day", &ahead)];
    let done = write(&mut browser, ("/centre/units/new", "/centre/units/new"), &fields).await;
    assert_eq!(done.to(), "/centre/units/MAU-9?told=written");
    let page = browser.get("/centre/units/MAU-9").await;
    assert_eq!(page.status, StatusCode::OK, "a unit to come has a page");
    assert!(browser.get("/centre/units").await.body.contains("do=annulled&#38;event="));
    let mark = "do=annulled&#38;event=";
    let number = page.body.split(mark).nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = format!("/centre/units/MAU-9?do=annulled&event={number}");
    let fields = [("act", "annulled"), ("event", number.as_str())];
    let reasonless = [fields.as_slice(), &[("reason", " ")]].concat();
    let wrong = write(&mut browser, (&form, "/centre/units/MAU-9"), &reasonless).await;
    assert!(wrong.body.contains("id=\"reason-wrong\""), "{}", wrong.body);
    let done = write(&mut browser, (&form, "/centre/units/MAU-9"), &fields).await;
    assert_eq!(done.to(), "/centre/units?told=annulled", "{}", done.body);
    let list = browser.get("/centre/units").await.body;
    assert!(!list.contains("MAU-9"), "it never was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_several_units_are_taken_over_at_once_from_a_pasted_list() {
    let site = Site::new().await;
    let mut browser = site.signed_in(Role::Operator, 0).await;
    for (code, name) in
        [("MAU-1", "UBND xã Một"), ("MAU-2", "UBND xã Hai"), ("MAU-3", "UBND xã Ba")]
    {
        found(&mut browser, code, name).await;
    }
    let (page, to) = ("/centre/units/MAU-3?do=absorbed", "/centre/units/MAU-3");
    let wrong = [("act", "absorbed"), ("merged", "MAU-1, KHONG-CO")];
    let wrong = write(&mut browser, (page, to), &wrong).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("KHONG-CO"), "{}", wrong.body);
    let fields = [("act", "absorbed"), ("merged", "MAU-1\r\nMAU-2, MAU-1")];
    let preview = write(&mut browser, (page, to), &fields).await;
    assert!(preview.body.contains("Không vai trò nào rộng thêm"), "{}", preview.body);
    let seen = preview.hidden("seen");
    let fields = [fields.as_slice(), &[("seen", seen.as_str())]].concat();
    let done = write(&mut browser, (page, to), &fields).await;
    assert_eq!(done.to(), "/centre/units/MAU-3?told=written", "{}", done.body);
    for code in ["MAU-1", "MAU-2"] {
        assert_eq!(unit(&site, code).await.code.as_str(), "MAU-3");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_b4_the_tree_opens_one_province_and_old_communes_are_chosen_by_a_person() {
    let site = Site::new().await;
    let by = dancu_office::Actor::Named { names: vec!["mẫu".into()], account: "mau".into() };
    let desk = units::UnitsDesk {
        store: site.app.gate.store(),
        now: Moment(machine_ms()),
        actor: &by,
        reason: "nạp mẫu",
        own: false,
    };
    units::load(&desk).await.unwrap();
    let mut browser = site.signed_in(Role::Operator, 0).await;
    let closed = browser.get("/centre/units/tree").await.body;
    assert!(closed.contains("/centre/units/UBND-T79") && !closed.contains("UBND-X"));
    // The province with the most communes.
    let open = browser.get("/centre/units/tree?open=UBND-T79").await.body;
    assert_eq!(open.matches("class=\"deep-1\"").count(), 168);
    assert!(open.len() < 100 * 1024, "{} bytes", open.len());
    for page in ["/centre/units", "/centre/units?q=phuong"] {
        let list = browser.get(page).await.body;
        assert!(list.len() < 100 * 1024, "{page}: {} bytes", list.len());
    }
    // Phường Cống Vị was divided: nobody is chosen beforehand.
    let fields = [
        ("unit", "CU-7"),
        ("name", "UBND phường Cống Vị"),
        ("kind", "commune"),
        ("province", "1"),
        ("commune", "7"),
    ];
    let done = write(&mut browser, ("/centre/units/new", "/centre/units/new"), &fields).await;
    assert_eq!(done.to(), "/centre/units/CU-7?told=written", "{}", done.body);
    let page = browser.get("/centre/units/proposals").await.body;
    assert!(page.contains("Phường Cống Vị, Quận Ba Đình, Thành phố Hà Nội"), "{page}");
    assert!(page.contains("value=\"UBND-X00008\"") && !page.contains(" selected"), "{page}");
    let form = browser.get("/centre/units/CU-7?do=merged&heir=UBND-X00008").await.body;
    assert!(form.contains("name=\"heir\"") && form.contains("value=\"UBND-X00008\""));
    assert!(unit(&site, "CU-7").await.lives());
}
