//! Who the centre invites, and whose role it ends (E1, E3).

use dancu_domain::ids::{Login, PersonalId, UnitCode};
use dancu_domain::name::FullName;
use dancu_domain::people::account::Phase;
use dancu_domain::people::grants::Scope;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::people::roles::Role;
use dancu_office::staff::{self, New, StaffDesk};
use dancu_office::{Actor, Refused, units};

use super::world::{AUDITOR, FIRST, HEAD, OFFICER, SECOND, World, actor, clock, operator};

fn new(login: &str, unit: &str, role: Role) -> New {
    New {
        login: Login::parse(login).unwrap(),
        name: FullName::parse("Người Mới Mẫu").unwrap(),
        personal_id: PersonalId::parse("099301012345").unwrap(),
        unit: UnitCode::parse(unit).unwrap(),
        role,
        phone: String::new(),
        email: "moi.mau@dancu.example.vn".into(),
    }
}

fn staff_desk<'a>(world: &'a World, by: &'a Actor) -> StaffDesk<'a> {
    StaffDesk { store: &world.store, now: clock(), actor: by, reason: "QĐ mẫu 7" }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e1_the_centre_invites_heads_and_its_own_staff() {
    for world in World::both("staff-invite").await {
        let by = operator();
        units::keep(&world.store, clock()).await.unwrap();
        let desk = staff_desk(&world, &by);
        let asked = new("thutruong.hai", "H26.001", Role::Head);
        let (done, id) = staff::invite(&desk, asked.clone(), "phc".into()).await.unwrap();
        let person = world.person(id).await;
        assert!(matches!(person.account.phase, Phase::Invited { .. }));
        assert_eq!(person.grants.all()[0].scope, Scope::Below(asked.unit.clone()));
        assert_eq!(person.secrets.password.as_deref(), Some("phc"));
        assert_eq!(done.detail, format!("#{} head tại H26.001; lý do: QĐ mẫu 7", id.0));
        let field = |refused| match refused {
            Refused::Field { field, .. } => field,
            other => panic!("{other:?}"),
        };
        let contact = world.store.notices().contact(id).await.unwrap();
        assert_eq!(contact.address.as_deref(), Some("moi.mau@dancu.example.vn"), "J3");
        assert!(!done.detail.contains('@'), "no address in the journal");
        let none = New { email: "a@b".into(), ..new("thutruong.tu", "H26.001", Role::Head) };
        let none = New { personal_id: PersonalId::parse("099301012399").unwrap(), ..none };
        let none = staff::invite(&desk, none, "phc".into()).await.unwrap_err();
        assert_eq!(field(none), "email");
        let again = staff::invite(&desk, asked, "phc".into()).await.unwrap_err();
        assert_eq!(field(again), "login");
        let twice = new("thutruong.ba", "H26.001", Role::Operator);
        let twice = staff::invite(&desk, twice, "phc".into()).await.unwrap_err();
        assert_eq!(field(twice), "personalId", "one person is not two approvers");
        let nowhere = new("nguoikhac.mau", "KHONG-CO", Role::Support);
        let nowhere = staff::invite(&desk, nowhere, "phc".into()).await.unwrap_err();
        assert_eq!(field(nowhere), "unit");
        let officer = new("nguoikhac.mau", "H26.001", Role::Officer);
        let officer = staff::invite(&desk, officer, "phc".into()).await.unwrap_err();
        assert!(matches!(officer, Refused::Reason(PortalReason::NoPower)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e3_a_role_of_the_centre_ends_at_once_but_not_the_last_operator() {
    for world in World::both("staff-end").await {
        let by = actor(FIRST);
        let desk = staff_desk(&world, &by);
        world.begin_session(SECOND).await;
        let before = world.person(SECOND).await.account.epoch;
        staff::end(&desk, SECOND, Role::Operator).await.unwrap();
        let person = world.person(SECOND).await;
        assert_eq!(person.grants.on(clock().viet_nam_date()).count(), 0);
        assert_eq!(person.grants.all().len(), 1, "what was held stays on record");
        assert_ne!(person.account.epoch, before, "sessions of before are dead");
        assert_eq!(world.last_act().kind, "person.roleEnded");
        let again = staff::end(&desk, SECOND, Role::Operator).await;
        assert!(matches!(again, Err(Refused::Gone)));
        let own = staff::end(&desk, FIRST, Role::Operator).await;
        assert!(matches!(own, Err(Refused::Field { field: "role", .. })));
        // Also for who is at the machine.
        let machine = operator();
        let last = staff::end(&staff_desk(&world, &machine), FIRST, Role::Operator).await;
        assert!(matches!(last, Err(Refused::Field { field: "role", .. })));
        let unit = staff::end(&desk, OFFICER, Role::Officer).await;
        assert!(matches!(unit, Err(Refused::Reason(PortalReason::NoPower))));
        // Whom the centre gave a role, it ends it, in units and outside too.
        for (person, role) in [(HEAD, Role::Head), (AUDITOR, Role::Auditor)] {
            let listed = staff::list(&world.store).await.unwrap();
            assert!(listed.iter().any(|p| p.id == person), "{role:?}");
            staff::end(&desk, person, role).await.unwrap();
            let person = world.person(person).await;
            assert_eq!(person.grants.on(clock().viet_nam_date()).count(), 0);
        }
        let (_, invited) = {
            units::keep(&world.store, clock()).await.unwrap();
            let new = new("giamsat.moi", "TTDL", Role::SecurityAssessor);
            staff::invite(&desk, new, "phc".into()).await.unwrap()
        };
        staff::end(&desk, invited, Role::SecurityAssessor).await.unwrap();
        assert!(world.person(invited).await.account.password.is_none(), "withdrawn");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e1_a_new_code_of_an_invitation_ends_the_one_before() {
    for world in World::both("staff-again").await {
        let by = operator();
        units::keep(&world.store, clock()).await.unwrap();
        let desk = staff_desk(&world, &by);
        let asked = new("thutruong.hai", "H26.001", Role::Head);
        let (_, id) = staff::invite(&desk, asked, "phc".into()).await.unwrap();
        let before = world.person(id).await;
        let (done, _) = staff::reinvite(&desk, id, "phc-moi".into()).await.unwrap();
        let after = world.person(id).await;
        assert_eq!(after.secrets.password.as_deref(), Some("phc-moi"));
        assert_ne!(after.account.epoch, before.account.epoch, "a sign-in that began is dead");
        assert_eq!(after.grants.all(), before.grants.all());
        assert_eq!(world.last_act().kind, "person.reinvited");
        assert!(done.detail.starts_with(&format!("#{}: ", id.0)));
        // Who is in already keeps the password; an officer is the head's to invite.
        let within = staff::reinvite(&desk, HEAD, "phc".into()).await;
        assert!(matches!(within, Err(Refused::Reason(_))), "{:?}", within.err());
        let officer = staff::reinvite(&desk, OFFICER, "phc".into()).await;
        assert!(matches!(officer, Err(Refused::Gone)));
        // An invitation whose role ended is not given again.
        staff::end(&desk, id, Role::Head).await.unwrap();
        let ended = staff::reinvite(&desk, id, "phc".into()).await;
        assert!(matches!(ended, Err(Refused::Gone)));
    }
}
