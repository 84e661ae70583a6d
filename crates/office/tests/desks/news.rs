//! Announcements (J2).

use dancu_office::Refused;
use dancu_office::news::{self, Draft};
use dancu_store::desks::News;

use super::world::*;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_published_is_journaled_shown_and_ended_once() {
    for world in World::both("news").await {
        let (now, by) = (clock(), actor(FIRST));
        let mut draft = Draft {
            kind: News::Maintenance,
            title: "Bảo trì <b>định kỳ</b>".into(),
            text: "Nghỉ 30 phút.\nXin gọi sau.".into(),
            from: None,
            to: None,
        };
        let refused = news::publish((&world.store, now), &by, &draft).await;
        assert!(matches!(refused, Err(Refused::Field { field: "to", .. })));
        draft.to = Some(now.plus_ms(60_000));
        news::publish((&world.store, now), &by, &draft).await.unwrap();
        let act = world.last_act();
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("news.published", "vanhanh1.mau"));
        let all = world.store.desks().announcements(now).await.unwrap();
        assert_eq!((all.len(), all[0].title.as_str(), all[0].by), (1, draft.title.as_str(), FIRST));
        news::end((&world.store, now.plus_ms(5)), &by, all[0].id).await.unwrap();
        let twice = news::end((&world.store, now.plus_ms(9)), &by, all[0].id).await;
        assert!(matches!(twice, Err(Refused::Reason(_))));
        let gone = news::end((&world.store, now), &by, 99).await;
        assert!(matches!(gone, Err(Refused::Gone)));
        assert!(world.store.desks().announcements(now.plus_ms(9)).await.unwrap().is_empty());
    }
}
