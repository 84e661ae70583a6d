//! Connection dossiers from the first word to the live connection (B1-B3, A4, A6, C2).

use dancu_domain::dossier::{
    AccountRow, Blocked, Cause, Confirmation, Contact, Content, DossierNumber, Evidence, Exemption,
    ExemptionGround, Item, LineRow, Part, ProcedureRow, Remark, ServiceUse, Stage, Step, Turn,
};
use dancu_domain::files::Scan;
use dancu_domain::ids::{SystemCode, UnitCode};
use dancu_domain::people::PersonId;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::{AccountKind, Channel, ConnectionState, Group, System};
use dancu_domain::rule::RuleId;
use dancu_domain::service::{Field, FieldSet, Service, ServiceSet, Window};
use dancu_office::dossiers::read::{self, Act, Which};
use dancu_office::dossiers::{self, At, Brought, DossierDesk, Side, Went, live, review, tested};
use dancu_office::{Actor, Refused};
use dancu_store::dossiers::After;
use dancu_store::policy::setup;

use super::world::*;

mod dossier_rules;
mod reports;

pub use reports::proven;

pub fn unit() -> UnitCode {
    UnitCode::parse("H26.001").unwrap()
}

pub fn brought(bytes: &[u8]) -> Brought<Vec<u8>> {
    let name = "../biên bản.pdf".to_owned();
    Brought { name, kind: "pdf", bytes: bytes.to_vec(), scan: Scan::Unasked }
}

pub fn content() -> Content {
    let text = || "Nội dung mẫu".to_owned();
    let line =
        |window, daily| LineRow { service: Service::CitizenVerify, window, daily, purpose: text() };
    let account = AccountRow {
        login: "canbo.hoso1".into(),
        full_name: "Nguyễn Thị Hồ Sơ".into(),
        citizen_id: "099301012345".into(),
        officer_code: String::new(),
        phone: "0900000001".into(),
        role: "Một cửa".into(),
        kind: AccountKind::Officer,
        daily: 50,
        services: ServiceSet::default(),
    };
    Content {
        functions: text(),
        system_code: "HOSO".into(),
        system_name: "Hệ thống một cửa".into(),
        officer: Contact {
            name: "Trần Văn Mẫu".into(),
            position: text(),
            phone: "0900000002".into(),
            email: "mau@vd.gov.vn".into(),
            workplace: text(),
        },
        representative: text(),
        representative_position: text(),
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
        accounts: vec![account],
    }
}

/// A dossier of the unit and the revision that the last act left.
pub struct Walk<'a> {
    world: &'a World,
    pub number: DossierNumber,
    pub revision: i64,
}

impl<'a> Walk<'a> {
    pub async fn begin(world: &'a World) -> Self {
        let (unit, by) = (unit(), actor(HEAD));
        let desk = desk_of(world, &by, Side::Unit(&unit));
        let (_, number) = dossiers::begin(&desk, (Group::State, Channel::Api)).await.unwrap();
        Self { world, number, revision: 0 }
    }

    /// Saved, not signed.
    pub async fn begun(world: &'a World, content: Content) -> Self {
        let mut walk = Self::begin(world).await;
        walk.head(async |desk, at| dossiers::save(&desk, at, content).await).await.unwrap();
        walk
    }

    /// The whole of it, signed by the head and handed in.
    pub async fn submitted(world: &'a World, content: Content) -> Self {
        let mut walk = Self::begin(world).await;
        walk.fill(content).await;
        walk
    }

    pub async fn fill(&mut self, content: Content) {
        self.head(async |desk, at| dossiers::save(&desk, at, content).await).await.unwrap();
        let file = brought(b"%PDF-1.7 mau");
        let part = Part::Security;
        self.head(async |desk, at| dossiers::attach(&desk, at, part, file).await).await.unwrap();
        self.sign_and_submit().await;
    }

    pub async fn sign_and_submit(&mut self) {
        for part in Part::ALL {
            self.head(async |desk, at| dossiers::sign(&desk, at, part).await).await.unwrap();
        }
        self.head(async |desk, at| dossiers::submit(&desk, at, false).await).await.unwrap();
    }

    /// Received, checked, every step closed.
    pub async fn work(&mut self) {
        self.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await.unwrap();
        for part in Part::ALL {
            let checked = self.centre(FIRST, async |desk, at| review::check(&desk, at, part).await);
            checked.await.unwrap();
        }
        self.close_steps().await;
    }

    pub async fn close_documents(&mut self) {
        let close = async |desk: DossierDesk<'_>, at| {
            review::close_step(&desk, at, Step::Documents, Evidence::Checked).await
        };
        self.centre(FIRST, close).await.unwrap();
    }

    async fn close_steps(&mut self) {
        self.head(async |desk, at| tested::hand_in(&desk, at, proven()).await).await.unwrap();
        let (number, date) = ("12/XN".into(), clock().viet_nam_date());
        let confirmed = Evidence::Confirmation { number, date };
        for (step, evidence) in
            [(Step::Documents, Evidence::Checked), (Step::Assessment, confirmed)]
        {
            let close = async |desk: DossierDesk<'_>, at| {
                review::close_step(&desk, at, step, evidence).await
            };
            self.centre(FIRST, close).await.unwrap();
        }
    }

    pub async fn live(world: &'a World) -> Self {
        let mut walk = Self::submitted(world, content()).await;
        walk.work().await;
        walk.centre(FIRST, async |desk, at| review::approve(&desk, at).await).await.unwrap();
        walk.centre(SECOND, async |desk, at| live::go_live(&desk, at).await).await.unwrap();
        walk
    }

    pub async fn head(
        &mut self,
        act: impl AsyncFnOnce(DossierDesk<'_>, At) -> Result<Went, Refused>,
    ) -> Result<Went, Refused> {
        let (unit, by) = (unit(), actor(HEAD));
        let at = At { number: self.number, revision: self.revision };
        self.went(act(desk_of(self.world, &by, Side::Unit(&unit)), at).await)
    }

    pub async fn centre(
        &mut self,
        by: PersonId,
        act: impl AsyncFnOnce(DossierDesk<'_>, At) -> Result<Went, Refused>,
    ) -> Result<Went, Refused> {
        let by = actor(by);
        let at = At { number: self.number, revision: self.revision };
        self.went(act(desk_of(self.world, &by, Side::Centre), at).await)
    }

    fn went(&mut self, went: Result<Went, Refused>) -> Result<Went, Refused> {
        if let Ok(went) = &went {
            self.revision = went.revision;
        }
        went
    }

    pub async fn open(&self, side: Side<'_>, by: PersonId) -> Option<read::Open> {
        let by = actor(by);
        read::open(&desk_of(self.world, &by, side), self.number, |_| true).await.unwrap()
    }

    pub fn system(&self) -> Option<System> {
        let code = SystemCode::parse("HOSO").unwrap();
        self.world.snapshot().by_code(&code).map(|s| s.as_ref().clone())
    }
}

pub fn desk_of<'a>(world: &'a World, by: &'a Actor, side: Side<'a>) -> DossierDesk<'a> {
    DossierDesk { store: &world.store, now: clock(), by, side }
}

fn blocked(went: Result<Went, Refused>) -> Blocked {
    match went.unwrap_err() {
        Refused::Dossier(blocked) => blocked,
        other => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b3_a_dossier_goes_live_with_everything_that_it_says() {
    for world in World::both("dossier").await {
        let mut walk = Walk::submitted(&world, content()).await;
        assert!(walk.system().is_none(), "nothing is registered before it is received");
        walk.work().await;
        let prepared = walk.system().unwrap();
        assert_eq!(prepared.state, ConnectionState::Preparing);
        assert!(prepared.services.iter().all(Option::is_none), "A4: nothing is granted yet");
        let early = walk.centre(SECOND, async |desk, at| live::go_live(&desk, at).await).await;
        assert_eq!(blocked(early), Blocked::NotInThisStage);
        let unit = walk.head(async |desk, at| review::approve(&desk, at).await).await;
        assert!(matches!(unit, Err(Refused::Reason(PortalReason::NoPower))));
        let own = walk.centre(HEAD, async |desk, at| review::approve(&desk, at).await).await;
        assert_eq!(blocked(own), Blocked::OwnDossier);
        walk.centre(FIRST, async |desk, at| review::approve(&desk, at).await).await.unwrap();
        let before = world.store.ledger().next_index();
        walk.centre(SECOND, async |desk, at| live::go_live(&desk, at).await).await.unwrap();
        assert_eq!(world.store.ledger().next_index(), before + 1, "one entry");
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("dossier.live", "vanhanh2.mau"));
        assert!(act.detail.starts_with("HS-00001 H26.001 live; HOSO"), "{}", act.detail);
        let system = walk.system().unwrap();
        assert_eq!((system.state, act.system), (ConnectionState::Live, system.id.0));
        let grant = system.service(Service::CitizenVerify).unwrap();
        let daily = |window| grant.line(window).unwrap().daily;
        assert_eq!((daily(Window::InHours), daily(Window::OffHours)), (500, 200));
        assert_eq!(grant.fields, FieldSet::of(&[Field::PermanentResidence]));
        assert!(system.accounts.find("canbo.hoso1").is_some());
        assert_eq!(system.procedures.len(), 1);
        let keys = world.store.keys().clone();
        let id = system.id;
        let looked = world.change(move |tx, _| {
            let recorded = setup::clearance(tx, &keys, id)?.unwrap();
            assert_eq!(recorded.dossier, Some(DossierNumber(1)));
            assert_eq!((recorded.ground.as_str(), recorded.approver.as_str()), ("dossier", "#2"));
            Ok(())
        });
        looked.await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_reviewers_at_once_the_second_is_told_and_nothing_is_lost() {
    for world in World::both("dossier-two").await {
        let walk = Walk::submitted(&world, content()).await;
        let at = At { number: walk.number, revision: walk.revision };
        let (one, two) = (actor(FIRST), actor(SECOND));
        let before = world.store.ledger().next_index();
        let (one, two) = (desk_of(&world, &one, Side::Centre), desk_of(&world, &two, Side::Centre));
        let (first, second) = tokio::join!(
            review::check(&one, at, Part::Commitment),
            review::check(&two, at, Part::Accounts)
        );
        assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
        let late = if first.is_ok() { second } else { first };
        assert_eq!(blocked(late), Blocked::ChangedMeanwhile);
        assert_eq!(world.store.ledger().next_index(), before + 1);
        let open = walk.open(Side::Centre, FIRST).await.unwrap();
        let checked = Part::ALL.iter().filter(|p| open.dossier.paper(**p).checked.is_some());
        assert_eq!((checked.count(), open.revision), (1, at.revision + 1));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_a6_only_the_unit_reads_the_account_list() {
    for world in World::both("dossier-a6").await {
        let mut walk = Walk::submitted(&world, content()).await;
        let (own, other) = (unit(), UnitCode::parse("H26.002").unwrap());
        let rows = async |side, by| {
            let open = walk.open(side, by).await?;
            assert_eq!((open.accounts.count, open.accounts.daily), (1, 50));
            Some(open.dossier.content().accounts.len())
        };
        assert_eq!(rows(Side::Unit(&own), HEAD).await, Some(1));
        assert_eq!(rows(Side::Integrator(&own), OFFICER).await, Some(0));
        assert_eq!(rows(Side::Centre, FIRST).await, Some(0));
        assert_eq!(rows(Side::Unit(&other), HEAD).await, None, "another unit's");
        let (head, beside) = (actor(HEAD), Side::Unit(&other));
        let beside = desk_of(&world, &head, beside);
        assert!(read::of_unit(&beside, &own, None).await.is_err());
        assert!(read::queue(&beside, 1, After::START).await.is_err());
        // An integrator's save touches neither the list nor the rest.
        let remark = Remark { item: Item::Technical, row: None, text: "Thiếu sơ đồ".into() };
        let ask =
            async |desk: DossierDesk<'_>, at| review::ask_changes(&desk, at, vec![remark]).await;
        walk.centre(FIRST, ask).await.unwrap();
        let by = actor(OFFICER);
        let desk = desk_of(&world, &by, Side::Integrator(&own));
        let at = At { number: walk.number, revision: walk.revision };
        let theirs = Content {
            technical: "Sơ đồ".into(),
            purpose: "Khác".into(),
            ..content().without_people()
        };
        walk.revision = dossiers::save(&desk, at, theirs).await.unwrap().revision;
        let open = walk.open(Side::Unit(&own), HEAD).await.unwrap();
        assert_eq!(*open.dossier.content(), Content { technical: "Sơ đồ".into(), ..content() });
        let at = At { number: walk.number, revision: walk.revision };
        assert!(dossiers::submit(&desk, at, false).await.is_err(), "the head hands in");
        if world.database.is_none() {
            let files = ["core.db", "core.db-wal"].map(|name| world.dir.join(name));
            let bytes = files.iter().flat_map(|f| std::fs::read(f).unwrap_or_default());
            let bytes: Vec<u8> = bytes.collect();
            for secret in ["Nguyễn Thị Hồ Sơ", "canbo.hoso1", "099301012345"] {
                let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
                assert!(!found, "stands in clear: {secret}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b3_comments_versions_and_history_are_kept() {
    for world in World::both("dossier-versions").await {
        let mut walk = Walk::submitted(&world, content()).await;
        let remark =
            Remark { item: Item::InHours, row: Some(0), text: "Giảm số lượt".into() };
        let ask =
            async |desk: DossierDesk<'_>, at| review::ask_changes(&desk, at, vec![remark]).await;
        walk.centre(FIRST, ask).await.unwrap();
        let mut less = content();
        less.lines[0].daily = 300;
        let saved = less.clone();
        walk.head(async |desk, at| dossiers::save(&desk, at, saved).await).await.unwrap();
        let answer =
            async |desk: DossierDesk<'_>, at| dossiers::answer(&desk, at, 0, "Đã giảm").await;
        walk.head(answer).await.unwrap();
        let sign =
            async |desk: DossierDesk<'_>, at| dossiers::sign(&desk, at, Part::Registration).await;
        walk.head(sign).await.unwrap();
        walk.head(async |desk, at| dossiers::submit(&desk, at, false).await).await.unwrap();
        let by = actor(FIRST);
        let desk = desk_of(&world, &by, Side::Centre);
        let of = (Which::Submitted(1), Which::Submitted(2));
        let compared = read::compare(&desk, walk.number, of).await.unwrap().unwrap();
        assert_eq!(compared.differences.len(), 1);
        assert!(compared.differences[0].before.contains("500"));
        assert!(compared.differences[0].after.contains("300"));
        let none = (Which::Submitted(1), Which::InForce);
        assert!(read::compare(&desk, walk.number, none).await.unwrap().is_none());
        let open = walk.open(Side::Centre, FIRST).await.unwrap();
        assert_eq!(open.turns, [Turn::Reviewer]);
        let kinds: Vec<_> = open.history.iter().map(|e| e.kind.as_str()).take(3).collect();
        assert_eq!(kinds, ["dossier.submitted", "dossier.signed", "dossier.answered"]);
        assert!(open.acts.contains(&Act::Accept) && !open.acts.contains(&Act::Approve));
        let queue = read::queue(&desk, Stage::Submitted.number(), After::START).await.unwrap();
        let counts = read::counts(&desk).await.unwrap();
        assert_eq!((queue.rows.len(), counts[1], queue.next), (1, 1, None));
        assert_eq!(queue.rows[0].code, "HOSO");
        let mine = read::of_unit(&desk, &unit(), None).await.unwrap();
        assert_eq!(mine, queue.rows);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b9_a_change_comes_into_force_while_the_connection_goes_on() {
    for world in World::both("dossier-reopened").await {
        let mut walk = Walk::live(&world).await;
        let reopen = async |desk: DossierDesk<'_>, at| {
            live::reopen(&desk, at, Cause::Change, "Thêm dịch vụ").await
        };
        walk.head(reopen).await.unwrap();
        let mut more = content();
        more.lines = vec![LineRow { daily: 700, ..more.lines[0].clone() }];
        more.uses[0].fields.insert(Field::Religion);
        walk.head(async |desk, at| dossiers::save(&desk, at, more).await).await.unwrap();
        let sign =
            async |desk: DossierDesk<'_>, at| dossiers::sign(&desk, at, Part::Registration).await;
        walk.head(sign).await.unwrap();
        walk.head(async |desk, at| dossiers::submit(&desk, at, false).await).await.unwrap();
        let (before, id) = {
            let system = walk.system().unwrap();
            assert_eq!(system.state, ConnectionState::Live, "it goes on");
            let line = system.service(Service::CitizenVerify).unwrap().line(Window::InHours);
            (line.unwrap().daily, line.unwrap().id)
        };
        assert_eq!(before, 500, "not before it is approved");
        walk.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await.unwrap();
        for part in Part::ALL {
            let check = async |desk: DossierDesk<'_>, at| review::check(&desk, at, part).await;
            walk.centre(FIRST, check).await.unwrap();
        }
        let close = async |desk: DossierDesk<'_>, at| {
            review::close_step(&desk, at, Step::Documents, Evidence::Checked).await
        };
        walk.centre(FIRST, close).await.unwrap();
        // A4: a sensitive field was added, so two people approve.
        walk.centre(FIRST, async |desk, at| review::approve(&desk, at).await).await.unwrap();
        let early = walk.centre(SECOND, async |desk, at| live::go_live(&desk, at).await).await;
        assert_eq!(blocked(early), Blocked::NotInThisStage);
        walk.centre(SECOND, async |desk, at| review::approve(&desk, at).await).await.unwrap();
        walk.centre(SECOND, async |desk, at| live::go_live(&desk, at).await).await.unwrap();
        let system = walk.system().unwrap();
        let grant = system.service(Service::CitizenVerify).unwrap();
        let line = grant.line(Window::InHours).unwrap();
        assert_eq!((line.daily, line.id), (700, id), "the same line");
        assert!(grant.line(Window::OffHours).is_none(), "dropped");
        assert_eq!(system.accounts.iter().count(), 1, "no account twice");
        let end = async |desk: DossierDesk<'_>, at| live::close(&desk, at, "Dừng hệ thống").await;
        walk.centre(SECOND, end).await.unwrap();
        assert_eq!(walk.system().unwrap().state, ConnectionState::Closed);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_a3_a_refused_dossier_says_why_and_its_code_can_be_asked_for_again() {
    for world in World::both("dossier-refused").await {
        let mut walk = Walk::submitted(&world, content()).await;
        walk.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await.unwrap();
        let exemption = Exemption {
            ground: ExemptionGround::Decision,
            evidence: "QĐ 1".into(),
            date: clock().viet_nam_date(),
        };
        let exempt = async |desk: DossierDesk<'_>, at| {
            review::exempt(&desk, at, Step::Assessment, exemption).await
        };
        assert_eq!(blocked(walk.centre(FIRST, exempt).await), Blocked::GroundUnfit);
        let refuse = async |desk: DossierDesk<'_>, at| {
            review::refuse(&desk, at, RuleId::C1, ("Chưa đạt cấp độ 3", "Nâng cấp độ")).await
        };
        walk.centre(FIRST, refuse).await.unwrap();
        let open = walk.open(Side::Centre, FIRST).await.unwrap();
        assert!(matches!(open.dossier.stage(), Stage::Refused(r) if r.rule == RuleId::C1));
        assert_eq!(open.connection, Some(ConnectionState::Preparing));
        assert!(open.acts.is_empty(), "{:?}", open.acts);
        let prepared = walk.system().unwrap().id;
        // The same unit asks again with the code; while that is under way nobody else can.
        let mut again = Walk::submitted(&world, content()).await;
        again.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await.unwrap();
        assert_eq!(again.system().unwrap().id, prepared);
        let mut third = Walk::submitted(&world, content()).await;
        let taken = third.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await;
        assert_eq!(blocked(taken), Blocked::CodeTaken);
    }
}
