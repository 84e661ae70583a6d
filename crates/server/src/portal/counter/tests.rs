//! The counter over a real store, gate and router, on both engines: an officer with a session
//! asks as a browser would.

mod world;

use dancu_domain::people::roles::Role;
use dancu_domain::registration::{AccountState, Channel, ConnectionState, Group};
use dancu_domain::service::{Field, FieldSet, Service};
use dancu_journal::{Body as EntryBody, Decision};

use self::world::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scan_is_a_question_like_any_other() {
    for world in World::both("scan", &Wish::default()).await {
        let citizen = world.citizen().clone();
        let page = world.get("/counter").await;
        assert!(page.status == 200 && page.has(PROCEDURE) && page.has("500"), "{}", page.text);
        let scan = card(&citizen);
        let page = world.verify(&scan, &[("case", "H26.001/7")]).await;
        assert!(page.status == 200 && page.has("Khớp") && page.has("499"), "{}", page.text);
        // Where each of the three keys comes from, with its day.
        let stamp = citizen.sources.of(Field::FullName);
        assert!(page.has(&crate::portal::frame::date(stamp.on)));
        let entry = world.questions().pop().unwrap();
        assert_eq!((entry.protocol, entry.channel), (4, Channel::Portal as u8));
        assert_eq!((entry.officer.as_str(), entry.case.as_str()), ("onestop.canbo1", "H26.001/7"));
        assert_eq!(entry.purpose, "Đăng ký thường trú");
        assert_eq!((entry.counted, world.used(Service::CitizenVerify)), (1, 1));
        // What was chosen is kept for the next person, and nothing personal with it.
        let memory = page.memory().unwrap();
        let id = citizen.personal_id.to_string();
        assert!(memory.contains(PROCEDURE) && memory.contains("H26.001/7"));
        assert!(!memory.contains(&id) && !memory.to_lowercase().contains("nguy"));
        let next = world.get_with("/counter", &memory).await;
        assert!(next.has("value=\"H26.001/7\"") && !next.has(&id), "the next person is empty");
        // The id stands in groups on the page, never in the title.
        let title = page.text.split("<title>").nth(1).unwrap().split("</title>").next().unwrap();
        assert!(!title.contains(&id[..6]) && !title.contains(citizen.full_name.as_str()));
        assert_eq!(page.headers["cache-control"], "no-store");
        assert!(page.has("Hoàng Thử Quyên · H26.001 ·"), "the watermark");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_d6_a_doubled_post_is_counted_once() {
    for world in World::both("twice", &Wish::default()).await {
        let scan = card(world.citizen());
        let once = world.get("/counter").await.hidden("once");
        let fields =
            [("procedure", PROCEDURE), ("once", once.as_str()), ("subject", scan.as_str())];
        let (first, second) =
            tokio::join!(world.post("/counter", &fields), world.post("/counter", &fields));
        assert!(first.has("Khớp") && second.has("Khớp"));
        assert_eq!(world.used(Service::CitizenVerify), 1);
        let decisions: Vec<_> = world.questions().iter().map(|q| q.decision).collect();
        assert_eq!(decisions, [Decision::Accepted, Decision::Repeat]);
        // Another person typed into the same form is another question.
        let other = world.citizens.iter().find(|c| c.personal_id != world.citizen().personal_id);
        let other = format!(
            "{} {} {}",
            other.unwrap().personal_id,
            other.unwrap().full_name.as_str(),
            day(other.unwrap())
        );
        let fields = [("procedure", PROCEDURE), ("once", once.as_str()), ("subject", &other)];
        assert_eq!(world.post("/counter", &fields).await.status, 200);
        assert_eq!(world.used(Service::CitizenVerify), 2);
        // A second tab has a form of its own.
        assert_ne!(world.get("/counter").await.hidden("once"), once);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_with_the_form_asks_nothing() {
    let world = World::new("form", &Wish::default(), None).await;
    let before = world.questions().len();
    let id = world.citizen().personal_id.to_string();
    for (fields, words) in [
        (&[("procedure", PROCEDURE), ("subject", "")][..], "Quét thẻ, dán hoặc gõ"),
        (&[("procedure", PROCEDURE), ("subject", id.as_str())], "Còn thiếu: họ và tên"),
        (&[("procedure", PROCEDURE), ("subject", "Mẫu 1990")], "Còn thiếu: số định danh"),
        (&[("procedure", PROCEDURE), ("subject", "0993 Mẫu 1990")], "Có số lẻ bên cạnh"),
        (&[("procedure", "9.999999"), ("subject", "x")], "Chọn thủ tục"),
        (&[("procedure", WITH_CASE), ("subject", "x")], "bắt buộc có mã hồ sơ"),
        (&[("procedure", PROCEDURE), ("case", "a b"), ("subject", "x")], "3 đến 60 ký tự"),
        (&[("procedure", PROCEDURE), ("purpose", "Khác"), ("subject", "x")], "Đăng ký thường trú"),
        (&[("procedure", PROCEDURE), ("claim-oldId", "12"), ("subject", "x")], "gồm 9 chữ số"),
        (&[("system", "OTHER"), ("procedure", PROCEDURE), ("subject", "x")], "Chọn hệ thống"),
    ] {
        let page = world.post("/counter", fields).await;
        assert!(page.status == 422 && page.has(words), "{fields:?}: {} {}", page.status, page.text);
        assert!(page.has("role=\"alert\"") && page.has("<title>Cần sửa:"), "{fields:?}");
    }
    // Markup in every field comes back as text.
    let markup = "\"><script>alert(1)</script>";
    let all =
        ["procedure", "purpose", "case", "subject", "once", "system", "claim-permanentResidence"];
    let fields: Vec<_> = all.iter().map(|name| (*name, markup)).collect();
    let page = world.post("/counter", &fields).await;
    assert!(page.status == 422 && !page.has("<script>alert"));
    assert!(page.memory().is_none());
    assert_eq!(world.questions().len(), before);
    assert_eq!(world.post("/counter", &[("csrf", "x")]).await.status, 403);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_give_rows_and_a_verdict() {
    for world in World::both("claims", &Wish::default()).await {
        let citizen = world.citizen().clone();
        let scan = card(&citizen);
        let right = citizen.sex.code().to_string();
        let wrong = if right == "1" { "2" } else { "1" };
        let page = world.verify(&scan, &[("claim-sex", &right)]).await;
        assert!(page.has("Giới tính") && !page.has("Không khớp một phần"), "{}", page.text);
        let page = world.verify(&scan, &[("claim-sex", wrong)]).await;
        assert!(page.has("Không khớp một phần"));
        let bits = FieldSet::of(&[Field::Sex]).bits();
        assert_eq!(world.questions().last().unwrap().fields_asked, bits);
        // Compared for one person, not for the next.
        assert!(!page.has("selected>Nam") && !page.has("selected>Nữ"));
        // Nobody: how to go on, and no row that would say which key failed.
        let nobody = scan
            .replacen("Nam", "Nữ", 1)
            .replace(citizen.full_name.upper().as_str(), "MẪU VĂN KHÔNG");
        let page = world.verify(&nobody, &[("claim-sex", &right)]).await;
        assert!(page.status == 200 && page.has("Vẫn giúp được người dân"));
        assert!(!page.has("/counter/lookup"));
        // The code to read out stands in what to do as well.
        assert!(page.has("đọc mã DC-"), "{}", page.text);
        // Only the year is compared where only the year is known.
        let year = citizen.birth.year().to_string();
        let typed = format!("{} {} {year}", citizen.personal_id, citizen.full_name.as_str());
        assert!(world.verify(&typed, &[]).await.has("chỉ khớp theo năm"));
        // The dead are told unmistakably.
        let dead = world.citizens.iter().find(|c| c.vital.code() == 2).unwrap();
        let typed = format!("{} {} {}", dead.personal_id, dead.full_name.as_str(), day(dead));
        let page = world.verify(&typed, &[]).await;
        assert!(page.has("class=\"deceased\"") && page.has("Đã chết"));
        // One verdict only: that the details agree is a small line of it.
        assert!(page.has("Thông tin trùng khớp.") && !page.has("class=\"verdict"), "{}", page.text);
        assert_eq!(page.text.matches("id=\"verdict\"").count(), 1);
        // And again with each field that is opened, which does not tell it itself.
        let about = page.hidden("about");
        let reveal = [("about", about.as_str()), ("field", "ethnicity")];
        let page = world.post("/counter/reveal", &reveal).await;
        assert!(page.status == 200 && page.has("class=\"deceased\""), "{}", page.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a4_a_look_up_needs_a_reason_and_leaves_sensitive_fields_out() {
    for world in World::both("lookup", &Wish::default()).await {
        let page = world.verify(&card(world.citizen()), &[]).await;
        let sealed = page.hidden("about");
        let id = world.citizen().personal_id.to_string();
        assert!(!sealed.contains(&id));
        let ask = world.post("/counter/lookup", &[("about", &sealed)]).await;
        assert!(ask.status == 200 && ask.has("Vì sao cần tra cứu đầy đủ"), "{}", ask.text);
        let once = ask.hidden("once");
        let fields = |reason| {
            [("about", sealed.as_str()), ("step", "read"), ("once", &once), ("reason", reason)]
        };
        let short = world.post("/counter/lookup", &fields("cần")).await;
        assert!(short.status == 422 && short.has("Nêu lý do từ 10 đến 500 ký tự"));
        assert_eq!(world.used(Service::CitizenLookup), 0);
        let reason = "Hồ sơ thiếu nơi ở hiện tại";
        let shown = world.post("/counter/lookup", &fields(reason)).await;
        assert!(shown.status == 200 && shown.has("Nơi thường trú"), "{}", shown.text);
        assert_eq!(shown.headers["refresh"], "300;url=/counter");
        let entry = world.questions().pop().unwrap();
        let sensitive = FieldSet::SENSITIVE.bits();
        assert_eq!((entry.answer, entry.fields & sensitive), (3, 0));
        assert_eq!(entry.fields, FieldSet::ALL.without(FieldSet::SENSITIVE).bits());
        let EntryBody::Act(act) = world.bodies().pop().unwrap() else { panic!("no act") };
        assert_eq!((act.kind.as_str(), act.actor.as_str()), ("counter.lookup", "onestop.canbo1"));
        assert_eq!(act.detail, format!("{}: {reason}", entry.request_id));
        // Sent twice it is one look-up.
        world.post("/counter/lookup", &fields(reason)).await;
        assert_eq!(world.used(Service::CitizenLookup), 1);
        // One sensitive field, and only that, is delivered when it is shown.
        let about = shown.hidden("about");
        let reveal = [("about", about.as_str()), ("field", "ethnicity")];
        let page = world.post("/counter/reveal", &reveal).await;
        // What was told before stays, and nothing of it can be read in what the page carries.
        assert!(page.has("Nơi thường trú") && page.has(&id[..3]), "{}", page.text);
        assert!(!page.hidden("about").contains(&id));
        let name = dancu_domain::lists::ethnicity(world.citizen().ethnicity).unwrap();
        assert!(page.status == 200 && page.has(name) && page.has("Dân tộc"), "{}", page.text);
        assert!(page.has("••••••"), "the others stay masked");
        let entry = world.questions().pop().unwrap();
        assert_eq!(entry.fields, FieldSet::of(&[Field::Ethnicity]).bits());
        assert_eq!(world.used(Service::CitizenLookup), 2);
        // What is left of look-ups is in sight wherever one is taken.
        assert!(shown.has("499/500") || shown.has(">499<"), "{}", shown.text);
        assert!(page.has("Tra cứu đầy đủ của cả đơn vị") && page.has(">498<"), "{}", page.text);
        assert!(ask.has("id=\"meter\"") || ask.has("class=\"meter line\""));
        // Opening another one keeps both; the form of before keeps only what it carried.
        let next = page.hidden("about");
        let both = [("about", next.as_str()), ("field", "bloodGroup")];
        let both = world.post("/counter/reveal", &both).await;
        assert!(both.has(name) && both.has("Nhóm máu") && both.has("Nơi thường trú"));
        let religion = [("about", sealed.as_str()), ("field", "religion")];
        let first = world.post("/counter/reveal", &religion).await;
        assert!(first.status == 200 && !first.has("Nơi thường trú"), "{}", first.text);
        assert_eq!(world.used(Service::CitizenLookup), 4);
        // What is not sensitive, or not sealed here, is not revealed.
        for (code, field) in
            [(sealed.as_str(), "fullName"), (sealed.as_str(), "x"), ("x", "religion")]
        {
            let page = world.post("/counter/reveal", &[("about", code), ("field", field)]).await;
            assert!(matches!(page.status, 303 | 410), "{field}: {}", page.status);
        }
        assert_eq!(world.used(Service::CitizenLookup), 4);
        assert_eq!(world.get("/counter/lookup").await.status, 303);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_e2_a_sensitive_field_needs_a_fresh_factor_and_a_look_up_does_not() {
    let world = World::new("stale", &Wish { fresh: false, ..Wish::default() }, None).await;
    let sealed = world.verify(&card(world.citizen()), &[]).await.hidden("about");
    let page = world.post("/counter/reveal", &[("about", &sealed), ("field", "religion")]).await;
    assert!(page.status == 401 && page.has("Xác thực lại"), "{}", page.text);
    assert_eq!(world.used(Service::CitizenLookup), 0);
    // Whom it is about comes back with the form once the factor is given.
    assert!(!crate::portal::kept::NOT_KEPT.contains(&"about"));
    let id = world.citizen().personal_id.to_string();
    assert!(!page.has(&id) && !page.has(world.citizen().full_name.as_str()));
    assert_eq!(world.post("/counter/lookup", &[("about", &sealed)]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slip_is_printed_and_checked_without_a_name() {
    for world in World::both("slip", &Wish::default()).await {
        let citizen = world.citizen().clone();
        let wrong = if citizen.sex.code() == 1 { "2" } else { "1" };
        let page = world.verify(&card(&citizen), &[("claim-sex", wrong), ("case", "H26/9")]).await;
        let slip = world.get(&page.slip()).await;
        assert!(slip.status == 200 && slip.has("H26/9") && slip.has("Không khớp một phần"));
        let personal = [citizen.personal_id.to_string(), citizen.full_name.as_str().to_owned()];
        // Neither the citizen nor the officer stands on the paper itself.
        let paper = slip.text.split("<article").nth(1).unwrap().split("</article>").next().unwrap();
        assert!(!personal.iter().any(|p| slip.has(p)) && !paper.contains("Thử Quyên"));
        let check = page.slip().replace("/counter/slip/", "/check/");
        assert!(paper.contains("http://127.0.0.1:8080/check<") && paper.contains("<path d=\"M"));
        // Whoever holds the paper checks it, signed in or not.
        let found = world.anybody(&check).await;
        assert!(found.status == 200 && found.has("Phiếu do hệ thống cấp"), "{}", found.text);
        assert!(found.has("H26.001") && found.has("Giới tính") && found.has("Không khớp một phần"));
        assert!(!found.has("H26/9") && !personal.iter().any(|p| found.has(p)));
        let code = paper.split("DC-").nth(1).unwrap().split('<').next().unwrap();
        let typed = format!("/check?code=dc-{}", code.to_lowercase());
        let found = world.anybody(&typed).await;
        assert!(found.status == 200 && found.has("họ tên và ngày sinh: khớp"), "{}", found.text);
        assert_eq!(world.anybody("/check").await.status, 200);
        // A changed mark, a guessed code, another's entry.
        let forged = format!("{}A", &check[..check.len() - 1]);
        let forged =
            if forged == check { format!("{}B", &check[..check.len() - 1]) } else { forged };
        for path in [forged.as_str(), "/check/DC-0000-0000-0000-0000-00000", "/check/%3Cscript%3E"]
        {
            let page = world.anybody(path).await;
            assert!(page.status == 404 && page.has("Không có kết quả nào mang mã này"), "{path}");
            assert!(!page.has("<script>"));
        }
        assert_eq!(world.get(&forged.replace("/check/", "/counter/slip/")).await.status, 404);
        // Signed out nobody prints.
        assert_eq!(world.anybody(&page.slip()).await.status, 303);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_matches_nobody_gets_a_slip_too() {
    for world in World::both("nobody", &Wish::default()).await {
        let typed = format!("{} Mẫu Văn Không 1990", world.citizen().personal_id);
        let page = world.verify(&typed, &[("case", "H26/10")]).await;
        let slip = world.get(&page.slip()).await;
        let paper = slip.text.split("<article").nth(1).unwrap().split("</article>").next().unwrap();
        assert!(slip.status == 200 && paper.contains("Không khớp") && paper.contains("H26/10"));
        assert!(paper.contains("không có ai khớp") && paper.contains("DC-"), "{paper}");
        assert!(!paper.contains("<table") && paper.contains("<path d=\"M"), "{paper}");
        let id = world.citizen().personal_id.to_string();
        assert!(!slip.has(&id) && !slip.has("Mẫu Văn Không"));
        // The mark tells it whole; a typed code tells that the keys did not agree.
        let check = page.slip().replace("/counter/slip/", "/check/");
        let found = world.anybody(&check).await;
        assert!(found.status == 200 && found.has("Không có người nào có đủ"), "{}", found.text);
        assert!(!found.has("Mã gõ tay") && !found.has("H26/10") && !found.has(&id));
        let code = paper.split("DC-").nth(1).unwrap().split('<').next().unwrap();
        let found = world.anybody(&format!("/check?code=DC-{code}")).await;
        assert!(found.has("họ tên và ngày sinh: không khớp") && found.has("Mã gõ tay"));
        // The slip's page counts nothing, and shows what is left all the same.
        assert!(slip.has("class=\"meter line no-print\"") && slip.has(">499<"), "{}", slip.text);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_guide_is_open_to_all_and_tells_the_refusals() {
    let world = World::new("guide", &Wish::default(), None).await;
    for page in [world.anybody("/guide").await, world.get("/guide").await] {
        assert_eq!(page.status, 200);
        assert!(page.has("Hướng dẫn sử dụng") && page.has("Cán bộ tại quầy"));
        assert!(page.has("Đã hết số lượt truy vấn") && page.has("07:00"), "{}", page.text);
        assert!(page.has("href=\"/docs\"") && page.has("href=\"/guide\""), "the footer leads here");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn refusals_say_what_to_do_and_the_meter_goes_down() {
    let world = World::new("refused", &Wish { line: 1, ..Wish::default() }, None).await;
    let scan = card(world.citizen());
    assert!(world.verify(&scan, &[]).await.has("Khớp"));
    let page = world.verify(&scan, &[]).await;
    assert!(page.status == 429 && page.has("Đã hết số lượt truy vấn"), "{}", page.text);
    assert!(page.has("tăng số lượt tạm thời") && page.has("07:00") && page.has("D2"));
    assert!(page.has("DC-") && page.has("Người dân đang chờ"));
    // The account's own stop shows in the meter before it refuses.
    let wish = Wish { daily: 1, ..Wish::default() };
    let world = World::new("stop", &wish, None).await;
    let page = world.get("/counter").await;
    assert!(page.has("Mức dừng của tài khoản") && page.has("còn 500/500"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rule_a6_only_officers_on_the_list_come_in() {
    let list = "danh sách tài khoản";
    for (name, wish, words) in [
        ("revoked", Wish { account: AccountState::Revoked, ..Wish::default() }, list),
        ("suspended", Wish { systems: &[ConnectionState::Suspended], ..Wish::default() }, list),
        ("none", Wish { systems: &[], ..Wish::default() }, list),
        ("head", Wish { roles: &[Role::Head], ..Wish::default() }, "Vai trò"),
    ] {
        let world = World::new(name, &wish, None).await;
        let page = world.get("/counter").await;
        assert!(page.status == 403 && page.has(words), "{name}: {} {}", page.status, page.text);
        let fields = [("procedure", PROCEDURE), ("subject", "099303000417 Mẫu Văn A 1990")];
        assert_eq!(world.post("/counter", &fields).await.status, 403, "{name}");
        assert!(world.questions().is_empty());
    }
    // A group without this channel is refused by the gate, and journaled (A2).
    let world = World::new("group", &Wish { group: Group::Other, ..Wish::default() }, None).await;
    let page = world.verify(&card(world.citizen()), &[]).await;
    assert!(page.status == 403 && page.has("xin Trung tâm chấp thuận"), "{}", page.text);
    assert_eq!(world.questions().pop().unwrap().decision, Decision::Refused);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_several_systems_the_officer_chooses() {
    let systems = &[ConnectionState::Live, ConnectionState::Suspended, ConnectionState::Live];
    let world = World::new("several", &Wish { systems, ..Wish::default() }, None).await;
    let page = world.get("/counter").await;
    assert!(page.has("SYSTEM1") && page.has("SYSTEM3") && !page.has("SYSTEM2"));
    let page = world.verify(&card(world.citizen()), &[("system", "SYSTEM3")]).await;
    assert!(page.has("Khớp"));
    assert_eq!(world.questions().pop().unwrap().system_code, "SYSTEM3");
    let next = world.get_with("/counter", &page.memory().unwrap()).await;
    assert!(next.has("value=\"SYSTEM3\" selected"));
    // Under another session's mark it is nothing.
    let others = page.memory().unwrap().replacen('=', "=0", 1);
    assert!(world.get_with("/counter", &others).await.has("value=\"SYSTEM1\" selected"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_says_how_to_go_on_and_asking_again_is_the_same_question() {
    let world = World::new("outage", &Wish::default(), None).await;
    let once = world.get("/counter").await.hidden("once");
    let scan = card(world.citizen());
    let fields = [("procedure", PROCEDURE), ("once", once.as_str()), ("subject", scan.as_str())];
    let store = world.app.gate.store();
    let fault = "CREATE TRIGGER fault BEFORE UPDATE ON ledger_head \
                 BEGIN SELECT RAISE(ABORT, 'fault of the test'); END";
    store.ledger().tidy(world.app.clock.now(), move |tx| tx.batch(fault)).await.unwrap();
    let page = world.post("/counter", &fields).await;
    assert!(page.status == 503 && page.has("Tạm thời không kết nối được"), "{}", page.text);
    assert_eq!(page.hidden("once"), once, "the form keeps its mark");
    store.ledger().tidy(world.app.clock.now(), |tx| tx.batch("DROP TRIGGER fault")).await.unwrap();
    let again = world.post("/counter", &fields).await;
    assert!(again.status == 200 && again.has("Khớp"), "{}", again.text);
    assert_eq!(world.used(Service::CitizenVerify), 1);
}
