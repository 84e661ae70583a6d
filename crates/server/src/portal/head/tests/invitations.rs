//! Who may be invited, and who may not.

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_nobody_is_invited_from_the_page_under_a_lock() {
    let site = site().await;
    let mut head = site.signed_in(Role::Head, 0).await;
    let page = head.get("/unit/officers/new").await;
    let fields = [
        ("once", page.hidden("once")),
        ("system", "1".into()),
        ("service", "0".into()),
        ("login", "canbo.moi1".into()),
        ("name", "Trần Thị Thử".into()),
        ("personalId", "099301012345".into()),
        ("daily", "20".into()),
        ("invite", "yes".into()),
    ];
    let fields: Vec<_> = fields.iter().map(|(n, v): &(_, String)| (*n, v.as_str())).collect();
    let added = head.post("/unit/officers/new", &fields).await;
    assert!(added.body.contains("id=\"given\""), "{}", added.body);
    let store = site.app.gate.store();
    let all = store.account_list(SystemId(1)).await.unwrap();
    let new = all.iter().find(|k| k.account.login.as_str() == "canbo.moi1").unwrap().account.id;
    let here = format!("/unit/officers/a{}", new.0);
    let (password, offer) = (format!("{here}/password"), format!("action=\"{here}/password\""));
    assert!(head.get(&here).await.body.contains(&offer));
    let mut operator = site.signed_in(Role::Operator, 0).await;
    operator.get("/operate/systems/HT1").await;
    let lock = [("what", "account"), ("login", "canbo.moi1"), ("reason", "báo mất")];
    let locked = operator.post("/operate/systems/HT1/lock", &lock).await;
    assert!(locked.body.contains("Đã khóa canbo.moi1"), "{}", locked.body);
    assert!(locked.body.contains("Lời mời vào cổng đã thu hồi"), "{}", locked.body);
    let page = head.get(&here).await;
    assert!(!page.body.contains(&offer) && !page.body.contains(&format!("{here}/vouch")));
    let again = head.post(&password, &[("once", "i1")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(again.body.contains("khóa vì lý do an toàn"), "{}", again.body);
    assert!(!again.body.contains("id=\"given\""));
    // Unlocked, the head suspends: the invitation is told as withdrawn, and resuming comes first.
    let unlock = [("lock", format!("account-{}", new.0)), ("reason", "nhầm".into())];
    let unlock: Vec<_> = unlock.iter().map(|(n, v): &(_, String)| (*n, v.as_str())).collect();
    operator.post("/operate/locks/unlock", &unlock).await;
    assert!(head.post(&password, &[("once", "i2")]).await.body.contains("id=\"given\""));
    let state = format!("{here}/state");
    let done = head.post(&state, &[("act", "suspend"), ("reason", "nghỉ phép")]).await;
    assert_eq!(done.to(), format!("{here}?told=suspendedInvited"), "{}", done.body);
    let page = head.get(done.to()).await;
    assert!(page.body.contains("thu hồi lời mời vào cổng") && !page.body.contains(&offer));
    let early = head.post(&password, &[("once", "i3")]).await;
    assert_eq!(early.status, StatusCode::CONFLICT);
    head.post(&state, &[("act", "resume"), ("reason", "đã về")]).await;
    assert!(head.get(&here).await.body.contains(&offer));
}
