//! What must not come back with a dossier, and whose it is.

use dancu_domain::registration::AccountState;
use dancu_domain::units::{About, Change, UnitKind, UnitName};
use dancu_office::units::{self, UnitsDesk};
use dancu_store::policy::write;

use super::*;

async fn reopened(world: &World) -> Walk<'_> {
    let mut walk = Walk::live(world).await;
    let reopen =
        async |desk: DossierDesk<'_>, at| live::reopen(&desk, at, Cause::Change, "Bớt lượt").await;
    walk.head(reopen).await.unwrap();
    walk
}

/// From submitted to approved; steps that are open but the documents are left out.
async fn approved(walk: &mut Walk<'_>) {
    walk.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await.unwrap();
    for part in Part::ALL {
        let check = async |desk: DossierDesk<'_>, at| review::check(&desk, at, part).await;
        walk.centre(FIRST, check).await.unwrap();
    }
    let close = async |desk: DossierDesk<'_>, at| {
        review::close_step(&desk, at, Step::Documents, Evidence::Checked).await
    };
    walk.centre(FIRST, close).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e3_a_revoked_account_does_not_come_back_with_its_dossier() {
    for world in World::both("dossier-revoked").await {
        let mut walk = reopened(&world).await;
        walk.sign_and_submit().await;
        let account = walk.system().unwrap().accounts.find("canbo.hoso1").unwrap().id;
        let revoke = AccountState::Revoked;
        world.change(move |tx, _| write::set_account_state(tx, account, revoke)).await;
        approved(&mut walk).await;
        walk.centre(FIRST, async |desk, at| review::approve(&desk, at).await).await.unwrap();
        walk.centre(SECOND, async |desk, at| live::go_live(&desk, at).await).await.unwrap();
        let system = walk.system().unwrap();
        let states: Vec<_> = system.accounts.iter().map(|a| a.state).collect();
        assert_eq!(states, [AccountState::Revoked]);
        let reopen =
            async |desk: DossierDesk<'_>, at| live::reopen(&desk, at, Cause::Change, "x").await;
        walk.head(reopen).await.unwrap();
        let own = unit();
        let open = walk.open(Side::Unit(&own), HEAD).await.unwrap();
        assert!(open.dossier.content().accounts.is_empty(), "struck off");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_e1_an_account_that_clashes_is_told_by_its_row() {
    for world in World::both("dossier-clash").await {
        let mut clashing = content();
        clashing.accounts.push(AccountRow {
            login: "vanhanh1.mau".into(),
            citizen_id: "099301012346".into(),
            ..clashing.accounts[0].clone()
        });
        let mut walk = Walk::submitted(&world, clashing).await;
        walk.work().await;
        walk.centre(FIRST, async |desk, at| review::approve(&desk, at).await).await.unwrap();
        let went = walk.centre(SECOND, async |desk, at| live::go_live(&desk, at).await).await;
        match went {
            Err(Refused::Field { field: "accounts", vi, .. }) => assert!(vi.contains("Dòng 2")),
            other => panic!("{other:?}"),
        }
        assert_eq!(walk.system().unwrap().state, ConnectionState::Preparing);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b4_only_what_was_live_is_exempt_as_live_before() {
    for world in World::both("dossier-adopted").await {
        let mut walk = Walk::submitted(&world, content()).await;
        walk.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await.unwrap();
        let exempt = |ground| {
            let (evidence, date) = ("QĐ 1".into(), clock().viet_nam_date());
            let exemption = Exemption { ground, evidence, date };
            async move |desk: DossierDesk<'_>, at| {
                review::exempt(&desk, at, Step::Sandbox, exemption).await
            }
        };
        for ground in [ExemptionGround::LiveBefore, ExemptionGround::SyntheticPeople] {
            let went = walk.centre(FIRST, exempt(ground)).await;
            assert_eq!(blocked(went), Blocked::GroundUnfit, "{ground:?}");
        }
        // The system of this world has been live without a dossier.
        let old = Content { system_code: "MAU".into(), ..content() };
        let mut walk = Walk::submitted(&world, old.clone()).await;
        let went = walk.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await;
        assert!(went.unwrap().done.detail.contains("#1 MAU"));
        walk.centre(FIRST, exempt(ExemptionGround::LiveBefore)).await.unwrap();
        let mut again = Walk::submitted(&world, old).await;
        let went = again.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await;
        assert_eq!(blocked(went), Blocked::CodeTaken);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_a2_a_channel_that_was_refused_is_not_approved() {
    for world in World::both("dossier-channel").await {
        let (own, by) = (unit(), actor(HEAD));
        let desk = desk_of(&world, &by, Side::Unit(&own));
        let (_, number) = dossiers::begin(&desk, (Group::State, Channel::Sms)).await.unwrap();
        let mut walk = Walk { world: &world, number, revision: 0 };
        walk.fill(content()).await;
        walk.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await.unwrap();
        assert!(walk.system().unwrap().channel_exceptions.is_empty(), "nothing is approved yet");
        for part in Part::ALL {
            let check = async |desk: DossierDesk<'_>, at| review::check(&desk, at, part).await;
            walk.centre(FIRST, check).await.unwrap();
        }
        walk.close_steps().await;
        walk.centre(FIRST, async |desk, at| review::approve(&desk, at).await).await.unwrap();
        walk.centre(SECOND, async |desk, at| live::go_live(&desk, at).await).await.unwrap();
        assert_eq!(walk.system().unwrap().channel_exceptions, [Channel::Sms]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_a6_files_and_answers_have_their_sides() {
    for world in World::both("dossier-sides").await {
        let walk = Walk::begin(&world).await;
        let own = unit();
        let file = || brought(b"%PDF-1.7 mau");
        let (centre, integrator) = (actor(FIRST), actor(OFFICER));
        let at = At { number: walk.number, revision: walk.revision };
        let desk = desk_of(&world, &centre, Side::Centre);
        let went = dossiers::attach(&desk, at, Part::Security, file()).await;
        assert!(matches!(went, Err(Refused::Reason(PortalReason::NoPower))));
        let answered = dossiers::answer(&desk, at, 0, "Rồi").await;
        assert!(matches!(answered, Err(Refused::Reason(PortalReason::NoPower))));
        let desk = desk_of(&world, &integrator, Side::Integrator(&own));
        let went = dossiers::attach(&desk, at, Part::Accounts, file()).await;
        assert_eq!(blocked(went), Blocked::TechnicalOnly);
        dossiers::attach(&desk, at, Part::Security, file()).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b4_dossiers_follow_their_unit() {
    for world in World::both("dossier-merged").await {
        units::keep(&world.store, clock()).await.unwrap();
        let walk = Walk::submitted(&world, content()).await;
        let (by, heir) = (operator(), UnitCode::parse("UBND-X00004").unwrap());
        let reason = "NQ mẫu";
        let desk = UnitsDesk { store: &world.store, now: clock(), actor: &by, reason, own: false };
        let about = About::of(UnitKind::Commune);
        let name = UnitName::parse("UBND phường Mẫu").unwrap();
        let (day, founded) =
            (clock().viet_nam_date(), Change::Founded { name, parent: None, about });
        units::record(&desk, &heir, day, founded).await.unwrap();
        let (_, moved) = units::merge(&desk, &[unit()], &heir, day).await.unwrap();
        assert_eq!(moved.dossiers, 0, "what the centre has in hand is not opened again");
        let open = walk.open(Side::Unit(&heir), HEAD).await.unwrap();
        assert_eq!(*open.dossier.unit(), heir);
        assert!(walk.open(Side::Unit(&unit()), HEAD).await.is_none());
        // A new one of the old code is the heir's, and of its group.
        let (head, old) = (actor(HEAD), unit());
        let desk = desk_of(&world, &head, Side::Unit(&old));
        let (_, number) = dossiers::begin(&desk, (Group::Other, Channel::Api)).await.unwrap();
        let begun = world.store.dossiers().by_number(number).await.unwrap().unwrap().dossier;
        assert_eq!((begun.unit(), begun.group()), (&heir, Group::State));
    }
}
