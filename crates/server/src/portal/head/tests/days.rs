//! When the duty day begins, as the pages of the desk say it.

use dancu_portal::text::Language;

use super::*;

#[test]
fn rule_d1_what_is_said_of_the_duty_day_follows_the_profile() {
    for lang in [Language::Vietnamese, Language::English] {
        let t = crate::portal::frame::text(lang);
        let day = t.with_two("usage-why", "day", "03/03/2026", "from", "07:30");
        let said = ["chart-why", "systems-why"].map(|key| t.with(key, "from", "07:30"));
        for text in said.iter().chain([&day]) {
            assert!(text.contains("07:30") && !text.contains("07:00"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d1_pages_say_when_the_duty_day_begins() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = head.get("/unit/usage").await;
    assert_eq!(page.body.matches("từ 07:00 đến 07:00").count(), 2, "{}", page.body);
    let mut operator = site.signed_in(Role::Operator, 0).await;
    assert!(operator.get("/operate/systems").await.body.contains("từ 07:00."));
}
