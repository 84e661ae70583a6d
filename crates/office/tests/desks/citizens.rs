//! A citizen sees who looked (I3).

use dancu_domain::ids::{Login, PersonalId, SubjectId};
use dancu_domain::people::reasons::PortalReason;
use dancu_office::Refused;
use dancu_office::citizens::Citizen;
use dancu_store::people::Person;

use super::world::*;

fn id(text: &str) -> PersonalId {
    PersonalId::parse(text).unwrap()
}

async fn citizen(world: &World, personal_id: &str) -> Person {
    let mut person = world.person(OFFICER).await;
    person.login = Login::of_citizen([7; 16]);
    person.personal_id = Some(id(personal_id));
    person
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_i3_a_citizen_sees_who_asked_and_nobody_elses() {
    for world in World::both("looks").await {
        let mine = citizen(&world, "099190000123").await;
        let others = citizen(&world, "099190000124").await;
        let about = SubjectId::Personal(id("099190000123"));
        let mut asked = vec![];
        for case in ["H26.001/1", "H26.001/2", "H26.001/3"] {
            asked.push(world.ask(about, case).await);
        }
        let looks = async |person: &Person| {
            let citizen = Citizen { store: &world.store, now: clock(), person };
            let ticket = citizen.ask_looks().await.unwrap();
            let act = world.last_act();
            assert_eq!(act.kind, "citizen.ownLooks", "journaled before anything is read");
            assert!(act.actor.starts_with("citizen-") && !act.detail.contains("099190"));
            citizen.looks(&ticket).unwrap()
        };
        let found = looks(&mine).await;
        let cases: Vec<_> = found.looks.iter().map(|look| look.query.case.as_str()).collect();
        assert_eq!(cases, ["H26.001/3", "H26.001/2", "H26.001/1"], "the newest first");
        assert!(found.looks.iter().all(|look| !look.told && !look.beside) && !found.more);
        assert!(looks(&others).await.looks.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_i1_who_has_no_record_sees_none() {
    for world in World::both("record").await {
        let nobody = Person { personal_id: None, ..citizen(&world, "099190000123").await };
        let ask = |person| Citizen { store: &world.store, now: clock(), person };
        let differs =
            |refused: Refused| matches!(refused, Refused::Reason(PortalReason::IdentityDiffers));
        let before = world.store.ledger().next_index();
        assert!(differs(ask(&nobody).own_data().await.err().unwrap()));
        assert!(differs(ask(&nobody).ask_looks().await.err().unwrap()));
        assert_eq!(world.store.ledger().next_index(), before, "there is nothing to journal");
    }
}
