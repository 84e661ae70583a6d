//! Dossiers from draft to live, and every way that must not lead there.

mod files;
mod paths;
mod renewed;
mod tested;

use super::*;
use crate::ids::SystemId;
use crate::moment::DAY_MS;
use crate::people::approval::Approvers;
use crate::profile::{DEFAULT_PROFILE, Profile, Profiles};
use crate::registration::AccountKind;
use crate::rule::RuleId;
use crate::service::{Field, FieldSet, Service, ServiceSet, Window};

pub(super) const HEAD: PersonId = PersonId(1);
pub(super) const INTEGRATOR: PersonId = PersonId(2);
pub(super) const FIRST: PersonId = PersonId(3);
pub(super) const SECOND: PersonId = PersonId(4);
const SYSTEM: SystemId = SystemId(7);

fn mark(by: PersonId) -> Mark {
    Mark { by, at: now() }
}

fn now() -> Moment {
    Moment::parse_rfc3339("2026-03-02T09:00:00+07:00").unwrap()
}

pub(super) fn profile() -> Profile {
    Profiles::parse(DEFAULT_PROFILE).unwrap().at(now()).clone()
}

fn account(login: &str, id: &str) -> AccountRow {
    AccountRow {
        login: login.into(),
        full_name: "Nguyễn Thị Mẫu".into(),
        citizen_id: id.into(),
        officer_code: String::new(),
        phone: "0900 000 001".into(),
        role: "Một cửa".into(),
        kind: AccountKind::Officer,
        daily: 50,
        services: ServiceSet::default(),
    }
}

/// A content that lacks nothing.
pub(super) fn whole() -> Content {
    let text = || "Nội dung mẫu".to_owned();
    let line =
        |window, daily| LineRow { service: Service::CitizenVerify, window, daily, purpose: text() };
    Content {
        functions: text(),
        system_code: "MOTCUA".into(),
        system_name: "Hệ thống một cửa".into(),
        officer: Contact {
            name: "Trần Văn Mẫu".into(),
            position: "Phó Chánh Văn phòng".into(),
            phone: "0900000002".into(),
            email: "mau@vd.gov.vn".into(),
            workplace: text(),
        },
        representative: "Lê Thị Mẫu".into(),
        representative_position: "Chủ tịch".into(),
        purpose: text(),
        scope: text(),
        matter: text(),
        technical: text(),
        security_level: 3,
        confirmation: Confirmation {
            number: "12/BB-KT".into(),
            date: "01/02/2026".into(),
            body: text(),
        },
        protection: std::array::from_fn(|_| text()),
        lines: vec![line(Window::InHours, 500), line(Window::OffHours, 200)],
        uses: vec![ServiceUse {
            service: Service::CitizenVerify,
            fields: FieldSet::of(&[Field::PermanentResidence]),
            purpose: text(),
            procedures: vec!["1.004194".into()],
        }],
        procedures: vec![ProcedureRow {
            code: "1.004194".into(),
            purpose: "Đăng ký thường trú".into(),
            cases: 40,
            queries: 3,
            case_required: false,
        }],
        accounts: vec![account("canbo.mau1", "099301012345")],
    }
}

pub(super) fn begun() -> Dossier {
    let unit = UnitCode::parse("H26.001").unwrap();
    Dossier::begin(DossierNumber(1), unit, (Group::State, Channel::Api), mark(HEAD))
}

pub(super) fn file() -> Attachment {
    Attachment { id: 1, kind: "pdf".into(), sha256: [1; 32], size: 10 }
}

fn signed(dossier: Dossier) -> Dossier {
    let sign = |d: Dossier, part| d.sign(mark(HEAD), part, &profile()).unwrap();
    Part::ALL.into_iter().fold(dossier, sign)
}

fn submitted(content: Content) -> Dossier {
    let dossier = begun().save(mark(HEAD), Editor::Unit, content).unwrap();
    let dossier = dossier.attach(mark(HEAD), Part::Security, file()).unwrap();
    signed(dossier).submit(mark(HEAD), false, &profile()).unwrap()
}

fn confirmation() -> Evidence {
    Evidence::Confirmation { number: "123/A05-XN".into(), date: now().viet_nam_date() }
}

fn conformance() -> Evidence {
    let (sha256, signer) = ("ab".into(), "thu+01234567".into());
    Evidence::Report { number: "KT-1".into(), sha256, signer, passed: 12 }
}

fn accepted(content: Content) -> Dossier {
    let dossier = submitted(content).accept(mark(FIRST), SYSTEM).unwrap();
    Part::ALL.into_iter().fold(dossier, |d, part| d.check(mark(FIRST), part).unwrap())
}

fn worked(content: Content) -> Dossier {
    let dossier = accepted(content);
    let close = |d: Dossier, step, evidence| d.close_step(mark(FIRST), step, evidence).unwrap();
    let dossier = close(dossier, Step::Documents, Evidence::Checked);
    close(close(dossier, Step::Sandbox, conformance()), Step::Assessment, confirmation())
}

fn live() -> Dossier {
    let approved = worked(whole()).approve(mark(FIRST), &profile()).unwrap();
    approved.go_live(mark(SECOND), &profile()).unwrap().0
}

fn why<T>(result: Result<T, Blocked>) -> Blocked {
    result.err().expect("it is blocked")
}

#[test]
fn rule_b3_from_draft_to_live() {
    let dossier = worked(whole());
    assert_eq!(turns(&dossier), [Turn::Reviewer]);
    let approved = dossier.approve(mark(FIRST), &profile()).unwrap();
    assert_eq!(*approved.stage(), Stage::Approved);
    let (live, registered, clearance) = approved.go_live(mark(SECOND), &profile()).unwrap();
    assert_eq!((live.stage().code(), live.system()), ("live", Some(SYSTEM)));
    assert_eq!(clearance.ground(), Ground::Dossier(DossierNumber(1)));
    let grant = &registered.grants[0];
    let count = |window| grant.line(window).unwrap().daily;
    assert_eq!((count(Window::InHours), count(Window::OffHours)), (500, 200));
    assert_eq!(grant.fields, FieldSet::of(&[Field::PermanentResidence]));
    assert_eq!(registered.procedures[0].services, ServiceSet::of(&[Service::CitizenVerify]));
    assert_eq!(registered.accounts[0].0.services, ServiceSet::of(&[Service::CitizenVerify]));
    assert!(missing(&live, &profile(), now().viet_nam_date()).is_empty());
}

#[test]
fn rule_b1_rule_b5_rule_b6_rule_b10_rule_c1_what_is_wrong_is_listed() {
    let found = |change: fn(&mut Content)| {
        let mut content = whole();
        change(&mut content);
        let listed = check::of_content(&content, &profile(), now().viet_nam_date());
        listed.iter().map(|m| (m.item, m.row, m.rule)).collect::<Vec<_>>()
    };
    assert_eq!(found(|_| ()), []);
    assert_eq!(found(|c| c.purpose.clear()), [(Item::Purpose, None, RuleId::B1)]);
    assert_eq!(found(|c| c.officer.phone = "1".into()), [(Item::OfficerPhone, None, RuleId::B1)]);
    assert_eq!(found(|c| c.security_level = 2), [(Item::SecurityLevel, None, RuleId::C1)]);
    assert_eq!(found(|c| c.protection[1].clear()), [(Item::Captcha, None, RuleId::C5)]);
    assert_eq!(found(|c| c.representative.clear()), [(Item::Representative, None, RuleId::B7)]);
    assert_eq!(found(|c| c.lines[1].daily = 0), [(Item::OffHours, Some(1), RuleId::B5)]);
    assert_eq!(found(|c| c.lines[1].daily = 1_001), [(Item::OffHours, None, RuleId::D4)]);
    assert_eq!(found(|c| c.lines[1].daily = 1_000), []);
    assert_eq!(found(|c| c.lines.push(c.lines[0].clone())), [(Item::InHours, Some(2), RuleId::B5)]);
    assert_eq!(found(|c| c.uses[0].procedures.clear()), [(Item::Fields, Some(0), RuleId::A4)]);
    assert_eq!(found(|c| c.uses.clear()), [(Item::Fields, None, RuleId::A4)]);
    assert_eq!(found(|c| c.procedures[0].cases = 0), [(Item::Procedures, Some(0), RuleId::B10)]);
    let one = [(Item::Accounts, Some(0), RuleId::B6)];
    assert_eq!(found(|c| c.accounts[0].login = "ngan".into()), one);
    assert_eq!(found(|c| c.accounts[0].phone.clear()), one);
    assert_eq!(found(|c| c.accounts[0].daily = 0), one);
    assert_eq!(found(|c| c.accounts[0].kind = AccountKind::Plan), one);
    assert_eq!(found(|c| c.accounts.clear()), [(Item::Accounts, None, RuleId::B6)]);
    let again = found(|c| {
        let second = AccountRow { login: "CANBO.MAU1".into(), ..c.accounts[0].clone() };
        c.accounts.push(second);
    });
    let row = Some(1);
    assert_eq!(again, [(Item::Accounts, row, RuleId::B6), (Item::Accounts, row, RuleId::E1)]);
}

#[test]
fn rule_b1_names_follow_the_pattern() {
    for (pattern, name, fits) in [
        ("", "", true),
        ("", "a", false),
        ("*", "bất kỳ", true),
        ("HT-*", "HT-Một cửa", true),
        ("HT-*", "Một cửa", false),
        ("*-*-Tỉnh", "HT-x-Tỉnh", true),
        ("a*a", "a", false),
        ("a*b*c", "a-b-b-c", true),
    ] {
        assert_eq!(named_by(pattern, name), fits, "{pattern} {name}");
    }
}

#[test]
fn rule_b6_rule_b10_counts_are_suggested_from_cases() {
    assert_eq!(suggested_count([(40, 3), (10, 2)]), 140);
    assert_eq!(suggested_count([(u32::MAX, 2), (1, 1)]), u32::MAX);
    assert_eq!(whole().suggested(Service::CitizenVerify), 120);
    assert_eq!(whole().suggested(Service::CitizenLookup), 0);
}

#[test]
fn rule_b2_a_changed_paper_is_signed_and_checked_anew() {
    let profile = profile();
    let dossier = accepted(whole());
    let remark = Remark { item: Item::Accounts, row: None, text: "Thiếu một người".into() };
    let back = dossier.ask_changes(mark(FIRST), vec![remark]).unwrap();
    assert_eq!(back.paper(Part::Accounts).checked, None, "as it was it is not right");
    assert_eq!(why(back.clone().submit(mark(HEAD), false, &profile)), Blocked::CommentsUnanswered);
    let mut content = whole();
    content.accounts.push(account("canbo.mau2", "099301012346"));
    let back = back.answer(mark(HEAD), 0, "Đã thêm").unwrap();
    let saved = back.save(mark(HEAD), Editor::Unit, content).unwrap();
    let accounts = saved.paper(Part::Accounts);
    assert_eq!((accounts.version, accounts.signed, accounts.checked), (2, None, None));
    assert!(saved.paper(Part::Registration).checked.is_some(), "the others stay as they are");
    assert_eq!(why(saved.clone().submit(mark(HEAD), false, &profile)), Blocked::Incomplete);
    let again = saved.sign(mark(HEAD), Part::Accounts, &profile).unwrap();
    let again = again.submit(mark(HEAD), false, &profile).unwrap();
    assert_eq!((again.version(), again.comments()[0].resolved), (2, None));
    assert!(again.resolve(mark(FIRST), 0).unwrap().comments()[0].resolved.is_some());
}

#[test]
fn rule_b2_an_older_edition_is_carried_over_knowingly() {
    let before = Mark { by: HEAD, at: Moment::parse_rfc3339("2025-09-01T09:00:00+07:00").unwrap() };
    let unit = UnitCode::parse("H26.001").unwrap();
    let draft = Dossier::begin(DossierNumber(1), unit, (Group::State, Channel::Api), before);
    let draft = draft.save(before, Editor::Unit, whole()).unwrap();
    let draft = draft.attach(before, Part::Security, file()).unwrap();
    assert_eq!(draft.paper(Part::Commitment).edition, "2021");
    let signed = signed(draft);
    assert_eq!(why(signed.clone().submit(mark(HEAD), false, &profile())), Blocked::EditionChanged);
    let submitted = signed.submit(mark(HEAD), true, &profile()).unwrap();
    let paper = submitted.paper(Part::Commitment);
    assert_eq!(paper.edition, "2021", "kept");
    assert_eq!(paper.carried_over, Some(mark(HEAD)));
    assert_eq!(warnings(&submitted, now().viet_nam_date()).len(), 1, "of state secrets");
    let later = now().plus_ms(200 * DAY_MS).viet_nam_date();
    assert_eq!(warnings(&submitted, later).len(), 2, "and of cybersecurity by then");
}

#[test]
fn rule_c2_only_a_numbered_confirmation_closes_the_assessment() {
    let dossier = accepted(whole());
    let close = |evidence| dossier.clone().close_step(mark(FIRST), Step::Assessment, evidence);
    assert_eq!(why(close(conformance())), Blocked::ConfirmationNeeded);
    let dated = |number: &str, date| Evidence::Confirmation { number: number.into(), date };
    let today = now().viet_nam_date();
    assert_eq!(why(close(dated("không số", today))), Blocked::ConfirmationNeeded);
    assert_eq!(why(close(dated("1/XN", today.tomorrow().unwrap()))), Blocked::DateAhead);
    assert!(close(dated("1/XN", today)).is_ok());
    assert_eq!(why(close(dated("1/XN", "2025-03-01".parse().unwrap()))), Blocked::NotWithinYear);
    assert!(close(dated("1/XN", "2025-03-02".parse().unwrap())).is_ok());
}

#[test]
fn rule_c2_a_new_design_is_not_cleared_by_what_was_confirmed_before() {
    let reopened = live().reopen(mark(HEAD), Cause::Design, "Thay kiến trúc").unwrap();
    let unchecked = Part::ALL.iter().all(|part| reopened.paper(*part).checked.is_none());
    assert!(unchecked, "B3: documents begin anew");
    let dossier = signed(reopened).submit(mark(HEAD), false, &profile()).unwrap();
    let dossier = dossier.accept(mark(FIRST), SYSTEM).unwrap();
    let close = |date| {
        let confirmed = Evidence::Confirmation { number: "1/XN".into(), date };
        dossier.clone().close_step(mark(FIRST), Step::Assessment, confirmed)
    };
    let today = now().viet_nam_date();
    assert_eq!(why(close(today.yesterday().unwrap())), Blocked::BeforeChange);
    assert!(close(today).is_ok());
    let fit = ["defence", "sharesMonitoring", "syntheticPeople"];
    for ground in ExemptionGround::ALL {
        let exemption = Exemption { ground, evidence: "QĐ 12".into(), date: today };
        let exempted = dossier.clone().exempt(mark(FIRST), Step::Assessment, exemption).is_ok();
        assert_eq!(exempted, fit.contains(&ground.code()), "{ground:?}");
    }
}

#[test]
fn rule_b3_who_leaves_out_a_step_does_not_approve() {
    let dossier = accepted(whole());
    let dossier = dossier.close_step(mark(FIRST), Step::Documents, Evidence::Checked).unwrap();
    let dossier = dossier.close_step(mark(FIRST), Step::Sandbox, conformance()).unwrap();
    let (ground, date) = (ExemptionGround::Defence, now().viet_nam_date());
    let exemption = Exemption { ground, evidence: "QĐ 12".into(), date };
    let dossier = dossier.exempt(mark(SECOND), Step::Assessment, exemption).unwrap();
    assert_eq!(why(dossier.clone().approve(mark(SECOND), &profile())), Blocked::OwnExemption);
    assert!(dossier.approve(mark(FIRST), &profile()).is_ok());
}

#[test]
fn rule_b3_who_signed_decides_nothing_even_where_another_signs_after() {
    let dossier = begun().save(mark(HEAD), Editor::Unit, whole()).unwrap();
    let dossier = dossier.sign(mark(SECOND), Part::Accounts, &profile()).unwrap();
    assert!(dossier.sign(mark(HEAD), Part::Accounts, &profile()).unwrap().is_hand(SECOND));
}

#[test]
fn rule_b10_codes_are_compared_without_blanks() {
    let mut content = whole();
    content.uses[0].procedures = vec![" 1.004194".into()];
    assert_eq!(content.suggested(Service::CitizenVerify), 120);
    let approved = worked(content).approve(mark(FIRST), &profile()).unwrap();
    let registered = approved.go_live(mark(SECOND), &profile()).unwrap().1;
    assert_eq!(registered.procedures[0].services, ServiceSet::of(&[Service::CitizenVerify]));
}

#[test]
fn rule_c3_exemptions_are_those_of_the_list() {
    let dossier = accepted(whole());
    let today = now().viet_nam_date();
    let exempt = |ground, step, date| {
        let exemption = Exemption { ground, evidence: "QĐ 12".into(), date };
        dossier.clone().exempt(mark(FIRST), step, exemption)
    };
    assert!(exempt(ExemptionGround::Defence, Step::Assessment, today).is_ok());
    assert!(exempt(ExemptionGround::ConnectedToEid, Step::Assessment, today).is_ok());
    let decision = exempt(ExemptionGround::Decision, Step::Assessment, today);
    assert_eq!(why(decision), Blocked::GroundUnfit);
    let old = "2025-03-01".parse().unwrap();
    let year = exempt(ExemptionGround::ConfirmedWithinYear, Step::Assessment, old);
    assert_eq!(why(year), Blocked::NotWithinYear);
    assert!(!ExemptionGround::ConnectedToEid.exempts(Step::Assessment, false), "first check only");
}

#[test]
fn rule_a4_sensitive_fields_need_two_people() {
    let mut content = whole();
    content.uses[0].fields.insert(Field::Religion);
    let once = worked(content).approve(mark(FIRST), &profile()).unwrap();
    assert_eq!(*once.stage(), Stage::Accepted, "not yet");
    assert_eq!(once.approvers(&profile()), Approvers::Two);
    assert_eq!(why(once.clone().approve(mark(FIRST), &profile())), Blocked::SameApprover);
    assert_eq!(why(once.clone().approve(mark(HEAD), &profile())), Blocked::OwnDossier);
    let approved = once.approve(mark(SECOND), &profile()).unwrap();
    assert_eq!(*approved.stage(), Stage::Approved);
    // What one service is granted is not granted another, nor for another purpose.
    let live = approved.go_live(mark(SECOND), &profile()).unwrap().0;
    let open = live.reopen(mark(HEAD), Cause::Change, "Thêm").unwrap();
    assert_eq!(open.approvers(&profile()), profile().dossier.approvers);
    let change = |change: fn(&mut Content)| {
        let mut content = open.content().clone();
        change(&mut content);
        open.clone().save(mark(HEAD), Editor::Unit, content).unwrap().approvers(&profile())
    };
    assert_eq!(change(|c| c.uses[0].purpose = "Khác".into()), Approvers::Two);
    assert_eq!(change(|c| c.uses[0].procedures.push("1.000001".into())), Approvers::Two);
    let other = |c: &mut Content| {
        c.uses.push(ServiceUse { service: Service::CitizenLookup, ..c.uses[0].clone() });
    };
    assert_eq!(change(other), Approvers::Two);
}

#[test]
fn rule_b9_a_reopened_dossier_goes_back_to_what_is_in_force() {
    let dossier = live().reopen(mark(HEAD), Cause::Change, "Thêm dịch vụ").unwrap();
    assert!(dossier.closing(Step::Assessment).is_some() && dossier.in_force().is_some());
    let mut content = whole();
    content.lines[0].daily = 900;
    let changed = dossier.clone().save(mark(HEAD), Editor::Unit, content.clone()).unwrap();
    assert_eq!(changed.paper(Part::Registration).version, 2);
    let submitted = signed(changed).submit(mark(HEAD), false, &profile()).unwrap();
    let refused = submitted.refuse(mark(FIRST), RuleId::D2, ("Quá lớn", "Giảm số lượt")).unwrap();
    assert_eq!((refused.stage(), refused.content()), (&Stage::Live, &whole()));
    assert_eq!(refused.turned_down().map(|r| r.rule), Some(RuleId::D2));
    assert_eq!(refused.paper(Part::Registration).version, 1);
    let design = live().reopen(mark(HEAD), Cause::Design, "Thay kiến trúc").unwrap();
    assert!(Step::ALL.iter().all(|step| design.closing(*step).is_none()), "C2");
    let other = Content { technical: "Kiến trúc mới".into(), ..whole() };
    let told = dossier.save(mark(HEAD), Editor::Unit, other).unwrap();
    assert!(told.closing(Step::Sandbox).is_none() && told.closing(Step::Assessment).is_none());
    content.system_code = "KHAC".into();
    let renamed = design.save(mark(HEAD), Editor::Unit, content);
    assert_eq!(why(renamed), Blocked::CodeFixed);
}

#[test]
fn rule_a6_integrators_change_technical_items_only() {
    let saved = begun().save(mark(HEAD), Editor::Unit, whole()).unwrap();
    let mut theirs = Content { technical: "Mới".into(), ..whole().without_people() };
    theirs.purpose = "Khác".into();
    let saved = saved.save(mark(INTEGRATOR), Editor::Integrator, theirs).unwrap();
    assert_eq!(*saved.content(), Content { technical: "Mới".into(), ..whole() });
}

#[test]
fn versions_are_compared_field_by_field_without_names() {
    let mut after = whole();
    after.lines[0].daily = 900;
    after.accounts.push(account("canbo.mau2", "099301012346"));
    let found = compare(&whole(), &after);
    let items: Vec<_> = found.iter().map(|d| d.item).collect();
    assert_eq!(items, [Item::InHours, Item::Accounts]);
    assert!(found[0].after.contains("900") && found[1].after.contains("thêm 1"));
    assert!(found.iter().all(|d| !d.after.contains("Mẫu") && !d.after.contains("canbo")));
    assert_eq!(compare(&whole(), &whole()), []);
}

#[test]
fn a_clearance_by_exemption_names_evidence_and_approver() {
    let exempt = |ground, evidence| Clearance::exempt(ground, evidence, "Trần Văn A");
    assert!(exempt(Ground::SyntheticPeople, "môi trường thử").is_ok());
    assert_eq!(why(exempt(Ground::LiveBefore, " ")), Blocked::EvidenceMissing);
    assert_eq!(why(exempt(Ground::Dossier(DossierNumber(1)), "x")), Blocked::GroundUnfit);
}

/// Dossiers are stored as these types stand: what is added goes into a record of its own, and
/// variants are added at the end.
#[test]
fn the_layout_of_what_is_stored_stays() {
    let remark = Remark { item: Item::SecurityFile, row: Some(1), text: "Góp ý".into() };
    let dossier = accepted(whole()).ask_changes(mark(FIRST), vec![remark]).unwrap();
    let dossier = dossier.answer(mark(HEAD), 0, "Trả lời").unwrap();
    let reopened =
        tested::live_by_name().reopen(mark(HEAD), Cause::Campaign, "Đợt rà soát").unwrap();
    let sums = [dossier, reopened].map(|dossier| {
        let bytes = postcard::to_stdvec(&dossier).unwrap();
        let fnv = |sum: u64, byte: &u8| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        (bytes.len(), bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv))
    });
    let written = [(760, 5_995_983_268_720_661_664), (1_359, 11_129_860_097_694_506_951)];
    assert_eq!(sums, written);
}

#[test]
fn sentences_are_whole_and_records_read_back() {
    for blocked in Blocked::ALL {
        let all = [blocked.vi(), blocked.en(), blocked.what_to_do_vi(), blocked.what_to_do()];
        assert!(all.iter().all(|s| s.ends_with('.')), "{blocked:?}");
        assert!(!blocked.vi().is_ascii() && !blocked.what_to_do_vi().is_ascii(), "{blocked:?}");
    }
    for item in Item::ALL {
        assert_eq!(Item::from_code(item.code()), Some(*item));
    }
    assert_eq!(DossierNumber::parse("HS-00012"), Some(DossierNumber(12)));
    assert_eq!(DossierNumber::parse("HS-"), None);
    let refused = submitted(whole());
    let refused = refused.refuse(mark(FIRST), RuleId::A3, ("Lý do", "Làm lại")).unwrap();
    for dossier in [begun(), live(), refused] {
        let bytes = postcard::to_stdvec(&dossier).unwrap();
        assert_eq!(postcard::from_bytes::<Dossier>(&bytes).unwrap(), dossier);
    }
}

#[test]
fn rule_b4_a_campaign_opens_papers_anew_and_leaves_the_rest_alone() {
    let operator = mark(PersonId(9));
    let open = live().renew(operator, "Đợt rà soát", &[Part::Accounts]).unwrap();
    assert_eq!(open.stage(), &Stage::Draft);
    assert_eq!(open.reopening().map(|r| r.cause), Some(Cause::Campaign));
    let accounts = open.paper(Part::Accounts);
    assert_eq!((accounts.version, accounts.signed, accounts.filled.by), (2, None, HEAD));
    assert!(open.paper(Part::Commitment).signed.is_some());
    assert!(!open.is_hand(PersonId(9)), "who began the campaign may review");
    let early = open.clone().submit(mark(HEAD), false, &profile());
    assert_eq!(why(early), Blocked::Incomplete);
    let signed = open.clone().sign(mark(HEAD), Part::Accounts, &profile()).unwrap();
    let submitted = signed.submit(mark(HEAD), false, &profile()).unwrap();
    // Again: a draft has its papers renewed, what was handed in stays as it is.
    assert_eq!(open.clone().renew(operator, "Khác", &[Part::Accounts]).unwrap(), open);
    assert_eq!(submitted.clone().renew(operator, "Khác", &Part::ALL).unwrap(), submitted);
    assert_eq!(why(begun().renew(operator, "x", &[])), Blocked::NotInThisStage);
    assert_eq!(why(live().renew(operator, " ", &[])), Blocked::ReasonMissing);
    let withdrawn = open.withdraw(mark(HEAD)).unwrap();
    assert_eq!(withdrawn.paper(Part::Accounts).version, 1);
    let unit = UnitCode::parse("H26.002").unwrap();
    assert_eq!(live().handed_over(unit.clone()).unit(), &unit);
}
