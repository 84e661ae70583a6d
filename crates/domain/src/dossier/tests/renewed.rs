//! Dossiers of connections that go on: asked for anew, and brought up to date.

use super::*;

fn listed(dossier: &Dossier) -> Vec<Registered> {
    let content = dossier.content();
    content.accounts.iter().map(|row| row.account(content).unwrap()).collect()
}

fn later(by: PersonId, days: i64) -> Mark {
    Mark { by, at: now().plus_ms(days * DAY_MS) }
}

fn changed() -> Dossier {
    live().reopen(mark(HEAD), Cause::Change, "Đổi số lượt").unwrap()
}

#[test]
fn rule_e3_the_list_of_a_live_connection_is_not_changed_in_its_dossier() {
    let dossier = changed();
    let mut content = whole();
    content.accounts[0].daily = 60;
    let saved = dossier.clone().save(mark(HEAD), Editor::Unit, content);
    assert_eq!(why(saved), Blocked::ListKept);
    let struck = dossier.with_accounts(mark(HEAD), &[]).unwrap();
    assert!(struck.content().accounts.is_empty() && struck.paper(Part::Accounts).signed.is_none());
    assert!(struck.sign(mark(HEAD), Part::Accounts, &profile()).is_ok(), "no list is wanted");
}

#[test]
fn rule_b9_the_list_says_what_is_registered() {
    let dossier = changed();
    let mut known = listed(&dossier);
    assert_eq!(dossier.clone().with_accounts(mark(HEAD), &known).unwrap(), dossier, "as it was");
    known[0].0.daily = 70;
    let after = dossier.with_accounts(mark(HEAD), &known).unwrap();
    let row = &after.content().accounts[0];
    assert_eq!((row.daily, row.role.as_str()), (70, "Một cửa"));
    assert!(after.paper(Part::Accounts).signed.is_none());
}

#[test]
fn rule_b4_what_comes_back_is_not_signed_anew() {
    let dossier = live();
    let asked = dossier.ask_for(Part::Commitment);
    let opened = dossier.renew(later(FIRST, 1), "Đợt", &[Part::Commitment]).unwrap();
    assert!(!opened.answers(&asked));
    let back = opened.clone().withdraw(later(HEAD, 2)).unwrap();
    assert!(!back.answers(&asked), "the version of before");
    let signed = opened.sign(later(HEAD, 2), Part::Commitment, &profile()).unwrap();
    assert!(signed.answers(&asked));
    // What was handed in before it was asked for is not what is asked for.
    let submitted = submitted(whole());
    assert!(!submitted.answers(&submitted.ask_for(Part::Commitment)));
}

#[test]
fn rule_c2_a_confirmation_of_the_design_of_before_closes_nothing() {
    let remark = Remark { item: Item::Technical, row: None, text: "Thiếu sơ đồ".into() };
    let back = worked(whole()).ask_changes(mark(FIRST), vec![remark]).unwrap();
    let content = Content { technical: "Sơ đồ mới".into(), ..whole() };
    let saved = back.save(later(HEAD, 3), Editor::Unit, content).unwrap();
    let saved = saved.answer(later(HEAD, 3), 0, "Đã sửa").unwrap();
    let signed = Part::ALL
        .into_iter()
        .fold(saved, |d, part| d.sign(later(HEAD, 3), part, &profile()).unwrap());
    let submitted = signed.submit(later(HEAD, 3), false, &profile()).unwrap();
    let accepted = submitted.accept(later(FIRST, 3), SYSTEM).unwrap();
    let closed = accepted.close_step(later(FIRST, 3), Step::Assessment, confirmation());
    assert_eq!(why(closed), Blocked::BeforeChange);
}

#[test]
fn rule_d4_rule_c3_what_holds_no_more_does_not_go_live() {
    let approved = worked(whole()).approve(mark(FIRST), &profile()).unwrap();
    let mut less = profile();
    less.counts.off_hours_cap = 100;
    assert_eq!(why(approved.clone().go_live(mark(SECOND), &less)), Blocked::Incomplete);
    let late = approved.clone().go_live(later(SECOND, 400), &profile());
    assert_eq!(why(late), Blocked::NotWithinYear);
    assert!(approved.go_live(mark(SECOND), &profile()).is_ok());
}

#[test]
fn rule_b2_a_confirmation_of_tomorrow_is_none() {
    let found = |date: &str| {
        let mut content = whole();
        content.confirmation.date = date.into();
        let found = check::of_content(&content, &profile(), now().viet_nam_date());
        found.iter().map(|m| m.item).collect::<Vec<_>>()
    };
    assert_eq!(found("02/03/2026"), []);
    assert_eq!(found("03/03/2026"), [Item::ConfirmationDate]);
}

#[test]
fn rule_e1_one_name_is_one_accounts() {
    let found = |login: &str, code: &str| {
        let mut content = whole();
        content.accounts[0].officer_code = "CB.001".into();
        let second = account(login, "099301012346");
        content.accounts.push(AccountRow { officer_code: code.into(), ..second });
        let found = check::of_content(&content, &profile(), now().viet_nam_date());
        found.iter().map(|m| m.row).collect::<Vec<_>>()
    };
    assert_eq!(found("canbo.mau2", "CB.002"), []);
    assert_eq!(found("canbo.mau2", "canbo.mau2"), [], "the own login");
    assert_eq!(found("canbo.mau2", "cb.001"), [Some(1)]);
    assert_eq!(found("canbo.mau2", "CANBO.MAU1"), [Some(1)]);
}
