//! The bell, its page, and where a person is mailed.

use axum::http::StatusCode;
use dancu_domain::notices::{Audience, Notice};
use dancu_domain::people::roles::Role;
use dancu_office::notices::spread;
use dancu_store::notices;

use super::site::{Site, login};

async fn tell(site: &Site, to: Audience, title: &str) {
    let (store, now) = (site.app.gate.store(), site.app.clock.now());
    let keys = store.keys().clone();
    let notice = Notice::Announced { title: title.to_owned(), incident: false };
    let told = store
        .ledger()
        .tidy(now, move |tx| notices::insert(tx, &keys, now, None, (&[to], &notice)).map(drop));
    told.await.unwrap();
    spread::spread(store, now).await.unwrap();
}

async fn id_of(site: &Site, role: Role) -> dancu_domain::people::PersonId {
    let login = dancu_domain::ids::Login::parse(&login(role)).unwrap();
    site.app.gate.store().people().person_by_login(&login).await.unwrap().unwrap().id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bell_counts_what_is_unread_and_a_notice_leads_on() {
    let site = Site::new().await;
    let (head, officer) = (id_of(&site, Role::Head).await, id_of(&site, Role::Officer).await);
    tell(&site, Audience::Person(head), "Chuyện <một>").await;
    tell(&site, Audience::Person(head), "Chuyện hai").await;
    tell(&site, Audience::Person(officer), "Chuyện riêng").await;
    let mut browser = site.signed_in(Role::Head, 0).await;
    let page = browser.get("/account/factors").await;
    assert!(page.body.contains(r#"href="/notices""#) && page.body.contains("Chưa đọc: 2"));
    let page = browser.get("/notices").await;
    assert!(page.body.contains("Chuyện &#60;một&#62;"), "{}", page.body);
    assert!(page.body.contains("Chuyện hai") && !page.body.contains("Chuyện riêng"));
    assert_eq!(page.body.matches("data-unread").count(), 2);
    let filtered = browser.get("/notices?topic=lines").await;
    assert!(filtered.body.contains("Không có thông báo"));
    let offers = |body: &str| body.contains("/notices/read-all");
    let news = browser.get("/notices?topic=news").await.body;
    assert!(news.contains("Chuyện hai") && !offers(&news), "other topics were not looked at");
    assert!(offers(&page.body));
    // Somebody else's notice cannot be opened, nor one that is none.
    for id in ["3", "99", "x"] {
        let answer = browser.post("/notices/open", &[("notice", id)]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{id}");
    }
    let opened = browser.post("/notices/open", &[("notice", "1")]).await;
    assert_eq!(opened.to(), "/status");
    assert!(browser.get("/notices").await.body.contains("Chưa đọc: 1"));
    tell(&site, Audience::Person(head), "Chuyện ba").await;
    browser.post("/notices/read-all", &[("last", "2")]).await;
    let page = browser.get("/notices").await;
    assert_eq!(page.body.matches("data-unread").count(), 1, "what came meanwhile is new");
    let store = site.app.gate.store();
    assert_eq!(store.notices().unread(officer).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_is_set_confirmed_and_forgotten() {
    let site = Site::new().await;
    let officer = id_of(&site, Role::Officer).await;
    let store = site.app.gate.store();
    let contact = async || store.notices().contact(officer).await.unwrap();
    let mut browser = site.signed_in(Role::Officer, 0).await;
    let page = browser.get("/account/contact").await;
    assert!(page.body.contains("chưa gửi thư"), "this node sends none, and says so");
    let wrong = browser.post("/account/contact", &[("address", "nguoi.mau")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains(r#"value="nguoi.mau""#), "what was typed stays");
    let address = [("address", "nguoi.mau@dancu.example.vn")];
    let sent = browser.post("/account/contact", &address).await;
    assert_eq!(sent.to(), "/account/contact?told=sent");
    let code = contact().await.pending.unwrap().code;
    let wrong = browser.post("/account/contact/confirm", &[("code", "0")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(!wrong.body.contains(&code), "the code is in the mail only");
    let done = browser.post("/account/contact/confirm", &[("code", &code)]).await;
    assert_eq!(done.to(), "/account/contact?told=confirmed");
    assert!(browser.get("/account/contact").await.body.contains(address[0].1));
    let night = [("ordinary", "each"), ("hour", "22")];
    let missing = browser.post("/account/contact/preferences", &night).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND, "nobody is mailed at night");
    let day = [("ordinary", "each"), ("hour", "9")];
    browser.post("/account/contact/preferences", &day).await;
    assert_eq!(contact().await.preference.digest_minute, 540);
    browser.post("/account/contact/remove", &[]).await;
    assert_eq!(contact().await.address, None);
}
