//! Files of a dossier, documents of the centre, paper copies, commitments (B2, B7, A3, A6, D6).

use dancu_domain::dossier::{Attachment, Blocked, Cause, Item, Mark, Part, Remark};
use dancu_domain::files::{
    About, DOSSIER_BYTES_MAX, DocumentKind, FileId, Role, Scan, list_number,
};
use dancu_domain::ids::UnitCode;
use dancu_domain::people::powers::Power;
use dancu_domain::people::reasons::PortalReason;
use dancu_domain::registration::ConnectionState;
use dancu_domain::rule::RuleId;
use dancu_office::dossiers::{self, At, Brought, NewCopy, Side, live, review};
use dancu_office::officers::HeadDesk;
use dancu_office::{Refused, commitments, documents, states};
use dancu_store::dossiers::{self as stored, Stored};
use dancu_store::files::{self, Staged, Whose};

use super::dossiers::{Walk, brought, content, desk_of, unit};
use super::world::*;

const SECURITY: Part = Part::Security;

fn blocked<T: std::fmt::Debug>(done: Result<T, Refused>) -> Blocked {
    match done {
        Err(Refused::Dossier(blocked)) => blocked,
        other => panic!("{other:?}"),
    }
}

impl Walk<'_> {
    fn at(&self) -> At {
        At { number: self.number, revision: self.revision }
    }

    async fn attach(&mut self, part: Part, file: Brought<Vec<u8>>) -> FileId {
        let attached = async |desk: dossiers::DossierDesk<'_>, at| {
            dossiers::attach(&desk, at, part, file).await
        };
        self.head(attached).await.unwrap();
        let own = unit();
        let open = self.open(Side::Unit(&own), HEAD).await.unwrap();
        let newest = open.dossier.paper(part).attachments.last().unwrap().id;
        FileId(newest.cast_signed())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_a6_a_file_is_read_by_who_may_and_each_look_is_journaled() {
    for world in World::both("files").await {
        let mut walk = Walk::begin(&world).await;
        let file = walk.attach(SECURITY, brought(b"%PDF-1.7 bien ban")).await;
        let pledge = walk.attach(Part::Commitment, brought(b"%PDF-1.7 cam ket")).await;
        let (own, head, by) = (unit(), actor(HEAD), actor(FIRST));
        let number = walk.number;
        let desk = desk_of(&world, &head, Side::Unit(&own));
        let found = dossiers::fetch(&desk, number, file, |_| false).await.unwrap();
        assert_eq!(found.bytes, b"%PDF-1.7 bien ban");
        assert_eq!(found.kept.about.name, "biên bản.pdf", "without folders");
        let act = world.last_act();
        assert_eq!(act.kind, "dossier.fileRead");
        let told = format!("{number} H26.001 draft; security tệp {file}");
        assert_eq!(act.detail, told);
        // The centre by its powers: assessors the papers of the assessment alone.
        let centre = desk_of(&world, &by, Side::Centre);
        let read = async |file, power| {
            dossiers::fetch(&centre, number, file, |asked| asked == power).await.is_ok()
        };
        assert!(read(file, Power::RecordAssessment).await);
        assert!(!read(pledge, Power::RecordAssessment).await);
        assert!(read(pledge, Power::ReviewDossier).await);
        assert!(!read(pledge, Power::SeeDossiers).await);
        let officer = actor(OFFICER);
        let integrator = desk_of(&world, &officer, Side::Integrator(&own));
        let refused = dossiers::fetch(&integrator, number, file, |_| true).await;
        assert!(matches!(refused, Err(Refused::Reason(PortalReason::NoPower))));
        // Of another unit, of another dossier, or not there, all the same.
        let other = UnitCode::parse("H26.002").unwrap();
        let foreign = desk_of(&world, &head, Side::Unit(&other));
        assert!(matches!(
            dossiers::fetch(&foreign, number, file, |_| true).await,
            Err(Refused::Gone)
        ));
        let second = Walk::begin(&world).await;
        for (number, file) in [(second.number, file), (number, FileId(999))] {
            let found = dossiers::fetch(&desk, number, file, |_| true).await;
            assert!(matches!(found, Err(Refused::Gone)));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b2_what_is_not_attached_is_nobodys() {
    for world in World::both("files-late").await {
        let mut walk = Walk::begin(&world).await;
        let (own, head) = (unit(), actor(HEAD));
        let desk = desk_of(&world, &head, Side::Unit(&own));
        let at = walk.at();
        // Two at once: of the same revision one is attached, and the other leaves nothing.
        let (one, two) = (
            dossiers::attach(&desk, at, SECURITY, brought(b"mot")),
            dossiers::attach(&desk, at, SECURITY, brought(b"hai")),
        );
        let (one, two) = tokio::join!(one, two);
        assert!(one.is_ok() != two.is_ok());
        walk.revision += 1;
        assert_eq!(world.store.files_of(walk.number).await.unwrap().len(), 1);
        let withdraw = async |desk: dossiers::DossierDesk<'_>, at| {
            dossiers::withdraw(&desk, at, "không cần nữa").await
        };
        walk.head(withdraw).await.unwrap();
        let late = dossiers::attach(&desk, walk.at(), SECURITY, brought(b"ba")).await;
        assert_eq!(blocked(late), Blocked::NotInThisStage);
        // What there was is read on.
        let [kept] = &world.store.files_of(walk.number).await.unwrap()[..] else { panic!() };
        assert!(dossiers::fetch(&desk, walk.number, kept.id, |_| true).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b2_an_older_version_keeps_its_own_files() {
    for world in World::both("files-versions").await {
        let mut walk = Walk::begin(&world).await;
        let (own, head) = (unit(), actor(HEAD));
        let desk = desk_of(&world, &head, Side::Unit(&own));
        // In a draft nothing else names it: it goes, and its bytes with it.
        let drafted = walk.attach(SECURITY, brought(b"nhap")).await;
        let detach = async |desk: dossiers::DossierDesk<'_>, at, file: FileId| {
            dossiers::detach(&desk, at, SECURITY, file.0.cast_unsigned()).await
        };
        walk.head(async |desk, at| detach(desk, at, drafted).await).await.unwrap();
        let gone = dossiers::fetch(&desk, walk.number, drafted, |_| true).await;
        assert!(matches!(gone, Err(Refused::Gone)));
        walk.fill(content()).await;
        let [kept] = &world.store.files_of(walk.number).await.unwrap()[..] else { panic!() };
        let handed_in = kept.id;
        assert!(handed_in > drafted, "numbers are not given again");
        let remark = Remark { item: Item::SecurityFile, row: None, text: "Quét rõ hơn.".into() };
        walk.centre(FIRST, async |desk, at| review::ask_changes(&desk, at, vec![remark]).await)
            .await
            .unwrap();
        walk.head(async |desk, at| detach(desk, at, handed_in).await).await.unwrap();
        let newer = walk.attach(SECURITY, brought(b"ro hon")).await;
        for file in [handed_in, newer] {
            assert!(dossiers::fetch(&desk, walk.number, file, |_| true).await.is_ok(), "{file}");
        }
        let open = walk.open(Side::Unit(&own), HEAD).await.unwrap();
        let named: Vec<Vec<u64>> = open
            .dossier
            .papers(SECURITY)
            .iter()
            .map(|paper| paper.attachments.iter().map(|a| a.id).collect())
            .collect();
        let id = |file: FileId| file.0.cast_unsigned();
        assert_eq!(named, [vec![id(handed_in)], vec![id(newer)]]);
    }
}

impl Walk<'_> {
    /// Opens the live dossier again and puts a file to a paper that takes up all the room there is.
    async fn filled_up(&mut self, world: &World) -> FileId {
        let reopen = async |desk: dossiers::DossierDesk<'_>, at| {
            live::reopen(&desk, at, Cause::Change, "Đổi đầu mối").await
        };
        self.head(reopen).await.unwrap();
        let staged = world.store.stage_file(clock(), b"lon").await.unwrap();
        let (number, staged) = (self.number, Staged { bytes: DOSSIER_BYTES_MAX, ..staged });
        world
            .change(move |tx, keys| {
                let (role, mark) = (Role::Paper(SECURITY), Mark { by: HEAD, at: clock() });
                let (name, kind) = ("lon.pdf".to_owned(), "pdf".to_owned());
                let about = About { name, kind, role, scan: Scan::Clean, by: HEAD, at: clock() };
                files::keep(tx, keys, &staged, Whose::Dossier(number), &about)?;
                let Stored { dossier, revision } = stored::by_number(tx, keys, number)?.unwrap();
                let id = staged.id.0.cast_unsigned();
                let (sha256, size, kind) = (staged.sha256, staged.bytes, about.kind);
                let file = Attachment { id, kind, sha256, size };
                let dossier = dossier.attach(mark, SECURITY, file).unwrap();
                stored::save(tx, keys, &Stored { dossier, revision })
            })
            .await;
        self.revision += 1;
        staged.id
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b2_a_round_that_was_turned_back_takes_no_room() {
    for world in World::both("files-rounds").await {
        let mut walk = Walk::live(&world).await;
        let (own, head) = (unit(), actor(HEAD));
        let desk = desk_of(&world, &head, Side::Unit(&own));
        let drafted = walk.filled_up(&world).await;
        let over = dossiers::attach(&desk, walk.at(), SECURITY, brought(b"them")).await;
        assert_eq!(blocked(over), Blocked::FilesTooLarge);
        // What was never handed in goes with its round; what is in force stays.
        let before = world.store.files_of(walk.number).await.unwrap().len();
        let withdraw = async |desk: dossiers::DossierDesk<'_>, at| {
            dossiers::withdraw(&desk, at, "không cần nữa").await
        };
        walk.head(withdraw).await.unwrap();
        assert!(world.last_act().detail.ends_with(&format!("; bỏ tệp {drafted}")));
        assert!(world.store.file(drafted).await.unwrap().is_none());
        assert_eq!(world.store.files_of(walk.number).await.unwrap().len(), before - 1);
        // What was refused stays to be read, and the next round has its room.
        let refused = walk.filled_up(&world).await;
        walk.head(async |desk, at| dossiers::sign(&desk, at, SECURITY).await).await.unwrap();
        walk.head(async |desk, at| dossiers::submit(&desk, at, false).await).await.unwrap();
        let refuse = async |desk: dossiers::DossierDesk<'_>, at| {
            review::refuse(&desk, at, RuleId::C1, ("Chưa đạt.", "Nộp lại.")).await
        };
        walk.centre(FIRST, refuse).await.unwrap();
        assert!(world.store.file(refused).await.unwrap().is_some());
        let reopen = async |desk: dossiers::DossierDesk<'_>, at| {
            live::reopen(&desk, at, Cause::Change, "Làm lại").await
        };
        walk.head(reopen).await.unwrap();
        walk.attach(SECURITY, brought(b"lai")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b2_what_the_scanner_refused_is_told() {
    for world in World::both("files-scanner").await {
        let walk = Walk::begin(&world).await;
        let (own, head) = (unit(), actor(HEAD));
        let desk = desk_of(&world, &head, Side::Unit(&own));
        dossiers::refused_by_scanner(&desk, walk.at(), SECURITY, [9; 32]).await.unwrap();
        let act = world.last_act();
        assert_eq!(act.kind, "dossier.fileRefused");
        assert!(act.detail.contains(&"09".repeat(32)), "{}", act.detail);
        assert!(world.store.files_of(walk.number).await.unwrap().is_empty());
        let open = walk.open(Side::Unit(&own), HEAD).await.unwrap();
        assert_eq!(open.history[0].kind, "dossier.fileRefused");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_a3_acts_issue_their_documents_once_and_without_a_gap() {
    for world in World::both("documents").await {
        let mut walk = Walk::submitted(&world, content()).await;
        walk.work().await;
        let issued = world.store.documents_of(walk.number).await.unwrap();
        let [receipt] = &issued[..] else { panic!("{issued:?}") };
        assert_eq!((receipt.kind, receipt.number), (DocumentKind::Receipt, 1));
        // An act that is refused gives no number away.
        let again = walk.centre(FIRST, async |desk, at| review::accept(&desk, at).await).await;
        assert!(again.is_err());
        let refuse = async |desk: dossiers::DossierDesk<'_>, at| {
            review::refuse(&desk, at, RuleId::C1, ("Chưa đạt cấp độ 3.", "Nâng cấp rồi nộp lại."))
                .await
        };
        walk.centre(FIRST, refuse).await.unwrap();
        let act = world.last_act();
        assert!(
            act.detail.contains("; kèm văn bản từ chối số 1/TTDLDC-TC (tệp #"),
            "{}",
            act.detail
        );
        let issued = world.store.documents_of(walk.number).await.unwrap();
        assert_eq!(issued[0].kind, DocumentKind::Refusal);
        // The unit has it, and nobody else's.
        let (own, other) = (unit(), UnitCode::parse("H26.002").unwrap());
        let by = actor(HEAD);
        let at = (&world.store, clock());
        let (_, kept, bytes) = documents::fetch(at, &by, Some(&own), issued[0].file).await.unwrap();
        assert!(bytes.starts_with(b"%PDF-") && kept.about.scan == Scan::Clean);
        assert_eq!(world.last_act().kind, "document.read");
        let foreign = documents::fetch(at, &by, Some(&other), issued[0].file).await;
        assert!(matches!(foreign, Err(Refused::Gone)));
        assert_eq!(world.store.documents_of_unit(&own).await.unwrap().len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_a4_consent_is_issued_when_it_is_approved_whole() {
    for world in World::both("documents-consent").await {
        let walk = Walk::live(&world).await;
        let issued = world.store.documents_of(walk.number).await.unwrap();
        let kinds: Vec<_> = issued.iter().map(|i| i.kind).collect();
        assert_eq!(kinds, [DocumentKind::Consent, DocumentKind::Receipt]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_d6_a_lock_is_told_in_writing() {
    for world in World::both("documents-lock").await {
        let (snapshot, by, own) = (world.snapshot(), actor(FIRST), unit());
        states::lock_connection(&desk(&world, &snapshot, &by)).await.unwrap();
        let act = world.last_act();
        let told = "MAU locked; lý do: cao điểm; kèm thông báo khóa số 1/TTDLDC-TBK (tệp #";
        assert!(act.detail.starts_with(told), "{act:?}");
        assert!(states::lock_connection(&desk(&world, &snapshot, &by)).await.is_err());
        let snapshot = world.snapshot();
        states::unlock_connection(&desk(&world, &snapshot, &by)).await.unwrap();
        let at = desk(&world, &snapshot, &by);
        states::connection(&at, ConnectionState::Suspended).await.unwrap();
        let issued = world.store.documents_of_unit(&own).await.unwrap();
        let found: Vec<_> = issued.iter().map(|i| (i.kind, i.number, i.system)).collect();
        let lock = DocumentKind::Lock;
        assert_eq!(found, [(lock, 2, Some(SYSTEM)), (lock, 1, Some(SYSTEM))]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b7_paper_copies_are_told_and_receipted_once() {
    for world in World::both("copies").await {
        let walk = Walk::begin(&world).await;
        let (own, head, by) = (unit(), actor(HEAD), actor(FIRST));
        let unit_desk = desk_of(&world, &head, Side::Unit(&own));
        let date = clock().viet_nam_date();
        let new = |number: &str, date| NewCopy {
            part: Part::Commitment,
            number: number.into(),
            date,
            kept: "Văn thư, tủ 2".into(),
        };
        let told = dossiers::tell_of_copy(&unit_desk, walk.number, new("12/CK", date)).await;
        let (_, copy) = told.unwrap();
        for wrong in [new(" ", date), new("13/CK", date.tomorrow().unwrap())] {
            let told = dossiers::tell_of_copy(&unit_desk, walk.number, wrong).await;
            assert!(matches!(told, Err(Refused::Field { .. })));
        }
        let centre = desk_of(&world, &by, Side::Centre);
        let receive =
            async || dossiers::receive_copy(&centre, (walk.number, copy), "Kho lưu trữ").await;
        receive().await.unwrap();
        assert_eq!(world.last_act().kind, "paper.received");
        assert!(matches!(receive().await, Err(Refused::Gone)), "once");
        let kept = world.store.paper_copies(walk.number).await.unwrap();
        let (mark, place) = kept[0].1.received.clone().unwrap();
        assert_eq!((kept.len(), mark.by, place.as_str()), (1, FIRST, "Kho lưu trữ"));
        // Each side its own part of it, and only of its own dossiers.
        let other = UnitCode::parse("H26.002").unwrap();
        let foreign = desk_of(&world, &head, Side::Unit(&other));
        let told = dossiers::tell_of_copy(&foreign, walk.number, new("14/CK", date)).await;
        assert!(matches!(told, Err(Refused::Gone)));
        let told = dossiers::tell_of_copy(&centre, walk.number, new("15/CK", date)).await;
        assert!(matches!(told, Err(Refused::Reason(PortalReason::NoPower))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rule_b7_a_head_confirms_a_batch_of_commitments() {
    for world in World::both("commitments").await {
        let (snapshot, by, own) = (world.snapshot(), actor(HEAD), unit());
        let (now, machine) = (clock(), dancu_domain::people::MachineTime(clock().0));
        let (unit, by) = (&own, &by);
        let desk = HeadDesk { store: &world.store, now, machine, by, unit, snapshot: &snapshot };
        let before = commitments::of_system(&desk, SYSTEM).await.unwrap();
        assert!(before.iter().all(|c| c.commitment.is_none()) && !before.is_empty());
        let none = commitments::confirm(&desk, SYSTEM, vec![], None::<Brought<Vec<u8>>>).await;
        assert!(matches!(none, Err(Refused::Field { field: "officers", .. })));
        let foreign = vec![dancu_domain::ids::AccountId(999)];
        let signed = Some(brought(b"%PDF-1.7 danh sach"));
        let gone = commitments::confirm(&desk, SYSTEM, foreign, signed.clone()).await;
        assert!(matches!(gone, Err(Refused::Gone)));
        let (done, list) =
            commitments::confirm(&desk, SYSTEM, vec![ACCOUNT], signed).await.unwrap();
        let told = format!("MAU {} mẫu ", list_number(list));
        assert!(done.detail.starts_with(&told), "{}", done.detail);
        assert!(done.detail.contains("1 cán bộ: #1; tệp #"), "{}", done.detail);
        let after = commitments::of_system(&desk, SYSTEM).await.unwrap();
        let found = after.iter().find(|c| c.officer.account.id == ACCOUNT).unwrap();
        let of = found.commitment.as_ref().unwrap();
        assert_eq!((of.number, of.list.mark.by, of.list.officers), (list, HEAD, 1));
        let file = of.list.file.unwrap();
        let kept = world.store.file(file).await.unwrap().unwrap();
        assert_eq!(kept.about.scan, Scan::Unasked);
        let (_, bytes) = commitments::fetch(&desk, file).await.unwrap();
        assert_eq!(bytes, b"%PDF-1.7 danh sach");
        assert_eq!(world.last_act().kind, "commitments.fileRead");
        let other = UnitCode::parse("H26.002").unwrap();
        let foreign = HeadDesk { unit: &other, ..desk };
        assert!(matches!(commitments::fetch(&foreign, file).await, Err(Refused::Gone)));
        // Confirmed again it stands on the newer list, by the electronic form alone.
        let electronic = None::<Brought<Vec<u8>>>;
        let (_, newer) =
            commitments::confirm(&desk, SYSTEM, vec![ACCOUNT], electronic).await.unwrap();
        let after = commitments::of_system(&desk, SYSTEM).await.unwrap();
        let of = after.iter().find_map(|c| c.commitment.as_ref()).unwrap();
        assert_eq!((of.number, of.list.file), (newer, None));
    }
}
